// What the documents show as an example is accepted by the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "config/deployment.h"
#include "config/json_document.h"
#include "config/options.h"
#include "fivetran/form.h"
#include "fivetran/state.h"
#include "sync/table_position.h"
#include "tests/docs_file.h"

namespace source_vitess::docs {
namespace {

// The first block of JSON in a document, or the last one.
std::string Json(const std::string& path, bool last) {
  const std::string text = ReadFile(path);
  const std::string fence = "```json\n";
  const size_t begin = last ? text.rfind(fence) : text.find(fence);
  if (begin == std::string::npos) return "";
  const size_t from = begin + fence.size();
  return text.substr(from, text.find("```", from) - from);
}

std::string Compact(const rapidjson::Value& value) {
  rapidjson::StringBuffer text;
  rapidjson::Writer<rapidjson::StringBuffer> writer(text);
  value.Accept(writer);
  return text.GetString();
}

std::string FirstJson(const std::string& path) { return Json(path, /*last=*/false); }

TEST(ExamplesTest, ConfigurationOfTheReadmeIsValid) {
  const auto options = config::ParseOptions(FirstJson("README.md"));

  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_THAT(options->keyspaces, testing::ElementsAre("commerce"));
}

// Airbyte's "config.json" as it is, for each way to run Vitess.
config::Options OptionsOf(const std::string& path) {
  const std::string text = ReadFile(path);
  EXPECT_THAT(text, testing::Not(testing::IsEmpty())) << path;
  const auto options = config::ParseOptions(text);
  EXPECT_TRUE(options.ok()) << path << ": " << options.status();
  return options.value_or(config::Options());
}

TEST(ExamplesTest, ConfigurationsOfEveryDeploymentAreValid) {
  const config::Options vtgate = OptionsOf("examples/vtgate.json");
  EXPECT_EQ(vtgate.channel.port, 15991);
  EXPECT_TRUE(vtgate.channel.tls.has_value());
  const config::Options vitess_operator = OptionsOf("examples/vitess-operator.json");
  EXPECT_EQ(vitess_operator.channel.port, 15999);
  const config::Options planetscale = OptionsOf("examples/planetscale.json");
  EXPECT_EQ(planetscale.channel.port, 443);
  EXPECT_TRUE(planetscale.channel.tls.has_value());
  EXPECT_TRUE(config::ParseOptions(FirstJson("docs/planetscale-hosted.md")).ok());
}

TEST(ExamplesTest, PagesOfDeploymentsTellWhatTheySettle) {
  for (const auto& [name, page] : {std::pair<std::string, std::string>{"vtgate", "vtgate.md"},
                                   {"vitess_operator", "vitess-operator.md"},
                                   {"planetscale", "planetscale-hosted.md"}}) {
    const config::Deployment& deployment = config::DeploymentOf(name);
    const std::string text = ReadFile("docs/" + page);
    EXPECT_THAT(text, testing::HasSubstr("\n| `port` | " + std::to_string(deployment.port)));
    EXPECT_THAT(text,
                testing::HasSubstr(deployment.tls ? "\n| `encryption.mode` (`auto`) | TLS"
                                                  : "\n| `encryption.mode` (`auto`) | plain"));
    EXPECT_THAT(text, testing::HasSubstr(std::string(deployment.cells)));
  }
}

TEST(ExamplesTest, ConfigurationsHoldNoPasswordOfAnybody) {
  int passwords = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(SOURCE_VITESS_ROOT) + "/examples")) {
    if (entry.path().extension() != ".json") continue;
    const auto config = config::ParseJson(ReadFile("examples/" + entry.path().filename().string()));
    ASSERT_TRUE(config.ok()) << entry.path();
    const auto* authentication = config::FindMember(*config, "authentication");
    if (authentication == nullptr) continue;
    const auto* password = config::FindMember(*authentication, "password");
    ASSERT_NE(password, nullptr) << entry.path();
    EXPECT_STREQ(password->GetString(), "REPLACE-ME") << entry.path();
    ++passwords;
  }
  EXPECT_GE(passwords, 2);
}

// The bodies of calls to an API: what stands between quotes behind --data.
std::vector<std::string> Bodies(const std::string& text) {
  const std::string data = "--data '";
  std::vector<std::string> bodies;
  for (size_t at = text.find(data); at != std::string::npos; at = text.find(data, at)) {
    at += data.size();
    bodies.push_back(text.substr(at, text.find('\'', at) - at));
  }
  return bodies;
}

TEST(ExamplesTest, BodiesForAirbytesApiAreJsonAndTheirConfigurationIsValid) {
  int configurations = 0;
  const std::vector<std::string> bodies = Bodies(ReadFile("docs/getting-started.md"));
  EXPECT_THAT(bodies, testing::SizeIs(5));
  for (const std::string& body : bodies) {
    const auto json = config::ParseJson(body);
    ASSERT_TRUE(json.ok()) << json.status() << body;
    const auto* configuration = config::FindMember(*json, "configuration");
    if (configuration == nullptr) continue;
    const auto options = config::ParseOptions(Compact(*configuration));
    EXPECT_TRUE(options.ok()) << options.status();
    ++configurations;
  }
  EXPECT_EQ(configurations, 1);
}

TEST(ExamplesTest, ConfigurationsOfGettingStartedAndOfScalingOutAreValid) {
  EXPECT_TRUE(config::ParseOptions(FirstJson("docs/getting-started.md")).ok());
  const auto low = config::ParseOptions(FirstJson("docs/scaling-out.md"));
  const auto high = config::ParseOptions(Json("docs/scaling-out.md", /*last=*/true));
  ASSERT_TRUE(low.ok()) << low.status();
  ASSERT_TRUE(high.ok()) << high.status();
  EXPECT_THAT(low->shards, testing::ElementsAre("-40", "40-80"));
  EXPECT_THAT(high->shards, testing::ElementsAre("80-c0", "c0-"));
}

TEST(ExamplesTest, StateIsOneThatCanBeResumed) {
  const auto position = sync::ParseTablePosition(FirstJson("docs/state.md"));

  ASSERT_TRUE(position.ok()) << position.status();
  const binlogdata::ShardGtid* copied = position->FindShard("-80");
  const binlogdata::ShardGtid* copying = position->FindShard("80-");
  ASSERT_NE(copied, nullptr);
  ASSERT_NE(copying, nullptr);
  EXPECT_TRUE(copied->table_p_ks().empty());
  ASSERT_EQ(copying->table_p_ks_size(), 1);
  EXPECT_EQ(copying->table_p_ks(0).lastpk().rows(0).values(), "421007");
  EXPECT_THAT(position->since, testing::ElementsAre(testing::Key("80-")));
  EXPECT_EQ(position->columns.at("-80")->size(), 3u);
  EXPECT_EQ(position->columns.at("80-")->size(), 3u);
  EXPECT_NE(position->cursor, 0u);
}

TEST(ExamplesTest, ConfigurationForFivetranIsValid) {
  const auto json = config::ParseJson(FirstJson("docs/fivetran.md"));
  ASSERT_TRUE(json.ok()) << json.status();
  google::protobuf::Map<std::string, std::string> values;
  for (const auto& [name, value] : json->GetObject()) values[name.GetString()] = value.GetString();

  const auto options = fivetran::ParseConfiguration(values);

  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_THAT(options->keyspaces, testing::ElementsAre("commerce", "customer"));
}

TEST(ExamplesTest, StateOfFivetranIsOneThatCanBeResumed) {
  const auto state = fivetran::InputState::Parse(Json("docs/state.md", /*last=*/true));

  ASSERT_TRUE(state.ok()) << state.status();
  const auto table = state->Find("commerce", "orders");
  ASSERT_TRUE(table.ok()) << table.status();
  ASSERT_NE(*table, nullptr);
  EXPECT_TRUE((*table)->position.IsCopied());
  EXPECT_THAT((*table)->key, testing::Optional(testing::ElementsAre("id")));
}

}  // namespace
}  // namespace source_vitess::docs
