// A second opinion on every kind of message: the models that Airbyte makes of its protocol's
// definition.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "acceptance/json_lines.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "harness/connector.h"
#include "harness/process.h"

namespace source_vitess::acceptance {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::StartsWith;

// What the models say of the lines.
harness::RunResult Parse(const std::vector<std::string>& lines) {
  std::string path =
      (std::filesystem::temp_directory_path() / "source-vitess-lines-XXXXXX").string();
  const int file = mkstemp(path.data());
  EXPECT_NE(file, -1);
  close(file);
  {
    std::ofstream out(path, std::ios::binary);
    for (const std::string& line : lines) out << line << "\n";
  }
  auto run = harness::RunCommand({PROTOCOL_MODELS_PYTHON, PARSE_MESSAGES, path});
  std::filesystem::remove(path);
  EXPECT_TRUE(run.ok()) << run.status();
  return run.value_or(harness::RunResult());
}

class ProtocolModelsTest : public ::testing::Test {
 protected:
  // Keeps the lines of a run.
  void Keep(const absl::StatusOr<harness::RunResult>& run) {
    ASSERT_TRUE(run.ok()) << run.status();
    lines_.insert(lines_.end(), run->lines.begin(), run->lines.end());
  }

  // Runs everything with another configuration.
  void KeepAllWith(const std::string& config) {
    auto connector = harness::Connector::Make(SOURCE_VITESS_PROGRAM, config);
    ASSERT_TRUE(connector.ok()) << connector.status();
    Keep((*connector)->Check());
    Keep((*connector)->Discover());
    Keep((*connector)->Read(shop_.catalog()));
  }

  Shop shop_;
  std::vector<std::string> lines_;
};

TEST_F(ProtocolModelsTest, TakeEveryMessageOfEveryCommand) {
  shop_.Execute("insert into types (id, c13, c16) values (2, '0000-00-00', '-838:59:59')");
  Keep(shop_.connector().Spec());
  Keep(shop_.connector().Check());
  Keep(shop_.connector().Discover());
  Keep(shop_.Read());
  shop_.Execute("update types set c20 = 'other' where id = 1");
  shop_.Execute("delete from customers where id = 1");
  Keep(shop_.Read());

  const harness::RunResult parsed = Parse(lines_);

  EXPECT_EQ(parsed.exit.exit_code, 0) << testing::PrintToString(parsed.lines) << parsed.errors;
  EXPECT_THAT(lines_, Contains(HasSubstr(R"("change":"NULLED")")));
  std::vector<std::string> kinds;
  for (const std::string& line : parsed.lines) kinds.push_back(line.substr(0, line.find(' ')));
  EXPECT_THAT(kinds, IsSupersetOf({"CATALOG", "CONNECTION_STATUS", "LOG", "RECORD", "SPEC", "STATE",
                                   "TRACE.STREAM_STATUS"}));
}

TEST_F(ProtocolModelsTest, TakeEveryMessageOfWhatFails) {
  const int port = shop_.port();
  KeepAllWith("{");
  KeepAllWith(harness::MakeConfig(port, {"nowhere"}));
  KeepAllWith(harness::MakeConfig(
      port, {"shop"}, {{"encryption", R"({"mode": "tls"})"}, {"retry_budget_seconds", "0"}}));
  shop_.Execute("truncate table notes");
  shop_.Execute("drop table words");
  Keep(shop_.Read());

  const harness::RunResult parsed = Parse(lines_);

  EXPECT_EQ(parsed.exit.exit_code, 0) << testing::PrintToString(parsed.lines) << parsed.errors;
  EXPECT_THAT(parsed.lines, Contains(StartsWith("TRACE.ERROR ")));
}

TEST_F(ProtocolModelsTest, RefuseWhatIsNoMessage) {
  for (const auto& [line, complaint] : std::map<std::string, std::string>{
           {R"({"type":"LOG"})", "members"},
           {R"({"type":"LOG","log":{"level":"LOUD","message":"m"}})", "level"},
           {R"({"type":"LOG","log":{"level":"INFO","message":"m","text":"m"}})", "log.text"},
           {R"({"type":"LOG","log":{"level":"INFO","message":"m"},"record":{"stream":"t",
               "data":{},"emitted_at":1}})",
            "members"},
           {R"({"type":"RECORD","record":{"stream":"t","data":{},"emitted_at":"1"}})",
            "something else"}}) {
    std::string one_line = line;
    std::replace(one_line.begin(), one_line.end(), '\n', ' ');

    const harness::RunResult parsed = Parse({one_line});

    EXPECT_EQ(parsed.exit.exit_code, 1) << line;
    EXPECT_THAT(parsed.lines, Contains(HasSubstr(complaint))) << line;
  }
}

}  // namespace
}  // namespace source_vitess::acceptance
