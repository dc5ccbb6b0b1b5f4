// Runs the jobs of a sync: copies tables side by side, keeps those that are copied fresh in
// replicate jobs, and ends when every table has reached its target.
//
// What is scheduled is a part: one table on one group of shards. A part goes this way:
//
//   waiting --> copying --> ready --> replicating --> ready --> done
//      ^           |          |
//      +-- again --+          +--> done, when its position contains its goal and no copies are left
//
// While copies are left, the ready parts of a group gather for a moment and then join the group's
// replicate job: that job is stopped at a commit and started again with all of them. Those behind
// the stream catch up first, in a replicate job of their own that ends where the group's job was.
// Nothing goes back: in the new job, the rows of a table that is ahead are skipped. When no copies
// are left, what is behind its goal is replicated up to it.
//
// In a reshard, shards end. Of each table, what is on them stands still until the table has come to
// the JOURNALs of all shards that end together; then new parts go on with it on the shards that
// begin (sync/reshard.h).
#ifndef SOURCE_VITESS_SYNC_SCHEDULER_H_
#define SOURCE_VITESS_SYNC_SCHEDULER_H_

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "sync/job.h"
#include "sync/plan.h"
#include "sync/replicate_job.h"
#include "sync/reshard.h"
#include "sync/retry_policy.h"
#include "sync/shard_directory.h"
#include "sync/table_job.h"
#include "vitess/gtid_set.h"

namespace source_vitess::sync {

class Scheduler {
 public:
  // `keyspaces` are those of the tables.
  Scheduler(const JobContext& context, std::span<const Table> tables,
            std::span<const KeyspaceState> keyspaces);
  ~Scheduler();

  // Adds a table that stands at `position`. The checkpointer knows it already.
  void Add(size_t table, TablePosition position);

  // Blocks until every table that was added is done or has failed, and told the checkpointer. Fails
  // when the host has gone. Once.
  absl::Status Run();

  // How the table ended. REQUIRES: Run has returned.
  const absl::Status& status(size_t table) const { return tables_state_[table].status; }

 private:
  struct Part;
  struct Group {
    std::string keyspace;
    std::vector<std::string> shards;
    size_t index;  // among all groups
    std::vector<Part*> parts;
    absl::Time next_join;  // for parts that can wait
    bool joining =
        false;  // a catch-up for a join runs, or the replicate job was asked to stop for one
  };
  enum class PartState {
    kWaiting,
    kCopying,  // or followed to the end of its shards, before its copy begins again
    kReady,
    kReplicating,
    kDone,
    kFailed,
    kReplaced,  // other parts of the table stand in its place
  };
  struct Part {
    size_t table;
    Group* group;
    binlogdata::VGtid position;
    PartState state = PartState::kReady;
    int repetitions = 0;  // of a copy that VTGate restarted
    bool alone = false;   // shares no job: it may be what made one fail
    // By shard, as the part was made; empty: nobody asked for progress.
    std::vector<std::pair<std::string, telemetry::ShardProgress*>> progress;
    std::optional<std::pair<PartState, int>> told;  // to the progress: state and shards
    bool at_goal = false;  // found out since its last job ended: asking again would be costly
    RetryState retry;
  };
  struct TableState {
    // Without its vgtid, which is the parts' and `ended`'s.
    TablePosition position;
    std::vector<Part*> parts;
    std::map<std::string, EndedShard> ended;  // by shard: those that stand at their JOURNAL
    absl::Status status;
  };
  enum class Role { kCopy, kFollow, kReplicate, kCatchUp };
  struct Running {
    Role role;
    Group* group;
    std::vector<Part*> parts;
    std::unique_ptr<TableJob> table_job;
    std::unique_ptr<ReplicateJob> replicate_job;
    bool far_behind = false;  // counts as a table job
    bool goal_set = false;
    JobOutcome outcome{JobEnd::kStopped};
    std::thread thread;

    StreamJob& job() {
      return table_job != nullptr ? static_cast<StreamJob&>(*table_job) : *replicate_job;
    }
    void Cancel(absl::Status reason) { job().Cancel(std::move(reason)); }
  };

  absl::Status Advance(absl::Time now);
  absl::Status StartCopies(absl::Time now);
  absl::Status StartCopy(Part& part, absl::Time now);
  absl::Status LaunchCopy(Part& part);
  absl::Status LaunchFollow(Part& part);
  absl::Status PrepareCopy(Part& part, absl::Time now);
  absl::Status PrepareMovingRows(size_t table, absl::Time now);
  absl::Status AdvanceGroup(Group& group, bool copies_left, absl::Time now);
  absl::Status FinishGroup(Group& group, std::vector<Part*> ready);
  absl::Status JoinGroup(Group& group, std::vector<Part*> ready, absl::Time now);
  absl::Status StartReplicating(Group& group, Role role, std::vector<Part*> parts, Goal goal,
                                bool far_behind);
  void Launch(std::unique_ptr<Running> running);

  absl::Status Ended(Running& running, absl::Time now);
  absl::Status CopyEnded(Running& running, absl::Time now);
  absl::Status FollowEnded(Running& running, absl::Time now);
  absl::Status ReplicationEnded(Running& running, absl::Time now);
  PositionColumns ColumnsOf(const Part& part) const;
  void KeepColumns(size_t table, const binlogdata::VGtid& position, const PositionColumns& columns);
  absl::Status CopyReached(Part& part);
  absl::Status RepeatCopy(Part& part);
  absl::Status HandleFailure(Part& part, absl::Status failure, absl::Time now, double jitter);
  absl::Status HandleLost(Part& part, absl::Status lost);
  absl::Status Probe(const Part& part, absl::Time now);
  absl::Status Fail(Part& part, absl::Status status);
  absl::Status EndPart(Part& part, PartState state);
  absl::Status EndTableWhenDone(size_t table);
  void Amend(const Part& part);

  // Reshards: scheduler_reshards.cc.
  absl::Status ShardsEnded(Running& running);
  absl::Status EndShard(Part& part, const std::string& shard, const binlogdata::Journal& journal,
                        Role role);
  absl::Status RefuseJournal(Part& part, const binlogdata::Journal& journal);
  absl::Status GoOver(size_t table, const binlogdata::Journal& journal);
  bool HasComeToTheEnd(const TableState& table, const binlogdata::Journal& journal) const;
  absl::Status GiveUpHeldUpCopies(absl::Time now);
  absl::Status GoOverWhereDue(size_t table);
  void TakeUp(size_t table, const binlogdata::Journal& journal, const Succession& succession);
  absl::Status FindNewShards(Part& part, absl::Time now);
  void SeparateShardsToFollow(Part& part);
  absl::Status ReadTargets(Group& group, absl::Time now);
  bool IsToBeFollowed(size_t table, const binlogdata::ShardGtid& shard) const;
  bool HasBegun(size_t table, const binlogdata::ShardGtid& shard) const;
  bool Knows(const TableState& table, const std::string& shard) const;
  static bool IsTaken(const TableState& table, const std::string& shard);

  Group& GroupOf(const std::string& keyspace, std::vector<std::string> shards);
  void AddParts(size_t table, std::span<const binlogdata::ShardGtid> shards);
  void AddPart(size_t table, std::span<const binlogdata::ShardGtid> shards);
  binlogdata::ShardGtid TakeShard(Part& part, const std::string& shard);

  void TellPhases();
  void TellPhase(const Part& part);
  void Watch(absl::Time now);
  absl::Status ExplainIdling(Running& running, absl::Duration idle);

  bool IsCopied(const Part& part) const;
  bool HasEndedShards(const Part& part) const;
  bool IsAtGoal(const Part& part) const;
  Goal GoalOf(std::span<Part* const> parts) const;
  bool CopiesAreLeft() const;
  size_t RunningTableJobs() const;
  Running* FindReplicateJob(const Group& group);
  std::string Describe(const Part& part) const;
  std::string Name(size_t table) const;

  const JobContext context_;
  const std::span<const Table> tables_;
  ShardDirectory shards_;
  std::vector<std::unique_ptr<Group>> groups_;
  std::vector<std::unique_ptr<Part>> parts_;
  std::vector<TableState> tables_state_;  // by Table::index
  std::vector<std::unique_ptr<Running>> running_;
  std::string told_cause_;  // of the last failure that was logged
  absl::Time told_at_ = absl::InfinitePast();

  std::mutex mutex_;
  std::condition_variable ended_signal_;
  std::deque<Running*> ended_;
};

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_SCHEDULER_H_
