// The same life of a database, read from Vitess 18 to 25: whatever a version lacks, the records are
// the same.
#include <functional>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "harness/exact_json.h"
#include "tests/simulated_source.h"

namespace source_vitess::integration_tests {
namespace {

using simulator::StreamAction;
using simulator::StreamPoint;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr int kNewest = 25;

// What a record says: its stream, whether the row is deleted, and the row as it is written. Without
// what differs between any two runs: cursors and times.
std::string Told(const std::string& line) {
  const rapidjson::Document message = harness::ParseRaw(line);
  const rapidjson::Value& record = message["record"];
  std::string text = absl::StrCat(record["stream"].GetString(), ":");
  for (const auto& member : record["data"].GetObject()) {
    const std::string name = member.name.GetString();
    if (name == "_ab_cdc_deleted_at") {
      absl::StrAppend(&text, member.value.IsNull() ? "" : " deleted");
    } else if (!absl::StartsWith(name, "_ab_cdc_")) {
      absl::StrAppend(&text, " ", name, "=",
                      member.value.IsNull() ? "NULL" : member.value.GetString());
    }
  }
  return text;
}

std::set<std::string> RecordsOf(const harness::RunResult& run) {
  std::set<std::string> records;
  for (const std::string& line : run.lines) {
    if (absl::StartsWith(line, "{\"type\":\"RECORD\"")) records.insert(Told(line));
  }
  return records;
}

// A database and its reader. Every stage gives its records back, as a set: a row may come twice,
// and streams of several shards take turns as they like.
class Life {
 public:
  explicit Life(int version)
      : source_(Options(version), {{"checkpoint_interval", "5"}, {"parallel_copies", "2"}}) {
    source_.Execute(
        "create table kinds (id bigint not null, size enum('small', 'it''s', 'größer'), "
        "marks set('a', 'b', 'ö'), price decimal(8, 2), latin varchar(20) character set latin1, "
        "primary key (id))");
    source_.Execute("alter vschema on shop.kinds add vindex hash(id)");
    const absl::Status discovered = source_.Rediscover();
    EXPECT_TRUE(discovered.ok()) << discovered;
    Fill(1, 40);
  }

  // A copy that VTGate breaks off and, after that, one that is killed; both go on.
  std::set<std::string> Copy() {
    simulator::StreamFault fault;
    fault.after_events = 20;
    fault.streams = 3;
    source_.simulator().faults().Add(fault);
    harness::RunLimits limits;
    limits.kill_after_bytes = 12000;
    const harness::RunResult killed = source_.Read(limits);
    EXPECT_TRUE(killed.killed);
    std::set<std::string> records = RecordsOf(killed);
    records.merge(Read());
    return records;
  }

  std::set<std::string> Replicate() {
    source_.Execute("update kinds set size = 'größer', marks = 'a,ö' where id <= 5");
    source_.Execute("update kinds set size = null, marks = '' where id = 6");
    source_.Execute("update kinds set price = 0.25, latin = 'Zürich' where id = 7");
    source_.Execute("delete from tags where id <= 4");
    source_.Execute("update tags set kind = 'blue' where id between 5 and 8");
    source_.Execute("update orders set id = id + 100000 where customer_id <= 3");
    Fill(41, 45);
    return Read();
  }

  // A shard is divided while it is read.
  std::set<std::string> Reshard() {
    simulator::Cluster& cluster = source_.simulator().cluster();
    const absl::Status started = cluster.StartReshard({"shop", {"-80"}, {"-40", "40-80"}});
    EXPECT_TRUE(started.ok()) << started;
    Fill(46, 50);
    {
      const absl::MutexLock lock(&mutex_);
      at_first_transaction_ = [this, &cluster] {
        const absl::Status switched = cluster.SwitchTraffic("shop");
        EXPECT_TRUE(switched.ok()) << switched;
      };
    }
    return Read();
  }

  std::set<std::string> ReplicateFromTheNewShards() {
    const absl::Status completed = source_.simulator().cluster().CompleteReshard("shop");
    EXPECT_TRUE(completed.ok()) << completed;
    source_.Execute("update kinds set size = 'small', marks = 'b' where id <= 20");
    source_.Execute("delete from customers where id <= 10");
    Fill(51, 55);
    return Read();
  }

  std::set<std::string> Idle() { return Read(); }

  void ExpectEqual() {
    EXPECT_THAT(source_.Differences(), IsEmpty());
    EXPECT_THAT(source_.DifferencesOf("kinds"), IsEmpty());
    EXPECT_THAT(source_.destination().violations(), IsEmpty());
  }

 private:
  simulator::SimulatorOptions Options(int version) {
    simulator::SimulatorOptions options;
    options.cluster.version = simulator::VersionProfile::Of(version);
    options.service.streams.packet_bytes = 400;
    options.service.streams.on_point = [this](const StreamPoint& point) {
      if (point.kind != StreamPoint::Kind::kTransaction) return StreamAction::kContinue;
      std::function<void()> now;
      {
        const absl::MutexLock lock(&mutex_);
        now = std::exchange(at_first_transaction_, nullptr);
      }
      if (now) now();
      return StreamAction::kContinue;
    };
    return options;
  }

  void Fill(int first, int last) {
    for (const std::string& sql : RowsOfEveryTable(first, last)) source_.Execute(sql);
    const std::vector<std::string> sizes = {"'small'", "'it''s'", "'größer'", "null"};
    const std::vector<std::string> marks = {"'a'", "'a,b'", "'b,ö'", "''", "null"};
    for (int id = first; id <= last; ++id) {
      source_.Execute(absl::StrCat(
          "insert into kinds values (", id, ", ", sizes[static_cast<size_t>(id) % sizes.size()],
          ", ", marks[static_cast<size_t>(id) % marks.size()], ", ", id, ".05, 'é", id, "')"));
    }
  }

  std::set<std::string> Read() {
    const harness::RunResult run = source_.Read();
    EXPECT_EQ(run.exit.exit_code, 0) << (run.lines.empty() ? "" : run.lines.back());
    return RecordsOf(run);
  }

  absl::Mutex mutex_;
  std::function<void()> at_first_transaction_;
  SimulatedSource source_;
};

class VersionsReadTest : public ::testing::TestWithParam<int> {};

TEST_P(VersionsReadTest, GiveTheRecordsOfTheNewest) {
  Life newest(kNewest);
  Life life(GetParam());

  const std::set<std::string> copied = newest.Copy();
  EXPECT_THAT(copied, SizeIs(6 * 40));
  EXPECT_EQ(life.Copy(), copied);
  const std::set<std::string> replicated = newest.Replicate();
  EXPECT_THAT(replicated, Not(IsEmpty()));
  EXPECT_EQ(life.Replicate(), replicated);
  const std::set<std::string> resharded = newest.Reshard();
  EXPECT_THAT(resharded, SizeIs(6 * 5));
  EXPECT_EQ(life.Reshard(), resharded);
  life.ExpectEqual();
  EXPECT_EQ(life.ReplicateFromTheNewShards(), newest.ReplicateFromTheNewShards());
  EXPECT_THAT(life.Idle(), IsEmpty());

  life.ExpectEqual();
  newest.ExpectEqual();
}

INSTANTIATE_TEST_SUITE_P(Versions, VersionsReadTest, ::testing::Values(18, 20, 22, 23, 24, 25),
                         ::testing::PrintToStringParamName());

}  // namespace
}  // namespace source_vitess::integration_tests
