#include "simulator/sql_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulator/sql_tokenizer.h"

namespace source_vitess::simulator {
namespace {

TEST(SqlTokenizerTest, DividesAScriptAtSemicolonsOutsideOfLiteralsAndComments) {
  const auto statements =
      SplitStatements("-- one; two\ninsert into t values (';');\n/* ; */ delete from t; ");
  ASSERT_TRUE(statements.ok());
  EXPECT_THAT(*statements, testing::ElementsAre("insert into t values (';')", "delete from t"));
}

TEST(SqlTokenizerTest, ReadsVersionCommentsAndDropsIntroducers) {
  const auto tokens = Tokenize("a /*!80023 INVISIBLE */ _utf8mb4'x''y\\n' 0x4a");
  ASSERT_TRUE(tokens.ok());
  ASSERT_EQ(tokens->size(), 5U);
  EXPECT_EQ((*tokens)[1].text, "INVISIBLE");
  EXPECT_EQ((*tokens)[2].text, "x'y\n");
  EXPECT_EQ((*tokens)[3].text, "J");
}

TEST(SqlTokenizerTest, RefusesAnUnterminatedLiteral) { EXPECT_FALSE(Tokenize("select 'a").ok()); }

TEST(SqlParserTest, ReadsAnInsertOfSeveralRows) {
  const auto statement = Parse("insert into ks.t (a, `b`) values (1, 'x'), (default, null)");
  ASSERT_TRUE(statement.ok()) << statement.status();
  const auto& insert = std::get<Insert>(*statement);
  EXPECT_EQ(insert.table.schema, "ks");
  EXPECT_THAT(insert.columns, testing::ElementsAre("a", "b"));
  ASSERT_EQ(insert.rows.size(), 2U);
  EXPECT_EQ(insert.rows[1][0], nullptr);
}

TEST(SqlParserTest, BindsAndTighterThanOr) {
  const auto statement = Parse("select * from t where a = 1 or b = 2 and c = 3");
  ASSERT_TRUE(statement.ok()) << statement.status();
  const Expression& where = *std::get<Select>(*statement).where;
  EXPECT_EQ(where.name, "or");
  EXPECT_EQ(where.arguments[1]->name, "and");
}

TEST(SqlParserTest, TakesValuesOfBindVariables) {
  const auto statement =
      Parse("select * from t where a = :v1 limit :n",
            {{"v1", {Literal::Kind::kString, "x"}}, {"n", {Literal::Kind::kNumber, "7"}}});
  ASSERT_TRUE(statement.ok()) << statement.status();
  const auto& select = std::get<Select>(*statement);
  EXPECT_EQ(select.where->arguments[1]->literal.text, "x");
  EXPECT_EQ(select.limit, 7U);
}

TEST(SqlParserTest, ReadsColumnAttributesInAnyOrder) {
  const auto statement = Parse(
      "create table t (a int unsigned not null auto_increment primary key comment 'x', b "
      "varchar(3) collate "
      "utf8mb4_bin default 'y' null, c int generated always as (a + 1) stored, unique key u (b, "
      "c)) comment='z'");
  ASSERT_TRUE(statement.ok()) << statement.status();
  const auto& create = std::get<CreateTable>(*statement);
  EXPECT_TRUE(create.columns[0].auto_increment);
  EXPECT_TRUE(create.columns[0].primary_key);
  EXPECT_EQ(create.columns[1].collation, "utf8mb4_bin");
  EXPECT_TRUE(create.columns[2].stored);
  EXPECT_THAT(create.indexes[0].columns, testing::ElementsAre("b", "c"));
  EXPECT_EQ(create.comment, "z");
}

TEST(SqlParserTest, NamesThePlaceOfAnError) {
  const auto statement = Parse("select from t");
  EXPECT_EQ(statement.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(Parse("select * from t where a = :missing").ok());
  EXPECT_EQ(Parse("delete t").status().message(), "syntax error at position 8 near 't'");
  EXPECT_EQ(Parse(" ").status().message(), "Query was empty");
}

}  // namespace
}  // namespace source_vitess::simulator
