// The connector is killed at any point of its work, and started again with the last state that it
// printed.
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sync/table_position.h"
#include "tests/simulated_source.h"

namespace source_vitess::integration_tests {
namespace {

using ::testing::IsEmpty;

// Set SOURCE_VITESS_TEST_SEED to repeat a run.
uint32_t Seed() {
  const char* given = std::getenv("SOURCE_VITESS_TEST_SEED");
  uint32_t seed = 0;
  if (given != nullptr && absl::SimpleAtoi(given, &seed)) return seed;
  return std::random_device{}();
}

simulator::SimulatorOptions SmallPackets() {
  simulator::SimulatorOptions options;
  options.service.streams.packet_bytes = 400;
  return options;
}

// A change of random rows, deletes among them.
void Change(SimulatedSource& source, std::mt19937& random, int& next_id) {
  const auto any = [&](int below) {
    return static_cast<int>(random() % static_cast<unsigned>(below));
  };
  const int id = 1 + any(next_id);
  switch (any(6)) {
    case 0:
      for (const std::string& sql : RowsOfEveryTable(next_id, next_id)) source.Execute(sql);
      ++next_id;
      break;
    case 1:
      source.Execute(
          absl::StrCat("update customers set email = 'changed", any(100), "' where id = ", id));
      source.Execute(absl::StrCat("update tags set weight = ", any(100), " where id = ", id));
      break;
    case 2:
      source.Execute(absl::StrCat("delete from customers where id = ", id));
      source.Execute(absl::StrCat("delete from tags where id = ", id));
      break;
    case 3:
      source.Execute(absl::StrCat("delete from orders where customer_id = ", id));
      source.Execute(absl::StrCat("delete from words where word = 'word", id, "'"));
      break;
    case 4:
      source.Execute(absl::StrCat("update orders set id = id + 100000 where customer_id = ", id));
      break;
    default:
      source.Execute(absl::StrCat("delete from notes where id = ", id));
      break;
  }
}

// Where every table stood in every shard, by "table/shard": the gtid.
std::map<std::string, std::string> Positions(const harness::Destination& destination) {
  std::map<std::string, std::string> positions;
  for (const std::string& table : SimulatedSource::Tables()) {
    const auto state = destination.State("shop", table);
    if (!state.has_value()) continue;
    const auto position = sync::ParseTablePosition(*state);
    EXPECT_TRUE(position.ok()) << position.status();
    if (!position.ok()) continue;
    for (const binlogdata::ShardGtid& shard : position->vgtid.shard_gtids()) {
      positions[absl::StrCat(table, "/", shard.shard())] = shard.gtid();
    }
  }
  return positions;
}

// The copies that were begun from the first row although the state told more, among the requests
// from `first` on.
std::vector<std::string> RepeatedCopies(SimulatedSource& source, size_t first,
                                        const std::map<std::string, std::string>& known) {
  std::vector<std::string> repeated;
  const auto requests = source.simulator().stream_requests();
  for (size_t i = first; i < requests.size(); ++i) {
    for (const binlogdata::ShardGtid& shard : requests[i].vgtid().shard_gtids()) {
      if (!shard.gtid().empty()) continue;
      const std::string key =
          absl::StrCat(requests[i].filter().rules(0).match(), "/", shard.shard());
      const auto it = known.find(key);
      if (it != known.end() && !it->second.empty()) repeated.push_back(key);
    }
  }
  return repeated;
}

class KillAndResumeTest : public ::testing::TestWithParam<int> {};

TEST_P(KillAndResumeTest, TheDestinationEqualsTheSource) {
  const uint32_t seed = Seed() + static_cast<uint32_t>(GetParam());
  RecordProperty("seed", absl::StrCat(seed));
  SCOPED_TRACE(absl::StrCat("SOURCE_VITESS_TEST_SEED=", seed - static_cast<uint32_t>(GetParam())));
  std::mt19937 random(seed);
  // With one shard per stream, a table's shards are copied and followed apart.
  const bool apart = GetParam() % 2 == 1;
  SimulatedSource source(SmallPackets(), {{"checkpoint_interval", "5"},
                                          {"shards_per_stream", apart ? "1" : "16"},
                                          {"parallel_copies", apart ? "3" : "2"}});
  int next_id = 61;
  for (const std::string& sql : RowsOfEveryTable(1, next_id - 1)) source.Execute(sql);

  int kills = 0;
  for (int attempt = 0; attempt < 40; ++attempt) {
    const auto known = Positions(source.destination());
    const size_t first = source.simulator().stream_requests().size();
    harness::RunLimits limits;
    // The last attempts are left alone, so that the test ends.
    if (attempt < 25) limits.kill_after_bytes = 1 + random() % 40000;
    const harness::RunResult run = source.Read(limits);
    EXPECT_THAT(RepeatedCopies(source, first, known), IsEmpty());
    if (!run.killed) {
      ASSERT_EQ(run.exit.exit_code, 0) << (run.lines.empty() ? "" : run.lines.back());
      break;
    }
    ++kills;
    const int changes = static_cast<int>(random() % 8);
    for (int i = 0; i < changes; ++i) Change(source, random, next_id);
  }
  RecordProperty("kills", kills);
  // What was changed since the last kill.
  ASSERT_EQ(source.Read().exit.exit_code, 0);

  EXPECT_THAT(source.Differences(), IsEmpty());
  EXPECT_THAT(source.destination().violations(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, KillAndResumeTest, ::testing::Range(0, 8));

TEST(ResumeTest, ASyncWithNothingToDoDeliversNothing) {
  SimulatedSource source;
  for (const std::string& sql : RowsOfEveryTable(1, 20)) source.Execute(sql);
  ASSERT_EQ(source.Read().exit.exit_code, 0);
  const size_t streams = source.simulator().stream_requests().size();

  ASSERT_EQ(source.Read().exit.exit_code, 0);

  for (const std::string& table : SimulatedSource::Tables()) {
    EXPECT_EQ(source.destination().Sync("shop", table).records, 0u) << table;
    EXPECT_EQ(source.destination().Sync("shop", table).states, 1u) << table;
  }
  EXPECT_EQ(source.simulator().stream_requests().size(), streams);
}

TEST(ResumeTest, ASecondSyncDeliversJustTheChanges) {
  SimulatedSource source;
  for (const std::string& sql : RowsOfEveryTable(1, 20)) source.Execute(sql);
  ASSERT_EQ(source.Read().exit.exit_code, 0);
  source.Execute("update customers set email = 'new' where id = 3");
  source.Execute("delete from customers where id in (4, 5)");
  source.Execute("update orders set id = 999 where customer_id = 6");

  ASSERT_EQ(source.Read().exit.exit_code, 0);

  EXPECT_EQ(source.destination().Sync("shop", "customers").records, 3u);
  EXPECT_EQ(source.destination().Sync("shop", "customers").deletes, 2u);
  EXPECT_EQ(source.destination().Sync("shop", "orders").records, 2u);
  EXPECT_EQ(source.destination().Sync("shop", "notes").records, 0u);
  EXPECT_THAT(source.Differences(), IsEmpty());
  EXPECT_THAT(source.destination().violations(), IsEmpty());
}

}  // namespace
}  // namespace source_vitess::integration_tests
