// The host's way to end the program: a signal, or an output that nobody reads any more.
#ifndef SOURCE_VITESS_COMMANDS_HOST_WATCH_H_
#define SOURCE_VITESS_COMMANDS_HOST_WATCH_H_

#include <csignal>
#include <stop_token>
#include <thread>

#include "absl/time/time.h"
#include "telemetry/output.h"

namespace source_vitess::commands {

// Watches, in a thread of its own, for SIGTERM, SIGINT and SIGHUP (those of them that the process
// was not started to ignore) and for the closing of the output's reader. Either asks the program to
// stop. It then has `kFlushTime` to hand out what it has gathered and to return to its main
// function; after that the output is cut off behind a line that it has begun, and the process ends
// whatever it is doing, within `kLeaveTime` of the signal in all: neither a VTGate that does not
// answer nor a host that does not read holds it up.
class HostWatch {
 public:
  static constexpr absl::Duration kFlushTime = absl::Milliseconds(500);
  static constexpr absl::Duration kLeaveTime = absl::Milliseconds(1500);

  // Watches the reader of `output_fd`, which `output` writes to. Blocks the signals in this thread:
  // to be made before any other thread is, one per process.
  HostWatch(telemetry::Output& output, int output_fd);
  ~HostWatch();
  HostWatch(const HostWatch&) = delete;
  HostWatch& operator=(const HostWatch&) = delete;

  // Is asked to stop when the host wants the program to end.
  std::stop_token stop() const { return stop_.get_token(); }

  // Ends the watch. Ends the process, too, by the signal that came, if one did: it is what the
  // parent that sent it expects to see (reference 2.5, 7.2). Else returns.
  void Leave();

 private:
  void Watch();
  // Waits for what ends the program. False: it has ended by itself.
  bool WaitForHost();
  // Waits for the program to return. False: it has not.
  bool WaitForProgram(absl::Time deadline);
  void TakeSignal();
  [[noreturn]] void EndProcess() const;

  telemetry::Output& output_;
  const int output_fd_;
  sigset_t signals_;
  int signal_fd_ = -1;
  int left_fd_ = -1;  // readable once the program has returned
  int signal_ = 0;    // the first that came; the watcher's alone until it has ended
  std::stop_source stop_;
  std::thread watcher_;
};

}  // namespace source_vitess::commands

#endif  // SOURCE_VITESS_COMMANDS_HOST_WATCH_H_
