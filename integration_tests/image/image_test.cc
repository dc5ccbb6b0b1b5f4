// The image that `integration_tests/image/build` left: what stands in it and around it, and the
// program run inside as Airbyte's platform runs it (docs/image.md).
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "harness/airbyte_message.h"
#include "harness/connector.h"
#include "harness/process.h"
#include "rapidjson/document.h"
#include "simulator/simulator.h"
#include "vitess/certificates_for_test.h"

namespace source_vitess::integration_tests {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

constexpr double kMegabyte = 1e6;
constexpr double kLargest = 60 * kMegabyte;
constexpr absl::Duration kSlowestStart = absl::Milliseconds(20);

// Where the image is: that of this build, or the one that is named.
fs::path Folder() {
  const char* const named = std::getenv("SOURCE_VITESS_TEST_IMAGE");
  return named != nullptr ? named : SOURCE_VITESS_IMAGE;
}

fs::path Root() { return Folder() / "root"; }

std::string Content(const fs::path& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return std::move(content).str();
}

// The first group of `pattern` in a file of the repository; empty where it is not found.
std::string Find(const std::string& path, const std::string& pattern) {
  const std::string text = Content(fs::path(SOURCE_VITESS_ROOT) / path);
  std::smatch match;
  const std::regex expression(pattern, std::regex::multiline);
  return std::regex_search(text, match, expression) ? match[1].str() : "";
}

harness::RunResult RunToEnd(const std::vector<std::string>& command) {
  auto run = harness::RunCommand(command);
  EXPECT_TRUE(run.ok()) << run.status();
  return run.value_or(harness::RunResult());
}

std::string Output(const harness::RunResult& run) { return absl::StrJoin(run.lines, "\n"); }

void ExpectSucceeded(const harness::RunResult& run) {
  EXPECT_EQ(run.exit.exit_code, 0) << Output(run) << run.errors;
  EXPECT_THAT(run.errors, IsEmpty());
}

// What OCI's layout says of the image: its manifest and its configuration.
class Image {
 public:
  Image() {
    const rapidjson::Document index = Parse(Folder() / "image/index.json");
    manifest_ = Parse(Blob(index["manifests"][0]["digest"].GetString()));
    configuration_ = Parse(Blob(manifest_["config"]["digest"].GetString()));
  }

  const rapidjson::Value& config() const { return configuration_["config"]; }

  // Of all layers, as a registry keeps and sends them.
  int64_t CompressedBytes() const {
    int64_t bytes = 0;
    for (const auto& layer : manifest_["layers"].GetArray()) bytes += layer["size"].GetInt64();
    return bytes;
  }

  std::map<std::string, std::string> Labels() const {
    std::map<std::string, std::string> labels;
    for (const auto& label : config()["Labels"].GetObject()) {
      labels[label.name.GetString()] = label.value.GetString();
    }
    return labels;
  }

  // As NAME=VALUE.
  std::vector<std::string> Environment() const {
    std::vector<std::string> variables;
    for (const auto& variable : config()["Env"].GetArray()) {
      variables.emplace_back(variable.GetString());
    }
    return variables;
  }

 private:
  static rapidjson::Document Parse(const fs::path& path) {
    rapidjson::Document document;
    document.Parse(Content(path).c_str());
    EXPECT_FALSE(document.HasParseError()) << path;
    return document;
  }

  static fs::path Blob(const std::string& digest) {
    const std::vector<std::string> parts = absl::StrSplit(digest, ':');
    return Folder() / "image/blobs" / parts.at(0) / parts.at(1);
  }

  rapidjson::Document manifest_;
  rapidjson::Document configuration_;
};

// Everything in the image, as paths of the image, "/etc/passwd".
std::vector<std::string> Files() {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(Root())) {
    files.push_back("/" + entry.path().lexically_relative(Root()).string());
  }
  return files;
}

struct stat Status(const std::string& path) {
  struct stat status = {};
  EXPECT_EQ(lstat((Root() / path.substr(1)).c_str(), &status), 0) << path;
  return status;
}

// Whether the kernel would start it: machine code, or a script that says by whom it is to be read.
bool IsProgram(const std::string& path) {
  if (!S_ISREG(Status(path).st_mode)) return false;
  std::ifstream file(Root() / path.substr(1), std::ios::binary);
  std::string begin(4, '\0');
  file.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  return begin == "\177ELF" || begin.starts_with("#!");
}

bool IsSharedLibrary(const std::string& path) {
  return std::regex_match(path, std::regex(R"(/lib/\w+-linux-gnu/[\w.+-]+\.so\.[\d.]+)"));
}

TEST(ImageTest, IsTheSameWhenItIsBuiltAgain) {
  const std::vector<std::string> digests =
      absl::StrSplit(Content(Folder() / "digests"), '\n', absl::SkipEmpty());

  ASSERT_THAT(digests, SizeIs(2));
  EXPECT_THAT(digests[0], HasSubstr("sha256:"));
  EXPECT_EQ(digests[0], digests[1]);
}

TEST(ImageTest, HasTheLabelsThatAgreeWithTheMetadata) {
  const std::string version = Find("CMakeLists.txt", R"(project\(source-vitess VERSION ([0-9.]+))");
  const std::map<std::string, std::string> labels = Image().Labels();

  EXPECT_EQ(labels.at("io.airbyte.name"), Find("metadata.yaml", "^  dockerRepository: (.+)$"));
  EXPECT_EQ(labels.at("io.airbyte.version"), Find("metadata.yaml", "^  dockerImageTag: (.+)$"));
  EXPECT_EQ(labels.at("io.airbyte.version"), version);
  EXPECT_EQ(labels.at("org.opencontainers.image.version"), version);
  EXPECT_EQ(labels.at("org.opencontainers.image.licenses"),
            Find("metadata.yaml", "^  license: (.+)$"));
}

TEST(ImageTest, IsEnteredTheSameWayByDockerAndByAirbyte) {
  const Image image;

  ASSERT_EQ(image.config()["Entrypoint"].Size(), 1);
  EXPECT_THAT(
      image.Environment(),
      Contains(absl::StrCat("AIRBYTE_ENTRYPOINT=", image.config()["Entrypoint"][0].GetString())));
}

TEST(ImageTest, RunsAsAUserWhoseNumberIsNotThatOfRoot) {
  EXPECT_STREQ(Image().config()["User"].GetString(), "1000:1000");
  EXPECT_THAT(Content(Root() / "etc/passwd"), HasSubstr("airbyte:x:1000:1000:"));
}

TEST(ImageTest, IsSmall) {
  const auto compressed = static_cast<double>(Image().CompressedBytes());
  double unpacked = 0;
  for (const std::string& file : Files()) {
    if (S_ISREG(Status(file).st_mode)) unpacked += static_cast<double>(Status(file).st_size);
  }

  std::printf("image: %.1f MB compressed, %.1f MB unpacked\n", compressed / kMegabyte,
              unpacked / kMegabyte);
  EXPECT_LT(compressed, kLargest);
}

TEST(ImageTest, HasNoProgramButTheConnectorAndTheShell) {
  std::vector<std::string> programs;
  for (const std::string& file : Files()) {
    if (IsProgram(file) && !IsSharedLibrary(file)) programs.push_back(file);
  }

  EXPECT_THAT(programs, UnorderedElementsAre("/airbyte/source-vitess", "/bin/busybox"));
}

// Which the single executable has not.
TEST(ImageTest, HasAProgramThatServesItsStatus) {
  EXPECT_NE(Content(Root() / "airbyte/source-vitess").find("/api/status"), std::string::npos);
}

TEST(ImageTest, SaysNowhereWhereItsPackagesCameFrom) {
  EXPECT_THAT(Files(), Not(Contains(StartsWith("/etc/apt"))));
  EXPECT_THAT(Files(), Not(Contains(StartsWith("/var/lib/apt"))));
}

TEST(ImageTest, HasNothingThatItsUserCouldChangeButTwoFolders) {
  std::vector<std::string> changeable;
  for (const std::string& file : Files()) {
    const struct stat status = Status(file);
    if (S_ISLNK(status.st_mode)) continue;
    if (status.st_uid != 0 || status.st_gid != 0 || (status.st_mode & S_IWOTH) != 0) {
      changeable.push_back(file);
    }
  }

  EXPECT_THAT(changeable, UnorderedElementsAre("/airbyte", "/tmp"));
}

TEST(ImageTest, HasNothingThatGivesItsUserMoreRights) {
  for (const std::string& file : Files()) {
    EXPECT_EQ(Status(file).st_mode & (S_ISUID | S_ISGID), 0U) << file;
  }
}

TEST(ImageTest, TellsTheLicenceOfEveryPackageThatIsInIt) {
  std::vector<std::string> packages;
  for (const auto& entry : fs::directory_iterator(Root() / "var/lib/dpkg/status.d")) {
    packages.push_back(entry.path().filename().string());
  }

  EXPECT_THAT(packages, AllOf(Contains("busybox"), Contains("libc6"), Contains("libgrpc++-dev")));
  packages.emplace_back("source-vitess");
  for (const std::string& package : packages) {
    EXPECT_THAT(Content(Root() / "usr/share/doc" / package / "copyright"), Not(IsEmpty()))
        << package;
  }
}

TEST(ImageTest, StartsQuickly) {
  std::vector<absl::Duration> taken;
  for (int run = 0; run < 21; ++run) {
    const absl::Time began = absl::Now();
    const harness::RunResult result =
        RunToEnd({"/usr/sbin/chroot", Root().string(), "/airbyte/source-vitess", "spec"});
    taken.push_back(absl::Now() - began);
    ASSERT_EQ(result.exit.exit_code, 0);
  }
  std::sort(taken.begin(), taken.end());

  std::printf("spec: median %.1f ms, fastest %.1f ms\n",
              absl::ToDoubleMilliseconds(taken[taken.size() / 2]),
              absl::ToDoubleMilliseconds(taken.front()));
  // The fastest, since the others tell how busy the machine is.
  EXPECT_LT(taken.front(), kSlowestStart);
}

// Runs what the platform's shell would, in a folder that is mounted at /source.
class RunningImageTest : public ::testing::Test {
 protected:
  RunningImageTest() {
    std::string name = (fs::temp_directory_path() / "source-vitess-image-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    fs::permissions(folder_, fs::perms(0755));
  }
  ~RunningImageTest() override { fs::remove_all(folder_); }

  void Write(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }

  harness::RunResult Shell(const std::string& script) const {
    std::vector<std::string> command = {SOURCE_VITESS_ENTER, Root().string(), folder_.string()};
    for (const std::string& variable : image_.Environment()) command.push_back(variable);
    command.insert(command.end(), {"sh", "-c", script});
    return RunToEnd(command);
  }

  // The connector's command, as the platform's script calls it.
  harness::RunResult Connector(const std::string& arguments) const {
    harness::RunResult run = Shell(absl::StrCat("eval \"$AIRBYTE_ENTRYPOINT ", arguments, "\""));
    if (!absl::StartsWith(arguments, "--")) {
      const absl::Status messages = harness::CheckAirbyteMessages(run.lines);
      EXPECT_TRUE(messages.ok()) << messages;
    }
    return run;
  }

 private:
  const Image image_;
  fs::path folder_;
};

// A table of two shards whose texts are in character sets that only ICU's data tell.
class ServedTable {
 public:
  explicit ServedTable(std::shared_ptr<grpc::ServerCredentials> credentials = nullptr)
      : server_({.cluster = {}, .service = {}, .credentials = std::move(credentials)}) {
    const absl::Status made = server_.cluster().RunScript(R"(
        create keyspace shop shards ('-80', '80-');
        use shop;
        create table words (id bigint primary key, chinese varchar(40) character set gbk);
        alter vschema on shop.words add vindex hash(id);
        insert into words (id, chinese) values (1, '中文'), (2, '简'), (3, '体'), (4, '字');)");
    EXPECT_TRUE(made.ok()) << made;
    const auto port = server_.Start();
    EXPECT_TRUE(port.ok()) << port.status();
    port_ = port.value_or(0);
  }

  std::string Config(const std::map<std::string, std::string>& more = {}) const {
    return harness::MakeConfig(port_, {"shop"}, more);
  }

 private:
  simulator::Simulator server_;
  int port_ = 0;
};

TEST_F(RunningImageTest, IsUser1000WithoutCapabilities) {
  ExpectSucceeded(Shell("test $(id -u) = 1000 && test $(id -g) = 1000"));
  EXPECT_THAT(Shell("grep CapEff /proc/self/status").lines,
              ElementsAre(HasSubstr("0000000000000000")));
}

TEST_F(RunningImageTest, CannotWriteAnywhereButToTheFolderOfTemporaryFiles) {
  EXPECT_NE(Shell("echo x > /airbyte/file").exit.exit_code, 0);
  EXPECT_NE(Shell("echo x > /file").exit.exit_code, 0);
  ExpectSucceeded(Shell("echo x > /tmp/file"));
}

TEST_F(RunningImageTest, HasTheCommandsOfTheScriptsThatPlatformsStartItWith) {
  ExpectSucceeded(Shell(R"sh(
      set -e
      echo 1 > /tmp/TEMP_EXIT_CODE.txt
      mv /tmp/TEMP_EXIT_CODE.txt /tmp/exitCode.txt
      [ -f /tmp/exitCode.txt ] && test "$(cat /tmp/exitCode.txt)" = 1
      mkfifo /tmp/pipe
      (echo through > /tmp/pipe) &
      test "$(cat < /tmp/pipe)" = through
      sleep 100 & child=$!
      kill $child
      wait $child 2> /dev/null || true)sh"));
}

TEST_F(RunningImageTest, EveryCommandThatIsNamedIsThere) {
  const harness::RunResult run = Shell(R"(
      for file in /bin/*; do
        name=${file##*/}
        [ "$name" = busybox ] || busybox --list | grep -qxF -- "$name" || echo "$name"
      done)");

  ExpectSucceeded(run);
  EXPECT_THAT(run.lines, IsEmpty());
}

TEST_F(RunningImageTest, PrintsTheSpecificationAndTheVersionOfTheProgram) {
  const harness::RunResult spec = Connector("spec");

  ExpectSucceeded(spec);
  EXPECT_THAT(spec.lines, SizeIs(1));
  EXPECT_EQ(spec.lines, RunToEnd({SOURCE_VITESS_PROGRAM, "spec"}).lines);
  EXPECT_THAT(Connector("--version").lines,
              ElementsAre("source-vitess " + Find("metadata.yaml", "^  dockerImageTag: (.+)$")));
}

TEST_F(RunningImageTest, ReadsFromVitess) {
  const ServedTable table;
  Write("config.json", table.Config());
  const harness::RunResult check = Connector("check --config /source/config.json");
  ExpectSucceeded(check);
  EXPECT_THAT(Output(check), HasSubstr("SUCCEEDED"));
  const harness::RunResult discovery = Connector("discover --config /source/config.json");
  ExpectSucceeded(discovery);
  ASSERT_THAT(discovery.lines, ElementsAre(HasSubstr("words")));
  Write("catalog.json", harness::ConfigureCatalog(discovery.lines[0]).value_or(""));

  const harness::RunResult read =
      Connector("read --config /source/config.json --catalog /source/catalog.json");

  ExpectSucceeded(read);
  EXPECT_THAT(Output(read), AllOf(HasSubstr("中文"), HasSubstr("简"), HasSubstr("体"),
                                  HasSubstr("字"), HasSubstr("COMPLETE")));
  EXPECT_THAT(read.lines, Each(StartsWith("{")));
}

TEST_F(RunningImageTest, TrustsThePublicAuthoritiesAlone) {
  grpc::SslServerCredentialsOptions tls;
  tls.pem_key_cert_pairs = {{vitess::kServerKey, vitess::kServerCertificate}};
  const ServedTable table(grpc::SslServerCredentials(tls));
  Write("config.json",
        table.Config({{"encryption", R"({"mode": "tls", "server_name": "vtgate.test"})"}}));

  EXPECT_THAT(Output(Connector("check --config /source/config.json")),
              AllOf(HasSubstr("FAILED"), HasSubstr("not signed by a known authority")));
  ExpectSucceeded(
      Shell("test $(grep -c 'BEGIN CERTIFICATE' /etc/ssl/certs/ca-certificates.crt) -gt 100"));
}

}  // namespace
}  // namespace source_vitess::integration_tests
