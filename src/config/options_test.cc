#include "config/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "text/absl_view.h"
#include "vitess/errors.h"

namespace source_vitess::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kMinimal[] = R"({"host": "vtgate", "keyspaces": ["commerce"]})";

// A configuration with what is necessary and `members` besides.
std::string With(std::string_view members) {
  return absl::StrCat(R"({"host": "vtgate", "keyspaces": ["commerce"], )", text::AbslView(members),
                      "}");
}

Options ParsedOptions(std::string_view json) {
  absl::StatusOr<Options> options = ParseOptions(json);
  EXPECT_TRUE(options.ok()) << options.status();
  return options.value_or(Options());
}

std::string ErrorOf(std::string_view json) {
  const absl::Status status = ParseOptions(json).status();
  EXPECT_FALSE(status.ok()) << json;
  if (status.ok()) return "";
  EXPECT_EQ(vitess::Classify(status), vitess::ErrorClass::kConfiguration);
  return std::string(status.message());
}

TEST(ParseOptionsTest, TakesDefaultsFromTheSpecification) {
  const Options options = ParsedOptions(kMinimal);

  EXPECT_EQ(options.channel.host, "vtgate");
  EXPECT_EQ(options.channel.port, 15991);
  EXPECT_EQ(options.channel.max_receive_bytes, 256 << 20);
  EXPECT_FALSE(options.channel.tls.has_value());
  EXPECT_FALSE(options.channel.credentials.has_value());
  EXPECT_THAT(options.keyspaces, ElementsAre("commerce"));
  EXPECT_THAT(options.include_tables, IsEmpty());
  EXPECT_THAT(options.exclude_tables, IsEmpty());
  EXPECT_THAT(options.shards, IsEmpty());
  EXPECT_EQ(options.tablet_type, topodata::PRIMARY);
  EXPECT_EQ(options.cells, "");
  EXPECT_EQ(options.checkpoint_interval, 100'000u);
  EXPECT_EQ(options.parallel_copies, 4);
  EXPECT_EQ(options.shards_per_stream, 16);
  EXPECT_EQ(options.lost_position, LostPosition::kFail);
  EXPECT_EQ(options.truncate, Truncate::kFail);
  EXPECT_EQ(options.retry_budget, absl::Minutes(10));
  EXPECT_EQ(options.stall_timeout, absl::Minutes(5));
  EXPECT_FALSE(options.types.tinyint1_as_boolean);
  EXPECT_TRUE(options.types.bit1_as_boolean);
  EXPECT_EQ(options.types.zero_dates, mysql::ZeroDates::kNull);
  EXPECT_EQ(options.types.geometry, mysql::GeometryFormat::kGeoJson);
  EXPECT_EQ(options.types.times, mysql::TimeFormat::kTimeOfDay);
}

TEST(ParseOptionsTest, ReadsEveryOption) {
  const Options options = ParsedOptions(R"({
    "deployment": "vtgate", "host": "10.0.0.17", "port": 443, "max_message_mb": 64,
    "authentication": {"method": "password", "username": "reader", "password": "s3cret"},
    "encryption": {"mode": "tls", "ca_certificate": "CA", "server_name": "vtgate.internal",
                   "client_certificate": "CERT", "client_key": "KEY"},
    "keyspaces": ["commerce", "customer", "commerce"],
    "tables": {"include": ["orders"], "exclude": ["*_old"]},
    "tablet_type": "rdonly", "cells": ["zone1", "zone2"], "shards": ["-80"],
    "tinyint1_as_boolean": true, "bit1_as_boolean": false, "zero_dates": "text",
    "geometry_format": "wkb_hex", "time_format": "text", "lost_position": "copy_again", "truncate": "ignore", "checkpoint_interval": 10,
    "parallel_copies": 2, "shards_per_stream": 3, "retry_budget_seconds": 0,
    "stall_timeout_seconds": 10})");

  EXPECT_EQ(options.channel.host, "10.0.0.17");
  EXPECT_EQ(options.channel.port, 443);
  EXPECT_EQ(options.channel.max_receive_bytes, 64 << 20);
  ASSERT_TRUE(options.channel.credentials.has_value());
  EXPECT_EQ(options.channel.credentials->username, "reader");
  EXPECT_EQ(options.channel.credentials->password, "s3cret");
  EXPECT_EQ(options.channel.credentials->scheme, vitess::Credentials::Scheme::kVitess);
  ASSERT_TRUE(options.channel.tls.has_value());
  EXPECT_EQ(options.channel.tls->ca_certificate, "CA");
  EXPECT_EQ(options.channel.tls->server_name, "vtgate.internal");
  EXPECT_EQ(options.channel.tls->client_certificate, "CERT");
  EXPECT_EQ(options.channel.tls->client_key, "KEY");
  EXPECT_THAT(options.keyspaces, ElementsAre("commerce", "customer"));
  EXPECT_THAT(options.include_tables, ElementsAre("orders"));
  EXPECT_THAT(options.exclude_tables, ElementsAre("*_old"));
  EXPECT_EQ(options.tablet_type, topodata::RDONLY);
  EXPECT_EQ(options.cells, "zone1,zone2");
  EXPECT_THAT(options.shards, ElementsAre("-80"));
  EXPECT_TRUE(options.types.tinyint1_as_boolean);
  EXPECT_FALSE(options.types.bit1_as_boolean);
  EXPECT_EQ(options.types.zero_dates, mysql::ZeroDates::kText);
  EXPECT_EQ(options.types.geometry, mysql::GeometryFormat::kWkbHex);
  EXPECT_EQ(options.types.times, mysql::TimeFormat::kText);
  EXPECT_EQ(options.lost_position, LostPosition::kCopyAgain);
  EXPECT_EQ(options.truncate, Truncate::kIgnore);
  EXPECT_EQ(options.checkpoint_interval, 10u);
  EXPECT_EQ(options.parallel_copies, 2);
  EXPECT_EQ(options.shards_per_stream, 3);
  EXPECT_EQ(options.retry_budget, absl::ZeroDuration());
  EXPECT_EQ(options.stall_timeout, absl::Seconds(10));
}

TEST(ParseOptionsTest, PassesOverOptionsThatItDoesNotKnow) {
  const Options options =
      ParsedOptions(With(R"("colour": "blue", "tables": {"deep": {"er": [1]}})"));

  EXPECT_THAT(options.keyspaces, ElementsAre("commerce"));
}

TEST(ParseOptionsTest, TakesAnExplicitNullForNothing) {
  const Options options = ParsedOptions(
      With(R"("port": null, "shards": null, "authentication": null, "tables": {"include": null},
              "encryption": {"mode": "tls", "client_key": null})"));

  EXPECT_EQ(options.channel.port, 15991);
  EXPECT_THAT(options.include_tables, IsEmpty());
  ASSERT_TRUE(options.channel.tls.has_value());
  EXPECT_EQ(options.channel.tls->client_key, "");
}

TEST(ParseOptionsTest, SaysWhereTheTextIsNotJson) {
  EXPECT_THAT(ErrorOf("{\n  \"host\": \"a\",\n  \"port\" 1\n}"),
              AllOf(HasSubstr("not valid JSON"), HasSubstr("line 3, column 10")));
  EXPECT_THAT(ErrorOf(""), HasSubstr("line 1, column 1"));
}

TEST(ParseOptionsTest, RepeatsNothingOfATextThatIsNotJson) {
  EXPECT_THAT(ErrorOf(R"({"password": "hunter2")"), Not(HasSubstr("hunter2")));
}

TEST(ParseOptionsTest, WantsAnObject) {
  EXPECT_EQ(ErrorOf("[]"), "The configuration wants an object, and got an empty array.");
}

TEST(ParseOptionsTest, NamesAnOptionThatIsMissing) {
  EXPECT_EQ(ErrorOf(R"({"host": "vtgate"})"),
            "Option \"keyspaces\" is missing: it wants an array of at least 1 string.");
  EXPECT_EQ(ErrorOf(With(R"("authentication": {"method": "password", "username": "reader"})")),
            "Option \"authentication.password\" is missing: it wants a string.");
}

TEST(ParseOptionsTest, NamesAnOptionOfTheWrongType) {
  EXPECT_EQ(ErrorOf(With(R"("port": "15991")")),
            "Option \"port\" wants an integer from 1 to 65535, and got \"15991\".");
  EXPECT_EQ(ErrorOf(With(R"("tables": ["orders"])")),
            "Option \"tables\" wants an object, and got an array.");
  EXPECT_EQ(ErrorOf(With(R"("tables": {"include": "orders"})")),
            "Option \"tables.include\" wants an array of strings, and got \"orders\".");
  EXPECT_EQ(ErrorOf(With(R"("bit1_as_boolean": 1)")),
            "Option \"bit1_as_boolean\" wants true or false, and got 1.");
  EXPECT_EQ(ErrorOf(R"({"host": "vtgate", "keyspaces": ["commerce", 2]})"),
            "Option \"keyspaces[1]\" wants a string that is not empty, and got 2.");
}

TEST(ParseOptionsTest, NamesAnOptionOutOfItsRange) {
  EXPECT_EQ(ErrorOf(With(R"("port": 65536)")),
            "Option \"port\" wants an integer from 1 to 65535, and got 65536.");
  EXPECT_EQ(ErrorOf(R"({"host": "vtgate", "keyspaces": []})"),
            "Option \"keyspaces\" wants an array of at least 1 string, and got an empty array.");
  EXPECT_EQ(
      ErrorOf(R"({"host": "grpc://vtgate", "keyspaces": ["commerce"]})"),
      "Option \"host\" wants a name or an address without a scheme, and got \"grpc://vtgate\".");
}

TEST(ParseOptionsTest, NamesTheValuesThatAnOptionCanHave) {
  EXPECT_EQ(ErrorOf(With(R"("tablet_type": "master")")),
            "Option \"tablet_type\" wants one of \"primary\", \"replica\", \"rdonly\", and got "
            "\"master\".");
  EXPECT_EQ(ErrorOf(With(R"("encryption": {"mode": "ssl"})")),
            "Option \"encryption.mode\" wants one of \"auto\", \"plaintext\", \"tls\", and got "
            "\"ssl\".");
  EXPECT_EQ(ErrorOf(With(R"("encryption": {})")),
            "Option \"encryption.mode\" is missing: it wants one of \"auto\", \"plaintext\", "
            "\"tls\".");
}

TEST(ParseOptionsTest, NeverShowsASecret) {
  EXPECT_EQ(ErrorOf(With(R"("authentication": {"method": "password", "username": "reader",
                                               "password": 5577006791})")),
            "Option \"authentication.password\" wants a string, and got something else.");
  EXPECT_EQ(ErrorOf(With(R"("encryption": {"mode": "tls", "client_key": ["MIIE"]})")),
            "Option \"encryption.client_key\" wants a string, and got an array.");
}

TEST(ParseOptionsTest, WantsAKeyWithAClientCertificate) {
  EXPECT_THAT(ErrorOf(With(R"("encryption": {"mode": "tls", "client_certificate": "MIIE"})")),
              AllOf(HasSubstr("\"encryption.client_key\" is missing"), Not(HasSubstr("MIIE"))));
  EXPECT_THAT(
      ErrorOf(With(R"("encryption": {"mode": "tls", "client_key": "MIIE"})")),
      AllOf(HasSubstr("\"encryption.client_certificate\" is missing"), Not(HasSubstr("MIIE"))));
}

TEST(OptionsTest, WantsEveryTableWithoutPatterns) {
  EXPECT_TRUE(Options().WantsTable("commerce", "orders"));
}

TEST(OptionsTest, ComparesPatternsWithTheNameOfTheTable) {
  Options options;
  options.include_tables = {"ord*", "a?c"};

  EXPECT_TRUE(options.WantsTable("commerce", "orders"));
  EXPECT_TRUE(options.WantsTable("commerce", "abc"));
  EXPECT_FALSE(options.WantsTable("commerce", "ac"));
  EXPECT_FALSE(options.WantsTable("orders", "customers"));
  EXPECT_FALSE(options.WantsTable("commerce", "reorders"));
}

TEST(OptionsTest, ComparesPatternsWithADotWithKeyspaceAndTable) {
  Options options;
  options.include_tables = {"customer.*"};

  EXPECT_TRUE(options.WantsTable("customer", "orders"));
  EXPECT_FALSE(options.WantsTable("commerce", "orders"));
}

TEST(OptionsTest, LetsExcludedTablesWin) {
  Options options;
  options.include_tables = {"*"};
  options.exclude_tables = {"*_old", "commerce.tmp*"};

  EXPECT_TRUE(options.WantsTable("commerce", "orders"));
  EXPECT_FALSE(options.WantsTable("commerce", "orders_old"));
  EXPECT_FALSE(options.WantsTable("commerce", "tmp1"));
  EXPECT_TRUE(options.WantsTable("customer", "tmp1"));
}

TEST(OptionsTest, MatchesSeveralStarsInAPattern) {
  Options options;
  options.include_tables = {"*a*b*"};

  EXPECT_TRUE(options.WantsTable("k", "xaybz"));
  EXPECT_TRUE(options.WantsTable("k", "aab"));
  EXPECT_FALSE(options.WantsTable("k", "ba"));
}

}  // namespace
}  // namespace source_vitess::config
