// docs/command-line.md has every command and option that the program has, and no other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "commands/arguments.h"
#include "tests/docs_file.h"

namespace source_vitess::docs {
namespace {

using Names = std::set<std::string>;

std::string HelpOf(const std::string& command) {
  commands::Arguments arguments;
  commands::UsageError error;
  std::vector<std::string> words = {"help"};
  if (!command.empty()) words.push_back(command);
  EXPECT_TRUE(commands::ParseArguments(words, arguments, error)) << error.message;
  return arguments.help;
}

// The first group of each match at the begin of a line.
Names FindAll(const std::string& text, const std::string& pattern) {
  const std::regex line("(?:^|\n)" + pattern);
  Names found;
  for (std::sregex_iterator it(text.begin(), text.end(), line), end; it != end; ++it) {
    found.insert((*it)[1]);
  }
  return found;
}

Names CommandsOfTheProgram() {
  const std::string help = HelpOf("");
  return FindAll(help.substr(help.find("Subcommands:")), "  ([a-z]+) ");
}

// The commands that the program has each option for.
std::map<std::string, Names> OptionsOfTheProgram() {
  std::map<std::string, Names> options;
  for (const std::string& command : CommandsOfTheProgram()) {
    for (const std::string& option : FindAll(HelpOf(command), "  (--[a-z-]+)")) {
      options[option].insert(command);
    }
  }
  return options;
}

TEST(CommandLineDocumentTest, HasEveryCommand) {
  ASSERT_GT(CommandsOfTheProgram().size(), 5u);
  for (const std::string& command : CommandsOfTheProgram()) {
    EXPECT_THAT(ReadFile("docs/command-line.md"), testing::HasSubstr("\n| `" + command + "` | "));
  }
}

TEST(CommandLineDocumentTest, HasEveryOptionWithItsCommands) {
  std::map<std::string, Names> documented;
  for (const auto line : absl::StrSplit(ReadFile("docs/command-line.md"), '\n')) {
    const std::vector<std::string> cells = absl::StrSplit(line, '|');
    std::smatch option;
    if (cells.size() != 5 || !std::regex_search(cells[1], option, std::regex("`(--[a-z-]+)`"))) {
      continue;
    }
    Names& commands = documented[option[1]];
    for (const std::string& command : CommandsOfTheProgram()) {
      if (cells[2].find("`" + command + "`") != std::string::npos) commands.insert(command);
    }
  }
  // Those of the program itself, which every command takes.
  for (const char* common : {"--debug", "--help", "--version"}) {
    EXPECT_EQ(documented.erase(common), 1u) << common;
  }
  std::map<std::string, Names> of_program = OptionsOfTheProgram();
  of_program.erase("--debug");
  EXPECT_EQ(documented, of_program);
}

}  // namespace
}  // namespace source_vitess::docs
