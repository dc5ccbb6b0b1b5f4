#include "vitess/vtgate_client.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "grpcpp/client_context.h"
#include "text/absl_view.h"
#include "vitess/errors.h"
#include "vitess/vtgate_stub.h"

namespace source_vitess::vitess {
namespace {

// `code` is one of gRPC's or of Vitess's, which are the same up to 16.
absl::Status ToStatus(int code, std::string_view message) {
  constexpr int kLastOfGrpc = static_cast<int>(absl::StatusCode::kUnauthenticated);
  const auto known = code >= 1 && code <= kLastOfGrpc ? static_cast<absl::StatusCode>(code)
                                                      : absl::StatusCode::kUnknown;
  // gRPC's own servers refuse a method without a word.
  return absl::Status(known,
                      message.empty() ? absl::StatusCodeToString(known) : WithoutRowData(message));
}

// Makes statuses of what a server says, which is anybody at first: without rows and without our own
// password, and with a word on what can be done about the size of messages.
class StatusReader {
 public:
  explicit StatusReader(const ChannelOptions& options) : options_(options) {}

  absl::Status Read(int code, std::string_view message) const {
    return ExplainMessageSize(options_, ToStatus(code, WithoutPassword(message)));
  }
  absl::Status Read(const grpc::Status& status) const {
    if (status.ok()) return absl::OkStatus();
    return Read(status.error_code(), status.error_message());
  }

 private:
  // A word that short would be cut out of other words, and is no secret.
  static constexpr size_t kShortestSecret = 4;

  std::string WithoutPassword(std::string_view message) const {
    if (!options_.credentials.has_value()) return std::string(message);
    const std::string& password = options_.credentials->password;
    if (password.size() < kShortestSecret) return std::string(message);
    return absl::StrReplaceAll(
        text::AbslView(message),
        {{password, "(the password)"}, {BasicToken(*options_.credentials), "(the password)"}});
  }

  const ChannelOptions options_;
};

struct CancelCall {
  grpc::ClientContext& context;
  void operator()() const { context.TryCancel(); }
};

// A message that is none ends the reading of a call, but not the call: its status would never come.
// The status of a call that has ended is there at once.
class EndOfCall {
 public:
  // Cancels the call if this lives for longer than that takes, and sets `is_open` then. Both must
  // outlive this.
  EndOfCall(grpc::ClientContext& context, bool& is_open)
      : watcher_([this, &context, &is_open](const std::stop_token& ended) {
          std::unique_lock lock(mutex_);
          never_.wait_for(lock, ended, kPatience, [] { return false; });
          if (ended.stop_requested()) return;
          is_open = true;
          context.TryCancel();
        }) {}

 private:
  static constexpr std::chrono::seconds kPatience{1};

  std::mutex mutex_;
  std::condition_variable_any never_;
  std::jthread watcher_;
};

absl::Status Unreadable() {
  return WithClass(absl::DataLossError("VTGate sent a message that cannot be read"),
                   ErrorClass::kTransient);
}

absl::Status Stopped() { return HostError("the program was asked to stop"); }

class GrpcVStream final : public VStream {
 public:
  // `statuses` must outlive the stream.
  GrpcVStream(VtgateStub& stub, const vtgate::VStreamRequest& request, const StatusReader& statuses,
              std::stop_token stop)
      : statuses_(statuses),
        reader_(stub.VStream(context_, request)),
        stop_(std::move(stop)),
        cancel_(stop_, CancelCall{context_}) {}

  ~GrpcVStream() override {
    if (result_.has_value()) return;
    context_.TryCancel();
    reader_->Finish();
  }

  bool Read(vtgate::VStreamResponse* response) override { return reader_->Read(response); }

  absl::Status Finish() override {
    if (result_.has_value()) return *result_;
    bool is_open = false;
    {
      const EndOfCall end(context_, is_open);
      result_ = statuses_.Read(reader_->Finish());
    }
    if (is_open) result_ = Unreadable();
    if (!result_->ok() && stop_.stop_requested() && !was_cancelled()) result_ = Stopped();
    return *result_;
  }

  void Cancel() override {
    was_cancelled_.store(true, std::memory_order_relaxed);
    context_.TryCancel();
  }

  bool was_cancelled() const override { return was_cancelled_.load(std::memory_order_relaxed); }

 private:
  const StatusReader& statuses_;
  grpc::ClientContext context_;
  const std::unique_ptr<VtgateStub::Reader> reader_;
  std::optional<absl::Status> result_;
  std::atomic<bool> was_cancelled_ = false;
  const std::stop_token stop_;
  const std::stop_callback<CancelCall> cancel_;
};

class GrpcVtgateClient final : public VtgateClient {
 public:
  GrpcVtgateClient(std::unique_ptr<VtgateStub> stub, const ChannelOptions& options,
                   std::stop_token stop)
      : stub_(std::move(stub)), statuses_(options), stop_(std::move(stop)) {}

  absl::StatusOr<query::QueryResult> Execute(std::string_view target, std::string_view sql,
                                             absl::Duration timeout) override {
    vtgate::ExecuteRequest request;
    vtgate::Session& session = *request.mutable_session();
    session.set_autocommit(true);
    session.set_target_string(target.data(), target.size());
    // Without this, fields have a name and a type alone (reference 9).
    session.mutable_options()->set_included_fields(query::ExecuteOptions::ALL);
    request.mutable_query()->set_sql(sql.data(), sql.size());

    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
    const std::stop_callback cancel(stop_, CancelCall{context});
    vtgate::ExecuteResponse response;
    const grpc::Status status = stub_->Execute(context, request, &response);
    if (!status.ok()) return stop_.stop_requested() ? Stopped() : statuses_.Read(status);
    if (response.has_error()) {
      return statuses_.Read(response.error().code(), response.error().message());
    }
    return std::move(*response.mutable_result());
  }

  std::unique_ptr<VStream> Stream(const vtgate::VStreamRequest& request) override {
    return std::make_unique<GrpcVStream>(*stub_, request, statuses_, stop_);
  }

 private:
  const std::unique_ptr<VtgateStub> stub_;
  const StatusReader statuses_;
  const std::stop_token stop_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<VtgateClient>> MakeVtgateClient(const ChannelOptions& options,
                                                               std::stop_token stop) {
  auto stub = MakeVtgateStub(options);
  if (!stub.ok()) return stub.status();
  return std::make_unique<GrpcVtgateClient>(*std::move(stub), options, std::move(stop));
}

}  // namespace source_vitess::vitess
