// A VTGate in one process: a cluster, served over gRPC.
//
//   Simulator simulator;
//   ASSERT_TRUE(simulator.Start().ok());
//   simulator.cluster().RunScript("create keyspace commerce; use commerce; create table t (id
//   bigint primary key);"); simulator.cluster().Execute("commerce", "insert into t (id) values
//   (1)");
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_SIMULATOR_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_SIMULATOR_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "simulator/cluster.h"
#include "simulator/faults.h"
#include "simulator/vtgate_service.h"

namespace source_vitess::simulator {

struct SimulatorOptions {
  ClusterOptions cluster;
  ServiceOptions service;
  // Plaintext if null; grpc::SslServerCredentials() for TLS.
  std::shared_ptr<grpc::ServerCredentials> credentials;
};

// Thread-safe but for Start() and Stop().
class Simulator {
 public:
  explicit Simulator(SimulatorOptions options = {});
  ~Simulator();

  // Listens on `host`:`port` (0: any free port) and gives the port back. May be called again after
  // Stop(); the cluster stays.
  absl::StatusOr<int> Start(const std::string& host = "127.0.0.1", int port = 0);

  // Ends every call and stops listening: a client's next connection is refused.
  void Stop();

  // Stops, and after `down` listens again at the same address. During that time connections are
  // refused.
  absl::Status Restart(absl::Duration down);

  Cluster& cluster() { return cluster_; }
  Faults& faults() { return faults_; }

  // "127.0.0.1:port"; valid after Start().
  const std::string& address() const { return address_; }

  // Ends every VStream that runs with UNAVAILABLE; new ones are taken.
  void EndStreams();

  // The VStreams that run.
  size_t running_streams();

  // What clients have asked since the last Start().
  std::vector<vtgate::VStreamRequest> stream_requests();
  std::vector<std::string> statements();

 private:
  class PortReservation;

  const SimulatorOptions options_;
  Cluster cluster_;
  Faults faults_;
  std::string address_;
  std::unique_ptr<PortReservation> reservation_;  // of an IPv4 address, from the first Start()
  std::unique_ptr<VtgateService> service_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_SIMULATOR_H_
