// How a VTGate is reached.
#ifndef SOURCE_VITESS_VITESS_CHANNEL_H_
#define SOURCE_VITESS_VITESS_CHANNEL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace grpc {
class Channel;
}

namespace source_vitess::vitess {

// TLS 1.2 or later. All certificates and keys are PEM text, not paths.
struct TlsOptions {
  std::string ca_certificate;      // empty: the system's (vitess/trusted_roots.h)
  std::string server_name;         // the name that the certificate must have; empty: the host
  std::string client_certificate;  // with client_key, for servers that ask for one
  std::string client_key;
};

// Sent with every call.
struct Credentials {
  enum class Scheme {
    kVitess,  // as the metadata "username" and "password": Vitess's static authentication
    kBasic,   // as the metadata "authorization" of HTTP Basic (RFC 7617): PlanetScale's endpoint
  };

  std::string username;
  std::string password;
  Scheme scheme = Scheme::kVitess;
};

// What stands behind "Basic " in HTTP's authorization.
std::string BasicToken(const Credentials& credentials);

struct ChannelOptions {
  std::string host;               // a name, an IPv4 or an IPv6 address (with or without brackets)
  int port = 15991;               // 1 to 65535
  std::optional<TlsOptions> tls;  // absent: plaintext
  std::optional<Credentials> credentials;
  // Bytes of the largest message accepted. Vitess sends up to 16 MiB unless its
  // --grpc-max-message-size is raised. All that a channel holds of messages that are not read yet
  // is bounded by this and half a gigabyte.
  int64_t max_receive_bytes = int64_t{256} << 20;
};

// A channel that connects when it is first used, and again whenever it has to. Configuration errors
// name the option that is wrong, never a secret. Credentials are not the channel's matter: see
// vtgate_stub.h. From the first one on, gRPC writes nothing to the standard error, not even what
// its own GRPC_VERBOSITY and GRPC_TRACE ask for. Compressed messages are refused: VTGate sends
// none, and what becomes of them is not bounded.
absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const ChannelOptions& options);

// What gRPC writes to the standard error, which must stay empty, it also returns as statuses. Its
// traces, which an environment variable turns on, would show passwords. For the whole process.
void KeepGrpcQuiet();

// What the failure of a first call on a channel of these options most likely means: a sentence that
// names the option to look at, host and port, and what gRPC or the server said. It tells apart a
// refused connection, an unknown name, a certificate that is not trusted or for another name, TLS
// against plaintext, something that is not a VTGate, and wrong credentials. Code and class are
// kept; any other status is returned as it is.
absl::Status ExplainConnectFailure(const ChannelOptions& options, const absl::Status& failure);

// What to do about a failure that comes of the size of a message, before what gRPC or the server
// said; any other status is returned as it is. Code and class are kept.
absl::Status ExplainMessageSize(const ChannelOptions& options, const absl::Status& failure);

}  // namespace source_vitess::vitess

#endif  // SOURCE_VITESS_VITESS_CHANNEL_H_
