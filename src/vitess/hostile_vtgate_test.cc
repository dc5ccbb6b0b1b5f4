// Servers that send what no VTGate sends: nothing of it may end the process, use up its memory, or
// hold it up for ever.
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vitess/channel.h"
#include "vitess/errors.h"
#include "vitess/fake_vtgate_for_test.h"
#include "vitess/vtgate_client.h"

namespace source_vitess::vitess {
namespace {

using absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr absl::Duration kTimeout = absl::Seconds(30);

// Answers every call with the same message, bytes that need not be a message at all.
class HostileVtgate final : public grpc::CallbackGenericService {
 public:
  struct Answer {
    std::string message;
    size_t repetitions = 1;  // of these bytes, within one message
    bool ends = true;        // the call, behind the message
    grpc_compression_algorithm compression = GRPC_COMPRESS_NONE;
  };

  explicit HostileVtgate(Answer answer) : answer_(std::move(answer)) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.SetMaxSendMessageSize(-1);
    builder.RegisterCallbackGenericService(this);
    server_ = builder.BuildAndStart();
  }

  ~HostileVtgate() override { server_->Shutdown(std::chrono::system_clock::now()); }

  ChannelOptions Options() const {
    ChannelOptions options;
    options.host = "127.0.0.1";
    options.port = port_;
    return options;
  }

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    context->set_compression_algorithm(answer_.compression);
    return new Reactor(answer_);
  }

 private:
  class Reactor final : public grpc::ServerGenericBidiReactor {
   public:
    explicit Reactor(const Answer& answer) : answer_(answer) {
      // All of them are the same memory.
      const std::vector<grpc::Slice> slices(answer.repetitions, grpc::Slice(answer.message));
      message_ = grpc::ByteBuffer(slices.data(), slices.size());
      StartRead(&request_);
    }
    void OnReadDone(bool ok) override {
      if (ok) StartWrite(&message_);
    }
    void OnWriteDone(bool) override {
      if (answer_.ends) Finish(grpc::Status::OK);
    }
    void OnCancel() override {
      if (!answer_.ends) Finish(grpc::Status::CANCELLED);
    }
    void OnDone() override { delete this; }

   private:
    const Answer& answer_;
    grpc::ByteBuffer message_;
    grpc::ByteBuffer request_;
  };

  const Answer answer_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

std::unique_ptr<VtgateClient> Connect(const ChannelOptions& options) {
  auto client = MakeVtgateClient(options);
  EXPECT_TRUE(client.ok()) << client.status();
  return *std::move(client);
}

absl::Status StreamToTheEnd(VtgateClient& client) {
  const auto stream = client.Stream({});
  vtgate::VStreamResponse response;
  while (stream->Read(&response)) {
  }
  return stream->Finish();
}

// Texts that are no protobuf message.
const std::string kNoMessages[] = {
    std::string("\x0a\xff\xff\xff\xff\x0f", 6),                       // a length far beyond the end
    std::string("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11),  // and a longer one
    std::string(100, '\xff'),
    "HTTP/1.1 200 OK\r\n\r\n",
    std::string(size_t{1} << 20, '\x0b'),  // groups within groups
};

TEST(HostileVtgateTest, AnAnswerThatIsNoMessageIsAnError) {
  for (const std::string& bytes : kNoMessages) {
    HostileVtgate vtgate({.message = bytes});
    const auto client = Connect(vtgate.Options());

    const auto result = client->Execute("", "select 1", kTimeout);

    EXPECT_EQ(result.status().code(), StatusCode::kUnimplemented);
    EXPECT_THAT(ExplainConnectFailure(vtgate.Options(), result.status()).ToString(),
                HasSubstr("but not a VTGate"));
  }
}

TEST(HostileVtgateTest, AStreamOfWhatIsNoMessageEndsWithTheCall) {
  for (const std::string& bytes : kNoMessages) {
    HostileVtgate vtgate({.message = bytes});
    const auto client = Connect(vtgate.Options());
    const auto stream = client->Stream({});
    vtgate::VStreamResponse response;

    EXPECT_FALSE(stream->Read(&response));
    stream->Finish().IgnoreError();  // as the server ended it
  }
}

TEST(HostileVtgateTest, AStreamOfWhatIsNoMessageEndsThoughTheCallDoesNot) {
  HostileVtgate vtgate({.message = kNoMessages[0], .ends = false});
  const auto client = Connect(vtgate.Options());

  const absl::Status status = StreamToTheEnd(*client);

  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_EQ(Classify(status), ErrorClass::kTransient);
}

TEST(HostileVtgateTest, CompressedMessagesAreRefused) {
  HostileVtgate vtgate({.message = std::string(size_t{1} << 20, '\0'),
                        .ends = false,
                        .compression = GRPC_COMPRESS_GZIP});
  const auto client = Connect(vtgate.Options());

  const absl::Status answer = client->Execute("", "select 1", kTimeout).status();
  const absl::Status stream = StreamToTheEnd(*client);

  EXPECT_EQ(answer.code(), StatusCode::kUnimplemented);
  EXPECT_EQ(stream.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(ExplainConnectFailure(vtgate.Options(), answer).message()),
              StartsWith("the server compresses what it sends"));
}

// The end of the call may be there before gRPC looks at the message, and it then says less.
TEST(HostileVtgateTest, ACompressedMessageAtTheEndOfACallIsRefused) {
  HostileVtgate vtgate(
      {.message = std::string(size_t{1} << 20, '\0'), .compression = GRPC_COMPRESS_GZIP});
  const auto client = Connect(vtgate.Options());

  const absl::Status answer = client->Execute("", "select 1", kTimeout).status();

  EXPECT_EQ(answer.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(ExplainConnectFailure(vtgate.Options(), answer).message()),
              HasSubstr("compresses"));
}

// Were all of it received, gRPC would say how large it is.
TEST(HostileVtgateTest, AMessageOfTwoGigabytesIsNotReceivedToItsEnd) {
  HostileVtgate vtgate({.message = std::string(size_t{1} << 20, 'x'), .repetitions = 2047});
  const auto client = Connect(vtgate.Options());

  const absl::Status status = client->Execute("", "select 1", kTimeout).status();

  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()),
              AllOf(StartsWith("a message from VTGate is larger than the option max_message_mb"),
                    HasSubstr("Buffers full"), Not(HasSubstr("2146435072"))));
}

TEST(HostileVtgateTest, AMessageBeyondTheLimitNamesTheOption) {
  HostileVtgate vtgate({.message = std::string(size_t{5} << 20, 'x')});
  ChannelOptions options = vtgate.Options();
  options.max_receive_bytes = 4 << 20;
  const auto client = Connect(options);

  const absl::Status status = client->Execute("", "select 1", kTimeout).status();

  EXPECT_EQ(Classify(status), ErrorClass::kConfiguration);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("option max_message_mb allows, which is 4"),
                    HasSubstr("(5242880 vs. 4194304)")));
}

// Proxies and test servers are known to repeat what they were sent.
TEST(HostileVtgateTest, AServerThatRepeatsThePasswordDoesNotGetItShown) {
  FakeVtgate vtgate;
  const grpc::Status answer(grpc::StatusCode::INTERNAL, "headers: password=correct-horse; end");
  vtgate.on_execute = [&](const auto&, auto*) { return answer; };
  vtgate.on_stream = [&](auto*, const auto&, auto*) { return answer; };
  ChannelOptions options = vtgate.Options();
  options.credentials = {.username = "reader", .password = "correct-horse"};
  const auto client = Connect(options);

  EXPECT_EQ(client->Execute("", "select 1", kTimeout).status().message(),
            "headers: password=(the password); end");
  EXPECT_EQ(StreamToTheEnd(*client).message(), "headers: password=(the password); end");
}

TEST(HostileVtgateTest, AServerThatRepeatsAnAuthorizationDoesNotGetItShown) {
  FakeVtgate vtgate;
  vtgate.on_execute = [](const auto&, auto*) {
    return grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "who is cmVhZGVyOmNvcnJlY3QtaG9yc2U=?");
  };
  ChannelOptions options = vtgate.Options();
  options.credentials = {"reader", "correct-horse", Credentials::Scheme::kBasic};

  EXPECT_EQ(Connect(options)->Execute("", "select 1", kTimeout).status().message(),
            "who is (the password)?");
}

TEST(ExplainMessageSizeTest, TellsWhoHasToSendLargerMessages) {
  const absl::Status failure = absl::UnknownError(
      "error sending event: trying to send message larger than max (20971520 vs. 16777216)");

  const absl::Status explained = ExplainMessageSize({}, failure);

  EXPECT_EQ(explained.code(), failure.code());
  EXPECT_THAT(std::string(explained.message()),
              AllOf(HasSubstr("--grpc-max-message-size of VTGate and of its tablets"),
                    HasSubstr("(20971520 vs. 16777216)")));
}

TEST(ExplainMessageSizeTest, LeavesOtherFailuresAsTheyAre) {
  EXPECT_TRUE(ExplainMessageSize({}, absl::OkStatus()).ok());
  EXPECT_EQ(ExplainMessageSize({}, absl::ResourceExhaustedError("Row count exceeded 10000")),
            absl::ResourceExhaustedError("Row count exceeded 10000"));
}

}  // namespace
}  // namespace source_vitess::vitess
