#include "vitess/caveats.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vitess/answering_client_for_test.h"

namespace source_vitess::vitess {
namespace {

using ::testing::ElementsAre;

constexpr ShardTablet kTablet = {"customer", "-80", topodata::REPLICA};
constexpr char kTarget[] = "customer:-80@replica";
constexpr char kSeconds[] = "select @@global.binlog_expire_logs_seconds";
constexpr char kDays[] = "select @@global.expire_logs_days";

TEST(LogRetentionTest, IsInSeconds) {
  AnsweringClient client;
  client.Answer(kTarget, kSeconds, Result({"a"}, {{"259200"}}));

  const auto retention = ReadLogRetention(client, kTablet);

  ASSERT_TRUE(retention.ok()) << retention.status();
  EXPECT_EQ(*retention, absl::Hours(72));
}

TEST(LogRetentionTest, IsInDaysOnOldServers) {
  AnsweringClient client;
  client.Answer(kTarget, kSeconds,
                absl::UnknownError("Unknown system variable 'binlog_expire_logs_seconds'"));
  client.Answer(kTarget, kDays, Result({"a"}, {{"2"}}));

  const auto retention = ReadLogRetention(client, kTablet);

  ASSERT_TRUE(retention.ok()) << retention.status();
  EXPECT_EQ(*retention, absl::Hours(48));
}

TEST(LogRetentionTest, IsWithoutAnEndWhereNothingIsRemoved) {
  AnsweringClient client;
  client.Answer(kTarget, kSeconds, Result({"a"}, {{"0"}}));

  const auto retention = ReadLogRetention(client, kTablet);

  ASSERT_TRUE(retention.ok()) << retention.status();
  EXPECT_EQ(*retention, absl::InfiniteDuration());
}

TEST(LogRetentionTest, PassesFailuresOn) {
  AnsweringClient client;
  client.Answer(kTarget, kSeconds, absl::UnavailableError("away"));
  EXPECT_EQ(ReadLogRetention(client, kTablet).status(), absl::UnavailableError("away"));

  client.Answer(kTarget, kSeconds, Result({"a"}, {{"soon"}}));
  EXPECT_EQ(ReadLogRetention(client, kTablet).status().code(), absl::StatusCode::kInternal);
}

TEST(CascadedTablesTest, AreThoseOfTheTabletsOwnForeignKeys) {
  AnsweringClient client;
  client.Answer(kTarget,
                "select distinct table_name as table_name from "
                "information_schema.referential_constraints where constraint_schema = database() "
                "and (delete_rule in ('CASCADE', 'SET NULL') or update_rule in ('CASCADE', 'SET "
                "NULL')) order by table_name",
                Result({"table_name"}, {{"items"}, {"notes"}}));

  const auto tables = ListCascadedTables(client, kTablet);

  ASSERT_TRUE(tables.ok()) << tables.status();
  EXPECT_THAT(*tables, ElementsAre("items", "notes"));
}

TEST(ManagedForeignKeysTest, AreManagedWhereTheVschemaSaysSo) {
  AnsweringClient client;
  client.Answer(
      "", "show vschema keyspaces",
      Result({"Keyspace", "Sharded", "Foreign Key", "Comment"},
             {{"customer", "true", "unmanaged", ""}, {"commerce", "false", "managed", ""}}));

  EXPECT_FALSE(ManagesForeignKeys(client, "customer").value());
  EXPECT_TRUE(ManagesForeignKeys(client, "commerce").value());
  EXPECT_FALSE(ManagesForeignKeys(client, "unknown").value());
}

TEST(ManagedForeignKeysTest, AreUnknownToOldVersions) {
  AnsweringClient client;
  client.Answer("", "show vschema keyspaces",
                Result({"Keyspace", "Sharded"}, {{"customer", "true"}}));

  EXPECT_FALSE(ManagesForeignKeys(client, "customer").value());
}

TEST(ServingKeyspaceTest, IsThatOfTheRoute) {
  AnsweringClient client;
  client.Answer("old", "vexplain plan select * from `old`.`orders`",
                Result({"JSON"}, {{R"({"OperatorType": "Route", "Variant": "Unsharded",
                                       "Keyspace": {"Name": "new", "Sharded": false}})"}}));

  EXPECT_EQ(ReadServingKeyspace(client, "old", "orders").value(), "new");
}

TEST(ServingKeyspaceTest, IsUnknownWhereThePlanDoesNotTell) {
  AnsweringClient client;
  for (const char* plan :
       {"", "no JSON", "[]", R"({"OperatorType": "Limit"})", R"({"Keyspace": {"Name": 1}})"}) {
    client.Answer("old", "vexplain plan select * from `old`.`orders`", Result({"JSON"}, {{plan}}));
    EXPECT_FALSE(ReadServingKeyspace(client, "old", "orders").ok()) << plan;
  }
}

}  // namespace
}  // namespace source_vitess::vitess
