#include "values_delivery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>

#include "airbyte/catalog.h"
#include "airbyte/record_batch.h"
#include "airbyte/stream_columns.h"
#include "harness/connector.h"
#include "mysql/row_decoder.h"
#include "mysql/table_schema.h"
#include "mysql/utf8.h"
#include "sync/sink.h"
#include "telemetry/log.h"
#include "values_declared_schema.h"
#include "vitess/binlogdata.pb.h"

namespace source_vitess::tests {
namespace {

using ::testing::IsEmpty;

constexpr int64_t kNow = 1767225600100;
constexpr std::string_view kFirst = R"("data":{"id":1)";
constexpr std::string_view kLast = R"(,"_ab_cdc_updated_at":)";

// How much of the row a change of the binary log shows.
enum class Image { kWhole, kWithBitmap, kLeftOut, kExpression };

// How the column stands in its table.
enum class Place { kNullable, kNotNull, kKey };

sync::Table TableOf(const ColumnUnderTest& column, Place place) {
  const auto made = [](const std::string& name, const std::string& type) {
    auto parsed = mysql::ParseColumnType(type);
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    mysql::Column each;
    each.name = name;
    each.type = parsed.value_or(mysql::ColumnType());
    each.nullable = false;
    return each;
  };
  sync::Table table;
  table.schema.keyspace = "commerce";
  table.schema.name = "samples";
  table.schema.columns = {made("id", "bigint"), made("v", column.type)};
  table.schema.columns[1].nullable = place == Place::kNullable;
  table.schema.columns[1].type.character_set = column.character_set;
  table.schema.key = {"id"};
  if (place == Place::kKey) table.schema.key.push_back("v");
  table.columns = {"id", "v"};
  return table;
}

std::vector<query::Field> FieldsOf(const ColumnUnderTest& column) {
  std::vector<query::Field> fields(2);
  fields[0].set_name("id");
  fields[0].set_type(query::INT64);
  fields[0].set_column_type("bigint");
  fields[1].set_name("v");
  fields[1].set_type(column.wire);
  fields[1].set_column_type(column.type);
  fields[1].set_charset(column.collation);
  return fields;
}

mysql::RowSource SourceOf(Way way) {
  switch (way) {
    case Way::kCopy:
      return mysql::RowSource::kCopy;
    case Way::kBinlog:
    case Way::kBinlogBeforeV20:
      return mysql::RowSource::kBinlog;
    case Way::kExecute:
      return mysql::RowSource::kExecute;
  }
  return mysql::RowSource::kCopy;
}

binlogdata::RowChange::Bitmap BitmapOf(int64_t count, char bits) {
  binlogdata::RowChange::Bitmap bitmap;
  bitmap.set_count(count);
  bitmap.set_cols(std::string(1, bits));
  return bitmap;
}

absl::Status Decode(const mysql::RowDecoder& decoder, const query::Row& row, Image image,
                    mysql::DecodedRow& out) {
  const auto both = BitmapOf(2, 3);
  const auto id_alone = BitmapOf(2, 1);
  const auto expression = BitmapOf(1, 1);
  switch (image) {
    case Image::kWhole:
      return decoder.Decode(row, nullptr, nullptr, out);
    case Image::kWithBitmap:
      return decoder.Decode(row, &both, nullptr, out);
    case Image::kLeftOut:
      return decoder.Decode(row, &id_alone, nullptr, out);
    case Image::kExpression:
      return decoder.Decode(row, &both, &expression, out);
  }
  return absl::OkStatus();
}

std::vector<airbyte::ConfiguredStream> Configured(const std::string& catalog) {
  const auto configured = harness::ConfigureCatalog(catalog);
  EXPECT_TRUE(configured.ok()) << configured.status();
  auto streams = airbyte::ParseConfiguredCatalog(configured.value_or(""));
  EXPECT_TRUE(streams.ok()) << streams.status();
  return streams.ok() ? *std::move(streams) : std::vector<airbyte::ConfiguredStream>();
}

// The record of a row whose column v has these bytes, valid as `catalog` declares, or, where that
// is empty, as discovery does.
std::string RecordOf(const ColumnUnderTest& column, Place place, Way way, Image image,
                     const Bytes& bytes, std::string catalog = "") {
  const sync::Table table = TableOf(column, place);
  if (catalog.empty()) catalog = airbyte::CatalogLine({&table.schema, 1}, column.options);
  const std::vector<query::Field> fields = FieldsOf(column);
  const query::Field* const pointers[] = {&fields[0], &fields[1]};
  const auto decoder =
      mysql::RowDecoder::Make(pointers, table.schema, {}, SourceOf(way),
                              /*enum_set_string_values=*/way == Way::kBinlog, column.options);
  EXPECT_TRUE(decoder.ok()) << decoder.status();
  query::Row row;
  row.set_values("1" + bytes.value_or(""));
  row.add_lengths(1);
  row.add_lengths(bytes.has_value() ? static_cast<int64_t>(bytes->size()) : -1);
  mysql::DecodedRow decoded;
  const absl::Status status = Decode(*decoder, row, image, decoded);
  EXPECT_TRUE(status.ok()) << status;

  telemetry::NullLogger logger;
  airbyte::StreamColumns declared(Configured(catalog), logger);
  airbyte::RecordBatch batch([] { return kNow; }, column.options, declared);
  batch.Append(
      batch.AddLayout(table, decoder->columns()),
      {.kind = sync::ChangeKind::kCopy, .before = {}, .after = decoded.values(), .sequence = 7});
  std::string record(batch.text());
  EXPECT_THAT(Violations(catalog, record), IsEmpty());
  return record;
}

// The text of v in a record, with its name; empty without it.
std::string ValueIn(const std::string& record) {
  const size_t begin = record.find(kFirst);
  const size_t end = record.rfind(kLast);
  EXPECT_NE(begin, std::string::npos) << record;
  EXPECT_NE(end, std::string::npos) << record;
  if (begin == std::string::npos || end == std::string::npos) return record;
  return record.substr(begin + kFirst.size(), end - begin - kFirst.size());
}

std::string MetaOf(Note note) {
  switch (note) {
    case Note::kNone:
      return "";
    case Note::kNulled:
      return R"(,"meta":{"changes":[{"field":"v","change":"NULLED","reason":"SOURCE_SERIALIZATION_ERROR"}]})";
    case Note::kReplaced:
      return R"(,"meta":{"changes":[{"field":"v","change":"TRUNCATED","reason":"SOURCE_SERIALIZATION_ERROR"}]})";
  }
  return "";
}

void ExpectRecord(const std::string& record, const std::string& json, Note note) {
  EXPECT_EQ(ValueIn(record), R"(,"v":)" + json);
  EXPECT_TRUE(record.ends_with(R"("_ab_cdc_cursor":7})" + MetaOf(note) + "}}\n")) << record;
}

std::string Named(const ColumnUnderTest& column, Way way, const Bytes& bytes) {
  return column.type + " " + column.character_set + ", way " +
         std::to_string(static_cast<int>(way)) + ", bytes " + testing::PrintToString(bytes);
}

void ExpectPartialImages(const ColumnUnderTest& column, const Sample& sample) {
  SCOPED_TRACE(Named(column, Way::kBinlog, sample.binlog));
  ExpectRecord(RecordOf(column, Place::kNullable, Way::kBinlog, Image::kWithBitmap, sample.binlog),
               sample.json, sample.note);
  EXPECT_EQ(
      ValueIn(RecordOf(column, Place::kNullable, Way::kBinlog, Image::kLeftOut, std::nullopt)), "");
  if (column.wire == query::JSON) {
    EXPECT_EQ(ValueIn(RecordOf(column, Place::kNullable, Way::kBinlog, Image::kExpression,
                               "JSON_REPLACE(%s, '$.a', 1)")),
              "");
  }
}

}  // namespace

Sample Same(const Bytes& bytes, const std::string& json, Note note) {
  return {bytes, bytes, bytes, bytes, json, note};
}

Sample Twofold(const std::string& server, const std::string& vitess, const std::string& json,
               Note note) {
  return {server, vitess, vitess, server, json, note};
}

Sample Text(const std::string& bytes, const std::string& utf8, const std::string& json) {
  return {bytes, bytes, bytes, utf8, json};
}

Sample Nulled(const std::string& bytes) { return Same(bytes, "null", Note::kNulled); }

Sample Null() { return Same(std::nullopt, "null"); }

void ExpectValue(const ColumnUnderTest& column, Way way, const Bytes& bytes,
                 const std::string& json, Note note) {
  SCOPED_TRACE(Named(column, way, bytes));
  ExpectRecord(RecordOf(column, Place::kNullable, way, Image::kWhole, bytes), json, note);
  if (!bytes.has_value()) return;
  ExpectRecord(RecordOf(column, Place::kNotNull, way, Image::kWhole, bytes), json, note);
}

void ExpectValues(const ColumnUnderTest& column, const std::vector<Sample>& samples) {
  for (const Sample& sample : samples) {
    ExpectValue(column, Way::kCopy, sample.copy, sample.json, sample.note);
    ExpectValue(column, Way::kBinlog, sample.binlog, sample.json, sample.note);
    ExpectValue(column, Way::kBinlogBeforeV20, sample.binlog_before_v20, sample.json, sample.note);
    ExpectValue(column, Way::kExecute, sample.execute, sample.json, sample.note);
    ExpectPartialImages(column, sample);
  }
}

void ExpectValuesInKey(const ColumnUnderTest& column, const std::vector<Sample>& samples) {
  const auto expect = [&](Way way, const Bytes& bytes, const Sample& sample) {
    SCOPED_TRACE(Named(column, way, bytes));
    ExpectRecord(RecordOf(column, Place::kKey, way, Image::kWhole, bytes), sample.json,
                 sample.note);
  };
  for (const Sample& sample : samples) {
    expect(Way::kCopy, sample.copy, sample);
    expect(Way::kBinlog, sample.binlog, sample);
    expect(Way::kBinlogBeforeV20, sample.binlog_before_v20, sample);
    expect(Way::kExecute, sample.execute, sample);
  }
}

std::string RecordAfterChange(const ColumnUnderTest& declared, const ColumnUnderTest& now,
                              const Bytes& bytes) {
  SCOPED_TRACE(declared.type + " became " + Named(now, Way::kBinlog, bytes));
  const sync::Table table = TableOf(declared, Place::kNotNull);
  return RecordOf(now, Place::kNotNull, Way::kBinlog, Image::kWhole, bytes,
                  airbyte::CatalogLine({&table.schema, 1}, declared.options));
}

void ExpectValueAfterChange(const ColumnUnderTest& declared, const ColumnUnderTest& now,
                            const Bytes& bytes, const std::string& json, Note note) {
  SCOPED_TRACE(declared.type + " became " + Named(now, Way::kBinlog, bytes));
  ExpectRecord(RecordAfterChange(declared, now, bytes), json, note);
}

void ExpectValid(const ColumnUnderTest& column, const std::string& bytes) {
  for (const Way way : {Way::kCopy, Way::kBinlog, Way::kBinlogBeforeV20, Way::kExecute}) {
    SCOPED_TRACE(Named(column, way, bytes));
    const std::string record = RecordOf(column, Place::kNullable, way, Image::kWhole, bytes);
    EXPECT_TRUE(mysql::IsValidUtf8(record));
    EXPECT_EQ(record.find('\n'), record.size() - 1);
  }
}

void ExpectMalformed(const ColumnUnderTest& column, const std::vector<std::string>& bytes) {
  for (const std::string& each : bytes) {
    for (const Way way : {Way::kCopy, Way::kBinlog, Way::kBinlogBeforeV20, Way::kExecute}) {
      SCOPED_TRACE(Named(column, way, each));
      ExpectRecord(RecordOf(column, Place::kNullable, way, Image::kWhole, each), "null",
                   Note::kNulled);
    }
  }
}

}  // namespace source_vitess::tests
