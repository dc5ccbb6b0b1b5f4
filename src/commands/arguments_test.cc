#include "commands/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "version.h"

namespace source_vitess::commands {
namespace {

using testing::HasSubstr;

Arguments Parsed(std::vector<std::string> words) {
  Arguments arguments;
  UsageError error;
  EXPECT_TRUE(ParseArguments(std::move(words), arguments, error)) << error.message;
  return arguments;
}

UsageError Refused(std::vector<std::string> words) {
  Arguments arguments;
  UsageError error;
  EXPECT_FALSE(ParseArguments(std::move(words), arguments, error));
  return error;
}

TEST(ArgumentsTest, ReadsEveryCommand) {
  EXPECT_EQ(Parsed({"spec"}).command, Command::kSpec);
  EXPECT_EQ(Parsed({"check", "--config", "c.json"}).command, Command::kCheck);
  EXPECT_EQ(Parsed({"discover", "--config", "c.json"}).command, Command::kDiscover);
  EXPECT_EQ(Parsed({"read", "--config", "c.json", "--catalog", "s.txt"}).command, Command::kRead);
}

TEST(ArgumentsTest, ReadsThePathsOfReadInAnyOrderAndForm) {
  const Arguments arguments =
      Parsed({"read", "--state=/tmp/a=b.txt", "--catalog", "s.txt", "--config=c.json"});

  EXPECT_EQ(arguments.config, "c.json");
  EXPECT_EQ(arguments.catalog, "s.txt");
  EXPECT_EQ(arguments.state, "/tmp/a=b.txt");
  EXPECT_FALSE(arguments.debug);
}

TEST(ArgumentsTest, TakesNoStateForAnEmptyPath) {
  EXPECT_EQ(Parsed({"read", "--config", "c", "--catalog", "s"}).state, "");
}

TEST(ArgumentsTest, TakesDebugBeforeAndAfterTheCommand) {
  EXPECT_TRUE(Parsed({"--debug", "spec"}).debug);
  EXPECT_TRUE(Parsed({"spec", "--debug"}).debug);
  EXPECT_TRUE(Parsed({"check", "--debug", "--config", "c"}).debug);
}

TEST(ArgumentsTest, ShowsItsUsageWhenAsked) {
  const Arguments arguments = Parsed({"--help"});

  EXPECT_EQ(arguments.command, Command::kHelp);
  EXPECT_THAT(arguments.help, HasSubstr("discover"));
}

TEST(ArgumentsTest, ShowsItsVersionWhenAsked) {
  const Arguments arguments = Parsed({"--version"});

  EXPECT_EQ(arguments.command, Command::kHelp);
  EXPECT_EQ(arguments.help, absl::StrCat("source-vitess ", kVersion, "\n"));
}

TEST(ArgumentsTest, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(Refused({"reed"}).usage, HasSubstr("discover"));
  EXPECT_THAT(Refused({"spec", "--colour", "blue"}).message, HasSubstr("--colour"));
  EXPECT_NE(Refused({}).message, "");
}

TEST(ArgumentsTest, TakesThePortOfFivetranInEveryForm) {
  EXPECT_EQ(Parsed({"fivetran"}).port, 50051);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"fivetran", "--port", "7"},
        {"fivetran", "--port=7"},
        {"fivetran", "-port", "7"},
        {"fivetran", "-port=7"},
        {"fivetran", "--later", "option", "--port", "7", "--flag"}}) {
    const Arguments arguments = Parsed(words);
    EXPECT_EQ(arguments.command, Command::kFivetran);
    EXPECT_EQ(arguments.port, 7);
  }
  EXPECT_TRUE(Parsed({"fivetran", "--debug"}).debug);
  EXPECT_TRUE(Parsed({"--debug", "fivetran"}).debug);
}

TEST(ArgumentsTest, RefusesAPortThatIsNone) {
  EXPECT_THAT(Refused({"fivetran", "--port", "65536"}).message, HasSubstr("--port"));
  EXPECT_THAT(Refused({"fivetran", "--port", "many"}).message, HasSubstr("--port"));
}

TEST(ArgumentsTest, NamesAnOptionThatIsMissing) {
  EXPECT_THAT(Refused({"check"}).message, HasSubstr("--config"));
  EXPECT_THAT(Refused({"read", "--config", "c"}).message, HasSubstr("--catalog"));
}

TEST(LeastSeverityTest, FollowsTheFlagAndTheEnvironment) {
  using telemetry::Severity;

  EXPECT_EQ(LeastSeverity(false, nullptr), Severity::kInfo);
  EXPECT_EQ(LeastSeverity(true, "error"), Severity::kDebug);
  EXPECT_EQ(LeastSeverity(false, "DEBUG"), Severity::kDebug);
  EXPECT_EQ(LeastSeverity(false, "Warning"), Severity::kWarning);
  EXPECT_EQ(LeastSeverity(false, "ERROR"), Severity::kError);
  EXPECT_EQ(LeastSeverity(false, "anything"), Severity::kInfo);
}

}  // namespace
}  // namespace source_vitess::commands
