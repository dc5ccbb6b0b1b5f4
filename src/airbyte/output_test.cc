#include "airbyte/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "airbyte/captured_output_for_test.h"
#include "vitess/errors.h"

namespace source_vitess::airbyte {
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

}  // namespace
}  // namespace source_vitess::airbyte
