// Reshards, a failover and a killed tablet as the real server showed them: the simulator does what
// was done to the recordings' cluster, a mysqld per tablet, and streams as they asked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "simulator/event_sequence.h"
#include "simulator/recorded_cluster.h"
#include "simulator/simulator.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

// Keyspace "shop" with the tables of the recordings, and a writer that writes what theirs wrote.
class RecordedShopTest : public testing::Test {
 protected:
  // `shards` as in a CREATE KEYSPACE; `heartbeat` is how long a recorded second lasts.
  void Start(const char* shards, VersionProfile version = {}) {
    SimulatorOptions options;
    options.cluster.version = std::move(version);
    options.service.streams.second = absl::Milliseconds(100);
    simulator_ = std::make_unique<Simulator>(std::move(options));
    Run(Cat("create keyspace shop shards (", shards, ")"));
    Run(R"(use shop;
      create table customers (id bigint primary key, email varchar(64));
      create table orders (id bigint, customer_id bigint, sku varchar(32),
                           primary key (customer_id, id));
      alter vschema on customers add vindex hash(id);
      alter vschema on orders add vindex hash(customer_id);
      insert into customers values (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd');
      insert into orders values (1, 1, 'before'), (2, 4, 'before'))");
    ASSERT_TRUE(simulator_->Start().ok());
  }

  void Run(const std::string& script) {
    const absl::Status status = simulator_->cluster().RunScript(script);
    ASSERT_TRUE(status.ok()) << status;
  }

  void StartReshard(const std::vector<std::string>& sources,
                    const std::vector<std::string>& targets) {
    const absl::Status status = cluster().StartReshard({"shop", sources, targets});
    ASSERT_TRUE(status.ok()) << status;
  }

  // Inserts the rows that the recording brought from one of `shards`, in their order: from the
  // `first` to before the `end`.
  void Write(const recordings::Recording& recording, const std::vector<std::string>& shards,
             size_t first = 0, size_t end = std::string::npos) {
    size_t next = 0;
    for (const vtgate::VStreamResponse& response : recording.responses) {
      for (const binlogdata::VEvent& event : response.events()) {
        const bool wanted = event.type() == binlogdata::ROW &&
                            std::find(shards.begin(), shards.end(), event.shard()) != shards.end();
        if (!wanted) continue;
        const size_t index = next++;
        if (index < first || index >= end) continue;
        const query::Row& row = event.row_event().row_changes(0).after();
        const auto id = static_cast<size_t>(row.lengths(0));
        const auto customer = static_cast<size_t>(row.lengths(1));
        Run(Cat("use shop; insert into orders values (", row.values().substr(0, id), ", ",
                row.values().substr(id, customer), ", 'w')"));
      }
    }
  }

  // The recording's request from where the cluster's shards stand.
  vtgate::VStreamRequest Request(const recordings::Recording& recording) {
    vtgate::VStreamRequest request = recording.request;
    request.mutable_flags()->clear_heartbeat_interval();
    for (binlogdata::ShardGtid& shard : *request.mutable_vgtid()->mutable_shard_gtids())
      shard.set_gtid(cluster().Executed("shop", shard.shard())->ToPosition());
    return request;
  }

  // The recording without heartbeats, which depend on the clock alone.
  static recordings::Recording Load(const char* name) {
    recordings::Recording recording = LoadRecording(name);
    std::erase_if(recording.responses, [](const vtgate::VStreamResponse& response) {
      return response.events(0).type() == binlogdata::HEARTBEAT;
    });
    return recording;
  }

  // Reads as much as the recording has, and compares it shard by shard.
  void ExpectSequence(const recordings::Recording& recording,
                      const vtgate::VStreamRequest& request) {
    StreamReader reader(simulator_->address(), request);
    reader.ReadEvents(CountEvents(recording.responses));
    EXPECT_EQ(LinesByShard(request, reader.responses()),
              LinesByShard(recording.request, recording.responses));
  }

  // The same of a stream that ends: with the recording's error, whatever positions it tells.
  void ExpectEnd(const recordings::Recording& recording, const vtgate::VStreamRequest& request) {
    StreamReader reader(simulator_->address(), request);
    const grpc::Status status = reader.Finish();
    EXPECT_EQ(LinesByShard(request, reader.responses()),
              LinesByShard(recording.request, recording.responses));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
    const std::string text = status.error_message();
    EXPECT_THAT(text,
                testing::HasSubstr(
                    "not all journaling participants are in the stream: journal: "
                    "[keyspace:\"shop\" shard:\"-80\" keyspace:\"shop\" shard:\"80-\"], stream: "
                    "[keyspace:\"shop\" shard:\""));
    EXPECT_THAT(text,
                testing::StartsWith("error starting stream from shard GTID keyspace:\"shop\""));
  }

  void Split(const recordings::Recording& recording) {
    StartReshard({"0"}, {"-80", "80-"});
    Write(recording, {"0"});
    ASSERT_TRUE(cluster().SwitchTraffic("shop").ok());
    Write(recording, {"-80", "80-"});
  }

  void Merge(const recordings::Recording& recording) {
    StartReshard({"-80", "80-"}, {"-"});
    Write(recording, {"-80", "80-"});
    ASSERT_TRUE(cluster().SwitchTraffic("shop").ok());
    Write(recording, {"-"});
  }

  Cluster& cluster() { return simulator_->cluster(); }

  std::unique_ptr<Simulator> simulator_;
};

TEST_F(RecordedShopTest, FollowsASplitWithoutAWord) {
  Start("'0'");
  const recordings::Recording recording = Load("reshard-split");
  const vtgate::VStreamRequest request = Request(recording);
  Split(recording);
  ExpectSequence(recording, request);
}

TEST_F(RecordedShopTest, SendsTheJournalOfASplitIfAsked) {
  Start("'0'");
  const recordings::Recording recording = Load("reshard-split-journal");
  const vtgate::VStreamRequest request = Request(recording);
  Split(recording);
  ExpectSequence(recording, request);
}

TEST_F(RecordedShopTest, FollowsASplitThatHappensWhileItStreams) {
  Start("'0'");
  const recordings::Recording recording = Load("reshard-split-journal");
  const vtgate::VStreamRequest request = Request(recording);
  StreamReader reader(simulator_->address(), request);
  StartReshard({"0"}, {"-80", "80-"});
  Write(recording, {"0"});
  reader.ReadEvents(5);
  ASSERT_TRUE(cluster().SwitchTraffic("shop").ok());
  Write(recording, {"-80", "80-"});
  reader.ReadEvents(CountEvents(recording.responses));
  EXPECT_EQ(LinesByShard(request, reader.responses()),
            LinesByShard(recording.request, recording.responses));
}

TEST_F(RecordedShopTest, GoesOnFromAPositionOfAnOldShard) {
  Start("'0'");
  const recordings::Recording recording = Load("reshard-resume-old-shard");
  const vtgate::VStreamRequest request = Request(recording);
  Split(recording);
  ExpectSequence(recording, request);
}

TEST_F(RecordedShopTest, StopsAtTheJournalWithoutEndingTheCall) {
  Start("'0'");
  const recordings::Recording recording = Load("reshard-split-stop");
  vtgate::VStreamRequest request = Request(recording);
  request.mutable_flags()->set_heartbeat_interval(1);
  Split(Load("reshard-split"));
  StreamReader reader(simulator_->address(), request);
  const size_t count = CountEvents(recording.responses);
  reader.ReadEvents(count + 2);  // and heartbeats
  auto lines = LinesByShard(request, reader.responses());
  EXPECT_THAT(lines["/"], testing::SizeIs(2));
  lines.erase("/");
  EXPECT_EQ(lines, LinesByShard(recording.request, recording.responses));
}

TEST_F(RecordedShopTest, EndsTheCallAfterTheJournalBeforeVersion23) {
  Start("'0'", VersionProfile::Of(22));
  const recordings::Recording recording = Load("reshard-split-stop");
  const vtgate::VStreamRequest request = Request(recording);
  Split(Load("reshard-split"));
  StreamReader reader(simulator_->address(), request);
  EXPECT_TRUE(reader.Finish().ok());
  EXPECT_EQ(CountEvents(reader.responses()), CountEvents(recording.responses));
}

TEST_F(RecordedShopTest, FollowsAMergeOnceBothJournalsHaveCome) {
  Start("'-80', '80-'");
  const recordings::Recording recording = Load("reshard-merge");
  const vtgate::VStreamRequest request = Request(recording);
  Merge(recording);
  ExpectSequence(recording, request);
}

TEST_F(RecordedShopTest, SendsTheJournalBeforeItMissesAParticipant) {
  Start("'-80', '80-'");
  const recordings::Recording recording = Load("reshard-merge-one-participant-journal");
  const vtgate::VStreamRequest request = Request(recording);
  Merge(Load("reshard-merge"));
  ExpectEnd(recording, request);
}

TEST_F(RecordedShopTest, MissesAParticipantOfAMerge) {
  Start("'-80', '80-'");
  const recordings::Recording recording = Load("reshard-merge-one-participant");
  const vtgate::VStreamRequest request = Request(recording);
  Merge(Load("reshard-merge"));
  ExpectEnd(recording, request);
}

TEST_F(RecordedShopTest, GoesOnWithAnotherPrimary) {
  Start("'0'");
  const recordings::Recording recording = Load("failover-planned");
  const vtgate::VStreamRequest request = Request(recording);
  constexpr size_t kRowsBefore = 25;
  Write(recording, {"0"}, 0, kRowsBefore);
  StreamReader reader(simulator_->address(), request);
  reader.ReadEvents(4 * kRowsBefore + 1);
  ASSERT_TRUE(cluster().FailOver("shop", "0").ok());
  Write(recording, {"0"}, kRowsBefore);
  reader.ReadEvents(CountEvents(recording.responses));
  EXPECT_EQ(LinesByShard(request, reader.responses()),
            LinesByShard(recording.request, recording.responses));
}

TEST_F(RecordedShopTest, GoesOnWhereATabletWasKilled) {
  Start("'0'");
  const recordings::Recording recording = Load("tablet-killed");
  const vtgate::VStreamRequest request = Request(recording);
  constexpr size_t kRowsBefore = 23;
  StreamReader reader(simulator_->address(), request);
  Write(recording, {"0"}, 0, kRowsBefore);
  reader.ReadEvents(4 * kRowsBefore + 1);
  ASSERT_TRUE(cluster().SetServing("shop", "0", topodata::REPLICA, false).ok());
  Write(recording, {"0"}, kRowsBefore, kRowsBefore + 1);
  ASSERT_TRUE(cluster().SetServing("shop", "0", topodata::REPLICA, true).ok());
  Write(recording, {"0"}, kRowsBefore + 1);
  reader.ReadEvents(CountEvents(recording.responses));
  EXPECT_EQ(LinesByShard(request, reader.responses()),
            LinesByShard(recording.request, recording.responses));
}

TEST_F(RecordedShopTest, KnowsNothingOfAShardThatIsGone) {
  Start("'0'");
  const recordings::Recording recording = Load("error-shard-gone");
  const vtgate::VStreamRequest request = Request(recording);
  Split(Load("reshard-split"));
  ASSERT_TRUE(cluster().CompleteReshard("shop").ok());
  StreamReader reader(simulator_->address(), request);
  const grpc::Status status = reader.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(status.error_message(),
            Cat("error starting stream from shard GTID keyspace:\"shop\" shard:\"0\" gtid:\"",
                request.vgtid().shard_gtids(0).gtid(),
                "\": failed to determine if keyspace shop has been resharded: shard provided in "
                "VGTID, 0, not found in the shop keyspace"));
}

}  // namespace
}  // namespace source_vitess::simulator
