// Connections that PlanetScale's connectors have read before: their state, as they write it, is
// gone on from (docs/planetscale.md).
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "planetscale/psdbconnect.pb.h"
#include "tests/fivetran_source.h"
#include "tests/simulated_source.h"

namespace source_vitess::integration_tests {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<std::string>& Shards() {
  static const auto& shards = *new std::vector<std::string>{"-80", "80-"};
  return shards;
}

constexpr int kTables = 5;

// The cursors of every table as of now: by table, in the order of Shards().
class Cursors {
 public:
  explicit Cursors(Database& source) : source_(source) {
    for (const std::string& table : Database::Tables()) Add(table);
  }

  void Add(const std::string& table) {
    for (const std::string& shard : Shards()) {
      psdbconnect::v1alpha1::TableCursor cursor;
      cursor.set_keyspace(source_.keyspace());
      cursor.set_shard(shard);
      cursor.set_position(Position(shard));
      cursors_[table].push_back(absl::Base64Escape(cursor.SerializeAsString()));
    }
  }

  // The copy of the table had come to the last of rows 1 to 20 in every shard, which are the first
  // by `key`.
  void MakeHalfDone(const std::string& table, const std::string& key) {
    for (size_t i = 0; i < Shards().size(); ++i) {
      std::string bytes;
      psdbconnect::v1alpha1::TableCursor cursor;
      ASSERT_TRUE(absl::Base64Unescape(cursors_[table][i], &bytes) &&
                  cursor.ParseFromString(bytes));
      const auto rows = source_.Query(
          absl::StrCat(source_.keyspace(), ":", Shards()[i]),
          absl::StrCat("select ", key, " from ", table, " where id <= 20 order by ", key));
      ASSERT_TRUE(rows.ok()) << rows.status();
      ASSERT_GT(rows->rows_size(), 0);
      *cursor.mutable_last_known_pk() = *rows;
      cursor.mutable_last_known_pk()->clear_rows();
      *cursor.mutable_last_known_pk()->add_rows() = rows->rows(rows->rows_size() - 1);
      cursors_[table][i] = absl::Base64Escape(cursor.SerializeAsString());
    }
  }

  void Break(const std::string& table) { cursors_[table][1] = "bm8gY3Vyc29y"; }

  // {"shop:table": {"shards": {...}}, ...}
  std::string Streams() const {
    std::vector<std::string> streams;
    for (const auto& [table, cursors] : cursors_) {
      streams.push_back(absl::StrCat("\"shop:", table, "\":", ShardsOf(table)));
    }
    return absl::StrCat("{", absl::StrJoin(streams, ","), "}");
  }

  // As their connector for Airbyte hands it over, first for all streams, later for each.
  std::string OfAllStreams() const { return absl::StrCat("{\"streams\":", Streams(), "}"); }
  std::string OfEachStream() const {
    std::vector<std::string> states;
    for (const auto& [table, cursors] : cursors_) {
      states.push_back(absl::StrCat(R"({"type":"STREAM","stream":{"stream_descriptor":{"name":")",
                                    table, R"(","namespace":"shop"},"stream_state":)",
                                    ShardsOf(table), "}}"));
    }
    return absl::StrCat("[", absl::StrJoin(states, ","), "]");
  }

  std::string OfFivetran() const {
    return absl::StrCat(R"({"keyspaces":{"shop":{"streams":)", Streams(), "}}}");
  }

 private:
  std::string ShardsOf(const std::string& table) const {
    std::vector<std::string> shards;
    for (size_t i = 0; i < Shards().size(); ++i) {
      shards.push_back(
          absl::StrCat("\"", Shards()[i], R"(":{"cursor":")", cursors_.at(table)[i], "\"}"));
    }
    return absl::StrCat(R"({"shards":{)", absl::StrJoin(shards, ","), "}}");
  }

  std::string Position(const std::string& shard) {
    const auto executed = source_.Query(absl::StrCat(source_.keyspace(), ":", shard),
                                        "select @@global.gtid_executed");
    EXPECT_TRUE(executed.ok()) << executed.status();
    return executed.ok() ? absl::StrCat("MySQL56/", executed->rows(0).values()) : "";
  }

  Database& source_;
  std::map<std::string, std::vector<std::string>> cursors_;
};

void Fill(Database& source, int first, int last) {
  for (const std::string& sql : RowsOfEveryTable(first, last)) source.Execute(sql);
}

// An update and a delete of rows that were delivered, in every table.
void ChangeEveryTable(Database& source) {
  for (const char* sql :
       {"update customers set email = 'new' where id = 3", "delete from customers where id = 4",
        "update orders set price = 1 where customer_id = 3 and id = 21",
        "delete from orders where customer_id = 4 and id = 28",
        "update notes set body = 'new' where id = 3", "delete from notes where id = 4",
        "update words set seen = 77 where word = 'word3'", "delete from words where word = 'word4'",
        "update tags set weight = 77 where id = 3", "delete from tags where id = 4"}) {
    source.Execute(sql);
  }
}

class PlanetscaleAirbyteStateTest : public ::testing::Test {
 protected:
  // What PlanetScale's connector is taken to have delivered: rows 1 to 20.
  PlanetscaleAirbyteStateTest() {
    Fill(source_, 1, 20);
    EXPECT_EQ(source_.Read().exit.exit_code, 0);
  }

  harness::RunResult ReadFrom(const std::string& state) {
    const auto run = source_.connector().Read(source_.catalog(), state);
    EXPECT_TRUE(run.ok()) << run.status();
    if (!run.ok()) return {};
    EXPECT_EQ(run->exit.exit_code, 0) << testing::PrintToString(run->lines);
    source_.destination().AcceptRun(*run);
    EXPECT_THAT(source_.destination().violations(), IsEmpty());
    return *run;
  }

  uint64_t Records(const std::string& table) {
    return source_.destination().Sync("shop", table).records;
  }

  SimulatedSource source_;
};

TEST_F(PlanetscaleAirbyteStateTest, GoesOnWhereTheStateOfAllStreamsStoppedAndCopiesNothingAgain) {
  const Cursors cursors(source_);
  ChangeEveryTable(source_);

  const harness::RunResult run = ReadFrom(cursors.OfAllStreams());

  for (const std::string& table : Database::Tables()) EXPECT_EQ(Records(table), 2u) << table;
  EXPECT_THAT(source_.Differences(), IsEmpty());
  EXPECT_THAT(run.lines, Contains(HasSubstr("shop.notes goes on")));
  // And from the state that was written then.
  Fill(source_, 21, 21);
  EXPECT_EQ(source_.Read().exit.exit_code, 0);
  for (const std::string& table : Database::Tables()) EXPECT_EQ(Records(table), 1u) << table;
  EXPECT_THAT(source_.Differences(), IsEmpty());
}

TEST_F(PlanetscaleAirbyteStateTest, GoesOnWhereTheStatesOfEachStreamStopped) {
  const Cursors cursors(source_);
  ChangeEveryTable(source_);

  ReadFrom(cursors.OfEachStream());

  for (const std::string& table : Database::Tables()) EXPECT_EQ(Records(table), 2u) << table;
  EXPECT_THAT(source_.Differences(), IsEmpty());
}

// What comes behind the last key is copied; what came before it was changed meanwhile.
TEST_F(PlanetscaleAirbyteStateTest, GoesOnWithACopyBehindItsLastKey) {
  for (int id = 21; id <= 40; ++id) {
    source_.Execute(absl::StrCat("insert into customers values (", id, ", 'behind')"));
  }
  Cursors cursors(source_);
  cursors.MakeHalfDone("customers", "id");
  ChangeEveryTable(source_);

  ReadFrom(cursors.OfAllStreams());

  EXPECT_EQ(Records("customers"), 2u + 20u);
  EXPECT_EQ(Records("notes"), 2u);
  EXPECT_THAT(source_.Differences(), IsEmpty());
}

// A key with an ENUM cannot be copied on behind: the copy begins again, and a row that was deleted
// since it was delivered still goes.
TEST_F(PlanetscaleAirbyteStateTest, FollowsACopyThatHasToBeginAgainFromItsPosition) {
  Cursors cursors(source_);
  cursors.MakeHalfDone("tags", "kind, id");
  ChangeEveryTable(source_);

  ReadFrom(cursors.OfAllStreams());

  EXPECT_GE(Records("tags"), 19u + 2u);
  EXPECT_THAT(source_.Differences(), IsEmpty());
}

TEST_F(PlanetscaleAirbyteStateTest, CopiesATableWhoseCursorIsBrokenAndNoOther) {
  Cursors cursors(source_);
  cursors.Break("notes");
  Fill(source_, 21, 22);

  const harness::RunResult run = ReadFrom(cursors.OfAllStreams());

  EXPECT_EQ(Records("notes"), 22u);
  EXPECT_EQ(Records("customers"), 2u);
  EXPECT_THAT(source_.Differences(), IsEmpty());
  EXPECT_THAT(run.lines, Contains(testing::AllOf(HasSubstr("shop.notes"),
                                                 HasSubstr("cursor cannot be read"))));
}

TEST_F(PlanetscaleAirbyteStateTest, ReadsAFullRefreshFromItsFirstRow) {
  const Cursors cursors(source_);
  const auto discovered = source_.connector().DiscoverCatalog();
  ASSERT_TRUE(discovered.ok()) << discovered.status();
  const auto catalog = harness::ConfigureCatalog(
      *discovered,
      {{.stream_namespace = "shop", .name = "notes", .sync_mode = "full_refresh", .columns = {}}});
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  harness::Destination destination(*catalog);

  const auto run = source_.connector().Read(*catalog, cursors.OfAllStreams());

  ASSERT_TRUE(run.ok()) << run.status();
  destination.AcceptRun(*run);
  EXPECT_EQ(destination.Sync("shop", "notes").records, 20u);
  EXPECT_THAT(destination.violations(), IsEmpty());
}

class PlanetscaleFivetranStateTest : public ::testing::Test {
 protected:
  PlanetscaleFivetranStateTest() {
    Fill(source_, 1, 20);
    EXPECT_EQ(source_.Sync().Failure(), "");
  }

  harness::FivetranReport SyncFrom(const std::string& state,
                                   const harness::FivetranUpdateOptions& options = {}) {
    EXPECT_TRUE(source_.connection().SetState(state).ok());
    harness::FivetranReport report = source_.Sync(options);
    EXPECT_EQ(report.Failure(), "");
    EXPECT_THAT(source_.Differences(), IsEmpty());
    EXPECT_THAT(source_.BrokenRules(), IsEmpty());
    return report;
  }

  FivetranSource source_;
};

uint64_t Truncates(const harness::FivetranReport& report) {
  uint64_t truncates = 0;
  for (const auto& [table, counts] : report.tables) truncates += counts.truncates;
  return truncates;
}

TEST_F(PlanetscaleFivetranStateTest, GoesOnWhereItStoppedAndCopiesNothingAgain) {
  const Cursors cursors(source_);
  ChangeEveryTable(source_);

  const harness::FivetranReport report = SyncFrom(cursors.OfFivetran());

  EXPECT_EQ(report.records, 2u * kTables);
  EXPECT_EQ(Truncates(report), 0u);
  Fill(source_, 21, 21);
  EXPECT_EQ(source_.Sync().records, 1u * kTables);
  EXPECT_THAT(source_.Differences(), IsEmpty());
}

TEST_F(PlanetscaleFivetranStateTest, GoesOnWithACopyBehindItsLastKey) {
  for (int id = 21; id <= 40; ++id) {
    source_.Execute(absl::StrCat("insert into customers values (", id, ", 'behind')"));
  }
  Cursors cursors(source_);
  cursors.MakeHalfDone("customers", "id");
  ChangeEveryTable(source_);

  const harness::FivetranReport report = SyncFrom(cursors.OfFivetran());

  EXPECT_EQ(report.records, 2u * kTables + 20u);
  EXPECT_EQ(Truncates(report), 0u);
}

// The row that is gone goes from the destination with the TRUNCATE.
TEST_F(PlanetscaleFivetranStateTest, CopiesATableWhoseCursorIsBrokenBehindATruncate) {
  Cursors cursors(source_);
  cursors.Break("notes");
  ChangeEveryTable(source_);

  const harness::FivetranReport report =
      SyncFrom(cursors.OfFivetran(), {.may_truncate = {"shop.notes"}});

  EXPECT_EQ(report.tables.at("shop.notes").truncates, 1u);
  EXPECT_EQ(report.tables.at("shop.notes").upserts, 19u);
  EXPECT_EQ(Truncates(report), 1u);
  const auto log = source_.connection().Log();
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_THAT(
      *log, Contains(testing::AllOf(HasSubstr("shop.notes"), HasSubstr("cursor cannot be read"))));
}

// The row that is gone was not told apart from others by what had copied it.
TEST_F(PlanetscaleFivetranStateTest, CopiesATableWithoutAPrimaryKeyBehindATruncate) {
  source_.Execute("create table events (what varchar(20), size int)");
  source_.Execute("alter vschema on shop.events add vindex hash(size)");
  source_.Execute("insert into events values ('a', 1), ('b', 2)");
  ASSERT_EQ(source_.Sync().Failure(), "");
  Cursors cursors(source_);
  cursors.Add("events");
  source_.Execute("delete from events where size = 1");

  const harness::FivetranReport report =
      SyncFrom(cursors.OfFivetran(), {.may_truncate = {"shop.events"}});

  EXPECT_EQ(report.records, 2u);
  EXPECT_EQ(report.tables.at("shop.events").truncates, 1u);
  EXPECT_EQ(report.tables.at("shop.events").upserts, 1u);
  EXPECT_THAT(source_.DifferencesOf("events"), IsEmpty());
}

}  // namespace
}  // namespace source_vitess::integration_tests
