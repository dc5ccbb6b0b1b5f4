#include "harness/process.h"

#include <csignal>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace source_vitess::harness {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> Shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

RunResult RunShell(const std::string& script, const RunLimits& limits = {}) {
  absl::StatusOr<RunResult> result = RunCommand(Shell(script), limits);
  EXPECT_TRUE(result.ok()) << result.status();
  return *std::move(result);
}

TEST(RunCommandTest, GivesLinesErrorsAndExitCode) {
  const RunResult result = RunShell("echo one; echo two; printf rest; echo wrong >&2; exit 3");

  EXPECT_THAT(result.lines, ElementsAre("one", "two"));
  EXPECT_EQ(result.unfinished_line, "rest");
  EXPECT_EQ(result.errors, "wrong\n");
  EXPECT_EQ(result.exit.exit_code, 3);
  EXPECT_FALSE(result.killed);
}

TEST(ProcessTest, ReadsWhatItIsWritten) {
  auto process = Process::Start({"/bin/cat"}, Process::Input::kWritten);
  ASSERT_TRUE(process.ok()) << process.status();

  EXPECT_TRUE((*process)->Write("one\ntwo\n").ok());

  EXPECT_EQ((*process)->ReadLine(absl::Now() + absl::Seconds(30)), "one");
  EXPECT_EQ((*process)->ReadLine(absl::Now() + absl::Seconds(30)), "two");
}

TEST(ProcessTest, WritingToOneThatHasEndedFails) {
  auto process = Process::Start({"/bin/true"}, Process::Input::kWritten);
  ASSERT_TRUE(process.ok()) << process.status();
  ASSERT_TRUE((*process)->Wait(absl::Now() + absl::Seconds(30)).has_value());

  EXPECT_FALSE((*process)->Write("one\n").ok());
}

TEST(RunCommandTest, TellsTheSignalThatEndedTheProgram) {
  const RunResult result = RunShell("kill -TERM $$");

  EXPECT_EQ(result.exit.signal, SIGTERM);
  EXPECT_EQ(result.exit.exit_code, std::nullopt);
  EXPECT_FALSE(result.killed);
}

TEST(RunCommandTest, KillsAfterAsManyLinesAsItIsTold) {
  RunLimits limits;
  limits.kill_after_lines = 3;

  const RunResult result = RunShell("while :; do echo line; done", limits);

  EXPECT_THAT(result.lines, SizeIs(3));
  EXPECT_EQ(result.exit.signal, SIGKILL);
  EXPECT_TRUE(result.killed);
  EXPECT_FALSE(result.timed_out);
}

TEST(RunCommandTest, KillsInTheMiddleOfALine) {
  RunLimits limits;
  limits.kill_after_bytes = 7;

  const RunResult result = RunShell("while :; do echo line; done", limits);

  EXPECT_THAT(result.lines, ElementsAre("line"));
  EXPECT_EQ(result.unfinished_line, "li");
  EXPECT_TRUE(result.killed);
}

TEST(RunCommandTest, KillsAtTheTimeout) {
  RunLimits limits;
  limits.timeout = absl::Milliseconds(50);

  const RunResult result = RunShell("echo begun; exec sleep 100", limits);

  EXPECT_TRUE(result.timed_out);
  EXPECT_TRUE(result.killed);
  EXPECT_EQ(result.exit.signal, SIGKILL);
}

TEST(RunCommandTest, KillsAProgramThatClosedItsOutputAtTheTimeout) {
  RunLimits limits;
  limits.timeout = absl::Milliseconds(50);

  EXPECT_TRUE(RunShell("exec >&- 2>&-; exec sleep 100", limits).timed_out);
}

TEST(RunCommandTest, ReadsMoreOfBothOutputsThanAPipeHolds) {
  const RunResult result =
      RunShell("head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero | tr '\\0' '\\n'");

  EXPECT_THAT(result.lines, SizeIs(300000));
  EXPECT_THAT(result.errors, SizeIs(300000));
}

TEST(RunCommandTest, SaysWhichProgramCannotBeStarted) {
  const absl::Status status = RunCommand({"/no/such/program"}).status();

  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("/no/such/program"));
}

TEST(ProcessTest, GivesEachLineWhenItComes) {
  absl::StatusOr<std::unique_ptr<Process>> process = Process::Start(Shell("echo one; sleep 100"));
  ASSERT_TRUE(process.ok()) << process.status();

  EXPECT_EQ((*process)->ReadLine(absl::Now() + absl::Seconds(30)), "one");
  EXPECT_EQ((*process)->ReadLine(absl::Now()), std::nullopt);
  EXPECT_EQ((*process)->Wait(absl::Now()), std::nullopt);
}

TEST(ProcessTest, EndsAfterASignal) {
  absl::StatusOr<std::unique_ptr<Process>> process = Process::Start({"/bin/sleep", "100"});
  ASSERT_TRUE(process.ok()) << process.status();

  (*process)->Signal(SIGTERM);
  const std::optional<ProcessExit> exit = (*process)->Wait(absl::Now() + absl::Seconds(30));

  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->signal, SIGTERM);
  EXPECT_THAT((*process)->errors(), IsEmpty());
}

}  // namespace
}  // namespace source_vitess::harness
