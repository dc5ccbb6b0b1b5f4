#include "sync/checkpointer.h"

#include <utility>

namespace source_vitess::sync {
namespace {

void TakeOver(const PositionColumns& changed, PositionColumns& columns) {
  for (const auto& [shard, of_shard] : changed) {
    if (of_shard != nullptr) {
      columns[shard] = of_shard;
    } else {
      columns.erase(shard);
    }
  }
}

}  // namespace

Checkpointer::Checkpointer(Policy policy, std::span<const Table> tables,
                           const std::atomic<uint64_t>& sequence, Sink& sink, absl::Time now)
    : policy_(policy),
      tables_(tables),
      sequence_(sequence),
      sink_(sink),
      progress_(tables.size()),
      last_sweep_(now) {}

void Checkpointer::Restore(size_t table, TablePosition position) {
  const std::lock_guard lock(mutex_);
  progress_[table].position = std::move(position);
}

void Checkpointer::SetEstimate(size_t table, TableEstimate estimate) {
  const std::lock_guard lock(mutex_);
  progress_[table].estimate = estimate;
}

absl::Status Checkpointer::Start(size_t table) {
  const std::lock_guard lock(mutex_);
  return StartLocked(table);
}

absl::Status Checkpointer::StartLocked(size_t table) {
  if (std::exchange(progress_[table].started, true)) return absl::OkStatus();
  absl::Status status = sink_.Started(tables_[table]);
  const std::optional<TableEstimate>& estimate = progress_[table].estimate;
  if (!status.ok() || !estimate.has_value()) return status;
  return sink_.Estimated(tables_[table], *estimate);
}

absl::Status Checkpointer::Write(const RowBatch* batch, std::span<const PositionUpdate> updates,
                                 absl::Time now) {
  const std::lock_guard lock(mutex_);
  if (batch != nullptr) {
    if (absl::Status status = sink_.Write(*batch); !status.ok()) return status;
    for (const RecordCount& count : batch->counts()) {
      progress_[count.table].records += count.records;
      progress_[count.table].written += count.records;
    }
  }
  for (const PositionUpdate& update : updates) {
    Progress& progress = progress_[update.table];
    if (progress.updates.size() <= update.group) progress.updates.resize(update.group + 1);
    progress.updates[update.group] = update.shards;
    if (update.columns != nullptr) TakeOver(*update.columns, progress.position.columns);
    progress.moved = true;
  }

  std::vector<size_t> due;
  if (now - last_sweep_ >= policy_.time) {
    last_sweep_ = now;
    for (size_t table = 0; table < progress_.size(); ++table) {
      if (progress_[table].moved) due.push_back(table);
    }
  } else {
    for (const PositionUpdate& update : updates) {
      if (progress_[update.table].records >= policy_.interval) due.push_back(update.table);
    }
  }
  return HandOut(due);
}

absl::Status Checkpointer::Truncate(size_t table) {
  const std::lock_guard lock(mutex_);
  if (absl::Status status = StartLocked(table); !status.ok()) return status;
  return sink_.Truncate(tables_[table]);
}

void Checkpointer::Amend(size_t table, const std::function<void(TablePosition&)>& change) {
  const std::lock_guard lock(mutex_);
  Progress& progress = progress_[table];
  Compose(progress);
  const TablePosition before = progress.position;
  change(progress.position);
  progress.moved = progress.moved || !(progress.position == before);
}

absl::Status Checkpointer::Announce(size_t table) {
  const std::lock_guard lock(mutex_);
  if (absl::Status status = StartLocked(table); !status.ok()) return status;
  return HandOut({&table, 1});
}

absl::Status Checkpointer::Finish(size_t table, const absl::Status& status) {
  const std::lock_guard lock(mutex_);
  Progress& progress = progress_[table];
  if (std::exchange(progress.finished, true)) return absl::OkStatus();
  if (absl::Status s = StartLocked(table); !s.ok()) return s;
  const bool news = progress.moved || progress.records > 0;
  if (news || (status.ok() && !progress.handed_out)) {
    if (absl::Status s = HandOut({&table, 1}); !s.ok()) return s;
  }
  return sink_.Finished(tables_[table], status);
}

uint64_t Checkpointer::records_written(size_t table) const {
  const std::lock_guard lock(mutex_);
  return progress_[table].written;
}

void Checkpointer::Compose(Progress& progress) {
  for (std::shared_ptr<const binlogdata::VGtid>& update : progress.updates) {
    if (update == nullptr) continue;
    for (const binlogdata::ShardGtid& moved : update->shard_gtids()) {
      for (binlogdata::ShardGtid& shard : *progress.position.vgtid.mutable_shard_gtids()) {
        if (shard.shard() == moved.shard()) shard = moved;
      }
    }
    update = nullptr;
  }
  progress.position.cursor = sequence_.load(std::memory_order_relaxed);
}

absl::Status Checkpointer::HandOut(std::span<const size_t> tables) {
  if (tables.empty()) return absl::OkStatus();
  std::vector<TableCheckpoint> checkpoints;
  checkpoints.reserve(tables.size());
  for (const size_t table : tables) {
    Progress& progress = progress_[table];
    Compose(progress);
    checkpoints.push_back(
        {&tables_[table], &progress.position, std::exchange(progress.records, 0)});
    progress.moved = false;
    progress.handed_out = true;
    table_progress_.Checkpointed(table, absl::Now());
  }
  return sink_.Checkpoint(checkpoints);
}

}  // namespace source_vitess::sync
