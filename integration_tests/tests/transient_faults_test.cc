// Failures that pass: what was read is kept, what was not is read again, and the log says once why
// (docs/failures.md, "Trying again").
#include <atomic>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "simulator/tcp_link.h"
#include "tests/running_read.h"
#include "tests/simulated_source.h"

namespace source_vitess::integration_tests {
namespace {

using simulator::StreamAction;
using simulator::StreamFault;
using simulator::StreamPoint;
using simulator::TcpLink;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kTryingAgain[] = "Trying again";
constexpr char kRecord[] = R"("type":"RECORD")";

void Fill(SimulatedSource& source, int first, int last) {
  for (const std::string& sql : RowsOfEveryTable(first, last)) source.Execute(sql);
}

void ExpectWhole(SimulatedSource& source, const harness::RunResult& run) {
  EXPECT_EQ(run.exit.exit_code, 0) << testing::PrintToString(LinesWith(run, "ERROR"));
  source.destination().AcceptRun(run);
  EXPECT_THAT(source.Differences(), IsEmpty());
  EXPECT_THAT(source.destination().violations(), IsEmpty());
}

// --- a stream that VTGate ends

struct Ending {
  std::string name;
  absl::Status status;  // as the call ends
};

void PrintTo(const Ending& ending, std::ostream* out) { *out << ending.name; }

class EndingTest : public ::testing::TestWithParam<Ending> {
 protected:
  // Streams that end after so many events, one after the other.
  void EndStreamsAfter(const std::vector<uint64_t>& events) {
    for (const uint64_t after : events) {
      StreamFault fault;
      fault.after_events = after;
      fault.status = GetParam().status;
      fault.streams = 1;
      source_.simulator().faults().Add(fault);
    }
  }

  SimulatedSource source_{{}, {{"parallel_copies", "1"}, {"checkpoint_interval", "5"}}};
};

TEST_P(EndingTest, DuringACopyLosesNothing) {
  Fill(source_, 1, 20);
  EndStreamsAfter({0, 3, 8, 13, 21, 34});

  RunningRead read(source_.connector(), source_.catalog(), std::nullopt);
  const harness::RunResult run = read.Finish();

  EXPECT_THAT(LinesWith(run, kTryingAgain), Not(IsEmpty()));
  ExpectWhole(source_, run);
}

TEST_P(EndingTest, WhileTablesAreReplicatedLosesNothingAndIsToldOnce) {
  Fill(source_, 1, 5);
  ASSERT_EQ(source_.Read().exit.exit_code, 0);
  Fill(source_, 6, 20);
  EndStreamsAfter({0, 0, 0, 7});

  RunningRead read(source_.connector(), source_.catalog(), source_.destination().StateFile());
  const harness::RunResult run = read.Finish();

  // All five tables, three times in a row and once more with progress between, within a minute.
  EXPECT_THAT(LinesWith(run, kTryingAgain), SizeIs(1));
  ExpectWhole(source_, run);
}

// Texts of reference 8.3.
INSTANTIATE_TEST_SUITE_P(
    Endings, EndingTest,
    ::testing::Values(
        Ending{"Unavailable", absl::UnavailableError("transport is closing")},
        Ending{"MaxStreamAge",
               absl::UnavailableError("vstream exceeded maximum age of 600s (jitter: 12s)")},
        Ending{"NoTablet",
               absl::CancelledError("failed to find a PRIMARY tablet for VStream in shop/-80 "
                                    "within the zone1 cell(s): context has expired")},
        Ending{"Reparent",
               absl::UnknownError("target: shop.-80.primary: primary is not serving, there is a "
                                  "reparent operation in progress")},
        Ending{"Liveness",
               absl::UnavailableError("vstream is fully throttled or otherwise hung: vstream "
                                      "failed liveness checks as there was no activity, including "
                                      "heartbeats, within the last 10m0s")}),
    [](const auto& tested) { return tested.param.name; });

// --- the budget

TEST(RetryBudgetTest, IsRefilledByProgress) {
  SimulatedSource source({}, {{"retry_budget_seconds", "1"}, {"parallel_copies", "1"}});
  Fill(source, 1, 5);
  ASSERT_EQ(source.Read().exit.exit_code, 0);
  Fill(source, 6, 60);
  // Each gets on by a few transactions: all of it takes far more than a second.
  StreamFault fault;
  fault.after_events = 60;
  source.simulator().faults().Add(fault);

  const absl::Time begin = absl::Now();
  const harness::RunResult run = source.Read();

  EXPECT_GT(absl::Now() - begin, absl::Seconds(2));
  EXPECT_EQ(run.exit.exit_code, 0) << testing::PrintToString(TraceErrors(run));
  EXPECT_THAT(source.Differences(), IsEmpty());
}

TEST(RetryBudgetTest, EndsWhatDoesNotPassWithItsCauseAndALaterSyncGoesOn) {
  SimulatedSource source({}, {{"retry_budget_seconds", "2"}});
  Fill(source, 1, 5);
  ASSERT_EQ(source.Read().exit.exit_code, 0);
  Fill(source, 6, 9);
  source.simulator().faults().Add(StreamFault{});

  const harness::RunResult run = source.Read();

  EXPECT_EQ(run.exit.exit_code, 1);
  ASSERT_THAT(TraceErrors(run), SizeIs(5));
  EXPECT_THAT(TraceErrors(run), Each(HasSubstr("transient_error")));
  EXPECT_THAT(TraceErrors(run), Each(HasSubstr("given up after 2s without progress")));
  EXPECT_THAT(TraceErrors(run), Each(HasSubstr("transport is closing")));
  EXPECT_THAT(LinesWith(run, kTryingAgain), SizeIs(1));
  source.simulator().faults().Clear();
  EXPECT_EQ(source.Read().exit.exit_code, 0);
  EXPECT_THAT(source.Differences(), IsEmpty());
  EXPECT_THAT(source.destination().violations(), IsEmpty());
}

// --- the network

class NetworkTest : public ::testing::Test {
 protected:
  NetworkTest() {
    auto link = TcpLink::Open(source_.simulator().address());
    EXPECT_TRUE(link.ok()) << link.status();
    link_ = *std::move(link);
    auto connector = harness::Connector::Make(
        SOURCE_VITESS_PROGRAM,
        harness::MakeConfig(link_->port(), {"shop"},
                            {{"checkpoint_interval", "5"}, {"stall_timeout_seconds", "10"}}));
    EXPECT_TRUE(connector.ok()) << connector.status();
    connector_ = *std::move(connector);
  }

  RunningRead Start() {
    return RunningRead(*connector_, source_.catalog(), source_.destination().StateFile());
  }

  SimulatedSource source_;
  std::unique_ptr<TcpLink> link_;
  std::unique_ptr<harness::Connector> connector_;
};

TEST_F(NetworkTest, AConnectionThatBreaksAnywhereLosesNothing) {
  Fill(source_, 1, 60);
  ExpectWhole(source_, Start().Finish());
  const uint64_t all = link_->bytes_from_server();
  int cut = 0;
  for (int part = 1; part <= 8; ++part) {
    ASSERT_TRUE(source_.Rediscover().ok());  // an empty destination
    link_->CutAfter(all * static_cast<uint64_t>(part) / 9);

    const harness::RunResult run = Start().Finish();

    cut += LinesWith(run, kTryingAgain).empty() ? 0 : 1;
    ExpectWhole(source_, run);
  }
  EXPECT_GE(cut, 6);
}

TEST_F(NetworkTest, AConnectionThatFallsSilentIsMadeAnew) {
  Fill(source_, 1, 5);
  ExpectWhole(source_, Start().Finish());
  // Something comes, and the end does not.
  ASSERT_TRUE(source_.simulator().cluster().HoldStreams("shop", "-80").ok());
  Fill(source_, 6, 20);
  RunningRead read = Start();
  read.ReadUntil("Replicating");
  link_->SetFrozen(true);
  ASSERT_TRUE(source_.simulator().cluster().ReleaseStreams("shop", "-80").ok());

  read.ReadUntil(kTryingAgain);
  link_->SetFrozen(false);
  const harness::RunResult run = read.Finish();

  ASSERT_THAT(LinesWith(run, kTryingAgain), SizeIs(1));
  EXPECT_THAT(LinesWith(run, kTryingAgain)[0], HasSubstr("not even a heartbeat"));
  ExpectWhole(source_, run);
}

TEST_F(NetworkTest, AVtgateThatRefusesConnectionsForAWhileIsWaitedFor) {
  Fill(source_, 1, 5);
  ExpectWhole(source_, Start().Finish());
  ASSERT_TRUE(source_.simulator().cluster().HoldStreams("shop", "-80").ok());
  Fill(source_, 6, 20);
  RunningRead read = Start();
  read.ReadUntil("Replicating");
  link_->SetRefusing(true);
  read.ReadUntil(kTryingAgain);
  ASSERT_TRUE(source_.simulator().cluster().ReleaseStreams("shop", "-80").ok());
  link_->SetRefusing(false);

  const harness::RunResult run = read.Finish();

  EXPECT_THAT(LinesWith(run, kTryingAgain), SizeIs(1));
  ExpectWhole(source_, run);
}

// --- servers

class ServersTest : public ::testing::Test {
 protected:
  // Every stream of -80 comes here with each of its points.
  simulator::SimulatorOptions Options() {
    simulator::SimulatorOptions options;
    options.service.streams.packet_bytes = 300;
    options.service.streams.no_tablet_timeout = absl::Milliseconds(300);
    options.service.streams.on_point = [this](const StreamPoint& point) {
      if (point.shard == "-80" && point.kind == armed_ && --points_ == 0) strike_();
      return StreamAction::kContinue;
    };
    return options;
  }

  // Has `strike` called once at the `nth` point of the kind.
  void At(StreamPoint::Kind kind, int nth, std::function<void()> strike) {
    strike_ = std::move(strike);
    armed_ = kind;
    points_ = nth;
  }

  RunningRead Start() {
    return RunningRead(source_.connector(), source_.catalog(), source_.destination().StateFile());
  }

  simulator::Cluster& cluster() { return source_.simulator().cluster(); }

  std::function<void()> strike_;
  std::atomic<StreamPoint::Kind> armed_ = StreamPoint::Kind::kOpened;
  std::atomic<int> points_ = 0;
  SimulatedSource source_{Options(), {{"checkpoint_interval", "5"}}};
};

TEST_F(ServersTest, AFailoverToAnotherServerDuringACopyLosesNothing) {
  Fill(source_, 1, 30);
  At(StreamPoint::Kind::kRowsCopied, 3, [this] {
    ASSERT_TRUE(cluster().FailOver("shop", "-80").ok());
    source_.Execute("delete from customers where id <= 8");
    source_.Execute("update notes set body = 'behind the failover' where id <= 20");
  });

  const harness::RunResult first = Start().Finish();
  EXPECT_EQ(first.exit.exit_code, 0);
  source_.destination().AcceptRun(first);

  EXPECT_LE(points_, 0);
  ExpectWhole(source_, Start().Finish());
}

TEST_F(ServersTest, AFailoverToAnotherServerWhileTablesAreReplicatedLosesNothing) {
  Fill(source_, 1, 5);
  ExpectWhole(source_, Start().Finish());
  Fill(source_, 6, 20);
  At(StreamPoint::Kind::kTransaction, 4, [this] {
    ASSERT_TRUE(cluster().FailOver("shop", "-80").ok());
    Fill(source_, 21, 25);
  });

  const harness::RunResult first = Start().Finish();
  EXPECT_EQ(first.exit.exit_code, 0);
  source_.destination().AcceptRun(first);

  EXPECT_LE(points_, 0);
  ExpectWhole(source_, Start().Finish());
}

TEST_F(ServersTest, ATabletThatRestartsIsWaitedFor) {
  Fill(source_, 1, 5);
  ExpectWhole(source_, Start().Finish());
  Fill(source_, 6, 20);
  At(StreamPoint::Kind::kTransaction, 4,
     [this] { ASSERT_TRUE(cluster().SetServing("shop", "-80", topodata::PRIMARY, false).ok()); });
  RunningRead read = Start();
  read.ReadUntil(kTryingAgain);
  ASSERT_TRUE(cluster().SetServing("shop", "-80", topodata::PRIMARY, true).ok());

  const harness::RunResult run = read.Finish();

  EXPECT_LE(points_, 0);
  EXPECT_THAT(LinesWith(run, kTryingAgain), SizeIs(1));
  ExpectWhole(source_, run);
}

TEST_F(ServersTest, AVtgateThatRestartsIsWaitedFor) {
  Fill(source_, 1, 5);
  ExpectWhole(source_, Start().Finish());
  ASSERT_TRUE(cluster().HoldStreams("shop", "-80").ok());
  Fill(source_, 6, 20);
  RunningRead read = Start();
  read.ReadUntil("Replicating");
  source_.simulator().Stop();
  read.ReadUntil(kTryingAgain);
  ASSERT_TRUE(cluster().ReleaseStreams("shop", "-80").ok());
  const auto port = source_.simulator().Start("127.0.0.1", source_.port());
  ASSERT_TRUE(port.ok()) << port.status();

  const harness::RunResult run = read.Finish();

  EXPECT_THAT(LinesWith(run, kTryingAgain), SizeIs(1));
  ExpectWhole(source_, run);
}

// --- full refreshes, of which each row has to come once

class FullRefreshTest : public ::testing::Test {
 protected:
  FullRefreshTest() {
    Fill(source_, 1, 20);
    StreamFault fault;
    fault.after_events = 12;
    fault.streams = 1;
    source_.simulator().faults().Add(fault);
  }

  static simulator::SimulatorOptions Options() {
    simulator::SimulatorOptions options;
    options.service.streams.packet_bytes = 60;
    return options;
  }

  // A first sync of one table alone, or one that goes on from the destination's state.
  harness::RunResult Refresh(const std::string& table) {
    const auto discovered = source_.connector().DiscoverCatalog();
    EXPECT_TRUE(discovered.ok()) << discovered.status();
    const auto catalog =
        harness::ConfigureCatalog(*discovered, {{"shop", table, "full_refresh", {}}});
    EXPECT_TRUE(catalog.ok()) << catalog.status();
    if (destination_ == nullptr) destination_ = std::make_unique<harness::Destination>(*catalog);
    RunningRead read(source_.connector(), *catalog, destination_->StateFile());
    harness::RunResult run = read.Finish();
    destination_->AcceptRun(run);
    EXPECT_THAT(destination_->violations(), IsEmpty());
    return run;
  }

  SimulatedSource source_{Options()};
  std::unique_ptr<harness::Destination> destination_;
};

TEST_F(FullRefreshTest, ThatBreaksGoesOnBehindItsLastKey) {
  const harness::RunResult run = Refresh("notes");

  EXPECT_EQ(run.exit.exit_code, 0);
  EXPECT_THAT(LinesWith(run, kTryingAgain), SizeIs(1));
  EXPECT_EQ(destination_->Sync("shop", "notes").records, 20u);
}

TEST_F(FullRefreshTest, OfAKeyThatCannotBeResumedIsLeftToTheNextRun) {
  const harness::RunResult first = Refresh("tags");

  EXPECT_EQ(first.exit.exit_code, 1);
  ASSERT_THAT(TraceErrors(first), SizeIs(1));
  EXPECT_THAT(TraceErrors(first)[0], HasSubstr("transient_error"));
  const uint64_t delivered = destination_->Sync("shop", "tags").records;
  EXPECT_GT(delivered, 0u);
  EXPECT_LT(delivered, 20u);
  EXPECT_EQ(Refresh("tags").exit.exit_code, 0);
  EXPECT_EQ(destination_->Sync("shop", "tags").records, 20u);
}

// --- the host

TEST(SlowHostTest, AStreamThatVtgateEndsBecauseNothingIsTakenIsResumed) {
  simulator::SimulatorOptions options;
  options.service.streams.liveness_timeout = absl::Seconds(1);
  SimulatedSource source(std::move(options), {{"stall_timeout_seconds", "10"}});
  for (int i = 1; i <= 3000; ++i) {
    source.Execute(absl::StrCat("insert into notes (id, body) values (", i, ", '",
                                std::string(size_t{3000}, 'n'), "')"));
  }
  RunningRead read(source.connector(), source.catalog(), std::nullopt);
  read.ReadUntil(kRecord);
  read.Pause(absl::Seconds(3));

  const harness::RunResult run = read.Finish();

  // The simulator's gRPC took less than all of it, so that the stream did end.
  EXPECT_THAT(LinesWith(run, kTryingAgain), SizeIs(1));
  EXPECT_THAT(LinesWith(run, kTryingAgain), Each(HasSubstr("liveness")));
  ExpectWhole(source, run);
}

}  // namespace
}  // namespace source_vitess::integration_tests
