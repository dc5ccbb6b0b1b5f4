#include "sync/row_moves.h"

#include "gtest/gtest.h"
#include "sync/fakes_for_test.h"

namespace source_vitess::sync {
namespace {

// Answers every query with the same, and counts them.
class FakeVschema final : public vitess::VtgateClient {
 public:
  absl::StatusOr<query::QueryResult> Execute(std::string_view, std::string_view sql,
                                             absl::Duration) override {
    queries.emplace_back(sql);
    return answer;
  }
  std::unique_ptr<vitess::VStream> Stream(const vtgate::VStreamRequest&) override {
    return nullptr;
  }

  absl::StatusOr<query::QueryResult> answer;
  std::vector<std::string> queries;
};

class RowMovesTest : public ::testing::Test {
 protected:
  bool MayMove(const std::vector<std::vector<std::string>>& rows) {
    query::QueryResult result = Rows(rows);
    result.add_fields()->set_name("Columns");
    vschema_.answer = std::move(result);
    return moves_.MayMove(table_);
  }

  const Table table_ = MakeTable(0, "t`x");
  FakeVschema vschema_;
  RowMoves moves_{vschema_, absl::Seconds(1)};
};

TEST_F(RowMovesTest, ARowStaysWhereItsKeySaysSo) {
  EXPECT_FALSE(MayMove({{"ID"}, {"name"}}));
  EXPECT_EQ(vschema_.queries.at(0), "show vschema vindexes on `ks`.`t``x`");
}

TEST_F(RowMovesTest, ARowMayMoveWhenAnotherColumnSaysWhere) { EXPECT_TRUE(MayMove({{"name"}})); }

TEST_F(RowMovesTest, EveryColumnOfThePrimaryVindexCounts) { EXPECT_TRUE(MayMove({{"id, name"}})); }

TEST_F(RowMovesTest, ATableWithoutVindexesStaysWhereItIs) { EXPECT_FALSE(MayMove({})); }

TEST_F(RowMovesTest, ATableThatTheVschemaDoesNotHaveIsNotSharded) {
  vschema_.answer = absl::NotFoundError("VT05005: table 't' does not exist in keyspace 'ks'");

  EXPECT_FALSE(moves_.MayMove(table_));
}

TEST_F(RowMovesTest, AsksAgainUntilItKnows) {
  vschema_.answer = absl::UnavailableError("no VTGate");
  EXPECT_TRUE(moves_.MayMove(table_));

  EXPECT_FALSE(MayMove({{"id"}}));
  EXPECT_FALSE(MayMove({{"name"}}));
  EXPECT_EQ(vschema_.queries.size(), 2u);
}

}  // namespace
}  // namespace source_vitess::sync
