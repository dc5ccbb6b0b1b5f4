// What a Vitess consists of, asked through VTGate: keyspaces, shards, tablets, and where each shard
// stands (recordings execute-keyspaces, execute-shards, execute-tablets, execute-positions).
#ifndef SOURCE_VITESS_VITESS_TOPOLOGY_H_
#define SOURCE_VITESS_VITESS_TOPOLOGY_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "vitess/gtid_set.h"
#include "vitess/topodata.pb.h"
#include "vitess/vtgate_client.h"

namespace source_vitess::vitess {

struct Tablet {
  std::string cell;
  std::string keyspace;
  std::string shard;
  topodata::TabletType type = topodata::UNKNOWN;
  bool serving = false;
  std::string alias;
};

// What one tablet of a shard says of its binary logs.
struct ShardStatus {
  GtidSet executed;
  GtidSet purged;
  std::string binlog_row_image;          // "FULL", "NOBLOB", "MINIMAL"
  std::string binlog_row_value_options;  // "" or "PARTIAL_JSON"; MySQL before 8.0.3: ""
  std::string server_uuid;
  std::string version;  // "8.4.6-Vitess"
};

// All keyspaces, in the server's order.
absl::StatusOr<std::vector<std::string>> ListKeyspaces(VtgateClient& client);

// The serving shards of a keyspace, in the order of their key ranges. Not found: a configuration
// error that names the keyspaces there are.
absl::StatusOr<std::vector<std::string>> ListShards(VtgateClient& client,
                                                    std::string_view keyspace);

absl::StatusOr<std::vector<Tablet>> ListTablets(VtgateClient& client);

// Asks one tablet of that type. An error names keyspace, shard and tablet type.
absl::StatusOr<ShardStatus> ReadShardStatus(VtgateClient& client, std::string_view keyspace,
                                            std::string_view shard, topodata::TabletType type);

// Whether a status says that MySQL does not know a variable that was asked for.
bool IsUnknownVariable(const absl::Status& status);

// Whether every shard of the keyspace holds all rows of the table: a reference table, of which one
// shard is enough. The VSchema has no vindex for such a table, which holds for pinned ones, too,
// whose rows are in one shard alone, so VTGate's plan for reading it decides. False also where that
// cannot be told (Vitess before v16 knows no VEXPLAIN): reading all shards is right then as well,
// though each row comes more than once.
absl::StatusOr<bool> IsReferenceTable(VtgateClient& client, std::string_view keyspace,
                                      std::string_view table);

// "primary", "replica", "rdonly": as it stands behind @ in a target.
std::string_view TabletTypeName(topodata::TabletType type);

}  // namespace source_vitess::vitess

#endif  // SOURCE_VITESS_VITESS_TOPOLOGY_H_
