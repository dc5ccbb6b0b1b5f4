// What scripts/release left, twice, and what `cmake --install` installs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "harness/process.h"

namespace source_vitess::integration_tests {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::SizeIs;

const fs::path& Artefacts() {
  static const auto& folder = *new fs::path(SOURCE_VITESS_ARTEFACTS);
  return folder;
}

fs::path ArtefactsAgain() { return Artefacts().string() + "-again"; }

std::string Content(const fs::path& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return std::move(content).str();
}

std::string Version() {
  const std::string text = Content(fs::path(SOURCE_VITESS_ROOT) / "CMakeLists.txt");
  std::smatch match;
  const std::regex expression(R"(project\(source-vitess VERSION ([0-9.]+))");
  return std::regex_search(text, match, expression) ? match[1].str() : "";
}

std::vector<std::string> Names(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

// The one file of the artefacts whose name ends so.
fs::path Artefact(const std::string& ending) {
  std::vector<fs::path> found;
  for (const std::string& name : Names(Artefacts())) {
    if (name.ends_with(ending)) found.push_back(Artefacts() / name);
  }
  EXPECT_THAT(found, SizeIs(1)) << ending;
  return found.empty() ? fs::path() : found.front();
}

harness::RunResult RunToEnd(const std::vector<std::string>& command) {
  auto run = harness::RunCommand(command);
  EXPECT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->exit.exit_code, 0) << absl::StrJoin(command, " ") << "\n" << run->errors;
  return run.value_or(harness::RunResult());
}

// The files below a folder, as paths in it, "usr/bin/source-vitess".
std::vector<std::string> FilesBelow(const fs::path& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_directory()) files.push_back(entry.path().lexically_relative(folder).string());
  }
  return files;
}

bool IsExecutable(const fs::path& file) {
  return (fs::status(file).permissions() & fs::perms::owner_exec) != fs::perms::none;
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "source-vitess-package-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// The Debian package, unpacked.
class DebianPackageTest : public ::testing::Test {
 protected:
  DebianPackageTest() {
    RunToEnd({"/usr/bin/dpkg-deb", "--extract", Artefact(".deb").string(), Root().string()});
  }

  const fs::path& Root() const { return folder_.path(); }
  fs::path Program() const { return Root() / "usr/bin/source-vitess"; }

  static std::string Field(const std::string& name) {
    return absl::StrJoin(
        RunToEnd({"/usr/bin/dpkg-deb", "--field", Artefact(".deb").string(), name}).lines, "\n");
  }

 private:
  const TemporaryFolder folder_;
};

TEST(ArtefactsTest, AreTheSameWhenTheyAreMadeAgain) {
  const std::vector<std::string> names = Names(Artefacts());

  EXPECT_THAT(names, SizeIs(3));
  for (const std::string& name : names) {
    EXPECT_TRUE(Content(Artefacts() / name) == Content(ArtefactsAgain() / name)) << name;
  }
}

TEST(ArtefactsTest, AreThoseThatTheListOfChecksumsHas) {
  const harness::RunResult run =
      RunToEnd({"/usr/bin/env", "-C", Artefacts().string(), "sha256sum", "--check", "SHA256SUMS"});

  EXPECT_THAT(run.lines, SizeIs(Names(Artefacts()).size() - 1));
  EXPECT_THAT(run.lines, Each(EndsWith(": OK")));
}

TEST(ArtefactsTest, HaveTheVersionInTheirNames) {
  for (const std::string& name : Names(Artefacts())) {
    EXPECT_TRUE(name == "SHA256SUMS" || name.find(Version()) != std::string::npos) << name;
  }
}

TEST(ArtefactsTest, HaveAnExecutableThatRunsByItself) {
  const std::vector<std::string> version =
      RunToEnd({Artefact("-linux-" + RunToEnd({"/usr/bin/uname", "-m"}).lines.at(0)).string(),
                "--version"})
          .lines;

  EXPECT_THAT(version, ElementsAre("source-vitess " + Version()));
}

TEST_F(DebianPackageTest, HasTheProgramAndWhatThereIsToReadAboutIt) {
  EXPECT_THAT(
      FilesBelow(Root()),
      IsSupersetOf({"usr/bin/source-vitess", "usr/share/doc/source-vitess/README.md",
                    "usr/share/doc/source-vitess/CHANGELOG.md",
                    "usr/share/doc/source-vitess/copyright",
                    "usr/share/doc/source-vitess/docs/state.md",
                    "usr/share/doc/source-vitess/examples/vtgate.json",
                    "usr/share/man/man1/source-vitess.1", "usr/share/source-vitess/spec.json"}));
}

TEST_F(DebianPackageTest, HasNoOtherProgram) {
  std::vector<std::string> programs;
  for (const std::string& file : FilesBelow(Root())) {
    if (IsExecutable(Root() / file)) programs.push_back(file);
  }

  EXPECT_THAT(programs, ElementsAre("usr/bin/source-vitess"));
}

TEST_F(DebianPackageTest, HasAProgramThatRuns) {
  EXPECT_EQ(RunToEnd({Program().string(), "spec"}).lines,
            RunToEnd({SOURCE_VITESS_PROGRAM, "spec"}).lines);
  EXPECT_THAT(RunToEnd({Program().string(), "--version"}).lines,
              ElementsAre("source-vitess " + Version()));
}

TEST_F(DebianPackageTest, HasAProgramWithoutWhatDebuggersNeed) {
  const std::string sections =
      absl::StrJoin(RunToEnd({"/usr/bin/readelf", "--sections", Program().string()}).lines, "\n");

  EXPECT_THAT(sections, HasSubstr(".text"));
  EXPECT_THAT(sections, Not(HasSubstr(".debug_")));
  EXPECT_THAT(sections, Not(HasSubstr(".symtab")));
}

TEST_F(DebianPackageTest, HasItsVersion) { EXPECT_EQ(Field("Version"), Version()); }

TEST_F(DebianPackageTest, DependsOnThePackageOfEveryLibraryThatItNeeds) {
  std::set<std::string> packages;
  const std::vector<std::string> dependencies = absl::StrSplit(Field("Depends"), ", ");
  for (const std::string& dependency : dependencies) {
    packages.insert(dependency.substr(0, dependency.find(' ')));
  }
  const harness::RunResult needed = RunToEnd({"/usr/bin/readelf", "--dynamic", Program().string()});
  const std::regex library(R"(.*\(NEEDED\).*\[(.*)\])");

  int libraries = 0;
  for (const std::string& line : needed.lines) {
    std::smatch match;
    if (!std::regex_match(line, match, library)) continue;
    ++libraries;
    // "libicu72:amd64: /usr/lib/x86_64-linux-gnu/libicuuc.so.72"
    const std::vector<std::string> owners =
        RunToEnd({"/usr/bin/dpkg-query", "--search", "*/" + match[1].str()}).lines;
    EXPECT_THAT(owners, Contains(testing::Truly([&](const std::string& owner) {
                  return packages.contains(owner.substr(0, owner.find(':')));
                })))
        << match[1].str();
  }
  EXPECT_GT(libraries, 5);
}

TEST(InstallationTest, IsWhatThePackageHas) {
  const TemporaryFolder installed;
  const TemporaryFolder unpacked;
  RunToEnd({"/usr/bin/env", absl::StrCat("DESTDIR=", installed.path().string()),
            SOURCE_VITESS_CMAKE, "--install", SOURCE_VITESS_TREE, "--prefix", "/usr"});
  RunToEnd({"/usr/bin/dpkg-deb", "--extract", Artefact(".deb").string(), unpacked.path().string()});

  EXPECT_THAT(FilesBelow(installed.path()), Not(IsEmpty()));
  EXPECT_THAT(FilesBelow(installed.path()),
              testing::UnorderedElementsAreArray(FilesBelow(unpacked.path())));
}

TEST_F(DebianPackageTest, HasAManualThatSaysWhatTheProgramSays) {
  const harness::RunResult manual = RunToEnd(
      {"/usr/bin/sed", R"(s/\\-/-/g)", (Root() / "usr/share/man/man1/source-vitess.1").string()});
  const harness::RunResult help = RunToEnd({SOURCE_VITESS_PROGRAM, "--help"});

  EXPECT_THAT(help.lines, Not(IsEmpty()));
  EXPECT_THAT(manual.lines, IsSupersetOf(help.lines));
  EXPECT_THAT(manual.lines, Contains(HasSubstr("source-vitess " + Version())));
}

}  // namespace
}  // namespace source_vitess::integration_tests
