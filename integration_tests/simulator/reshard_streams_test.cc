// What streams meet between the stages of a reshard, beyond what is recorded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "simulator/event_sequence.h"
#include "simulator/simulator.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

class ReshardStreamsTest : public testing::Test {
 protected:
  void Start(SimulatorOptions options = {}) {
    simulator_ = std::make_unique<Simulator>(std::move(options));
    Run(R"(create keyspace shop shards ('-40', '40-80', '80-');
      use shop;
      create table customers (id bigint primary key, email varchar(20));
      alter vschema on customers add vindex hash(id);
      insert into customers values (1, 'a'), (3, 'c'), (4, 'd'))");
    ASSERT_TRUE(simulator_->Start().ok());
  }

  void Run(const std::string& script) {
    const absl::Status status = cluster().RunScript(script);
    ASSERT_TRUE(status.ok()) << status;
  }

  void Insert(int id) { Run(Cat("use shop; insert into customers values (", id, ", 'new')")); }

  void StartMerge() {
    ASSERT_TRUE(cluster().StartReshard({"shop", {"-40", "40-80"}, {"-80"}}).ok());
  }

  vtgate::VStreamRequest Request(const std::vector<std::string>& shards) {
    vtgate::VStreamRequest request;
    for (const std::string& name : shards) {
      binlogdata::ShardGtid& shard = *request.mutable_vgtid()->add_shard_gtids();
      shard.set_keyspace("shop");
      shard.set_shard(name);
      shard.set_gtid(cluster().Executed("shop", name)->ToPosition());
    }
    binlogdata::Rule& rule = *request.mutable_filter()->add_rules();
    rule.set_match("customers");
    rule.set_filter("select * from `customers`");
    return request;
  }

  // The shards that the last VGTID names.
  static std::string LastShards(const StreamReader& reader) {
    std::string names;
    for (const vtgate::VStreamResponse& response : reader.responses()) {
      for (const binlogdata::VEvent& event : response.events()) {
        if (!event.has_vgtid()) continue;
        names.clear();
        for (const binlogdata::ShardGtid& shard : event.vgtid().shard_gtids())
          CatTo(&names, names.empty() ? "" : " ", shard.shard());
      }
    }
    return names;
  }

  static std::vector<std::string> JournalsOf(const StreamReader& reader) {
    std::vector<std::string> shards;
    for (const vtgate::VStreamResponse& response : reader.responses()) {
      for (const binlogdata::VEvent& event : response.events()) {
        if (event.type() == binlogdata::JOURNAL) shards.push_back(event.shard());
      }
    }
    return shards;
  }

  // Reads until a row of this id comes.
  static void ReadToId(StreamReader& reader, const std::string& id) {
    while (reader.ReadMessage()) {
      for (const binlogdata::VEvent& event : reader.responses().back().events()) {
        if (event.type() != binlogdata::ROW) continue;
        const query::Row& row = event.row_event().row_changes(0).after();
        if (row.values().substr(0, static_cast<size_t>(row.lengths(0))) == id) return;
      }
    }
    FAIL() << "no row " << id;
  }

  Cluster& cluster() { return simulator_->cluster(); }

  std::unique_ptr<Simulator> simulator_;
};

TEST_F(ReshardStreamsTest, KeepsUnaffectedShardsAndAppendsTheTargets) {
  Start();
  const vtgate::VStreamRequest request = Request({"-40", "40-80", "80-"});
  StartMerge();
  ASSERT_TRUE(cluster().SwitchTraffic("shop").ok());
  StreamReader reader(simulator_->address(), request);
  Insert(2);
  ReadToId(reader, "2");
  EXPECT_EQ(LastShards(reader), "80- -80");
  EXPECT_THAT(JournalsOf(reader), testing::IsEmpty());
  ASSERT_TRUE(cluster().CompleteReshard("shop").ok());
  Insert(6);
  ReadToId(reader, "6");
}

TEST_F(ReshardStreamsTest, WaitsForAJournalThatIsHeld) {
  Start();
  vtgate::VStreamRequest request = Request({"-40", "40-80", "80-"});
  request.mutable_flags()->set_stop_on_reshard(true);
  StartMerge();
  ASSERT_TRUE(cluster().SwitchTraffic("shop", {"40-80"}).ok());
  StreamReader reader(simulator_->address(), request);
  while (JournalsOf(reader).empty()) ASSERT_TRUE(reader.ReadMessage());
  Insert(4711);  // in -80, which this stream never reads
  Insert(6);     // in 80-, which goes on
  ReadToId(reader, "6");
  EXPECT_THAT(JournalsOf(reader), testing::ElementsAre("-40"));
  ASSERT_TRUE(cluster().ReleaseStreams("shop", "40-80").ok());
  while (JournalsOf(reader).size() < 2) ASSERT_TRUE(reader.ReadMessage());
  EXPECT_EQ(LastShards(reader), "-40 40-80 80-");
}

TEST_F(ReshardStreamsTest, HasTheJournalAgainForAReaderThatComesBack) {
  Start();
  vtgate::VStreamRequest request = Request({"-40", "40-80"});
  request.mutable_flags()->set_stop_on_reshard(true);
  StartMerge();
  ASSERT_TRUE(cluster().SwitchTraffic("shop", {"-40"}).ok());
  StreamReader killed(simulator_->address(), request);
  while (JournalsOf(killed).empty()) ASSERT_TRUE(killed.ReadMessage());
  killed.Cancel();
  ASSERT_TRUE(cluster().ReleaseStreams("shop", "-40").ok());
  StreamReader again(simulator_->address(), request);
  while (JournalsOf(again).size() < 2) ASSERT_TRUE(again.ReadMessage());
}

TEST_F(ReshardStreamsTest, TellsWhereTheTargetsBegin) {
  Start();
  vtgate::VStreamRequest request = Request({"-40", "40-80"});
  request.mutable_flags()->set_stop_on_reshard(true);
  StartMerge();
  Insert(2);  // in both logs, of the source and of the target: not to be met twice
  ASSERT_TRUE(cluster().SwitchTraffic("shop").ok());
  Insert(5);
  StreamReader reader(simulator_->address(), request);
  binlogdata::Journal journal;
  while (JournalsOf(reader).size() < 2) ASSERT_TRUE(reader.ReadMessage());
  for (const binlogdata::VEvent& event : reader.responses().back().events()) {
    if (event.has_journal()) journal = event.journal();
  }
  ASSERT_EQ(journal.shard_gtids_size(), 1);
  vtgate::VStreamRequest on = Request({"-80"});
  *on.mutable_vgtid()->mutable_shard_gtids(0) = journal.shard_gtids(0);
  StreamReader target(simulator_->address(), on);
  ReadToId(target, "5");
  // Three transactions of the switch, then the one with the row.
  EXPECT_EQ(target.responses().size(), 4U);
}

TEST_F(ReshardStreamsTest, ForgetsACopyThatIsUnderWayWhereVtgateFollows) {
  SimulatorOptions options;
  options.service.streams.packet_bytes = 1;
  options.service.streams.on_point = [&](const StreamPoint& point) {
    if (point.kind == StreamPoint::Kind::kSnapshotTaken && point.shard == "-40") {
      StartMerge();
      EXPECT_TRUE(cluster().SwitchTraffic("shop").ok());
    }
    return StreamAction::kContinue;
  };
  Start(options);
  vtgate::VStreamRequest request = Request({"-40", "40-80"});
  for (binlogdata::ShardGtid& shard : *request.mutable_vgtid()->mutable_shard_gtids())
    shard.clear_gtid();
  StreamReader reader(simulator_->address(), request);
  ReadToId(reader, "1");
  while (LastShards(reader) != "-80") ASSERT_TRUE(reader.ReadMessage());
  EXPECT_EQ(CountEvents({reader.responses().back()}), 3U);  // no table_p_ks, no copy
}

TEST_F(ReshardStreamsTest, IsLostInTheMiddleOfAnOldShardThatIsDropped) {
  Start();
  const vtgate::VStreamRequest request = Request({"-40", "40-80"});
  ASSERT_TRUE(cluster().HoldStreams("shop", "-40").ok());
  StreamReader reader(simulator_->address(), request);
  Insert(3000);
  StartMerge();
  ASSERT_TRUE(cluster().SwitchTraffic("shop").ok());
  ASSERT_TRUE(cluster().CompleteReshard("shop").ok());
  EXPECT_EQ(reader.Finish().error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(ReshardStreamsTest, HasNoTabletForAnOldShardBeforeVersion20) {
  SimulatorOptions options;
  options.cluster.version = VersionProfile::Of(18);
  options.service.streams.no_tablet_timeout = absl::Milliseconds(50);
  Start(options);
  const vtgate::VStreamRequest request = Request({"-40", "40-80"});
  StartMerge();
  ASSERT_TRUE(cluster().SwitchTraffic("shop").ok());
  StreamReader reader(simulator_->address(), request);
  const grpc::Status status = reader.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_THAT(status.error_message(), testing::HasSubstr("failed to find a PRIMARY tablet"));
}

TEST_F(ReshardStreamsTest, SendsNoJournalWhereTheFlagIsNotKnown) {
  SimulatorOptions options;
  options.cluster.version = VersionProfile::Of(20);
  Start(options);
  vtgate::VStreamRequest request = Request({"-40", "40-80"});
  request.mutable_flags()->set_include_reshard_journal_events(true);
  StartMerge();
  ASSERT_TRUE(cluster().SwitchTraffic("shop").ok());
  StreamReader reader(simulator_->address(), request);
  Insert(2);
  ReadToId(reader, "2");
  EXPECT_THAT(JournalsOf(reader), testing::IsEmpty());
}

TEST_F(ReshardStreamsTest, EndsAStreamWithoutTabletsAfterAWhile) {
  SimulatorOptions options;
  options.service.streams.liveness_timeout = absl::Milliseconds(50);
  Start(options);
  vtgate::VStreamRequest request = Request({"-40", "40-80"});
  request.mutable_flags()->set_stop_on_reshard(true);
  StartMerge();
  ASSERT_TRUE(cluster().SwitchTraffic("shop").ok());
  StreamReader reader(simulator_->address(), request);
  const grpc::Status status = reader.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), testing::HasSubstr("failed liveness checks"));
  EXPECT_THAT(JournalsOf(reader), testing::SizeIs(2));
}

TEST_F(ReshardStreamsTest, TellsTestsOfEachJournal) {
  std::vector<std::string> journals;
  SimulatorOptions options;
  options.service.streams.on_point = [&](const StreamPoint& point) {
    if (point.kind == StreamPoint::Kind::kJournal) journals.push_back(point.shard);
    return StreamAction::kContinue;
  };
  Start(options);
  const vtgate::VStreamRequest request = Request({"-40", "40-80"});
  StartMerge();
  ASSERT_TRUE(cluster().SwitchTraffic("shop").ok());
  StreamReader reader(simulator_->address(), request);
  Insert(2);
  ReadToId(reader, "2");
  EXPECT_THAT(journals, testing::UnorderedElementsAre("-40", "40-80"));
}

}  // namespace
}  // namespace source_vitess::simulator
