// The gRPC server that Fivetran calls (reference 1.3, 2.1).
#ifndef SOURCE_VITESS_FIVETRAN_SERVER_H_
#define SOURCE_VITESS_FIVETRAN_SERVER_H_

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fivetran/connector_sdk.pb.h"

namespace source_vitess::fivetran {

// Where the messages of one Update go.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;

  // Sends a serialized UpdateResponse, or puts it behind some that are to be sent. Blocks while the
  // host does not take more. Fails, with the class kHost, once the call is cancelled. For one
  // thread at a time.
  virtual absl::Status Write(std::string_view message) = 0;
};

// What answers the calls. Each is made in a thread of its own, and several may be under way. `stop`
// is requested when the host cancels the call, or the server ends. A failed status is what the host
// gets: its class decides the code.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual absl::StatusOr<fivetran_sdk::v2::ConfigurationFormResponse> ConfigurationForm() = 0;
  virtual absl::StatusOr<fivetran_sdk::v2::TestResponse> Test(
      const fivetran_sdk::v2::TestRequest& request, std::stop_token stop) = 0;
  virtual absl::StatusOr<fivetran_sdk::v2::SchemaResponse> Schema(
      const fivetran_sdk::v2::SchemaRequest& request, std::stop_token stop) = 0;
  virtual absl::Status Update(const fivetran_sdk::v2::UpdateRequest& request, ResponseStream& out,
                              std::stop_token stop) = 0;
};

// Longest text of a status as it is sent, where a byte that is not printable ASCII takes three: the
// host takes headers of 10 kB in all, and gRPC's own clients 8 kB (reference 2.1).
constexpr size_t kLongestStatusText = 6000;

// The message cut to `size` bytes at a character's end, with bytes replaced that are not UTF-8.
std::string BoundedText(std::string_view message, size_t size);

// The same so that it takes at most kLongestStatusText as the text of a status.
std::string StatusText(std::string_view message);

class Server {
 public:
  virtual ~Server() = default;
  virtual int port() const = 0;

  // Takes no more calls, asks those under way to stop, and returns when they have.
  virtual void Shutdown() = 0;
};

// Listens on all addresses of the machine, of both IP versions where it has them, without TLS, as
// Fivetran asks for. `port`: 0 for one that is free. `handler` must outlive the server. Fails, with
// the class kConfiguration, when the port is taken.
absl::StatusOr<std::unique_ptr<Server>> StartServer(int port, Handler& handler);

}  // namespace source_vitess::fivetran

#endif  // SOURCE_VITESS_FIVETRAN_SERVER_H_
