// A replicate job: one VStream over copied tables of one keyspace, on the same shards.
//
// Its own position is at or behind that of each of its tables. A table that is ahead in a shard has
// its rows there skipped for as long as the stream's position, before the transaction, is contained
// in the table's own and is not equal to it (docs/design.md, rule 5). Should the two turn out to be
// incomparable, rows may have been skipped that the table does not have: the table is set back to
// where the stream was, and the job begins again from there.
#ifndef SOURCE_VITESS_SYNC_REPLICATE_JOB_H_
#define SOURCE_VITESS_SYNC_REPLICATE_JOB_H_

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "sync/job.h"
#include "sync/vstream_reader.h"
#include "vitess/gtid_set.h"

namespace source_vitess::sync {

class ReplicateJob {
 public:
  struct Member {
    const Table* table;
    binlogdata::VGtid
        position;  // copied in every shard of the group, in the same order for all members
  };

  // Fails when a position cannot be parsed.
  static absl::StatusOr<std::unique_ptr<ReplicateJob>> Make(const JobContext& context,
                                                            std::vector<Member> members,
                                                            size_t group);

  // Blocks until the job ends: at its goal, when asked to stop, or by a failure. Once.
  JobOutcome Run();

  // From any thread, as what follows.

  // A reason that is OK asks to stop.
  void Cancel(absl::Status reason) { reader_.Cancel(std::move(reason)); }

  // Lets the job end once its position contains `goal`, which is by shard in the order of the
  // group.
  void SetGoal(std::vector<vitess::GtidSet> goal);

  // Where the stream stands.
  binlogdata::VGtid Position() const;

  VStreamReader& reader() { return reader_; }

  // Where each member stands. REQUIRES: Run has returned.
  std::vector<Member> Positions() const;

 private:
  // A member that is ahead of the stream in a shard.
  struct Ahead {
    size_t member;
    std::string gtid;  // its position there
    vitess::GtidSet set;
  };
  struct Shard {
    std::vector<Ahead> ahead;
  };
  // Of a member in a shard.
  enum class Step : uint8_t {
    kInStep,
    kAhead,    // its rows are skipped
    kSkipped,  // and some of the open transaction were
  };

  ReplicateJob(const JobContext& context, std::vector<Member> members, size_t group);
  absl::Status FindStart();
  JobOutcome Follow();
  absl::Status Handle(const binlogdata::VEvent& event, JobOutcome& outcome, bool& ended);
  absl::Status HandleFields(const binlogdata::VEvent& event);
  absl::Status HandleRows(const binlogdata::VEvent& event);
  absl::Status Moved(const binlogdata::ShardGtid& shard, bool& fallen_back);
  absl::Status AdvanceAhead(size_t shard, const std::string& before, bool& fallen_back);
  size_t Slot(size_t member, size_t shard) const { return member * shards_.size() + shard; }
  absl::Status Flush(absl::Time now, bool all_members);
  bool AtGoal() const;                                    // REQUIRES: mutex_ is held
  void CheckGoal(size_t shard, const std::string& gtid);  // REQUIRES: mutex_ is held
  int ShardIndex(std::string_view shard) const;
  // The table that a FIELD or ROW event is about.
  std::optional<size_t> TableOf(const binlogdata::VEvent& event) const;
  int MemberIndex(std::string_view table) const;
  std::shared_ptr<const binlogdata::VGtid> PositionOf(
      size_t member, const std::shared_ptr<const binlogdata::VGtid>& stream) const;

  const JobContext context_;
  std::vector<Member> members_;
  absl::flat_hash_map<std::string, int> member_by_name_;
  absl::flat_hash_map<size_t, size_t> member_by_table_;  // by Table::index
  const size_t group_;
  std::vector<Shard> shards_;
  std::vector<Step> steps_;  // by slot
  // By member: its columns as of its last FIELD event; null until there was one.
  std::vector<std::shared_ptr<const std::vector<PositionColumn>>> columns_;
  VStreamReader reader_;
  VgtidTracker tracker_;
  RowWriter rows_;
  BatchFlusher flusher_;
  absl::Time last_full_update_;
  binlogdata::VGtid flushed_;  // the position whose rows were handed over
  bool moved_ = false;         // since the last update of all members

  mutable std::mutex mutex_;
  binlogdata::VGtid position_;         // of the stream
  std::vector<vitess::GtidSet> goal_;  // empty: none
  std::vector<bool> reached_;          // by shard, once there is a goal
};

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_REPLICATE_JOB_H_
