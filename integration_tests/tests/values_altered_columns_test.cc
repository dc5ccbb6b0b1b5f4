// Columns that are altered after the connection was made, end to end: every record stays what the
// connection's catalog declares, and no sync fails but for a key.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "tests/simulated_source.h"
#include "tests/values_declared_schema.h"

namespace source_vitess::integration_tests {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr absl::Duration kPatience = absl::Minutes(1);

class AlteredColumnsTest : public ::testing::Test {
 protected:
  AlteredColumnsTest() : source_(Options()) {
    for (const std::string& sql : RowsOfEveryTable(1, 10)) source_.Execute(sql);
    declared_ = source_.connector().DiscoverCatalog().value_or("");
  }

  // Holds the copy of notes back, so that a sync goes on replicating other tables, whatever they
  // have to reach.
  simulator::SimulatorOptions Options() {
    simulator::SimulatorOptions options;
    options.service.streams.second = absl::Milliseconds(20);  // of the heartbeats' interval
    options.service.streams.on_point = [this](const simulator::StreamPoint& point) {
      const bool held = point.kind == simulator::StreamPoint::Kind::kRowsCopied &&
                        point.table == "notes" && !passing_;
      if (held) released_.WaitForNotificationWithTimeout(kPatience);
      return simulator::StreamAction::kContinue;
    };
    return options;
  }

  // The whole of a sync.
  int Read() {
    passing_ = true;
    const harness::RunResult run = source_.Read();
    for (const std::string& line : run.lines) Keep(line);
    return run.exit.exit_code.value_or(-1);
  }

  // A first sync, in which the statements are run once other tables than notes are replicated, and
  // which ends some time after `text` has come.
  void ReadWhile(const std::vector<std::string>& statements, const std::string& text) {
    const auto command = source_.connector().ReadCommand(source_.catalog(), std::nullopt);
    ASSERT_TRUE(command.ok()) << command.status();
    auto process = harness::Process::Start(*command);
    ASSERT_TRUE(process.ok()) << process.status();
    const absl::Time deadline = absl::Now() + kPatience;
    source_.destination().BeginSync();
    const auto read_until = [&](const std::string& awaited) {
      while (const std::optional<std::string> line = (*process)->ReadLine(deadline)) {
        source_.destination().Accept(*line);
        Keep(*line);
        if (!awaited.empty() && absl::StrContains(*line, awaited)) return true;
      }
      return false;
    };
    EXPECT_TRUE(read_until("Replicating"));
    for (const std::string& sql : statements) source_.Execute(sql);
    EXPECT_TRUE(read_until(text));
    released_.Notify();
    read_until("");
    const auto exit = (*process)->Wait(deadline);
    ASSERT_TRUE(exit.has_value());
    source_.destination().EndSync(exit->exit_code.value_or(-1), (*process)->errors());
  }

  void Keep(const std::string& line) {
    if (absl::StrContains(line, R"("type":"RECORD")")) records_.push_back(line);
    if (absl::StrContains(line, R"("type":"LOG")")) messages_.push_back(line);
  }

  void ExpectRecordsAsDeclared() {
    for (const std::string& record : records_) {
      EXPECT_THAT(tests::Violations(declared_, record + "\n"), IsEmpty());
    }
    EXPECT_THAT(source_.destination().violations(), IsEmpty());
  }

  std::atomic<bool> passing_ = false;
  absl::Notification released_;
  SimulatedSource source_;
  std::string declared_;
  std::vector<std::string> records_;
  std::vector<std::string> messages_;
};

TEST_F(AlteredColumnsTest, ValuesOfAnotherTypeAreNullWithANoteOnceTheStreamHasTheNewType) {
  ReadWhile({"alter table orders modify column price varchar(20)",
             "insert into orders values (100, 100, 'much')"},
            R"("id":100)");

  ExpectRecordsAsDeclared();
  EXPECT_THAT(records_, Contains(HasSubstr(R"("price":2.50)")));
  EXPECT_THAT(records_, Contains(AllOf(HasSubstr(R"("id":100,"price":null)"),
                                       HasSubstr(R"({"field":"price","change":"NULLED")"))));
  EXPECT_THAT(messages_, Contains(HasSubstr("column price: it is of type varchar(20), while the "
                                            "connection has it as a number")));
  EXPECT_THAT(messages_, Contains(HasSubstr("column price: 1 value had no place")));
}

TEST_F(AlteredColumnsTest, TheNextSyncGoesOnWithTheNewType) {
  ASSERT_EQ(Read(), 0);
  source_.Execute("alter table orders modify column price varchar(20)");
  source_.Execute("insert into orders values (100, 100, 'much')");

  EXPECT_EQ(Read(), 0);

  ExpectRecordsAsDeclared();
  EXPECT_THAT(records_, Contains(HasSubstr(R"("id":100,"price":null)")));
}

TEST_F(AlteredColumnsTest, TextTakesTheNumbersThatItsColumnHasNow) {
  source_.Execute("update customers set email = '7'");
  ASSERT_EQ(Read(), 0);
  source_.Execute("alter table customers modify column email int");
  source_.Execute("update customers set email = 8 where id = 1");

  EXPECT_EQ(Read(), 0);

  ExpectRecordsAsDeclared();
  EXPECT_THAT(records_, Contains(HasSubstr(R"("id":1,"email":"8")")));
}

TEST_F(AlteredColumnsTest, AColumnThatTheConnectionDoesNotKnowIsLeftOutAndToldOnce) {
  ReadWhile({"alter table orders add column extra int", "insert into orders values (100, 1, 1, 1)",
             "insert into orders values (101, 1, 1, 2)", "insert into orders values (102, 1, 1, 3)",
             "insert into orders values (103, 1, 1, 4)"},
            R"("customer_id":103)");

  ExpectRecordsAsDeclared();
  EXPECT_THAT(records_, Not(Contains(HasSubstr("extra"))));
  std::vector<std::string> told;
  for (const std::string& message : messages_) {
    if (absl::StrContains(message, "column extra")) told.push_back(message);
  }
  EXPECT_THAT(told, ElementsAre(HasSubstr("the connection does not know it")));
}

TEST_F(AlteredColumnsTest, AKeyOfAnotherTypeFailsItsStreamInsteadOfBecomingNull) {
  source_.Execute("delete from words");
  ASSERT_EQ(Read(), 0);
  source_.Execute("alter table words modify column word int not null");
  source_.Execute("update notes set body = 'goes on' where id = 1");

  EXPECT_EQ(Read(), 1);

  EXPECT_THAT(source_.destination().trace_errors(),
              ElementsAre(AllOf(HasSubstr("shop.words"), HasSubstr("column word of its key"),
                                HasSubstr("Refresh the source's schema"))));
  EXPECT_THAT(records_, Contains(HasSubstr("goes on")));
  ExpectRecordsAsDeclared();
}

TEST_F(AlteredColumnsTest, AKeyThatChangesItsTypeInTheStreamFailsItsStreamToo) {
  source_.Execute("delete from words");

  ReadWhile(
      {"alter table words modify column word int not null", "insert into words values (7, 7)"},
      "column word of its key");

  EXPECT_THAT(source_.destination().trace_errors(),
              ElementsAre(HasSubstr("column word of its key was varchar(32)")));
  ExpectRecordsAsDeclared();
}

}  // namespace
}  // namespace source_vitess::integration_tests
