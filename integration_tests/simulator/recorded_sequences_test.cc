// The simulator sends what the real server sent, when it is loaded with the same rows and asked the
// same request.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "simulator/event_sequence.h"
#include "simulator/recorded_cluster.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

constexpr char kJobTime[] = "2026-11-22 17:01:34";
constexpr char kTime[] = "2026-11-22 16:09:44";

// What was there at the position that the copy-job recordings resume from, and what came after it.
class CopyJobTest : public testing::Test {
 protected:
  CopyJobTest() {
    cluster_.InsertCustomers(kJobTime);
    cluster_.InsertOrders();
    start_ = cluster_.Position();
    cluster_.Run(Cat("insert into customers values (104, 'new', '", kJobTime, "')"));
    cluster_.Run(Cat("insert into customers values (100, 'new', '", kJobTime, "')"));
    cluster_.Run("update customers set email = 'changed' where id in (1, 5)");
    cluster_.Run("delete from customers where id = 2");
    cluster_.Run("delete from customers where id = 4");
  }

  RecordedCluster cluster_;
  std::string start_;
};

// Nothing is left to send once a transaction that comes after everything has come next, in each
// shard.
void ExpectNothingMore(RecordedCluster& cluster, StreamReader& reader,
                       const vtgate::VStreamRequest& request) {
  const auto before = LinesByShard(request, reader.responses());
  const size_t shards = static_cast<size_t>(std::max(
      1, request.vgtid().shard_gtids(0).shard().empty() ? 2 : request.vgtid().shard_gtids_size()));
  ASSERT_TRUE(cluster.cluster().WriteInternalTransaction("customer", "-80").ok());
  reader.ReadEvents(CountEvents(reader.responses()) + 3 * shards);
  for (const auto& [shard, lines] : LinesByShard(request, reader.responses())) {
    if (shard == "/") continue;
    const auto had = before.find(shard);
    const size_t count = had == before.end() ? 0 : had->second.size();
    ASSERT_EQ(lines.size(), count + 3) << shard;
    EXPECT_THAT(lines[count], testing::StartsWith("BEGIN timed"));
    EXPECT_THAT(lines[count + 2], testing::StartsWith("COMMIT timed"));
  }
}

// Streams as the recording asks, from `position`, and compares what comes with what is recorded,
// shard by shard.
void ExpectSequence(RecordedCluster& cluster, const char* name, const std::string& position) {
  const recordings::Recording recording = LoadRecording(name);
  const vtgate::VStreamRequest request = RecordedCluster::RequestAt(recording, position);
  StreamReader reader(cluster.address(), request);
  reader.ReadEvents(CountEvents(recording.responses));
  EXPECT_EQ(LinesByShard(request, reader.responses()),
            LinesByShard(recording.request, recording.responses));
  ExpectNothingMore(cluster, reader, request);
}

TEST_F(CopyJobTest, CopiesATableFromBothShards) {
  ExpectSequence(cluster_, "copy-job-start", start_);
}

TEST_F(CopyJobTest, CatchesUpAndGoesOnAfterTheLastKey) {
  ExpectSequence(cluster_, "copy-job-resume-mid-table", start_);
}

TEST_F(CopyJobTest, CopiesAPendingTableFromItsFirstRow) {
  ExpectSequence(cluster_, "copy-job-resume-pending", start_);
}

TEST_F(CopyJobTest, ReplicatesOneShardWhileTheOtherCopies) {
  ExpectSequence(cluster_, "copy-job-one-shard-done", start_);
}

TEST_F(CopyJobTest, CopiesAnEmptyTable) {
  ExpectSequence(cluster_, "copy-job-empty-table", start_);
}

TEST_F(CopyJobTest, CopiesNothingBehindTheLastKey) {
  ExpectSequence(cluster_, "copy-job-lastpk-at-end", start_);
}

TEST_F(CopyJobTest, ReplicatesFromThePositionOfTheCopy) {
  ExpectSequence(cluster_, "replicate-job-after-copy", start_);
}

class RecordedSequencesTest : public testing::Test {
 protected:
  RecordedSequencesTest() {
    cluster_.InsertCustomers(kTime);
    cluster_.InsertOrders();
    cluster_.InsertStrings();
  }

  RecordedCluster cluster_;
};

TEST_F(RecordedSequencesTest, CopiesTablesOneAfterTheOtherInEachShard) {
  // The recording ends before its copy does: what it has is a prefix, shard by shard.
  const recordings::Recording recording = LoadRecording("copy-two-shards");
  StreamReader reader(cluster_.address(), recording.request);
  while (reader.ReadMessage()) {
    const vtgate::VStreamResponse& last = reader.responses().back();
    if (last.events(last.events_size() - 1).shard().empty()) break;  // both shards are done
  }
  const auto actual = LinesByShard(recording.request, reader.responses());
  for (const auto& [shard, lines] : LinesByShard(recording.request, recording.responses)) {
    std::vector<std::string> prefix = actual.at(shard);
    prefix.resize(std::min(prefix.size(), lines.size()));
    EXPECT_EQ(prefix, lines) << shard;
  }
}

TEST_F(RecordedSequencesTest, ExpandsAnUnspecifiedShard) {
  ExpectSequence(cluster_, "copy-unspecified-shard", "");
}

TEST_F(RecordedSequencesTest, NeverCopiesATableThatThePositionForgets) {
  ExpectSequence(cluster_, "resume-between-tables-naive", cluster_.Position());
}

TEST_F(RecordedSequencesTest, CopiesFinishedTablesAgainBesideAPendingOne) {
  ExpectSequence(cluster_, "resume-pending-table-no-tables-to-copy", cluster_.Position());
}

TEST_F(RecordedSequencesTest, CopiesOnlyTablesToCopy) {
  ExpectSequence(cluster_, "resume-mid-table", cluster_.Position());
}

TEST_F(RecordedSequencesTest, TellsNoCompletionWhereOneShardHadNothingToCopy) {
  ExpectSequence(cluster_, "resume-one-shard-done", cluster_.Position());
}

TEST_F(RecordedSequencesTest, ReplicatesTransactionsOverSeveralTables) {
  const std::string start = cluster_.Position();
  cluster_.Run(R"(
    begin;
    insert into customers values (21, 'a', '2026-11-22 16:10:15');
    insert into orders values (5, 21, 'z', 1.25);
    update customers set email = 'b' where id = 21;
    delete from orders where customer_id = 21;
    commit;
    update orders set id = 77 where customer_id = 1 and id = 1;
    delete from customers where id = 8;
    insert into nopk values (1, 'x'), (1, 'x');
    delete from nopk where a = 1 limit 1)");
  ExpectSequence(cluster_, "replicate-transactions", start);
}

TEST_F(RecordedSequencesTest, SendsColumnsThatAFilterLists) {
  const std::string start = cluster_.Position();
  cluster_.Run(R"(
    insert into alltypes (id, vc, en) values (1, 'héllo', 'b,c');
    insert into alltypes (id) values (2);
    insert into alltypes (id, vc, en) values (3, '', 'a');
    insert into alltypes (id) values (4);
    insert into alltypes (id) values (5);
    insert into alltypes (id) values (6);
    insert into alltypes (id, en) values (9, '');
    insert into alltypes (id) values (10);
    update alltypes set en = 'd''e', st = 'y' where id = 1;
    update alltypes set vc = 'v' where id = 2;
    delete from alltypes where id = 5)");
  ExpectSequence(cluster_, "projection", start);
}

// The rows of the recordings of all types, inserted in their order.
constexpr char kAllTypes[] = R"(
    insert into alltypes (id, ti, tib, tu, si, mi, i, iu, bu, zf, f, d, dec1, b1, b10, b64, dt, dtm, dtm6, ts, ts6, tm,
      tm6, y, c, vc, vl, vu16, vg, vbin, bi, vb, tx, tl, bl, mt, en, st, enl, js, gp, geo, vec, uid)
    values (1, -128, 1, 255, -32768, -8388608, -2147483648, 4294967295, 18446744073709551615, 42, 1.5, 0.1,
      -12345678901234567890.0123456789, b'1', b'1000000001', x'8000000000000001', '2024-02-29', '2024-02-29 23:59:59',
      '2024-02-29 23:59:59.123456', '2024-02-29 23:59:59', '2024-02-29 23:59:59.5', '-838:59:59', '12:00:00.5', 2155,
      'ab', 'héllo', 'héllo', 'héllo', '中文', 'Z', x'0102', x'00ff', 'té', 'é', x'00ff80', 'm', 'b,c', 'z,x', 'é',
      '{"n": 12345678901234567890, "b":null, "a":[1,2.5,"x"]}',
      x'000000000101000000000000000000f03f0000000000000040',
      x'0000000001020000000200000000000000000000000000000000000000000000000000f03f000000000000f03f',
      '[1, 2, 3.5]', x'000102030405060708090a0b0c0d0e0f');
    insert into alltypes (id) values (2);
    insert into alltypes (id, tib, f, d, b1, vc, en, st, js) values (3, 2, 3.4e38, 1e308, b'0', '', 'a', '', '[]');
    insert into alltypes (id, f, d, y, c, bi, vb, js) values (4, 0, 0.00001, 0, '', '', '', '"str"');
    insert into alltypes (id, f, d, js) values (5, 16777216, 123456789.12345679, '1.0');
    insert into alltypes (id, vc, tx, js) values (6, 'line\nbreak "quoted" ', '😀 emoji', '{"ké": "😀"}');
    insert into alltypes (id, dt, dtm, ts, tm, y, en)
    values (9, '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '-00:00:01', 0, '');
    insert into alltypes (id, dt, dtm) values (10, '2024-00-15', '2024-02-00 01:02:03'))";

TEST_F(RecordedSequencesTest, CopiesEveryTypeAsMysqlWritesIt) {
  cluster_.Run(kAllTypes);
  ExpectSequence(cluster_, "copy-all-types", "");
}

TEST_F(RecordedSequencesTest, ReplicatesEveryTypeAsVitessWritesIt) {
  const std::string start = cluster_.Position();
  cluster_.Run(kAllTypes);
  cluster_.Run(R"(
    update alltypes set en = 'd''e', st = 'y' where id = 1;
    update alltypes set vc = 'v' where id = 2;
    delete from alltypes where id = 5)");
  ExpectSequence(cluster_, "replicate-all-types", start);
}

// What was run on row 1 with both of the settings that make images partial.
void ChangeWithPartialImages(RecordedCluster& cluster) {
  ServerVariables variables;
  variables.binlog_row_image = "NOBLOB";
  variables.binlog_row_value_options = "PARTIAL_JSON";
  cluster.cluster().SetVariables(variables);
  cluster.Run(R"(
    replace into alltypes (id, vc, tx, bl, js) values (1, 'v', 'text', 'blob',
      '{"a": 1, "b": [1, 2, 3], "long": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}');
    update alltypes set vc = 'w' where id = 1;
    update alltypes set js = json_replace(js, '$.a', 2) where id = 1;
    update alltypes set js = json_array_append(js, '$.b', 9) where id = 1;
    update alltypes set js = json_insert(js, '$.new', 'v') where id = 1;
    update alltypes set js = json_remove(js, '$.b') where id = 1;
    update alltypes set js = json_set(js, '$.a', 3, '$.long', 'short') where id = 1;
    update alltypes set tx = 'changed' where id = 1;
    delete from alltypes where id = 1)");
}

class PartialImagesTest : public RecordedSequencesTest {
 protected:
  PartialImagesTest() {
    cluster_.Run(kAllTypes);
    cluster_.Run("update alltypes set en = 'd''e', st = 'y' where id = 1");
    start_ = cluster_.Position();
  }

  std::string start_;
};

TEST_F(PartialImagesTest, LeavesOutBlobsAndSendsDifferencesOfDocuments) {
  ChangeWithPartialImages(cluster_);
  ExpectSequence(cluster_, "noblob-partial-json", start_);
}

TEST_F(PartialImagesTest, CountsTheTablesColumnsWhateverTheFilterNames) {
  ChangeWithPartialImages(cluster_);
  ExpectSequence(cluster_, "noblob-partial-json-projection", start_);
}

TEST_F(PartialImagesTest, SendsInsertedRowsWhole) {
  ServerVariables variables;
  variables.binlog_row_image = "NOBLOB";
  variables.binlog_row_value_options = "PARTIAL_JSON";
  cluster_.cluster().SetVariables(variables);
  cluster_.Run("insert into alltypes (id, tx, js) values (11, 'text', '{}')");
  vtgate::VStreamRequest request =
      RecordedCluster::RequestAt(LoadRecording("noblob-partial-json-projection"), start_);
  request.mutable_vgtid()->mutable_shard_gtids(0)->set_shard("80-");
  StreamReader reader(cluster_.address(), request);
  reader.ReadEvents(3);
  const binlogdata::RowChange& change = reader.responses()[0].events(2).row_event().row_changes(0);
  EXPECT_EQ(change.after().values(), "11text{}");
  EXPECT_FALSE(change.has_data_columns());
  EXPECT_FALSE(change.has_json_partial_values());
}

// Vitess's own schema tracking writes a transaction per shard behind each definition.
void Define(RecordedCluster& cluster, const char* first, const char* second, const char* sql) {
  cluster.RunIn(Cat("customer:", first), sql);
  cluster.RunIn(Cat("customer:", second), sql);
  ASSERT_TRUE(cluster.cluster().WriteInternalTransaction("customer", "-80").ok());
  ASSERT_TRUE(cluster.cluster().WriteInternalTransaction("customer", "80-").ok());
}

TEST_F(RecordedSequencesTest, SendsDefinitionsAndTheFieldsAfterThem) {
  const std::string start = cluster_.Position();
  Define(cluster_, "80-", "-80", "alter table customers add column note varchar(10)");
  cluster_.Run("insert into customers values (51, 'a', '2026-11-22 16:10:39', 'n')");
  Define(cluster_, "80-", "-80", "truncate table nopk");
  Define(cluster_, "80-", "-80", "create index ix on customers (email)");
  cluster_.Run("update customers set note = 'm' where id = 51");
  Define(cluster_, "80-", "-80", "rename table nopk to nopk2");
  Define(cluster_, "-80", "80-", "rename table nopk2 to nopk");
  for (int i = 0; i < 10; ++i)
    cluster_.Run(Cat("insert into orders (id, customer_id) values (", 900 + i, ", 4)"));
  ExpectSequence(cluster_, "ddl", start);
}

TEST_F(RecordedSequencesTest, DividesALargeTransactionAsMysqlAndVttabletDo) {
  const std::string start = cluster_.Position();
  std::string script = "begin;";
  for (int first = 10000; first < 19500; first += 500) {
    CatTo(&script, "insert into orders values ");
    for (int id = first; id < first + 500; ++id) {
      CatTo(&script, id == first ? "" : ",", "(", id, ", 1, 'skuxxxxxxxxxxxxxxx', 1.5)");
    }
    CatTo(&script, ";");
  }
  cluster_.Run(script + "commit");
  const recordings::Recording recording = LoadRecording("replicate-large-transaction");
  const vtgate::VStreamRequest request = RecordedCluster::RequestAt(recording, start);
  StreamReader reader(cluster_.address(), request);
  reader.ReadEvents(CountEvents(recording.responses));
  EXPECT_EQ(LinesByShard(request, reader.responses()),
            LinesByShard(recording.request, recording.responses));
  ASSERT_EQ(reader.responses().size(), recording.responses.size());
  EXPECT_EQ(reader.responses()[0].events_size(), recording.responses[0].events_size());
}

TEST(RecordedHeartbeatsTest, StartsAtCurrentAndSendsHeartbeatsWhenIdle) {
  SimulatorOptions options;
  options.service.streams.second = absl::Milliseconds(250);
  RecordedCluster cluster(options);
  const recordings::Recording recording = LoadRecording("current-heartbeats");
  StreamReader reader(cluster.address(), recording.request);
  reader.ReadEvents(3);
  cluster.Run(
      "insert into orders (id, customer_id) values (1, 4); insert into orders (id, customer_id) "
      "values (2, 4)");
  reader.ReadEvents(10);
  EXPECT_EQ(Lines(recording.request, reader.responses()),
            Lines(recording.request, recording.responses));
}

TEST(RecordedWritesTest, CatchesUpBetweenTablesAndReplicatesAfterTheCopy) {
  RecordedCluster* running = nullptr;
  int next = 1000;
  SimulatorOptions options;
  options.service.streams.on_point = [&](const StreamPoint& point) {
    const bool writes = point.kind == StreamPoint::Kind::kTableCopied ||
                        point.kind == StreamPoint::Kind::kSnapshotTaken;
    for (int i = 0; writes && i < 20; ++i, ++next) {
      running->Run(
          Cat("insert into orders values (", next, ", ", next % 8 + 1, ", 'during', null)"));
    }
    return StreamAction::kContinue;
  };
  RecordedCluster cluster(options);
  running = &cluster;
  cluster.InsertCustomers(kTime);
  cluster.InsertOrders();
  const recordings::Recording recording = LoadRecording("copy-with-writes");
  StreamReader reader(cluster.address(), recording.request);
  while (Phases(reader.responses()).size() < Phases(recording.responses).size() &&
         reader.ReadMessage()) {
  }
  EXPECT_EQ(Phases(reader.responses()), Phases(recording.responses));
}

}  // namespace
}  // namespace source_vitess::simulator
