#include "sync/checkpointer.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sync/fakes_for_test.h"

namespace source_vitess::sync {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const absl::Time kStart = absl::FromUnixSeconds(1'795'366'894);

class CheckpointerTest : public ::testing::Test {
 protected:
  CheckpointerTest() {
    for (size_t table = 0; table < tables_.size(); ++table) {
      TablePosition position;
      position.vgtid = Vgtid({{"-80", At(1)}, {"80-", At(1)}});
      checkpointer_.Restore(table, std::move(position));
    }
  }

  // Writes `records` rows of the table, and its position in -80, after `last` transactions.
  absl::Status Write(size_t table, int records, int last, absl::Time now = kStart) {
    std::unique_ptr<RowBatch> batch = sink_.NewBatch();
    const size_t layout = batch->AddLayout(tables_[table], {});
    const mysql::Value values[2] = {{mysql::Kind::kSigned, {}, 0, "1"},
                                    {mysql::Kind::kText, {}, 0, "x"}};
    for (int i = 0; i < records; ++i) {
      batch->Append(layout, {ChangeKind::kInsert, false, {}, values, 9, ++sequence_});
    }
    const PositionUpdate update{
        table, 0, std::make_shared<const binlogdata::VGtid>(Vgtid({{"-80", At(last)}}))};
    return checkpointer_.Write(batch.get(), {&update, 1}, now);
  }

  std::vector<std::string> States() const {
    std::vector<std::string> states;
    for (const std::string& line : sink_.lines) {
      if (line.starts_with("state")) states.push_back(line);
    }
    return states;
  }

  const std::vector<Table> tables_ = {MakeTable(0, "t"), MakeTable(1, "u")};
  std::atomic<uint64_t> sequence_ = 0;
  FakeSink sink_;
  Checkpointer checkpointer_{{10, absl::Minutes(5)}, tables_, sequence_, sink_, kStart};
};

TEST_F(CheckpointerTest, HandsOutAStateOnceEnoughRecordsWereWritten) {
  ASSERT_TRUE(Write(0, 9, 2).ok());
  EXPECT_THAT(States(), IsEmpty());

  ASSERT_TRUE(Write(0, 3, 3).ok());
  EXPECT_THAT(States(), ElementsAre("state t -80=3 80-=1 (12 records)"));
}

TEST_F(CheckpointerTest, CountsTheRecordsOfEachStateAnew) {
  ASSERT_TRUE(Write(0, 10, 2).ok());
  ASSERT_TRUE(Write(0, 11, 3).ok());

  EXPECT_THAT(States(),
              ElementsAre("state t -80=2 80-=1 (10 records)", "state t -80=3 80-=1 (11 records)"));
  EXPECT_EQ(checkpointer_.records_written(0), 21u);
}

TEST_F(CheckpointerTest, HandsOutEveryTableThatMovedWhenTheTimeHasPassed) {
  ASSERT_TRUE(Write(0, 1, 2).ok());
  ASSERT_TRUE(Write(1, 0, 7, kStart + absl::Minutes(5)).ok());

  EXPECT_THAT(States(),
              ElementsAre("state t -80=2 80-=1 (1 records)", "state u -80=7 80-=1 (0 records)"));
}

TEST_F(CheckpointerTest, WritesRowsBeforeTheStateThatCoversThem) {
  ASSERT_TRUE(Write(0, 10, 2).ok());

  EXPECT_EQ(sink_.lines.front(), "t insert 1 x");
  EXPECT_EQ(sink_.lines.back(), "state t -80=2 80-=1 (10 records)");
}

TEST_F(CheckpointerTest, EndsATableWithItsLastStateAndItsStatus) {
  ASSERT_TRUE(checkpointer_.Start(0).ok());
  ASSERT_TRUE(checkpointer_.Start(0).ok());
  ASSERT_TRUE(Write(0, 1, 2).ok());
  ASSERT_TRUE(checkpointer_.Finish(0, absl::OkStatus()).ok());
  ASSERT_TRUE(checkpointer_.Finish(0, absl::OkStatus()).ok());

  EXPECT_THAT(sink_.lines, ElementsAre("started t", "t insert 1 x",
                                       "state t -80=2 80-=1 (1 records)", "finished t OK"));
}

TEST_F(CheckpointerTest, RepeatsTheStateOfATableThatHadNothingToDo) {
  ASSERT_TRUE(checkpointer_.Finish(0, absl::OkStatus()).ok());

  EXPECT_THAT(sink_.lines,
              ElementsAre("started t", "state t -80=1 80-=1 (0 records)", "finished t OK"));
}

TEST_F(CheckpointerTest, HandsOutNoStateOfATableThatFailedBeforeItMoved) {
  ASSERT_TRUE(checkpointer_.Finish(0, absl::NotFoundError("no such table")).ok());

  EXPECT_THAT(sink_.lines, ElementsAre("started t", "finished t NOT_FOUND"));
}

TEST_F(CheckpointerTest, HandsOutTheLastPositionOfATableThatFailedLater) {
  ASSERT_TRUE(Write(0, 1, 2).ok());
  ASSERT_TRUE(checkpointer_.Finish(0, absl::UnavailableError("gone")).ok());

  EXPECT_THAT(States(), ElementsAre("state t -80=2 80-=1 (1 records)"));
}

TEST_F(CheckpointerTest, AnnouncesWhatWasAmendedAndWhatWasWritten) {
  ASSERT_TRUE(Write(0, 1, 2).ok());
  checkpointer_.Amend(
      0, [](TablePosition& position) { position.vgtid.mutable_shard_gtids(1)->set_gtid(At(4)); });
  ASSERT_TRUE(checkpointer_.Announce(0).ok());

  EXPECT_THAT(States(), ElementsAre("state t -80=2 80-=4 (1 records)"));
}

TEST_F(CheckpointerTest, DoesNotRepeatAStateThatTheHostHas) {
  checkpointer_.Amend(0, [](TablePosition& position) { position.since["0"] = At(1); });
  ASSERT_TRUE(checkpointer_.Announce(0).ok());
  checkpointer_.Amend(0, [](TablePosition&) {});
  ASSERT_TRUE(checkpointer_.Finish(0, absl::OkStatus()).ok());

  EXPECT_EQ(States().size(), 1u);
}

TEST_F(CheckpointerTest, TellsThatTheHostHasGone) {
  sink_.status = absl::AbortedError("stdout is closed");

  EXPECT_EQ(Write(0, 1, 2), sink_.status);
}

}  // namespace
}  // namespace source_vitess::sync
