#include "mysql/row_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "mysql/geometry.h"
#include "mysql/utf8.h"

namespace source_vitess::mysql {
namespace {

using std::string_literals::operator""s;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr RowSource kEverySource[] = {RowSource::kCopy, RowSource::kBinlog, RowSource::kExecute};

query::Field FieldOf(const std::string& name, query::Type type, const std::string& column_type,
                     uint32_t charset = 63) {
  query::Field field;
  field.set_name(name);
  field.set_type(type);
  field.set_column_type(column_type);
  field.set_charset(charset);
  return field;
}

query::Row RowOf(const std::vector<std::optional<std::string>>& values) {
  query::Row row;
  for (const auto& value : values) {
    row.add_lengths(value.has_value() ? static_cast<int64_t>(value->size()) : -1);
    row.mutable_values()->append(value.value_or(""));
  }
  return row;
}

absl::StatusOr<RowDecoder> DecoderOf(const std::vector<query::Field>& fields, RowSource source,
                                     const TypeOptions& options = {},
                                     bool enum_set_string_values = true,
                                     const TableSchema& schema = {},
                                     const std::vector<std::string>& wanted = {}) {
  std::vector<const query::Field*> pointers;
  for (const query::Field& field : fields) pointers.push_back(&field);
  return RowDecoder::Make(pointers, schema, wanted, source, enum_set_string_values, options);
}

// A value that outlives its row.
struct Kept {
  Kind kind = Kind::kNull;
  Problem problem = Problem::kNone;
  std::string text;
  friend bool operator==(const Kept&, const Kept&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Kept& kept) {
    return out << "kind " << static_cast<int>(kept.kind) << " problem "
               << static_cast<int>(kept.problem) << " text " << testing::PrintToString(kept.text);
  }
};

Kept KeptOf(const Value& value) { return {value.kind, value.problem, std::string(value.text)}; }
Kept Is(Kind kind, std::string text, Problem problem = Problem::kNone) {
  return {kind, problem, std::move(text)};
}
Kept NullFor(Problem problem) { return {Kind::kNull, problem, ""}; }

Kept Decoded(const query::Field& field, RowSource source, const std::string& bytes,
             const TypeOptions& options = {}, bool enum_set_string_values = true) {
  const auto decoder = DecoderOf({field}, source, options, enum_set_string_values);
  if (!decoder.ok()) {
    ADD_FAILURE() << decoder.status();
    return {};
  }
  const query::Row in = RowOf({bytes});
  DecodedRow row;
  const absl::Status status = decoder->Decode(in, nullptr, nullptr, row);
  EXPECT_TRUE(status.ok()) << status;
  return status.ok() ? KeptOf(row.values()[0]) : Kept();
}

struct Case {
  query::Field field;
  std::string bytes;
  Kept expected;
};

// What every source writes alike.
TEST(RowDecoderTest, SmallestLargestAndStrangestValuesOfEveryTypeAreExact) {
  const auto f = [](query::Type type, const char* column_type, uint32_t charset = 63) {
    return FieldOf("c", type, column_type, charset);
  };
  const std::vector<Case> cases = {
      {f(query::INT8, "tinyint"), "-128", Is(Kind::kSigned, "-128")},
      {f(query::UINT8, "tinyint unsigned"), "255", Is(Kind::kUnsigned, "255")},
      {f(query::INT16, "smallint"), "-32768", Is(Kind::kSigned, "-32768")},
      {f(query::INT24, "mediumint"), "8388607", Is(Kind::kSigned, "8388607")},
      {f(query::INT32, "int"), "-2147483648", Is(Kind::kSigned, "-2147483648")},
      {f(query::INT64, "bigint"), "-9223372036854775808",
       Is(Kind::kSigned, "-9223372036854775808")},
      {f(query::UINT64, "bigint unsigned"), "18446744073709551615",
       Is(Kind::kUnsigned, "18446744073709551615")},
      {f(query::UINT32, "int(6) unsigned zerofill"), "000042", Is(Kind::kUnsigned, "42")},
      {f(query::UINT32, "int(6) unsigned zerofill"), "42", Is(Kind::kUnsigned, "42")},
      {f(query::INT64, "bigint"), "9223372036854775808", NullFor(Problem::kMalformed)},
      {f(query::INT32, "int"), "", NullFor(Problem::kMalformed)},
      {f(query::FLOAT32, "float"), "1.5", Is(Kind::kFloat, "1.5")},
      {f(query::FLOAT32, "float"), "1.5E+00", Is(Kind::kFloat, "1.5")},
      {f(query::FLOAT32, "float"), "0.1", Is(Kind::kFloat, "0.1")},
      {f(query::FLOAT32, "float"), "1E-01", Is(Kind::kFloat, "0.1")},
      {f(query::FLOAT32, "float"), "-3.4028235E+38", Is(Kind::kFloat, "-3.4028235e+38")},
      {f(query::FLOAT64, "double"), "1.7976931348623157e308",
       Is(Kind::kDouble, "1.7976931348623157e+308")},
      {f(query::FLOAT64, "double"), "1.7976931348623157E+308",
       Is(Kind::kDouble, "1.7976931348623157e+308")},
      {f(query::FLOAT64, "double"), "5E-324", Is(Kind::kDouble, "5e-324")},
      {f(query::FLOAT64, "double"), "0E+00", Is(Kind::kDouble, "0")},
      {f(query::FLOAT64, "double"), "nan", NullFor(Problem::kMalformed)},
      {f(query::FLOAT64, "double"), "1e999", NullFor(Problem::kMalformed)},
      {f(query::FLOAT64, "double"), "1.5x", NullFor(Problem::kMalformed)},
      {f(query::DECIMAL, "decimal(10,2)"), "-.05", Is(Kind::kDecimal, "-0.05")},
      {f(query::DECIMAL, "decimal(20,0)"), "000000000000000001", Is(Kind::kDecimal, "1")},
      {f(query::DECIMAL, "decimal(65,30)"), std::string(35, '9') + "." + std::string(30, '9'),
       Is(Kind::kDecimal, std::string(35, '9') + "." + std::string(30, '9'))},
      {f(query::DECIMAL, "decimal(10,2)"), "1e5", NullFor(Problem::kMalformed)},
      {f(query::BIT, "bit(1)"), "\x01", Is(Kind::kBoolean, "true")},
      {f(query::BIT, "bit(1)"), "\0"s, Is(Kind::kBoolean, "false")},
      {f(query::BIT, "bit(1)"), "\x02", NullFor(Problem::kMalformed)},
      {f(query::BIT, "bit(10)"), "\x02\x01", Is(Kind::kBytes, "\x02\x01")},
      {f(query::BIT, "bit(64)"), "\xff\xff\xff\xff\xff\xff\xff\xff",
       Is(Kind::kBytes, "\xff\xff\xff\xff\xff\xff\xff\xff")},
      {f(query::YEAR, "year"), "2155", Is(Kind::kYear, "2155")},
      {f(query::YEAR, "year"), "0000", Is(Kind::kYear, "0")},
      {f(query::DATE, "date"), "9999-12-31", Is(Kind::kDate, "9999-12-31")},
      {f(query::DATE, "date"), "0000-00-00", NullFor(Problem::kUnrepresentable)},
      {f(query::DATE, "date"), "2024-00-15", NullFor(Problem::kUnrepresentable)},
      {f(query::DATE, "date"), "soon", NullFor(Problem::kMalformed)},
      {f(query::DATETIME, "datetime(3)"), "1000-01-01 00:00:00.123",
       Is(Kind::kDateTime, "1000-01-01 00:00:00.123")},
      {f(query::TIMESTAMP, "timestamp"), "1970-01-01 00:00:01",
       Is(Kind::kTimestamp, "1970-01-01 00:00:01")},
      {f(query::TIMESTAMP, "timestamp(6)"), "0000-00-00 00:00:00.000000",
       NullFor(Problem::kUnrepresentable)},
      {f(query::TIME, "time"), "-838:59:59", Is(Kind::kTime, "-838:59:59")},
      {f(query::TIME, "time(6)"), "838:59:59.000000", Is(Kind::kTime, "838:59:59.000000")},
      {f(query::TIME, "time"), "839:00:00", NullFor(Problem::kMalformed)},
      {f(query::CHAR, "char(5)", 255), "", Is(Kind::kText, "")},
      {f(query::VARCHAR, "varchar(20)", 255), "h\u00e9 \U0001f600",
       Is(Kind::kText, "h\u00e9 \U0001f600")},
      {f(query::VARCHAR, "varchar(20)", 255), "\0\n\""s, Is(Kind::kText, "\0\n\""s)},
      {f(query::VARCHAR, "varchar(20)", 255), "a\xff",
       Is(Kind::kText, "a\ufffd", Problem::kReplaced)},
      {f(query::VARBINARY, "varchar(10)", 46), "Z", Is(Kind::kText, "Z")},
      {f(query::BLOB, "longtext", 46), "Z", Is(Kind::kText, "Z")},
      {f(query::BINARY, "binary(5)"), "\x01\x02", Is(Kind::kBytes, "\x01\x02\0\0\0"s)},
      {f(query::BINARY, "binary(5)"), "\x01\x02\0\0\0"s, Is(Kind::kBytes, "\x01\x02\0\0\0"s)},
      {f(query::VARBINARY, "varbinary(5)"), "\0\xff"s, Is(Kind::kBytes, "\0\xff"s)},
      {f(query::BLOB, "blob"), "", Is(Kind::kBytes, "")},
      {f(query::ENUM, "enum('a','b,c','d''e')", 255), "d'e", Is(Kind::kText, "d'e")},
      {f(query::ENUM, "enum('a')", 255), "", Is(Kind::kText, "")},
      {f(query::SET, "set('x','y','z')", 255), "x,z", Is(Kind::kText, "x,z")},
      {f(query::JSON, "json"), R"({"n": 12345678901234567890})",
       Is(Kind::kJson, R"({"n": 12345678901234567890})")},
      {f(query::JSON, "json"), "null", Is(Kind::kJson, "null")},
      {f(query::JSON, "json"), "-.5", Is(Kind::kJson, "-0.5")},
      {f(query::JSON, "json"), "{", NullFor(Problem::kMalformed)},
      {f(query::JSON, "json"), "\"\xff\"", NullFor(Problem::kMalformed)},
      {f(query::GEOMETRY, "geometry"), "\0\0\0\0\x01\x07\0\0\0\0\0\0\0"s,
       Is(Kind::kGeometry, "\0\0\0\0\x01\x07\0\0\0\0\0\0\0"s)},
      {f(query::GEOMETRY, "point"), "\0\0\0\0\x01\x01"s, NullFor(Problem::kMalformed)},
      {f(query::VECTOR, "vector(1)"), "\0\0\x80\x3f"s, Is(Kind::kVector, "\0\0\x80\x3f"s)},
      {f(query::VECTOR, "vector(1)"), "\0\0\x80"s, NullFor(Problem::kMalformed)},
      {f(query::VECTOR, "vector(1)"), "\0\0\x80\x7f"s, NullFor(Problem::kUnrepresentable)},
  };
  for (const RowSource source : kEverySource) {
    for (const Case& c : cases) {
      EXPECT_EQ(Decoded(c.field, source, c.bytes), c.expected)
          << c.field.column_type() << " " << testing::PrintToString(c.bytes) << " source "
          << static_cast<int>(source);
    }
  }
}

TEST(RowDecoderTest, TextIsInItsOwnCharacterSetInAStreamAndInUtf8InAQuerysAnswer) {
  const query::Field latin1 = FieldOf("c", query::VARCHAR, "varchar(20)", 8);

  EXPECT_EQ(Decoded(latin1, RowSource::kCopy, "h\xe9"), Is(Kind::kText, "h\u00e9"));
  EXPECT_EQ(Decoded(latin1, RowSource::kBinlog, "h\xe9"), Is(Kind::kText, "h\u00e9"));
  EXPECT_EQ(Decoded(latin1, RowSource::kExecute, "h\u00e9"), Is(Kind::kText, "h\u00e9"));
}

TEST(RowDecoderTest, LabelsAreInTheirCharacterSetInACopyAlone) {
  const query::Field latin1 = FieldOf("c", query::ENUM, "enum('\u00e9','b')", 8);

  EXPECT_EQ(Decoded(latin1, RowSource::kCopy, "\xe9"), Is(Kind::kText, "\u00e9"));
  EXPECT_EQ(Decoded(latin1, RowSource::kBinlog, "\u00e9"), Is(Kind::kText, "\u00e9"));
  EXPECT_EQ(Decoded(latin1, RowSource::kExecute, "\u00e9"), Is(Kind::kText, "\u00e9"));
}

TEST(RowDecoderTest, TheSchemasCharacterSetWinsOverTheEvents) {
  TableSchema schema;
  schema.columns.push_back({.name = "c", .type = *ParseColumnType("varchar(20)")});
  schema.columns[0].type.character_set = "gbk";
  const auto decoder = DecoderOf({FieldOf("c", query::VARCHAR, "varchar(20)", 255)},
                                 RowSource::kCopy, {}, true, schema);
  const query::Row in = RowOf({"\xd6\xd0"});
  DecodedRow row;

  ASSERT_TRUE(decoder->Decode(in, nullptr, nullptr, row).ok());

  EXPECT_EQ(KeptOf(row.values()[0]), Is(Kind::kText, "\u4e2d"));
  EXPECT_EQ(decoder->columns()[0].type.character_set, "gbk");
}

TEST(RowDecoderTest, NumbersOfAnOlderVitessBecomeLabels) {
  const query::Field e = FieldOf("c", query::ENUM, "enum('a','b,c','d''e')", 255);
  const query::Field s = FieldOf("c", query::SET, "set('x','y','z')", 255);
  const auto old = [](const query::Field& field, const std::string& bytes) {
    return Decoded(field, RowSource::kBinlog, bytes, {}, /*enum_set_string_values=*/false);
  };

  EXPECT_EQ(old(e, "1"), Is(Kind::kText, "a"));
  EXPECT_EQ(old(e, "3"), Is(Kind::kText, "d'e"));
  EXPECT_EQ(old(e, "0"), Is(Kind::kText, ""));
  EXPECT_EQ(old(e, "4"), NullFor(Problem::kUnrepresentable));
  EXPECT_EQ(old(s, "0"), Is(Kind::kText, ""));
  EXPECT_EQ(old(s, "5"), Is(Kind::kText, "x,z"));
  EXPECT_EQ(old(s, "7"), Is(Kind::kText, "x,y,z"));
  EXPECT_EQ(old(s, "8"), NullFor(Problem::kUnrepresentable));
  EXPECT_EQ(Decoded(e, RowSource::kCopy, "a", {}, /*enum_set_string_values=*/false),
            Is(Kind::kText, "a"));
}

TEST(RowDecoderTest, LabelsThatAreNotUtf8AreMadeSo) {
  TableSchema schema;
  schema.columns.push_back({.name = "c", .type = *ParseColumnType("enum('a\xff')")});
  const auto decoder =
      DecoderOf({FieldOf("c", query::ENUM, "", 8)}, RowSource::kBinlog, {}, false, schema);
  const query::Row in = RowOf({"1"});
  DecodedRow row;

  ASSERT_TRUE(decoder->Decode(in, nullptr, nullptr, row).ok());

  EXPECT_EQ(row.values()[0].text, "a\ufffd");
}

TEST(RowDecoderTest, ASetHasUpTo64Members) {
  std::string type = "set(";
  for (int i = 1; i <= 64; ++i) type += "'m" + std::to_string(i) + (i < 64 ? "'," : "')");

  EXPECT_EQ(Decoded(FieldOf("c", query::SET, type, 255), RowSource::kBinlog, "9223372036854775809",
                    {}, false),
            Is(Kind::kText, "m1,m64"));
}

TEST(RowDecoderTest, OptionsDecideAboutBooleansAndDatesThatAreNone) {
  const query::Field tinyint = FieldOf("c", query::INT8, "tinyint(1)");
  const TypeOptions booleans = {.tinyint1_as_boolean = true};
  EXPECT_EQ(Decoded(tinyint, RowSource::kCopy, "1"), Is(Kind::kSigned, "1"));
  EXPECT_EQ(Decoded(tinyint, RowSource::kCopy, "1", booleans), Is(Kind::kBoolean, "true"));
  EXPECT_EQ(Decoded(tinyint, RowSource::kCopy, "0", booleans), Is(Kind::kBoolean, "false"));
  EXPECT_EQ(Decoded(tinyint, RowSource::kCopy, "2", booleans), NullFor(Problem::kUnrepresentable));
  EXPECT_EQ(Decoded(tinyint, RowSource::kCopy, "-1", booleans), NullFor(Problem::kUnrepresentable));

  EXPECT_EQ(Decoded(FieldOf("c", query::BIT, "bit(1)"), RowSource::kCopy, "\x01",
                    {.bit1_as_boolean = false}),
            Is(Kind::kBytes, "\x01"));

  const TypeOptions as_text = {.zero_dates = ZeroDates::kText};
  const query::Field date = FieldOf("c", query::DATE, "date");
  EXPECT_EQ(Decoded(date, RowSource::kCopy, "0000-00-00", as_text), Is(Kind::kText, "0000-00-00"));
  EXPECT_EQ(Decoded(date, RowSource::kCopy, "2024-02-29", as_text), Is(Kind::kDate, "2024-02-29"));
  EXPECT_EQ(Decoded(date, RowSource::kCopy, "nonsense", as_text), NullFor(Problem::kMalformed));
}

TEST(RowDecoderTest, AFieldWithoutAColumnTypeIsReadByItsWireType) {
  EXPECT_EQ(Decoded(FieldOf("c", query::UINT64, ""), RowSource::kCopy, "18446744073709551615"),
            Is(Kind::kUnsigned, "18446744073709551615"));
  EXPECT_EQ(Decoded(FieldOf("c", query::VARBINARY, "", 46), RowSource::kCopy, "Z"),
            Is(Kind::kText, "Z"));
  EXPECT_EQ(Decoded(FieldOf("c", query::VARBINARY, "", 63), RowSource::kCopy, "\xff"),
            Is(Kind::kBytes, "\xff"));
  EXPECT_EQ(Decoded(FieldOf("c", query::YEAR, ""), RowSource::kCopy, "2024"),
            Is(Kind::kYear, "2024"));
  EXPECT_EQ(Decoded(FieldOf("c", query::ENUM, ""), RowSource::kBinlog, "2", {}, false),
            NullFor(Problem::kUnrepresentable));
  EXPECT_EQ(Decoded(FieldOf("c", query::VARCHAR, "hologram(3)", 255), RowSource::kCopy, "x"),
            Is(Kind::kText, "x"));
}

TEST(RowDecoderTest, ColumnsThatNobodyWantsAreAbsent) {
  const std::vector<query::Field> fields = {FieldOf("a", query::INT64, "bigint"),
                                            FieldOf("b", query::INT64, "bigint"),
                                            FieldOf("c", query::INT64, "bigint")};
  const auto decoder = DecoderOf(fields, RowSource::kCopy, {}, true, {}, {"c", "nowhere"});
  const query::Row in = RowOf({"1", std::nullopt, "3"});
  DecodedRow row;

  ASSERT_TRUE(decoder->Decode(in, nullptr, nullptr, row).ok());

  EXPECT_THAT(decoder->columns(), SizeIs(3));
  EXPECT_EQ(row.values()[0].kind, Kind::kAbsent);
  EXPECT_EQ(row.values()[1].kind, Kind::kAbsent);
  EXPECT_EQ(KeptOf(row.values()[2]), Is(Kind::kSigned, "3"));
}

TEST(RowDecoderTest, ColumnsAreThoseOfTheEventCompletedByTheSchema) {
  TableSchema schema;
  schema.columns.push_back(
      {.name = "a", .type = *ParseColumnType("int"), .nullable = false, .generated = true});
  query::Field unknown = FieldOf("b", query::INT32, "int");
  unknown.set_flags(query::NOT_NULL_FLAG);

  const auto decoder = DecoderOf({FieldOf("a", query::INT64, "bigint"), unknown}, RowSource::kCopy,
                                 {}, true, schema);

  ASSERT_TRUE(decoder.ok());
  EXPECT_EQ(decoder->columns()[0].type.text, "bigint");
  EXPECT_TRUE(decoder->columns()[0].generated);
  EXPECT_FALSE(decoder->columns()[0].nullable);
  EXPECT_FALSE(decoder->columns()[1].nullable);
}

TEST(RowDecoderTest, PositionalNamesAreASchemaThatWasChangedBehindTheStream) {
  const auto decoder = DecoderOf({FieldOf("@1", query::INT64, "")}, RowSource::kBinlog);

  EXPECT_EQ(decoder.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(decoder.status().message()), HasSubstr("@1"));
}

TEST(RowDecoderTest, AColumnMayBeNamedLikeOne) {
  TableSchema schema;
  schema.columns.push_back({.name = "@1", .type = *ParseColumnType("bigint")});

  EXPECT_TRUE(
      DecoderOf({FieldOf("@1", query::INT64, "bigint")}, RowSource::kBinlog, {}, true, schema)
          .ok());
}

binlogdata::RowChange::Bitmap BitmapOf(const std::vector<bool>& bits) {
  binlogdata::RowChange::Bitmap bitmap;
  bitmap.set_count(static_cast<int64_t>(bits.size()));
  std::string bytes((bits.size() + 7) / 8, '\0');
  for (size_t i = 0; i < bits.size(); ++i) {
    if (bits[i]) bytes[i / 8] = static_cast<char>(bytes[i / 8] | (1 << (i % 8)));
  }
  bitmap.set_cols(bytes);
  return bitmap;
}

TEST(RowDecoderTest, ColumnsWithoutTheirBitAreAbsentAndNullsStayNull) {
  std::vector<query::Field> fields;
  std::vector<bool> bits;
  for (int i = 0; i < 10; ++i) {
    fields.push_back(FieldOf("c" + std::to_string(i), query::INT64, "bigint"));
    bits.push_back(i != 2 && i != 9);
  }
  const auto decoder = DecoderOf(fields, RowSource::kBinlog);
  const binlogdata::RowChange::Bitmap data_columns = BitmapOf(bits);
  DecodedRow row;

  ASSERT_TRUE(
      decoder
          ->Decode(RowOf(std::vector<std::optional<std::string>>(10)), &data_columns, nullptr, row)
          .ok());

  for (size_t i = 0; i < 10; ++i)
    EXPECT_EQ(row.values()[i].kind, bits[i] ? Kind::kNull : Kind::kAbsent) << i;
}

TEST(RowDecoderTest, JsonBitsCountTheJsonColumnsOfTheTable) {
  TableSchema schema;
  for (const auto& [name, type] :
       {std::pair("j1", "json"), std::pair("n", "bigint"), std::pair("j2", "json")}) {
    schema.columns.push_back({.name = name, .type = *ParseColumnType(type)});
  }
  const std::vector<query::Field> fields = {FieldOf("n", query::INT64, "bigint"),
                                            FieldOf("j2", query::JSON, "json")};
  const auto decoder = DecoderOf(fields, RowSource::kBinlog, {}, true, schema);
  const binlogdata::RowChange::Bitmap first = BitmapOf({true, false});
  const binlogdata::RowChange::Bitmap second = BitmapOf({false, true});
  const query::Row document = RowOf({"1", "[]"});
  const query::Row expression = RowOf({"1", "JSON_REMOVE(%s, '$.a')"});
  DecodedRow row;

  ASSERT_TRUE(decoder->Decode(document, nullptr, &first, row).ok());
  EXPECT_EQ(KeptOf(row.values()[1]), Is(Kind::kJson, "[]"));
  ASSERT_TRUE(decoder->Decode(expression, nullptr, &second, row).ok());
  EXPECT_EQ(KeptOf(row.values()[0]), Is(Kind::kSigned, "1"));
  EXPECT_EQ(row.values()[1].kind, Kind::kAbsent);
}

// The event is newer than the schema.
TEST(RowDecoderTest, BitsCountTheColumnsAsTheEventHasThem) {
  TableSchema schema;
  for (const auto& [name, type] : {std::pair("n", "bigint"), std::pair("a", "text"),
                                   std::pair("j1", "json"), std::pair("j2", "json")}) {
    schema.columns.push_back({.name = name, .type = *ParseColumnType(type)});
  }
  const std::vector<query::Field> fields = {
      FieldOf("j2", query::JSON, "json"), FieldOf("n", query::INT64, "bigint"),
      FieldOf("j1", query::JSON, "json"), FieldOf("renamed", query::TEXT, "text", 255)};
  const auto decoder = DecoderOf(fields, RowSource::kBinlog, {}, true, schema);
  const binlogdata::RowChange::Bitmap data_columns = BitmapOf({true, true, true, false});
  const binlogdata::RowChange::Bitmap partial = BitmapOf({true, false});
  DecodedRow row;

  const query::Row sent = RowOf({"JSON_REMOVE(%s, '$.a')", "1", "{}", std::nullopt});
  ASSERT_TRUE(decoder->Decode(sent, &data_columns, &partial, row).ok());

  EXPECT_EQ(row.values()[0].kind, Kind::kAbsent);
  EXPECT_EQ(KeptOf(row.values()[1]), Is(Kind::kSigned, "1"));
  EXPECT_EQ(KeptOf(row.values()[2]), Is(Kind::kJson, "{}"));
  EXPECT_EQ(row.values()[3].kind, Kind::kAbsent);
}

TEST(RowDecoderTest, BitsOfColumnsThatWereMovedAreTheirs) {
  TableSchema schema;
  for (const auto& [name, type] :
       {std::pair("n", "bigint"), std::pair("a", "text"), std::pair("b", "bigint")}) {
    schema.columns.push_back({.name = name, .type = *ParseColumnType(type)});
  }
  const std::vector<query::Field> fields = {FieldOf("n", query::INT64, "bigint"),
                                            FieldOf("b", query::INT64, "bigint"),
                                            FieldOf("a", query::TEXT, "text", 255)};
  const auto decoder = DecoderOf(fields, RowSource::kBinlog, {}, true, schema);
  const binlogdata::RowChange::Bitmap data_columns = BitmapOf({true, true, false});
  DecodedRow row;

  const query::Row sent = RowOf({"1", "2", std::nullopt});
  ASSERT_TRUE(decoder->Decode(sent, &data_columns, nullptr, row).ok());

  EXPECT_EQ(KeptOf(row.values()[1]), Is(Kind::kSigned, "2"));
  EXPECT_EQ(row.values()[2].kind, Kind::kAbsent);
}

TEST(RowDecoderTest, BitsOfAListWithAColumnThatTheSchemaDoesNotHaveAreAnError) {
  TableSchema schema;
  for (const char* name : {"n", "a", "b"}) {
    schema.columns.push_back({.name = name, .type = *ParseColumnType("bigint")});
  }
  const auto decoder =
      DecoderOf({FieldOf("n", query::INT64, "bigint"), FieldOf("renamed", query::INT64, "bigint")},
                RowSource::kBinlog, {}, true, schema);
  const binlogdata::RowChange::Bitmap data_columns = BitmapOf({true, true, true});
  DecodedRow row;

  EXPECT_EQ(decoder->Decode(RowOf({"1", "2"}), &data_columns, nullptr, row).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(RowDecoderTest, BitsOfATableThatNobodyKnowsAreAnError) {
  const auto decoder = DecoderOf({FieldOf("n", query::INT64, "bigint")}, RowSource::kBinlog);
  DecodedRow row;
  for (const std::vector<bool>& bits : {std::vector<bool>(), std::vector<bool>(2, true)}) {
    const binlogdata::RowChange::Bitmap data_columns = BitmapOf(bits);

    EXPECT_EQ(decoder->Decode(RowOf({"1"}), &data_columns, nullptr, row).code(),
              absl::StatusCode::kFailedPrecondition);
  }
}

TEST(RowDecoderTest, LengthsThatDoNotFitAreErrors) {
  const std::vector<query::Field> fields = {FieldOf("a", query::INT64, "bigint"),
                                            FieldOf("b", query::BLOB, "blob")};
  const auto decoder = DecoderOf(fields, RowSource::kCopy);
  DecodedRow row;
  const auto code = [&](const std::vector<int64_t>& lengths, const std::string& values) {
    query::Row broken;
    for (const int64_t length : lengths) broken.add_lengths(length);
    broken.set_values(values);
    return decoder->Decode(broken, nullptr, nullptr, row).code();
  };

  EXPECT_EQ(code({1, 2}, "1ab"), absl::StatusCode::kOk);
  EXPECT_EQ(code({1}, "1"), absl::StatusCode::kInternal);
  EXPECT_EQ(code({1, 1, 1}, "1ab"), absl::StatusCode::kInternal);
  EXPECT_EQ(code({1, 3}, "1ab"), absl::StatusCode::kInternal);
  EXPECT_EQ(code({1, 1}, "1ab"), absl::StatusCode::kInternal);
  EXPECT_EQ(code({std::numeric_limits<int64_t>::max(), 1}, "1ab"), absl::StatusCode::kInternal);
  EXPECT_EQ(code({std::numeric_limits<int64_t>::min(), 3}, "1ab"), absl::StatusCode::kInternal);
  EXPECT_EQ(code({-2, 3}, "1ab"), absl::StatusCode::kInternal);
}

TEST(RowDecoderTest, ValuesThatNeedNoConversionAreViewsOfTheRow) {
  const std::vector<query::Field> fields = {
      FieldOf("a", query::INT64, "bigint"), FieldOf("b", query::VARCHAR, "varchar(9)", 255),
      FieldOf("c", query::VARCHAR, "varchar(9)", 8), FieldOf("d", query::DECIMAL, "decimal(9,2)")};
  const auto decoder = DecoderOf(fields, RowSource::kCopy);
  const query::Row bytes = RowOf({"1", "h\u00e9", "ascii", "-1.50"});
  DecodedRow row;

  ASSERT_TRUE(decoder->Decode(bytes, nullptr, nullptr, row).ok());

  const char* const begin = bytes.values().data();
  for (const Value& value : row.values()) {
    EXPECT_GE(value.text.data(), begin);
    EXPECT_LE(value.text.data() + value.text.size(), begin + bytes.values().size());
  }
}

TEST(RowDecoderTest, ConvertedValuesOfOneRowDoNotDisturbEachOther) {
  std::vector<query::Field> fields;
  std::vector<std::optional<std::string>> values;
  for (int i = 0; i < 200; ++i) {
    fields.push_back(FieldOf("c" + std::to_string(i), query::TEXT, "text", 8));
    values.emplace_back(std::string(static_cast<size_t>(i) * 17, '\xe9'));
  }
  const auto decoder = DecoderOf(fields, RowSource::kCopy);
  const query::Row in = RowOf(values);
  DecodedRow row;

  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(decoder->Decode(in, nullptr, nullptr, row).ok());
    for (size_t i = 0; i < 200; ++i) {
      std::string expected;
      for (size_t n = 0; n < i * 17; ++n) expected += "\u00e9";
      EXPECT_EQ(row.values()[i].text, expected) << i;
    }
  }
}

template <typename Number>
std::string ShortestText(std::string_view text) {
  Number number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  std::array<char, 64> out;
  return {out.data(), std::to_chars(out.data(), out.data() + out.size(), number).ptr};
}

bool IsItsOwnEscapedForm(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return c < 0x20 || c == '"' || c == '\\'; });
}

// Every invariant of value.h that a sink relies on.
void ExpectCanonical(const Value& value) {
  switch (value.kind) {
    case Kind::kNull:
    case Kind::kAbsent:
      EXPECT_EQ(value.text, "");
      break;
    case Kind::kFloat:
      EXPECT_EQ(value.text, ShortestText<float>(value.text));
      break;
    case Kind::kDouble:
      EXPECT_EQ(value.text, ShortestText<double>(value.text));
      break;
    case Kind::kText:
      EXPECT_TRUE(!value.plain || IsItsOwnEscapedForm(value.text))
          << testing::PrintToString(value.text);
      [[fallthrough]];
    case Kind::kJson:
      EXPECT_TRUE(IsValidUtf8(value.text)) << testing::PrintToString(value.text);
      break;
    case Kind::kGeometry:
      EXPECT_TRUE(IsGeometry(value.text));
      break;
    case Kind::kBytes:
    case Kind::kVector:
      break;
    default:
      EXPECT_TRUE(!value.text.empty() &&
                  value.text.find_first_not_of("-0123456789.: truefals") == std::string_view::npos)
          << value.text;
  }
}

TEST(RowDecoderTest, AnyBytesBecomeCanonicalValuesOrAnError) {
  std::vector<query::Field> fields;
  const std::vector<std::pair<query::Type, const char*>> types = {
      {query::INT64, "bigint"},      {query::UINT64, "bigint unsigned"},
      {query::INT8, "tinyint(1)"},   {query::FLOAT32, "float"},
      {query::FLOAT64, "double"},    {query::DECIMAL, "decimal(9,3)"},
      {query::BIT, "bit(1)"},        {query::BIT, "bit(9)"},
      {query::YEAR, "year"},         {query::DATE, "date"},
      {query::DATETIME, "datetime"}, {query::TIMESTAMP, "timestamp(3)"},
      {query::TIME, "time"},         {query::BINARY, "binary(3)"},
      {query::JSON, "json"},         {query::GEOMETRY, "geometry"},
      {query::VECTOR, "vector(2)"},  {query::ENUM, "enum('a','b')"},
      {query::SET, "set('a','b')"}};
  for (const auto& [type, column_type] : types)
    fields.push_back(FieldOf("c", type, column_type, 255));
  for (const uint32_t charset : {8u, 28u, 54u, 60u, 13u, 45u, 0u}) {
    fields.push_back(FieldOf("c", query::TEXT, "text", charset));
  }
  std::mt19937 random(5);
  const std::string alphabet = "0123456789-:. E+e{}\"[],ab";
  for (const RowSource source : kEverySource) {
    for (const bool strings : {false, true}) {
      const auto decoder = DecoderOf(fields, source, {.tinyint1_as_boolean = true}, strings);
      DecodedRow row;
      for (int round = 0; round < 2000; ++round) {
        query::Row bytes;
        size_t left = 0;
        for (size_t i = 0; i < fields.size(); ++i) {
          const auto length = static_cast<int64_t>(random() % 14) - 1;
          bytes.add_lengths(length);
          if (length > 0) left += static_cast<size_t>(length);
        }
        for (; left > 0; --left) {
          *bytes.mutable_values() +=
              round % 2 == 0 ? alphabet[random() % alphabet.size()] : static_cast<char>(random());
        }
        ASSERT_TRUE(decoder->Decode(bytes, nullptr, nullptr, row).ok());
        for (const Value& value : row.values()) ExpectCanonical(value);
      }
    }
  }
}

}  // namespace
}  // namespace source_vitess::mysql
