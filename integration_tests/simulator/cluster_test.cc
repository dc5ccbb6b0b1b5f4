#include "simulator/cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulator/result_table.h"

namespace source_vitess::simulator {
namespace {

class ClusterTest : public testing::Test {
 protected:
  ClusterTest() {
    Run(R"(
      create keyspace customer shards ('-80', '80-');
      create keyspace commerce;
      use customer;
      create table customers (id bigint primary key, email varchar(20) not null, note text);
      create table orders (id bigint, customer_id bigint, primary key (customer_id, id));
      alter vschema on customers add vindex hash(id);
      alter vschema on orders add vindex hash(customer_id);
      insert into customers (id, email) values (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'))");
  }

  void Run(std::string_view script) {
    const absl::Status status = cluster_.RunScript(script);
    ASSERT_TRUE(status.ok()) << status;
  }

  // The values of an answer's rows, divided by blanks, one row a line.
  std::string Ask(std::string_view target, std::string_view sql) {
    const absl::StatusOr<query::QueryResult> result = cluster_.Execute(target, sql);
    if (!result.ok()) return std::string(result.status().message());
    std::string text;
    for (const query::Row& row : result->rows()) {
      size_t offset = 0;
      for (int i = 0; i < row.lengths_size(); ++i) {
        const auto length = static_cast<size_t>(std::max<int64_t>(row.lengths(i), 0));
        text += (i > 0 ? " " : "") +
                (row.lengths(i) < 0 ? "NULL" : row.values().substr(offset, length));
        offset += length;
      }
      text += "\n";
    }
    return text;
  }

  int64_t Transactions(std::string_view shard) {
    return cluster_.Executed("customer", shard)->CountNotIn(vitess::GtidSet());
  }

  Cluster cluster_;
};

TEST_F(ClusterTest, RoutesRowsByTheVindex) {
  EXPECT_EQ(Ask("customer:-80", "select id from customers"), "1\n2\n3\n");
  EXPECT_EQ(Ask("customer:80-", "select id from customers"), "4\n");
  EXPECT_EQ(Ask("customer", "select count(*) from customers"), "4\n");
}

TEST_F(ClusterTest, FiltersOrdersAndLimits) {
  EXPECT_EQ(
      Ask("customer",
          "select id, email from customers where id between 2 and 4 order by id desc limit 2"),
      "4 d\n3 c\n");
  EXPECT_EQ(Ask("customer", "select id from customers where (id, email) in ((1, 'a'), (4, 'x'))"),
            "1\n");
  EXPECT_EQ(Ask("customer", "select id from customers where note is null and email like 'B%'"),
            "2\n");
}

TEST_F(ClusterTest, CommitsATransactionOncePerShard) {
  const int64_t first = Transactions("-80");
  const int64_t second = Transactions("80-");
  Run("use customer; begin; insert into customers values (5, 'e', null); update customers set "
      "email = 'x';"
      "delete from customers where id = 1; commit");
  EXPECT_EQ(Transactions("-80"), first + 1);
  EXPECT_EQ(Transactions("80-"), second + 1);
  EXPECT_EQ(Ask("customer", "select id, email from customers order by id"), "2 x\n3 x\n4 x\n5 x\n");
}

TEST_F(ClusterTest, ShowsUncommittedRowsToTheirSessionOnly) {
  Cluster::Session session;
  session.target = "customer";
  ASSERT_TRUE(cluster_.Execute(session, "begin").ok());
  ASSERT_TRUE(cluster_.Execute(session, "delete from customers where id < 4").ok());
  EXPECT_EQ(cluster_.Execute(session, "select id from customers")->rows_size(), 1);
  EXPECT_EQ(Ask("customer", "select count(*) from customers"), "4\n");
  ASSERT_TRUE(cluster_.Execute(session, "rollback").ok());
  EXPECT_EQ(cluster_.Execute(session, "select id from customers")->rows_size(), 4);
}

TEST_F(ClusterTest, UndoesAFailedStatementAlone) {
  Cluster::Session session;
  session.target = "customer";
  ASSERT_TRUE(cluster_.Execute(session, "begin").ok());
  ASSERT_TRUE(cluster_.Execute(session, "insert into customers values (5, 'e', null)").ok());
  EXPECT_FALSE(
      cluster_.Execute(session, "insert into customers values (6, 'f', null), (1, 'again', null)")
          .ok());
  ASSERT_TRUE(cluster_.Execute(session, "commit").ok());
  EXPECT_EQ(Ask("customer", "select id from customers order by id"), "1\n2\n3\n4\n5\n");
}

TEST_F(ClusterTest, AbortsATransactionWhoseRowsAnotherHasChanged) {
  Cluster::Session session;
  session.target = "customer";
  ASSERT_TRUE(cluster_.Execute(session, "begin").ok());
  ASSERT_TRUE(cluster_.Execute(session, "update customers set email = 'mine' where id = 1").ok());
  Run("use customer; update customers set email = 'theirs' where id = 1");
  EXPECT_EQ(cluster_.Execute(session, "commit").status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Ask("customer", "select email from customers where id = 1"), "theirs\n");
}

TEST_F(ClusterTest, MovesARowWhoseVindexColumnChanges) {
  Run("use customer; insert into orders values (1, 1); update orders set customer_id = 4 where id "
      "= 1");
  EXPECT_EQ(Ask("customer:-80", "select count(*) from orders"), "0\n");
  EXPECT_EQ(Ask("customer:80-", "select id, customer_id from orders"), "1 4\n");
}

class ReferenceTableTest : public ClusterTest {
 protected:
  ReferenceTableTest() {
    Run(R"(use customer;
      create table countries (code char(2) primary key, name varchar(20));
      alter vschema add reference countries;
      insert into countries values ('de', 'Germany'), ('fr', 'France'))");
  }
};

TEST_F(ReferenceTableTest, HasAllRowsInEveryShard) {
  EXPECT_EQ(Ask("customer:-80", "select code from countries"), "de\nfr\n");
  EXPECT_EQ(Ask("customer:80-", "select code from countries"), "de\nfr\n");
  EXPECT_EQ(Ask("customer", "select count(*) from countries"), "2\n");
}

TEST_F(ReferenceTableTest, ChangesInEveryShard) {
  Run("use customer; update countries set name = 'x' where code = 'de'; delete from countries "
      "where code = 'fr'");
  EXPECT_EQ(Ask("customer:-80", "select code, name from countries"), "de x\n");
  EXPECT_EQ(Ask("customer:80-", "select code, name from countries"), "de x\n");
}

TEST_F(ReferenceTableTest, GoesWholeToEachTargetOfAReshard) {
  ASSERT_TRUE(cluster_.StartReshard({"customer", {"-80", "80-"}, {"-40", "40-"}}).ok());
  Run("use customer; insert into countries values ('it', 'Italy'); delete from countries where "
      "code = 'fr'");
  ASSERT_TRUE(cluster_.SwitchTraffic("customer").ok());
  EXPECT_EQ(Ask("customer:-40", "select code from countries"), "de\nit\n");
  EXPECT_EQ(Ask("customer:40-", "select code from countries"), "de\nit\n");
}

TEST_F(ReferenceTableTest, IsATableWithoutVindex) {
  EXPECT_EQ(Ask("customer", "show vschema tables"), "countries\ncustomers\norders\n");
  EXPECT_EQ(Ask("customer", "show vschema vindexes on countries"), "");
  EXPECT_EQ(Ask("commerce", "show vschema vindexes on customer.orders"),
            "customer_id hash hash  \n");
  EXPECT_EQ(Ask("customer", "show vschema vindexes on nope"),
            "VT05005: table 'nope' does not exist in keyspace 'customer'");
  EXPECT_EQ(Ask("customer", "show vschema keyspaces"),
            "customer true unmanaged \ncommerce false unmanaged \n");
}

TEST_F(ClusterTest, RefusesADuplicateKeyInMysqlsWords) {
  EXPECT_THAT(Ask("customer", "insert into customers values (1, 'again', null)"),
              testing::HasSubstr("Duplicate entry '1' for key 'customers.PRIMARY' (errno 1062)"));
}

TEST_F(ClusterTest, ReplacesAndUpdatesOnDuplicateKeys) {
  Run("use customer; replace into customers values (1, 'new', null);"
      "insert into customers values (2, 'ignored', 'n') on duplicate key update note = "
      "values(note)");
  EXPECT_EQ(Ask("customer", "select email, note from customers where id <= 2 order by id"),
            "new NULL\nb n\n");
}

TEST_F(ClusterTest, KeepsRowsWhenColumnsComeAndGo) {
  Run("use customer; alter table customers add column age int not null default 7 after id, drop "
      "column note");
  EXPECT_EQ(Ask("customer", "select * from customers where id = 1"), "1 7 a\n");
  Run("use customer; rename table customers to people; truncate table orders");
  EXPECT_EQ(Ask("customer", "select count(*) from people"), "4\n");
  EXPECT_EQ(Ask("customer", "select * from customers"), "table customers not found");
}

TEST_F(ClusterTest, LogsNothingForAnUpdateThatChangesNothing) {
  const int64_t before = Transactions("-80");
  Run("use customer; update customers set email = 'a' where id = 1");
  EXPECT_EQ(Transactions("-80"), before);
}

TEST_F(ClusterTest, CountsAgainAsAnotherServerAfterAFailover) {
  const vitess::GtidSet before = *cluster_.Executed("customer", "-80");
  ASSERT_TRUE(cluster_.FailOver("customer", "-80").ok());
  Run("use customer; delete from customers where id = 1");
  const vitess::GtidSet after = *cluster_.Executed("customer", "-80");
  EXPECT_TRUE(after.Contains(before));
  EXPECT_EQ(after.servers().size(), 2U);
}

TEST_F(ClusterTest, NamesTheStatementThatFailsInAScript) {
  const absl::Status status = cluster_.RunScript("use customer; select * from nope");
  EXPECT_EQ(status.message(), "table nope not found, in: select * from nope");
}

TEST(ResultTableTest, AlignsColumns) {
  Cluster cluster;
  ASSERT_TRUE(
      cluster
          .RunScript("create keyspace ks; use ks; create table t (a int primary key, b varchar(9));"
                     "insert into t values (1, 'é'), (20, null)")
          .ok());
  EXPECT_EQ(ResultTable(*cluster.Execute("ks", "select * from t")),
            "a   b\n--  ----\n1   é\n20  NULL\n");
  EXPECT_EQ(ResultTable(*cluster.Execute("ks", "delete from t")), "2 rows affected\n");
}

}  // namespace
}  // namespace source_vitess::simulator
