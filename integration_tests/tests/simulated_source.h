// A database in the simulator that is read for Airbyte.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATED_SOURCE_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATED_SOURCE_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/simulator.h"
#include "tests/simulated_shop.h"
#include "tests/test_source.h"

namespace source_vitess::integration_tests {

// Keyspace "shop" with shards -80 and 80-, or others; its tables are empty.
class SimulatedSource : public TestSource {
 public:
  // `more`: members of the configuration beside host, port and keyspaces.
  explicit SimulatedSource(simulator::SimulatorOptions options = {},
                           const std::map<std::string, std::string>& more = {},
                           const std::vector<std::string>& shards = {"-80", "80-"});

  absl::StatusOr<query::QueryResult> Query(std::string_view target, std::string_view sql) override;

  simulator::Simulator& simulator() { return shop_.simulator(); }
  int port() const { return shop_.port(); }

 private:
  SimulatedShop shop_;
};

}  // namespace source_vitess::integration_tests

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATED_SOURCE_H_
