#include "sync/shard_directory.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "vitess/errors.h"
#include "vitess/key_range.h"
#include "vitess/topology.h"

namespace source_vitess::sync {
namespace {

constexpr absl::Duration kBelieved = absl::Seconds(1);

}  // namespace

std::vector<std::string> SelectShards(const SyncOptions& options, std::vector<std::string> shards) {
  if (options.shards.empty()) return shards;
  std::erase_if(shards, [&](const std::string& shard) {
    return std::find(options.shards.begin(), options.shards.end(), shard) == options.shards.end();
  });
  return shards;
}

void ShardDirectory::Add(const KeyspaceState& keyspace) {
  for (const ShardState& shard : keyspace.shards) {
    targets_[{keyspace.keyspace, shard.shard}] = shard.Target();
  }
  for (const std::string& shard : keyspace.ended) ended_.insert({keyspace.keyspace, shard});
}

const vitess::GtidSet* ShardDirectory::Target(const std::string& keyspace,
                                              const std::string& shard) const {
  const auto it = targets_.find({keyspace, shard});
  return it == targets_.end() ? nullptr : &it->second;
}

absl::Status ShardDirectory::ReadTarget(const std::string& keyspace, const std::string& shard,
                                        absl::Time now) {
  if (Target(keyspace, shard) != nullptr || HasEnded(keyspace, shard)) return absl::OkStatus();
  auto state = Read(keyspace, shard, now);
  if (!state.ok()) return state.status();
  targets_[{keyspace, shard}] = state->Target();
  return absl::OkStatus();
}

bool ShardDirectory::HasEnded(const std::string& keyspace, const std::string& shard) const {
  return ended_.contains({keyspace, shard});
}

void ShardDirectory::SetEnded(const std::string& keyspace, const std::string& shard) {
  ended_.insert({keyspace, shard});
  targets_.erase({keyspace, shard});
}

void ShardDirectory::SetServing(const std::string& keyspace, const std::string& shard) {
  ended_.erase({keyspace, shard});
}

absl::StatusOr<ShardState> ShardDirectory::Read(const std::string& keyspace,
                                                const std::string& shard, absl::Time now) {
  Said<ShardState>& said = states_[{keyspace, shard}];
  if (now - said.when > kBelieved) {
    said.value = ReadShardState(client_, keyspace, shard, options_.tablet_type);
    said.when = now;
  }
  return said.value;
}

absl::Status ShardDirectory::CheckServing(const std::string& keyspace, const std::string& shard,
                                          absl::Time now) {
  const auto serving = ListAll(keyspace, now);
  if (!serving.ok()) return serving.status();
  for (const std::string& other : *serving) {
    if (other == shard) return absl::OkStatus();
  }
  for (const std::string& other : *serving) {
    if (vitess::Overlap(other, shard) && HasEnded(keyspace, other)) {
      return vitess::TransientError(
          absl::StrCat("shard ", keyspace, "/", shard, " is not served yet"));
    }
  }
  SetEnded(keyspace, shard);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> ShardDirectory::List(const std::string& keyspace,
                                                              absl::Time now) {
  auto all = ListAll(keyspace, now);
  if (!all.ok()) return all.status();
  return SelectShards(options_, *std::move(all));
}

absl::StatusOr<std::vector<std::string>> ShardDirectory::ListAll(const std::string& keyspace,
                                                                 absl::Time now) {
  Said<std::vector<std::string>>& said = lists_[keyspace];
  if (now - said.when > kBelieved) {
    said.value = vitess::ListShards(client_, keyspace);
    said.when = now;
  }
  return said.value;
}

absl::Status ShardDirectory::CheckEnded(const std::string& keyspace,
                                        const std::string& shard) const {
  const auto tablets = vitess::ListTablets(client_);
  if (!tablets.ok()) return tablets.status();
  const bool has = std::any_of(tablets->begin(), tablets->end(), [&](const vitess::Tablet& tablet) {
    return tablet.keyspace == keyspace && tablet.shard == shard;
  });
  return has ? absl::OkStatus() : ShardIsGone(keyspace, shard);
}

}  // namespace source_vitess::sync
