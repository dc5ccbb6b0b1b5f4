// The values of every type, as they arrive at Fivetran: the same whether a row was copied or
// followed, and as the column is declared.
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fivetran_source.h"

namespace source_vitess::integration_tests {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Case {
  std::string type;      // of the column, as it is created
  std::string literal;   // in an INSERT
  std::string declared;  // the DataType
  std::string json;      // as the warehouse tells the value (harness/fivetran_host.h)
};

// A column each.
const std::vector<Case>& Cases() {
  static const auto& cases = *new std::vector<Case>{
      {"tinyint", "-128", "INT", "-128"},
      {"tinyint(1)", "2", "INT", "2"},
      {"tinyint unsigned", "255", "INT", "255"},
      {"mediumint", "-8388608", "INT", "-8388608"},
      {"int", "-2147483648", "INT", "-2147483648"},
      {"int unsigned", "4294967295", "LONG", "4294967295"},
      {"bigint", "-9223372036854775808", "LONG", "-9223372036854775808"},
      {"bigint unsigned", "18446744073709551615", "DECIMAL", "18446744073709551615"},
      {"int(6) unsigned zerofill", "42", "LONG", "42"},
      {"decimal(30,10)", "12345678901234567890.0123456789", "DECIMAL",
       "12345678901234567890.0123456789"},
      {"decimal(38,0)", "-99999999999999999999999999999999999999", "DECIMAL",
       "-99999999999999999999999999999999999999"},
      {"decimal(60,2)", "1.50", "STRING", R"("1.50")"},
      {"double", "0.1", "DOUBLE", "0.1"},
      {"float", "1.5", "DOUBLE", "1.5"},
      {"bit(1)", "b'1'", "BOOLEAN", "true"},
      {"bit(10)", "b'1000000001'", "LONG", "513"},
      {"bit(64)", "b'1111111111111111111111111111111111111111111111111111111111111111'", "DECIMAL",
       "18446744073709551615"},
      {"date", "'1000-01-01'", "NAIVE_DATE", R"("1000-01-01")"},
      {"datetime(6)", "'9999-12-31 23:59:59.999999'", "NAIVE_DATETIME",
       R"("9999-12-31T23:59:59.999999000")"},
      {"timestamp(6)", "'1970-01-01 00:00:01.000001'", "UTC_DATETIME",
       R"("1970-01-01T00:00:01.000001000Z")"},
      {"time(6)", "'-838:59:59.000000'", "STRING", R"("-838:59:59.000000")"},
      {"year", "2155", "INT", "2155"},
      {"varchar(20)", "'é😀'", "STRING", R"("é😀")"},
      {"varchar(20) character set latin1", "'é'", "STRING", R"("é")"},
      {"varchar(10) collate utf8mb4_bin", "'Aa'", "STRING", R"("Aa")"},
      {"text", "'two\nlines \"and\" quotes'", "STRING", R"("two\nlines \"and\" quotes")"},
      {"binary(5)", "'ab'", "BINARY", R"("6162000000")"},
      {"varbinary(5)", "x'00ff'", "BINARY", R"("00ff")"},
      {"blob", "x'c3'", "BINARY", R"("c3")"},
      {"enum('a','b,c')", "'b,c'", "STRING", R"("b,c")"},
      {"set('x','y','z')", "'x,z'", "JSON", R"("[\"x\",\"z\"]")"},
      {"json", R"('{"a": [1, null]}')", "JSON", R"("{\"a\": [1, null]}")"},
      // A point: SRID 0, and its WKB.
      {"point", "x'000000000101000000000000000000f03f0000000000000040'", "JSON",
       R"("{\"type\":\"Point\",\"coordinates\":[1,2]}")"},
  };
  return cases;
}

std::string ColumnName(size_t place) { return absl::StrCat("c", place); }

std::vector<std::string> ColumnNames() {
  std::vector<std::string> names = {"id"};
  for (size_t i = 0; i < Cases().size(); ++i) names.push_back(ColumnName(i));
  return names;
}

std::string CreateTable() {
  std::string sql = "create table types (id bigint not null";
  for (size_t i = 0; i < Cases().size(); ++i) {
    absl::StrAppend(&sql, ", ", ColumnName(i), " ", Cases()[i].type, " null");
  }
  return sql + ", primary key (id))";
}

std::string InsertRow(int id) {
  std::string sql = absl::StrCat("insert into types values (", id);
  for (const Case& one : Cases()) absl::StrAppend(&sql, ", ", one.literal);
  return sql + ")";
}

std::string InsertNulls(int id) { return absl::StrCat("insert into types (id) values (", id, ")"); }

std::string ExpectedRow(int id) {
  std::string json = absl::StrCat("{\"id\":", id);
  for (size_t i = 0; i < Cases().size(); ++i) {
    absl::StrAppend(&json, ",\"", ColumnName(i), "\":", Cases()[i].json);
  }
  return json + "}";
}

std::string ExpectedNulls(int id) {
  std::string json = absl::StrCat("{\"id\":", id);
  for (size_t i = 0; i < Cases().size(); ++i)
    absl::StrAppend(&json, ",\"", ColumnName(i), "\":null");
  return json + "}";
}

class FivetranValuesTest : public ::testing::Test {
 protected:
  FivetranValuesTest() {
    source_.Execute(CreateTable());
    source_.Execute("alter vschema on shop.types add vindex hash(id)");
  }
  void TearDown() override { EXPECT_THAT(source_.BrokenRules(), IsEmpty()); }

  FivetranSource source_;
};

TEST_F(FivetranValuesTest, EveryTypeIsDeclaredAsItIsDocumented) {
  const auto schema = source_.connection().Schema();
  ASSERT_TRUE(schema.ok()) << schema.status();
  const std::vector<harness::FivetranColumn>& columns = schema->at("shop.types");
  ASSERT_EQ(columns.size(), 1 + Cases().size());

  for (size_t i = 0; i < Cases().size(); ++i) {
    EXPECT_EQ(columns[1 + i].type, Cases()[i].declared) << Cases()[i].type;
    EXPECT_FALSE(columns[1 + i].in_key);
  }
}

TEST_F(FivetranValuesTest, CopiedAndFollowedRowsAreTheSame) {
  source_.Execute(InsertRow(1));
  source_.Execute(InsertNulls(2));
  ASSERT_EQ(source_.Sync().Failure(), "");
  source_.Execute(InsertRow(3));
  source_.Execute(InsertNulls(4));
  source_.Execute("insert into types (id) values (5)");
  source_.Execute("delete from types where id = 5");

  const harness::FivetranReport report = source_.Sync();

  EXPECT_EQ(report.Failure(), "");
  EXPECT_THAT(report.warnings, IsEmpty());
  EXPECT_THAT(source_.Rows("types", ColumnNames()),
              ElementsAre(ExpectedRow(1), ExpectedNulls(2), ExpectedRow(3), ExpectedNulls(4)));
}

TEST(FivetranKeysTest, RowsAreFoundByKeysOfEveryKind) {
  const std::map<std::string, std::string> keys = {{"varchar(20)", "'é'"},
                                                   {"varbinary(8)", "x'00ff'"},
                                                   {"decimal(20,4)", "1.5000"},
                                                   {"datetime(6)", "'2024-01-15 10:20:30.000001'"},
                                                   {"bigint unsigned", "18446744073709551615"},
                                                   {"date", "'2024-01-15'"},
                                                   {"enum('red','green')", "'green'"},
                                                   {"binary(4)", "x'61620000'"},
                                                   {"char(4)", "'ab'"}};
  FivetranSource source;
  int number = 0;
  for (const auto& [type, key] : keys) {
    const std::string table = absl::StrCat("keyed", ++number);
    source.Execute(absl::StrCat("create table ", table, " (k ", type,
                                " not null, id bigint not null, v int, primary key (k, id))"));
    source.Execute(absl::StrCat("alter vschema on shop.", table, " add vindex hash(id)"));
    for (const int id : {1, 2}) {
      source.Execute(absl::StrCat("insert into ", table, " values (", key, ", ", id, ", 1)"));
    }
  }
  ASSERT_EQ(source.Sync().Failure(), "");
  for (int i = 1; i <= number; ++i) {
    source.Execute(absl::StrCat("delete from keyed", i, " where id = 1"));
    source.Execute(absl::StrCat("update keyed", i, " set v = 2 where id = 2"));
  }

  const harness::FivetranReport report = source.Sync();

  EXPECT_EQ(report.Failure(), "");
  for (int i = 1; i <= number; ++i) {
    const std::string table = absl::StrCat("keyed", i);
    EXPECT_EQ(report.tables.at(absl::StrCat("shop.", table)).ignored, 0u) << table;
    EXPECT_THAT(source.Rows(table, {"id", "v"}), ElementsAre(R"({"id":2,"v":2})")) << table;
  }
  EXPECT_THAT(source.BrokenRules(), IsEmpty());
}

TEST(FivetranZeroDatesTest, AreNullAndToldInAWarning) {
  FivetranSource source;
  source.Execute("create table days (id bigint not null, d date, primary key (id))");
  source.Execute("alter vschema on shop.days add vindex hash(id)");
  source.Execute("insert into days values (1, '0000-00-00'), (2, '2024-00-15'), (3, '2024-01-15')");

  const harness::FivetranReport report = source.Sync();

  EXPECT_EQ(report.Failure(), "");
  EXPECT_THAT(report.warnings, ElementsAre(HasSubstr("shop.days")));
  EXPECT_THAT(
      source.Rows("days", {"id", "d"}),
      ElementsAre(R"({"id":1,"d":null})", R"({"id":2,"d":null})", R"({"id":3,"d":"2024-01-15"})"));
  EXPECT_THAT(source.BrokenRules(), IsEmpty());
}

}  // namespace
}  // namespace source_vitess::integration_tests
