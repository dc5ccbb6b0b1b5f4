// The server as a client meets it: sessions, credentials, faults, and the ends of calls.
#include "simulator/simulator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "simulator/corruption.h"
#include "simulator/event_sequence.h"
#include "simulator/recorded_cluster.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

vtgate::VStreamRequest CopyRequest() {
  vtgate::VStreamRequest request;
  binlogdata::ShardGtid& shard = *request.mutable_vgtid()->add_shard_gtids();
  shard.set_keyspace("customer");
  shard.set_shard("-80");
  binlogdata::Rule& rule = *request.mutable_filter()->add_rules();
  rule.set_match("customers");
  rule.set_filter("select * from `customers`");
  return request;
}

vtgate::VStreamRequest ReplicationRequest(const std::string& position) {
  vtgate::VStreamRequest request = CopyRequest();
  request.mutable_vgtid()->mutable_shard_gtids(0)->set_gtid(position);
  return request;
}

// The first value of each row that a stream has brought after it was changed, in order.
std::vector<std::string> Ids(const Responses& responses) {
  std::vector<std::string> ids;
  for (const vtgate::VStreamResponse& response : responses) {
    for (const binlogdata::VEvent& event : response.events()) {
      for (const binlogdata::RowChange& change : event.row_event().row_changes()) {
        const query::Row& row = change.has_after() ? change.after() : change.before();
        ids.push_back(row.values().substr(0, static_cast<size_t>(row.lengths(0))));
      }
    }
  }
  return ids;
}

void ReadToCompletion(StreamReader& reader) {
  while (reader.ReadMessage()) {
    const vtgate::VStreamResponse& last = reader.responses().back();
    if (last.events(last.events_size() - 1).type() == binlogdata::COPY_COMPLETED) return;
  }
}

TEST(SimulatorTest, KeepsATransactionAcrossCalls) {
  RecordedCluster cluster;
  const auto stub = vtgateservice::Vitess::NewStub(
      grpc::CreateChannel(cluster.address(), grpc::InsecureChannelCredentials()));
  vtgate::Session session;
  session.set_autocommit(true);
  session.set_target_string("customer");
  for (const char* sql : {"begin", "insert into customers (id, email) values (1, 'a')", "commit"}) {
    grpc::ClientContext context;
    vtgate::ExecuteRequest request;
    vtgate::ExecuteResponse response;
    *request.mutable_session() = session;
    request.mutable_query()->set_sql(sql);
    ASSERT_TRUE(stub->Execute(&context, request, &response).ok());
    ASSERT_FALSE(response.has_error()) << response.error().message();
    session = response.session();
    EXPECT_EQ(session.in_transaction(), std::string(sql) != "commit");
  }
  EXPECT_EQ(cluster.cluster().Execute("customer", "select id from customers")->rows_size(), 1);
}

TEST(SimulatorTest, WantsCredentials) {
  SimulatorOptions options;
  options.service.user = StaticUser{"reader", "secret"};
  RecordedCluster cluster(options);
  const auto stub = vtgateservice::Vitess::NewStub(
      grpc::CreateChannel(cluster.address(), grpc::InsecureChannelCredentials()));
  const auto execute = [&](const char* password) {
    grpc::ClientContext context;
    if (password != nullptr) {
      context.AddMetadata("username", "reader");
      context.AddMetadata("password", password);
    }
    vtgate::ExecuteRequest request;
    request.mutable_query()->set_sql("show keyspaces");
    vtgate::ExecuteResponse response;
    return stub->Execute(&context, request, &response);
  };
  EXPECT_EQ(execute(nullptr).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(execute("wrong").error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(execute("wrong").error_message(),
            "auth failure: caller \"reader\" provided invalid credentials");
  EXPECT_TRUE(execute("secret").ok());
  StreamReader reader(cluster.address(), CopyRequest());
  EXPECT_EQ(reader.Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST(SimulatorTest, CopiesInBatchesOfThePacketSize) {
  SimulatorOptions options;
  options.service.streams.packet_bytes = 1;
  RecordedCluster cluster(options);
  cluster.InsertCustomers("2026-01-01 00:00:00");
  StreamReader reader(cluster.address(), CopyRequest());
  ReadToCompletion(reader);
  // [B F] [V] [R V C], three times [B] [R V C], [B V C], [CC CC].
  ASSERT_EQ(reader.responses().size(), 11U);
  EXPECT_EQ(reader.responses()[3].events_size(), 1);
  EXPECT_EQ(reader.responses()[4].events_size(), 3);
  EXPECT_THAT(Ids(reader.responses()), testing::ElementsAre("1", "2", "3", "5"));
}

TEST(SimulatorTest, GoesOnAfterTheLastKeyWhenVtgateStartsAShardAgain) {
  SimulatorOptions options;
  options.service.streams.packet_bytes = 1;
  options.service.streams.on_point = [](const StreamPoint& point) {
    const bool strikes =
        point.kind == StreamPoint::Kind::kRowsCopied && point.rows == 2 && point.attempt == 1;
    return strikes ? StreamAction::kRestart : StreamAction::kContinue;
  };
  RecordedCluster cluster(options);
  cluster.InsertCustomers("2026-01-01 00:00:00");
  StreamReader reader(cluster.address(), CopyRequest());
  ReadToCompletion(reader);
  EXPECT_THAT(Ids(reader.responses()), testing::ElementsAre("1", "2", "3", "5"));
}

TEST(SimulatorTest, ForgetsTablesWhenVtgateStartsAShardAgainBetweenTwo) {
  SimulatorOptions options;
  options.service.streams.on_point = [](const StreamPoint& point) {
    const bool strikes = point.kind == StreamPoint::Kind::kTableCopied && point.attempt == 1;
    return strikes ? StreamAction::kRestart : StreamAction::kContinue;
  };
  RecordedCluster cluster(options);
  cluster.InsertCustomers("2026-01-01 00:00:00");
  cluster.InsertOrders();
  vtgate::VStreamRequest request = CopyRequest();
  binlogdata::Rule& rule = *request.mutable_filter()->add_rules();
  rule.set_match("orders");
  rule.set_filter("select * from `orders`");
  StreamReader reader(cluster.address(), request);
  reader.ReadEvents(12);
  cluster.Run("delete from orders where customer_id = 1");
  reader.ReadEvents(17);
  EXPECT_THAT(Phases(reader.responses()),
              testing::ElementsAre("copy customers", "rows customers", "transaction orders"));
}

TEST(SimulatorTest, SendsFieldsAgainAfterAFailover) {
  RecordedCluster cluster;
  const std::string start = cluster.Position();
  StreamReader reader(cluster.address(), ReplicationRequest(start));
  cluster.Run("insert into customers (id, email) values (1, 'a')");
  reader.ReadEvents(5);
  ASSERT_TRUE(cluster.cluster().FailOver("customer", "-80").ok());
  cluster.Run("insert into customers (id, email) values (2, 'b')");
  reader.ReadEvents(13);
  ASSERT_EQ(reader.responses().size(), 3U);
  EXPECT_EQ(reader.responses()[2].events(1).type(), binlogdata::FIELD);
  EXPECT_THAT(reader.responses()[2].events(3).vgtid().shard_gtids(0).gtid(),
              testing::HasSubstr(","));
}

TEST(SimulatorTest, IsBehindAPositionWhoseTransactionsAFailoverHasLost) {
  SimulatorOptions options;
  options.service.streams.no_tablet_timeout = absl::Milliseconds(50);
  RecordedCluster cluster(options);
  cluster.InsertCustomers("2026-01-01 00:00:00");
  const std::string kept = cluster.Position();
  cluster.Run("insert into customers (id, email) values (9, 'lost')");
  cluster.Run("update customers set id = 10 where id = 1; delete from customers where id = 2");
  const std::string ahead = cluster.Position();
  ASSERT_TRUE(cluster.cluster().FailOver("customer", "-80", 3).ok());
  EXPECT_EQ(cluster.cluster()
                .Execute("customer", "select id from customers where id in (1, 2, 9, 10)")
                ->rows_size(),
            2);
  StreamReader lost(cluster.address(), ReplicationRequest(ahead));
  EXPECT_EQ(lost.Finish().error_code(), grpc::StatusCode::CANCELLED);
  cluster.Run("insert into customers (id, email) values (9, 'new')");
  StreamReader reader(cluster.address(), ReplicationRequest(kept));
  reader.ReadEvents(8);
  EXPECT_THAT(Ids(reader.responses()), testing::ElementsAre("9"));
}

TEST(SimulatorTest, LosesNoDefinitions) {
  RecordedCluster cluster;
  EXPECT_EQ(cluster.cluster().FailOver("customer", "-80", 1).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(SimulatorTest, ResumesWhenATabletComesBack) {
  RecordedCluster cluster;
  const std::string start = cluster.Position();
  StreamReader reader(cluster.address(), ReplicationRequest(start));
  ASSERT_TRUE(cluster.cluster().SetServing("customer", "-80", topodata::PRIMARY, false).ok());
  ASSERT_TRUE(cluster.cluster().SetServing("customer", "-80", topodata::PRIMARY, true).ok());
  cluster.Run("insert into customers (id, email) values (1, 'a')");
  reader.ReadEvents(5);
  EXPECT_THAT(Ids(reader.responses()), testing::ElementsAre("1"));
}

class MovingRowTest : public testing::Test {
 protected:
  // Moves the only order from -80 to 80- while a stream over both shards does not get to `held`,
  // and gives back its rows' shards and kinds once it has come to both.
  static std::vector<std::string> Move(const std::string& held) {
    RecordedCluster* running = nullptr;
    int transactions = 0;
    SimulatorOptions options;
    options.service.streams.on_point = [&](const StreamPoint& point) {
      const bool other = point.kind == StreamPoint::Kind::kTransaction && point.shard != held;
      // Each shard sees both transactions: they are on one server.
      if (other && ++transactions == 2)
        static_cast<void>(running->cluster().ReleaseStreams("customer", held));
      return StreamAction::kContinue;
    };
    RecordedCluster cluster(options);
    running = &cluster;
    cluster.Run("insert into orders values (1, 1, 'x', null)");
    vtgate::VStreamRequest request = ReplicationRequest(cluster.Position());
    *request.mutable_vgtid()->add_shard_gtids() = request.vgtid().shard_gtids(0);
    request.mutable_vgtid()->mutable_shard_gtids(1)->set_shard("80-");
    request.mutable_filter()->mutable_rules(0)->set_match("orders");
    request.mutable_filter()->mutable_rules(0)->set_filter("select * from orders");
    EXPECT_TRUE(cluster.cluster().HoldStreams("customer", held).ok());
    cluster.Run("update orders set customer_id = 4 where id = 1");
    StreamReader reader(cluster.address(), request);
    reader.ReadEvents(16);
    std::vector<std::string> rows;
    for (const vtgate::VStreamResponse& response : reader.responses()) {
      for (const binlogdata::VEvent& event : response.events()) {
        if (event.type() != binlogdata::ROW) continue;
        const bool insert = event.row_event().row_changes(0).has_after();
        rows.push_back(Cat(event.shard(), insert ? " insert" : " delete"));
      }
    }
    return rows;
  }
};

TEST_F(MovingRowTest, LeavesItsShardBeforeItComesToTheOther) {
  EXPECT_THAT(Move("80-"), testing::ElementsAre("-80 delete", "80- insert"));
}

TEST_F(MovingRowTest, ComesToItsShardBeforeItLeavesTheOther) {
  EXPECT_THAT(Move("-80"), testing::ElementsAre("80- insert", "-80 delete"));
}

TEST(SimulatorTest, SendsAReferenceTablesRowsFromEachShard) {
  RecordedCluster cluster;
  cluster.Run(
      "create table countries (code char(2) primary key); alter vschema add reference "
      "countries; insert into countries values ('de')");
  vtgate::VStreamRequest request = CopyRequest();
  request.mutable_vgtid()->mutable_shard_gtids(0)->clear_shard();
  request.mutable_filter()->mutable_rules(0)->set_match("countries");
  request.mutable_filter()->mutable_rules(0)->set_filter("select * from countries");
  StreamReader reader(cluster.address(), request);
  while (reader.ReadMessage()) {
    const vtgate::VStreamResponse& last = reader.responses().back();
    if (last.events(last.events_size() - 1).shard().empty()) break;
  }
  EXPECT_THAT(Ids(reader.responses()), testing::ElementsAre("de", "de"));
}

TEST(SimulatorFilterTest, SendsBothImagesOfAnUpdateThatLeavesTheFilter) {
  RecordedCluster cluster;
  cluster.InsertCustomers("2026-01-01 00:00:00");
  vtgate::VStreamRequest request = ReplicationRequest(cluster.Position());
  request.mutable_filter()->mutable_rules(0)->set_filter(
      "select id, email from customers where id < 3");
  cluster.Run(
      "update customers set email = 'x' where id in (2, "
      "3)");
  StreamReader reader(cluster.address(), request);
  reader.ReadEvents(5);
  const binlogdata::VEvent& row = reader.responses()[0].events(2);
  ASSERT_EQ(row.row_event().row_changes_size(), 1);
  EXPECT_EQ(row.row_event().row_changes(0).before().values(), "2user2@example.com");
  EXPECT_EQ(row.row_event().row_changes(0).after().values(), "2x");
}

TEST(SimulatorFilterTest, DoesNotAnchorRegularExpressions) {
  RecordedCluster cluster;
  cluster.InsertCustomers("2026-01-01 00:00:00");
  vtgate::VStreamRequest request = CopyRequest();
  request.mutable_filter()->mutable_rules(0)->set_match("/ustome/");
  request.mutable_filter()->mutable_rules(0)->clear_filter();
  request.mutable_flags()->set_exclude_keyspace_from_table_name(true);
  StreamReader reader(cluster.address(), request);
  ReadToCompletion(reader);
  EXPECT_EQ(reader.responses()[0].events(1).field_event().table_name(), "customers");
  EXPECT_THAT(Ids(reader.responses()), testing::ElementsAre("1", "2", "3", "5"));
}

TEST(SimulatorFilterTest, NamesColumnsOfADroppedTableByNumberIfAskedForItsBest) {
  RecordedCluster cluster;
  vtgate::VStreamRequest request = ReplicationRequest(cluster.Position());
  cluster.Run("insert into customers (id, email) values (1, 'a'); drop table customers");
  StreamReader strict(cluster.address(), request);
  EXPECT_THAT(strict.Finish().error_message(),
              testing::HasSubstr("unknown table customers in schema"));
  request.mutable_filter()->set_field_event_mode(binlogdata::Filter::BEST_EFFORT);
  StreamReader reader(cluster.address(), request);
  reader.ReadEvents(5);
  EXPECT_EQ(reader.responses()[0].events(1).field_event().fields(1).name(), "@2");
  EXPECT_EQ(reader.responses()[0].events(1).field_event().fields(1).column_type(), "");
}

TEST(SimulatorFilterTest, MislabelsRowsFromBeforeAColumnWasAddedInTheMiddle) {
  RecordedCluster cluster;
  const vtgate::VStreamRequest request = ReplicationRequest(cluster.Position());
  cluster.Run("insert into customers (id, email) values (1, 'a')");
  cluster.Run("alter table customers add column note varchar(9) after id");
  StreamReader reader(cluster.address(), request);
  reader.ReadEvents(5);
  EXPECT_EQ(reader.responses()[0].events(1).field_event().fields(1).name(), "note");
  EXPECT_EQ(reader.responses()[0].events(1).field_event().fields_size(), 3);
}

TEST(SimulatorVersionTest, CopiesAllTablesWhereTablesToCopyIsNotKnown) {
  SimulatorOptions options;
  options.cluster.version = VersionProfile::Of(22);
  RecordedCluster cluster(options);
  cluster.InsertCustomers("2026-01-01 00:00:00");
  cluster.InsertOrders();
  vtgate::VStreamRequest request = CopyRequest();
  binlogdata::Rule& rule = *request.mutable_filter()->add_rules();
  rule.set_match("orders");
  rule.set_filter("select * from `orders`");
  request.mutable_flags()->add_tables_to_copy("orders");
  StreamReader reader(cluster.address(), request);
  ReadToCompletion(reader);
  EXPECT_THAT(Phases(reader.responses()),
              testing::ElementsAre("copy customers", "rows customers", "copy orders", "rows orders",
                                   "completed"));
}

TEST(SimulatorTest, CannotGoOnAfterAnEnumAsAKey) {
  // The copy compares labels, the table is ordered by ordinals: 'a' comes behind 'z', and is
  // skipped.
  RecordedCluster cluster;
  cluster.RunIn("customer:-80", "create table kinds (kind enum('z', 'a') primary key)");
  cluster.RunIn("customer:-80", "insert into kinds values ('z'), ('a')");
  vtgate::VStreamRequest request = CopyRequest();
  request.mutable_filter()->mutable_rules(0)->set_match("kinds");
  request.mutable_filter()->mutable_rules(0)->set_filter("select * from kinds");
  StreamReader whole(cluster.address(), request);
  ReadToCompletion(whole);
  EXPECT_THAT(Ids(whole.responses()), testing::ElementsAre("z", "a"));
  binlogdata::TableLastPK& last =
      *request.mutable_vgtid()->mutable_shard_gtids(0)->add_table_p_ks();
  last.set_table_name("kinds");
  last.mutable_lastpk()->add_fields()->set_name("kind");
  last.mutable_lastpk()->add_rows()->add_lengths(1);
  last.mutable_lastpk()->mutable_rows(0)->set_values("z");
  StreamReader resumed(cluster.address(), request);
  ReadToCompletion(resumed);
  EXPECT_THAT(Ids(resumed.responses()), testing::IsEmpty());
}

TEST(SimulatorFaultsTest, BreaksAfterAnyNumberOfEvents) {
  RecordedCluster cluster;
  cluster.InsertCustomers("2026-01-01 00:00:00");
  for (uint64_t events = 0; events < 14; ++events) {
    StreamFault fault;
    fault.after_events = events;
    fault.streams = 1;
    cluster.simulator().faults().Add(fault);
    StreamReader reader(cluster.address(), CopyRequest());
    EXPECT_EQ(reader.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(CountEvents(reader.responses()), events);
  }
}

TEST(SimulatorFaultsTest, BreaksAfterWholeMessages) {
  RecordedCluster cluster;
  cluster.InsertCustomers("2026-01-01 00:00:00");
  StreamFault fault;
  fault.after_messages = 3;
  fault.status = absl::InternalError("broken");
  cluster.simulator().faults().Add(fault);
  StreamReader reader(cluster.address(), CopyRequest());
  EXPECT_EQ(reader.Finish().error_message(), "broken");
  EXPECT_EQ(reader.responses().size(), 3U);
}

TEST(SimulatorFaultsTest, StallsWithHeartbeatsAlone) {
  SimulatorOptions options;
  options.service.streams.second = absl::Milliseconds(5);
  RecordedCluster cluster(options);
  StreamFault fault;
  fault.kind = StreamFault::Kind::kStall;
  fault.after_events = 2;
  cluster.simulator().faults().Add(fault);
  vtgate::VStreamRequest request = CopyRequest();
  request.mutable_flags()->set_heartbeat_interval(1);
  StreamReader reader(cluster.address(), request);
  reader.ReadEvents(5);
  EXPECT_EQ(reader.responses()[1].events(0).type(), binlogdata::HEARTBEAT);
  EXPECT_EQ(reader.responses()[3].events(0).type(), binlogdata::HEARTBEAT);
}

// How a client's stream of customers ends that this fault strikes.
grpc::Status EndWith(const StreamFault& fault, SimulatorOptions options = {}) {
  RecordedCluster cluster(std::move(options));
  cluster.InsertCustomers("2026-01-01 00:00:00");
  cluster.simulator().faults().Add(fault);
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(256 << 20);
  const auto stub = vtgateservice::Vitess::NewStub(
      grpc::CreateCustomChannel(cluster.address(), grpc::InsecureChannelCredentials(), arguments));
  grpc::ClientContext context;
  const auto reader = stub->VStream(&context, CopyRequest());
  vtgate::VStreamResponse response;
  while (reader->Read(&response)) {
  }
  return reader->Finish();
}

TEST(SimulatorFaultsTest, SendsBytesThatAreNoMessageAndGoesOn) {
  RecordedCluster cluster;
  cluster.InsertCustomers("2026-01-01 00:00:00");
  StreamFault fault;
  fault.kind = StreamFault::Kind::kBytes;
  fault.bytes = "\xff\xff\xff\xff\x0f garbage";
  fault.after_messages = 1;
  cluster.simulator().faults().Add(fault);
  StreamReader reader(cluster.address(), CopyRequest());
  EXPECT_TRUE(reader.ReadMessage());
  EXPECT_FALSE(reader.ReadMessage());  // gRPC cannot parse it, and leaves the call open
  EXPECT_TRUE(reader.ReadMessage());
}

TEST(SimulatorFaultsTest, SendsAMessageOfAbsurdLength) {
  StreamFault fault;
  fault.kind = StreamFault::Kind::kHuge;
  fault.size = uint64_t{2} << 30;
  const grpc::Status status = EndWith(fault);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), testing::HasSubstr("2147483648"));
}

TEST(SimulatorFaultsTest, EndsAStreamWhoseMessageIsLargerThanVtgateSends) {
  StreamFault none;
  none.kind = StreamFault::Kind::kDelay;
  SimulatorOptions options;
  options.service.max_message_bytes = 200;
  const grpc::Status status = EndWith(none, options);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNKNOWN);
  EXPECT_THAT(status.error_message(),
              testing::HasSubstr("trying to send message larger than max ("));
}

TEST(SimulatorFaultsTest, ChangesTheFirstMessageThatHasWhatIsToBeChanged) {
  for (const Corruption corruption : kAllCorruptions) {
    RecordedCluster cluster;
    cluster.InsertCustomers("2026-01-01 00:00:00");
    StreamReader sound(cluster.address(), CopyRequest());
    ReadToCompletion(sound);
    StreamFault fault;
    fault.kind = StreamFault::Kind::kChange;
    fault.change = [&](vtgate::VStreamResponse& response) { return Corrupt(corruption, response); };
    cluster.simulator().faults().Add(fault);
    StreamReader reader(cluster.address(), CopyRequest());
    ReadToCompletion(reader);
    ASSERT_EQ(reader.responses().size(), sound.responses().size());
    int different = 0;
    for (size_t i = 0; i < sound.responses().size(); ++i) {
      different +=
          sound.responses()[i].SerializeAsString() == reader.responses()[i].SerializeAsString() ? 0
                                                                                                : 1;
    }
    EXPECT_EQ(different, 1) << static_cast<int>(corruption);
  }
}

TEST(SimulatorFaultsTest, SendsNothingAtAll) {
  SimulatorOptions options;
  options.service.streams.second = absl::Milliseconds(1);
  RecordedCluster cluster(options);
  StreamFault fault;
  fault.kind = StreamFault::Kind::kSilence;
  cluster.simulator().faults().Add(fault);
  vtgate::VStreamRequest request = CopyRequest();
  request.mutable_flags()->set_heartbeat_interval(1);
  const auto stub = vtgateservice::Vitess::NewStub(
      grpc::CreateChannel(cluster.address(), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(50));
  const auto reader = stub->VStream(&context, request);
  vtgate::VStreamResponse response;
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST(SimulatorFaultsTest, EndsAStreamAtItsGreatestAge) {
  SimulatorOptions options;
  options.service.streams.second = absl::Milliseconds(20);
  RecordedCluster cluster(options);
  vtgate::VStreamRequest request = CopyRequest();
  request.mutable_flags()->set_max_stream_age_seconds(1);
  StreamReader reader(cluster.address(), request);
  const grpc::Status status = reader.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), testing::StartsWith("vstream exceeded maximum age of 1s"));
}

TEST(SimulatorFaultsTest, FailsCallsOfExecute) {
  RecordedCluster cluster;
  ExecuteFault fault;
  fault.calls = 1;
  cluster.simulator().faults().Add(fault);
  EXPECT_EQ(cluster.simulator().faults().ForExecute().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(cluster.simulator().faults().ForExecute().ok());
}

TEST(SimulatorTest, EndsStreamsWhenItStopsAndTakesNewOnesAtTheSamePort) {
  RecordedCluster cluster;
  cluster.InsertCustomers("2026-01-01 00:00:00");
  const std::string address = cluster.address();
  StreamReader reader(address, CopyRequest());
  ReadToCompletion(reader);
  cluster.simulator().Stop();
  EXPECT_EQ(reader.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  const int port = std::stoi(address.substr(address.rfind(':') + 1));
  ASSERT_TRUE(cluster.simulator().Start("127.0.0.1", port).ok());
  StreamReader again(address, CopyRequest());
  ReadToCompletion(again);
  EXPECT_THAT(Ids(again.responses()), testing::ElementsAre("1", "2", "3", "5"));
}

TEST(SimulatorTest, ComesBackWhereItWasAfterARestart) {
  RecordedCluster cluster;
  cluster.InsertCustomers("2026-01-01 00:00:00");
  const std::string address = cluster.address();
  StreamReader reader(address, CopyRequest());
  ReadToCompletion(reader);
  ASSERT_TRUE(cluster.simulator().Restart(absl::ZeroDuration()).ok());
  EXPECT_EQ(cluster.address(), address);
  EXPECT_EQ(reader.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  StreamReader again(address, CopyRequest());
  ReadToCompletion(again);
  EXPECT_THAT(Ids(again.responses()), testing::ElementsAre("1", "2", "3", "5"));
}

// Binds a socket as a program does that was told this port.
bool CanBind(int port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound =
      bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(descriptor);
  return bound;
}

TEST(SimulatorTest, KeepsItsPortWhileItRestarts) {
  Simulator simulator;
  const auto port = simulator.Start();
  ASSERT_TRUE(port.ok());
  std::atomic<bool> restarted = false;
  std::thread restart([&] {
    EXPECT_TRUE(simulator.Restart(absl::Milliseconds(300)).ok());
    restarted = true;
  });
  int taken = 0;
  while (!restarted) taken += CanBind(*port) ? 1 : 0;
  restart.join();
  EXPECT_EQ(taken, 0);
}

TEST(SimulatorTest, TakesAClientThatReadsTooSlowlyForAStreamThatHangs) {
  SimulatorOptions options;
  options.service.streams.liveness_timeout = absl::ZeroDuration();  // every write takes longer
  RecordedCluster cluster(options);
  StreamReader reader(cluster.address(), CopyRequest());
  const grpc::Status status = reader.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), testing::HasSubstr("failed liveness checks"));
  EXPECT_EQ(reader.responses().size(), 1U);
}

TEST(SimulatorTest, IsBlockedByASlowClientForThatClientOnly) {
  SimulatorOptions options;
  options.service.streams.packet_bytes = 1000;
  RecordedCluster cluster(options);
  for (int id = 1; id <= 64; ++id) {
    cluster.Run(Cat("insert into customers (id, email) values (", id, ", 'x')"));
    cluster.Run(Cat("insert into strpk values ('", id, "', repeat('x', 60000))"));
  }
  vtgate::VStreamRequest large = CopyRequest();
  large.mutable_filter()->mutable_rules(0)->set_match("strpk");
  large.mutable_filter()->mutable_rules(0)->set_filter("select * from `strpk`");
  StreamReader slow(cluster.address(), large);  // nobody reads it
  StreamReader other(cluster.address(), CopyRequest());
  ReadToCompletion(other);
  cluster.Run("delete from customers where id = 1");
  EXPECT_GT(Ids(other.responses()).size(), 20U);
}

}  // namespace
}  // namespace source_vitess::simulator
