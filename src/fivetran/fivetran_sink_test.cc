#include "fivetran/fivetran_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "fivetran/connector_sdk.pb.h"

namespace source_vitess::fivetran {
namespace {

namespace sdk = fivetran_sdk::v2;
using testing::ElementsAre;
using testing::IsEmpty;

// Tells what it gets: "announce", "truncate", "row" for each, "checkpoint" and "warning".
class TellingStream final : public ResponseStream {
 public:
  absl::Status Write(std::string_view message) override {
    sdk::UpdateResponse response;
    EXPECT_TRUE(response.ParseFromArray(message.data(), static_cast<int>(message.size())));
    if (response.has_schema_change()) told_.emplace_back("announce");
    for (const sdk::Record& record : response.records().records()) {
      told_.emplace_back(record.type() == sdk::TRUNCATE ? "truncate" : "row");
    }
    if (response.has_checkpoint()) {
      told_.emplace_back("checkpoint");
      state_ = response.checkpoint().state_json();
    }
    if (response.has_warning()) {
      told_.emplace_back("warning");
      warnings_.push_back(response.warning().message());
    }
    return absl::OkStatus();
  }

  std::vector<std::string> Take() { return std::exchange(told_, {}); }
  const std::vector<std::string>& warnings() const { return warnings_; }

  // That of the last checkpoint.
  const std::string& state() const { return state_; }

 private:
  std::vector<std::string> told_;
  std::vector<std::string> warnings_;
  std::string state_;
};

class FivetranSinkTest : public testing::Test {
 protected:
  FivetranSinkTest() {
    table_.schema.keyspace = "shop";
    table_.schema.name = "tags";
    mysql::Column id;
    id.name = "id";
    id.type = mysql::ParseColumnType("bigint").value();
    table_.schema.columns = {id};
    table_.schema.key = {"id"};
    table_.columns = {"id"};
    EXPECT_TRUE(sink_.Started(table_).ok());
  }

  // The table's copy has begun in the shards.
  sync::TablePosition BegunIn(const std::vector<std::string>& shards) {
    sync::TablePosition position;
    for (const std::string& shard : shards) {
      binlogdata::ShardGtid& gtid = *position.vgtid.add_shard_gtids();
      gtid.set_keyspace("shop");
      gtid.set_shard(shard);
      position.since[shard] = "MySQL56/2d4059f8-e696-11f1-8e80-02fc00000001:1-7";
    }
    return position;
  }

  void Checkpoint(const sync::TablePosition& position) {
    const std::vector<sync::TableCheckpoint> checkpoints = {{&table_, &position, 0}};
    EXPECT_TRUE(sink_.Checkpoint(checkpoints).ok());
  }

  // Rows of the table, the values of which are `value`.
  void Write(int rows, const mysql::Value& value = {.kind = mysql::Kind::kSigned, .text = "7"}) {
    const auto batch = sink_.NewBatch();
    const size_t layout = batch->AddLayout(table_, table_.schema.columns);
    for (int i = 0; i < rows; ++i) {
      batch->Append(layout, {.kind = sync::ChangeKind::kCopy, .after = {&value, 1}});
    }
    EXPECT_TRUE(sink_.Write(*batch).ok());
  }

  TellingStream stream_;
  sync::Table table_;
  FivetranSink sink_{stream_, {}, {100'000, absl::Hours(1), absl::Hours(1)}};
};

TEST_F(FivetranSinkTest, ATableThatBeginsIsAnnouncedAndEmptiedOnce) {
  Checkpoint(BegunIn({"-80"}));
  EXPECT_THAT(stream_.Take(), ElementsAre("announce", "truncate"));

  // It would be emptied again if it had to begin from here, whatever came before.
  Checkpoint(BegunIn({"-80", "80-"}));
  EXPECT_THAT(stream_.Take(), IsEmpty());
}

TEST_F(FivetranSinkTest, AShardThatBeginsInATableThatWasSavedIsSavedBeforeItsRows) {
  Checkpoint(BegunIn({"-80"}));
  ASSERT_TRUE(sink_.SendCheckpoint().ok());
  stream_.Take();

  Checkpoint(BegunIn({"-80"}));
  EXPECT_THAT(stream_.Take(), IsEmpty());
  Checkpoint(BegunIn({"-80", "80-"}));
  EXPECT_THAT(stream_.Take(), ElementsAre("checkpoint"));
  Checkpoint(BegunIn({"-80", "80-"}));
  EXPECT_THAT(stream_.Take(), IsEmpty());
}

TEST_F(FivetranSinkTest, AShardThatBeginsInATableOfTheRequestsStateIsSavedBeforeItsRows) {
  sink_.TakeOver(table_.schema, table_.columns, {BegunIn({"-80"}), {}, {}});

  Checkpoint(BegunIn({"-80"}));
  EXPECT_THAT(stream_.Take(), IsEmpty());
  Checkpoint(BegunIn({"-80", "80-"}));
  EXPECT_THAT(stream_.Take(), ElementsAre("checkpoint"));
}

TEST_F(FivetranSinkTest, ATableWithoutAStateIsAnnouncedAndEmptiedBeforeItsFirstRow) {
  Write(2);
  EXPECT_THAT(stream_.Take(), ElementsAre("announce", "truncate", "row", "row"));
  Checkpoint(BegunIn({"-80"}));
  Write(1);
  EXPECT_THAT(stream_.Take(), ElementsAre("row"));
}

TEST_F(FivetranSinkTest, ATableWithAStateIsNeverEmptied) {
  sink_.TakeOver(table_.schema, table_.columns, {BegunIn({"-80"}), {}, {}});

  Write(1);
  Checkpoint(BegunIn({"-80"}));

  EXPECT_THAT(stream_.Take(), ElementsAre("row"));
}

TEST_F(FivetranSinkTest, ATableThatFailsBeforeAnythingIsLeftAsItIs) {
  ASSERT_TRUE(sink_.Finished(table_, absl::InternalError("no such table")).ok());
  ASSERT_TRUE(sink_.SendCheckpoint().ok());

  EXPECT_THAT(stream_.Take(), ElementsAre("checkpoint"));
  EXPECT_EQ(stream_.state(), R"({"version":1,"vgtids":[],"schemas":{}})");
}

TEST_F(FivetranSinkTest, ATableThatIsForgottenBeginsAgain) {
  Write(1);
  Checkpoint(BegunIn({"-80"}));
  ASSERT_TRUE(sink_.Position("shop", "tags").has_value());
  stream_.Take();

  sink_.Forget("shop", "tags");

  EXPECT_FALSE(sink_.Position("shop", "tags").has_value());
  Write(1);
  EXPECT_THAT(stream_.Take(), ElementsAre("announce", "truncate", "row"));
}

TEST_F(FivetranSinkTest, ATableThatIsEmptiedAtTheSourceIsEmptied) {
  sink_.TakeOver(table_.schema, table_.columns, {BegunIn({"-80"}), {}, {}});

  ASSERT_TRUE(sink_.Truncate(table_).ok());

  EXPECT_THAT(stream_.Take(), ElementsAre("truncate"));
}

TEST_F(FivetranSinkTest, ACheckpointHasThePositionsOfAllTables) {
  mysql::TableSchema other = table_.schema;
  other.name = "words";
  sink_.TakeOver(other, table_.columns, {BegunIn({"-80"}), {}, {}});
  Checkpoint(BegunIn({"80-"}));
  ASSERT_TRUE(sink_.SendCheckpoint().ok());

  const auto state = InputState::Parse(stream_.state());

  ASSERT_TRUE(state.ok()) << state.status();
  const auto words = state->Find("shop", "words");
  const auto tags = state->Find("shop", "tags");
  ASSERT_TRUE(words.ok() && *words != nullptr && tags.ok() && *tags != nullptr);
  EXPECT_TRUE((*words)->position == BegunIn({"-80"}));
  EXPECT_TRUE((*tags)->position == BegunIn({"80-"}));
}

TEST_F(FivetranSinkTest, ACheckpointWaitsForEnoughRecords) {
  FivetranSink sink(stream_, {}, {3, absl::Hours(1), absl::Hours(1)});
  ASSERT_TRUE(sink.Started(table_).ok());
  const sync::TablePosition position;
  const std::vector<sync::TableCheckpoint> checkpoints = {{&table_, &position, 0}};
  const mysql::Value value{.kind = mysql::Kind::kSigned, .text = "7"};
  const auto batch = sink.NewBatch();
  const size_t layout = batch->AddLayout(table_, table_.schema.columns);
  batch->Append(layout, {.kind = sync::ChangeKind::kCopy, .after = {&value, 1}});
  batch->Append(layout, {.kind = sync::ChangeKind::kCopy, .after = {&value, 1}});

  ASSERT_TRUE(sink.Write(*batch).ok() && sink.Checkpoint(checkpoints).ok());
  EXPECT_THAT(stream_.Take(), ElementsAre("announce", "truncate", "row", "row"));
  ASSERT_TRUE(sink.Write(*batch).ok() && sink.Checkpoint(checkpoints).ok());
  EXPECT_THAT(stream_.Take(), ElementsAre("row", "row", "checkpoint"));
  // It is counted from the last one.
  ASSERT_TRUE(sink.Write(*batch).ok() && sink.Checkpoint(checkpoints).ok());
  EXPECT_THAT(stream_.Take(), ElementsAre("row", "row"));
}

TEST_F(FivetranSinkTest, ACheckpointComesAfterTheLongestTimeHoweverLittleThereIs) {
  FivetranSink sink(stream_, {}, {100'000, absl::Hours(1), absl::ZeroDuration()});
  ASSERT_TRUE(sink.Started(table_).ok());
  const sync::TablePosition position;
  const std::vector<sync::TableCheckpoint> checkpoints = {{&table_, &position, 0}};

  ASSERT_TRUE(sink.Checkpoint(checkpoints).ok());

  EXPECT_THAT(stream_.Take(), ElementsAre("announce", "truncate", "checkpoint"));
}

TEST_F(FivetranSinkTest, ACheckpointIsASmallPartOfWhatIsSent) {
  FivetranSink sink(stream_, {}, {1, absl::Hours(1), absl::Hours(1)});
  ASSERT_TRUE(sink.Started(table_).ok());
  const sync::TablePosition position = BegunIn({"-80"});
  const std::vector<sync::TableCheckpoint> checkpoints = {{&table_, &position, 0}};
  const mysql::Value value{.kind = mysql::Kind::kSigned, .text = "7"};
  const auto batch = sink.NewBatch();
  const size_t layout = batch->AddLayout(table_, table_.schema.columns);
  batch->Append(layout, {.kind = sync::ChangeKind::kCopy, .after = {&value, 1}});
  ASSERT_TRUE(sink.Write(*batch).ok() && sink.Checkpoint(checkpoints).ok());
  EXPECT_THAT(stream_.Take(), ElementsAre("announce", "truncate", "row", "checkpoint"));

  uint64_t sent = 0;
  int rows = 0;
  for (std::vector<std::string> told; told != std::vector<std::string>{"row", "checkpoint"};
       told = stream_.Take()) {
    ASSERT_LT(++rows, 10'000);
    sent += batch->size_bytes();
    ASSERT_TRUE(sink.Write(*batch).ok() && sink.Checkpoint(checkpoints).ok());
  }

  EXPECT_GE(sent, 7 * stream_.state().size());
}

TEST_F(FivetranSinkTest, ValuesThatWereAlteredAreToldOncePerTable) {
  Write(2, {.kind = mysql::Kind::kNull, .problem = mysql::Problem::kUnrepresentable, .text = ""});
  Write(1, {.kind = mysql::Kind::kNull, .problem = mysql::Problem::kUnrepresentable, .text = ""});
  stream_.Take();

  ASSERT_TRUE(sink_.WarnOfAlteredValues().ok());
  ASSERT_TRUE(sink_.WarnOfAlteredValues().ok());

  EXPECT_THAT(stream_.Take(), ElementsAre("warning"));
  EXPECT_THAT(stream_.warnings()[0],
              testing::AllOf(testing::HasSubstr("shop.tags"), testing::HasSubstr("column id"),
                             testing::HasSubstr("3 values")));
}

TEST_F(FivetranSinkTest, AMessageThatIsTooLongIsCut) {
  ASSERT_TRUE(sink_.Warn(std::string(100'000, 'x')).ok());
  EXPECT_LE(stream_.warnings()[0].size(), 16'000u);
}

}  // namespace
}  // namespace source_vitess::fivetran
