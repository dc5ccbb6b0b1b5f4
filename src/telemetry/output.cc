#include "telemetry/output.h"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vitess/errors.h"

namespace source_vitess::telemetry {
namespace {

// A signal that comes just before a write blocks is lost, so it comes again.
constexpr std::chrono::milliseconds kInterruptInterval{5};

// A write to a file on a dead network drive cannot be interrupted.
constexpr absl::Duration kLongestInterruption = absl::Milliseconds(100);

constexpr std::string_view kStopped = "the output was ended";

// Waits until the descriptor can be written to, a signal comes, or `deadline` has passed.
void WaitUntilWritable(int fd, absl::Time deadline) {
  pollfd writable = {.fd = fd, .events = POLLOUT, .revents = 0};
  const absl::Duration rest = absl::Ceil(deadline - absl::Now(), absl::Milliseconds(1));
  const int64_t milliseconds = absl::ToInt64Milliseconds(rest);
  poll(&writable, 1, static_cast<int>(std::clamp<int64_t>(milliseconds, 0, INT_MAX)));
}

// Lets SIGURG interrupt system calls, and do nothing else. Whoever ignores signals by default
// (SIGURG's own disposition) is not interrupted by them.
void TakeInterrupts() {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  sigemptyset(&action.sa_mask);
  sigaction(SIGURG, &action, nullptr);
}

}  // namespace

absl::Status Output::Write(std::string_view lines) {
  const std::lock_guard lock(mutex_);
  if (!failure_.ok()) return failure_;
  {
    const std::lock_guard writer_lock(writer_mutex_);
    is_writing_ = true;
    writer_ = pthread_self();
  }
  failure_ = WriteAll(lines);
  {
    const std::lock_guard writer_lock(writer_mutex_);
    is_writing_ = false;
  }
  writer_done_.notify_all();
  return failure_;
}

absl::Status Output::WriteAll(std::string_view text) {
  const std::string_view whole = text;
  while (!text.empty()) {
    if (is_cut_off()) {
      const size_t written = whole.size() - text.size();
      return FinishLine(text, written > 0 && whole[written - 1] != '\n');
    }
    if (absl::Status status = WriteSome(text); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// Behind CutOff: the rest of the line and no more, in pieces that never block where poll says that
// there is room.
absl::Status Output::FinishLine(std::string_view text, bool line_is_begun) {
  const absl::Time deadline = absl::FromUnixNanos(cut_off_.load());
  text = line_is_begun ? text.substr(0, text.find('\n') + 1) : std::string_view();
  while (!text.empty() && absl::Now() < deadline) {
    WaitUntilWritable(fd_, deadline);
    if (absl::Now() >= deadline) break;
    std::string_view piece = text.substr(0, PIPE_BUF);
    const size_t before = piece.size();
    if (absl::Status status = WriteSome(piece); !status.ok()) return status;
    text.remove_prefix(before - piece.size());
  }
  return vitess::HostError(kStopped);
}

absl::Status Output::WriteSome(std::string_view& text) {
  const ssize_t written = write(fd_, text.data(), text.size());
  if (written >= 0) {
    text.remove_prefix(static_cast<size_t>(written));
    return absl::OkStatus();
  }
  const int error = errno;
  if (error == EINTR) return absl::OkStatus();
  if (error == EAGAIN || error == EWOULDBLOCK) {
    WaitUntilWritable(fd_, absl::InfiniteFuture());
    return absl::OkStatus();
  }
  if (error == EPIPE || error == ECONNRESET) {
    return vitess::HostError("nobody reads the output any more");
  }
  return vitess::WithClass(
      absl::InternalError(absl::StrCat("the output could not be written: ",
                                       std::generic_category().message(error))),
      vitess::ErrorClass::kInternal);
}

void Output::CutOff(absl::Time deadline) {
  TakeInterrupts();
  cut_off_.store(absl::ToUnixNanos(deadline));
  std::unique_lock lock(writer_mutex_);
  while (is_writing_ && absl::Now() < deadline + kLongestInterruption) {
    pthread_kill(writer_, SIGURG);
    writer_done_.wait_for(lock, kInterruptInterval);
  }
}

void IgnoreBrokenPipes() { std::signal(SIGPIPE, SIG_IGN); }

}  // namespace source_vitess::telemetry
