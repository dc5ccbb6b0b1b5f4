// Every link of the documents leads somewhere: to a file, to a heading, or to a well-formed
// address.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/docs_file.h"

namespace source_vitess::docs {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

fs::path Root() { return SOURCE_VITESS_ROOT; }

std::vector<fs::path> MarkdownUnder(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".md") found.push_back(entry.path());
  }
  return found;
}

std::vector<fs::path> Documents() {
  std::vector<fs::path> documents;
  for (const auto& entry : fs::directory_iterator(Root())) {
    if (entry.path().extension() == ".md") documents.push_back(entry.path());
  }
  for (const char* folder : {"docs", "examples", "integration_tests"}) {
    for (fs::path& document : MarkdownUnder(Root() / folder)) documents.push_back(document);
  }
  std::sort(documents.begin(), documents.end());
  return documents;
}

std::string Text(const fs::path& document) {
  return ReadFile(fs::relative(document, Root()).string());
}

// The lines that are not within a fenced block.
std::vector<std::string> Prose(const std::string& text) {
  std::vector<std::string> lines;
  std::string fence;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    const size_t ticks = std::min(line.find_first_not_of('`'), line.size());
    if (fence.empty() && ticks >= 3) {
      fence = line.substr(0, ticks);
    } else if (line == fence) {
      fence.clear();
    } else if (fence.empty()) {
      lines.push_back(line);
    }
  }
  return lines;
}

std::string WithoutCode(const std::string& line) {
  static const auto& code = *new std::regex("`[^`]*`");
  return std::regex_replace(line, code, "");
}

// What a heading is called in an address, as GitHub does it: links are their texts, letters small,
// punctuation gone, spaces hyphens.
std::string Anchor(const std::string& heading) {
  static const auto& link = *new std::regex(R"(\[([^\]]*)\]\([^)]*\))");
  std::string anchor;
  for (const char c : std::regex_replace(heading, link, "$1")) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == ' ') {
      anchor += '-';
    } else if (std::isalnum(byte) != 0 || c == '-' || c == '_' || byte >= 0x80) {
      anchor += static_cast<char>(std::tolower(byte));
    }
  }
  return anchor;
}

// Of headings that are the same, the second has "-1" behind it.
std::set<std::string> Anchors(const std::string& text) {
  static const auto& heading = *new std::regex(R"(^#{1,6} +(.*?) *$)");
  std::set<std::string> anchors;
  std::map<std::string, int> seen;
  for (const std::string& line : Prose(text)) {
    std::smatch match;
    if (!std::regex_match(line, match, heading)) continue;
    const std::string anchor = Anchor(match[1]);
    const int before = seen[anchor]++;
    anchors.insert(before == 0 ? anchor : anchor + "-" + std::to_string(before));
  }
  return anchors;
}

// The targets of links and pictures, those that go over the end of a line included.
std::vector<std::string> Links(const std::string& text) {
  std::string prose;
  for (const std::string& line : Prose(text)) prose += WithoutCode(line) + '\n';
  static const auto& link = *new std::regex(R"(\]\(([^)]*)\))");
  std::vector<std::string> links;
  for (std::sregex_iterator it(prose.begin(), prose.end(), link), end; it != end; ++it) {
    links.push_back((*it)[1]);
  }
  return links;
}

bool IsExternal(const std::string& link) { return link.find("://") != std::string::npos; }

bool IsWellFormed(const std::string& address) {
  static const auto& form = *new std::regex(
      R"(https://([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}(/[A-Za-z0-9._~!$&'*+,;=:@%/-]*)?(\?[^\s#]*)?(#[^\s#]+)?)");
  return std::regex_match(address, form);
}

// What is wrong with a link of a document; empty when nothing is.
std::string Fault(const fs::path& document, const std::string& link) {
  if (IsExternal(link)) return IsWellFormed(link) ? "" : "no address";
  const size_t hash = link.find('#');
  const std::string file = link.substr(0, hash);
  const fs::path target = file.empty() ? document : document.parent_path() / file;
  if (link.empty() || !fs::exists(target)) return "no such file";
  if (hash == std::string::npos) return "";
  return Anchors(Text(fs::weakly_canonical(target))).contains(link.substr(hash + 1))
             ? ""
             : "no such heading";
}

TEST(LinksTest, LeadSomewhere) {
  std::vector<std::string> faults;
  int links = 0;
  for (const fs::path& document : Documents()) {
    for (const std::string& link : Links(Text(document))) {
      ++links;
      const std::string fault = Fault(document, link);
      if (!fault.empty()) {
        faults.push_back(fs::relative(document, Root()).string() + ": " + link + ": " + fault);
      }
    }
  }

  EXPECT_GT(links, 100);
  EXPECT_THAT(faults, IsEmpty());
}

TEST(LinksTest, AreFoundOutsideOfCodeAndOverTheEndsOfLines) {
  EXPECT_THAT(Links("[a](b.md) `[c](d)` ![e](f.svg)\n```\n[g](h)\n```\n[i\nj](k#l)"),
              ElementsAre("b.md", "f.svg", "k#l"));
}

TEST(LinksTest, WithFaultsAreTold) {
  const fs::path readme = Root() / "README.md";
  EXPECT_EQ(Fault(readme, "nothing.md"), "no such file");
  EXPECT_EQ(Fault(readme, "docs/design.md#nothing"), "no such heading");
  EXPECT_EQ(Fault(readme, "#nothing"), "no such heading");
  EXPECT_EQ(Fault(readme, "https://example"), "no address");
  EXPECT_EQ(Fault(readme, "http://example.com"), "no address");
  EXPECT_EQ(Fault(readme, "https://example.com/a b"), "no address");
}

TEST(LinksTest, HeadingsHaveTheAnchorsThatGithubGivesThem) {
  EXPECT_THAT(Anchors("# A `b`, c_d: é!\n## Same\n```\n# no\n```\n## Same\n## [In](x.md) it\n"),
              ::testing::UnorderedElementsAre("a-b-c_d-é", "same", "same-1", "in-it"));
}

TEST(DocumentsTest, AreAllInTheIndex) {
  const std::vector<std::string> links = Links(ReadFile("docs/README.md"));
  for (const auto& entry : fs::directory_iterator(Root() / "docs")) {
    const std::string name = entry.path().filename();
    if (entry.path().extension() != ".md" || name == "README.md") continue;
    EXPECT_THAT(links, Contains(name));
  }
}

TEST(DocumentsTest, ShowEveryPicture) {
  std::vector<std::string> links;
  for (const fs::path& document : MarkdownUnder(Root() / "docs")) {
    for (const std::string& link : Links(Text(document))) links.push_back(link);
  }
  for (const auto& entry : fs::directory_iterator(Root() / "docs/pictures")) {
    EXPECT_THAT(links, Contains("pictures/" + entry.path().filename().string()));
    EXPECT_THAT(Text(entry.path()), ::testing::HasSubstr("prefers-color-scheme: dark"));
  }
}

}  // namespace
}  // namespace source_vitess::docs
