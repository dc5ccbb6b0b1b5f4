// What a server can do to the program, and what the program shows of its secrets.
#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "harness/connector.h"
#include "harness/process.h"
#include "rapidjson/document.h"
#include "rapidjson/stringbuffer.h"
#include "rapidjson/writer.h"
#include "tests/simulated_source.h"
#include "vitess/certificates_for_test.h"
#include "vitess/channel.h"
#include "vitess/vtgateservice.grpc.pb.h"

namespace source_vitess::integration_tests {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::string Quoted(const std::string& text) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.String(text.c_str());
  return buffer.GetString();
}

// One thread that serves connections to a free port of this machine, one after the other.
class TcpServer {
 public:
  using Serve = std::function<void(int connection)>;

  explicit TcpServer(Serve serve) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(fd_, 8), 0);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, serve = std::move(serve)] {
      for (int connection; (connection = accept(fd_, nullptr, nullptr)) >= 0;) {
        serve(connection);
        close(connection);
      }
    });
  }
  ~TcpServer() {
    shutdown(fd_, SHUT_RDWR);
    thread_.join();
    close(fd_);
  }
  int port() const { return port_; }

 private:
  const int fd_;
  int port_ = 0;
  std::thread thread_;
};

// A TLS server that speaks no newer version than `newest`; `agreed` becomes the version that it
// agreed upon with its last client, empty if they did not agree.
TcpServer::Serve ServeTls(int newest, std::string& agreed) {
  return [newest, &agreed](int connection) {
    SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
    const absl::Cleanup free_context = [&] { SSL_CTX_free(context); };
    SSL_CTX_set_security_level(context, 0);  // which allows for old versions
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, newest);
    SSL_CTX_set_alpn_select_cb(
        context,
        [](SSL*, const unsigned char** out, unsigned char* size, const unsigned char*, unsigned,
           void*) {
          *out = reinterpret_cast<const unsigned char*>("h2");
          *size = 2;
          return SSL_TLSEXT_ERR_OK;
        },
        nullptr);
    BIO* const certificate = BIO_new_mem_buf(vitess::kServerCertificate, -1);
    BIO* const key = BIO_new_mem_buf(vitess::kServerKey, -1);
    X509* const x509 = PEM_read_bio_X509(certificate, nullptr, nullptr, nullptr);
    EVP_PKEY* const pkey = PEM_read_bio_PrivateKey(key, nullptr, nullptr, nullptr);
    EXPECT_EQ(SSL_CTX_use_certificate(context, x509), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(context, pkey), 1);
    SSL* const ssl = SSL_new(context);
    SSL_set_fd(ssl, connection);
    agreed = SSL_accept(ssl) == 1 ? SSL_get_version(ssl) : "";
    SSL_free(ssl);
    X509_free(x509);
    EVP_PKEY_free(pkey);
    BIO_free(certificate);
    BIO_free(key);
  };
}

harness::RunResult Check(const std::string& config) {
  auto connector = harness::Connector::Make(SOURCE_VITESS_PROGRAM, config);
  EXPECT_TRUE(connector.ok()) << connector.status();
  auto run = (*connector)->Check();
  EXPECT_TRUE(run.ok()) << run.status();
  return run.value_or(harness::RunResult());
}

// It ended by itself, with whole lines of JSON on stdout and nothing on stderr.
void ExpectOrderlyEnd(const harness::RunResult& run) {
  EXPECT_TRUE(run.exit.exit_code.has_value());
  EXPECT_FALSE(run.timed_out);
  EXPECT_THAT(run.errors, IsEmpty());
  EXPECT_THAT(run.unfinished_line, IsEmpty());
  for (const std::string& line : run.lines) {
    rapidjson::Document message;
    EXPECT_FALSE(message.Parse(line.c_str()).HasParseError()) << line;
  }
}

const std::map<std::string, std::string>& Tls() {
  static const std::map<std::string, std::string> members = {
      {"encryption",
       absl::StrCat(R"({"mode": "tls", "server_name": "vtgate.test", "ca_certificate": )",
                    Quoted(vitess::kTestCa), "}")}};
  return members;
}

TEST(TlsTest, SpeaksVersion12AndLater) {
  for (const auto& [newest, name] :
       {std::pair<int, std::string>{TLS1_2_VERSION, "TLSv1.2"}, {TLS1_3_VERSION, "TLSv1.3"}}) {
    std::string agreed;
    {
      TcpServer server(ServeTls(newest, agreed));
      ExpectOrderlyEnd(Check(harness::MakeConfig(server.port(), {"shop"}, Tls())));
    }
    EXPECT_EQ(agreed, name);
  }
}

TEST(TlsTest, RefusesOlderVersions) {
  for (const int newest : {TLS1_VERSION, TLS1_1_VERSION}) {
    std::string agreed = "none yet";
    harness::RunResult run;
    {
      TcpServer server(ServeTls(newest, agreed));
      run = Check(harness::MakeConfig(server.port(), {"shop"}, Tls()));
    }
    EXPECT_EQ(agreed, "");
    ExpectOrderlyEnd(run);
    ASSERT_THAT(run.lines, SizeIs(1));
    EXPECT_THAT(run.lines[0], testing::AllOf(HasSubstr("FAILED"), HasSubstr("encryption")));
  }
}

// Bytes that a server may begin with.
std::vector<std::string> Garbage() {
  std::mt19937 random(7);
  std::string noise(size_t{1} << 16, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  const std::string settings("\x00\x00\x00\x04\x00\x00\x00\x00\x00", 9);
  return {
      noise,
      std::string(size_t{1} << 20, '\0'),
      "SSH-2.0-OpenSSH_9.2p1\r\n",
      std::string("\x4a\x00\x00\x00\x0a", 5) + "8.0.30-Vitess",  // MySQL's greeting
      settings + noise,
      settings + std::string("\xff\xff\xff\x00\x00\x00\x00\x00\x01", 9) + noise,  // 16 MB of data
      settings + std::string("\x00\xff\xff\x01\x04\x00\x00\x00\x01", 9) + noise,  // headers
      settings + std::string("\x00\x00\x08\x07\x00\x00\x00\x00\x00", 9) + "\x7f\xff\xff\xff",
  };
}

TEST(GarbageTest, AServerOfNoiseFailsACheckInWords) {
  for (const std::string& garbage : Garbage()) {
    TcpServer server([&](int connection) {
      send(connection, garbage.data(), garbage.size(), MSG_NOSIGNAL);
      shutdown(connection, SHUT_WR);
      char rest[4096];
      while (recv(connection, rest, sizeof rest, 0) > 0) {
      }
    });

    const harness::RunResult run = Check(harness::MakeConfig(server.port(), {"shop"}));

    ExpectOrderlyEnd(run);
    ASSERT_THAT(run.lines, SizeIs(1));
    EXPECT_THAT(run.lines[0], HasSubstr("FAILED"));
    EXPECT_EQ(run.exit.exit_code, 0);
  }
}

// VTGate as the simulator is one, but for its streams.
class VtgateWithOtherStreams final : public vtgateservice::Vitess::Service {
 public:
  explicit VtgateWithOtherStreams(const std::string& vtgate)
      : stub_(vtgateservice::Vitess::NewStub(
            grpc::CreateChannel(vtgate, grpc::InsecureChannelCredentials()))) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~VtgateWithOtherStreams() override { server_->Shutdown(std::chrono::system_clock::now()); }

  int port() const { return port_; }

  // What every stream sends before it ends.
  std::vector<vtgate::VStreamResponse> messages;

  grpc::Status Execute(grpc::ServerContext*, const vtgate::ExecuteRequest* request,
                       vtgate::ExecuteResponse* response) override {
    grpc::ClientContext context;
    return stub_->Execute(&context, *request, response);
  }

  grpc::Status VStream(grpc::ServerContext*, const vtgate::VStreamRequest*,
                       grpc::ServerWriter<vtgate::VStreamResponse>* writer) override {
    for (const vtgate::VStreamResponse& message : messages) writer->Write(message);
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the end");
  }

 private:
  const std::unique_ptr<vtgateservice::Vitess::Stub> stub_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

binlogdata::VEvent Event(binlogdata::VEventType type) {
  binlogdata::VEvent event;
  event.set_type(type);
  event.set_keyspace("shop");
  event.set_shard("-80");
  return event;
}

// The copy's FIELD event of table customers.
binlogdata::VEvent Fields() {
  binlogdata::VEvent event = Event(binlogdata::FIELD);
  binlogdata::FieldEvent& fields = *event.mutable_field_event();
  fields.set_table_name("customers");
  fields.set_keyspace("shop");
  fields.set_shard("-80");
  query::Field& id = *fields.add_fields();
  id.set_name("id");
  id.set_type(query::INT64);
  id.set_column_type("bigint");
  query::Field& email = *fields.add_fields();
  email.set_name("email");
  email.set_type(query::VARCHAR);
  email.set_column_type("varchar(64)");
  email.set_charset(255);
  return event;
}

// A row of customers whose lengths are these and whose values are `values`.
binlogdata::VEvent Rows(const std::vector<int64_t>& lengths, const std::string& values) {
  binlogdata::VEvent event = Event(binlogdata::ROW);
  binlogdata::RowEvent& rows = *event.mutable_row_event();
  rows.set_table_name("customers");
  rows.set_keyspace("shop");
  rows.set_shard("-80");
  query::Row& row = *rows.add_row_changes()->mutable_after();
  for (const int64_t length : lengths) row.add_lengths(length);
  row.set_values(values);
  return event;
}

binlogdata::VEvent Position(const std::string& gtid) {
  binlogdata::VEvent event = Event(binlogdata::VGTID);
  binlogdata::ShardGtid& shard = *event.mutable_vgtid()->add_shard_gtids();
  shard.set_keyspace("shop");
  shard.set_shard("-80");
  shard.set_gtid(gtid);
  return event;
}

binlogdata::VEvent WithBitmap(int64_t count, const std::string& columns) {
  binlogdata::VEvent event = Rows({1, 1}, "1a");
  event.set_timestamp(1767225600);
  binlogdata::RowChange& change = *event.mutable_row_event()->mutable_row_changes(0);
  for (auto* bitmap : {change.mutable_data_columns(), change.mutable_json_partial_values()}) {
    bitmap->set_count(count);
    bitmap->set_cols(columns);
  }
  return event;
}

// Streams that no VTGate sends.
std::vector<std::vector<binlogdata::VEvent>> AbsurdStreams() {
  constexpr int64_t kHuge = int64_t{1} << 62;
  const binlogdata::VEvent begin = Event(binlogdata::BEGIN);
  const binlogdata::VEvent commit = Event(binlogdata::COMMIT);
  binlogdata::VEvent many_fields = Fields();
  for (int i = 0; i < 100'000; ++i) many_fields.mutable_field_event()->add_fields();
  binlogdata::VEvent no_fields = Fields();
  no_fields.mutable_field_event()->clear_fields();
  binlogdata::VEvent same_fields = Fields();
  same_fields.mutable_field_event()->mutable_fields(1)->set_name("id");
  binlogdata::VEvent odd_types = Fields();
  odd_types.mutable_field_event()->mutable_fields(0)->set_type(static_cast<query::Type>(99'999));
  odd_types.mutable_field_event()->mutable_fields(1)->set_column_type("enum(" +
                                                                      std::string(10'000, '\''));
  binlogdata::VEvent other_shard = Rows({1, 1}, "1a");
  other_shard.mutable_row_event()->set_shard("c0-");
  binlogdata::VEvent no_changes = Event(binlogdata::ROW);
  binlogdata::VEvent last_key = Position("MySQL56/83c0af68-e68d-11f1-b044-02fc00000001:1-5");
  last_key.mutable_vgtid()->mutable_shard_gtids(0)->add_table_p_ks()->set_table_name("customers");
  last_key.mutable_vgtid()->mutable_shard_gtids(0)->mutable_table_p_ks(0)->mutable_lastpk();
  return {
      {Rows({1, 1}, "1a")},  // before any FIELD
      {begin, Fields(), Rows({kHuge, 1}, "1a"), commit},
      {begin, Fields(), Rows({kHuge, kHuge}, "1a"), commit},
      {begin, Fields(), Rows({INT64_MAX, 2}, "1a"), commit},
      {begin, Fields(), Rows({-2, INT64_MIN}, "1a"), commit},
      {begin, Fields(), Rows({1, 100}, "1a"), commit},
      {begin, Fields(), Rows({1, 1}, "1a and more"), commit},
      {begin, Fields(), Rows({1}, "1"), commit},
      {begin, Fields(), Rows(std::vector<int64_t>(1000, 0), ""), commit},
      {begin, Fields(), Rows({}, ""), commit},
      {begin, Fields(), Rows({3, 1}, "abca"), commit},  // no number
      {begin, Fields(), Rows({30, 1}, "123456789012345678901234567890a"), commit},
      {begin, Fields(), WithBitmap(kHuge, ""), commit},
      {begin, Fields(), WithBitmap(-1, std::string(1, '\xff')), commit},
      {begin, Fields(), WithBitmap(1, ""), commit},
      {begin, Fields(), WithBitmap(2, std::string(size_t{1} << 20, '\xff')), commit},
      {begin, many_fields, Rows({1, 1}, "1a"), commit},
      {begin, no_fields, Rows({1, 1}, "1a"), commit},
      {begin, same_fields, Rows({1, 1}, "1a"), commit},
      {begin, odd_types, Rows({1, 1}, "1a"), commit},
      {begin, Fields(), other_shard, commit},
      {begin, no_changes, commit},
      {begin, Fields(), Position("MySQL56/no-position"), commit},
      {begin, Fields(), Position(std::string(size_t{1} << 20, ',')), commit},
      {begin, Fields(), Position("FilePos/binlog.000001:4"), commit},
      {begin, Fields(), last_key, commit},
      {begin, Event(binlogdata::VGTID), commit, commit, commit},
      {Event(binlogdata::JOURNAL)},
      {Event(binlogdata::DDL), Event(binlogdata::LASTPK), Event(binlogdata::UNKNOWN)},
      {Event(static_cast<binlogdata::VEventType>(77)), Event(binlogdata::COPY_COMPLETED)},
  };
}

TEST(AbsurdStreamTest, NothingThatAServerSendsEndsTheProgramOtherwiseThanInAnError) {
  SimulatedSource source;
  VtgateWithOtherStreams vtgate(source.simulator().address());
  auto connector = harness::Connector::Make(
      SOURCE_VITESS_PROGRAM,
      harness::MakeConfig(vtgate.port(), {"shop"}, {{"retry_budget_seconds", "0"}}));
  ASSERT_TRUE(connector.ok());
  const auto catalog = harness::ConfigureCatalog(*source.connector().DiscoverCatalog(),
                                                 {{"shop", "customers", "incremental", {}}});
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  int number = 0;
  for (const std::vector<binlogdata::VEvent>& events : AbsurdStreams()) {
    SCOPED_TRACE(absl::StrCat("stream ", number++));
    vtgate.messages.assign(1, {});
    for (const binlogdata::VEvent& event : events) *vtgate.messages[0].add_events() = event;

    const auto run = (*connector)->Read(*catalog);

    ASSERT_TRUE(run.ok()) << run.status();
    ExpectOrderlyEnd(*run);
    EXPECT_EQ(run->exit.exit_code, 1);
    EXPECT_THAT(run->lines, testing::Contains(HasSubstr(R"("type":"ERROR")")));
  }
}

// No run may show any of these.
constexpr char kPassword[] = "pAssw0rd-of-this-test";

// A part of each secret that nothing else has in it.
std::vector<std::string> Secrets() {
  const std::string key = vitess::kClientKey;
  const std::string certificate = vitess::kClientCertificate;
  const std::string ca = vitess::kTestCa;
  const std::string token =
      vitess::BasicToken({.username = "reader", .password = kPassword, .scheme = {}});
  return {kPassword, token, key.substr(60, 40), certificate.substr(60, 40), ca.substr(60, 40)};
}

std::string Authentication() {
  return absl::StrCat(R"({"method": "password", "username": "reader", "password": ")", kPassword,
                      "\"}");
}

std::string Encryption(const std::string& more = "") {
  return absl::StrCat(R"({"mode": "tls", "ca_certificate": )", Quoted(vitess::kTestCa),
                      R"(, "client_certificate": )", Quoted(vitess::kClientCertificate),
                      R"(, "client_key": )", Quoted(vitess::kClientKey), more, "}");
}

// Configurations that hold the secrets, for a server at `port`; most of them are wrong.
std::vector<std::string> ConfigsWithSecrets(int port) {
  const auto config = [&](const std::string& authentication, const std::string& encryption,
                          const std::string& keyspace = "shop") {
    return harness::MakeConfig(port, {keyspace},
                               {{"authentication", authentication},
                                {"encryption", encryption},
                                {"retry_budget_seconds", "0"}});
  };
  const std::string whole = config(Authentication(), Encryption());
  const std::string planetscale =
      harness::MakeConfig(port, {"shop"},
                          {{"deployment", R"("planetscale")"},
                           {"authentication", Authentication()},
                           {"encryption", Encryption(R"(, "server_name": "vtgate.test")")},
                           {"retry_budget_seconds", "0"}});
  const std::string plaintext = R"({"mode": "plaintext"})";
  return {
      whole,
      planetscale,
      config(Authentication(), Encryption(R"(, "server_name": "vtgate.test")")),
      config(Authentication(), plaintext),
      config(Authentication(), plaintext, "nowhere"),
      // Where an error could show what it does not understand.
      whole.substr(0, whole.size() - 1),
      absl::StrCat(whole, kPassword),
      config(absl::StrCat("\"", kPassword, "\""), Encryption()),
      config(absl::StrCat("[\"", kPassword, "\"]"), Encryption()),
      config(absl::StrCat(R"({"method": "password", "username": {}, "password": [")", kPassword,
                          "\"]}"),
             plaintext),
      config(absl::StrCat(R"({"method": "password", "username": "u", "password": ")", kPassword,
                          "\\u0007\"}"),
             plaintext),
      config(Authentication(),
             absl::StrCat(R"({"mode": "tls", "client_key": )", Quoted(vitess::kClientKey), "}")),
      config(Authentication(),
             absl::StrCat(R"({"mode": "tls", "client_certificate": )",
                          Quoted(vitess::kClientCertificate), R"(, "client_key": )",
                          Quoted(std::string(vitess::kClientKey).substr(30)), "}")),
      config(Authentication(),
             absl::StrCat(R"({"mode": "tls", "ca_certificate": [)", Quoted(vitess::kTestCa), "]}")),
  };
}

void ExpectNoSecret(const harness::RunResult& run) {
  ASSERT_TRUE(run.exit.exit_code.has_value());
  for (const std::string& secret : Secrets()) {
    for (const std::string& line : run.lines) EXPECT_THAT(line, Not(HasSubstr(secret)));
    EXPECT_THAT(run.errors, Not(HasSubstr(secret)));
  }
}

// Runs every command with every configuration, as talkative as it can be.
void RunAllWithSecrets(int port, const std::string& catalog) {
  for (const std::string& config : ConfigsWithSecrets(port)) {
    SCOPED_TRACE(config.substr(0, 300));
    auto connector = harness::Connector::Make(SOURCE_VITESS_PROGRAM, config);
    ASSERT_TRUE(connector.ok());
    for (const auto& run :
         {(*connector)->Check(), (*connector)->Discover(), (*connector)->Read(catalog, config),
          (*connector)->Read(config), (*connector)->Read(catalog, "[]")}) {
      ASSERT_TRUE(run.ok());
      ExpectNoSecret(*run);
      EXPECT_THAT(run->errors, IsEmpty());
    }
  }
}

class SecretsTest : public ::testing::Test {
 protected:
  SecretsTest() {
    setenv("LOG_LEVEL", "debug", 1);
    setenv("GRPC_VERBOSITY", "DEBUG", 1);
    setenv("GRPC_TRACE", "http,api,call_error", 1);
  }
  ~SecretsTest() override {
    unsetenv("LOG_LEVEL");
    unsetenv("GRPC_VERBOSITY");
    unsetenv("GRPC_TRACE");
  }

  static simulator::SimulatorOptions WantsPassword(const std::string& password) {
    simulator::SimulatorOptions options;
    options.service.user = {"reader", password};
    return options;
  }
};

constexpr char kNoStreams[] = R"({"streams": []})";

TEST_F(SecretsTest, NothingIsShownWhereNobodyListens) { RunAllWithSecrets(1, kNoStreams); }

TEST_F(SecretsTest, NothingIsShownToAServerThatKnowsAnotherPassword) {
  simulator::Simulator server(WantsPassword("another"));
  const auto port = server.Start();
  ASSERT_TRUE(port.ok());

  RunAllWithSecrets(*port, kNoStreams);
}

TEST_F(SecretsTest, NothingIsShownToATlsServer) {
  simulator::SimulatorOptions options = WantsPassword("another");
  grpc::SslServerCredentialsOptions tls(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  tls.pem_root_certs = vitess::kTestCa;
  tls.pem_key_cert_pairs = {{vitess::kServerKey, vitess::kServerCertificate}};
  options.credentials = grpc::SslServerCredentials(tls);
  simulator::Simulator server(std::move(options));
  const auto port = server.Start();
  ASSERT_TRUE(port.ok());

  RunAllWithSecrets(*port, kNoStreams);
}

TEST_F(SecretsTest, RecordsAndStatesOfAReadThatSucceedsHaveNone) {
  SimulatedSource source;
  for (const std::string& sql : RowsOfEveryTable(1, 5)) source.Execute(sql);
  auto connector = harness::Connector::Make(
      SOURCE_VITESS_PROGRAM,
      harness::MakeConfig(source.port(), {"shop"}, {{"authentication", Authentication()}}));
  ASSERT_TRUE(connector.ok());

  const auto run = (*connector)->Read(source.catalog());

  ASSERT_TRUE(run.ok());
  EXPECT_EQ(run->exit.exit_code, 0);
  EXPECT_THAT(run->lines, testing::Contains(HasSubstr(R"("type":"STATE")")));
  ExpectNoSecret(*run);
}

}  // namespace
}  // namespace source_vitess::integration_tests
