#include "telemetry/progress.h"

#include <algorithm>

namespace source_vitess::telemetry {
namespace {

constexpr std::string_view kAllShards = "*";
constexpr absl::Duration kShortestSample = absl::Milliseconds(100);

void Include(const Counts& part, Counts& whole) {
  whole.rows_copied += part.rows_copied;
  whole.changes += part.changes;
  if (part.estimated_rows.has_value()) {
    whole.estimated_rows = whole.estimated_rows.value_or(0) + *part.estimated_rows;
  }
  if (part.lag.has_value()) whole.lag = std::max(*part.lag, whole.lag.value_or(*part.lag));
}

// What a table is called whose shards are in several phases: the one that has most left to do.
Phase Together(Phase a, Phase b) {
  constexpr Phase kOrder[] = {Phase::kFailed,   Phase::kCopying,     Phase::kWaiting,
                              Phase::kCopied,   Phase::kReplicating, Phase::kDone,
                              Phase::kResharded};
  return *std::find_if(std::begin(kOrder), std::end(kOrder),
                       [&](Phase phase) { return phase == a || phase == b; });
}

double PerSecond(uint64_t rows, absl::Duration time) {
  return static_cast<double>(rows) / absl::ToDoubleSeconds(time);
}

}  // namespace

std::string_view PhaseName(Phase phase) {
  switch (phase) {
    case Phase::kWaiting:
      return "waiting";
    case Phase::kCopying:
      return "copying";
    case Phase::kCopied:
      return "copied";
    case Phase::kReplicating:
      return "replicating";
    case Phase::kResharded:
      return "resharded";
    case Phase::kDone:
      return "done";
    case Phase::kFailed:
      return "failed";
  }
  return "";
}

void ShardProgress::AddEstimate(uint64_t rows) {
  const int64_t known = estimate_.load(std::memory_order_relaxed);
  estimate_.store(std::max<int64_t>(known, 0) + static_cast<int64_t>(rows),
                  std::memory_order_relaxed);
}

size_t Status::CountTables(Phase phase) const {
  return static_cast<size_t>(
      std::count_if(tables.begin(), tables.end(),
                    [&](const TableStatus& table) { return table.phase == phase; }));
}

size_t Progress::AddTable(std::string_view keyspace, std::string_view table) {
  const std::lock_guard lock(mutex_);
  const auto [entry, is_new] =
      numbers_.try_emplace({std::string(keyspace), std::string(table)}, tables_.size());
  if (is_new) {
    tables_.emplace_back();
    tables_.back().keyspace = keyspace;
    tables_.back().name = table;
  } else {
    tables_[entry->second].failed = false;
  }
  return entry->second;
}

ShardProgress& Progress::Shard(size_t table, std::string_view shard) {
  const std::lock_guard lock(mutex_);
  auto& shards = tables_[table].shards;
  auto known = shards.find(shard);
  if (known == shards.end() && shards_ >= kMostShards) {
    shard = kAllShards;
    known = shards.find(shard);
  }
  if (known == shards.end()) {
    ++shards_;
    known = shards.emplace(shard, std::make_unique<ShardProgress>()).first;
  }
  return *known->second;
}

void Progress::Checkpointed(size_t table, absl::Time now) {
  const std::lock_guard lock(mutex_);
  tables_[table].last_checkpoint = now;
  ++tables_[table].checkpoints;
}

void Progress::Retried(size_t table, std::string_view error, absl::Time now) {
  const std::lock_guard lock(mutex_);
  ++tables_[table].retries;
  tables_[table].last_error = error;
  tables_[table].last_error_at = now;
}

void Progress::Failed(size_t table, std::string_view error, absl::Time now) {
  const std::lock_guard lock(mutex_);
  tables_[table].failed = true;
  tables_[table].last_error = error;
  tables_[table].last_error_at = now;
}

void Progress::End(std::string_view error, absl::Time now) {
  const std::lock_guard lock(mutex_);
  error_ = error;
  ended_ = now;
}

void Progress::TakeSample(absl::Time now) {
  const std::lock_guard lock(mutex_);
  const absl::Duration time = now - sampled_at_;
  if (time < kShortestSample) return;
  sampled_at_ = now;
  Sample sample;
  sample.time = now;
  for (Table& table : tables_) {
    const Counts counts = ReadTable(table, now).counts;
    const uint64_t rows = counts.rows_copied + counts.changes;
    table.rows_per_second = PerSecond(rows - table.sampled_rows, time);
    table.sampled_rows = rows;
    sample.rows_per_second += table.rows_per_second;
    if (counts.lag.has_value())
      sample.lag = std::max(*counts.lag, sample.lag.value_or(*counts.lag));
  }
  rows_per_second_ = sample.rows_per_second;
  Append(sample);
}

void Progress::Append(Sample sample) {
  if (calls_ == 0 || calls_ == calls_per_sample_) {
    if (samples_.size() == kMostSamples) {
      // Half as fine from here on. Neighbours took equally long.
      for (size_t i = 0; i < kMostSamples / 2; ++i) {
        const Sample& first = samples_[2 * i];
        Sample both = samples_[2 * i + 1];
        both.rows_per_second = (first.rows_per_second + both.rows_per_second) / 2;
        if (first.lag.has_value()) both.lag = std::max(*first.lag, both.lag.value_or(*first.lag));
        samples_[i] = both;
      }
      samples_.resize(kMostSamples / 2);
      calls_per_sample_ *= 2;
    }
    samples_.push_back(sample);
    calls_ = 1;
    return;
  }
  Sample& last = samples_.back();
  const auto before = static_cast<double>(calls_);
  last.time = sample.time;
  last.rows_per_second = (last.rows_per_second * before + sample.rows_per_second) / (before + 1);
  if (sample.lag.has_value()) last.lag = std::max(*sample.lag, last.lag.value_or(*sample.lag));
  ++calls_;
}

TableStatus Progress::ReadTable(const Table& table, absl::Time now) const {
  TableStatus status;
  status.keyspace = table.keyspace;
  status.table = table.name;
  status.rows_per_second = table.rows_per_second;
  status.last_checkpoint = table.last_checkpoint;
  status.checkpoints = table.checkpoints;
  status.retries = table.retries;
  status.last_error = table.last_error;
  status.last_error_at = table.last_error_at;
  for (const auto& [name, progress] : table.shards) {
    ShardStatus& shard = status.shards.emplace_back();
    shard.shard = name;
    shard.phase = progress->phase_.load(std::memory_order_relaxed);
    shard.counts.rows_copied = progress->copied_.load(std::memory_order_relaxed);
    shard.counts.changes = progress->changes_.load(std::memory_order_relaxed);
    const int64_t estimate = progress->estimate_.load(std::memory_order_relaxed);
    if (estimate >= 0) shard.counts.estimated_rows = static_cast<uint64_t>(estimate);
    const int64_t read_up_to = progress->read_up_to_.load(std::memory_order_relaxed);
    if (read_up_to > 0 && shard.phase == Phase::kReplicating) {
      shard.counts.lag = std::max(absl::ZeroDuration(), now - absl::FromUnixSeconds(read_up_to));
    }
    status.phase = status.shards.size() == 1 ? shard.phase : Together(status.phase, shard.phase);
    Include(shard.counts, status.counts);
  }
  if (table.failed) status.phase = Phase::kFailed;
  return status;
}

Status Progress::Read(absl::Time now) const {
  const std::lock_guard lock(mutex_);
  Status status;
  status.began = began_;
  status.ended = ended_;
  status.error = error_;
  status.rows_per_second = ended_.has_value() ? 0 : rows_per_second_;
  status.samples = samples_;
  status.tables.reserve(tables_.size());
  for (const Table& table : tables_) {
    status.tables.push_back(ReadTable(table, now));
    Include(status.tables.back().counts, status.counts);
    status.retries += table.retries;
    if (ended_.has_value()) status.tables.back().rows_per_second = 0;
  }
  return status;
}

}  // namespace source_vitess::telemetry
