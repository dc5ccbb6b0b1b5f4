#include "vitess/vtgate_client.h"

#include <algorithm>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vitess/errors.h"
#include "vitess/fake_vtgate_for_test.h"
#include "vitess/recorded_for_test.h"

namespace source_vitess::vitess {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;
using ::testing::Not;

// Long enough for a slow machine; no test waits for it to pass.
constexpr absl::Duration kTimeout = absl::Seconds(30);

std::unique_ptr<VtgateClient> Connect(const ChannelOptions& options) {
  auto client = MakeVtgateClient(options);
  EXPECT_TRUE(client.ok()) << client.status();
  return *std::move(client);
}

vtgate::VStreamResponse Message(int events) {
  vtgate::VStreamResponse message;
  for (int i = 0; i < events; ++i) message.add_events()->set_timestamp(i + 1);
  return message;
}

class ExecuteRecordingTest : public ::testing::TestWithParam<const char*> {};

TEST_P(ExecuteRecordingTest, SendsTheRecordedRequest) {
  const vtgate::ExecuteRequest recorded = RecordedRequest(GetParam());
  FakeVtgate vtgate;
  const auto client = Connect(vtgate.Options());

  const auto result =
      client->Execute(recorded.session().target_string(), recorded.query().sql(), kTimeout);

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(vtgate.LastExecute().SerializeAsString(), recorded.SerializeAsString());
}

INSTANTIATE_TEST_SUITE_P(Recordings, ExecuteRecordingTest,
                         ::testing::Values("keyspaces", "shards", "tablets", "positions", "tables",
                                           "columns", "indexes", "error-no-such-table",
                                           "error-no-such-shard"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(VtgateClientTest, ReturnsTheResultOfAQuery) {
  FakeVtgate vtgate;
  vtgate.on_execute = [](const auto&, vtgate::ExecuteResponse* response) {
    *response = RecordedResponse("tablets");
    return grpc::Status::OK;
  };
  const auto client = Connect(vtgate.Options());

  const auto result = client->Execute("", "show vitess_tablets", kTimeout);

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->SerializeAsString(), RecordedResponse("tablets").result().SerializeAsString());
}

TEST(VtgateClientTest, ReturnsTheErrorWithinAResponse) {
  FakeVtgate vtgate;
  vtgate.on_execute = [](const auto& request, vtgate::ExecuteResponse* response) {
    *response = RecordedResponse(request.query().sql());
    return grpc::Status::OK;
  };
  const auto client = Connect(vtgate.Options());

  const absl::Status no_table = client->Execute("", "error-no-such-table", kTimeout).status();
  const absl::Status no_shard = client->Execute("", "error-no-such-shard", kTimeout).status();

  EXPECT_EQ(no_table.code(), StatusCode::kUnknown);
  EXPECT_EQ(no_table.message(), "table nope not found");
  EXPECT_EQ(Classify(no_table), ErrorClass::kConfiguration);
  EXPECT_EQ(no_shard.code(), StatusCode::kUnavailable);
  EXPECT_THAT(std::string(no_shard.message()), HasSubstr("no healthy tablet available"));
  EXPECT_EQ(Classify(no_shard), ErrorClass::kTransient);
}

TEST(VtgateClientTest, ReturnsCodesThatOnlyVitessKnowsAsUnknown) {
  FakeVtgate vtgate;
  vtgate.on_execute = [](const auto&, vtgate::ExecuteResponse* response) {
    response->mutable_error()->set_code(vtrpc::CLUSTER_EVENT);
    response->mutable_error()->set_message("being resharded");
    return grpc::Status::OK;
  };
  vtgate.on_stream = [](auto*, const auto&, auto*) {
    return grpc::Status(static_cast<grpc::StatusCode>(18), "read only");
  };
  const auto client = Connect(vtgate.Options());
  const auto stream = client->Stream({});
  vtgate::VStreamResponse response;

  EXPECT_EQ(client->Execute("", "select 1", kTimeout).status(),
            absl::UnknownError("being resharded"));
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish(), absl::UnknownError("read only"));
}

TEST(VtgateClientTest, ReturnsTheErrorOfTheCall) {
  FakeVtgate vtgate;
  vtgate.on_execute = [](const auto&, auto*) {
    return grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "username and password");
  };
  const auto client = Connect(vtgate.Options());

  EXPECT_EQ(client->Execute("", "select 1", kTimeout).status(),
            absl::UnauthenticatedError("username and password"));
}

TEST(VtgateClientTest, EndsAQueryWhenItIsAskedToStop) {
  FakeVtgate vtgate;
  std::stop_source stop;
  absl::Notification release;
  vtgate.on_execute = [&](const auto&, auto*) {
    stop.request_stop();
    release.WaitForNotification();
    return grpc::Status::OK;
  };
  const auto client = MakeVtgateClient(vtgate.Options(), stop.get_token());
  ASSERT_TRUE(client.ok());

  const absl::Status first = (*client)->Execute("", "select 1", kTimeout).status();
  const absl::Status later = (*client)->Execute("", "select 1", kTimeout).status();
  release.Notify();

  ASSERT_FALSE(first.ok());
  EXPECT_EQ(Classify(first), ErrorClass::kHost);
  EXPECT_EQ(later, first);
}

TEST(VtgateClientTest, EndsStreamsWhenItIsAskedToStop) {
  FakeVtgate vtgate;
  std::stop_source stop;
  vtgate.on_stream = [](grpc::ServerContext* context, const auto&, auto* writer) {
    writer->Write(Message(1));
    while (!context->IsCancelled()) std::this_thread::yield();
    return grpc::Status::OK;
  };
  const auto client = MakeVtgateClient(vtgate.Options(), stop.get_token());
  ASSERT_TRUE(client.ok());
  const auto stream = (*client)->Stream({});
  vtgate::VStreamResponse response;
  ASSERT_TRUE(stream->Read(&response));

  stop.request_stop();

  EXPECT_FALSE(stream->Read(&response));
  const absl::Status status = stream->Finish();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(Classify(status), ErrorClass::kHost);
}

TEST(VtgateClientTest, GivesUpAQueryAtItsTimeout) {
  FakeVtgate vtgate;
  absl::Notification release;
  vtgate.on_execute = [&](const auto&, auto*) {
    release.WaitForNotification();
    return grpc::Status::OK;
  };
  const auto client = Connect(vtgate.Options());

  const auto result = client->Execute("", "select 1", absl::Milliseconds(50));
  release.Notify();

  EXPECT_EQ(result.status().code(), StatusCode::kDeadlineExceeded);
}

TEST(VtgateClientTest, WaitsForEverWhenAsked) {
  FakeVtgate vtgate;
  const auto client = Connect(vtgate.Options());

  EXPECT_TRUE(client->Execute("", "select 1", absl::InfiniteDuration()).ok());
}

TEST(VtgateClientTest, CutsRowsFromErrors) {
  FakeVtgate vtgate;
  vtgate.on_stream = [](auto*, const auto&, auto*) {
    return grpc::Status(grpc::StatusCode::UNKNOWN, "error sending event: values:\"secret\"");
  };
  const auto client = Connect(vtgate.Options());
  const auto stream = client->Stream({});
  vtgate::VStreamResponse response;

  EXPECT_FALSE(stream->Read(&response));
  EXPECT_THAT(std::string(stream->Finish().message()), Not(HasSubstr("secret")));
}

TEST(VtgateClientTest, SendsCredentialsWithEveryCall) {
  FakeVtgate vtgate;
  ChannelOptions options = vtgate.Options();
  options.credentials = Credentials{"reader", "p4 s!~"};
  const auto client = Connect(options);
  vtgate::VStreamResponse response;

  ASSERT_TRUE(client->Execute("", "select 1", kTimeout).ok());
  EXPECT_EQ(vtgate.LastMetadata("username"), "reader");
  EXPECT_EQ(vtgate.LastMetadata("password"), "p4 s!~");

  ASSERT_TRUE(client->Execute("", "select 1", kTimeout).ok());
  EXPECT_EQ(vtgate.LastMetadata("password"), "p4 s!~");

  const auto stream = client->Stream({});
  ASSERT_FALSE(stream->Read(&response));
  EXPECT_EQ(vtgate.LastMetadata("username"), "reader");
  EXPECT_EQ(vtgate.LastMetadata("password"), "p4 s!~");
}

TEST(VtgateClientTest, TellsItsVersion) {
  FakeVtgate vtgate;
  const auto client = Connect(vtgate.Options());

  ASSERT_TRUE(client->Execute("", "select 1", kTimeout).ok());

  EXPECT_THAT(vtgate.LastMetadata("user-agent"),
              testing::MatchesRegex("source-vitess/[0-9]+[.][0-9]+[.][0-9]+ .*"));
}

TEST(VtgateClientTest, SendsHttpBasicAuthenticationWhereThatIsTheScheme) {
  FakeVtgate vtgate;
  ChannelOptions options = vtgate.Options();
  options.credentials = Credentials{"Aladdin", "open sesame", Credentials::Scheme::kBasic};
  const auto client = Connect(options);
  vtgate::VStreamResponse response;

  // The example of RFC 7617.
  ASSERT_TRUE(client->Execute("", "select 1", kTimeout).ok());
  EXPECT_EQ(vtgate.LastMetadata("authorization"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  EXPECT_EQ(vtgate.LastMetadata("username"), "(none)");
  EXPECT_EQ(vtgate.LastMetadata("password"), "(none)");

  const auto stream = client->Stream({});
  ASSERT_FALSE(stream->Read(&response));
  EXPECT_EQ(vtgate.LastMetadata("authorization"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

TEST(VtgateClientTest, RefusesAUserWhoseNameWouldEndAtAColon) {
  ChannelOptions options;
  options.host = "localhost";
  options.credentials = Credentials{"a:b", "secret", Credentials::Scheme::kBasic};

  const absl::Status status = MakeVtgateClient(options).status();

  EXPECT_EQ(Classify(status), ErrorClass::kConfiguration);
  EXPECT_THAT(std::string(status.message()), HasSubstr("option username has a colon"));
}

TEST(VtgateClientTest, SendsNoCredentialsWhenThereAreNone) {
  FakeVtgate vtgate;
  const auto client = Connect(vtgate.Options());

  ASSERT_TRUE(client->Execute("", "select 1", kTimeout).ok());

  EXPECT_EQ(vtgate.LastMetadata("username"), "(none)");
  EXPECT_EQ(vtgate.LastMetadata("password"), "(none)");
}

TEST(VtgateClientTest, RefusesCredentialsThatCannotBeSentWithoutShowingThem) {
  ChannelOptions options;
  options.host = "localhost";
  options.credentials = Credentials{"reader", "se\ncret"};

  const absl::Status status = MakeVtgateClient(options).status();

  EXPECT_EQ(Classify(status), ErrorClass::kConfiguration);
  EXPECT_THAT(std::string(status.message()), HasSubstr("option password"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("cret")));
}

TEST(VtgateClientTest, StreamsWhatTheServerSendsInOneReusedMessage) {
  FakeVtgate vtgate;
  vtgate::VStreamRequest seen;
  vtgate.on_stream = [&](auto*, const auto& request, FakeVtgate::Writer* writer) {
    seen = request;
    writer->Write(Message(3));
    writer->Write(Message(1));
    return grpc::Status::OK;
  };
  vtgate::VStreamRequest request;
  request.mutable_flags()->set_heartbeat_interval(5);
  const auto client = Connect(vtgate.Options());
  const auto stream = client->Stream(request);
  vtgate::VStreamResponse response;

  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.events_size(), 3);
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.events_size(), 1);
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(seen.SerializeAsString(), request.SerializeAsString());
  EXPECT_FALSE(stream->was_cancelled());
}

TEST(VtgateClientTest, TellsHowAStreamEnded) {
  FakeVtgate vtgate;
  vtgate.on_stream = [](auto*, const auto&, FakeVtgate::Writer* writer) {
    writer->Write(Message(1));
    return grpc::Status(grpc::StatusCode::UNKNOWN, "table nope is not present in the database");
  };
  const auto client = Connect(vtgate.Options());
  const auto stream = client->Stream({});
  vtgate::VStreamResponse response;

  EXPECT_TRUE(stream->Read(&response));
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish(), absl::UnknownError("table nope is not present in the database"));
}

TEST(VtgateClientTest, TellsOfAFailureToConnectAtTheEndOfTheStream) {
  ChannelOptions options;
  options.host = "127.0.0.1";
  options.port = 1;
  const auto client = Connect(options);
  const auto stream = client->Stream({});
  vtgate::VStreamResponse response;

  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().code(), StatusCode::kUnavailable);
}

// Servers whose streams send `messages` and stay open until the test ends.
class OpenStreamTest : public ::testing::Test {
 protected:
  OpenStreamTest() {
    vtgate_.on_stream = [this](auto*, const auto&, FakeVtgate::Writer* writer) {
      for (int i = 0; i < messages_; ++i) writer->Write(Message(1));
      release_.WaitForNotification();
      return grpc::Status::OK;
    };
    client_ = Connect(vtgate_.Options());
  }

  ~OpenStreamTest() override { release_.Notify(); }

  int messages_ = 1;
  absl::Notification release_;
  FakeVtgate vtgate_;
  std::unique_ptr<VtgateClient> client_;
  vtgate::VStreamResponse response_;
};

TEST_F(OpenStreamTest, CancelEndsAPendingRead) {
  const auto stream = client_->Stream({});
  ASSERT_TRUE(stream->Read(&response_));

  std::thread canceller([&] { stream->Cancel(); });
  EXPECT_FALSE(stream->Read(&response_));
  canceller.join();

  EXPECT_EQ(stream->Finish().code(), StatusCode::kCancelled);
  EXPECT_TRUE(stream->was_cancelled());
}

TEST_F(OpenStreamTest, CancelBeforeTheFirstReadEndsTheStream) {
  messages_ = 0;
  const auto stream = client_->Stream({});

  stream->Cancel();
  stream->Cancel();

  EXPECT_FALSE(stream->Read(&response_));
  EXPECT_EQ(stream->Finish().code(), StatusCode::kCancelled);
  EXPECT_TRUE(stream->was_cancelled());
}

TEST_F(OpenStreamTest, DestructionEndsAStreamThatIsOpen) {
  auto stream = client_->Stream({});
  ASSERT_TRUE(stream->Read(&response_));

  stream.reset();

  EXPECT_TRUE(client_->Execute("", "select 1", kTimeout).ok());
}

TEST_F(OpenStreamTest, DestructionDoesNotWaitForMessagesThatNobodyReads) {
  messages_ = 1000;
  auto stream = client_->Stream({});
  ASSERT_TRUE(stream->Read(&response_));

  stream.reset();

  EXPECT_TRUE(client_->Execute("", "select 1", kTimeout).ok());
}

TEST(VtgateClientTest, CancelAfterTheEndKeepsHowItEnded) {
  FakeVtgate vtgate;
  const auto client = Connect(vtgate.Options());
  const auto stream = client->Stream({});
  vtgate::VStreamResponse response;
  ASSERT_FALSE(stream->Read(&response));
  ASSERT_TRUE(stream->Finish().ok());

  stream->Cancel();

  EXPECT_TRUE(stream->Finish().ok());
}

TEST(VtgateClientTest, ReceivesMessagesUpToTheLimitOfTheOptionsAndNoLarger) {
  FakeVtgate vtgate;
  vtgate.on_stream = [](auto*, const auto&, FakeVtgate::Writer* writer) {
    vtgate::VStreamResponse large;
    large.add_events()->set_statement(std::string(6 << 20, 'x'));
    writer->Write(large);
    return grpc::Status::OK;
  };
  ChannelOptions options = vtgate.Options();
  const auto wide = Connect(options);
  options.max_receive_bytes = 5 << 20;
  const auto narrow = Connect(options);
  vtgate::VStreamResponse response;

  const auto accepted = wide->Stream({});
  EXPECT_TRUE(accepted->Read(&response));
  const auto refused = narrow->Stream({});
  EXPECT_FALSE(refused->Read(&response));
  const absl::Status status = refused->Finish();

  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(Classify(status), ErrorClass::kConfiguration);
}

TEST(VtgateClientTest, SendsQueriesOfAnySize) {
  FakeVtgate vtgate;
  const auto client = Connect(vtgate.Options());
  const std::string sql(3 << 20, ' ');

  ASSERT_TRUE(client->Execute("", sql, kTimeout).ok());

  EXPECT_EQ(vtgate.LastExecute().query().sql(), sql);
}

}  // namespace
}  // namespace source_vitess::vitess
