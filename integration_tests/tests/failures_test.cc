// What a user sees when something is wrong with the configuration, the server, or the files of a
// read.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "harness/connector.h"
#include "rapidjson/document.h"
#include "tests/simulated_source.h"
#include "vitess/certificates_for_test.h"

namespace source_vitess::integration_tests {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The lines of one type.
std::vector<std::string> Of(const harness::RunResult& run, const std::string& type) {
  std::vector<std::string> lines;
  for (const std::string& line : run.lines) {
    rapidjson::Document message;
    message.Parse(line.c_str());
    if (message.IsObject() && message.HasMember("type") && type == message["type"].GetString()) {
      lines.push_back(line);
    }
  }
  return lines;
}

std::vector<std::string> TraceErrors(const harness::RunResult& run) {
  std::vector<std::string> errors;
  for (const std::string& line : Of(run, "TRACE")) {
    if (absl::StrContains(line, "\"type\":\"ERROR\"")) errors.push_back(line);
  }
  return errors;
}

// Runs `check` with the configuration.
harness::RunResult Check(const std::string& config) {
  auto connector = harness::Connector::Make(SOURCE_VITESS_PROGRAM, config);
  EXPECT_TRUE(connector.ok()) << connector.status();
  auto run = (*connector)->Check();
  EXPECT_TRUE(run.ok()) << run.status();
  return run.value_or(harness::RunResult());
}

// One CONNECTION_STATUS, FAILED, whose message has every one of the texts; exit code 0, nothing on
// stderr.
void ExpectFailed(const harness::RunResult& run, const std::vector<std::string>& texts) {
  const std::vector<std::string> statuses = Of(run, "CONNECTION_STATUS");
  ASSERT_THAT(statuses, SizeIs(1));
  EXPECT_THAT(statuses[0], HasSubstr("FAILED"));
  for (const std::string& text : texts) EXPECT_THAT(statuses[0], HasSubstr(text));
  EXPECT_EQ(run.exit.exit_code, 0);
  EXPECT_THAT(run.errors, IsEmpty());
}

TEST(CheckTest, SucceedsWhereEverythingIsFine) {
  SimulatedSource source;

  const harness::RunResult run = Check(harness::MakeConfig(source.port(), {"shop"}));

  ASSERT_THAT(Of(run, "CONNECTION_STATUS"), SizeIs(1));
  EXPECT_THAT(Of(run, "CONNECTION_STATUS")[0], HasSubstr("SUCCEEDED"));
  EXPECT_EQ(run.exit.exit_code, 0);
  EXPECT_THAT(run.errors, IsEmpty());
}

TEST(CheckTest, NamesTheHostAndThePortThatNobodyListensOn) {
  SimulatedSource source;
  const int port = source.port();
  source.simulator().Stop();

  ExpectFailed(Check(harness::MakeConfig(port, {"shop"})),
               {absl::StrCat("127.0.0.1:", port), "port"});
}

TEST(CheckTest, NamesTheWrongPassword) {
  simulator::SimulatorOptions options;
  options.service.user = {"reader", "right"};
  simulator::Simulator server(std::move(options));
  const auto port = server.Start();
  ASSERT_TRUE(port.ok());
  const std::string config = harness::MakeConfig(
      *port, {"shop"},
      {{"authentication",
        R"({"method": "password", "username": "reader", "password": "not-the-right-one"})"}});

  const harness::RunResult run = Check(config);

  ExpectFailed(run, {"password"});
  for (const std::string& line : run.lines) EXPECT_THAT(line, Not(HasSubstr("not-the-right-one")));
}

TEST(CheckTest, NamesTheKeyspaceThatIsNotThereAndThoseThatAre) {
  SimulatedSource source;

  ExpectFailed(Check(harness::MakeConfig(source.port(), {"shopp"})),
               {"shopp", "shop", "keyspaces"});
}

TEST(CheckTest, NamesTheTabletTypeThatNoTabletHas) {
  SimulatedSource source;

  ExpectFailed(
      Check(harness::MakeConfig(source.port(), {"shop"}, {{"tablet_type", R"("rdonly")"}})),
      {"rdonly", "tablet_type", "shop"});
}

TEST(CheckTest, NamesTheCertificateAuthorityThatItDoesNotKnow) {
  simulator::SimulatorOptions options;
  grpc::SslServerCredentialsOptions tls;
  tls.pem_key_cert_pairs = {{vitess::kServerKey, vitess::kServerCertificate}};
  options.credentials = grpc::SslServerCredentials(tls);
  simulator::Simulator server(std::move(options));
  const auto port = server.Start();
  ASSERT_TRUE(port.ok());

  ExpectFailed(Check(harness::MakeConfig(*port, {"shop"}, {{"encryption", R"({"mode": "tls"})"}})),
               {"certificate", "ca_certificate"});
}

TEST(CheckTest, NamesTheOptionThatIsNotValid) {
  ExpectFailed(Check(R"({"host": "127.0.0.1", "port": 0, "keyspaces": ["shop"]})"), {"port"});
  ExpectFailed(Check(R"({"host": "127.0.0.1"})"), {"keyspaces"});
  ExpectFailed(Check("{not json"), {"JSON"});
}

class ReadFilesTest : public ::testing::Test {
 protected:
  harness::RunResult Read(const std::string& catalog, const std::string& state) {
    auto run = source_.connector().Read(catalog, state);
    EXPECT_TRUE(run.ok()) << run.status();
    return run.value_or(harness::RunResult());
  }

  SimulatedSource source_;
};

TEST_F(ReadFilesTest, ACatalogThatIsNoJsonIsAnError) {
  const harness::RunResult run = Read("{", "[]");

  ASSERT_THAT(TraceErrors(run), SizeIs(1));
  EXPECT_THAT(TraceErrors(run)[0], AllOf(HasSubstr("catalog"), HasSubstr("config_error")));
  EXPECT_EQ(run.exit.exit_code, 1);
  EXPECT_THAT(run.errors, IsEmpty());
}

TEST_F(ReadFilesTest, AStateThatIsNoJsonIsAnError) {
  const harness::RunResult run = Read(source_.catalog(), "[{");

  ASSERT_THAT(TraceErrors(run), SizeIs(1));
  EXPECT_THAT(TraceErrors(run)[0], AllOf(HasSubstr("state"), HasSubstr("config_error")));
  EXPECT_EQ(run.exit.exit_code, 1);
  EXPECT_THAT(run.errors, IsEmpty());
}

TEST_F(ReadFilesTest, AConfigurationThatIsNotValidIsAnError) {
  auto connector = harness::Connector::Make(SOURCE_VITESS_PROGRAM, R"({"host": 7})");
  ASSERT_TRUE(connector.ok());

  const auto run = (*connector)->Read(source_.catalog(), "[]");

  ASSERT_TRUE(run.ok());
  ASSERT_THAT(TraceErrors(*run), SizeIs(1));
  EXPECT_THAT(TraceErrors(*run)[0], AllOf(HasSubstr("host"), HasSubstr("config_error")));
  EXPECT_EQ(run->exit.exit_code, 1);
  EXPECT_THAT(run->errors, IsEmpty());
}

TEST_F(ReadFilesTest, AStateOfOneStreamThatIsNotOursFailsThatStreamAlone) {
  for (const std::string& sql : RowsOfEveryTable(1, 3)) source_.Execute(sql);

  const harness::RunResult run = Read(
      source_.catalog(), R"([{"type": "STREAM", "stream": {"stream_descriptor": {"name": "notes",)"
                         R"( "namespace": "shop"}, "stream_state": {"lsn": 7}}}])");

  ASSERT_THAT(TraceErrors(run), SizeIs(1));
  EXPECT_THAT(TraceErrors(run)[0], HasSubstr("notes"));
  EXPECT_EQ(run.exit.exit_code, 1);
  harness::Destination destination(source_.catalog());
  destination.AcceptRun(run);
  EXPECT_EQ(destination.Sync("shop", "notes").status, harness::StreamStatus::kIncomplete);
  EXPECT_EQ(destination.Sync("shop", "customers").status, harness::StreamStatus::kComplete);
  EXPECT_EQ(destination.Sync("shop", "customers").records, 3u);
}

TEST_F(ReadFilesTest, ATableThatIsGoneFailsItsStreamAlone) {
  for (const std::string& sql : RowsOfEveryTable(1, 3)) source_.Execute(sql);
  source_.Execute("drop table notes");

  const harness::RunResult run = Read(source_.catalog(), "[]");

  ASSERT_THAT(TraceErrors(run), SizeIs(1));
  EXPECT_THAT(TraceErrors(run)[0], AllOf(HasSubstr("notes"), HasSubstr("config_error")));
  EXPECT_EQ(run.exit.exit_code, 1);
  harness::Destination destination(source_.catalog());
  destination.AcceptRun(run);
  EXPECT_EQ(destination.Sync("shop", "notes").status, harness::StreamStatus::kIncomplete);
  EXPECT_EQ(destination.Sync("shop", "orders").status, harness::StreamStatus::kComplete);
}

TEST(LostPositionTest, APositionWhoseBinaryLogsWerePurgedIsToldBeforeAnythingIsRead) {
  SimulatedSource source;
  for (const std::string& sql : RowsOfEveryTable(1, 3)) source.Execute(sql);
  ASSERT_EQ(source.Read().exit.exit_code, 0);
  for (const std::string& sql : RowsOfEveryTable(4, 9)) source.Execute(sql);
  ASSERT_TRUE(source.simulator().cluster().PurgeLogs("shop", "-80").ok());

  const harness::RunResult run = source.Read();

  EXPECT_EQ(run.exit.exit_code, 1);
  EXPECT_THAT(TraceErrors(run), SizeIs(5));
  EXPECT_THAT(TraceErrors(run)[0],
              AllOf(HasSubstr("purged"), HasSubstr("shop/-80"), HasSubstr("config_error")));
  EXPECT_THAT(Of(run, "RECORD"), IsEmpty());
}

TEST(LostPositionTest, TheTablesAreCopiedAgainIfTheOptionSaysSo) {
  SimulatedSource source({}, {{"lost_position", R"("copy_again")"}});
  for (const std::string& sql : RowsOfEveryTable(1, 3)) source.Execute(sql);
  ASSERT_EQ(source.Read().exit.exit_code, 0);
  for (const std::string& sql : RowsOfEveryTable(4, 9)) source.Execute(sql);
  ASSERT_TRUE(source.simulator().cluster().PurgeLogs("shop", "-80").ok());

  ASSERT_EQ(source.Read().exit.exit_code, 0);

  EXPECT_THAT(source.Differences(), IsEmpty());
}

TEST(TransientFaultTest, BrokenStreamsAreResumed) {
  SimulatedSource source({}, {{"checkpoint_interval", "5"}});
  for (const std::string& sql : RowsOfEveryTable(1, 40)) source.Execute(sql);
  for (uint64_t events = 1; events < 30; events += 3) {
    simulator::StreamFault fault;
    fault.after_events = events;
    fault.streams = 1;
    source.simulator().faults().Add(fault);
  }

  ASSERT_EQ(source.Read().exit.exit_code, 0);

  EXPECT_THAT(source.Differences(), IsEmpty());
  EXPECT_THAT(source.destination().violations(), IsEmpty());
}

TEST(TransientFaultTest, WhatDoesNotPassEndsInATransientError) {
  SimulatedSource source({}, {{"retry_budget_seconds", "1"}});
  source.simulator().faults().Add(simulator::StreamFault{});

  const harness::RunResult run = source.Read();

  EXPECT_EQ(run.exit.exit_code, 1);
  ASSERT_THAT(TraceErrors(run), SizeIs(5));
  EXPECT_THAT(TraceErrors(run)[0], HasSubstr("transient_error"));
}

}  // namespace
}  // namespace source_vitess::integration_tests
