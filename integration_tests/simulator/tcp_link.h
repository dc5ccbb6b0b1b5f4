// A network between a client and a server, with a network's failures.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_TCP_LINK_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_TCP_LINK_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace source_vitess::simulator {

// Passes TCP connections on to a server, byte by byte, until a test wants otherwise. Thread-safe.
class TcpLink {
 public:
  // Listens on a free port of the loopback interface for connections to `server`, "127.0.0.1:port".
  static absl::StatusOr<std::unique_ptr<TcpLink>> Open(const std::string& server);
  // Resets the connections that are left.
  ~TcpLink();

  TcpLink(const TcpLink&) = delete;
  TcpLink& operator=(const TcpLink&) = delete;

  int port() const { return port_; }

  // Resets every connection once the server has sent so many bytes more, all connections together:
  // in the middle of a message as likely as not. A reset also takes what the client has not read
  // yet. Later connections are sound.
  void CutAfter(uint64_t bytes);

  // While frozen nothing comes through, in neither direction, and nobody is told.
  void SetFrozen(bool frozen);

  // While refusing, connections are reset and new ones refused.
  void SetRefusing(bool refusing);

  // What the server has sent so far, and how many connections were made.
  uint64_t bytes_from_server();
  uint64_t connections();

 private:
  struct Connection;

  TcpLink(int listener, int port, int wake, int server_port);

  void Run();
  // Does what can be done on the connections, once poll() has told that something can; false once
  // the link is to end.
  bool Step();
  void Accept() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Reads what is there and writes what has not been written yet; whether both ends are still open.
  bool Advance(Connection& connection) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ResetAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Wake() const;

  const int port_;
  const int wake_;
  const int server_port_;
  absl::Mutex mutex_;
  int listener_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Connection>> connections_ ABSL_GUARDED_BY(mutex_);
  std::optional<uint64_t> cut_at_ ABSL_GUARDED_BY(mutex_);  // of received_
  uint64_t received_ ABSL_GUARDED_BY(mutex_) = 0;           // from the server
  uint64_t accepted_ ABSL_GUARDED_BY(mutex_) = 0;
  bool frozen_ ABSL_GUARDED_BY(mutex_) = false;
  bool refusing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ends_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_TCP_LINK_H_
