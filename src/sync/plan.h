// From where a table stood and where the source stands to where the table's reading begins.
#ifndef SOURCE_VITESS_SYNC_PLAN_H_
#define SOURCE_VITESS_SYNC_PLAN_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sync/sink.h"
#include "sync/sync.h"
#include "sync/table_position.h"
#include "vitess/gtid_set.h"
#include "vitess/topology.h"
#include "vitess/vtgate_client.h"

namespace source_vitess::sync {

// Where one shard stands, by a tablet of the chosen type and by the primary; the same when the
// primary is chosen.
struct ShardState {
  std::string shard;
  vitess::ShardStatus chosen;
  vitess::ShardStatus primary;
  bool primary_is_chosen = true;

  // What both have executed: where a sync that begins now ends.
  vitess::GtidSet Target() const { return chosen.executed.Intersection(primary.executed); }
};

// Asks the shard's tablets. An error names keyspace, shard and tablet type.
absl::StatusOr<ShardState> ReadShardState(vitess::VtgateClient& client, const std::string& keyspace,
                                          const std::string& shard, topodata::TabletType chosen);

struct KeyspaceState {
  std::string keyspace;
  std::vector<ShardState> shards;  // those that are read, in the order of their key ranges
  // Of the shards that saved positions name: those that have tablets and serve no longer, because
  // their data has gone over to others.
  std::vector<std::string> ended = {};
};

// The error, of the class kLostPosition, for a position in a shard whose tablets are gone.
absl::Status ShardIsGone(const binlogdata::ShardGtid& position);

// The lost position with what the user can do about it, for a table that fails with it; as it is
// where the caller reads such tables again.
absl::Status WithRemedy(const absl::Status& lost, const SyncOptions& options);

// Whether a stream can go on from the position in the shard. If not, the error is of the class
// kLostPosition and says why. VTGate itself would say nothing and send heartbeats (recordings
// stall-*). `strict`: a position that the chosen replica has purged is lost; otherwise another
// replica may still have it.
absl::Status CheckPosition(std::string_view position, const std::string& keyspace,
                           const ShardState& shard, bool strict);

// Whether a table that stood at `stored` may be a reference table, for Vitess to be asked: not in
// one shard, and not where every shard is read already. So Vitess is asked when a table is first
// read, and again about those that are reference tables, or were not known in some shard.
bool MayBeReferenceTable(const std::optional<TablePosition>& stored, const KeyspaceState& keyspace);

// The keyspace with the one shard that a reference table is read from: the one where it stood, or
// one that goes on with that one's keys, or the first. REQUIRES: the keyspace has shards.
KeyspaceState OneShardOf(const KeyspaceState& keyspace, const std::optional<TablePosition>& stored);

struct TablePlan {
  // Covers the shards of the KeyspaceState. One that has ended stands in for the new shards that it
  // went over to, which are read from where its JOURNAL says.
  TablePosition position;
  std::vector<std::string> warnings;  // of what was found and mended
};

// The position that the table is read from: the stored one made to fit. Copies that cannot be
// resumed begin again (docs/design.md, rules 3 and 4). A position that is lost is an error, or
// begins again with a warning, by the option.
absl::StatusOr<TablePlan> PlanTable(const Table& table, const std::optional<TablePosition>& stored,
                                    const KeyspaceState& keyspace, const SyncOptions& options);

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_PLAN_H_
