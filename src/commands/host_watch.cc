#include "commands/host_watch.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>

#include "absl/time/clock.h"
#include "commands/environment.h"

namespace source_vitess::commands {
namespace {

// What a shell makes of a death by signal; where a signal cannot kill, as in the first process of a
// container, the exit code says it.
constexpr int kExitCodeOfSignals = 128;

// What a parent made the process ignore stays ignored: shells start background commands without
// SIGINT, and nohup without SIGHUP.
bool IsIgnored(int signal) {
  struct sigaction action = {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

int PollTimeout(absl::Time deadline) {
  const absl::Duration rest = absl::Ceil(deadline - absl::Now(), absl::Milliseconds(1));
  return static_cast<int>(std::clamp<int64_t>(absl::ToInt64Milliseconds(rest), 0, INT_MAX));
}

}  // namespace

HostWatch::HostWatch(telemetry::Output& output, int output_fd)
    : output_(output), output_fd_(output_fd) {
  sigemptyset(&signals_);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    if (!IsIgnored(signal)) sigaddset(&signals_, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  signal_fd_ = signalfd(-1, &signals_, SFD_CLOEXEC | SFD_NONBLOCK);
  left_fd_ = eventfd(0, EFD_CLOEXEC);
  watcher_ = std::thread([this] { Watch(); });
}

HostWatch::~HostWatch() {
  if (watcher_.joinable()) {
    eventfd_write(left_fd_, 1);
    watcher_.join();
  }
  close(signal_fd_);
  close(left_fd_);
}

void HostWatch::Leave() {
  eventfd_write(left_fd_, 1);
  watcher_.join();
  // One that came while the watcher was ending.
  TakeSignal();
  if (signal_ != 0) EndProcess();
}

void HostWatch::Watch() {
  if (!WaitForHost()) return;
  const absl::Time now = absl::Now();
  stop_.request_stop();
  if (WaitForProgram(now + kFlushTime)) return;
  output_.CutOff(now + kLeaveTime);
  EndProcess();
}

bool HostWatch::WaitForHost() {
  // Without events to wait for, poll still reports that the other end of a pipe or socket is gone.
  std::array<pollfd, 3> watched = {
      {{signal_fd_, POLLIN, 0}, {left_fd_, POLLIN, 0}, {output_fd_, 0, 0}}};
  for (;;) {
    if (poll(watched.data(), watched.size(), -1) < 0) continue;
    if (watched[1].revents != 0) return false;
    if (watched[0].revents != 0) TakeSignal();
    if (signal_ != 0 || (watched[2].revents & (POLLERR | POLLHUP)) != 0) return true;
    // Not open at all: writing to it fails in its own way.
    if (watched[2].revents != 0) watched[2].fd = -1;
  }
}

bool HostWatch::WaitForProgram(absl::Time deadline) {
  pollfd left = {left_fd_, POLLIN, 0};
  while (absl::Now() < deadline) {
    if (poll(&left, 1, PollTimeout(deadline)) > 0) return true;
  }
  return false;
}

void HostWatch::TakeSignal() {
  signalfd_siginfo info;
  if (read(signal_fd_, &info, sizeof info) == sizeof info && signal_ == 0) {
    signal_ = static_cast<int>(info.ssi_signo);
  }
}

void HostWatch::EndProcess() const {
  if (signal_ == 0) _exit(kSuccess);
  std::signal(signal_, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
  std::raise(signal_);
  _exit(kExitCodeOfSignals + signal_);
}

}  // namespace source_vitess::commands
