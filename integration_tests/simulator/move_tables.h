// MoveTables: a table goes to live in another keyspace.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_MOVE_TABLES_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_MOVE_TABLES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "simulator/cluster_state.h"

namespace source_vitess::simulator {

struct MoveTablesOptions {
  std::string from;  // keyspaces
  std::string to;
  std::vector<std::string> tables;
};

// Creates the tables in the other keyspace, fills them, and switches traffic: statements that name
// the old keyspace's table go to the new one's. Streams of the old keyspace are told nothing: it
// keeps the tables, and nothing is written to them any more (reference 7.5). Streams of the new one
// see a definition and the rows. A sharded keyspace must have the tables' vindexes. Changes nothing
// if it fails.
absl::Status MoveTables(ClusterState& state, const MoveTablesOptions& options);

// Drops what the old keyspace has kept, with a DDL statement in each of its shards.
absl::Status CompleteMoveTables(ClusterState& state, const MoveTablesOptions& options);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_MOVE_TABLES_H_
