// The option "deployment" on the wire: what each kind of server is sent, and what comes of it.
#include <grpcpp/grpcpp.h>

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "harness/connector.h"
#include "rapidjson/stringbuffer.h"
#include "rapidjson/writer.h"
#include "tests/fivetran_source.h"
#include "tests/simulated_source.h"
#include "vitess/certificates_for_test.h"

namespace source_vitess::integration_tests {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using Members = std::map<std::string, std::string>;

constexpr char kPassword[] = "pscale_pw_of_this_test";

std::string Quoted(const std::string& text) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.String(text.c_str());
  return buffer.GetString();
}

// PlanetScale's endpoint as far as it is known: TLS, and HTTP Basic authentication.
simulator::SimulatorOptions PlanetScaleServer() {
  grpc::SslServerCredentialsOptions tls;
  tls.pem_key_cert_pairs.push_back({vitess::kServerKey, vitess::kServerCertificate});
  simulator::SimulatorOptions options;
  options.credentials = grpc::SslServerCredentials(tls);
  options.service.user = {.username = "u7", .password = kPassword, .basic = true};
  return options;
}

// The certificate is not of a public authority, so it is given.
Members PlanetScale(const std::string& password = kPassword) {
  return {
      {"deployment", R"("planetscale")"},
      {"authentication", absl::StrCat(R"({"method": "password", "username": "u7", "password": )",
                                      Quoted(password), "}")},
      {"encryption", absl::StrCat(R"({"mode": "tls", "server_name": "vtgate.test",)",
                                  R"("ca_certificate": )", Quoted(vitess::kTestCa), "}")}};
}

harness::RunResult Check(int port, const Members& members) {
  auto connector =
      harness::Connector::Make(SOURCE_VITESS_PROGRAM, harness::MakeConfig(port, {"shop"}, members));
  EXPECT_TRUE(connector.ok()) << connector.status();
  auto run = (*connector)->Check();
  EXPECT_TRUE(run.ok()) << run.status();
  return run.value_or(harness::RunResult());
}

TEST(PlanetScaleTest, IsCopiedAndFollowed) {
  SimulatedSource source(PlanetScaleServer(), PlanetScale());
  source.Execute("insert into customers values (1, 'a'), (2, 'b')");
  EXPECT_EQ(source.Read().exit.exit_code, 0);
  source.Execute("update customers set email = 'c' where id = 2");

  EXPECT_EQ(source.Read().exit.exit_code, 0);

  EXPECT_THAT(source.Differences(), IsEmpty());
}

TEST(PlanetScaleTest, IsAskedForItsCells) {
  SimulatedSource source(PlanetScaleServer(), PlanetScale());

  EXPECT_EQ(source.Read().exit.exit_code, 0);

  const auto requests = source.simulator().stream_requests();
  ASSERT_THAT(requests, Not(IsEmpty()));
  for (const vtgate::VStreamRequest& request : requests) {
    EXPECT_EQ(request.flags().cells(), "planetscale_operator_default");
  }
}

TEST(PlanetScaleTest, ThatDoesNotKnowThePasswordFailsACheckInWordsThatDoNotRepeatIt) {
  SimulatedSource source(PlanetScaleServer(), PlanetScale());

  const harness::RunResult run = Check(source.port(), PlanetScale("pscale_pw_another"));

  EXPECT_THAT(run.lines, Each(AllOf(HasSubstr("FAILED"), HasSubstr("option authentication"),
                                    Not(HasSubstr("pscale_pw_")))));
  EXPECT_EQ(run.lines.size(), 1u);
}

TEST(PlanetScaleTest, IsNotSentThePasswordAsAVtgateIs) {
  SimulatedSource source(PlanetScaleServer(), PlanetScale());
  Members vtgate = PlanetScale();
  vtgate["deployment"] = R"("vtgate")";

  EXPECT_THAT(Check(source.port(), vtgate).lines, Each(HasSubstr("FAILED")));
}

TEST(PlanetScaleTest, IsSpokenToOverTlsWithoutASettingOfIt) {
  SimulatedSource source(PlanetScaleServer(), PlanetScale());
  Members by_default = PlanetScale();
  by_default.erase("encryption");

  // Its certificate is nobody's that the system knows: but it was asked for one.
  EXPECT_THAT(Check(source.port(), by_default).lines,
              Each(AllOf(HasSubstr("FAILED"), HasSubstr("certificate"))));
}

TEST(PlanetScaleTest, IsReadForFivetran) {
  FivetranSource source(PlanetScaleServer(), {{"deployment", "planetscale"},
                                              {"authentication_method", "password"},
                                              {"username", "u7"},
                                              {"password", kPassword},
                                              {"encryption_mode", "tls"},
                                              {"server_name", "vtgate.test"},
                                              {"ca_certificate", vitess::kTestCa}});
  source.Execute("insert into customers values (1, 'a')");

  EXPECT_EQ(source.connection().Test("credentials").value().value_or(""), "");
  EXPECT_EQ(source.Sync().Failure(), "");

  EXPECT_THAT(source.Differences(), IsEmpty());
  ASSERT_TRUE(source.connection().Stop().ok());
  EXPECT_THAT(source.BrokenRules(), IsEmpty());
}

TEST(VitessOperatorTest, IsReadWithVitesssOwnAuthentication) {
  simulator::SimulatorOptions options;
  options.service.user = {.username = "etl", .password = kPassword};
  SimulatedSource source(
      options,
      {{"deployment", R"("vitess_operator")"},
       {"authentication", absl::StrCat(R"({"method": "password", "username": "etl", "password": )",
                                       Quoted(kPassword), "}")}});
  source.Execute("insert into customers values (1, 'a')");

  EXPECT_EQ(source.Read().exit.exit_code, 0);

  EXPECT_THAT(source.Differences(), IsEmpty());
}

}  // namespace
}  // namespace source_vitess::integration_tests
