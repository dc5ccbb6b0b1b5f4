// The one way out: everything that the host reads goes through an Output, in whole lines.
#ifndef SOURCE_VITESS_AIRBYTE_OUTPUT_H_
#define SOURCE_VITESS_AIRBYTE_OUTPUT_H_

#include <mutex>
#include <string_view>

#include "absl/status/status.h"

namespace source_vitess::airbyte {

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
  // failed, every later one fails the same way: with the class kHost when the reader has gone, and
  // kInternal otherwise (a full disk).
  absl::Status Write(std::string_view lines);

 private:
  absl::Status WriteAll(std::string_view text);

  const int fd_;
  std::mutex mutex_;
  absl::Status failure_;  // guarded by mutex_
};

// Makes a write to a pipe that nobody reads fail instead of ending the process: exit codes other
// than ours, and death by SIGPIPE, are errors to the host (reference 7.2).
void IgnoreBrokenPipes();

}  // namespace source_vitess::airbyte

#endif  // SOURCE_VITESS_AIRBYTE_OUTPUT_H_
