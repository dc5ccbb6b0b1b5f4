// The one way out: everything that the host reads goes through an Output, in whole lines.
#ifndef SOURCE_VITESS_TELEMETRY_OUTPUT_H_
#define SOURCE_VITESS_TELEMETRY_OUTPUT_H_

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace source_vitess::telemetry {

// Writes to a file descriptor, from any thread. Nothing is kept back: a call returns when all of
// its text is written, so that every STATE, TRACE and LOG is out, and all that came before it
// (reference 2.2). Whoever has many records gathers them first.
class Output {
 public:
  // Does not own `fd`.
  explicit Output(int fd) : fd_(fd) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Writes `lines`, each of which ends with a newline; the lines of two calls do not mix. Blocks
  // while the reader does not read, also when the descriptor is non-blocking. Once a write has
  // failed, every later one fails the same way: with the class kHost when the reader has gone or
  // CutOff was called, and kInternal otherwise (a full disk).
  absl::Status Write(std::string_view lines);

  // Ends the output. A Write that is under way, in another thread, ends behind the line that it has
  // begun, or at `deadline` wherever it is; every later one writes nothing. Returns when none is
  // under way any more, a moment after `deadline` at the latest. Uses the signal SIGURG, which
  // interrupts a write to a reader that does not read.
  void CutOff(absl::Time deadline);

 private:
  absl::Status WriteAll(std::string_view text);
  absl::Status FinishLine(std::string_view text, bool line_is_begun);
  // Writes what the descriptor takes, 0 bytes or more, of at most `text`.
  absl::Status WriteSome(std::string_view& text);
  bool is_cut_off() const { return cut_off_.load() != kNever; }

  static constexpr int64_t kNever = 0;

  const int fd_;
  std::atomic<int64_t> cut_off_ = kNever;  // CutOff's deadline, in nanoseconds since 1970

  std::mutex mutex_;
  absl::Status failure_;  // guarded by mutex_

  // Who is writing. Not guarded by mutex_, which the writer holds.
  std::mutex writer_mutex_;
  std::condition_variable writer_done_;
  bool is_writing_ = false;
  pthread_t writer_ = {};
};

// Makes a write to a pipe that nobody reads fail instead of ending the process: exit codes other
// than ours, and death by SIGPIPE, are errors to the host (reference 7.2).
void IgnoreBrokenPipes();

}  // namespace source_vitess::telemetry

#endif  // SOURCE_VITESS_TELEMETRY_OUTPUT_H_
