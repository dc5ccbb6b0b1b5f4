#include "vitess/channel.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "grpc/support/log.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "text/absl_view.h"
#include "version.h"
#include "vitess/errors.h"
#include "vitess/trusted_roots.h"

namespace source_vitess::vitess {
namespace {

using text::AbslView;

// What a stream may send ahead of its reader: 40 MB/s over a round trip of 100 ms.
constexpr int kStreamWindowBytes = 4 << 20;
// What all streams of a channel may hold besides one message of the largest size: the windows of
// 128 streams whose reader waits for its host.
constexpr size_t kReadAheadBytes = size_t{512} << 20;
// Vitess takes offence at pings that come more often than every 10 s, and at pings without a call
// (reference 10).
constexpr int kPingIntervalMs = 30'000;
constexpr int kPingTimeoutMs = 20'000;
// Who retries decides when; gRPC's own pauses, which grow to two minutes, must not outlast it.
constexpr int kLongestReconnectPauseMs = 5'000;

bool IsMadeOf(std::string_view text, std::string_view punctuation) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return absl::ascii_isalnum(c) || punctuation.find(c) != std::string_view::npos;
  });
}

std::string_view WithoutBrackets(std::string_view host) {
  if (host.size() < 2 || host.front() != '[' || host.back() != ']') return host;
  return host.substr(1, host.size() - 2);
}

bool IsIpv6(std::string_view host) {
  return std::count(host.begin(), host.end(), ':') >= 2 && IsMadeOf(host, ":.%");
}

absl::Status CheckHost(std::string_view host) {
  if (host.empty()) return ConfigurationError("the option host is empty");
  if (IsIpv6(host) || IsMadeOf(host, ".-_")) return absl::OkStatus();
  const bool has_port = std::count(host.begin(), host.end(), ':') == 1 && IsMadeOf(host, ".-_:");
  return ConfigurationError(absl::StrCat(
      "the option host must be a name or an address and nothing else",
      has_port ? "; the port has an option of its own" : "", " (it is \"", AbslView(host), "\")"));
}

// gRPC says no more of unusable text than that there are no addresses, and says it when it
// connects.
absl::Status CheckPem(std::string_view pem, std::string_view label, std::string_view option) {
  const size_t begin = pem.find("-----BEGIN ");
  const size_t end = pem.find("-----END ");
  const bool whole = begin != std::string_view::npos && end != std::string_view::npos &&
                     begin < end &&
                     pem.substr(begin, end - begin).find('\n') != std::string_view::npos;
  if (pem.empty() || (whole && pem.find(label) != std::string_view::npos)) return absl::OkStatus();
  return ConfigurationError(absl::StrCat(
      "the option ", AbslView(option),
      " of encryption is not PEM text: that begins with a line "
      "\"-----BEGIN ",
      AbslView(label), "-----\" and ends with a line \"-----END ", AbslView(label), "-----\""));
}

absl::Status CheckTls(const TlsOptions& tls) {
  constexpr std::string_view kCertificate = "CERTIFICATE";
  constexpr std::string_view kKey = "PRIVATE KEY";
  if (absl::Status s = CheckPem(tls.ca_certificate, kCertificate, "ca_certificate"); !s.ok()) {
    return s;
  }
  if (absl::Status s = CheckPem(tls.client_certificate, kCertificate, "client_certificate");
      !s.ok()) {
    return s;
  }
  if (absl::Status s = CheckPem(tls.client_key, kKey, "client_key"); !s.ok()) return s;
  if (tls.client_certificate.empty() != tls.client_key.empty()) {
    return ConfigurationError(
        "the options client_certificate and client_key need one another: one of them is empty");
  }
  return absl::OkStatus();
}

absl::Status Check(const ChannelOptions& options) {
  if (absl::Status s = CheckHost(WithoutBrackets(options.host)); !s.ok()) return s;
  if (options.port < 1 || options.port > 65535) {
    return ConfigurationError(
        absl::StrCat("the option port must be from 1 to 65535 (it is ", options.port, ")"));
  }
  if (options.max_receive_bytes < 1) {
    return ConfigurationError("the option max_message_mb must be 1 or more");
  }
  return options.tls.has_value() ? CheckTls(*options.tls) : absl::OkStatus();
}

// "host:port" as people write it.
std::string Address(const ChannelOptions& options) {
  const std::string_view host = WithoutBrackets(options.host);
  return IsIpv6(host) ? absl::StrCat("[", AbslView(host), "]:", options.port)
                      : absl::StrCat(AbslView(host), ":", options.port);
}

// The address as a target of gRPC. Without the scheme, a host named "unix" would be a socket.
std::string Target(const ChannelOptions& options) {
  std::string target = "dns:///";
  for (const char c : Address(options)) {
    if (c == '[' || c == ']' || c == '%') {
      absl::StrAppend(&target, "%", absl::Hex(c));
    } else {
      target.push_back(c);
    }
  }
  return target;
}

// gRPC speaks TLS 1.2 or later.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> TransportCredentials(
    const ChannelOptions& options) {
  if (!options.tls.has_value()) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = options.tls->ca_certificate;
  if (ssl.pem_root_certs.empty()) {
    absl::StatusOr<std::string> roots =
        ReadTrustedRoots([](const char* name) { return std::getenv(name); }, RootBundles());
    if (!roots.ok()) return roots.status();
    ssl.pem_root_certs = *std::move(roots);
  }
  ssl.pem_cert_chain = options.tls->client_certificate;
  ssl.pem_private_key = options.tls->client_key;
  return grpc::SslCredentials(ssl);
}

grpc::ChannelArguments Arguments(const ChannelOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(
      std::min<int64_t>(options.max_receive_bytes, std::numeric_limits<int>::max())));
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kPingIntervalMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingTimeoutMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 0);
  // A VStream sends nothing after its request, and has to go on pinging all the same.
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestReconnectPauseMs);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // A message is measured once it is decompressed, so that a few bytes could become any number.
  // VTGate compresses what it is asked to compress, and is not asked.
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  arguments.SetInt(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1 << GRPC_COMPRESS_NONE);
  // A window of a fixed size: gRPC's own estimate grows to tens of megabytes per stream and gains
  // nothing.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kStreamWindowBytes);
  // gRPC compares a message's size with the limit once it has all of it: without the quota, a
  // server that announces 2 GB would be believed.
  grpc::ResourceQuota quota("source-vitess");
  quota.Resize(static_cast<size_t>(options.max_receive_bytes) + kReadAheadBytes);
  arguments.SetResourceQuota(quota);
  arguments.SetUserAgentPrefix(absl::StrCat("source-vitess/", kVersion));
  if (options.tls.has_value() && !options.tls->server_name.empty()) {
    arguments.SetSslTargetNameOverride(options.tls->server_name);
  }
  return arguments;
}

// What gRPC and Vitess say, and what it means to somebody who fills in a form.
struct Explanation {
  absl::StatusCode code;
  std::optional<bool> tls;  // absent: with TLS and without
  std::string_view fragment;
  std::string_view meaning;
};

constexpr Explanation kExplanations[] = {
    {absl::StatusCode::kUnavailable, std::nullopt, "Connection refused",
     "nothing listens at this address; check the options host and port (VTGate's gRPC port, "
     "usually 15991, is not its MySQL port)"},
    {absl::StatusCode::kUnavailable, std::nullopt, "DNS resolution failed",
     "the name of the host cannot be resolved; check the option host"},
    {absl::StatusCode::kUnavailable, std::nullopt, "http1.x server",
     "a web server answers at this address and not a VTGate; check the option port (VTGate's gRPC "
     "port, usually 15991, is not its web port)"},
    {absl::StatusCode::kUnavailable, true, "certificate verify failed",
     "the server's certificate is not signed by a known authority, or is not valid now; check the "
     "option ca_certificate of encryption"},
    {absl::StatusCode::kUnavailable, true, "is not in peer certificate",
     "the server's certificate is for another name; check the options host and server_name of "
     "encryption"},
    {absl::StatusCode::kUnavailable, true, "wrong version number",
     "the server does not speak TLS at this port; check the options port and encryption"},
    {absl::StatusCode::kUnavailable, true, "empty address list",
     "the certificates or the key cannot be used: one cannot be read, or the key is another "
     "certificate's; check the options ca_certificate, client_certificate and client_key of "
     "encryption"},
    {absl::StatusCode::kUnavailable, true, "Ssl handshake failed",
     "TLS cannot be agreed upon with the server; check the options of encryption"},
    // A server that wants a client certificate says so, since TLS 1.3, by hanging up.
    {absl::StatusCode::kUnavailable, true, "Socket closed",
     "the server closed the connection; if it asks for a client certificate, check the options "
     "client_certificate and client_key of encryption, else the option port"},
    {absl::StatusCode::kUnavailable, false, "Socket closed",
     "the server closed the connection; if it expects TLS, check the option encryption, else the "
     "option port (VTGate's gRPC port, usually 15991, is not its MySQL port)"},
    {absl::StatusCode::kUnavailable, std::nullopt, "failed to connect to all addresses",
     "the server cannot be reached; check the options host and port, and firewalls between"},
    {absl::StatusCode::kDeadlineExceeded, std::nullopt, "",
     "the server does not answer in time; check the options host and port, and firewalls between"},
    {absl::StatusCode::kUnauthenticated, std::nullopt, "",
     "VTGate wants to know who calls; check the option authentication"},
    {absl::StatusCode::kPermissionDenied, std::nullopt, "",
     "VTGate refuses the user; check the options username and password of authentication"},
    {absl::StatusCode::kUnimplemented, std::nullopt, "ompression algorithm",
     "the server compresses what it sends, which is refused; let what stands between this program "
     "and VTGate send messages as they are"},
    // gRPC says this of an answer that it cannot read, and of a compressed one too if the end of
    // the call is there before the answer is looked at.
    {absl::StatusCode::kUnimplemented, std::nullopt, "No message returned",
     "a gRPC server answers at this address, but not a VTGate, or what stands between compresses "
     "messages, which is refused; check the options host and port"},
    {absl::StatusCode::kUnimplemented, std::nullopt, "",
     "a gRPC server answers at this address, but not a VTGate; check the options host and port"},
};

}  // namespace

void KeepGrpcQuiet() {
  static const bool done = [] {
    gpr_set_log_function([](gpr_log_func_args*) {});
    return true;
  }();
  static_cast<void>(done);
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const ChannelOptions& options) {
  if (absl::Status status = Check(options); !status.ok()) return status;
  KeepGrpcQuiet();
  const auto credentials = TransportCredentials(options);
  if (!credentials.ok()) return credentials.status();
  return grpc::CreateCustomChannel(Target(options), *credentials, Arguments(options));
}

std::string BasicToken(const Credentials& credentials) {
  return absl::Base64Escape(absl::StrCat(credentials.username, ":", credentials.password));
}

absl::Status ExplainMessageSize(const ChannelOptions& options, const absl::Status& failure) {
  const std::string_view message = text::StdView(failure.message());
  const auto says = [&](std::string_view part) {
    return message.find(part) != std::string_view::npos;
  };
  if (failure.ok()) return failure;
  if (says("Received message larger than max") ||
      (failure.code() == absl::StatusCode::kResourceExhausted && says("Buffers full"))) {
    return Annotate(failure, absl::StrCat("a message from VTGate is larger than the option "
                                          "max_message_mb allows, which is ",
                                          options.max_receive_bytes >> 20,
                                          "; raise it if VTGate's --grpc-max-message-size is "
                                          "meant to be so large"));
  }
  if (says("trying to send message larger than max")) {
    return Annotate(failure,
                    "a row is larger than the messages that Vitess sends; raise "
                    "--grpc-max-message-size of VTGate and of its tablets");
  }
  return failure;
}

absl::Status ExplainConnectFailure(const ChannelOptions& options, const absl::Status& failure) {
  const std::string_view message = text::StdView(failure.message());
  const bool tls = options.tls.has_value();
  const auto explanation = std::find_if(
      std::begin(kExplanations), std::end(kExplanations), [&](const Explanation& candidate) {
        return candidate.code == failure.code() &&
               (!candidate.tls.has_value() || candidate.tls == tls) &&
               message.find(candidate.fragment) != std::string_view::npos;
      });
  if (explanation == std::end(kExplanations)) return failure;
  return WithClass(absl::Status(failure.code(),
                                absl::StrCat(AbslView(explanation->meaning), " (", Address(options),
                                             message.empty() ? "" : ": ", AbslView(message), ")")),
                   Classify(failure));
}

}  // namespace source_vitess::vitess
