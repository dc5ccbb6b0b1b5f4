// Running a program and finding out what it cost.
#ifndef SOURCE_VITESS_BENCHMARK_MEASURED_RUN_H_
#define SOURCE_VITESS_BENCHMARK_MEASURED_RUN_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace source_vitess::benchmark {

// Of a process from its start to its end, with all of its threads.
struct RunCost {
  double wall_seconds = 0;
  double user_seconds = 0;
  double system_seconds = 0;
  // The largest resident set. The kernel counts what the parent had when it started the process, so
  // a figure below that cannot be seen.
  int64_t peak_bytes = 0;

  double cpu_seconds() const { return user_seconds + system_seconds; }
};

enum class Stdout { kDropped, kInherited };

// Runs the command with its stdout on /dev/null, or on this process's own. Its first word is looked
// for on the PATH. Fails when it ends with another exit code than 0, or is killed by the timeout.
absl::StatusOr<RunCost> MeasureRun(const std::vector<std::string>& command, absl::Duration timeout,
                                   Stdout output = Stdout::kDropped);

struct CountedOutput {
  uint64_t bytes = 0;
  uint64_t records = 0;         // lines that are RECORD messages
  uint64_t states = 0;          // lines that are STATE messages
  std::string last_state_line;  // empty: none
  // The last line of each stream's states, by the text of its descriptor.
  std::map<std::string, std::string> state_lines;
  std::string last_other_line;  // neither a record nor a state
  std::string errors;           // what came on stderr
};

// Runs the command with its stdout in a pipe and counts what comes. Fails as MeasureRun does, with
// the last thing that the program said.
absl::StatusOr<CountedOutput> CountOutput(const std::vector<std::string>& command,
                                          absl::Duration timeout);

}  // namespace source_vitess::benchmark

#endif  // SOURCE_VITESS_BENCHMARK_MEASURED_RUN_H_
