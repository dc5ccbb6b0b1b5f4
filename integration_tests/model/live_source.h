// A database that a VTGate serves which runs by itself: whatever is to be done to it goes through
// Execute.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_MODEL_LIVE_SOURCE_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_MODEL_LIVE_SOURCE_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "tests/test_source.h"
#include "vitess/vtgate_client.h"

namespace source_vitess::integration_tests {

// Where it is. The keyspace is written to: the tests' tables are dropped and made again.
struct LiveAddress {
  std::string host;
  int port = 0;
  std::string keyspace;
};

// From VITESS_TEST_VTGATE ("host:port" of VTGate's gRPC) and VITESS_TEST_KEYSPACE ("shop" without
// it). Fails when they say nothing that could be used.
absl::StatusOr<LiveAddress> LiveAddressFromEnvironment();

class LiveSource : public TestSource {
 public:
  // Makes the tables, empty. `more`: as in SimulatedSource.
  LiveSource(const LiveAddress& address, const std::map<std::string, std::string>& more);

  absl::StatusOr<query::QueryResult> Query(std::string_view target, std::string_view sql) override;

 private:
  void MakeTable(const TableDefinition& table, bool sharded);

  std::unique_ptr<vitess::VtgateClient> client_;
};

}  // namespace source_vitess::integration_tests

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_MODEL_LIVE_SOURCE_H_
