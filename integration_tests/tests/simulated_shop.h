// The simulator with the tests' tables.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATED_SHOP_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATED_SHOP_H_

#include <string>
#include <vector>

#include "simulator/simulator.h"

namespace source_vitess::integration_tests {

// Keyspace "shop" with shards; the tables of tests/database.h are in it, empty.
class SimulatedShop {
 public:
  SimulatedShop(simulator::SimulatorOptions options, const std::vector<std::string>& shards);

  simulator::Simulator& simulator() { return simulator_; }
  int port() const { return port_; }

 private:
  simulator::Simulator simulator_;
  int port_ = 0;
};

}  // namespace source_vitess::integration_tests

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATED_SHOP_H_
