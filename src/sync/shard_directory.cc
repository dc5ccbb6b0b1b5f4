#include "sync/shard_directory.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "vitess/errors.h"
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

absl::Status ShardDirectory::Check(const binlogdata::ShardGtid& position, absl::Time now) {
  const auto check = [&]() -> absl::Status {
    const auto state = Read(position.keyspace(), position.shard(), now);
    if (!state.ok()) return state.status();
    return CheckPosition(position.gtid(), position.keyspace(), *state, /*strict=*/true);
  };
  absl::Status status = check();
  // A server that does not answer is not asked again for every table that it makes fail: each time
  // takes as long as the query may take.
  if (status.ok() || vitess::Classify(status) != vitess::ErrorClass::kLostPosition) return status;
  states_.erase({position.keyspace(), position.shard()});
  return check();
}

bool ShardDirectory::Serves(const std::string& keyspace, const std::string& shard) const {
  return !HasEnded(keyspace, shard) &&
         vitess::ReadShardStatus(client_, keyspace, shard, topodata::PRIMARY).ok();
}

absl::Status ShardDirectory::CheckServing(const std::string& keyspace, const std::string& shard,
                                          absl::Time now) {
  const auto serving = ListAll(keyspace, now);
  if (!serving.ok()) return serving.status();
  if (std::find(serving->begin(), serving->end(), shard) == serving->end()) {
    SetEnded(keyspace, shard);
  }
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
  if (!said.value.ok()) return said.value;
  for (const std::string& shard : *said.value) {
    if (!HasEnded(keyspace, shard)) continue;
    said.when = absl::InfinitePast();
    return vitess::TransientError(absl::StrCat("keyspace ", keyspace, " is being resharded: shard ",
                                               shard, " has ended and is still listed as serving"));
  }
  return said.value;
}

absl::Status ShardDirectory::CheckEnded(const binlogdata::ShardGtid& position) const {
  const auto tablets = vitess::ListTablets(client_);
  if (!tablets.ok()) return tablets.status();
  const bool has = std::any_of(tablets->begin(), tablets->end(), [&](const vitess::Tablet& tablet) {
    return tablet.keyspace == position.keyspace() && tablet.shard == position.shard();
  });
  return has ? absl::OkStatus() : ShardIsGone(position);
}

}  // namespace source_vitess::sync
