// Runs histories.
#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "model/history.h"
#include "model/hosted_source.h"
#include "model/shard_map.h"
#include "tests/database.h"
#include "tests/random_change.h"

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

class World {
 public:
  World(const History& history, Host host)
      : history_(history),
        shards_(history.shards),
        hosted_(
            MakeHostedSource(host, Options(),
                             {{"checkpoint_interval", absl::StrCat(history.checkpoint_interval)},
                              {"parallel_copies", absl::StrCat(history.parallel_copies)},
                              {"shards_per_stream", absl::StrCat(history.shards_per_stream)}},
                             history.shards)),
        source_(hosted_->database()) {
    source_.Execute(
        "create table parcels (id bigint not null, region bigint not null, primary key (id))");
    source_.Execute("alter vschema on shop.parcels add vindex hash(region)");
    if (!hosted_->TakeParcels().ok()) outcome_.failure = "discovery failed";
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
    const std::vector<std::string>& tables = Database::Tables();
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
  HostedSource::Sync ReadBusy(std::optional<size_t> kill_after_bytes = std::nullopt) {
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
    const HostedSource::Sync sync = Read(kill_after_bytes);
    ended = true;
    release.join();
    const absl::MutexLock lock(&mutex_);
    busy_ = false;
    ReleaseJournals();
    return sync;
  }

  HostedSource::Sync Read(std::optional<size_t> kill_after_bytes = std::nullopt) {
    ++outcome_.reads;
    return hosted_->Run(kill_after_bytes, kPatience,
                        history_.seed + static_cast<uint64_t>(outcome_.reads));
  }

  void MustSucceed(const HostedSource::Sync& sync) {
    if (!sync.failure.empty()) Fail(absl::StrCat("the sync: ", sync.failure));
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
      const uint64_t records = hosted_->Records(table);
      if (records > 0) Fail(absl::StrCat("an idle sync had ", records, " records of ", table));
    }
  }

  void Compare() {
    std::vector<std::string> differences;
    for (const std::string& table : AllTables()) {
      for (std::string& difference : hosted_->DifferencesOf(table)) {
        differences.push_back(std::move(difference));
      }
    }
    if (!differences.empty()) Fail(absl::StrJoin(differences, "\n"));
    const std::vector<std::string> violations = hosted_->Violations();
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
      hosted_->simulator().faults().Add(fault);
      ++outcome_.faults;
    }
    if (Any(2) == 0) {
      simulator::ExecuteFault fault;
      fault.calls = 1 + Any(2);
      hosted_->simulator().faults().Add(fault);
      ++outcome_.faults;
    }
    ReadBusily();
    hosted_->simulator().faults().Clear();
  }

  void ReadAndKill() {
    const HostedSource::Sync sync = ReadBusy(static_cast<size_t>(1 + Any(20000)));
    outcome_.kills += sync.killed ? 1 : 0;
    MustSucceed(sync);
  }

  void ReadAcrossRestart() {
    std::thread restart([this, wait = Any(80), down = Any(300)] {
      absl::SleepFor(absl::Milliseconds(wait));
      const absl::Status status = hosted_->simulator().Restart(absl::Milliseconds(down));
      EXPECT_TRUE(status.ok()) << status;
    });
    ++outcome_.faults;
    ReadBusily();
    restart.join();
  }

  static std::vector<std::string> AllTables() {
    std::vector<std::string> tables = Database::Tables();
    tables.push_back("parcels");
    return tables;
  }

  simulator::Cluster& cluster() { return hosted_->simulator().cluster(); }

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

  const std::unique_ptr<HostedSource> hosted_;  // behind the rest: its streams call At
  Database& source_;                            // in it
};

}  // namespace

Outcome Run(const History& history, Host host) { return World(history, host).Run(); }

}  // namespace source_vitess::integration_tests
