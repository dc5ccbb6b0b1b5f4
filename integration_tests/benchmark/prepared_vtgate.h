// A VTGate that answers VStream calls with one workload, as fast as it can be sent.
#ifndef SOURCE_VITESS_BENCHMARK_PREPARED_VTGATE_H_
#define SOURCE_VITESS_BENCHMARK_PREPARED_VTGATE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "benchmark/workload.h"

namespace source_vitess::benchmark {

// Listens on the loopback interface until it is destroyed. Knows the keyspace of the sample table,
// with one shard and one tablet, and answers the queries of discovery and of positions. A stream
// from the workload's start gets the workload and then silence, one from its end gets silence, and
// any other is refused.
class PreparedVtgate {
 public:
  // `port`: 0 takes any that is free.
  static absl::StatusOr<std::unique_ptr<PreparedVtgate>> Start(Workload workload, int port);
  ~PreparedVtgate();

  int port() const;

 private:
  struct State;
  explicit PreparedVtgate(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace source_vitess::benchmark

#endif  // SOURCE_VITESS_BENCHMARK_PREPARED_VTGATE_H_
