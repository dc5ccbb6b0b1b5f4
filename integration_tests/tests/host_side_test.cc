// A host that goes away, stops reading, or wants the program to end: it ends soon, and what it has
// printed is whole.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "harness/airbyte_message.h"
#include "harness/connector.h"
#include "harness/process.h"
#include "tests/simulated_source.h"

namespace source_vitess::integration_tests {
namespace {

using harness::Process;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// How soon a signal or the end of the reader ends the program, with some time for a busy machine.
constexpr absl::Duration kPromptly = absl::Seconds(4);

// How long a program that waits is watched to see that it does.
constexpr absl::Duration kWatch = absl::Milliseconds(300);

absl::Time Deadline() { return absl::Now() + absl::Seconds(60); }

// A server that takes connections and says nothing.
class SilentServer {
 public:
  SilentServer() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(fd_, 8), 0);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~SilentServer() { close(fd_); }
  int port() const { return port_; }

 private:
  const int fd_;
  int port_ = 0;
};

class HostSideTest : public ::testing::Test {
 protected:
  // Starts a read from the destination's state.
  std::unique_ptr<Process> StartRead(SimulatedSource& source) {
    const auto command =
        source.connector().ReadCommand(source.catalog(), source.destination().StateFile());
    EXPECT_TRUE(command.ok()) << command.status();
    return Start(*command);
  }

  std::unique_ptr<Process> Start(const std::vector<std::string>& command) {
    auto process = Process::Start(command);
    EXPECT_TRUE(process.ok()) << process.status();
    return *std::move(process);
  }

  // Reads lines up to the first that has `text` in it.
  void ReadUntil(Process& process, const std::string& text) {
    while (std::optional<std::string> line = process.ReadLine(Deadline())) {
      run_.lines.push_back(*line);
      if (absl::StrContains(*line, text)) return;
    }
    FAIL() << "there is no line with " << text;
  }

  // Reads to the end, and waits for it.
  void Finish(Process& process) {
    const absl::Time begin = absl::Now();
    while (std::optional<std::string> line = process.ReadLine(Deadline())) {
      run_.lines.push_back(*std::move(line));
    }
    Wait(process, begin);
  }

  // Waits for the end without reading.
  void Wait(Process& process, absl::Time begin = absl::Now()) {
    const std::optional<harness::ProcessExit> exit = process.Wait(Deadline());
    ASSERT_TRUE(exit.has_value()) << "the program does not end";
    took_ = absl::Now() - begin;
    const absl::Status messages = harness::CheckAirbyteMessages(run_.lines);
    EXPECT_TRUE(messages.ok()) << messages;
    run_.exit = *exit;
    run_.unfinished_line = process.unfinished_line();
    run_.errors = process.errors();
  }

  harness::RunResult run_;
  absl::Duration took_;
};

// Rows of which a pipe, and a batch, hold but a part.
void AddLongRows(SimulatedSource& source, int count) {
  for (int i = 1; i <= count; ++i) {
    source.Execute(absl::StrCat("insert into notes (id, body) values (", i, ", '",
                                std::string(size_t{3000}, 'n'), "')"));
  }
}

void SilenceStreams(SimulatedSource& source) {
  simulator::StreamFault fault;
  fault.kind = simulator::StreamFault::Kind::kSilence;
  source.simulator().faults().Add(fault);
}

TEST_F(HostSideTest, ASignalEndsAReadOfAVtgateThatIsSilent) {
  for (const int signal : {SIGTERM, SIGINT}) {
    SimulatedSource source;
    SilenceStreams(source);
    const auto process = StartRead(source);
    ReadUntil(*process, "Copying");

    process->Signal(signal);
    Finish(*process);

    EXPECT_EQ(run_.exit.signal, signal);
    EXPECT_LT(took_, kPromptly);
    EXPECT_THAT(run_.unfinished_line, IsEmpty());
    EXPECT_THAT(run_.errors, IsEmpty());
  }
}

TEST_F(HostSideTest, ASignalEndsACommandWhoseQueryIsNotAnswered) {
  const SilentServer server;
  auto connector =
      harness::Connector::Make(SOURCE_VITESS_PROGRAM, harness::MakeConfig(server.port(), {"shop"}));
  ASSERT_TRUE(connector.ok());
  auto command = (*connector)->ReadCommand("{\"streams\": []}", std::nullopt);
  ASSERT_TRUE(command.ok());
  const auto process = Start(*command);
  // Nothing is printed by which a test could see that it waits.
  ASSERT_FALSE(process->Wait(absl::Now() + kWatch).has_value());

  process->Signal(SIGTERM);
  Finish(*process);

  EXPECT_EQ(run_.exit.signal, SIGTERM);
  EXPECT_LT(took_, kPromptly);
  EXPECT_THAT(run_.lines, ElementsAre(HasSubstr("source-vitess ")));  // its version, and no more
  EXPECT_THAT(run_.errors, IsEmpty());
}

TEST_F(HostSideTest, ASignalToAProgramThatWaitsForItsReaderLeavesNoHalfLine) {
  SimulatedSource source({}, {{"checkpoint_interval", "20"}});
  AddLongRows(source, 300);
  const auto process = StartRead(source);
  ReadUntil(*process, R"("stream":"notes")");
  ASSERT_FALSE(process->Wait(absl::Now() + kWatch).has_value());

  process->Signal(SIGTERM);
  Finish(*process);

  EXPECT_EQ(run_.exit.signal, SIGTERM);
  EXPECT_LT(took_, kPromptly);
  EXPECT_THAT(run_.unfinished_line, IsEmpty());
  EXPECT_THAT(run_.errors, IsEmpty());
  source.destination().AcceptRun(run_);
  ASSERT_EQ(source.Read().exit.exit_code, 0);
  EXPECT_THAT(source.Differences(), IsEmpty());
}

TEST_F(HostSideTest, ASignalToAProgramWithASlowReaderLeavesNoHalfLine) {
  SimulatedSource source;
  AddLongRows(source, 300);
  const auto process = StartRead(source);
  std::string output;
  while (!absl::StrContains(output, R"("stream":"notes")")) {
    ASSERT_EQ(process->Read(100, Deadline(), output), Process::ReadResult::kData);
  }

  process->Signal(SIGTERM);
  const absl::Time begin = absl::Now();
  // Less than the program has to write, in the time that it has.
  while (!process->Wait(absl::Now() + absl::Milliseconds(10)).has_value()) {
    process->Read(1000, Deadline(), output);
  }
  EXPECT_LT(absl::Now() - begin, kPromptly);
  while (process->Read(size_t{1} << 20, Deadline(), output) == Process::ReadResult::kData) {
  }

  Wait(*process);
  EXPECT_EQ(run_.exit.signal, SIGTERM);
  EXPECT_TRUE(output.ends_with("}\n")) << output.substr(output.size() - 200);
  EXPECT_THAT(run_.errors, IsEmpty());
}

TEST_F(HostSideTest, ASignalEndsAProgramWhoseReaderNeverReadsAgain) {
  SimulatedSource source;
  AddLongRows(source, 300);
  const auto process = StartRead(source);
  ReadUntil(*process, R"("stream":"notes")");
  ASSERT_FALSE(process->Wait(absl::Now() + kWatch).has_value());

  process->Signal(SIGTERM);
  Wait(*process);

  EXPECT_EQ(run_.exit.signal, SIGTERM);
  EXPECT_LT(took_, kPromptly);
}

TEST_F(HostSideTest, ASignalThatTheParentIgnoresIsIgnored) {
  SimulatedSource source;
  SilenceStreams(source);
  const auto command = source.connector().ReadCommand(source.catalog(), std::nullopt);
  ASSERT_TRUE(command.ok());
  std::vector<std::string> shell = {"/bin/sh", "-c", "trap '' INT; exec \"$@\"", "sh"};
  shell.insert(shell.end(), command->begin(), command->end());
  const auto process = Start(shell);
  ReadUntil(*process, "Copying");

  process->Signal(SIGINT);

  EXPECT_FALSE(process->Wait(absl::Now() + kWatch).has_value());
}

TEST_F(HostSideTest, AReaderThatHasGoneEndsAReadOfAVtgateThatIsSilent) {
  SimulatedSource source;
  SilenceStreams(source);
  const auto process = StartRead(source);
  ReadUntil(*process, "Copying");

  process->CloseOutput();
  Finish(*process);

  EXPECT_EQ(run_.exit.exit_code, 0);
  EXPECT_LT(took_, kPromptly);
  EXPECT_THAT(run_.errors, IsEmpty());
}

TEST_F(HostSideTest, AReaderThatGoesWhileRowsComeEndsTheReadInPeace) {
  SimulatedSource source({}, {{"checkpoint_interval", "20"}});
  AddLongRows(source, 300);
  const auto process = StartRead(source);
  ReadUntil(*process, R"("stream":"notes")");

  process->CloseOutput();
  Finish(*process);

  EXPECT_EQ(run_.exit.exit_code, 0);
  EXPECT_LT(took_, kPromptly);
  EXPECT_THAT(run_.errors, IsEmpty());
  source.destination().AcceptRun(run_);
  ASSERT_EQ(source.Read().exit.exit_code, 0);
  EXPECT_THAT(source.Differences(), IsEmpty());
}

TEST_F(HostSideTest, AReaderThatStopsForAWhileLosesNothing) {
  SimulatedSource source;
  AddLongRows(source, 300);
  const auto process = StartRead(source);
  ReadUntil(*process, R"("stream":"notes")");

  ASSERT_FALSE(process->Wait(absl::Now() + kWatch).has_value());
  Finish(*process);

  EXPECT_EQ(run_.exit.exit_code, 0);
  source.destination().AcceptRun(run_);
  EXPECT_THAT(source.Differences(), IsEmpty());
  EXPECT_THAT(source.destination().violations(), IsEmpty());
}

TEST_F(HostSideTest, AReaderThatReadsSlowlyGetsEverything) {
  SimulatedSource source;
  AddLongRows(source, 100);
  const auto process = StartRead(source);

  std::string output;
  while (process->Read(/*max_bytes=*/500, Deadline(), output) == Process::ReadResult::kData) {
  }
  Wait(*process);

  EXPECT_EQ(run_.exit.exit_code, 0);
  EXPECT_TRUE(output.ends_with('\n'));
  EXPECT_THAT(run_.errors, IsEmpty());
}

}  // namespace
}  // namespace source_vitess::integration_tests
