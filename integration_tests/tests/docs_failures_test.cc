// docs/failures.md names a test for every failure, and integration_tests/peers.md for every case.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/docs_file.h"

namespace source_vitess::docs {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

// All that `pattern` finds in the text, its first two groups with a dot between.
std::set<std::string> NamesIn(const std::string& text, const std::regex& pattern) {
  std::set<std::string> names;
  for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it) {
    names.insert(absl::StrCat((*it)[1].str(), ".", (*it)[2].str()));
  }
  return names;
}

// "Suite.Name" of the tests that the sources register.
std::set<std::string> RegisteredTests() {
  const std::regex registration(R"(\bTEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\))");
  std::set<std::string> names;
  for (const char* folder : {"src", "integration_tests"}) {
    const std::filesystem::path root(SOURCE_VITESS_ROOT);
    for (const auto& file : std::filesystem::recursive_directory_iterator(root / folder)) {
      const std::string path = std::filesystem::relative(file.path(), root).string();
      if (path.ends_with("_test.cc")) names.merge(NamesIn(ReadFile(path), registration));
    }
  }
  return names;
}

const std::regex& TestName() {
  static const auto& pattern = *new std::regex(R"(`([A-Z]\w*Test)\.([A-Z]\w*)`)");
  return pattern;
}

TEST(FailuresDocumentTest, NamesTestsThatThereAre) {
  const std::set<std::string> registered = RegisteredTests();
  const std::set<std::string> named = NamesIn(ReadFile("docs/failures.md"), TestName());
  ASSERT_THAT(named, SizeIs(::testing::Gt(50u)));

  std::vector<std::string> missing;
  for (const std::string& name : named) {
    if (!registered.contains(name)) missing.push_back(name);
  }

  EXPECT_THAT(missing, IsEmpty());
}

TEST(PeersDocumentTest, NamesTestsThatThereAre) {
  const std::set<std::string> registered = RegisteredTests();
  const std::set<std::string> named = NamesIn(ReadFile("integration_tests/peers.md"), TestName());
  ASSERT_THAT(named, SizeIs(::testing::Gt(40u)));

  std::vector<std::string> missing;
  for (const std::string& name : named) {
    if (!registered.contains(name)) missing.push_back(name);
  }

  EXPECT_THAT(missing, IsEmpty());
}

TEST(FailuresDocumentTest, HasATestInEveryRowOfATableOfFailures) {
  std::vector<std::string> bare;
  bool in_table = false;
  std::istringstream text(ReadFile("docs/failures.md"));
  for (std::string line; std::getline(text, line);) {
    if (line.ends_with("| test |")) {
      in_table = true;
    } else if (!line.starts_with("|")) {
      in_table = false;
    } else if (in_table && !line.starts_with("|---") && NamesIn(line, TestName()).empty()) {
      bare.push_back(line);
    }
  }

  EXPECT_THAT(bare, IsEmpty());
}

}  // namespace
}  // namespace source_vitess::docs
