#include "sync/replicate_job.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sync/job_fixture_for_test.h"
#include "vitess/errors.h"

namespace source_vitess::sync {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using vitess::GtidSet;

// One transaction of shard 0 that inserts a row into each of the tables, up to transaction
// `number`.
vtgate::VStreamResponse Transaction(int number, const std::vector<std::string>& tables,
                                    const std::string& gtid) {
  Events events;
  events.Begin("0", 9);
  for (const std::string& table : tables) {
    events.Field("0", table, 9).Insert("0", table, number, "x", 9);
  }
  return events.Vgtid("0", Vgtid({{"0", gtid}})).Commit("0", 9).Message();
}

class ReplicateJobTest : public JobFixture {
 protected:
  // Tables t and u at the positions given, in shard 0.
  void Prepare(const std::string& t, const std::string& u,
               std::vector<vtgate::VStreamResponse> responses) {
    const binlogdata::VGtid at_t = Vgtid({{"0", t}});
    const binlogdata::VGtid at_u = Vgtid({{"0", u}});
    Arrange({MakeTable(0, "t"), MakeTable(1, "u")}, {at_t, at_u}, {{std::move(responses)}});
    auto job = ReplicateJob::Make(*context_, {{&tables_[0], at_t, {}}, {&tables_[1], at_u, {}}}, 0);
    ASSERT_TRUE(job.ok()) << job.status();
    job_ = *std::move(job);
  }

  void SetGoal(const std::string& position) {
    job_->SetGoal({GtidSet::ParsePosition(position).value()});
  }

  std::vector<std::string> Positions() const {
    std::vector<std::string> positions;
    for (const ReplicateJob::Member& member : job_->Positions()) {
      positions.push_back(member.table->name() + " " + Text(member.position));
    }
    return positions;
  }

  std::unique_ptr<ReplicateJob> job_;
};

TEST_F(ReplicateJobTest, EndsAtItsGoal) {
  Prepare(
      At(5), At(5),
      {Transaction(6, {"t"}, At(6)), Transaction(7, {"u"}, At(7)), Transaction(8, {"t"}, At(8))});
  SetGoal(At(7));

  EXPECT_EQ(job_->Run().end, JobEnd::kReached);

  EXPECT_THAT(sink_.lines, ElementsAre("t insert 6 x", "u insert 7 x", "state t 0=7 (1 records)",
                                       "state u 0=7 (1 records)"));
  EXPECT_THAT(Positions(), ElementsAre("t 0=7", "u 0=7"));
}

TEST_F(ReplicateJobTest, OpensNoStreamWhenItIsAtItsGoalAlready) {
  Prepare(At(5), At(6), {});
  SetGoal(At(4));

  EXPECT_EQ(job_->Run().end, JobEnd::kReached);

  EXPECT_TRUE(vtgate_->requests.empty());
  EXPECT_THAT(Positions(), ElementsAre("t 0=5", "u 0=6"));
}

TEST_F(ReplicateJobTest, BeginsWithTheTableThatIsBehindAndSkipsTheRowsOfTheOther) {
  Prepare(At(5), At(7),
          {Transaction(6, {"t", "u"}, At(6)), Transaction(7, {"t", "u"}, At(7)),
           Transaction(8, {"t", "u"}, At(8))});
  SetGoal(At(8));

  EXPECT_EQ(job_->Run().end, JobEnd::kReached);

  EXPECT_EQ(Text(vtgate_->requests[0].vgtid()), "0=5");
  EXPECT_THAT(sink_.lines,
              ElementsAre("t insert 6 x", "t insert 7 x", "t insert 8 x", "u insert 8 x",
                          "state t 0=8 (3 records)", "state u 0=8 (1 records)"));
}

TEST_F(ReplicateJobTest, KeepsThePositionOfATableThatIsAheadWhenItBreaks) {
  Prepare(At(5), At(9), {Transaction(6, {"t", "u"}, At(6))});

  EXPECT_EQ(job_->Run().end, JobEnd::kFailed);

  EXPECT_THAT(Positions(), ElementsAre("t 0=6", "u 0=9"));
}

TEST_F(ReplicateJobTest, DeliversWhatComesAfterATablesOwnPosition) {
  Prepare(At(6), At(5), {Transaction(6, {"t", "u"}, At(6)), Transaction(7, {"t", "u"}, At(7))});
  SetGoal(At(7));

  job_->Run();

  EXPECT_THAT(sink_.lines, ElementsAre("u insert 6 x", "t insert 7 x", "u insert 7 x",
                                       "state t 0=7 (1 records)", "state u 0=7 (2 records)"));
}

TEST_F(ReplicateJobTest, BeginsAgainWhenSkippedRowsMayBeMissing) {
  // u was read from a replica that had 6 and 7; this stream has an errant transaction of another
  // server instead.
  const std::string errant = At(5) + "," + kOtherServer + ":1";
  Prepare(At(5), At(7), {Transaction(6, {"t", "u"}, errant)});

  EXPECT_EQ(job_->Run().end, JobEnd::kFallenBack);

  EXPECT_THAT(sink_.lines, ElementsAre("t insert 6 x", "state t 0=" + std::string("5,") +
                                                           kOtherServer + ":1 (1 records)"));
  EXPECT_THAT(Positions(), ElementsAre("t 0=5," + std::string(kOtherServer) + ":1", "u 0=5"));
}

TEST_F(ReplicateJobTest, BeginsAgainWhenASkippedDdlMayBeMissing) {
  const std::string errant = At(5) + "," + kOtherServer + ":1";
  const auto meet = [&](const char* statement) {
    Prepare(At(5), At(7),
            {Events().Vgtid("0", Vgtid({{"0", errant}})).Ddl("0", statement).Message()});
    return job_->Run().end;
  };

  EXPECT_EQ(meet("truncate table u"), JobEnd::kFallenBack);
  EXPECT_THAT(Positions(), ElementsAre("t 0=5," + std::string(kOtherServer) + ":1", "u 0=5"));

  EXPECT_NE(meet("truncate table other"), JobEnd::kFallenBack);
}

TEST_F(ReplicateJobTest, TakesThePositionOfTheStreamForATableThatNothingWasSkippedOf) {
  const std::string errant = At(5) + "," + kOtherServer + ":1";
  const std::string later = At(6) + "," + kOtherServer + ":1";
  Prepare(At(5), At(7), {Transaction(6, {"t"}, errant), Transaction(7, {"u"}, later)});
  SetGoal(later);

  EXPECT_EQ(job_->Run().end, JobEnd::kReached);

  EXPECT_THAT(sink_.lines, ::testing::Contains("u insert 7 x"));
}

TEST_F(ReplicateJobTest, MovesWithTransactionsOfOtherTables) {
  Prepare(At(5), At(5),
          {Transaction(6, {}, At(6)),
           Events().Vgtid("0", Vgtid({{"0", At(7)}})).Other("0", 9).Message()});
  SetGoal(At(7));

  EXPECT_EQ(job_->Run().end, JobEnd::kReached);

  EXPECT_THAT(Positions(), ElementsAre("t 0=7", "u 0=7"));
}

TEST_F(ReplicateJobTest, KeepsItsPositionForAShardThatHasNotSpoken) {
  Prepare(At(5), At(5), {Transaction(6, {}, "current"), Transaction(6, {}, "")});

  job_->Run();

  EXPECT_THAT(Positions(), ElementsAre("t 0=5", "u 0=5"));
}

TEST_F(ReplicateJobTest, DoesNotCountATransactionThatIsNotCommitted) {
  Prepare(At(5), At(5),
          {Events()
               .Begin("0", 9)
               .Field("0", "t", 9)
               .Insert("0", "t", 6, "x", 9)
               .Vgtid("0", Vgtid({{"0", At(6)}}))
               .Message()});

  job_->Run();

  EXPECT_THAT(Positions(), ElementsAre("t 0=5", "u 0=5"));
}

TEST_F(ReplicateJobTest, LeavesRowsOfACopyAlone) {
  Prepare(At(5), At(5),
          {Events()
               .Begin("0", 0)
               .Field("0", "t", 0)
               .Insert("0", "t", 1, "x", 0)
               .Vgtid("0", Vgtid({{"0", At(6)}}))
               .Commit("0", 0)
               .Message()});

  job_->Run();

  EXPECT_THAT(sink_.lines, IsEmpty());
  EXPECT_THAT(Positions(), ElementsAre("t 0=6", "u 0=6"));
}

TEST_F(ReplicateJobTest, AsksForAllColumnsOfEveryTable) {
  Prepare(At(5), At(5), {});

  job_->Run();

  const binlogdata::Filter& filter = vtgate_->requests[0].filter();
  ASSERT_EQ(filter.rules_size(), 2);
  EXPECT_EQ(filter.rules(0).filter(), "select * from `t`");
  EXPECT_EQ(filter.rules(1).filter(), "select * from `u`");
}

TEST_F(ReplicateJobTest, TellsAChangedKeyFromAnUpdate) {
  Prepare(At(5), At(5),
          {Events()
               .Begin("0", 9)
               .Field("0", "t", 9)
               .Update("0", "t", 1, 2, "x", 9)
               .Update("0", "t", 3, 3, "y", 9)
               .Vgtid("0", Vgtid({{"0", At(6)}}))
               .Commit("0", 9)
               .Message()});

  job_->Run();

  EXPECT_THAT(sink_.lines,
              ElementsAre("t update 1>2 x", "t update 3 y", "state t 0=6 (2 records)"));
  EXPECT_EQ(sequence_, 103u);
}

TEST_F(ReplicateJobTest, NamesTheTableWhoseRowsDoNotFit) {
  Prepare(At(5), At(5),
          {Events().Begin("0", 9).Insert("0", "u", 6, "without fields", 9).Message()});

  const JobOutcome outcome = job_->Run();

  EXPECT_EQ(outcome.end, JobEnd::kFailed);
  EXPECT_EQ(outcome.table, 1u);
}

TEST_F(ReplicateJobTest, StandsBeforeTheJournalOfAShardThatEnds) {
  Prepare(At(5), At(6),
          {Transaction(6, {"t"}, At(6)), Events()
                                             .Begin("0", 9)
                                             .Journal("0", {"0"}, Vgtid({{"-80", At(1)}}))
                                             .Vgtid("0", Vgtid({{"0", At(7)}}))
                                             .Commit("0", 9)
                                             .Message()});

  const JobOutcome outcome = job_->Run();

  EXPECT_EQ(outcome.end, JobEnd::kResharded);
  EXPECT_EQ(outcome.journals.at("0").shard_gtids(0).shard(), "-80");
  EXPECT_THAT(Positions(), ElementsAre("t 0=6", "u 0=6"));
}

TEST_F(ReplicateJobTest, GoesOnUntilTheJournalsOfAllParticipantsThatItReadsHaveCome) {
  const binlogdata::VGtid start = Vgtid({{"-80", At(5)}, {"80-", At(5)}, {"c0-", At(5)}});
  const binlogdata::VGtid successor = Vgtid({{"-c0", At(1)}});
  Arrange({MakeTable(0, "t")}, {start},
          {{{Events().Journal("-80", {"-80", "80-"}, successor).Message(),
             Events()
                 .Vgtid("-80", Vgtid({{"-80", At(6)}, {"80-", At(5)}, {"c0-", At(5)}}))
                 .Commit("-80", 9)
                 .Message(),
             Events()
                 .Field("80-", "t", 9)
                 .Insert("80-", "t", 1, "a", 9)
                 .Vgtid("80-", Vgtid({{"-80", At(6)}, {"80-", At(7)}, {"c0-", At(5)}}))
                 .Commit("80-", 9)
                 .Message(),
             Events().Journal("80-", {"-80", "80-"}, successor).Message()}}});
  auto job = ReplicateJob::Make(*context_, {{&tables_[0], start, {}}}, 0);
  ASSERT_TRUE(job.ok()) << job.status();
  job_ = *std::move(job);

  const JobOutcome outcome = job_->Run();

  EXPECT_EQ(outcome.end, JobEnd::kResharded);
  EXPECT_EQ(outcome.journals.size(), 2u);
  EXPECT_THAT(Positions(), ElementsAre("t -80=5 80-=7 c0-=5"));
}

TEST_F(ReplicateJobTest, TakesTheEndOfAStreamBehindAJournalForTheReshard) {
  const binlogdata::VGtid start = Vgtid({{"-80", At(5)}, {"c0-", At(5)}});
  Arrange({MakeTable(0, "t")}, {start},
          {{{Events().Journal("-80", {"-80", "80-c0"}, Vgtid({{"-c0", At(1)}})).Message()},
            absl::InternalError("not all journaling participants are in the stream")}});
  auto job = ReplicateJob::Make(*context_, {{&tables_[0], start, {}}}, 0);
  ASSERT_TRUE(job.ok()) << job.status();

  const JobOutcome outcome = (*job)->Run();

  EXPECT_EQ(outcome.end, JobEnd::kResharded);
  EXPECT_EQ(outcome.journals.size(), 1u);
  EXPECT_TRUE((*job)->HasEnded(0));
  EXPECT_FALSE((*job)->HasEnded(1));
}

TEST_F(ReplicateJobTest, NamesTheTableThatWasEmptiedAndStaysBeforeThat) {
  Prepare(At(5), At(5),
          {Transaction(6, {"t"}, At(6)),
           Events().Vgtid("0", Vgtid({{"0", At(7)}})).Ddl("0", "truncate table u").Message()});

  const JobOutcome outcome = job_->Run();

  EXPECT_EQ(outcome.end, JobEnd::kFailed);
  EXPECT_EQ(outcome.table, 1u);
  EXPECT_EQ(vitess::Classify(outcome.status), vitess::ErrorClass::kConfiguration);
  EXPECT_THAT(Positions(), ElementsAre("t 0=6", "u 0=6"));
}

TEST_F(ReplicateJobTest, GoesOnBehindATruncateIfTheOptionSaysSo) {
  options_.ignore_truncate = true;
  Prepare(At(5), At(5),
          {Events().Vgtid("0", Vgtid({{"0", At(7)}})).Ddl("0", "truncate table u").Message()});

  EXPECT_FALSE(job_->Run().table.has_value());
  EXPECT_THAT(Positions(), ElementsAre("t 0=7", "u 0=7"));
}

TEST_F(ReplicateJobTest, TellsAHostOfATruncateBehindTheRowsBeforeIt) {
  options_.host_truncates = true;
  Prepare(At(5), At(5),
          {Transaction(6, {"u"}, At(6)),
           Events().Vgtid("0", Vgtid({{"0", At(7)}})).Ddl("0", "truncate table u").Message(),
           Transaction(8, {"u"}, At(8))});
  tables_[1].only_shard = "0";

  EXPECT_FALSE(job_->Run().table.has_value());
  EXPECT_THAT(Positions(), ElementsAre("t 0=8", "u 0=8"));
  std::vector<std::string> of_rows;
  for (const std::string& line : sink_.lines) {
    if (line.starts_with("u insert") || line.starts_with("truncate")) of_rows.push_back(line);
  }
  EXPECT_THAT(of_rows, ElementsAre(StartsWith("u insert"), "truncate u", StartsWith("u insert")));
}

TEST_F(ReplicateJobTest, CannotTellAHostOfATruncateInOneOfSeveralShards) {
  options_.host_truncates = true;
  Prepare(At(5), At(5),
          {Events().Vgtid("0", Vgtid({{"0", At(7)}})).Ddl("0", "truncate table u").Message()});

  const JobOutcome outcome = job_->Run();

  EXPECT_EQ(outcome.table, 1u);
  EXPECT_EQ(vitess::Classify(outcome.status), vitess::ErrorClass::kEmptied);
  EXPECT_THAT(Positions(), ElementsAre("t 0=5", "u 0=5"));
}

TEST_F(ReplicateJobTest, CannotTellAHostThatATableWasDroppedOrHasLostAPartition) {
  for (const char* statement :
       {"drop table u", "rename table u to v", "alter table u drop partition p0"}) {
    options_.host_truncates = true;
    Prepare(At(5), At(5),
            {Events().Vgtid("0", Vgtid({{"0", At(7)}})).Ddl("0", statement).Message()});
    tables_[1].only_shard = "0";

    const JobOutcome outcome = job_->Run();

    EXPECT_EQ(outcome.table, 1u) << statement;
    EXPECT_EQ(vitess::Classify(outcome.status), vitess::ErrorClass::kEmptied) << statement;
  }
}

TEST_F(ReplicateJobTest, LeavesADdlAloneThatATableHasBehindItself) {
  Prepare(At(5), At(8),
          {Events().Vgtid("0", Vgtid({{"0", At(6)}})).Ddl("0", "truncate table u").Message()});

  EXPECT_FALSE(job_->Run().table.has_value());
}

TEST_F(ReplicateJobTest, NamesTheTableWhoseSchemaWasChangedBehindTheStream) {
  const binlogdata::VGtid start = Vgtid({{"0", At(5)}});
  Arrange({MakeTable(0, "t")}, {start}, {{{Transaction(6, {"t"}, At(6))}}});
  const auto other = std::make_shared<std::vector<PositionColumn>>(
      std::vector<PositionColumn>{{"id", "bigint"}, {"title", "varchar(20)"}});
  auto job = ReplicateJob::Make(*context_, {{&tables_[0], start, {{"0", other}}}}, 0);
  ASSERT_TRUE(job.ok()) << job.status();

  const JobOutcome outcome = (*job)->Run();

  EXPECT_EQ(outcome.table, 0u);
  EXPECT_EQ(vitess::Classify(outcome.status), vitess::ErrorClass::kLostPosition);
}

TEST_F(ReplicateJobTest, EndsBeforeAChangeThatWasLoggedAsAStatement) {
  for (const auto type :
       {binlogdata::INSERT, binlogdata::REPLACE, binlogdata::UPDATE, binlogdata::DELETE}) {
    sink_.lines.clear();
    Prepare(At(5), At(5),
            {Transaction(6, {"t"}, At(6)), Events()
                                               .Begin("0", 9)
                                               .Statement("0", type, "a statement with secrets")
                                               .Vgtid("0", Vgtid({{"0", At(7)}}))
                                               .Commit("0", 9)
                                               .Message()});

    const JobOutcome outcome = job_->Run();

    EXPECT_EQ(outcome.end, JobEnd::kFailed);
    EXPECT_FALSE(outcome.table.has_value());
    EXPECT_EQ(vitess::Classify(outcome.status), vitess::ErrorClass::kConfiguration);
    EXPECT_THAT(std::string(outcome.status.message()),
                testing::AllOf(testing::HasSubstr("ks/0"), testing::HasSubstr("binlog_format=ROW"),
                               testing::Not(testing::HasSubstr("secrets"))));
    EXPECT_THAT(Positions(), ElementsAre("t 0=6", "u 0=6"));
  }
}

// What VTGate sends of a table whose columns it has told before.
vtgate::VStreamResponse TransactionWithoutFields(int number, const std::string& table,
                                                 const std::string& gtid) {
  return Events()
      .Begin("0", 9)
      .Insert("0", table, number, "x", 9)
      .Vgtid("0", Vgtid({{"0", gtid}}))
      .Commit("0", 9)
      .Message();
}

class ColumnsToldAheadTest : public ReplicateJobTest {
 protected:
  // Table t at 5, and u at 7 with the columns id and `second`.
  JobOutcome Run(const std::string& second, std::vector<vtgate::VStreamResponse> responses) {
    const binlogdata::VGtid at_t = Vgtid({{"0", At(5)}});
    const binlogdata::VGtid at_u = Vgtid({{"0", At(7)}});
    Arrange({MakeTable(0, "t"), MakeTable(1, "u")}, {at_t, at_u}, {{std::move(responses)}});
    const auto known = std::make_shared<std::vector<PositionColumn>>(
        std::vector<PositionColumn>{{"id", "bigint"}, {second, "varchar(20)"}});
    auto job = ReplicateJob::Make(
        *context_, {{&tables_[0], at_t, {}}, {&tables_[1], at_u, {{"0", known}}}}, 0);
    if (!job.ok()) return {JobEnd::kFailed, job.status()};
    job_ = *std::move(job);
    return job_->Run();
  }
};

TEST_F(ColumnsToldAheadTest, AreComparedOnceTheTableIsInStep) {
  const JobOutcome outcome =
      Run("title", {Transaction(6, {"u"}, At(6)), TransactionWithoutFields(7, "u", At(7)),
                    TransactionWithoutFields(8, "u", At(8))});

  EXPECT_EQ(outcome.table, 1u);
  EXPECT_EQ(vitess::Classify(outcome.status), vitess::ErrorClass::kLostPosition);
  EXPECT_THAT(Positions(), ElementsAre("t 0=7", "u 0=7"));
  EXPECT_THAT(sink_.lines, testing::Not(testing::Contains(StartsWith("u insert"))));
}

TEST_F(ColumnsToldAheadTest, AreNotThoseOfRowsThatComeWithOthers) {
  vtgate::VStreamResponse before = Transaction(6, {"u"}, At(6));
  before.mutable_events(1)->mutable_field_event()->mutable_fields(1)->set_name("title");

  const JobOutcome outcome =
      Run("name", {before,
                   Events()
                       .Vgtid("0", Vgtid({{"0", At(7)}}))
                       .Ddl("0", "alter table u rename column title to name")
                       .Message(),
                   Transaction(8, {"u"}, At(8)), TransactionWithoutFields(9, "u", At(9))});

  EXPECT_FALSE(outcome.table.has_value()) << outcome.status;
  EXPECT_THAT(Positions(), ElementsAre("t 0=9", "u 0=9"));
}

TEST_F(ReplicateJobTest, NamesTheTableWhosePrimaryKeyHasBecomeAnother) {
  const binlogdata::VGtid start = Vgtid({{"0", At(5)}});
  Table table = MakeTable(0, "t");
  table.schema.has_primary_key = true;
  vtgate::VStreamResponse message = Transaction(6, {"t"}, At(6));
  for (binlogdata::VEvent& event : *message.mutable_events()) {
    if (!event.has_field_event()) continue;
    event.mutable_field_event()->mutable_fields(1)->set_flags(query::PRI_KEY_FLAG);
  }
  Arrange({table}, {start}, {{{message}}});
  auto job = ReplicateJob::Make(*context_, {{&tables_[0], start, {}}}, 0);
  ASSERT_TRUE(job.ok()) << job.status();

  const JobOutcome outcome = (*job)->Run();

  EXPECT_EQ(outcome.table, 0u);
  EXPECT_EQ(vitess::Classify(outcome.status), vitess::ErrorClass::kConfiguration);
  EXPECT_THAT(
      std::string(outcome.status.message()),
      testing::HasSubstr("the primary key was (id) when the sync began, and is over (name) now"));
}

TEST_F(ReplicateJobTest, TakesOtherColumnsBehindADdlOfTheTable) {
  const binlogdata::VGtid start = Vgtid({{"0", At(5)}});
  Arrange({MakeTable(0, "t")}, {start},
          {{{Events()
                 .Vgtid("0", Vgtid({{"0", At(6)}}))
                 .Ddl("0", "alter table t rename column title to name")
                 .Message(),
             Transaction(7, {"t"}, At(7))}}});
  const auto other = std::make_shared<std::vector<PositionColumn>>(
      std::vector<PositionColumn>{{"id", "bigint"}, {"title", "varchar(20)"}});
  auto job = ReplicateJob::Make(*context_, {{&tables_[0], start, {{"0", other}}}}, 0);
  ASSERT_TRUE(job.ok()) << job.status();

  const JobOutcome outcome = (*job)->Run();

  EXPECT_FALSE(outcome.table.has_value());
  EXPECT_EQ((*job)->Positions()[0].columns.at("0")->back().name, "name");
}

TEST_F(ReplicateJobTest, EndsWhenAGoalIsSetThatItHasReached) {
  Prepare(At(5), At(5), {Transaction(6, {}, At(6))});
  job_->Run();

  SetGoal(At(6));

  EXPECT_TRUE(job_->reader().cancelled());
}

// A transaction that updates row 1 of the table and does not tell its name.
vtgate::VStreamResponse TransactionWithoutName(const std::string& table, const std::string& gtid) {
  return Events()
      .Begin("0", 9)
      .Field("0", table, 9)
      .UpdateWithoutName("0", table, 1, 1, 9)
      .Vgtid("0", Vgtid({{"0", gtid}}))
      .Commit("0", 9)
      .Message();
}

TEST_F(ReplicateJobTest, ReadsRowsOfSeveralTransactionsBeforeTheirPositionGoesOut) {
  Prepare(At(5), At(5),
          {TransactionWithoutName("t", At(6)), Transaction(7, {"t"}, At(7)),
           TransactionWithoutName("t", At(8))});
  vtgate_->answers = {Rows({{"1", "newest"}})};
  SetGoal(At(8));

  EXPECT_EQ(job_->Run().end, JobEnd::kReached);

  EXPECT_EQ(vtgate_->queries.size(), 1u);
  EXPECT_THAT(sink_.lines, ElementsAre("t update 1 newest", "t insert 7 x", "t update 1 newest",
                                       "state t 0=8 (3 records)"));
}

TEST_F(ReplicateJobTest, StaysWhereItsRowsWentOutAndNamesTheTableWhoseRowsCannotBeRead) {
  Prepare(At(5), At(5), {Transaction(6, {"t"}, At(6)), TransactionWithoutName("u", At(7))});

  const JobOutcome outcome = job_->Run();

  EXPECT_EQ(outcome.end, JobEnd::kFailed);
  EXPECT_EQ(outcome.table, 1u);
  EXPECT_THAT(Positions(), ElementsAre("t 0=5", "u 0=5"));
  EXPECT_THAT(sink_.lines, IsEmpty());
}

TEST_F(ReplicateJobTest, KnowsTheColumnsOfWhereItStaysWhenRowsCannotBeRead) {
  const binlogdata::VGtid start = Vgtid({{"0", At(5)}});
  Arrange({MakeTable(0, "t"), MakeTable(1, "u")}, {start, start},
          {{{Events()
                 .Vgtid("0", Vgtid({{"0", At(6)}}))
                 .Ddl("0", "alter table t rename column title to name")
                 .Message(),
             Transaction(7, {"t"}, At(7)), TransactionWithoutName("u", At(8))}}});
  const auto before = std::make_shared<std::vector<PositionColumn>>(
      std::vector<PositionColumn>{{"id", "bigint"}, {"title", "varchar(20)"}});
  auto job = ReplicateJob::Make(
      *context_, {{&tables_[0], start, {{"0", before}}}, {&tables_[1], start, {}}}, 0);
  ASSERT_TRUE(job.ok()) << job.status();

  EXPECT_EQ((*job)->Run().table, 1u);

  EXPECT_EQ(Text((*job)->Positions()[0].position), "0=5");
  EXPECT_EQ(*(*job)->Positions()[0].columns.at("0"), *before);
}

TEST_F(ReplicateJobTest, LeavesATableAheadThatItHadComeUpToWhenRowsCannotBeRead) {
  Prepare(At(5), At(6), {Transaction(6, {"t", "u"}, At(6)), TransactionWithoutName("t", At(7))});

  EXPECT_EQ(job_->Run().table, 0u);

  EXPECT_THAT(Positions(), ElementsAre("t 0=5", "u 0=6"));
}

}  // namespace
}  // namespace source_vitess::sync
