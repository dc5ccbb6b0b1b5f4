#include "telemetry/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace source_vitess::telemetry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const absl::Time kBegan = absl::FromUnixSeconds(1'700'000'000);

absl::Time At(int64_t seconds) { return kBegan + absl::Seconds(seconds); }

TEST(ProgressTest, AddsUpTheShardsOfATable) {
  Progress progress(kBegan);
  const size_t orders = progress.AddTable("shop", "orders");
  ShardProgress& low = progress.Shard(orders, "-80");
  ShardProgress& high = progress.Shard(orders, "80-");
  low.AddEstimate(100);
  high.AddEstimate(50);
  low.AddCopied(70);
  high.AddCopied(30);
  high.AddChanges(2);

  const Status status = progress.Read(At(1));

  ASSERT_THAT(status.tables, SizeIs(1));
  const TableStatus& table = status.tables[0];
  EXPECT_EQ(table.keyspace, "shop");
  EXPECT_EQ(table.table, "orders");
  EXPECT_EQ(table.counts.rows_copied, 100u);
  EXPECT_EQ(table.counts.changes, 2u);
  EXPECT_EQ(table.counts.estimated_rows, 150u);
  ASSERT_THAT(table.shards, SizeIs(2));
  EXPECT_EQ(table.shards[0].shard, "-80");
  EXPECT_EQ(table.shards[0].counts.rows_copied, 70u);
  EXPECT_EQ(status.counts.rows_copied, 100u);
}

TEST(ProgressTest, GivesATableThatItKnowsItsNumberAgain) {
  Progress progress(kBegan);
  const size_t orders = progress.AddTable("shop", "orders");
  const size_t notes = progress.AddTable("shop", "notes");

  EXPECT_NE(orders, notes);
  EXPECT_EQ(progress.AddTable("shop", "orders"), orders);
  EXPECT_EQ(&progress.Shard(orders, "-"), &progress.Shard(orders, "-"));
  EXPECT_THAT(progress.Read(At(0)).tables, SizeIs(2));
}

TEST(ProgressTest, SaysOfATableWhatHasMostLeftToDo) {
  const auto together = [](Phase a, Phase b) {
    Progress progress(kBegan);
    const size_t table = progress.AddTable("shop", "orders");
    progress.Shard(table, "-80").SetPhase(a);
    progress.Shard(table, "80-").SetPhase(b);
    return progress.Read(At(0)).tables[0].phase;
  };
  EXPECT_EQ(together(Phase::kDone, Phase::kCopying), Phase::kCopying);
  EXPECT_EQ(together(Phase::kReplicating, Phase::kWaiting), Phase::kWaiting);
  EXPECT_EQ(together(Phase::kDone, Phase::kResharded), Phase::kDone);
  EXPECT_EQ(together(Phase::kFailed, Phase::kCopying), Phase::kFailed);
}

TEST(ProgressTest, MeasuresTheLagOfWhatFollowsChangesOnly) {
  Progress progress(kBegan);
  const size_t orders = progress.AddTable("shop", "orders");
  ShardProgress& low = progress.Shard(orders, "-80");
  ShardProgress& high = progress.Shard(orders, "80-");
  low.ReadUpTo(absl::ToUnixSeconds(At(2)));
  high.ReadUpTo(absl::ToUnixSeconds(At(7)));
  EXPECT_EQ(progress.Read(At(10)).counts.lag, std::nullopt);

  low.SetPhase(Phase::kReplicating);
  high.SetPhase(Phase::kReplicating);

  const Status status = progress.Read(At(10));
  EXPECT_EQ(status.tables[0].shards[0].counts.lag, absl::Seconds(8));
  EXPECT_EQ(status.tables[0].shards[1].counts.lag, absl::Seconds(3));
  EXPECT_EQ(status.tables[0].counts.lag, absl::Seconds(8));
  // A server's clock may be ahead.
  EXPECT_EQ(progress.Read(At(1)).counts.lag, absl::ZeroDuration());
}

TEST(ProgressTest, RemembersCheckpointsRetriesAndTheLastError) {
  Progress progress(kBegan);
  const size_t orders = progress.AddTable("shop", "orders");
  progress.Checkpointed(orders, At(3));
  progress.Checkpointed(orders, At(4));
  progress.Retried(orders, "first", At(5));
  progress.Failed(orders, "second", At(6));

  const TableStatus table = progress.Read(At(7)).tables[0];

  EXPECT_EQ(table.checkpoints, 2u);
  EXPECT_EQ(table.last_checkpoint, At(4));
  EXPECT_EQ(table.retries, 1u);
  EXPECT_EQ(table.last_error, "second");
  EXPECT_EQ(table.last_error_at, At(6));
  EXPECT_EQ(table.phase, Phase::kFailed);
  EXPECT_EQ(progress.Read(At(7)).CountTables(Phase::kFailed), 1u);
}

TEST(ProgressTest, TakesRatesFromSamples) {
  Progress progress(kBegan);
  const size_t orders = progress.AddTable("shop", "orders");
  const size_t notes = progress.AddTable("shop", "notes");
  progress.Shard(orders, "-").AddCopied(100);
  progress.Shard(notes, "-").AddChanges(20);
  progress.TakeSample(At(2));

  const Status status = progress.Read(At(2));
  EXPECT_DOUBLE_EQ(status.rows_per_second, 60);
  EXPECT_DOUBLE_EQ(status.tables[0].rows_per_second, 50);
  ASSERT_THAT(status.samples, SizeIs(1));
  EXPECT_DOUBLE_EQ(status.samples[0].rows_per_second, 60);

  progress.TakeSample(At(2));  // no time has passed
  EXPECT_THAT(progress.Read(At(2)).samples, SizeIs(1));
  progress.TakeSample(At(3));
  EXPECT_DOUBLE_EQ(progress.Read(At(3)).rows_per_second, 0);
}

TEST(ProgressTest, KeepsTheWholeRunInABoundedNumberOfSamples) {
  Progress progress(kBegan);
  ShardProgress& shard = progress.Shard(progress.AddTable("shop", "orders"), "-");
  constexpr int64_t kSeconds = 5000;
  for (int64_t second = 1; second <= kSeconds; ++second) {
    shard.AddCopied(7);
    progress.TakeSample(At(second));
    ASSERT_LE(progress.Read(At(second)).samples.size(), Progress::kMostSamples);
  }
  const std::vector<Sample> samples = progress.Read(At(kSeconds)).samples;
  EXPECT_GT(samples.size(), Progress::kMostSamples / 4);
  EXPECT_EQ(samples.back().time, At(kSeconds));
  EXPECT_LT(samples.front().time, At(20));
  for (const Sample& sample : samples) EXPECT_NEAR(sample.rows_per_second, 7, 1e-6);
}

TEST(ProgressTest, TellsShardsApartUpToABound) {
  Progress progress(kBegan);
  const size_t first = progress.AddTable("shop", "first");
  for (size_t i = 0; i < Progress::kMostShards; ++i) progress.Shard(first, absl::StrCat(i));
  const size_t second = progress.AddTable("shop", "second");
  progress.Shard(second, "-80").AddCopied(1);
  progress.Shard(second, "80-").AddCopied(2);

  const Status status = progress.Read(At(1));

  EXPECT_THAT(status.tables[0].shards, SizeIs(Progress::kMostShards));
  ASSERT_THAT(status.tables[1].shards, SizeIs(1));
  EXPECT_EQ(status.tables[1].shards[0].shard, "*");
  EXPECT_EQ(status.tables[1].counts.rows_copied, 3u);
}

TEST(ProgressTest, CountsFromSeveralThreads) {
  Progress progress(kBegan);
  const size_t orders = progress.AddTable("shop", "orders");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 1000; ++n) {
        progress.Shard(orders, absl::StrCat(i % 2)).AddCopied(1);
        if (n % 100 == 0) progress.TakeSample(absl::Now());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(progress.Read(absl::Now()).counts.rows_copied, 4000u);
}

TEST(ProgressTest, StandsStillOnceItHasEnded) {
  Progress progress(kBegan);
  progress.Shard(progress.AddTable("shop", "orders"), "-").AddCopied(100);
  progress.TakeSample(At(1));
  progress.End("the host has gone", At(2));

  const Status status = progress.Read(At(9));

  EXPECT_EQ(status.ended, At(2));
  EXPECT_EQ(status.error, "the host has gone");
  EXPECT_DOUBLE_EQ(status.rows_per_second, 0);
}

}  // namespace
}  // namespace source_vitess::telemetry
