// Many shards and tables in several keyspaces at once.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "harness/connector.h"
#include "harness/destination.h"
#include "simulator/simulator.h"

namespace source_vitess::integration_tests {
namespace {

using ::testing::IsEmpty;

constexpr int kRows = 6;  // of each table

struct Keyspace {
  std::string name;
  int shards;
  int tables;
};

std::string Table(int i) { return absl::StrCat("t", i); }

std::vector<std::string> ShardsOf(const Keyspace& keyspace) {
  std::vector<std::string> shards;
  const auto bound = [&](int i) {
    return i == 0 || i == keyspace.shards ? std::string()
                                          : absl::StrFormat("%02x", 256 * i / keyspace.shards);
  };
  for (int i = 0; i < keyspace.shards; ++i) {
    shards.push_back(absl::StrCat(bound(i), "-", bound(i + 1)));
  }
  return shards;
}

std::string Script(const Keyspace& keyspace) {
  std::string script =
      absl::StrCat("create keyspace ", keyspace.name, " shards ('",
                   absl::StrJoin(ShardsOf(keyspace), "', '"), "'); use ", keyspace.name, ";");
  for (int i = 0; i < keyspace.tables; ++i) {
    absl::StrAppend(&script, "create table ", Table(i), " (id bigint primary key, n int);");
    absl::StrAppend(&script, "alter vschema on ", Table(i), " add vindex hash(id);");
    for (int id = 1; id <= kRows; ++id) {
      absl::StrAppend(&script, "insert into ", Table(i), " values (", id, ", ", i, ");");
    }
  }
  return script;
}

class ManyTablesTest : public ::testing::Test {
 protected:
  const std::vector<Keyspace> kKeyspaces = {
      {"customer", 64, 30}, {"history", 16, 70}, {"product", 1, 150}, {"lookup", 1, 50}};

  void SetUp() override {
    std::vector<std::string> names;
    for (const Keyspace& keyspace : kKeyspaces) {
      names.push_back(keyspace.name);
      const absl::Status made = simulator_.cluster().RunScript(Script(keyspace));
      ASSERT_TRUE(made.ok()) << made;
    }
    const absl::StatusOr<int> port = simulator_.Start();
    ASSERT_TRUE(port.ok()) << port.status();
    auto connector =
        harness::Connector::Make(SOURCE_VITESS_PROGRAM, harness::MakeConfig(*port, names));
    ASSERT_TRUE(connector.ok()) << connector.status();
    connector_ = *std::move(connector);
    const auto discovered = connector_->DiscoverCatalog();
    ASSERT_TRUE(discovered.ok()) << discovered.status();
    const auto catalog = harness::ConfigureCatalog(*discovered);
    ASSERT_TRUE(catalog.ok()) << catalog.status();
    catalog_ = *catalog;
    destination_.emplace(catalog_);
  }

  void Read() {
    const auto run = connector_->Read(catalog_, destination_->StateFile());
    ASSERT_TRUE(run.ok()) << run.status();
    ASSERT_EQ(run->exit.exit_code, 0);
    destination_->AcceptRun(*run);
    EXPECT_THAT(destination_->violations(), IsEmpty());
  }

  // Records of the last sync, by "keyspace.table", of tables that had any.
  std::map<std::string, uint64_t> Records() {
    std::map<std::string, uint64_t> records;
    for (const Keyspace& keyspace : kKeyspaces) {
      for (int i = 0; i < keyspace.tables; ++i) {
        const uint64_t count = destination_->Sync(keyspace.name, Table(i)).records;
        if (count > 0) records[absl::StrCat(keyspace.name, ".", Table(i))] = count;
      }
    }
    return records;
  }

  simulator::Simulator simulator_;
  std::unique_ptr<harness::Connector> connector_;
  std::string catalog_;
  std::optional<harness::Destination> destination_;
};

TEST_F(ManyTablesTest, AreCopiedWholeAndThenIdle) {
  Read();

  for (const Keyspace& keyspace : kKeyspaces) {
    for (int i = 0; i < keyspace.tables; ++i) {
      std::map<std::string, std::string> rows;
      for (int id = 1; id <= kRows; ++id) {
        rows[absl::StrCat("[", id, "]")] = absl::StrCat("{\"id\":", id, ",\"n\":", i, "}");
      }
      EXPECT_EQ(destination_->Rows(keyspace.name, Table(i)), rows) << keyspace.name << " " << i;
    }
  }
  const size_t streams = simulator_.stream_requests().size();
  Read();
  EXPECT_THAT(Records(), IsEmpty());
  EXPECT_EQ(simulator_.stream_requests().size(), streams);

  // A change reaches the one table that it is of.
  ASSERT_TRUE(simulator_.cluster().Execute("customer", "update t7 set n = -1 where id = 3").ok());
  Read();
  EXPECT_EQ(Records(), (std::map<std::string, uint64_t>{{"customer.t7", 1}}));
}

}  // namespace
}  // namespace source_vitess::integration_tests
