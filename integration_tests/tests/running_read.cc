#include "tests/running_read.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "harness/airbyte_message.h"

namespace source_vitess::integration_tests {
namespace {

absl::Time Deadline() { return absl::Now() + absl::Seconds(90); }

}  // namespace

RunningRead::RunningRead(harness::Connector& connector, const std::string& catalog,
                         const std::optional<std::string>& state) {
  const auto command = connector.ReadCommand(catalog, state);
  EXPECT_TRUE(command.ok()) << command.status();
  auto process = harness::Process::Start(*command);
  EXPECT_TRUE(process.ok()) << process.status();
  process_ = *std::move(process);
}

void RunningRead::ReadUntil(const std::string& text) {
  while (std::optional<std::string> line = process_->ReadLine(Deadline())) {
    run_.lines.push_back(*std::move(line));
    if (absl::StrContains(run_.lines.back(), text)) return;
  }
  ADD_FAILURE() << "no line has " << text;
}

void RunningRead::Pause(absl::Duration pause) {
  EXPECT_FALSE(process_->Wait(absl::Now() + pause).has_value());
}

harness::RunResult RunningRead::Finish() {
  while (std::optional<std::string> line = process_->ReadLine(Deadline())) {
    run_.lines.push_back(*std::move(line));
  }
  const auto exit = process_->Wait(Deadline());
  EXPECT_TRUE(exit.has_value());
  run_.exit = exit.value_or(harness::ProcessExit());
  run_.errors = process_->errors();
  const absl::Status messages = harness::CheckAirbyteMessages(run_.lines);
  EXPECT_TRUE(messages.ok()) << messages;
  return std::move(run_);
}

std::vector<std::string> LinesWith(const harness::RunResult& run, const std::string& text) {
  std::vector<std::string> lines;
  std::copy_if(run.lines.begin(), run.lines.end(), std::back_inserter(lines),
               [&](const std::string& line) { return absl::StrContains(line, text); });
  return lines;
}

std::vector<std::string> TraceErrors(const harness::RunResult& run) {
  return LinesWith(run, R"("type":"ERROR")");
}

}  // namespace source_vitess::integration_tests
