// Several connections, each over some of the shards, deliver the whole together
// (docs/scaling-out.md).
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "harness/connector.h"
#include "harness/destination.h"
#include "tests/database.h"
#include "tests/simulated_shop.h"

namespace source_vitess::integration_tests {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using Shards = std::vector<std::string>;

// A keyspace of four shards that several connections read into one destination.
class ScalingOutTest : public ::testing::Test, public Database {
 protected:
  // One of the connections, with a state of its own.
  struct Connection {
    std::unique_ptr<harness::Connector> connector;
    std::unique_ptr<harness::Destination> own;  // what this one alone delivered, and its state
  };

  ScalingOutTest() : Database("shop"), shop_({}, {"-40", "40-80", "80-c0", "c0-"}) {
    const auto connector = harness::Connector::Make(SOURCE_VITESS_PROGRAM,
                                                    harness::MakeConfig(shop_.port(), {"shop"}));
    EXPECT_TRUE(connector.ok()) << connector.status();
    Discover(**connector);
  }

  absl::StatusOr<query::QueryResult> Query(std::string_view target, std::string_view sql) override {
    return cluster().Execute(target, sql);
  }

  simulator::Cluster& cluster() { return shop_.simulator().cluster(); }

  // Takes the tables that there are into the catalog of the connections that are made from then on.
  void Discover(harness::Connector& connector) {
    const auto discovered = connector.DiscoverCatalog();
    ASSERT_TRUE(discovered.ok()) << discovered.status();
    auto catalog = harness::ConfigureCatalog(*discovered);
    ASSERT_TRUE(catalog.ok()) << catalog.status();
    catalog_ = *std::move(catalog);
    together_ = std::make_unique<harness::Destination>(catalog_);
  }

  static std::unique_ptr<harness::Connector> MakeConnector(
      int port, const Shards& shards, std::map<std::string, std::string> more) {
    more["shards"] = absl::StrCat(R"([")", absl::StrJoin(shards, R"(",")"), R"("])");
    auto connector =
        harness::Connector::Make(SOURCE_VITESS_PROGRAM, harness::MakeConfig(port, {"shop"}, more));
    EXPECT_TRUE(connector.ok()) << connector.status();
    return *std::move(connector);
  }

  Connection Connect(const Shards& shards) {
    return {MakeConnector(shop_.port(), shards, {}),
            std::make_unique<harness::Destination>(catalog_)};
  }

  // Gives a connection other shards, as its user does after a reshard.
  void Reconfigure(Connection& connection, const Shards& shards,
                   const std::map<std::string, std::string>& more = {}) {
    connection.connector = MakeConnector(shop_.port(), shards, more);
  }

  // One run of the connection; its records also go to the destination that all share.
  int Read(Connection& connection) {
    const auto run = connection.connector->Read(catalog_, connection.own->StateFile());
    EXPECT_TRUE(run.ok()) << run.status();
    if (!run.ok()) return -1;
    connection.own->AcceptRun(*run);
    together_->AcceptRun(*run);
    return run->exit.exit_code.value_or(-1);
  }

  void Fill(int first, int last) {
    for (const std::string& sql : RowsOfEveryTable(first, last)) Execute(sql);
  }

  void Write(int last) {
    Execute(absl::StrCat("delete from customers where id <= ", last / 4));
    Execute(absl::StrCat("update notes set body = 'new' where id <= ", last / 3));
    Execute(absl::StrCat("delete from orders where customer_id <= ", last / 5));
    Fill(last + 1, last + 10);
  }

  std::vector<std::string> DifferencesOf(const std::string& table) {
    std::set<std::string> destination;
    for (const auto& [key, row] : together_->Rows("shop", table)) destination.insert(row);
    return DifferencesBetween(table, RowsOf(table, ColumnsOf(table)), destination);
  }

  void ExpectWhole() {
    for (const std::string& table : Tables()) EXPECT_THAT(DifferencesOf(table), IsEmpty());
  }

  void Reshard(const Shards& sources, const Shards& targets) {
    ASSERT_TRUE(cluster().StartReshard({"shop", sources, targets}).ok());
    Write(40);
    ASSERT_TRUE(cluster().SwitchTraffic("shop").ok());
    Write(50);
  }

  SimulatedShop shop_;
  std::string catalog_;
  std::unique_ptr<harness::Destination> together_;
};

TEST_F(ScalingOutTest, ConnectionsOverDisjointShardsDeliverTheWhole) {
  Fill(1, 40);
  std::vector<Connection> connections;
  for (const Shards& shards : {Shards{"-40"}, Shards{"40-80"}, Shards{"80-c0", "c0-"}}) {
    connections.push_back(Connect(shards));
  }
  for (Connection& connection : connections) EXPECT_EQ(Read(connection), 0);
  ExpectWhole();

  Write(40);
  for (Connection& connection : connections) EXPECT_EQ(Read(connection), 0);

  ExpectWhole();
  for (const std::string& table : Tables()) {
    size_t rows = 0;
    for (const Connection& connection : connections) {
      rows += connection.own->Rows("shop", table).size();
      EXPECT_THAT(connection.own->violations(), IsEmpty());
    }
    EXPECT_EQ(rows, together_->Rows("shop", table).size()) << table << " was delivered twice";
  }
}

TEST_F(ScalingOutTest, OneConnectionThatFailsLeavesTheOthersAlone) {
  Fill(1, 40);
  Connection low = Connect({"-40", "40-80"});
  Connection high = Connect({"80-c0", "c0-"});
  for (Connection* connection : {&low, &high}) ASSERT_EQ(Read(*connection), 0);
  Write(40);
  Reconfigure(low, {"nothing"});

  EXPECT_EQ(Read(low), 1);
  EXPECT_EQ(Read(high), 0);

  Reconfigure(low, {"-40", "40-80"});
  EXPECT_EQ(Read(low), 0);
  ExpectWhole();
}

TEST_F(ScalingOutTest, AReshardWithinASetIsFollowedOnceTheOptionNamesTheNewShards) {
  Fill(1, 40);
  Connection low = Connect({"-40", "40-80"});
  Connection high = Connect({"80-c0", "c0-"});
  for (Connection* connection : {&low, &high}) ASSERT_EQ(Read(*connection), 0);
  Reshard({"-40"}, {"-20", "20-40"});

  EXPECT_EQ(Read(low), 1) << "It would read less than it is told to";
  EXPECT_THAT(low.own->trace_errors(), Each(AllOf(HasSubstr("shards"), HasSubstr("-20, 20-40"))));
  EXPECT_THAT(low.own->trace_errors(), Not(IsEmpty()));
  EXPECT_EQ(Read(high), 0);

  Reconfigure(low, {"-20", "20-40", "40-80"});
  EXPECT_EQ(Read(low), 0);
  ExpectWhole();
  ASSERT_TRUE(cluster().CompleteReshard("shop").ok());
  Write(60);
  for (Connection* connection : {&low, &high}) EXPECT_EQ(Read(*connection), 0);
  ExpectWhole();
}

TEST_F(ScalingOutTest, AMergeWithinASetIsFollowedOnceTheOptionNamesTheNewShard) {
  Fill(1, 40);
  Connection low = Connect({"-40", "40-80"});
  Connection high = Connect({"80-c0", "c0-"});
  for (Connection* connection : {&low, &high}) ASSERT_EQ(Read(*connection), 0);
  Reshard({"80-c0", "c0-"}, {"80-"});

  Reconfigure(high, {"80-"});
  for (Connection* connection : {&low, &high}) EXPECT_EQ(Read(*connection), 0);

  ExpectWhole();
}

TEST_F(ScalingOutTest, AMergeOverSetsIsALostPosition) {
  Fill(1, 40);
  Connection low = Connect({"-40", "40-80"});
  Connection high = Connect({"80-c0", "c0-"});
  for (Connection* connection : {&low, &high}) ASSERT_EQ(Read(*connection), 0);
  Reshard({"40-80", "80-c0"}, {"40-c0"});

  Reconfigure(low, {"-40", "40-c0"});
  EXPECT_EQ(Read(low), 1);
  EXPECT_THAT(low.own->trace_errors(),
              Each(HasSubstr("the option shards leaves some of them out")));
  EXPECT_THAT(low.own->trace_errors(), Not(IsEmpty()));

  // What helps: one of the two takes the merged shard, and copies its tables again.
  Reconfigure(low, {"-40", "40-c0"}, {{"lost_position", R"("copy_again")"}});
  Reconfigure(high, {"c0-"});
  for (Connection* connection : {&low, &high}) EXPECT_EQ(Read(*connection), 0);
  for (const std::string& table : Tables()) {
    EXPECT_THAT(DifferencesOf(table), Not(testing::Contains(HasSubstr("missing"))));
  }
}

// Its primary vindex is not part of the key, so that a row can move.
TEST_F(ScalingOutTest, ARowThatMovesBetweenSetsEndsWhereItIsWhenTheyAreReadInTurn) {
  Execute("create table parcels (id bigint not null, region bigint not null, primary key (id))");
  Execute("alter vschema on shop.parcels add vindex hash(region)");
  for (int id = 1; id <= 40; ++id) {
    Execute(absl::StrCat("insert into parcels values (", id, ", ", id, ")"));
  }
  Connection any = Connect({"-40"});
  Discover(*any.connector);
  Connection low = Connect({"-40", "40-80"});
  Connection high = Connect({"80-c0", "c0-"});
  for (Connection* connection : {&low, &high}) ASSERT_EQ(Read(*connection), 0);
  for (int round = 1; round <= 4; ++round) {
    for (int id = 1; id <= 40; ++id) {
      Execute(absl::StrCat("update parcels set region = region + 1 where id = ", id));
    }
    Execute(absl::StrCat("delete from parcels where id = ", round));
    std::vector<Connection*> order = {&low, &high};
    if (round % 2 == 0) std::reverse(order.begin(), order.end());
    for (Connection* connection : order) EXPECT_EQ(Read(*connection), 0);

    EXPECT_THAT(DifferencesOf("parcels"), IsEmpty()) << "round " << round;
  }
}

}  // namespace
}  // namespace source_vitess::integration_tests
