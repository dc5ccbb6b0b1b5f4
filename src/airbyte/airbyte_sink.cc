#include "airbyte/airbyte_sink.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "airbyte/record_batch.h"
#include "vitess/errors.h"

namespace source_vitess::airbyte {

AirbyteSink::AirbyteSink(telemetry::Output& output, telemetry::Logger& logger,
                         const mysql::TypeOptions& types,
                         std::span<const ConfiguredStream> configured, Clock clock)
    : output_(output), types_(types), clock_(std::move(clock)), columns_(configured, logger) {}

std::unique_ptr<sync::RowBatch> AirbyteSink::NewBatch() {
  return std::make_unique<RecordBatch>(clock_, types_, columns_);
}

AirbyteSink::Progress& AirbyteSink::ProgressOf(const sync::Table& table) {
  if (progress_.size() <= table.index) progress_.resize(table.index + 1);
  Progress& progress = progress_[table.index];
  if (progress.stream.name.empty()) {
    progress.stream = {.name_space = table.keyspace(), .name = table.name()};
  }
  return progress;
}

void AirbyteSink::Start(Progress& progress, std::string& lines) {
  if (progress.phase != Phase::kUnknown) return;
  progress.phase = Phase::kStarted;
  lines += StreamStatusLine(progress.stream, StreamStatus::kStarted, clock_());
}

void AirbyteSink::Run(Progress& progress, std::string& lines) {
  if (progress.phase != Phase::kStarted) return;
  progress.phase = Phase::kRunning;
  lines += StreamStatusLine(progress.stream, StreamStatus::kRunning, clock_());
}

absl::Status AirbyteSink::Started(const sync::Table& table) {
  std::string lines;
  Start(ProgressOf(table), lines);
  return output_.Write(lines);
}

absl::Status AirbyteSink::Estimated(const sync::Table& table, const sync::TableEstimate& estimate) {
  return output_.Write(
      EstimateLine(ProgressOf(table).stream, estimate.rows, estimate.bytes, clock_()));
}

absl::Status AirbyteSink::Write(const sync::RowBatch& batch) {
  const auto& records = static_cast<const RecordBatch&>(batch);  // NewBatch made it
  std::string statuses;
  for (const sync::RecordCount& count : records.counts()) Run(progress_[count.table], statuses);
  for (const AlteredColumn& column : records.altered()) {
    columns_.Count(progress_[column.table].stream, column.name, column.values);
  }
  if (!statuses.empty()) {
    absl::Status status = output_.Write(statuses);
    if (!status.ok()) return status;
  }
  return output_.Write(records.text());
}

// The protocol has no message for it, and so nobody asks.
absl::Status AirbyteSink::Truncate(const sync::Table& table) {
  return absl::UnimplementedError(
      absl::StrCat("table ", table.keyspace(), ".", table.name(), " was to be emptied"));
}

absl::Status AirbyteSink::Checkpoint(std::span<const sync::TableCheckpoint> checkpoints) {
  std::string lines;
  for (const sync::TableCheckpoint& checkpoint : checkpoints) {
    lines += StateLine(ProgressOf(*checkpoint.table).stream, sync::ToJson(*checkpoint.position),
                       checkpoint.records);
  }
  return output_.Write(lines);
}

absl::Status AirbyteSink::Finished(const sync::Table& table, const absl::Status& status) {
  Progress& progress = ProgressOf(table);
  if (!status.ok() && vitess::Classify(status) == vitess::ErrorClass::kHost) {
    progress.phase = Phase::kFinished;
    return absl::OkStatus();
  }
  columns_.LogAltered(progress.stream);
  std::string lines;
  Start(progress, lines);
  if (status.ok()) {
    Run(progress, lines);
    lines += StreamStatusLine(progress.stream, StreamStatus::kComplete, clock_());
  } else {
    lines += StreamStatusLine(progress.stream, StreamStatus::kIncomplete, clock_());
    lines += TraceErrorLine(status, progress.stream, clock_());
  }
  progress.phase = Phase::kFinished;
  return output_.Write(lines);
}

absl::Status AirbyteSink::Abandoned(const sync::Table& table) {
  Progress& progress = ProgressOf(table);
  columns_.LogAltered(progress.stream);
  std::string lines;
  Start(progress, lines);
  lines += StreamStatusLine(progress.stream, StreamStatus::kIncomplete, clock_());
  progress.phase = Phase::kFinished;
  return output_.Write(lines);
}

absl::Status AirbyteSink::Refuse(const StreamName& stream, const absl::Status& status) {
  return output_.Write(StreamStatusLine(stream, StreamStatus::kStarted, clock_()) +
                       StreamStatusLine(stream, StreamStatus::kIncomplete, clock_()) +
                       TraceErrorLine(status, stream, clock_()));
}

bool AirbyteSink::IsFinished(size_t table) const {
  return table < progress_.size() && progress_[table].phase == Phase::kFinished;
}

}  // namespace source_vitess::airbyte
