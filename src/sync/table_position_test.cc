#include "sync/table_position.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace source_vitess::sync {
namespace {

using ::testing::HasSubstr;

TablePosition MidCopy() {
  TablePosition position;
  auto* left = position.vgtid.add_shard_gtids();
  left->set_keyspace("customer");
  left->set_shard("-80");
  left->set_gtid("MySQL56/2d4059f8-e696-11f1-8e80-02fc00000001:1-71");
  auto* entry = left->add_table_p_ks();
  entry->set_table_name("customers");
  auto* field = entry->mutable_lastpk()->add_fields();
  field->set_name("id");
  field->set_type(query::INT64);
  field->set_charset(63);
  auto* row = entry->mutable_lastpk()->add_rows();
  row->add_lengths(2);
  row->set_values("\xff\x00", 2);
  auto* right = position.vgtid.add_shard_gtids();
  right->set_keyspace("customer");
  right->set_shard("80-");
  position.since["-80"] = "MySQL56/2d4059f8-e696-11f1-8e80-02fc00000001:1-70";
  position.repeated = {"-80"};
  position.snapshot["80-"] = "MySQL56/2d4059f8-e696-11f1-8e80-02fc00000001:1-72";
  const std::vector<PositionColumn> columns = {{"id", "bigint"}, {"say \"é\"", "enum('a','b')"}};
  for (const binlogdata::ShardGtid& shard : position.vgtid.shard_gtids()) {
    position.columns[shard.shard()] = std::make_shared<std::vector<PositionColumn>>(columns);
  }
  position.cursor = 1795366894000001;
  return position;
}

TEST(TablePositionTest, IsTheSameAfterItWasWrittenAndRead) {
  const TablePosition written = MidCopy();

  const absl::StatusOr<TablePosition> read = ParseTablePosition(ToJson(written));

  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(*read == written);
}

TEST(TablePositionTest, KeepsTheColumnsOfShardsWhoseSchemaDiffers) {
  TablePosition written = MidCopy();
  written.columns["80-"] =
      std::make_shared<std::vector<PositionColumn>>(1, PositionColumn{"id", "int"});

  const absl::StatusOr<TablePosition> read = ParseTablePosition(ToJson(written));

  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(*read == written);
  EXPECT_EQ(read->columns.at("-80")->size(), 2u);
  EXPECT_EQ(read->columns.at("80-")->front().type, "int");
}

TEST(TablePositionTest, KeepsThatTheColumnsOfAShardAreUnknown) {
  TablePosition written = MidCopy();
  written.columns.erase("80-");

  const absl::StatusOr<TablePosition> read = ParseTablePosition(ToJson(written));

  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(read->columns.contains("-80"));
  EXPECT_FALSE(read->columns.contains("80-"));
}

TEST(TablePositionTest, WritesTheVgtidAsVitessToolsReadIt) {
  const std::string json = ToJson(MidCopy());

  EXPECT_THAT(json, HasSubstr(R"({"version":1,"vgtid":{"shardGtids":[{"keyspace":"customer",)"
                              R"("shard":"-80","gtid":"MySQL56/)"));
  EXPECT_THAT(json, HasSubstr(R"("tablePKs":[{"tableName":"customers","lastpk":)"));
}

TEST(TablePositionTest, PassesOverUnknownMembersAndNulls) {
  const auto read = ParseTablePosition(
      R"({"version":1,"later":{"x":[1]},"since":null,"snapshot":null,"columns":null,"cursor":null,)"
      R"("vgtid":{"shardGtids":[{"keyspace":"k","shard":"0","gtid":"","later":1}]}})");

  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->vgtid.shard_gtids(0).shard(), "0");
  EXPECT_TRUE(read->since.empty());
}

TEST(TablePositionTest, NamesTheMemberThatIsMalformed) {
  EXPECT_THAT(ParseTablePosition(R"({"vgtid":{}})").status().message(), HasSubstr("\"version\""));
  EXPECT_THAT(ParseTablePosition(R"({"version":1})").status().message(), HasSubstr("\"vgtid\""));
  EXPECT_THAT(ParseTablePosition(R"({"version":1,"vgtid":{"shardGtids":"x"}})").status().message(),
              HasSubstr("\"vgtid\""));
  EXPECT_THAT(ParseTablePosition(R"({"version":1,"vgtid":{},"since":[]})").status().message(),
              HasSubstr("\"since\""));
  EXPECT_THAT(ParseTablePosition(R"({"version":1,"vgtid":{},"repeated":{}})").status().message(),
              HasSubstr("\"repeated\""));
  EXPECT_THAT(ParseTablePosition(R"({"version":1,"vgtid":{},"columns":[1]})").status().message(),
              HasSubstr("\"columns\""));
  EXPECT_THAT(
      ParseTablePosition(R"({"version":1,"vgtid":{},"shard_columns":{"0":1}})").status().message(),
      HasSubstr("\"shard_columns\""));
  EXPECT_THAT(ParseTablePosition(R"({"version":1,"vgtid":{},"cursor":-1})").status().message(),
              HasSubstr("\"cursor\""));
}

TEST(TablePositionTest, RefusesAVersionThatItDoesNotKnow) {
  EXPECT_THAT(ParseTablePosition(R"({"version":2,"vgtid":{}})").status().message(),
              HasSubstr("version 2"));
}

TEST(TablePositionTest, RefusesTextThatIsNoJson) {
  EXPECT_THAT(ParseTablePosition("{").status().message(), HasSubstr("not valid JSON"));
  EXPECT_THAT(ParseTablePosition("[]").status().message(), HasSubstr("JSON object"));
}

TEST(TablePositionTest, IsCopiedOnceEveryShardHasAPositionAndNoEntry) {
  TablePosition position = MidCopy();
  EXPECT_FALSE(position.IsCopied());

  position.vgtid.mutable_shard_gtids(0)->clear_table_p_ks();
  EXPECT_FALSE(position.IsCopied());

  position.vgtid.mutable_shard_gtids(1)->set_gtid("MySQL56/x");
  EXPECT_TRUE(position.IsCopied());
}

TEST(TablePositionTest, OfNoShardsIsNotCopied) { EXPECT_FALSE(TablePosition().IsCopied()); }

}  // namespace
}  // namespace source_vitess::sync
