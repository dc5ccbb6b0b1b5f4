#include "telemetry/status_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace source_vitess::telemetry {
namespace {

const absl::Time kBegan = absl::FromUnixSeconds(1'700'000'000);

rapidjson::Document Parsed(const Status& status, std::string_view table = "") {
  rapidjson::Document document;
  document.Parse(ToJson(status, kBegan + absl::Seconds(5), table).c_str());
  EXPECT_FALSE(document.HasParseError());
  return document;
}

TEST(StatusJsonTest, HasTheRunItsTablesAndTheirShards) {
  Progress progress(kBegan);
  const size_t orders = progress.AddTable("shop", "or\"ders");
  ShardProgress& shard = progress.Shard(orders, "-80");
  shard.AddEstimate(100);
  shard.AddCopied(60);
  shard.SetPhase(Phase::kCopying);
  progress.Checkpointed(orders, kBegan + absl::Seconds(2));
  progress.Retried(orders, "a </script> of <b>", kBegan + absl::Seconds(3));
  progress.TakeSample(kBegan + absl::Seconds(4));

  const rapidjson::Document status = Parsed(progress.Read(kBegan + absl::Seconds(5)));

  EXPECT_EQ(status["began"].GetInt64(), 1'700'000'000'000);
  EXPECT_EQ(status["now"].GetInt64(), 1'700'000'005'000);
  EXPECT_TRUE(status["ended"].IsNull());
  EXPECT_TRUE(status["error"].IsNull());
  EXPECT_EQ(status["rows_copied"].GetUint64(), 60u);
  EXPECT_EQ(status["tables_by_phase"]["copying"].GetUint64(), 1u);
  EXPECT_EQ(status["tables_by_phase"]["failed"].GetUint64(), 0u);
  ASSERT_EQ(status["tables"].Size(), 1u);
  const auto& table = status["tables"][0];
  EXPECT_STREQ(table["table"].GetString(), "or\"ders");
  EXPECT_STREQ(table["phase"].GetString(), "copying");
  EXPECT_EQ(table["estimated_rows"].GetUint64(), 100u);
  EXPECT_DOUBLE_EQ(table["rows_per_second"].GetDouble(), 15);
  EXPECT_EQ(table["last_checkpoint"].GetInt64(), 1'700'000'002'000);
  EXPECT_EQ(table["retries"].GetUint64(), 1u);
  EXPECT_STREQ(table["last_error"].GetString(), "a </script> of <b>");
  EXPECT_TRUE(table["lag_seconds"].IsNull());
  ASSERT_EQ(table["shards"].Size(), 1u);
  EXPECT_STREQ(table["shards"][0]["shard"].GetString(), "-80");
  ASSERT_EQ(status["samples"].Size(), 1u);
  EXPECT_DOUBLE_EQ(status["samples"][0]["rows_per_second"].GetDouble(), 15);
}

TEST(StatusJsonTest, ListsShardsOfManyTablesOnlyWhereTheyAreAskedFor) {
  Progress progress(kBegan);
  for (int table = 0; table < 3; ++table) {
    const size_t number = progress.AddTable("shop", absl::StrCat("t", table));
    for (int shard = 0; shard < 1000; ++shard) progress.Shard(number, absl::StrCat(shard));
  }
  const rapidjson::Document all = Parsed(progress.Read(kBegan));
  EXPECT_FALSE(all["tables"][0].HasMember("shards"));
  EXPECT_EQ(all["tables"][0]["shard_count"].GetUint64(), 1000u);

  const rapidjson::Document one = Parsed(progress.Read(kBegan), "shop.t1");
  EXPECT_FALSE(one["tables"][0].HasMember("shards"));
  EXPECT_EQ(one["tables"][1]["shards"].Size(), 1000u);
}

TEST(StatusJsonTest, SaysHowManyTablesItDoesNotList) {
  Progress progress(kBegan);
  for (size_t table = 0; table < kMostListedTables + 5; ++table) {
    progress.AddTable("shop", absl::StrCat("t", table));
  }
  const rapidjson::Document status = Parsed(progress.Read(kBegan), "shop.t2004");
  EXPECT_EQ(status["tables"].Size(), kMostListedTables + 1);
  EXPECT_EQ(status["tables_not_listed"].GetUint64(), 4u);
  EXPECT_EQ(status["tables_by_phase"]["waiting"].GetUint64(), kMostListedTables + 5);
}

}  // namespace
}  // namespace source_vitess::telemetry
