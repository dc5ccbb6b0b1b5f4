// What the connector is given: files as a host would write them.
#ifndef SOURCE_VITESS_BENCHMARK_CONNECTOR_SETUP_H_
#define SOURCE_VITESS_BENCHMARK_CONNECTOR_SETUP_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "harness/connector.h"

namespace source_vitess::benchmark {

// A read of the sample table at one server. The files exist as long as this object.
class ConnectorSetup {
 public:
  // Runs `program` to discover what is at 127.0.0.1:`port`, and chooses all of it. `state`: content
  // of the --state file, if there is to be one.
  static absl::StatusOr<ConnectorSetup> Make(const std::string& program, int port,
                                             const std::optional<std::string>& state);

  const std::vector<std::string>& command() const { return command_; }

 private:
  ConnectorSetup(std::unique_ptr<harness::Connector> connector, std::vector<std::string> command)
      : connector_(std::move(connector)), command_(std::move(command)) {}

  std::unique_ptr<harness::Connector> connector_;
  std::vector<std::string> command_;
};

// The content of a --state file, from the lines of STATE messages.
absl::StatusOr<std::string> StateFileOf(std::span<const std::string> state_lines);

}  // namespace source_vitess::benchmark

#endif  // SOURCE_VITESS_BENCHMARK_CONNECTOR_SETUP_H_
