// A cluster of many shards and tables in the simulator, as a process of its own: what it takes is
// nobody else's.
#ifndef SOURCE_VITESS_BENCHMARK_SCALE_CLUSTER_H_
#define SOURCE_VITESS_BENCHMARK_SCALE_CLUSTER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "harness/process.h"

namespace source_vitess::benchmark {

// Keyspace "sharded" has the shards and the tables; keyspace "whole", if it has tables, one shard.
struct ClusterShape {
  int shards = 1;  // 65536 at most
  int tables = 1;
  int whole_tables = 0;
  int rows = 10;  // of each table

  bool has_whole() const { return whole_tables > 0; }
};

// Serves such a cluster until SIGTERM. Prints the port; then, at SIGUSR1, how many VStreams and
// queries there were, and at SIGUSR2, once it has changed a few rows, how many. Returns the exit
// code.
int ServeScaleCluster(const ClusterShape& shape);

struct Asked {
  int64_t streams = 0;  // VStreams that were opened
  int64_t queries = 0;
};

// That process, seen from another. For one thread.
class ScaleCluster {
 public:
  // `program` runs ServeScaleCluster with the arguments "serve SHARDS TABLES WHOLE-TABLES ROWS".
  static absl::StatusOr<ScaleCluster> Start(const std::string& program, const ClusterShape& shape);

  int port() const { return port_; }

  // What was asked of it since it started.
  absl::StatusOr<Asked> TotalAsked();

  // Inserts, updates and deletes rows of some tables. Returns the number of changes.
  absl::StatusOr<int64_t> ChangeRows();

 private:
  ScaleCluster(std::unique_ptr<harness::Process> process, int port)
      : process_(std::move(process)), port_(port) {}

  absl::StatusOr<std::string> Ask(int signal);

  std::unique_ptr<harness::Process> process_;
  int port_;
};

}  // namespace source_vitess::benchmark

#endif  // SOURCE_VITESS_BENCHMARK_SCALE_CLUSTER_H_
