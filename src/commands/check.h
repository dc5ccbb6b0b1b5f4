#ifndef SOURCE_VITESS_COMMANDS_CHECK_H_
#define SOURCE_VITESS_COMMANDS_CHECK_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "commands/advice.h"
#include "commands/environment.h"
#include "commands/source.h"
#include "mysql/table_schema.h"
#include "telemetry/log.h"
#include "vitess/topology.h"

namespace source_vitess::commands {

// The steps of a check, of a source that answers. A failure says the first thing that is wrong, and
// what to change. What is no reason to fail, but to know, is logged.

// The keyspaces and the tables that the options want.
absl::StatusOr<std::vector<mysql::TableSchema>> CheckTables(const Source& source,
                                                            telemetry::Logger& logger);

// Shards, tablets, and the servers' binary logs.
absl::Status CheckServers(const Source& source, const std::vector<mysql::TableSchema>& tables,
                          telemetry::Logger& logger);

// The steps of CheckServers.

// The shards that will be read, by option "shards". Their status is not read yet.
absl::StatusOr<std::vector<CheckedShard>> ListChosenShards(const Source& source);

// Whether the shard has a tablet of the chosen type that serves.
absl::Status CheckTablets(const std::vector<vitess::Tablet>& tablets, const CheckedShard& shard,
                          topodata::TabletType type);

// Whether changes have what anybody needs: all columns of the key, and more. REQUIRES: the status
// of the shard was read.
absl::Status CheckRowImage(const CheckedShard& shard);

// Tries what a sync needs, short of reading rows, and prints one CONNECTION_STATUS: FAILED says the
// first thing that is wrong, and what to change. What is no reason to fail, but to know, is logged.
// The result is the exit code, kSuccess in either case.
int RunCheck(const Environment& environment, const std::string& config_path);

}  // namespace source_vitess::commands

#endif  // SOURCE_VITESS_COMMANDS_CHECK_H_
