// The connector as a host runs it: a program, files for its arguments, lines on its stdout.
#ifndef SOURCE_VITESS_HARNESS_CONNECTOR_H_
#define SOURCE_VITESS_HARNESS_CONNECTOR_H_

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "harness/process.h"

namespace source_vitess::harness {

// A configuration, JSON, for a VTGate at 127.0.0.1:`port`, or another host. `more`: other members,
// by name, their values as JSON.
std::string MakeConfig(int port, const std::vector<std::string>& keyspaces,
                       const std::map<std::string, std::string>& more = {},
                       const std::string& host = "127.0.0.1");

// What to read of a discovered stream.
struct StreamChoice {
  std::string stream_namespace;
  std::string name;
  std::string sync_mode = "incremental";
  // Beside those of the protocol (_ab_cdc_*). Empty: all.
  std::vector<std::string> columns;
};

// The ConfiguredAirbyteCatalog, JSON, that chooses from a discovered one. `catalog_message`: the
// line of `discover` with the CATALOG. Empty `choices` are all streams, each in the best mode that
// it supports. Fails when a stream, mode or column that is chosen was not discovered.
absl::StatusOr<std::string> ConfigureCatalog(const std::string& catalog_message,
                                             const std::vector<StreamChoice>& choices = {});

// Runs commands of a program with one configuration. Its files live in a folder that the destructor
// removes. A run that prints a line which is no message of Airbyte's protocol is an error.
class Connector {
 public:
  // `program`: path of the executable, in place of which the environment variable
  // SOURCE_VITESS_TEST_PROGRAM may name another build (one with sanitizers); `config`: content of
  // the --config file.
  static absl::StatusOr<std::unique_ptr<Connector>> Make(std::string program,
                                                         const std::string& config);
  ~Connector();

  absl::StatusOr<RunResult> Spec(const RunLimits& limits = {});
  absl::StatusOr<RunResult> Check(const RunLimits& limits = {});
  absl::StatusOr<RunResult> Discover(const RunLimits& limits = {});
  // `catalog` and `state` are contents of files; without a state there is no --state.
  absl::StatusOr<RunResult> Read(const std::string& catalog,
                                 const std::optional<std::string>& state = std::nullopt,
                                 const RunLimits& limits = {});

  // The command line of such a read, for tests that start it themselves.
  absl::StatusOr<std::vector<std::string>> ReadCommand(const std::string& catalog,
                                                       const std::optional<std::string>& state);

  // The CATALOG line of a discovery; fails when there is not exactly one, or the program fails.
  absl::StatusOr<std::string> DiscoverCatalog();

 private:
  static absl::StatusOr<RunResult> Run(const std::vector<std::string>& command,
                                       const RunLimits& limits);

  Connector(std::string program, std::filesystem::path folder)
      : program_(std::move(program)), folder_(std::move(folder)) {}

  std::string File(const std::string& name) const { return (folder_ / name).string(); }

  std::string program_;
  std::filesystem::path folder_;
};

}  // namespace source_vitess::harness

#endif  // SOURCE_VITESS_HARNESS_CONNECTOR_H_
