#include "simulator/simulator.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {

Simulator::Simulator(SimulatorOptions options)
    : options_(std::move(options)), cluster_(options_.cluster) {}

Simulator::~Simulator() { Stop(); }

// A socket that is bound and does not listen. Linux lets a server listen at its port all the same,
// as both set SO_REUSEADDR, and gives the port to nobody who asks for a free one.
class Simulator::PortReservation {
 public:
  // `port` 0: one that is free.
  PortReservation(in_addr host, int port)
      : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int yes = 1;
    setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr = host;
    address.sin_port = htons(static_cast<uint16_t>(port));
    socklen_t size = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(socket_, generic, size) != 0 || getsockname(socket_, generic, &size) != 0) return;
    port_ = ntohs(address.sin_port);
  }
  ~PortReservation() { close(socket_); }
  PortReservation(const PortReservation&) = delete;
  PortReservation& operator=(const PortReservation&) = delete;

  int port() const { return port_; }  // 0: it could not be had

 private:
  const int socket_;
  int port_ = 0;
};

absl::StatusOr<int> Simulator::Start(const std::string& host, int port) {
  if (in_addr address; inet_pton(AF_INET, host.c_str(), &address) == 1 &&
                       (reservation_ == nullptr || reservation_->port() != port)) {
    reservation_ = std::make_unique<PortReservation>(address, port);
    if (reservation_->port() == 0) {
      return absl::UnavailableError(Cat("cannot listen on ", host, ":", port));
    }
    port = reservation_->port();
  }
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
