#include "benchmark/sample_table.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstring>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace source_vitess::benchmark {
namespace {

constexpr uint32_t kUtf8mb4 = 255;
constexpr uint32_t kLatin1 = 8;
constexpr uint32_t kUtf16 = 54;
constexpr uint32_t kBinary = 63;

// NOT NULL, primary key, numeric: as in the recordings' FIELD events.
constexpr uint32_t kKeyFlags = 53251;
constexpr uint32_t kNumberFlags = 32768;
constexpr uint32_t kBinaryFlags = 128;

constexpr SampleColumn Number(const char* name, const char* type, const char* data_type,
                              query::Type wire_type, uint32_t length, uint32_t decimals = 0) {
  return {name,     type,         data_type, wire_type, length, kBinary,
          decimals, kNumberFlags, nullptr,   nullptr,   true};
}

constexpr SampleColumn Text(const char* name, const char* type, const char* data_type,
                            query::Type wire_type, uint32_t length) {
  return {name, type, data_type, wire_type, length, kUtf8mb4, 0, 0, "utf8mb4", "utf8mb4_0900_ai_ci",
          true};
}

constexpr SampleColumn Binary(const char* name, const char* type, const char* data_type,
                              query::Type wire_type, uint32_t length, uint32_t decimals = 0) {
  return {name,     type,         data_type, wire_type, length, kBinary,
          decimals, kBinaryFlags, nullptr,   nullptr,   true};
}

constexpr SampleColumn kKey = {"id", "bigint",  "bigint", query::INT64, 20,   kBinary,
                               0,    kKeyFlags, nullptr,  nullptr,      false};

constexpr SampleColumn NotNull(SampleColumn column, uint32_t flags) {
  column.flags = flags;
  column.nullable = false;
  return column;
}

constexpr SampleColumn In(SampleColumn column, uint32_t charset, const char* character_set,
                          const char* collation) {
  column.charset = charset;
  column.character_set = character_set;
  column.collation = collation;
  return column;
}

constexpr std::array kOrders = {
    kKey,
    NotNull(Number("customer_id", "bigint", "bigint", query::INT64, 20), 36865),
    NotNull(Text("sku", "varchar(32)", "varchar", query::VARCHAR, 128), 4097),
    Text("email", "varchar(128)", "varchar", query::VARCHAR, 512),
    Number("quantity", "int", "int", query::INT32, 11),
    Number("price", "decimal(12,2)", "decimal", query::DECIMAL, 14, 2),
    Number("weight", "double", "double", query::FLOAT64, 22, 31),
    Text("note", "varchar(512)", "varchar", query::VARCHAR, 2048),
    NotNull(Binary("created_at", "timestamp", "timestamp", query::TIMESTAMP, 19), 1153),
};

constexpr std::array kAllTypes = {
    kKey,
    Number("tiny", "tinyint", "tinyint", query::INT8, 4),
    Number("small", "smallint unsigned", "smallint", query::UINT16, 5),
    Number("medium", "mediumint", "mediumint", query::INT24, 9),
    Number("filled", "int(10) unsigned zerofill", "int", query::UINT32, 10),
    Number("big", "bigint unsigned", "bigint", query::UINT64, 20),
    Number("flag", "tinyint(1)", "tinyint", query::INT8, 1),
    Number("ratio", "float", "float", query::FLOAT32, 12, 31),
    Number("weight", "double", "double", query::FLOAT64, 22, 31),
    Number("price", "decimal(12,2)", "decimal", query::DECIMAL, 14, 2),
    Number("rate", "decimal(38,10)", "decimal", query::DECIMAL, 40, 10),
    Binary("mask", "bit(16)", "bit", query::BIT, 16),
    Binary("bit", "bit(1)", "bit", query::BIT, 1),
    Number("year", "year", "year", query::YEAR, 4),
    Binary("day", "date", "date", query::DATE, 10),
    Binary("at", "datetime(6)", "datetime", query::DATETIME, 26, 6),
    Binary("changed", "timestamp(3)", "timestamp", query::TIMESTAMP, 23, 3),
    Binary("clock", "time", "time", query::TIME, 10),
    Text("code", "char(10)", "char", query::CHAR, 40),
    Text("name", "varchar(64)", "varchar", query::VARCHAR, 256),
    In(Text("place_name", "varchar(64)", "varchar", query::VARCHAR, 64), kLatin1, "latin1",
       "latin1_swedish_ci"),
    In(Text("wide", "varchar(32)", "varchar", query::VARCHAR, 128), kUtf16, "utf16",
       "utf16_general_ci"),
    Text("body", "text", "text", query::TEXT, 262140),
    Binary("uuid", "binary(16)", "binary", query::BINARY, 16),
    Binary("hash", "varbinary(32)", "varbinary", query::VARBINARY, 32),
    Binary("raw", "blob", "blob", query::BLOB, 65535),
    Text("status", "enum('new','paid','sent','lost')", "enum", query::ENUM, 16),
    Text("labels", "set('a','b','c','d')", "set", query::SET, 28),
    Binary("doc", "json", "json", query::JSON, 4294967295),
    Binary("position", "point", "point", query::GEOMETRY, 4294967295),
    Binary("area", "polygon", "polygon", query::GEOMETRY, 4294967295),
    Binary("embedding", "vector(8)", "vector", query::VECTOR, 32),
};

constexpr std::array kWords = {
    "parcel", "leave",   "with",    "the",  "neighbour", "second",  "floor",   "please", "call",
    "before", "ringing", "gift",    "wrap", "in",        "paper",   "fragile", "glass",  "upright",
    "keep",   "dry",     "invoice", "to",   "office",    "reorder", "of",      "last",   "month"};

constexpr std::array kForeignWords = {"café", "Zürich", "señor", "東京", "Łódź"};
constexpr std::array kStatuses = {"new", "paid", "sent", "lost"};
constexpr std::array kLabels = {"", "a", "a,c", "b,c,d"};
constexpr std::array kEscapedWords = {"\"today\"", "back\\slash", "line\nbreak", "tab\there"};

// A double as the form has it: 12.375, or 1.2375E+01.
std::string DoubleText(double value, RowForm form) {
  std::array<char, 32> text;
  const auto format =
      form == RowForm::kCopy ? std::chars_format::fixed : std::chars_format::scientific;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, format).ptr;
  std::string result(text.data(), end);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return result;
}

// Little-endian, as MySQL stores it and this machine has it.
template <typename T>
std::string BytesOf(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

void AddCell(query::Row& row, const std::optional<std::string>& cell) {
  row.add_lengths(cell.has_value() ? static_cast<int64_t>(cell->size()) : -1);
  if (cell.has_value()) row.mutable_values()->append(*cell);
}

}  // namespace

const char* TableName(SampleTable table) {
  return table == SampleTable::kOrders ? "orders" : "all_types";
}

std::span<const SampleColumn> SampleColumns(SampleTable table) {
  if (table == SampleTable::kOrders) return kOrders;
  return kAllTypes;
}

uint64_t SampleRows::Number(uint64_t least, uint64_t most) {
  return least + random_() % (most - least + 1);
}

std::string SampleRows::Note(size_t size) {
  const bool foreign = Number(1, 4) == 1;
  const bool escaped = Number(1, 8) == 1;
  std::string note;
  while (note.size() < size) {
    if (!note.empty()) note += ' ';
    if (foreign && Number(1, 8) == 1) {
      note += kForeignWords[Number(0, kForeignWords.size() - 1)];
    } else if (escaped && Number(1, 8) == 1) {
      note += kEscapedWords[Number(0, kEscapedWords.size() - 1)];
    } else {
      note += kWords[Number(0, kWords.size() - 1)];
    }
  }
  return note;
}

std::string SampleRows::Bytes(size_t size) {
  std::string bytes;
  while (bytes.size() < size) bytes += static_cast<char>(random_());
  return bytes;
}

std::string SampleRows::Document() {
  return absl::StrFormat(
      R"({"id": %d, "name": "%s", "tags": ["%s", "%s"], "price": %d.%02d, "active": true, "note": null})",
      Number(1, 9'999'999), kForeignWords[Number(0, kForeignWords.size() - 1)],
      kWords[Number(0, kWords.size() - 1)], kWords[Number(0, kWords.size() - 1)], Number(1, 999),
      Number(0, 99));
}

// In the reference system 4326, of five corners.
std::string SampleRows::Polygon() {
  std::string bytes = BytesOf(uint32_t{4326});
  absl::StrAppend(&bytes, "\1", BytesOf(uint32_t{3}), BytesOf(uint32_t{1}), BytesOf(uint32_t{6}));
  const std::string first = BytesOf(Degrees()) + BytesOf(Degrees());
  bytes += first;
  for (int i = 0; i < 4; ++i) absl::StrAppend(&bytes, BytesOf(Degrees()), BytesOf(Degrees()));
  return bytes + first;
}

double SampleRows::Degrees() { return static_cast<double>(Number(0, 90'000'000)) / 1e6; }

std::string SampleRows::Moment() {
  return absl::StrFormat("2026-%02d-%02d %02d:%02d:%02d", Number(1, 12), Number(1, 28),
                         Number(0, 23), Number(0, 59), Number(0, 59));
}

query::Row SampleRows::Next(std::string_view key) {
  return table_ == SampleTable::kOrders ? NextOrder(key) : NextOfAllTypes(key);
}

query::Row SampleRows::NextOrder(std::string_view key) {
  query::Row row;
  AddCell(row, std::string(key));
  const uint64_t customer = Number(1, 9'999'999);
  AddCell(row, absl::StrCat(customer));
  AddCell(row, absl::StrFormat("SKU-%08d", Number(0, 99'999'999)));
  AddCell(row, absl::StrCat("customer.", customer, "@mail.example.com"));
  AddCell(row, Number(1, 16) == 1 ? std::nullopt : std::optional(absl::StrCat(Number(1, 250))));
  AddCell(row, absl::StrFormat("%d.%02d", Number(1, 99'999), Number(0, 99)));
  AddCell(row, DoubleText(static_cast<double>(Number(1, 80'000)) / 8, form_));
  AddCell(row, Number(1, 32) == 1 ? std::nullopt : std::optional(Note(Number(150, 288))));
  AddCell(row, Moment());
  return row;
}

query::Row SampleRows::NextOfAllTypes(std::string_view key) {
  const bool copied = form_ == RowForm::kCopy;
  query::Row row;
  AddCell(row, std::string(key));
  AddCell(row, absl::StrCat(static_cast<int>(Number(0, 255)) - 128));
  AddCell(row, absl::StrCat(Number(0, 65535)));
  AddCell(row, absl::StrCat(static_cast<int64_t>(Number(0, 16'777'215)) - 8'388'608));
  const uint64_t filled = Number(0, 4'294'967'295);
  AddCell(row, copied ? absl::StrFormat("%010d", filled) : absl::StrCat(filled));
  AddCell(row, absl::StrCat(random_()));
  AddCell(row, absl::StrCat(Number(0, 1)));
  AddCell(row, DoubleText(static_cast<double>(Number(1, 8'000)) / 8, form_));
  AddCell(row, DoubleText(static_cast<double>(random_()) / 1e9, form_));
  AddCell(row, absl::StrFormat("%d.%02d", Number(1, 99'999), Number(0, 99)));
  AddCell(row, absl::StrFormat("%d%09d.%010d", Number(1, 999'999), Number(0, 999'999'999),
                               Number(0, 9'999'999'999)));
  AddCell(row, Bytes(2).substr(0, 2));
  AddCell(row, std::string(1, static_cast<char>(Number(0, 1))));
  AddCell(row, absl::StrCat(Number(1970, 2030)));
  AddCell(row, Moment().substr(0, 10));
  AddCell(row, absl::StrFormat("%s.%06d", Moment(), Number(0, 999'999)));
  AddCell(row, absl::StrFormat("%s.%03d", Moment(), Number(0, 999)));
  AddCell(row, Moment().substr(11));
  AddCell(row, absl::StrFormat("C%07d", Number(0, 9'999'999)));
  AddCell(row, Number(1, 16) == 1 ? std::nullopt : std::optional(Note(Number(8, 40))));
  AddCell(row, absl::StrFormat("caf\xe9 %d", Number(1, 9'999)));
  std::string wide;
  for (const char c : absl::StrFormat("W%06d", Number(0, 999'999))) wide += {'\0', c};
  AddCell(row, wide);
  AddCell(row, Number(1, 16) == 1 ? std::nullopt : std::optional(Note(Number(100, 300))));
  AddCell(row, Bytes(16));
  AddCell(row, Bytes(32));
  AddCell(row, Number(1, 16) == 1 ? std::nullopt : std::optional(Bytes(Number(50, 200))));
  AddCell(row, kStatuses[Number(0, kStatuses.size() - 1)]);
  AddCell(row, kLabels[Number(0, kLabels.size() - 1)]);
  AddCell(row, Document());
  AddCell(row, absl::StrCat(BytesOf(uint32_t{4326}), "\1", BytesOf(uint32_t{1}), BytesOf(Degrees()),
                            BytesOf(Degrees())));
  AddCell(row, Polygon());
  std::string embedding;
  for (int i = 0; i < 8; ++i) {
    embedding += BytesOf(static_cast<float>(Number(0, 2'000'000)) / 1e6F - 1.0F);
  }
  AddCell(row, embedding);
  return row;
}

}  // namespace source_vitess::benchmark
