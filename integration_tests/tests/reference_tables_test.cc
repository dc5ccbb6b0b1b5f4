// Tables of which every shard holds all rows: read from one shard, each change once.
#include <atomic>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/simulated_source.h"

namespace source_vitess::integration_tests {
namespace {

using simulator::StreamAction;
using simulator::StreamPoint;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ReferenceTablesTest : public ::testing::Test {
 protected:
  ReferenceTablesTest() {
    source_.Execute(
        "create table countries (id bigint not null, name varchar(32), primary key (id))");
    source_.Execute("alter vschema add reference shop.countries");
    const absl::Status status = source_.Rediscover();
    EXPECT_TRUE(status.ok()) << status;
  }

  simulator::SimulatorOptions Options() {
    simulator::SimulatorOptions options;
    options.service.streams.on_point = [this](const StreamPoint& point) {
      // Of the table that is replicated together with the reference table's shard, or itself.
      if (point.kind == StreamPoint::Kind::kTransaction && reshard_in_stream_.exchange(false)) {
        Switch();
      }
      return StreamAction::kContinue;
    };
    return options;
  }

  void Fill(int first, int last) {
    for (int id = first; id <= last; ++id) {
      source_.Execute(absl::StrCat("insert into countries values (", id, ", 'country ", id, "')"));
    }
    for (const std::string& sql : RowsOfEveryTable(first, last)) source_.Execute(sql);
  }

  // Four changes of the reference table.
  void Change() {
    source_.Execute("update countries set name = 'new' where id = 1");
    source_.Execute("delete from countries where id = 2");
    source_.Execute("delete from countries where id = 3");
    source_.Execute("insert into countries values (3, 'back again')");
  }

  void Start(const std::vector<std::string>& sources, const std::vector<std::string>& targets) {
    const absl::Status status = cluster().StartReshard({"shop", sources, targets});
    ASSERT_TRUE(status.ok()) << status;
  }
  void Switch() {
    const absl::Status status = cluster().SwitchTraffic("shop");
    ASSERT_TRUE(status.ok()) << status;
  }

  void ReadWell() {
    const harness::RunResult run = source_.Read();
    ASSERT_EQ(run.exit.exit_code, 0) << testing::PrintToString(run.lines);
  }

  void ExpectEqual() {
    EXPECT_THAT(source_.Differences(), IsEmpty());
    EXPECT_THAT(source_.DifferencesOf("countries"), IsEmpty());
    EXPECT_THAT(source_.destination().violations(), IsEmpty());
  }

  uint64_t Records() { return source_.destination().Sync("shop", "countries").records; }

  void ExpectIdle() {
    ReadWell();
    EXPECT_EQ(Records(), 0u);
  }

  // The shards from which the streams so far read the table.
  std::set<std::string> ShardsRead() {
    std::set<std::string> shards;
    for (const vtgate::VStreamRequest& request : source_.simulator().stream_requests()) {
      for (const binlogdata::Rule& rule : request.filter().rules()) {
        if (!absl::StrContains(rule.match(), "countries")) continue;
        for (const binlogdata::ShardGtid& shard : request.vgtid().shard_gtids()) {
          shards.insert(shard.shard());
        }
      }
    }
    return shards;
  }

  simulator::Cluster& cluster() { return source_.simulator().cluster(); }

  std::atomic<bool> reshard_in_stream_ = false;
  SimulatedSource source_{Options()};
};

TEST_F(ReferenceTablesTest, EachRowIsCopiedOnceFromOneShard) {
  Fill(1, 12);

  ReadWell();

  EXPECT_EQ(Records(), 12u);
  EXPECT_THAT(ShardsRead(), SizeIs(1));
  ExpectEqual();
}

TEST_F(ReferenceTablesTest, EachChangeComesOnceFromTheSameShard) {
  Fill(1, 12);
  ReadWell();
  Change();

  ReadWell();

  EXPECT_EQ(Records(), 4u);
  EXPECT_THAT(ShardsRead(), SizeIs(1));
  ExpectEqual();
  ExpectIdle();
}

TEST_F(ReferenceTablesTest, VitessIsAskedAboutATableThatIsReadFromEveryShardOnceOnly) {
  Fill(1, 3);
  ReadWell();
  const size_t asked_first = source_.simulator().statements().size();
  ReadWell();

  const std::vector<std::string> statements = source_.simulator().statements();
  for (size_t i = asked_first; i < statements.size(); ++i) {
    EXPECT_FALSE(absl::StrContains(statements[i], "vindexes on") &&
                 !absl::StrContains(statements[i], "countries"))
        << statements[i];
  }
}

TEST_F(ReferenceTablesTest, TheShardThatIsReadMayBeSplitBetweenSyncs) {
  Fill(1, 12);
  ReadWell();
  Start({"-80"}, {"-40", "40-80"});
  Change();
  Switch();
  source_.Execute("insert into countries values (20, 'behind')");

  ReadWell();
  // A reshard does not carry the rows over, so they are copied again.
  EXPECT_GE(Records(), 4u + 12u);
  ExpectEqual();
  ASSERT_TRUE(cluster().CompleteReshard("shop").ok());
  ExpectIdle();
  Change();
  ReadWell();

  EXPECT_EQ(Records(), 2u);  // the others change nothing any more
  ExpectEqual();
}

TEST_F(ReferenceTablesTest, TheShardThatIsReadMayBeMergedBetweenSyncs) {
  Fill(1, 12);
  ReadWell();
  Start({"-80", "80-"}, {"-"});
  Change();
  Switch();
  source_.Execute("insert into countries values (20, 'behind')");

  ReadWell();

  ExpectEqual();
  ASSERT_TRUE(cluster().CompleteReshard("shop").ok());
  ExpectIdle();
}

TEST_F(ReferenceTablesTest, AnotherShardMayBeSplit) {
  Fill(1, 12);
  ReadWell();
  Start({"80-"}, {"80-c0", "c0-"});
  Change();
  Switch();

  ReadWell();

  EXPECT_EQ(Records(), 4u);
  ExpectEqual();
  ExpectIdle();
}

TEST_F(ReferenceTablesTest, TheShardThatIsReadMayBeSplitWhileItIsRead) {
  Fill(1, 12);
  ReadWell();
  Start({"-80"}, {"-40", "40-80"});
  Change();
  Fill(13, 20);
  reshard_in_stream_ = true;

  ReadWell();
  EXPECT_FALSE(reshard_in_stream_);
  ReadWell();

  ExpectEqual();
  ExpectIdle();
  EXPECT_THAT(ShardsRead(), ::testing::IsSubsetOf({"-80", "-40"}));
}

TEST(WaitingReferenceTableTest, IsCopiedFromOneOfTheShardsThatThereAreWhenItsTurnComes) {
  std::atomic<SimulatedSource*> shared = nullptr;
  simulator::SimulatorOptions options;
  options.service.streams.on_point = [&](const StreamPoint& point) {
    SimulatedSource* source =
        point.kind == StreamPoint::Kind::kRowsCopied ? shared.exchange(nullptr) : nullptr;
    if (source == nullptr) return StreamAction::kContinue;
    simulator::Cluster& cluster = source->simulator().cluster();
    EXPECT_TRUE(cluster.StartReshard({"shop", {"-80", "80-"}, {"-40", "40-c0", "c0-"}}).ok());
    EXPECT_TRUE(cluster.SwitchTraffic("shop").ok());
    return StreamAction::kContinue;
  };
  SimulatedSource source(std::move(options), {{"parallel_copies", "1"}});
  source.Execute("create table zones (id bigint not null, primary key (id))");
  source.Execute("alter vschema add reference shop.zones");
  ASSERT_TRUE(source.Rediscover().ok());
  for (const std::string& sql : RowsOfEveryTable(1, 12)) source.Execute(sql);
  for (int id = 1; id <= 12; ++id) {
    source.Execute(absl::StrCat("insert into zones values (", id, ")"));
  }
  shared = &source;

  ASSERT_EQ(source.Read().exit.exit_code, 0);

  EXPECT_EQ(shared, nullptr);
  EXPECT_EQ(source.destination().Sync("shop", "zones").records, 12u);
  EXPECT_THAT(source.DifferencesOf("zones"), IsEmpty());
  EXPECT_THAT(source.destination().violations(), IsEmpty());
}

TEST_F(ReferenceTablesTest, ATableThatBecomesOneLaterGoesOnAsBefore) {
  source_.Execute("create table colours (id bigint not null, primary key (id))");
  source_.Execute("alter vschema on shop.colours add vindex hash(id)");
  ASSERT_TRUE(source_.Rediscover().ok());
  Fill(1, 6);
  for (int id = 1; id <= 6; ++id) {
    source_.Execute(absl::StrCat("insert into colours values (", id, ")"));
  }
  ReadWell();
  source_.Execute("alter vschema add reference shop.colours");

  ReadWell();

  EXPECT_EQ(source_.destination().Sync("shop", "colours").records, 0u);
}

}  // namespace
}  // namespace source_vitess::integration_tests
