// The status page: what a person, Prometheus, or a program can be told of a run over HTTP.
#ifndef SOURCE_VITESS_TELEMETRY_STATUS_SERVER_H_
#define SOURCE_VITESS_TELEMETRY_STATUS_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "telemetry/progress.h"

namespace source_vitess::telemetry {

// Gives the status as of now, from any thread.
using StatusSource = std::function<Status()>;

// Serves until it is destroyed.
class StatusServer {
 public:
  virtual ~StatusServer() = default;
  // Where it listens, in 1 to 65535.
  virtual int port() const = 0;
};

// Serves, by HTTP without TLS, the page at "/", "/api/status" (JSON), "/metrics" (Prometheus' text
// format) and "/healthz". `port` 0: one that is free. An error where nothing can listen there, or
// where the program was linked without this server.
absl::StatusOr<std::unique_ptr<StatusServer>> StartStatusServer(const std::string& address,
                                                                int port, StatusSource source);

// StartStatusServer, or what a test has in its place.
using StatusServerFactory = std::function<absl::StatusOr<std::unique_ptr<StatusServer>>(
    const std::string& address, int port, StatusSource source)>;

}  // namespace source_vitess::telemetry

#endif  // SOURCE_VITESS_TELEMETRY_STATUS_SERVER_H_
