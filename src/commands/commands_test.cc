#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "commands/fake_vtgate_for_test.h"
#include "commands/run.h"
#include "config/json_document.h"
#include "sync/table_position.h"
#include "telemetry/captured_output_for_test.h"
#include "vitess/errors.h"

namespace source_vitess::commands {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr char kConfig[] =
    R"({"host": "vtgate", "keyspaces": ["customer"], "retry_budget_seconds": 0})";

// A position of customers that is copied up to the fake's own.
std::string CopiedPosition(uint64_t cursor) {
  sync::TablePosition position;
  for (const char* name : {"-80", "80-"}) {
    auto* shard = position.vgtid.add_shard_gtids();
    shard->set_keyspace("customer");
    shard->set_shard(name);
    shard->set_gtid("MySQL56/83c0af68-e68d-11f1-b044-02fc00000001:1-9");
  }
  position.cursor = cursor;
  return sync::ToJson(position);
}

std::string StateOf(const std::string& stream, const std::string& state) {
  return R"({"type": "STREAM", "global": null, "stream": {"stream_descriptor": {"name": ")" +
         stream + R"(", "namespace": "customer"}, "stream_state": )" + state + "}}";
}

std::string StreamOf(const std::string& name, const std::string& mode, const std::string& columns,
                     const std::string& name_space = "customer") {
  return R"({"stream": {"name": ")" + name + R"(", "namespace": ")" + name_space +
         R"(", "json_schema": {"type": "object", "properties": {)" + columns +
         R"(}}}, "sync_mode": ")" + mode + R"(", "destination_sync_mode": "append"})";
}

std::string CatalogOf(const std::string& streams) { return "{\"streams\": [" + streams + "]}"; }

class CommandsTest : public testing::Test {
 protected:
  // Writes a file that is gone with the test, and gives its path.
  std::string File(const std::string& name, const std::string& content) {
    const std::string path =
        testing::TempDir() + "source-vitess-" + std::to_string(getpid()) + "-" + name;
    std::ofstream(path) << content;
    files_.push_back(path);
    return path;
  }

  ~CommandsTest() override {
    for (const std::string& path : files_) unlink(path.c_str());
  }

  int RunWords(std::vector<std::string> words) {
    return commands::Run(
        std::move(words), "warn", captured_.output(),
        [this](const vitess::ChannelOptions&,
               std::stop_token) -> absl::StatusOr<std::unique_ptr<vitess::VtgateClient>> {
          return std::make_unique<FakeVtgate>(vitess_);
        },
        [] { return int64_t{1767225600100}; });
  }

  int RunCheckOf(const std::string& config) {
    return RunWords({"check", "--config", File("config.json", config)});
  }

  int RunReadOf(const std::string& catalog, const std::string& state = "",
                const std::string& config = kConfig) {
    return RunWords({"read", "--config", File("config.json", config), "--catalog",
                     File("catalog.txt", catalog), "--state", File("state.txt", state)});
  }

  // The lines but for the LOG messages.
  std::vector<std::string> Messages() const {
    std::vector<std::string> messages;
    for (const std::string& line : captured_.Lines()) {
      EXPECT_TRUE(config::ParseJson(line).ok()) << line;
      if (!line.starts_with(R"({"type":"LOG")")) messages.push_back(line);
    }
    return messages;
  }

  FakeVitess vitess_;
  telemetry::CapturedOutput captured_;
  std::vector<std::string> files_;
};

TEST_F(CommandsTest, SaysNothingToAHostThatAskedThemToStop) {
  vitess_.connection = vitess::HostError("asked to stop");
  const std::string config = File("config.json", kConfig);
  const std::string catalog =
      File("catalog.txt", CatalogOf(StreamOf("customers", "incremental", R"("id": {})")));

  EXPECT_EQ(RunWords({"check", "--config", config}), 0);
  EXPECT_EQ(RunWords({"discover", "--config", config}), 0);
  EXPECT_EQ(RunWords({"read", "--config", config, "--catalog", catalog}), 0);

  EXPECT_THAT(captured_.Lines(), IsEmpty());
}

using SpecTest = CommandsTest;

TEST_F(SpecTest, PrintsTheSpecificationAlone) {
  EXPECT_EQ(RunWords({"spec"}), 0);

  EXPECT_THAT(captured_.Lines(), ElementsAre(StartsWith(R"({"type":"SPEC","spec":{)")));
}

TEST_F(SpecTest, AnswersACommandLineThatItDoesNotUnderstandWithATrace) {
  testing::internal::CaptureStderr();
  EXPECT_NE(RunWords({"check"}), 0);

  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("--config"));
  EXPECT_THAT(captured_.Lines(),
              ElementsAre(AllOf(HasSubstr(R"("type":"ERROR")"), HasSubstr("--config"))));
}

class CheckTest : public CommandsTest {
 protected:
  // The message of the one status, which has to be FAILED.
  std::string Failure() const {
    const std::vector<std::string> messages = Messages();
    EXPECT_THAT(messages, ElementsAre(HasSubstr(R"("status":"FAILED")")));
    if (messages.size() != 1) return "";
    const auto message = config::ParseJson(messages[0]);
    return (*message)["connectionStatus"]["message"].GetString();
  }
};

TEST_F(CheckTest, Succeeds) {
  EXPECT_EQ(RunCheckOf(kConfig), 0);

  EXPECT_THAT(
      captured_.Lines(),
      ElementsAre(R"({"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED"}})"));
}

TEST_F(CheckTest, NamesTheOptionThatIsNotValid) {
  EXPECT_EQ(RunCheckOf(R"({"host": "vtgate", "keyspaces": ["customer"], "port": 0})"), 0);

  EXPECT_EQ(Failure(), "Option \"port\" wants an integer from 1 to 65535, and got 0.");
}

TEST_F(CheckTest, NamesAFileThatIsNotThere) {
  EXPECT_EQ(RunWords({"check", "--config", "/nowhere/config.json"}), 0);

  EXPECT_THAT(Failure(), HasSubstr("/nowhere/config.json"));
}

TEST_F(CheckTest, SaysWhyNoConnectionIsMade) {
  vitess_.connection = vitess::ConfigurationError("wrong password");

  EXPECT_EQ(RunCheckOf(kConfig), 0);

  EXPECT_THAT(Failure(), HasSubstr("wrong password"));
}

TEST_F(CheckTest, AnswersAtOnceWhereOthersTryAgain) {
  vitess_.connection = vitess::TransientError("no route");

  EXPECT_EQ(RunCheckOf(R"({"host": "vtgate", "keyspaces": ["customer"]})"), 0);

  EXPECT_THAT(Failure(), HasSubstr("no route"));
  EXPECT_EQ(vitess_.queries, 1);
}

TEST_F(CheckTest, NamesTheKeyspacesThatThereAre) {
  EXPECT_EQ(RunCheckOf(R"({"host": "vtgate", "keyspaces": ["custommer"]})"), 0);

  EXPECT_EQ(Failure(),
            "Option \"keyspaces\" names custommer, and Vitess has no such keyspace. It "
            "has: customer, commerce.");
}

TEST_F(CheckTest, NamesTheTabletTypesThatThereAre) {
  EXPECT_EQ(RunCheckOf(R"({"host": "vtgate", "keyspaces": ["customer"], "tablet_type": "rdonly"})"),
            0);

  EXPECT_EQ(Failure(),
            "Option \"tablet_type\" is rdonly, and shard customer/-80 has no such tablet. "
            "It has: primary, replica.");
}

TEST_F(CheckTest, TellsATabletThatDoesNotServeFromNone) {
  EXPECT_EQ(
      RunCheckOf(R"({"host": "vtgate", "keyspaces": ["customer"], "tablet_type": "replica"})"), 0);

  EXPECT_THAT(Failure(), AllOf(HasSubstr("customer/80-"), HasSubstr("none of them serves")));
}

TEST_F(CheckTest, ChecksTheChosenShardsAlone) {
  EXPECT_EQ(RunCheckOf(R"({"host": "vtgate", "keyspaces": ["customer"], "tablet_type": "replica",
                           "shards": ["-80"]})"),
            0);

  EXPECT_THAT(Messages(), ElementsAre(HasSubstr("SUCCEEDED")));
}

TEST_F(CheckTest, NamesTheShardsThatThereAre) {
  EXPECT_EQ(RunCheckOf(R"({"host": "vtgate", "keyspaces": ["customer"], "shards": ["0"]})"), 0);

  EXPECT_THAT(Failure(), AllOf(HasSubstr("\"shards\""), HasSubstr("-80, 80-")));
}

TEST_F(CheckTest, NamesAShardThatIsNotThere) {
  EXPECT_EQ(
      RunCheckOf(R"({"host": "vtgate", "keyspaces": ["customer"], "shards": ["-80", "40-"]})"), 0);

  EXPECT_THAT(Failure(), HasSubstr("names 40-"));
}

TEST_F(CheckTest, RefusesAMinimalRowImage) {
  vitess_.row_image = "MINIMAL";

  EXPECT_EQ(RunCheckOf(kConfig), 0);

  EXPECT_THAT(Failure(), AllOf(HasSubstr("customer/-80"), HasSubstr("binlog_row_image")));
}

TEST_F(CheckTest, WarnsOfRowsThatComeInParts) {
  vitess_.row_image = "NOBLOB";
  vitess_.row_value_options = "PARTIAL_JSON";

  EXPECT_EQ(RunCheckOf(kConfig), 0);

  EXPECT_THAT(Messages(), ElementsAre(HasSubstr("SUCCEEDED")));
  EXPECT_THAT(captured_.Lines(),
              Contains(AllOf(HasSubstr(R"("level":"WARN")"), HasSubstr("NOBLOB"))));
  EXPECT_THAT(captured_.Lines(),
              Contains(AllOf(HasSubstr(R"("level":"WARN")"), HasSubstr("PARTIAL_JSON"))));
}

// All that check logs, in one text.
std::string Logged(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    if (line.starts_with(R"({"type":"LOG")")) text += line + "\n";
  }
  return text;
}

TEST_F(CheckTest, SaysTheSameOfManyShardsOnce) {
  vitess_.row_image = "NOBLOB";

  EXPECT_EQ(RunCheckOf(kConfig), 0);

  EXPECT_THAT(captured_.Lines(),
              ElementsAre(HasSubstr("shards customer/-80, customer/80-"), HasSubstr("SUCCEEDED")));
}

TEST_F(CheckTest, WarnsOfBinaryLogsThatAreNotKeptForLong) {
  vitess_.log_seconds = "3600";

  EXPECT_EQ(RunCheckOf(kConfig), 0);

  EXPECT_THAT(Messages(), ElementsAre(HasSubstr("SUCCEEDED")));
  EXPECT_THAT(Logged(captured_.Lines()),
              AllOf(HasSubstr("customer/-80"), HasSubstr("as little as 1h"),
                    HasSubstr("binlog_expire_logs_seconds")));
}

TEST_F(CheckTest, NamesTheTablesThatForeignKeysChangeUnseen) {
  vitess_.cascaded = {{"customers"}, {"of_no_interest"}};

  EXPECT_EQ(RunCheckOf(kConfig), 0);

  EXPECT_THAT(Messages(), ElementsAre(HasSubstr("SUCCEEDED")));
  EXPECT_THAT(Logged(captured_.Lines()),
              AllOf(HasSubstr("Foreign keys"), HasSubstr("customer.customers"),
                    Not(HasSubstr("of_no_interest"))));
}

TEST_F(CheckTest, HasNothingAgainstForeignKeysThatVitessManages) {
  vitess_.cascaded = {{"customers"}};
  vitess_.foreign_keys = "managed";

  EXPECT_EQ(RunCheckOf(kConfig), 0);

  EXPECT_THAT(Logged(captured_.Lines()), IsEmpty());
}

TEST_F(CheckTest, NamesTheTablesThatVitessNeverStreams) {
  vitess_.tables.push_back({"vt_customer", "_customers_old", "BASE TABLE", "3", "InnoDB"});
  vitess_.tables.push_back({"vt_customer",
                            "_vt_hld_6ace8bcef73211ea87e9f875a4d24e90_20200915120410_",
                            "BASE TABLE", "0", "InnoDB"});

  EXPECT_EQ(RunCheckOf(kConfig), 0);

  EXPECT_THAT(Messages(), ElementsAre(HasSubstr("SUCCEEDED")));
  EXPECT_THAT(Logged(captured_.Lines()),
              AllOf(HasSubstr("customer._customers_old"), Not(HasSubstr("_vt_hld"))));
}

TEST_F(CheckTest, SucceedsWhereServersDoNotAnswerWhatIsGoodToKnow) {
  vitess_.cascaded = {{"customers"}};
  vitess_.advice = absl::UnknownError("SELECT command denied");

  EXPECT_EQ(RunCheckOf(kConfig), 0);

  EXPECT_THAT(captured_.Lines(), ElementsAre(HasSubstr("SUCCEEDED")));
}

TEST_F(CheckTest, WantsATable) {
  EXPECT_EQ(RunCheckOf(R"({"host": "vtgate", "keyspaces": ["commerce"]})"), 0);

  EXPECT_THAT(Failure(), AllOf(HasSubstr("no table"), HasSubstr("commerce")));
}

TEST_F(CheckTest, NamesTheOptionThatLeavesNoTable) {
  EXPECT_EQ(RunCheckOf(R"({"host": "vtgate", "keyspaces": ["customer"],
                           "tables": {"include": ["nothing*"]}})"),
            0);

  EXPECT_THAT(Failure(), HasSubstr("\"tables.include\""));
}

TEST_F(CheckTest, WarnsOfAPatternWithoutATable) {
  EXPECT_EQ(RunCheckOf(R"({"host": "vtgate", "keyspaces": ["customer"],
                           "tables": {"include": ["nopk", "ordres"]}})"),
            0);

  EXPECT_THAT(Messages(), ElementsAre(HasSubstr("SUCCEEDED")));
  EXPECT_THAT(captured_.Lines(), Contains(HasSubstr("pattern ordres")));
}

class DiscoverTest : public CommandsTest {
 protected:
  int RunDiscoverOf(const std::string& config) {
    return RunWords({"discover", "--config=" + File("config.json", config)});
  }
};

TEST_F(DiscoverTest, PrintsTheCatalog) {
  EXPECT_EQ(RunDiscoverOf(kConfig), 0);

  EXPECT_THAT(captured_.Lines(),
              ElementsAre(AllOf(
                  StartsWith(R"({"type":"CATALOG","catalog":{"streams":[{"name":"customers")"),
                  HasSubstr(R"({"name":"nopk","namespace":"customer")"))));
}

TEST_F(DiscoverTest, OffersTheTablesThatAreWantedAlone) {
  EXPECT_EQ(RunDiscoverOf(R"({"host": "vtgate", "keyspaces": ["customer"],
                              "tables": {"exclude": ["customers"]}})"),
            0);

  EXPECT_THAT(captured_.Lines(),
              ElementsAre(AllOf(HasSubstr("nopk"), Not(HasSubstr("customers")))));
}

TEST_F(DiscoverTest, FailsWithATrace) {
  vitess_.connection = vitess::TransientError("no route");

  EXPECT_EQ(RunDiscoverOf(kConfig), 1);

  EXPECT_THAT(Messages(), ElementsAre(AllOf(HasSubstr("no route"),
                                            HasSubstr(R"("failure_type":"transient_error")"))));
}

TEST_F(DiscoverTest, TriesAgainWhatFailsForAMoment) {
  vitess_.connection = vitess::TransientError("no route");
  vitess_.failing_queries = 2;

  EXPECT_EQ(RunDiscoverOf(R"({"host": "vtgate", "keyspaces": ["customer"]})"), 0);

  EXPECT_THAT(captured_.Lines(),
              ElementsAre(AllOf(HasSubstr("Trying again"), HasSubstr("no route")),
                          HasSubstr(R"("type":"CATALOG")")));
}

TEST_F(DiscoverTest, FailsWithoutATable) {
  EXPECT_EQ(RunDiscoverOf(R"({"host": "vtgate", "keyspaces": ["commerce"]})"), 1);

  EXPECT_THAT(Messages(), ElementsAre(HasSubstr(R"("failure_type":"config_error")")));
}

class ReadTest : public CommandsTest {
 protected:
  void ExpectOneConfigError(const std::string& what) const {
    EXPECT_THAT(Messages(),
                ElementsAre(AllOf(HasSubstr(R"("failure_type":"config_error")"), HasSubstr(what))));
  }
};

const char kCustomers[] = R"("id": {}, "email": {})";

TEST_F(ReadTest, RefusesABrokenConfiguration) {
  EXPECT_EQ(RunReadOf(CatalogOf(""), "", "{"), 1);

  ExpectOneConfigError("The configuration: not valid JSON");
}

TEST_F(ReadTest, RefusesABrokenCatalog) {
  EXPECT_EQ(RunReadOf("{"), 1);

  ExpectOneConfigError("The configured catalog: not valid JSON");
}

TEST_F(ReadTest, RefusesABrokenState) {
  EXPECT_EQ(RunReadOf(CatalogOf(StreamOf("customers", "incremental", kCustomers)), "[1"), 1);

  ExpectOneConfigError("The input state: not valid JSON");
}

TEST_F(ReadTest, EndsEveryStreamAndSaysOnceWhyNothingCanBeRead) {
  vitess_.connection = vitess::ConfigurationError("wrong password");

  EXPECT_EQ(RunReadOf(CatalogOf(StreamOf("customers", "incremental", kCustomers) + "," +
                                StreamOf("nopk", "full_refresh", R"("a": {})"))),
            1);

  EXPECT_THAT(Messages(),
              ElementsAre(HasSubstr("STARTED"), HasSubstr("INCOMPLETE"), HasSubstr("STARTED"),
                          HasSubstr("INCOMPLETE"), HasSubstr("wrong password")));
}

TEST_F(ReadTest, TriesAgainWhatFailsForAMomentAndSaysSoOnce) {
  vitess_.connection = vitess::TransientError("no route");
  vitess_.failing_queries = 3;

  EXPECT_EQ(RunReadOf(CatalogOf(StreamOf("customers", "incremental", kCustomers)),
                      "[" + StateOf("customers", CopiedPosition(5)) + "]",
                      R"({"host": "vtgate", "keyspaces": ["customer"]})"),
            0);

  EXPECT_THAT(
      captured_.Lines(),
      ElementsAre(AllOf(HasSubstr("Trying again"), HasSubstr("no route")), HasSubstr("STARTED"),
                  HasSubstr(R"("type":"STATE")"), HasSubstr("RUNNING"), HasSubstr("COMPLETE")));
}

TEST_F(ReadTest, GivesUpWhatFailsForLongerThanTheBudget) {
  vitess_.connection = vitess::TransientError("no route");

  EXPECT_EQ(RunReadOf(CatalogOf(StreamOf("customers", "incremental", kCustomers))), 1);

  EXPECT_THAT(Messages(), ElementsAre(HasSubstr("STARTED"), HasSubstr("INCOMPLETE"),
                                      AllOf(HasSubstr("given up"), HasSubstr("no route"),
                                            HasSubstr(R"("failure_type":"transient_error")"))));
}

TEST_F(ReadTest, SaysOfAStreamThatItsTableIsGone) {
  EXPECT_EQ(RunReadOf(CatalogOf(StreamOf("gone", "incremental", kCustomers))), 1);

  EXPECT_THAT(Messages(),
              ElementsAre(HasSubstr("STARTED"), HasSubstr("INCOMPLETE"),
                          AllOf(HasSubstr("Stream customer.gone: there is no such table"),
                                HasSubstr(R"("failure_type":"config_error")"),
                                HasSubstr(R"("stream_descriptor":{"name":"gone")"))));
}

TEST_F(ReadTest, SaysOfAStreamWhyItIsNotOffered) {
  EXPECT_EQ(RunReadOf(CatalogOf(StreamOf("a", "incremental", kCustomers, "") + "," +
                                StreamOf("b", "incremental", kCustomers, "commerce") + "," +
                                StreamOf("c", "incremental", R"("_ab_cdc_cursor": {})") + "," +
                                StreamOf("d", "INVALID", kCustomers) + "," +
                                StreamOf("customers", "incremental", R"("gone": {})"))),
            1);

  std::vector<std::string> errors;
  for (const std::string& line : Messages()) {
    if (line.find(R"("type":"ERROR")") != std::string::npos) errors.push_back(line);
  }
  EXPECT_THAT(errors, ElementsAre(HasSubstr("no namespace"), HasSubstr("keyspaces"),
                                  HasSubstr("selects none of its columns"), HasSubstr("sync_mode"),
                                  HasSubstr("none of its configured columns")));
  EXPECT_EQ(vitess_.streams, 0);
}

TEST_F(ReadTest, RefusesTheStateOfAnotherSourceForItsStreamAlone) {
  EXPECT_EQ(RunReadOf(CatalogOf(StreamOf("customers", "full_refresh", kCustomers) + "," +
                                StreamOf("nopk", "full_refresh", R"("a": {})")),
                      "[" + StateOf("customers", CopiedPosition(5)) + "," +
                          StateOf("nopk", R"({"lsn": 7})") + "]"),
            1);

  EXPECT_THAT(Messages(),
              Contains(AllOf(HasSubstr(R"("type":"ERROR")"), HasSubstr("Stream customer.nopk"))));
  EXPECT_THAT(Messages(), Contains(AllOf(HasSubstr("customers"), HasSubstr("COMPLETE"))));
}

TEST_F(ReadTest, RepeatsTheFinalStateOfACompleteFullRefresh) {
  EXPECT_EQ(RunReadOf(CatalogOf(StreamOf("customers", "full_refresh", kCustomers)),
                      "[" + StateOf("customers", CopiedPosition(5)) + "]"),
            0);

  EXPECT_THAT(Messages(),
              ElementsAre(HasSubstr("STARTED"),
                          AllOf(HasSubstr(R"("type":"STATE")"), HasSubstr(CopiedPosition(5)),
                                HasSubstr(R"("recordCount":0.0)")),
                          HasSubstr("RUNNING"), HasSubstr("COMPLETE")));
  EXPECT_EQ(vitess_.streams, 0);
}

TEST_F(ReadTest, EndsAtOnceWhereNothingHasChanged) {
  EXPECT_EQ(RunReadOf(CatalogOf(StreamOf("customers", "incremental", kCustomers)),
                      "[" + StateOf("customers", CopiedPosition(5)) + "]"),
            0);

  EXPECT_THAT(Messages(), ElementsAre(HasSubstr("STARTED"), HasSubstr(R"("type":"STATE")"),
                                      HasSubstr("RUNNING"), HasSubstr("COMPLETE")));
  EXPECT_EQ(vitess_.streams, 0);
}

TEST_F(ReadTest, WarnsOfAColumnThatIsGone) {
  EXPECT_EQ(RunReadOf(CatalogOf(StreamOf("customers", "incremental", R"("id": {}, "gone": {})")),
                      "[" + StateOf("customers", CopiedPosition(5)) + "]"),
            0);

  EXPECT_THAT(captured_.Lines(),
              Contains(AllOf(HasSubstr(R"("level":"WARN")"), HasSubstr("customer.customers"),
                             HasSubstr("gone"))));
}

TEST_F(ReadTest, ReadsATableWithoutAKeyAsAWholeEvenAfterACompleteSync) {
  EXPECT_EQ(RunReadOf(CatalogOf(StreamOf("nopk", "incremental", R"("a": {})")),
                      "[" + StateOf("nopk", CopiedPosition(5)) + "]"),
            1);

  EXPECT_THAT(captured_.Lines(),
              Contains(AllOf(HasSubstr(R"("level":"WARN")"), HasSubstr("no key"))));
  EXPECT_GT(vitess_.streams, 0);  // which the fake does not answer
}

TEST_F(ReadTest, HasNothingToDoForAnEmptyCatalog) {
  EXPECT_EQ(RunReadOf(CatalogOf("")), 0);

  EXPECT_THAT(Messages(), IsEmpty());
}

}  // namespace
}  // namespace source_vitess::commands
