// The least that any client must do: receive the messages, and parse them.
#ifndef SOURCE_VITESS_BENCHMARK_FLOOR_H_
#define SOURCE_VITESS_BENCHMARK_FLOOR_H_

#include "absl/status/status.h"
#include "benchmark/workload.h"

namespace source_vitess::benchmark {

// Opens the workload's VStream at 127.0.0.1:`port`, reads all of its messages into one response
// that is used again and again, and does nothing with them.
absl::Status ReceiveAndDrop(const Workload& workload, int port);

}  // namespace source_vitess::benchmark

#endif  // SOURCE_VITESS_BENCHMARK_FLOOR_H_
