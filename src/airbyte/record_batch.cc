#include "airbyte/record_batch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <unordered_set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "airbyte/catalog.h"
#include "mysql/geometry.h"
#include "text/absl_view.h"

namespace source_vitess::airbyte {
namespace {

using mysql::Kind;
using mysql::Problem;
using mysql::Value;

// Rows that share a reading of the clock.
constexpr uint64_t kRowsPerClock = 64;

constexpr size_t kMostMemoryKept = size_t{4} << 20;  // of scratch

// Text is escaped in pieces of this size, so that a large value does not ask for six times its size
// in memory.
constexpr size_t kPiece = 4096;

template <size_t kSize>
char* WriteLiteral(char* out, const char (&literal)[kSize]) {
  std::memcpy(out, literal, kSize - 1);
  return out + kSize - 1;
}

char* WriteText(char* out, std::string_view text) {
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

// Without a call for the sizes that most numbers and names have.
char* WriteShortText(char* out, std::string_view text) {
  const char* const begin = text.data();
  const size_t size = text.size();
  if (size > 32) return WriteText(out, text);
  // Two blocks, which overlap unless they are just as long as the text.
  const auto write = [&]<size_t kBlock>() {
    std::memcpy(out, begin, kBlock);
    std::memcpy(out + size - kBlock, begin + size - kBlock, kBlock);
    return out + size;
  };
  if (size >= 16) return write.operator()<16>();
  if (size >= 8) return write.operator()<8>();
  if (size >= 4) return write.operator()<4>();
  for (size_t i = 0; i < size; ++i) out[i] = begin[i];
  return out + size;
}

// Text that has nothing to escape.
char* WriteQuoted(char* out, std::string_view text) {
  *out++ = '"';
  out = WriteText(out, text);
  *out++ = '"';
  return out;
}

// "hh:mm:ss[.f]" below 24 hours: what Airbyte's type can hold (reference 6.3).
bool IsTimeOfDay(std::string_view text) {
  return text.size() >= 8 && text.size() <= 15 && text[2] == ':' && text[0] <= '2' &&
         (text[0] < '2' || text[1] < '4');
}

StreamName StreamOf(const sync::Table& table) {
  return {.name_space = table.keyspace(), .name = table.name()};
}

bool IsDateTime(std::string_view text) { return text.size() >= 19 && text.size() <= 26; }

}  // namespace

const RecordBatch::CdcColumns& RecordBatch::CdcColumns::At(int64_t time_ms) {
  if (time_ms == milliseconds) return *this;
  milliseconds = time_ms;
  std::array<char, kLongestTimestamp> text;
  const char* const end = WriteTimestamp(text.data(), time_ms);
  const absl::string_view time(text.data(), static_cast<size_t>(end - text.data()));
  of_row = absl::StrCat(",\"_ab_cdc_updated_at\":\"", time,
                        "\",\"_ab_cdc_deleted_at\":null,\"_ab_cdc_cursor\":");
  of_deleted_row = absl::StrCat(",\"_ab_cdc_updated_at\":\"", time, "\",\"_ab_cdc_deleted_at\":\"",
                                time, "\",\"_ab_cdc_cursor\":");
  return *this;
}

RecordBatch::RecordBatch(Clock clock, const mysql::TypeOptions& types, StreamColumns& columns)
    : clock_(std::move(clock)), types_(types), columns_(columns) {}

size_t RecordBatch::AddLayout(const sync::Table& table, std::span<const mysql::Column> columns) {
  Layout layout;
  layout.table = table.index;
  layout.head =
      absl::StrCat("{\"type\":\"RECORD\",\"record\":{\"stream\":", JsonString(table.name()),
                   ",\"namespace\":", JsonString(table.keyspace()), ",\"emitted_at\":");
  layout.cdc_columns = HasCdcColumns(table.schema, types_);
  const std::unordered_set<std::string_view> wanted(table.columns.begin(), table.columns.end());
  for (size_t i = 0; i < columns.size(); ++i) {
    if (wanted.contains(columns[i].name)) {
      layout.cells.push_back(MakeCell(table, columns[i], i));
    } else if (table.schema.FindColumn(columns[i].name) == nullptr) {
      columns_.NoteNew(StreamOf(table), columns[i].name);
    }
  }
  // FIELD events repeat themselves, at every restart of a stream and for every shard.
  const auto same = std::find_if(layouts_.begin(), layouts_.end(), [&](const Layout& other) {
    return other.table == layout.table &&
           std::equal(other.cells.begin(), other.cells.end(), layout.cells.begin(),
                      layout.cells.end(), [](const Cell& a, const Cell& b) {
                        return a.column == b.column && a.key == b.key && a.fitting == b.fitting;
                      });
  });
  if (same != layouts_.end()) return static_cast<size_t>(same - layouts_.begin());
  layouts_.push_back(std::move(layout));
  return layouts_.size() - 1;
}

RecordBatch::Cell RecordBatch::MakeCell(const sync::Table& table, const mysql::Column& column,
                                        size_t place) {
  const StreamName stream = StreamOf(table);
  Cell cell{.column = place,
            .name = column.name,
            .key = absl::StrCat(",", JsonString(column.name), ":"),
            .declared = columns_.Declared(stream, column.name),
            .fitting = KindSet::All(),
            .altered = 0};
  const bool as_declared = cell.declared == DeclaredType::kAny ||
                           cell.declared == DeclaredTypeOf(table.schema, column, types_);
  if (!as_declared) {
    cell.fitting = KindsThatFit(cell.declared, types_);
    columns_.NoteOtherType(stream, column.name, column.type.text);
  }
  return cell;
}

void RecordBatch::Append(size_t layout_number, const sync::RowChange& change) {
  Layout& layout = layouts_[layout_number];
  if (appended_++ % kRowsPerClock == 0) now_ms_ = clock_();
  const bool copied = change.kind == sync::ChangeKind::kCopy;
  Record record{.values = change.after, .cdc_columns = nullptr, .sequence = change.sequence};
  const CdcColumns* cdc = nullptr;
  if (layout.cdc_columns) {
    cdc = copied ? &emitted_.At(now_ms_) : &committed_.At(change.commit_seconds * 1000);
    record.cdc_columns = &cdc->of_row;
  }
  if (change.kind == sync::ChangeKind::kDelete || change.key_changed) {
    AppendRecord(layout, {.values = change.before,
                          .cdc_columns = cdc == nullptr ? nullptr : &cdc->of_deleted_row,
                          .sequence = record.sequence});
    if (change.kind == sync::ChangeKind::kDelete) return;
    ++record.sequence;
  }
  AppendRecord(layout, record);
}

void RecordBatch::AppendRecord(Layout& layout, const Record& record) {
  constexpr size_t kFixed = 64;  // what stands around the data
  if (layout.stamped_ms != now_ms_) {
    layout.stamped_ms = now_ms_;
    layout.stamped_head = absl::StrCat(layout.head, now_ms_, ",\"data\":");
  }
  layout_ = &layout;
  changes_.clear();
  const size_t before = size_bytes();
  char* out = buffer_.Ensure(end_, layout.stamped_head.size() + kFixed);
  out = WriteText(out, layout.stamped_head);
  const auto data = static_cast<size_t>(out - buffer_.begin());
  for (const Cell& cell : layout.cells) {
    if (cell.column >= record.values.size()) break;  // a row has all of its columns
    out = AppendValue(out, cell, record.values[cell.column]);
  }
  if (record.cdc_columns != nullptr) {
    out = buffer_.Ensure(out, record.cdc_columns->size() + kLongestNumber);
    out = WriteText(out, *record.cdc_columns);
    out = sequences_.Write(out, record.sequence);
  }
  if (out == buffer_.begin() +
                 data) {  // nothing of the row is there, and hosts drop empty records uncounted
    end_ = buffer_.begin() + before;
    return;
  }
  buffer_.begin()[data] = '{';  // in place of the first comma
  out = buffer_.Ensure(out, kFixed);
  *out++ = '}';
  if (!changes_.empty()) out = AppendChanges(out, layout);
  end_ = WriteLiteral(out, "}}\n");
  Count(layout.table, 1);
}

char* RecordBatch::AppendValue(char* out, const Cell& cell, const Value& value) {
  if (value.kind == Kind::kAbsent) return out;
  constexpr size_t kSmall = 64;  // any value of a bounded size
  // For the value too where it is written as it is.
  out = buffer_.Ensure(out, cell.key.size() + value.text.size() + kSmall);
  out = WriteShortText(out, cell.key);
  if (value.problem == Problem::kReplaced) AddChange(cell, /*nulled=*/false);
  if (!cell.fitting.Has(value.kind)) return AppendMisfit(out, cell, value);
  switch (value.kind) {
    case Kind::kNull:
      return value.problem == Problem::kNone ? WriteLiteral(out, "null") : AppendNulled(out, cell);
    case Kind::kAbsent:
      return out;
    case Kind::kSigned:
    case Kind::kUnsigned:
    case Kind::kBoolean:
    case Kind::kFloat:
    case Kind::kDouble:
    case Kind::kDecimal:
    case Kind::kYear:
      return WriteShortText(out, value.text);
    case Kind::kText:
      return value.plain ? WriteQuoted(out, value.text) : AppendString(out, value.text);
    case Kind::kBytes:
      return AppendBytes(out, value.text);
    case Kind::kDate:
      return WriteQuoted(out, value.text);
    case Kind::kDateTime:
    case Kind::kTimestamp:
      if (!IsDateTime(value.text)) return AppendNulled(out, cell);
      *out++ = '"';
      out = WriteDateTime(out, value.text);
      if (value.kind == Kind::kTimestamp) *out++ = 'Z';
      *out++ = '"';
      return out;
    case Kind::kTime:
      if (!IsTimeOfDay(value.text)) return AppendNulled(out, cell);
      *out++ = '"';
      out = WriteTime(out, value.text);
      *out++ = '"';
      return out;
    case Kind::kJson:
      return value.text.empty() ? AppendNulled(out, cell) : AppendJson(out, value.text);
    case Kind::kGeometry:
      return AppendGeometry(out, cell, value.text);
    case Kind::kVector:
      return AppendVector(out, value.text);
  }
  return WriteLiteral(out, "null");
}

// A value that the declared type takes in another form, or else null.
char* RecordBatch::AppendMisfit(char* out, const Cell& cell, const Value& value) {
  const bool is_number = value.kind == Kind::kSigned || value.kind == Kind::kUnsigned;
  switch (cell.declared) {
    case DeclaredType::kString:
      return AppendAsString(out, cell, value);
    case DeclaredType::kInteger:
      if (value.kind == Kind::kBoolean) return WriteText(out, value.text == "true" ? "1" : "0");
      if (value.kind == Kind::kDecimal && value.text.find('.') == std::string_view::npos) {
        return AppendRaw(out, value.text);
      }
      break;
    case DeclaredType::kBoolean:
      if (is_number && value.text == "1") return WriteText(out, "true");
      if (is_number && value.text == "0") return WriteText(out, "false");
      break;
    case DeclaredType::kObject:
      if (value.kind == Kind::kJson && value.text.starts_with('{')) {
        return AppendJson(out, value.text);
      }
      break;
    default:
      break;
  }
  return AppendNulled(out, cell);
}

// Numbers, times and documents as the text that they are.
char* RecordBatch::AppendAsString(char* out, const Cell& cell, const Value& value) {
  switch (value.kind) {
    case Kind::kSigned:
    case Kind::kUnsigned:
    case Kind::kBoolean:
    case Kind::kFloat:
    case Kind::kDouble:
    case Kind::kDecimal:
    case Kind::kYear:
    case Kind::kTime:
    case Kind::kJson:
      return AppendString(out, value.text);
    default:
      return AppendNulled(out, cell);
  }
}

char* RecordBatch::AppendString(char* out, std::string_view text) {
  *out++ = '"';
  do {
    const std::string_view piece = text.substr(0, kPiece);
    text.remove_prefix(piece.size());
    out = buffer_.Ensure(out, EscapedBound(piece.size()) + 64);
    out = WriteEscaped(out, piece);
  } while (!text.empty());
  *out++ = '"';
  return out;
}

char* RecordBatch::AppendRaw(char* out, std::string_view text) {
  out = buffer_.Ensure(out, text.size() + 64);
  return WriteText(out, text);
}

char* RecordBatch::AppendBytes(char* out, std::string_view bytes) {
  absl::Base64Escape(text::AbslView(bytes), &scratch_);
  *out++ = '"';
  out = AppendRaw(out, scratch_);
  *out++ = '"';
  return out;
}

// A newline can only stand between tokens, where a space does as well; it would end the record's
// line.
char* RecordBatch::AppendJson(char* out, std::string_view json) {
  char* const end = AppendRaw(out, json);
  std::replace(end - json.size(), end, '\n', ' ');
  return end;
}

char* RecordBatch::AppendGeometry(char* out, const Cell& cell, std::string_view geometry) {
  if (!mysql::IsGeometry(geometry)) return AppendNulled(out, cell);
  if (types_.geometry == mysql::GeometryFormat::kGeoJson) {
    scratch_.clear();
    mysql::AppendGeoJson(geometry, scratch_);
    return AppendRaw(out, scratch_);
  }
  constexpr size_t kSrid = 4;  // bytes before the WKB
  scratch_ = absl::BytesToHexString(text::AbslView(geometry.substr(kSrid)));
  *out++ = '"';
  out = AppendRaw(out, scratch_);
  *out++ = '"';
  return out;
}

char* RecordBatch::AppendVector(char* out, std::string_view floats) {
  *out++ = '[';
  for (size_t i = 0; i + sizeof(float) <= floats.size(); i += sizeof(float)) {
    out = buffer_.Ensure(out, kLongestNumber + 64);
    if (i > 0) *out++ = ',';
    const auto byte = [&](size_t k) {
      return uint32_t{static_cast<unsigned char>(floats[i + k])} << (8 * k);
    };
    const auto number = std::bit_cast<float>(byte(0) | byte(1) | byte(2) | byte(3));
    out = std::isfinite(number) ? WriteFloat(out, number) : WriteLiteral(out, "null");
  }
  *out++ = ']';
  return out;
}

char* RecordBatch::AppendNulled(char* out, const Cell& cell) {
  AddChange(cell, /*nulled=*/true);
  return WriteLiteral(out, "null");
}

void RecordBatch::AddChange(const Cell& cell, bool nulled) {
  changes_.push_back({static_cast<size_t>(&cell - layout_->cells.data()), nulled});
}

char* RecordBatch::AppendChanges(char* out, Layout& layout) {
  out = WriteLiteral(out, ",\"meta\":{\"changes\":[");
  for (const Change& change : changes_) {
    Cell& cell = layout.cells[change.cell];
    AlteredValues& altered = AlteredIn(layout, cell);
    ++(change.nulled ? altered.nulled : altered.replaced);
    const std::string_view key = cell.key;
    const std::string_view field =
        key.substr(1, key.size() - 2);  // without the comma and the colon
    out = buffer_.Ensure(out, field.size() + 128);
    if (&change != &changes_.front()) *out++ = ',';
    out = WriteLiteral(out, "{\"field\":");
    out = WriteText(out, field);
    out = change.nulled ? WriteLiteral(out, ",\"change\":\"NULLED\"")
                        : WriteLiteral(out, ",\"change\":\"TRUNCATED\"");
    out = WriteLiteral(out, ",\"reason\":\"SOURCE_SERIALIZATION_ERROR\"}");
  }
  out = buffer_.Ensure(out, 64);
  return WriteLiteral(out, "]}");
}

AlteredValues& RecordBatch::AlteredIn(const Layout& layout, Cell& cell) {
  if (cell.altered == 0) {
    altered_.push_back({.table = layout.table, .name = cell.name, .values = {}});
    cell.altered = altered_.size();
  }
  return altered_[cell.altered - 1].values;
}

void RecordBatch::Count(size_t table, uint64_t records) {
  if (slots_.size() <= table) slots_.resize(table + 1, 0);
  if (slots_[table] == 0) {
    counts_.push_back({.table = table, .records = 0});
    slots_[table] = counts_.size();
  }
  counts_[slots_[table] - 1].records += records;
}

void RecordBatch::Clear() {
  for (const sync::RecordCount& count : counts_) slots_[count.table] = 0;
  counts_.clear();
  if (!altered_.empty()) {
    for (Layout& layout : layouts_) {
      for (Cell& cell : layout.cells) cell.altered = 0;
    }
    altered_.clear();
  }
  appended_ = 0;
  buffer_.Clear();
  if (scratch_.capacity() > kMostMemoryKept) scratch_ = std::string();
  end_ = buffer_.begin();
}

}  // namespace source_vitess::airbyte
