// The one place where finished output and positions meet: batches are written here, one at a time,
// and a state is composed of positions that written batches have completed. So a state never covers
// a row that is still in a buffer.
#ifndef SOURCE_VITESS_SYNC_CHECKPOINTER_H_
#define SOURCE_VITESS_SYNC_CHECKPOINTER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "sync/sink.h"
#include "sync/table_position.h"
#include "sync/table_progress.h"
#include "vitess/binlogdata.pb.h"

namespace source_vitess::sync {

// What a batch completes for one table: its position in some of its shards, shared by the tables of
// a job.
struct PositionUpdate {
  size_t table;  // Table::index
  size_t
      group;  // which of the table's groups of shards; a later update of the same group replaces it
  std::shared_ptr<const binlogdata::VGtid> shards;
  // The table's columns as of there, in the shards where they changed (null for unknown ones);
  // null: nowhere.
  std::shared_ptr<const PositionColumns> columns = nullptr;
};

// Thread-safe. Every failure is the sink's: the host has gone.
class Checkpointer {
 public:
  struct Policy {
    uint64_t interval;    // records of a table between two of its states
    absl::Duration time;  // after which every table whose position moved gets a state
  };

  // `sequence`: the last one given out; goes into every state as its cursor. All arguments must
  // outlive this object.
  Checkpointer(Policy policy, std::span<const Table> tables, const std::atomic<uint64_t>& sequence,
               Sink& sink, absl::Time now);

  // Sets where a table stands, without telling the host.
  void Restore(size_t table, TablePosition position);

  // Whom to tell of checkpoints besides.
  void TellProgress(TableProgress progress) { table_progress_ = progress; }

  // About how much there is of the table, which the host is told when work on it begins.
  void SetEstimate(size_t table, TableEstimate estimate);

  // Tells the host that work on the table begins; once, however often it is called.
  absl::Status Start(size_t table);

  // Writes the batch, then takes over what it completes, then hands out the states that are due.
  // `batch` may be null: only positions moved.
  absl::Status Write(const RowBatch* batch, std::span<const PositionUpdate> updates,
                     absl::Time now);

  // Sink::Truncate, behind all that was written.
  absl::Status Truncate(size_t table);

  // Changes the table's position, without telling the host.
  void Amend(size_t table, const std::function<void(TablePosition&)>& change);

  // Hands the table's position out now.
  absl::Status Announce(size_t table);

  // Ends the table: a last state where the host does not have it yet, unless the table failed
  // before anything of it went out, then its status. Once per table.
  absl::Status Finish(size_t table, const absl::Status& status);

  // Records of the table written in this sync.
  uint64_t records_written(size_t table) const;

 private:
  struct Progress {
    TablePosition position;
    std::vector<std::shared_ptr<const binlogdata::VGtid>> updates;  // by group; null: none
    uint64_t records = 0;                                           // since the last state
    uint64_t written = 0;
    bool moved = false;  // since the last state
    bool started = false;
    bool handed_out = false;
    bool finished = false;
    std::optional<TableEstimate> estimate;
  };

  void Compose(Progress& progress);
  absl::Status StartLocked(size_t table);
  absl::Status HandOut(std::span<const size_t> tables);

  const Policy policy_;
  const std::span<const Table> tables_;
  const std::atomic<uint64_t>& sequence_;
  Sink& sink_;
  TableProgress table_progress_;

  mutable std::mutex mutex_;
  std::vector<Progress> progress_;  // by Table::index
  absl::Time last_sweep_;
};

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_CHECKPOINTER_H_
