// A database in the simulator that is read for Fivetran.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_FIVETRAN_SOURCE_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_FIVETRAN_SOURCE_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/fivetran_host.h"
#include "simulator/simulator.h"
#include "tests/database.h"
#include "tests/simulated_shop.h"

namespace source_vitess::integration_tests {

// The form's values for a VTGate at 127.0.0.1:`port`. `more`: others, by field.
std::map<std::string, std::string> FivetranConfiguration(
    int port, const std::string& keyspaces, const std::map<std::string, std::string>& more = {});

// Keyspace "shop" with shards -80 and 80-, or others; its tables are empty. The connector runs, the
// form is filled in, and everything is selected.
class FivetranSource : public Database {
 public:
  // `more`: values of the form beside host, port and keyspaces.
  explicit FivetranSource(simulator::SimulatorOptions options = {},
                          const std::map<std::string, std::string>& more = {},
                          const std::vector<std::string>& shards = {"-80", "80-"},
                          bool history = false);

  absl::StatusOr<query::QueryResult> Query(std::string_view target, std::string_view sql) override;

  // A sync as Fivetran runs it: the schema, and then an Update from the saved state. A connector
  // that was stopped is started again.
  harness::FivetranReport Sync(const harness::FivetranUpdateOptions& options = {});

  // What differs between all columns of the source's tables and of the warehouse's, a line each;
  // empty when they are equal.
  std::vector<std::string> Differences();
  std::vector<std::string> DifferencesOf(const std::string& table);

  // The rows of the warehouse, as Database::RowsOf tells them.
  std::vector<std::string> Rows(const std::string& table, const std::vector<std::string>& columns);

  std::vector<std::string> BrokenRules();

  simulator::Simulator& simulator() { return shop_.simulator(); }
  harness::FivetranConnection& connection() { return *connection_; }
  int port() const { return shop_.port(); }
  int connector_port() const { return connector_port_; }

 private:
  void Start();

  SimulatedShop shop_;
  std::unique_ptr<harness::FivetranConnection> connection_;
  bool running_ = false;
  int connector_port_ = 0;
};

}  // namespace source_vitess::integration_tests

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_FIVETRAN_SOURCE_H_
