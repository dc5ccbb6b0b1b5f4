#include "fivetran/server.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fivetran/connector_sdk.grpc.pb.h"
#include "mysql/utf8.h"
#include "text/absl_view.h"
#include "vitess/channel.h"
#include "vitess/errors.h"

namespace source_vitess::fivetran {
namespace {

namespace sdk = fivetran_sdk::v2;

// Both directions (reference 2.1).
constexpr int kLargestMessage = 128 << 20;

constexpr std::chrono::seconds kShutdownTime{5};

constexpr std::string_view kCut = "...";

std::string ValidText(std::string_view message) {
  std::string text(mysql::ReplacedUtf8Bound(message.size()), '\0');
  const char* const end = mysql::ReplaceInvalidUtf8(message, text.data());
  text.resize(static_cast<size_t>(end - text.data()));
  return text;
}

// Cuts at or before `end`, where a character ends.
std::string Cut(std::string text, size_t end) {
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text.append(kCut);
}

grpc::StatusCode CodeOf(const absl::Status& status) {
  switch (vitess::Classify(status)) {
    case vitess::ErrorClass::kConfiguration:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case vitess::ErrorClass::kTransient:
      return grpc::StatusCode::UNAVAILABLE;
    case vitess::ErrorClass::kLostPosition:
    case vitess::ErrorClass::kEmptied:
      return grpc::StatusCode::FAILED_PRECONDITION;
    case vitess::ErrorClass::kHost:
      return grpc::StatusCode::CANCELLED;
    case vitess::ErrorClass::kInternal:
      return grpc::StatusCode::INTERNAL;
  }
  return grpc::StatusCode::INTERNAL;
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(CodeOf(status), StatusText(vitess::MessageWithNextStep(status)));
}

// What `work` gives, or what it throws as a status.
absl::Status Guarded(const std::function<absl::Status()>& work) {
  try {
    return work();
  } catch (const std::exception& exception) {
    return vitess::WithClass(absl::InternalError(absl::StrCat("unexpected: ", exception.what())),
                             vitess::ErrorClass::kInternal);
  }
}

// The calls under way.
class Calls {
 public:
  void Add(std::stop_source* stop) {
    const std::lock_guard lock(mutex_);
    stops_.push_back(stop);
    if (ended_) stop->request_stop();
  }

  void Remove(const std::stop_source* stop) {
    const std::lock_guard lock(mutex_);
    std::erase(stops_, stop);
    none_left_.notify_all();
  }

  void End() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    for (std::stop_source* stop : stops_) stop->request_stop();
  }

  void WaitForAll() {
    std::unique_lock lock(mutex_);
    none_left_.wait(lock, [this] { return stops_.empty(); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_left_;
  std::vector<std::stop_source*> stops_;
  bool ended_ = false;
};

// A call in a thread of its own, which deletes it when gRPC has done with it.
template <typename Reactor>
class Call : public Reactor {
 public:
  explicit Call(Calls& calls) : calls_(calls) {}

  // `work` runs in the thread. Once.
  void Start(std::function<absl::Status()> work) {
    calls_.Add(&stop_);
    std::thread([this, work = std::move(work)] {
      const absl::Status status = Guarded(work);
      this->Finish(ToGrpc(status));
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return done_; });
      }
      // Behind this, the server may be gone.
      calls_.Remove(&stop_);
      delete this;
    }).detach();
  }

  void OnCancel() override { stop_.request_stop(); }

  void OnDone() override {
    const std::lock_guard lock(mutex_);
    done_ = true;
    changed_.notify_all();
  }

  std::stop_token stop() const { return stop_.get_token(); }

 protected:
  std::mutex mutex_;
  std::condition_variable changed_;

 private:
  Calls& calls_;
  std::stop_source stop_;
  bool done_ = false;
};

using UnaryCall = Call<grpc::ServerUnaryReactor>;

// A short queue lies between the Update's thread and gRPC's: to hand over message by message would
// cost more than to make them.
class UpdateCall final : public Call<grpc::ServerWriteReactor<grpc::ByteBuffer>>,
                         public ResponseStream {
 public:
  using Call::Call;

  absl::Status Write(std::string_view message) override {
    const grpc::Slice slice(message.data(), message.size());
    grpc::ByteBuffer buffer(&slice, 1);
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return queued_bytes_ < kMostQueuedBytes || failed_; });
      if (failed_ || stop().stop_requested()) return Cancelled();
      queued_bytes_ += message.size();
      queue_.push_back(std::move(buffer));
      if (std::exchange(writing_, true)) return absl::OkStatus();
    }
    StartWrite(&queue_.front());
    return absl::OkStatus();
  }

  // Waits until all is sent, which has to be so before the call's status is.
  absl::Status Flush() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !writing_; });
    return failed_ ? Cancelled() : absl::OkStatus();
  }

  void OnWriteDone(bool ok) override {
    {
      const std::lock_guard lock(mutex_);
      queued_bytes_ -= queue_.front().Length();
      queue_.pop_front();
      failed_ = failed_ || !ok;
      if (failed_) queue_.clear();
      writing_ = !queue_.empty();
      // Not for every message: to wake a thread is dear.
      if (failed_ || !writing_ || queued_bytes_ <= kMostQueuedBytes / 2) changed_.notify_all();
      if (!writing_) return;
    }
    StartWrite(&queue_.front());
  }

 private:
  // Some messages of rows. One that is larger waits for the others to go.
  static constexpr size_t kMostQueuedBytes = size_t{1} << 20;

  static absl::Status Cancelled() { return vitess::HostError("the host has cancelled the call"); }

  // All guarded by mutex_, but for the first message while writing_: that one is gRPC's.
  std::deque<grpc::ByteBuffer> queue_;
  size_t queued_bytes_ = 0;
  bool writing_ = false;
  bool failed_ = false;
};

// Answers of Update are serialized before they come here.
using ServiceBase = sdk::SourceConnector::WithCallbackMethod_ConfigurationForm<
    sdk::SourceConnector::WithCallbackMethod_Test<sdk::SourceConnector::WithCallbackMethod_Schema<
        sdk::SourceConnector::WithRawCallbackMethod_Update<sdk::SourceConnector::Service>>>>;

class Service final : public ServiceBase {
 public:
  Service(Handler& handler, Calls& calls) : handler_(handler), calls_(calls) {}

  grpc::ServerUnaryReactor* ConfigurationForm(grpc::CallbackServerContext*,
                                              const sdk::ConfigurationFormRequest*,
                                              sdk::ConfigurationFormResponse* response) override {
    return Answer(response, [this](std::stop_token) { return handler_.ConfigurationForm(); });
  }

  grpc::ServerUnaryReactor* Test(grpc::CallbackServerContext*, const sdk::TestRequest* request,
                                 sdk::TestResponse* response) override {
    return Answer(response, [this, request](std::stop_token stop) {
      return handler_.Test(*request, std::move(stop));
    });
  }

  grpc::ServerUnaryReactor* Schema(grpc::CallbackServerContext*, const sdk::SchemaRequest* request,
                                   sdk::SchemaResponse* response) override {
    return Answer(response, [this, request](std::stop_token stop) {
      return handler_.Schema(*request, std::move(stop));
    });
  }

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Update(grpc::CallbackServerContext*,
                                                     const grpc::ByteBuffer* bytes) override {
    auto* const call = new UpdateCall(calls_);
    auto request = std::make_shared<sdk::UpdateRequest>();
    grpc::ByteBuffer copy = *bytes;
    const grpc::Status parsed =
        grpc::SerializationTraits<sdk::UpdateRequest>::Deserialize(&copy, request.get());
    call->Start([this, call, request, parsed] {
      if (!parsed.ok()) {
        return vitess::ConfigurationError("The request of Update cannot be parsed.");
      }
      const absl::Status status =
          Guarded([&] { return handler_.Update(*request, *call, call->stop()); });
      const absl::Status sent = call->Flush();
      return status.ok() ? sent : status;
    });
    return call;
  }

 private:
  template <typename Response, typename Work>
  grpc::ServerUnaryReactor* Answer(Response* response, Work work) {
    auto* const call = new UnaryCall(calls_);
    call->Start([call, response, work] {
      auto answer = work(call->stop());
      if (answer.ok()) response->Swap(&*answer);
      return answer.status();
    });
    return call;
  }

  Handler& handler_;
  Calls& calls_;
};

class GrpcServer final : public Server {
 public:
  explicit GrpcServer(Handler& handler) : service_(handler, calls_) {}
  ~GrpcServer() override { Shutdown(); }

  absl::Status Start(int port) {
    vitess::KeepGrpcQuiet();
    grpc::ServerBuilder builder;
    builder.AddListeningPort(absl::StrCat("[::]:", port), grpc::InsecureServerCredentials(),
                             &port_);
    builder.RegisterService(&service_);
    builder.SetMaxReceiveMessageSize(kLargestMessage);
    builder.SetMaxSendMessageSize(kLargestMessage);
    // Two servers on one port would each get some of the calls.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    server_ = builder.BuildAndStart();
    if (server_ != nullptr && port_ != 0) return absl::OkStatus();
    return vitess::ConfigurationError(
        absl::StrCat("Port ", port,
                     " cannot be listened on. Another program may have it: choose another one "
                     "with --port."));
  }

  int port() const override { return port_; }

  void Shutdown() override {
    if (server_ == nullptr) return;
    calls_.End();
    server_->Shutdown(std::chrono::system_clock::now() + kShutdownTime);
    server_->Wait();
    calls_.WaitForAll();
    server_.reset();
  }

 private:
  Calls calls_;
  Service service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

std::string BoundedText(std::string_view message, size_t size) {
  std::string text = ValidText(message);
  return text.size() <= size ? text : Cut(std::move(text), size - kCut.size());
}

std::string StatusText(std::string_view message) {
  std::string text = ValidText(message);
  // gRPC sends other bytes, and the sign itself, as %XX.
  const auto is_plain = [](char c) { return c >= ' ' && c <= '~' && c != '%'; };
  size_t sent = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    sent += is_plain(text[i]) ? 1 : 3;
    if (sent > kLongestStatusText - kCut.size()) return Cut(std::move(text), i);
  }
  return text;
}

absl::StatusOr<std::unique_ptr<Server>> StartServer(int port, Handler& handler) {
  auto server = std::make_unique<GrpcServer>(handler);
  if (absl::Status status = server->Start(port); !status.ok()) return status;
  return server;
}

}  // namespace source_vitess::fivetran
