#include "fivetran/form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <map>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "config/specification.h"
#include "vitess/errors.h"

namespace source_vitess::fivetran {
namespace {

namespace sdk = fivetran_sdk::v2;
using rapidjson::Value;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Configuration = google::protobuf::Map<std::string, std::string>;

constexpr char kPem[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

// The fields of the form with those of its groups, which are left out themselves.
std::vector<sdk::FormField> AllFields() {
  std::vector<sdk::FormField> fields;
  const sdk::ConfigurationFormResponse form = MakeForm();
  for (const sdk::FormField& field : form.fields()) {
    if (!field.has_conditional_fields()) {
      fields.push_back(field);
      continue;
    }
    const auto& group = field.conditional_fields().fields();
    fields.insert(fields.end(), group.begin(), group.end());
  }
  return fields;
}

sdk::FormField Field(const std::string& name) {
  for (const sdk::FormField& field : AllFields()) {
    if (field.name() == name) return field;
  }
  ADD_FAILURE() << "no field " << name;
  return {};
}

Configuration Minimal() {
  Configuration configuration;
  configuration["host"] = "vtgate";
  configuration["keyspaces"] = "shop";
  return configuration;
}

// The smallest configuration with other values.
Configuration MinimalAnd(const std::map<std::string, std::string>& values) {
  Configuration configuration = Minimal();
  for (const auto& [name, value] : values) configuration[name] = value;
  return configuration;
}

std::string FailureOf(const std::map<std::string, std::string>& values) {
  const auto options = ParseConfiguration(MinimalAnd(values));
  EXPECT_FALSE(options.ok());
  if (options.ok()) return "";
  EXPECT_EQ(vitess::Classify(options.status()), vitess::ErrorClass::kConfiguration);
  return std::string(options.status().message());
}

TEST(FormTest, NamesNothingTwice) {
  std::set<std::string> names;
  for (const sdk::FormField& field : AllFields()) {
    EXPECT_TRUE(names.insert(field.name()).second) << field.name();
  }
  const sdk::ConfigurationFormResponse form = MakeForm();
  for (const sdk::FormField& group : form.fields()) {
    if (!group.has_conditional_fields()) continue;
    EXPECT_TRUE(names.insert(group.name()).second) << group.name();
  }
}

TEST(FormTest, HasEveryOptionOfTheSpecificationButThoseThatDoNotApply) {
  std::set<std::string> names;
  for (const sdk::FormField& field : AllFields()) names.insert(field.name());
  std::set<std::string> missing;
  size_t expected = 0;
  const auto expect = [&](const std::string& name) {
    ++expected;
    if (names.count(name) == 0) missing.insert(name);
  };
  for (const auto& [key, option] : config::ConnectionSchema()["properties"].GetObject()) {
    const std::string name = key.GetString();
    if (option.HasMember("oneOf")) {
      const std::string discriminator = option["default"].MemberBegin()->name.GetString();
      expect(absl::StrCat(name, "_", discriminator));
      for (const Value& branch : option["oneOf"].GetArray()) {
        for (const auto& [member, schema] : branch["properties"].GetObject()) {
          if (member.GetString() != discriminator) expect(member.GetString());
        }
      }
    } else if (option.HasMember("properties")) {
      for (const auto& [member, schema] : option["properties"].GetObject()) {
        expect(absl::StrCat(name, "_", member.GetString()));
      }
    } else {
      expect(name);
    }
  }
  EXPECT_THAT(missing, ElementsAre("time_format", "truncate"));
  EXPECT_EQ(names.size(), expected - missing.size());
}

TEST(FormTest, RequiresOffersAndPresetsWhatTheSpecificationDoes) {
  const Value& schema = config::ConnectionSchema();
  for (const auto& [key, option] : schema["properties"].GetObject()) {
    const std::string name = key.GetString();
    if (name == "truncate" || name == "time_format") continue;
    if (option.HasMember("oneOf") || option.HasMember("properties")) continue;
    SCOPED_TRACE(name);
    const sdk::FormField field = Field(name);
    EXPECT_EQ(field.label(), option["title"].GetString());
    EXPECT_EQ(field.required(), name == "host" || name == "keyspaces");
    EXPECT_EQ(field.has_toggle_field(), std::string(option["type"].GetString()) == "boolean");
    ASSERT_EQ(field.has_dropdown_field(), option.HasMember("enum"));
    if (option.HasMember("enum")) {
      ASSERT_EQ(field.dropdown_field().dropdown_field_size(),
                static_cast<int>(option["enum"].Size()));
      for (int i = 0; i < field.dropdown_field().dropdown_field_size(); ++i) {
        EXPECT_EQ(field.dropdown_field().dropdown_field(i), option["enum"][i].GetString());
      }
    }
    if (!option.HasMember("default") || name == "lost_position") continue;
    const Value& value = option["default"];
    std::string text;
    if (value.IsString()) text = value.GetString();
    if (value.IsInt()) text = absl::StrCat(value.GetInt());
    if (value.IsBool()) text = value.GetBool() ? "true" : "false";
    EXPECT_EQ(field.default_value(), text);
  }
}

TEST(FormTest, CopiesATableAgainWhosePositionIsLostUnlessToldOtherwise) {
  EXPECT_EQ(Field("lost_position").default_value(), "copy_again");
  const auto preset = ParseConfiguration(Minimal());
  ASSERT_TRUE(preset.ok()) << preset.status();
  EXPECT_EQ(preset->lost_position, config::LostPosition::kCopyAgain);
  Configuration configuration = Minimal();
  configuration["lost_position"] = "fail";
  const auto told = ParseConfiguration(configuration);
  ASSERT_TRUE(told.ok()) << told.status();
  EXPECT_EQ(told->lost_position, config::LostPosition::kFail);
}

TEST(FormTest, ShowsTheOptionsOfAnAnswerOnlyWithIt) {
  std::map<std::string, std::vector<std::string>> shown;
  const sdk::ConfigurationFormResponse form = MakeForm();
  for (const sdk::FormField& field : form.fields()) {
    if (!field.has_conditional_fields()) continue;
    const sdk::VisibilityCondition& condition = field.conditional_fields().condition();
    auto& names = shown[absl::StrCat(condition.condition_field(), "=", condition.string_value())];
    for (const sdk::FormField& inner : field.conditional_fields().fields()) {
      names.push_back(inner.name());
    }
  }
  EXPECT_EQ(shown.size(), 2U);
  EXPECT_THAT(shown["authentication_method=password"], ElementsAre("username", "password"));
  EXPECT_THAT(shown["encryption_mode=tls"],
              ElementsAre("ca_certificate", "server_name", "client_certificate", "client_key"));
  EXPECT_THAT(Field("authentication_method").dropdown_field().dropdown_field(),
              ElementsAre("none", "password"));
  EXPECT_EQ(Field("encryption_mode").default_value(), "auto");
}

TEST(FormTest, HidesSecretsAndTakesFilesWhereTextsHaveLines) {
  EXPECT_EQ(Field("password").text_field(), sdk::Password);
  EXPECT_TRUE(Field("password").required());
  EXPECT_EQ(Field("username").text_field(), sdk::PlainText);
  for (const char* name : {"ca_certificate", "client_certificate", "client_key"}) {
    EXPECT_THAT(Field(name).upload_field().allowed_file_type(),
                ElementsAre(".pem", ".crt", ".cer", ".key"));
  }
}

TEST(FormTest, DescribesEveryFieldWithoutTags) {
  for (const sdk::FormField& field : AllFields()) {
    EXPECT_NE(field.label(), "") << field.name();
    EXPECT_NE(field.description(), "") << field.name();
    EXPECT_THAT(field.description(), Not(testing::ContainsRegex("</?[a-z]"))) << field.name();
  }
}

TEST(FormTest, SpeaksOfNothingThatIsAnotherHosts) {
  for (const sdk::FormField& field : AllFields()) {
    const std::string text = absl::AsciiStrToLower(field.description());
    for (const char* word : {"airbyte", "namespace", "metadata", "its states", "of a stream"}) {
      EXPECT_THAT(text, Not(HasSubstr(word))) << field.name();
    }
  }
}

TEST(FormTest, OffersItsTestsAndTheChoiceOfTables) {
  const sdk::ConfigurationFormResponse form = MakeForm();
  EXPECT_TRUE(form.schema_selection_supported());
  EXPECT_TRUE(form.table_selection_supported());
  std::vector<std::string> names;
  for (const sdk::ConfigurationTest& test : form.tests()) names.push_back(test.name());
  EXPECT_THAT(names,
              ElementsAre("connection", "credentials", "keyspaces_and_tables", "binary_logs"));
}

TEST(FormConfigurationTest, IsReadFieldByField) {
  Configuration configuration = Minimal();
  for (const sdk::FormField& field : AllFields()) configuration[field.name()];
  configuration["deployment"] = "vtgate";
  configuration["port"] = " 443 ";
  configuration["authentication_method"] = "password";
  configuration["username"] = "fivetran";
  configuration["password"] = " with blanks ";
  configuration["encryption_mode"] = "tls";
  configuration["ca_certificate"] = absl::Base64Escape(kPem);
  configuration["client_certificate"] = kPem;
  configuration["client_key"] = kPem;
  configuration["server_name"] = "vtgate.internal";
  configuration["max_message_mb"] = "64";
  configuration["keyspaces"] = " shop , customer,";
  configuration["tables_include"] = "orders, customer.*";
  configuration["tables_exclude"] = "*_backup";
  configuration["tablet_type"] = "replica";
  configuration["cells"] = "zone1,zone2";
  configuration["shards"] = "-80,80-";
  configuration["tinyint1_as_boolean"] = "True";
  configuration["bit1_as_boolean"] = "false";
  configuration["zero_dates"] = "text";
  configuration["geometry_format"] = "wkb_hex";
  configuration["lost_position"] = "fail";
  configuration["checkpoint_interval"] = "7";
  configuration["parallel_copies"] = "8";
  configuration["shards_per_stream"] = "9";
  configuration["retry_budget_seconds"] = "10";
  configuration["stall_timeout_seconds"] = "11";
  for (const auto& [name, value] : configuration) {
    EXPECT_NE(value, "") << name << " is not tested here";
  }
  const auto options = ParseConfiguration(configuration);
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->channel.host, "vtgate");
  EXPECT_EQ(options->channel.port, 443);
  ASSERT_TRUE(options->channel.credentials.has_value());
  EXPECT_EQ(options->channel.credentials->username, "fivetran");
  EXPECT_EQ(options->channel.credentials->password, " with blanks ");
  ASSERT_TRUE(options->channel.tls.has_value());
  EXPECT_EQ(options->channel.tls->server_name, "vtgate.internal");
  EXPECT_EQ(options->channel.tls->ca_certificate, kPem);
  EXPECT_EQ(options->channel.tls->client_certificate, kPem);
  EXPECT_EQ(options->channel.tls->client_key, kPem);
  EXPECT_EQ(options->channel.max_receive_bytes, int64_t{64} << 20);
  EXPECT_THAT(options->keyspaces, ElementsAre("shop", "customer"));
  EXPECT_THAT(options->include_tables, ElementsAre("orders", "customer.*"));
  EXPECT_THAT(options->exclude_tables, ElementsAre("*_backup"));
  EXPECT_EQ(options->tablet_type, topodata::REPLICA);
  EXPECT_EQ(options->cells, "zone1,zone2");
  EXPECT_THAT(options->shards, ElementsAre("-80", "80-"));
  EXPECT_TRUE(options->types.tinyint1_as_boolean);
  EXPECT_FALSE(options->types.bit1_as_boolean);
  EXPECT_EQ(options->types.zero_dates, mysql::ZeroDates::kText);
  EXPECT_EQ(options->types.geometry, mysql::GeometryFormat::kWkbHex);
  EXPECT_EQ(options->types.times, mysql::TimeFormat::kText);
  EXPECT_EQ(options->lost_position, config::LostPosition::kFail);
  EXPECT_EQ(options->checkpoint_interval, 7U);
  EXPECT_EQ(options->parallel_copies, 8);
  EXPECT_EQ(options->shards_per_stream, 9);
  EXPECT_EQ(options->retry_budget, absl::Seconds(10));
  EXPECT_EQ(options->stall_timeout, absl::Seconds(11));
}

TEST(FormConfigurationTest, TakesEmptyValuesAsNoneAndPassesOverWhatTheFormDoesNotHave) {
  Configuration configuration = Minimal();
  for (const sdk::FormField& field : AllFields()) configuration[field.name()];
  configuration["of_a_later_version"] = "x";
  configuration["truncate"] = "neither";
  const auto options = ParseConfiguration(configuration);
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->channel.port, 15991);
  EXPECT_FALSE(options->channel.tls.has_value());
  EXPECT_FALSE(options->channel.credentials.has_value());
  EXPECT_TRUE(options->types.bit1_as_boolean);
  EXPECT_THAT(options->shards, IsEmpty());
}

TEST(FormConfigurationTest, NeedsNothingButCredentialsForPlanetScale) {
  Configuration configuration;
  for (const sdk::FormField& field : AllFields()) {
    configuration[field.name()] = field.default_value();
  }
  configuration["deployment"] = "planetscale";
  configuration["host"] = "aws.connect.psdb.cloud";
  configuration["keyspaces"] = "shop";
  configuration["authentication_method"] = "password";
  configuration["username"] = "u7";
  configuration["password"] = "pscale_pw_x";
  const auto options = ParseConfiguration(configuration);
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->channel.port, 443);
  EXPECT_TRUE(options->channel.tls.has_value());
  EXPECT_EQ(options->channel.credentials->scheme, vitess::Credentials::Scheme::kBasic);
}

TEST(FormConfigurationTest, PassesOverTheFieldsOfAnAnswerThatIsNotChosen) {
  Configuration configuration = Minimal();
  configuration["ca_certificate"] = "no Base64!";
  configuration["username"] = "left over";
  const auto options = ParseConfiguration(configuration);
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_FALSE(options->channel.tls.has_value());
  EXPECT_FALSE(options->channel.credentials.has_value());
}

TEST(FormConfigurationTest, TakesBooleansAsPeopleAndProgramsWriteThem) {
  for (const char* yes : {"true", "TRUE", "True", "1", "yes", " true "}) {
    const auto options = ParseConfiguration(MinimalAnd({{"tinyint1_as_boolean", yes}}));
    ASSERT_TRUE(options.ok()) << yes << options.status();
    EXPECT_TRUE(options->types.tinyint1_as_boolean) << yes;
  }
  for (const char* no : {"false", "FALSE", "0", "no"}) {
    const auto options = ParseConfiguration(MinimalAnd({{"bit1_as_boolean", no}}));
    ASSERT_TRUE(options.ok()) << no << options.status();
    EXPECT_FALSE(options->types.bit1_as_boolean) << no;
  }
}

struct BadValue {
  const char* name;  // of the test
  std::map<std::string, std::string> values;
  std::vector<std::string> words;
};

void PrintTo(const BadValue& tested, std::ostream* out) { *out << tested.name; }

class FormFailureTest : public ::testing::TestWithParam<BadValue> {};

TEST_P(FormFailureTest, NamesTheFieldAsItIsLabeledAndNoSecret) {
  const std::string error = FailureOf(GetParam().values);

  for (const std::string& word : GetParam().words) EXPECT_THAT(error, HasSubstr(word));
  EXPECT_THAT(error, HasSubstr("Field \""));
  for (const char* hidden : {"s3cret", "Option", "_"}) EXPECT_THAT(error, Not(HasSubstr(hidden)));
}

INSTANTIATE_TEST_SUITE_P(
    Values, FormFailureTest,
    ::testing::Values(
        BadValue{"NoHost", {{"host", ""}}, {"\"Host\""}},
        BadValue{"NoKeyspaces", {{"keyspaces", " , "}}, {"\"Keyspaces\""}},
        BadValue{"HostWithAScheme", {{"host", "https://x"}}, {"\"Host\"", "scheme"}},
        BadValue{"PortThatIsNoNumber", {{"port", "abc"}}, {"\"gRPC Port\"", "whole number"}},
        BadValue{"PortThatIsTooHigh", {{"port", "65536"}}, {"\"gRPC Port\"", "65535"}},
        BadValue{"FlagThatIsNone", {{"bit1_as_boolean", "maybe"}}, {"\"BIT(1) as Boolean\""}},
        BadValue{"TabletTypeThatIsNone", {{"tablet_type", "master"}}, {"\"Tablet Type\""}},
        BadValue{"AnswerThatIsNone", {{"encryption_mode", "ssl"}}, {"\"Encryption\""}},
        BadValue{"PlanetScaleInPlaintext",
                 {{"deployment", "planetscale"},
                  {"encryption_mode", "plaintext"},
                  {"authentication_method", "password"},
                  {"username", "u"},
                  {"password", "s3cret"}},
                 {"\"Encryption\"", "field \"Deployment\""}},
        BadValue{"PasswordWithoutAUser",
                 {{"authentication_method", "password"}, {"password", "s3cret"}},
                 {"\"User Name\""}},
        BadValue{"UserWithoutAPassword",
                 {{"authentication_method", "password"}, {"username", "reader"}},
                 {"\"Password\""}},
        BadValue{"CertificateThatIsNoBase64",
                 {{"encryption_mode", "tls"}, {"ca_certificate", "s3cret!"}},
                 {"\"CA Certificate\"", "PEM"}},
        BadValue{"CertificateThatIsNoPem",
                 {{"encryption_mode", "tls"},
                  {"ca_certificate", absl::Base64Escape("\x30\x82s3cret\xff")}},
                 {"\"CA Certificate\"", "PEM"}},
        BadValue{"CertificateWithoutAKey",
                 {{"encryption_mode", "tls"}, {"client_certificate", kPem}},
                 {"\"Client Key\""}}),
    [](const ::testing::TestParamInfo<BadValue>& tested) {
      return std::string(tested.param.name);
    });

}  // namespace
}  // namespace source_vitess::fivetran
