#include "fivetran/server.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "fivetran/connector_sdk.grpc.pb.h"
#include "vitess/errors.h"

namespace source_vitess::fivetran {
namespace {

namespace sdk = fivetran_sdk::v2;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Le;
using testing::SizeIs;

// Something that a test waits for.
class Event {
 public:
  void Happen() {
    const std::lock_guard lock(mutex_);
    happened_ = true;
    changed_.notify_all();
  }
  // Whether it happens before long.
  bool Wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [this] { return happened_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool happened_ = false;
};

// Orders what a thread did before it with what another does behind it. gRPC does so too, between a
// call and its handler, but the thread sanitizer does not see into that library.
void HandOver() {
  static std::atomic<uint64_t> count = 0;
  count.fetch_add(1, std::memory_order_acq_rel);
}

void WaitForStop(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait(lock, stop, [] { return false; });
}

class FakeHandler final : public Handler {
 public:
  absl::StatusOr<sdk::ConfigurationFormResponse> ConfigurationForm() override {
    sdk::ConfigurationFormResponse response;
    response.set_table_selection_supported(true);
    return response;
  }
  absl::StatusOr<sdk::TestResponse> Test(const sdk::TestRequest& request,
                                         std::stop_token) override {
    sdk::TestResponse response;
    response.set_failure(absl::StrCat(request.name(), " of ", request.configuration().at("host")));
    return response;
  }
  absl::StatusOr<sdk::SchemaResponse> Schema(const sdk::SchemaRequest&, std::stop_token) override {
    HandOver();
    auto response = schema_;
    HandOver();
    return response;
  }
  absl::Status Update(const sdk::UpdateRequest& request, ResponseStream& out,
                      std::stop_token stop) override {
    HandOver();
    const absl::Cleanup at_end = HandOver;
    return update_(request, out, std::move(stop));
  }

  // What the next calls are answered with.
  void SetSchema(absl::StatusOr<sdk::SchemaResponse> schema) {
    HandOver();
    schema_ = std::move(schema);
    HandOver();
  }
  using Updater =
      std::function<absl::Status(const sdk::UpdateRequest&, ResponseStream&, std::stop_token)>;
  void SetUpdate(Updater update) {
    HandOver();
    update_ = std::move(update);
    HandOver();
  }

 private:
  absl::StatusOr<sdk::SchemaResponse> schema_ = sdk::SchemaResponse();
  Updater update_;
};

std::string Warning(const std::string& text) {
  sdk::UpdateResponse response;
  response.mutable_warning()->set_message(text);
  return response.SerializeAsString();
}

class ServerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto server = StartServer(0, handler_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    stub_ = StubOf(absl::StrCat("127.0.0.1:", server_->port()));
  }

  static std::unique_ptr<sdk::SourceConnector::Stub> StubOf(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(128 << 20);
    return sdk::SourceConnector::NewStub(
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  }

  // All messages of an Update, and its status.
  std::vector<sdk::UpdateResponse> Update(grpc::Status& status,
                                          const sdk::UpdateRequest& request = {}) {
    grpc::ClientContext context;
    const auto reader = stub_->Update(&context, request);
    std::vector<sdk::UpdateResponse> responses;
    for (sdk::UpdateResponse response; reader->Read(&response);) responses.push_back(response);
    status = reader->Finish();
    return responses;
  }

  void TearDown() override { EndCalls(); }

  // Behind it, nothing of a test is used by a handler any more.
  void EndCalls() {
    server_->Shutdown();
    HandOver();
  }

  FakeHandler handler_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<sdk::SourceConnector::Stub> stub_;
};

TEST_F(ServerTest, AnswersTheUnaryCalls) {
  grpc::ClientContext of_form;
  sdk::ConfigurationFormResponse form;
  EXPECT_TRUE(stub_->ConfigurationForm(&of_form, {}, &form).ok());
  EXPECT_TRUE(form.table_selection_supported());

  grpc::ClientContext of_test;
  of_test.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  sdk::TestRequest request;
  request.set_name("connection");
  (*request.mutable_configuration())["host"] = "vtgate";
  sdk::TestResponse test;
  EXPECT_TRUE(stub_->Test(&of_test, request, &test).ok());
  EXPECT_EQ(test.failure(), "connection of vtgate");
}

TEST_F(ServerTest, ListensOnBothVersionsOfIp) {
  const auto stub = StubOf(absl::StrCat("[::1]:", server_->port()));
  grpc::ClientContext context;
  sdk::ConfigurationFormResponse form;
  EXPECT_TRUE(stub->ConfigurationForm(&context, {}, &form).ok());
}

TEST_F(ServerTest, SendsMessagesInTheirOrderAndThenTheStatus) {
  handler_.SetUpdate([](const sdk::UpdateRequest& request, ResponseStream& out, std::stop_token) {
    for (int i = 0; i < 1000; ++i) {
      absl::Status status = out.Write(Warning(absl::StrCat(request.state_json(), i)));
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  });
  sdk::UpdateRequest request;
  request.set_state_json("s");
  grpc::Status status;
  const std::vector<sdk::UpdateResponse> responses = Update(status, request);

  EXPECT_TRUE(status.ok());
  ASSERT_THAT(responses, SizeIs(1000));
  EXPECT_EQ(responses.front().warning().message(), "s0");
  EXPECT_EQ(responses.back().warning().message(), "s999");
}

TEST_F(ServerTest, TakesAndSendsLargeMessages) {
  handler_.SetUpdate([](const sdk::UpdateRequest& request, ResponseStream& out, std::stop_token) {
    return out.Write(Warning(request.state_json()));
  });
  sdk::UpdateRequest request;
  request.set_state_json(std::string(40 << 20, 'x'));
  grpc::Status status;
  const std::vector<sdk::UpdateResponse> responses = Update(status, request);

  EXPECT_TRUE(status.ok()) << status.error_message();
  ASSERT_THAT(responses, SizeIs(1));
  EXPECT_EQ(responses[0].warning().message().size(), size_t{40} << 20);
}

TEST_F(ServerTest, GivesEachClassOfFailureItsCode) {
  const auto code_of = [this](absl::Status status) {
    handler_.SetSchema(std::move(status));
    grpc::ClientContext context;
    sdk::SchemaResponse response;
    return stub_->Schema(&context, {}, &response).error_code();
  };
  EXPECT_EQ(code_of(vitess::ConfigurationError("a")), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(code_of(vitess::TransientError("a")), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(code_of(vitess::LostPositionError("a")), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(code_of(absl::InternalError("a")), grpc::StatusCode::INTERNAL);
}

TEST_F(ServerTest, CutsLongTextsOfStatusesAtACharacter) {
  std::string text = "x";
  while (text.size() < 20'000) text += "é";
  handler_.SetSchema(vitess::TransientError(text + "\xff"));
  grpc::ClientContext context;
  sdk::SchemaResponse response;
  const grpc::Status status = stub_->Schema(&context, {}, &response);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(),
              AllOf(SizeIs(Le(kLongestStatusText / 3 + 3)), EndsWith("é...")));
}

TEST_F(ServerTest, MakesAStatusOfAnException) {
  handler_.SetUpdate([](const sdk::UpdateRequest&, ResponseStream&,
                        std::stop_token) -> absl::Status { throw std::runtime_error("oh"); });
  grpc::Status status;
  Update(status);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_THAT(status.error_message(), HasSubstr("oh"));
}

TEST_F(ServerTest, TellsTheHandlerThatACallIsCancelled) {
  Event began;
  Event ended;
  absl::Status written;
  const absl::Cleanup at_end = [this] { EndCalls(); };
  handler_.SetUpdate([&](const sdk::UpdateRequest&, ResponseStream& out, std::stop_token stop) {
    began.Happen();
    WaitForStop(stop);
    written = out.Write(Warning("late"));
    ended.Happen();
    return written;
  });
  grpc::ClientContext context;
  const auto reader = stub_->Update(&context, {});
  ASSERT_TRUE(began.Wait());
  context.TryCancel();

  ASSERT_TRUE(ended.Wait());
  EXPECT_EQ(vitess::Classify(written), vitess::ErrorClass::kHost);
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(ServerTest, BlocksAWriterWhileTheHostDoesNotReadAndFreesItOnceTheCallIsCancelled) {
  std::atomic<int> written = 0;
  Event ended;
  const absl::Cleanup at_end = [this] { EndCalls(); };
  handler_.SetUpdate([&](const sdk::UpdateRequest&, ResponseStream& out, std::stop_token) {
    const std::string message = Warning(std::string(100'000, 'x'));
    absl::Status status;
    for (; status.ok(); ++written) status = out.Write(message);
    ended.Happen();
    return status;
  });
  grpc::ClientContext context;
  const auto reader = stub_->Update(&context, {});
  sdk::UpdateResponse response;
  ASSERT_TRUE(reader->Read(&response));
  // It stands still when the flow control's window is full.
  int before = -1;
  for (int now = 0; now != before; now = written) {
    before = now;
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }
  EXPECT_LT(before, 1000);
  context.TryCancel();
  EXPECT_TRUE(ended.Wait());
}

TEST_F(ServerTest, ServesSeveralCallsSideBySide) {
  Event first_began;
  Event second_ended;
  const absl::Cleanup at_end = [this] { EndCalls(); };
  handler_.SetUpdate([&](const sdk::UpdateRequest& request, ResponseStream&, std::stop_token) {
    if (request.state_json() == "1") {
      first_began.Happen();
      EXPECT_TRUE(second_ended.Wait());
    } else {
      EXPECT_TRUE(first_began.Wait());
    }
    return absl::OkStatus();
  });
  std::thread first([this] {
    sdk::UpdateRequest request;
    request.set_state_json("1");
    grpc::Status status;
    Update(status, request);
    EXPECT_TRUE(status.ok());
  });
  grpc::Status status;
  Update(status);
  EXPECT_TRUE(status.ok());
  second_ended.Happen();
  first.join();
}

TEST_F(ServerTest, AsksCallsToStopWhenItEnds) {
  Event began;
  const absl::Cleanup at_end = [this] { EndCalls(); };
  handler_.SetUpdate([&](const sdk::UpdateRequest&, ResponseStream&, std::stop_token stop) {
    began.Happen();
    WaitForStop(stop);
    return vitess::HostError("stopped");
  });
  grpc::ClientContext context;
  const auto reader = stub_->Update(&context, {});
  ASSERT_TRUE(began.Wait());
  server_->Shutdown();

  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(ServerTest, SaysThatItsPortIsTaken) {
  FakeHandler other;
  const auto second = StartServer(server_->port(), other);

  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()),
              HasSubstr(absl::StrCat("Port ", server_->port())));
}

}  // namespace
}  // namespace source_vitess::fivetran
