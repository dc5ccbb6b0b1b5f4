// What is away when a read begins, and comes back a moment later.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "harness/process.h"
#include "tests/simulated_source.h"

namespace source_vitess::integration_tests {
namespace {

using harness::Process;
using ::testing::IsEmpty;
using ::testing::SizeIs;

absl::Time Deadline() { return absl::Now() + absl::Seconds(60); }

std::vector<std::string> LinesWith(const harness::RunResult& run, const std::string& text) {
  std::vector<std::string> lines;
  std::copy_if(run.lines.begin(), run.lines.end(), std::back_inserter(lines),
               [&](const std::string& line) { return absl::StrContains(line, text); });
  return lines;
}

// Runs a read that says that it tries again, makes `return_of` happen then, and reads to the end.
template <typename Return>
harness::RunResult ReadWithReturn(SimulatedSource& source, Return&& return_of) {
  harness::RunResult run;
  const auto command =
      source.connector().ReadCommand(source.catalog(), source.destination().StateFile());
  EXPECT_TRUE(command.ok()) << command.status();
  const auto process = Process::Start(*command);
  EXPECT_TRUE(process.ok()) << process.status();
  bool returned = false;
  while (std::optional<std::string> line = (*process)->ReadLine(Deadline())) {
    run.lines.push_back(*line);
    if (returned || !absl::StrContains(*line, "Trying again")) continue;
    returned = true;
    return_of();
  }
  EXPECT_TRUE(returned) << "nothing was tried again";
  const auto exit = (*process)->Wait(Deadline());
  EXPECT_TRUE(exit.has_value());
  run.exit = exit.value_or(harness::ProcessExit());
  run.errors = (*process)->errors();
  return run;
}

void ExpectWhole(SimulatedSource& source, const harness::RunResult& run) {
  EXPECT_EQ(run.exit.exit_code, 0);
  EXPECT_THAT(run.errors, IsEmpty());
  EXPECT_THAT(LinesWith(run, "Trying again"), SizeIs(1));
  source.destination().AcceptRun(run);
  EXPECT_THAT(source.Differences(), IsEmpty());
  EXPECT_THAT(source.destination().violations(), IsEmpty());
}

TEST(StartOfReadTest, AVtgateThatDoesNotListenYetIsWaitedFor) {
  SimulatedSource source;
  for (const std::string& sql : RowsOfEveryTable(1, 5)) source.Execute(sql);
  source.simulator().Stop();

  const harness::RunResult run = ReadWithReturn(source, [&] {
    const auto port = source.simulator().Start("127.0.0.1", source.port());
    ASSERT_TRUE(port.ok()) << port.status();
  });

  ExpectWhole(source, run);
}

TEST(StartOfReadTest, AVtgateWhoseQueriesFailIsWaitedFor) {
  SimulatedSource source;
  for (const std::string& sql : RowsOfEveryTable(1, 5)) source.Execute(sql);
  source.simulator().faults().Add(simulator::ExecuteFault{});

  const harness::RunResult run =
      ReadWithReturn(source, [&] { source.simulator().faults().Clear(); });

  ExpectWhole(source, run);
}

TEST(StartOfReadTest, ATabletTypeThatDoesNotServeForAMomentIsWaitedFor) {
  SimulatedSource source;
  for (const std::string& sql : RowsOfEveryTable(1, 5)) source.Execute(sql);
  simulator::Cluster& cluster = source.simulator().cluster();
  ASSERT_TRUE(cluster.SetServing("shop", "80-", topodata::PRIMARY, false).ok());

  const harness::RunResult run = ReadWithReturn(source, [&] {
    ASSERT_TRUE(cluster.SetServing("shop", "80-", topodata::PRIMARY, true).ok());
  });

  ExpectWhole(source, run);
}

TEST(StartOfReadTest, WhatStaysAwayEndsInOneErrorWithItsCause) {
  SimulatedSource source({}, {{"retry_budget_seconds", "1"}});
  source.simulator().Stop();

  const harness::RunResult run = source.Read();

  EXPECT_EQ(run.exit.exit_code, 1);
  EXPECT_THAT(LinesWith(run, "Trying again"), SizeIs(1));
  ASSERT_THAT(LinesWith(run, R"("type":"ERROR")"), SizeIs(1));
  EXPECT_THAT(
      LinesWith(run, R"("type":"ERROR")")[0],
      testing::AllOf(testing::HasSubstr("nothing listens"), testing::HasSubstr("transient_error")));
  EXPECT_THAT(LinesWith(run, "INCOMPLETE"), SizeIs(5));
}

}  // namespace
}  // namespace source_vitess::integration_tests
