#include "sync/reshard.h"

#include "gtest/gtest.h"
#include "sync/fakes_for_test.h"

namespace source_vitess::sync {
namespace {

binlogdata::Journal Journal(const std::vector<std::string>& participants,
                            const std::vector<FakeShard>& successors) {
  binlogdata::Journal journal;
  journal.set_migration_type(binlogdata::SHARDS);
  for (const std::string& shard : participants) {
    auto* participant = journal.add_participants();
    participant->set_keyspace("ks");
    participant->set_shard(shard);
  }
  *journal.mutable_shard_gtids() = Vgtid(successors).shard_gtids();
  return journal;
}

class SuccessionTest : public ::testing::Test {
 protected:
  Succession Of(const binlogdata::Journal& journal, const std::vector<FakeShard>& ended,
                bool missing = false) {
    std::vector<EndedShard> shards;
    for (const FakeShard& shard : ended) {
      shards.push_back({Vgtid({shard}).shard_gtids(0), journal});
      shards.back().delivered = delivered_;
    }
    std::vector<const EndedShard*> pointers;
    for (const EndedShard& shard : shards) pointers.push_back(&shard);
    return Succeed(journal, pointers, missing);
  }

  static std::string Shards(const Succession& succession) {
    binlogdata::VGtid vgtid;
    for (const binlogdata::ShardGtid& shard : succession.shards) *vgtid.add_shard_gtids() = shard;
    return Text(vgtid);
  }

  bool delivered_ = false;
  const binlogdata::Journal split_ = Journal({"0"}, {{"-80", At(7)}, {"80-", At(8)}});
  const binlogdata::Journal merge_ = Journal({"-80", "80-"}, {{"0", At(9)}});
};

TEST_F(SuccessionTest, ACopiedTableIsReplicatedFromWhereTheNewShardsBegin) {
  EXPECT_EQ(Shards(Of(split_, {{"0", At(5)}})), "-80=7 80-=8");
  EXPECT_EQ(Shards(Of(merge_, {{"-80", At(5)}, {"80-", At(6)}})), "0=9");
  EXPECT_FALSE(Of(merge_, {{"-80", At(5)}, {"80-", At(6)}}).repeated);
}

TEST_F(SuccessionTest, ACopyInProgressGoesOnBehindItsLastKeyInEveryNewShard) {
  const Succession succession = Of(split_, {{"0", At(5), "t", "3"}});

  EXPECT_EQ(Shards(succession), "-80=7{t:3} 80-=8{t:3}");
  EXPECT_FALSE(succession.repeated);
}

TEST_F(SuccessionTest, CopiesThatStoodAtOneKeyGoOnBehindIt) {
  EXPECT_EQ(Shards(Of(merge_, {{"-80", At(5), "t", "3"}, {"80-", At(6), "t", "3"}})), "0=9{t:3}");
}

TEST_F(SuccessionTest, CopiesThatStoodAtDifferentKeysBeginAgain) {
  for (const FakeShard& other :
       {FakeShard{"80-", At(6), "t", "4"}, FakeShard{"80-", At(6)}, FakeShard{"80-", ""}}) {
    const Succession succession = Of(merge_, {{"-80", At(5), "t", "3"}, other});

    EXPECT_EQ(Shards(succession), "0=");
    EXPECT_TRUE(succession.repeated);
  }
}

TEST_F(SuccessionTest, WhatWasNeverReadBeginsForTheFirstTime) {
  const Succession succession = Of(split_, {{"0", ""}});

  EXPECT_EQ(Shards(succession), "-80= 80-=");
  EXPECT_FALSE(succession.repeated);
}

TEST_F(SuccessionTest, WhatWasDeliveredOfACopyThatBeginsAgainIsFollowed) {
  delivered_ = true;

  EXPECT_TRUE(Of(split_, {{"0", ""}}).repeated);
}

TEST_F(SuccessionTest, AShardThatWasNeverReadMakesTheOtherBeginAgain) {
  EXPECT_TRUE(Of(merge_, {{"-80", At(5)}}, /*missing=*/true).repeated);
}

}  // namespace
}  // namespace source_vitess::sync
