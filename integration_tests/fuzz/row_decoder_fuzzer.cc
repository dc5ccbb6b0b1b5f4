// Any fields and any row become records of valid JSON, in which text is valid UTF-8, or an error.
//
// The input: a byte of options, a byte that says how many columns there are; for each column a byte
// of its type, one of its character set and one of its value's length (0: NULL); the rest is the
// bytes of the row.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "airbyte/record_batch.h"
#include "airbyte/stream_columns.h"
#include "fuzz/invariant.h"
#include "mysql/geometry.h"
#include "mysql/row_decoder.h"
#include "mysql/utf8.h"
#include "rapidjson/document.h"
#include "rapidjson/reader.h"
#include "sync/sink.h"
#include "telemetry/log.h"

namespace source_vitess::fuzz {
namespace {

using mysql::Kind;

struct WireType {
  query::Type type;
  const char* column_type;
};

constexpr std::array kTypes = {WireType{query::INT64, "bigint"},
                               WireType{query::UINT64, "bigint unsigned"},
                               WireType{query::INT8, "tinyint(1)"},
                               WireType{query::UINT32, "int(6) unsigned zerofill"},
                               WireType{query::FLOAT32, "float"},
                               WireType{query::FLOAT64, "double"},
                               WireType{query::DECIMAL, "decimal(65,30)"},
                               WireType{query::BIT, "bit(1)"},
                               WireType{query::BIT, "bit(64)"},
                               WireType{query::YEAR, "year"},
                               WireType{query::DATE, "date"},
                               WireType{query::DATETIME, "datetime(6)"},
                               WireType{query::TIMESTAMP, "timestamp(3)"},
                               WireType{query::TIME, "time(2)"},
                               WireType{query::VARCHAR, "varchar(20)"},
                               WireType{query::VARBINARY, "varchar(20)"},
                               WireType{query::VARBINARY, "varbinary(20)"},
                               WireType{query::BINARY, "binary(20)"},
                               WireType{query::BLOB, ""},
                               WireType{query::TEXT, ""},
                               WireType{query::ENUM, "enum('a','b\\'','c''\xff')"},
                               WireType{query::SET, "set('a','b','\xc3\xa9')"},
                               WireType{query::JSON, "json"},
                               WireType{query::GEOMETRY, "geometry"},
                               WireType{query::VECTOR, "vector(3)"},
                               WireType{query::VARCHAR, "hologram(3)"}};

// Takes the input from the front; zeros behind its end.
class Input {
 public:
  explicit Input(std::string_view bytes) : left_(bytes) {}

  uint8_t Byte() {
    if (left_.empty()) return 0;
    const auto byte = static_cast<uint8_t>(left_.front());
    left_.remove_prefix(1);
    return byte;
  }
  std::string_view rest() const { return left_; }

 private:
  std::string_view left_;
};

struct Sent {
  std::vector<query::Field> fields;
  query::Row row;
};

Sent SentBy(Input& input) {
  Sent sent;
  const size_t columns = input.Byte() % 32;
  size_t size = 0;
  for (size_t i = 0; i < columns; ++i) {
    const WireType& type = kTypes[input.Byte() % kTypes.size()];
    query::Field& field = sent.fields.emplace_back();
    field.set_name("c" + std::to_string(i));
    field.set_type(type.type);
    field.set_column_type(type.column_type);
    field.set_charset(input.Byte());
    const int64_t length = int64_t{input.Byte()} - 1;
    sent.row.add_lengths(length);
    if (length > 0) size += static_cast<size_t>(length);
  }
  std::string values(input.rest().substr(0, size));
  values.resize(size, '0');  // the lengths hold; that they may not is another test's
  sent.row.set_values(std::move(values));
  return sent;
}

void CheckValue(const mysql::Value& value) {
  const std::string shown(value.text);
  if (value.kind == Kind::kText || value.kind == Kind::kJson) {
    Invariant(mysql::IsValidUtf8(value.text), "text is valid UTF-8", shown);
  }
  if (value.kind == Kind::kJson) {
    Invariant(value.text.find('\n') == std::string_view::npos, "JSON is on one line", shown);
  }
  if (value.kind == Kind::kGeometry) {
    Invariant(mysql::IsGeometry(value.text), "geometries are well-formed", shown);
  }
}

// Numbers of a JSON document may be beyond any double.
bool IsJson(std::string_view text) {
  constexpr unsigned kFlags = rapidjson::kParseNumbersAsStringsFlag |
                              rapidjson::kParseValidateEncodingFlag |
                              rapidjson::kParseIterativeFlag;
  const std::string terminated(text);
  rapidjson::StringStream stream(terminated.c_str());
  rapidjson::BaseReaderHandler<> ignore;
  rapidjson::Reader reader;
  return !reader.Parse<kFlags>(stream, ignore).IsError();
}

sync::Table TableOf(std::span<const mysql::Column> columns) {
  sync::Table table;
  table.schema.keyspace = "k";
  table.schema.name = "t";
  table.schema.columns.assign(columns.begin(), columns.end());
  for (const mysql::Column& column : columns) table.columns.push_back(column.name);
  return table;
}

void CheckRecord(std::span<const mysql::Column> columns, const mysql::TypeOptions& options,
                 std::span<const mysql::Value> values) {
  const sync::Table table = TableOf(columns);
  telemetry::NullLogger logger;
  airbyte::StreamColumns declared({}, logger);
  airbyte::RecordBatch batch([] { return int64_t{0}; }, options, declared);
  batch.Append(batch.AddLayout(table, columns),
               {.kind = sync::ChangeKind::kCopy, .before = {}, .after = values});
  const std::string_view text = batch.text();
  if (text.empty()) return;  // no column is there
  Invariant(text.ends_with('\n') && std::count(text.begin(), text.end(), '\n') == 1,
            "a record is one line", std::string(text));
  Invariant(mysql::IsValidUtf8(text), "a record is valid UTF-8", std::string(text));
  Invariant(IsJson(text), "a record is JSON", std::string(text));
}

void Run(std::string_view bytes) {
  Input input(bytes);
  const uint8_t choice = input.Byte();
  constexpr std::array kSources = {mysql::RowSource::kCopy, mysql::RowSource::kBinlog,
                                   mysql::RowSource::kExecute, mysql::RowSource::kBinlog};
  mysql::TypeOptions options;
  options.tinyint1_as_boolean = (choice & 8) != 0;
  options.bit1_as_boolean = (choice & 16) != 0;
  options.zero_dates = (choice & 32) != 0 ? mysql::ZeroDates::kText : mysql::ZeroDates::kNull;
  options.geometry =
      (choice & 64) != 0 ? mysql::GeometryFormat::kWkbHex : mysql::GeometryFormat::kGeoJson;
  const Sent sent = SentBy(input);
  std::vector<const query::Field*> fields;
  for (const query::Field& field : sent.fields) fields.push_back(&field);
  const auto decoder =
      mysql::RowDecoder::Make(fields, {}, {}, kSources[choice % 4],
                              /*enum_set_string_values=*/(choice & 4) != 0, options);
  Invariant(decoder.ok(), "a decoder can be made", "");
  binlogdata::RowChange::Bitmap bitmap;
  bitmap.set_count(static_cast<int64_t>(fields.size()));
  bitmap.set_cols(std::string(input.rest().substr(0, 4)));
  mysql::DecodedRow row;
  const std::array<const binlogdata::RowChange::Bitmap*, 2> images = {nullptr, &bitmap};
  for (const auto* present : images) {
    const absl::Status status = decoder->Decode(sent.row, present, nullptr, row);
    Invariant(status.ok(), "a row whose lengths fit is decoded", std::string(status.message()));
    for (const mysql::Value& value : row.values()) CheckValue(value);
    CheckRecord(decoder->columns(), options, row.values());
  }
}

}  // namespace
}  // namespace source_vitess::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  source_vitess::fuzz::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
