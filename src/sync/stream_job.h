// What the two kinds of job have in common: one VStream, followed event by event, whose rows go out
// in large pieces together with the positions that they complete.
#ifndef SOURCE_VITESS_SYNC_STREAM_JOB_H_
#define SOURCE_VITESS_SYNC_STREAM_JOB_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "mysql/ddl_statement.h"
#include "sync/job.h"
#include "sync/row_writer.h"
#include "sync/schema_watch.h"
#include "sync/vstream_reader.h"

namespace source_vitess::sync {

class StreamJob {
 public:
  virtual ~StreamJob() = default;

  // Blocks until the job ends. Once.
  virtual JobOutcome Run() = 0;

  // From any thread. A reason that is OK asks to stop.
  void Cancel(absl::Status reason) { reader_.Cancel(std::move(reason)); }

  VStreamReader& reader() { return reader_; }

 protected:
  // `slots`: the pairs of table and shard. `group`: for the checkpointer.
  StreamJob(const JobContext& context, size_t group, size_t shards, size_t slots);

  // Opens the stream and reads it until End is called, or it ends by itself.
  JobOutcome Follow(const vtgate::VStreamRequest& request);

  // Ends the job behind the event that is being handled.
  void End(JobEnd end);

  virtual absl::Status Handle(const binlogdata::VEvent& event) = 0;

  // Hands over what has gathered. Called between responses once it is due.
  virtual absl::Status Flush(absl::Time now) = 0;

  // The table, Table::index, that the event is about.
  virtual std::optional<size_t> TableOf(const binlogdata::VEvent& event) const = 0;

  // What it means that the job was asked to stop.
  virtual JobEnd Stopped() const { return JobEnd::kStopped; }

  // Its place among the job's shards; -1: not one of them.
  virtual int ShardIndex(std::string_view shard) const = 0;

  // Takes note of a JOURNAL: from now on its shard stands still, where it was before the
  // transaction that the JOURNAL is in (docs/design.md, rule 8).
  absl::Status HandleJournal(const binlogdata::VEvent& event);
  bool IsRetired(size_t shard) const { return retired_[shard]; }

  // Whether every participant of the journals that the stream reads has had its JOURNAL: nothing
  // comes of them any more.
  bool JournalsAreComplete() const;

  // Fails when the FIELD event marks other columns as the primary key than the table had when the
  // sync began: its rows would be told apart by the wrong ones.
  static absl::Status CheckKey(const Table& table, const binlogdata::FieldEvent& fields);

  // What a DDL event does to one of the job's tables that stands at or before it.
  absl::Status HandleDdl(const Table& table, const binlogdata::VEvent& event, SchemaWatch& columns);

  // A change came as the statement that made it, because a server does not write
  // binlog_format=ROW: nobody tells its rows, nor, to be sure, its table. Vitess sends those of all
  // tables of the database, whatever the filter (reference 2.1).
  static absl::Status StatementError(const binlogdata::VEvent& event);

  // What the slot's rows are counted for. Call from the constructor.
  void ReportSlot(size_t slot, const Table& table, size_t shard, const std::string& name);
  // Counts rows that go out, or are held back to.
  void Count(size_t slot, const binlogdata::RowEvent& rows, bool are_copied) {
    if (slot < reports_.size()) CountReported(slot, rows, are_copied);
  }

  // The columns of a slot, to be changed: what they were is kept until the rows that came with the
  // change are handed over.
  SchemaWatch& ColumnsToChange(size_t slot);
  void KeepChangedColumns() { columns_before_.clear(); }
  // Rows are missing: the columns are those of the last rows that were handed over.
  void SetColumnsBack();

  const JobContext context_;
  const size_t group_;
  VStreamReader reader_;
  VgtidTracker tracker_;
  RowWriter rows_;
  BatchFlusher flusher_;
  std::vector<SchemaWatch> columns_;  // by slot

 private:
  // The rows of a slot that are not reported.
  struct SlotReport {
    telemetry::ShardProgress* progress = nullptr;
    size_t shard = 0;
    uint64_t copied = 0;
    uint64_t changes = 0;
  };

  JobOutcome FollowStream();
  void CountReported(size_t slot, const binlogdata::RowEvent& rows, bool are_copied);
  void TakeTime(const vtgate::VStreamResponse& response);
  void ReportRows();
  void ReportTimes(absl::Time now);
  JobOutcome Failure(absl::Status status, std::optional<size_t> table);
  absl::Status HandleEmptied(const Table& table, const binlogdata::VEvent& event,
                             mysql::TableEffect effect, const std::string& where);

  std::vector<bool> retired_;                                // by shard
  absl::flat_hash_map<size_t, SchemaWatch> columns_before_;  // by slot: those that changed
  std::vector<SlotReport> reports_;  // by slot; empty: nobody asked for progress
  std::vector<size_t> counted_;      // the slots that have rows to report
  std::vector<int64_t> read_up_to_;  // by shard: the last event's time, in seconds since 1970
  absl::Time times_reported_at_ = absl::InfinitePast();
  JobOutcome outcome_;
  bool ended_ = false;
};

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_STREAM_JOB_H_
