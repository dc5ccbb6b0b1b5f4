// How a VTGate is reached.
#ifndef SOURCE_VITESS_VITESS_CHANNEL_H_
#define SOURCE_VITESS_VITESS_CHANNEL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace source_vitess::vitess {

// TLS 1.2 or later. All certificates and keys are PEM text, not paths.
struct TlsOptions {
  std::string ca_certificate;      // empty: the system's roots
  std::string server_name;         // the name that the certificate must have; empty: the host
  std::string client_certificate;  // with client_key, for servers that ask for one
  std::string client_key;
};

// Sent with every call as the metadata "username" and "password" (Vitess's static authentication).
struct Credentials {
  std::string username;
  std::string password;
};

struct ChannelOptions {
  std::string host;
  int port = 15991;
  std::optional<TlsOptions> tls;  // absent: plaintext
  std::optional<Credentials> credentials;
  // Bytes of the largest message accepted. Vitess sends up to 16 MiB unless its
  // --grpc-max-message-size is raised.
  int64_t max_receive_bytes = int64_t{256} << 20;
};

}  // namespace source_vitess::vitess

#endif  // SOURCE_VITESS_VITESS_CHANNEL_H_
