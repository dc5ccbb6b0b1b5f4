#include "simulator/reshard.h"

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "simulator/sql_executor.h"
#include "simulator/sql_parser.h"
#include "simulator/strings.h"
#include "simulator/write_set.h"

namespace source_vitess::simulator {
namespace {

// Key ranges that lie side by side, in their order, as one; an error if there is a gap or an
// overlap.
absl::StatusOr<KeyRange> Joined(const std::vector<std::string>& shards) {
  std::vector<KeyRange> ranges;
  for (const std::string& shard : shards) {
    const absl::StatusOr<KeyRange> range = KeyRange::Parse(shard);
    if (!range.ok()) return range.status();
    ranges.push_back(*range);
  }
  if (ranges.empty()) return absl::InvalidArgumentError("a reshard needs sources and targets");
  std::sort(ranges.begin(), ranges.end(),
            [](const KeyRange& a, const KeyRange& b) { return a.begin < b.begin; });
  for (size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i - 1].end.empty() || ranges[i - 1].end != ranges[i].begin)
      return absl::InvalidArgumentError("the shards' key ranges do not lie side by side");
  }
  return KeyRange{ranges.front().begin, ranges.back().end};
}

void LogInternal(ClusterState& state, Shard& shard, int count) {
  for (int i = 0; i < count; ++i) {
    LoggedTransaction transaction;
    transaction.time = state.now();
    shard.log->Append(std::move(transaction));
  }
}

void Log(ClusterState& state, Shard& shard, std::vector<RowsEvent> events) {
  if (events.empty()) return;
  LoggedTransaction transaction;
  transaction.time = state.now();
  transaction.keyspace = shard.keyspace;
  transaction.shard = shard.name;
  transaction.events = std::move(events);
  shard.log->Append(std::move(transaction));
}

bool SameColumns(const TableSchema& a, const TableSchema& b) {
  return std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(),
                    [](const Column& x, const Column& y) {
                      return x.name == y.name && x.column_type == y.column_type;
                    });
}

}  // namespace

absl::StatusOr<std::unique_ptr<Reshard>> Reshard::Start(ClusterState& state,
                                                        const ReshardOptions& options) {
  Keyspace* keyspace = state.FindKeyspace(options.keyspace);
  if (keyspace == nullptr) return absl::NotFoundError(Cat("no keyspace ", options.keyspace));
  const absl::StatusOr<KeyRange> from = Joined(options.sources);
  if (!from.ok()) return from.status();
  const absl::StatusOr<KeyRange> to = Joined(options.targets);
  if (!to.ok()) return to.status();
  if (from->begin != to->begin || from->end != to->end)
    return absl::InvalidArgumentError("sources and targets cover different key ranges");
  for (const std::string& name : options.targets) {
    if (keyspace->FindShard(name) != nullptr)
      return absl::AlreadyExistsError(Cat("shard ", name, " exists"));
  }
  auto reshard = std::unique_ptr<Reshard>(new Reshard(options));
  std::vector<topodata::TabletType> types;
  for (const auto& shard : keyspace->shards) {
    const auto& names = options.sources;
    if (std::find(names.begin(), names.end(), shard->name) == names.end()) continue;
    if (!shard->serving)
      return absl::FailedPreconditionError(Cat("shard ", shard->name, " does not serve"));
    if (types.empty()) {
      for (const Tablet& tablet : shard->tablets) types.push_back(tablet.type);
    }
    reshard->sources_.push_back({shard->name, shard->log->end_index()});
  }
  if (reshard->sources_.size() != options.sources.size())
    return absl::NotFoundError("a source shard does not exist");
  std::vector<std::unique_ptr<Shard>> targets;
  for (const std::string& name : options.targets) {
    absl::StatusOr<std::unique_ptr<Shard>> target = state.MakeShard(*keyspace, name, types);
    if (!target.ok()) return target.status();
    (*target)->serving = false;
    // Its sidecar database: the position of a server is never empty.
    LogInternal(state, **target, 1);
    targets.push_back(*std::move(target));
  }
  for (auto& target : targets) keyspace->shards.push_back(std::move(target));
  keyspace->SortShards();
  for (const auto& shard : keyspace->shards) {
    const auto& names = options.targets;
    if (std::find(names.begin(), names.end(), shard->name) != names.end())
      reshard->targets_.push_back(shard->name);
  }
  for (const Source& source : reshard->sources_) {
    const absl::Status status = reshard->Fill(state, *keyspace, *keyspace->FindShard(source.shard));
    if (status.ok()) continue;
    std::erase_if(keyspace->shards, [&](const auto& shard) {
      return std::find(reshard->targets_.begin(), reshard->targets_.end(), shard->name) !=
             reshard->targets_.end();
    });
    return status;
  }
  return reshard;
}

bool Reshard::Leads(const Keyspace& keyspace, const std::vector<Source>& sources,
                    const Shard& source, const Shard& target) {
  const auto first = std::find_if(sources.begin(), sources.end(), [&](const Source& other) {
    const auto shard =
        std::find_if(keyspace.shards.begin(), keyspace.shards.end(),
                     [&](const auto& candidate) { return candidate->name == other.shard; });
    return (*shard)->range.Intersects(target.range);
  });
  return first->shard == source.name;
}

absl::StatusOr<bool> Reshard::Holds(const Keyspace& keyspace, const Shard& source,
                                    const Shard& target, const TableSchema& schema,
                                    const Row* row) const {
  if (row == nullptr) return false;
  if (keyspace.reference_tables.count(schema.name) != 0)
    return Leads(keyspace, sources_, source, target);
  const absl::StatusOr<std::string> id = keyspace.KeyspaceIdOf(schema, *row);
  if (!id.ok()) return id.status();
  return target.range.Contains(*id);
}

absl::Status Reshard::Fill(ClusterState& state, Keyspace& keyspace, Shard& source) {
  for (const std::string& name : targets_) {
    Shard& target = *keyspace.FindShard(name);
    if (!source.range.Intersects(target.range)) continue;
    for (const auto& [table_name, table] : source.tables) {
      const auto [copy, added] =
          target.tables.try_emplace(table_name, Table{table.schema, 0, {}, 1});
      if (added) {
        copy->second.id = state.next_table_id++;
        LogInternal(state, target, 1);
      }
      std::vector<LoggedChange> changes;
      for (const auto& [key, row] : table.rows) {
        const absl::StatusOr<bool> holds =
            Holds(keyspace, source, target, *table.schema, row.get());
        if (!holds.ok()) return holds.status();
        if (!*holds) continue;
        PutRow(copy->second, row);
        changes.push_back({nullptr, row, nullptr});
      }
      Log(state, target, DivideIntoEvents(copy->second, std::move(changes)));
    }
  }
  return absl::OkStatus();
}

absl::Status Reshard::Follow(ClusterState& state) {
  if (switched_) return absl::OkStatus();
  Keyspace& keyspace = *state.FindKeyspace(options_.keyspace);
  for (bool applied = true; std::exchange(applied, false);) {
    for (Source& source : sources_) {
      const Shard& shard = *keyspace.FindShard(source.shard);
      while (source.next_index < shard.log->end_index()) {
        const LoggedTransactionPointer transaction = shard.log->At(source.next_index);
        // Targets on the same server log there too.
        if (transaction->keyspace == shard.keyspace && transaction->shard == shard.name) {
          const absl::StatusOr<bool> waits = WaitsForAnother(keyspace, shard, *transaction);
          if (!waits.ok()) return waits.status();
          if (*waits) break;
          const absl::Status status = ApplyToTargets(state, keyspace, shard, *transaction);
          if (!status.ok()) return status;
        }
        ++source.next_index;
        applied = true;
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Reshard::WaitsForAnother(Keyspace& keyspace, const Shard& source,
                                              const LoggedTransaction& transaction) const {
  std::set<const Row*> removed;
  for (const std::string& name : targets_) {
    Shard& target = *keyspace.FindShard(name);
    if (!source.range.Intersects(target.range)) continue;
    for (const RowsEvent& event : transaction.events) {
      Table* table = target.FindTable(event.schema->name);
      if (table == nullptr || table->schema->PrimaryKey() == nullptr) continue;
      for (const LoggedChange& change : event.changes) {
        if (change.before != nullptr) {
          const auto found = FindRow(*table, *change.before);
          if (found != table->rows.end()) removed.insert(found->second.get());
        }
        const absl::StatusOr<bool> holds =
            Holds(keyspace, source, target, *table->schema, change.after.get());
        if (!holds.ok()) return holds.status();
        if (!*holds) continue;
        const auto found = FindRow(*table, *change.after);
        if (found != table->rows.end() && removed.count(found->second.get()) == 0) return true;
      }
    }
  }
  return false;
}

absl::Status Reshard::ApplyToTargets(ClusterState& state, Keyspace& keyspace, const Shard& source,
                                     const LoggedTransaction& transaction) {
  for (const std::string& name : targets_) {
    Shard& target = *keyspace.FindShard(name);
    if (!source.range.Intersects(target.range)) continue;
    const absl::Status status = Apply(state, keyspace, source, target, transaction);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Reshard::Apply(ClusterState& state, Keyspace& keyspace, const Shard& source,
                            Shard& target, const LoggedTransaction& transaction) {
  if (transaction.kind == LoggedTransaction::Kind::kDefinition) {
    if (!Leads(keyspace, sources_, source, target)) return absl::OkStatus();
    return ApplyDefinition(state, target, transaction.statement);
  }
  std::vector<RowsEvent> events;
  for (const RowsEvent& event : transaction.events) {
    const absl::Status status = ApplyRows(keyspace, source, target, event, events);
    if (!status.ok()) return status;
  }
  Log(state, target, std::move(events));
  return absl::OkStatus();
}

absl::Status Reshard::ApplyRows(Keyspace& keyspace, const Shard& source, Shard& target,
                                const RowsEvent& event, std::vector<RowsEvent>& events) {
  Table* table = target.FindTable(event.schema->name);
  if (table == nullptr || !SameColumns(*table->schema, *event.schema)) {
    return absl::FailedPreconditionError(Cat("reshard of ", options_.keyspace, ": table ",
                                             event.schema->name, " differs between ", source.name,
                                             " and ", target.name));
  }
  std::vector<LoggedChange> changes;
  for (const LoggedChange& change : event.changes) {
    LoggedChange applied;
    for (const auto& [row, kept] :
         {std::pair(&change.before, &applied.before), std::pair(&change.after, &applied.after)}) {
      const absl::StatusOr<bool> holds =
          Holds(keyspace, source, target, *table->schema, row->get());
      if (!holds.ok()) return holds.status();
      if (*holds) *kept = *row;
    }
    if (applied.before == nullptr && applied.after == nullptr) continue;
    if (applied.before != nullptr) {
      if (const auto found = FindRow(*table, *applied.before); found != table->rows.end())
        table->rows.erase(found);
    }
    if (applied.after != nullptr) PutRow(*table, applied.after);
    // A row that comes from elsewhere is written whole.
    if (applied.before != nullptr || change.before == nullptr) applied.partial = change.partial;
    changes.push_back(std::move(applied));
  }
  for (RowsEvent& divided : DivideIntoEvents(*table, std::move(changes)))
    events.push_back(std::move(divided));
  return absl::OkStatus();
}

absl::Status Reshard::ApplyDefinition(ClusterState& state, const Shard& target,
                                      const std::string& statement) {
  const absl::StatusOr<Statement> parsed = Parse(statement);
  if (!parsed.ok()) return parsed.status();
  Target place;
  place.keyspace = target.keyspace;
  place.shard = target.name;
  place.of_workflow = true;
  WriteSet writes;
  return std::visit(
      [&](const auto& definition) -> absl::Status {
        using Definition = std::decay_t<decltype(definition)>;
        if constexpr (std::is_same_v<Definition, Control> || std::is_same_v<Definition, Use> ||
                      std::is_same_v<Definition, CreateKeyspace>) {
          return absl::OkStatus();
        } else {
          return SqlExecutor(state, place, writes, statement).Run(definition).status();
        }
      },
      *parsed);
}

binlogdata::Journal Reshard::MakeJournal(ClusterState& state, Keyspace& keyspace) const {
  binlogdata::Journal journal;
  std::string names;
  journal.set_migration_type(binlogdata::SHARDS);
  journal.add_tables("/.*");
  for (const std::string& name : targets_) {
    CatTo(&names, name, " ", state.servers_made, " ");
    binlogdata::ShardGtid& target = *journal.add_shard_gtids();
    target.set_keyspace(options_.keyspace);
    target.set_shard(name);
    target.set_gtid(keyspace.FindShard(name)->log->executed().ToPosition());
  }
  for (const Source& source : sources_) {
    CatTo(&names, source.shard, " ");
    binlogdata::KeyspaceShard& participant = *journal.add_participants();
    participant.set_keyspace(options_.keyspace);
    participant.set_shard(source.shard);
  }
  journal.set_id(static_cast<int64_t>(Xxhash64(names) >> 1));
  return journal;
}

bool Reshard::HasSource(std::string_view shard) const {
  return std::any_of(sources_.begin(), sources_.end(),
                     [&](const Source& source) { return source.shard == shard; });
}

void Reshard::Switch(ClusterState& state, const std::vector<std::string>& held) {
  Keyspace& keyspace = *state.FindKeyspace(options_.keyspace);
  const binlogdata::Journal journal = MakeJournal(state, keyspace);
  const auto sources = static_cast<int>(sources_.size());
  const auto targets = static_cast<int>(targets_.size());
  for (const Source& source : sources_) {
    Shard& shard = *keyspace.FindShard(source.shard);
    shard.serving = false;
    LoggedTransaction transaction;
    transaction.kind = LoggedTransaction::Kind::kJournal;
    transaction.keyspace = shard.keyspace;
    transaction.shard = shard.name;
    transaction.journal = journal;
    transaction.journal.set_local_position(shard.log->executed().ToPosition());
    // The counts are those of the recordings reshard-split and reshard-merge.
    LogInternal(state, shard, 2 * targets + 1);
    LoggedTransaction other;
    other.kind = LoggedTransaction::Kind::kDefinition;
    other.time = state.now();
    shard.log->Append(std::move(other));
    if (std::find(held.begin(), held.end(), shard.name) != held.end() &&
        !shard.held_index.has_value())
      shard.held_index = shard.log->end_index();
    transaction.time = state.now();
    shard.log->Append(std::move(transaction));
  }
  for (const std::string& name : targets_) {
    Shard& target = *keyspace.FindShard(name);
    LogInternal(state, target, sources + 1);
    target.serving = true;
  }
  switched_ = true;
}

void Reshard::Complete(ClusterState& state) {
  Keyspace& keyspace = *state.FindKeyspace(options_.keyspace);
  for (const Source& source : sources_) {
    const auto shard =
        std::find_if(keyspace.shards.begin(), keyspace.shards.end(),
                     [&](const auto& candidate) { return candidate->name == source.shard; });
    keyspace.dropped_shards.push_back(std::move(*shard));
    keyspace.shards.erase(shard);
  }
}

}  // namespace source_vitess::simulator
