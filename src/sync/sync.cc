#include "sync/sync.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sync/checkpointer.h"
#include "sync/plan.h"
#include "sync/retry_policy.h"
#include "sync/scheduler.h"
#include "sync/shard_directory.h"
#include "text/absl_view.h"
#include "vitess/errors.h"
#include "vitess/topology.h"

namespace source_vitess::sync {
namespace {

using vitess::ErrorClass;

// Runs `work` until it succeeds, fails for good, or has used up the budget.
absl::Status Retry(const SyncOptions& options, telemetry::Logger& logger,
                   const std::function<absl::Status()>& work) {
  RetryState retry;
  for (;;) {
    absl::Status status = work();
    if (status.ok() || vitess::Classify(status) != ErrorClass::kTransient) return status;
    const absl::Time now = absl::Now();
    const auto next = retry.Next(now, "", options.retry_budget, /*jitter=*/0.5);
    if (!next.has_value()) return status;
    if (retry.is_first()) logger.Warning(absl::StrCat("Trying again: ", status.message()));
    if (absl::Status stopped = WaitUntil(*next, options.stop); !stopped.ok()) return stopped;
  }
}

// No tablet of a type that nobody has is a matter of the option, not of waiting.
absl::Status CheckTabletType(const SyncOptions& options, vitess::VtgateClient& client,
                             const KeyspaceState& keyspace) {
  if (options.tablet_type == topodata::PRIMARY) return absl::OkStatus();
  const auto tablets = vitess::ListTablets(client);
  if (!tablets.ok()) return tablets.status();
  for (const ShardState& shard : keyspace.shards) {
    const bool has = std::any_of(tablets->begin(), tablets->end(), [&](const vitess::Tablet& t) {
      return t.keyspace == keyspace.keyspace && t.shard == shard.shard &&
             t.type == options.tablet_type;
    });
    if (has) continue;
    return vitess::ConfigurationError(
        absl::StrCat("shard ", keyspace.keyspace, "/", shard.shard, " has no tablet of the type ",
                     text::AbslView(vitess::TabletTypeName(options.tablet_type)),
                     "; choose another one with the option tablet_type"));
  }
  return absl::OkStatus();
}

// Of the shards that the requests' positions name: those that serve no longer and have tablets.
absl::Status FindEndedShards(vitess::VtgateClient& client, std::span<const TableRequest> requests,
                             const std::vector<std::string>& serving, KeyspaceState& keyspace) {
  std::set<std::string> others;
  for (const TableRequest& request : requests) {
    if (!request.position.has_value()) continue;
    for (const binlogdata::ShardGtid& shard : request.position->vgtid.shard_gtids()) {
      if (shard.keyspace() == keyspace.keyspace) others.insert(shard.shard());
    }
  }
  for (const std::string& shard : serving) others.erase(shard);
  if (others.empty()) return absl::OkStatus();
  const auto tablets = vitess::ListTablets(client);
  if (!tablets.ok()) return tablets.status();
  for (const vitess::Tablet& tablet : *tablets) {
    if (tablet.keyspace == keyspace.keyspace && others.erase(tablet.shard) > 0) {
      keyspace.ended.push_back(tablet.shard);
    }
  }
  return absl::OkStatus();
}

absl::Status ReadKeyspace(const SyncOptions& options, vitess::VtgateClient& client,
                          std::span<const TableRequest> requests, KeyspaceState& keyspace) {
  keyspace.shards.clear();
  keyspace.ended.clear();
  const auto shards = vitess::ListShards(client, keyspace.keyspace);
  if (!shards.ok()) return shards.status();
  for (const std::string& shard : SelectShards(options, *shards)) {
    keyspace.shards.push_back({shard, {}, {}, true});
  }
  if (keyspace.shards.empty()) {
    return vitess::ConfigurationError(
        absl::StrCat("keyspace ", keyspace.keyspace,
                     " has none of the shards that the option shards names; it has ",
                     absl::StrJoin(*shards, ", ")));
  }
  if (absl::Status status = FindEndedShards(client, requests, *shards, keyspace); !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckTabletType(options, client, keyspace); !status.ok()) return status;
  for (ShardState& shard : keyspace.shards) {
    auto state = ReadShardState(client, keyspace.keyspace, shard.shard, options.tablet_type);
    if (!state.ok()) return state.status();
    shard = *std::move(state);
  }
  return absl::OkStatus();
}

// Finds out which of the keyspace's tables are reference tables.
absl::Status FindReferenceTables(const SyncOptions& options, vitess::VtgateClient& client,
                                 std::span<const TableRequest> requests,
                                 const KeyspaceState& keyspace, std::span<Table> tables,
                                 telemetry::Logger& logger) {
  for (Table& table : tables) {
    if (table.keyspace() != keyspace.keyspace ||
        !MayBeReferenceTable(requests[table.index].position, keyspace)) {
      continue;
    }
    absl::Status status = Retry(options, logger, [&] {
      const auto answer = vitess::IsReferenceTable(client, table.keyspace(), table.name());
      table.reference = answer.value_or(false);
      return answer.status();
    });
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

std::vector<Table> MakeTables(std::vector<TableRequest>& requests) {
  std::vector<Table> tables;
  tables.reserve(requests.size());
  for (TableRequest& request : requests) {
    Table& table = tables.emplace_back();
    table.index = tables.size() - 1;
    table.schema = std::move(request.schema);
    table.incremental = request.incremental;
    table.takes_other_column = std::move(request.takes_other_column);
    for (const mysql::Column& column : table.schema.columns) {
      if (std::find(request.columns.begin(), request.columns.end(), column.name) !=
          request.columns.end()) {
        table.columns.push_back(column.name);
      }
    }
  }
  return tables;
}

}  // namespace

SyncResult RunSync(const SyncOptions& options, vitess::VtgateClient& client,
                   std::vector<TableRequest> requests, Sink& sink, telemetry::Logger& logger,
                   uint64_t first_sequence) {
  std::vector<Table> tables = MakeTables(requests);
  std::atomic<uint64_t> sequence = first_sequence;
  Checkpointer checkpointer({options.checkpoint_interval, options.checkpoint_time}, tables,
                            sequence, sink, absl::Now());
  SyncResult result;
  for (const Table& table : tables) result.tables.push_back({table.keyspace(), table.name(), {}});

  // The keyspaces, each with where its shards stand now: the targets.
  std::vector<KeyspaceState> keyspaces;
  std::map<std::string, absl::Status> failed_keyspaces;
  for (const Table& table : tables) {
    const bool known =
        failed_keyspaces.contains(table.keyspace()) ||
        std::any_of(keyspaces.begin(), keyspaces.end(), [&](const KeyspaceState& keyspace) {
          return keyspace.keyspace == table.keyspace();
        });
    if (known) continue;
    KeyspaceState keyspace{table.keyspace(), {}, {}};
    absl::Status status =
        Retry(options, logger, [&] { return ReadKeyspace(options, client, requests, keyspace); });
    if (status.ok()) {
      status = FindReferenceTables(options, client, requests, keyspace, tables, logger);
    }
    if (status.ok()) {
      keyspaces.push_back(std::move(keyspace));
    } else if (vitess::Classify(status) == ErrorClass::kHost) {
      result.status = std::move(status);
      return result;
    } else {
      failed_keyspaces.emplace(table.keyspace(), std::move(status));
    }
  }

  RowMoves moves(client, options.query_timeout);
  const JobContext context{options, client, sink, checkpointer, sequence, logger, moves};
  Scheduler scheduler(context, tables, keyspaces);
  std::vector<bool> scheduled(tables.size(), false);
  for (const Table& table : tables) {
    absl::Status status;
    if (const auto it = failed_keyspaces.find(table.keyspace()); it != failed_keyspaces.end()) {
      status = it->second;
    } else {
      const auto keyspace = std::find_if(
          keyspaces.begin(), keyspaces.end(),
          [&](const KeyspaceState& candidate) { return candidate.keyspace == table.keyspace(); });
      const std::optional<TablePosition>& stored = requests[table.index].position;
      auto plan = PlanTable(table, stored,
                            table.reference ? OneShardOf(*keyspace, stored) : *keyspace, options);
      status = plan.status();
      if (plan.ok()) {
        for (const std::string& warning : plan->warnings) logger.Warning(warning);
        checkpointer.Restore(table.index, plan->position);
        if (plan->position.vgtid.shard_gtids_size() == 1) {
          tables[table.index].only_shard = plan->position.vgtid.shard_gtids(0).shard();
        }
        scheduler.Add(table.index, std::move(plan->position));
        requests[table.index].position.reset();
        scheduled[table.index] = true;
        continue;
      }
    }
    result.tables[table.index].status = status;
    result.status = checkpointer.Finish(table.index, status);
    if (!result.status.ok()) return result;
  }

  result.status = scheduler.Run();
  for (const Table& table : tables) {
    if (scheduled[table.index]) result.tables[table.index].status = scheduler.status(table.index);
  }
  return result;
}

}  // namespace source_vitess::sync
