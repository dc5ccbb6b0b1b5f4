// Our protos against what a real VTGate sent: they know every field and value of it, and write it
// back the same.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/unknown_field_set.h"
#include "gtest/gtest.h"
#include "recordings/recording.h"

namespace source_vitess::recordings {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::SizeIs;

void AppendUnknown(const Message& message, std::vector<std::string>& unknown);

void AppendUnknownOfField(const Message& message, const FieldDescriptor& field, int index,
                          std::vector<std::string>& unknown) {
  const Reflection& reflection = *message.GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    AppendUnknown(index < 0 ? reflection.GetMessage(message, &field)
                            : reflection.GetRepeatedMessage(message, &field, index),
                  unknown);
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    const int number = index < 0 ? reflection.GetEnumValue(message, &field)
                                 : reflection.GetRepeatedEnumValue(message, &field, index);
    if (field.enum_type()->FindValueByNumber(number) == nullptr) {
      unknown.push_back(absl::StrCat(field.full_name(), " = ", number));
    }
  }
}

// Appends what `message` or a message in it holds that its definition does not name: fields and
// enum numbers.
void AppendUnknown(const Message& message, std::vector<std::string>& unknown) {
  const Reflection& reflection = *message.GetReflection();
  const google::protobuf::UnknownFieldSet& fields = reflection.GetUnknownFields(message);
  for (int i = 0; i < fields.field_count(); ++i) {
    unknown.push_back(absl::StrCat(message.GetTypeName(), " field ", fields.field(i).number()));
  }
  std::vector<const FieldDescriptor*> present;
  reflection.ListFields(message, &present);
  for (const FieldDescriptor* field : present) {
    if (!field->is_repeated()) {
      AppendUnknownOfField(message, *field, -1, unknown);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      AppendUnknownOfField(message, *field, i, unknown);
    }
  }
}

std::vector<std::string> Unknown(const Message& message) {
  std::vector<std::string> unknown;
  AppendUnknown(message, unknown);
  return unknown;
}

std::string TestName(const ::testing::TestParamInfo<std::string>& info) {
  return absl::StrReplaceAll(info.param, {{"-", "_"}});
}

class VStreamRecordingTest : public ::testing::TestWithParam<std::string> {};

TEST_P(VStreamRecordingTest, HoldsNothingThatTheProtosDoNotDefine) {
  absl::StatusOr<Recording> recording = Recording::Load(GetParam());
  ASSERT_TRUE(recording.ok()) << recording.status();

  EXPECT_THAT(Unknown(recording->request), IsEmpty());
  for (const vtgate::VStreamResponse& response : recording->responses) {
    ASSERT_THAT(Unknown(response), IsEmpty());
  }
}

TEST_P(VStreamRecordingTest, IsWrittenBackTheSame) {
  absl::StatusOr<Recording> recording = Recording::Load(GetParam());
  ASSERT_TRUE(recording.ok()) << recording.status();

  for (size_t i = 0; i < recording->responses.size(); ++i) {
    ASSERT_EQ(recording->responses[i].SerializeAsString(), recording->raw_responses[i])
        << "message " << i << ":\n"
        << recording->responses[i].DebugString();
  }
}

INSTANTIATE_TEST_SUITE_P(Recordings, VStreamRecordingTest, ::testing::ValuesIn(RecordingNames()),
                         TestName);

class ExecuteRecordingTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ExecuteRecordingTest, HoldsNothingThatTheProtosDoNotDefine) {
  absl::StatusOr<ExecuteRecording> recording = ExecuteRecording::Load(GetParam());
  ASSERT_TRUE(recording.ok()) << recording.status();

  EXPECT_THAT(Unknown(recording->request), IsEmpty());
  EXPECT_THAT(Unknown(recording->response), IsEmpty());
}

TEST_P(ExecuteRecordingTest, IsWrittenBackTheSame) {
  absl::StatusOr<ExecuteRecording> recording = ExecuteRecording::Load(GetParam());
  ASSERT_TRUE(recording.ok()) << recording.status();

  EXPECT_EQ(recording->response.SerializeAsString(), recording->raw_response)
      << recording->response.DebugString();
}

INSTANTIATE_TEST_SUITE_P(Recordings, ExecuteRecordingTest,
                         ::testing::ValuesIn(ExecuteRecordingNames()), TestName);

// The suites above would pass over nothing, too.
TEST(RecordingTest, ListsEveryRecording) {
  EXPECT_THAT(RecordingNames(), SizeIs(45));
  EXPECT_THAT(ExecuteRecordingNames(), SizeIs(9));
  EXPECT_THAT(RecordingNames(), Contains("copy-two-shards"));
  EXPECT_THAT(ExecuteRecordingNames(), Contains("positions"));
}

TEST(RecordingTest, HasTheMessagesAndEventsThatCame) {
  absl::StatusOr<Recording> recording = Recording::Load("copy-two-shards");
  ASSERT_TRUE(recording.ok()) << recording.status();

  int events = 0;
  for (const vtgate::VStreamResponse& response : recording->responses) {
    events += response.events_size();
  }
  EXPECT_THAT(recording->responses, SizeIs(18));
  EXPECT_EQ(events, 53);
}

TEST(RecordingTest, HasNoEndWhenTheRecorderHungUp) {
  absl::StatusOr<Recording> recording = Recording::Load("copy-two-shards");
  ASSERT_TRUE(recording.ok()) << recording.status();

  EXPECT_FALSE(recording->end.has_value());
}

TEST(RecordingTest, EndsWithTheCodeAndAllLinesOfTheText) {
  absl::StatusOr<Recording> recording = Recording::Load("error-empty-filter-on-table-name");
  ASSERT_TRUE(recording.ok()) << recording.status();

  ASSERT_TRUE(recording->end.has_value());
  EXPECT_EQ(recording->end->code(), absl::StatusCode::kUnknown);
  EXPECT_THAT(std::string(recording->end->message()),
              ::testing::AllOf(::testing::StartsWith("error starting stream"),
                               ::testing::EndsWith("table customers")));
}

TEST(RecordingTest, IsNotFoundByAnotherName) {
  EXPECT_EQ(Recording::Load("no-such-recording").status().code(), absl::StatusCode::kNotFound);
}

TEST(RecordingTest, LastPositionsAreThoseOfTheLastVgtidOfEachShard) {
  absl::StatusOr<Recording> recording = Recording::Load("replicate-transactions");
  ASSERT_TRUE(recording.ok()) << recording.status();

  const std::vector<ShardPosition> positions = LastPositions(*recording);

  ASSERT_THAT(positions, SizeIs(2));
  EXPECT_EQ(positions[0].shard, "-80");
  EXPECT_EQ(positions[1].shard, "80-");
  EXPECT_THAT(positions[0].position, ::testing::StartsWith("MySQL56/83c0af68-"));
}

TEST(RecordingTest, LastPositionsAreTheRequestsWhenNothingCame) {
  absl::StatusOr<Recording> recording = Recording::Load("error-unknown-shard");
  ASSERT_TRUE(recording.ok()) << recording.status();

  const std::vector<ShardPosition> positions = LastPositions(*recording);

  ASSERT_THAT(positions, SizeIs(1));
  EXPECT_EQ(positions[0].position, "MySQL56/83c0af68-e68d-11f1-b044-02fc00000001:1-605");
}

TEST(RecordingTest, ChangesAfterAPositionAreTheTransactionsThatItDoesNotContain) {
  absl::StatusOr<Recording> recording = Recording::Load("replicate-transactions");
  ASSERT_TRUE(recording.ok()) << recording.status();
  binlogdata::VGtid from = recording->request.vgtid();
  from.mutable_shard_gtids(1)->set_gtid("MySQL56/83c0af68-e68d-11f1-b044-02fc00000001:1-530");

  const std::vector<size_t> all = ChangesAfter(*recording, recording->request.vgtid());
  const std::vector<size_t> after_530 = ChangesAfter(*recording, from);

  EXPECT_THAT(all, SizeIs(10));
  EXPECT_THAT(after_530, ::testing::ElementsAre(4, 5, 6, 7, 8, 9));
}

TEST(RecordingTest, ChangesAreNotTheRowsOfACopyNorHeartbeats) {
  absl::StatusOr<Recording> copy = Recording::Load("copy-two-shards");
  absl::StatusOr<Recording> stall = Recording::Load("stall-no-tablet");
  ASSERT_TRUE(copy.ok() && stall.ok());

  EXPECT_THAT(ChangesAfter(*copy, {}), IsEmpty());
  EXPECT_THAT(ChangesAfter(*stall, {}), IsEmpty());
}

TEST(RecordingTest, ChangesHaveEveryMessageOfATransaction) {
  absl::StatusOr<Recording> recording = Recording::Load("replicate-large-transaction");
  ASSERT_TRUE(recording.ok()) << recording.status();

  EXPECT_THAT(ChangesAfter(*recording, recording->request.vgtid()), ::testing::ElementsAre(0, 1));
}

}  // namespace
}  // namespace source_vitess::recordings
