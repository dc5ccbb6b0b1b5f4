#include "simulator/write_set.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

enum class ChangeKind { kInsert, kUpdate, kDelete };

ChangeKind KindOf(const LoggedChange& change) {
  if (change.before == nullptr) return ChangeKind::kInsert;
  return change.after == nullptr ? ChangeKind::kDelete : ChangeKind::kUpdate;
}

RowPointer Committed(const Table& table, const std::string& key) {
  const auto found = table.rows.find(key);
  return found == table.rows.end() ? nullptr : found->second;
}

}  // namespace

RowPointer WriteSet::Find(Shard& shard, const Table& table, const std::string& key) const {
  if (const auto writes = shards_.find(&shard); writes != shards_.end()) {
    if (const auto staged = writes->second.tables.find(table.schema->name);
        staged != writes->second.tables.end()) {
      if (const auto row = staged->second.find(key); row != staged->second.end())
        return row->second.current;
    }
  }
  return Committed(table, key);
}

void WriteSet::ForEach(
    Shard& shard, const Table& table,
    const std::function<bool(const std::string&, const RowPointer&)>& visit) const {
  static const StagedRows kNone;
  const StagedRows* staged = &kNone;
  if (const auto writes = shards_.find(&shard); writes != shards_.end()) {
    const auto rows = writes->second.tables.find(table.schema->name);
    if (rows != writes->second.tables.end()) staged = &rows->second;
  }
  auto own = staged->begin();
  auto committed = table.rows.begin();
  while (own != staged->end() || committed != table.rows.end()) {
    const bool take_own =
        own != staged->end() && (committed == table.rows.end() || own->first <= committed->first);
    if (!take_own) {
      if (!visit(committed->first, committed->second)) return;
      ++committed;
      continue;
    }
    if (committed != table.rows.end() && committed->first == own->first) ++committed;
    if (own->second.current != nullptr && !visit(own->first, own->second.current)) return;
    ++own;
  }
}

void WriteSet::Stage(Shard& shard, const Table& table, const std::string& key, RowPointer row) {
  const auto [writes, inserted] = shards_.try_emplace(&shard);
  if (inserted) shard_order_.push_back(&shard);
  StagedRows& rows = writes->second.tables[table.schema->name];
  const auto found = rows.find(key);
  if (found == rows.end()) {
    undo_.push_back({&shard, table.schema->name, key, std::nullopt});
    rows.emplace(key, Staged{Committed(table, key), std::move(row)});
  } else {
    undo_.push_back({&shard, table.schema->name, key, found->second});
    found->second.current = std::move(row);
  }
}

void WriteSet::Put(Shard& shard, Table& table, const std::string& key, RowPointer row,
                   std::shared_ptr<const PartialImages> partial) {
  RowPointer before = Find(shard, table, key);
  Stage(shard, table, key, row);
  statement_.push_back({&shard, &table, {std::move(before), std::move(row), std::move(partial)}});
}

void WriteSet::Replace(Shard& shard, Table& table, const std::string& old_key,
                       const std::string& new_key, RowPointer row,
                       std::shared_ptr<const PartialImages> partial) {
  RowPointer before = Find(shard, table, old_key);
  if (old_key != new_key) Stage(shard, table, old_key, nullptr);
  Stage(shard, table, new_key, row);
  statement_.push_back({&shard, &table, {std::move(before), std::move(row), std::move(partial)}});
}

void WriteSet::EndStatement() {
  size_t begin = 0;
  // Changes of one shard, table and kind that follow each other go into the same rows events.
  while (begin < statement_.size()) {
    const StatementChange& first = statement_[begin];
    std::vector<LoggedChange> changes;
    size_t end = begin;
    for (; end < statement_.size(); ++end) {
      const StatementChange& next = statement_[end];
      const bool same = next.shard == first.shard && next.table == first.table &&
                        KindOf(next.change) == KindOf(first.change);
      if (!same) break;
      changes.push_back(next.change);
    }
    std::vector<RowsEvent>& events = shards_[first.shard].events;
    for (RowsEvent& event : DivideIntoEvents(*first.table, std::move(changes)))
      events.push_back(std::move(event));
    begin = end;
  }
  statement_.clear();
  undo_.clear();
}

void WriteSet::AbortStatement() {
  for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) {
    StagedRows& rows = shards_[undo->shard].tables[undo->table];
    if (undo->before.has_value()) {
      rows[undo->key] = *undo->before;
    } else {
      rows.erase(undo->key);
    }
  }
  statement_.clear();
  undo_.clear();
}

absl::Status WriteSet::CheckConflicts() const {
  for (const auto& [shard, writes] : shards_) {
    if (!shard->serving) {
      return absl::AbortedError(Cat("target: ", shard->keyspace, ".", shard->name,
                                    ".primary: vttablet: rpc error: code = Aborted desc = "
                                    "transaction ended: query service is disabled"));
    }
    for (const auto& [name, rows] : writes.tables) {
      const Table* table = shard->FindTable(name);
      const bool changed = std::any_of(rows.begin(), rows.end(), [&](const auto& entry) {
        return table == nullptr || Committed(*table, entry.first) != entry.second.base;
      });
      if (changed) {
        return absl::AbortedError(
            "Deadlock found when trying to get lock; try restarting transaction (errno 1213) "
            "(sqlstate 40001)");
      }
    }
  }
  return absl::OkStatus();
}

absl::Status WriteSet::Commit(absl::Time time) {
  if (absl::Status status = CheckConflicts(); !status.ok()) return status;
  for (Shard* shard : shard_order_) {
    ShardWrites& writes = shards_[shard];
    if (writes.events.empty()) continue;
    for (auto& [name, rows] : writes.tables) {
      Rows& committed = shard->FindTable(name)->rows;
      for (auto& [key, staged] : rows) {
        if (staged.current == nullptr) {
          committed.erase(key);
        } else {
          committed[key] = std::move(staged.current);
        }
      }
    }
    LoggedTransaction transaction;
    transaction.time = time;
    transaction.keyspace = shard->keyspace;
    transaction.shard = shard->name;
    transaction.events = std::move(writes.events);
    shard->log->Append(std::move(transaction));
  }
  shards_.clear();
  shard_order_.clear();
  return absl::OkStatus();
}

}  // namespace source_vitess::simulator
