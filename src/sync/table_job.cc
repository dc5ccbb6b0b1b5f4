#include "sync/table_job.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "vitess/errors.h"

namespace source_vitess::sync {
namespace {

// The entry that says how far the copy of the table has come; null when there is none.
const binlogdata::TableLastPK* FindEntry(const binlogdata::ShardGtid& shard,
                                         std::string_view table) {
  for (const binlogdata::TableLastPK& entry : shard.table_p_ks()) {
    if (entry.table_name() == table) return &entry;
  }
  return nullptr;
}

}  // namespace

TableJob::TableJob(const JobContext& context, const Table& table, size_t group,
                   binlogdata::VGtid start, const TablePosition& known)
    : StreamJob(context, group, static_cast<size_t>(start.shard_gtids_size()),
                static_cast<size_t>(start.shard_gtids_size())),
      table_(table),
      position_(std::move(start)),
      flushed_(position_),
      shards_(static_cast<size_t>(position_.shard_gtids_size())) {
  for (size_t i = 0; i < shards_.size(); ++i) {
    const binlogdata::ShardGtid& shard = position_.shard_gtids(static_cast<int>(i));
    Shard& state = shards_[i];
    ReportSlot(i, table_, i, shard.shard());
    state.copied = sync::IsCopied(shard);
    state.repeated = known.repeated.contains(shard.shard());
    state.begins_at_since = state.repeated || (!state.copied && !table_.schema.resumable);
    const auto columns = known.columns.find(shard.shard());
    if (columns == known.columns.end()) continue;
    state.reported = columns->second;
    if (state.begins_at_since) {
      state.since_columns = columns->second;
    } else {
      columns_[i] = SchemaWatch(columns->second);
    }
  }
}

vtgate::VStreamRequest TableJob::Request() {
  vtgate::VStreamRequest request = MakeRequest(context_.options, position_);
  for (const mysql::Column& column : table_.schema.columns) {
    const auto names = [&](const std::vector<std::string>& list) {
      return std::find(list.begin(), list.end(), column.name) != list.end();
    };
    if (names(table_.columns) || names(table_.schema.key)) asked_.push_back(column.name);
  }
  if (asked_.size() == table_.schema.columns.size()) asked_.clear();
  AddRule(table_, asked_, *request.mutable_filter());
  return request;
}

JobOutcome TableJob::Run() {
  const bool copied =
      std::all_of(shards_.begin(), shards_.end(), [](const Shard& shard) { return shard.copied; });
  if (copied) return {JobEnd::kReached};
  JobOutcome outcome = Follow(Request());
  // What came before the end is right, whatever the end was.
  if (absl::Status status = Flush(absl::Now()); !status.ok()) {
    return {JobEnd::kFailed, std::move(status)};
  }
  return outcome;
}

absl::Status TableJob::Handle(const binlogdata::VEvent& event) {
  switch (event.type()) {
    case binlogdata::BEGIN:
      if (event.timestamp() != 0) LeaveSnapshot(event);
      tracker_.Begin(event);
      return absl::OkStatus();
    case binlogdata::FIELD:
      return HandleFields(event);
    case binlogdata::ROW:
      return HandleRows(event);
    case binlogdata::VGTID:
      tracker_.Vgtid(event);
      return absl::OkStatus();
    case binlogdata::DDL:
      if (absl::Status status = HandleDdl(event); !status.ok()) return status;
      [[fallthrough]];
    case binlogdata::OTHER:
      LeaveSnapshot(event);
      [[fallthrough]];
    case binlogdata::COMMIT: {
      const bool is_copy = event.timestamp() == 0;
      tracker_.Complete(event, [&](const binlogdata::ShardGtid& shard) { Moved(shard, is_copy); });
      EndWhenDone();
      return absl::OkStatus();
    }
    case binlogdata::COPY_COMPLETED:
      CopyCompleted(event);
      EndWhenDone();
      return absl::OkStatus();
    case binlogdata::JOURNAL: {
      absl::Status status = HandleJournal(event);
      EndWhenDone();
      return status;
    }
    case binlogdata::INSERT:
    case binlogdata::REPLACE:
    case binlogdata::UPDATE:
    case binlogdata::DELETE:
      return HandleStatement(event);
    default:
      return absl::OkStatus();
  }
}

void TableJob::EndWhenDone() {
  bool done = true;
  bool retired = false;
  for (size_t i = 0; i < shards_.size(); ++i) {
    retired = retired || IsRetired(i);
    done = done && (shards_[i].copied || IsRetired(i));
  }
  if (done) {
    End(JobEnd::kReached);
  } else if (retired && table_.schema.resumable && JournalsAreComplete()) {
    End(JobEnd::kResharded);
  }
}

absl::Status TableJob::HandleFields(const binlogdata::VEvent& event) {
  const binlogdata::FieldEvent& fields = event.field_event();
  const int shard = ShardIndex(fields.shard().empty() ? event.shard() : fields.shard());
  if (shard < 0 || BareTableName(table_.keyspace(), fields.table_name()) != table_.name()) {
    return absl::OkStatus();
  }
  if (absl::Status status = CheckKey(table_, fields); !status.ok()) return status;
  const bool of_copy = event.timestamp() == 0;
  const auto slot = static_cast<size_t>(shard);
  Shard& state = shards_[slot];
  if (of_copy) {
    if (state.copying && !table_.schema.resumable) {
      End(JobEnd::kFallenBack);
      return absl::OkStatus();
    }
    state.copying = true;
    state.of_snapshot = columns_[slot];
    state.of_snapshot->Copy(fields, asked_);
  } else if (table_.incremental) {
    absl::Status status = ColumnsToChange(slot).Changes(fields, asked_);
    if (!status.ok()) return status;
  }
  return rows_.SetFields(slot, table_, fields,
                         of_copy ? mysql::RowSource::kCopy : mysql::RowSource::kBinlog);
}

absl::Status TableJob::HandleDdl(const binlogdata::VEvent& event) {
  const int shard = ShardIndex(event.shard());
  if (shard < 0) return absl::OkStatus();
  return StreamJob::HandleDdl(table_, event, ColumnsToChange(static_cast<size_t>(shard)));
}

absl::Status TableJob::HandleStatement(const binlogdata::VEvent& event) {
  const int shard = ShardIndex(event.shard());
  // A full refresh is the copy alone.
  if (shard < 0 || IsRetired(static_cast<size_t>(shard)) || !table_.incremental) {
    return absl::OkStatus();
  }
  return StatementError(event);
}

absl::Status TableJob::HandleRows(const binlogdata::VEvent& event) {
  const binlogdata::RowEvent& rows = event.row_event();
  const int shard = ShardIndex(rows.shard().empty() ? event.shard() : rows.shard());
  if (shard < 0 || BareTableName(table_.keyspace(), rows.table_name()) != table_.name()) {
    return absl::OkStatus();
  }
  // A full refresh is the copy alone: changes of rows that were copied before would be repeated
  // rows.
  if (event.timestamp() != 0 && !table_.incremental) return absl::OkStatus();
  Count(static_cast<size_t>(shard), rows, /*are_copied=*/event.timestamp() == 0);
  return rows_.Append(static_cast<size_t>(shard), rows, event.timestamp());
}

void TableJob::ReachSnapshot(size_t shard) {
  std::optional<SchemaWatch>& of_snapshot = shards_[shard].of_snapshot;
  if (!of_snapshot.has_value()) return;
  ColumnsToChange(shard) = *std::move(of_snapshot);
  of_snapshot.reset();
}

// VTGate called the tablet again, from the last position: changes of before the snapshot come.
void TableJob::LeaveSnapshot(const binlogdata::VEvent& event) {
  const int shard = ShardIndex(event.shard());
  if (shard >= 0) shards_[static_cast<size_t>(shard)].of_snapshot.reset();
}

void TableJob::Moved(const binlogdata::ShardGtid& shard, bool is_copy) {
  const int index = ShardIndex(shard.shard());
  if (index < 0 || IsRetired(static_cast<size_t>(index))) return;
  Shard& state = shards_[static_cast<size_t>(index)];
  binlogdata::ShardGtid& position = *position_.mutable_shard_gtids(index);
  if (!state.copied) {
    const binlogdata::TableLastPK* entry = FindEntry(shard, table_.name());
    if (entry != nullptr && entry->has_lastpk()) {
      // A key that cannot be resumed after has nothing to be saved but that the copy was begun.
      if (!table_.schema.resumable) return;
      position.clear_table_p_ks();
      *position.add_table_p_ks() = *entry;
    } else if (entry == nullptr && state.copying) {
      position.clear_table_p_ks();
      state.copied = true;
    } else {
      return;
    }
  }
  if (is_copy) ReachSnapshot(static_cast<size_t>(index));
  position.set_gtid(shard.gtid());
  moved_ = true;
}

void TableJob::CopyCompleted(const binlogdata::VEvent& event) {
  const int index = ShardIndex(event.shard());
  if (index < 0 || IsRetired(static_cast<size_t>(index))) return;
  binlogdata::ShardGtid& position = *position_.mutable_shard_gtids(index);
  if (position.gtid().empty()) return;  // nothing was copied that a position could tell of
  position.clear_table_p_ks();
  ReachSnapshot(static_cast<size_t>(index));
  shards_[static_cast<size_t>(index)].copied = true;
  moved_ = true;
}

absl::Status TableJob::Flush(absl::Time now) {
  if (absl::Status status = rows_.Complete(); !status.ok()) {
    SetBack();
    return status;
  }
  KeepChangedColumns();
  if (!moved_ && rows_.empty()) return absl::OkStatus();
  flushed_ = position_;
  const PositionUpdate update{table_.index, group_,
                              std::make_shared<const binlogdata::VGtid>(position_),
                              TakeChangedColumns()};
  moved_ = false;
  return flusher_.Flush({&update, 1}, now);
}

// Rows are missing behind what was handed over.
void TableJob::SetBack() {
  position_ = flushed_;
  for (size_t i = 0; i < shards_.size(); ++i) {
    shards_[i].copied = sync::IsCopied(position_.shard_gtids(static_cast<int>(i)));
  }
  SetColumnsBack();
}

// As of the position that the shard would be read from.
const SchemaWatch::Columns& TableJob::ColumnsOf(size_t shard) const {
  const Shard& state = shards_[shard];
  const bool at_since = state.begins_at_since && (!state.copied || state.repeated);
  return at_since ? state.since_columns : columns_[shard].known();
}

PositionColumns TableJob::columns() const {
  PositionColumns columns;
  for (size_t i = 0; i < shards_.size(); ++i) {
    if (ColumnsOf(i) == nullptr) continue;
    columns[position_.shard_gtids(static_cast<int>(i)).shard()] = ColumnsOf(i);
  }
  return columns;
}

std::shared_ptr<const PositionColumns> TableJob::TakeChangedColumns() {
  std::shared_ptr<PositionColumns> changed;
  for (size_t i = 0; i < shards_.size(); ++i) {
    if (ColumnsOf(i) == shards_[i].reported) continue;
    shards_[i].reported = ColumnsOf(i);
    if (changed == nullptr) changed = std::make_shared<PositionColumns>();
    (*changed)[position_.shard_gtids(static_cast<int>(i)).shard()] = ColumnsOf(i);
  }
  return changed;
}

int TableJob::ShardIndex(std::string_view shard) const {
  if (position_.shard_gtids_size() > last_shard_ &&
      position_.shard_gtids(last_shard_).shard() == shard) {
    return last_shard_;
  }
  for (int i = 0; i < position_.shard_gtids_size(); ++i) {
    if (position_.shard_gtids(i).shard() == shard) return last_shard_ = i;
  }
  return -1;
}

}  // namespace source_vitess::sync
