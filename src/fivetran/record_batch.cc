#include "fivetran/record_batch.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "fivetran/connector_sdk.pb.h"
#include "mysql/geometry.h"
#include "text/absl_view.h"

namespace source_vitess::fivetran {
namespace {

namespace sdk = fivetran_sdk::v2;
using mysql::Kind;
using mysql::Problem;
using mysql::Value;

// Numbers of fields (proto/fivetran).
constexpr int kResponseRecords = 6;
constexpr int kRecordsRecord = 1;
constexpr int kRecordSchema = 1;
constexpr int kRecordTable = 2;
constexpr int kRecordType = 3;
constexpr int kRecordData = 4;
constexpr int kEntryKey = 1;
constexpr int kEntryValue = 2;
constexpr int kTimestampSeconds = 1;
constexpr int kTimestampNanos = 2;

// Room for the tag and the length of a message, before its content.
constexpr size_t kHead = 1 + 5;
// Room for what stands around a short value.
constexpr size_t kAround = 64;
constexpr size_t kMostMemoryKept = size_t{4} << 20;  // of scratch

constexpr char Varint(int field) { return static_cast<char>(field << 3); }
constexpr char Fixed64(int field) { return static_cast<char>(field << 3 | 1); }
constexpr char Delimited(int field) { return static_cast<char>(field << 3 | 2); }

constexpr size_t VarintSize(uint64_t value) {
  return static_cast<size_t>(std::bit_width(value | 1) + 6) / 7;
}

char* WriteVarint(char* out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *out++ = static_cast<char>(value | 0x80);
  *out++ = static_cast<char>(value);
  return out;
}

char* WriteBytes(char* out, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

std::string DelimitedField(int field, std::string_view content) {
  std::string text(kHead + content.size(), '\0');
  char* out = text.data();
  *out++ = Delimited(field);
  out = WriteVarint(out, content.size());
  out = WriteBytes(out, content);
  text.resize(static_cast<size_t>(out - text.data()));
  return text;
}

// The entry of a column, around a value of `size` bytes.
char* WriteEntry(char* out, std::string_view key, size_t size) {
  *out++ = Delimited(kRecordData);
  out = WriteVarint(out, key.size() + 1 + VarintSize(size) + size);
  out = WriteBytes(out, key);
  *out++ = Delimited(kEntryValue);
  return WriteVarint(out, size);
}

char* WriteVarintValue(char* out, std::string_view key, int field, uint64_t value) {
  out = WriteEntry(out, key, 1 + VarintSize(value));
  *out++ = Varint(field);
  return WriteVarint(out, value);
}

template <typename Number>
std::optional<Number> Parse(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

uint64_t BitsOf(std::string_view bytes) {
  uint64_t bits = 0;
  for (const char byte : bytes) bits = bits << 8 | static_cast<unsigned char>(byte);
  return bits;
}

int Digits(std::string_view text, size_t at, size_t count) {
  int number = 0;
  for (size_t i = at; i < at + count; ++i) number = 10 * number + (text[i] - '0');
  return number;
}

// Days since 1970-01-01 in the Gregorian calendar.
constexpr int64_t DaysSince1970(int year, int month, int day) {
  // Years begin in March, so that the leap day is their last.
  const int64_t y = month <= 2 ? year - 1 : year;
  const int64_t era = y / 400;
  const int64_t year_of_era = y - era * 400;
  const int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}
static_assert(DaysSince1970(1970, 1, 1) == 0 && DaysSince1970(2000, 3, 1) == 11017);

constexpr int64_t kSecondsOfDay = 86400;

struct Moment {
  int64_t seconds = 0;  // since 1970
  int32_t nanos = 0;
};

// Of a canonical date or date and time; nothing for years that google.protobuf.Timestamp has not.
std::optional<Moment> MomentOf(std::string_view text) {
  const int year = Digits(text, 0, 4);
  if (year < 1) return std::nullopt;
  Moment moment;
  moment.seconds = kSecondsOfDay * DaysSince1970(year, Digits(text, 5, 2), Digits(text, 8, 2));
  if (text.size() < 19) return moment;
  moment.seconds += 3600 * Digits(text, 11, 2) + 60 * Digits(text, 14, 2) + Digits(text, 17, 2);
  int32_t unit = 100'000'000;
  for (size_t i = 20; i < text.size(); ++i, unit /= 10) moment.nanos += unit * (text[i] - '0');
  return moment;
}

char* WriteMoment(char* out, std::string_view key, int field, const Moment& moment) {
  const auto seconds = static_cast<uint64_t>(moment.seconds);
  const auto nanos = static_cast<uint64_t>(moment.nanos);
  const size_t size =
      (seconds == 0 ? 0 : 1 + VarintSize(seconds)) + (nanos == 0 ? 0 : 1 + VarintSize(nanos));
  out = WriteEntry(out, key, 2 + size);
  *out++ = Delimited(field);
  *out++ = static_cast<char>(size);
  if (seconds != 0) {
    *out++ = Varint(kTimestampSeconds);
    out = WriteVarint(out, seconds);
  }
  if (nanos != 0) {
    *out++ = Varint(kTimestampNanos);
    out = WriteVarint(out, nanos);
  }
  return out;
}

int FieldOf(sdk::DataType type) {
  switch (type) {
    case sdk::NAIVE_DATE:
      return sdk::ValueType::kNaiveDate;
    case sdk::NAIVE_DATETIME:
      return sdk::ValueType::kNaiveDatetime;
    default:
      return sdk::ValueType::kUtcDatetime;
  }
}

bool IsTime(sdk::DataType type) {
  return type == sdk::NAIVE_DATE || type == sdk::NAIVE_DATETIME || type == sdk::UTC_DATETIME;
}

// `text` as a JSON string. It is UTF-8.
void AppendJsonString(std::string_view text, std::string& out) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      constexpr std::string_view kHex = "0123456789abcdef";
      absl::StrAppend(&out, "\\u00", absl::string_view(&kHex[static_cast<size_t>(c) >> 4], 1),
                      absl::string_view(&kHex[static_cast<size_t>(c) & 15], 1));
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

// A SET's labels, which have no commas, as an array.
void AppendLabels(std::string_view labels, std::string& out) {
  out.push_back('[');
  for (bool first = true; !labels.empty(); first = false) {
    const size_t comma = std::min(labels.find(','), labels.size());
    if (!first) out.push_back(',');
    AppendJsonString(labels.substr(0, comma), out);
    labels.remove_prefix(std::min(comma + 1, labels.size()));
  }
  out.push_back(']');
}

void AppendVector(std::string_view floats, std::string& out) {
  out.push_back('[');
  for (size_t i = 0; i + sizeof(float) <= floats.size(); i += sizeof(float)) {
    const auto byte = [&](size_t k) {
      return uint32_t{static_cast<unsigned char>(floats[i + k])} << (8 * k);
    };
    const auto number = std::bit_cast<float>(byte(0) | byte(1) | byte(2) | byte(3));
    std::array<char, 32> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    if (i > 0) out.push_back(',');
    out.append(text.data(), end);
  }
  out.push_back(']');
}

}  // namespace

RecordBatch::RecordBatch(const mysql::TypeOptions& types, DestinationColumns& columns)
    : types_(types), columns_(columns) {}

RecordBatch::Cell RecordBatch::MakeCell(const sync::Table& table, const std::string& name,
                                        size_t place) const {
  const auto& key = table.schema.key;
  Cell cell;
  cell.column = place;
  cell.name = name;
  cell.key = DelimitedField(kEntryKey, name);
  cell.in_key = std::find(key.begin(), key.end(), name) != key.end();
  cell.is_bits = false;
  cell.is_set = false;
  cell.altered = 0;
  constexpr std::string_view kNull("\x08\x01", 2);
  cell.null = DelimitedField(kRecordData, cell.key + DelimitedField(kEntryValue, kNull));
  return cell;
}

size_t RecordBatch::AddLayout(const sync::Table& table, std::span<const mysql::Column> columns) {
  Layout layout;
  layout.table = &table;
  layout.head =
      DelimitedField(kRecordSchema, table.keyspace()) + DelimitedField(kRecordTable, table.name());
  layout.keyless = table.schema.key.empty();
  for (size_t i = 0; i < columns.size(); ++i) {
    const mysql::Column& column = columns[i];
    if (IsReservedColumn(column.name) || !sync::Delivers(table, column.name)) continue;
    const DestinationColumns::Declared declared = columns_.Declare(table, column);
    layout.version = declared.version;
    Cell& cell = layout.cells.emplace_back(MakeCell(table, column.name, i));
    cell.declared = declared.type;
    cell.is_bits = column.type.base == mysql::BaseType::kBit;
    cell.is_set = column.type.base == mysql::BaseType::kSet;
  }
  // What rows do not have, because it was added or dropped at another time, is null.
  for (const std::string& name : table.columns) {
    const bool is_there = std::any_of(columns.begin(), columns.end(),
                                      [&](const auto& column) { return column.name == name; });
    if (!is_there && !IsReservedColumn(name)) {
      layout.cells.push_back(MakeCell(table, name, kNotThere));
    }
  }
  layouts_.push_back(std::move(layout));
  return layouts_.size() - 1;
}

void RecordBatch::Append(size_t layout_index, const sync::RowChange& change) {
  Layout& layout = layouts_[layout_index];
  Announce(layout);
  if (change.kind == sync::ChangeKind::kDelete || change.key_changed) {
    AppendRecord(layout, sdk::DELETE, change.before, layout.keyless ? Cells::kAll : Cells::kKey);
    if (change.kind == sync::ChangeKind::kDelete) return;
  }
  const bool lacks_columns =
      change.kind == sync::ChangeKind::kUpdate && !change.key_changed && !layout.keyless &&
      std::any_of(layout.cells.begin(), layout.cells.end(), [&](const Cell& cell) {
        return cell.column != kNotThere && change.after[cell.column].kind == Kind::kAbsent;
      });
  if (lacks_columns) {
    AppendRecord(layout, sdk::UPDATE, change.after, Cells::kPresent);
  } else {
    AppendRecord(layout, sdk::UPSERT, change.after, Cells::kAll);
  }
}

void RecordBatch::OpenMessage() {
  end_ = buffer_.Ensure(end_, kHead);
  end_ += kHead;
  open_ = size_bytes();
  records_ = 0;
}

// The message in the making, with its head.
RecordBatch::Message RecordBatch::HeadedMessage() const {
  const size_t size = size_bytes() - open_;
  const size_t begin = open_ - 1 - VarintSize(size);
  char* const out = buffer_.begin() + begin;
  *out = Delimited(kResponseRecords);
  WriteVarint(out + 1, size);
  return {begin, size_bytes()};
}

void RecordBatch::CloseMessage() {
  if (open_ == kNotThere) return;
  closed_.push_back(HeadedMessage());
  open_ = kNotThere;
}

void RecordBatch::AppendRecord(Layout& layout, int type, std::span<const Value> row, Cells which) {
  if (open_ == kNotThere) OpenMessage();
  const size_t begin = size_bytes();
  layout_ = &layout;

  // The length is written when it is known, into as much room as the last one's took.
  const size_t room = 1 + length_bytes_;
  char* out = buffer_.Ensure(end_, room + layout.head.size() + kAround) + room;
  out = WriteBytes(out, layout.head);
  if (type != sdk::UPSERT) {
    *out++ = Varint(kRecordType);
    *out++ = static_cast<char>(type);
  }
  for (Cell& cell : layout.cells) {
    if (which == Cells::kKey && !cell.in_key) continue;
    if (cell.column == kNotThere) {
      if (which == Cells::kAll) {
        out = WriteBytes(buffer_.Ensure(out, cell.null.size()), cell.null);
      }
      continue;
    }
    const Value& value = row[cell.column];
    if (which == Cells::kPresent && value.kind == Kind::kAbsent) continue;
    out = AppendCell(out, cell, value);
  }
  end_ = out;

  const size_t length = size_bytes() - begin - room;
  const size_t needed = VarintSize(length);
  if (needed != length_bytes_) {
    end_ = buffer_.Ensure(end_, needed);
    char* const content = buffer_.begin() + begin + room;
    std::memmove(buffer_.begin() + begin + 1 + needed, content, length);
    end_ = buffer_.begin() + begin + 1 + needed + length;
    length_bytes_ = needed;
  }
  buffer_.begin()[begin] = Delimited(kRecordsRecord);
  WriteVarint(buffer_.begin() + begin + 1, length);
  Count(layout.table->index);

  if (records_ > 0 && size_bytes() - open_ > kMostBytes) MoveToNewMessage(begin);
  if (++records_ == kMostRecords) CloseMessage();
}

// Gives the record that begins at `begin` to a message of its own, behind the one in the making.
void RecordBatch::MoveToNewMessage(size_t begin) {
  const size_t size = size_bytes() - begin;
  end_ = buffer_.Ensure(end_, kHead);
  std::memmove(buffer_.begin() + begin + kHead, buffer_.begin() + begin, size);
  end_ = buffer_.begin() + begin;
  CloseMessage();
  OpenMessage();
  end_ += size;
}

char* RecordBatch::AppendCell(char* out, Cell& cell, const Value& value) {
  out = buffer_.Ensure(out, cell.key.size() + kAround);
  if (value.problem == Problem::kReplaced) ++AlteredIn(cell).replaced;
  if (value.kind == Kind::kNull || value.kind == Kind::kAbsent) {
    return value.problem == Problem::kNone ? WriteBytes(out, cell.null) : AppendNulled(out, cell);
  }
  return AppendTyped(out, cell, value);
}

char* RecordBatch::AppendTyped(char* out, Cell& cell, const Value& value) {
  switch (cell.declared.type) {
    case sdk::BOOLEAN:
      if (value.text == "true" || value.text == "1") {
        return WriteVarintValue(out, cell.key, sdk::ValueType::kBoolValue, 1);
      }
      if (value.text == "false" || value.text == "0") {
        return WriteVarintValue(out, cell.key, sdk::ValueType::kBoolValue, 0);
      }
      return AppendNulled(out, cell);
    case sdk::INT:
    case sdk::LONG:
      return AppendInteger(out, cell, value);
    case sdk::DECIMAL:
      return AppendDecimal(out, cell, value);
    case sdk::DOUBLE:
      return AppendDouble(out, cell, value);
    case sdk::NAIVE_DATE:
    case sdk::NAIVE_DATETIME:
    case sdk::UTC_DATETIME:
      return AppendTime(out, cell, value);
    case sdk::BINARY:
      return value.kind == Kind::kBytes
                 ? AppendBytes(out, cell, sdk::ValueType::kBinary, value.text)
                 : AppendNulled(out, cell);
    case sdk::JSON:
      return AppendJson(out, cell, value);
    default:
      return AppendText(out, cell, value);
  }
}

char* RecordBatch::AppendInteger(char* out, Cell& cell, const Value& value) {
  std::optional<int64_t> number;
  switch (value.kind) {
    case Kind::kSigned:
    case Kind::kUnsigned:
    case Kind::kYear:
      number = Parse<int64_t>(value.text);
      break;
    case Kind::kBoolean:
      number = value.text == "true" ? 1 : 0;
      break;
    case Kind::kBytes:
      if (cell.is_bits && value.text.size() <= sizeof(uint64_t)) {
        const uint64_t bits = BitsOf(value.text);
        if (bits <= uint64_t{INT64_MAX}) number = static_cast<int64_t>(bits);
      }
      break;
    default:
      break;
  }
  if (!number.has_value()) return AppendNulled(out, cell);
  if (cell.declared.type == sdk::LONG) {
    return WriteVarintValue(out, cell.key, sdk::ValueType::kLongValue,
                            static_cast<uint64_t>(*number));
  }
  if (*number < INT32_MIN || *number > INT32_MAX) return AppendNulled(out, cell);
  return WriteVarintValue(out, cell.key, sdk::ValueType::kIntValue, static_cast<uint64_t>(*number));
}

char* RecordBatch::AppendDecimal(char* out, Cell& cell, const Value& value) {
  switch (value.kind) {
    case Kind::kSigned:
    case Kind::kUnsigned:
    case Kind::kDecimal:
    case Kind::kYear:
      return AppendBytes(out, cell, sdk::ValueType::kDecimal, value.text);
    case Kind::kBoolean:
      return AppendBytes(out, cell, sdk::ValueType::kDecimal, value.text == "true" ? "1" : "0");
    case Kind::kBytes:
      if (cell.is_bits && value.text.size() <= sizeof(uint64_t)) {
        std::array<char, 24> text;
        const char* const end =
            std::to_chars(text.data(), text.data() + text.size(), BitsOf(value.text)).ptr;
        return AppendBytes(out, cell, sdk::ValueType::kDecimal, {text.data(), end});
      }
      break;
    default:
      break;
  }
  return AppendNulled(out, cell);
}

char* RecordBatch::AppendDouble(char* out, Cell& cell, const Value& value) {
  std::optional<double> number;
  switch (value.kind) {
    case Kind::kFloat:
    case Kind::kDouble:
    case Kind::kSigned:
    case Kind::kUnsigned:
    case Kind::kDecimal:
      number = Parse<double>(value.text);
      break;
    default:
      break;
  }
  if (!number.has_value()) return AppendNulled(out, cell);
  out = WriteEntry(out, cell.key, 1 + sizeof(double));
  *out++ = Fixed64(sdk::ValueType::kDoubleValue);
  for (uint64_t bits = std::bit_cast<uint64_t>(*number), i = 0; i < 8; ++i, bits >>= 8) {
    *out++ = static_cast<char>(bits);
  }
  return out;
}

char* RecordBatch::AppendTime(char* out, Cell& cell, const Value& value) {
  const sdk::DataType type = cell.declared.type;
  const bool is_of_type = (value.kind == Kind::kDate && type == sdk::NAIVE_DATE) ||
                          (value.kind == Kind::kDateTime && type == sdk::NAIVE_DATETIME) ||
                          (value.kind == Kind::kTimestamp && type == sdk::UTC_DATETIME);
  const std::optional<Moment> moment = is_of_type ? MomentOf(value.text) : std::nullopt;
  if (!moment.has_value()) return AppendNulled(out, cell);
  return WriteMoment(out, cell.key, FieldOf(type), *moment);
}

char* RecordBatch::AppendText(char* out, Cell& cell, const Value& value) {
  switch (value.kind) {
    case Kind::kGeometry:
      if (mysql::IsGeometry(value.text)) {
        constexpr size_t kSrid = 4;  // bytes before the WKB
        scratch_ = types_.geometry == mysql::GeometryFormat::kWkbHex
                       ? absl::BytesToHexString(text::AbslView(value.text.substr(kSrid)))
                       : std::string();
        if (scratch_.empty()) mysql::AppendGeoJson(value.text, scratch_);
        return AppendBytes(out, cell, sdk::ValueType::kString, scratch_);
      }
      break;
    case Kind::kVector:
      scratch_.clear();
      AppendVector(value.text, scratch_);
      return AppendBytes(out, cell, sdk::ValueType::kString, scratch_);
    case Kind::kBytes:
      if (cell.is_bits && value.text.size() <= sizeof(uint64_t)) {
        scratch_ = absl::StrCat(BitsOf(value.text));
        return AppendBytes(out, cell, sdk::ValueType::kString, scratch_);
      }
      break;
    default:
      return AppendBytes(out, cell, sdk::ValueType::kString, value.text);
  }
  return AppendNulled(out, cell);
}

char* RecordBatch::AppendJson(char* out, Cell& cell, const Value& value) {
  scratch_.clear();
  switch (value.kind) {
    case Kind::kJson:
      if (value.text.empty()) break;  // destinations refuse an empty document (reference 2.7)
      return AppendBytes(out, cell, sdk::ValueType::kJson, value.text);
    case Kind::kGeometry:
      if (!mysql::IsGeometry(value.text)) break;
      mysql::AppendGeoJson(value.text, scratch_);
      return AppendBytes(out, cell, sdk::ValueType::kJson, scratch_);
    case Kind::kVector:
      AppendVector(value.text, scratch_);
      return AppendBytes(out, cell, sdk::ValueType::kJson, scratch_);
    case Kind::kText:
      if (!cell.is_set) break;
      AppendLabels(value.text, scratch_);
      return AppendBytes(out, cell, sdk::ValueType::kJson, scratch_);
    default:
      break;
  }
  return AppendNulled(out, cell);
}

char* RecordBatch::AppendBytes(char* out, const Cell& cell, int field, std::string_view bytes) {
  out = buffer_.Ensure(out, cell.key.size() + kAround + bytes.size());
  out = WriteEntry(out, cell.key, 1 + VarintSize(bytes.size()) + bytes.size());
  *out++ = Delimited(field);
  out = WriteVarint(out, bytes.size());
  return WriteBytes(out, bytes);
}

char* RecordBatch::AppendNulled(char* out, Cell& cell) {
  if (cell.in_key && IsTime(cell.declared.type)) {
    ++AlteredIn(cell).epochs;
    return WriteMoment(out, cell.key, FieldOf(cell.declared.type), Moment());
  }
  ++AlteredIn(cell).nulled;
  return WriteBytes(buffer_.Ensure(out, cell.null.size()), cell.null);
}

AlteredValues& RecordBatch::AlteredIn(Cell& cell) {
  if (cell.altered == 0) {
    altered_.push_back({.table = layout_->table->index, .name = cell.name, .values = {}});
    cell.altered = altered_.size();
  }
  return altered_[cell.altered - 1].values;
}

// Tells of columns that the destination does not know yet.
void RecordBatch::Announce(const Layout& layout) {
  const sync::Table& table = *layout.table;
  if (announced_.size() <= table.index) announced_.resize(table.index + 1, 0);
  if (announced_[table.index] >= layout.version) return;
  announced_[table.index] = layout.version;
  CloseMessage();
  sdk::UpdateResponse response;
  sdk::Schema& schema = *response.mutable_schema_change()->mutable_with_schema()->add_schemas();
  schema.set_name(table.keyspace());
  *schema.add_tables() = columns_.Describe(table);
  const std::string message = response.SerializeAsString();
  const size_t begin = size_bytes();
  end_ = WriteBytes(buffer_.Ensure(end_, message.size()), message);
  closed_.push_back({begin, size_bytes()});
}

void RecordBatch::Count(size_t table) {
  if (slots_.size() <= table) slots_.resize(table + 1, 0);
  if (slots_[table] == 0) {
    counts_.push_back({.table = table, .records = 0});
    slots_[table] = counts_.size();
  }
  ++counts_[slots_[table] - 1].records;
}

std::vector<std::string_view> RecordBatch::Messages() const {
  std::vector<std::string_view> messages;
  messages.reserve(closed_.size() + 1);
  const auto add = [&](const Message& message) {
    messages.push_back(buffer_.text(end_).substr(message.begin, message.end - message.begin));
  };
  for (const Message& message : closed_) add(message);
  if (open_ != kNotThere) add(HeadedMessage());
  return messages;
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
  closed_.clear();
  open_ = kNotThere;
  buffer_.Clear();
  if (scratch_.capacity() > kMostMemoryKept) scratch_ = std::string();
  end_ = buffer_.begin();
}

}  // namespace source_vitess::fivetran
