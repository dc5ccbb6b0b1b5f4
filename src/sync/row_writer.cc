#include "sync/row_writer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "vitess/errors.h"

namespace source_vitess::sync {
namespace {

// The bytes of one column of a row; an absent optional is NULL.
std::optional<std::string_view> RawColumn(const query::Row& row, size_t column) {
  const int index = static_cast<int>(column);
  if (index >= row.lengths_size() || row.lengths(index) < 0) return std::nullopt;
  size_t offset = 0;
  for (int i = 0; i < index; ++i)
    offset += static_cast<size_t>(std::max<int64_t>(row.lengths(i), 0));
  const auto length = static_cast<size_t>(row.lengths(index));
  if (offset > row.values().size() || length > row.values().size() - offset) return std::nullopt;
  return std::string_view(row.values()).substr(offset, length);
}

// Rows that cannot be told which columns they have are those of another schema than the tablet's
// (rule 10).
absl::Status Explained(absl::Status status, const Table& table) {
  if (absl::IsFailedPrecondition(status)) {
    status = vitess::LostPositionError(
        absl::StrCat("the schema of the table was changed behind the stream: ", status.message()));
  }
  return vitess::Annotate(std::move(status),
                          absl::StrCat("table ", table.keyspace(), ".", table.name()));
}

bool KeyChanged(const std::vector<size_t>& key, const query::Row& before, const query::Row& after) {
  return std::any_of(key.begin(), key.end(), [&](size_t column) {
    return RawColumn(before, column) != RawColumn(after, column);
  });
}

}  // namespace

RowWriter::RowWriter(size_t slots, const mysql::TypeOptions& types, Sink& sink,
                     std::atomic<uint64_t>& sequence)
    : types_(types), sequence_(sequence), batch_(sink.NewBatch()), slots_(slots) {}

absl::Status RowWriter::SetFields(size_t slot_index, const Table& table,
                                  const binlogdata::FieldEvent& event, mysql::RowSource source) {
  Slot& slot = slots_[slot_index];
  // VTGate sends the fields again whenever it begins a stream anew, mostly the same ones.
  std::string fields = event.SerializeAsString();
  if (slot.decoder.has_value() && slot.source == source && slot.fields == fields) {
    return absl::OkStatus();
  }

  std::vector<const query::Field*> columns;
  columns.reserve(static_cast<size_t>(event.fields_size()));
  for (const query::Field& field : event.fields()) columns.push_back(&field);
  std::vector<std::string> wanted = table.columns;
  wanted.insert(wanted.end(), table.schema.key.begin(), table.schema.key.end());
  auto decoder = mysql::RowDecoder::Make(columns, table.schema, wanted, source,
                                         event.enum_set_string_values(), types_);
  if (!decoder.ok()) return Explained(decoder.status(), table);

  slot.key.clear();
  for (size_t i = 0; i < columns.size(); ++i) {
    if (std::find(table.schema.key.begin(), table.schema.key.end(), columns[i]->name()) !=
        table.schema.key.end()) {
      slot.key.push_back(i);
    }
  }
  slot.layout = batch_->AddLayout(table, decoder->columns());
  slot.decoder.emplace(*std::move(decoder));
  slot.source = source;
  slot.fields = std::move(fields);
  slot.table = &table;
  return absl::OkStatus();
}

absl::Status RowWriter::Append(size_t slot_index, const binlogdata::RowEvent& event,
                               int64_t commit_seconds) {
  Slot& slot = slots_[slot_index];
  if (!slot.decoder.has_value()) {
    return absl::InternalError(
        absl::StrCat("rows of table ", event.table_name(), " came before its FIELD event"));
  }
  for (const binlogdata::RowChange& change : event.row_changes()) {
    largest_row_ =
        std::max({largest_row_, change.before().values().size(), change.after().values().size()});
    if (absl::Status status = AppendChange(slot, change, commit_seconds); !status.ok())
      return status;
  }
  return absl::OkStatus();
}

absl::Status RowWriter::AppendChange(Slot& slot, const binlogdata::RowChange& change,
                                     int64_t commit_seconds) {
  RowChange out;
  out.commit_seconds = commit_seconds;
  const bool copied = slot.source == mysql::RowSource::kCopy;
  if (change.has_after()) {
    out.kind = copied                ? ChangeKind::kCopy
               : change.has_before() ? ChangeKind::kUpdate
                                     : ChangeKind::kInsert;
    const auto* data_columns = change.has_data_columns() ? &change.data_columns() : nullptr;
    const auto* partial =
        change.has_json_partial_values() ? &change.json_partial_values() : nullptr;
    absl::Status status = slot.decoder->Decode(change.after(), data_columns, partial, after_);
    if (!status.ok()) return Explained(std::move(status), *slot.table);
    out.after = after_.values();
    out.key_changed = change.has_before() && KeyChanged(slot.key, change.before(), change.after());
  } else if (change.has_before()) {
    out.kind = ChangeKind::kDelete;
  } else {
    return absl::OkStatus();  // a change without images says nothing
  }
  if (out.kind == ChangeKind::kDelete || out.key_changed) {
    absl::Status status = slot.decoder->Decode(change.before(), nullptr, nullptr, before_);
    if (!status.ok()) return Explained(std::move(status), *slot.table);
    out.before = before_.values();
  }
  out.sequence = sequence_.fetch_add(out.key_changed ? 2 : 1, std::memory_order_relaxed) + 1;
  batch_->Append(slot.layout, out);
  return absl::OkStatus();
}

}  // namespace source_vitess::sync
