#include "sync/row_writer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "vitess/errors.h"

namespace source_vitess::sync {
namespace {

// Of changes held back: as many as a query or two asks for, and a bound of memory.
constexpr size_t kMostHeldBack = 500;
constexpr size_t kMostBytesHeldBack = size_t{4} << 20;

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

// The columns to decode.
std::vector<std::string> WantedColumns(const Table& table) {
  std::vector<std::string> wanted = table.columns;
  wanted.insert(wanted.end(), table.schema.key.begin(), table.schema.key.end());
  return wanted;
}

std::vector<size_t> PlacesOf(const std::vector<std::string>& names,
                             const std::vector<const query::Field*>& fields) {
  std::vector<size_t> places;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (std::find(names.begin(), names.end(), fields[i]->name()) != names.end()) {
      places.push_back(i);
    }
  }
  return places;
}

}  // namespace

RowWriter::RowWriter(size_t slots, const mysql::TypeOptions& types, const RowFetcher::Source& fetch,
                     Sink& sink, std::atomic<uint64_t>& sequence)
    : types_(types),
      fetch_(fetch),
      sequence_(sequence),
      batch_(sink.NewBatch()),
      fetches_(!batch_->TakesAbsentColumns()),
      slots_(slots) {}

absl::Status RowWriter::SetFields(size_t slot_index, const Table& table,
                                  const binlogdata::FieldEvent& event, mysql::RowSource source) {
  Slot& slot = slots_[slot_index];
  // VTGate sends the fields again whenever it begins a stream anew, mostly the same ones.
  std::string fields = event.SerializeAsString();
  if (slot.decoder.has_value() && slot.source == source && slot.fields == fields) {
    return absl::OkStatus();
  }
  // What is held back is of the fields before.
  if (absl::Status status = Complete(); !status.ok()) return status;

  std::vector<const query::Field*> columns;
  columns.reserve(static_cast<size_t>(event.fields_size()));
  for (const query::Field& field : event.fields()) columns.push_back(&field);
  const std::vector<std::string> wanted = WantedColumns(table);
  auto decoder = mysql::RowDecoder::Make(columns, table.schema, wanted, source,
                                         event.enum_set_string_values(), types_);
  if (!decoder.ok()) return Explained(decoder.status(), table);

  slot.key = PlacesOf(table.schema.key, columns);
  slot.delivered = PlacesOf(table.columns, columns);
  slot.fetcher.reset();
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
    absl::Status status = held_back_.empty() ? AppendChange(slot_index, change, commit_seconds)
                                             : HoldBack(slot_index, change, commit_seconds);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status RowWriter::AppendChange(size_t slot_index, const binlogdata::RowChange& change,
                                     int64_t commit_seconds) {
  Slot& slot = slots_[slot_index];
  RowChange out;
  out.commit_seconds = commit_seconds;
  const bool copied = slot.source == mysql::RowSource::kCopy;
  if (change.has_after()) {
    out.kind = copied                ? ChangeKind::kCopy
               : change.has_before() ? ChangeKind::kUpdate
                                     : ChangeKind::kInsert;
    if (absl::Status status = DecodeAfter(slot, change); !status.ok()) return status;
    if (LacksColumns(slot, change)) return HoldBack(slot_index, change, commit_seconds);
    out.after = after_.values();
    out.key_changed = change.has_before() && KeyChanged(slot.key, change.before(), change.after());
  } else if (change.has_before()) {
    out.kind = ChangeKind::kDelete;
  } else {
    return absl::OkStatus();  // a change without images says nothing
  }
  return Emit(slot, change, out);
}

// Adds the image before to the row, where it has one to tell, and appends it.
absl::Status RowWriter::Emit(const Slot& slot, const binlogdata::RowChange& change,
                             RowChange& out) {
  if (out.kind == ChangeKind::kDelete || out.key_changed) {
    absl::Status status = slot.decoder->Decode(change.before(), nullptr, nullptr, before_);
    if (!status.ok()) return Explained(std::move(status), *slot.table);
    out.before = before_.values();
  }
  out.sequence = sequence_.fetch_add(out.key_changed ? 2 : 1, std::memory_order_relaxed) + 1;
  batch_->Append(slot.layout, out);
  return absl::OkStatus();
}

absl::Status RowWriter::DecodeAfter(const Slot& slot, const binlogdata::RowChange& change) {
  const auto* data_columns = change.has_data_columns() ? &change.data_columns() : nullptr;
  const auto* partial = change.has_json_partial_values() ? &change.json_partial_values() : nullptr;
  absl::Status status = slot.decoder->Decode(change.after(), data_columns, partial, after_);
  return status.ok() ? status : Explained(std::move(status), *slot.table);
}

// Of the change in after_: whether a column that is to go out is not in it, for a sink that needs
// it.
bool RowWriter::LacksColumns(const Slot& slot, const binlogdata::RowChange& change) const {
  if (!change.has_data_columns() && !change.has_json_partial_values()) return false;
  return fetches_ && !slot.key.empty() &&
         std::any_of(slot.delivered.begin(), slot.delivered.end(), [&](size_t column) {
           return after_.values()[column].kind == mysql::Kind::kAbsent;
         });
}

absl::Status RowWriter::HoldBack(size_t slot, const binlogdata::RowChange& change,
                                 int64_t commit_seconds) {
  held_back_.push_back({slot, change, commit_seconds});
  held_back_bytes_ += change.before().values().size() + change.after().values().size();
  if (held_back_.size() < kMostHeldBack && held_back_bytes_ < kMostBytesHeldBack) {
    return absl::OkStatus();
  }
  return Complete();
}

absl::Status RowWriter::Complete() {
  if (!failure_.ok() || held_back_.empty()) return failure_;
  failure_ = CompleteTables();
  held_back_.clear();
  held_back_bytes_ = 0;
  rows_.clear();
  return failure_;
}

absl::Status RowWriter::CompleteTables() {
  const auto each = [this](const auto& step) {
    for (HeldBack& held : held_back_) {
      absl::Status status = step(held);
      if (status.ok()) continue;
      failed_table_ = slots_[held.slot].table->index;
      return status;
    }
    return absl::OkStatus();
  };
  absl::Status status = each([this](HeldBack& held) { return FindKey(held); });
  if (!status.ok()) return status;
  status = each([this](const HeldBack& held) {
    const bool is_due = held.key.has_value() && !rows_.contains(held.slot);
    return is_due ? FetchRows(held.slot) : absl::OkStatus();
  });
  if (!status.ok()) return status;
  return each([this](const HeldBack& held) {
    return held.key.has_value() ? AppendFetched(held)
                                : AppendChange(held.slot, held.change, held.commit_seconds);
  });
}

// Finds out whether the row has to be read, and by which key.
absl::Status RowWriter::FindKey(HeldBack& held) {
  Slot& slot = slots_[held.slot];
  const binlogdata::RowChange& change = held.change;
  if (!change.has_after()) return absl::OkStatus();
  if (absl::Status status = DecodeAfter(slot, change); !status.ok()) return status;
  if (!LacksColumns(slot, change)) return absl::OkStatus();
  if (!slot.fetcher.has_value()) {
    binlogdata::FieldEvent event;
    event.ParseFromString(slot.fields);
    auto made = RowFetcher::Make(fetch_, *slot.table, event, WantedColumns(*slot.table), types_);
    if (!made.ok()) return Explained(made.status(), *slot.table);
    slot.fetcher.emplace(*std::move(made));
  }
  const query::Row* before = change.has_before() ? &change.before() : nullptr;
  auto key = slot.fetcher->KeyOf(change.after(), before);
  if (!key.ok()) return Explained(key.status(), *slot.table);
  if (before != nullptr) {
    const auto old_key = slot.fetcher->KeyOf(*before, nullptr);
    if (!old_key.ok()) return Explained(old_key.status(), *slot.table);
    held.key_changed = *key != *old_key;
  }
  held.key = *std::move(key);
  return absl::OkStatus();
}

absl::Status RowWriter::FetchRows(size_t slot) {
  std::vector<RowFetcher::Key> keys;
  for (const HeldBack& held : held_back_) {
    if (held.slot == slot && held.key.has_value()) keys.push_back(*held.key);
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  auto rows = slots_[slot].fetcher->Fetch(keys);
  if (!rows.ok()) return rows.status();
  rows_[slot] = *std::move(rows);
  return absl::OkStatus();
}

// The row may be newer than the change: changes that tell of that are on the way, and so is the
// deletion of a row that is gone.
absl::Status RowWriter::AppendFetched(const HeldBack& held) {
  const Slot& slot = slots_[held.slot];
  const auto& rows = rows_[held.slot];
  const auto row = rows.find(*held.key);
  RowChange out;
  out.commit_seconds = held.commit_seconds;
  if (row == rows.end()) {
    if (!held.key_changed) return absl::OkStatus();
    out.kind = ChangeKind::kDelete;
    return Emit(slot, held.change, out);
  }
  absl::Status status = slot.fetcher->Decode(row->second, after_);
  if (!status.ok()) return Explained(std::move(status), *slot.table);
  out.kind = held.change.has_before() ? ChangeKind::kUpdate : ChangeKind::kInsert;
  out.after = after_.values();
  out.key_changed = held.key_changed;
  return Emit(slot, held.change, out);
}

}  // namespace source_vitess::sync
