#include "sync/schema_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "text/absl_view.h"

namespace source_vitess::sync {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Rows = std::vector<std::vector<std::string>>;

query::QueryResult Result(const std::vector<std::string>& names, const Rows& rows) {
  query::QueryResult result;
  for (const std::string& name : names) result.add_fields()->set_name(name);
  for (const std::vector<std::string>& cells : rows) {
    query::Row* row = result.add_rows();
    for (const std::string& cell : cells) {
      row->add_lengths(static_cast<int64_t>(cell.size()));
      row->mutable_values()->append(cell);
    }
  }
  return result;
}

// A VTGate that has information_schema alone, and gives at most `row_limit` rows at once, as a
// tablet does.
class FakeVtgate : public vitess::VtgateClient {
 public:
  Rows tables;
  Rows columns;
  Rows indexes;
  Rows sequences;
  size_t row_limit = 10000;
  std::string limit_text = "Row count exceeded 10000";
  std::optional<absl::Status> failure_of_indexes;

  std::vector<std::string> targets;
  std::vector<std::string> queries;

  absl::StatusOr<query::QueryResult> Execute(std::string_view target, std::string_view sql,
                                             absl::Duration /*timeout*/) override {
    targets.emplace_back(target);
    queries.emplace_back(sql);
    const absl::string_view text = text::AbslView(sql);
    if (absl::StrContains(text, "table_comment")) return Page(sql, {"TABLE_NAME"}, sequences);
    if (absl::StrContains(text, "information_schema.tables")) {
      return Page(sql, {"TABLE_SCHEMA", "TABLE_NAME", "TABLE_TYPE", "TABLE_ROWS", "ENGINE"},
                  tables);
    }
    if (absl::StrContains(text, "information_schema.columns")) {
      return Page(sql,
                  {"TABLE_NAME", "COLUMN_NAME", "ORDINAL_POSITION", "COLUMN_TYPE", "DATA_TYPE",
                   "CHARACTER_SET_NAME", "COLLATION_NAME", "IS_NULLABLE", "COLUMN_KEY", "EXTRA"},
                  columns);
    }
    if (failure_of_indexes.has_value()) return *failure_of_indexes;
    return Page(
        sql, {"TABLE_NAME", "INDEX_NAME", "COLUMN_NAME", "SEQ_IN_INDEX", "NON_UNIQUE", "NULLABLE"},
        indexes);
  }

  std::unique_ptr<vitess::VStream> Stream(const vtgate::VStreamRequest& /*request*/) override {
    return nullptr;
  }

  void AddTable(const std::string& name) {
    tables.push_back({"vt_shop_0", name, "BASE TABLE", "7", "InnoDB"});
    columns.push_back({name, "id", "1", "bigint", "bigint", "", "", "NO", "PRI", ""});
    columns.push_back({name, "note", "2", "text", "text", "utf8mb4", "utf8mb4_bin", "YES", "", ""});
    indexes.push_back({name, "PRIMARY", "id", "1", "0", ""});
  }

 private:
  absl::StatusOr<query::QueryResult> Page(std::string_view sql,
                                          const std::vector<std::string>& names,
                                          const Rows& rows) const {
    size_t limit = rows.size();
    size_t offset = 0;
    const std::vector<std::string> halves = absl::StrSplit(text::AbslView(sql), " limit ");
    if (halves.size() == 2) {
      const std::vector<std::string> numbers = absl::StrSplit(halves[1], " offset ");
      EXPECT_TRUE(absl::SimpleAtoi(numbers.at(0), &limit) &&
                  absl::SimpleAtoi(numbers.at(1), &offset))
          << halves[1];
    }
    const size_t begin = std::min(offset, rows.size());
    const size_t end = std::min(begin + limit, rows.size());
    if (end - begin > row_limit) return absl::AbortedError(limit_text);
    return Result(names, Rows(rows.begin() + static_cast<std::ptrdiff_t>(begin),
                              rows.begin() + static_cast<std::ptrdiff_t>(end)));
  }
};

TEST(SchemaReaderTest, ReadsTheTablesOfOneKeyspace) {
  FakeVtgate vtgate;
  vtgate.AddTable("orders");
  vtgate.AddTable("customers");

  const auto schemas = ReadTableSchemas(vtgate, "shop", absl::Seconds(5));

  ASSERT_TRUE(schemas.ok()) << schemas.status();
  ASSERT_THAT(*schemas, SizeIs(2));
  EXPECT_EQ(schemas->at(0).name, "customers");
  EXPECT_EQ(schemas->at(1).name, "orders");
  EXPECT_EQ(schemas->at(1).keyspace, "shop");
  EXPECT_THAT(schemas->at(1).key, ElementsAre("id"));
  EXPECT_EQ(schemas->at(1).row_estimate, 7u);
  EXPECT_THAT(vtgate.targets, Each("shop"));
}

TEST(SchemaReaderTest, LeavesSequencesAndInternalTablesOut) {
  FakeVtgate vtgate;
  vtgate.AddTable("orders");
  vtgate.AddTable("orders_seq");
  vtgate.AddTable("_vt_hld_6ace8bcef73211ea87e9f875a4d24e90_20260915120410_");
  vtgate.sequences = {{"orders_seq"}};

  const auto schemas = ReadTableSchemas(vtgate, "shop", absl::Seconds(5));

  ASSERT_TRUE(schemas.ok()) << schemas.status();
  ASSERT_THAT(*schemas, SizeIs(1));
  EXPECT_EQ(schemas->front().name, "orders");
}

TEST(SchemaReaderTest, AKeyspaceWithoutTablesIsEmpty) {
  FakeVtgate vtgate;

  const auto schemas = ReadTableSchemas(vtgate, "shop", absl::Seconds(5));

  ASSERT_TRUE(schemas.ok()) << schemas.status();
  EXPECT_THAT(*schemas, IsEmpty());
}

TEST(SchemaReaderTest, AsksInPagesOfTheServersLimitForWhatIsTooMuchAtOnce) {
  FakeVtgate vtgate;
  for (int i = 0; i < 25; ++i) vtgate.AddTable(absl::StrCat("t", 100 + i));
  vtgate.row_limit = 10;
  vtgate.limit_text = "target: shop.-80.primary: vttablet: rpc error: Row count exceeded 10";

  const auto schemas = ReadTableSchemas(vtgate, "shop", absl::Seconds(5));

  ASSERT_TRUE(schemas.ok()) << schemas.status();
  ASSERT_THAT(*schemas, SizeIs(25));
  for (const mysql::TableSchema& schema : *schemas) {
    EXPECT_THAT(schema.columns, SizeIs(2)) << schema.name;
    EXPECT_THAT(schema.key, ElementsAre("id")) << schema.name;
  }
}

TEST(SchemaReaderTest, PagesHaveAnOrderInWhichNoTwoRowsAreEqual) {
  FakeVtgate vtgate;
  for (int i = 0; i < 3; ++i) vtgate.AddTable(absl::StrCat("t", i));
  vtgate.row_limit = 2;
  vtgate.limit_text = "Row count exceeded 2";

  ASSERT_TRUE(ReadTableSchemas(vtgate, "shop", absl::Seconds(5)).ok());

  EXPECT_THAT(vtgate.queries,
              testing::IsSupersetOf(
                  {HasSubstr("information_schema.tables where table_schema='shop' order by "
                             "table_name limit 2 offset 2"),
                   HasSubstr("order by table_name, ordinal_position limit 2 offset 4"),
                   HasSubstr("order by table_name, index_name, seq_in_index limit 2 offset 0")}));
}

TEST(SchemaReaderTest, AnotherAbortedQueryIsNotAskedForAgain) {
  FakeVtgate vtgate;
  vtgate.failure_of_indexes = absl::AbortedError("transaction was killed");

  const auto schemas = ReadTableSchemas(vtgate, "shop", absl::Seconds(5));

  EXPECT_EQ(schemas.status().code(), absl::StatusCode::kAborted);
  EXPECT_THAT(vtgate.queries, SizeIs(3));
}

TEST(SchemaReaderTest, AFailureNamesTheKeyspaceAndWhatWasAsked) {
  FakeVtgate vtgate;
  vtgate.failure_of_indexes = absl::UnavailableError("no healthy tablet");

  const auto schemas = ReadTableSchemas(vtgate, "shop", absl::Seconds(5));

  EXPECT_EQ(schemas.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(
      std::string(schemas.status().message()),
      testing::AllOf(HasSubstr("indexes of keyspace shop"), HasSubstr("no healthy tablet")));
}

}  // namespace
}  // namespace source_vitess::sync
