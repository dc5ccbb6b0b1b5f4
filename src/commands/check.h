#ifndef SOURCE_VITESS_COMMANDS_CHECK_H_
#define SOURCE_VITESS_COMMANDS_CHECK_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "commands/environment.h"
#include "commands/source.h"
#include "mysql/table_schema.h"
#include "telemetry/log.h"

namespace source_vitess::commands {

// The steps of a check, of a source that answers. A failure says the first thing that is wrong, and
// what to change. What is no reason to fail, but to know, is logged.

// The keyspaces and the tables that the options want.
absl::StatusOr<std::vector<mysql::TableSchema>> CheckTables(const Source& source,
                                                            telemetry::Logger& logger);

// Shards, tablets, and the servers' binary logs.
absl::Status CheckServers(const Source& source, const std::vector<mysql::TableSchema>& tables,
                          telemetry::Logger& logger);

// Tries what a sync needs, short of reading rows, and prints one CONNECTION_STATUS: FAILED says the
// first thing that is wrong, and what to change. What is no reason to fail, but to know, is logged.
// The result is the exit code, kSuccess in either case.
int RunCheck(const Environment& environment, const std::string& config_path);

}  // namespace source_vitess::commands

#endif  // SOURCE_VITESS_COMMANDS_CHECK_H_
