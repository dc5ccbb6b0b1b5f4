#include "simulator/vtgate_service.h"

#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/escaping.h"
#include "simulator/signal.h"
#include "simulator/sql_parser.h"
#include "simulator/strings.h"
#include "simulator/vtgate_stream.h"

namespace source_vitess::simulator {
namespace {

grpc::Status ToGrpc(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()));
}

Literal ToLiteral(const query::BindVariable& variable) {
  switch (variable.type()) {
    case query::NULL_TYPE:
      return {Literal::Kind::kNull, ""};
    case query::VARBINARY:
    case query::BINARY:
    case query::BLOB:
      return {Literal::Kind::kBytes, variable.value()};
    default:
      break;
  }
  const int type = variable.type();
  const bool number = (type & (query::ISINTEGRAL | query::ISFLOAT)) != 0 || type == query::DECIMAL;
  return {number ? Literal::Kind::kNumber : Literal::Kind::kString, variable.value()};
}

Cluster::Session FromProto(const vtgate::Session& session, bool given) {
  Cluster::Session own;
  own.target = session.target_string();
  own.autocommit = !given || session.autocommit();
  own.in_transaction = session.in_transaction();
  if (!session.shard_sessions().empty()) {
    own.transaction = static_cast<uint64_t>(session.shard_sessions(0).transaction_id());
  }
  return own;
}

void ToProto(const Cluster::Session& own, vtgate::Session& session) {
  session.set_target_string(own.target);
  session.set_in_transaction(own.in_transaction);
  session.clear_shard_sessions();
  if (own.transaction != 0)
    session.add_shard_sessions()->set_transaction_id(static_cast<int64_t>(own.transaction));
}

void KeepNameAndType(query::QueryResult& result) {
  for (query::Field& field : *result.mutable_fields()) {
    query::Field kept;
    kept.set_name(field.name());
    kept.set_type(field.type());
    field = std::move(kept);
  }
}

// In the words of Go's gRPC.
std::string TooLarge(size_t size, size_t limit) {
  return Cat(
      "rpc error: code = ResourceExhausted desc = grpc: trying to send message larger than max (",
      size, " vs. ", limit, ")");
}

// Answers with messages that are there already.
class MessagesCall : public grpc::ServerWriteReactor<vtgate::StreamExecuteResponse> {
 public:
  MessagesCall(std::vector<vtgate::StreamExecuteResponse> messages, grpc::Status status)
      : messages_(std::move(messages)), status_(std::move(status)) {
    Next();
  }
  void OnWriteDone(bool ok) override {
    if (ok) {
      Next();
    } else {
      Finish(grpc::Status::CANCELLED);
    }
  }
  void OnDone() override { delete this; }

 private:
  void Next() {
    if (sent_ == messages_.size()) {
      Finish(status_);
    } else {
      StartWrite(&messages_[sent_++]);
    }
  }

  const std::vector<vtgate::StreamExecuteResponse> messages_;
  const grpc::Status status_;
  size_t sent_ = 0;
};

}  // namespace

// Lives until both its thread and gRPC are done with it.
class VtgateService::StreamCall : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                                  public ResponseWriter {
 public:
  static StreamCall* Start(VtgateService& service, const vtgate::VStreamRequest& request) {
    auto* call = new StreamCall(service, request);
    call->of_grpc_.reset(call);
    std::thread([own = call->of_grpc_] { own->Run(); }).detach();
    return call;
  }

  absl::Status Write(const vtgate::VStreamResponse& response) override {
    grpc::ByteBuffer buffer;
    bool own = false;
    grpc::SerializationTraits<vtgate::VStreamResponse>::Serialize(response, &buffer, &own);
    const size_t limit = service_.options_.max_message_bytes;
    if (buffer.Length() > limit) {
      return absl::UnknownError(Cat("error sending events: ", TooLarge(buffer.Length(), limit)));
    }
    return WriteBytes(buffer);
  }

  absl::Status WriteBytes(const grpc::ByteBuffer& bytes) override {
    {
      const absl::MutexLock lock(&write_mutex_);
      writing_ = true;
    }
    StartWrite(&bytes);
    const absl::MutexLock lock(&write_mutex_);
    write_mutex_.Await(absl::Condition(
        +[](bool* writing) { return !*writing; }, &writing_));
    return written_ ? absl::OkStatus() : absl::CancelledError("context canceled");
  }

  void OnWriteDone(bool ok) override {
    const absl::MutexLock lock(&write_mutex_);
    writing_ = false;
    written_ = ok;
  }

  void OnCancel() override {
    cancelled_.store(true);
    signal_.Notify();
  }

  void OnDone() override { of_grpc_.reset(); }

  // Makes the call end with UNAVAILABLE.
  void End() {
    ended_.store(true);
    OnCancel();
  }

 private:
  StreamCall(VtgateService& service, const vtgate::VStreamRequest& request)
      : service_(service), request_(request) {}

  void Run() {
    absl::Status status;
    {
      VtgateStream stream(service_.cluster_, service_.options_.streams,
                          service_.faults_.ForStream(), request_, *this, signal_, cancelled_);
      status = stream.Run();
    }
    if (ended_.load()) status = absl::UnavailableError("vtgate is shutting down");
    Finish(ToGrpc(status));
    service_.Ended(this);
  }

  VtgateService& service_;
  const vtgate::VStreamRequest request_;
  Signal signal_;
  std::atomic<bool> cancelled_ = false;
  std::atomic<bool> ended_ = false;
  absl::Mutex write_mutex_;
  bool writing_ ABSL_GUARDED_BY(write_mutex_) = false;
  bool written_ ABSL_GUARDED_BY(write_mutex_) = false;
  std::shared_ptr<StreamCall> of_grpc_;
};

VtgateService::VtgateService(Cluster& cluster, Faults& faults, ServiceOptions options)
    : cluster_(cluster), faults_(faults), options_(std::move(options)) {}

VtgateService::~VtgateService() {
  EndStreams();
  const absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](std::set<StreamCall*>* running) { return running->empty(); }, &running_));
}

void VtgateService::EndStreams() {
  const absl::MutexLock lock(&mutex_);
  for (StreamCall* call : running_) call->End();
}

void VtgateService::Ended(StreamCall* call) {
  const absl::MutexLock lock(&mutex_);
  running_.erase(call);
}

size_t VtgateService::running_streams() {
  const absl::MutexLock lock(&mutex_);
  return running_.size();
}

std::vector<vtgate::VStreamRequest> VtgateService::stream_requests() {
  const absl::MutexLock lock(&mutex_);
  return stream_requests_;
}

std::vector<std::string> VtgateService::statements() {
  const absl::MutexLock lock(&mutex_);
  return statements_;
}

grpc::Status VtgateService::Authenticate(const grpc::CallbackServerContext& context) const {
  if (!options_.user.has_value()) return grpc::Status::OK;
  const auto& metadata = context.client_metadata();
  if (options_.user->basic) {
    const auto authorization = metadata.find("authorization");
    const std::string wanted =
        "Basic " + absl::Base64Escape(options_.user->username + ":" + options_.user->password);
    return authorization != metadata.end() && authorization->second == wanted
               ? grpc::Status::OK
               : grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "unauthorized");
  }
  const auto username = metadata.find("username");
  const auto password = metadata.find("password");
  if (username == metadata.end() || password == metadata.end()) {
    return grpc::Status(grpc::StatusCode::UNAUTHENTICATED,
                        "username and password must be provided");
  }
  if (username->second == options_.user->username && password->second == options_.user->password) {
    return grpc::Status::OK;
  }
  return grpc::Status(grpc::StatusCode::PERMISSION_DENIED,
                      Cat("auth failure: caller \"",
                          std::string_view(username->second.data(), username->second.size()),
                          "\" provided invalid credentials"));
}

void VtgateService::RunQuery(const query::BoundQuery& query, const vtgate::Session& session,
                             vtgate::ExecuteResponse& response) {
  {
    const absl::MutexLock lock(&mutex_);
    statements_.push_back(query.sql());
  }
  BindValues binds;
  for (const auto& [name, variable] : query.bind_variables()) binds[name] = ToLiteral(variable);
  Cluster::Session own = FromProto(session, response.has_session());
  absl::StatusOr<query::QueryResult> result = cluster_.Execute(own, query.sql(), binds);
  const bool limited = session.options().workload() != query::ExecuteOptions::OLAP;
  if (result.ok() && limited &&
      static_cast<uint64_t>(result->rows_size()) > options_.max_result_rows) {
    result = absl::AbortedError(Cat(
        "target: ", own.target, ": vttablet: rpc error: code = Aborted desc = Row count exceeded ",
        options_.max_result_rows));
  }
  vtgate::Session& answer = *response.mutable_session();
  ToProto(own, answer);
  answer.set_row_count(-1);
  if (!result.ok()) {
    response.mutable_error()->set_code(static_cast<vtrpc::Code>(result.status().code()));
    response.mutable_error()->set_message(std::string(result.status().message()));
    return;
  }
  if (result->fields().empty()) {
    answer.set_row_count(static_cast<int64_t>(result->rows_affected()));
  } else {
    answer.set_found_rows(static_cast<uint64_t>(result->rows_size()));
  }
  if (session.options().included_fields() != query::ExecuteOptions::ALL) KeepNameAndType(*result);
  *response.mutable_result() = *std::move(result);
}

grpc::ServerUnaryReactor* VtgateService::Execute(grpc::CallbackServerContext* context,
                                                 const vtgate::ExecuteRequest* request,
                                                 vtgate::ExecuteResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  grpc::Status status = Authenticate(*context);
  if (status.ok()) status = ToGrpc(faults_.ForExecute());
  if (status.ok()) {
    if (request->has_session()) *response->mutable_session() = request->session();
    RunQuery(request->query(), request->session(), *response);
  }
  const size_t size = response->ByteSizeLong();
  if (status.ok() && size > options_.max_message_bytes) {
    status = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                          TooLarge(size, options_.max_message_bytes));
  }
  reactor->Finish(status);
  return reactor;
}

grpc::ServerWriteReactor<vtgate::StreamExecuteResponse>* VtgateService::StreamExecute(
    grpc::CallbackServerContext* context, const vtgate::StreamExecuteRequest* request) {
  grpc::Status status = Authenticate(*context);
  if (status.ok()) status = ToGrpc(faults_.ForExecute());
  if (!status.ok()) return new MessagesCall({}, status);
  vtgate::Session session = request->session();
  session.mutable_options()->set_workload(query::ExecuteOptions::OLAP);
  vtgate::ExecuteResponse answer;
  if (request->has_session()) *answer.mutable_session() = request->session();
  RunQuery(request->query(), session, answer);
  if (answer.has_error()) {
    return new MessagesCall({}, grpc::Status(static_cast<grpc::StatusCode>(answer.error().code()),
                                             answer.error().message()));
  }
  // First the fields, then the rows, at last the session.
  std::vector<vtgate::StreamExecuteResponse> messages(3);
  *messages[0].mutable_result()->mutable_fields() = answer.result().fields();
  *messages[1].mutable_result()->mutable_rows() = answer.result().rows();
  *messages[2].mutable_session() = answer.session();
  return new MessagesCall(std::move(messages), grpc::Status::OK);
}

grpc::ServerUnaryReactor* VtgateService::CloseSession(grpc::CallbackServerContext* context,
                                                      const vtgate::CloseSessionRequest* request,
                                                      vtgate::CloseSessionResponse* /*response*/) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const grpc::Status status = Authenticate(*context);
  if (status.ok()) cluster_.CloseSession(FromProto(request->session(), request->has_session()));
  reactor->Finish(status);
  return reactor;
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* VtgateService::VStream(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  vtgate::VStreamRequest parsed;
  grpc::ByteBuffer bytes = *request;
  grpc::Status status =
      grpc::SerializationTraits<vtgate::VStreamRequest>::Deserialize(&bytes, &parsed);
  if (status.ok()) status = Authenticate(*context);
  if (!status.ok()) {
    class Refusal : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
     public:
      explicit Refusal(const grpc::Status& refused) { Finish(refused); }
      void OnDone() override { delete this; }
    };
    return new Refusal(status);
  }
  const absl::MutexLock lock(&mutex_);
  stream_requests_.push_back(parsed);
  StreamCall* call = StreamCall::Start(*this, parsed);
  running_.insert(call);
  return call;
}

}  // namespace source_vitess::simulator
