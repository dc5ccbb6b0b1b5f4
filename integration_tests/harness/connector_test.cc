#include "harness/connector.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rapidjson/document.h"

namespace source_vitess::harness {
namespace {

using ::testing::_;
using ::testing::ElementsAre;
using ::testing::EndsWith;

constexpr char kCatalogMessage[] = R"({"type":"CATALOG","catalog":{"streams":[
  {"name":"t","namespace":"ks","supported_sync_modes":["full_refresh","incremental"],
   "default_cursor_field":["_ab_cdc_cursor"],"source_defined_primary_key":[["id"]],
   "json_schema":{"properties":{"id":{},"a":{},"b":{},"_ab_cdc_cursor":{}}}},
  {"name":"nokey","namespace":"ks","supported_sync_modes":["full_refresh"],
   "json_schema":{"properties":{"a":{}}}}]}})";

rapidjson::Document Parse(const std::string& json) {
  rapidjson::Document document;
  document.Parse(json.data(), json.size());
  EXPECT_FALSE(document.HasParseError()) << json;
  return document;
}

TEST(ConfigureCatalogTest, TakesEveryStreamInItsBestMode) {
  absl::StatusOr<std::string> catalog = ConfigureCatalog(kCatalogMessage);
  ASSERT_TRUE(catalog.ok()) << catalog.status();

  const rapidjson::Document parsed = Parse(*catalog);
  const auto& streams = parsed["streams"];
  ASSERT_EQ(streams.Size(), 2);
  EXPECT_STREQ(streams[0]["sync_mode"].GetString(), "incremental");
  EXPECT_STREQ(streams[0]["primary_key"][0][0].GetString(), "id");
  EXPECT_STREQ(streams[0]["cursor_field"][0].GetString(), "_ab_cdc_cursor");
  EXPECT_STREQ(streams[1]["sync_mode"].GetString(), "full_refresh");
}

TEST(ConfigureCatalogTest, LeavesTheColumnsThatAreChosenAndThoseOfTheProtocol) {
  absl::StatusOr<std::string> catalog =
      ConfigureCatalog(kCatalogMessage, {{"ks", "t", "incremental", {"id", "b"}}});
  ASSERT_TRUE(catalog.ok()) << catalog.status();

  const rapidjson::Document parsed = Parse(*catalog);
  std::vector<std::string> columns;
  for (const auto& property :
       parsed["streams"][0]["stream"]["json_schema"]["properties"].GetObject()) {
    columns.emplace_back(property.name.GetString());
  }
  EXPECT_THAT(columns, ::testing::UnorderedElementsAre("id", "b", "_ab_cdc_cursor"));
}

TEST(ConfigureCatalogTest, RefusesWhatWasNotDiscovered) {
  EXPECT_FALSE(ConfigureCatalog(kCatalogMessage, {{"ks", "u", "incremental", {}}}).ok());
  EXPECT_FALSE(ConfigureCatalog(kCatalogMessage, {{"ks", "t", "incremental", {"c"}}}).ok());
  EXPECT_FALSE(ConfigureCatalog(kCatalogMessage, {{"ks", "nokey", "incremental", {}}}).ok());
  EXPECT_FALSE(ConfigureCatalog("{}", {}).ok());
}

TEST(MakeConfigTest, HasTheServerTheKeyspacesAndWhatIsAdded) {
  const rapidjson::Document config =
      Parse(MakeConfig(1234, {"a", "b"}, {{"parallel_copies", "2"}, {"cells", R"(["z"])"}}));

  EXPECT_EQ(config["port"].GetInt(), 1234);
  EXPECT_STREQ(config["keyspaces"][1].GetString(), "b");
  EXPECT_EQ(config["parallel_copies"].GetInt(), 2);
  EXPECT_STREQ(config["cells"][0].GetString(), "z");
}

TEST(ConnectorTest, NamesItsFilesInTheCommand) {
  absl::StatusOr<std::unique_ptr<Connector>> connector = Connector::Make("/bin/program", "{}");
  ASSERT_TRUE(connector.ok()) << connector.status();

  const auto with_state = (*connector)->ReadCommand("{}", "[]");
  const auto without_state = (*connector)->ReadCommand("{}", std::nullopt);

  ASSERT_TRUE(with_state.ok() && without_state.ok());
  EXPECT_THAT(*with_state,
              ElementsAre("/bin/program", "read", "--config", EndsWith("/config.json"), "--catalog",
                          EndsWith("/catalog.json"), "--state", EndsWith("/state.json")));
  EXPECT_THAT(*without_state, ElementsAre("/bin/program", "read", "--config", _, "--catalog", _));
}

// /bin/echo stands for the program: what it prints is the command that it was given.
TEST(ConnectorTest, RefusesALineThatIsNoMessage) {
  absl::StatusOr<std::unique_ptr<Connector>> connector = Connector::Make("/bin/echo", "{}");
  ASSERT_TRUE(connector.ok()) << connector.status();

  for (const auto& run : {(*connector)->Spec(), (*connector)->Check(), (*connector)->Discover(),
                          (*connector)->Read("{}")}) {
    EXPECT_THAT(std::string(run.status().message()),
                ::testing::StartsWith("line 1 is no message of Airbyte's protocol: no JSON"));
  }
}

TEST(ConnectorTest, WritesTheContentsOfItsFiles) {
  absl::StatusOr<std::unique_ptr<Connector>> connector = Connector::Make("/bin/cat", "the config");
  ASSERT_TRUE(connector.ok()) << connector.status();
  absl::StatusOr<std::vector<std::string>> command =
      (*connector)->ReadCommand("the catalog", "the state");
  ASSERT_TRUE(command.ok()) << command.status();

  absl::StatusOr<RunResult> files =
      RunCommand({"/bin/cat", (*command)[3], (*command)[5], (*command)[7]});

  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(files->unfinished_line, "the configthe catalogthe state");
}

}  // namespace
}  // namespace source_vitess::harness
