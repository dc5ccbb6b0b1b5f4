#include "simulator/reshard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "simulator/cluster.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

class ReshardTest : public testing::Test {
 protected:
  explicit ReshardTest(const char* options = "shards ('-80', '80-')") {
    Run(Cat("create keyspace shop ", options));
    Run(R"(
      create table customers (id bigint primary key, email varchar(20));
      create table orders (id bigint primary key, customer_id bigint, sku varchar(9));
      create table notes (id bigint, note varchar(9));
      alter vschema on customers add vindex hash(id);
      alter vschema on orders add vindex hash(customer_id);
      alter vschema on notes add vindex hash(id);
      insert into customers (id, email) values (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (6, 'f');
      insert into orders values (1, 1, 'x'), (4, 4, 'x'), (6, 6, 'x');
      insert into notes values (1, 'x'), (1, 'x'), (4, 'x'))");
  }

  void Run(const std::string& script) {
    const absl::Status status = cluster_.RunScript(Cat("use shop; ", script));
    ASSERT_TRUE(status.ok()) << status;
  }

  absl::Status Start(const std::vector<std::string>& sources,
                     const std::vector<std::string>& targets) {
    return cluster_.StartReshard({"shop", sources, targets});
  }

  void Reshard(const std::vector<std::string>& sources, const std::vector<std::string>& targets) {
    ASSERT_TRUE(Start(sources, targets).ok());
    ASSERT_TRUE(cluster_.SwitchTraffic("shop").ok());
  }

  // The first column of an answer, divided by blanks; or the error.
  std::string Ask(std::string_view target, std::string_view sql) {
    const absl::StatusOr<query::QueryResult> result = cluster_.Execute(target, sql);
    if (!result.ok()) return std::string(result.status().message());
    std::string text;
    for (const query::Row& row : result->rows()) {
      CatTo(&text, text.empty() ? "" : " ",
            row.values().substr(0, static_cast<size_t>(row.lengths(0))));
    }
    return text;
  }

  std::string Shards() { return Ask("shop", "show vitess_shards"); }

  Cluster cluster_;
};

TEST_F(ReshardTest, DividesRowsByTheTargetsKeyRanges) {
  Reshard({"-80"}, {"-40", "40-80"});
  EXPECT_EQ(Ask("shop:-40", "select id from customers order by id"), "1 2");
  EXPECT_EQ(Ask("shop:40-80", "select id from customers order by id"), "3");
  EXPECT_EQ(Ask("shop", "select id from customers order by id"), "1 2 3 4 6");
}

TEST_F(ReshardTest, JoinsRowsOfSeveralShards) {
  Reshard({"-80", "80-"}, {"-"});
  EXPECT_EQ(Ask("shop:-", "select id from customers order by id"), "1 2 3 4 6");
  EXPECT_EQ(Ask("shop:-", "select id from notes order by id"), "1 1 4");
}

TEST_F(ReshardTest, TurnsSeveralShardsIntoSeveral) {
  Reshard({"-80", "80-"}, {"-40", "40-c0", "c0-"});
  EXPECT_EQ(Ask("shop:40-c0", "select id from customers order by id"), "3");
  EXPECT_EQ(Ask("shop:c0-", "select id from customers order by id"), "4 6");
}

TEST_F(ReshardTest, FollowsTheSourcesUntilTrafficIsSwitched) {
  ASSERT_TRUE(Start({"-80", "80-"}, {"-40", "40-"}).ok());
  Run(R"(
    begin; insert into customers values (5, 'e'); update customers set email = 'z' where id = 1;
    delete from customers where id = 6; commit;
    update orders set customer_id = 3 where id = 1;
    delete from notes where id = 1 limit 1;
    update orders set id = 40 where id = 4)");
  const std::string customers = Ask("shop", "select id from customers order by id");
  const std::string orders = Ask("shop", "select id from orders order by id");
  ASSERT_TRUE(cluster_.SwitchTraffic("shop").ok());
  EXPECT_EQ(Ask("shop", "select id from customers order by id"), customers);
  EXPECT_EQ(Ask("shop", "select id from orders order by id"), orders);
  EXPECT_EQ(Ask("shop:-40", "select id from orders"), "");
  EXPECT_EQ(Ask("shop:-40", "select email from customers where id = 1"), "z");
  EXPECT_EQ(Ask("shop", "select id from notes order by id"), "1 4");
}

// Customer 4 is of the shard 80-, the others of -80.
TEST_F(ReshardTest, KeepsARowThatMovesBetweenShardsWhicheverOfThemIsFollowedFirst) {
  ASSERT_TRUE(Start({"-80", "80-"}, {"-"}).ok());

  Run("update orders set customer_id = 4 where id = 1; "
      "update orders set customer_id = 1 where id = 4");

  ASSERT_TRUE(cluster_.SwitchTraffic("shop").ok());
  EXPECT_EQ(Ask("shop", "select id from orders order by id"), "1 4 6");
  EXPECT_EQ(Ask("shop", "select customer_id from orders where id = 1"), "4");
  EXPECT_EQ(Ask("shop", "select customer_id from orders where id = 4"), "1");
}

TEST_F(ReshardTest, RunsDefinitionsInTheTargetsToo) {
  ASSERT_TRUE(Start({"-80", "80-"}, {"-"}).ok());
  Run(R"(
    alter table customers add column age int default 7 after id;
    insert into customers values (5, 1, 'e');
    create index by_email on customers (email);
    rename table notes to remarks;
    drop table orders;
    create table later (id bigint primary key);
    alter vschema on later add vindex hash(id);
    insert into later values (1), (4);
    truncate table remarks)");
  ASSERT_TRUE(cluster_.SwitchTraffic("shop").ok());
  EXPECT_EQ(Ask("shop:-", "select age from customers where id = 1"), "7");
  EXPECT_EQ(Ask("shop:-", "select age from customers where id = 5"), "1");
  EXPECT_EQ(Ask("shop:-", "select id from later order by id"), "1 4");
  EXPECT_EQ(Ask("shop:-", "select id from remarks"), "");
  EXPECT_THAT(Ask("shop:-", "select id from orders"), testing::HasSubstr("doesn't exist"));
}

TEST_F(ReshardTest, ListsTheServingShardsAlone) {
  ASSERT_TRUE(Start({"-80"}, {"-40", "40-80"}).ok());
  EXPECT_EQ(Shards(), "shop/-80 shop/80-");
  ASSERT_TRUE(cluster_.SwitchTraffic("shop").ok());
  EXPECT_EQ(Shards(), "shop/-40 shop/40-80 shop/80-");
  ASSERT_TRUE(cluster_.CompleteReshard("shop").ok());
  EXPECT_EQ(Shards(), "shop/-40 shop/40-80 shop/80-");
}

TEST_F(ReshardTest, HasNoTabletForStatementsToShardsThatDoNotServe) {
  ASSERT_TRUE(Start({"-80", "80-"}, {"-"}).ok());
  EXPECT_THAT(Ask("shop:-@primary", "select @@global.gtid_executed"),
              testing::HasSubstr("no healthy tablet available"));
  ASSERT_TRUE(cluster_.SwitchTraffic("shop").ok());
  EXPECT_THAT(Ask("shop:-80@replica", "select @@global.gtid_executed"),
              testing::HasSubstr("no healthy tablet available"));
  EXPECT_THAT(Ask("shop:-@primary", "select @@global.gtid_executed"), testing::HasSubstr(":1-"));
}

TEST_F(ReshardTest, EndsTransactionsThatWereOpenOnASource) {
  Cluster::Session session;
  session.target = "shop";
  ASSERT_TRUE(cluster_.Execute(session, "begin").ok());
  ASSERT_TRUE(cluster_.Execute(session, "delete from customers where id = 1").ok());
  Reshard({"-80"}, {"-40", "40-80"});
  ASSERT_TRUE(cluster_.CompleteReshard("shop").ok());
  EXPECT_EQ(cluster_.Execute(session, "commit").status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Ask("shop:-40", "select id from customers order by id"), "1 2");
}

TEST_F(ReshardTest, CanBeRepeated) {
  Reshard({"-80", "80-"}, {"-"});
  ASSERT_TRUE(cluster_.CompleteReshard("shop").ok());
  Reshard({"-"}, {"-80", "80-"});
  ASSERT_TRUE(cluster_.CompleteReshard("shop").ok());
  Run("insert into customers values (5, 'e')");
  EXPECT_EQ(Ask("shop", "select id from customers order by id"), "1 2 3 4 5 6");
  EXPECT_EQ(Shards(), "shop/-80 shop/80-");
}

TEST_F(ReshardTest, RefusesWhatDoesNotFit) {
  EXPECT_EQ(Start({"-80"}, {"-40", "60-80"}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Start({"-80"}, {"-40"}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Start({"-80"}, {"-80"}).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Start({"-40"}, {"-20", "20-40"}).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(cluster_.SwitchTraffic("shop").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(cluster_.CompleteReshard("shop").code(), absl::StatusCode::kNotFound);
}

TEST_F(ReshardTest, NeedsAVindexForEachTable) {
  Run("create table lost (id bigint primary key)");
  ASSERT_TRUE(cluster_.Execute("shop:-80", "insert into lost values (1)").ok());
  EXPECT_THAT(std::string(Start({"-80"}, {"-40", "40-80"}).message()),
              testing::HasSubstr("'lost' does not have a primary vindex"));
  EXPECT_EQ(Shards(), "shop/-80 shop/80-");
  Run("drop table lost");
  EXPECT_TRUE(Start({"-80"}, {"-40", "40-80"}).ok());
}

class ReshardOfOneShardTest : public ReshardTest {
 protected:
  ReshardOfOneShardTest() : ReshardTest("shards ('0')") {}
};

TEST_F(ReshardOfOneShardTest, ShardsAKeyspaceThatWasNot) {
  ASSERT_TRUE(Start({"0"}, {"-80", "80-"}).ok());
  Run("insert into customers values (5, 'e')");
  EXPECT_EQ(Shards(), "shop/0");
  ASSERT_TRUE(cluster_.SwitchTraffic("shop").ok());
  Run("insert into customers values (7, 'g'), (8, 'h')");
  EXPECT_EQ(Ask("shop", "select id from customers order by id"), "1 2 3 4 5 6 7 8");
  EXPECT_EQ(Ask("shop:80-", "select id from customers order by id"), "4 6 7 8");
}

class ReshardOnOneServerTest : public ReshardTest {
 protected:
  ReshardOnOneServerTest() : ReshardTest("shards ('-80', '80-') on one server") {}
};

TEST_F(ReshardOnOneServerTest, LogsTheTargetsInTheSameLog) {
  ASSERT_TRUE(Start({"-80", "80-"}, {"-"}).ok());
  Run("insert into customers values (5, 'e'); delete from customers where id = 1");
  ASSERT_TRUE(cluster_.SwitchTraffic("shop").ok());
  EXPECT_EQ(Ask("shop:-", "select id from customers order by id"), "2 3 4 5 6");
}

}  // namespace
}  // namespace source_vitess::simulator
