#include "sync/plan.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sync/fakes_for_test.h"
#include "vitess/errors.h"

namespace source_vitess::sync {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using vitess::ErrorClass;
using vitess::GtidSet;

GtidSet Set(const std::string& position) { return GtidSet::ParsePosition(position).value(); }

// A shard whose primary executed up to `executed` and purged up to `purged` (0: nothing).
ShardState Shard(const std::string& name, int executed, int purged = 0) {
  ShardState shard;
  shard.shard = name;
  shard.primary.executed = Set(At(executed));
  if (purged > 0) shard.primary.purged = Set(At(purged));
  shard.chosen = shard.primary;
  return shard;
}

TablePosition Stored(binlogdata::VGtid vgtid) {
  TablePosition position;
  position.vgtid = std::move(vgtid);
  return position;
}

class PlanTest : public ::testing::Test {
 protected:
  absl::StatusOr<TablePlan> Plan(const std::optional<TablePosition>& stored) {
    return PlanTable(table_, stored, keyspace_, options_);
  }

  Table table_ = MakeTable(0, "t");
  KeyspaceState keyspace_{"ks", {Shard("-80", 10), Shard("80-", 20)}, {}};
  SyncOptions options_;
};

TEST_F(PlanTest, BeginsATableThatWasNeverReadInEveryShard) {
  const auto plan = Plan(std::nullopt);

  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Text(plan->position.vgtid), "-80= 80-=");
  EXPECT_THAT(plan->position.repeated, IsEmpty());
}

TEST_F(PlanTest, GoesOnWhereTheTableStoodInEachShard) {
  const auto plan = Plan(Stored(Vgtid({{"80-", At(15)}, {"-80", At(5), "t", "3"}})));

  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Text(plan->position.vgtid), "-80=5{t:3} 80-=15");
}

TEST_F(PlanTest, RepeatsACopyOfWhichNothingUsableWasSaved) {
  TablePosition stored = Stored(Vgtid({{"-80", ""}, {"80-", At(15)}}));
  stored.since = {{"-80", At(4)}};

  const auto plan = Plan(stored);

  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->position.repeated, ElementsAre("-80"));
  EXPECT_EQ(plan->position.since.at("-80"), At(4));
}

TEST_F(PlanTest, RepeatsACopyWhoseKeyCannotBeResumed) {
  table_.schema.resumable = false;
  TablePosition stored = Stored(Vgtid({{"-80", At(5), "t", "3"}, {"80-", At(15)}}));
  stored.since = {{"-80", At(4)}};

  const auto plan = Plan(stored);

  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Text(plan->position.vgtid), "-80= 80-=15");
  EXPECT_THAT(plan->position.repeated, ElementsAre("-80"));
}

TEST_F(PlanTest, RepeatsACopyWhosePrimaryKeyIsNoLongerTheSame) {
  table_.schema.key = {"name"};
  TablePosition stored = Stored(Vgtid({{"-80", At(5), "t", "3"}, {"80-", At(15)}}));
  stored.since = {{"-80", At(4)}};

  const auto plan = Plan(stored);

  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Text(plan->position.vgtid), "-80= 80-=15");
}

TEST_F(PlanTest, FollowsARepeatedCopyThatWasFinishedFromBeforeItsBeginning) {
  TablePosition stored = Stored(Vgtid({{"-80", At(8)}, {"80-", At(15)}}));
  stored.since = {{"-80", At(4)}};
  stored.repeated = {"-80"};

  const auto plan = Plan(stored);

  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Text(plan->position.vgtid), "-80=4 80-=15");
  EXPECT_EQ(plan->position.snapshot.at("-80"), At(8));
  EXPECT_THAT(plan->position.repeated, IsEmpty());
}

TEST_F(PlanTest, CopiesAShardThatTheStateDoesNotKnow) {
  const auto plan = Plan(Stored(Vgtid({{"-80", At(5)}})));

  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Text(plan->position.vgtid), "-80=5 80-=");
}

TEST_F(PlanTest, FindsThatTheShardOfAPositionIsGone) {
  const auto plan = Plan(Stored(Vgtid({{"0", At(5)}})));

  EXPECT_EQ(vitess::Classify(plan.status()), ErrorClass::kLostPosition);
  EXPECT_THAT(std::string(plan.status().message()), HasSubstr("shard ks/0, which is gone"));
}

TEST_F(PlanTest, FollowsAShardThatHasEndedInPlaceOfThoseThatCameAfterIt) {
  keyspace_.ended = {"0"};

  const auto plan = Plan(Stored(Vgtid({{"0", At(5)}})));

  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Text(plan->position.vgtid), "0=5");
}

TEST_F(PlanTest, FollowsTheHalfThatHasEndedBesideTheHalfThatServes) {
  keyspace_.shards = {Shard("-40", 10), Shard("40-80", 10), Shard("80-", 20)};
  keyspace_.ended = {"-80"};

  const auto plan = Plan(Stored(Vgtid({{"-80", At(5), "t", "3"}, {"80-", At(15)}})));

  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Text(plan->position.vgtid), "80-=15 -80=5{t:3}");
}

TEST_F(PlanTest, BeginsOnTheNewShardsWhenNothingOfTheOldOneWasRead) {
  keyspace_.ended = {"0"};

  const auto plan = Plan(Stored(Vgtid({{"0", ""}})));

  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Text(plan->position.vgtid), "-80= 80-=");
}

TEST_F(PlanTest, FollowsAShardThatHasEndedWhenItsFirstRowsMayHaveGoneOut) {
  keyspace_.ended = {"0"};
  TablePosition stored = Stored(Vgtid({{"0", ""}}));
  stored.since["0"] = At(3);

  const auto plan = Plan(stored);

  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Text(plan->position.vgtid), "0=");
  EXPECT_EQ(plan->position.since.at("0"), At(3));
}

TEST_F(PlanTest, CopiesAgainInTheShardsThatThereAreWhenAnOldOneIsGone) {
  options_.copy_again_when_lost = true;
  TablePosition stored = Stored(Vgtid({{"0", At(5)}}));
  stored.since["0"] = At(3);

  const auto plan = Plan(stored);

  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Text(plan->position.vgtid), "-80= 80-=");
  EXPECT_TRUE(plan->position.since.empty());
}

TEST_F(PlanTest, PassesOverShardsThatTheConnectionLeavesOut) {
  options_.shards = {"-80"};
  keyspace_.shards.pop_back();

  const auto plan = Plan(Stored(Vgtid({{"-80", At(5)}, {"80-", At(15)}})));

  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Text(plan->position.vgtid), "-80=5");
}

TEST_F(PlanTest, FindsAPositionWhoseBinaryLogsWerePurged) {
  keyspace_.shards[0] = Shard("-80", 10, /*purged=*/6);

  const auto plan = Plan(Stored(Vgtid({{"-80", At(5)}, {"80-", At(15)}})));

  EXPECT_EQ(vitess::Classify(plan.status()), ErrorClass::kLostPosition);
  EXPECT_THAT(std::string(plan.status().message()), HasSubstr("purged"));
  EXPECT_THAT(std::string(plan.status().message()), HasSubstr("ks/-80"));
  EXPECT_THAT(std::string(plan.status().message()), HasSubstr("ks.t"));
}

TEST_F(PlanTest, FindsAPositionAheadOfTheServer) {
  const auto plan = Plan(Stored(Vgtid({{"-80", At(11)}, {"80-", At(15)}})));

  EXPECT_EQ(vitess::Classify(plan.status()), ErrorClass::kLostPosition);
  EXPECT_THAT(std::string(plan.status().message()), HasSubstr("ahead of the server"));
}

TEST_F(PlanTest, FindsAPositionOfAnotherServer) {
  const std::string foreign = std::string("MySQL56/") + kOtherServer + ":1-3";

  const auto plan = Plan(Stored(Vgtid({{"-80", foreign}, {"80-", At(15)}})));

  EXPECT_EQ(vitess::Classify(plan.status()), ErrorClass::kLostPosition);
  EXPECT_THAT(std::string(plan.status().message()), HasSubstr("another server"));
}

TEST_F(PlanTest, FindsAPositionOfAFlavorThatCannotBeCompared) {
  const auto plan = Plan(Stored(Vgtid({{"-80", "FilePos/binlog.000001:4"}, {"80-", At(15)}})));

  EXPECT_EQ(vitess::Classify(plan.status()), ErrorClass::kLostPosition);
}

TEST_F(PlanTest, TrustsAReplicaThatThePrimaryIsAheadOf) {
  options_.tablet_type = topodata::REPLICA;
  keyspace_.shards[0].primary_is_chosen = false;
  keyspace_.shards[0].chosen.executed = Set(At(3));

  const auto plan = Plan(Stored(Vgtid({{"-80", At(5)}, {"80-", At(15)}})));

  EXPECT_TRUE(plan.ok()) << plan.status();
}

TEST_F(PlanTest, OnlySuspectsAPositionThatAReplicaHasPurged) {
  options_.tablet_type = topodata::REPLICA;
  keyspace_.shards[0].primary_is_chosen = false;
  keyspace_.shards[0].chosen.purged = Set(At(6));

  EXPECT_TRUE(Plan(Stored(Vgtid({{"-80", At(5)}, {"80-", At(15)}}))).ok());
  EXPECT_FALSE(CheckPosition(At(5), "ks", keyspace_.shards[0], /*strict=*/true).ok());
}

TEST_F(PlanTest, CopiesAgainWhereThePositionWasLostIfTheOptionSaysSo) {
  options_.copy_again_when_lost = true;
  keyspace_.shards[0] = Shard("-80", 10, /*purged=*/6);

  const auto plan = Plan(Stored(Vgtid({{"-80", At(5)}, {"80-", At(15)}})));

  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Text(plan->position.vgtid), "-80= 80-=15");
  EXPECT_THAT(plan->warnings, SizeIs(1));
  EXPECT_THAT(plan->position.repeated, IsEmpty());
}

TEST_F(PlanTest, LeavesACompleteFullRefreshAsItIs) {
  table_.incremental = false;
  keyspace_.shards[0] = Shard("-80", 10, /*purged=*/6);

  const auto plan = Plan(Stored(Vgtid({{"-80", At(5)}, {"80-", At(15)}})));

  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_TRUE(plan->position.IsCopied());
  EXPECT_THAT(plan->warnings, IsEmpty());
}

TEST(ShardStateTest, AimsAtWhatThePrimaryAndTheChosenTabletHaveBothExecuted) {
  ShardState shard = Shard("0", 10);
  shard.chosen.executed = Set(At(7));

  EXPECT_EQ(shard.Target(), Set(At(7)));
}

TEST_F(PlanTest, AsksOnlyOfTablesThatAreNotReadFromEveryShardWhetherOneIsEnough) {
  EXPECT_TRUE(MayBeReferenceTable(std::nullopt, keyspace_));
  EXPECT_TRUE(MayBeReferenceTable(Stored(Vgtid({{"80-", At(15)}})), keyspace_));
  EXPECT_FALSE(MayBeReferenceTable(Stored(Vgtid({{"-80", At(5)}, {"80-", At(15)}})), keyspace_));
  keyspace_.shards.pop_back();
  EXPECT_FALSE(MayBeReferenceTable(std::nullopt, keyspace_));
}

TEST_F(PlanTest, ReadsAReferenceTableFromTheFirstShard) {
  EXPECT_EQ(OneShardOf(keyspace_, std::nullopt).shards.front().shard, "-80");
}

TEST_F(PlanTest, ReadsAReferenceTableFromTheShardWhereItStood) {
  const KeyspaceState one = OneShardOf(keyspace_, Stored(Vgtid({{"80-", At(15)}})));

  ASSERT_THAT(one.shards, SizeIs(1));
  EXPECT_EQ(one.shards.front().shard, "80-");
}

TEST_F(PlanTest, FollowsAReferenceTableFromAShardThatHasEnded) {
  keyspace_.ended = {"c0-"};
  const std::optional<TablePosition> stored = Stored(Vgtid({{"c0-", At(15)}}));

  const KeyspaceState one = OneShardOf(keyspace_, stored);
  const auto plan = PlanTable(table_, stored, one, options_);

  EXPECT_EQ(one.shards.front().shard, "80-");
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Text(plan->position.vgtid), "c0-=15");
}

}  // namespace
}  // namespace source_vitess::sync
