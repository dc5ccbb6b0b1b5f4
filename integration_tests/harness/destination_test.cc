#include "harness/destination.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace source_vitess::harness {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr char kCatalog[] = R"({"streams":[{
  "sync_mode":"incremental","destination_sync_mode":"append_dedup","primary_key":[["id"]],
  "stream":{"name":"t","namespace":"ks","supported_sync_modes":["incremental"],
    "json_schema":{"properties":{"id":{},"v":{},"_ab_cdc_cursor":{},"_ab_cdc_deleted_at":{}}}}}]})";

std::string Status(const std::string& status) {
  return absl::StrCat(
      R"({"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":1700000000000,)",
      R"("stream_status":{"stream_descriptor":{"name":"t","namespace":"ks"},"status":")", status,
      R"("}}})");
}

std::string Record(const std::string& data) {
  return absl::StrCat(R"({"type":"RECORD","record":{"stream":"t","namespace":"ks",)",
                      R"("emitted_at":1700000000000,"data":)", data, "}}");
}

std::string State(const std::string& state, const std::string& count) {
  return absl::StrCat(R"({"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":)",
                      R"({"name":"t","namespace":"ks"},"stream_state":)", state,
                      R"(},"sourceStats":{"recordCount":)", count, "}}}");
}

constexpr char kError[] = R"({"type":"TRACE","trace":{"type":"ERROR","emitted_at":1700000000000,)"
                          R"("error":{"message":"it broke","failure_type":"system_error"}}})";

class DestinationTest : public ::testing::Test {
 protected:
  // Accepts lines of a sync that has begun the stream.
  void AcceptRunning(const std::vector<std::string>& lines) {
    destination_.BeginSync();
    destination_.Accept(Status("STARTED"));
    destination_.Accept(Status("RUNNING"));
    for (const std::string& line : lines) destination_.Accept(line);
  }

  Destination destination_{kCatalog};
};

TEST_F(DestinationTest, FindsNothingWrongWithASyncThatKeepsTheRules) {
  AcceptRunning({Record(R"({"id":1,"v":"a"})"), State(R"({"p":1})", "1.0"),
                 State(R"({"p":2})", "0.0"), Status("COMPLETE")});
  destination_.EndSync(0, "");

  EXPECT_THAT(destination_.violations(), IsEmpty());
  EXPECT_EQ(destination_.Sync("ks", "t").status, StreamStatus::kComplete);
  EXPECT_EQ(destination_.Sync("ks", "t").records, 1);
}

TEST_F(DestinationTest, KeepsTheLastRecordOfEachKey) {
  AcceptRunning({Record(R"({"id":1,"v":"old","_ab_cdc_cursor":5})"),
                 Record(R"({"id":2,"v":"b","_ab_cdc_cursor":6})"),
                 Record(R"({"id":1,"v":"new","_ab_cdc_cursor":7})")});

  EXPECT_THAT(destination_.Rows("ks", "t"), ElementsAre(Pair("[1]", R"({"id":1,"v":"new"})"),
                                                        Pair("[2]", R"({"id":2,"v":"b"})")));
}

TEST_F(DestinationTest, RemovesADeletedRow) {
  AcceptRunning({Record(R"({"id":1,"v":"a","_ab_cdc_deleted_at":null})"),
                 Record(R"({"id":1,"v":"a","_ab_cdc_deleted_at":"2026-01-01T00:00:00.000000Z"})")});

  EXPECT_THAT(destination_.Rows("ks", "t"), IsEmpty());
  EXPECT_EQ(destination_.Sync("ks", "t").deletes, 1);
}

TEST_F(DestinationTest, KeepsRowsAcrossSyncs) {
  AcceptRunning({Record(R"({"id":1,"v":"a"})")});
  AcceptRunning({Record(R"({"id":2,"v":"b"})")});

  EXPECT_THAT(destination_.Rows("ks", "t"), ::testing::SizeIs(2));
}

TEST_F(DestinationTest, KeepsNumbersAsTheyWereWritten) {
  AcceptRunning(
      {Record(R"({"id":12345678901234567890,"v":[1.50,{"n":123456789.12345678901234567890}]})")});

  EXPECT_THAT(
      destination_.Rows("ks", "t"),
      ElementsAre(
          Pair("[12345678901234567890]",
               R"({"id":12345678901234567890,"v":[1.50,{"n":123456789.12345678901234567890}]})")));
}

TEST_F(DestinationTest, RefusesACursorThatGoesBack) {
  AcceptRunning({Record(R"({"id":1,"v":"new","_ab_cdc_cursor":7})"),
                 Record(R"({"id":1,"v":"old","_ab_cdc_cursor":6})")});

  EXPECT_THAT(destination_.violations(), ElementsAre(HasSubstr("goes back from 7 to 6")));
  EXPECT_THAT(destination_.Rows("ks", "t"), ElementsAre(Pair("[1]", R"({"id":1,"v":"new"})")));
}

TEST_F(DestinationTest, KnowsThatADeletedRowWasNewer) {
  AcceptRunning(
      {Record(R"({"id":1,"_ab_cdc_cursor":7,"_ab_cdc_deleted_at":"2026-01-01T00:00:00.000000Z"})"),
       Record(R"({"id":1,"v":"old","_ab_cdc_cursor":6})")});

  EXPECT_THAT(destination_.Rows("ks", "t"), IsEmpty());
  EXPECT_THAT(destination_.violations(), ElementsAre(HasSubstr("goes back")));
}

TEST_F(DestinationTest, GivesBackTheLastState) {
  AcceptRunning({State(R"({"p":1})", "0.0"), State(R"({"p":2})", "0.0")});

  EXPECT_EQ(destination_.State("ks", "t"), R"({"p":2})");
  EXPECT_EQ(destination_.StateFile(),
            R"([{"type":"STREAM","stream":{"stream_descriptor":{"name":"t","namespace":"ks"},)"
            R"("stream_state":{"p":2}}}])");
}

TEST_F(DestinationTest, CountsRecordsSinceTheLastState) {
  AcceptRunning({Record(R"({"id":1})"), State(R"({"p":1})", "1.0"), Record(R"({"id":2})"),
                 State(R"({"p":2})", "2.0")});

  EXPECT_THAT(destination_.violations(),
              ElementsAre(HasSubstr("recordCount is 2 after 1 records")));
}

TEST_F(DestinationTest, DoesNotCountTheRecordsOfASyncThatWasKilled) {
  AcceptRunning({Record(R"({"id":1})")});
  AcceptRunning({Record(R"({"id":1})"), State(R"({"p":1})", "1.0")});

  EXPECT_THAT(destination_.violations(), IsEmpty());
}

TEST_F(DestinationTest, WantsACountWithAFraction) {
  AcceptRunning({State(R"({"p":1})", "0")});

  EXPECT_THAT(destination_.violations(), ElementsAre(HasSubstr("recordCount is no count")));
}

TEST_F(DestinationTest, RefusesARecordBeforeRunning) {
  destination_.BeginSync();
  destination_.Accept(Status("STARTED"));
  destination_.Accept(Record(R"({"id":1})"));

  EXPECT_THAT(destination_.violations(), ElementsAre(HasSubstr("before RUNNING")));
}

TEST_F(DestinationTest, RefusesARecordBeforeStarted) {
  destination_.BeginSync();
  destination_.Accept(Record(R"({"id":1})"));

  EXPECT_THAT(destination_.violations(), ElementsAre(HasSubstr("before STARTED")));
}

TEST_F(DestinationTest, RefusesAStateBehindTheLastStatus) {
  AcceptRunning({State(R"({"p":1})", "0.0"), Status("COMPLETE"), State(R"({"p":1})", "0.0")});

  EXPECT_THAT(destination_.violations(), ElementsAre(HasSubstr("a state behind the last status")));
}

TEST_F(DestinationTest, RefusesCompleteWithRecordsThatNoStateCovers) {
  AcceptRunning({State(R"({"p":1})", "0.0"), Record(R"({"id":1})"), Status("COMPLETE")});

  EXPECT_THAT(destination_.violations(), ElementsAre(HasSubstr("records behind the last state")));
}

TEST_F(DestinationTest, RefusesTwoLastStatuses) {
  AcceptRunning({Status("INCOMPLETE"), Status("INCOMPLETE")});

  EXPECT_THAT(destination_.violations(), ElementsAre(HasSubstr("INCOMPLETE out of order")));
}

TEST_F(DestinationTest, RefusesAStreamWithoutALastStatus) {
  AcceptRunning({kError});
  destination_.EndSync(1, "");

  EXPECT_THAT(destination_.violations(), ElementsAre(HasSubstr("ks.t has no last status")));
}

TEST_F(DestinationTest, RefusesSuccessWithAnIncompleteStream) {
  AcceptRunning({Status("INCOMPLETE")});
  destination_.EndSync(0, "");

  EXPECT_THAT(destination_.violations(), ElementsAre(HasSubstr("not every stream is COMPLETE")));
}

TEST_F(DestinationTest, RefusesFailureWithoutAReason) {
  AcceptRunning({Status("INCOMPLETE")});
  destination_.EndSync(1, "");

  EXPECT_THAT(destination_.violations(), ElementsAre(HasSubstr("without a TRACE ERROR")));
}

TEST_F(DestinationTest, TellsTheErrors) {
  AcceptRunning({Status("INCOMPLETE"), kError});
  destination_.EndSync(1, "");

  EXPECT_THAT(destination_.violations(), IsEmpty());
  EXPECT_THAT(destination_.trace_errors(), ElementsAre("it broke"));
}

TEST_F(DestinationTest, RefusesTextOnStderr) {
  AcceptRunning({State(R"({"p":1})", "0.0"), Status("COMPLETE")});
  destination_.EndSync(0, "oops");

  EXPECT_THAT(destination_.violations(), ElementsAre(HasSubstr("on stderr: oops")));
}

TEST_F(DestinationTest, RefusesAColumnThatIsNotConfigured) {
  AcceptRunning({Record(R"({"id":1,"w":2})")});

  EXPECT_THAT(destination_.violations(), ElementsAre(HasSubstr("column w")));
}

TEST_F(DestinationTest, AcceptsAWholeRun) {
  RunResult run;
  run.lines = {Status("STARTED"), Status("RUNNING"), State(R"({"p":1})", "0.0"),
               Status("COMPLETE")};
  run.exit.exit_code = 0;

  destination_.AcceptRun(run);

  EXPECT_THAT(destination_.violations(), IsEmpty());
}

TEST_F(DestinationTest, RefusesARunThatASignalEnded) {
  RunResult run;
  run.exit.signal = 11;

  destination_.AcceptRun(run);

  EXPECT_THAT(destination_.violations(), ElementsAre(HasSubstr("signal 11")));
}

TEST_F(DestinationTest, ExpectsNoEndOfARunThatTheTestKilled) {
  RunResult run;
  run.lines = {Status("STARTED")};
  run.unfinished_line = "{";
  run.killed = true;

  destination_.AcceptRun(run);

  EXPECT_THAT(destination_.violations(), IsEmpty());
}

TEST(DestinationWithoutKeyTest, AppendsEveryRecord) {
  Destination destination(
      R"({"streams":[{"sync_mode":"full_refresh","stream":{"name":"t","namespace":"ks",)"
      R"("json_schema":{"properties":{"id":{}}}}}]})");
  destination.Accept(Record(R"({"id":1})"));
  destination.Accept(Record(R"({"id":1})"));

  EXPECT_THAT(destination.Rows("ks", "t"), ::testing::SizeIs(2));
}

class MalformedLineTest : public ::testing::TestWithParam<const char*> {};

TEST_P(MalformedLineTest, IsAViolation) {
  Destination destination(kCatalog);

  destination.Accept(GetParam());

  EXPECT_THAT(destination.violations(), Contains(HasSubstr("line 1: ")));
}

INSTANTIATE_TEST_SUITE_P(
    Lines, MalformedLineTest,
    ::testing::Values(
        "", "not json", "[]", R"({"type":"RECORD"})", R"({"type":"OTHER"})",
        R"({"type":"LOG","log":{"level":"LOUD","message":"x"}})",
        R"({"type":"LOG","log":{"level":"INFO"}})",
        R"({"type":"LOG","log":{"level":"INFO","message":"x"},"state":{}})",
        R"({"type":"LOG","log":{"level":"INFO","message":"x"}} {})",
        "{\"type\":\"LOG\",\"log\":{\"level\":\"INFO\",\"message\":\"\xff\"}}",
        R"({"type":"SPEC","spec":{"connectionSpecification":{"type":"object"}}})",
        R"({"type":"RECORD","record":{"stream":"t","namespace":"ks","emitted_at":1700000000000,"data":{}}})",
        R"({"type":"RECORD","record":{"stream":"t","namespace":"ks","emitted_at":1700000000,"data":{"id":1}}})",
        R"({"type":"RECORD","record":{"stream":"u","namespace":"ks","emitted_at":1700000000000,"data":{"id":1}}})",
        R"({"type":"TRACE","trace":{"type":"ERROR","emitted_at":1700000000000}})",
        R"({"type":"STATE","state":{"type":"GLOBAL","stream":{"stream_descriptor":{"name":"t"},"stream_state":{"p":1}},"sourceStats":{"recordCount":0.0}}})"));

}  // namespace
}  // namespace source_vitess::harness
