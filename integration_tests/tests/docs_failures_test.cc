// docs/failures.md names a test for every failure, integration_tests/peers.md for every case, and
// integration_tests/acceptance/README.md for every rule.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
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

// "A1", "A2" up to that number.
void AddRules(const std::string& letter, int count, std::vector<std::string>& rules) {
  for (int number = 1; number <= count; ++number) rules.push_back(absl::StrCat(letter, number));
}

TEST(GuaranteesDocumentTest, NamesTestsThatThereAre) {
  const std::set<std::string> registered = RegisteredTests();
  for (const char* page : {"docs/guarantees.md", "docs/scaling-out.md", "CONTRIBUTING.md"}) {
    const std::set<std::string> named = NamesIn(ReadFile(page), TestName());
    EXPECT_THAT(named, testing::Not(IsEmpty())) << page;
    for (const std::string& name : named) {
      EXPECT_TRUE(registered.contains(name)) << page << " names " << name;
    }
  }
}

TEST(GuaranteesDocumentTest, HasATestInEveryRow) {
  std::istringstream text(ReadFile("docs/guarantees.md"));
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with("| ") || line.starts_with("| guarantee |")) continue;
    EXPECT_THAT(NamesIn(line, TestName()), testing::Not(IsEmpty())) << line;
  }
}

TEST(AcceptanceDocumentTest, HasARowForEveryRule) {
  std::vector<std::string> rules;
  for (const auto& [letter, count] :
       {std::pair("A", 20), std::pair("B", 1), std::pair("C", 11), std::pair("D", 5),
        std::pair("E", 1), std::pair("F", 3), std::pair("G", 3), std::pair("H", 1),
        std::pair("FAST", 4), std::pair("L", 1), std::pair("T", 2), std::pair("Q", 12),
        std::pair("M", 2), std::pair("P", 4)}) {
    AddRules(letter, count, rules);
  }
  std::vector<std::string> rows;
  std::istringstream text(ReadFile("integration_tests/acceptance/README.md"));
  const std::regex row(R"(^\| ([A-Z]+[0-9]+) \|.*)");
  std::smatch match;
  for (std::string line; std::getline(text, line);) {
    if (std::regex_match(line, match, row)) rows.push_back(match[1]);
  }

  EXPECT_THAT(rows, ::testing::ElementsAreArray(rules));
}

TEST(AcceptanceDocumentTest, NamesATestForEveryRuleOrSaysWhyThereIsNone) {
  const std::set<std::string> registered = RegisteredTests();
  std::vector<std::string> wrong;
  std::istringstream text(ReadFile("integration_tests/acceptance/README.md"));
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with("| ") || line.starts_with("| rule |")) continue;
    const std::set<std::string> named = NamesIn(line, TestName());
    const bool applies = line.find("| does not apply: ") == std::string::npos;
    if (applies && named.empty()) wrong.push_back(line);
    for (const std::string& name : named) {
      if (!registered.contains(name)) wrong.push_back(name);
    }
  }

  EXPECT_THAT(wrong, IsEmpty());
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
