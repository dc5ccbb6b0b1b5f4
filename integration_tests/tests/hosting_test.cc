// What `make build_connector` leaves (docs/hosting.md), in a root file system with nothing but the
// C library in it.
#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fivetran/connector_sdk.grpc.pb.h"
#include "harness/airbyte_message.h"
#include "harness/connector.h"
#include "harness/process.h"
#include "simulator/simulator.h"
#include "vitess/certificates_for_test.h"

namespace source_vitess::integration_tests {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

const fs::path& ReleaseFolder() {
  static const auto& folder = *new fs::path(SOURCE_VITESS_RELEASE);
  return folder;
}

fs::path Program() { return ReleaseFolder() / "source-vitess"; }

harness::RunResult RunToEnd(const std::vector<std::string>& command) {
  auto run = harness::RunCommand(command);
  EXPECT_TRUE(run.ok()) << run.status();
  return run.value_or(harness::RunResult());
}

// The files that the dynamic linker loads for the program.
std::vector<fs::path> LoadedFiles(const fs::path& program) {
  std::vector<fs::path> files;
  for (const std::string& line : RunToEnd({"/usr/bin/ldd", program.string()}).lines) {
    const size_t begin = line.find('/');
    if (begin != std::string::npos) files.push_back(line.substr(begin, line.rfind(" (") - begin));
  }
  return files;
}

bool IsOfTheCLibrary(const fs::path& file) {
  static const auto& names =
      *new std::set<std::string>{"libc.so.6",       "libm.so.6",  "libdl.so.2",
                                 "libpthread.so.0", "librt.so.1", "ld-linux-x86-64.so.2"};
  return names.contains(file.filename().string());
}

// A root file system with the C library and the program in it.
class BareRootTest : public ::testing::Test {
 protected:
  BareRootTest() {
    std::string name = (fs::temp_directory_path() / "source-vitess-root-XXXXXX").string();
    root_ = mkdtemp(name.data());
    for (const fs::path& file : LoadedFiles(Program())) {
      if (IsOfTheCLibrary(file)) CopyIn(file, file);
    }
    CopyIn(Program(), "/source-vitess");
  }
  ~BareRootTest() override { fs::remove_all(root_); }

  void CopyIn(const fs::path& from, const fs::path& to) {
    const fs::path inside = root_ / to.relative_path();
    fs::create_directories(inside.parent_path());
    fs::copy_file(from, inside);
  }

  void Write(const std::string& path, const std::string& content) {
    const fs::path inside = root_ / fs::path(path).relative_path();
    fs::create_directories(inside.parent_path());
    std::ofstream(inside, std::ios::binary) << content;
  }

  // The command that runs the program there, with an empty environment but for `environment`.
  std::vector<std::string> Command(const std::vector<std::string>& arguments,
                                   const std::vector<std::string>& environment = {}) const {
    std::vector<std::string> command = {"/usr/bin/env", "-i"};
    command.insert(command.end(), environment.begin(), environment.end());
    if (geteuid() == 0) {
      command.insert(command.end(), {"/usr/sbin/chroot", root_.string()});
    } else {
      command.insert(command.end(),
                     {"/usr/bin/unshare", "--map-root-user", "--root", root_.string()});
    }
    command.push_back("/source-vitess");
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
  }

  harness::RunResult RunInside(const std::vector<std::string>& arguments,
                               const std::vector<std::string>& environment = {}) const {
    harness::RunResult run = RunToEnd(Command(arguments, environment));
    const absl::Status messages = harness::CheckAirbyteMessages(run.lines);
    EXPECT_TRUE(messages.ok()) << messages;
    return run;
  }

  harness::RunResult Check(const std::string& config,
                           const std::vector<std::string>& environment = {}) {
    Write("/config.json", config);
    return RunInside({"check", "--config", "/config.json"}, environment);
  }

 private:
  fs::path root_;
};

// A table of two shards whose texts are in character sets that only ICU's data tell.
class ServedTable {
 public:
  explicit ServedTable(std::shared_ptr<grpc::ServerCredentials> credentials = nullptr)
      : server_({.cluster = {}, .service = {}, .credentials = std::move(credentials)}) {
    const absl::Status made = server_.cluster().RunScript(R"(
        create keyspace shop shards ('-80', '80-');
        use shop;
        create table words (id bigint primary key, chinese varchar(40) character set gbk,
                            japanese varchar(40) character set sjis);
        alter vschema on shop.words add vindex hash(id);
        insert into words (id, chinese, japanese) values (1, '中文', '日本'), (2, '简', '表');)");
    EXPECT_TRUE(made.ok()) << made;
    const auto port = server_.Start();
    EXPECT_TRUE(port.ok()) << port.status();
    port_ = port.value_or(0);
  }

  // The configuration of a connector to it.
  std::string Config(const std::map<std::string, std::string>& more = {},
                     const std::string& host = "127.0.0.1") const {
    return harness::MakeConfig(port_, {"shop"}, more, host);
  }

  int port() const { return port_; }

 private:
  simulator::Simulator server_;
  int port_ = 0;
};

// What a process that serves Fivetran's SDK is asked.
class FivetranClient {
 public:
  explicit FivetranClient(int port)
      : stub_(fivetran_sdk::v2::SourceConnector::NewStub(grpc::CreateChannel(
            absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials()))) {}

  fivetran_sdk::v2::ConfigurationFormResponse Form() {
    grpc::ClientContext context;
    fivetran_sdk::v2::ConfigurationFormResponse response;
    ExpectOk(stub_->ConfigurationForm(&context, {}, &response));
    return response;
  }

  fivetran_sdk::v2::TestResponse Test(const std::string& name,
                                      const std::map<std::string, std::string>& configuration) {
    grpc::ClientContext context;
    fivetran_sdk::v2::TestRequest request;
    request.set_name(name);
    request.mutable_configuration()->insert(configuration.begin(), configuration.end());
    fivetran_sdk::v2::TestResponse response;
    ExpectOk(stub_->Test(&context, request, &response));
    return response;
  }

  // All of the stream, as text.
  std::string Update(const std::map<std::string, std::string>& configuration) {
    grpc::ClientContext context;
    fivetran_sdk::v2::UpdateRequest request;
    request.mutable_configuration()->insert(configuration.begin(), configuration.end());
    const auto stream = stub_->Update(&context, request);
    std::string text;
    for (fivetran_sdk::v2::UpdateResponse response; stream->Read(&response);) {
      google::protobuf::TextFormat::Printer printer;
      printer.SetUseUtf8StringEscaping(true);
      std::string one;
      printer.PrintToString(response, &one);
      text += one;
    }
    ExpectOk(stream->Finish());
    return text;
  }

 private:
  static void ExpectOk(const grpc::Status& status) {
    EXPECT_TRUE(status.ok()) << status.error_message();
  }

  const std::unique_ptr<fivetran_sdk::v2::SourceConnector::Stub> stub_;
};

// The port of its log, in which it says where it listens.
int ListeningPort(harness::Process& process) {
  constexpr std::string_view kListening = "Listening on port ";
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (const auto line = process.ReadLine(deadline)) {
    const size_t place = line->find(kListening);
    if (place != std::string::npos) return std::atoi(line->c_str() + place + kListening.size());
  }
  ADD_FAILURE() << "It does not say where it listens. " << process.errors();
  return 0;
}

std::shared_ptr<grpc::ServerCredentials> ServerTls() {
  grpc::SslServerCredentialsOptions tls;
  tls.pem_key_cert_pairs = {{vitess::kServerKey, vitess::kServerCertificate}};
  return grpc::SslServerCredentials(tls);
}

const std::map<std::string, std::string>& ClientTls() {
  static const auto& members = *new std::map<std::string, std::string>{
      {"encryption", R"({"mode": "tls", "server_name": "vtgate.test"})"}};
  return members;
}

std::string Output(const harness::RunResult& run) { return absl::StrJoin(run.lines, "\n"); }

void ExpectSucceeded(const harness::RunResult& run) {
  EXPECT_EQ(run.exit.exit_code, 0) << Output(run);
  EXPECT_THAT(run.errors, IsEmpty());
}

std::string Content(const fs::path& path) {
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  return std::move(content).str();
}

// A line of the table of dependencies.
struct Dependency {
  std::string name;
  std::string version;
  std::string checksum;
  std::string address;
};

std::vector<Dependency> Dependencies() {
  std::istringstream table(
      Content(fs::path(SOURCE_VITESS_ROOT) / "cmake/hosting/dependencies.txt"));
  std::vector<Dependency> dependencies;
  for (std::string line; std::getline(table, line);) {
    if (line.starts_with('#')) continue;
    Dependency dependency;
    std::istringstream(line) >> dependency.name >> dependency.version >> dependency.checksum >>
        dependency.address;
    dependencies.push_back(std::move(dependency));
  }
  return dependencies;
}

TEST(DependenciesTest, AreEachPinnedOnceByAChecksum) {
  std::set<std::string> names;
  for (const Dependency& dependency : Dependencies()) {
    EXPECT_TRUE(names.insert(dependency.name).second) << dependency.name;
    EXPECT_THAT(dependency.checksum, MatchesRegex("[0-9a-f]{64}")) << dependency.name;
    EXPECT_THAT(dependency.address, StartsWith("https://")) << dependency.name;
  }
  EXPECT_THAT(names, Not(IsEmpty()));
}

TEST(DependenciesTest, AreThoseOfTheDocumentation) {
  const std::string page = Content(fs::path(SOURCE_VITESS_ROOT) / "docs/hosting.md");
  for (const Dependency& dependency : Dependencies()) {
    EXPECT_THAT(page, HasSubstr(" " + dependency.version)) << dependency.name;
  }
}

TEST(DependenciesTest, AreNotTakenFromAFolderWithOtherFiles) {
  std::string name = (fs::temp_directory_path() / "source-vitess-archives-XXXXXX").string();
  const fs::path folder = mkdtemp(name.data());
  fs::create_directory(folder / "archives");
  std::ofstream(folder / "archives/grpc-1.51.1.tar.gz") << "something else";

  const harness::RunResult run = RunToEnd(
      {SOURCE_VITESS_CMAKE, "-G", "Unix Makefiles", "-S",
       absl::StrCat(SOURCE_VITESS_ROOT, "/cmake/hosting"), "-B", (folder / "build").string(),
       absl::StrCat("-DDEPENDENCY_SOURCES=", (folder / "archives").string())});

  EXPECT_NE(run.exit.exit_code, 0);
  for (const Dependency& dependency : Dependencies()) {
    EXPECT_THAT(run.errors, HasSubstr(absl::StrCat(dependency.name, ", ", dependency.checksum)));
  }
  fs::remove_all(folder);
}

TEST(ReleaseFolderTest, HasOneExecutableWhichIsTheConnector) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(ReleaseFolder())) {
    files.push_back(entry.path().filename().string());
  }

  EXPECT_THAT(files, ElementsAre("source-vitess"));
  EXPECT_EQ(access(Program().c_str(), X_OK), 0);
}

TEST(ReleaseFolderTest, HasAnExecutableThatNeedsTheCLibraryAlone) {
  const std::vector<fs::path> files = LoadedFiles(Program());
  ASSERT_THAT(files, Not(IsEmpty()));

  for (const fs::path& file : files) EXPECT_TRUE(IsOfTheCLibrary(file)) << file;
}

TEST_F(BareRootTest, PrintsTheSpecificationThatTheOrdinaryProgramPrints) {
  const harness::RunResult run = RunInside({"spec"});

  ExpectSucceeded(run);
  EXPECT_THAT(run.lines, Not(IsEmpty()));
  EXPECT_EQ(run.lines, RunToEnd({SOURCE_VITESS_PROGRAM, "spec"}).lines);
}

TEST_F(BareRootTest, ReadsTextOfOtherCharacterSets) {
  const ServedTable table;
  Write("/config.json", table.Config());
  const harness::RunResult discovery = RunInside({"discover", "--config", "/config.json"});
  ExpectSucceeded(discovery);
  ASSERT_THAT(discovery.lines, ElementsAre(HasSubstr("words")));
  Write("/catalog.json", harness::ConfigureCatalog(discovery.lines[0]).value_or(""));

  const harness::RunResult run =
      RunInside({"read", "--config", "/config.json", "--catalog", "/catalog.json"});

  ExpectSucceeded(run);
  EXPECT_THAT(Output(run),
              AllOf(HasSubstr("中文"), HasSubstr("日本"), HasSubstr("简"), HasSubstr("表")));
}

TEST_F(BareRootTest, KnowsTheNamesOfTheFileOfHosts) {
  const ServedTable table(ServerTls());
  Write("/etc/hosts", "127.0.0.1 vtgate.test\n");
  Write("/etc/ssl/certs/ca-certificates.crt", vitess::kTestCa);

  const harness::RunResult run =
      Check(table.Config({{"encryption", R"({"mode": "tls"})"}}, "vtgate.test"));

  EXPECT_THAT(Output(run), HasSubstr("SUCCEEDED"));
}

TEST_F(BareRootTest, SaysWhichNameItCannotResolve) {
  const ServedTable table;

  const harness::RunResult run = Check(table.Config({}, "vtgate.invalid"));

  EXPECT_EQ(run.exit.exit_code, 0);
  EXPECT_THAT(run.errors, IsEmpty());
  EXPECT_THAT(Output(run), AllOf(HasSubstr("FAILED"), HasSubstr("vtgate.invalid")));
}

TEST_F(BareRootTest, TrustsTheAuthoritiesThatAreKeptWhereLinuxKeepsThem) {
  const ServedTable table(ServerTls());
  for (const char* bundle : {"/etc/ssl/certs/ca-certificates.crt",
                             "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"}) {
    Write(bundle, vitess::kTestCa);

    const harness::RunResult run = Check(table.Config(ClientTls()));

    ExpectSucceeded(run);
    EXPECT_THAT(Output(run), HasSubstr("SUCCEEDED")) << bundle;
    Write(bundle, "");
  }
}

TEST_F(BareRootTest, TrustsTheAuthoritiesOfTheFileThatTheEnvironmentNames) {
  const ServedTable table(ServerTls());
  Write("/etc/ssl/certs/ca-certificates.crt", vitess::kOtherCa);
  Write("/authorities.pem", vitess::kTestCa);

  const harness::RunResult run =
      Check(table.Config(ClientTls()), {"SSL_CERT_FILE=/authorities.pem"});

  EXPECT_THAT(Output(run), HasSubstr("SUCCEEDED"));
}

TEST_F(BareRootTest, TrustsNoOtherAuthority) {
  const ServedTable table(ServerTls());
  Write("/etc/ssl/certs/ca-certificates.crt", vitess::kOtherCa);

  EXPECT_THAT(Output(Check(table.Config(ClientTls()))),
              AllOf(HasSubstr("FAILED"), HasSubstr("not signed by a known authority")));
}

TEST_F(BareRootTest, SaysWhatToDoWhereNoAuthoritiesAreKept) {
  const ServedTable table(ServerTls());

  EXPECT_THAT(Output(Check(table.Config(ClientTls()))),
              AllOf(HasSubstr("FAILED"), HasSubstr("ca_certificate"), HasSubstr("SSL_CERT_FILE")));
}

TEST_F(BareRootTest, ServesFivetran) {
  const ServedTable table(ServerTls());
  Write("/etc/ssl/certs/ca-certificates.crt", vitess::kTestCa);
  const std::map<std::string, std::string> configuration = {{"host", "127.0.0.1"},
                                                            {"port", absl::StrCat(table.port())},
                                                            {"keyspaces", "shop"},
                                                            {"encryption_mode", "tls"},
                                                            {"server_name", "vtgate.test"}};
  auto process = harness::Process::Start(Command({"fivetran", "--port", "0"}));
  ASSERT_TRUE(process.ok()) << process.status();
  FivetranClient client(ListeningPort(**process));

  const auto form = client.Form();
  ASSERT_GT(form.tests_size(), 0);
  for (const auto& test : form.tests()) {
    const auto tested = client.Test(test.name(), configuration);
    EXPECT_TRUE(tested.success()) << test.name() << ": " << tested.failure();
  }
  EXPECT_THAT(client.Update(configuration),
              AllOf(HasSubstr("中文"), HasSubstr("日本"), HasSubstr("checkpoint")));

  (*process)->Signal(SIGTERM);
  EXPECT_TRUE((*process)->Wait(absl::Now() + absl::Seconds(60)).has_value());
}

}  // namespace
}  // namespace source_vitess::integration_tests
