// A database that tests write to, the connector that reads it for Airbyte, and the destination that
// it fills. The database is one in the simulator (tests/simulated_source.h) or a live one
// (model/live_source.h).
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_TEST_SOURCE_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_TEST_SOURCE_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "harness/connector.h"
#include "harness/destination.h"
#include "harness/process.h"
#include "tests/database.h"

namespace source_vitess::integration_tests {

class TestSource : public Database {
 public:
  // One run of `read` from the destination's state into the destination.
  harness::RunResult Read(const harness::RunLimits& limits = {});

  // What differs between the source's tables and the destination's, a line each; empty when they
  // are equal.
  std::vector<std::string> Differences();
  std::vector<std::string> DifferencesOf(const std::string& table);

  // Takes tables into the catalog that were made since; the destination begins empty.
  absl::Status Rediscover();

  harness::Connector& connector() { return *connector_; }
  harness::Destination& destination() { return *destination_; }
  const std::string& catalog() const { return catalog_; }

 protected:
  explicit TestSource(std::string keyspace) : Database(std::move(keyspace)) {}

  // For the end of a constructor. `config`: the connector's.
  void Connect(const std::string& config);

 private:
  std::unique_ptr<harness::Connector> connector_;
  std::string catalog_;
  std::map<std::string, std::vector<std::string>> columns_;  // by table, as of the discovery
  std::unique_ptr<harness::Destination> destination_;
};

}  // namespace source_vitess::integration_tests

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_TEST_SOURCE_H_
