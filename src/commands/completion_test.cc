#include "commands/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "commands/arguments.h"

namespace source_vitess::commands {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

std::string ScriptFor(const std::string& shell) {
  Arguments arguments;
  UsageError error;
  EXPECT_TRUE(ParseArguments({"completion", shell}, arguments, error)) << error.message;
  EXPECT_EQ(arguments.command, Command::kHelp);
  return arguments.help;
}

// What bash offers for the last of the words.
std::vector<std::string> Offered(const std::vector<std::string>& words) {
  const std::string path = absl::StrCat(testing::TempDir(), "/completion-", getpid());
  std::ofstream(path) << ScriptFor("bash") << "COMP_WORDS=(source-vitess "
                      << absl::StrJoin(words, " ") << (words.back().empty() ? "''" : "")
                      << ")\nCOMP_CWORD=" << words.size()
                      << "\n_source_vitess\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
  std::FILE* const bash = popen(absl::StrCat("bash ", path, " 2>&1").c_str(), "r");
  std::string output;
  for (int c = std::fgetc(bash); c != EOF; c = std::fgetc(bash)) {
    output.push_back(static_cast<char>(c));
  }
  EXPECT_EQ(pclose(bash), 0);
  std::remove(path.c_str());
  return absl::StrSplit(output, '\n', absl::SkipEmpty());
}

TEST(CompletionTest, OffersCommandsAndThenTheirOptions) {
  EXPECT_THAT(Offered({"dis"}), ElementsAre("discover"));
  EXPECT_THAT(Offered({""}), IsSupersetOf({"spec", "read", "doctor", "--version"}));
  EXPECT_THAT(Offered({"read", "--stat"}),
              testing::UnorderedElementsAre("--state", "--status-port", "--status-address"));
  EXPECT_THAT(Offered({"check", "--"}), Not(Contains("--catalog")));
  EXPECT_THAT(Offered({"completion", "ba"}), ElementsAre("bash"));
  EXPECT_THAT(Offered({"help", "disc"}), ElementsAre("discover"));
}

TEST(CompletionTest, OffersFilesWhereAPathIsWanted) {
  EXPECT_THAT(Offered({"read", "--config", "/etc/pass"}), Contains("/etc/passwd"));
  EXPECT_THAT(Offered({"fivetran", "--port", ""}), IsEmpty());
}

TEST(CompletionTest, QuotesDescriptionsForTheOtherShells) {
  EXPECT_THAT(ScriptFor("zsh"), HasSubstr("Fivetran'\\''s Partner SDK"));
  EXPECT_THAT(ScriptFor("zsh"),
              HasSubstr("'--config[File with the configuration, in JSON]:path:_files'"));
  EXPECT_THAT(ScriptFor("fish"), HasSubstr("Fivetran\\'s Partner SDK"));
  EXPECT_THAT(ScriptFor("fish"),
              HasSubstr("-n '__fish_seen_subcommand_from read' -l catalog -r -F"));
}

TEST(CompletionTest, RefusesOtherShells) {
  Arguments arguments;
  UsageError error;
  EXPECT_FALSE(ParseArguments({"completion", "cmd"}, arguments, error));
  EXPECT_THAT(error.message, HasSubstr("bash"));
}

TEST(HelpTest, TellsOfOneCommandWithAnExample) {
  for (const char* command : {"spec", "check", "discover", "read", "doctor", "fivetran"}) {
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{command, "--help"}, {"help", command}}) {
      Arguments arguments;
      UsageError error;
      ASSERT_TRUE(ParseArguments(words, arguments, error)) << error.message;
      EXPECT_THAT(arguments.help, HasSubstr(absl::StrCat("source-vitess ", command)));
      EXPECT_THAT(arguments.help, HasSubstr("Example"));
    }
  }
}

TEST(HelpTest, TellsExitCodes) {
  Arguments arguments;
  UsageError error;
  ASSERT_TRUE(ParseArguments({"help"}, arguments, error)) << error.message;
  EXPECT_THAT(arguments.help, HasSubstr("Exit codes:\n  0  done"));
}

TEST(HelpTest, NamesACommandThatThereIsNot) {
  Arguments arguments;
  UsageError error;
  EXPECT_FALSE(ParseArguments({"help", "dance"}, arguments, error));
  EXPECT_THAT(error.message, HasSubstr("dance"));
}

}  // namespace
}  // namespace source_vitess::commands
