// The engine's sink for Airbyte: records, states and stream statuses on stdout, in the order that
// reference 3.5 asks for.
#ifndef SOURCE_VITESS_AIRBYTE_AIRBYTE_SINK_H_
#define SOURCE_VITESS_AIRBYTE_AIRBYTE_SINK_H_

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "airbyte/catalog.h"
#include "airbyte/messages.h"
#include "airbyte/stream_columns.h"
#include "mysql/column_type.h"
#include "sync/sink.h"
#include "telemetry/log.h"
#include "telemetry/output.h"

namespace source_vitess::airbyte {

// Per stream: STARTED; RUNNING before the first record, or at the end where there was none; records
// and states; COMPLETE behind the last state, or INCOMPLETE and a TRACE ERROR.
class AirbyteSink final : public sync::Sink {
 public:
  // `configured`: what the host asked for. `output` and `logger` must outlive the sink.
  AirbyteSink(telemetry::Output& output, telemetry::Logger& logger, const mysql::TypeOptions& types,
              std::span<const ConfiguredStream> configured, Clock clock);

  std::unique_ptr<sync::RowBatch> NewBatch() override;
  absl::Status Started(const sync::Table& table) override;
  absl::Status Estimated(const sync::Table& table, const sync::TableEstimate& estimate) override;
  absl::Status Write(const sync::RowBatch& batch) override;
  absl::Status Truncate(const sync::Table& table) override;
  absl::Status Checkpoint(std::span<const sync::TableCheckpoint> checkpoints) override;

  // A status of the class kHost says nothing to the host, which has gone.
  absl::Status Finished(const sync::Table& table, const absl::Status& status) override;

  // For a table that the end of the whole sync leaves unfinished: INCOMPLETE, without an error of
  // its own.
  absl::Status Abandoned(const sync::Table& table);

  // For a stream that cannot even begin: STARTED, INCOMPLETE and the TRACE ERROR.
  absl::Status Refuse(const StreamName& stream, const absl::Status& status);

  // Whether Finished or Abandoned was called for the table of that index.
  bool IsFinished(size_t table) const;

 private:
  enum class Phase { kUnknown, kStarted, kRunning, kFinished };
  struct Progress {
    Phase phase = Phase::kUnknown;
    StreamName stream;
  };

  Progress& ProgressOf(const sync::Table& table);
  // Announces STARTED, in `lines`, where that has not been done.
  void Start(Progress& progress, std::string& lines);
  // Announces RUNNING, in `lines`, where that has not been done.
  void Run(Progress& progress, std::string& lines);

  telemetry::Output& output_;
  const mysql::TypeOptions types_;
  const Clock clock_;
  StreamColumns columns_;
  std::vector<Progress> progress_;  // by Table::index
};

}  // namespace source_vitess::airbyte

#endif  // SOURCE_VITESS_AIRBYTE_AIRBYTE_SINK_H_
