// Streams that bring nothing any more: each ends in words, or goes on, within the time that the
// options say (docs/failures.md, "Stalls").
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/running_read.h"
#include "tests/simulated_source.h"

namespace source_vitess::integration_tests {
namespace {

using simulator::StreamFault;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kTryingAgain[] = "Trying again";

class StallsTest : public ::testing::Test {
 protected:
  static simulator::SimulatorOptions Options() {
    simulator::SimulatorOptions options;
    options.service.streams.no_tablet_timeout = absl::Milliseconds(300);
    return options;
  }

  void Fill(int first, int last) {
    for (const std::string& sql : RowsOfEveryTable(first, last)) source_.Execute(sql);
  }

  void Replicated() {
    Fill(1, 5);
    ASSERT_EQ(source_.Read().exit.exit_code, 0);
    Fill(6, 12);
  }

  void Strike(StreamFault::Kind kind, uint64_t after_events, int64_t streams) {
    StreamFault fault;
    fault.kind = kind;
    fault.after_events = after_events;
    fault.streams = streams;
    source_.simulator().faults().Add(fault);
  }

  // A read that stalls once, says why, and goes on.
  void ExpectRecovery(const std::string& why) {
    const harness::RunResult run = source_.Read();
    EXPECT_EQ(run.exit.exit_code, 0);
    ASSERT_THAT(LinesWith(run, kTryingAgain), SizeIs(1));
    EXPECT_THAT(LinesWith(run, kTryingAgain)[0], HasSubstr(why));
    EXPECT_THAT(source_.Differences(), IsEmpty());
    EXPECT_THAT(source_.destination().violations(), IsEmpty());
  }

  // A read that every stream stalls in: over within two stalls and the budget, and some.
  void ExpectEnd(const std::string& why, absl::Duration stall) {
    const absl::Time begin = absl::Now();
    const harness::RunResult run = source_.Read();
    EXPECT_LT(absl::Now() - begin, 2 * stall + absl::Seconds(15));
    EXPECT_EQ(run.exit.exit_code, 1);
    ASSERT_THAT(TraceErrors(run), SizeIs(5));
    EXPECT_THAT(TraceErrors(run), Each(AllOf(HasSubstr(why), HasSubstr("transient_error"),
                                             HasSubstr("without progress"))));
    EXPECT_THAT(source_.destination().violations(), IsEmpty());
  }

  simulator::Cluster& cluster() { return source_.simulator().cluster(); }

  SimulatedSource source_{Options(),
                          {{"stall_timeout_seconds", "10"}, {"retry_budget_seconds", "1"}}};
};

TEST_F(StallsTest, HeartbeatsAloneBehindWhatWasExecutedAreAStall) {
  Replicated();
  Strike(StreamFault::Kind::kStall, 4, 1);

  ExpectRecovery("nothing but heartbeats");
}

TEST_F(StallsTest, HeartbeatsAloneForEverEndWithWhereTheStreamAndTheServerStand) {
  Replicated();
  Strike(StreamFault::Kind::kStall, 4, -1);

  ExpectEnd("has executed more (position MySQL56/", absl::Seconds(10));
}

TEST_F(StallsTest, ATargetThatNoTabletReachesEndsWithWhereItIs) {
  Fill(1, 5);
  ASSERT_EQ(source_.Read().exit.exit_code, 0);
  ASSERT_TRUE(cluster().HoldStreams("shop", "80-").ok());
  Fill(6, 12);

  ExpectEnd("although shard shop/80- has executed more", absl::Seconds(10));

  ASSERT_TRUE(cluster().ReleaseStreams("shop", "80-").ok());
  EXPECT_EQ(source_.Read().exit.exit_code, 0);
  EXPECT_THAT(source_.Differences(), IsEmpty());
}

TEST_F(StallsTest, ACopyThatBringsHeartbeatsAloneIsBegunAgain) {
  Fill(1, 12);
  Strike(StreamFault::Kind::kStall, 2, 1);

  ExpectRecovery("the copy has stalled");
}

TEST_F(StallsTest, NothingAtAllIsADeadConnection) {
  Replicated();
  Strike(StreamFault::Kind::kSilence, 4, 1);

  ExpectRecovery("not even a heartbeat");
}

TEST_F(StallsTest, NothingAtAllForEverEndsInWords) {
  Replicated();
  Strike(StreamFault::Kind::kSilence, 0, -1);

  ExpectEnd("not even a heartbeat", absl::Seconds(10));
}

TEST_F(StallsTest, ATabletTypeThatStaysAwayEndsInVtgatesWords) {
  Replicated();
  Strike(StreamFault::Kind::kBreak, 4, 1);
  ASSERT_TRUE(cluster().HoldStreams("shop", "-80").ok());
  RunningRead read(source_.connector(), source_.catalog(), source_.destination().StateFile());
  read.ReadUntil("Replicating");
  ASSERT_TRUE(cluster().SetServing("shop", "-80", topodata::PRIMARY, false).ok());

  const harness::RunResult run = read.Finish();

  EXPECT_EQ(run.exit.exit_code, 1);
  ASSERT_THAT(TraceErrors(run), SizeIs(5));
  EXPECT_THAT(TraceErrors(run), Each(AllOf(HasSubstr("shop"), HasSubstr("-80"), HasSubstr("tablet"),
                                           HasSubstr("transient_error"))));
}

TEST_F(StallsTest, ASourceWithNothingToReadIsNoStall) {
  Fill(1, 5);
  ASSERT_EQ(source_.Read().exit.exit_code, 0);

  const absl::Time begin = absl::Now();
  const harness::RunResult run = source_.Read();

  EXPECT_LT(absl::Now() - begin, absl::Seconds(8));
  EXPECT_EQ(run.exit.exit_code, 0);
  EXPECT_THAT(source_.simulator().stream_requests(), SizeIs(testing::Ge(1u)));
  EXPECT_THAT(LinesWith(run, kTryingAgain), IsEmpty());
}

}  // namespace
}  // namespace source_vitess::integration_tests
