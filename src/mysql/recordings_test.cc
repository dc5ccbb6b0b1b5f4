// The rows that a real server sent (recordings copy-all-types, replicate-all-types,
// noblob-partial-json*), decoded.
#include <gmock/gmock.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/delimited_message_util.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "mysql/row_decoder.h"
#include "mysql/table_schema.h"
#include "vitess/vtgate.pb.h"

namespace source_vitess::mysql {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

std::string FileText(const std::string& name) {
  std::ifstream file(SOURCE_VITESS_ROOT "/integration_tests/recordings/data/" + name,
                     std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

query::QueryResult Answer(const std::string& name) {
  vtgate::ExecuteResponse response;
  EXPECT_TRUE(response.ParseFromString(FileText("execute-" + name + ".response.binpb")));
  return response.result();
}

std::vector<binlogdata::VEvent> Events(const std::string& name) {
  const std::string text = FileText(name + ".responses.binpb");
  google::protobuf::io::ArrayInputStream input(text.data(), static_cast<int>(text.size()));
  std::vector<binlogdata::VEvent> events;
  bool clean_end = false;
  for (;;) {
    vtgate::VStreamResponse response;
    if (!google::protobuf::util::ParseDelimitedFromZeroCopyStream(&response, &input, &clean_end))
      break;
    events.insert(events.end(), response.events().begin(), response.events().end());
  }
  EXPECT_TRUE(clean_end);
  return events;
}

std::vector<TableSchema> RecordedSchemas() {
  query::QueryResult sequences;
  sequences.add_fields()->set_name("table_name");
  auto schemas = ParseTableSchemas("customer", Answer("tables"), Answer("columns"),
                                   Answer("indexes"), sequences);
  EXPECT_TRUE(schemas.ok()) << schemas.status();
  return schemas.ok() ? *std::move(schemas) : std::vector<TableSchema>();
}

const TableSchema* Find(const std::vector<TableSchema>& schemas, std::string_view name) {
  for (const TableSchema& schema : schemas) {
    if (schema.name == name) return &schema;
  }
  return nullptr;
}

// A value that outlives its row.
struct Kept {
  Kind kind;
  Problem problem;
  std::string text;
  friend bool operator==(const Kept&, const Kept&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Kept& kept) {
    return out << "kind " << static_cast<int>(kept.kind) << " problem "
               << static_cast<int>(kept.problem) << " text " << testing::PrintToString(kept.text);
  }
};
using KeptRow = std::map<std::string, Kept>;

KeptRow Keep(std::span<const Column> columns, std::span<const Value> values) {
  KeptRow row;
  for (size_t i = 0; i < columns.size(); ++i) {
    const Value& value = values[i];
    row[columns[i].name] = {value.kind, value.problem, std::string(value.text)};
  }
  return row;
}

struct Change {
  std::optional<KeptRow> before;
  std::optional<KeptRow> after;
};

// Every change of the recording, in order.
std::vector<Change> Changes(const std::string& recording, RowSource source,
                            const TypeOptions& options = {}) {
  const std::vector<TableSchema> schemas = RecordedSchemas();
  const TableSchema& schema = *Find(schemas, "alltypes");
  std::optional<RowDecoder> decoder;
  DecodedRow row;
  std::vector<Change> changes;
  for (const binlogdata::VEvent& event : Events(recording)) {
    if (event.type() == binlogdata::FIELD) {
      std::vector<const query::Field*> fields;
      for (const query::Field& field : event.field_event().fields()) fields.push_back(&field);
      auto made = RowDecoder::Make(fields, schema, {}, source,
                                   event.field_event().enum_set_string_values(), options);
      EXPECT_TRUE(made.ok()) << made.status();
      decoder.emplace(*std::move(made));
    }
    for (const binlogdata::RowChange& change : event.row_event().row_changes()) {
      Change& kept = changes.emplace_back();
      if (change.has_before()) {
        EXPECT_TRUE(decoder->Decode(change.before(), nullptr, nullptr, row).ok());
        kept.before = Keep(decoder->columns(), row.values());
      }
      if (change.has_after()) {
        const absl::Status status = decoder->Decode(
            change.after(), change.has_data_columns() ? &change.data_columns() : nullptr,
            change.has_json_partial_values() ? &change.json_partial_values() : nullptr, row);
        EXPECT_TRUE(status.ok()) << status;
        kept.after = Keep(decoder->columns(), row.values());
      }
    }
  }
  return changes;
}

// The first row of each id, which is what the copy was made of.
std::map<std::string, KeptRow> InsertedById(const std::vector<Change>& changes) {
  std::map<std::string, KeptRow> rows;
  for (const Change& change : changes) {
    if (!change.before.has_value() && change.after.has_value()) {
      rows.emplace(change.after->at("id").text, *change.after);
    }
  }
  return rows;
}

Kept Is(Kind kind, std::string text) { return {kind, Problem::kNone, std::move(text)}; }
const Kept kNothing = {Kind::kNull, Problem::kNone, ""};
const Kept kNoPlace = {Kind::kNull, Problem::kUnrepresentable, ""};
const Kept kLeftOut = {Kind::kAbsent, Problem::kNone, ""};

TEST(RecordingsTest, EqualRowsAreEqualInCopyAndReplicationButForTheSixDigitsOfAFloat) {
  auto copied = InsertedById(Changes("copy-all-types", RowSource::kCopy));
  auto replicated = InsertedById(Changes("replicate-all-types", RowSource::kBinlog));

  EXPECT_EQ(copied.at("5").at("f"), Is(Kind::kFloat, "16777200"));
  EXPECT_EQ(replicated.at("5").at("f"), Is(Kind::kFloat, "16777216"));
  copied.at("5").erase("f");
  replicated.at("5").erase("f");
  ASSERT_EQ(copied.size(), 8u);
  EXPECT_EQ(copied, replicated);
}

TEST(RecordingsTest, EveryTypeHasItsValue) {
  const auto rows = InsertedById(Changes("copy-all-types", RowSource::kCopy));
  const KeptRow& row = rows.at("1");

  const KeptRow expected = {
      {"id", Is(Kind::kSigned, "1")},
      {"ti", Is(Kind::kSigned, "-128")},
      {"tib", Is(Kind::kSigned, "1")},
      {"tu", Is(Kind::kUnsigned, "255")},
      {"si", Is(Kind::kSigned, "-32768")},
      {"mi", Is(Kind::kSigned, "-8388608")},
      {"i", Is(Kind::kSigned, "-2147483648")},
      {"iu", Is(Kind::kUnsigned, "4294967295")},
      {"bu", Is(Kind::kUnsigned, "18446744073709551615")},
      {"zf", Is(Kind::kUnsigned, "42")},
      {"f", Is(Kind::kFloat, "1.5")},
      {"d", Is(Kind::kDouble, "0.1")},
      {"dec1", Is(Kind::kDecimal, "-12345678901234567890.0123456789")},
      {"b1", Is(Kind::kBoolean, "true")},
      {"b10", Is(Kind::kBytes, "\x02\x01")},
      {"b64", Is(Kind::kBytes, std::string("\x80\0\0\0\0\0\0\x01", 8))},
      {"dt", Is(Kind::kDate, "2024-02-29")},
      {"dtm", Is(Kind::kDateTime, "2024-02-29 23:59:59")},
      {"dtm6", Is(Kind::kDateTime, "2024-02-29 23:59:59.123456")},
      {"ts", Is(Kind::kTimestamp, "2024-02-29 23:59:59")},
      {"ts6", Is(Kind::kTimestamp, "2024-02-29 23:59:59.500000")},
      {"tm", Is(Kind::kTime, "-838:59:59")},
      {"tm6", Is(Kind::kTime, "12:00:00.500000")},
      {"y", Is(Kind::kYear, "2155")},
      {"c", Is(Kind::kText, "ab")},
      {"vc", Is(Kind::kText, "h\u00e9llo")},
      {"vl", Is(Kind::kText, "h\u00e9llo")},
      {"vu16", Is(Kind::kText, "h\u00e9llo")},
      {"vg", Is(Kind::kText, "\u4e2d\u6587")},
      {"vbin", Is(Kind::kText, "Z")},
      {"bi", Is(Kind::kBytes, std::string("\x01\x02\0\0\0", 5))},
      {"vb", Is(Kind::kBytes, std::string("\0\xff", 2))},
      {"tx", Is(Kind::kText, "t\u00e9")},
      {"tl", Is(Kind::kText, "\u00e9")},
      {"bl", Is(Kind::kBytes, std::string("\0\xff\x80", 3))},
      {"mt", Is(Kind::kText, "m")},
      {"en", Is(Kind::kText, "b,c")},
      {"st", Is(Kind::kText, "x,z")},
      {"enl", Is(Kind::kText, "\u00e9")},
      {"js", Is(Kind::kJson, R"({"a": [1, 2.5, "x"], "b": null, "n": 12345678901234567890})")},
      {"gp", Is(Kind::kGeometry,
                std::string("\0\0\0\0\x01\x01\0\0\0\0\0\0\0\0\0\xf0?\0\0\0\0\0\0\0@", 25))},
      {"geo", Is(Kind::kGeometry, std::string("\0\0\0\0\x01\x02\0\0\0\x02\0\0\0", 13) +
                                      std::string(16, '\0') +
                                      std::string("\0\0\0\0\0\0\xf0?\0\0\0\0\0\0\xf0?", 16))},
      {"vec", Is(Kind::kVector, std::string("\0\0\x80?\0\0\0@\0\0`@", 12))},
      {"gen", Is(Kind::kSigned, "-127")},
      {"gens", Is(Kind::kSigned, "-126")},
      {"inv", Is(Kind::kSigned, "7")},
      {"uid", Is(Kind::kBytes,
                 std::string("\0\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f", 16))},
  };
  EXPECT_EQ(row, expected);
}

TEST(RecordingsTest, NullsAreNothing) {
  const auto rows = InsertedById(Changes("copy-all-types", RowSource::kCopy));

  for (const auto& [name, value] : rows.at("2")) {
    const bool has_value = name == "id" || name == "inv";
    EXPECT_EQ(value.kind == Kind::kNull, !has_value) << name;
    EXPECT_EQ(value.problem, Problem::kNone) << name;
  }
}

TEST(RecordingsTest, ZeroAndPartialDatesAreNotedNulls) {
  const auto rows = InsertedById(Changes("replicate-all-types", RowSource::kBinlog));

  EXPECT_EQ(rows.at("9").at("dt"), kNoPlace);
  EXPECT_EQ(rows.at("9").at("dtm"), kNoPlace);
  EXPECT_EQ(rows.at("9").at("ts"), kNoPlace);
  EXPECT_EQ(rows.at("9").at("y"), Is(Kind::kYear, "0"));
  EXPECT_EQ(rows.at("9").at("tm"), Is(Kind::kTime, "-00:00:01"));
  EXPECT_EQ(rows.at("10").at("dt"), kNoPlace);
  EXPECT_EQ(rows.at("10").at("dtm"), kNoPlace);
}

TEST(RecordingsTest, ZeroAndPartialDatesAreTextByOption) {
  const auto rows =
      InsertedById(Changes("copy-all-types", RowSource::kCopy, {.zero_dates = ZeroDates::kText}));

  EXPECT_EQ(rows.at("9").at("ts"), Is(Kind::kText, "0000-00-00 00:00:00"));
  EXPECT_EQ(rows.at("10").at("dt"), Is(Kind::kText, "2024-00-15"));
  EXPECT_EQ(rows.at("1").at("dt"), Is(Kind::kDate, "2024-02-29"));
}

TEST(RecordingsTest, ATwoInATinyIntOfOneDigitIsNotTrue) {
  const auto rows =
      InsertedById(Changes("copy-all-types", RowSource::kCopy, {.tinyint1_as_boolean = true}));

  EXPECT_EQ(rows.at("1").at("tib"), Is(Kind::kBoolean, "true"));
  EXPECT_EQ(rows.at("3").at("tib"), kNoPlace);
}

TEST(RecordingsTest, ColumnsLeftOutOfANoblobImageAreAbsent) {
  const std::vector<Change> changes = Changes("noblob-partial-json", RowSource::kBinlog);
  ASSERT_EQ(changes.size(), 9u);

  // The first update sets everything that is left out afterwards.
  EXPECT_EQ(changes[0].after->at("tx"), Is(Kind::kText, "text"));
  EXPECT_EQ(changes[0].after->at("js").kind, Kind::kJson);
  EXPECT_EQ(changes[0].after->at("tl"), kNothing);
  for (const char* name : {"tx", "tl", "bl", "mt", "js"}) {
    EXPECT_EQ(changes[1].after->at(name), kLeftOut) << name;
  }
  EXPECT_EQ(changes[1].after->at("vc"), Is(Kind::kText, "w"));
  EXPECT_EQ(changes[1].after->at("c"), kNothing);
  EXPECT_EQ(changes[7].after->at("tx"), Is(Kind::kText, "changed"));
  EXPECT_EQ(changes[7].after->at("tl"), kLeftOut);
}

TEST(RecordingsTest, AnExpressionInPlaceOfADocumentIsAbsent) {
  const std::vector<Change> changes = Changes("noblob-partial-json", RowSource::kBinlog);
  ASSERT_EQ(changes.size(), 9u);

  EXPECT_EQ(changes[2].after->at("js"), kLeftOut);
  EXPECT_EQ(changes[3].after->at("js").kind, Kind::kJson);
  EXPECT_EQ(changes[5].after->at("js"), kLeftOut);
}

TEST(RecordingsTest, BitmapsCountTheColumnsOfTheTableUnderAColumnList) {
  const std::vector<Change> whole = Changes("noblob-partial-json", RowSource::kBinlog);
  const std::vector<Change> listed = Changes("noblob-partial-json-projection", RowSource::kBinlog);

  ASSERT_EQ(listed.size(), whole.size());
  for (size_t i = 0; i + 1 < whole.size(); ++i) {
    ASSERT_THAT(*listed[i].after, Not(IsEmpty()));
    for (const auto& [name, value] : *listed[i].after)
      EXPECT_EQ(value, whole[i].after->at(name)) << i << " " << name;
  }
}

TEST(RecordingsTest, SchemasAreThoseOfTheKeyspace) {
  const std::vector<TableSchema> schemas = RecordedSchemas();

  std::vector<std::string> names;
  for (const TableSchema& schema : schemas) names.push_back(schema.name);
  EXPECT_THAT(names, ElementsAre("alltypes", "customers", "nopk", "orders", "strpk"));
  EXPECT_THAT(Find(schemas, "orders")->key, ElementsAre("customer_id", "id"));
  EXPECT_TRUE(Find(schemas, "orders")->resumable);
  EXPECT_THAT(Find(schemas, "nopk")->key, IsEmpty());
  EXPECT_FALSE(Find(schemas, "nopk")->resumable);
  EXPECT_EQ(Find(schemas, "customers")->row_estimate, 3u);
}

TEST(RecordingsTest, ColumnsHaveTheirFullTypes) {
  const std::vector<TableSchema> schemas = RecordedSchemas();
  const TableSchema& schema = *Find(schemas, "alltypes");

  ASSERT_EQ(schema.columns.size(), 47u);
  EXPECT_EQ(schema.columns.front().name, "id");
  EXPECT_FALSE(schema.columns.front().nullable);
  EXPECT_EQ(schema.FindColumn("vl")->type.character_set, "latin1");
  EXPECT_EQ(schema.FindColumn("vg")->type.character_set, "gbk");
  EXPECT_EQ(schema.FindColumn("vbin")->type.collation, "utf8mb4_bin");
  EXPECT_THAT(schema.FindColumn("enl")->type.labels, ElementsAre("\u00e9", "b"));
  EXPECT_TRUE(schema.FindColumn("gen")->generated);
  EXPECT_TRUE(schema.FindColumn("gens")->generated);
  EXPECT_FALSE(schema.FindColumn("inv")->generated);
  EXPECT_TRUE(schema.FindColumn("inv")->invisible);
  EXPECT_TRUE(schema.FindColumn("inv")->nullable);
}

}  // namespace
}  // namespace source_vitess::mysql
