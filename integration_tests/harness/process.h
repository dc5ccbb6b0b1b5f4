// A program that a test runs: its output as it comes, its end, and ways to end it early.
#ifndef SOURCE_VITESS_HARNESS_PROCESS_H_
#define SOURCE_VITESS_HARNESS_PROCESS_H_

#include <sys/resource.h>
#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace source_vitess::harness {

// How a process ended.
struct ProcessExit {
  std::optional<int> exit_code;  // when it ended by itself
  std::optional<int> signal;     // when a signal ended it
  rusage usage = {};             // what it used, with all of its threads
};

// For one thread. The destructor kills the process if it still runs.
class Process {
 public:
  enum class ReadResult { kData, kEnd, kDeadline };
  enum class Input { kNone, kWritten };

  // Starts the program `command[0]`, a path, with the other elements as arguments, this process's
  // environment, and nothing on stdin, or what Write is given.
  static absl::StatusOr<std::unique_ptr<Process>> Start(const std::vector<std::string>& command,
                                                        Input input = Input::kNone);
  ~Process();

  // Appends what comes next on stdout, `max_bytes` at most, to `output`. stderr is read meanwhile,
  // so that neither can fill up and stop the process. kEnd: both are closed.
  ReadResult Read(size_t max_bytes, absl::Time deadline, std::string& output);

  // The next line of stdout without its end. Nothing at its end (a line that is not ended is in
  // `unfinished_line`) and at the deadline. Not to be mixed with Read.
  std::optional<std::string> ReadLine(absl::Time deadline);
  const std::string& unfinished_line() const { return buffer_; }

  // Writes all of it to stdin; with Input::kWritten. Another thread may read meanwhile.
  absl::Status Write(std::string_view text);

  // Closes this end of stdout, as a host does that has gone. Read and ReadLine are at its end then.
  void CloseOutput();

  // What came on stderr while Read and ReadLine were waiting.
  const std::string& errors() const { return errors_; }

  pid_t pid() const { return pid_; }

  // Sends the signal, unless the process has been waited for.
  void Signal(int signal);

  // Waits for the process to end. Nothing at the deadline.
  std::optional<ProcessExit> Wait(absl::Time deadline);

 private:
  Process(pid_t pid, int input, int output, int errors)
      : pid_(pid), input_fd_(input), output_fd_(output), errors_fd_(errors) {}

  pid_t pid_;
  int input_fd_;   // -1 without one
  int output_fd_;  // -1 once closed
  int errors_fd_;  // likewise
  std::string buffer_;
  std::string errors_;
  std::optional<ProcessExit> exit_;
};

struct RunLimits {
  // Over all; the process is killed then.
  absl::Duration timeout = absl::Seconds(120);
  // SIGKILL once this much of stdout was read; what the process wrote beyond it is lost, as with a
  // host that dies.
  std::optional<size_t> kill_after_lines;
  std::optional<size_t> kill_after_bytes;
};

struct RunResult {
  std::vector<std::string> lines;  // of stdout, whole ones
  std::string unfinished_line;     // what stood behind the last of them
  std::string errors;              // stderr
  ProcessExit exit;
  bool killed = false;     // by a limit
  bool timed_out = false;  // by the timeout, which is one
};

// Runs the command to its end or to a limit.
absl::StatusOr<RunResult> RunCommand(const std::vector<std::string>& command,
                                     const RunLimits& limits = {});

}  // namespace source_vitess::harness

#endif  // SOURCE_VITESS_HARNESS_PROCESS_H_
