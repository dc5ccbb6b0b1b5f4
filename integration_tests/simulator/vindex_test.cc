#include "simulator/vindex.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"

namespace source_vitess::simulator {
namespace {

TEST(VindexTest, HashesIntegersAsVitessDoes) {
  // Known from Vitess's documentation of its hash vindex.
  EXPECT_EQ(absl::BytesToHexString(*KeyspaceId(VindexType::kHash, "1")), "166b40b44aba4bd6");
  EXPECT_EQ(absl::BytesToHexString(*KeyspaceId(VindexType::kHash, "2")), "06e7ea22ce92708f");
  EXPECT_EQ(absl::BytesToHexString(*KeyspaceId(VindexType::kHash, "3")), "4eb190c9a2fa169c");
  EXPECT_FALSE(KeyspaceId(VindexType::kHash, "x").ok());
}

TEST(VindexTest, HashesTextWithXxhash) {
  EXPECT_EQ(Xxhash64(""), 0xef46db3751d8e999U);
  EXPECT_EQ(Xxhash64("a"), 0xd24ec4f1a98c6e5bU);
  EXPECT_EQ(Xxhash64("abc"), 0x44bc2cf5ad770999U);
  EXPECT_EQ(absl::BytesToHexString(*KeyspaceId(VindexType::kXxhash, "abc")), "990977adf52cbc44");
}

TEST(KeyRangeTest, HoldsTheIdsBetweenItsBounds) {
  const KeyRange range = *KeyRange::Parse("40-80");
  EXPECT_TRUE(range.Contains("\x40"));
  EXPECT_TRUE(range.Contains("\x7f\xff"));
  EXPECT_FALSE(range.Contains("\x80"));
  EXPECT_FALSE(range.Contains("\x3f"));
  EXPECT_TRUE(KeyRange::Parse("80-")->Contains("\xff"));
  EXPECT_TRUE(KeyRange::Parse("0")->Contains("anything"));
  EXPECT_FALSE(KeyRange::Parse("4-80").ok());
  EXPECT_FALSE(KeyRange::Parse("x").ok());
}

}  // namespace
}  // namespace source_vitess::simulator
