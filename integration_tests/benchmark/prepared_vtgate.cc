#include "benchmark/prepared_vtgate.h"

#include <chrono>
#include <mutex>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "benchmark/query_answers.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/support/byte_buffer.h"

namespace source_vitess::benchmark {
namespace {

constexpr char kVStreamMethod[] = "/vtgateservice.Vitess/VStream";
constexpr char kExecuteMethod[] = "/vtgateservice.Vitess/Execute";

template <typename Message>
bool Parse(const grpc::ByteBuffer& buffer, Message& message) {
  grpc::Slice slice;
  return buffer.DumpToSingleSlice(&slice).ok() &&
         message.ParseFromArray(slice.begin(), static_cast<int>(slice.size()));
}

// One call. gRPC calls one On... of it at a time, but OnCancel, which comes beside any other.
// Deletes itself when the call is done.
class Call : public grpc::ServerGenericBidiReactor {
 public:
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
  virtual void OnRequest(const grpc::ByteBuffer& request) = 0;

 private:
  grpc::ByteBuffer request_;
};

class UnknownCall final : public Call {
  void OnRequest(const grpc::ByteBuffer&) override {
    Finish(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "only VStream and Execute are served"));
  }
};

class ExecuteCall final : public Call {
 public:
  explicit ExecuteCall(const Workload& workload) : workload_(workload) {}

 private:
  void OnRequest(const grpc::ByteBuffer& bytes) override {
    vtgate::ExecuteRequest request;
    if (!Parse(bytes, request)) {
      Finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "this is no ExecuteRequest"));
      return;
    }
    grpc::Slice slice(AnswerQuery(request, workload_.choice().table, workload_.executed_gtid_set())
                          .SerializeAsString());
    response_ = grpc::ByteBuffer(&slice, 1);
    StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
  }

  const Workload& workload_;
  grpc::ByteBuffer response_;
};

// A message is made when the one before it was taken, so that at most one of them is in memory.
class StreamCall final : public Call {
 public:
  explicit StreamCall(const Workload& workload) : workload_(workload), messages_(workload) {}

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
    if (waiting_) Finish(grpc::Status::CANCELLED);
  }

 private:
  void OnRequest(const grpc::ByteBuffer& bytes) override {
    vtgate::VStreamRequest request;
    if (!Parse(bytes, request) || request.vgtid().shard_gtids_size() != 1) {
      Finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "a request for one shard is wanted"));
      return;
    }
    const binlogdata::ShardGtid& asked = request.vgtid().shard_gtids(0);
    const std::string start = workload_.Request().vgtid().shard_gtids(0).gtid();
    if (asked.gtid() == start && asked.table_p_ks_size() == 0) {
      Proceed();
    } else if (asked.gtid() == absl::StrCat("MySQL56/", workload_.executed_gtid_set())) {
      Wait();
    } else {
      Finish(grpc::Status(grpc::StatusCode::UNIMPLEMENTED,
                          "the stream begins at its start or at its end"));
    }
  }

  // Nothing is pending when this is called.
  void Proceed() {
    if (messages_.done()) {
      Wait();
      return;
    }
    grpc::Slice slice(grpc_slice_malloc_large(messages_.NextSize()), grpc::Slice::STEAL_REF);
    messages_.Next(reinterpret_cast<char*>(const_cast<uint8_t*>(slice.begin())));
    response_ = grpc::ByteBuffer(&slice, 1);
    grpc::WriteOptions options;
    // Small messages share a write to the socket, as from a busy VTGate. The first must not wait:
    // the call's metadata goes with it, and gRPC takes the second message only once they are gone.
    if (!first_ && !messages_.done()) options.set_buffer_hint();
    first_ = false;
    StartWrite(&response_, options);
  }

  // Stays open until the client hangs up.
  void Wait() {
    const std::lock_guard<std::mutex> lock(mutex_);
    waiting_ = true;
    if (cancelled_) Finish(grpc::Status::CANCELLED);
  }

  const Workload& workload_;
  WorkloadReader messages_;
  grpc::ByteBuffer response_;
  bool first_ = true;

  std::mutex mutex_;
  bool cancelled_ = false;  // guarded by mutex_
  bool waiting_ = false;    // guarded by mutex_
};

// Generic, so that messages go out as the bytes that they are.
class Service final : public grpc::CallbackGenericService {
 public:
  explicit Service(Workload workload) : workload_(std::move(workload)) {}

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* ctx) override {
    Call* call = nullptr;
    if (ctx->method() == kVStreamMethod) {
      call = new StreamCall(workload_);
    } else if (ctx->method() == kExecuteMethod) {
      call = new ExecuteCall(workload_);
    } else {
      call = new UnknownCall();
    }
    call->Begin();
    return call;
  }

 private:
  const Workload workload_;
};

}  // namespace

struct PreparedVtgate::State {
  explicit State(Workload workload) : service(std::move(workload)) {}

  Service service;
  std::unique_ptr<grpc::Server> server;  // calls into `service` until it is shut down
  int port = 0;
};

absl::StatusOr<std::unique_ptr<PreparedVtgate>> PreparedVtgate::Start(Workload workload, int port) {
  auto state = std::make_unique<State>(std::move(workload));
  const std::string address = absl::StrCat("127.0.0.1:", port);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &state->port);
  builder.RegisterCallbackGenericService(&state->service);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  state->server = builder.BuildAndStart();
  if (state->server == nullptr || state->port == 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", address));
  }
  return std::unique_ptr<PreparedVtgate>(new PreparedVtgate(std::move(state)));
}

PreparedVtgate::PreparedVtgate(std::unique_ptr<State> state) : state_(std::move(state)) {}

PreparedVtgate::~PreparedVtgate() {
  state_->server->Shutdown(std::chrono::system_clock::now());
  state_->server->Wait();
}

int PreparedVtgate::port() const { return state_->port; }

}  // namespace source_vitess::benchmark
