#include "simulator/cell.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulator/sql_parser.h"
#include "simulator/table.h"

namespace source_vitess::simulator {
namespace {

// The column that a definition such as "c decimal(5,2)" declares.
Column ColumnOf(const std::string& definition) {
  const absl::StatusOr<Statement> statement = Parse("create table t (" + definition + ")");
  EXPECT_TRUE(statement.ok()) << statement.status();
  const absl::StatusOr<TableSchema> schema = MakeTableSchema(std::get<CreateTable>(*statement));
  EXPECT_TRUE(schema.ok()) << schema.status();
  return schema->columns[0];
}

Literal Number(const std::string& text) { return {Literal::Kind::kNumber, text}; }
Literal Text(const std::string& text) { return {Literal::Kind::kString, text}; }

std::string Stored(const Column& column, const Literal& literal) {
  const absl::StatusOr<Cell> cell = StoreLiteral(column, literal);
  EXPECT_TRUE(cell.ok()) << cell.status();
  return cell.ok() ? cell->value_or("NULL") : "";
}

TEST(CellTest, KeepsIntegersWithinTheirType) {
  const Column column = ColumnOf("c tinyint");
  EXPECT_EQ(Stored(column, Number("-128")), "-128");
  EXPECT_EQ(StoreLiteral(column, Number("128")).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Stored(ColumnOf("c bigint unsigned"), Number("18446744073709551615")),
            "18446744073709551615");
  EXPECT_FALSE(StoreLiteral(ColumnOf("c bigint unsigned"), Number("-1")).ok());
}

TEST(CellTest, RoundsDecimalsToTheirScale) {
  const Column column = ColumnOf("c decimal(5,2)");
  EXPECT_EQ(Stored(column, Number("1.5")), "1.50");
  EXPECT_EQ(Stored(column, Number("-0.005")), "-0.01");
  EXPECT_EQ(Stored(column, Number("9.999")), "10.00");
  EXPECT_EQ(Stored(column, Number("1e2")), "100.00");
  EXPECT_EQ(Stored(column, Number("-0.001")), "0.00");
  EXPECT_FALSE(StoreLiteral(column, Number("1000")).ok());
}

TEST(CellTest, WritesAFractionWithoutItsZeroInTheBinaryLog) {
  const Column column = ColumnOf("c decimal(5,2)");
  EXPECT_EQ(BinlogText(column, "0.05", {}), ".05");
  EXPECT_EQ(BinlogText(column, "-0.05", {}), "-.05");
  EXPECT_EQ(CopyText(column, "-0.05"), "-0.05");
  EXPECT_EQ(BinlogText(ColumnOf("c decimal(20,0)"), "1", {}), "000000000000000001");
}

TEST(CellTest, WritesFloatsInThreeForms) {
  const Column column = ColumnOf("c float");
  const std::string stored = Stored(column, Number("16777216"));
  EXPECT_EQ(CopyText(column, stored), "16777200");
  EXPECT_EQ(BinlogText(column, stored, {}), "1.6777216E+07");
  EXPECT_EQ(QueryText(column, stored), "16777200");
}

TEST(CellTest, WritesEnumsOfAnotherCharacterSetInItsBytesWhenCopied) {
  const Column column = ColumnOf("c enum('é') character set latin1");
  EXPECT_EQ(CopyText(column, "é"), "\xe9");
  EXPECT_EQ(BinlogText(column, "é", {}), "é");
  EXPECT_EQ(QueryText(column, "é"), "é");
}

TEST(CellTest, WritesEnumsAndSetsAsNumbersBeforeVersion20) {
  EXPECT_EQ(BinlogText(ColumnOf("c enum('a','b')"), "b", VersionProfile::Of(18)), "2");
  EXPECT_EQ(BinlogText(ColumnOf("c set('x','y','z')"), "x,z", VersionProfile::Of(18)), "5");
}

TEST(CellTest, OrdersSetMembersByTheirDeclaration) {
  EXPECT_EQ(Stored(ColumnOf("c set('x','y','z')"), Text("z,x")), "x,z");
  EXPECT_FALSE(StoreLiteral(ColumnOf("c set('x')"), Text("y")).ok());
}

TEST(CellTest, PadsBinaryAndCutsBlanksOffChar) {
  EXPECT_EQ(Stored(ColumnOf("c binary(3)"), Text("a")), std::string("a\0\0", 3));
  EXPECT_EQ(Stored(ColumnOf("c char(3)"), Text("a ")), "a");
  EXPECT_FALSE(StoreLiteral(ColumnOf("c char(3)"), Text("abcd")).ok());
}

TEST(CellTest, WritesJsonAsMysqlDoes) {
  EXPECT_EQ(Stored(ColumnOf("c json"), Text(R"({"bb":1,"a":[1.50,1e2,true],"c":"\n"})")),
            R"({"a": [1.5, 100.0, true], "c": "\n", "bb": 1})");
  EXPECT_FALSE(StoreLiteral(ColumnOf("c json"), Text("{")).ok());
}

TEST(CellTest, OrdersKeysAsTheirTypesDo) {
  const auto less = [](const Column& column, const std::string& a, const std::string& b) {
    return SortKey(column, a) < SortKey(column, b);
  };
  EXPECT_TRUE(less(ColumnOf("c bigint"), "-5", "3"));
  EXPECT_TRUE(less(ColumnOf("c bigint"), "9", "10"));
  EXPECT_TRUE(less(ColumnOf("c decimal(5,2)"), "-2.00", "-1.50"));
  EXPECT_TRUE(less(ColumnOf("c double"), "-1e10", "0.5"));
  EXPECT_TRUE(less(ColumnOf("c time"), "-838:59:59", "-00:00:01"));
  EXPECT_TRUE(less(ColumnOf("c enum('z','a')"), "z", "a"));
  EXPECT_TRUE(less(ColumnOf("c varbinary(9)"), std::string("a\0", 2), "ab"));
  EXPECT_TRUE(SortKey(ColumnOf("c int"), std::nullopt) < SortKey(ColumnOf("c int"), "-1"));
  EXPECT_EQ(SortKey(ColumnOf("c varchar(9)"), "É"), SortKey(ColumnOf("c varchar(9)"), "e"));
  EXPECT_NE(SortKey(ColumnOf("c varchar(9) collate utf8mb4_bin"), "E"),
            SortKey(ColumnOf("c varchar(9) collate utf8mb4_bin"), "e"));
}

TEST(CellTest, ComparesAnEnumWithTextAsText) {
  // Its own order is that of the ordinals, which is why a copy cannot go on after such a key.
  const Column column = ColumnOf("c enum('z','a')");
  EXPECT_GT(CompareWithLiteral(column, "z", Text("a")), 0);
  EXPECT_LT(SortKey(column, "z"), SortKey(column, "a"));
}

}  // namespace
}  // namespace source_vitess::simulator
