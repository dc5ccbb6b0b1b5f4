// What the servers behind a VTGate say about changes that a stream of it will not have, or not for
// long.
#ifndef SOURCE_VITESS_VITESS_CAVEATS_H_
#define SOURCE_VITESS_VITESS_CAVEATS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "vitess/topodata.pb.h"
#include "vitess/vtgate_client.h"

namespace source_vitess::vitess {

// A shard, and the type of its tablet that answers for it.
struct ShardTablet {
  std::string_view keyspace;
  std::string_view shard;
  topodata::TabletType type;
};

// How long the tablet's MySQL keeps its binary logs, by binlog_expire_logs_seconds or, before MySQL
// 8.0, expire_logs_days. Infinite: it never removes them by itself.
absl::StatusOr<absl::Duration> ReadLogRetention(VtgateClient& client, const ShardTablet& tablet);

// The tables of the shard, each once, of which a foreign key makes MySQL change or delete rows when
// those change that they refer to (CASCADE, SET NULL). Such changes happen inside InnoDB and are in
// no binary log (reference 6), unless VTGate makes them itself: see ManagesForeignKeys.
absl::StatusOr<std::vector<std::string>> ListCascadedTables(VtgateClient& client,
                                                            const ShardTablet& tablet);

// Whether VTGate carries out the keyspace's foreign keys itself, with statements of its own that
// are logged as all others are (VSchema's foreignKeyMode). False before v18, which did not.
absl::StatusOr<bool> ManagesForeignKeys(VtgateClient& client, std::string_view keyspace);

// The keyspace that VTGate reads the table from, by its routing rules: another one than the table's
// own after MoveTables has switched the traffic. The streams of the old one say nothing of that
// (reference 7.5). From v16 on; an error before.
absl::StatusOr<std::string> ReadServingKeyspace(VtgateClient& client, std::string_view keyspace,
                                                std::string_view table);

}  // namespace source_vitess::vitess

#endif  // SOURCE_VITESS_VITESS_CAVEATS_H_
