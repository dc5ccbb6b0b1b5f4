// The model test's random histories, against a VTGate that runs by itself (VITESS_TEST_VTGATE):
// what happens to it is what Execute can do, and what happens to the connector is anything.
//
//   SOURCE_VITESS_MODEL_SEED=4711     repeats one history
//   SOURCE_VITESS_MODEL_HISTORIES=100 runs so many; otherwise a few
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/history.h"
#include "model/live_source.h"
#include "tests/random_change.h"

namespace source_vitess::integration_tests {
namespace {

using ::testing::IsEmpty;

constexpr uint64_t kHistories = 8;

// Between two changes while the connector reads, so that a read comes to its end.
constexpr absl::Duration kPause = absl::Milliseconds(2);

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* given = std::getenv(name);
  uint64_t number = 0;
  return given != nullptr && absl::SimpleAtoi(given, &number) ? number : otherwise;
}

// Goes through one history. What is wrong is a failure of the test.
class LiveWorld {
 public:
  LiveWorld(const History& history, const LiveAddress& address)
      : history_(history),
        source_(address, {{"checkpoint_interval", absl::StrCat(history.checkpoint_interval)},
                          {"parallel_copies", absl::StrCat(history.parallel_copies)},
                          {"shards_per_stream", absl::StrCat(history.shards_per_stream)}}) {
    for (const std::string& sql : RowsOfEveryTable(1, history.first_rows)) source_.Execute(sql);
    next_id_ = history.first_rows + 1;
  }

  void Run() {
    for (const Step& step : history_.steps) {
      if (::testing::Test::HasFailure()) return;
      random_.seed(step.seed);
      Take(step.kind);
    }
  }

  int reads() const { return reads_; }
  int kills() const { return kills_; }

 private:
  int Any(int below) { return static_cast<int>(random_() % static_cast<uint64_t>(below)); }

  void Take(StepKind kind) {
    switch (kind) {
      case StepKind::kWrite:
        for (int i = 1 + Any(15); i > 0; --i) Write();
        return;
      case StepKind::kAddColumn:
        return AddColumn();
      case StepKind::kRead:
        return ReadQuietly();
      case StepKind::kReadKilled:
        return ReadAndKill();
      case StepKind::kReadBusy:
      case StepKind::kReadBroken:
      case StepKind::kRestartVtgate:
        return MustSucceed(ReadBusy());
      case StepKind::kFailOver:
      case StepKind::kReshard:
        return;  // not for a client to do
    }
  }

  void Write() {
    for (const std::string& sql : RandomChange(random_, next_id_, /*with_parcels=*/false)) {
      source_.Execute(sql);
    }
  }

  void AddColumn() {
    const std::vector<std::string>& tables = TestSource::Tables();
    source_.Execute(absl::StrCat("alter table ", tables[static_cast<size_t>(Any(5))],
                                 " add column more", next_column_++, " int"));
  }

  harness::RunResult ReadBusy(const harness::RunLimits& limits = {}) {
    std::atomic<bool> ended = false;
    std::thread writer([&] {
      for (int i = 0; i < 300 && !ended && !::testing::Test::HasFailure(); ++i) {
        Write();
        absl::SleepFor(kPause);
      }
    });
    ++reads_;
    harness::RunResult run = source_.Read(limits);
    ended = true;
    writer.join();
    return run;
  }

  void ReadAndKill() {
    harness::RunLimits limits;
    limits.kill_after_bytes = static_cast<size_t>(1 + Any(20000));
    const harness::RunResult run = ReadBusy(limits);
    if (run.killed) {
      ++kills_;
    } else {
      MustSucceed(run);
    }
  }

  void ReadQuietly() {
    ++reads_;
    MustSucceed(source_.Read());
    EXPECT_THAT(source_.Differences(), IsEmpty());
    MustSucceed(source_.Read());
    for (const std::string& table : TestSource::Tables()) {
      EXPECT_EQ(source_.destination().Sync(source_.keyspace(), table).records, 0u)
          << "an idle sync had records of " << table;
    }
    EXPECT_THAT(source_.destination().violations(), IsEmpty());
  }

  void MustSucceed(const harness::RunResult& run) {
    EXPECT_EQ(run.exit.exit_code, 0) << absl::StrJoin(source_.destination().trace_errors(), "; ");
  }

  const History& history_;
  LiveSource source_;
  std::mt19937_64 random_;  // of the writer while there is one
  int next_id_ = 1;
  int next_column_ = 1;
  int reads_ = 0;
  int kills_ = 0;
};

TEST(LiveHistoriesTest, TheDestinationEqualsTheSource) {
  const absl::StatusOr<LiveAddress> address = LiveAddressFromEnvironment();
  ASSERT_TRUE(address.ok()) << address.status();
  const uint64_t given = FromEnvironment("SOURCE_VITESS_MODEL_SEED", 0);
  const uint64_t count =
      given != 0 ? 1 : FromEnvironment("SOURCE_VITESS_MODEL_HISTORIES", kHistories);
  int reads = 0;
  int kills = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const History history = MakeHistory(given != 0 ? given : i + 1);
    LiveWorld world(history, *address);
    world.Run();
    reads += world.reads();
    kills += world.kills();
    ASSERT_FALSE(HasFailure()) << "in\n" << Tell(history);
  }
  std::printf("%llu histories, %d reads, %d kills\n", static_cast<unsigned long long>(count), reads,
              kills);
}

}  // namespace
}  // namespace source_vitess::integration_tests
