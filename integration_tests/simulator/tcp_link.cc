#include "simulator/tcp_link.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

constexpr size_t kBufferBytes = 65536;

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

const sockaddr* Generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// A socket that listens on a port of the loopback interface, 0 being any; -1 if that cannot be had.
int ListenOn(int port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = Loopback(port);
  const bool listens =
      bind(listener, Generic(address), sizeof address) == 0 && listen(listener, SOMAXCONN) == 0;
  if (listens) return listener;
  close(listener);
  return -1;
}

int PortOf(int listener) {
  sockaddr_in address = {};
  socklen_t size = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

int Connect(int port) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  if (connect(server, Generic(address), sizeof address) == 0) return server;
  close(server);
  return -1;
}

// Closes so that the other side sees a reset, not an end.
void Reset(int socket_fd) {
  const linger none = {1, 0};
  setsockopt(socket_fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  close(socket_fd);
}

// Reads into an empty buffer; false if the connection is over.
bool Fill(int from, std::string& buffer) {
  if (!buffer.empty()) return true;
  std::array<char, kBufferBytes> bytes;
  const ssize_t count = recv(from, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (count > 0) buffer.assign(bytes.data(), static_cast<size_t>(count));
  return count > 0 || (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
}

// Writes as much of the buffer as goes; false if the connection is over.
bool Drain(int to, std::string& buffer) {
  if (buffer.empty()) return true;
  const ssize_t count = send(to, buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count > 0) buffer.erase(0, static_cast<size_t>(count));
  return count >= 0 || errno == EAGAIN || errno == EWOULDBLOCK;
}

short Events(const std::string& read_into, const std::string& written_from) {
  const int events = (read_into.empty() ? POLLIN : 0) | (written_from.empty() ? 0 : POLLOUT);
  return static_cast<short>(events);
}

}  // namespace

struct TcpLink::Connection {
  int client = -1;
  int server = -1;
  std::string to_server;  // read, and not yet written
  std::string to_client;
};

absl::StatusOr<std::unique_ptr<TcpLink>> TcpLink::Open(const std::string& server) {
  int server_port = 0;
  if (!absl::SimpleAtoi(server.substr(server.rfind(':') + 1), &server_port))
    return absl::InvalidArgumentError(Cat("no address: ", server));
  const int listener = ListenOn(0);
  if (listener < 0) return absl::UnavailableError("no port to listen on");
  const int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return std::unique_ptr<TcpLink>(new TcpLink(listener, PortOf(listener), wake, server_port));
}

TcpLink::TcpLink(int listener, int port, int wake, int server_port)
    : port_(port), wake_(wake), server_port_(server_port), listener_(listener) {
  thread_ = std::thread([this] { Run(); });
}

TcpLink::~TcpLink() {
  {
    const absl::MutexLock lock(&mutex_);
    ends_ = true;
  }
  Wake();
  thread_.join();
  const absl::MutexLock lock(&mutex_);
  ResetAll();
  if (listener_ >= 0) close(listener_);
  close(wake_);
}

void TcpLink::Wake() const { eventfd_write(wake_, 1); }

void TcpLink::CutAfter(uint64_t bytes) {
  const absl::MutexLock lock(&mutex_);
  cut_at_ = received_ + bytes;
}

void TcpLink::SetFrozen(bool frozen) {
  {
    const absl::MutexLock lock(&mutex_);
    frozen_ = frozen;
  }
  Wake();
}

void TcpLink::SetRefusing(bool refusing) {
  {
    const absl::MutexLock lock(&mutex_);
    if (refusing && listener_ >= 0) {
      close(std::exchange(listener_, -1));
      ResetAll();
    }
    if (!refusing && listener_ < 0) listener_ = ListenOn(port_);
  }
  Wake();
}

uint64_t TcpLink::bytes_from_server() {
  const absl::MutexLock lock(&mutex_);
  return received_;
}

uint64_t TcpLink::connections() {
  const absl::MutexLock lock(&mutex_);
  return accepted_;
}

void TcpLink::ResetAll() {
  for (const auto& connection : connections_) {
    Reset(connection->client);
    Reset(connection->server);
  }
  connections_.clear();
}

void TcpLink::Run() {
  while (Step()) {
    std::vector<pollfd> waited = {{wake_, POLLIN, 0}};
    {
      const absl::MutexLock lock(&mutex_);
      if (!frozen_ && listener_ >= 0) waited.push_back({listener_, POLLIN, 0});
      for (const auto& connection : connections_) {
        if (frozen_) break;
        const Connection& c = *connection;
        waited.push_back({c.client, Events(c.to_server, c.to_client), 0});
        waited.push_back({c.server, Events(c.to_client, c.to_server), 0});
      }
    }
    poll(waited.data(), waited.size(), -1);
    eventfd_t count = 0;
    eventfd_read(wake_, &count);
  }
}

bool TcpLink::Step() {
  const absl::MutexLock lock(&mutex_);
  if (ends_) return false;
  if (frozen_) return true;
  Accept();
  for (size_t i = 0; i < connections_.size();) {
    if (Advance(*connections_[i])) {
      ++i;
      continue;
    }
    if (connections_.empty()) break;  // they were cut
    close(connections_[i]->client);
    close(connections_[i]->server);
    connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return true;
}

void TcpLink::Accept() {
  while (listener_ >= 0) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const int server = Connect(server_port_);
    if (server < 0) {
      Reset(client);
      continue;
    }
    const int on = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections_.push_back(std::make_unique<Connection>(Connection{client, server, "", ""}));
    ++accepted_;
  }
}

bool TcpLink::Advance(Connection& connection) {
  const bool client_open = Fill(connection.client, connection.to_server);
  if (!Drain(connection.server, connection.to_server)) return false;
  const bool fresh = connection.to_client.empty();
  const bool server_open = Fill(connection.server, connection.to_client);
  if (fresh) received_ += connection.to_client.size();
  if (cut_at_.has_value() && received_ >= *cut_at_) {
    const uint64_t beyond = std::min<uint64_t>(received_ - *cut_at_, connection.to_client.size());
    connection.to_client.resize(connection.to_client.size() - beyond);
    Drain(connection.client, connection.to_client);
    cut_at_.reset();
    ResetAll();
    return false;
  }
  if (!Drain(connection.client, connection.to_client)) return false;
  // What an end has said last still goes to the other.
  return client_open && (server_open || !connection.to_client.empty());
}

}  // namespace source_vitess::simulator
