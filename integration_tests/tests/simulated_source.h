// A database in the simulator, the connector that reads it, and the destination that it fills.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATED_SOURCE_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATED_SOURCE_H_

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/connector.h"
#include "harness/destination.h"
#include "simulator/simulator.h"

namespace source_vitess::integration_tests {

// Keyspace "shop" with shards -80 and 80-, or others, and five tables, empty:
//   customers(id)                  resumable
//   orders(customer_id, id)        resumable, sharded by the first column of its key
//   notes(id)                      resumable, text
//   words(word)                    resumable, a key of text
//   tags(kind, id)                 an ENUM in its key: its copy begins again after every break
class SimulatedSource {
 public:
  // `more`: members of the configuration beside host, port and keyspaces.
  explicit SimulatedSource(simulator::SimulatorOptions options = {},
                           const std::map<std::string, std::string>& more = {},
                           const std::vector<std::string>& shards = {"-80", "80-"});

  // Runs statements against keyspace shop; ends the test when one fails.
  void Execute(std::string_view sql);

  // One run of `read` from the destination's state into the destination.
  harness::RunResult Read(const harness::RunLimits& limits = {});

  // What differs between the source's tables and the destination's, a line each; empty when they
  // are equal.
  std::vector<std::string> Differences();
  std::vector<std::string> DifferencesOf(const std::string& table);

  // Takes tables into the catalog that were made since; the destination begins empty.
  absl::Status Rediscover();

  // The first column of every row of the table that the shard holds.
  std::set<std::string> KeysIn(const std::string& shard, const std::string& table);

  simulator::Simulator& simulator() { return simulator_; }
  harness::Connector& connector() { return *connector_; }
  harness::Destination& destination() { return *destination_; }
  const std::string& catalog() const { return catalog_; }
  int port() const { return port_; }

  static const std::vector<std::string>& Tables();

 private:
  std::set<std::string> SourceRows(const std::string& table);

  simulator::Simulator simulator_;
  int port_ = 0;
  std::unique_ptr<harness::Connector> connector_;
  std::string catalog_;
  std::map<std::string, std::string> columns_;  // by table, as of the discovery, for a SELECT
  std::unique_ptr<harness::Destination> destination_;
};

// INSERT statements for rows `first` to `last` of every table.
std::vector<std::string> RowsOfEveryTable(int first, int last);

}  // namespace source_vitess::integration_tests

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATED_SOURCE_H_
