// What older Vitesses lack, so far as a client can see it (reference 1.5, 4.1, 4.3, 4.4, 5.2, 7,
// 8).
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

using testing::HasSubstr;

class VersionsTest : public testing::TestWithParam<int> {
 protected:
  VersionsTest() : simulator_(Options()) {
    Run(R"(create keyspace shop shards ('0'); use shop;
      create table t (id bigint primary key, kind enum('a', 'b'), name varchar(9) charset latin1);
      insert into t values (1, 'a', 'x'))");
    position_ = cluster().Executed("shop", "0")->ToPosition();
    EXPECT_TRUE(simulator_.Start().ok());
  }

  static SimulatorOptions Options() {
    SimulatorOptions options;
    options.cluster.version = VersionProfile::Of(GetParam());
    options.service.streams.no_tablet_timeout = absl::Milliseconds(20);
    options.service.streams.second = absl::Milliseconds(20);
    return options;
  }

  void Run(const std::string& script) {
    const absl::Status status = cluster().RunScript(script);
    ASSERT_TRUE(status.ok()) << status;
  }

  vtgate::VStreamRequest Request() {
    vtgate::VStreamRequest request;
    binlogdata::ShardGtid& shard = *request.mutable_vgtid()->add_shard_gtids();
    shard.set_keyspace("shop");
    shard.set_shard("0");
    shard.set_gtid(position_);
    binlogdata::Rule& rule = *request.mutable_filter()->add_rules();
    rule.set_match("t");
    rule.set_filter("select * from t");
    return request;
  }

  // The events of the next transaction after the start: BEGIN, FIELD, ROW, VGTID, COMMIT.
  std::vector<binlogdata::VEvent> Transaction(const vtgate::VStreamRequest& request) {
    StreamReader reader(simulator_.address(), request);
    EXPECT_TRUE(reader.ReadMessage());
    const auto& events = reader.responses()[0].events();
    return {events.begin(), events.end()};
  }

  grpc::Status End(const vtgate::VStreamRequest& request) {
    return StreamReader(simulator_.address(), request).Finish();
  }

  static bool Since(int version) { return GetParam() >= version; }

  Cluster& cluster() { return simulator_.cluster(); }

  Simulator simulator_;
  std::string position_;
};

INSTANTIATE_TEST_SUITE_P(All, VersionsTest, testing::Values(18, 20, 22, 23, 24, 25),
                         testing::PrintToStringParamName());

TEST_P(VersionsTest, TellItselfInItsComment) {
  const absl::StatusOr<query::QueryResult> answer =
      cluster().Execute("shop", "select @@version_comment");
  EXPECT_THAT(answer->rows(0).values(), testing::StartsWith(Cat("Version: ", GetParam(), ".0.0")));
}

TEST_P(VersionsTest, SendLabelsOrNumbersOfAnEnum) {
  Run("use shop; insert into t values (2, 'b', 'y')");
  const std::vector<binlogdata::VEvent> events = Transaction(Request());
  EXPECT_EQ(events[2].row_event().row_changes(0).after().values(), Since(20) ? "2by" : "22y");
  EXPECT_EQ(events[1].field_event().enum_set_string_values(), Since(20));
}

TEST_P(VersionsTest, TellAColumnsCollation) {
  Run("use shop; insert into t values (2, 'b', 'y')");
  const std::vector<binlogdata::VEvent> events = Transaction(Request());
  constexpr uint32_t kLatin1 = 8;
  constexpr uint32_t kUtf8mb4 = 255;
  EXPECT_EQ(events[1].field_event().fields(2).charset(), Since(20) ? kLatin1 : kUtf8mb4);
}

TEST_P(VersionsTest, TellATransactionsGtid) {
  Run("use shop; insert into t values (2, 'b', 'y')");
  EXPECT_EQ(Transaction(Request())[0].event_gtid().empty(), !Since(23));
}

TEST_P(VersionsTest, LeaveTheKeyspaceOutOfNamesIfAsked) {
  Run("use shop; insert into t values (2, 'b', 'y')");
  vtgate::VStreamRequest request = Request();
  request.mutable_flags()->set_exclude_keyspace_from_table_name(true);
  EXPECT_EQ(Transaction(request)[1].field_event().table_name(), Since(23) ? "t" : "shop.t");
}

TEST_P(VersionsTest, SendBothImagesOfAnUpdateThatEntersTheFilter) {
  Run("use shop; update t set name = 'z' where id = 1");
  vtgate::VStreamRequest request = Request();
  request.mutable_filter()->mutable_rules(0)->set_filter("select * from t where name = 'z'");
  EXPECT_EQ(Transaction(request)[2].row_event().row_changes(0).has_before(), Since(23));
}

TEST_P(VersionsTest, CopyNothingAtAPositionButForVersion23) {
  Run("use shop; insert into t values (2, 'b', 'y')");
  vtgate::VStreamRequest request = Request();
  request.mutable_flags()->add_tables_to_copy("t");
  StreamReader reader(simulator_.address(), request);
  reader.ReadEvents(5);
  // A row of a table that waits for its copy comes with that.
  EXPECT_EQ(Phases(reader.responses())[0],
            GetParam() == 23 ? "empty transaction" : "transaction t");
}

TEST_P(VersionsTest, NameRowsByALaterSchemaOfTheSameKinds) {
  Run("use shop; insert into t values (2, 'b', 'y'); alter table t add column note date after id");
  vtgate::VStreamRequest request = Request();
  if (Since(24)) {
    EXPECT_EQ(Transaction(request)[1].field_event().fields(1).name(), "note");
  } else {
    EXPECT_THAT(End(request).error_message(), HasSubstr("enum or set column @2"));
  }
}

TEST_P(VersionsTest, TellErrorsInTheirWords) {
  Run("use shop; insert into t values (2, 'b', 'y'); drop table t");
  const std::string text = End(Request()).error_message();
  EXPECT_EQ(Contains(text, "error starting stream from shard GTID"), Since(22));
  EXPECT_EQ(Contains(text, "persistent error in vstream"), Since(22));
  EXPECT_EQ(Contains(text, "(including the GTID we failed to process)"), Since(24));
  EXPECT_THAT(text, HasSubstr("unknown table t in schema"));
}

TEST_P(VersionsTest, TellOfParametersThatDoNotFit) {
  EXPECT_EQ(End(vtgate::VStreamRequest()).error_message(),
            Cat(Since(22) ? "failed to resolve vstream parameters: " : "",
                "vgtid must have at least one value with a starting position in ShardGtids"));
}

TEST_P(VersionsTest, TellPurgedLogsOrLookForAnotherTablet) {
  Run("use shop; insert into t values (2, 'b', 'y')");
  ASSERT_TRUE(cluster().PurgeLogs("shop", "0").ok());
  const grpc::Status status = End(Request());
  EXPECT_EQ(status.error_code(),
            Since(23) ? grpc::StatusCode::CANCELLED : grpc::StatusCode::UNKNOWN);
  EXPECT_THAT(status.error_message(),
              HasSubstr(Since(23) ? "context has expired" : "(errno 1236)"));
}

TEST_P(VersionsTest, RefuseAShardThatIsGone) {
  vtgate::VStreamRequest request = Request();
  request.mutable_vgtid()->mutable_shard_gtids(0)->set_shard("-80");
  EXPECT_EQ(End(request).error_code(),
            Since(20) ? grpc::StatusCode::FAILED_PRECONDITION : grpc::StatusCode::CANCELLED);
}

TEST_P(VersionsTest, RefuseALastKeyWithoutFields) {
  vtgate::VStreamRequest request = Request();
  binlogdata::TableLastPK& last =
      *request.mutable_vgtid()->mutable_shard_gtids(0)->add_table_p_ks();
  last.set_table_name("t");
  last.mutable_lastpk()->add_rows()->add_lengths(1);
  last.mutable_lastpk()->mutable_rows(0)->set_values("0");
  if (Since(21)) {
    EXPECT_THAT(End(request).error_message(), HasSubstr("has no fields defined"));
  } else {
    StreamReader reader(simulator_.address(), request);
    EXPECT_TRUE(reader.ReadMessage());
  }
}

TEST_P(VersionsTest, EndAStreamAtTheAgeThatIsAsked) {
  vtgate::VStreamRequest request = Request();
  request.mutable_flags()->set_max_stream_age_seconds(1);
  request.mutable_flags()->set_heartbeat_interval(5);
  StreamReader reader(simulator_.address(), request);
  EXPECT_EQ(reader.ReadMessage(), !Since(25));  // a heartbeat, five times as late
}

}  // namespace
}  // namespace source_vitess::simulator
