#include "vitess/key_range.h"

#include "gtest/gtest.h"

namespace source_vitess::vitess {
namespace {

TEST(KeyRangeTest, ShardsThatShareIdsOverlap) {
  EXPECT_TRUE(Overlap("-80", "-40"));
  EXPECT_TRUE(Overlap("40-c0", "-80"));
  EXPECT_TRUE(Overlap("40-c0", "80-"));
  EXPECT_TRUE(Overlap("-80", "-80"));
}

TEST(KeyRangeTest, NeighboursDoNotOverlap) {
  EXPECT_FALSE(Overlap("-80", "80-"));
  EXPECT_FALSE(Overlap("80-c0", "-80"));
  EXPECT_FALSE(Overlap("c0-", "80-c0"));
}

TEST(KeyRangeTest, AShardWithoutBoundsHoldsEveryId) {
  EXPECT_TRUE(Overlap("0", "80-c0"));
  EXPECT_TRUE(Overlap("-", "80-c0"));
  EXPECT_TRUE(Overlap("0", "-"));
  EXPECT_TRUE(Overlap("zone-one", "-80"));
}

TEST(KeyRangeTest, BoundsOfDifferentLengthAreCompared) {
  EXPECT_EQ(KeyRange::OfShard("8000-"), KeyRange::OfShard("80-"));
  EXPECT_FALSE(Overlap("-8000", "80-"));
  EXPECT_TRUE(Overlap("-8001", "80-"));
}

}  // namespace
}  // namespace source_vitess::vitess
