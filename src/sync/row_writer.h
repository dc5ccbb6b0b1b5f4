// From a job's FIELD and ROW events to the sink's batches: one decoder per table and shard, one
// batch per job.
#ifndef SOURCE_VITESS_SYNC_ROW_WRITER_H_
#define SOURCE_VITESS_SYNC_ROW_WRITER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "mysql/row_decoder.h"
#include "sync/checkpointer.h"
#include "sync/row_fetcher.h"
#include "sync/row_moves.h"
#include "sync/sink.h"
#include "vitess/binlogdata.pb.h"

namespace source_vitess::sync {

// For one job's thread.
//
// A change without all of its columns, for a sink that has no word for that, is held back with all
// that come behind it, so that the order stays; Complete reads their rows, many to a query, and
// appends them. Nothing of this is met by changes that have their columns. However large the rows
// are, what is held at once is below 16 MiB, and one answer, and one row as output. In the same way
// a DELETE of a row that may have moved to another shard is looked into: if the row lives, it goes
// out as it is (docs/design.md, rule 11).
class RowWriter {
 public:
  // `slots`: how many pairs of table and shard the job has; it numbers them itself. `sequence` is
  // shared by all jobs. `hand_over` writes the batch and clears it: it is called while rows that
  // were read are appended, which may be many times as large as what the stream sent of them. What
  // `fetch` and `sink` name must outlive this object.
  RowWriter(size_t slots, const mysql::TypeOptions& types, const RowFetcher::Source& fetch,
            RowMoves& moves, Sink& sink, std::atomic<uint64_t>& sequence,
            std::function<absl::Status()> hand_over);

  // The columns of the rows that follow in this slot. Fails when they are not those of a table
  // (rule 10).
  absl::Status SetFields(size_t slot, const Table& table, const binlogdata::FieldEvent& event,
                         mysql::RowSource source);

  // Appends the rows of the event, or holds them back. Fails when no fields came for the slot, when
  // the rows do not fit them, or as Complete.
  absl::Status Append(size_t slot, const binlogdata::RowEvent& event, int64_t commit_seconds);

  // Appends what is held back. Call before positions that cover the rows are given away. Rows that
  // cannot be read for now are a failure of the class kTransient. After a failure rows are missing,
  // and every call returns it again: positions go back to those of the last success.
  absl::Status Complete();

  // The table, Table::index, that made Complete fail.
  std::optional<size_t> failed_table() const { return failed_table_; }

  // The bytes of the largest row since the last call.
  size_t TakeLargestRow() { return std::exchange(largest_row_, 0); }

  const RowBatch& batch() const { return *batch_; }
  bool empty() const { return batch_->counts().empty(); }
  void Clear() { batch_->Clear(); }

 private:
  struct Slot {
    std::optional<mysql::RowDecoder> decoder;
    // Made when it is first needed; shared by the slots of a table whose fields are the same.
    std::shared_ptr<RowFetcher> fetcher;
    mysql::RowSource source = mysql::RowSource::kCopy;
    std::string fields;  // the event that the decoder was made from, serialized without its shard
    size_t layout = 0;
    std::vector<size_t> key;        // places of the key's columns; without one, as `delivered`
    std::vector<size_t> delivered;  // places of the columns that go out
    bool delivers_all = false;
    const Table* table = nullptr;
    std::optional<bool> may_move;  // its rows; not known before the first DELETE
  };

  struct HeldBack {
    size_t slot;
    binlogdata::RowChange change;
    int64_t commit_seconds;
    // Of a change whose row has to be read: the key to read it by, and whether that is a new one.
    std::optional<RowFetcher::Key> key = std::nullopt;
    bool key_changed = false;
    uint64_t sequence = 0;  // taken before its row is read
  };

  absl::Status AppendChange(size_t slot, const binlogdata::RowChange& change,
                            int64_t commit_seconds, uint64_t sequence = 0);
  absl::Status Emit(const Slot& slot, const binlogdata::RowChange& change, RowChange& out);
  absl::Status DecodeAfter(const Slot& slot, const binlogdata::RowChange& change);
  bool SaysNothing(const Slot& slot, const binlogdata::RowChange& change) const;
  bool MayHaveMoved(Slot& slot) const;
  bool LacksColumns(const Slot& slot, const binlogdata::RowChange& change) const;
  absl::Status HoldBack(size_t slot, const binlogdata::RowChange& change, int64_t commit_seconds);
  absl::Status CompleteTables();
  absl::Status FindKey(HeldBack& held);
  absl::Status MakeFetcher(Slot& slot);
  absl::Status AppendHeld(size_t place);
  absl::Status FetchFrom(size_t place);
  absl::Status AppendFetched(const HeldBack& held, const query::Row* row);

  const mysql::TypeOptions types_;
  const RowFetcher::Source fetch_;
  RowMoves& moves_;
  std::atomic<uint64_t>& sequence_;
  const std::function<absl::Status()> hand_over_;
  std::unique_ptr<RowBatch> batch_;
  const bool takes_absent_;        // RowBatch::TakesAbsentColumns
  const bool wants_every_update_;  // RowBatch::WantsEveryUpdate
  std::vector<HeldBack> held_back_;
  size_t held_back_bytes_ = 0;
  absl::Status failure_;  // of Complete
  std::optional<size_t> failed_table_;
  // Of Complete: what was read, nothing for rows that are gone.
  using Fetched = absl::flat_hash_map<RowFetcher::Key, std::optional<query::Row>>;
  absl::flat_hash_map<const RowFetcher*, Fetched> fetched_;
  size_t fetched_bytes_ = 0;
  size_t largest_row_ = 0;
  std::vector<Slot> slots_;
  mysql::DecodedRow before_;
  mysql::DecodedRow after_;
};

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_ROW_WRITER_H_
