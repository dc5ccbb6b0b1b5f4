#include "sync/row_writer.h"

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sync/fakes_for_test.h"
#include "vitess/errors.h"

namespace source_vitess::sync {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::SizeIs;

constexpr int64_t kTime = 1'795'366'894;

// "... in (1, 2)": 1 and 2.
std::vector<std::string> KeysAskedFor(const std::string& sql) {
  const size_t list = sql.find(" in (") + 5;
  return absl::StrSplit(sql.substr(list, sql.size() - list - 1), ", ");
}

// One table, t, in one shard.
class RowWriterTest : public ::testing::Test {
 protected:
  void SetUp() override { Begin(table_); }

  // `table` has to live as long as the rows are written.
  void Begin(const Table& table) {
    rows_.emplace(1, mysql::TypeOptions(), RowFetcher::Source{vtgate_, absl::Seconds(1)}, moves_,
                  sink_, sequence_, [this] {
                    handed_over_.push_back(rows_->batch().size_bytes());
                    absl::Status status = sink_.Write(rows_->batch());
                    rows_->Clear();
                    return status;
                  });
    const vtgate::VStreamResponse response = Events().Field("-80", "t", kTime).Message();
    ASSERT_TRUE(
        rows_->SetFields(0, table, response.events(0).field_event(), mysql::RowSource::kBinlog)
            .ok());
  }

  absl::Status Append(const Events& events) {
    const vtgate::VStreamResponse response = events.Message();
    for (const binlogdata::VEvent& event : response.events()) {
      absl::Status status = rows_->Append(0, event.row_event(), kTime);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  std::vector<std::string> Lines() {
    EXPECT_TRUE(sink_.Write(rows_->batch()).ok());
    return sink_.lines;
  }

  const Table table_ = MakeTable(0, "t");
  FakeVtgate vtgate_{{}};
  RowMoves moves_{vtgate_, absl::Seconds(1)};
  FakeSink sink_;
  std::vector<size_t> handed_over_;  // sizes of batches, while rows were completed
  std::atomic<uint64_t> sequence_ = 100;
  std::optional<RowWriter> rows_;
};

TEST_F(RowWriterTest, DeletesWithoutAskingWhereAKeyStaysInItsShard) {
  ASSERT_TRUE(Append(Events().Delete("-80", "t", 1, "a", kTime)).ok());

  EXPECT_THAT(Lines(), ElementsAre("t delete 1"));
  EXPECT_THAT(vtgate_.queries, IsEmpty());
}

TEST_F(RowWriterTest, SendsARowAsItIsThatWasDeletedInOneShardAndLivesInAnother) {
  vtgate_.vindex_columns = "name";
  vtgate_.answers.push_back(Rows({{"1", "moved"}}));
  ASSERT_TRUE(Append(Events()
                         .Delete("-80", "t", 1, "a", kTime)
                         .Delete("-80", "t", 2, "b", kTime)
                         .Insert("-80", "t", 3, "c", kTime))
                  .ok());

  ASSERT_TRUE(rows_->Complete().ok());

  EXPECT_THAT(Lines(), ElementsAre("t update 1 moved", "t delete 2", "t insert 3 c"));
  EXPECT_THAT(vtgate_.queries, SizeIs(1));
}

TEST_F(RowWriterTest, AsksNothingWhenChangesHaveAllColumns) {
  ASSERT_TRUE(Append(Events().Update("-80", "t", 1, 1, "a", kTime)).ok());

  EXPECT_THAT(Lines(), ElementsAre("t update 1 a"));
  EXPECT_THAT(vtgate_.queries, IsEmpty());
}

TEST_F(RowWriterTest, ReadsTheRowsOfChangesWithoutAllColumnsInOneQuery) {
  vtgate_.answers = {Rows({{"2", "b"}, {"1", "a"}})};

  ASSERT_TRUE(Append(Events()
                         .UpdateWithoutName("-80", "t", 1, 1, kTime)
                         .UpdateWithoutName("-80", "t", 2, 2, kTime)
                         .UpdateWithoutName("-80", "t", 1, 1, kTime))
                  .ok());
  ASSERT_TRUE(rows_->Complete().ok());

  EXPECT_THAT(vtgate_.queries,
              ElementsAre("ks: select `id`, `name` from `t` where `id` in (1, 2)"));
  EXPECT_THAT(Lines(), ElementsAre("t update 1 a", "t update 2 b", "t update 1 a"));
}

TEST_F(RowWriterTest, KeepsTheOrderOfChangesBehindOneThatIsHeldBack) {
  vtgate_.answers = {Rows({{"1", "newest"}})};

  ASSERT_TRUE(Append(Events()
                         .Insert("-80", "t", 1, "a", kTime)
                         .UpdateWithoutName("-80", "t", 1, 1, kTime)
                         .Update("-80", "t", 1, 1, "newer", kTime)
                         .Delete("-80", "t", 9, "z", kTime))
                  .ok());
  ASSERT_TRUE(rows_->Complete().ok());

  EXPECT_THAT(Lines(),
              ElementsAre("t insert 1 a", "t update 1 newest", "t update 1 newer", "t delete 9"));
  EXPECT_EQ(sequence_, 107u);  // two for each change that was held back
}

TEST_F(RowWriterTest, HoldsBackUntilItIsCompleted) {
  ASSERT_TRUE(Append(Events().UpdateWithoutName("-80", "t", 1, 1, kTime)).ok());

  EXPECT_TRUE(rows_->empty());
  EXPECT_THAT(vtgate_.queries, IsEmpty());
}

TEST_F(RowWriterTest, GivesNoRecordOfARowThatIsGone) {
  vtgate_.answers = {Rows({})};

  ASSERT_TRUE(
      Append(Events().UpdateWithoutName("-80", "t", 1, 1, kTime).Delete("-80", "t", 1, "a", kTime))
          .ok());
  ASSERT_TRUE(rows_->Complete().ok());

  EXPECT_THAT(Lines(), ElementsAre("t delete 1"));
}

TEST_F(RowWriterTest, ReadsARowWhoseKeyChangedByItsNewKey) {
  vtgate_.answers = {Rows({{"2", "a"}})};

  ASSERT_TRUE(Append(Events().UpdateWithoutName("-80", "t", 1, 2, kTime)).ok());
  ASSERT_TRUE(rows_->Complete().ok());

  EXPECT_THAT(vtgate_.queries, ElementsAre(HasSubstr("in (2)")));
  EXPECT_THAT(Lines(), ElementsAre("t update 1>2 a"));
  EXPECT_EQ(sequence_, 102u);
}

TEST_F(RowWriterTest, DeletesTheOldKeyOfARowThatIsGone) {
  vtgate_.answers = {Rows({})};

  ASSERT_TRUE(Append(Events().UpdateWithoutName("-80", "t", 1, 2, kTime)).ok());
  ASSERT_TRUE(rows_->Complete().ok());

  EXPECT_THAT(Lines(), ElementsAre("t delete 1"));
}

TEST_F(RowWriterTest, PassesAbsentColumnsOnToASinkThatTakesThem) {
  sink_.takes_absent_columns = true;
  Begin(table_);

  ASSERT_TRUE(Append(Events().UpdateWithoutName("-80", "t", 1, 1, kTime)).ok());

  EXPECT_THAT(Lines(), ElementsAre("t update 1 "));
  EXPECT_THAT(vtgate_.queries, IsEmpty());
}

TEST_F(RowWriterTest, ReadsARowThatIsNewOrHasANewKeyEvenIfTheSinkTakesUpdatesWithoutAllColumns) {
  sink_.takes_absent_columns = true;
  Begin(table_);
  vtgate_.answers = {Rows({{"2", "b"}})};

  ASSERT_TRUE(Append(Events().UpdateWithoutName("-80", "t", 1, 2, kTime)).ok());
  ASSERT_TRUE(rows_->Complete().ok());

  EXPECT_THAT(Lines(), ElementsAre("t update 1>2 b"));
}

TEST_F(RowWriterTest, SaysNothingOfAnUpdateOfColumnsThatAreNotDelivered) {
  Table table = MakeTable(0, "t");
  table.columns = {"id"};
  Begin(table);

  ASSERT_TRUE(Append(Events()
                         .Update("-80", "t", 1, 1, "a", kTime)
                         .Update("-80", "t", 1, 2, "a", kTime)
                         .Insert("-80", "t", 3, "a", kTime))
                  .ok());

  EXPECT_THAT(Lines(), ElementsAre("t update 1>2 ", "t insert 3 "));
}

TEST_F(RowWriterTest, TellsOfEveryUpdateASinkThatWantsThem) {
  sink_.wants_every_update = true;
  Table table = MakeTable(0, "t");
  table.columns = {"id"};
  Begin(table);

  ASSERT_TRUE(Append(Events().Update("-80", "t", 1, 1, "a", kTime)).ok());

  EXPECT_THAT(Lines(), SizeIs(1));
}

TEST_F(RowWriterTest, TellsTheWholeRowBeforeWhereNothingElseTellsItApart) {
  Table table = MakeTable(0, "t");
  table.schema.key.clear();
  Begin(table);

  ASSERT_TRUE(Append(Events()
                         .Update("-80", "t", 1, 2, "a", kTime)
                         .Update("-80", "t", 2, 2, "a", kTime)
                         .Delete("-80", "t", 2, "a", kTime))
                  .ok());

  EXPECT_THAT(Lines(), ElementsAre("t update 1>2 a", "t update 2 a", "t delete 2"));
}

TEST_F(RowWriterTest, DeliversAColumnThatTheSchemaDoesNotHaveIfTheTableTakesIt) {
  Table table = MakeTable(0, "t");
  table.schema.columns.pop_back();
  table.columns = {"id"};
  Begin(table);
  ASSERT_TRUE(Append(Events().Insert("-80", "t", 1, "a", kTime)).ok());
  table.takes_other_column = [](const std::string& name) { return name == "name"; };
  Begin(table);
  ASSERT_TRUE(Append(Events().Insert("-80", "t", 2, "b", kTime)).ok());

  EXPECT_THAT(Lines(), ElementsAre("t insert 2 b"));
}

TEST_F(RowWriterTest, KeepsOnFailingOnceRowsCouldNotBeRead) {
  vtgate_.answers = {absl::InternalError("broken"), Rows({{"1", "a"}})};
  ASSERT_TRUE(Append(Events().UpdateWithoutName("-80", "t", 1, 1, kTime)).ok());

  const absl::Status first = rows_->Complete();
  const absl::Status second = rows_->Complete();

  EXPECT_EQ(vitess::Classify(first), vitess::ErrorClass::kTransient);
  EXPECT_THAT(first.ToString(), HasSubstr("table ks.t"));
  EXPECT_EQ(second, first);
  EXPECT_EQ(rows_->failed_table(), 0u);
}

TEST_F(RowWriterTest, AsksByItselfWhenManyChangesAreHeldBack) {
  vtgate_.answers = {Rows({})};
  Events events;
  for (int id = 0; id < 501; ++id) events.UpdateWithoutName("-80", "t", id, id, kTime);

  ASSERT_TRUE(Append(events).ok());

  EXPECT_THAT(vtgate_.queries, SizeIs(1));
}

TEST_F(RowWriterTest, HoldsFewLargeRowsAtOnce) {
  constexpr size_t kMegabyte = 1 << 20;
  constexpr int kRows = 64;
  vtgate_.answer = [&](const std::string& sql) {
    std::vector<std::vector<std::string>> rows;
    for (const std::string& key : KeysAskedFor(sql)) {
      rows.push_back({key, std::string(kMegabyte, 'x')});
    }
    return Rows(rows);
  };
  Events events;
  for (int id = 0; id < kRows; ++id) events.UpdateWithoutName("-80", "t", id, id, kTime);
  for (int id = 0; id < kRows; ++id) events.UpdateWithoutName("-80", "t", id, id, kTime);
  ASSERT_TRUE(Append(events).ok());

  ASSERT_TRUE(rows_->Complete().ok());

  EXPECT_THAT(Lines(), SizeIs(2 * kRows));
  EXPECT_THAT(handed_over_, SizeIs(Ge(2 * kRows - 1)));
  EXPECT_THAT(handed_over_, Each(Le(2 * kMegabyte)));
  // The first answer shows how large the rows are.
  for (size_t i = 1; i < vtgate_.queries.size(); ++i) {
    EXPECT_THAT(KeysAskedFor(vtgate_.queries[i]), SizeIs(Le(4)));
  }
}

TEST_F(RowWriterTest, CompletesWhatCameBeforeOtherFields) {
  vtgate_.answers = {Rows({{"1", "a"}})};
  ASSERT_TRUE(Append(Events().UpdateWithoutName("-80", "t", 1, 1, kTime)).ok());
  vtgate::VStreamResponse other = Events().Field("-80", "t", kTime).Message();
  binlogdata::FieldEvent& fields = *other.mutable_events(0)->mutable_field_event();
  fields.mutable_fields(1)->set_column_type("varchar(40)");

  ASSERT_TRUE(rows_->SetFields(0, table_, fields, mysql::RowSource::kBinlog).ok());

  EXPECT_THAT(Lines(), ElementsAre("t update 1 a"));
}

}  // namespace
}  // namespace source_vitess::sync
