// The model's source as one host reads it, with a destination of its own.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_MODEL_HOSTED_SOURCE_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_MODEL_HOSTED_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "simulator/simulator.h"
#include "tests/database.h"

namespace source_vitess::integration_tests {

enum class Host { kAirbyte, kFivetran };

class HostedSource {
 public:
  struct Sync {
    bool killed = false;  // by the limit
    std::string failure;  // empty for a sync that succeeded, or was killed
  };

  virtual ~HostedSource() = default;

  virtual Database& database() = 0;
  virtual simulator::Simulator& simulator() = 0;

  // The table parcels was made, whose rows move between shards.
  virtual absl::Status TakeParcels() = 0;

  // One sync from the last state. The connector is killed once so much has come from it; `chance`
  // decides what else a host may do or not then.
  virtual Sync Run(std::optional<size_t> kill_after_bytes, absl::Duration patience,
                   uint64_t chance) = 0;

  // The records of the last sync.
  virtual uint64_t Records(const std::string& table) = 0;

  virtual std::vector<std::string> DifferencesOf(const std::string& table) = 0;

  // What the connector did against the host's rules, in all syncs.
  virtual std::vector<std::string> Violations() = 0;
};

// A source in a simulator of its own, with the tables of tests/database.h. `more`: options of the
// connection, whose names are the same in both hosts' forms, beside those that say where it is.
std::unique_ptr<HostedSource> MakeHostedSource(Host host, simulator::SimulatorOptions options,
                                               const std::map<std::string, std::string>& more,
                                               const std::vector<std::string>& shards);

}  // namespace source_vitess::integration_tests

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_MODEL_HOSTED_SOURCE_H_
