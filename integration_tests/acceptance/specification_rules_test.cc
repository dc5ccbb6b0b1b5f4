// Rules about what `spec` prints (README.md, A). Those about the form's shape are in
// src/config/specification_test.cc.
#include <functional>
#include <random>
#include <regex>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "acceptance/json_lines.h"
#include "config/options.h"
#include "config/specification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "harness/connector.h"
#include "rapidjson/stringbuffer.h"
#include "rapidjson/writer.h"
#include "tests/docs_file.h"

namespace source_vitess::acceptance {
namespace {

using ::testing::SizeIs;

// The specification with which connections were made before this one, since when something was
// added to it.
rapidjson::Document EarlierSpec() {
  return Parsed(docs::ReadFile("integration_tests/acceptance/earlier_spec.json"));
}

// A2: test_match_expected.
TEST(SpecificationRulesTest, OneSpecIsPrintedWhichIsTheFile) {
  const auto connector = harness::Connector::Make(SOURCE_VITESS_PROGRAM, "{}");
  ASSERT_TRUE(connector.ok()) << connector.status();

  const auto run = (*connector)->Spec();

  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->exit.exit_code, 0);
  ASSERT_THAT(run->lines, SizeIs(1));
  const rapidjson::Document message = Parsed(run->lines[0]);
  EXPECT_EQ(message["spec"], Parsed(docs::ReadFile("spec/spec.json")));
}

// A11: what looks like the pattern of a date has the format of one. There is neither.
TEST(SpecificationRulesTest, NothingIsADateWithoutItsFormat) {
  const std::regex looks_like_a_date(R"(\[0-9\]\{4\}|\\d\{4\})");
  const std::function<void(const Json&)> visit = [&](const Json& value) {
    if (value.IsArray()) {
      for (const Json& element : value.GetArray()) visit(element);
    }
    if (!value.IsObject()) return;
    const Json* const pattern = Find(value, "pattern");
    const bool is_date = pattern != nullptr && pattern->IsString() &&
                         std::regex_search(pattern->GetString(), looks_like_a_date);
    const Json* const format = Find(value, "format");
    EXPECT_EQ(is_date, format != nullptr && format->IsString());
    for (const auto& member : value.GetObject()) visit(member.value);
  };
  visit(config::ConnectionSchema());
}

std::set<std::string> TextsOf(const Json* list) {
  std::set<std::string> texts;
  if (list == nullptr) return texts;
  for (const Json& text : list->GetArray()) texts.insert(text.GetString());
  return texts;
}

// The branch whose discriminator has the same constant as `branch` has.
const Json* SameBranch(const Json& branches, const Json& branch) {
  for (const auto& [name, property] : branch["properties"].GetObject()) {
    const Json* const constant = Find(property, "const");
    if (constant == nullptr) continue;
    for (const Json& other : branches.GetArray()) {
      const Json* const same = Find(other["properties"], name.GetString());
      if (same != nullptr && Find(*same, "const") != nullptr && (*same)["const"] == *constant) {
        return &other;
      }
    }
  }
  return nullptr;
}

// That everything which was valid by the `before` schema is so by the `now` one.
void ExpectNothingBroken(const Json& before, const Json& now, const std::string& path) {
  SCOPED_TRACE(path);
  ASSERT_TRUE(now.IsObject());
  if (Find(before, "type") != nullptr) {
    EXPECT_EQ(before["type"], now["type"]);
  }
  for (const std::string& required : TextsOf(Find(now, "required"))) {
    EXPECT_TRUE(TextsOf(Find(before, "required")).contains(required)) << required;
  }
  for (const std::string& choice : TextsOf(Find(before, "enum"))) {
    EXPECT_TRUE(TextsOf(Find(now, "enum")).contains(choice)) << choice;
  }
  for (const char* keyword : {"minimum", "maximum", "minItems", "minLength", "pattern"}) {
    const Json* const was = Find(before, keyword);
    const Json* const is = Find(now, keyword);
    EXPECT_TRUE(is == nullptr || (was != nullptr && *was == *is)) << keyword;
  }
  if (const Json* const branches = Find(before, "oneOf"); branches != nullptr) {
    for (const Json& branch : branches->GetArray()) {
      const Json* const same = SameBranch(now["oneOf"], branch);
      ASSERT_NE(same, nullptr) << branch["title"].GetString();
      ExpectNothingBroken(branch, *same, absl::StrCat(path, " ", branch["title"].GetString()));
    }
  }
  const Json* const properties = Find(before, "properties");
  if (properties == nullptr) return;
  for (const auto& [name, property] : properties->GetObject()) {
    const Json* const same = Find(now["properties"], name.GetString());
    ASSERT_NE(same, nullptr) << name.GetString();
    ExpectNothingBroken(property, *same, absl::StrCat(path, ".", name.GetString()));
  }
}

// A18: test_backward_compatibility, its comparison of the two specifications.
TEST(SpecificationRulesTest, NothingIsTakenAwayFromTheSpecificationBefore) {
  ExpectNothingBroken(EarlierSpec()["connectionSpecification"], config::ConnectionSchema(), "");
}

// Writes configurations that are valid by a schema.
class Generator {
 public:
  using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

  std::string Configuration(const Json& schema) {
    rapidjson::StringBuffer buffer;
    Writer writer(buffer);
    Write(schema, writer);
    return buffer.GetString();
  }

 private:
  size_t Any(size_t count) { return std::uniform_int_distribution<size_t>(0, count - 1)(random_); }

  void Write(const Json& schema, Writer& writer) {
    if (const Json* const branches = Find(schema, "oneOf"); branches != nullptr) {
      const auto branch = static_cast<rapidjson::SizeType>(Any(branches->Size()));
      return WriteObject((*branches)[branch], writer);
    }
    const std::string type = schema["type"].GetString();
    if (const Json* const choices = Find(schema, "enum"); choices != nullptr) {
      writer.String((*choices)[static_cast<rapidjson::SizeType>(Any(choices->Size()))].GetString());
    } else if (type == "object") {
      WriteObject(schema, writer);
    } else if (type == "array") {
      writer.StartArray();
      for (size_t i = Any(3) + 1; i > 0; --i) Write(schema["items"], writer);
      writer.EndArray();
    } else if (type == "integer") {
      const int64_t least = schema["minimum"].GetInt64();
      const int64_t most = schema["maximum"].GetInt64();
      writer.Int64(std::uniform_int_distribution<int64_t>(least, most)(random_));
    } else if (type == "boolean") {
      writer.Bool(Any(2) == 0);
    } else {
      writer.String(absl::StrCat("text", Any(100)).c_str());
    }
  }

  void WriteObject(const Json& schema, Writer& writer) {
    writer.StartObject();
    const std::set<std::string> required = TextsOf(Find(schema, "required"));
    for (const auto& [name, property] : schema["properties"].GetObject()) {
      // Of a certificate and its key, one without the other is refused by more than the schema.
      const bool goes_with_another = std::string(name.GetString()).starts_with("client_");
      if (goes_with_another || (!required.contains(name.GetString()) && Any(2) == 0)) continue;
      writer.Key(name.GetString());
      Write(property, writer);
    }
    writer.EndObject();
  }

  std::mt19937 random_{20240101};
};

// A18: a hundred configurations of the specification before.
TEST(SpecificationRulesTest, ConfigurationsOfTheSpecificationBeforeAreTaken) {
  const rapidjson::Document earlier = EarlierSpec();
  Generator generator;
  for (int i = 0; i < 100; ++i) {
    const std::string config = generator.Configuration(earlier["connectionSpecification"]);

    const auto options = config::ParseOptions(config);

    EXPECT_TRUE(options.ok()) << options.status() << " for " << config;
  }
}

// A18: what is left out means what it did.
TEST(SpecificationRulesTest, AConfigurationOfTheSpecificationBeforeMeansTheSame) {
  const auto options = config::ParseOptions(R"({"host": "vtgate", "keyspaces": ["commerce"]})");

  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->channel.port, 15991);
  EXPECT_FALSE(options->channel.tls.has_value());
  EXPECT_FALSE(options->channel.credentials.has_value());
  EXPECT_EQ(options->cells, "");
}

}  // namespace
}  // namespace source_vitess::acceptance
