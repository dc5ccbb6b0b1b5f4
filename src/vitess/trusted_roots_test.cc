#include "vitess/trusted_roots.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vitess/certificates_for_test.h"
#include "vitess/errors.h"

namespace source_vitess::vitess {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

class TrustedRootsTest : public ::testing::Test {
 protected:
  TrustedRootsTest() {
    std::string name = (std::filesystem::temp_directory_path() / "trusted-roots-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~TrustedRootsTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }

  std::string File(const std::string& name, const std::string& content) {
    std::ofstream(Path(name)) << content;
    return Path(name);
  }

  absl::StatusOr<std::string> Read(const std::vector<std::string>& bundles) {
    const auto environment = [this](const char* name) {
      const auto variable = environment_.find(name);
      return variable == environment_.end() ? nullptr : variable->second.c_str();
    };
    return ReadTrustedRoots(environment, bundles);
  }

  std::map<std::string, std::string> environment_;

 private:
  std::filesystem::path folder_;
};

TEST_F(TrustedRootsTest, AreThoseOfTheFirstBundleThatThereIs) {
  const std::string absent = Path("absent.pem");
  const std::string first = File("first.pem", kTestCa);
  const std::string second = File("second.pem", kOtherCa);

  EXPECT_EQ(Read({absent, first, second}).value_or(""), kTestCa);
}

TEST_F(TrustedRootsTest, AreNotLookedForInFilesWithoutACertificateAndInFolders) {
  std::filesystem::create_directory(Path("folder"));
  const std::string empty = File("empty.pem", "");

  EXPECT_EQ(Read({Path("folder"), empty, File("bundle.pem", kTestCa)}).value_or(""), kTestCa);
}

TEST_F(TrustedRootsTest, AreThoseThatTheEnvironmentNames) {
  const std::string bundle = File("bundle.pem", kTestCa);
  environment_ = {{"SSL_CERT_FILE", File("named.pem", kOtherCa)}};

  EXPECT_EQ(Read({bundle}).value_or(""), kOtherCa);
}

TEST_F(TrustedRootsTest, AreThoseOfTheEnvironmentsVariableForGrpcFirst) {
  environment_ = {{"SSL_CERT_FILE", File("all.pem", kOtherCa)},
                  {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", File("grpc.pem", kTestCa)}};

  EXPECT_EQ(Read({}).value_or(""), kTestCa);
}

TEST_F(TrustedRootsTest, AreTheSystemsWhereTheEnvironmentsVariablesAreEmpty) {
  environment_ = {{"SSL_CERT_FILE", ""}, {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", ""}};

  EXPECT_EQ(Read({File("bundle.pem", kTestCa)}).value_or(""), kTestCa);
}

TEST_F(TrustedRootsTest, AreNoOthersWhereTheEnvironmentNamesAFileThatCannotBeRead) {
  environment_ = {{"SSL_CERT_FILE", Path("absent.pem")}};

  const absl::Status failure = Read({File("bundle.pem", kTestCa)}).status();

  ASSERT_FALSE(failure.ok());
  EXPECT_EQ(Classify(failure), ErrorClass::kConfiguration);
  EXPECT_THAT(
      std::string(failure.message()),
      AllOf(HasSubstr("SSL_CERT_FILE"), HasSubstr("absent.pem"), HasSubstr("ca_certificate")));
}

TEST_F(TrustedRootsTest, WhereThereAreNoneTheErrorSaysWhatToDoAndWhereItLooked) {
  const absl::Status failure = Read({"/nowhere/a.pem", "/nowhere/b.pem"}).status();

  ASSERT_FALSE(failure.ok());
  EXPECT_EQ(Classify(failure), ErrorClass::kConfiguration);
  EXPECT_THAT(std::string(failure.message()),
              AllOf(HasSubstr("option ca_certificate of encryption"), HasSubstr("SSL_CERT_FILE"),
                    HasSubstr("/nowhere/a.pem, /nowhere/b.pem")));
}

TEST_F(TrustedRootsTest, AreLookedForWhereLinuxDistributionsKeepThem) {
  for (const char* bundle :
       {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/ssl/cert.pem"}) {
    EXPECT_THAT(std::vector<std::string>(RootBundles().begin(), RootBundles().end()),
                Contains(bundle));
  }
}

}  // namespace
}  // namespace source_vitess::vitess
