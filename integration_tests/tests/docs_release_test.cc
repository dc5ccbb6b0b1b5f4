// What Airbyte is told of a release stands in several files, which have to agree.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "tests/docs_file.h"

namespace source_vitess::docs {
namespace {

using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::Not;

// The first group of `pattern` where it is first found in the file; empty when it is not.
std::string Find(const std::string& path, const std::string& pattern) {
  const std::string text = ReadFile(path);
  std::smatch match;
  return std::regex_search(text, match, std::regex(pattern, std::regex::multiline)) ? match[1].str()
                                                                                    : "";
}

std::string Metadata(const std::string& key) {
  return Find("metadata.yaml", "^  " + key + ": \"?([^\"\\n]+)\"?$");
}

TEST(ReleaseTest, HasOneVersion) {
  const std::string version = Find("CMakeLists.txt", R"(project\(source-vitess VERSION ([0-9.]+))");

  EXPECT_THAT(version, Not(IsEmpty()));
  EXPECT_EQ(Metadata("dockerImageTag"), version);
  EXPECT_EQ(Find("Dockerfile", R"(io\.airbyte\.version="([^"]+)\")"), version);
  EXPECT_EQ(Find("Dockerfile", R"(org\.opencontainers\.image\.version="([^"]+)\")"), version);
  EXPECT_EQ(Find("README.md", "docker build --tag source-vitess:([0-9.]+) "), version);
}

TEST(ReleaseTest, IsTheOneThatThePagesName) {
  const std::string version = Find("CMakeLists.txt", R"(project\(source-vitess VERSION ([0-9.]+))");
  for (const char* page :
       {"README.md", "docs/getting-started.md", "docs/image.md", "docs/release.md"}) {
    const std::string text = ReadFile(page);
    const std::regex named(R"(source-vitess[:/_-](\d+\.\d+\.\d+)|`v(\d+\.\d+\.\d+)`)");
    std::vector<std::string> versions;
    for (std::sregex_iterator it(text.begin(), text.end(), named), end; it != end; ++it) {
      versions.push_back((*it)[1].str() + (*it)[2].str());
    }
    EXPECT_THAT(versions, Not(IsEmpty())) << page;
    EXPECT_THAT(versions, Each(version)) << page;
  }
}

TEST(ReleaseTest, IsTheNewestOfTheChangelogWithItsDate) {
  EXPECT_EQ(Find("CHANGELOG.md", R"(^## \[([0-9.]+)\] - \d{4}-\d{2}-\d{2}$)"),
            Find("CMakeLists.txt", R"(project\(source-vitess VERSION ([0-9.]+))"));
}

// Of which nothing else is ever run where these tests are.
TEST(WorkflowTest, RunsScriptsThatExist) {
  const std::string text = ReadFile(".github/workflows/image.yml");
  const std::regex command(R"((?:run:|&&)\s+(?:\./)?(run-tests|scripts/[a-z-]+))");
  std::vector<std::string> scripts;
  for (std::sregex_iterator it(text.begin(), text.end(), command), end; it != end; ++it) {
    scripts.push_back((*it)[1].str());
  }

  EXPECT_THAT(scripts, testing::SizeIs(testing::Ge(3)));
  for (const std::string& script : scripts) {
    EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(SOURCE_VITESS_ROOT) / script))
        << script;
  }
}

TEST(ReleaseTest, HasOneName) {
  EXPECT_THAT(Metadata("dockerRepository"), Not(IsEmpty()));
  EXPECT_EQ(Find("Dockerfile", R"(io\.airbyte\.name="([^"]+)\")"), Metadata("dockerRepository"));
}

TEST(ReleaseTest, ImageIsEnteredTheSameWayByDockerAndByAirbyte) {
  const std::string entry_point = Find("Dockerfile", R"(ENTRYPOINT \["([^"]+)\"\])");

  EXPECT_THAT(entry_point, Not(IsEmpty()));
  EXPECT_EQ(Find("Dockerfile", R"(AIRBYTE_ENTRYPOINT="([^"]+)\")"), entry_point);
}

TEST(ReleaseTest, MetadataAgreesWithTheSpecification) {
  EXPECT_THAT(Metadata("documentationUrl"), Not(IsEmpty()));
  EXPECT_EQ(Metadata("documentationUrl"),
            Find("spec/spec.json", R"("documentationUrl": "([^"]+)\")"));
  EXPECT_EQ(Metadata("protocolVersion"),
            Find("spec/spec.json", R"("protocol_version": "([^"]+)\")"));
}

}  // namespace
}  // namespace source_vitess::docs
