// How far a sync has come: filled by the engine, read by the status page, the metrics and the lines
// that tell of progress.
#ifndef SOURCE_VITESS_TELEMETRY_PROGRESS_H_
#define SOURCE_VITESS_TELEMETRY_PROGRESS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace source_vitess::telemetry {

enum class Phase {
  kWaiting,  // to be copied, or to be tried again
  kCopying,
  kCopied,       // up to some position: waits for its turn to follow the changes
  kReplicating,  // follows the changes
  kResharded,    // the shard has ended; others go on in its place
  kDone,
  kFailed,
};

constexpr Phase kPhases[] = {Phase::kWaiting,     Phase::kCopying,   Phase::kCopied,
                             Phase::kReplicating, Phase::kResharded, Phase::kDone,
                             Phase::kFailed};

// "waiting", "copying" and so on.
std::string_view PhaseName(Phase phase);

// One table in one shard, or in all of them where there are very many. Calls come from any thread,
// for a batch of rows rather than for one.
class ShardProgress {
 public:
  void AddCopied(uint64_t rows) { copied_.fetch_add(rows, std::memory_order_relaxed); }
  void AddChanges(uint64_t rows) { changes_.fetch_add(rows, std::memory_order_relaxed); }
  // All that the source committed up to then, in seconds since 1970, has been read.
  void ReadUpTo(int64_t seconds) { read_up_to_.store(seconds, std::memory_order_relaxed); }
  void SetPhase(Phase phase) { phase_.store(phase, std::memory_order_relaxed); }
  // About so many rows are there to be copied.
  void AddEstimate(uint64_t rows);

 private:
  friend class Progress;
  static constexpr int64_t kUnknown = -1;

  std::atomic<uint64_t> copied_ = 0;
  std::atomic<uint64_t> changes_ = 0;
  std::atomic<int64_t> read_up_to_ = kUnknown;
  std::atomic<int64_t> estimate_ = kUnknown;
  std::atomic<Phase> phase_ = Phase::kWaiting;
};

struct Counts {
  uint64_t rows_copied = 0;
  uint64_t changes = 0;
  std::optional<uint64_t> estimated_rows;  // to be copied in all; a guess of the servers'
  // How far what was read is behind the clock, while changes are followed.
  std::optional<absl::Duration> lag;
};

struct ShardStatus {
  std::string shard;  // "*": all shards
  Phase phase = Phase::kWaiting;
  Counts counts;
};

struct TableStatus {
  std::string keyspace;
  std::string table;
  Phase phase = Phase::kWaiting;  // of the shard that is furthest behind
  Counts counts;                  // of all shards; the greatest lag
  double rows_per_second = 0;     // over the last sample
  std::optional<absl::Time> last_checkpoint;
  uint64_t checkpoints = 0;
  uint64_t retries = 0;
  std::string last_error;  // empty: none
  std::optional<absl::Time> last_error_at;
  std::vector<ShardStatus> shards;  // by name
};

// What a moment was like.
struct Sample {
  absl::Time time;  // its end
  double rows_per_second = 0;
  std::optional<absl::Duration> lag;  // the greatest of any table
};

struct Status {
  absl::Time began;
  std::optional<absl::Time> ended;
  Counts counts;  // of all tables
  double rows_per_second = 0;
  uint64_t retries = 0;
  std::string error;                // what ended the sync as a whole; empty: nothing
  std::vector<TableStatus> tables;  // in the order in which they were added
  std::vector<Sample> samples;      // the oldest first, from the whole run

  size_t CountTables(Phase phase) const;
};

// Thread-safe. Memory is bounded by tables and shards up to kMostShards; beyond, by tables alone.
class Progress {
 public:
  // Pairs of table and shard that are told apart.
  static constexpr size_t kMostShards = 20'000;
  // The chart's resolution: where a run has more samples, neighbours are put together.
  static constexpr size_t kMostSamples = 600;

  explicit Progress(absl::Time began) : began_(began), sampled_at_(began) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // The number of the table; the same again for one that was added before.
  size_t AddTable(std::string_view keyspace, std::string_view table);

  // The table in the shard, which is added if it is a new one. Lives as long as this.
  ShardProgress& Shard(size_t table, std::string_view shard);

  void Checkpointed(size_t table, absl::Time now);
  void Retried(size_t table, std::string_view error, absl::Time now);
  void Failed(size_t table, std::string_view error, absl::Time now);

  // The run is over. `error`: what ended it; empty for nothing.
  void End(std::string_view error, absl::Time now);

  // Takes a sample of the time since the last one. To be called about every second; two calls
  // within a tenth of one are one.
  void TakeSample(absl::Time now);

  Status Read(absl::Time now) const;

 private:
  struct Table {
    std::string keyspace;
    std::string name;
    std::map<std::string, std::unique_ptr<ShardProgress>, std::less<>> shards;
    std::optional<absl::Time> last_checkpoint;
    uint64_t checkpoints = 0;
    uint64_t retries = 0;
    std::string last_error;
    std::optional<absl::Time> last_error_at;
    bool failed = false;
    uint64_t sampled_rows = 0;
    double rows_per_second = 0;
  };

  TableStatus ReadTable(const Table& table, absl::Time now) const;
  void Append(Sample sample);

  const absl::Time began_;
  mutable std::mutex mutex_;  // guards all that follows, but not what ShardProgress holds
  std::deque<Table> tables_;
  std::map<std::pair<std::string, std::string>, size_t> numbers_;  // by keyspace and table
  size_t shards_ = 0;
  std::optional<absl::Time> ended_;
  std::string error_;
  absl::Time sampled_at_;
  double rows_per_second_ = 0;
  std::vector<Sample> samples_;
  size_t calls_per_sample_ = 1;
  size_t calls_ = 0;  // in the last sample
};

}  // namespace source_vitess::telemetry

#endif  // SOURCE_VITESS_TELEMETRY_PROGRESS_H_
