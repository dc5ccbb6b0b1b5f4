#include "sync/scheduler.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "text/absl_view.h"
#include "vitess/errors.h"
#include "vitess/topology.h"

namespace source_vitess::sync {
namespace {

using vitess::ErrorClass;
using vitess::GtidSet;

// How often jobs are watched and waiting work is looked at.
constexpr absl::Duration kTick = absl::Milliseconds(100);

// A table that lacks this many transactions that others have catches up in a job of its own.
constexpr int64_t kFarBehind = 100'000;

// A join starts a stream anew, which costs as much as it has tables: for each so many of them,
// those that are to join gather for another interval.
constexpr size_t kTablesPerJoinInterval = 100;

// A connection on which even heartbeats stay away this many times their interval, and then some, is
// dead; or for the stall timeout, if that is shorter.
constexpr int kHeartbeatsMissed = 3;
constexpr absl::Duration kHeartbeatGrace = absl::Seconds(15);

// What makes several tables fail, one after the other, is told of the first of them.
constexpr absl::Duration kToldFor = absl::Minutes(1);

// How often VTGate may restart a copy that then begins again.
constexpr int kMostRepetitions = 5;

GtidSet SetOf(const std::string& position) {
  // Positions were checked when they were taken over; those that Vitess sends are right.
  return GtidSet::ParsePosition(position).value_or(GtidSet());
}

std::vector<GtidSet> SetsOf(const binlogdata::VGtid& position) {
  std::vector<GtidSet> sets;
  for (const binlogdata::ShardGtid& shard : position.shard_gtids())
    sets.push_back(SetOf(shard.gtid()));
  return sets;
}

bool Contains(const std::vector<GtidSet>& sets, const Goal& goal) {
  return std::equal(sets.begin(), sets.end(), goal.begin(), goal.end(),
                    [](const GtidSet& set, const std::optional<GtidSet>& wanted) {
                      return wanted.has_value() && set.Contains(*wanted);
                    });
}

Goal GoalOfSets(const std::vector<GtidSet>& sets) { return {sets.begin(), sets.end()}; }

void Include(std::vector<GtidSet>& sets, const std::vector<GtidSet>& others) {
  if (sets.empty()) sets.resize(others.size());
  for (size_t i = 0; i < sets.size(); ++i) sets[i] = sets[i].Union(others[i]);
}

int64_t Distance(const std::vector<GtidSet>& behind, const std::vector<GtidSet>& front) {
  int64_t distance = 0;
  for (size_t i = 0; i < front.size(); ++i) distance += front[i].CountNotIn(behind[i]);
  return distance;
}

}  // namespace

Scheduler::Scheduler(const JobContext& context, std::span<const Table> tables,
                     std::span<const KeyspaceState> keyspaces)
    : context_(context),
      tables_(tables),
      shards_(context_.options, context_.client),
      tables_state_(tables.size()) {
  for (const KeyspaceState& keyspace : keyspaces) shards_.Add(keyspace);
}

Scheduler::~Scheduler() {
  for (const auto& running : running_) running->Cancel(absl::OkStatus());
  for (const auto& running : running_) running->thread.join();
}

void Scheduler::Add(size_t table, TablePosition position) {
  const std::vector<binlogdata::ShardGtid> shards(position.vgtid.shard_gtids().begin(),
                                                  position.vgtid.shard_gtids().end());
  position.vgtid = binlogdata::VGtid();
  tables_state_[table].position = std::move(position);
  AddParts(table, shards);
}

void Scheduler::AddParts(size_t table, std::span<const binlogdata::ShardGtid> shards) {
  const auto width = static_cast<size_t>(context_.options.shards_per_stream);
  for (; shards.size() > width; shards = shards.subspan(width)) {
    AddPart(table, shards.first(width));
  }
  AddPart(table, shards);
}

void Scheduler::AddPart(size_t table, std::span<const binlogdata::ShardGtid> shards) {
  auto part = std::make_unique<Part>();
  part->table = table;
  std::vector<std::string> names;
  for (const binlogdata::ShardGtid& shard : shards) {
    *part->position.add_shard_gtids() = shard;
    names.push_back(shard.shard());
    if (auto* progress = context_.progress.Shard(table, shard.shard()); progress != nullptr) {
      part->progress.emplace_back(shard.shard(), progress);
    }
  }
  part->group = &GroupOf(tables_[table].keyspace(), std::move(names));
  part->group->parts.push_back(part.get());
  part->state = IsCopied(*part) ? PartState::kReady : PartState::kWaiting;
  tables_state_[table].parts.push_back(part.get());
  parts_.push_back(std::move(part));
}

Scheduler::Group& Scheduler::GroupOf(const std::string& keyspace, std::vector<std::string> shards) {
  for (const auto& group : groups_) {
    if (group->keyspace == keyspace && group->shards == shards) return *group;
  }
  auto group = std::make_unique<Group>();
  group->keyspace = keyspace;
  group->shards = std::move(shards);
  group->index = groups_.size();
  group->next_join = absl::Now() + context_.options.join_interval;
  groups_.push_back(std::move(group));
  return *groups_.back();
}

absl::Status Scheduler::Run() {
  for (;;) {
    if (context_.options.stop.stop_requested()) {
      return vitess::HostError("the sync was asked to stop");
    }
    const absl::Time now = absl::Now();
    if (absl::Status status = Advance(now); !status.ok()) return status;
    TellPhases();
    const bool left = std::any_of(parts_.begin(), parts_.end(), [](const auto& part) {
      return part->state != PartState::kDone && part->state != PartState::kFailed &&
             part->state != PartState::kReplaced;
    });
    if (!left && running_.empty()) return absl::OkStatus();

    Running* ended = nullptr;
    {
      std::unique_lock lock(mutex_);
      ended_signal_.wait_for(lock, absl::ToChronoMilliseconds(kTick),
                             [this] { return !ended_.empty(); });
      if (!ended_.empty()) {
        ended = ended_.front();
        ended_.pop_front();
      }
    }
    if (ended == nullptr) {
      Watch(absl::Now());
      if (absl::Status status = GiveUpHeldUpCopies(absl::Now()); !status.ok()) return status;
      continue;
    }
    ended->thread.join();
    absl::Status status = Ended(*ended, absl::Now());
    std::erase_if(running_, [&](const auto& running) { return running.get() == ended; });
    if (!status.ok()) return status;
  }
}

absl::Status Scheduler::Advance(absl::Time now) {
  if (absl::Status status = StartCopies(now); !status.ok()) return status;
  const bool copies_left = CopiesAreLeft();
  // Either may grow meanwhile.
  for (size_t i = 0; i < groups_.size(); ++i) {
    if (absl::Status status = AdvanceGroup(*groups_[i], copies_left, now); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status Scheduler::StartCopies(absl::Time now) {
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (RunningTableJobs() >= static_cast<size_t>(context_.options.parallel_copies)) break;
    Part& part = *parts_[i];
    if (part.state != PartState::kWaiting || part.retry.not_before() > now) continue;
    if (absl::Status status = StartCopy(part, now); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Scheduler::StartCopy(Part& part, absl::Time now) {
  if (absl::Status status = PrepareCopy(part, now); !status.ok()) {
    if (vitess::Classify(status) == ErrorClass::kHost) return status;
    return HandleFailure(part, std::move(status), now, Jitter());
  }
  if (part.state != PartState::kWaiting) return absl::OkStatus();
  SeparateShardsToFollow(part);
  return IsToBeFollowed(part.table, part.position.shard_gtids(0)) ? LaunchFollow(part)
                                                                  : LaunchCopy(part);
}

absl::Status Scheduler::LaunchCopy(Part& part) {
  auto running = std::make_unique<Running>();
  running->role = Role::kCopy;
  running->group = part.group;
  running->parts = {&part};
  running->table_job =
      std::make_unique<TableJob>(context_, tables_[part.table], part.group->index, part.position,
                                 tables_state_[part.table].position);
  part.state = PartState::kCopying;
  context_.logger.Info(absl::StrCat("Copying ", Describe(part), "."));
  Launch(std::move(running));
  return absl::OkStatus();
}

// The shards have ended, and their copy has to begin again on those that came after them. What was
// delivered is brought up to the end first: the new shards' logs begin there.
absl::Status Scheduler::LaunchFollow(Part& part) {
  const TablePosition& position = tables_state_[part.table].position;
  ReplicateJob::Member member{&tables_[part.table], part.position, ColumnsOf(part)};
  for (binlogdata::ShardGtid& shard : *member.position.mutable_shard_gtids()) {
    shard.set_gtid(position.since.at(shard.shard()));
    shard.clear_table_p_ks();
  }
  auto job = ReplicateJob::Make(context_, {std::move(member)}, part.group->index,
                                /*reports=*/false);
  if (!job.ok()) return Fail(part, job.status());
  (*job)->SetGoal(Goal(part.group->shards.size()));
  auto running = std::make_unique<Running>();
  running->role = Role::kFollow;
  running->group = part.group;
  running->parts = {&part};
  running->replicate_job = *std::move(job);
  part.state = PartState::kCopying;
  context_.logger.Info(absl::StrCat("Following ", Describe(part), " to where it was resharded."));
  Launch(std::move(running));
  return absl::OkStatus();
}

// Before the first record of a copy goes out, the state has to say what to follow should the copy
// have to begin again.
absl::Status Scheduler::PrepareCopy(Part& part, absl::Time now) {
  if (absl::Status status = FindNewShards(part, now); !status.ok()) return status;
  if (part.state != PartState::kWaiting) return absl::OkStatus();
  if (!tables_[part.table].incremental) return context_.checkpointer.Start(part.table);
  TablePosition& position = tables_state_[part.table].position;
  if (absl::Status status = PrepareMovingRows(part.table, now); !status.ok()) return status;
  const bool written = context_.checkpointer.records_written(part.table) > 0;
  for (const binlogdata::ShardGtid& shard : part.position.shard_gtids()) {
    if (!shard.gtid().empty()) continue;
    if (position.since.contains(shard.shard())) {
      if (written) position.repeated.insert(shard.shard());
      continue;
    }
    auto state = shards_.Read(shard.keyspace(), shard.shard(), now);
    if (!state.ok()) return state.status();
    position.since[shard.shard()] = state->Target().ToPosition();
  }
  Amend(part);
  return context_.checkpointer.Announce(part.table);
}

// A row that moves is sent by the shard that it left, too. Should it then be deleted in the other
// shard before that one's snapshot, only changes from before tell so: all shards are followed from
// where they stood when the first of them began to be copied.
absl::Status Scheduler::PrepareMovingRows(size_t table, absl::Time now) {
  TableState& state = tables_state_[table];
  const bool in_one_shard = state.parts.size() == 1 && state.ended.empty() &&
                            state.parts.front()->position.shard_gtids_size() == 1;
  if (in_one_shard || !context_.moves.MayMove(tables_[table])) return absl::OkStatus();
  for (const Part* part : state.parts) {
    for (const binlogdata::ShardGtid& shard : part->position.shard_gtids()) {
      if (HasBegun(table, shard)) continue;
      auto stands = shards_.Read(shard.keyspace(), shard.shard(), now);
      if (!stands.ok()) return stands.status();
      state.position.since[shard.shard()] = stands->Target().ToPosition();
      state.position.repeated.insert(shard.shard());
    }
  }
  return absl::OkStatus();
}

absl::Status Scheduler::AdvanceGroup(Group& group, bool copies_left, absl::Time now) {
  std::vector<Part*> ready;
  for (Part* part : group.parts) {
    if (part->state == PartState::kReady && part->retry.not_before() <= now) ready.push_back(part);
  }
  if (!ready.empty()) {
    absl::Status status = ReadTargets(group, now);
    if (!status.ok()) return status;
    std::erase_if(ready, [&](const Part* part) {
      return part->state != PartState::kReady || part->retry.not_before() > now;
    });
  }
  if (!copies_left) return FinishGroup(group, std::move(ready));
  // A full refresh is done with its copy.
  for (Part*& part : ready) {
    if (tables_[part->table].incremental) continue;
    if (absl::Status status = EndPart(*part, PartState::kDone); !status.ok()) return status;
    part = nullptr;
  }
  std::erase(ready, nullptr);
  if (ready.empty()) return absl::OkStatus();
  // What is behind its goal has work to do; what is not only has to be kept fresh while others are
  // copied, and waits for more of its kind.
  const bool waits =
      now < group.next_join && std::all_of(ready.begin(), ready.end(), [&](Part* part) {
        part->at_goal = part->at_goal || IsAtGoal(*part);
        return part->at_goal;
      });
  if (waits) return absl::OkStatus();
  return JoinGroup(group, std::move(ready), now);
}

// No copies are left: what is at its goal is done, what is not is replicated up to it.
absl::Status Scheduler::FinishGroup(Group& group, std::vector<Part*> ready) {
  std::vector<Part*> behind;
  for (Part* part : ready) {
    if (!tables_[part->table].incremental || IsAtGoal(*part)) {
      if (absl::Status status = EndPart(*part, PartState::kDone); !status.ok()) return status;
    } else {
      behind.push_back(part);
    }
  }
  for (const auto& running : running_) {
    if (running->group != &group || running->role != Role::kReplicate || running->goal_set)
      continue;
    running->goal_set = true;
    running->replicate_job->SetGoal(GoalOf(running->parts));
  }
  if (behind.empty()) return absl::OkStatus();

  std::vector<GtidSet> front;
  for (const Part* part : behind) Include(front, SetsOf(part->position));
  std::vector<Part*> together;
  for (Part* part : behind) {
    const bool far = Distance(SetsOf(part->position), front) > kFarBehind;
    if (!far && !part->alone) {
      together.push_back(part);
    } else if (RunningTableJobs() < static_cast<size_t>(context_.options.parallel_copies)) {
      absl::Status status =
          StartReplicating(group, Role::kCatchUp, {part}, GoalOf({{part}}), /*far_behind=*/true);
      if (!status.ok()) return status;
    }
  }
  if (together.empty()) return absl::OkStatus();
  Goal goal = GoalOf(together);
  return StartReplicating(group, Role::kCatchUp, std::move(together), std::move(goal),
                          /*far_behind=*/false);
}

// Copies are left: what is ready joins the group's replicate job.
absl::Status Scheduler::JoinGroup(Group& group, std::vector<Part*> ready, absl::Time now) {
  if (group.joining) return absl::OkStatus();
  Running* job = FindReplicateJob(group);
  std::vector<GtidSet> front;
  if (job != nullptr) {
    front = SetsOf(job->replicate_job->Position());
  } else {
    for (const Part* part : ready) {
      if (!part->alone) Include(front, SetsOf(part->position));
    }
  }

  std::vector<Part*> near;
  std::vector<Part*> behind;
  for (Part* part : ready) {
    const std::vector<GtidSet> position = SetsOf(part->position);
    if (part->alone || Distance(position, front) > kFarBehind) {
      // Where it stands is as good as where the others stand, once it is there.
      Goal there = front.empty() ? GoalOf({{part}}) : GoalOfSets(front);
      if (part->alone && Contains(position, there)) continue;
      if (RunningTableJobs() >= static_cast<size_t>(context_.options.parallel_copies)) continue;
      absl::Status status = StartReplicating(group, Role::kCatchUp, {part}, std::move(there),
                                             /*far_behind=*/true);
      if (!status.ok()) return status;
    } else if (job != nullptr && !Contains(position, GoalOfSets(front))) {
      behind.push_back(part);
    } else {
      near.push_back(part);
    }
  }
  if (!behind.empty()) {
    group.joining = true;
    return StartReplicating(group, Role::kCatchUp, std::move(behind), GoalOfSets(front),
                            /*far_behind=*/false);
  }
  if (near.empty()) return absl::OkStatus();
  if (job != nullptr) {
    // Its tables become ready as well, and all start together.
    group.joining = true;
    job->Cancel(absl::OkStatus());
    return absl::OkStatus();
  }
  group.next_join = now + context_.options.join_interval *
                              static_cast<double>(1 + near.size() / kTablesPerJoinInterval);
  return StartReplicating(group, Role::kReplicate, std::move(near), {}, /*far_behind=*/false);
}

absl::Status Scheduler::StartReplicating(Group& group, Role role, std::vector<Part*> parts,
                                         Goal goal, bool far_behind) {
  std::vector<ReplicateJob::Member> members;
  for (Part* part : parts) {
    members.push_back({&tables_[part->table], part->position, ColumnsOf(*part)});
    if (absl::Status status = context_.checkpointer.Start(part->table); !status.ok()) return status;
  }
  auto job = ReplicateJob::Make(context_, std::move(members), group.index);
  if (!job.ok()) {
    for (Part* part : parts) {
      if (absl::Status status = Fail(*part, job.status()); !status.ok()) return status;
    }
    return absl::OkStatus();
  }
  if (!goal.empty()) (*job)->SetGoal(std::move(goal));
  auto running = std::make_unique<Running>();
  running->role = role;
  running->group = &group;
  running->parts = std::move(parts);
  running->replicate_job = *std::move(job);
  running->far_behind = far_behind;
  for (Part* part : running->parts) part->state = PartState::kReplicating;
  context_.logger.Info(absl::StrCat(
      "Replicating ",
      running->parts.size() == 1
          ? Describe(*running->parts.front())
          : absl::StrCat(running->parts.size(), " tables of keyspace ", group.keyspace),
      "."));
  Launch(std::move(running));
  return absl::OkStatus();
}

void Scheduler::Launch(std::unique_ptr<Running> owned) {
  Running* running = owned.get();
  for (Part* part : running->parts) part->at_goal = false;
  running_.push_back(std::move(owned));
  running->thread = std::thread([this, running] {
    running->outcome = running->job().Run();
    const std::lock_guard lock(mutex_);
    ended_.push_back(running);
    ended_signal_.notify_one();
  });
}

absl::Status Scheduler::Ended(Running& running, absl::Time now) {
  const JobOutcome& outcome = running.outcome;
  if (outcome.end == JobEnd::kFailed && vitess::Classify(outcome.status) == ErrorClass::kHost) {
    return outcome.status;
  }
  switch (running.role) {
    case Role::kCopy:
      return CopyEnded(running, now);
    case Role::kFollow:
      return FollowEnded(running, now);
    case Role::kReplicate:
    case Role::kCatchUp:
      break;
  }
  return ReplicationEnded(running, now);
}

absl::Status Scheduler::CopyEnded(Running& running, absl::Time now) {
  Part& part = *running.parts.front();
  part.position = running.table_job->position();
  part.state = PartState::kWaiting;
  KeepColumns(part.table, part.position, running.table_job->columns());
  if (absl::Status status = ShardsEnded(running); !status.ok()) return status;
  if (part.state != PartState::kWaiting) return absl::OkStatus();
  switch (running.outcome.end) {
    case JobEnd::kReached:
      return CopyReached(part);
    case JobEnd::kFallenBack:
      return RepeatCopy(part);
    case JobEnd::kStopped:
    case JobEnd::kResharded:
      return IsCopied(part) ? CopyReached(part) : absl::OkStatus();
    case JobEnd::kFailed:
      break;
  }
  return HandleFailure(part, running.outcome.status, now, Jitter());
}

absl::Status Scheduler::FollowEnded(Running& running, absl::Time now) {
  Part& part = *running.parts.front();
  part.state = PartState::kWaiting;
  if (absl::Status status = ShardsEnded(running); !status.ok()) return status;
  if (part.state != PartState::kWaiting || running.outcome.end != JobEnd::kFailed) {
    return absl::OkStatus();
  }
  return HandleFailure(part, running.outcome.status, now, Jitter());
}

absl::Status Scheduler::ReplicationEnded(Running& running, absl::Time now) {
  Group& group = *running.group;
  const std::vector<ReplicateJob::Member> positions = running.replicate_job->Positions();
  for (size_t i = 0; i < positions.size(); ++i) {
    Part& part = *running.parts[i];
    part.position = positions[i].position;
    part.state = PartState::kReady;
    KeepColumns(part.table, part.position, positions[i].columns);
  }
  if (!running.far_behind) {
    group.joining = false;
    // Who was stopped for a join, or has caught up for one, starts with the others at once.
    group.next_join = absl::InfinitePast();
  }
  if (absl::Status status = ShardsEnded(running); !status.ok()) return status;
  std::erase_if(running.parts, [](const Part* part) { return part->state != PartState::kReady; });
  if (running.outcome.end != JobEnd::kFailed) return absl::OkStatus();

  const absl::Status& failure = running.outcome.status;
  if (running.outcome.table.has_value()) {
    for (Part* part : running.parts) {
      if (part->table == *running.outcome.table)
        return HandleFailure(*part, failure, now, Jitter());
    }
  }
  const bool transient = vitess::Classify(failure) == ErrorClass::kTransient;
  if (!transient && running.parts.size() > 1) {
    // One of them made it fail; alone, only that one fails again.
    for (Part* part : running.parts) part->alone = true;
    return absl::OkStatus();
  }
  // All wait equally long, so that they start together again.
  const double jitter = Jitter();
  for (Part* part : running.parts) {
    absl::Status status = HandleFailure(*part, failure, now, jitter);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

PositionColumns Scheduler::ColumnsOf(const Part& part) const {
  const PositionColumns& of_table = tables_state_[part.table].position.columns;
  PositionColumns columns;
  for (const binlogdata::ShardGtid& shard : part.position.shard_gtids()) {
    const auto known = of_table.find(shard.shard());
    if (known != of_table.end()) columns.insert(*known);
  }
  return columns;
}

// What is known of the columns in the shards of the position. Shards that agree share it: a table
// has columns in each of hundreds.
void Scheduler::KeepColumns(size_t table, const binlogdata::VGtid& position,
                            const PositionColumns& columns) {
  PositionColumns& kept = tables_state_[table].position.columns;
  for (const binlogdata::ShardGtid& shard : position.shard_gtids()) {
    const auto known = columns.find(shard.shard());
    if (known == columns.end()) {
      kept.erase(shard.shard());
    } else if (!kept.empty() && *kept.begin()->second == *known->second) {
      kept[shard.shard()] = kept.begin()->second;
    } else {
      kept[shard.shard()] = known->second;
    }
  }
}

absl::Status Scheduler::CopyReached(Part& part) {
  TablePosition& position = tables_state_[part.table].position;
  for (binlogdata::ShardGtid& shard : *part.position.mutable_shard_gtids()) {
    const bool may_be_behind_the_journal =
        position.since.contains(shard.shard()) && !shards_.Serves(shard.keyspace(), shard.shard());
    if (may_be_behind_the_journal) {
      // The snapshot was taken when the shard had ended. What comes behind `since` has the JOURNAL.
      position.repeated.insert(shard.shard());
      position.columns.erase(shard.shard());
    }
    CloseCopy(position, shard);
  }
  part.state = PartState::kReady;
  context_.logger.Info(absl::StrCat("Copied ", Describe(part), "."));
  Amend(part);
  // The state that goes out before the table's next copy covers this one: a state names all shards,
  // and one more for each copy would be felt with hundreds.
  const std::vector<Part*>& parts = tables_state_[part.table].parts;
  const bool next_will_tell = std::any_of(parts.begin(), parts.end(), [](const Part* other) {
    return other->state == PartState::kWaiting;
  });
  return next_will_tell ? absl::OkStatus() : context_.checkpointer.Announce(part.table);
}

// VTGate restarted the copy of a key that cannot be resumed after.
absl::Status Scheduler::RepeatCopy(Part& part) {
  if (++part.repetitions > kMostRepetitions) {
    return Fail(part, vitess::TransientError(absl::StrCat(
                          "VTGate restarted the copy of ", Describe(part), " ", part.repetitions,
                          " times. It cannot go on within a key that has ENUM, SET or "
                          "floating-point columns, so the copy has to be finished between two "
                          "restarts of a tablet and within the server's limit for one copy")));
  }
  context_.logger.Warning(absl::StrCat("VTGate restarted the copy of ", Describe(part),
                                       ", whose key cannot be resumed after; it begins again."));
  for (binlogdata::ShardGtid& shard : *part.position.mutable_shard_gtids()) {
    if (!sync::IsCopied(shard)) BeginAgain(shard);
  }
  part.state = PartState::kWaiting;
  return absl::OkStatus();
}

absl::Status Scheduler::HandleFailure(Part& part, absl::Status failure, absl::Time now,
                                      double jitter) {
  const std::string cause(failure.message());
  failure = vitess::Annotate(std::move(failure), Describe(part));
  ErrorClass failure_class = vitess::Classify(failure);
  if (failure_class == ErrorClass::kTransient || failure_class == ErrorClass::kLostPosition) {
    // VTGate hides lost positions behind other errors, or behind none.
    absl::Status probed = Probe(part, now);
    if (!probed.ok() && vitess::Classify(probed) == ErrorClass::kLostPosition) {
      failure = std::move(probed);
      failure_class = ErrorClass::kLostPosition;
    }
  }
  if (failure_class == ErrorClass::kLostPosition) return HandleLost(part, std::move(failure));
  if (failure_class != ErrorClass::kTransient) return Fail(part, std::move(failure));

  const Table& table = tables_[part.table];
  if (!table.incremental && !table.schema.resumable &&
      context_.checkpointer.records_written(part.table) > 0) {
    // A second copy in the same attempt would deliver every row twice; the next attempt replaces
    // the first.
    return Fail(part, std::move(failure));
  }
  const auto next = part.retry.Next(now, part.position.SerializeAsString(),
                                    context_.options.retry_budget, jitter);
  if (!next.has_value()) {
    failure = vitess::Annotate(
        std::move(failure),
        absl::StrCat("given up after ", absl::FormatDuration(context_.options.retry_budget),
                     " without progress"));
    // No query can ask a shard that serves no more whether it still has the logs that are wanted.
    // A stream that finds no tablet there, or stalls, time after time says that it has not.
    if (!absl::IsCancelled(failure) || !HasEndedShards(part)) return Fail(part, std::move(failure));
    return HandleLost(part, vitess::LostPositionError(text::StdView(failure.message())));
  }
  const bool told = cause == told_cause_ && now - told_at_ < kToldFor;
  if (part.retry.is_first() && !told) {
    told_cause_ = cause;
    told_at_ = now;
    context_.logger.Warning(absl::StrCat("Trying again: ", failure.message()));
  }
  context_.progress.Retried(part.table, failure);
  part.state = IsCopied(part) ? PartState::kReady : PartState::kWaiting;
  return absl::OkStatus();
}

absl::Status Scheduler::HandleLost(Part& part, absl::Status lost) {
  const Table& table = tables_[part.table];
  if (table.incremental && !context_.options.copy_again_when_lost) {
    return Fail(part, WithRemedy(lost, context_.options));
  }
  context_.logger.Warning(absl::StrCat(
      "Copying again: ", lost.message(),
      ". Rows deleted from the source in the meantime stay in the destination until its stream is "
      "refreshed."));
  TablePosition& position = tables_state_[part.table].position;
  for (binlogdata::ShardGtid& shard : *part.position.mutable_shard_gtids()) {
    BeginAgain(shard);
    ForgetShard(position, shard.shard());
  }
  part.state = PartState::kWaiting;
  return absl::OkStatus();
}

// Whether the part's positions can still be read from, as the servers say now.
absl::Status Scheduler::Probe(const Part& part, absl::Time now) {
  for (const binlogdata::ShardGtid& shard : part.position.shard_gtids()) {
    absl::Status status;
    if (shards_.HasEnded(shard.keyspace(), shard.shard())) {
      status = shards_.CheckEnded(shard);
    } else if (!shard.gtid().empty()) {
      status = shards_.Check(shard, now);
    }
    if (!status.ok()) return vitess::Annotate(std::move(status), Describe(part));
  }
  return absl::OkStatus();
}

absl::Status Scheduler::Fail(Part& part, absl::Status status) {
  context_.progress.Failed(part.table, status);
  absl::Status& of_table = tables_state_[part.table].status;
  if (of_table.ok()) of_table = std::move(status);
  return EndPart(part, PartState::kFailed);
}

absl::Status Scheduler::EndPart(Part& part, PartState state) {
  part.state = state;
  if (state == PartState::kDone) {
    TablePosition& position = tables_state_[part.table].position;
    for (const binlogdata::ShardGtid& shard : part.position.shard_gtids()) {
      position.since.erase(shard.shard());
      position.snapshot.erase(shard.shard());
    }
    Amend(part);
  }
  return EndTableWhenDone(part.table);
}

// The table ends with the last of its parts.
absl::Status Scheduler::EndTableWhenDone(size_t index) {
  const TableState& table = tables_state_[index];
  const bool ended = std::all_of(table.parts.begin(), table.parts.end(), [](const Part* part) {
    return part->state == PartState::kDone || part->state == PartState::kFailed;
  });
  return ended ? context_.checkpointer.Finish(index, table.status) : absl::OkStatus();
}

// Makes the state say what this scheduler knows of the part and the table.
void Scheduler::Amend(const Part& part) {
  const TablePosition& known = tables_state_[part.table].position;
  context_.checkpointer.Amend(part.table, [&](TablePosition& position) {
    position.since = known.since;
    position.repeated = known.repeated;
    position.snapshot = known.snapshot;
    for (const binlogdata::ShardGtid& own : part.position.shard_gtids()) {
      const int index = FindShard(position.vgtid, own.shard());
      if (index < 0) continue;
      *position.vgtid.mutable_shard_gtids(index) = own;
      const auto columns = known.columns.find(own.shard());
      if (columns != known.columns.end()) {
        position.columns[own.shard()] = columns->second;
      } else {
        position.columns.erase(own.shard());
      }
    }
  });
}

void Scheduler::TellPhases() {
  for (const auto& part : parts_) {
    const std::pair now(part->state, part->position.shard_gtids_size());
    if (part->progress.empty() || part->told == now) continue;
    part->told = now;
    TellPhase(*part);
  }
}

void Scheduler::TellPhase(const Part& part) {
  const auto phase = [&] {
    switch (part.state) {
      case PartState::kWaiting:
        return telemetry::Phase::kWaiting;
      case PartState::kCopying:
        return telemetry::Phase::kCopying;
      case PartState::kReady:
        return telemetry::Phase::kCopied;
      case PartState::kReplicating:
        return telemetry::Phase::kReplicating;
      case PartState::kDone:
        return telemetry::Phase::kDone;
      case PartState::kFailed:
        return telemetry::Phase::kFailed;
      case PartState::kReplaced:
        break;
    }
    return telemetry::Phase::kResharded;
  }();
  for (const auto& [shard, progress] : part.progress) {
    if (FindShard(part.position, shard) >= 0) {
      progress->SetPhase(phase);
      continue;
    }
    const std::vector<Part*>& others = tables_state_[part.table].parts;
    const bool has_ended = std::none_of(
        others.begin(), others.end(),
        [&shard = shard](const Part* other) { return FindShard(other->position, shard) >= 0; });
    if (has_ended) progress->SetPhase(telemetry::Phase::kResharded);
  }
}

void Scheduler::Watch(absl::Time now) {
  const SyncOptions& options = context_.options;
  for (const auto& running : running_) {
    VStreamReader& reader = running->job().reader();
    if (reader.cancelled()) continue;
    const absl::Duration silent = reader.SilentFor(now);
    const absl::Duration longest_silence = std::min(
        kHeartbeatsMissed * options.heartbeat_interval + kHeartbeatGrace, options.stall_timeout);
    if (silent > longest_silence) {
      reader.Cancel(vitess::TransientError(
          absl::StrCat("VTGate sent nothing, not even a heartbeat, for ",
                       absl::FormatDuration(absl::Trunc(silent, absl::Seconds(1))))));
      continue;
    }
    // The first rows of a copy may take long: the server sorts, locks, or is throttled.
    const absl::Duration patience =
        running->role == Role::kCopy ? 2 * options.stall_timeout : options.stall_timeout;
    const absl::Duration idle = reader.IdleFor(now);
    if (idle <= patience) continue;
    absl::Status cause = ExplainIdling(*running, idle);
    if (cause.ok()) {
      reader.ForgiveIdling(now);
    } else {
      reader.Cancel(std::move(cause));
    }
  }
}

// OK when there is nothing to read; otherwise why nothing comes.
absl::Status Scheduler::ExplainIdling(Running& running, absl::Duration idle) {
  const std::string since = absl::FormatDuration(absl::Trunc(idle, absl::Seconds(1)));
  if (running.role == Role::kCopy) {
    return vitess::TransientError(
        absl::StrCat("the copy has stalled: VTGate sent nothing but heartbeats for ", since));
  }
  const binlogdata::VGtid position = running.replicate_job->Position();
  for (int i = 0; i < position.shard_gtids_size(); ++i) {
    const binlogdata::ShardGtid& shard = position.shard_gtids(i);
    if (running.replicate_job->HasEnded(static_cast<size_t>(i))) continue;
    shards_.CheckServing(shard.keyspace(), shard.shard(), absl::Now()).IgnoreError();
    if (shards_.HasEnded(shard.keyspace(), shard.shard())) {
      return vitess::WithClass(
          absl::CancelledError(
              absl::StrCat("the stream has stalled: VTGate sent nothing but heartbeats for ", since,
                           ", although the keyspace was resharded and the end of shard ",
                           shard.keyspace(), "/", shard.shard(), " has not come yet")),
          ErrorClass::kTransient);
    }
    const auto status = vitess::ReadShardStatus(context_.client, shard.keyspace(), shard.shard(),
                                                context_.options.tablet_type);
    if (!status.ok()) return status.status();
    if (SetOf(shard.gtid()).Contains(status->executed)) continue;
    return vitess::TransientError(absl::StrCat(
        "the stream has stalled: VTGate sent nothing but heartbeats for ", since,
        ", although shard ", shard.keyspace(), "/", shard.shard(), " has executed more (position ",
        shard.gtid(), ", executed ", status->executed.ToString(), ")"));
  }
  return absl::OkStatus();
}

bool Scheduler::IsCopied(const Part& part) const {
  return std::all_of(part.position.shard_gtids().begin(), part.position.shard_gtids().end(),
                     [](const binlogdata::ShardGtid& shard) { return sync::IsCopied(shard); });
}

bool Scheduler::HasEndedShards(const Part& part) const {
  return std::any_of(part.position.shard_gtids().begin(), part.position.shard_gtids().end(),
                     [this](const binlogdata::ShardGtid& shard) {
                       return shards_.HasEnded(shard.keyspace(), shard.shard());
                     });
}

bool Scheduler::IsAtGoal(const Part& part) const {
  Part* const one = const_cast<Part*>(&part);
  return Contains(SetsOf(part.position), GoalOf({&one, 1}));
}

// By shard: the target, and the snapshots of repeated copies.
Goal Scheduler::GoalOf(std::span<Part* const> parts) const {
  const Group& group = *parts.front()->group;
  Goal goal;
  for (const std::string& shard : group.shards) {
    const GtidSet* target = shards_.Target(group.keyspace, shard);
    if (target == nullptr) {
      goal.push_back(std::nullopt);
      continue;
    }
    GtidSet set = *target;
    for (const Part* part : parts) {
      const auto& snapshots = tables_state_[part->table].position.snapshot;
      const auto it = snapshots.find(shard);
      if (it != snapshots.end()) set = set.Union(SetOf(it->second));
    }
    goal.push_back(std::move(set));
  }
  return goal;
}

// An unfinished copy on a shard that has ended goes on once the shards that end with it have.
bool Scheduler::CopiesAreLeft() const {
  const bool held_up =
      std::any_of(tables_state_.begin(), tables_state_.end(), [](const TableState& table) {
        return table.status.ok() &&
               std::any_of(table.ended.begin(), table.ended.end(), [](const auto& entry) {
                 return !sync::IsCopied(entry.second.position);
               });
      });
  if (held_up) return true;
  return std::any_of(parts_.begin(), parts_.end(), [](const auto& part) {
    return part->state == PartState::kWaiting || part->state == PartState::kCopying;
  });
}

size_t Scheduler::RunningTableJobs() const {
  return static_cast<size_t>(
      std::count_if(running_.begin(), running_.end(), [](const auto& running) {
        return running->role == Role::kCopy || running->role == Role::kFollow ||
               running->far_behind;
      }));
}

Scheduler::Running* Scheduler::FindReplicateJob(const Group& group) {
  for (const auto& running : running_) {
    if (running->group == &group && running->role == Role::kReplicate) return running.get();
  }
  return nullptr;
}

std::string Scheduler::Describe(const Part& part) const {
  return absl::StrCat(Name(part.table), " in ",
                      part.group->shards.size() == 1 ? "shard " : "shards ",
                      absl::StrJoin(part.group->shards, ", "));
}

std::string Scheduler::Name(size_t table) const {
  return absl::StrCat("table ", tables_[table].keyspace(), ".", tables_[table].name());
}

}  // namespace source_vitess::sync
