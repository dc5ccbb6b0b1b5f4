#include "commands/progress_reporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <cstdio>
#include <string>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"

namespace source_vitess::commands {
namespace {

using telemetry::Phase;
using telemetry::Progress;
using testing::HasSubstr;

TEST(GroupedTest, PutsACommaBehindEveryThousand) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Grouped(1000), "1,000");
  EXPECT_EQ(Grouped(1234567), "1,234,567");
}

TEST(DescribeProgressTest, SaysHowFarTheTablesAre) {
  const absl::Time began = absl::FromUnixSeconds(1'700'000'000);
  Progress progress(began);
  telemetry::ShardProgress& orders = progress.Shard(progress.AddTable("shop", "orders"), "-");
  telemetry::ShardProgress& notes = progress.Shard(progress.AddTable("shop", "notes"), "-");
  orders.SetPhase(Phase::kCopying);
  orders.AddEstimate(5000);
  orders.AddCopied(1200);
  notes.SetPhase(Phase::kReplicating);
  notes.AddChanges(3);
  notes.ReadUpTo(1'700'000'000);
  progress.TakeSample(began + absl::Seconds(3));

  EXPECT_EQ(DescribeProgress(progress.Read(began + absl::Seconds(5))),
            "2 tables (1 copying, 1 replicating): 1,200 of about 5,000 rows copied, 3 changes, 401 "
            "rows/s, 5 s behind");
}

TEST(DescribeProgressTest, GuessesNoFewerRowsThanThereWere) {
  Progress progress(absl::UnixEpoch());
  telemetry::ShardProgress& orders = progress.Shard(progress.AddTable("shop", "orders"), "-");
  orders.AddEstimate(10);
  orders.AddCopied(25);

  EXPECT_THAT(DescribeProgress(progress.Read(absl::UnixEpoch())), HasSubstr("25 of about 25 rows"));
}

TEST(ProgressReporterTest, WritesLinesWhereThereIsNoTerminal) {
  Progress progress(absl::Now());
  progress.Shard(progress.AddTable("shop", "orders"), "-").AddCopied(7);
  telemetry::NullLogger logger;
  char* text = nullptr;
  size_t size = 0;
  std::FILE* const file = open_memstream(&text, &size);
  { const ProgressReporter reporter(progress, logger, file); }
  std::fclose(file);

  EXPECT_EQ(std::string(text, size), "1 table (1 waiting): 7 rows copied, 0 changes, 0 rows/s\n");
  free(text);
}

// Notifies once it has been told of the progress twice.
class WaitingLogger final : public telemetry::Logger {
 public:
  void Log(telemetry::Severity severity, std::string_view message) override {
    EXPECT_EQ(severity, telemetry::Severity::kInfo);
    EXPECT_THAT(std::string(message), HasSubstr("Progress: 1 table (1 waiting): 7 rows copied"));
    if (++messages_ == 2) told_.Notify();
  }
  bool Wait() { return told_.WaitForNotificationWithTimeout(absl::Seconds(30)); }

 private:
  std::atomic<int> messages_ = 0;
  absl::Notification told_;
};

TEST(ProgressReporterTest, LogsAgainAndAgain) {
  Progress progress(absl::Now());
  progress.Shard(progress.AddTable("shop", "orders"), "-").AddCopied(7);
  WaitingLogger logger;
  const ProgressReporter reporter(progress, logger, nullptr,
                                  {.sample = absl::Milliseconds(1), .log = absl::Milliseconds(2)});
  EXPECT_TRUE(logger.Wait());
}

TEST(ProgressBoardTest, ShowsTheNewestRun) {
  ProgressBoard board;
  EXPECT_EQ(board.Read().tables.size(), 0u);
  const auto first = board.Begin(absl::Now());
  first->AddTable("shop", "orders");
  EXPECT_EQ(board.Read().tables.size(), 1u);
  const auto second = board.Begin(absl::Now());
  EXPECT_EQ(board.Read().tables.size(), 0u);
}

}  // namespace
}  // namespace source_vitess::commands
