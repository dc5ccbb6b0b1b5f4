#include "sync/reshard.h"

#include <algorithm>

namespace source_vitess::sync {
namespace {

bool NeverBegan(const EndedShard& shard) {
  return shard.position.gtid().empty() && !shard.delivered;
}

std::string EntriesOf(const EndedShard& shard) {
  binlogdata::ShardGtid entries;
  *entries.mutable_table_p_ks() = shard.position.table_p_ks();
  return entries.SerializeAsString();
}

}  // namespace

Succession Succeed(const binlogdata::Journal& journal, const std::vector<const EndedShard*>& ended,
                   bool missing) {
  Succession succession;
  succession.is_first_copy = std::all_of(
      ended.begin(), ended.end(), [](const EndedShard* shard) { return NeverBegan(*shard); });
  const bool same =
      !missing && std::all_of(ended.begin(), ended.end(), [&](const EndedShard* shard) {
        return !shard->position.gtid().empty() && EntriesOf(*shard) == EntriesOf(*ended.front());
      });
  succession.repeated = !same && !succession.is_first_copy;
  for (const binlogdata::ShardGtid& successor : journal.shard_gtids()) {
    binlogdata::ShardGtid& shard = succession.shards.emplace_back();
    shard.set_keyspace(successor.keyspace());
    shard.set_shard(successor.shard());
    if (!same) continue;
    shard.set_gtid(successor.gtid());
    *shard.mutable_table_p_ks() = ended.front()->position.table_p_ks();
  }
  return succession;
}

}  // namespace source_vitess::sync
