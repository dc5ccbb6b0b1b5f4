#include "vitess/vtgate_client.h"

#include <atomic>
#include <optional>
#include <stop_token>
#include <utility>

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

absl::Status ToStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return ToStatus(status.error_code(), status.error_message());
}

struct CancelCall {
  grpc::ClientContext& context;
  void operator()() const { context.TryCancel(); }
};

absl::Status Stopped() { return HostError("the program was asked to stop"); }

class GrpcVStream final : public VStream {
 public:
  GrpcVStream(VtgateStub& stub, const vtgate::VStreamRequest& request, std::stop_token stop)
      : reader_(stub.VStream(context_, request)),
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
    result_ = ToStatus(reader_->Finish());
    if (!result_->ok() && stop_.stop_requested() && !was_cancelled()) result_ = Stopped();
    return *result_;
  }

  void Cancel() override {
    was_cancelled_.store(true, std::memory_order_relaxed);
    context_.TryCancel();
  }

  bool was_cancelled() const override { return was_cancelled_.load(std::memory_order_relaxed); }

 private:
  grpc::ClientContext context_;
  const std::unique_ptr<VtgateStub::Reader> reader_;
  std::optional<absl::Status> result_;
  std::atomic<bool> was_cancelled_ = false;
  const std::stop_token stop_;
  const std::stop_callback<CancelCall> cancel_;
};

class GrpcVtgateClient final : public VtgateClient {
 public:
  GrpcVtgateClient(std::unique_ptr<VtgateStub> stub, std::stop_token stop)
      : stub_(std::move(stub)), stop_(std::move(stop)) {}

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
    if (!status.ok()) return stop_.stop_requested() ? Stopped() : ToStatus(status);
    if (response.has_error()) return ToStatus(response.error().code(), response.error().message());
    return std::move(*response.mutable_result());
  }

  std::unique_ptr<VStream> Stream(const vtgate::VStreamRequest& request) override {
    return std::make_unique<GrpcVStream>(*stub_, request, stop_);
  }

 private:
  const std::unique_ptr<VtgateStub> stub_;
  const std::stop_token stop_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<VtgateClient>> MakeVtgateClient(const ChannelOptions& options,
                                                               std::stop_token stop) {
  auto stub = MakeVtgateStub(options);
  if (!stub.ok()) return stub.status();
  return std::make_unique<GrpcVtgateClient>(*std::move(stub), std::move(stop));
}

}  // namespace source_vitess::vitess
