// Answers to Execute, and the ends of streams, are those of the recordings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "simulator/event_sequence.h"
#include "simulator/go_text.h"
#include "simulator/recorded_cluster.h"
#include "simulator/strings.h"
#include "vitess/vtgateservice.grpc.pb.h"

namespace source_vitess::simulator {
namespace {

constexpr char kTime[] = "2026-11-22 16:09:44";

SimulatorOptions FastOptions() {
  SimulatorOptions options;
  options.service.streams.second = absl::Milliseconds(5);
  options.service.streams.no_tablet_timeout = absl::Milliseconds(100);
  return options;
}

// Puts "UUID" where a server's UUID stands.
std::string WithoutUuids(std::string text) {
  constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  const auto fits = [&](size_t begin) {
    for (size_t i = 0; i < kShape.size(); ++i) {
      const bool digit = absl::ascii_isxdigit(static_cast<unsigned char>(text[begin + i]));
      if (kShape[i] == 'x' ? !digit : text[begin + i] != '-') return false;
    }
    return true;
  };
  for (size_t begin = 0; begin + kShape.size() <= text.size(); ++begin) {
    if (fits(begin)) text.replace(begin, kShape.size(), "UUID");
  }
  return text;
}

// The same for whole GTIDs.
std::string WithoutGtids(const std::string& text) {
  std::string kept = WithoutUuids(text);
  for (size_t at = kept.find("UUID:"); at != std::string::npos; at = kept.find("UUID:", at)) {
    const size_t end = std::min(kept.find_first_not_of("0123456789-", at + 5), kept.size());
    kept.replace(at, end - at, "GTID");
  }
  return kept;
}

class RecordedAnswersTest : public testing::Test {
 protected:
  RecordedAnswersTest() : cluster_(FastOptions()) { cluster_.InsertCustomers(kTime); }

  vtgate::ExecuteResponse Execute(const vtgate::ExecuteRequest& request) {
    const auto stub = vtgateservice::Vitess::NewStub(
        grpc::CreateChannel(cluster_.address(), grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    vtgate::ExecuteResponse response;
    EXPECT_TRUE(stub->Execute(&context, request, &response).ok());
    return response;
  }

  // The recorded answer and the simulator's.
  struct Answers {
    vtgate::ExecuteResponse recorded;
    vtgate::ExecuteResponse simulated;
  };
  Answers Ask(const char* name) {
    const absl::StatusOr<recordings::ExecuteRecording> recording =
        recordings::ExecuteRecording::Load(name);
    EXPECT_TRUE(recording.ok()) << recording.status();
    Answers answers{recording->response, Execute(recording->request)};
    // A remark of VTGate's about its own ORDER BY.
    answers.recorded.mutable_session()->clear_warnings();
    return answers;
  }

  RecordedCluster cluster_;
};

TEST_F(RecordedAnswersTest, DescribesColumns) {
  const Answers answers = Ask("columns");
  EXPECT_EQ(answers.simulated.DebugString(), answers.recorded.DebugString());
}

TEST_F(RecordedAnswersTest, DescribesIndexes) {
  const Answers answers = Ask("indexes");
  EXPECT_EQ(answers.simulated.DebugString(), answers.recorded.DebugString());
}

TEST_F(RecordedAnswersTest, DescribesTables) {
  cluster_.Run(
      "delete from customers where id = 8;"
      "insert into orders (id, customer_id) values (4, 4);"
      "insert into alltypes (id) values (4), (6)");
  const Answers answers = Ask("tables");
  EXPECT_EQ(answers.simulated.DebugString(), answers.recorded.DebugString());
}

TEST_F(RecordedAnswersTest, ListsShards) {
  const Answers answers = Ask("shards");
  EXPECT_EQ(answers.simulated.DebugString(), answers.recorded.DebugString());
}

TEST_F(RecordedAnswersTest, ListsKeyspacesInAnyOrder) {
  Answers answers = Ask("keyspaces");
  answers.simulated.mutable_result()->mutable_rows()->SwapElements(0, 1);
  EXPECT_EQ(answers.simulated.DebugString(), answers.recorded.DebugString());
}

TEST_F(RecordedAnswersTest, ListsTablets) {
  Answers answers = Ask("tablets");
  for (vtgate::ExecuteResponse* response : {&answers.simulated, &answers.recorded}) {
    for (query::Row& row : *response->mutable_result()->mutable_rows()) {
      // The time at which a primary's term began stands at the end.
      row.set_values(row.values().substr(0, row.values().find("2026")));
    }
  }
  EXPECT_EQ(answers.simulated.DebugString(), answers.recorded.DebugString());
}

TEST_F(RecordedAnswersTest, TellsPositions) {
  // As many transactions as the recording's server had, with all logs purged.
  while (cluster_.cluster().Executed("customer", "-80")->ToString().find(":1-611") ==
         std::string::npos) {
    ASSERT_TRUE(cluster_.cluster().WriteInternalTransaction("customer", "-80").ok());
  }
  ASSERT_TRUE(cluster_.cluster().PurgeLogs("customer", "-80").ok());
  const Answers answers = Ask("positions");
  EXPECT_EQ(WithoutUuids(answers.simulated.DebugString()),
            WithoutUuids(answers.recorded.DebugString()));
}

TEST_F(RecordedAnswersTest, RefusesATableThatIsNotThere) {
  const Answers answers = Ask("error-no-such-table");
  EXPECT_EQ(answers.simulated.DebugString(), answers.recorded.DebugString());
}

TEST_F(RecordedAnswersTest, RefusesAShardThatIsNotThere) {
  const Answers answers = Ask("error-no-such-shard");
  EXPECT_EQ(answers.simulated.DebugString(), answers.recorded.DebugString());
}

// --- ends of streams

// Streams as the recording asks, from `position`, and compares how the stream ends.
void ExpectEnd(RecordedCluster& cluster, const char* name, const std::string& position) {
  const recordings::Recording recording = LoadRecording(name);
  StreamReader reader(cluster.address(), RecordedCluster::RequestAt(recording, position));
  const grpc::Status status = reader.Finish();
  ASSERT_TRUE(recording.end.has_value());
  EXPECT_EQ(static_cast<int>(status.error_code()), static_cast<int>(recording.end->code()));
  EXPECT_EQ(WithoutGtids(status.error_message()),
            WithoutGtids(std::string(recording.end->message())));
}

TEST_F(RecordedAnswersTest, EndsAStreamOfAKeyspaceThatIsNotThere) {
  ExpectEnd(cluster_, "error-unknown-keyspace", cluster_.Position());
}

TEST_F(RecordedAnswersTest, EndsAStreamOfAShardThatIsNotThere) {
  ExpectEnd(cluster_, "error-unknown-shard", cluster_.Position());
}

TEST_F(RecordedAnswersTest, EndsAStreamOfAShardThatIsGone) {
  ASSERT_TRUE(cluster_.cluster().RunScript("create keyspace shop shards ('-80', '80-')").ok());
  const std::string text =
      "MySQL56/"
      "253437b8-e694-11f1-a451-02fc00000001:1-75,2535a404-e694-11f1-bbb6-02fc00000001:1-449";
  ExpectEnd(cluster_, "error-shard-gone", text);
}

TEST_F(RecordedAnswersTest, EndsAStreamFromWhatIsNoPosition) {
  ExpectEnd(cluster_, "error-bad-gtid", "");
}

TEST_F(RecordedAnswersTest, EndsACopyOfATableThatIsNotThere) {
  ExpectEnd(cluster_, "error-unknown-table-copy", "");
}

TEST_F(RecordedAnswersTest, EndsAStreamOfMinimalRowImages) {
  ServerVariables variables;
  variables.binlog_row_image = "MINIMAL";
  cluster_.cluster().SetVariables(variables);
  ExpectEnd(cluster_, "error-minimal-row-image", cluster_.Position());
}

TEST_F(RecordedAnswersTest, EndsAStreamWithAnEmptyFilterAtTheFirstRow) {
  const std::string start = cluster_.Position();
  cluster_.Run("delete from customers where id = 1");
  ExpectEnd(cluster_, "error-empty-filter-on-table-name", start);
}

TEST_F(RecordedAnswersTest, EndsAStreamOverRowsWithMoreColumnsThanTheTableHas) {
  const std::string start = cluster_.Position();
  cluster_.RunIn("customer:80-", "alter table customers add column note varchar(10)");
  cluster_.RunIn("customer:-80", "alter table customers add column note varchar(10)");
  cluster_.Run("insert into orders (id, customer_id) values (1, 4), (2, 4)");
  cluster_.Run("insert into orders (id, customer_id) values (3, 4)");
  cluster_.Run("insert into customers (id, email, note) values (51, 'a', 'n')");
  cluster_.Run("create index ix on customers (email)");
  cluster_.Run("alter table customers drop column note");
  ExpectEnd(cluster_, "error-schema-changed-behind", start);
  // What comes before the error is as recorded.
  const recordings::Recording recording = LoadRecording("error-schema-changed-behind");
  const vtgate::VStreamRequest request = RecordedCluster::RequestAt(recording, start);
  StreamReader reader(cluster_.address(), request);
  reader.Finish();
  EXPECT_EQ(Lines(request, reader.responses()), Lines(recording.request, recording.responses));
}

// Heartbeats alone come, as recorded, and in the end the status that VTGate gives when it has
// looked for 90 s.
void ExpectStall(RecordedCluster& cluster, const char* name, const std::string& position) {
  const recordings::Recording recording = LoadRecording(name);
  StreamReader reader(cluster.address(), RecordedCluster::RequestAt(recording, position));
  const grpc::Status status = reader.Finish();
  EXPECT_FALSE(reader.responses().empty());
  for (const vtgate::VStreamResponse& response : reader.responses()) {
    ASSERT_EQ(response.events_size(), 1);
    EXPECT_EQ(response.events(0).type(), binlogdata::HEARTBEAT);
    EXPECT_NE(response.events(0).timestamp(), 0);
  }
  EXPECT_EQ(status.error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_THAT(status.error_message(),
              testing::EndsWith("within the test cell(s): context has expired"));
}

TEST_F(RecordedAnswersTest, StallsAtAPositionAhead) {
  const std::string position = cluster_.Position();
  ExpectStall(cluster_, "stall-position-ahead",
              position.substr(0, position.rfind('-')) + "-999999");
}

TEST_F(RecordedAnswersTest, StallsAtAPositionOfAnotherServer) {
  ExpectStall(cluster_, "stall-foreign-position",
              "MySQL56/00000000-e68d-11f1-b044-02fc00000001:1-49");
}

TEST_F(RecordedAnswersTest, StallsWithoutATabletOfTheType) {
  ExpectStall(cluster_, "stall-no-tablet", cluster_.Position());
}

TEST_F(RecordedAnswersTest, StallsAtAPositionWhoseLogsArePurged) {
  const std::string start = cluster_.Position();
  cluster_.Run("delete from customers where id = 1");
  ASSERT_TRUE(cluster_.cluster().PurgeLogs("customer", "-80").ok());
  ExpectStall(cluster_, "stall-purged-position", start);
}

}  // namespace
}  // namespace source_vitess::simulator
