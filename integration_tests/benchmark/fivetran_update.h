// An Update of the connector as Fivetran's host makes it, and what it cost.
#ifndef SOURCE_VITESS_BENCHMARK_FIVETRAN_UPDATE_H_
#define SOURCE_VITESS_BENCHMARK_FIVETRAN_UPDATE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "benchmark/measured_run.h"

namespace source_vitess::benchmark {

struct UpdateResult {
  RunCost cost;  // of the connector's process, from its start to its end
  uint64_t bytes = 0;
  uint64_t records = 0;  // 0 unless they were counted
  std::string state;     // of the last checkpoint; likewise
};

// Starts `command`, a connector's server, or what it is to run under and that, makes one Update of
// the sample table's keyspace at 127.0.0.1:`vtgate_port` from `state`, and ends it. `count`: reads
// what comes; otherwise it is dropped as it comes, so that the host costs little. Fails when the
// Update does, or ends with a Task.
absl::StatusOr<UpdateResult> RunUpdate(const std::vector<std::string>& command, int vtgate_port,
                                       const std::string& state, bool count,
                                       absl::Duration timeout);

// Serves Updates that send so many bytes in messages of the size of full batches, and nothing else,
// until SIGTERM: what is left of the connector's server when it has nothing to do. Says where it
// listens as the connector does. The result is the exit code.
int ServeBytes(uint64_t bytes);

}  // namespace source_vitess::benchmark

#endif  // SOURCE_VITESS_BENCHMARK_FIVETRAN_UPDATE_H_
