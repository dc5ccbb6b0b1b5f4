#include "benchmark/workload.h"

#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace source_vitess::benchmark {
namespace {

using ::testing::ElementsAre;
using ::testing::Le;
using ::testing::SizeIs;

std::vector<vtgate::VStreamResponse> MessagesOf(const Workload& workload) {
  std::vector<vtgate::VStreamResponse> messages;
  for (WorkloadReader reader(workload); !reader.done();) {
    std::string bytes(reader.NextSize(), '\0');
    reader.Next(bytes.data());
    EXPECT_TRUE(messages.emplace_back().ParseFromString(bytes));
  }
  return messages;
}

std::string KeyOf(const query::Row& row) {
  return row.values().substr(0, static_cast<size_t>(row.lengths(0)));
}

size_t BytesIn(const query::Row& row) {
  size_t bytes = 0;
  for (const int64_t length : row.lengths())
    bytes += static_cast<size_t>(std::max<int64_t>(length, 0));
  return bytes;
}

struct Found {
  std::set<std::string> keys;
  uint64_t changes = 0;
  uint64_t inserts = 0;
  uint64_t updates = 0;
  uint64_t deletes = 0;
  std::string last_gtid;
  std::vector<std::string> shape;  // a letter per event, of every message; rows as one
};

Found Look(const std::vector<vtgate::VStreamResponse>& messages) {
  Found found;
  for (const vtgate::VStreamResponse& message : messages) {
    std::string& shape = found.shape.emplace_back();
    for (const binlogdata::VEvent& event : message.events()) {
      if (event.type() == binlogdata::VGTID) found.last_gtid = event.vgtid().shard_gtids(0).gtid();
      const char letter = binlogdata::VEventType_Name(event.type())[0];
      if (letter != 'R' || shape.empty() || shape.back() != 'R') shape += letter;
      for (const binlogdata::RowChange& change : event.row_event().row_changes()) {
        const query::Row& row = change.has_after() ? change.after() : change.before();
        EXPECT_EQ(row.values().size(), BytesIn(row));
        EXPECT_THAT(row.lengths(), SizeIs(9));
        found.keys.insert(KeyOf(row));
        ++found.changes;
        found.inserts += !change.has_before();
        found.updates += change.has_before() && change.has_after();
        found.deletes += !change.has_after();
        if (change.has_before() && change.has_after()) {
          EXPECT_EQ(KeyOf(change.before()), KeyOf(change.after()));
        }
      }
    }
  }
  return found;
}

TEST(WorkloadTest, CopiesEveryKeyOnceInBatchesOfAPacket) {
  const Workload workload({WorkloadKind::kCopy}, 2000);
  const std::vector<vtgate::VStreamResponse> messages = MessagesOf(workload);
  const Found found = Look(messages);
  EXPECT_EQ(found.changes, 2000);
  EXPECT_THAT(found.keys, SizeIs(2000));
  EXPECT_THAT(found.shape, ElementsAre("BF", "V", "RVC", "B", "RVC", "B", "RVC", "BVC", "CC"));
  EXPECT_EQ(found.last_gtid, "MySQL56/" + workload.executed_gtid_set());
  EXPECT_EQ(messages.size(), workload.messages());
}

TEST(WorkloadTest, NamesTheLastKeyOfEachBatch) {
  const std::vector<vtgate::VStreamResponse> messages =
      MessagesOf(Workload({WorkloadKind::kCopy}, 2000));
  for (const vtgate::VStreamResponse& message : messages) {
    if (message.events(0).type() != binlogdata::ROW) continue;
    const int rows = message.events_size() - 2;
    const query::Row& last = message.events(rows - 1).row_event().row_changes(0).after();
    const query::Row& named =
        message.events(rows).vgtid().shard_gtids(0).table_p_ks(0).lastpk().rows(0);
    EXPECT_EQ(named.values(), KeyOf(last));
  }
}

TEST(WorkloadTest, HasRowsOfTheSizeThatIsAskedFor) {
  const Workload workload({WorkloadKind::kCopy}, 100'000);
  const double bytes = static_cast<double>(workload.bytes()) / 100'000;
  EXPECT_NEAR(bytes, 380, 10);
}

TEST(WorkloadTest, HasACellForEachColumnOfATableOfAllTypes) {
  for (const WorkloadKind kind : {WorkloadKind::kCopy, WorkloadKind::kReplication}) {
    const std::vector<vtgate::VStreamResponse> messages =
        MessagesOf(Workload({kind, SampleTable::kAllTypes}, 100));
    for (const vtgate::VStreamResponse& message : messages) {
      for (const binlogdata::VEvent& event : message.events()) {
        for (const binlogdata::RowChange& change : event.row_event().row_changes()) {
          const query::Row& row = change.has_after() ? change.after() : change.before();
          EXPECT_EQ(row.values().size(), BytesIn(row));
          EXPECT_EQ(row.lengths().size(), SampleColumns(SampleTable::kAllTypes).size());
        }
      }
    }
  }
}

TEST(WorkloadTest, IsKnownByItsName) {
  EXPECT_EQ(WorkloadName(*ParseWorkload("all-types-replication")), "all-types-replication");
  EXPECT_EQ(WorkloadName(*ParseWorkload("copy")), "copy");
  EXPECT_FALSE(ParseWorkload("all-types").ok());
}

TEST(WorkloadTest, ReplicatesTransactionsThatEachMoveThePosition) {
  const Workload workload({WorkloadKind::kReplication}, 1007);
  const Found found = Look(MessagesOf(workload));
  EXPECT_EQ(found.changes, 1007);
  EXPECT_THAT(found.keys, SizeIs(1007));
  EXPECT_EQ(found.inserts, 407);
  EXPECT_EQ(found.updates, 400);
  EXPECT_EQ(found.deletes, 200);
  EXPECT_THAT(found.shape, SizeIs(51));
  EXPECT_EQ(found.shape[0], "BFRVC");
  EXPECT_EQ(found.shape[50], "BRVC");
  EXPECT_EQ(found.last_gtid, "MySQL56/" + workload.executed_gtid_set());
}

TEST(WorkloadTest, CommitsALargeTransactionBehindItsLastRow) {
  const Workload workload({WorkloadKind::kLargeTransaction}, 2000);
  const Found found = Look(MessagesOf(workload));
  EXPECT_EQ(found.inserts, 2000);
  EXPECT_THAT(found.keys, SizeIs(2000));
  EXPECT_THAT(found.shape, ElementsAre("BFR", "R", "RVC"));
  EXPECT_EQ(found.last_gtid, "MySQL56/" + workload.executed_gtid_set());
}

TEST(WorkloadTest, TakesNoMoreMemoryForMoreRows) {
  const Workload workload({WorkloadKind::kLargeTransaction}, 5'000'000);
  WorkloadReader reader(workload);
  EXPECT_THAT(reader.NextSize(), Le(size_t{400'000}));
  EXPECT_GT(workload.messages(), 4'000);
}

}  // namespace
}  // namespace source_vitess::benchmark
