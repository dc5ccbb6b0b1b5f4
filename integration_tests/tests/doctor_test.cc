// What `doctor` finds, and how it ends.
#include <fcntl.h>
#include <rapidjson/document.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "harness/process.h"
#include "tests/simulated_source.h"

namespace source_vitess::integration_tests {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class DoctorTest : public ::testing::Test {
 protected:
  DoctorTest() { Configure({}); }

  // The text of the command with these options behind the configuration.
  std::string Text(const std::vector<std::string>& more = {}) {
    std::vector<std::string> command = {SOURCE_VITESS_PROGRAM, "doctor", "--config",
                                        File("config.json", config_)};
    command.insert(command.end(), more.begin(), more.end());
    const auto run = harness::RunCommand(command);
    EXPECT_TRUE(run.ok()) << run.status();
    exit_code_ = run->exit.exit_code.value_or(-1);
    EXPECT_THAT(run->errors, IsEmpty());
    return absl::StrJoin(run->lines, "\n");
  }

  std::string File(const std::string& name, const std::string& content) {
    const std::string path = absl::StrCat(testing::TempDir(), "/doctor-", getpid(), "-", name);
    std::ofstream(path) << content;
    files_.push_back(path);
    return path;
  }

  ~DoctorTest() override {
    for (const std::string& path : files_) std::remove(path.c_str());
  }

  // Without the table tags, whose key is a risk.
  void Configure(std::map<std::string, std::string> more) {
    more.emplace("tables", R"({"exclude": ["tags"]})");
    config_ = harness::MakeConfig(source_.port(), {"shop"}, more);
  }

  // The states of a sync that has ended.
  std::string States() {
    std::vector<std::string> states;
    for (const std::string& name : SimulatedSource::Tables()) {
      states.push_back(absl::StrCat(R"({"type":"STREAM","stream":{"stream_descriptor":{"name":")",
                                    name, R"(","namespace":"shop"},"stream_state":)",
                                    source_.destination().State("shop", name).value_or("{}"),
                                    "}}"));
    }
    return absl::StrCat("[", absl::StrJoin(states, ","), "]");
  }

  SimulatedSource source_;
  std::string config_;
  std::vector<std::string> files_;
  int exit_code_ = -1;
};

TEST_F(DoctorTest, FindsNothingWrongWithAClusterAsItShouldBe) {
  const std::string text = Text();

  EXPECT_EQ(exit_code_, 0);
  EXPECT_THAT(text, AllOf(HasSubstr("4 tables of shop can be read"),
                          HasSubstr("Shard shop/-80 serves from a primary"),
                          HasSubstr("Shard shop/80- serves from a primary"),
                          HasSubstr("binlog_row_image=FULL")));
  EXPECT_THAT(text, AllOf(Not(HasSubstr("[risk]")), Not(HasSubstr("[fault]"))));
}

TEST_F(DoctorTest, NamesTablesWhoseCopiesCannotGoOn) {
  config_ = harness::MakeConfig(source_.port(), {"shop"});

  EXPECT_THAT(Text(), AllOf(HasSubstr("[risk]  Keys that VTGate cannot go on within"),
                            HasSubstr("shop.tags"), Not(HasSubstr("shop.notes"))));
  EXPECT_EQ(exit_code_, 0);
}

TEST_F(DoctorTest, NamesTheOptionThatIsWrong) {
  config_ = R"({"host": "127.0.0.1", "port": 15991, "keyspaces": []})";

  EXPECT_THAT(Text(), AllOf(HasSubstr("[fault]"), HasSubstr("keyspaces")));
  EXPECT_EQ(exit_code_, 1);
}

TEST_F(DoctorTest, StopsWhereNothingListens) {
  source_.simulator().Stop();

  EXPECT_THAT(Text(), AllOf(HasSubstr("[fault] nothing listens at this address"),
                            Not(HasSubstr("Shards"))));
  EXPECT_EQ(exit_code_, 1);
}

TEST_F(DoctorTest, TellsPlaintextFromTls) {
  Configure({{"encryption", R"({"mode": "tls"})"}});

  EXPECT_THAT(Text(), AllOf(HasSubstr("[fault]"), HasSubstr("encryption")));
  EXPECT_EQ(exit_code_, 1);
}

TEST_F(DoctorTest, WarnsOfAPasswordThatTravelsReadable) {
  Configure(
      {{"authentication", R"({"method": "password", "username": "etl", "password": "hunter2"})"}});

  EXPECT_THAT(Text(),
              AllOf(HasSubstr("[risk]  The password travels readable"), Not(HasSubstr("hunter2"))));
  EXPECT_EQ(exit_code_, 0);
}

TEST_F(DoctorTest, GoesOnBehindWhatIsWrong) {
  Configure({{"tablet_type", R"("rdonly")"}});
  source_.Execute("create table heap (a int)");

  const std::string text = Text();

  EXPECT_EQ(exit_code_, 1);
  EXPECT_THAT(text, AllOf(HasSubstr("[risk]  Without a key"), HasSubstr("shop.heap"),
                          HasSubstr("[fault] Option \"tablet_type\" is rdonly, and shard shop/-80"),
                          HasSubstr("shard shop/80-"), HasSubstr("2 faults, 1 risk")));
}

TEST_F(DoctorTest, TellsOfRowImages) {
  simulator::ServerVariables variables;
  variables.binlog_row_image = "NOBLOB";
  source_.simulator().cluster().SetVariables(variables);
  EXPECT_THAT(Text(), AllOf(HasSubstr("[risk]"), HasSubstr("NOBLOB")));
  EXPECT_EQ(exit_code_, 0);

  variables.binlog_row_image = "MINIMAL";
  source_.simulator().cluster().SetVariables(variables);
  EXPECT_THAT(Text(), AllOf(HasSubstr("[fault]"), HasSubstr("binlog_row_image=MINIMAL"),
                            HasSubstr("Set it to FULL")));
  EXPECT_EQ(exit_code_, 1);
}

TEST_F(DoctorTest, SaysWhetherReadingCanGoOnFromSavedPositions) {
  for (const std::string& sql : RowsOfEveryTable(1, 5)) source_.Execute(sql);
  ASSERT_EQ(source_.Read().exit.exit_code, 0);
  const std::string states = File("state.json", States());
  EXPECT_THAT(Text({"--state", states}),
              HasSubstr("Stream shop.notes goes on from where it stands"));
  EXPECT_EQ(exit_code_, 0);

  for (const std::string& sql : RowsOfEveryTable(6, 20)) source_.Execute(sql);
  ASSERT_TRUE(source_.simulator().cluster().PurgeLogs("shop", "-80").ok());

  EXPECT_THAT(Text({"--state", states}),
              AllOf(HasSubstr("[fault] shop.notes: "), HasSubstr("purged"), HasSubstr("shop/-80"),
                    HasSubstr("Refresh the stream")));
  EXPECT_EQ(exit_code_, 1);
}

TEST_F(DoctorTest, LooksAtTheStreamsOfTheCatalogAlone) {
  ASSERT_EQ(source_.Read().exit.exit_code, 0);
  const std::string catalog = File("catalog.json", R"({"streams": [{"stream": {"name": "notes",
    "namespace": "shop", "json_schema": {"type": "object", "properties": {"id": {"type": "integer"}}},
    "supported_sync_modes": ["full_refresh", "incremental"]}, "sync_mode": "incremental",
    "destination_sync_mode": "append_dedup"}]})");

  EXPECT_THAT(Text({"--state", File("state.json", States()), "--catalog", catalog}),
              AllOf(HasSubstr("Stream shop.notes"), Not(HasSubstr("Stream shop.orders"))));
  EXPECT_THAT(Text({"--state", File("state.json", "[]"), "--catalog", catalog}),
              HasSubstr("Without a state, and so to be copied: shop.notes"));
}

TEST_F(DoctorTest, SaysTheSameAsJson) {
  Configure({{"tablet_type", R"("rdonly")"}});

  rapidjson::Document document;
  document.Parse(Text({"--json"}).c_str());

  ASSERT_FALSE(document.HasParseError());
  EXPECT_EQ(exit_code_, 1);
  EXPECT_EQ(document["faults"].GetUint(), 2u);
  EXPECT_EQ(document["risks"].GetUint(), 0u);
  const auto& last = document["findings"][document["findings"].Size() - 1];
  EXPECT_STREQ(last["part"].GetString(), "Shards");
  EXPECT_STREQ(last["mark"].GetString(), "fault");
  EXPECT_THAT(last["text"].GetString(), HasSubstr("tablet_type"));
}

}  // namespace
}  // namespace source_vitess::integration_tests
