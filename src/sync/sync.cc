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
#include "vitess/key_range.h"
#include "vitess/table_sizes.h"
#include "vitess/topology.h"

namespace source_vitess::sync {
namespace {

using vitess::ErrorClass;

// Of the question how large tables are.
constexpr absl::Duration kEstimateTimeout = absl::Seconds(10);

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

// A shard that option "shards" still names after it has ended would be left out without a word,
// with all that was read of it, because nothing names the shards in its place.
absl::Status CheckSelection(const SyncOptions& options, std::span<const TableRequest> requests,
                            const std::vector<std::string>& serving,
                            const KeyspaceState& keyspace) {
  std::set<std::string> stale(options.shards.begin(), options.shards.end());
  for (const std::string& shard : serving) stale.erase(shard);
  if (stale.empty()) return absl::OkStatus();
  std::set<std::string> unread;
  for (const TableRequest& request : requests) {
    if (!request.position.has_value()) continue;
    for (const binlogdata::ShardGtid& shard : request.position->vgtid.shard_gtids()) {
      if (shard.keyspace() == keyspace.keyspace) unread.insert(shard.shard());
    }
  }
  for (const ShardState& shard : keyspace.shards) {
    std::erase_if(unread, [&](const auto& other) { return vitess::Overlap(shard.shard, other); });
  }
  const auto successors = [&](const std::string& shard) {
    std::vector<std::string> names = serving;
    std::erase_if(names, [&](const auto& name) { return !vitess::Overlap(name, shard); });
    return absl::StrJoin(names, ", ");
  };
  for (const std::string& shard : unread) {
    for (const std::string& name : stale) {
      if (!vitess::Overlap(name, shard)) continue;
      return vitess::ConfigurationError(absl::StrCat(
          "the option shards names ", name, ", and keyspace ", keyspace.keyspace,
          " has no such shard any more; name those that took its place: ", successors(name)));
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
  if (absl::Status status = CheckSelection(options, requests, *shards, keyspace); !status.ok()) {
    return status;
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

// Tables in shards where their copy is to be made or finished.
struct Copies {
  struct Copy {
    size_t table;
    std::string keyspace;
    std::string shard;
    bool from_nothing;
  };
  std::vector<Copy> copies;

  void Add(const Table& table, const binlogdata::VGtid& position) {
    const auto& shards = position.shard_gtids();
    const bool from_nothing =
        std::all_of(shards.begin(), shards.end(),
                    [](const binlogdata::ShardGtid& shard) { return shard.gtid().empty(); });
    for (const binlogdata::ShardGtid& shard : shards) {
      if (sync::IsCopied(shard)) continue;
      copies.push_back({table.index, table.keyspace(), shard.shard(), from_nothing});
    }
  }
};

// Asks the shards how large the tables are that are to be copied. Nothing depends on the answer, so
// that a keyspace that gives none is passed over.
void TellEstimates(const SyncOptions& options, vitess::VtgateClient& client, Copies copies,
                   std::span<const Table> tables, const TableProgress& progress,
                   Checkpointer& checkpointer, telemetry::Logger& logger) {
  std::map<std::pair<std::string, std::string>, std::vector<Copies::Copy>> by_shard;
  for (Copies::Copy& copy : copies.copies) {
    by_shard[{copy.keyspace, copy.shard}].push_back(std::move(copy));
  }
  std::set<std::string> silent;
  std::map<size_t, TableEstimate> estimates;
  for (const auto& [place, of_shard] : by_shard) {
    const auto& [keyspace, shard] = place;
    if (silent.contains(keyspace) || options.stop.stop_requested()) continue;
    const auto sizes = vitess::ReadTableSizes(client, keyspace, shard, options.tablet_type,
                                              std::min(options.query_timeout, kEstimateTimeout));
    if (!sizes.ok()) {
      silent.insert(keyspace);
      logger.Debug(absl::StrCat("How large tables are is not known in shard ", keyspace, "/", shard,
                                ": ", sizes.status().message()));
      continue;
    }
    for (const Copies::Copy& copy : of_shard) {
      const auto size = sizes->find(tables[copy.table].name());
      if (size == sizes->end()) continue;
      if (auto* told = progress.Shard(copy.table, shard); told != nullptr) {
        told->AddEstimate(size->second.rows);
      }
      if (!copy.from_nothing) continue;
      estimates[copy.table].rows += size->second.rows;
      estimates[copy.table].bytes += size->second.bytes;
    }
  }
  for (const auto& [table, estimate] : estimates) {
    if (!silent.contains(tables[table].keyspace())) checkpointer.SetEstimate(table, estimate);
  }
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

  std::vector<size_t> numbers;
  if (options.progress != nullptr) {
    for (const Table& table : tables) {
      numbers.push_back(options.progress->AddTable(table.keyspace(), table.name()));
    }
  }
  const TableProgress progress(options.progress, numbers);
  checkpointer.TellProgress(progress);
  RowMoves moves(client, options.query_timeout);
  const JobContext context{options, client, sink, checkpointer, sequence, logger, moves, progress};
  Copies copies;
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
        copies.Add(table, plan->position.vgtid);
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
    progress.Failed(table.index, status);
    result.status = checkpointer.Finish(table.index, status);
    if (!result.status.ok()) return result;
  }

  TellEstimates(options, client, std::move(copies), tables, progress, checkpointer, logger);
  result.status = scheduler.Run();
  for (const Table& table : tables) {
    if (scheduled[table.index]) result.tables[table.index].status = scheduler.status(table.index);
  }
  return result;
}

}  // namespace source_vitess::sync
