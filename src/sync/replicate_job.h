// A replicate job: one VStream over copied tables of one keyspace, on the same shards.
//
// Its own position is at or behind that of each of its tables. A table that is ahead in a shard has
// its rows there skipped for as long as the stream's position, before the transaction, is contained
// in the table's own and is not equal to it (docs/design.md, rule 5). Should the two turn out to be
// incomparable, rows may have been skipped that the table does not have: the table is set back to
// where the stream was, and the job begins again from there.
//
// A shard whose JOURNAL comes stands still; the job ends once all the participants that it reads
// have had theirs.
#ifndef SOURCE_VITESS_SYNC_REPLICATE_JOB_H_
#define SOURCE_VITESS_SYNC_REPLICATE_JOB_H_

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "sync/stream_job.h"
#include "vitess/gtid_set.h"

namespace source_vitess::sync {

// By shard, in the order of a group: what a position has to contain. Absent: a shard whose end,
// told by its JOURNAL, has to come.
using Goal = std::vector<std::optional<vitess::GtidSet>>;

class ReplicateJob final : public StreamJob {
 public:
  struct Member {
    const Table* table;
    binlogdata::VGtid
        position;  // copied in every shard of the group, in the same order for all members
    PositionColumns columns;  // as of there
  };

  // Fails when a position cannot be parsed. `reports`: whether the positions of the members are
  // given to the checkpointer.
  static absl::StatusOr<std::unique_ptr<ReplicateJob>> Make(const JobContext& context,
                                                            std::vector<Member> members,
                                                            size_t group, bool reports = true);

  JobOutcome Run() override;

  // From any thread, as what follows: lets the job end once its position contains `goal`.
  void SetGoal(Goal goal);

  // Where the stream stands.
  binlogdata::VGtid Position() const;

  // Whether the JOURNAL of the shard has come, by its place.
  bool HasEnded(size_t shard) const;

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
    std::vector<Ahead> caught_up;  // were ahead of what was handed over
  };
  // Of a member in a shard.
  enum class Step : uint8_t {
    kInStep,
    kAhead,    // its rows are skipped
    kSkipped,  // and some of the open transaction, or a DDL of the table, were
  };

  ReplicateJob(const JobContext& context, std::vector<Member> members, size_t group, bool reports);
  absl::Status FindStart();
  absl::Status Handle(const binlogdata::VEvent& event) override;
  absl::Status HandleFields(const binlogdata::VEvent& event);
  // Compares what the slot's rows come as with what is known of them.
  absl::Status CheckFields(size_t slot, const binlogdata::FieldEvent& fields);
  absl::Status HandleRows(const binlogdata::VEvent& event);
  absl::Status HandleDdl(const binlogdata::VEvent& event);
  absl::Status HandleStatement(const binlogdata::VEvent& event);
  absl::Status HandleJournal(const binlogdata::VEvent& event);
  absl::Status HandleCommit(const binlogdata::VEvent& event);
  absl::Status Moved(const binlogdata::ShardGtid& shard, bool& fallen_back);
  absl::Status AdvanceAhead(size_t shard, const std::string& before, bool& fallen_back);
  size_t Slot(size_t member, size_t shard) const { return member * shards_.size() + shard; }
  absl::Status Flush(absl::Time now) override;
  absl::Status FlushMembers(absl::Time now, bool all_members);
  void SetBack();
  bool AtGoal() const;                                    // REQUIRES: mutex_ is held
  void CheckGoal(size_t shard, const std::string& gtid);  // REQUIRES: mutex_ is held
  JobEnd Stopped() const override;
  int ShardIndex(std::string_view shard) const override;
  std::optional<size_t> TableOf(const binlogdata::VEvent& event) const override;
  int MemberIndex(std::string_view table) const;
  std::shared_ptr<const binlogdata::VGtid> PositionOf(
      size_t member, const std::shared_ptr<const binlogdata::VGtid>& stream) const;
  std::shared_ptr<const PositionColumns> TakeChangedColumns(size_t member);

  std::vector<Member> members_;
  absl::flat_hash_map<std::string, int> member_by_name_;
  absl::flat_hash_map<size_t, size_t> member_by_table_;  // by Table::index
  const bool reports_;
  std::vector<Shard> shards_;
  std::vector<Step> steps_;  // by slot
  // By slot: the FIELD that came last, while the table was ahead, and holds for rows to come.
  absl::flat_hash_map<size_t, binlogdata::FieldEvent> unchecked_;
  absl::Time last_full_update_;
  binlogdata::VGtid flushed_;  // the position whose rows were handed over
  bool moved_ = false;         // since the last update of all members

  mutable std::mutex mutex_;
  binlogdata::VGtid position_;   // of the stream
  Goal goal_;                    // empty: none
  std::vector<bool> reached_;    // by shard, once there is a goal
  std::vector<bool> has_ended_;  // by shard
};

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_REPLICATE_JOB_H_
