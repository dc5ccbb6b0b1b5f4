#include "simulator/tcp_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "simulator/event_sequence.h"
#include "simulator/recorded_cluster.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

class TcpLinkTest : public testing::Test {
 protected:
  TcpLinkTest() : link_(*TcpLink::Open(cluster_.address())) {
    for (int id = 1; id <= 40; ++id)
      cluster_.Run(Cat("insert into strpk values ('", id, "', repeat('x', 60000))"));
  }

  std::string address() const { return Cat("127.0.0.1:", link_->port()); }

  static vtgate::VStreamRequest Request() {
    vtgate::VStreamRequest request;
    binlogdata::ShardGtid& shard = *request.mutable_vgtid()->add_shard_gtids();
    shard.set_keyspace("customer");
    shard.set_shard("-80");
    binlogdata::Rule& rule = *request.mutable_filter()->add_rules();
    rule.set_match("strpk");
    rule.set_filter("select * from `strpk`");
    return request;
  }

  static void ReadToCompletion(StreamReader& reader) {
    while (reader.ReadMessage()) {
      const vtgate::VStreamResponse& last = reader.responses().back();
      if (last.events(last.events_size() - 1).type() == binlogdata::COPY_COMPLETED) return;
    }
    FAIL() << "ended";
  }

  RecordedCluster cluster_;
  std::unique_ptr<TcpLink> link_;
};

TEST_F(TcpLinkTest, PassesEverythingOn) {
  StreamReader direct(cluster_.address(), Request());
  ReadToCompletion(direct);
  StreamReader reader(address(), Request());
  ReadToCompletion(reader);
  EXPECT_EQ(CountEvents(reader.responses()), CountEvents(direct.responses()));
  EXPECT_EQ(link_->connections(), 1U);
}

TEST_F(TcpLinkTest, IsCutInTheMiddleOfAMessageOnce) {
  StreamReader reader(address(), Request());
  ASSERT_TRUE(reader.ReadMessage());
  link_->CutAfter(10);
  cluster_.Run("insert into strpk values ('100', 'a')");
  EXPECT_EQ(reader.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_GT(CountEvents(reader.responses()), 0U);
  StreamReader again(address(), Request());
  ReadToCompletion(again);
}

TEST_F(TcpLinkTest, LetsNothingThroughWhileFrozen) {
  StreamReader reader(address(), Request());
  ReadToCompletion(reader);
  link_->SetFrozen(true);
  const uint64_t before = link_->bytes_from_server();
  cluster_.Run("insert into strpk values ('100', 'a'), ('101', 'b'), ('102', 'c'), ('103', 'd')");
  StreamReader direct(cluster_.address(), Request());
  ReadToCompletion(direct);
  EXPECT_EQ(link_->bytes_from_server(), before);
  link_->SetFrozen(false);
  EXPECT_TRUE(reader.ReadMessage());
}

TEST_F(TcpLinkTest, RefusesAndIsBackAtTheSamePort) {
  StreamReader reader(address(), Request());
  ReadToCompletion(reader);
  link_->SetRefusing(true);
  EXPECT_EQ(reader.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  StreamReader refused(address(), Request());
  EXPECT_EQ(refused.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  link_->SetRefusing(false);
  StreamReader again(address(), Request());
  ReadToCompletion(again);
}

}  // namespace
}  // namespace source_vitess::simulator
