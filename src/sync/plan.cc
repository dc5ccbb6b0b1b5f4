#include "sync/plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "text/absl_view.h"
#include "vitess/errors.h"
#include "vitess/key_range.h"

namespace source_vitess::sync {
namespace {

using text::AbslView;
using vitess::GtidSet;

bool KnowsServers(const GtidSet& executed, const GtidSet& position) {
  return std::all_of(
      position.servers().begin(), position.servers().end(),
      [&](const GtidSet::Server& server) { return executed.HasServer(server.uuid); });
}

const binlogdata::TableLastPK* LastPk(const binlogdata::ShardGtid& shard, const Table& table) {
  for (const binlogdata::TableLastPK& entry : shard.table_p_ks()) {
    if (entry.table_name() == table.name() && entry.has_lastpk()) return &entry;
  }
  return nullptr;
}

// A copy goes on after a key of the same columns only.
bool IsOfKey(const binlogdata::TableLastPK& entry, const std::vector<std::string>& key) {
  return std::equal(
      entry.lastpk().fields().begin(), entry.lastpk().fields().end(), key.begin(), key.end(),
      [](const query::Field& field, const std::string& column) { return field.name() == column; });
}

void BeginAgain(TablePosition& position, binlogdata::ShardGtid& shard) {
  shard.clear_gtid();
  shard.clear_table_p_ks();
  position.snapshot.erase(shard.shard());
  if (position.since.contains(shard.shard())) position.repeated.insert(shard.shard());
}

// What a lost position leaves: nothing to follow a repeated copy from.
void Forget(TablePosition& position, binlogdata::ShardGtid& shard) {
  position.since.erase(shard.shard());
  position.repeated.erase(shard.shard());
  BeginAgain(position, shard);
}

// Reads what was saved of one shard into `shard`, and says whether a position is to be checked.
bool TakeOver(const binlogdata::ShardGtid& stored, const Table& table, TablePosition& position,
              binlogdata::ShardGtid& shard) {
  const bool copied = !stored.gtid().empty() && stored.table_p_ks().empty();
  const binlogdata::TableLastPK* entry = LastPk(stored, table);
  const bool resumable = !stored.gtid().empty() && entry != nullptr && table.schema.resumable &&
                         IsOfKey(*entry, table.schema.key);
  if (!copied && !resumable) {
    BeginAgain(position, shard);
    return false;
  }
  shard.set_gtid(stored.gtid());
  if (resumable) *shard.add_table_p_ks() = *entry;
  if (copied && position.repeated.erase(shard.shard()) > 0) {
    // Its end was saved, but not yet that it is to be followed from before its beginning.
    position.snapshot[shard.shard()] = stored.gtid();
    shard.set_gtid(position.since[shard.shard()]);
  }
  return true;
}

bool Serves(const KeyspaceState& keyspace, const std::string& shard) {
  return std::any_of(keyspace.shards.begin(), keyspace.shards.end(),
                     [&](const ShardState& state) { return state.shard == shard; });
}

bool HasEnded(const KeyspaceState& keyspace, const std::string& shard) {
  return std::find(keyspace.ended.begin(), keyspace.ended.end(), shard) != keyspace.ended.end();
}

// Whether a saved shard that serves no longer has to be followed to its JOURNAL: something of it
// was delivered, and its data is in shards that are read.
bool IsToBeFollowed(const binlogdata::ShardGtid& stored, const TablePosition& position,
                    const KeyspaceState& keyspace) {
  if (stored.gtid().empty() && !position.since.contains(stored.shard())) return false;
  return std::any_of(keyspace.shards.begin(), keyspace.shards.end(), [&](const ShardState& state) {
    return vitess::Overlap(state.shard, stored.shard());
  });
}

void ForgetOtherShards(TablePosition& position) {
  const auto is_other = [&](const auto& entry) {
    if constexpr (requires { entry.first; }) {
      return position.FindShard(entry.first) == nullptr;
    } else {
      return position.FindShard(entry) == nullptr;
    }
  };
  std::erase_if(position.since, is_other);
  std::erase_if(position.repeated, is_other);
  std::erase_if(position.snapshot, is_other);
  std::erase_if(position.columns, is_other);
}

}  // namespace

absl::Status ShardIsGone(const binlogdata::ShardGtid& position) {
  return vitess::LostPositionError(
      absl::StrCat("the saved position is of shard ", position.keyspace(), "/", position.shard(),
                   ", which is gone (position ",
                   position.gtid().empty() ? "of an unfinished copy" : position.gtid(),
                   "): the keyspace was resharded, and the old shard was removed "
                   "before the change could be followed; sync between the switch of the traffic "
                   "and the removal of the old shards"));
}

absl::Status WithRemedy(const absl::Status& lost, const SyncOptions& options) {
  if (options.host_truncates) return lost;
  return vitess::LostPositionError(absl::StrCat(
      lost.message(),
      ". Refresh the stream, which empties the destination's table and reads it again, "
      "or have such tables copied again by the option lost_position"));
}

absl::Status CheckPosition(std::string_view position, const std::string& keyspace,
                           const ShardState& shard, bool strict) {
  const std::string where =
      absl::StrCat("the saved position in shard ", keyspace, "/", shard.shard);
  const auto set = GtidSet::ParsePosition(position);
  if (!set.ok()) {
    return vitess::LostPositionError(
        absl::StrCat(where, " cannot be compared with the server's (position ", AbslView(position),
                     "): ", set.status().message()));
  }
  if (!shard.chosen.executed.Contains(*set) && !shard.primary.executed.Contains(*set)) {
    const bool known = KnowsServers(shard.primary.executed, *set);
    return vitess::LostPositionError(
        absl::StrCat(where,
                     known ? " is ahead of the server, which may have been restored from a backup"
                           : " is of another server, perhaps of another cluster",
                     ": it has transactions that the server does not (position ",
                     AbslView(position), ", executed ", shard.primary.executed.ToString(), ")"));
  }
  if ((shard.primary_is_chosen || strict) && !set->Contains(shard.chosen.purged)) {
    return vitess::LostPositionError(absl::StrCat(
        where, " can no longer be read from: the binary logs behind it were purged (position ",
        AbslView(position), ", purged ", shard.chosen.purged.ToString(),
        "); keep binary logs longer, or sync more often"));
  }
  return absl::OkStatus();
}

absl::StatusOr<ShardState> ReadShardState(vitess::VtgateClient& client, const std::string& keyspace,
                                          const std::string& shard, topodata::TabletType chosen) {
  ShardState state;
  state.shard = shard;
  state.primary_is_chosen = chosen == topodata::PRIMARY;
  auto primary = vitess::ReadShardStatus(client, keyspace, shard, topodata::PRIMARY);
  if (!primary.ok()) return primary.status();
  state.primary = *std::move(primary);
  if (state.primary_is_chosen) {
    state.chosen = state.primary;
    return state;
  }
  auto other = vitess::ReadShardStatus(client, keyspace, shard, chosen);
  if (!other.ok()) return other.status();
  state.chosen = *std::move(other);
  return state;
}

bool MayBeReferenceTable(const std::optional<TablePosition>& stored,
                         const KeyspaceState& keyspace) {
  if (keyspace.shards.size() < 2) return false;
  return !stored.has_value() ||
         std::any_of(keyspace.shards.begin(), keyspace.shards.end(), [&](const ShardState& state) {
           return stored->FindShard(state.shard) == nullptr;
         });
}

KeyspaceState OneShardOf(const KeyspaceState& keyspace,
                         const std::optional<TablePosition>& stored) {
  const auto find = [&](auto&& fits) {
    return std::find_if(
        keyspace.shards.begin(), keyspace.shards.end(), [&](const ShardState& state) {
          if (!stored.has_value()) return false;
          const auto& shards = stored->vgtid.shard_gtids();
          return std::any_of(shards.begin(), shards.end(), [&](const binlogdata::ShardGtid& shard) {
            return fits(state.shard, shard.shard());
          });
        });
  };
  auto chosen = find([](const std::string& a, const std::string& b) { return a == b; });
  if (chosen == keyspace.shards.end()) {
    chosen = find([](const std::string& a, const std::string& b) { return vitess::Overlap(a, b); });
  }
  if (chosen == keyspace.shards.end()) chosen = keyspace.shards.begin();
  return {keyspace.keyspace, {*chosen}, keyspace.ended};
}

absl::StatusOr<TablePlan> PlanTable(const Table& table, const std::optional<TablePosition>& stored,
                                    const KeyspaceState& keyspace, const SyncOptions& options) {
  TablePlan plan;
  TablePosition& position = plan.position;
  if (stored.has_value()) {
    position = *stored;
    position.vgtid.Clear();
  }

  // A table that is refreshed as a whole loses nothing by beginning again.
  const bool begin_again_when_lost = options.copy_again_when_lost || !table.incremental;
  bool all_again = false;
  const auto lost = [&](absl::Status status) -> absl::Status {
    if (!begin_again_when_lost) return WithRemedy(status, options);
    plan.warnings.push_back(absl::StrCat(
        "Table ", table.keyspace(), ".", table.name(), " is copied again: ", status.message(),
        table.incremental ? ". Rows deleted from the source in the meantime stay in "
                            "the destination until its stream is refreshed."
                          : "."));
    return absl::OkStatus();
  };

  const std::string name = absl::StrCat("table ", table.keyspace(), ".", table.name());
  std::vector<const binlogdata::ShardGtid*> ended;
  if (stored.has_value()) {
    for (const binlogdata::ShardGtid& shard : stored->vgtid.shard_gtids()) {
      if (Serves(keyspace, shard.shard()) || !IsToBeFollowed(shard, position, keyspace)) continue;
      if (HasEnded(keyspace, shard.shard())) {
        ended.push_back(&shard);
        continue;
      }
      absl::Status gone = vitess::Annotate(ShardIsGone(shard), name);
      if (absl::Status status = lost(std::move(gone)); !status.ok()) return status;
      all_again = true;
    }
  }
  if (all_again) {
    const uint64_t cursor = position.cursor;
    position = TablePosition();
    position.cursor = cursor;
    ended.clear();
  }

  for (const ShardState& state : keyspace.shards) {
    const bool stands_in =
        std::any_of(ended.begin(), ended.end(), [&](const binlogdata::ShardGtid* shard) {
          return vitess::Overlap(shard->shard(), state.shard);
        });
    if (stands_in) continue;
    binlogdata::ShardGtid& shard = *position.vgtid.add_shard_gtids();
    shard.set_keyspace(keyspace.keyspace);
    shard.set_shard(state.shard);
    const binlogdata::ShardGtid* saved =
        stored.has_value() ? stored->FindShard(state.shard) : nullptr;
    if (saved == nullptr || all_again) continue;
    if (!TakeOver(*saved, table, position, shard)) continue;
    const bool complete_refresh = !table.incremental && shard.table_p_ks().empty();
    if (complete_refresh) continue;
    absl::Status status = CheckPosition(shard.gtid(), keyspace.keyspace, state, /*strict=*/false);
    if (status.ok()) continue;
    status = vitess::Annotate(std::move(status), name);
    if (absl::Status failed = lost(std::move(status)); !failed.ok()) return failed;
    Forget(position, shard);
  }
  // The servers of a shard that has ended answer no queries; its stream tells what is wrong.
  for (const binlogdata::ShardGtid* saved : ended) {
    binlogdata::ShardGtid& shard = *position.vgtid.add_shard_gtids();
    shard.set_keyspace(keyspace.keyspace);
    shard.set_shard(saved->shard());
    TakeOver(*saved, table, position, shard);
  }
  ForgetOtherShards(position);
  return plan;
}

}  // namespace source_vitess::sync
