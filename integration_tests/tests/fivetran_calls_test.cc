// Fivetran's calls when something is wrong, ends early, or runs beside another.
#include <csignal>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fivetran_source.h"

namespace source_vitess::integration_tests {
namespace {

using harness::FivetranConnection;
using harness::FivetranReport;
using harness::FivetranStop;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

// How soon a cancelled call has stopped reading Vitess, with some time for a busy machine.
constexpr absl::Duration kPromptly = absl::Seconds(4);

class FivetranCallsTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(source_.BrokenRules(), IsEmpty()); }

  // Fills in the form anew.
  void Configure(const std::map<std::string, std::string>& more) {
    const auto refused =
        source_.connection().Configure(FivetranConfiguration(source_.port(), "shop", more));
    ASSERT_TRUE(refused.ok()) << refused.status();
    ASSERT_THAT(*refused, IsEmpty());
  }

  // The texts of the tests that fail, by test.
  std::map<std::string, std::string> Failures() {
    std::map<std::string, std::string> failures;
    const auto form = source_.connection().Form();
    EXPECT_TRUE(form.ok()) << form.status();
    for (const auto& [name, label] : form->tests) {
      const auto failure = source_.connection().Test(name);
      EXPECT_TRUE(failure.ok()) << failure.status();
      if (failure.ok() && failure->has_value()) failures[name] = **failure;
    }
    return failures;
  }

  // An Update gives a task that has the text, and nothing else.
  void ExpectTask(const std::string& text) {
    const FivetranReport report = Update();
    EXPECT_THAT(report.task.value_or(""), HasSubstr(text));
    EXPECT_EQ(report.status, "OK");
    EXPECT_EQ(report.records, 0u);
  }

  FivetranReport Update() {
    const auto report = source_.connection().Update();
    EXPECT_TRUE(report.ok()) << report.status();
    return report.value_or(FivetranReport());
  }

  FivetranSource source_;
};

TEST_F(FivetranCallsTest, AKeyspaceThatIsNotThereIsAFailedTestAndATask) {
  Configure({{"keyspaces", "elsewhere"}});

  EXPECT_THAT(Failures(), Contains(Pair("keyspaces_and_tables", HasSubstr("elsewhere"))));
  ExpectTask("elsewhere");
  EXPECT_FALSE(source_.connection().Schema().ok());
}

TEST_F(FivetranCallsTest, AValueThatCannotBeIsAFailedTestAndATask) {
  Configure({{"port", "many"}});

  EXPECT_THAT(Failures(), Contains(Pair("connection", HasSubstr("Port"))));
  ExpectTask("Port");
}

TEST_F(FivetranCallsTest, AServerThatIsNotThereIsAFailedTest) {
  source_.simulator().Stop();

  EXPECT_THAT(Failures(), Contains(Key("connection")));
}

TEST_F(FivetranCallsTest, AServerThatStaysAwayEndsTheUpdateWithAStatusToTryAgain) {
  Configure({{"retry_budget_seconds", "1"}});
  source_.simulator().Stop();

  const FivetranReport report = Update();

  EXPECT_EQ(report.status, "UNAVAILABLE");
  EXPECT_EQ(report.task, std::nullopt);
}

TEST_F(FivetranCallsTest, AnUpdateThatCannotBeginForgetsNothing) {
  for (const std::string& sql : RowsOfEveryTable(1, 20)) source_.Execute(sql);
  ASSERT_EQ(source_.Sync().Failure(), "");
  const std::string state = source_.connection().State().value();
  Configure({{"keyspaces", "elsewhere"}});
  ExpectTask("elsewhere");
  EXPECT_EQ(source_.connection().State().value(), state);
  Configure({{"retry_budget_seconds", "0"}});
  source_.simulator().faults().Add(simulator::ExecuteFault{});
  EXPECT_EQ(Update().status, "UNAVAILABLE");
  source_.simulator().faults().Clear();
  EXPECT_EQ(source_.connection().State().value(), state);

  Configure({});

  EXPECT_EQ(source_.Sync().records, 0u);
}

TEST_F(FivetranCallsTest, ATableThatIsGoneKeepsItsPositionAndOneThatIsExcludedDoesNot) {
  for (const std::string& sql : RowsOfEveryTable(1, 20)) source_.Execute(sql);
  ASSERT_EQ(source_.Sync().Failure(), "");
  source_.Execute("drop table notes");
  ASSERT_TRUE(source_.connection()
                  .Select(R"({"schemas": {"shop": {"tables": {"words": {"included": false}}}}})")
                  .ok());

  source_.Sync();
  EXPECT_EQ(source_.Sync().Failure(), "");

  EXPECT_THAT(source_.connection().State().value(),
              AllOf(HasSubstr("\"notes\""), Not(HasSubstr("\"words\""))));
}

TEST_F(FivetranCallsTest, ATableWhoseEntryInTheStateIsBrokenIsCopiedAgain) {
  for (const std::string& sql : RowsOfEveryTable(1, 20)) source_.Execute(sql);
  ASSERT_EQ(source_.Sync().Failure(), "");
  std::string state = source_.connection().State().value();
  const size_t entry = state.find("\"notes\":{\"version\":1");
  ASSERT_NE(entry, std::string::npos);
  state.replace(entry, 20, "\"notes\":{\"version\":7");
  ASSERT_TRUE(source_.connection().SetState(state).ok());
  harness::FivetranUpdateOptions options;
  options.may_truncate = {"shop.notes"};

  const FivetranReport report = source_.Sync(options);

  EXPECT_EQ(report.Failure(), "");
  EXPECT_THAT(report.warnings, ElementsAre(HasSubstr("shop.notes")));
  EXPECT_THAT(report.tables, ElementsAre(Key("shop.notes")));
  EXPECT_THAT(source_.Differences(), IsEmpty());
}

TEST_F(FivetranCallsTest, AStateThatIsNoneIsATask) {
  ASSERT_TRUE(source_.connection().SetState(R"({"something": "else"})").ok());

  ExpectTask("state");
}

TEST_F(FivetranCallsTest, ATestThatNobodyKnowsFailsInWords) {
  const auto failure = source_.connection().Test("unknown");

  ASSERT_TRUE(failure.ok()) << failure.status();
  EXPECT_THAT(failure->value_or(""), HasSubstr("unknown"));
}

// An Update that nothing comes of any more, until it is ended.
class FivetranStalledTest : public FivetranCallsTest {
 protected:
  FivetranStalledTest() {
    for (const std::string& sql : RowsOfEveryTable(1, 20)) source_.Execute(sql);
    EXPECT_TRUE(source_.connection().Schema().ok());
    simulator::StreamFault fault;
    fault.kind = simulator::StreamFault::Kind::kStall;
    fault.after_events = 5;
    source_.simulator().faults().Add(fault);
  }

  bool ReadsWithin(absl::Duration patience, bool reads) {
    const absl::Time deadline = absl::Now() + patience;
    while ((source_.simulator().running_streams() > 0) != reads) {
      if (absl::Now() > deadline) return false;
      absl::SleepFor(absl::Milliseconds(5));
    }
    return true;
  }
};

TEST_F(FivetranStalledTest, ACancelledUpdateStopsReadingAtOnce) {
  std::thread update([this] { EXPECT_EQ(Update().status, "CANCELLED"); });
  EXPECT_TRUE(ReadsWithin(absl::Seconds(60), true));

  EXPECT_TRUE(source_.connection().Cancel().ok());

  EXPECT_TRUE(ReadsWithin(kPromptly, false));
  update.join();
}

// Waits between two tries are up to half a minute long.
TEST_F(FivetranCallsTest, ACancelledUpdateThatWaitsToTryAgainEndsAtOnce) {
  source_.simulator().Stop();
  std::thread update([this] { EXPECT_EQ(Update().status, "CANCELLED"); });
  absl::SleepFor(absl::Seconds(4));

  EXPECT_TRUE(source_.connection().Cancel().ok());
  update.join();
  // The connector ends at once when it has no call left, and else after a second and a half.
  const absl::Time begin = absl::Now();
  EXPECT_EQ(source_.connection().Stop().value_or(0), -SIGTERM);
  EXPECT_LT(absl::Now() - begin, absl::Seconds(1));
}

TEST_F(FivetranStalledTest, TheConnectorEndsSoonWhenItIsAskedTo) {
  std::thread update([this] { Update(); });
  EXPECT_TRUE(ReadsWithin(absl::Seconds(60), true));
  const absl::Time begin = absl::Now();

  const absl::StatusOr<int> exit = source_.connection().Stop();

  EXPECT_LT(absl::Now() - begin, kPromptly);
  EXPECT_EQ(exit.value_or(0), -SIGTERM) << exit.status();
  update.join();
}

TEST_F(FivetranStalledTest, OtherCallsAreAnsweredMeanwhile) {
  std::thread update([this] { Update(); });
  EXPECT_TRUE(ReadsWithin(absl::Seconds(60), true));

  EXPECT_THAT(Failures(), IsEmpty());
  EXPECT_TRUE(source_.connection().Schema().ok());

  EXPECT_TRUE(source_.connection().Cancel().ok());
  update.join();
}

// Several connections to one connector.
TEST_F(FivetranCallsTest, UpdatesSideBySideDoNotDisturbEachOther) {
  for (const std::string& sql : RowsOfEveryTable(1, 200)) source_.Execute(sql);
  constexpr size_t kConnections = 4;
  std::vector<std::unique_ptr<FivetranConnection>> connections;
  for (size_t i = 0; i < kConnections; ++i) {
    auto connection = FivetranConnection::Open();
    ASSERT_TRUE(connection.ok()) << connection.status();
    ASSERT_TRUE((*connection)->Connect(source_.connector_port()).ok());
    ASSERT_TRUE((*connection)->Configure(FivetranConfiguration(source_.port(), "shop")).ok());
    ASSERT_TRUE((*connection)->Schema().ok());
    connections.push_back(*std::move(connection));
  }

  std::vector<FivetranReport> reports(kConnections);
  std::vector<std::thread> updates;
  for (size_t i = 0; i < kConnections; ++i) {
    updates.emplace_back([&, i] {
      harness::FivetranUpdateOptions options;
      // One is given up in the middle.
      if (i == 0) options.stop = FivetranStop{.after_messages = 6};
      const auto report = connections[i]->Update(options);
      EXPECT_TRUE(report.ok()) << report.status();
      reports[i] = report.value_or(FivetranReport());
    });
  }
  for (std::thread& update : updates) update.join();

  EXPECT_TRUE(reports[0].stopped);
  for (size_t i = 1; i < kConnections; ++i) {
    EXPECT_EQ(reports[i].Failure(), "");
    EXPECT_EQ(reports[i].records, 5u * 201);
    EXPECT_THAT(connections[i]->BrokenRules().value(), IsEmpty());
    const auto rows = connections[i]->Rows("shop", "customers", {"id", "email"});
    ASSERT_TRUE(rows.ok()) << rows.status();
    EXPECT_THAT(DifferencesBetween("customers", source_.RowsOf("customers", {"id", "email"}),
                                   {rows->begin(), rows->end()}),
                IsEmpty());
  }
}

TEST_F(FivetranCallsTest, AHostThatIsBusyHoldsUpTheConnectorAndGetsEverything) {
  for (const std::string& sql : RowsOfEveryTable(1, 300)) source_.Execute(sql);

  const FivetranReport report =
      source_.Sync({.pause_after_messages = 2, .pause = absl::Milliseconds(500)});

  EXPECT_EQ(report.Failure(), "");
  EXPECT_THAT(source_.Differences(), IsEmpty());
}

TEST(FivetranCredentialsTest, WrongOnesAreAFailedTestAndATaskThatDoesNotSayThem) {
  simulator::SimulatorOptions options;
  options.service.user = {"reader", "the-right-password"};
  FivetranSource source(options, {{"authentication_method", "password"},
                                  {"username", "reader"},
                                  {"password", "the-wrong-password"}});

  const auto failure = source.connection().Test("credentials");
  const auto report = source.connection().Update();

  ASSERT_TRUE(failure.ok() && report.ok());
  EXPECT_NE(failure->value_or(""), "");
  EXPECT_NE(report->task.value_or(""), "");
  EXPECT_EQ(report->status, "OK");
  ASSERT_TRUE(source.connection().Stop().ok());
  EXPECT_THAT(source.BrokenRules(), IsEmpty());
}

TEST(FivetranCredentialsTest, RightOnesLeadIn) {
  simulator::SimulatorOptions options;
  options.service.user = {"reader", "the-right-password"};
  FivetranSource source(options, {{"authentication_method", "password"},
                                  {"username", "reader"},
                                  {"password", "the-right-password"}});
  source.Execute("insert into customers values (1, 'a')");

  EXPECT_EQ(source.connection().Test("credentials").value().value_or(""), "");
  EXPECT_EQ(source.Sync().Failure(), "");

  EXPECT_THAT(source.Differences(), IsEmpty());
  ASSERT_TRUE(source.connection().Stop().ok());
  EXPECT_THAT(source.BrokenRules(), IsEmpty());
}

}  // namespace
}  // namespace source_vitess::integration_tests
