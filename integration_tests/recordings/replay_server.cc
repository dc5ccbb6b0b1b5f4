#include "recordings/replay_server.h"

#include <chrono>
#include <mutex>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/alarm.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/support/byte_buffer.h"

namespace source_vitess::recordings {
namespace {

constexpr char kVStreamMethod[] = "/vtgateservice.Vitess/VStream";
constexpr char kExecuteMethod[] = "/vtgateservice.Vitess/Execute";

grpc::ByteBuffer ToByteBuffer(const std::string& bytes) {
  grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

template <typename Message>
bool Parse(const grpc::ByteBuffer& buffer, Message& message) {
  grpc::Slice slice;
  return buffer.DumpToSingleSlice(&slice).ok() &&
         message.ParseFromArray(slice.begin(), static_cast<int>(slice.size()));
}

// As VTGate makes it (recording current-heartbeats).
std::string Heartbeat() {
  vtgate::VStreamResponse response;
  binlogdata::VEvent& event = *response.add_events();
  const absl::Time now = absl::Now();
  event.set_type(binlogdata::HEARTBEAT);
  event.set_timestamp(absl::ToUnixSeconds(now));
  event.set_current_time(absl::ToUnixNanos(now));
  return response.SerializeAsString();
}

bool Copies(const vtgate::VStreamRequest& request) {
  for (const binlogdata::ShardGtid& shard : request.vgtid().shard_gtids()) {
    if (shard.gtid().empty() || shard.table_p_ks_size() > 0) return true;
  }
  return false;
}

bool Fits(const ReplayRoute& route, const vtgate::VStreamRequest& request) {
  if (!route.table.empty() &&
      (request.filter().rules_size() != 1 || request.filter().rules(0).match() != route.table)) {
    return false;
  }
  return route.phase == ReplayPhase::kAny || (route.phase == ReplayPhase::kCopy) == Copies(request);
}

// One call. gRPC calls one On... of it at a time, but OnCancel, which comes beside any other.
// Deletes itself when the call is done.
class CallReactor : public grpc::ServerGenericBidiReactor {
 public:
  // Handles the request and says what comes next with Send or Finish.
  virtual void OnRequest(const grpc::ByteBuffer& request) = 0;

  void Begin() { StartRead(&request_); }
  void OnReadDone(bool ok) final {
    if (ok) {
      OnRequest(request_);
    } else {
      Finish(grpc::Status(grpc::StatusCode::CANCELLED, "no request came"));
    }
  }
  void OnDone() override { delete this; }

 protected:
  // `bytes` may go at once.
  void Send(const std::string& bytes) {
    response_ = ToByteBuffer(bytes);
    StartWrite(&response_);
  }

 private:
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
};

// A call of a method that is not served.
class UnimplementedCall final : public CallReactor {
 public:
  void OnRequest(const grpc::ByteBuffer&) override {
    Finish(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "a replay knows VStream and Execute"));
  }
};

// A call that is answered by one message.
class UnaryCall final : public CallReactor {
 public:
  explicit UnaryCall(std::function<std::string(const grpc::ByteBuffer&)> answer)
      : answer_(std::move(answer)) {}
  void OnRequest(const grpc::ByteBuffer& request) override { Send(answer_(request)); }
  void OnWriteDone(bool) override { Finish(grpc::Status::OK); }

 private:
  const std::function<std::string(const grpc::ByteBuffer&)> answer_;
};

// What a VStream call is answered with.
struct StreamAnswer {
  bool routed = false;
  std::shared_ptr<const Recording> recording;  // null: heartbeats alone
  std::vector<size_t> messages;                // of the recording
  std::optional<absl::Status> end;             // absent: none
  absl::Duration heartbeat_interval;           // zero: none
};

void TakeRoute(const ReplayRoute& route, const vtgate::VStreamRequest& request,
               StreamAnswer& answer) {
  answer.routed = true;
  answer.recording = route.recording;
  if (route.recording == nullptr) return;
  if (route.changes_only) {
    answer.messages = ChangesAfter(*route.recording, request.vgtid());
    return;
  }
  answer.messages.resize(route.recording->raw_responses.size());
  std::iota(answer.messages.begin(), answer.messages.end(), size_t{0});
  answer.end = route.recording->end;
}

class StreamCall final : public CallReactor {
 public:
  explicit StreamCall(std::function<StreamAnswer(const grpc::ByteBuffer&)> answer)
      : make_answer_(std::move(answer)) {}

  void OnRequest(const grpc::ByteBuffer& request) override {
    answer_ = make_answer_(request);
    Proceed();
  }

  void OnWriteDone(bool ok) override {
    if (ok) {
      Proceed();
    } else {
      Finish(grpc::Status::CANCELLED);
    }
  }

  void OnCancel() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    cancelled_ = true;
    if (waiting_ == Waiting::kForAlarm) alarm_->Cancel();
    if (waiting_ == Waiting::kForCancel) Finish(grpc::Status::CANCELLED);
  }

 private:
  enum class Waiting { kNo, kForAlarm, kForCancel };

  // Takes the next step. Nothing is pending when this is called.
  void Proceed() {
    if (!answer_.routed) {
      Finish(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "no route for this VStream"));
    } else if (next_ < answer_.messages.size()) {
      Send(answer_.recording->raw_responses[answer_.messages[next_++]]);
    } else if (answer_.end.has_value()) {
      Finish(grpc::Status(static_cast<grpc::StatusCode>(answer_.end->code()),
                          std::string(answer_.end->message())));
    } else {
      Wait();
    }
  }

  // Stays open: until the next heartbeat is due, or for good.
  void Wait() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (cancelled_) {
      Finish(grpc::Status::CANCELLED);
    } else if (answer_.heartbeat_interval <= absl::ZeroDuration()) {
      waiting_ = Waiting::kForCancel;
    } else {
      waiting_ = Waiting::kForAlarm;
      // A new one each time: the last may still be inside its callback, which Set would replace.
      alarm_ = std::make_unique<grpc::Alarm>();
      alarm_->Set(
          std::chrono::system_clock::now() + absl::ToChronoMicroseconds(answer_.heartbeat_interval),
          [this](bool) { OnAlarm(); });
    }
  }

  void OnAlarm() {
    bool cancelled = false;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      waiting_ = Waiting::kNo;
      cancelled = cancelled_;
    }
    if (cancelled) {
      Finish(grpc::Status::CANCELLED);
    } else {
      Send(Heartbeat());
    }
  }

  const std::function<StreamAnswer(const grpc::ByteBuffer&)> make_answer_;
  StreamAnswer answer_;
  size_t next_ = 0;

  std::mutex mutex_;
  bool cancelled_ = false;              // guarded by mutex_
  Waiting waiting_ = Waiting::kNo;      // guarded by mutex_
  std::unique_ptr<grpc::Alarm> alarm_;  // guarded by mutex_
};

}  // namespace

// Generic, so that the messages of a recording need not be parsed and written again.
class RecordingServer::Service final : public grpc::CallbackGenericService {
 public:
  Service(ReplayOptions options, ReplayAnswers answers)
      : options_(std::move(options)), answers_(std::move(answers)) {}

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* ctx) override {
    CallReactor* call = nullptr;
    if (ctx->method() == kVStreamMethod) {
      call = new StreamCall([this](const grpc::ByteBuffer& bytes) { return Stream(bytes); });
    } else if (ctx->method() == kExecuteMethod) {
      call = new UnaryCall([this](const grpc::ByteBuffer& bytes) { return Execute(bytes); });
    } else {
      call = new UnimplementedCall();
    }
    call->Begin();
    return call;
  }

  std::vector<vtgate::VStreamRequest> stream_requests() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return stream_requests_;
  }

  std::vector<vtgate::ExecuteRequest> execute_requests() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return execute_requests_;
  }

 private:
  StreamAnswer Stream(const grpc::ByteBuffer& bytes) {
    vtgate::VStreamRequest request;
    if (!Parse(bytes, request)) return {};
    StreamAnswer answer;
    answer.heartbeat_interval =
        options_.heartbeat_interval.value_or(absl::Seconds(request.flags().heartbeat_interval()));
    for (const ReplayRoute& route : options_.routes) {
      if (!Fits(route, request)) continue;
      TakeRoute(route, request, answer);
      break;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    stream_requests_.push_back(std::move(request));
    return answer;
  }

  std::string Execute(const grpc::ByteBuffer& bytes) {
    vtgate::ExecuteRequest request;
    if (!Parse(bytes, request)) {
      vtgate::ExecuteResponse response;
      response.mutable_error()->set_code(vtrpc::INVALID_ARGUMENT);
      response.mutable_error()->set_message("this is no ExecuteRequest");
      return response.SerializeAsString();
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      execute_requests_.push_back(request);
    }
    if (options_.execute != nullptr) {
      std::optional<vtgate::ExecuteResponse> response = options_.execute(request);
      if (response.has_value()) return response->SerializeAsString();
    }
    return answers_.Answer(request);
  }

  const ReplayOptions options_;
  const ReplayAnswers answers_;
  mutable std::mutex mutex_;
  std::vector<vtgate::VStreamRequest> stream_requests_;   // guarded by mutex_
  std::vector<vtgate::ExecuteRequest> execute_requests_;  // guarded by mutex_
};

struct RecordingServer::State {
  State(ReplayOptions options, ReplayAnswers answers)
      : service(std::move(options), std::move(answers)) {}

  Service service;
  std::unique_ptr<grpc::Server> server;  // calls into `service` until it is shut down
  int port = 0;
};

absl::StatusOr<std::unique_ptr<RecordingServer>> RecordingServer::Start(ReplayOptions options) {
  std::vector<std::shared_ptr<const Recording>> recordings;
  for (const ReplayRoute& route : options.routes) {
    if (route.recording != nullptr) recordings.push_back(route.recording);
  }
  absl::StatusOr<ReplayAnswers> answers = ReplayAnswers::Make(recordings, options.positions);
  if (!answers.ok()) return answers.status();

  const std::string wanted = absl::StrCat("127.0.0.1:", options.port);
  auto state = std::make_unique<State>(std::move(options), *std::move(answers));
  grpc::ServerBuilder builder;
  builder.AddListeningPort(wanted, grpc::InsecureServerCredentials(), &state->port);
  builder.RegisterCallbackGenericService(&state->service);
  builder.SetMaxSendMessageSize(-1);
  // By default two servers could share a port and take calls by turns.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  state->server = builder.BuildAndStart();
  if (state->server == nullptr || state->port == 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", wanted));
  }
  return std::unique_ptr<RecordingServer>(new RecordingServer(std::move(state)));
}

absl::StatusOr<std::unique_ptr<RecordingServer>> RecordingServer::Start(
    const std::string& recording) {
  absl::StatusOr<Recording> loaded = Recording::Load(recording);
  if (!loaded.ok()) return loaded.status();
  ReplayOptions options;
  options.routes.push_back(
      {"", ReplayPhase::kAny, std::make_shared<const Recording>(*std::move(loaded))});
  return Start(std::move(options));
}

RecordingServer::RecordingServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

RecordingServer::~RecordingServer() {
  state_->server->Shutdown(std::chrono::system_clock::now());
  state_->server->Wait();
}

int RecordingServer::port() const { return state_->port; }

std::string RecordingServer::address() const { return absl::StrCat("127.0.0.1:", port()); }

std::vector<vtgate::VStreamRequest> RecordingServer::stream_requests() const {
  return state_->service.stream_requests();
}

std::vector<vtgate::ExecuteRequest> RecordingServer::execute_requests() const {
  return state_->service.execute_requests();
}

}  // namespace source_vitess::recordings
