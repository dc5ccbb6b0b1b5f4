#include "model/live_source.h"

#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "vitess/topology.h"

namespace source_vitess::integration_tests {
namespace {

constexpr absl::Duration kQueryTimeout = absl::Seconds(60);

}  // namespace

absl::StatusOr<LiveAddress> LiveAddressFromEnvironment() {
  const char* vtgate = std::getenv("VITESS_TEST_VTGATE");
  const std::string given = vtgate == nullptr ? "" : vtgate;
  const size_t colon = given.rfind(':');
  LiveAddress address;
  if (colon == std::string::npos || colon == 0 ||
      !absl::SimpleAtoi(given.substr(colon + 1), &address.port)) {
    return absl::InvalidArgumentError(
        absl::StrCat("VITESS_TEST_VTGATE has to be host:port, and is \"", given, "\""));
  }
  address.host = given.substr(0, colon);
  const char* keyspace = std::getenv("VITESS_TEST_KEYSPACE");
  address.keyspace = keyspace == nullptr ? "shop" : keyspace;
  return address;
}

LiveSource::LiveSource(const LiveAddress& address, const std::map<std::string, std::string>& more)
    : TestSource(address.keyspace) {
  vitess::ChannelOptions options;
  options.host = address.host;
  options.port = address.port;
  auto client = vitess::MakeVtgateClient(options);
  EXPECT_TRUE(client.ok()) << client.status();
  client_ = *std::move(client);
  const auto shards = vitess::ListShards(*client_, keyspace());
  EXPECT_TRUE(shards.ok()) << shards.status();
  if (!shards.ok()) return;
  const bool sharded = shards->size() > 1 || shards->front() != "0";
  for (const TableDefinition& table : TableDefinitions()) MakeTable(table, sharded);
  Connect(harness::MakeConfig(address.port, {keyspace()}, more, address.host));
}

void LiveSource::MakeTable(const TableDefinition& table, bool sharded) {
  Execute(absl::StrCat("drop table if exists ", table.name));
  Execute(table.create);
  if (!sharded) return;
  const auto routed = Query(
      keyspace(), absl::StrCat("alter vschema on ", keyspace(), ".", table.name, " add vindex ",
                               table.vindex, "(", table.sharded, ") using ", table.vindex));
  // A table that is made again is still routed.
  EXPECT_TRUE(routed.ok() || absl::StrContains(routed.status().message(), "already"))
      << routed.status();
}

absl::StatusOr<query::QueryResult> LiveSource::Query(std::string_view target,
                                                     std::string_view sql) {
  return client_->Execute(target, sql, kQueryTimeout);
}

}  // namespace source_vitess::integration_tests
