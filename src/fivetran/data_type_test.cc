#include "fivetran/data_type.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

namespace source_vitess::fivetran {

void PrintTo(const DeclaredType& type, std::ostream* out) {
  *out << fivetran_sdk::v2::DataType_Name(type.type) << "(" << type.precision << ", " << type.scale
       << ", " << type.byte_length << ")";
}

namespace {

namespace sdk = fivetran_sdk::v2;

DeclaredType Plain(sdk::DataType type) { return {.type = type}; }
DeclaredType Decimal(uint32_t precision, uint32_t scale) {
  return {.type = sdk::DECIMAL, .precision = precision, .scale = scale};
}
DeclaredType Text(int32_t bytes) { return {.type = sdk::STRING, .byte_length = bytes}; }

mysql::Column ColumnOf(const std::string& type) {
  mysql::Column column;
  column.name = "c";
  column.type = mysql::ParseColumnType(type).value();
  return column;
}

DeclaredType TypeOf(const std::string& type, const mysql::TypeOptions& options = {},
                    const std::vector<std::string>& key = {}) {
  mysql::TableSchema table;
  table.columns = {ColumnOf(type)};
  table.key = key;
  return DeclaredTypeOf(table, table.columns[0], options);
}

struct TypeCase {
  const char* mysql;
  DeclaredType declared;
};

void PrintTo(const TypeCase& tested, std::ostream* out) { *out << tested.mysql; }

class DataTypeTest : public testing::TestWithParam<TypeCase> {};

TEST_P(DataTypeTest, IsDeclaredForTheMysqlType) {
  EXPECT_EQ(TypeOf(GetParam().mysql), GetParam().declared) << GetParam().mysql;
}

INSTANTIATE_TEST_SUITE_P(
    Types, DataTypeTest,
    testing::Values(
        TypeCase{"tinyint(1)", Plain(sdk::INT)}, TypeCase{"tinyint", Plain(sdk::INT)},
        TypeCase{"tinyint unsigned", Plain(sdk::INT)}, TypeCase{"smallint", Plain(sdk::INT)},
        TypeCase{"smallint unsigned", Plain(sdk::INT)}, TypeCase{"mediumint", Plain(sdk::INT)},
        TypeCase{"mediumint unsigned", Plain(sdk::INT)}, TypeCase{"int", Plain(sdk::INT)},
        TypeCase{"int(6)", Plain(sdk::INT)}, TypeCase{"int unsigned", Plain(sdk::LONG)},
        TypeCase{"int(6) unsigned zerofill", Plain(sdk::LONG)},
        TypeCase{"bigint", Plain(sdk::LONG)}, TypeCase{"bigint unsigned", Decimal(20, 0)},
        TypeCase{"year", Plain(sdk::INT)}, TypeCase{"bit(1)", Plain(sdk::BOOLEAN)},
        TypeCase{"bit(2)", Plain(sdk::LONG)}, TypeCase{"bit(63)", Plain(sdk::LONG)},
        TypeCase{"bit(64)", Decimal(20, 0)}, TypeCase{"decimal(10,0)", Decimal(10, 0)},
        TypeCase{"decimal(12,2)", Decimal(12, 2)}, TypeCase{"decimal(38,38)", Decimal(38, 38)},
        TypeCase{"decimal(38,30) unsigned", Decimal(38, 30)}, TypeCase{"decimal(39,0)", Text(0)},
        TypeCase{"decimal(65,30)", Text(0)}, TypeCase{"float", Plain(sdk::DOUBLE)},
        TypeCase{"double", Plain(sdk::DOUBLE)}, TypeCase{"date", Plain(sdk::NAIVE_DATE)},
        TypeCase{"datetime", Plain(sdk::NAIVE_DATETIME)},
        TypeCase{"datetime(6)", Plain(sdk::NAIVE_DATETIME)},
        TypeCase{"timestamp(3)", Plain(sdk::UTC_DATETIME)}, TypeCase{"time", Text(0)},
        TypeCase{"time(6)", Text(0)}, TypeCase{"char(3)", Text(12)},
        TypeCase{"varchar(64)", Text(256)}, TypeCase{"tinytext", Text(0)},
        TypeCase{"text", Text(0)}, TypeCase{"longtext", Text(0)},
        TypeCase{"enum('a','b')", Text(0)}, TypeCase{"set('a','b')", Plain(sdk::JSON)},
        TypeCase{"json", Plain(sdk::JSON)}, TypeCase{"binary(16)", Plain(sdk::BINARY)},
        TypeCase{"varbinary(16)", Plain(sdk::BINARY)}, TypeCase{"tinyblob", Plain(sdk::BINARY)},
        TypeCase{"longblob", Plain(sdk::BINARY)}, TypeCase{"geometry", Plain(sdk::JSON)},
        TypeCase{"point", Plain(sdk::JSON)}, TypeCase{"geomcollection", Plain(sdk::JSON)},
        TypeCase{"vector(3)", Plain(sdk::JSON)}, TypeCase{"type_of_the_future", Text(0)}));

TEST(DataTypeOptionsTest, ChangeTheDeclaration) {
  EXPECT_EQ(TypeOf("tinyint(1)", {.tinyint1_as_boolean = true}), Plain(sdk::BOOLEAN));
  EXPECT_EQ(TypeOf("tinyint(2)", {.tinyint1_as_boolean = true}), Plain(sdk::INT));
  EXPECT_EQ(TypeOf("bit(1)", {.bit1_as_boolean = false}), Plain(sdk::LONG));
  EXPECT_EQ(TypeOf("point", {.geometry = mysql::GeometryFormat::kWkbHex}), Text(0));
  for (const char* date : {"date", "datetime(6)", "timestamp"}) {
    EXPECT_EQ(TypeOf(date, {.zero_dates = mysql::ZeroDates::kText}), Text(0)) << date;
  }
}

TEST(DataTypeOptionsTest, MakeNoKeyABoolean) {
  EXPECT_EQ(TypeOf("tinyint(1)", {.tinyint1_as_boolean = true}, {"c"}), Plain(sdk::INT));
}

struct FitCase {
  DeclaredType from;
  DeclaredType to;
  bool fits;
};

void PrintTo(const FitCase& tested, std::ostream* out) {
  *out << testing::PrintToString(tested.from) << " into " << testing::PrintToString(tested.to);
}

class FitsTest : public testing::TestWithParam<FitCase> {};

TEST_P(FitsTest, SaysWhetherEveryValueHasAPlace) {
  EXPECT_EQ(Fits(GetParam().from, GetParam().to), GetParam().fits);
}

INSTANTIATE_TEST_SUITE_P(
    Types, FitsTest,
    testing::Values(FitCase{Plain(sdk::INT), Plain(sdk::INT), true},
                    FitCase{Plain(sdk::INT), Plain(sdk::LONG), true},
                    FitCase{Plain(sdk::LONG), Plain(sdk::INT), false},
                    FitCase{Plain(sdk::INT), Plain(sdk::DOUBLE), true},
                    FitCase{Plain(sdk::LONG), Plain(sdk::DOUBLE), false},
                    FitCase{Plain(sdk::DOUBLE), Plain(sdk::LONG), false},
                    FitCase{Plain(sdk::BOOLEAN), Plain(sdk::INT), true},
                    FitCase{Plain(sdk::INT), Plain(sdk::BOOLEAN), false},
                    FitCase{Plain(sdk::INT), Decimal(10, 0), true},
                    FitCase{Plain(sdk::INT), Decimal(10, 1), false},
                    FitCase{Plain(sdk::LONG), Decimal(20, 0), true},
                    FitCase{Plain(sdk::LONG), Decimal(18, 0), false},
                    FitCase{Decimal(20, 0), Plain(sdk::LONG), false},
                    FitCase{Decimal(10, 2), Decimal(12, 4), true},
                    FitCase{Decimal(10, 2), Decimal(12, 5), false},
                    FitCase{Decimal(10, 2), Decimal(10, 0), false},
                    FitCase{Plain(sdk::NAIVE_DATE), Plain(sdk::NAIVE_DATETIME), false},
                    FitCase{Plain(sdk::NAIVE_DATETIME), Plain(sdk::UTC_DATETIME), false},
                    FitCase{Plain(sdk::UTC_DATETIME), Text(0), true},
                    FitCase{Plain(sdk::JSON), Text(0), true},
                    FitCase{Text(0), Plain(sdk::JSON), false},
                    FitCase{Plain(sdk::BINARY), Text(0), false}, FitCase{Text(40), Text(0), true},
                    FitCase{Text(40), Text(40), true}, FitCase{Text(40), Text(36), false},
                    FitCase{Text(0), Text(40), false}, FitCase{Plain(sdk::LONG), Text(4), false}));

struct WidenCase {
  DeclaredType a;
  DeclaredType b;
  DeclaredType wider;
};

void PrintTo(const WidenCase& tested, std::ostream* out) {
  *out << testing::PrintToString(tested.a) << " and " << testing::PrintToString(tested.b);
}

class WidenTest : public testing::TestWithParam<WidenCase> {};

TEST_P(WidenTest, GivesTheNarrowestTypeOfBothInEitherOrder) {
  const auto& [a, b, wider] = GetParam();
  EXPECT_EQ(Widen(a, b), wider);
  EXPECT_EQ(Widen(b, a), wider);
}

INSTANTIATE_TEST_SUITE_P(
    Types, WidenTest,
    testing::Values(WidenCase{Plain(sdk::INT), Plain(sdk::INT), Plain(sdk::INT)},
                    WidenCase{Plain(sdk::INT), Plain(sdk::LONG), Plain(sdk::LONG)},
                    WidenCase{Plain(sdk::INT), Plain(sdk::DOUBLE), Plain(sdk::DOUBLE)},
                    WidenCase{Plain(sdk::LONG), Plain(sdk::DOUBLE), Plain(sdk::DOUBLE)},
                    WidenCase{Decimal(12, 2), Plain(sdk::DOUBLE), Plain(sdk::DOUBLE)},
                    WidenCase{Plain(sdk::LONG), Decimal(20, 0), Decimal(20, 0)},
                    WidenCase{Plain(sdk::LONG), Decimal(12, 2), Decimal(21, 2)},
                    WidenCase{Plain(sdk::INT), Decimal(4, 4), Decimal(14, 4)},
                    WidenCase{Decimal(10, 0), Decimal(10, 8), Decimal(18, 8)},
                    WidenCase{Decimal(38, 0), Decimal(38, 38), Text(0)},
                    WidenCase{Plain(sdk::BOOLEAN), Plain(sdk::INT), Plain(sdk::INT)},
                    WidenCase{Plain(sdk::NAIVE_DATE), Plain(sdk::NAIVE_DATETIME), Text(0)},
                    WidenCase{Plain(sdk::BINARY), Plain(sdk::JSON), Text(0)},
                    WidenCase{Plain(sdk::BINARY), Text(40), Text(0)},
                    WidenCase{Text(40), Text(80), Text(80)}, WidenCase{Text(40), Text(0), Text(0)},
                    WidenCase{Text(4), Plain(sdk::LONG), Text(0)}));

TEST(WidenAllTest, NeverLosesAPlaceForEitherTypeThatHasOneInATextOrANumber) {
  const std::vector<DeclaredType> types = {Plain(sdk::BOOLEAN),
                                           Plain(sdk::INT),
                                           Plain(sdk::LONG),
                                           Decimal(12, 2),
                                           Decimal(38, 0),
                                           Text(0),
                                           Text(40),
                                           Plain(sdk::NAIVE_DATE),
                                           Plain(sdk::UTC_DATETIME),
                                           Plain(sdk::JSON),
                                           Plain(sdk::NAIVE_DATETIME)};
  for (const DeclaredType& a : types) {
    for (const DeclaredType& b : types) {
      const DeclaredType wider = Widen(a, b);
      EXPECT_TRUE(Fits(a, wider) && Fits(b, wider))
          << testing::PrintToString(a) << " and " << testing::PrintToString(b);
    }
  }
}

TEST(DeclareTest, SaysThePrecisionOfDecimalsAndTheLengthOfTexts) {
  sdk::Column column;
  Declare(Decimal(12, 2), column);
  EXPECT_EQ(column.type(), sdk::DECIMAL);
  EXPECT_EQ(column.params().decimal().precision(), 12u);
  EXPECT_EQ(column.params().decimal().scale(), 2u);

  Declare(Text(40), column);
  EXPECT_EQ(column.type(), sdk::STRING);
  EXPECT_FALSE(column.params().has_decimal());
  EXPECT_EQ(column.params().string_byte_length(), 40);

  Declare(Text(0), column);
  EXPECT_FALSE(column.has_params());
}

TEST(ReservedColumnTest, IsThePlatformsInAnyCase) {
  EXPECT_TRUE(IsReservedColumn("_fivetran_synced"));
  EXPECT_TRUE(IsReservedColumn("_FIVETRAN_x"));
  EXPECT_FALSE(IsReservedColumn("fivetran_synced"));
  EXPECT_FALSE(IsReservedColumn("_fivetra"));
}

}  // namespace
}  // namespace source_vitess::fivetran
