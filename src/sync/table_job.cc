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
                   binlogdata::VGtid start)
    : context_(context),
      table_(table),
      group_(group),
      position_(std::move(start)),
      flushed_(position_),
      shards_(static_cast<size_t>(position_.shard_gtids_size())),
      reader_(context.client),
      rows_(shards_.size(), context.options.types, {context.client, context.options.query_timeout},
            context.sink, context.sequence),
      flusher_(context_, rows_, absl::Now()) {
  for (size_t i = 0; i < shards_.size(); ++i) {
    const binlogdata::ShardGtid& shard = position_.shard_gtids(static_cast<int>(i));
    shards_[i].copied = !shard.gtid().empty() && shard.table_p_ks().empty();
  }
}

vtgate::VStreamRequest TableJob::Request() const {
  vtgate::VStreamRequest request = MakeRequest(context_.options, position_);
  std::vector<std::string> columns;
  for (const mysql::Column& column : table_.schema.columns) {
    const auto names = [&](const std::vector<std::string>& list) {
      return std::find(list.begin(), list.end(), column.name) != list.end();
    };
    if (names(table_.columns) || names(table_.schema.key)) columns.push_back(column.name);
  }
  if (columns.size() == table_.schema.columns.size()) columns.clear();
  AddRule(table_, columns, *request.mutable_filter());
  return request;
}

JobOutcome TableJob::Run() {
  if (IsCopied()) return {JobEnd::kReached};
  reader_.Open(Request());
  JobOutcome outcome = Follow();
  // What came before the end is right, whatever the end was.
  if (absl::Status status = Flush(absl::Now()); !status.ok()) {
    return {JobEnd::kFailed, std::move(status)};
  }
  return outcome;
}

JobOutcome TableJob::Follow() {
  JobOutcome outcome{JobEnd::kReached};
  vtgate::VStreamResponse response;
  ResponseReuse reuse;
  bool ended = false;
  while (!ended && reader_.Read(&response)) {
    for (const binlogdata::VEvent& event : response.events()) {
      if (absl::Status status = Handle(event, outcome, ended); !status.ok()) {
        reader_.Cancel(absl::OkStatus());
        return {JobEnd::kFailed, std::move(status)};
      }
      if (ended) break;
    }
    tracker_.EndOfResponse();
    reuse.Used(response, rows_.TakeLargestRow());
    if (const absl::Time now = absl::Now(); !ended && flusher_.IsDue(now)) {
      if (absl::Status status = Flush(now); !status.ok()) {
        reader_.Cancel(absl::OkStatus());
        return {JobEnd::kFailed, std::move(status)};
      }
    }
  }
  if (ended) {
    reader_.Cancel(absl::OkStatus());
    return outcome;
  }
  absl::Status status = reader_.Finish();
  if (!status.ok()) return {JobEnd::kFailed, std::move(status)};
  if (reader_.cancelled()) return {JobEnd::kStopped};
  return {JobEnd::kFailed, vitess::TransientError("VTGate ended the stream")};
}

absl::Status TableJob::Handle(const binlogdata::VEvent& event, JobOutcome& outcome, bool& ended) {
  switch (event.type()) {
    case binlogdata::BEGIN:
      tracker_.Begin(event);
      return absl::OkStatus();
    case binlogdata::FIELD: {
      bool fallen_back = false;
      absl::Status status = HandleFields(event, fallen_back);
      if (fallen_back) {
        outcome.end = JobEnd::kFallenBack;
        ended = true;
      }
      return status;
    }
    case binlogdata::ROW:
      return HandleRows(event);
    case binlogdata::VGTID:
      tracker_.Vgtid(event);
      return absl::OkStatus();
    case binlogdata::COMMIT:
    case binlogdata::DDL:
    case binlogdata::OTHER:
      tracker_.Complete(event, [this](const binlogdata::ShardGtid& shard) { Moved(shard); });
      ended = IsCopied();
      return absl::OkStatus();
    case binlogdata::COPY_COMPLETED:
      CopyCompleted(event);
      ended = IsCopied();
      return absl::OkStatus();
    case binlogdata::JOURNAL:
      outcome.end = JobEnd::kResharded;
      outcome.journal = event.journal();
      ended = true;
      return absl::OkStatus();
    default:
      return absl::OkStatus();
  }
}

absl::Status TableJob::HandleFields(const binlogdata::VEvent& event, bool& fallen_back) {
  const binlogdata::FieldEvent& fields = event.field_event();
  const int shard = ShardIndex(fields.shard().empty() ? event.shard() : fields.shard());
  if (shard < 0 || BareTableName(table_.keyspace(), fields.table_name()) != table_.name()) {
    return absl::OkStatus();
  }
  const bool of_copy = event.timestamp() == 0;
  Shard& state = shards_[static_cast<size_t>(shard)];
  if (of_copy) {
    if (state.copying && !table_.schema.resumable) {
      fallen_back = true;
      return absl::OkStatus();
    }
    state.copying = true;
  }
  return rows_.SetFields(static_cast<size_t>(shard), table_, fields,
                         of_copy ? mysql::RowSource::kCopy : mysql::RowSource::kBinlog);
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
  return rows_.Append(static_cast<size_t>(shard), rows, event.timestamp());
}

void TableJob::Moved(const binlogdata::ShardGtid& shard) {
  const int index = ShardIndex(shard.shard());
  if (index < 0) return;
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
  position.set_gtid(shard.gtid());
  moved_ = true;
}

void TableJob::CopyCompleted(const binlogdata::VEvent& event) {
  const int index = ShardIndex(event.shard());
  if (index < 0) return;
  binlogdata::ShardGtid& position = *position_.mutable_shard_gtids(index);
  if (position.gtid().empty()) return;  // nothing was copied that a position could tell of
  position.clear_table_p_ks();
  shards_[static_cast<size_t>(index)].copied = true;
  moved_ = true;
}

absl::Status TableJob::Flush(absl::Time now) {
  if (absl::Status status = rows_.Complete(); !status.ok()) {
    position_ = flushed_;
    return status;
  }
  if (!moved_ && rows_.empty()) return absl::OkStatus();
  flushed_ = position_;
  const PositionUpdate update{table_.index, group_,
                              std::make_shared<const binlogdata::VGtid>(position_)};
  moved_ = false;
  return flusher_.Flush({&update, 1}, now);
}

bool TableJob::IsCopied() const {
  return std::all_of(shards_.begin(), shards_.end(),
                     [](const Shard& shard) { return shard.copied; });
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
