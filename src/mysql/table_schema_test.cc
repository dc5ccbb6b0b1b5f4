#include "mysql/table_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace source_vitess::mysql {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Cells = std::vector<std::optional<std::string>>;

query::QueryResult Result(const std::vector<std::string>& names, const std::vector<Cells>& rows) {
  query::QueryResult result;
  for (const std::string& name : names) result.add_fields()->set_name(name);
  for (const Cells& cells : rows) {
    query::Row* row = result.add_rows();
    for (const auto& cell : cells) {
      row->add_lengths(cell.has_value() ? static_cast<int64_t>(cell->size()) : -1);
      row->mutable_values()->append(cell.value_or(""));
    }
  }
  return result;
}

// information_schema of one keyspace; names in the case and the order that a test wants.
struct Answers {
  query::QueryResult tables = Result({"TABLE_NAME", "TABLE_TYPE", "TABLE_ROWS"}, {});
  query::QueryResult columns =
      Result({"TABLE_NAME", "COLUMN_NAME", "ORDINAL_POSITION", "COLUMN_TYPE", "CHARACTER_SET_NAME",
              "COLLATION_NAME", "IS_NULLABLE", "EXTRA"},
             {});
  query::QueryResult indexes = Result(
      {"TABLE_NAME", "INDEX_NAME", "COLUMN_NAME", "SEQ_IN_INDEX", "NON_UNIQUE", "NULLABLE"}, {});
  query::QueryResult sequences = Result({"TABLE_NAME"}, {});

  static void Add(query::QueryResult& result, const Cells& cells) {
    *result.add_rows() = Result({}, {cells}).rows(0);
  }
  void Table(const std::string& name, const std::string& type = "BASE TABLE") {
    Add(tables, {name, type, "3"});
  }
  void Column(const std::string& table, const std::string& name, const std::string& position,
              const std::string& type, const std::string& extra = "") {
    Add(columns, {table, name, position, type, std::nullopt, std::nullopt, "NO", extra});
  }
  void Index(const std::string& table, const std::string& index,
             const std::optional<std::string>& column, const std::string& place, bool unique = true,
             bool nullable = false) {
    Add(indexes, {table, index, column, place, unique ? "0" : "1", nullable ? "YES" : ""});
  }

  std::vector<TableSchema> Parse() const {
    auto schemas = ParseTableSchemas("shop", tables, columns, indexes, sequences);
    EXPECT_TRUE(schemas.ok()) << schemas.status();
    return schemas.ok() ? *std::move(schemas) : std::vector<TableSchema>();
  }
};

// A table `t` of these columns, in order.
Answers TableOf(const std::vector<std::pair<std::string, std::string>>& columns) {
  Answers answers;
  answers.Table("t");
  for (size_t i = 0; i < columns.size(); ++i) {
    answers.Column("t", columns[i].first, std::to_string(i + 1), columns[i].second);
  }
  return answers;
}

TEST(QueriesTest, TheyAreThoseThatARealServerAnswered) {
  EXPECT_EQ(TablesQuery("customer"),
            "select table_schema, table_name, table_type, table_rows, engine from "
            "information_schema.tables where "
            "table_schema='customer'");
  EXPECT_EQ(ColumnsQuery("customer"),
            "select table_name, column_name, ordinal_position, column_type, data_type, "
            "character_set_name, "
            "collation_name, is_nullable, column_key, extra from information_schema.columns where "
            "table_schema='customer' order by table_name, ordinal_position");
  EXPECT_EQ(IndexesQuery("customer"),
            "select table_name, index_name, column_name, seq_in_index, non_unique, nullable from "
            "information_schema.statistics where table_schema='customer' order by table_name, "
            "index_name, "
            "seq_in_index");
}

TEST(QueriesTest, AKeyspaceCannotLeaveItsQuotes) {
  EXPECT_THAT(TablesQuery(R"(a' or '1'='1)"),
              testing::EndsWith(R"(table_schema='a'' or ''1''=''1')"));
  EXPECT_THAT(TablesQuery(R"(a\)"), testing::EndsWith(R"(table_schema='a\\')"));
}

TEST(TableSchemaTest, ViewsInternalTablesAndSequencesAreNotOffered) {
  Answers answers;
  for (const char* name : {"orders", "a_view", "_orders_old", "orders_seq"}) {
    answers.Table(name, std::string(name) == "a_view" ? "VIEW" : "BASE TABLE");
    answers.Column(name, "id", "1", "bigint");
  }
  Answers::Add(answers.sequences, {"orders_seq"});

  const std::vector<TableSchema> schemas = answers.Parse();

  ASSERT_THAT(schemas, SizeIs(1));
  EXPECT_EQ(schemas[0].name, "orders");
  EXPECT_EQ(schemas[0].keyspace, "shop");
  EXPECT_EQ(schemas[0].row_estimate, 3u);
}

TEST(TableSchemaTest, RowsMayComeInAnyOrderAndTwice) {
  Answers answers;
  answers.Table("t");
  for (const char* position : {"10", "2", "1", "10"}) {
    answers.Column("t", std::string("c") + position, position, "bigint");
  }
  answers.Index("t", "PRIMARY", "c2", "2");
  answers.Index("t", "PRIMARY", "c10", "1");
  answers.Index("t", "PRIMARY", "c2", "2");

  const TableSchema schema = answers.Parse().at(0);

  std::vector<std::string> names;
  for (const Column& column : schema.columns) names.push_back(column.name);
  EXPECT_THAT(names, ElementsAre("c1", "c2", "c10"));
  EXPECT_THAT(schema.key, ElementsAre("c10", "c2"));
}

TEST(TableSchemaTest, NamesOfTheAnswersColumnsAreTheSameInAnyCase) {
  Answers answers = TableOf({{"id", "bigint"}});
  for (query::Field& field : *answers.columns.mutable_fields()) {
    std::string name = field.name();
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    field.set_name(name);
  }

  EXPECT_THAT(answers.Parse(), SizeIs(1));
}

TEST(TableSchemaTest, ADefaultThatIsAnExpressionIsNotAGeneratedColumn) {
  Answers answers;
  answers.Table("t");
  answers.Column("t", "a", "1", "int", "DEFAULT_GENERATED");
  answers.Column("t", "b", "2", "int", "VIRTUAL GENERATED");
  answers.Column("t", "c", "3", "int", "STORED GENERATED INVISIBLE");

  const TableSchema schema = answers.Parse().at(0);

  EXPECT_FALSE(schema.FindColumn("a")->generated);
  EXPECT_TRUE(schema.FindColumn("b")->generated);
  EXPECT_FALSE(schema.FindColumn("b")->invisible);
  EXPECT_TRUE(schema.FindColumn("c")->generated);
  EXPECT_TRUE(schema.FindColumn("c")->invisible);
}

TEST(TableSchemaTest, AColumnIsFoundByItsNameInAnyCase) {
  const TableSchema schema = TableOf({{"Id", "bigint"}}).Parse().at(0);

  EXPECT_NE(schema.FindColumn("Id"), nullptr);
  EXPECT_EQ(schema.FindColumn("id"), schema.FindColumn("Id"));
  EXPECT_EQ(schema.FindColumn("x"), nullptr);
}

TEST(TableSchemaTest, ATableSeenInOneAnswerAloneIsPassedOver) {
  Answers answers = TableOf({{"id", "bigint"}});
  answers.Table("made_meanwhile");
  answers.Column("dropped_meanwhile", "id", "1", "bigint");
  answers.Index("dropped_meanwhile", "PRIMARY", "id", "1");

  const std::vector<TableSchema> schemas = answers.Parse();

  ASSERT_THAT(schemas, SizeIs(1));
  EXPECT_EQ(schemas[0].name, "t");
}

TEST(KeyTest, ThePrimaryKeyComesFirstWhateverItCosts) {
  Answers answers = TableOf({{"a", "varchar(20)"}, {"b", "tinyint"}});
  answers.Index("t", "PRIMARY", "a", "1");
  answers.Index("t", "cheap", "b", "1");

  const TableSchema schema = answers.Parse().at(0);

  EXPECT_THAT(schema.key, ElementsAre("a"));
  EXPECT_TRUE(schema.resumable);
}

TEST(KeyTest, ElseItIsTheUniqueKeyThatVitessTakes) {
  Answers answers =
      TableOf({{"id1", "int"}, {"id2", "int"}, {"id3", "int"}, {"name", "varchar(50)"}});
  answers.Index("t", "by_name", "name", "1");
  answers.Index("t", "by_ids", "id1", "1");
  answers.Index("t", "by_ids", "id2", "2");
  answers.Index("t", "by_ids", "id3", "3");

  EXPECT_THAT(answers.Parse().at(0).key, ElementsAre("id1", "id2", "id3"));
}

TEST(KeyTest, AKeyThatMayBeNullOrIsNotUniqueIsNone) {
  Answers answers = TableOf({{"a", "int"}, {"b", "int"}, {"c", "int"}});
  answers.Index("t", "nullable", "a", "1");
  answers.Index("t", "nullable", "b", "2", /*unique=*/true, /*nullable=*/true);
  answers.Index("t", "plain", "c", "1", /*unique=*/false);

  const TableSchema schema = answers.Parse().at(0);

  EXPECT_THAT(schema.key, IsEmpty());
  EXPECT_FALSE(schema.resumable);
}

TEST(KeyTest, AKeyOverAnExpressionIsNoneAndSpoilsResuming) {
  Answers answers = TableOf({{"a", "int"}, {"b", "int"}});
  answers.Index("t", "functional", "a", "1");
  answers.Index("t", "functional", std::nullopt, "2");
  answers.Index("t", "plain", "b", "1");

  const TableSchema schema = answers.Parse().at(0);

  EXPECT_THAT(schema.key, ElementsAre("b"));
  EXPECT_FALSE(schema.resumable);
}

TEST(KeyTest, EnumsSetsAndFloatingPointCannotBeResumed) {
  for (const char* type : {"enum('a')", "set('a')", "float", "double"}) {
    Answers answers = TableOf({{"id", "bigint"}, {"x", type}});
    answers.Index("t", "PRIMARY", "id", "1");
    answers.Index("t", "PRIMARY", "x", "2");

    const TableSchema schema = answers.Parse().at(0);

    EXPECT_THAT(schema.key, ElementsAre("id", "x")) << type;
    EXPECT_FALSE(schema.resumable) << type;
  }
}

TEST(KeyTest, WhereVitessMayTakeAnotherKeyBothMustBeResumable) {
  // 10 for a bigint; an enum and a bigint cost as much, but two columns lose against one.
  Answers costly = TableOf({{"id", "bigint"}, {"e", "enum('a')"}, {"n", "bigint"}});
  costly.Index("t", "one", "id", "1");
  costly.Index("t", "two", "e", "1");
  costly.Index("t", "two", "n", "2");
  EXPECT_TRUE(costly.Parse().at(0).resumable);

  Answers equal =
      TableOf({{"e1", "enum('a')"}, {"id", "bigint"}, {"t1", "tinyint"}, {"e2", "enum('a')"}});
  equal.Index("t", "one", "id", "1");
  equal.Index("t", "one", "t1", "2");
  equal.Index("t", "two", "e1", "1");
  equal.Index("t", "two", "id", "2");
  EXPECT_THAT(equal.Parse().at(0).key, ElementsAre("e1", "id"));
  EXPECT_FALSE(equal.Parse().at(0).resumable);

  Answers tied = TableOf(
      {{"a", "float"}, {"b", "double"}, {"c", "float"}, {"d", "decimal(5,0)"}, {"e", "bigint"}});
  tied.Index("t", "first", "e", "1");  // 10 and 13
  tied.Index("t", "first", "d", "2");
  tied.Index("t", "second", "a", "1");  // 11 and 12
  tied.Index("t", "second", "b", "2");
  EXPECT_FALSE(tied.Parse().at(0).resumable);
}

TEST(TableSchemaTest, AnswersThatCannotBeReadAreErrors) {
  Answers nameless = TableOf({{"id", "bigint"}});
  nameless.columns.mutable_fields(3)->set_name("something_else");
  EXPECT_FALSE(ParseTableSchemas("shop", nameless.tables, nameless.columns, nameless.indexes,
                                 nameless.sequences)
                   .ok());

  Answers cut = TableOf({{"id", "bigint"}});
  cut.columns.mutable_rows(0)->mutable_values()->pop_back();
  EXPECT_FALSE(ParseTableSchemas("shop", cut.tables, cut.columns, cut.indexes, cut.sequences).ok());

  Answers longer = TableOf({{"id", "bigint"}});
  longer.columns.mutable_rows(0)->add_lengths(0);
  EXPECT_FALSE(
      ParseTableSchemas("shop", longer.tables, longer.columns, longer.indexes, longer.sequences)
          .ok());

  Answers odd = TableOf({{"id", "enum('a"}});
  const auto status =
      ParseTableSchemas("shop", odd.tables, odd.columns, odd.indexes, odd.sequences).status();
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("column id of table t"));
}

TEST(InternalTableNameTest, TablesOfVitessItselfAreKnown) {
  for (const char* name :
       {"_vt_hld_6ace8bcef73211ea87e9f875a4d24e90_20200915120410_",
        "_vt_vrp_6ace8bcef73211ea87e9f875a4d24e90_20200915120410_",
        "_vt_HOLD_6ace8bcef73211ea87e9f875a4d24e90_20200915120410",
        "_vt_DROP_6ace8bcef73211ea87e9f875a4d24e90_20200915120410",
        "_4e5dcf80_354b_11eb_82cd_f875a4d24e90_20201203114014_gho",
        "_4e5dcf80_354b_11eb_82cd_f875a4d24e90_20201203114014_vrepl", "_orders_old", "__old"}) {
    EXPECT_TRUE(IsInternalTableName(name)) << name;
  }
}

TEST(InternalTableNameTest, TablesThatOnlyLookAlikeAreTheUsers) {
  for (const char* name : {"", "_", "orders", "orders_old", "_vt_orders",
                           "_vt_hld_6ace8bcef73211ea87e9f875a4d24e9_20200915120410_",
                           "_vt_hld_6ace8bcef73211ea87e9f875a4d24e90_2020091512041_",
                           "_vt_hold_6ace8bcef73211ea87e9f875a4d24e90_20200915120410_",
                           "vt_hld_6ace8bcef73211ea87e9f875a4d24e90_20200915120410_",
                           "_vt_hld_6ace8bcef73211ea87e9f875a4d24e9x_20200915120410_",
                           "_4e5dcf80_354b_11eb_82cd_f875a4d24e90_20201203114014_tmp",
                           "_4e5dcf80_354b_11eb_82cd_20201203114014_gho", "_orders_older"}) {
    EXPECT_FALSE(IsInternalTableName(name)) << name;
  }
}

}  // namespace
}  // namespace source_vitess::mysql
