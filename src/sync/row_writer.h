// From a job's FIELD and ROW events to the sink's batches: one decoder per table and shard, one
// batch per job.
#ifndef SOURCE_VITESS_SYNC_ROW_WRITER_H_
#define SOURCE_VITESS_SYNC_ROW_WRITER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "mysql/row_decoder.h"
#include "sync/checkpointer.h"
#include "sync/sink.h"
#include "vitess/binlogdata.pb.h"

namespace source_vitess::sync {

// For one job's thread.
class RowWriter {
 public:
  // `slots`: how many pairs of table and shard the job has; it numbers them itself. `sequence` is
  // shared by all jobs.
  RowWriter(size_t slots, const mysql::TypeOptions& types, Sink& sink,
            std::atomic<uint64_t>& sequence);

  // The columns of the rows that follow in this slot. Fails when they are not those of a table
  // (rule 10).
  absl::Status SetFields(size_t slot, const Table& table, const binlogdata::FieldEvent& event,
                         mysql::RowSource source);

  // Appends the rows of the event. Fails when no fields came for the slot, or when the rows do not
  // fit them.
  absl::Status Append(size_t slot, const binlogdata::RowEvent& event, int64_t commit_seconds);

  // The bytes of the largest row since the last call.
  size_t TakeLargestRow() { return std::exchange(largest_row_, 0); }

  const RowBatch& batch() const { return *batch_; }
  bool empty() const { return batch_->counts().empty(); }
  void Clear() { batch_->Clear(); }

 private:
  struct Slot {
    std::optional<mysql::RowDecoder> decoder;
    mysql::RowSource source = mysql::RowSource::kCopy;
    std::string fields;  // the event that the decoder was made from, serialized without its shard
    size_t layout = 0;
    std::vector<size_t> key;  // places of the key's columns
    const Table* table = nullptr;
  };

  absl::Status AppendChange(Slot& slot, const binlogdata::RowChange& change,
                            int64_t commit_seconds);

  const mysql::TypeOptions types_;
  std::atomic<uint64_t>& sequence_;
  std::unique_ptr<RowBatch> batch_;
  size_t largest_row_ = 0;
  std::vector<Slot> slots_;
  mysql::DecodedRow before_;
  mysql::DecodedRow after_;
};

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_ROW_WRITER_H_
