// Runs histories.
#include <algorithm>
#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "tests/random_change.h"
#include "model/history.h"
#include "model/shard_map.h"
#include "tests/simulated_source.h"

namespace source_vitess::integration_tests {
namespace {

using simulator::StreamAction;
using simulator::StreamFault;
using simulator::StreamPoint;

// VTGate may restart the copy of a key that cannot be resumed five times in one sync.
constexpr int kMostRestarts = 3;

// How long VTGate looks for a tablet of a shard that a reshard ends at the same time.
constexpr absl::Duration kNoTabletTimeout = absl::Seconds(2);

constexpr absl::Duration kPatience = absl::Seconds(100);  // of one read
constexpr std::ptrdiff_t kLinesTold = 400;

class World {
 public:
  explicit World(const History& history)
      : history_(history),
        shards_(history.shards),
        source_(Options(),
                {{"checkpoint_interval", absl::StrCat(history.checkpoint_interval)},
                 {"parallel_copies", absl::StrCat(history.parallel_copies)},
                 {"shards_per_stream", absl::StrCat(history.shards_per_stream)}},
                history.shards) {
    source_.Execute(
        "create table parcels (id bigint not null, region bigint not null, primary key (id))");
    source_.Execute("alter vschema on shop.parcels add vindex hash(region)");
    if (!source_.Rediscover().ok()) outcome_.failure = "discovery failed";
    source_.destination().AllowAnyOrder("shop", "parcels");
    for (const std::string& sql : RowsOfEveryTable(1, history.first_rows)) source_.Execute(sql);
    next_id_ = history.first_rows + 1;
  }

  Outcome Run() {
    for (; outcome_.step < history_.steps.size() && outcome_.failure.empty(); ++outcome_.step) {
      random_.seed(history_.steps[outcome_.step].seed);
      Take(history_.steps[outcome_.step].kind);
    }
    if (!outcome_.failure.empty()) --outcome_.step;
    return outcome_;
  }

 private:
  simulator::SimulatorOptions Options() {
    simulator::SimulatorOptions options;
    options.service.streams.packet_bytes = 200;
    options.service.streams.seed = history_.seed;
    options.service.streams.no_tablet_timeout = kNoTabletTimeout;
    options.service.streams.on_point = [this](const StreamPoint& point) { return At(point); };
    return options;
  }

  int Any(int below) { return static_cast<int>(random_() % static_cast<uint64_t>(below)); }

  void Take(StepKind kind) {
    switch (kind) {
      case StepKind::kWrite:
        for (int i = 1 + Any(15); i > 0; --i) Write();
        return;
      case StepKind::kAddColumn:
        return AddColumn();
      case StepKind::kFailOver:
        return FailOver();
      case StepKind::kReshard:
        return Reshard();
      case StepKind::kRead:
        return ReadQuietly();
      case StepKind::kReadBusy:
        return ReadBusily();
      case StepKind::kReadBroken:
        return ReadWithFaults();
      case StepKind::kReadKilled:
        return ReadAndKill();
      case StepKind::kRestartVtgate:
        return ReadAcrossRestart();
    }
  }

  // --- the source

  void Write() {
    for (const std::string& sql : RandomChange(random_, next_id_, /*with_parcels=*/true)) {
      source_.Execute(sql);
    }
  }

  // Not while a reshard copies rows, which knows nothing of definitions (vreplication's --on-ddl).
  void AddColumn() {
    if (shards_.stage() == ShardMap::Stage::kStarted) return;
    const std::vector<std::string>& tables = SimulatedSource::Tables();
    source_.Execute(absl::StrCat("alter table ", tables[static_cast<size_t>(Any(5))],
                                 " add column more", next_column_++, " int"));
  }

  void FailOver() {
    const std::vector<std::string>& serving = shards_.serving();
    const std::string& shard = serving[static_cast<size_t>(Any(static_cast<int>(serving.size())))];
    Must(cluster().FailOver("shop", shard));
    ++outcome_.failovers;
  }

  void Reshard() {
    switch (shards_.stage()) {
      case ShardMap::Stage::kNone:
        if (shards_.Start(random_)) {
          Must(cluster().StartReshard({"shop", shards_.sources(), shards_.targets()}));
        }
        return;
      case ShardMap::Stage::kStarted: {
        // Streams may meet some JOURNALs later than others.
        for (size_t i = 1; i < shards_.sources().size(); ++i) {
          if (Any(3) == 0) held_.push_back(shards_.sources()[i]);
        }
        Must(cluster().SwitchTraffic("shop", held_));
        shards_.Switch();
        followed_ = false;
        ++outcome_.reshards;
        return;
      }
      case ShardMap::Stage::kSwitched:
        // Sooner, positions would be lost.
        if (!followed_) return;
        Must(cluster().CompleteReshard("shop"));
        shards_.Complete();
        return;
    }
  }

  void ReleaseJournals() {
    for (const std::string& shard : std::exchange(held_, {})) {
      Must(cluster().ReleaseStreams("shop", shard));
    }
  }

  // --- its readers

  // Called from streams, several at a time.
  StreamAction At(const StreamPoint& point) {
    const absl::MutexLock lock(&mutex_);
    if (!busy_ || !outcome_.failure.empty()) return StreamAction::kContinue;
    if (++points_ > 300) {
      ReleaseJournals();
      return StreamAction::kContinue;
    }
    switch (Any(24)) {
      case 0:
      case 1:
      case 2:
      case 3:
        Write();
        break;
      case 4:
        if (points_ % 3 == 0) Reshard();
        break;
      case 5:
        ReleaseJournals();
        break;
      case 6:
        if (points_ % 5 == 0) FailOver();
        break;
      case 7:
        if (points_ % 7 == 0) AddColumn();
        break;
      case 8:
        if (point.kind == StreamPoint::Kind::kRowsCopied && restarts_ < kMostRestarts) {
          ++restarts_;
          return StreamAction::kRestart;
        }
        break;
      default:
        break;
    }
    return StreamAction::kContinue;
  }

  // A connector that runs while the source is busy. JOURNALs that are held back come in the end: it
  // waits for them.
  harness::RunResult ReadBusy(const harness::RunLimits& limits = {}) {
    std::atomic<bool> ended = false;
    {
      const absl::MutexLock lock(&mutex_);
      busy_ = true;
      points_ = 0;
      restarts_ = 0;
    }
    std::thread release([&] {
      for (int i = 0; !ended; ++i) {
        absl::SleepFor(absl::Milliseconds(20));
        const absl::MutexLock lock(&mutex_);
        if (i % 25 == 24) ReleaseJournals();
      }
    });
    harness::RunResult run = Read(limits);
    ended = true;
    release.join();
    const absl::MutexLock lock(&mutex_);
    busy_ = false;
    ReleaseJournals();
    return run;
  }

  harness::RunResult Read(harness::RunLimits limits = {}) {
    ++outcome_.reads;
    limits.timeout = kPatience;
    harness::RunResult run = source_.Read(limits);
    if (run.timed_out) {
      run.lines.erase(run.lines.begin(), run.lines.end() - std::min<std::ptrdiff_t>(
                                                               kLinesTold, std::ssize(run.lines)));
      Fail(absl::StrCat("the read did not end:\n", absl::StrJoin(run.lines, "\n")));
    }
    return run;
  }

  void MustSucceed(const harness::RunResult& run) {
    if (run.exit.exit_code == 0) return;
    Fail(absl::StrCat("the read failed: ",
                      absl::StrJoin(source_.destination().trace_errors(), "; ")));
  }

  void ReadQuietly() {
    ReleaseJournals();
    MustSucceed(Read());
    if (!outcome_.failure.empty()) return;
    Compare();
    if (!outcome_.failure.empty()) return;
    followed_ = true;
    MustSucceed(Read());
    for (const std::string& table : AllTables()) {
      const uint64_t records = source_.destination().Sync("shop", table).records;
      if (records > 0) Fail(absl::StrCat("an idle sync had ", records, " records of ", table));
    }
  }

  void Compare() {
    std::vector<std::string> differences;
    for (const std::string& table : AllTables()) {
      for (std::string& difference : source_.DifferencesOf(table)) {
        differences.push_back(std::move(difference));
      }
    }
    if (!differences.empty()) Fail(absl::StrJoin(differences, "\n"));
    const std::vector<std::string>& violations = source_.destination().violations();
    if (!violations.empty()) Fail(absl::StrJoin(violations, "\n"));
  }

  void ReadBusily() { MustSucceed(ReadBusy()); }

  void ReadWithFaults() {
    for (int i = 1 + Any(3); i > 0; --i) {
      StreamFault fault;
      fault.after_events = static_cast<uint64_t>(Any(60));
      fault.streams = 1 + Any(2);
      if (Any(3) == 0) {
        fault.status = absl::UnknownError(
            "vttablet: rpc error: code = Unknown desc = stream (at source tablet) error @ : EOF "
            "(errno 2013) (sqlstate HY000)");
      }
      source_.simulator().faults().Add(fault);
      ++outcome_.faults;
    }
    if (Any(2) == 0) {
      simulator::ExecuteFault fault;
      fault.calls = 1 + Any(2);
      source_.simulator().faults().Add(fault);
      ++outcome_.faults;
    }
    ReadBusily();
    source_.simulator().faults().Clear();
  }

  void ReadAndKill() {
    harness::RunLimits limits;
    limits.kill_after_bytes = static_cast<size_t>(1 + Any(20000));
    const harness::RunResult run = ReadBusy(limits);
    if (run.killed) {
      ++outcome_.kills;
    } else {
      MustSucceed(run);
    }
  }

  void ReadAcrossRestart() {
    std::thread restart([this, wait = Any(80), down = Any(300)] {
      absl::SleepFor(absl::Milliseconds(wait));
      const absl::Status status = source_.simulator().Restart(absl::Milliseconds(down));
      EXPECT_TRUE(status.ok()) << status;
    });
    ++outcome_.faults;
    ReadBusily();
    restart.join();
  }

  static std::vector<std::string> AllTables() {
    std::vector<std::string> tables = SimulatedSource::Tables();
    tables.push_back("parcels");
    return tables;
  }

  simulator::Cluster& cluster() { return source_.simulator().cluster(); }

  void Must(const absl::Status& status) {
    if (!status.ok()) Fail(absl::StrCat("the simulator failed: ", status.ToString()));
  }
  void Fail(const std::string& what) {
    if (outcome_.failure.empty()) outcome_.failure = what;
  }

  const History& history_;
  std::mt19937_64 random_;
  ShardMap shards_;
  std::vector<std::string> held_;  // shards whose JOURNAL is held back
  bool followed_ = false;          // a sync has ended since the traffic was switched
  int next_id_ = 1;
  int next_column_ = 1;
  Outcome outcome_;

  absl::Mutex mutex_;  // guards what the streams' points use: all of it while a connector runs
  bool busy_ = false;
  int points_ = 0;
  int restarts_ = 0;

  SimulatedSource source_;  // last: its streams call At
};

}  // namespace

Outcome Run(const History& history) { return World(history).Run(); }

}  // namespace source_vitess::integration_tests
