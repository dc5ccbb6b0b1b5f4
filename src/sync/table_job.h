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
#ifndef SOURCE_VITESS_SYNC_TABLE_JOB_H_
#define SOURCE_VITESS_SYNC_TABLE_JOB_H_

#include <memory>
#include <string>
#include <vector>

#include "sync/job.h"
#include "sync/vstream_reader.h"

namespace source_vitess::sync {

class TableJob {
 public:
  // `start`: the table's position in the shards of the group, in the order of the request.
  TableJob(const JobContext& context, const Table& table, size_t group, binlogdata::VGtid start);

  // Blocks until the job ends. Once.
  JobOutcome Run();

  // From any thread. A reason that is OK asks to stop.
  void Cancel(absl::Status reason) { reader_.Cancel(std::move(reason)); }

  VStreamReader& reader() { return reader_; }

  // Where the table stands in the shards. REQUIRES: Run has returned.
  const binlogdata::VGtid& position() const { return position_; }

 private:
  struct Shard {
    bool copied = false;
    bool copying = false;  // the FIELD of its copy came in this stream
  };

  vtgate::VStreamRequest Request() const;
  JobOutcome Follow();
  absl::Status Handle(const binlogdata::VEvent& event, JobOutcome& outcome, bool& ended);
  absl::Status HandleFields(const binlogdata::VEvent& event, bool& fallen_back);
  absl::Status HandleRows(const binlogdata::VEvent& event);
  void Moved(const binlogdata::ShardGtid& shard);
  void CopyCompleted(const binlogdata::VEvent& event);
  absl::Status Flush(absl::Time now);
  bool IsCopied() const;
  int ShardIndex(std::string_view shard) const;  // -1: not one of this job's

  const JobContext context_;
  const Table& table_;
  const size_t group_;
  binlogdata::VGtid position_;
  binlogdata::VGtid flushed_;  // the position whose rows were handed over
  bool moved_ = false;         // since the last flush
  std::vector<Shard> shards_;
  mutable int last_shard_ = 0;  // that was looked for: mostly it is the next one as well
  VStreamReader reader_;
  VgtidTracker tracker_;
  RowWriter rows_;
  BatchFlusher flusher_;
};

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_TABLE_JOB_H_
