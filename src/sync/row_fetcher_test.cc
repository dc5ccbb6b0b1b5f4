#include "sync/row_fetcher.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sync/fakes_for_test.h"
#include "vitess/errors.h"

namespace source_vitess::sync {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

struct TestColumn {
  std::string name;
  std::string type;
  query::Type wire_type;
  std::string character_set = {};
};

class RowFetcherTest : public ::testing::Test {
 protected:
  // A table of these columns, all of them wanted.
  void Arrange(const std::vector<TestColumn>& columns, const std::vector<std::string>& key) {
    table_.schema.keyspace = "ks";
    table_.schema.name = "t`t";
    table_.schema.key = key;
    binlogdata::FieldEvent event;
    event.set_enum_set_string_values(true);
    for (const TestColumn& from : columns) {
      mysql::Column& column = table_.schema.columns.emplace_back();
      column.name = from.name;
      column.type = *mysql::ParseColumnType(from.type);
      column.type.character_set = from.character_set;
      table_.columns.push_back(from.name);
      query::Field& field = *event.add_fields();
      field.set_name(from.name);
      field.set_type(from.wire_type);
      field.set_column_type(from.type);
    }
    auto made = RowFetcher::Make({vtgate_, absl::Seconds(1)}, table_, event, table_.columns, {});
    ASSERT_TRUE(made.ok()) << made.status();
    fetcher_.emplace(*std::move(made));
  }

  // Of a row whose last columns are NULL.
  std::string KeyOf(const std::vector<std::string>& cells) {
    const auto key = fetcher_->KeyOf(RowOf(cells), nullptr);
    return key.ok() ? *key : key.status().ToString();
  }

  query::Row RowOf(const std::vector<std::string>& cells) const {
    query::Row row = Rows({cells}).rows(0);
    for (size_t i = cells.size(); i < table_.columns.size(); ++i) row.add_lengths(-1);
    return row;
  }

  Table table_;
  FakeVtgate vtgate_{{}};
  std::optional<RowFetcher> fetcher_;
};

TEST_F(RowFetcherTest, WritesTextsOfKeysInUtf8AndQuotesThem) {
  Arrange({{"k", "varchar(20)", query::VARCHAR, "latin1"}}, {"k"});

  EXPECT_EQ(KeyOf({"h\xe9llo"}), "'héllo'");
  EXPECT_EQ(KeyOf({R"(it's a \)"}), R"('it''s a \\')");
  EXPECT_EQ(KeyOf({std::string("\0", 1)}), R"('\0')");
}

TEST_F(RowFetcherTest, WritesNumbersOfKeysBare) {
  Arrange({{"zero", "int(6) unsigned zerofill", query::UINT32},
           {"flag", "tinyint(1)", query::INT8},
           {"price", "decimal(10,2)", query::DECIMAL},
           {"bits", "bit(10)", query::BIT}},
          {"zero", "flag", "price", "bits"});

  EXPECT_EQ(KeyOf({"000042", "2", "-.05", "\x02\x01"}), "(42, 2, -0.05, 513)");
}

TEST_F(RowFetcherTest, WritesBytesAndTimesOfKeysByTheirKind) {
  Arrange({{"uuid", "binary(4)", query::BINARY}, {"at", "datetime", query::DATETIME}},
          {"uuid", "at"});

  EXPECT_EQ(KeyOf({std::string("\x01\xff", 2), "2024-02-29 23:59:59"}),
            "(x'01ff0000', '2024-02-29 23:59:59')");
}

TEST_F(RowFetcherTest, TakesAKeyThatAnImageLacksFromTheImageBefore) {
  Arrange({{"id", "bigint", query::INT64}, {"k", "text", query::TEXT, "utf8mb4"}}, {"id", "k"});
  const query::Row before = RowOf({"1", "a"});

  const auto key = fetcher_->KeyOf(RowOf({"1"}), &before);

  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(*key, "(1, 'a')");
}

TEST_F(RowFetcherTest, RefusesAKeyThatNoImageHasInWordsThatNameTheRemedy) {
  Arrange({{"k", "text", query::TEXT, "utf8mb4"}}, {"k"});

  const auto key = fetcher_->KeyOf(RowOf({}), nullptr);

  EXPECT_EQ(vitess::Classify(key.status()), vitess::ErrorClass::kConfiguration);
  EXPECT_THAT(key.status().ToString(), HasSubstr("binlog_row_image=FULL"));
}

TEST_F(RowFetcherTest, AsksByAllColumnsOfTheKeyInItsOrder) {
  Arrange({{"a", "bigint", query::INT64}, {"b", "bigint", query::INT64}}, {"b", "a"});
  vtgate_.answers = {Rows({{"1", "2"}})};

  const auto page = fetcher_->Fetch({{"(2, 1)", "(4, 3)"}});

  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(vtgate_.queries, ElementsAre("ks: select `a`, `b` from `t``t` where (`b`, `a`) in "
                                           "((2, 1), (4, 3))"));
  EXPECT_EQ(page->keys, 2u);
  EXPECT_THAT(page->rows, SizeIs(1));
  EXPECT_EQ(page->rows.at("(2, 1)").values(), "12");
}

TEST_F(RowFetcherTest, AsksForTimestampsInUtcAndForAllDigitsOfFloats) {
  Arrange({{"id", "bigint", query::INT64},
           {"ts", "timestamp", query::TIMESTAMP},
           {"f", "float", query::FLOAT32}},
          {"id"});
  vtgate_.answers = {Rows({{"1", "2024-02-29 23:59:59", "0.10000000149011612"}})};

  const auto page = fetcher_->Fetch({{"1"}});

  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(vtgate_.queries,
              ElementsAre("ks: select /*+ SET_VAR(time_zone = '+00:00') */ `id`, `ts`, `f` + 0e0 "
                          "as `f` from `t``t` where `id` in (1)"));
  mysql::DecodedRow row;
  ASSERT_TRUE(fetcher_->Decode(page->rows.at("1"), row).ok());
  EXPECT_EQ(row.values()[2].text, "0.1");
}

TEST_F(RowFetcherTest, FindsRowsByDatesThatMysqlTakesInNoOtherMode) {
  Arrange({{"day", "date", query::DATE}, {"at", "timestamp", query::TIMESTAMP}}, {"day", "at"});
  vtgate_.answers = {Rows({})};

  const std::string key = KeyOf({"0000-00-00", "2024-02-29 23:59:59"});
  ASSERT_TRUE(fetcher_->Fetch({{key}}).ok());

  EXPECT_THAT(vtgate_.queries,
              ElementsAre("ks: select /*+ SET_VAR(time_zone = '+00:00') "
                          "SET_VAR(sql_mode = 'ALLOW_INVALID_DATES') */ `day`, `at` from `t``t` "
                          "where (`day`, `at`) in (('0000-00-00', '2024-02-29 23:59:59'))"));
}

TEST_F(RowFetcherTest, AsksAloneForARowThatIsWrittenOtherwiseThanItsKey) {
  Arrange({{"k", "varchar(20)", query::VARCHAR, "utf8mb4"}}, {"k"});
  vtgate_.answers = {Rows({{"A"}, {"b"}}), Rows({{"A"}}), Rows({})};

  const auto page = fetcher_->Fetch({{"'a'", "'b'", "'gone'"}});

  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(vtgate_.queries, SizeIs(3));
  EXPECT_EQ(page->rows.at("'a'").values(), "A");
  EXPECT_EQ(page->rows.at("'b'").values(), "b");
  EXPECT_FALSE(page->rows.contains("'gone'"));
}

TEST_F(RowFetcherTest, AsksForFewerRowsWhenAnAnswerWasTooLarge) {
  Arrange({{"id", "bigint", query::INT64}}, {"id"});
  vtgate_.answers = {absl::ResourceExhaustedError("trying to send message larger than max"),
                     Rows({{"1"}, {"2"}})};

  const auto page = fetcher_->Fetch({{"1", "2", "3", "4"}});

  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->keys, 2u);
  EXPECT_THAT(page->rows, SizeIs(2));
}

TEST_F(RowFetcherTest, AsksForAsManyRowsAsAnAnswerShallHoldOnceItKnowsHowLargeTheyAre) {
  Arrange({{"id", "bigint", query::INT64}, {"body", "longblob", query::BLOB}}, {"id"});
  const std::string large(RowFetcher::kMostAnswerBytes / 2, 'x');
  vtgate_.answers = {Rows({{"1", large}}), Rows({{"1", large}}), Rows({{"1", "small"}}),
                     Rows({{"1", "small"}})};
  const std::vector<std::string> keys = {"1", "2", "3", "4", "5", "6"};

  std::vector<size_t> asked;
  for (int i = 0; i < 4; ++i) asked.push_back(fetcher_->Fetch(keys)->keys);

  EXPECT_THAT(asked, ElementsAre(6u, 1u, 1u, 2u));
}

TEST_F(RowFetcherTest, KeepsQueriesBelowTheServersLimits) {
  Arrange({{"id", "bigint", query::INT64}}, {"id"});
  const std::vector<std::string> many(501, "1");
  const std::vector<std::string> long_ones(3, std::string(300'000, '1'));
  vtgate_.answers = {Rows({}), Rows({})};

  EXPECT_EQ(fetcher_->Fetch(many)->keys, 500u);
  EXPECT_EQ(fetcher_->Fetch(long_ones)->keys, 1u);
}

TEST_F(RowFetcherTest, FailsForNowWhenTheServerDoesAndNamesTheTable) {
  Arrange({{"id", "bigint", query::INT64}}, {"id"});
  vtgate_.answers = {absl::InternalError("broken")};

  const auto page = fetcher_->Fetch({{"1"}});

  EXPECT_EQ(vitess::Classify(page.status()), vitess::ErrorClass::kTransient);
  EXPECT_THAT(page.status().ToString(), HasSubstr("table ks.t`t"));
}

}  // namespace
}  // namespace source_vitess::sync
