#include "telemetry/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "telemetry/captured_output_for_test.h"
#include "vitess/errors.h"

namespace source_vitess::telemetry {
namespace {

class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe(ends_), 0); }
  ~Pipe() {
    CloseReader();
    CloseWriter();
  }
  int reader() const { return ends_[0]; }
  int writer() const { return ends_[1]; }
  void CloseReader() { Close(ends_[0]); }
  void CloseWriter() { Close(ends_[1]); }

  std::string ReadToEnd() const {
    std::string text;
    char buffer[4096];
    for (ssize_t n = read(reader(), buffer, sizeof buffer); n > 0;
         n = read(reader(), buffer, sizeof buffer)) {
      text.append(buffer, static_cast<size_t>(n));
    }
    return text;
  }

 private:
  static void Close(int& end) {
    if (end >= 0) close(end);
    end = -1;
  }
  int ends_[2] = {-1, -1};
};

TEST(OutputTest, WritesWhatItIsGiven) {
  CapturedOutput captured;

  EXPECT_TRUE(captured.output().Write("one\n").ok());
  EXPECT_TRUE(captured.output().Write("").ok());
  EXPECT_TRUE(captured.output().Write("two\n").ok());

  EXPECT_EQ(captured.Text(), "one\ntwo\n");
}

TEST(OutputTest, WritesMoreThanAPipeTakesAtOnce) {
  Pipe pipe;
  Output output(pipe.writer());
  const std::string text(size_t{3} << 20, 'x');
  absl::Status status;

  std::thread writer([&] {
    status = output.Write(text);
    pipe.CloseWriter();
  });
  const std::string read = pipe.ReadToEnd();
  writer.join();

  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(read == text);
}

TEST(OutputTest, WaitsForAReaderOfANonBlockingPipe) {
  Pipe pipe;
  ASSERT_EQ(fcntl(pipe.writer(), F_SETFL, O_NONBLOCK), 0);
  Output output(pipe.writer());
  const std::string text(size_t{1} << 20, 'y');
  absl::Status status;

  std::thread writer([&] {
    status = output.Write(text);
    pipe.CloseWriter();
  });
  const std::string read = pipe.ReadToEnd();
  writer.join();

  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(read.size(), text.size());
}

TEST(OutputTest, KeepsTheLinesOfThreadsApart) {
  CapturedOutput captured;
  const std::vector<std::string> texts = {std::string(5000, 'a'), std::string(5000, 'b')};

  std::vector<std::thread> writers;
  for (const std::string& text : texts) {
    writers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) captured.output().Write(text + "\n").IgnoreError();
    });
  }
  for (std::thread& writer : writers) writer.join();

  const std::vector<std::string> lines = captured.Lines();
  EXPECT_EQ(lines.size(), 100u);
  for (const std::string& line : lines) EXPECT_TRUE(line == texts[0] || line == texts[1]);
}

TEST(OutputTest, SaysThatTheHostHasGone) {
  IgnoreBrokenPipes();
  Pipe pipe;
  Output output(pipe.writer());
  pipe.CloseReader();

  const absl::Status first = output.Write("one\n");
  const absl::Status second = output.Write("two\n");

  ASSERT_FALSE(first.ok());
  EXPECT_EQ(vitess::Classify(first), vitess::ErrorClass::kHost);
  EXPECT_EQ(first, second);
}

TEST(OutputTest, TellsAFailureFromAHostThatHasGone) {
  const int full = open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  Output output(full);

  const absl::Status status = output.Write("one\n");
  close(full);

  ASSERT_FALSE(status.ok());
  EXPECT_EQ(vitess::Classify(status), vitess::ErrorClass::kInternal);
}

// Lines of which a pipe takes a part at once.
std::string ManyLines() {
  std::string text;
  for (int i = 0; i < 100; ++i) text += std::string(size_t{10'000}, 'z') + "\n";
  return text;
}

// Reads at most `bytes` of what the pipe holds; its other end may stay open.
std::string ReadWaiting(int fd, size_t bytes) {
  std::string text(bytes, '\0');
  pollfd readable = {fd, POLLIN, 0};
  const ssize_t n = poll(&readable, 1, 0) > 0 ? read(fd, text.data(), bytes) : 0;
  text.resize(static_cast<size_t>(std::max<ssize_t>(n, 0)));
  return text;
}

// Waits until the pipe takes no more, which is while its writer waits within a line.
void AwaitFullPipe(int writer) {
  pollfd writable = {writer, POLLOUT, 0};
  while (poll(&writable, 1, 0) > 0) std::this_thread::yield();
}

TEST(OutputTest, FinishesTheLineThatItHasBegunWhenItIsCutOff) {
  Pipe pipe;
  Output output(pipe.writer());
  absl::Status status;
  std::thread writer([&] { status = output.Write(ManyLines()); });
  AwaitFullPipe(pipe.writer());

  std::atomic<bool> done = false;
  std::thread cutter([&] {
    output.CutOff(absl::InfiniteFuture());
    done = true;
  });
  // So slowly that the end of the text is out of reach before the output is cut off.
  std::string text;
  while (!done) text += ReadWaiting(pipe.reader(), 1);
  writer.join();
  cutter.join();
  pipe.CloseWriter();
  text += pipe.ReadToEnd();

  ASSERT_FALSE(status.ok());
  EXPECT_EQ(vitess::Classify(status), vitess::ErrorClass::kHost);
  EXPECT_EQ(text.size() % 10'001, 0u);
  EXPECT_LT(text.size(), ManyLines().size());
}

TEST(OutputTest, LeavesALineUnfinishedThatNobodyReadsUntilTheDeadline) {
  Pipe pipe;
  Output output(pipe.writer());
  absl::Status status;
  std::thread writer([&] { status = output.Write(ManyLines()); });
  AwaitFullPipe(pipe.writer());

  output.CutOff(absl::Now() + absl::Milliseconds(20));
  writer.join();

  ASSERT_FALSE(status.ok());
  EXPECT_EQ(vitess::Classify(status), vitess::ErrorClass::kHost);
}

TEST(OutputTest, CutsOffANonBlockingPipeAsWell) {
  Pipe pipe;
  ASSERT_EQ(fcntl(pipe.writer(), F_SETFL, O_NONBLOCK), 0);
  Output output(pipe.writer());
  absl::Status status;
  std::thread writer([&] { status = output.Write(ManyLines()); });
  AwaitFullPipe(pipe.writer());

  output.CutOff(absl::Now());
  writer.join();

  EXPECT_FALSE(status.ok());
}

TEST(OutputTest, WritesNothingOnceItIsCutOff) {
  CapturedOutput captured;
  EXPECT_TRUE(captured.output().Write("one\n").ok());

  captured.output().CutOff(absl::InfiniteFuture());
  const absl::Status status = captured.output().Write("two\n");

  ASSERT_FALSE(status.ok());
  EXPECT_EQ(vitess::Classify(status), vitess::ErrorClass::kHost);
  EXPECT_EQ(captured.Text(), "one\n");
}

}  // namespace
}  // namespace source_vitess::telemetry
