// For as long as one likes: writers that never rest, everything that can happen to Vitess, and a
// connector that is run again and again, killed, and at times kept running for long. Behind every
// quiet sync the destination equals the source, and the connector takes no more memory in the end
// than in the beginning.
//
//   SOURCE_VITESS_SOAK_MINUTES=60 soak_test    10 without it
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "harness/process.h"
#include "model/memory_watch.h"
#include "model/shard_map.h"
#include "tests/random_change.h"
#include "tests/simulated_source.h"

namespace source_vitess::integration_tests {
namespace {

using simulator::StreamAction;
using simulator::StreamPoint;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Duration kDefaultLength = absl::Minutes(10);
constexpr int kFirstRows = 500;  // of every table
constexpr int kMostRows = 1000;  // then half of them are deleted
constexpr int kMostColumns = 8;  // that are added
constexpr absl::Duration kBetweenChanges = absl::Milliseconds(1);
constexpr absl::Duration kLongSync = absl::Seconds(40);
constexpr absl::Duration kPatience = absl::Minutes(3);  // of one sync
constexpr absl::Duration kLook = absl::Milliseconds(10);
constexpr int kMostDisturbances = 6;  // of one sync: it waits longer each time that it gets nowhere

// What memory may grow by and still count as flat: it varies with what the allocator keeps.
constexpr double kGrowth = 1.20;
constexpr int64_t kSlackBytes = int64_t{4} << 20;

bool IsFlat(int64_t before, int64_t after) {
  return static_cast<double>(after) <= static_cast<double>(before) * kGrowth + kSlackBytes;
}

absl::Duration Length() {
  const char* given = std::getenv("SOURCE_VITESS_SOAK_MINUTES");
  double minutes = 0;
  return given != nullptr && absl::SimpleAtod(given, &minutes) ? absl::Minutes(minutes)
                                                               : kDefaultLength;
}

// Changes rows at random, in a thread of its own, but for pauses.
class Writer {
 public:
  explicit Writer(TestSource& source) : source_(source) {
    for (const std::string& sql : RowsOfEveryTable(1, kFirstRows)) source_.Execute(sql);
    thread_ = std::thread([this] { Run(); });
  }
  ~Writer() {
    ended_ = true;
    thread_.join();
  }

  void Pause() { mutex_.Lock(); }
  void GoOn() { mutex_.Unlock(); }

  uint64_t changes() const { return changes_; }

 private:
  void Run() {
    while (!ended_) {
      {
        const absl::MutexLock lock(&mutex_);
        for (const std::string& sql : RandomChange(random_, next_id_, /*with_parcels=*/true)) {
          source_.Execute(sql);
        }
        if (next_id_ > kMostRows) DeleteHalf();
      }
      ++changes_;
      absl::SleepFor(kBetweenChanges);
    }
  }

  void DeleteHalf() {
    next_id_ = kMostRows / 2;
    for (const char* table : {"customers", "notes", "tags", "parcels"}) {
      source_.Execute(absl::StrCat("delete from ", table, " where id >= ", next_id_));
    }
    source_.Execute(absl::StrCat("delete from orders where customer_id >= ", next_id_));
    for (int id = next_id_; id <= kMostRows; ++id) {
      source_.Execute(absl::StrCat("delete from words where word = 'word", id, "'"));
    }
  }

  TestSource& source_;
  std::mt19937_64 random_{1};
  int next_id_ = kFirstRows + 1;
  std::atomic<uint64_t> changes_ = 0;
  std::atomic<bool> ended_ = false;
  absl::Mutex mutex_;
  std::thread thread_;
};

// One sync, as it was seen from outside.
struct Sync {
  int64_t peak_bytes = 0;
  std::optional<int64_t> peak_bytes_before_the_end;  // of a long one: at half of its time
  bool completed = false;
};

class SoakTest : public ::testing::Test {
 protected:
  enum class Kind { kQuiet, kBusy, kKilled, kLong };

  simulator::SimulatorOptions Options() {
    simulator::SimulatorOptions options;
    options.service.streams.packet_bytes = 20000;
    options.service.streams.on_point = [this](const StreamPoint& point) {
      // VTGate starts a copy again, now and then.
      const bool restart = point.kind == StreamPoint::Kind::kRowsCopied && ++copied_ % 40 == 0;
      return restart ? StreamAction::kRestart : StreamAction::kContinue;
    };
    return options;
  }

  int Any(int below) { return static_cast<int>(random_() % static_cast<uint64_t>(below)); }
  simulator::Cluster& cluster() { return source_.simulator().cluster(); }

  void Must(const absl::Status& status) { ASSERT_TRUE(status.ok()) << status; }

  // Something that happens to Vitess. Not while a shard's streams are held.
  void Disturb() {
    switch (Any(6)) {
      case 0: {
        simulator::StreamFault fault;
        fault.after_events = static_cast<uint64_t>(Any(2000));
        fault.streams = 1;
        source_.simulator().faults().Add(fault);
        ++faults_;
        return;
      }
      case 1: {
        simulator::ExecuteFault fault;
        fault.calls = 1 + Any(2);
        source_.simulator().faults().Add(fault);
        ++faults_;
        return;
      }
      case 2:
        source_.simulator().EndStreams();
        ++faults_;
        return;
      case 3:
        Must(cluster().FailOver("shop", shards_.serving()[static_cast<size_t>(
                                            Any(static_cast<int>(shards_.serving().size())))]));
        ++failovers_;
        return;
      case 4:
        return Reshard();
      default:
        if (shards_.stage() == ShardMap::Stage::kStarted || columns_ >= kMostColumns) return;
        source_.Execute(absl::StrCat("alter table ",
                                     TestSource::Tables()[static_cast<size_t>(Any(5))],
                                     " add column more", ++columns_, " int"));
    }
  }

  void Reshard() {
    switch (shards_.stage()) {
      case ShardMap::Stage::kNone:
        if (shards_.Start(random_)) {
          Must(cluster().StartReshard({"shop", shards_.sources(), shards_.targets()}));
        }
        return;
      case ShardMap::Stage::kStarted:
        Must(cluster().SwitchTraffic("shop"));
        shards_.Switch();
        followed_ = false;
        ++reshards_;
        return;
      case ShardMap::Stage::kSwitched:
        // Sooner, positions would be lost.
        if (!followed_) return;
        Must(cluster().CompleteReshard("shop"));
        shards_.Complete();
    }
  }

  void RestartVtgate() {
    Must(source_.simulator().Restart(absl::Milliseconds(Any(300))));
    ++faults_;
  }

  // Runs the connector once. A long sync lasts because one shard's streams are held meanwhile,
  // which had something to read when it began.
  Sync Run(Kind kind) {
    const std::string held = kind == Kind::kLong ? shards_.serving().front() : "";
    if (!held.empty()) {
      Must(cluster().HoldStreams("shop", held));
      writer_.Pause();
      for (const std::string& sql : RowsOfEveryTable(kMostRows + 1, kMostRows + 20)) {
        source_.Execute(sql);
      }
      for (const char* table : {"customers", "notes", "tags"}) {
        source_.Execute(absl::StrCat("delete from ", table, " where id > ", kMostRows));
      }
      source_.Execute(absl::StrCat("delete from orders where customer_id > ", kMostRows));
      for (int id = kMostRows + 1; id <= kMostRows + 20; ++id) {
        source_.Execute(absl::StrCat("delete from words where word = 'word", id, "'"));
      }
      writer_.GoOn();
    }
    const auto command =
        source_.connector().ReadCommand(source_.catalog(), source_.destination().StateFile());
    EXPECT_TRUE(command.ok()) << command.status();
    auto process = harness::Process::Start(*command);
    EXPECT_TRUE(process.ok()) << process.status();
    source_.destination().BeginSync();
    ++syncs_;
    return Follow(**process, kind, held);
  }

  Sync Follow(harness::Process& process, Kind kind, const std::string& held) {
    Sync sync;
    const absl::Time start = absl::Now();
    const absl::Duration killed_after = absl::Milliseconds(10 + Any(200));
    int disturbances = 0;
    bool restarted = false;
    std::string output;
    for (bool holds = !held.empty();;) {
      const absl::Time now = absl::Now();
      const auto read = process.Read(size_t{256} << 10, now + kLook, output);
      if (read == harness::Process::ReadResult::kEnd) break;
      Accept(output);
      sync.peak_bytes = PeakBytes(process.pid()).value_or(sync.peak_bytes);
      if (kind == Kind::kLong && now - start < kLongSync / 2) {
        sync.peak_bytes_before_the_end = sync.peak_bytes;
      }
      if (holds && now - start > kLongSync) {
        Must(cluster().ReleaseStreams("shop", held));
        holds = false;
      }
      if (kind == Kind::kBusy && disturbances < kMostDisturbances && Any(20) == 0) {
        ++disturbances;
        Disturb();
      }
      if (kind == Kind::kBusy && !std::exchange(restarted, true) && Any(3) == 0) RestartVtgate();
      if (kind == Kind::kKilled && now - start > killed_after) {
        process.Signal(SIGKILL);
        process.Wait(absl::InfiniteFuture());
        ++kills_;
        return sync;
      }
      if (now - start > kPatience) {
        ADD_FAILURE() << "a sync did not end";
        return sync;
      }
    }
    const auto exit = process.Wait(absl::Now() + absl::Seconds(10));
    const int code = exit.has_value() ? exit->exit_code.value_or(-1) : -1;
    source_.destination().EndSync(code, process.errors());
    EXPECT_EQ(code, 0) << absl::StrJoin(source_.destination().trace_errors(), "; ");
    sync.completed = code == 0;
    return sync;
  }

  // Takes whole lines off `output`.
  void Accept(std::string& output) {
    size_t begin = 0;
    for (size_t end; (end = output.find('\n', begin)) != std::string::npos; begin = end + 1) {
      source_.destination().Accept(output.substr(begin, end - begin));
      ++lines_;
    }
    output.erase(0, begin);
  }

  // A sync of all that there is, behind which both sides are equal.
  Sync RunQuietly() {
    writer_.Pause();
    source_.simulator().faults().Clear();
    Sync sync = Run(Kind::kQuiet);
    std::vector<std::string> tables = TestSource::Tables();
    tables.emplace_back("parcels");
    for (const std::string& table : tables) {
      EXPECT_THAT(source_.DifferencesOf(table), IsEmpty());
    }
    EXPECT_THAT(source_.destination().violations(), IsEmpty());
    followed_ = sync.completed;
    if (sync.completed && shards_.stage() == ShardMap::Stage::kNone) {
      // Everything was read; a test of an hour has no memory for all logs.
      for (const std::string& shard : shards_.serving()) Must(cluster().PurgeLogs("shop", shard));
    }
    ++comparisons_;
    writer_.GoOn();
    return sync;
  }

  void Tell(absl::Time start) const {
    std::printf(
        "%.1f minutes: %llu changes, %d syncs, %d of them long, %d compared, %llu messages, %d "
        "kills, %d faults, %d failovers, %d reshards\n",
        absl::ToDoubleMinutes(absl::Now() - start),
        static_cast<unsigned long long>(writer_.changes()), syncs_, long_syncs_, comparisons_,
        static_cast<unsigned long long>(lines_), kills_, faults_, failovers_, reshards_);
    std::fflush(stdout);
  }

  static SimulatedSource& Prepared(SimulatedSource& source) {
    source.Execute(
        "create table parcels (id bigint not null, region bigint not null, primary key (id))");
    source.Execute("alter vschema on shop.parcels add vindex hash(region)");
    const absl::Status discovered = source.Rediscover();
    EXPECT_TRUE(discovered.ok()) << discovered;
    source.destination().AllowAnyOrder("shop", "parcels");
    return source;
  }

  std::mt19937_64 random_{std::random_device{}()};
  std::atomic<int> copied_ = 0;
  ShardMap shards_{{"-40", "40-80", "80-"}};
  bool followed_ = false;  // a sync has ended since the traffic was switched
  int columns_ = 0;
  int syncs_ = 0;
  int long_syncs_ = 0;
  int comparisons_ = 0;
  int kills_ = 0;
  int faults_ = 0;
  int failovers_ = 0;
  int reshards_ = 0;
  uint64_t lines_ = 0;
  SimulatedSource source_{Options(), {{"checkpoint_interval", "500"}}, shards_.serving()};
  Writer writer_{Prepared(source_)};
};

int64_t Most(const std::vector<int64_t>& peaks, size_t first, size_t last) {
  return *std::max_element(peaks.begin() + static_cast<std::ptrdiff_t>(first),
                           peaks.begin() + static_cast<std::ptrdiff_t>(last));
}

TEST_F(SoakTest, LosesNothingAndItsMemoryIsFlat) {
  const absl::Time start = absl::Now();
  const absl::Time end = start + Length();
  absl::Time tell = start;
  std::vector<int64_t> peaks;
  RunQuietly();
  for (int round = 0; absl::Now() < end && !HasFailure(); ++round) {
    if (round % 10 == 9 && shards_.stage() == ShardMap::Stage::kNone) {
      source_.simulator().faults().Clear();
      const Sync sync = Run(Kind::kLong);
      ++long_syncs_;
      ASSERT_TRUE(sync.peak_bytes_before_the_end.has_value());
      EXPECT_TRUE(IsFlat(*sync.peak_bytes_before_the_end, sync.peak_bytes))
          << "in one process, from " << *sync.peak_bytes_before_the_end << " to "
          << sync.peak_bytes;
      std::printf("a long sync: %.1f MB at half of it, %.1f MB in the end\n",
                  static_cast<double>(*sync.peak_bytes_before_the_end) / 1e6,
                  static_cast<double>(sync.peak_bytes) / 1e6);
      peaks.push_back(sync.peak_bytes);
    } else {
      peaks.push_back(Run(Any(3) == 0 ? Kind::kKilled : Kind::kBusy).peak_bytes);
    }
    if (round % 3 == 2) peaks.push_back(RunQuietly().peak_bytes);
    if (absl::Now() > tell) {
      Tell(start);
      tell = absl::Now() + absl::Minutes(1);
    }
  }
  RunQuietly();
  Tell(start);

  ASSERT_THAT(peaks, SizeIs(::testing::Ge(16u))) << "too short to say anything";
  const size_t quarter = peaks.size() / 4;
  const int64_t first = Most(peaks, 0, quarter);
  const int64_t last = Most(peaks, peaks.size() - quarter, peaks.size());
  std::printf("the connector's memory: %.1f MB at most in the first quarter, %.1f MB in the last\n",
              static_cast<double>(first) / 1e6, static_cast<double>(last) / 1e6);
  EXPECT_TRUE(IsFlat(first, last)) << "from " << first << " to " << last;
}

}  // namespace
}  // namespace source_vitess::integration_tests
