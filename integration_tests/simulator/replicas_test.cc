// Replicas that lag behind their primary, and tablets whose binary logs were purged differently.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "simulator/event_sequence.h"
#include "simulator/simulator.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

class ReplicasTest : public testing::Test {
 protected:
  ReplicasTest() : simulator_(Options()) {
    Run(R"(create keyspace shop shards ('0') tablets (primary, replica);
      use shop; create table t (id bigint primary key); insert into t values (1), (2))");
    EXPECT_TRUE(simulator_.Start().ok());
  }

  static SimulatorOptions Options() {
    SimulatorOptions options;
    options.service.streams.no_tablet_timeout = absl::Milliseconds(50);
    return options;
  }

  void Run(const std::string& script) {
    const absl::Status status = cluster().RunScript(script);
    ASSERT_TRUE(status.ok()) << status;
  }

  void Insert(int id) { Run(Cat("use shop; insert into t values (", id, ")")); }

  std::string Position(topodata::TabletType type) {
    return cluster().Executed("shop", "0", type)->ToPosition();
  }

  void SetReplicating(bool replicating) {
    ASSERT_TRUE(cluster().SetReplicating("shop", "0", topodata::REPLICA, replicating).ok());
  }

  static vtgate::VStreamRequest Request(topodata::TabletType type, const std::string& position) {
    vtgate::VStreamRequest request;
    request.set_tablet_type(type);
    binlogdata::ShardGtid& shard = *request.mutable_vgtid()->add_shard_gtids();
    shard.set_keyspace("shop");
    shard.set_shard("0");
    shard.set_gtid(position);
    binlogdata::Rule& rule = *request.mutable_filter()->add_rules();
    rule.set_match("t");
    rule.set_filter("select * from t");
    return request;
  }

  std::string Ask(const char* target, const char* sql) {
    const absl::StatusOr<query::QueryResult> result = cluster().Execute(target, sql);
    if (!result.ok()) return std::string(result.status().message());
    std::string text;
    for (const query::Row& row : result->rows()) CatTo(&text, row.values());
    return text;
  }

  static std::string Rows(const Responses& responses) {
    std::string ids;
    for (const vtgate::VStreamResponse& response : responses) {
      for (const binlogdata::VEvent& event : response.events()) {
        for (const binlogdata::RowChange& change : event.row_event().row_changes())
          ids += change.after().values();
      }
    }
    return ids;
  }

  Cluster& cluster() { return simulator_.cluster(); }

  Simulator simulator_;
};

TEST_F(ReplicasTest, StaysBehindUntilItReplicatesAgain) {
  const std::string before = Position(topodata::PRIMARY);
  SetReplicating(false);
  Insert(3);
  EXPECT_EQ(Position(topodata::REPLICA), before);
  EXPECT_NE(Position(topodata::PRIMARY), before);
  EXPECT_EQ(Ask("shop:0@replica", "select id from t"), "12");
  EXPECT_EQ(Ask("shop:0@primary", "select id from t"), "123");
  EXPECT_NE(Ask("shop:0@replica", "select @@global.gtid_executed"),
            Ask("shop:0@primary", "select @@global.gtid_executed"));
  SetReplicating(true);
  EXPECT_EQ(Position(topodata::REPLICA), Position(topodata::PRIMARY));
  EXPECT_EQ(Ask("shop:0@replica", "select id from t"), "123");
}

TEST_F(ReplicasTest, StreamsWhatItHasAndTheRestOnceItReplicatesAgain) {
  const std::string start = Position(topodata::PRIMARY);
  Insert(3);
  SetReplicating(false);
  Insert(4);
  StreamReader reader(simulator_.address(), Request(topodata::REPLICA, start));
  reader.ReadEvents(5);
  StreamReader primary(simulator_.address(), Request(topodata::PRIMARY, start));
  primary.ReadEvents(9);
  EXPECT_EQ(Rows(reader.responses()), "3");
  SetReplicating(true);
  reader.ReadEvents(9);
  EXPECT_EQ(Rows(reader.responses()), "34");
}

TEST_F(ReplicasTest, CopiesWhatItHas) {
  SetReplicating(false);
  Insert(3);
  Run("use shop; alter table t add column note int");
  StreamReader reader(simulator_.address(), Request(topodata::REPLICA, ""));
  reader.ReadEvents(11);
  EXPECT_EQ(Rows(reader.responses()), "12");
  EXPECT_EQ(reader.responses()[0].events(1).field_event().fields_size(), 1);
  EXPECT_EQ(reader.responses()[1].events(0).vgtid().shard_gtids(0).gtid(),
            Position(topodata::REPLICA));
}

TEST_F(ReplicasTest, CannotStreamFromThePrimarysPositionWhileItIsBehind) {
  SetReplicating(false);
  Insert(3);
  StreamReader reader(simulator_.address(),
                      Request(topodata::REPLICA, Position(topodata::PRIMARY)));
  EXPECT_EQ(reader.Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(ReplicasTest, CanHavePurgedWhatThePrimaryHas) {
  const std::string start = Position(topodata::PRIMARY);
  Insert(3);
  ASSERT_TRUE(cluster().PurgeLogs("shop", "0", topodata::REPLICA).ok());
  EXPECT_EQ(Ask("shop:0@primary", "select @@global.gtid_purged"), "");
  EXPECT_EQ(Cat("MySQL56/", Ask("shop:0@replica", "select @@global.gtid_purged")),
            Position(topodata::PRIMARY));
  StreamReader replica(simulator_.address(), Request(topodata::REPLICA, start));
  EXPECT_EQ(replica.Finish().error_code(), grpc::StatusCode::CANCELLED);
  StreamReader primary(simulator_.address(), Request(topodata::PRIMARY, start));
  primary.ReadEvents(5);
  EXPECT_EQ(Rows(primary.responses()), "3");
}

TEST_F(ReplicasTest, CanHaveWhatThePrimaryPurged) {
  const std::string start = Position(topodata::PRIMARY);
  Insert(3);
  ASSERT_TRUE(cluster().PurgeLogs("shop", "0", topodata::PRIMARY).ok());
  StreamReader primary(simulator_.address(), Request(topodata::PRIMARY, start));
  EXPECT_EQ(primary.Finish().error_code(), grpc::StatusCode::CANCELLED);
  StreamReader replica(simulator_.address(), Request(topodata::REPLICA, start));
  replica.ReadEvents(5);
  EXPECT_EQ(Rows(replica.responses()), "3");
}

TEST_F(ReplicasTest, IsNoPrimary) {
  EXPECT_EQ(cluster().SetReplicating("shop", "0", topodata::PRIMARY, false).code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace source_vitess::simulator
