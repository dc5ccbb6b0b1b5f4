#include "vitess/channel.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "grpcpp/channel.h"
#include "gtest/gtest.h"
#include "vitess/certificates_for_test.h"
#include "vitess/errors.h"
#include "vitess/fake_vtgate_for_test.h"
#include "vitess/vtgate_client.h"

namespace source_vitess::vitess {
namespace {

using absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

absl::Status Call(const ChannelOptions& options) {
  const auto client = MakeVtgateClient(options);
  if (!client.ok()) return client.status();
  return (*client)->Execute("", "select 1", absl::Seconds(30)).status();
}

// What a person is told of a call that fails.
std::string Explained(const ChannelOptions& options) {
  const absl::Status failure = Call(options);
  const absl::Status explained = ExplainConnectFailure(options, failure);
  EXPECT_FALSE(failure.ok());
  EXPECT_EQ(explained.code(), failure.code());
  EXPECT_EQ(Classify(explained), Classify(failure));
  EXPECT_THAT(std::string(explained.message()), HasSubstr(absl::StrCat(":", options.port)));
  return std::string(explained.message());
}

// A server that shows another certificate.
std::shared_ptr<grpc::ServerCredentials> TlsWith(const char* certificate) {
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({kOtherServerKey, certificate});
  return grpc::SslServerCredentials(options);
}

std::shared_ptr<grpc::ServerCredentials> Tls(
    grpc_ssl_client_certificate_request_type request = GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE) {
  grpc::SslServerCredentialsOptions options(request);
  options.pem_root_certs = kTestCa;
  options.pem_key_cert_pairs.push_back({kServerKey, kServerCertificate});
  return grpc::SslServerCredentials(options);
}

ChannelOptions TlsOptionsFor(const FakeVtgate& vtgate) {
  ChannelOptions options = vtgate.Options();
  options.tls.emplace();
  options.tls->ca_certificate = kTestCa;
  options.tls->server_name = "vtgate.test";
  return options;
}

ChannelOptions For(const std::string& host, int port) {
  ChannelOptions options;
  options.host = host;
  options.port = port;
  return options;
}

// A server of another protocol: says `greeting` to the first who connects, and hangs up.
class OtherServer {
 public:
  explicit OtherServer(std::string greeting) : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, greeting] {
      const int connection = accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      send(connection, greeting.data(), greeting.size(), MSG_NOSIGNAL);
      ::shutdown(connection, SHUT_WR);
      char rest[256];
      while (recv(connection, rest, sizeof(rest), 0) > 0) {
      }
      close(connection);
    });
  }

  ~OtherServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  int port() const { return port_; }

 private:
  const int listener_;
  int port_ = 0;
  std::thread thread_;
};

TEST(ChannelTest, ConnectsInPlaintext) {
  FakeVtgate vtgate;

  EXPECT_TRUE(Call(For("127.0.0.1", vtgate.port())).ok());
}

TEST(ChannelTest, TakesIpv6AddressesWithAndWithoutBrackets) {
  for (const char* host : {"::1", "[::1]"}) {
    const absl::Status failure = Call(For(host, 1));

    // Where there is no IPv6, the address is unreachable; either way gRPC took it as it was meant.
    EXPECT_EQ(failure.code(), StatusCode::kUnavailable);
    EXPECT_THAT(std::string(failure.message()), HasSubstr("::1"));
    EXPECT_THAT(std::string(ExplainConnectFailure(For(host, 1), failure).message()),
                HasSubstr("([::1]:1: "));
  }
}

TEST(ChannelTest, ConnectsOverTlsWithAGivenAuthorityAndName) {
  FakeVtgate vtgate(Tls());

  EXPECT_TRUE(Call(TlsOptionsFor(vtgate)).ok());
}

TEST(ChannelTest, SendsCredentialsOverTls) {
  FakeVtgate vtgate(Tls());
  ChannelOptions options = TlsOptionsFor(vtgate);
  options.credentials = Credentials{"reader", "secret"};

  ASSERT_TRUE(Call(options).ok());

  EXPECT_EQ(vtgate.LastMetadata("username"), "reader");
  EXPECT_EQ(vtgate.LastMetadata("password"), "secret");
}

TEST(ChannelTest, ShowsItsClientCertificate) {
  FakeVtgate vtgate(Tls(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY));
  ChannelOptions options = TlsOptionsFor(vtgate);
  options.tls->client_certificate = kClientCertificate;
  options.tls->client_key = kClientKey;

  EXPECT_TRUE(Call(options).ok());
}

TEST(ChannelTest, RefusesOptionsThatCannotBeRight) {
  const auto refusal = [](const ChannelOptions& options) {
    const absl::Status status = MakeChannel(options).status();
    EXPECT_EQ(Classify(status), ErrorClass::kConfiguration) << status;
    return std::string(status.message());
  };
  ChannelOptions tls = For("vtgate", 15991);
  tls.tls.emplace();

  EXPECT_THAT(refusal(For("", 15991)), HasSubstr("option host is empty"));
  EXPECT_THAT(refusal(For("vtgate:15991", 15991)), HasSubstr("the port has an option of its own"));
  EXPECT_THAT(refusal(For("https://vtgate", 15991)), HasSubstr("nothing else"));
  EXPECT_THAT(refusal(For("two words", 15991)), HasSubstr("nothing else"));
  EXPECT_THAT(refusal(For("vtgate", 0)), HasSubstr("from 1 to 65535 (it is 0)"));
  EXPECT_THAT(refusal(For("vtgate", 65536)), HasSubstr("from 1 to 65535 (it is 65536)"));

  ChannelOptions limit = For("vtgate", 15991);
  limit.max_receive_bytes = 0;
  EXPECT_THAT(refusal(limit), HasSubstr("option max_message_mb"));

  ChannelOptions ca = tls;
  ca.tls->ca_certificate = "/etc/ssl/ca.pem";
  EXPECT_THAT(refusal(ca), HasSubstr("option ca_certificate"));
  ca.tls->ca_certificate = std::string_view(kTestCa).substr(0, 200);
  EXPECT_THAT(refusal(ca), HasSubstr("option ca_certificate"));

  ChannelOptions swapped = tls;
  swapped.tls->client_certificate = kClientKey;
  swapped.tls->client_key = kClientCertificate;
  EXPECT_THAT(refusal(swapped), HasSubstr("option client_certificate"));
  swapped.tls->client_certificate = kClientCertificate;
  EXPECT_THAT(refusal(swapped), HasSubstr("option client_key"));

  ChannelOptions half = tls;
  half.tls->client_certificate = kClientCertificate;
  EXPECT_THAT(refusal(half), HasSubstr("need one another"));
}

TEST(ChannelTest, NeverShowsAKeyThatItRefuses) {
  ChannelOptions options = For("vtgate", 15991);
  options.tls.emplace();
  options.tls->client_certificate = kClientCertificate;
  options.tls->client_key = "secret";

  EXPECT_THAT(std::string(MakeChannel(options).status().message()), Not(HasSubstr("secret")));
}

TEST(ExplainConnectFailureTest, NothingListens) {
  EXPECT_THAT(
      Explained(For("127.0.0.1", 1)),
      AllOf(StartsWith("nothing listens at this address"), HasSubstr("options host and port"),
            HasSubstr("(127.0.0.1:1: "), HasSubstr("Connection refused")));
}

TEST(ExplainConnectFailureTest, UnknownName) {
  EXPECT_THAT(Explained(For("no-such-host.invalid", 15991)),
              AllOf(StartsWith("the name of the host cannot be resolved"),
                    HasSubstr("(no-such-host.invalid:15991: ")));
}

TEST(ExplainConnectFailureTest, PlaintextToAServerThatWantsTls) {
  FakeVtgate vtgate(Tls());

  EXPECT_THAT(Explained(vtgate.Options()),
              AllOf(StartsWith("the server closed the connection"),
                    HasSubstr("if it expects TLS, check the option encryption")));
}

TEST(ExplainConnectFailureTest, TlsToAServerInPlaintext) {
  FakeVtgate vtgate;

  EXPECT_THAT(Explained(TlsOptionsFor(vtgate)),
              AllOf(StartsWith("the server does not speak TLS"), HasSubstr("port and encryption")));
}

TEST(ExplainConnectFailureTest, UnknownAuthority) {
  FakeVtgate vtgate(Tls());
  ChannelOptions options = TlsOptionsFor(vtgate);
  options.tls->ca_certificate = kOtherCa;

  EXPECT_THAT(Explained(options), AllOf(HasSubstr("not signed by a known authority"),
                                        HasSubstr("option ca_certificate")));
  EXPECT_EQ(Classify(Call(options)), ErrorClass::kConfiguration);
}

TEST(ExplainConnectFailureTest, AuthorityThatTheSystemDoesNotKnow) {
  FakeVtgate vtgate(Tls());
  ChannelOptions options = TlsOptionsFor(vtgate);
  options.tls->ca_certificate.clear();

  EXPECT_THAT(Explained(options), HasSubstr("option ca_certificate"));
}

TEST(ExplainConnectFailureTest, CertificateThatHasExpired) {
  FakeVtgate vtgate(TlsWith(kExpiredCertificate));
  ChannelOptions options = TlsOptionsFor(vtgate);
  options.tls->ca_certificate = kExpiringCa;

  EXPECT_THAT(Explained(options), HasSubstr("or is not valid now"));
  EXPECT_EQ(Classify(Call(options)), ErrorClass::kConfiguration);
}

TEST(ExplainConnectFailureTest, CertificateThatSignedItself) {
  FakeVtgate vtgate(TlsWith(kSelfSignedCertificate));

  EXPECT_THAT(Explained(TlsOptionsFor(vtgate)), HasSubstr("not signed by a known authority"));
}

TEST(ChannelTest, TrustsACertificateThatSignedItselfOnceItIsGivenAsTheAuthority) {
  FakeVtgate vtgate(TlsWith(kSelfSignedCertificate));
  ChannelOptions options = TlsOptionsFor(vtgate);
  options.tls->ca_certificate = kSelfSignedCertificate;

  EXPECT_TRUE(Call(options).ok()) << Call(options);
}

TEST(ExplainConnectFailureTest, CertificateForAnotherName) {
  FakeVtgate vtgate(Tls());
  ChannelOptions options = TlsOptionsFor(vtgate);
  options.tls->server_name.clear();

  EXPECT_THAT(Explained(options), AllOf(StartsWith("the server's certificate is for another name"),
                                        HasSubstr("server_name")));
}

TEST(ExplainConnectFailureTest, ServerThatWantsAClientCertificate) {
  FakeVtgate vtgate(Tls(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY));

  EXPECT_THAT(Explained(TlsOptionsFor(vtgate)), HasSubstr("client_certificate and client_key"));
}

TEST(ExplainConnectFailureTest, KeyOfAnotherCertificate) {
  FakeVtgate vtgate(Tls(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY));
  ChannelOptions options = TlsOptionsFor(vtgate);
  options.tls->client_certificate = kClientCertificate;
  options.tls->client_key = kServerKey;

  EXPECT_THAT(Explained(options), HasSubstr("the key is another certificate's"));
  EXPECT_EQ(Classify(Call(options)), ErrorClass::kConfiguration);
}

TEST(ExplainConnectFailureTest, WebServer) {
  OtherServer server("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");

  EXPECT_THAT(Explained(For("127.0.0.1", server.port())),
              StartsWith("a web server answers at this address"));
}

TEST(ExplainConnectFailureTest, ServerThatHangsUp) {
  OtherServer server("");

  EXPECT_THAT(Explained(For("127.0.0.1", server.port())),
              AllOf(StartsWith("the server closed the connection"), HasSubstr("option port")));
}

TEST(ExplainConnectFailureTest, GrpcServerThatIsNoVtgate) {
  FakeVtgate vtgate;
  vtgate.on_execute = [](const auto&, auto*) {
    return grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "");
  };

  EXPECT_THAT(Explained(vtgate.Options()),
              AllOf(HasSubstr("but not a VTGate"), HasSubstr(": UNIMPLEMENTED)")));
}

TEST(ExplainConnectFailureTest, WrongCredentials) {
  FakeVtgate vtgate;
  grpc::Status answer(grpc::StatusCode::PERMISSION_DENIED,
                      "auth failure: caller \"u\" provided invalid credentials");
  vtgate.on_execute = [&](const auto&, auto*) { return answer; };
  EXPECT_THAT(Explained(vtgate.Options()), HasSubstr("options username and password"));

  answer =
      grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "username and password must be provided");
  EXPECT_THAT(Explained(vtgate.Options()), HasSubstr("option authentication"));
}

TEST(ExplainConnectFailureTest, ServerThatDoesNotAnswer) {
  const ChannelOptions options = For("vtgate", 15991);

  EXPECT_THAT(
      std::string(ExplainConnectFailure(options, absl::DeadlineExceededError("Deadline Exceeded"))
                      .message()),
      AllOf(StartsWith("the server does not answer in time"),
            HasSubstr("(vtgate:15991: Deadline Exceeded)")));
}

TEST(ExplainConnectFailureTest, OtherFailuresStayAsTheyAre) {
  const absl::Status other = LostPositionError("purged");

  EXPECT_EQ(ExplainConnectFailure(For("vtgate", 15991), other), other);
  EXPECT_TRUE(ExplainConnectFailure(For("vtgate", 15991), absl::OkStatus()).ok());
}

TEST(ExplainConnectFailureTest, KeepsAClassThatWasAttached) {
  const absl::Status failure = WithClass(
      absl::UnavailableError("failed to connect to all addresses"), ErrorClass::kConfiguration);

  EXPECT_EQ(Classify(ExplainConnectFailure(For("vtgate", 15991), failure)),
            ErrorClass::kConfiguration);
}

TEST(ChannelTest, WritesNothingToTheStandardError) {
  FakeVtgate vtgate(Tls());
  ChannelOptions options = TlsOptionsFor(vtgate);
  options.tls->ca_certificate = kOtherCa;

  ::testing::internal::CaptureStderr();
  const absl::Status failure = Call(options);

  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_FALSE(failure.ok());
}

}  // namespace
}  // namespace source_vitess::vitess
