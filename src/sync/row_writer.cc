#include "sync/row_writer.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "vitess/errors.h"

namespace source_vitess::sync {
namespace {

// Of changes held back: as many as a query or two asks for, and a bound of memory.
constexpr size_t kMostHeldBack = 500;
constexpr size_t kMostBytesHeldBack = size_t{4} << 20;

// Of rows that were read, kept for changes further behind; those of the last answer come on top.
constexpr size_t kMostFetchedBytes = size_t{4} << 20;

// Of output made of them before it is handed over.
constexpr size_t kMostBatchBytes = size_t{1} << 20;

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

// Goes through the bytes of a row's columns, in ascending order.
class RowBytes {
 public:
  explicit RowBytes(const query::Row& row) : row_(row) {}

  // Absent: NULL.
  std::optional<std::string_view> At(size_t column) {
    for (; passed_ < column; ++passed_) offset_ += Size(passed_);
    const int index = static_cast<int>(column);
    if (index >= row_.lengths_size() || row_.lengths(index) < 0) return std::nullopt;
    const std::string_view values = row_.values();
    return values.substr(std::min(offset_, values.size()), Size(column));
  }

 private:
  size_t Size(size_t column) const {
    const int index = static_cast<int>(column);
    if (index >= row_.lengths_size()) return 0;
    return static_cast<size_t>(std::max<int64_t>(row_.lengths(index), 0));
  }

  const query::Row& row_;
  size_t passed_ = 0;
  size_t offset_ = 0;
};

// Whether the rows differ in one of the columns, which are in ascending order.
bool Differ(const std::vector<size_t>& columns, const query::Row& before, const query::Row& after) {
  RowBytes of_before(before);
  RowBytes of_after(after);
  return std::any_of(columns.begin(), columns.end(),
                     [&](size_t column) { return of_before.At(column) != of_after.At(column); });
}

// The columns of the event to decode.
std::vector<std::string> WantedColumns(const Table& table, const binlogdata::FieldEvent& event) {
  std::vector<std::string> wanted = table.columns;
  wanted.insert(wanted.end(), table.schema.key.begin(), table.schema.key.end());
  for (const query::Field& field : event.fields()) {
    const bool is_other = table.schema.FindColumn(field.name()) == nullptr;
    if (is_other && Delivers(table, field.name())) wanted.push_back(field.name());
  }
  return wanted;
}

// Of the columns that `chosen` says yes to.
template <typename Chosen>
std::vector<size_t> PlacesOf(const std::vector<const query::Field*>& fields, Chosen&& chosen) {
  std::vector<size_t> places;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (chosen(fields[i]->name())) places.push_back(i);
  }
  return places;
}

// Whether values of both types have a place in one column of a destination.
bool IsSameKind(const mysql::TableSchema& table, const mysql::Column& a, const mysql::Column& b,
                const mysql::TypeOptions& types) {
  const auto kind = [&](const mysql::Column& column) {
    const mysql::Kind of_column = mysql::KindOf(table, column, types);
    return of_column == mysql::Kind::kUnsigned ? mysql::Kind::kSigned : of_column;
  };
  const bool decimals_fit =
      kind(a) != mysql::Kind::kDecimal || (a.type.decimals == 0) == (b.type.decimals == 0);
  return kind(a) == kind(b) && decimals_fit;
}

// Other columns may become null where their type has changed; what is a row's key may not.
absl::Status CheckTypesOfKey(const Table& table, std::span<const mysql::Column> columns,
                             const mysql::TypeOptions& types) {
  for (const mysql::Column& column : columns) {
    const auto& key = table.schema.key;
    const mysql::Column* known = table.schema.FindColumn(column.name);
    if (known == nullptr || std::find(key.begin(), key.end(), column.name) == key.end() ||
        IsSameKind(table.schema, *known, column, types)) {
      continue;
    }
    return vitess::ConfigurationError(absl::StrCat(
        "table ", table.keyspace(), ".", table.name(), ": column ", column.name, " of its key was ",
        known->type.text, " when the sync began, and is ", column.type.text,
        " now. Refresh the source's schema, so that the destination knows the new "
        "key, and refresh the stream"));
  }
  return absl::OkStatus();
}

}  // namespace

RowWriter::RowWriter(size_t slots, const mysql::TypeOptions& types, const RowFetcher::Source& fetch,
                     RowMoves& moves, Sink& sink, std::atomic<uint64_t>& sequence,
                     std::function<absl::Status()> hand_over)
    : types_(types),
      fetch_(fetch),
      moves_(moves),
      sequence_(sequence),
      hand_over_(std::move(hand_over)),
      batch_(sink.NewBatch()),
      takes_absent_(batch_->TakesAbsentColumns()),
      wants_every_update_(batch_->WantsEveryUpdate()),
      slots_(slots) {}

absl::Status RowWriter::SetFields(size_t slot_index, const Table& table,
                                  const binlogdata::FieldEvent& event, mysql::RowSource source) {
  Slot& slot = slots_[slot_index];
  // VTGate sends the fields again whenever it begins a stream anew, mostly the same ones.
  binlogdata::FieldEvent of_any_shard = event;
  of_any_shard.clear_shard();
  std::string fields = of_any_shard.SerializeAsString();
  if (slot.decoder.has_value() && slot.source == source && slot.fields == fields) {
    return absl::OkStatus();
  }
  // What is held back is of the fields before.
  if (absl::Status status = Complete(); !status.ok()) return status;

  std::vector<const query::Field*> columns;
  columns.reserve(static_cast<size_t>(event.fields_size()));
  for (const query::Field& field : event.fields()) columns.push_back(&field);
  const std::vector<std::string> wanted = WantedColumns(table, event);
  auto decoder = mysql::RowDecoder::Make(columns, table.schema, wanted, source,
                                         event.enum_set_string_values(), types_);
  if (!decoder.ok()) return Explained(decoder.status(), table);
  if (absl::Status key = CheckTypesOfKey(table, decoder->columns(), types_); !key.ok()) return key;

  const auto& key = table.schema.key;
  slot.delivered =
      PlacesOf(columns, [&](const std::string& name) { return Delivers(table, name); });
  slot.key = key.empty() ? slot.delivered : PlacesOf(columns, [&](const std::string& name) {
    return std::find(key.begin(), key.end(), name) != key.end();
  });
  slot.delivers_all = slot.delivered.size() == columns.size();
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
                                     int64_t commit_seconds, uint64_t sequence) {
  Slot& slot = slots_[slot_index];
  RowChange out;
  out.commit_seconds = commit_seconds;
  out.sequence = sequence;
  const bool copied = slot.source == mysql::RowSource::kCopy;
  if (change.has_after()) {
    out.kind = copied                ? ChangeKind::kCopy
               : change.has_before() ? ChangeKind::kUpdate
                                     : ChangeKind::kInsert;
    if (absl::Status status = DecodeAfter(slot, change); !status.ok()) return status;
    if (LacksColumns(slot, change)) return HoldBack(slot_index, change, commit_seconds);
    out.after = after_.values();
    out.key_changed = change.has_before() && Differ(slot.key, change.before(), change.after());
    if (!out.key_changed && SaysNothing(slot, change)) return absl::OkStatus();
  } else if (change.has_before()) {
    if (MayHaveMoved(slot)) return HoldBack(slot_index, change, commit_seconds);
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
  if (out.sequence == 0) {
    out.sequence = sequence_.fetch_add(out.key_changed ? 2 : 1, std::memory_order_relaxed) + 1;
  }
  batch_->Append(slot.layout, out);
  return absl::OkStatus();
}

absl::Status RowWriter::DecodeAfter(const Slot& slot, const binlogdata::RowChange& change) {
  const auto* data_columns = change.has_data_columns() ? &change.data_columns() : nullptr;
  const auto* partial = change.has_json_partial_values() ? &change.json_partial_values() : nullptr;
  absl::Status status = slot.decoder->Decode(change.after(), data_columns, partial, after_);
  return status.ok() ? status : Explained(std::move(status), *slot.table);
}

// Whether the update is of columns alone that are not delivered.
bool RowWriter::SaysNothing(const Slot& slot, const binlogdata::RowChange& change) const {
  return !wants_every_update_ && !slot.delivers_all && change.has_before() &&
         !change.has_data_columns() && !change.has_json_partial_values() &&
         !Differ(slot.delivered, change.before(), change.after());
}

bool RowWriter::MayHaveMoved(Slot& slot) const {
  if (slot.table->schema.key.empty()) return false;
  if (!slot.may_move.has_value()) slot.may_move = moves_.MayMove(*slot.table);
  return *slot.may_move;
}

// Of the change in after_: whether a column that is to go out is not in it, for a sink that needs
// it.
bool RowWriter::LacksColumns(const Slot& slot, const binlogdata::RowChange& change) const {
  if (!change.has_data_columns() && !change.has_json_partial_values()) return false;
  if (slot.table->schema.key.empty()) return false;
  // An update that leaves the key alone can be told as it is, unless it changed a document.
  const bool can_be_told = takes_absent_ && change.has_before() &&
                           !change.has_json_partial_values() &&
                           !Differ(slot.key, change.before(), change.after());
  return !can_be_told &&
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
  fetched_.clear();
  fetched_bytes_ = 0;
  return failure_;
}

absl::Status RowWriter::CompleteTables() {
  const auto each = [this](const auto& step) {
    for (size_t i = 0; i < held_back_.size(); ++i) {
      absl::Status status = step(i);
      if (status.ok()) continue;
      failed_table_ = slots_[held_back_[i].slot].table->index;
      return status;
    }
    return absl::OkStatus();
  };
  absl::Status status = each([this](size_t i) { return FindKey(held_back_[i]); });
  if (!status.ok()) return status;
  // What another stream tells of a row after it was read here has to count as later.
  for (HeldBack& held : held_back_) {
    held.sequence = sequence_.fetch_add(2, std::memory_order_relaxed) + 1;
  }
  return each([this](size_t i) { return AppendHeld(i); });
}

// Finds out whether the row has to be read, and by which key.
absl::Status RowWriter::FindKey(HeldBack& held) {
  Slot& slot = slots_[held.slot];
  const binlogdata::RowChange& change = held.change;
  if (change.has_after()) {
    if (absl::Status status = DecodeAfter(slot, change); !status.ok()) return status;
    if (!LacksColumns(slot, change)) return absl::OkStatus();
  } else if (!change.has_before() || !MayHaveMoved(slot)) {
    return absl::OkStatus();
  }
  if (absl::Status status = MakeFetcher(slot); !status.ok()) return status;
  const query::Row* before = change.has_before() ? &change.before() : nullptr;
  if (!change.has_after()) {
    auto key = slot.fetcher->KeyOf(*before, nullptr);
    if (!key.ok()) return Explained(key.status(), *slot.table);
    held.key = *std::move(key);
    return absl::OkStatus();
  }
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

absl::Status RowWriter::MakeFetcher(Slot& slot) {
  if (slot.fetcher != nullptr) return absl::OkStatus();
  const auto same = std::find_if(slots_.begin(), slots_.end(), [&](const Slot& other) {
    return other.fetcher != nullptr && other.table == slot.table && other.fields == slot.fields;
  });
  if (same != slots_.end()) {
    slot.fetcher = same->fetcher;
    return absl::OkStatus();
  }
  binlogdata::FieldEvent event;
  event.ParseFromString(slot.fields);
  auto made =
      RowFetcher::Make(fetch_, *slot.table, event, WantedColumns(*slot.table, event), types_);
  if (!made.ok()) return Explained(made.status(), *slot.table);
  slot.fetcher = std::make_shared<RowFetcher>(*std::move(made));
  return absl::OkStatus();
}

absl::Status RowWriter::AppendHeld(size_t place) {
  const HeldBack& held = held_back_[place];
  if (!held.key.has_value()) {
    return AppendChange(held.slot, held.change, held.commit_seconds, held.sequence);
  }
  Fetched& fetched = fetched_[slots_[held.slot].fetcher.get()];
  auto row = fetched.find(*held.key);
  if (row == fetched.end()) {
    if (absl::Status status = FetchFrom(place); !status.ok()) return status;
    row = fetched.find(*held.key);
  }
  absl::Status status = AppendFetched(held, row->second.has_value() ? &*row->second : nullptr);
  if (!status.ok() || batch_->size_bytes() < kMostBatchBytes) return status;
  return hand_over_();
}

// Reads the row of the change at `place`, together with those of the changes behind it.
absl::Status RowWriter::FetchFrom(size_t place) {
  if (fetched_bytes_ >= kMostFetchedBytes) {
    for (auto& [fetcher, rows] : fetched_) rows.clear();
    fetched_bytes_ = 0;
  }
  RowFetcher* const fetcher = slots_[held_back_[place].slot].fetcher.get();
  Fetched& fetched = fetched_[fetcher];
  absl::flat_hash_set<RowFetcher::Key> seen;
  std::vector<RowFetcher::Key> keys;
  for (size_t i = place; i < held_back_.size(); ++i) {
    const HeldBack& held = held_back_[i];
    const bool is_due = held.key.has_value() && slots_[held.slot].fetcher.get() == fetcher &&
                        !fetched.contains(*held.key) && seen.insert(*held.key).second;
    if (is_due) keys.push_back(*held.key);
  }
  auto page = fetcher->Fetch(keys);
  if (!page.ok()) return page.status();
  fetched_bytes_ += page->bytes;
  for (size_t i = 0; i < page->keys; ++i) {
    auto row = page->rows.extract(keys[i]);
    std::optional<query::Row>& kept = fetched[keys[i]];
    if (!row.empty()) kept.emplace(std::move(row.mapped()));
  }
  return absl::OkStatus();
}

// `row` may be newer than the change: changes that tell of that are on the way, and so is the
// deletion of a row that is gone, a null pointer.
absl::Status RowWriter::AppendFetched(const HeldBack& held, const query::Row* row) {
  const Slot& slot = slots_[held.slot];
  RowChange out;
  out.commit_seconds = held.commit_seconds;
  out.sequence = held.sequence;
  if (row == nullptr) {
    if (!held.key_changed && held.change.has_after()) return absl::OkStatus();
    out.kind = ChangeKind::kDelete;
    return Emit(slot, held.change, out);
  }
  absl::Status status = slot.fetcher->Decode(*row, after_);
  if (!status.ok()) return Explained(std::move(status), *slot.table);
  out.kind = held.change.has_before() ? ChangeKind::kUpdate : ChangeKind::kInsert;
  out.after = after_.values();
  out.key_changed = held.key_changed;
  return Emit(slot, held.change, out);
}

}  // namespace source_vitess::sync
