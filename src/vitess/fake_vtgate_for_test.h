// A VTGate of a few lines, behind real gRPC on this machine.
#ifndef SOURCE_VITESS_VITESS_FAKE_VTGATE_FOR_TEST_H_
#define SOURCE_VITESS_VITESS_FAKE_VTGATE_FOR_TEST_H_

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "grpcpp/grpcpp.h"
#include "vitess/channel.h"
#include "vitess/vtgateservice.grpc.pb.h"

namespace source_vitess::vitess {

class FakeVtgate final : public vtgateservice::Vitess::Service {
 public:
  using Writer = grpc::ServerWriter<vtgate::VStreamResponse>;
  using Metadata = std::multimap<std::string, std::string>;

  // What it answers. To be set before the first call.
  std::function<grpc::Status(const vtgate::ExecuteRequest&, vtgate::ExecuteResponse*)> on_execute =
      [](const auto&, auto*) { return grpc::Status::OK; };
  std::function<grpc::Status(grpc::ServerContext*, const vtgate::VStreamRequest&, Writer*)>
      on_stream = [](auto*, const auto&, auto*) { return grpc::Status::OK; };

  explicit FakeVtgate(
      std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials(),
      const std::string& address = "127.0.0.1:0") {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, std::move(credentials), &port_);
    builder.SetMaxSendMessageSize(-1);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }

  ~FakeVtgate() override { server_->Shutdown(std::chrono::system_clock::now()); }

  int port() const { return port_; }

  ChannelOptions Options() const {
    ChannelOptions options;
    options.host = "127.0.0.1";
    options.port = port_;
    return options;
  }

  // What came with the last call.
  std::string LastMetadata(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = metadata_.find(key);
    return found == metadata_.end() ? "(none)" : found->second;
  }
  vtgate::ExecuteRequest LastExecute() const {
    const std::lock_guard lock(mutex_);
    return last_execute_;
  }

  grpc::Status Execute(grpc::ServerContext* context, const vtgate::ExecuteRequest* request,
                       vtgate::ExecuteResponse* response) override {
    Keep(*context);
    {
      const std::lock_guard lock(mutex_);
      last_execute_ = *request;
    }
    return on_execute(*request, response);
  }

  grpc::Status VStream(grpc::ServerContext* context, const vtgate::VStreamRequest* request,
                       Writer* writer) override {
    Keep(*context);
    return on_stream(context, *request, writer);
  }

 private:
  void Keep(const grpc::ServerContext& context) {
    const std::lock_guard lock(mutex_);
    metadata_.clear();
    for (const auto& [key, value] : context.client_metadata()) {
      metadata_.emplace(std::string(key.data(), key.size()),
                        std::string(value.data(), value.size()));
    }
  }

  mutable std::mutex mutex_;
  Metadata metadata_;
  vtgate::ExecuteRequest last_execute_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace source_vitess::vitess

#endif  // SOURCE_VITESS_VITESS_FAKE_VTGATE_FOR_TEST_H_
