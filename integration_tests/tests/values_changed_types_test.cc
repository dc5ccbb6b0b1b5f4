// A column whose type is no longer what the connection was told: its values come out as declared,
// or as null with a note, and never as what the declaration refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "values_delivery.h"

namespace source_vitess::tests {
namespace {

using std::string_literals::operator""s;
using ::testing::HasSubstr;

ColumnUnderTest Text(const std::string& type) {
  return {.type = type, .wire = query::VARCHAR, .collation = 255, .character_set = "utf8mb4"};
}

const ColumnUnderTest kInt = {.type = "int", .wire = query::INT32};
const ColumnUnderTest kDecimal = {.type = "decimal(10,2)", .wire = query::DECIMAL};
const ColumnUnderTest kWholeDecimal = {.type = "decimal(10,0)", .wire = query::DECIMAL};
const ColumnUnderTest kFloat = {.type = "float", .wire = query::FLOAT32};
const ColumnUnderTest kDouble = {.type = "double", .wire = query::FLOAT64};
const ColumnUnderTest kBit = {.type = "bit(1)", .wire = query::BIT};
const ColumnUnderTest kDate = {.type = "date", .wire = query::DATE};
const ColumnUnderTest kDateTime = {.type = "datetime(3)", .wire = query::DATETIME};
const ColumnUnderTest kTimestamp = {.type = "timestamp", .wire = query::TIMESTAMP};
const ColumnUnderTest kTime = {.type = "time", .wire = query::TIME};
const ColumnUnderTest kBlob = {.type = "blob", .wire = query::BLOB};
const ColumnUnderTest kJson = {.type = "json", .wire = query::JSON};
const ColumnUnderTest kGeometry = {.type = "point", .wire = query::GEOMETRY};
const ColumnUnderTest kVector = {.type = "vector(2)", .wire = query::VECTOR};
const std::string kPoint = "\0\0\0\0\x01\x01\0\0\0\0\0\0\0\0\0\xF0\x3F\0\0\0\0\0\0\x04\xC0"s;

TEST(ChangedTypesTest, WiderNumbersGoOn) {
  ExpectValueAfterChange(kInt, {.type = "bigint unsigned", .wire = query::UINT64},
                         "18446744073709551615", "18446744073709551615");
  ExpectValueAfterChange(kFloat, kDouble, "1.5E+00", "1.5");
  ExpectValueAfterChange(kDecimal, kInt, "7", "7");
  ExpectValueAfterChange(kDecimal, {.type = "decimal(20,6)", .wire = query::DECIMAL}, "1.500000",
                         "1.500000");
}

TEST(ChangedTypesTest, AnIntegerIsNullWhereItsColumnHasFractionsNow) {
  ExpectValueAfterChange(kInt, kDecimal, "1.50", "null", Note::kNulled);
  ExpectValueAfterChange(kWholeDecimal, kDecimal, "1.50", "null", Note::kNulled);
  ExpectValueAfterChange(kInt, kDouble, "1.5E+00", "null", Note::kNulled);
  ExpectValueAfterChange(kInt, kWholeDecimal, "12345678901234567890", "12345678901234567890");
}

TEST(ChangedTypesTest, ANumberIsNullWhereItsColumnHasTextNow) {
  ExpectValueAfterChange(kInt, Text("varchar(20)"), "7", "null", Note::kNulled);
  ExpectValueAfterChange(kDouble, Text("varchar(20)"), "", "null", Note::kNulled);
}

TEST(ChangedTypesTest, AStringIsTheTextOfWhatHasOne) {
  const ColumnUnderTest text = Text("varchar(20)");
  ExpectValueAfterChange(text, kInt, "-7", R"("-7")");
  ExpectValueAfterChange(text, kDecimal, ".50", R"("0.50")");
  ExpectValueAfterChange(text, kFloat, "1E-01", R"("0.1")");
  ExpectValueAfterChange(text, kDouble, "1.7976931348623157E+308", R"("1.7976931348623157e+308")");
  ExpectValueAfterChange(text, kTime, "-838:59:59", R"("-838:59:59")");
  ExpectValueAfterChange(text, kDateTime, "2024-02-29 12:00:00.500",
                         R"("2024-02-29T12:00:00.500000")");
  ExpectValueAfterChange(text, kJson, R"({"a": "b"})", R"("{\"a\": \"b\"}")");
  ExpectValueAfterChange(text, kBit, "\1", R"("true")");
  ExpectValueAfterChange(text, kBlob, "a", "null", Note::kNulled);
  ExpectValueAfterChange(text, kGeometry, kPoint, "null", Note::kNulled);
  ExpectValueAfterChange(text, kVector, "", "null", Note::kNulled);
}

TEST(ChangedTypesTest, BooleansAndTheirNumbersGoOn) {
  ColumnUnderTest boolean = {.type = "tinyint(1)", .wire = query::INT8};
  const ColumnUnderTest number = boolean;
  boolean.options.tinyint1_as_boolean = true;

  ExpectValueAfterChange(number, boolean, "1", "1");
  ExpectValueAfterChange(number, boolean, "0", "0");
  ExpectValueAfterChange(boolean, number, "1", "true");
  ExpectValueAfterChange(boolean, number, "0", "false");
  ExpectValueAfterChange(boolean, number, "2", "null", Note::kNulled);
}

TEST(ChangedTypesTest, DatesAndTimesDoNotStandInForEachOther) {
  ExpectValueAfterChange(kDate, kDateTime, "2024-02-29 00:00:00.000", "null", Note::kNulled);
  ExpectValueAfterChange(kDateTime, kTimestamp, "2024-02-29 00:00:00", "null", Note::kNulled);
  ExpectValueAfterChange(kTimestamp, kDateTime, "2024-02-29 00:00:00.000", "null", Note::kNulled);
  ExpectValueAfterChange(kTime, Text("varchar(20)"), "12:00:00", "null", Note::kNulled);
  ColumnUnderTest zero_dates = kDate;
  zero_dates.options.zero_dates = mysql::ZeroDates::kText;
  ExpectValueAfterChange(kDate, zero_dates, "2024-02-29", R"("2024-02-29")");
  ExpectValueAfterChange(kDate, zero_dates, "0000-00-00", "null", Note::kNulled);
}

TEST(ChangedTypesTest, JsonTakesAllThatIsJson) {
  ExpectValueAfterChange(kJson, kInt, "7", "7");
  ExpectValueAfterChange(kJson, Text("text"), "a\"b", R"("a\"b")");
  ExpectValueAfterChange(kJson, kGeometry, kPoint, R"({"type":"Point","coordinates":[1,-2.5]})");
  ExpectValueAfterChange(kJson, kBlob, "a", "null", Note::kNulled);
  ExpectValueAfterChange(kGeometry, kJson, R"({"a": 1})", R"({"a": 1})");
  ExpectValueAfterChange(kGeometry, kJson, "[1]", "null", Note::kNulled);
}

TEST(ChangedTypesTest, NullIsNullWithoutANote) {
  ExpectValueAfterChange(kInt, Text("varchar(20)"), std::nullopt, "null");
}

// Every type that is declared, with every other that it can have become.
TEST(ChangedTypesTest, NoChangeMakesARecordThatItsDeclarationRefuses) {
  const std::vector<std::pair<ColumnUnderTest, std::vector<std::string>>> columns = {
      {kInt, {"0", "1", "-2147483648"}},
      {{.type = "bigint unsigned", .wire = query::UINT64}, {"18446744073709551615"}},
      {{.type = "tinyint(1)", .wire = query::INT8, .options = {.tinyint1_as_boolean = true}},
       {"0", "1", "2"}},
      {kDecimal, {".00", "-1.50"}},
      {kWholeDecimal, {"", "7"}},
      {kFloat, {"1.5E+00", "3.4028235E+38"}},
      {kDouble, {"0E+00", "-1.7976931348623157E+308"}},
      {kBit, {"\0"s, "\1"}},
      {{.type = "bit(10)", .wire = query::BIT}, {"\2\1"}},
      {{.type = "year", .wire = query::YEAR}, {"0000", "2024"}},
      {kDate, {"2024-02-29", "0000-00-00"}},
      {{.type = "date", .wire = query::DATE, .options = {.zero_dates = mysql::ZeroDates::kText}},
       {"2024-02-29", "0000-00-00"}},
      {kDateTime, {"2024-02-29 12:00:00.500", "0000-00-00 00:00:00.000"}},
      {kTimestamp, {"2024-02-29 12:00:00"}},
      {kTime, {"12:00:00", "-838:59:59"}},
      {{.type = "time", .wire = query::TIME, .options = {.times = mysql::TimeFormat::kText}},
       {"12:00:00", "-838:59:59"}},
      {Text("varchar(20)"), {"", "7", "true", "2024-02-29", "{}", "\xff", "\"\\\n"}},
      {Text("enum('a','7')"), {"a", "7"}},
      {kBlob, {"", "a", "\xff"}},
      {kJson, {"{}", "[]", "7", "\"a\"", "true", "null", ".5"}},
      {kGeometry, {kPoint}},
      {{.type = "point",
        .wire = query::GEOMETRY,
        .options = {.geometry = mysql::GeometryFormat::kWkbHex}},
       {kPoint}},
      {kVector, {"", "\0\0\x80\x3F"s}},
      {{.type = "hologram(3)", .wire = query::VARCHAR, .collation = 255}, {"x"}},
  };
  for (const auto& [declared, unused] : columns) {
    for (const auto& [now, values] : columns) {
      for (const std::string& bytes : values) {
        EXPECT_THAT(RecordAfterChange(declared, now, bytes), HasSubstr("\"v\":"));
      }
    }
  }
}

}  // namespace
}  // namespace source_vitess::tests
