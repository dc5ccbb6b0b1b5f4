#include "tests/simulated_source.h"

#include <utility>

namespace source_vitess::integration_tests {

SimulatedSource::SimulatedSource(simulator::SimulatorOptions options,
                                 const std::map<std::string, std::string>& more,
                                 const std::vector<std::string>& shards)
    : TestSource("shop"), shop_(std::move(options), shards) {
  Connect(harness::MakeConfig(port(), {keyspace()}, more));
}

absl::StatusOr<query::QueryResult> SimulatedSource::Query(std::string_view target,
                                                          std::string_view sql) {
  return simulator().cluster().Execute(target, sql);
}

}  // namespace source_vitess::integration_tests
