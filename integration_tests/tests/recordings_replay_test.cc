// The replay server, seen by a client of gRPC.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "gtest/gtest.h"
#include "recordings/recording.h"
#include "recordings/replay_server.h"
#include "vitess/vtgateservice.grpc.pb.h"

namespace source_vitess::recordings {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::shared_ptr<const Recording> LoadRecording(const std::string& name) {
  absl::StatusOr<Recording> recording = Recording::Load(name);
  EXPECT_TRUE(recording.ok()) << recording.status();
  return std::make_shared<const Recording>(*std::move(recording));
}

std::unique_ptr<RecordingServer> StartServer(ReplayOptions options) {
  absl::StatusOr<std::unique_ptr<RecordingServer>> server =
      RecordingServer::Start(std::move(options));
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

std::unique_ptr<RecordingServer> StartServer(const std::string& recording) {
  ReplayOptions options;
  options.routes.push_back({"", ReplayPhase::kAny, LoadRecording(recording)});
  return StartServer(std::move(options));
}

std::unique_ptr<vtgateservice::Vitess::Stub> Connect(const RecordingServer& server) {
  return vtgateservice::Vitess::NewStub(
      grpc::CreateChannel(server.address(), grpc::InsecureChannelCredentials()));
}

// One VStream call, ended by a deadline if by nothing else.
class StreamCall {
 public:
  StreamCall(const RecordingServer& server, const vtgate::VStreamRequest& request)
      : stub_(Connect(server)) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    reader_ = stub_->VStream(&context_, request);
  }

  // Nothing at the end of the stream.
  std::optional<vtgate::VStreamResponse> Read() {
    vtgate::VStreamResponse response;
    if (!reader_->Read(&response)) return std::nullopt;
    return response;
  }

  std::vector<std::string> Read(size_t messages) {
    std::vector<std::string> read;
    while (read.size() < messages) {
      std::optional<vtgate::VStreamResponse> response = Read();
      if (!response.has_value()) break;
      read.push_back(response->SerializeAsString());
    }
    return read;
  }

  grpc::Status Finish() { return reader_->Finish(); }
  grpc::Status Cancel() {
    context_.TryCancel();
    while (Read().has_value()) continue;
    return reader_->Finish();
  }

 private:
  std::unique_ptr<vtgateservice::Vitess::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<vtgate::VStreamResponse>> reader_;
};

vtgate::VStreamRequest RequestFor(const std::string& table, const std::string& gtid) {
  vtgate::VStreamRequest request;
  request.mutable_filter()->add_rules()->set_match(table);
  request.mutable_vgtid()->add_shard_gtids()->set_gtid(gtid);
  return request;
}

vtgate::ExecuteResponse Execute(const RecordingServer& server, const std::string& target,
                                const std::string& sql) {
  vtgate::ExecuteRequest request;
  request.mutable_session()->set_autocommit(true);
  request.mutable_session()->set_target_string(target);
  request.mutable_session()->mutable_options()->set_included_fields(query::ExecuteOptions::ALL);
  request.mutable_query()->set_sql(sql);
  vtgate::ExecuteResponse response;
  grpc::ClientContext context;
  const grpc::Status status = Connect(server)->Execute(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

std::vector<std::string> RowTexts(const vtgate::ExecuteResponse& response) {
  std::vector<std::string> rows;
  for (const query::Row& row : response.result().rows()) rows.push_back(row.values());
  return rows;
}

TEST(RecordingServerTest, SendsTheMessagesByteForByte) {
  const auto recording = LoadRecording("copy-with-writes");
  const auto server = StartServer("copy-with-writes");
  StreamCall call(*server, recording->request);

  const std::vector<std::string> messages = call.Read(recording->raw_responses.size());

  EXPECT_EQ(messages, recording->raw_responses);
}

TEST(RecordingServerTest, SendsTheRecordingWhateverTheRequestSays) {
  const auto recording = LoadRecording("copy-two-shards");
  const auto server = StartServer("copy-two-shards");
  StreamCall call(*server, RequestFor("orders", "MySQL56/none"));

  EXPECT_EQ(call.Read(recording->raw_responses.size()), recording->raw_responses);
}

TEST(RecordingServerTest, EndsAsTheRecordingEnded) {
  const auto recording = LoadRecording("reshard-merge-one-participant");
  const auto server = StartServer("reshard-merge-one-participant");
  StreamCall call(*server, recording->request);

  const std::vector<std::string> messages = call.Read(1000);
  const grpc::Status status = call.Finish();

  EXPECT_EQ(messages, recording->raw_responses);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(status.error_message(), recording->end->message());
}

TEST(RecordingServerTest, SendsHeartbeatsWhereTheRecorderHungUp) {
  const auto recording = LoadRecording("copy-job-empty-table");
  ReplayOptions options;
  options.heartbeat_interval = absl::Milliseconds(1);
  options.routes.push_back({"", ReplayPhase::kAny, recording});
  const auto server = StartServer(std::move(options));
  StreamCall call(*server, recording->request);
  call.Read(recording->raw_responses.size());

  const std::optional<vtgate::VStreamResponse> first = call.Read();
  const std::optional<vtgate::VStreamResponse> second = call.Read();

  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_EQ(first->events(0).type(), binlogdata::HEARTBEAT);
  EXPECT_LT(first->events(0).current_time(), second->events(0).current_time());
  EXPECT_EQ(call.Cancel().error_code(), grpc::StatusCode::CANCELLED);
}

TEST(RecordingServerTest, TakesTheIntervalOfHeartbeatsFromTheRequest) {
  const auto server = StartServer("copy-job-empty-table");
  vtgate::VStreamRequest request = RequestFor("nopk", "");
  request.mutable_flags()->set_heartbeat_interval(1);
  StreamCall call(*server, request);
  call.Read(LoadRecording("copy-job-empty-table")->raw_responses.size());
  const absl::Time begin = absl::Now();

  const std::optional<vtgate::VStreamResponse> heartbeat = call.Read();

  ASSERT_TRUE(heartbeat.has_value());
  EXPECT_EQ(heartbeat->events(0).type(), binlogdata::HEARTBEAT);
  EXPECT_GT(absl::Now() - begin, absl::Milliseconds(500));
}

TEST(RecordingServerTest, EndsOpenStreamsWhenItIsDestroyed) {
  auto server = StartServer("copy-job-empty-table");
  StreamCall call(*server, RequestFor("nopk", ""));
  call.Read(LoadRecording("copy-job-empty-table")->raw_responses.size());

  server.reset();

  EXPECT_EQ(call.Read(), std::nullopt);
  EXPECT_FALSE(call.Finish().ok());
}

TEST(RecordingServerTest, ChoosesTheRecordingByTheTableOfTheOnlyRule) {
  const auto customers = LoadRecording("copy-job-start");
  const auto nopk = LoadRecording("copy-job-empty-table");
  ReplayOptions options;
  options.routes.push_back({"nopk", ReplayPhase::kAny, nopk});
  options.routes.push_back({"customers", ReplayPhase::kAny, customers});
  const auto server = StartServer(std::move(options));
  StreamCall of_customers(*server, RequestFor("customers", ""));
  StreamCall of_nopk(*server, RequestFor("nopk", ""));

  EXPECT_EQ(of_customers.Read(customers->raw_responses.size()), customers->raw_responses);
  EXPECT_EQ(of_nopk.Read(nopk->raw_responses.size()), nopk->raw_responses);
}

TEST(RecordingServerTest, ChoosesTheRecordingByWhetherTheCallCopies) {
  const auto copy = LoadRecording("copy-job-start");
  const auto replication = LoadRecording("replicate-job-after-copy");
  ReplayOptions options;
  options.routes.push_back({"", ReplayPhase::kCopy, copy});
  options.routes.push_back({"", ReplayPhase::kReplicate, replication});
  const auto server = StartServer(std::move(options));
  vtgate::VStreamRequest resumed = RequestFor("customers", "MySQL56/some");
  resumed.mutable_vgtid()->mutable_shard_gtids(0)->add_table_p_ks()->set_table_name("customers");
  StreamCall resumed_copy(*server, resumed);
  StreamCall replicated(*server, RequestFor("customers", "MySQL56/some"));

  EXPECT_EQ(resumed_copy.Read(copy->raw_responses.size()), copy->raw_responses);
  EXPECT_EQ(replicated.Read(replication->raw_responses.size()), replication->raw_responses);
}

TEST(RecordingServerTest, SendsChangesAloneWhereTheRouteSaysSo) {
  const auto recording = LoadRecording("copy-job-one-shard-done");
  ReplayOptions options;
  options.heartbeat_interval = absl::Milliseconds(1);
  options.routes.push_back({"", ReplayPhase::kReplicate, recording, true});
  const auto server = StartServer(std::move(options));
  vtgate::VStreamRequest request = recording->request;
  for (auto& shard : *request.mutable_vgtid()->mutable_shard_gtids()) shard.clear_table_p_ks();
  const std::vector<size_t> changes = ChangesAfter(*recording, request.vgtid());
  StreamCall call(*server, request);

  const std::vector<std::string> messages = call.Read(changes.size());

  ASSERT_THAT(messages, Not(IsEmpty()));
  EXPECT_EQ(messages.back(), recording->raw_responses[changes.back()]);
  EXPECT_LT(changes.size(), recording->raw_responses.size());
  EXPECT_EQ(call.Read()->events(0).type(), binlogdata::HEARTBEAT);
}

TEST(RecordingServerTest, RefusesAStreamThatHasNoRoute) {
  ReplayOptions options;
  options.routes.push_back({"nopk", ReplayPhase::kAny, LoadRecording("copy-job-empty-table")});
  const auto server = StartServer(std::move(options));
  StreamCall call(*server, RequestFor("customers", ""));

  EXPECT_EQ(call.Read(), std::nullopt);
  EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST(RecordingServerTest, KeepsTheRequests) {
  const auto server = StartServer("copy-job-start");
  StreamCall call(*server, RequestFor("customers", ""));
  call.Read(1);
  Execute(*server, "", "show keyspaces");

  ASSERT_THAT(server->stream_requests(), SizeIs(1));
  EXPECT_EQ(server->stream_requests()[0].filter().rules(0).match(), "customers");
  ASSERT_THAT(server->execute_requests(), SizeIs(1));
  EXPECT_EQ(server->execute_requests()[0].query().sql(), "show keyspaces");
}

TEST(RecordingServerTest, RefusesOtherMethods) {
  const auto server = StartServer("copy-job-start");
  grpc::ClientContext context;
  vtgate::CloseSessionResponse response;

  const grpc::Status status =
      Connect(*server)->CloseSession(&context, vtgate::CloseSessionRequest(), &response);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST(RecordingServerTest, FailsToStartOnAPortThatIsTaken) {
  const auto server = StartServer("copy-job-start");
  ReplayOptions options;
  options.port = server->port();

  EXPECT_EQ(RecordingServer::Start(std::move(options)).status().code(),
            absl::StatusCode::kUnavailable);
}

class ReplayedQueryTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ReplayedQueryTest, IsAnsweredByTheRowsAndFieldsThatWereRecorded) {
  absl::StatusOr<ExecuteRecording> recording = ExecuteRecording::Load(GetParam());
  ASSERT_TRUE(recording.ok()) << recording.status();
  const auto server = StartServer("copy-two-shards");

  const vtgate::ExecuteResponse response = Execute(
      *server, recording->request.session().target_string(), recording->request.query().sql());

  EXPECT_EQ(response.result().SerializeAsString(),
            recording->response.result().SerializeAsString());
}

std::string QueryName(const ::testing::TestParamInfo<std::string>& info) { return info.param; }

INSTANTIATE_TEST_SUITE_P(Recordings, ReplayedQueryTest,
                         ::testing::Values("keyspaces", "shards", "tablets", "tables", "columns",
                                           "indexes"),
                         QueryName);

constexpr char kPositions[] =
    "select @@global.gtid_executed, @@global.gtid_purged, @@global.binlog_row_image, "
    "@@global.binlog_row_value_options, @@global.server_uuid, @@version";

TEST(ReplayAnswersTest, PutsEachShardWhereTheRecordingEnds) {
  const auto server = StartServer("copy-two-shards");

  const vtgate::ExecuteResponse response = Execute(*server, "customer:80-@rdonly", kPositions);

  EXPECT_EQ(response.result().fields_size(), 6);
  EXPECT_THAT(RowTexts(response),
              ElementsAre("83c0af68-e68d-11f1-b044-02fc00000001:1-298"
                          "FULL83c0af68-e68d-11f1-b044-02fc000000018.4.6-Vitess"));
}

TEST(ReplayAnswersTest, PutsAShardWhereTheTestSays) {
  ReplayOptions options;
  options.routes.push_back({"", ReplayPhase::kAny, LoadRecording("stall-position-ahead")});
  options.positions["customer:-80"] = {"83c0af68-e68d-11f1-b044-02fc00000001:1-611",
                                       "83c0af68-e68d-11f1-b044-02fc00000001:1-610"};
  const auto server = StartServer(std::move(options));

  EXPECT_THAT(RowTexts(Execute(*server, "customer:-80@primary", kPositions)),
              ElementsAre(HasSubstr(":1-61183c0af68-e68d-11f1-b044-02fc00000001:1-610FULL")));
}

TEST(ReplayAnswersTest, UnitesThePositionsOfSeveralRecordings) {
  ReplayOptions options;
  options.routes.push_back({"", ReplayPhase::kCopy, LoadRecording("copy-job-start")});
  options.routes.push_back({"", ReplayPhase::kAny, LoadRecording("replicate-transactions")});
  const auto server = StartServer(std::move(options));

  EXPECT_THAT(RowTexts(Execute(*server, "customer:-80@primary", kPositions)),
              ElementsAre(::testing::ContainsRegex("^2d4059f8-.*,\n83c0af68-")));
}

TEST(ReplayAnswersTest, HasNoTabletForAShardThatTheRecordingDoesNotName) {
  const auto server = StartServer("copy-with-writes");

  const vtgate::ExecuteResponse response = Execute(*server, "customer:80-@primary", kPositions);

  EXPECT_EQ(response.error().code(), vtrpc::UNAVAILABLE);
}

TEST(ReplayAnswersTest, HasNoTabletOfATypeThatItDoesNotList) {
  const auto server = StartServer("copy-two-shards");

  const vtgate::ExecuteResponse response = Execute(*server, "customer:80-@replica", kPositions);

  EXPECT_EQ(response.error().code(), vtrpc::UNAVAILABLE);
}

TEST(ReplayAnswersTest, ListsOnlyShardsThatTheRecordingNames) {
  const auto server = StartServer("copy-with-writes");

  EXPECT_THAT(RowTexts(Execute(*server, "", "show vitess_shards")),
              ElementsAre("commerce/0", "customer/-80"));
}

TEST(ReplayAnswersTest, ListsTheShardsOfTheAnswerWhenTheRequestLeavesThemOpen) {
  const auto server = StartServer("copy-unspecified-shard");

  EXPECT_THAT(RowTexts(Execute(*server, "", "show vitess_shards")),
              ElementsAre("commerce/0", "customer/-80", "customer/80-"));
}

TEST(ReplayAnswersTest, KnowsTheKeyspaceOfTheOtherCluster) {
  const auto server = StartServer("failover-planned");

  EXPECT_THAT(RowTexts(Execute(*server, "", "show keyspaces")), ElementsAre("commerce", "shop"));
  EXPECT_THAT(RowTexts(Execute(*server, "", "show vitess_shards")),
              ElementsAre("commerce/0", "shop/0"));
  EXPECT_THAT(RowTexts(Execute(*server, "", "show vitess_tablets")),
              ::testing::IsSupersetOf(
                  {HasSubstr("zone1shop0PRIMARYSERVING"), HasSubstr("zone1shop0REPLICASERVING")}));
}

TEST(ReplayAnswersTest, DescribesTheTablesOfTheOtherCluster) {
  const auto server = StartServer("failover-planned");

  EXPECT_THAT(RowTexts(Execute(*server, "shop", "select * from information_schema.tables")),
              ElementsAre(HasSubstr("customersBASE TABLE"), HasSubstr("ordersBASE TABLE")));
  EXPECT_THAT(RowTexts(Execute(*server, "shop", "select * from information_schema.columns")),
              SizeIs(5));
  EXPECT_THAT(
      RowTexts(Execute(*server, "shop", "select * from information_schema.statistics")),
      ElementsAre("customersPRIMARYid10", "ordersPRIMARYcustomer_id10", "ordersPRIMARYid20"));
}

TEST(ReplayAnswersTest, HasNoSequences) {
  const auto server = StartServer("copy-two-shards");

  const vtgate::ExecuteResponse response =
      Execute(*server, "customer",
              "select table_name from information_schema.tables where table_comment = "
              "'vitess_sequence'");

  EXPECT_FALSE(response.has_error());
  EXPECT_THAT(RowTexts(response), IsEmpty());
}

TEST(ReplayAnswersTest, SaysWhichQueryNoRecordingAnswers) {
  const auto server = StartServer("copy-two-shards");

  const vtgate::ExecuteResponse response = Execute(*server, "customer", "select 1");

  EXPECT_EQ(response.error().code(), vtrpc::UNIMPLEMENTED);
  EXPECT_THAT(response.error().message(), HasSubstr("select 1"));
}

TEST(ReplayAnswersTest, LetsTheTestAnswerFirst) {
  ReplayOptions options;
  options.routes.push_back({"", ReplayPhase::kAny, LoadRecording("copy-two-shards")});
  options.execute = [](const vtgate::ExecuteRequest&) {
    vtgate::ExecuteResponse response;
    response.mutable_result()->set_rows_affected(7);
    return std::optional(response);
  };
  const auto server = StartServer(std::move(options));

  EXPECT_EQ(Execute(*server, "", "show keyspaces").result().rows_affected(), 7);
}

}  // namespace
}  // namespace source_vitess::recordings
