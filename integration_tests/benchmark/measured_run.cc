#include "benchmark/measured_run.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <string_view>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "harness/process.h"

extern char** environ;

namespace source_vitess::benchmark {
namespace {

constexpr size_t kReadBytes = size_t{256} << 10;

absl::StatusOr<pid_t> Spawn(const std::vector<std::string>& command, Stdout output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const absl::Cleanup destroy = [&] { posix_spawn_file_actions_destroy(&actions); };
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (output == Stdout::kDropped) {
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  }
  std::vector<char*> arguments;
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.data()));
  }
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  if (error != 0) {
    return absl::InternalError(
        absl::StrCat("cannot start ", command[0], ": ", std::strerror(error)));
  }
  return pid;
}

// Kills the process when it has not ended by then.
void EndBy(pid_t pid, absl::Duration timeout) {
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return;
  pollfd ended{fd, POLLIN, 0};
  const int count = poll(&ended, 1, static_cast<int>(absl::ToInt64Milliseconds(timeout)));
  if (count == 0) kill(pid, SIGKILL);
  close(fd);
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

// Sorts lines that come in pieces.
class LineCounter {
 public:
  void Add(std::string_view piece) {
    counted_.bytes += piece.size();
    while (true) {
      const size_t end = piece.find('\n');
      if (end == std::string_view::npos) break;
      if (unfinished_.empty()) {
        AddLine(piece.substr(0, end));
      } else {
        unfinished_.append(piece.substr(0, end));
        AddLine(unfinished_);
        unfinished_.clear();
      }
      piece.remove_prefix(end + 1);
    }
    unfinished_.append(piece);
  }

  const CountedOutput& counted() const { return counted_; }

 private:
  static bool IsOfType(std::string_view line, std::string_view type) {
    constexpr std::string_view kStart = "{\"type\":\"";
    return line.starts_with(kStart) && line.substr(kStart.size()).starts_with(type);
  }

  void AddLine(std::string_view line) {
    if (IsOfType(line, "RECORD")) {
      ++counted_.records;
    } else if (IsOfType(line, "STATE")) {
      ++counted_.states;
      counted_.last_state_line = line;
      counted_.state_lines[Descriptor(line)] = line;
    } else {
      counted_.last_other_line = line;
    }
  }

  static std::string Descriptor(std::string_view state_line) {
    const size_t start = state_line.find("\"stream_descriptor\":");
    if (start == std::string_view::npos) return "";
    return std::string(state_line.substr(start, state_line.find('}', start) - start));
  }

  CountedOutput counted_;
  std::string unfinished_;
};

}  // namespace

absl::StatusOr<RunCost> MeasureRun(const std::vector<std::string>& command, absl::Duration timeout,
                                   Stdout output) {
  const absl::Time start = absl::Now();
  const absl::StatusOr<pid_t> pid = Spawn(command, output);
  if (!pid.ok()) return pid.status();
  EndBy(*pid, timeout);
  int status = 0;
  rusage usage{};
  while (wait4(*pid, &status, 0, &usage) < 0) {
    if (errno != EINTR) return absl::InternalError(absl::StrCat("wait4: ", std::strerror(errno)));
  }
  RunCost cost;
  cost.wall_seconds = absl::ToDoubleSeconds(absl::Now() - start);
  cost.user_seconds = Seconds(usage.ru_utime);
  cost.system_seconds = Seconds(usage.ru_stime);
  cost.peak_bytes = int64_t{usage.ru_maxrss} * 1024;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return cost;
  return absl::InternalError(absl::StrCat(
      command[0], WIFEXITED(status) ? " ended with exit code " : " was ended by signal ",
      WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status)));
}

absl::StatusOr<CountedOutput> CountOutput(const std::vector<std::string>& command,
                                          absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  absl::StatusOr<std::unique_ptr<harness::Process>> process = harness::Process::Start(command);
  if (!process.ok()) return process.status();
  LineCounter counter;
  std::string piece;
  while ((*process)->Read(kReadBytes, deadline, piece) == harness::Process::ReadResult::kData) {
    counter.Add(piece);
    piece.clear();
  }
  const std::optional<harness::ProcessExit> exit = (*process)->Wait(deadline);
  CountedOutput counted = counter.counted();
  counted.errors = (*process)->errors();
  if (exit.has_value() && exit->exit_code == 0) return counted;
  return absl::InternalError(absl::StrCat(
      command[0],
      exit.has_value() ? absl::StrCat(" ended with exit code ", exit->exit_code.value_or(-1))
                       : std::string(" did not end in time"),
      "; its last words: ", counted.last_other_line, counted.errors));
}

}  // namespace source_vitess::benchmark
