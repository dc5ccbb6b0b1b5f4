#include "airbyte/airbyte_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "airbyte/logger.h"
#include "config/json_document.h"
#include "telemetry/captured_output_for_test.h"
#include "vitess/errors.h"

namespace source_vitess::airbyte {
namespace {

using mysql::Kind;
using mysql::Value;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

std::string Member(const rapidjson::Value& object, std::string_view name) {
  const rapidjson::Value* value = config::FindMember(object, name);
  return value == nullptr ? "" : value->GetString();
}

// What a message is, in short: "RECORD orders", "STATE orders 2.0", "RUNNING orders", "config_error
// orders".
std::string InShort(const std::string& line) {
  const auto message = config::ParseJson(line);
  if (!message.ok()) return "not JSON: " + line;
  const std::string type = Member(*message, "type");
  if (type == "RECORD") return "RECORD " + Member((*message)["record"], "stream");
  if (type == "STATE") {
    const auto& state = (*message)["state"];
    return "STATE " + Member(state["stream"]["stream_descriptor"], "name") + " " +
           config::ToJsonText(state["sourceStats"]["recordCount"]);
  }
  if (type == "LOG") return "LOG " + Member((*message)["log"], "message");
  const auto& trace = (*message)["trace"];
  if (const auto* status = config::FindMember(trace, "stream_status")) {
    return Member(*status, "status") + " " + Member((*status)["stream_descriptor"], "name");
  }
  return Member(trace["error"], "failure_type") + " " +
         Member(trace["error"]["stream_descriptor"], "name");
}

class AirbyteSinkTest : public testing::Test {
 protected:
  AirbyteSinkTest() {
    for (size_t i = 0; i < 2; ++i) {
      tables_[i].index = i;
      tables_[i].schema.keyspace = "commerce";
      tables_[i].schema.name = i == 0 ? "orders" : "nopk";
      mysql::Column column;
      column.name = "id";
      column.type.base = mysql::BaseType::kBigInt;
      tables_[i].schema.columns = {column};
      tables_[i].columns = {"id"};
    }
  }

  absl::Status WriteRow(const sync::Table& table) {
    const auto batch = sink_.NewBatch();
    const size_t layout = batch->AddLayout(table, table.schema.columns);
    const std::vector<Value> row = {{.kind = Kind::kSigned, .text = "1"}};
    batch->Append(layout,
                  {.kind = sync::ChangeKind::kCopy, .before = {}, .after = row, .sequence = 1});
    return sink_.Write(*batch);
  }

  absl::Status WriteState(const sync::Table& table, uint64_t records) {
    const sync::TablePosition position;
    const sync::TableCheckpoint checkpoint = {&table, &position, records};
    return sink_.Checkpoint({&checkpoint, 1});
  }

  std::vector<std::string> Messages() const {
    std::vector<std::string> messages;
    for (const std::string& line : captured_.Lines()) messages.push_back(InShort(line));
    return messages;
  }

  sync::Table tables_[2];
  telemetry::CapturedOutput captured_;
  AirbyteLogger logger_{captured_.output(), telemetry::Severity::kInfo};
  AirbyteSink sink_{captured_.output(), logger_, {}, {}, [] { return int64_t{1767225600100}; }};
};

TEST_F(AirbyteSinkTest, TellsTheStatusOfAStreamInItsOrder) {
  ASSERT_TRUE(sink_.Started(tables_[0]).ok());
  ASSERT_TRUE(WriteState(tables_[0], 0).ok());
  ASSERT_TRUE(WriteRow(tables_[0]).ok());
  ASSERT_TRUE(WriteRow(tables_[0]).ok());
  ASSERT_TRUE(WriteState(tables_[0], 2).ok());
  ASSERT_TRUE(sink_.Finished(tables_[0], absl::OkStatus()).ok());

  EXPECT_THAT(Messages(),
              ElementsAre("STARTED orders", "STATE orders 0.0", "RUNNING orders", "RECORD orders",
                          "RECORD orders", "STATE orders 2.0", "COMPLETE orders"));
}

TEST_F(AirbyteSinkTest, SaysRunningOfAnEmptyStreamBeforeItsEnd) {
  ASSERT_TRUE(sink_.Started(tables_[0]).ok());
  ASSERT_TRUE(WriteState(tables_[0], 0).ok());
  ASSERT_TRUE(sink_.Finished(tables_[0], absl::OkStatus()).ok());

  EXPECT_THAT(Messages(), ElementsAre("STARTED orders", "STATE orders 0.0", "RUNNING orders",
                                      "COMPLETE orders"));
}

TEST_F(AirbyteSinkTest, KeepsStreamsApart) {
  ASSERT_TRUE(sink_.Started(tables_[0]).ok());
  ASSERT_TRUE(sink_.Started(tables_[1]).ok());
  ASSERT_TRUE(WriteRow(tables_[1]).ok());
  ASSERT_TRUE(WriteRow(tables_[0]).ok());

  EXPECT_THAT(Messages(), ElementsAre("STARTED orders", "STARTED nopk", "RUNNING nopk",
                                      "RECORD nopk", "RUNNING orders", "RECORD orders"));
}

TEST_F(AirbyteSinkTest, EndsAFailedStreamWithItsError) {
  ASSERT_TRUE(sink_.Started(tables_[0]).ok());
  ASSERT_TRUE(sink_.Finished(tables_[0], vitess::LostPositionError("purged")).ok());

  EXPECT_THAT(Messages(),
              ElementsAre("STARTED orders", "INCOMPLETE orders", "config_error orders"));
  EXPECT_TRUE(sink_.IsFinished(0));
  EXPECT_FALSE(sink_.IsFinished(1));
}

TEST_F(AirbyteSinkTest, CountsAtTheEndOfAStreamWhatItsRecordsCouldNotTell) {
  const auto batch = sink_.NewBatch();
  const size_t layout = batch->AddLayout(tables_[0], tables_[0].schema.columns);
  const std::vector<Value> malformed = {
      {.kind = Kind::kNull, .problem = mysql::Problem::kMalformed, .text = ""}};
  const std::vector<Value> replaced = {
      {.kind = Kind::kText, .problem = mysql::Problem::kReplaced, .text = "x"}};
  const auto write = [&](const std::vector<Value>& row) {
    batch->Append(layout,
                  {.kind = sync::ChangeKind::kCopy, .before = {}, .after = row, .sequence = 1});
    ASSERT_TRUE(sink_.Write(*batch).ok());
    batch->Clear();
  };
  ASSERT_TRUE(sink_.Started(tables_[0]).ok());

  write(malformed);
  write(malformed);
  write(replaced);
  ASSERT_TRUE(sink_.Finished(tables_[0], absl::OkStatus()).ok());

  const std::vector<std::string> messages = Messages();
  ASSERT_THAT(messages, SizeIs(8));
  EXPECT_THAT(messages[5], StartsWith("LOG Stream commerce.orders, column id: 2 values"));
  EXPECT_THAT(messages[6], StartsWith("LOG Stream commerce.orders, column id: 1 value had bytes"));
  EXPECT_EQ(messages[7], "COMPLETE orders");
}

TEST_F(AirbyteSinkTest, SaysNothingToAHostThatHasGone) {
  ASSERT_TRUE(sink_.Finished(tables_[0], vitess::HostError("gone")).ok());

  EXPECT_THAT(Messages(), IsEmpty());
}

TEST_F(AirbyteSinkTest, LeavesATableThatTheEndOfTheSyncCutOffIncomplete) {
  ASSERT_TRUE(sink_.Started(tables_[0]).ok());
  ASSERT_TRUE(sink_.Abandoned(tables_[0]).ok());
  ASSERT_TRUE(sink_.Abandoned(tables_[1]).ok());

  EXPECT_THAT(Messages(), ElementsAre("STARTED orders", "INCOMPLETE orders", "STARTED nopk",
                                      "INCOMPLETE nopk"));
}

TEST_F(AirbyteSinkTest, RefusesAStream) {
  ASSERT_TRUE(sink_
                  .Refuse({.name_space = "commerce", .name = "gone"},
                          vitess::ConfigurationError("no such table"))
                  .ok());

  EXPECT_THAT(Messages(), ElementsAre("STARTED gone", "INCOMPLETE gone", "config_error gone"));
}

TEST_F(AirbyteSinkTest, WritesThePositionAsTheState) {
  ASSERT_TRUE(WriteState(tables_[0], 0).ok());

  EXPECT_THAT(captured_.Text(),
              testing::HasSubstr("\"stream_state\":" + sync::ToJson(sync::TablePosition()) + "}"));
}

}  // namespace
}  // namespace source_vitess::airbyte
