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

// Tells what it gets: "announce", "truncate" and "checkpoint".
class TellingStream final : public ResponseStream {
 public:
  absl::Status Write(std::string_view message) override {
    sdk::UpdateResponse response;
    EXPECT_TRUE(response.ParseFromArray(message.data(), static_cast<int>(message.size())));
    if (response.has_schema_change()) told_.emplace_back("announce");
    if (response.has_records()) told_.emplace_back("truncate");
    if (response.has_checkpoint()) told_.emplace_back("checkpoint");
    return absl::OkStatus();
  }

  std::vector<std::string> Take() { return std::exchange(told_, {}); }

 private:
  std::vector<std::string> told_;
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

}  // namespace
}  // namespace source_vitess::fivetran
