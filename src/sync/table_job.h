// A table job: one VStream whose filter names one table, from that table's position, until the
// table is copied in every shard of its group. Shards that are copied already follow the table's
// changes meanwhile.
//
// Per shard, with what VTGate sends (recordings copy-job-*; docs/design.md, rules 1, 2 and 4):
//
//   pending  --FIELD of the copy--> copying  --COMMIT whose VGTID has no entry, or
//   COPY_COMPLETED--> copied copied   --COMMIT--> copied, at a later position
//
// A second FIELD of the copy in one shard means that VTGate restarted the copy by itself. It goes
// on after the last primary key, which is right for keys that can be compared, and ends the job
// with kFallenBack for others.
//
// A shard whose JOURNAL comes stands still. The job goes on with its other shards, unless their
// copy can be resumed by another job.
#ifndef SOURCE_VITESS_SYNC_TABLE_JOB_H_
#define SOURCE_VITESS_SYNC_TABLE_JOB_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sync/stream_job.h"

namespace source_vitess::sync {

class TableJob final : public StreamJob {
 public:
  // `start`: the table's position in the shards of the group, in the order of the request. `known`:
  // what is known of it besides.
  TableJob(const JobContext& context, const Table& table, size_t group, binlogdata::VGtid start,
           const TablePosition& known);

  JobOutcome Run() override;

  // Where the table stands in the shards. REQUIRES: Run has returned.
  const binlogdata::VGtid& position() const { return position_; }

  // The table's columns as of there. REQUIRES: Run has returned.
  PositionColumns columns() const;

 private:
  struct Shard {
    bool copied = false;
    bool copying = false;  // the FIELD of its copy came in this stream
    bool repeated = false;
    // Whether it is read from its `since` should this copy not be finished, and the columns as of
    // there, which the copy's own need not be.
    bool begins_at_since = false;
    SchemaWatch::Columns since_columns;
    // The columns of the copy's rows, until the position is that of their snapshot: what was read
    // before it may be from before a change of the schema.
    std::optional<SchemaWatch> of_snapshot;
    SchemaWatch::Columns reported;  // to the checkpointer
  };

  vtgate::VStreamRequest Request();
  absl::Status Handle(const binlogdata::VEvent& event) override;
  absl::Status HandleFields(const binlogdata::VEvent& event);
  absl::Status HandleRows(const binlogdata::VEvent& event);
  absl::Status HandleDdl(const binlogdata::VEvent& event);
  absl::Status HandleStatement(const binlogdata::VEvent& event);
  // `is_copy`: by rows of the copy, and not by changes.
  void Moved(const binlogdata::ShardGtid& shard, bool is_copy);
  void ReachSnapshot(size_t shard);
  void LeaveSnapshot(const binlogdata::VEvent& event);
  void CopyCompleted(const binlogdata::VEvent& event);
  void EndWhenDone();
  void SetBack();
  absl::Status Flush(absl::Time now) override;
  std::optional<size_t> TableOf(const binlogdata::VEvent&) const override { return table_.index; }
  int ShardIndex(std::string_view shard) const override;
  const SchemaWatch::Columns& ColumnsOf(size_t shard) const;
  std::shared_ptr<const PositionColumns> TakeChangedColumns();

  const Table& table_;
  std::vector<std::string> asked_;  // the columns that the filter lists; empty: all
  binlogdata::VGtid position_;
  binlogdata::VGtid flushed_;  // the position whose rows were handed over
  bool moved_ = false;         // since the last flush
  std::vector<Shard> shards_;
  mutable int last_shard_ = 0;  // that was looked for: mostly it is the next one as well
};

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_TABLE_JOB_H_
