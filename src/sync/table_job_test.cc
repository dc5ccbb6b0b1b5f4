#include "sync/table_job.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sync/job_fixture_for_test.h"
#include "vitess/errors.h"

namespace source_vitess::sync {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TableJobTest : public JobFixture {
 protected:
  JobOutcome RunFrom(const binlogdata::VGtid& start, std::vector<vtgate::VStreamResponse> responses,
                     Table table = MakeTable(0, "t")) {
    Arrange({std::move(table)}, {start}, {{std::move(responses)}});
    job_ = std::make_unique<TableJob>(*context_, tables_[0], 0, start, TablePosition());
    return job_->Run();
  }

  std::unique_ptr<TableJob> job_;
};

const binlogdata::VGtid kNothing = Vgtid({{"-80", ""}, {"80-", ""}});

TEST_F(TableJobTest, EndsWhenEveryShardIsCopied) {
  const JobOutcome outcome = RunFrom(
      kNothing, {Events().Begin("-80", 0).Field("-80", "t", 0).Message(),
                 Events().Vgtid("-80", Vgtid({{"-80", At(5)}, {"80-", ""}})).Message(),
                 Events()
                     .Insert("-80", "t", 1, "a", 0)
                     .Vgtid("-80", Vgtid({{"-80", At(5), "t", "1"}, {"80-", ""}}))
                     .Commit("-80", 0)
                     .Message(),
                 Events().Begin("80-", 0).Field("80-", "t", 0).Message(),
                 Events()
                     .Insert("80-", "t", 4, "d", 0)
                     .Vgtid("80-", Vgtid({{"-80", At(5), "t", "1"}, {"80-", At(6), "t", "4"}}))
                     .Commit("80-", 0)
                     .Message(),
                 Events()
                     .Begin("-80", 0)
                     .Vgtid("-80", Vgtid({{"-80", At(5)}, {"80-", At(6), "t", "4"}}))
                     .Commit("-80", 0)
                     .Message(),
                 Events()
                     .Begin("80-", 0)
                     .Vgtid("80-", Vgtid({{"-80", At(5)}, {"80-", At(6)}}))
                     .Commit("80-", 0)
                     .Message()});

  EXPECT_EQ(outcome.end, JobEnd::kReached);
  EXPECT_EQ(Text(job_->position()), "-80=5 80-=6");
  EXPECT_THAT(sink_.lines,
              ElementsAre("t copy 1 a", "t copy 4 d", "state t -80=5 80-=6 (2 records)"));
}

TEST_F(TableJobTest, AsksForTheTableAloneAndToStopOnReshards) {
  RunFrom(kNothing, {});

  ASSERT_EQ(vtgate_->requests.size(), 1u);
  const vtgate::VStreamRequest& request = vtgate_->requests[0];
  ASSERT_EQ(request.filter().rules_size(), 1);
  EXPECT_EQ(request.filter().rules(0).match(), "t");
  EXPECT_EQ(request.filter().rules(0).filter(), "select * from `t`");
  EXPECT_TRUE(request.flags().stop_on_reshard());
  EXPECT_EQ(request.flags().heartbeat_interval(), 5u);
  EXPECT_THAT(request.flags().tables_to_copy(), IsEmpty());
}

TEST_F(TableJobTest, AsksForTheColumnsThatAreDeliveredAndTheKey) {
  Table table = MakeTable(0, "t`able");
  table.columns = {"name"};
  table.schema.columns.push_back(table.schema.columns[1]);
  table.schema.columns.back().name = "unwanted";

  RunFrom(kNothing, {}, table);

  EXPECT_EQ(vtgate_->requests[0].filter().rules(0).filter(), "select `id`, `name` from `t``able`");
}

TEST_F(TableJobTest, TakesAnEmptyTableForCopiedAtItsFirstCommit) {
  const JobOutcome outcome =
      RunFrom(Vgtid({{"0", ""}}),
              {Events().Begin("0", 0).Field("0", "t", 0).Message(),
               Events().Vgtid("0", Vgtid({{"0", At(5)}})).Message(),
               Events().Begin("0", 0).Vgtid("0", Vgtid({{"0", At(5)}})).Commit("0", 0).Message()});

  EXPECT_EQ(outcome.end, JobEnd::kReached);
  EXPECT_EQ(Text(job_->position()), "0=5");
}

TEST_F(TableJobTest, DoesNotTakeTheSnapshotsVgtidForAPosition) {
  // The VGTID behind the FIELD event has no entry for the table; resuming from it would never copy
  // the table.
  const JobOutcome outcome =
      RunFrom(Vgtid({{"0", ""}}), {Events().Begin("0", 0).Field("0", "t", 0).Message(),
                                   Events().Vgtid("0", Vgtid({{"0", At(5)}})).Message(),
                                   Events().Insert("0", "t", 1, "a", 0).Message()});

  EXPECT_EQ(outcome.end, JobEnd::kFailed);
  EXPECT_EQ(Text(job_->position()), "0=");
}

TEST_F(TableJobTest, StandsAtTheLastPrimaryKeyWhenItBreaks) {
  const JobOutcome outcome =
      RunFrom(Vgtid({{"0", ""}}), {Events().Begin("0", 0).Field("0", "t", 0).Message(),
                                   Events()
                                       .Insert("0", "t", 1, "a", 0)
                                       .Vgtid("0", Vgtid({{"0", At(5), "t", "1"}}))
                                       .Commit("0", 0)
                                       .Message(),
                                   Events().Begin("0", 0).Insert("0", "t", 2, "b", 0).Message()});

  EXPECT_EQ(outcome.end, JobEnd::kFailed);
  EXPECT_EQ(outcome.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Text(job_->position()), "0=5{t:1}");
  EXPECT_THAT(sink_.lines, ElementsAre("t copy 1 a", "t copy 2 b", "state t 0=5{t:1} (2 records)"));
}

TEST_F(TableJobTest, EndsBeforeAChangeThatWasLoggedAsAStatement) {
  const JobOutcome outcome = RunFrom(Vgtid({{"0", At(5), "t", "3"}}),
                                     {Events()
                                          .Begin("0", 9)
                                          .Statement("0", binlogdata::UPDATE, "update t set a = 1")
                                          .Vgtid("0", Vgtid({{"0", At(6), "t", "3"}}))
                                          .Commit("0", 9)
                                          .Message()});

  EXPECT_EQ(outcome.end, JobEnd::kFailed);
  EXPECT_EQ(vitess::Classify(outcome.status), vitess::ErrorClass::kConfiguration);
  EXPECT_EQ(Text(job_->position()), "0=5{t:3}");
}

TEST_F(TableJobTest, DeliversChangesOfCopiedRowsBeforeTheRestOfTheCopy) {
  const binlogdata::VGtid middle = Vgtid({{"0", At(5), "t", "3"}});
  const JobOutcome outcome = RunFrom(
      middle, {Events()
                   .Begin("0", 9)
                   .Field("0", "t", 9)
                   .Update("0", "t", 1, 1, "z", 9)
                   .Delete("0", "t", 2, "b", 9)
                   .Vgtid("0", Vgtid({{"0", At(6), "t", "3"}}))
                   .Commit("0", 9)
                   .Message(),
               Events().Begin("0", 0).Field("0", "t", 0).Message(),
               Events()
                   .Insert("0", "t", 5, "e", 0)
                   .Vgtid("0", Vgtid({{"0", At(6), "t", "5"}}))
                   .Commit("0", 0)
                   .Message(),
               Events().Begin("0", 0).Vgtid("0", Vgtid({{"0", At(6)}})).Commit("0", 0).Message()});

  EXPECT_EQ(outcome.end, JobEnd::kReached);
  EXPECT_EQ(Text(vtgate_->requests[0].vgtid()), "0=5{t:3}");
  EXPECT_THAT(sink_.lines,
              ElementsAre("t update 1 z", "t delete 2", "t copy 5 e", "state t 0=6 (3 records)"));
}

TEST_F(TableJobTest, LeavesChangesOutOfAFullRefresh) {
  Table table = MakeTable(0, "t");
  table.incremental = false;

  RunFrom(Vgtid({{"0", At(5), "t", "3"}}),
          {Events()
               .Begin("0", 9)
               .Field("0", "t", 9)
               .Update("0", "t", 1, 1, "z", 9)
               .Vgtid("0", Vgtid({{"0", At(6), "t", "3"}}))
               .Commit("0", 9)
               .Message(),
           Events()
               .Begin("0", 0)
               .Field("0", "t", 0)
               .Insert("0", "t", 5, "e", 0)
               .Vgtid("0", Vgtid({{"0", At(6)}}))
               .Commit("0", 0)
               .Message()},
          table);

  EXPECT_THAT(sink_.lines, ElementsAre("t copy 5 e", "state t 0=6 (1 records)"));
}

TEST_F(TableJobTest, FollowsShardsThatAreCopiedWhileOthersAreNot) {
  const JobOutcome outcome =
      RunFrom(Vgtid({{"-80", At(5)}, {"80-", At(5), "t", "4"}}),
              {Events()
                   .Begin("-80", 9)
                   .Field("-80", "t", 9)
                   .Insert("-80", "t", 1, "a", 9)
                   .Vgtid("-80", Vgtid({{"-80", At(6)}, {"80-", At(5), "t", "4"}}))
                   .Commit("-80", 9)
                   .Message(),
               Events()
                   .Begin("80-", 0)
                   .Field("80-", "t", 0)
                   .Vgtid("80-", Vgtid({{"-80", At(6)}, {"80-", At(7)}}))
                   .Commit("80-", 0)
                   .CopyCompleted("80-")
                   .Message()});

  EXPECT_EQ(outcome.end, JobEnd::kReached);
  EXPECT_EQ(Text(job_->position()), "-80=6 80-=7");
}

TEST_F(TableJobTest, IgnoresTablesThatItDidNotAskFor) {
  RunFrom(Vgtid({{"0", ""}}), {Events()
                                   .Begin("0", 0)
                                   .Field("0", "u", 0)
                                   .Insert("0", "u", 1, "x", 0)
                                   .Vgtid("0", Vgtid({{"0", At(5), "u", "1"}}))
                                   .Commit("0", 0)
                                   .Message()});

  EXPECT_EQ(Text(job_->position()), "0=");
  EXPECT_THAT(sink_.lines, IsEmpty());
}

TEST_F(TableJobTest, KnowsItsTableBehindTheKeyspacesName) {
  RunFrom(Vgtid({{"0", ""}}), {Events()
                                   .Begin("0", 0)
                                   .Field("0", "ks.t", 0)
                                   .Insert("0", "ks.t", 1, "a", 0)
                                   .Vgtid("0", Vgtid({{"0", At(5)}}))
                                   .Commit("0", 0)
                                   .Message()});

  EXPECT_THAT(sink_.lines, ElementsAre("t copy 1 a", "state t 0=5 (1 records)"));
}

TEST_F(TableJobTest, FallsBackWhenVtgateResumesAKeyThatCannotBeResumed) {
  Table table = MakeTable(0, "t");
  table.schema.resumable = false;

  const JobOutcome outcome = RunFrom(Vgtid({{"0", ""}}),
                                     {Events().Begin("0", 0).Field("0", "t", 0).Message(),
                                      Events()
                                          .Insert("0", "t", 1, "a", 0)
                                          .Vgtid("0", Vgtid({{"0", At(5), "t", "1"}}))
                                          .Commit("0", 0)
                                          .Message(),
                                      Events().Begin("0", 0).Field("0", "t", 0).Message()},
                                     table);

  EXPECT_EQ(outcome.end, JobEnd::kFallenBack);
  EXPECT_EQ(Text(job_->position()), "0=");
}

TEST_F(TableJobTest, GoesOnWhenVtgateResumesAKeyThatCanBeResumed) {
  const JobOutcome outcome =
      RunFrom(Vgtid({{"0", ""}}), {Events().Begin("0", 0).Field("0", "t", 0).Message(),
                                   Events()
                                       .Insert("0", "t", 1, "a", 0)
                                       .Vgtid("0", Vgtid({{"0", At(5), "t", "1"}}))
                                       .Commit("0", 0)
                                       .Message(),
                                   Events()
                                       .Begin("0", 0)
                                       .Field("0", "t", 0)
                                       .Insert("0", "t", 2, "b", 0)
                                       .Vgtid("0", Vgtid({{"0", At(6)}}))
                                       .Commit("0", 0)
                                       .Message()});

  EXPECT_EQ(outcome.end, JobEnd::kReached);
}

TEST_F(TableJobTest, StandsAtTheLastKeyBeforeTheJournalOfAShardThatEnds) {
  const JobOutcome outcome =
      RunFrom(Vgtid({{"0", ""}}), {Events().Begin("0", 0).Field("0", "t", 0).Message(),
                                   Events()
                                       .Insert("0", "t", 1, "a", 0)
                                       .Vgtid("0", Vgtid({{"0", At(5), "t", "1"}}))
                                       .Commit("0", 0)
                                       .Message(),
                                   Events()
                                       .Begin("0", 9)
                                       .Journal("0", {"0"}, Vgtid({{"-80", At(1)}}))
                                       .Vgtid("0", Vgtid({{"0", At(6), "t", "1"}}))
                                       .Commit("0", 9)
                                       .Message()});

  EXPECT_EQ(outcome.end, JobEnd::kReached);
  EXPECT_EQ(outcome.journals.size(), 1u);
  EXPECT_EQ(Text(job_->position()), "0=5{t:1}");
}

TEST_F(TableJobTest, FinishesTheCopyOfOtherShardsThatCouldNotBeResumed) {
  Table table = MakeTable(0, "t");
  table.schema.resumable = false;
  const JobOutcome outcome =
      RunFrom(Vgtid({{"-80", At(3)}, {"80-", ""}}),
              {Events().Begin("80-", 0).Field("80-", "t", 0).Message(),
               Events().Journal("-80", {"-80"}, Vgtid({{"-40", At(1)}})).Message(),
               Events()
                   .Insert("80-", "t", 4, "d", 0)
                   .Vgtid("80-", Vgtid({{"-80", At(4)}, {"80-", At(6), "t", "4"}}))
                   .Commit("80-", 0)
                   .Vgtid("80-", Vgtid({{"-80", At(4)}, {"80-", At(6)}}))
                   .Commit("80-", 0)
                   .Message()},
              std::move(table));

  EXPECT_EQ(outcome.end, JobEnd::kReached);
  EXPECT_EQ(outcome.journals.size(), 1u);
  EXPECT_EQ(Text(job_->position()), "-80=3 80-=6");
}

TEST_F(TableJobTest, ReportsTheHostThatHasGone) {
  sink_.status = absl::AbortedError("stdout is closed");

  const JobOutcome outcome = RunFrom(Vgtid({{"0", ""}}), {Events()
                                                              .Begin("0", 0)
                                                              .Field("0", "t", 0)
                                                              .Insert("0", "t", 1, "a", 0)
                                                              .Vgtid("0", Vgtid({{"0", At(5)}}))
                                                              .Commit("0", 0)
                                                              .Message()});

  EXPECT_EQ(outcome.end, JobEnd::kFailed);
  EXPECT_EQ(outcome.status, sink_.status);
}

TEST_F(TableJobTest, StopsWhenItIsAskedTo) {
  Arrange({MakeTable(0, "t")}, {kNothing}, {{{}}});
  TableJob job(*context_, tables_[0], 0, kNothing, TablePosition());
  job.Cancel(absl::OkStatus());

  EXPECT_EQ(job.Run().end, JobEnd::kStopped);
}

TEST_F(TableJobTest, FailsWithTheReasonItWasCancelledFor) {
  Arrange({MakeTable(0, "t")}, {kNothing}, {{{}}});
  TableJob job(*context_, tables_[0], 0, kNothing, TablePosition());
  job.Cancel(absl::UnavailableError("stalled"));

  EXPECT_EQ(job.Run().status, absl::UnavailableError("stalled"));
}

TEST_F(TableJobTest, StaysWhereItsRowsWentOutWhenRowsCannotBeRead) {
  const JobOutcome outcome = RunFrom(Vgtid({{"-80", At(5)}, {"80-", ""}}),
                                     {Events()
                                          .Begin("-80", 9)
                                          .Field("-80", "t", 9)
                                          .UpdateWithoutName("-80", "t", 1, 1, 9)
                                          .Vgtid("-80", Vgtid({{"-80", At(6)}, {"80-", ""}}))
                                          .Commit("-80", 9)
                                          .Message()});

  EXPECT_EQ(outcome.end, JobEnd::kFailed);
  EXPECT_THAT(outcome.status.ToString(), ::testing::HasSubstr("table ks.t"));
  EXPECT_EQ(Text(job_->position()), "-80=5 80-=");
  EXPECT_THAT(sink_.lines, IsEmpty());
}

// A repeated copy is followed from its `since`, whose columns the changes behind its end do not
// tell.
TEST_F(TableJobTest, DoesNotTakeLaterColumnsForThoseARepeatedCopyIsFollowedFrom) {
  const binlogdata::VGtid start = Vgtid({{"-80", At(5)}, {"80-", ""}});
  Arrange({MakeTable(0, "t")}, {start},
          {{{Events()
                 .Begin("-80", 9)
                 .Field("-80", "t", 9)
                 .Insert("-80", "t", 1, "a", 9)
                 .Vgtid("-80", Vgtid({{"-80", At(6)}, {"80-", ""}}))
                 .Commit("-80", 9)
                 .Message()}}});
  TablePosition known;
  known.repeated = {"-80"};
  known.since = {{"-80", At(2)}};
  TableJob job(*context_, tables_[0], 0, start, known);

  job.Run();

  EXPECT_EQ(Text(job.position()), "-80=6 80-=");
  EXPECT_THAT(job.columns(), IsEmpty());
}

// The table `t` in the middle of its copy, its second column having had another name when the
// position was reached.
class RenamedColumnTest : public TableJobTest {
 protected:
  RenamedColumnTest() { known_.columns["0"] = before_; }

  JobOutcome RunWith(std::vector<vtgate::VStreamResponse> responses) {
    Arrange({MakeTable(0, "t")}, {start_}, {{std::move(responses)}});
    job_ = std::make_unique<TableJob>(*context_, tables_[0], 0, start_, known_);
    return job_->Run();
  }

  std::string NameOfColumn() const { return job_->columns().at("0")->back().name; }

  // What a stream sends that finds the new name.
  static vtgate::VStreamResponse FieldsOfCopy() {
    return Events().Begin("0", 0).Field("0", "t", 0).Message();
  }
  static vtgate::VStreamResponse RowsOfCopy() {
    return Events()
        .Insert("0", "t", 2, "b", 0)
        .Vgtid("0", Vgtid({{"0", At(8), "t", "2"}}))
        .Commit("0", 0)
        .Message();
  }
  // A change from before the renaming.
  static vtgate::VStreamResponse Change() {
    vtgate::VStreamResponse message = Events()
                                          .Begin("0", 9)
                                          .Field("0", "t", 9)
                                          .Insert("0", "t", 1, "a", 9)
                                          .Vgtid("0", Vgtid({{"0", At(6), "t", "1"}}))
                                          .Commit("0", 9)
                                          .Message();
    message.mutable_events(1)->mutable_field_event()->mutable_fields(1)->set_name("title");
    return message;
  }

  const binlogdata::VGtid start_ = Vgtid({{"0", At(5), "t", "1"}});
  const SchemaWatch::Columns before_ = std::make_shared<std::vector<PositionColumn>>(
      std::vector<PositionColumn>{{"id", "bigint"}, {"title", "varchar(20)"}});
  TablePosition known_;
};

TEST_F(RenamedColumnTest, IsOfThePositionBehindTheFirstRowsOfTheSnapshot) {
  RunWith({FieldsOfCopy(), RowsOfCopy()});

  EXPECT_EQ(Text(job_->position()), "0=8{t:2}");
  EXPECT_EQ(NameOfColumn(), "name");
}

// The next stream reads what came before the snapshot under the old name.
TEST_F(RenamedColumnTest, IsNotOfThePositionBeforeTheSnapshot) {
  RunWith({FieldsOfCopy(), Events().Insert("0", "t", 2, "b", 0).Message()});

  EXPECT_EQ(Text(job_->position()), "0=5{t:1}");
  EXPECT_EQ(NameOfColumn(), "title");
}

TEST_F(RenamedColumnTest, IsForgottenWhenVtgateGoesBackBeforeTheSnapshot) {
  const JobOutcome outcome = RunWith({FieldsOfCopy(), Change()});

  EXPECT_NE(vitess::Classify(outcome.status), vitess::ErrorClass::kLostPosition) << outcome.status;
  EXPECT_EQ(Text(job_->position()), "0=6{t:1}");
  EXPECT_EQ(NameOfColumn(), "title");
}

TEST_F(RenamedColumnTest, IsTakenBehindADdlOfARestartedCopy) {
  const JobOutcome outcome = RunWith({FieldsOfCopy(), Change(),
                                      Events()
                                          .Vgtid("0", Vgtid({{"0", At(7), "t", "1"}}))
                                          .Ddl("0", "alter table t rename column title to name")
                                          .Message()});

  EXPECT_NE(vitess::Classify(outcome.status), vitess::ErrorClass::kLostPosition) << outcome.status;
  EXPECT_EQ(Text(job_->position()), "0=7{t:1}");
  EXPECT_THAT(job_->columns(), IsEmpty());
}

}  // namespace
}  // namespace source_vitess::sync
