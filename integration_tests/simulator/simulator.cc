#include "simulator/simulator.h"

#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {

Simulator::Simulator(SimulatorOptions options)
    : options_(std::move(options)), cluster_(options_.cluster) {}

Simulator::~Simulator() { Stop(); }

absl::StatusOr<int> Simulator::Start(const std::string& host, int port) {
  service_ = std::make_unique<VtgateService>(cluster_, faults_, options_.service);
  int chosen = 0;
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(
      Cat(host, ":", port),
      options_.credentials ? options_.credentials : grpc::InsecureServerCredentials(), &chosen);
  builder.SetMaxSendMessageSize(-1);  // the service looks after that
  builder.SetMaxReceiveMessageSize(static_cast<int>(options_.service.max_message_bytes));
  builder.RegisterService(service_.get());
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || chosen == 0) {
    server_.reset();
    service_.reset();
    return absl::UnavailableError(Cat("cannot listen on ", host, ":", port));
  }
  address_ = Cat(host, ":", chosen);
  return chosen;
}

void Simulator::Stop() {
  if (server_ == nullptr) return;
  service_->EndStreams();
  server_->Shutdown(absl::ToChronoTime(absl::Now() + absl::Seconds(1)));
  server_->Wait();
  server_.reset();
  service_.reset();
}

absl::Status Simulator::Restart(absl::Duration down) {
  const size_t colon = address_.rfind(':');
  const std::string host = address_.substr(0, colon);
  int port = 0;
  if (!absl::SimpleAtoi(address_.substr(colon + 1), &port))
    return absl::FailedPreconditionError("it has not been started");
  Stop();
  absl::SleepFor(down);
  return Start(host, port).status();
}

void Simulator::EndStreams() {
  if (service_ != nullptr) service_->EndStreams();
}

size_t Simulator::running_streams() {
  return service_ != nullptr ? service_->running_streams() : 0;
}

std::vector<vtgate::VStreamRequest> Simulator::stream_requests() {
  return service_ == nullptr ? std::vector<vtgate::VStreamRequest>() : service_->stream_requests();
}

std::vector<std::string> Simulator::statements() {
  return service_ == nullptr ? std::vector<std::string>() : service_->statements();
}

}  // namespace source_vitess::simulator
