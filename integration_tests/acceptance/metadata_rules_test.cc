// Rules about the files around the connector (README.md, QA and G).
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/docs_file.h"

namespace source_vitess::acceptance {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

// The keys of data in metadata.yaml, with what stands behind them on their line.
std::map<std::string, std::string> Metadata() {
  std::map<std::string, std::string> members;
  std::istringstream text(docs::ReadFile("metadata.yaml"));
  const std::regex member(R"(^  ([A-Za-z_]+):(?: \"?([^\"]*)\"?)?$)");
  std::smatch match;
  for (std::string line; std::getline(text, line);) {
    if (std::regex_match(line, match, member)) members[match[1]] = match[2];
  }
  return members;
}

TEST(MetadataRulesTest, MetadataHasAllThatIsRequiredAndNothingUnknown) {
  const std::map<std::string, std::string> metadata = Metadata();
  for (const char* required :
       {"name", "definitionId", "connectorType", "dockerRepository", "dockerImageTag", "license",
        "documentationUrl", "githubIssueLabel", "connectorSubtype", "releaseStage"}) {
    EXPECT_TRUE(metadata.contains(required)) << required;
  }
  const std::set<std::string> known = {"name",
                                       "definitionId",
                                       "connectorType",
                                       "dockerRepository",
                                       "dockerImageTag",
                                       "license",
                                       "documentationUrl",
                                       "githubIssueLabel",
                                       "connectorSubtype",
                                       "releaseStage",
                                       "supportLevel",
                                       "icon",
                                       "tags",
                                       "maxSecondsBetweenMessages",
                                       "releaseDate",
                                       "protocolVersion",
                                       "erdUrl",
                                       "externalDocumentationUrls",
                                       "connectorBuildOptions",
                                       "connectorTestSuitesOptions",
                                       "registryOverrides",
                                       "allowedHosts",
                                       "suggestedStreams",
                                       "resourceRequirements",
                                       "releases",
                                       "ab_internal",
                                       "remoteRegistries",
                                       "connectorIPCOptions"};
  for (const auto& [key, value] : metadata) EXPECT_THAT(known, Contains(key));
}

TEST(MetadataRulesTest, MetadataHasValuesOfItsSchema) {
  std::map<std::string, std::string> metadata = Metadata();
  EXPECT_THAT(docs::ReadFile("metadata.yaml"), HasSubstr("metadataSpecVersion: \"1.0\""));
  EXPECT_THAT(metadata["definitionId"],
              MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"));
  EXPECT_EQ(metadata["connectorType"], "source");
  EXPECT_EQ(metadata["connectorSubtype"], "database");
  EXPECT_THAT(metadata["dockerImageTag"], MatchesRegex("[0-9]+[.][0-9]+[.][0-9]+"));
  EXPECT_THAT(metadata["documentationUrl"], MatchesRegex("https://.*"));
  EXPECT_THAT(metadata["releaseStage"], AnyOf("alpha", "beta", "generally_available", "custom"));
  EXPECT_THAT(metadata["supportLevel"], AnyOf("community", "certified", "archived"));
  EXPECT_THAT(metadata["maxSecondsBetweenMessages"], MatchesRegex("[0-9]+"));
}

// G: test_certified_connector_has_allowed_hosts.
TEST(MetadataRulesTest, TheHostOfTheConfigurationIsTheOnlyOneThatIsAllowed) {
  const std::regex hosts(R"(allowedHosts:\n    hosts:\n((?:      - .*\n)+))");
  const std::string metadata = docs::ReadFile("metadata.yaml");
  std::smatch match;
  ASSERT_TRUE(std::regex_search(metadata, match, hosts));
  EXPECT_EQ(match[1], "      - ${host}\n");
}

TEST(MetadataRulesTest, OneLanguageIsTagged) {
  const std::string metadata = docs::ReadFile("metadata.yaml");
  const std::regex tag("- language:\\w+");
  EXPECT_EQ(std::distance(std::sregex_iterator(metadata.begin(), metadata.end(), tag), {}), 1);
}

TEST(MetadataRulesTest, FilesOfAConnectorAreThere) {
  for (const char* file : {"metadata.yaml", "icon.svg", "README.md", "Dockerfile"}) {
    EXPECT_THAT(docs::ReadFile(file), Not(IsEmpty())) << file;
  }
}

// QA: HTTPS only, but for names of schemas and of this machine. Tests are exempt.
TEST(MetadataRulesTest, AddressesAreOfHttps) {
  const std::filesystem::path root(SOURCE_VITESS_ROOT);
  const std::set<std::string> texts = {".md", ".cc", ".h", ".json", ".yaml", ".yml", ".txt"};
  const std::regex plain(
      R"(http://(?!json-schema\.org|www\.w3\.org|localhost|127\.0\.0\.1)[a-z0-9])");
  std::vector<std::string> found;
  int read = 0;
  for (const char* folder : {"src", "spec", "docs", "examples", "scripts", "."}) {
    const bool deep = std::string(folder) != ".";
    for (auto entry = std::filesystem::recursive_directory_iterator(root / folder);
         entry != std::filesystem::recursive_directory_iterator(); ++entry) {
      if (!deep && entry->is_directory()) entry.disable_recursion_pending();
      if (!entry->is_regular_file() || !texts.contains(entry->path().extension())) continue;
      const std::string path = std::filesystem::relative(entry->path(), root).string();
      if (path.ends_with("_test.cc") || path.ends_with("_for_test.h")) continue;
      ++read;
      if (std::regex_search(docs::ReadFile(path), plain)) found.push_back(path);
    }
  }
  EXPECT_GT(read, 100);
  EXPECT_THAT(found, IsEmpty());
}

}  // namespace
}  // namespace source_vitess::acceptance
