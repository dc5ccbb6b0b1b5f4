#include "harness/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

extern char** environ;

namespace source_vitess::harness {
namespace {

constexpr size_t kReadBytes = size_t{64} << 10;

absl::Status SystemError(const std::string& what, int error) {
  return absl::InternalError(absl::StrCat(what, ": ", std::strerror(error)));
}

// Rounded up, so that poll does not return before the deadline.
int PollTimeout(absl::Time deadline) {
  const int64_t milliseconds = absl::ToInt64Milliseconds(deadline - absl::Now());
  return static_cast<int>(std::clamp<int64_t>(milliseconds, -1, 1 << 30) + 1);
}

// Spawns `command` with the given descriptors for its stdin, stdout and stderr; no stdin if `input`
// is -1.
absl::StatusOr<pid_t> Spawn(const std::vector<std::string>& command, int input, int output,
                            int errors) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const absl::Cleanup destroy = [&] { posix_spawn_file_actions_destroy(&actions); };
  if (input >= 0) {
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);

  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.data()));
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  if (error != 0) return SystemError(absl::StrCat("cannot start ", command[0]), error);
  return pid;
}

// Reads from `fd` and closes it at its end, setting it to -1.
void ReadSome(int& fd, size_t max_bytes, std::string& output) {
  const size_t size = output.size();
  output.resize(size + max_bytes);
  const ssize_t count = read(fd, output.data() + size, max_bytes);
  output.resize(size + static_cast<size_t>(std::max<ssize_t>(count, 0)));
  if (count == 0 || (count < 0 && errno != EINTR)) {
    close(fd);
    fd = -1;
  }
}

void CloseAll(const int (&descriptors)[3]) {
  for (const int fd : descriptors) {
    if (fd >= 0) close(fd);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Process>> Process::Start(const std::vector<std::string>& command,
                                                        Input input) {
  if (command.empty()) return absl::InvalidArgumentError("there is no command");
  // This process's ends, and the other's.
  int here[3] = {-1, -1, -1};
  int there[3] = {-1, -1, -1};
  absl::Cleanup close_here = [&] { CloseAll(here); };
  const absl::Cleanup close_there = [&] { CloseAll(there); };
  // A socket, because writing to one that nobody reads any more need not raise SIGPIPE.
  if (input == Input::kWritten) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
      return SystemError("socketpair", errno);
    }
    here[0] = ends[0];
    there[0] = ends[1];
  }
  for (const int stream : {1, 2}) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return SystemError("pipe", errno);
    here[stream] = ends[0];
    there[stream] = ends[1];
  }
  absl::StatusOr<pid_t> pid = Spawn(command, there[0], there[1], there[2]);
  if (!pid.ok()) return pid.status();
  std::move(close_here).Cancel();
  return std::unique_ptr<Process>(new Process(*pid, here[0], here[1], here[2]));
}

absl::Status Process::Write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = send(input_fd_, text.data(), text.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("cannot write to the process", errno);
    text.remove_prefix(static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

Process::~Process() {
  if (!exit_.has_value()) {
    Signal(SIGKILL);
    Wait(absl::InfiniteFuture());
  }
  CloseAll({input_fd_, output_fd_, errors_fd_});
}

Process::ReadResult Process::Read(size_t max_bytes, absl::Time deadline, std::string& output) {
  while (output_fd_ >= 0 || errors_fd_ >= 0) {
    // A negative descriptor is passed over by poll.
    pollfd descriptors[2] = {{output_fd_, POLLIN, 0}, {errors_fd_, POLLIN, 0}};
    const int ready = poll(descriptors, 2, PollTimeout(deadline));
    if (ready == 0 && absl::Now() >= deadline) return ReadResult::kDeadline;
    if (ready <= 0) continue;
    if (descriptors[1].revents != 0) ReadSome(errors_fd_, kReadBytes, errors_);
    if (descriptors[0].revents != 0) {
      const size_t size = output.size();
      ReadSome(output_fd_, max_bytes, output);
      if (output.size() > size) return ReadResult::kData;
    }
  }
  return ReadResult::kEnd;
}

std::optional<std::string> Process::ReadLine(absl::Time deadline) {
  size_t searched = 0;
  while (true) {
    const size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    searched = buffer_.size();
    if (Read(kReadBytes, deadline, buffer_) != ReadResult::kData) return std::nullopt;
  }
}

void Process::CloseOutput() {
  if (output_fd_ >= 0) close(output_fd_);
  output_fd_ = -1;
}

void Process::Signal(int signal) {
  if (!exit_.has_value()) kill(pid_, signal);
}

std::optional<ProcessExit> Process::Wait(absl::Time deadline) {
  if (exit_.has_value()) return exit_;
  // By its number: the declaration in glibc 2.36 cannot be linked from C++.
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  const absl::Cleanup close_fd = [fd] { close(fd); };
  pollfd ended = {fd, POLLIN, 0};
  while (poll(&ended, 1, PollTimeout(deadline)) <= 0) {
    if (absl::Now() >= deadline) return std::nullopt;
  }
  int status = 0;
  rusage usage{};
  while (wait4(pid_, &status, 0, &usage) < 0 && errno == EINTR) continue;
  exit_.emplace();
  exit_->usage = usage;
  if (WIFEXITED(status)) exit_->exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) exit_->signal = WTERMSIG(status);
  return exit_;
}

namespace {

// Moves the whole lines of `text` to `lines`, `max_lines` in all at most.
void TakeLines(std::string& text, size_t max_lines, std::vector<std::string>& lines) {
  size_t begin = 0;
  for (size_t end; lines.size() < max_lines && (end = text.find('\n', begin)) != std::string::npos;
       begin = end + 1) {
    lines.push_back(text.substr(begin, end - begin));
  }
  text.erase(0, begin);
}

}  // namespace

absl::StatusOr<RunResult> RunCommand(const std::vector<std::string>& command,
                                     const RunLimits& limits) {
  const absl::Time deadline = absl::Now() + limits.timeout;
  absl::StatusOr<std::unique_ptr<Process>> process = Process::Start(command);
  if (!process.ok()) return process.status();

  RunResult result;
  const size_t max_lines = limits.kill_after_lines.value_or(SIZE_MAX);
  size_t bytes_left = limits.kill_after_bytes.value_or(SIZE_MAX);
  while (result.lines.size() < max_lines && bytes_left > 0) {
    const size_t size = result.unfinished_line.size();
    const Process::ReadResult read =
        (*process)->Read(std::min(bytes_left, kReadBytes), deadline, result.unfinished_line);
    if (read == Process::ReadResult::kEnd) break;
    if (read == Process::ReadResult::kDeadline) {
      result.timed_out = true;
      break;
    }
    bytes_left -= result.unfinished_line.size() - size;
    TakeLines(result.unfinished_line, max_lines, result.lines);
  }
  const bool at_limit = result.lines.size() >= max_lines || bytes_left == 0;
  std::optional<ProcessExit> exit;
  if (!at_limit && !result.timed_out) exit = (*process)->Wait(deadline);
  if (!exit.has_value()) {
    result.timed_out = !at_limit;
    result.killed = true;
    (*process)->Signal(SIGKILL);
    exit = (*process)->Wait(absl::InfiniteFuture());
  }
  result.exit = *exit;
  result.errors = (*process)->errors();
  return result;
}

}  // namespace source_vitess::harness
