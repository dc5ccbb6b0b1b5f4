#include "config/deployment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "config/json_document.h"
#include "config/options.h"
#include "config/specification.h"
#include "text/absl_view.h"
#include "vitess/errors.h"

namespace source_vitess::config {
namespace {

using rapidjson::Value;
using testing::ElementsAreArray;
using testing::HasSubstr;

constexpr char kPlanetScale[] = R"(
    "deployment": "planetscale", "host": "aws.connect.psdb.cloud", "keyspaces": ["shop"],
    "authentication": {"method": "password", "username": "u7", "password": "pscale_pw_x"})";

Options Parsed(std::string_view members) {
  const auto options = ParseOptions(absl::StrCat("{", text::AbslView(members), "}"));
  EXPECT_TRUE(options.ok()) << options.status();
  return options.value_or(Options());
}

std::string ErrorOf(std::string_view members) {
  const absl::Status status =
      ParseOptions(absl::StrCat("{", text::AbslView(members), "}")).status();
  EXPECT_EQ(vitess::Classify(status), vitess::ErrorClass::kConfiguration);
  return std::string(status.message());
}

TEST(DeploymentTest, AreThoseOfTheSpecification) {
  const Value& properties = *FindMember(ConnectionSchema(), "properties");
  const Value& names = *FindMember(*FindMember(properties, "deployment"), "enum");
  std::vector<std::string> specified;
  for (const Value& name : names.GetArray()) specified.emplace_back(name.GetString());

  std::vector<std::string> known;
  for (const Deployment& deployment : Deployments()) known.emplace_back(deployment.name);

  EXPECT_THAT(known, ElementsAreArray(specified));
}

TEST(DeploymentTest, PortsAreTheOnesThatTheSpecificationTells) {
  const Value& properties = *FindMember(ConnectionSchema(), "properties");
  const std::string description =
      FindMember(*FindMember(properties, "port"), "description")->GetString();

  for (const Deployment& deployment : Deployments()) {
    EXPECT_THAT(description, HasSubstr(absl::StrCat(deployment.port, " for <code>",
                                                    text::AbslView(deployment.name), "</code>")));
  }
}

TEST(DeploymentTest, IsAPlainVtgateIfNothingIsSaid) {
  const Options options = Parsed(R"("host": "vtgate", "keyspaces": ["shop"])");

  EXPECT_EQ(options.channel.port, 15991);
  EXPECT_FALSE(options.channel.tls.has_value());
  EXPECT_EQ(options.cells, "");
}

TEST(DeploymentTest, OfVitessOperatorHasThePortOfItsServices) {
  const Options options = Parsed(R"("deployment": "vitess_operator", "host": "example-vtgate",
      "keyspaces": ["shop"],
      "authentication": {"method": "password", "username": "u", "password": "p"})");

  EXPECT_EQ(options.channel.port, 15999);
  EXPECT_FALSE(options.channel.tls.has_value());
  EXPECT_EQ(options.channel.credentials->scheme, vitess::Credentials::Scheme::kVitess);
  EXPECT_EQ(options.cells, "");
}

TEST(DeploymentTest, OfPlanetScaleNeedsNothingButCredentials) {
  const Options options = Parsed(kPlanetScale);

  EXPECT_EQ(options.channel.port, 443);
  ASSERT_TRUE(options.channel.tls.has_value());
  EXPECT_EQ(options.channel.tls->ca_certificate, "");
  ASSERT_TRUE(options.channel.credentials.has_value());
  EXPECT_EQ(options.channel.credentials->scheme, vitess::Credentials::Scheme::kBasic);
  EXPECT_EQ(options.cells, "planetscale_operator_default");
}

// Airbyte sends the default of every field that nobody touched.
TEST(DeploymentTest, HoldsBesideTheDefaultsThatAFormFillsIn) {
  const Options options = Parsed(
      absl::StrCat(kPlanetScale, R"(, "encryption": {"mode": "auto"}, "cells": [], "shards": [])"));

  EXPECT_EQ(options.channel.port, 443);
  EXPECT_TRUE(options.channel.tls.has_value());
  EXPECT_EQ(options.cells, "planetscale_operator_default");
}

TEST(DeploymentTest, YieldsToWhatIsSaid) {
  const Options options = Parsed(absl::StrCat(
      absl::StrReplaceAll(kPlanetScale, {{"aws.connect.psdb.cloud", "planetscale.internal"}}),
      R"(, "port": 8443, "cells": ["zone1"], "encryption": {"mode": "tls", "server_name": "x"})"));

  EXPECT_EQ(options.channel.port, 8443);
  EXPECT_EQ(options.channel.tls->server_name, "x");
  EXPECT_EQ(options.cells, "zone1");
}

TEST(DeploymentTest, OfPlanetScaleSendsNoPasswordInPlaintext) {
  EXPECT_EQ(ErrorOf(absl::StrCat(kPlanetScale, R"(, "encryption": {"mode": "plaintext"})")),
            "Option \"encryption.mode\" is \"plaintext\", and PlanetScale (option \"deployment\") "
            "takes encrypted connections only: choose \"auto\" or \"tls\".");
}

TEST(DeploymentTest, OfPlanetScaleWantsToKnowWhoCalls) {
  EXPECT_THAT(
      ErrorOf(R"("deployment": "planetscale", "host": "db.example.com", "keyspaces": ["shop"])"),
      testing::StartsWith("Option \"authentication.method\" is \"none\", and PlanetScale"));
}

TEST(DeploymentTest, OfPlanetScaleHasOnePortAtItsOwnAddresses) {
  EXPECT_EQ(Parsed(absl::StrCat(kPlanetScale, R"(, "port": 443)")).channel.port, 443);
  for (const int port : {3306, 15991}) {
    EXPECT_EQ(ErrorOf(absl::StrCat(kPlanetScale, R"(, "port": )", port)),
              absl::StrCat("Option \"port\" is ", port,
                           ", and PlanetScale's hosts speak gRPC at 443 alone: leave it empty."));
  }
}

TEST(DeploymentTest, IsPlanetScaleAtAnAddressOfPlanetScale) {
  for (const char* host : {"aws.connect.psdb.cloud", "EU-West.Connect.PSDB.Cloud"}) {
    EXPECT_THAT(ErrorOf(absl::StrCat(R"("keyspaces": ["shop"], "host": ")", host, "\"")),
                testing::EndsWith("choose \"planetscale\"."));
  }
}

}  // namespace
}  // namespace source_vitess::config
