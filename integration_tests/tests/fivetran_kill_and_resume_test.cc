// The connector is killed at any point of an Update, and started again with the last state that
// Fivetran saved. What it sent behind that state may be in the warehouse or not.
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fivetran_source.h"
#include "tests/random_change.h"

namespace source_vitess::integration_tests {
namespace {

using harness::FivetranReport;
using harness::FivetranStop;
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

// Rows without a key: each is another one by its number.
void ChangeEvents(FivetranSource& source, std::mt19937_64& random, int& next_number) {
  const uint64_t number = 1 + random() % static_cast<uint64_t>(next_number);
  switch (random() % 3) {
    case 0:
      source.Execute(absl::StrCat("insert into events values ('new', ", next_number++, ")"));
      break;
    case 1:
      source.Execute(
          absl::StrCat("update events set what = 'w", random() % 9, "' where number = ", number));
      break;
    default:
      source.Execute(absl::StrCat("delete from events where number = ", number));
      break;
  }
}

class FivetranKillAndResumeTest : public ::testing::TestWithParam<int> {};

TEST_P(FivetranKillAndResumeTest, TheWarehouseEqualsTheSource) {
  const uint32_t seed = Seed() + static_cast<uint32_t>(GetParam());
  RecordProperty("seed", absl::StrCat(seed));
  SCOPED_TRACE(absl::StrCat("SOURCE_VITESS_TEST_SEED=", seed - static_cast<uint32_t>(GetParam())));
  std::mt19937_64 random(seed);
  const bool apart = GetParam() % 2 == 1;
  FivetranSource source(SmallPackets(),
                        {{"checkpoint_interval", "5"},
                         {"shards_per_stream", apart ? "1" : "16"},
                         {"parallel_copies", apart ? "3" : "2"}},
                        {"-80", "80-"}, /*history=*/GetParam() % 4 >= 2);
  source.Execute("create table events (what varchar(20), number bigint)");
  source.Execute("alter vschema on shop.events add vindex hash(number)");
  int next_number = 1;
  while (next_number <= 60) {
    source.Execute(absl::StrCat("insert into events values ('old', ", next_number++, ")"));
  }
  int next_id = 61;
  for (const std::string& sql : RowsOfEveryTable(1, next_id - 1)) source.Execute(sql);

  int kills = 0;
  for (int attempt = 0; attempt < 40; ++attempt) {
    harness::FivetranUpdateOptions options;
    options.keep = random() % 2 == 0;
    // The last attempts are left alone, so that the test ends.
    if (attempt < 25) {
      options.stop = FivetranStop{
          .by = random() % 4 == 0 ? FivetranStop::By::kCancel : FivetranStop::By::kKill,
          .after_bytes = 1 + random() % 30000};
    }
    const FivetranReport report = source.Sync(options);
    if (!report.stopped) {
      ASSERT_EQ(report.Failure(), "");
      break;
    }
    ++kills;
    const int changes = static_cast<int>(random() % 8);
    for (int i = 0; i < changes; ++i) {
      for (const std::string& sql : RandomChange(random, next_id, /*with_parcels=*/false)) {
        source.Execute(sql);
      }
      ChangeEvents(source, random, next_number);
    }
  }
  RecordProperty("kills", kills);
  // What was changed since the last kill.
  ASSERT_EQ(source.Sync().Failure(), "");

  EXPECT_THAT(source.Differences(), IsEmpty());
  EXPECT_THAT(source.DifferencesOf("events"), IsEmpty());
  EXPECT_THAT(source.BrokenRules(), IsEmpty());
}

// Tables are emptied at the source, too: in one shard that is a TRUNCATE, in several a new copy.
TEST_P(FivetranKillAndResumeTest, TheWarehouseEqualsTheSourceWhoseTablesAreTruncated) {
  const uint32_t seed = Seed() + 100 + static_cast<uint32_t>(GetParam());
  SCOPED_TRACE(
      absl::StrCat("SOURCE_VITESS_TEST_SEED=", seed - 100 - static_cast<uint32_t>(GetParam())));
  std::mt19937_64 random(seed);
  const std::vector<std::string> shards =
      GetParam() % 2 == 0 ? std::vector<std::string>{"-"} : std::vector<std::string>{"-80", "80-"};
  FivetranSource source(SmallPackets(), {{"checkpoint_interval", "5"}}, shards);
  int next_id = 31;
  for (const std::string& sql : RowsOfEveryTable(1, next_id - 1)) source.Execute(sql);
  harness::FivetranUpdateOptions options;
  for (const std::string& table : FivetranSource::Tables()) {
    options.may_truncate.push_back("shop." + table);
  }

  for (int attempt = 0; attempt < 20; ++attempt) {
    options.keep = random() % 2 == 0;
    options.stop = FivetranStop{.by = FivetranStop::By::kKill, .after_bytes = 1 + random() % 12000};
    const FivetranReport report = source.Sync(options);
    ASSERT_EQ(report.stopped ? "" : report.Failure(), "");
    for (int i = 0; i < 4; ++i) {
      for (const std::string& sql : RandomChange(random, next_id, /*with_parcels=*/false)) {
        source.Execute(sql);
      }
      if (random() % 4 == 0) {
        source.Execute("truncate table " +
                       FivetranSource::Tables()[random() % FivetranSource::Tables().size()]);
      }
    }
  }
  options.stop.reset();
  ASSERT_EQ(source.Sync(options).Failure(), "");

  EXPECT_THAT(source.Differences(), IsEmpty());
  EXPECT_EQ(source.Sync().records, 0u);
  EXPECT_THAT(source.BrokenRules(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, FivetranKillAndResumeTest, ::testing::Range(0, 8));

}  // namespace
}  // namespace source_vitess::integration_tests
