// The keyspace is resharded: between syncs and during them, while tables are copied and while they
// are replicated, with readers that are killed on the way (docs/design.md, rule 8).
#include <atomic>
#include <functional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/simulated_source.h"

namespace source_vitess::integration_tests {
namespace {

using simulator::StreamAction;
using simulator::StreamPoint;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct Case {
  std::string name;
  std::vector<std::string> sources;
  std::vector<std::string> targets;
  std::string shards_per_stream;
};

void PrintTo(const Case& tested, std::ostream* out) { *out << tested.name; }

class ReshardTest : public ::testing::TestWithParam<Case> {
 protected:
  simulator::SimulatorOptions Options() {
    simulator::SimulatorOptions options;
    options.service.streams.packet_bytes = 400;
    options.service.streams.on_point = [this](const StreamPoint& point) {
      std::function<void(const StreamPoint&)> at;
      {
        const absl::MutexLock lock(&mutex_);
        at = at_;
      }
      if (at) at(point);
      return StreamAction::kContinue;
    };
    return options;
  }

  void At(std::function<void(const StreamPoint&)> at) {
    const absl::MutexLock lock(&mutex_);
    at_ = std::move(at);
  }

  simulator::Cluster& cluster() { return source_.simulator().cluster(); }

  void Fill(int first, int last) {
    for (const std::string& sql : RowsOfEveryTable(first, last)) source_.Execute(sql);
  }

  // Changes rows of every table, among those up to `last`, and adds some.
  void Write(int last) {
    source_.Execute(absl::StrCat("delete from customers where id <= ", last / 4));
    source_.Execute(absl::StrCat("update notes set body = 'new' where id <= ", last / 3));
    source_.Execute(absl::StrCat("delete from orders where customer_id <= ", last / 5));
    source_.Execute(absl::StrCat("delete from tags where id <= ", last / 4));
    Fill(last + 1, last + 10);
  }

  void Start() {
    const absl::Status status =
        cluster().StartReshard({"shop", GetParam().sources, GetParam().targets});
    ASSERT_TRUE(status.ok()) << status;
  }
  void Switch(const std::vector<std::string>& held = {}) {
    const absl::Status status = cluster().SwitchTraffic("shop", held);
    ASSERT_TRUE(status.ok()) << status;
  }
  void Complete() {
    const absl::Status status = cluster().CompleteReshard("shop");
    ASSERT_TRUE(status.ok()) << status;
  }

  void ReadAndKill(absl::Duration after) {
    harness::RunLimits limits;
    limits.timeout = after;
    const absl::StatusOr<harness::RunResult> run =
        source_.connector().Read(source_.catalog(), source_.destination().StateFile(), limits);
    ASSERT_TRUE(run.ok()) << run.status();
    source_.destination().BeginSync();
    for (const std::string& line : run->lines) source_.destination().Accept(line);
  }

  void ExpectEqual() {
    EXPECT_THAT(source_.Differences(), IsEmpty());
    EXPECT_THAT(source_.destination().violations(), IsEmpty());
  }
  void ExpectIdle() {
    ASSERT_EQ(source_.Read().exit.exit_code, 0);
    for (const std::string& table : SimulatedSource::Tables()) {
      EXPECT_EQ(source_.destination().Sync("shop", table).records, 0u) << table;
    }
  }

  absl::Mutex mutex_;
  std::function<void(const StreamPoint&)> at_;
  SimulatedSource source_{Options(),
                          {{"checkpoint_interval", "5"},
                           {"parallel_copies", "2"},
                           {"shards_per_stream", GetParam().shards_per_stream}}};
};

TEST_P(ReshardTest, BetweenSyncsLosesNothing) {
  Fill(1, 40);
  ASSERT_EQ(source_.Read().exit.exit_code, 0);
  Start();
  Write(40);
  Switch();
  Write(50);

  ASSERT_EQ(source_.Read().exit.exit_code, 0);

  ExpectEqual();
  Complete();
  ExpectIdle();
  Write(60);
  ASSERT_EQ(source_.Read().exit.exit_code, 0);
  ExpectEqual();
}

TEST_P(ReshardTest, DuringTheCopiesLosesNothing) {
  Fill(1, 60);
  std::atomic<int> batches = 0;
  At([&](const StreamPoint& point) {
    if (point.kind != StreamPoint::Kind::kRowsCopied) return;
    const int batch = ++batches;
    if (batch == 3) Start();
    if (batch == 6) Write(60);
    if (batch == 9) Switch();
    if (batch == 12) Write(70);
  });

  ASSERT_EQ(source_.Read().exit.exit_code, 0);
  At(nullptr);
  ASSERT_EQ(source_.Read().exit.exit_code, 0);

  EXPECT_GE(batches, 12);
  ExpectEqual();
  ExpectIdle();
}

TEST_P(ReshardTest, WhileTablesAreReplicatedLosesNothing) {
  Fill(1, 40);
  ASSERT_EQ(source_.Read().exit.exit_code, 0);
  Start();
  Write(40);
  std::atomic<int> transactions = 0;
  At([&](const StreamPoint& point) {
    if (point.kind == StreamPoint::Kind::kTransaction && ++transactions == 3) {
      Switch();
      Write(50);
    }
  });

  ASSERT_EQ(source_.Read().exit.exit_code, 0);
  At(nullptr);
  ASSERT_EQ(source_.Read().exit.exit_code, 0);

  ExpectEqual();
  ExpectIdle();
}

TEST_P(ReshardTest, AReaderThatIsKilledBetweenTheJournalsGoesOnFromBeforeThem) {
  Fill(1, 40);
  ASSERT_EQ(source_.Read().exit.exit_code, 0);
  Start();
  Write(40);
  const std::vector<std::string> held(GetParam().sources.begin() + 1, GetParam().sources.end());
  Switch(held);
  Write(50);
  std::atomic<int> journals = 0;
  At([&](const StreamPoint& point) { journals += point.kind == StreamPoint::Kind::kJournal; });
  // Nothing ends this run while a JOURNAL is outstanding.
  ReadAndKill(absl::Seconds(2));
  EXPECT_GT(journals, 0);
  ReadAndKill(absl::Milliseconds(500));
  for (const std::string& shard : held) ASSERT_TRUE(cluster().ReleaseStreams("shop", shard).ok());

  ASSERT_EQ(source_.Read().exit.exit_code, 0);

  ExpectEqual();
  Complete();
  ExpectIdle();
}

TEST_P(ReshardTest, ThatWasCompletedBeforeItCouldBeFollowedIsALostPosition) {
  Fill(1, 20);
  ASSERT_EQ(source_.Read().exit.exit_code, 0);
  Start();
  Switch();
  Complete();

  const harness::RunResult run = source_.Read();

  EXPECT_EQ(run.exit.exit_code, 1);
  EXPECT_THAT(source_.destination().trace_errors(),
              Each(HasSubstr(absl::StrCat("shop/", GetParam().sources[0]))));
  EXPECT_THAT(source_.destination().trace_errors(), Not(IsEmpty()));
}

INSTANTIATE_TEST_SUITE_P(
    Reshards, ReshardTest,
    ::testing::Values(Case{"Split", {"-80"}, {"-40", "40-80"}, "16"},
                      Case{"Merge", {"-80", "80-"}, {"-"}, "16"},
                      Case{"MergeOfShardsInSeveralStreams", {"-80", "80-"}, {"-"}, "1"},
                      Case{"OtherBounds", {"-80", "80-"}, {"-40", "40-c0", "c0-"}, "16"},
                      Case{"OtherBoundsInSeveralStreams", {"-80", "80-"}, {"-40", "40-"}, "1"}),
    [](const auto& tested) { return tested.param.name; });

// Streams of a table that waits for its turn name shards that no longer serve by then.
TEST(ReshardWhileWaitingTest, CopiesBeginOnTheShardsThatThereAreWhenTheirTurnComes) {
  std::atomic<SimulatedSource*> shared = nullptr;
  std::atomic<bool> resharded = false;
  simulator::SimulatorOptions options;
  options.service.streams.on_point = [&](const StreamPoint& point) {
    SimulatedSource* source = shared;
    if (source == nullptr || point.kind != StreamPoint::Kind::kRowsCopied) {
      return StreamAction::kContinue;
    }
    if (!resharded.exchange(true)) {
      simulator::Cluster& cluster = source->simulator().cluster();
      EXPECT_TRUE(cluster.StartReshard({"shop", {"-80", "80-"}, {"-"}}).ok());
      EXPECT_TRUE(cluster.SwitchTraffic("shop").ok());
    }
    return StreamAction::kContinue;
  };
  SimulatedSource source(std::move(options), {{"parallel_copies", "1"}});
  for (const std::string& sql : RowsOfEveryTable(1, 30)) source.Execute(sql);
  shared = &source;

  ASSERT_EQ(source.Read().exit.exit_code, 0);

  EXPECT_TRUE(resharded);
  EXPECT_THAT(source.Differences(), IsEmpty());
  EXPECT_THAT(source.destination().violations(), IsEmpty());
}

// The merge stops between its JOURNALs, while a copy is under way that can go on behind them only.
TEST(ReshardThatStopsTest, EndsACopyThatItHoldsUpInTimeAndLetsItGoOnLater) {
  std::atomic<SimulatedSource*> shared = nullptr;
  simulator::SimulatorOptions options;
  options.service.streams.packet_bytes = 200;
  absl::Notification both_copied;
  options.service.streams.on_point = [&](const StreamPoint& point) {
    if (point.kind != StreamPoint::Kind::kRowsCopied || point.table != "customers") {
      return StreamAction::kContinue;
    }
    if (point.shard == "80-" && !both_copied.HasBeenNotified()) both_copied.Notify();
    SimulatedSource* source = point.shard == "-80" ? shared.exchange(nullptr) : nullptr;
    if (source == nullptr) return StreamAction::kContinue;
    EXPECT_TRUE(both_copied.WaitForNotificationWithTimeout(absl::Seconds(20)));
    simulator::Cluster& cluster = source->simulator().cluster();
    EXPECT_TRUE(cluster.StartReshard({"shop", {"-80", "80-"}, {"-"}}).ok());
    EXPECT_TRUE(cluster.SwitchTraffic("shop", {"80-"}).ok());
    return StreamAction::kRestart;  // so that it comes to the JOURNAL before it copies on
  };
  SimulatedSource source(std::move(options), {{"checkpoint_interval", "5"},
                                              {"shards_per_stream", "1"},
                                              {"stall_timeout_seconds", "10"},
                                              {"retry_budget_seconds", "1"}});
  for (const std::string& sql : RowsOfEveryTable(1, 60)) source.Execute(sql);
  shared = &source;

  const harness::RunResult run = source.Read();

  EXPECT_EQ(run.exit.exit_code, 1);
  EXPECT_THAT(source.destination().trace_errors(),
              testing::Contains(testing::AllOf(HasSubstr("shop/-80 has ended in a reshard"),
                                               HasSubstr("-80, 80-"))));
  ASSERT_TRUE(source.simulator().cluster().ReleaseStreams("shop", "80-").ok());
  ASSERT_EQ(source.Read().exit.exit_code, 0);
  EXPECT_THAT(source.Differences(), IsEmpty());
  EXPECT_THAT(source.destination().violations(), IsEmpty());
}

}  // namespace
}  // namespace source_vitess::integration_tests
