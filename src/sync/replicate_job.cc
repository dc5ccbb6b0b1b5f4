#include "sync/replicate_job.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "text/absl_view.h"
#include "vitess/errors.h"

namespace source_vitess::sync {
namespace {

using vitess::GtidSet;

// How often the positions of all members, those without changes too, become known to the
// checkpointer.
constexpr absl::Duration kFullUpdateInterval = absl::Seconds(30);

}  // namespace

ReplicateJob::ReplicateJob(const JobContext& context, std::vector<Member> members, size_t group,
                           bool reports)
    : StreamJob(context, group, static_cast<size_t>(members.front().position.shard_gtids_size()),
                members.size() * static_cast<size_t>(members.front().position.shard_gtids_size())),
      members_(std::move(members)),
      reports_(reports),
      shards_(static_cast<size_t>(members_.front().position.shard_gtids_size())),
      steps_(members_.size() * shards_.size(), Step::kInStep),
      last_full_update_(absl::Now()),
      has_ended_(shards_.size(), false) {
  for (size_t i = 0; i < members_.size(); ++i) {
    member_by_name_.emplace(members_[i].table->name(), static_cast<int>(i));
    member_by_table_.emplace(members_[i].table->index, i);
    for (size_t shard = 0; shard < shards_.size(); ++shard) {
      const std::string& name = members_[i].position.shard_gtids(static_cast<int>(shard)).shard();
      ReportSlot(Slot(i, shard), *members_[i].table, shard, name);
      const auto known = members_[i].columns.find(name);
      if (known != members_[i].columns.end()) {
        columns_[Slot(i, shard)] = SchemaWatch(known->second);
      }
    }
    members_[i].columns.clear();
  }
}

absl::StatusOr<std::unique_ptr<ReplicateJob>> ReplicateJob::Make(const JobContext& context,
                                                                 std::vector<Member> members,
                                                                 size_t group, bool reports) {
  std::unique_ptr<ReplicateJob> job(new ReplicateJob(context, std::move(members), group, reports));
  if (absl::Status status = job->FindStart(); !status.ok()) return status;
  return job;
}

// The stream begins with what all members have; those that have more are ahead.
absl::Status ReplicateJob::FindStart() {
  position_ = members_.front().position;
  for (size_t shard = 0; shard < shards_.size(); ++shard) {
    const int index = static_cast<int>(shard);
    const std::string& first = position_.shard_gtids(index).gtid();
    const bool same = std::all_of(members_.begin(), members_.end(), [&](const Member& member) {
      return member.position.shard_gtids(index).gtid() == first;
    });
    if (same) continue;
    GtidSet start;
    std::vector<Ahead> ahead;
    for (size_t member = 0; member < members_.size(); ++member) {
      const std::string& gtid = members_[member].position.shard_gtids(index).gtid();
      auto set = GtidSet::ParsePosition(gtid);
      if (!set.ok()) return set.status();
      start = member == 0 ? *set : start.Intersection(*set);
      ahead.push_back({member, gtid, *std::move(set)});
    }
    std::erase_if(ahead, [&](const Ahead& table) { return table.set == start; });
    for (const Ahead& table : ahead) steps_[Slot(table.member, shard)] = Step::kAhead;
    shards_[shard].ahead = std::move(ahead);
    position_.mutable_shard_gtids(index)->set_gtid(start.ToPosition());
  }
  return absl::OkStatus();
}

JobOutcome ReplicateJob::Run() {
  {
    const std::lock_guard lock(mutex_);
    if (AtGoal()) return {JobEnd::kReached};
  }
  vtgate::VStreamRequest request = MakeRequest(context_.options, Position());
  for (const Member& member : members_) {
    // All columns: a list that names a column dropped since would break the stream for every table.
    AddRule(*member.table, {}, *request.mutable_filter());
  }
  flushed_ = Position();
  JobOutcome outcome = Follow(request);
  if (absl::Status status = FlushMembers(absl::Now(), /*all_members=*/true); !status.ok()) {
    return {JobEnd::kFailed, std::move(status), rows_.failed_table()};
  }
  return outcome;
}

JobEnd ReplicateJob::Stopped() const {
  const std::lock_guard lock(mutex_);
  return AtGoal() ? JobEnd::kReached : JobEnd::kStopped;
}

absl::Status ReplicateJob::Handle(const binlogdata::VEvent& event) {
  switch (event.type()) {
    case binlogdata::BEGIN:
      tracker_.Begin(event);
      return absl::OkStatus();
    case binlogdata::FIELD:
      return HandleFields(event);
    case binlogdata::ROW:
      return HandleRows(event);
    case binlogdata::VGTID:
      tracker_.Vgtid(event);
      return absl::OkStatus();
    case binlogdata::DDL:
      if (absl::Status status = HandleDdl(event); !status.ok()) return status;
      return HandleCommit(event);
    case binlogdata::COMMIT:
    case binlogdata::OTHER:
      return HandleCommit(event);
    case binlogdata::JOURNAL:
      return HandleJournal(event);
    case binlogdata::INSERT:
    case binlogdata::REPLACE:
    case binlogdata::UPDATE:
    case binlogdata::DELETE:
      return HandleStatement(event);
    default:
      return absl::OkStatus();
  }
}

absl::Status ReplicateJob::HandleCommit(const binlogdata::VEvent& event) {
  absl::Status status;
  bool fallen_back = false;
  tracker_.Complete(event, [&](const binlogdata::ShardGtid& shard) {
    if (status.ok()) status = Moved(shard, fallen_back);
  });
  if (!status.ok()) return status;
  if (fallen_back) {
    End(JobEnd::kFallenBack);
    return absl::OkStatus();
  }
  const std::lock_guard lock(mutex_);
  if (AtGoal()) End(JobEnd::kReached);
  return absl::OkStatus();
}

absl::Status ReplicateJob::HandleJournal(const binlogdata::VEvent& event) {
  if (absl::Status status = StreamJob::HandleJournal(event); !status.ok()) return status;
  const int index = ShardIndex(event.shard());
  if (index < 0 || !IsRetired(static_cast<size_t>(index))) return absl::OkStatus();
  const auto shard = static_cast<size_t>(index);
  // No position contains a JOURNAL, so who still is ahead has nothing that the stream has not.
  for (Ahead& table : shards_[shard].ahead) shards_[shard].caught_up.push_back(std::move(table));
  shards_[shard].ahead.clear();
  if (JournalsAreComplete()) End(JobEnd::kResharded);
  const std::lock_guard lock(mutex_);
  has_ended_[shard] = true;
  if (!goal_.empty()) reached_[shard] = true;
  if (AtGoal()) End(JobEnd::kReached);
  return absl::OkStatus();
}

// Only what stands at or before the event is concerned.
absl::Status ReplicateJob::HandleDdl(const binlogdata::VEvent& event) {
  const int shard = ShardIndex(event.shard());
  if (shard < 0) return absl::OkStatus();
  for (size_t member = 0; member < members_.size(); ++member) {
    const size_t slot = Slot(member, static_cast<size_t>(shard));
    const Table& table = *members_[member].table;
    if (steps_[slot] != Step::kInStep) {
      const mysql::TableEffect effect = mysql::EffectOn(event.statement(), table.name());
      if (effect != mysql::TableEffect::kNone) steps_[slot] = Step::kSkipped;
      continue;
    }
    absl::Status status = StreamJob::HandleDdl(table, event, ColumnsToChange(slot));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ReplicateJob::HandleStatement(const binlogdata::VEvent& event) {
  const int shard = ShardIndex(event.shard());
  if (shard < 0 || IsRetired(static_cast<size_t>(shard))) return absl::OkStatus();
  for (size_t member = 0; member < members_.size(); ++member) {
    Step& step = steps_[Slot(member, static_cast<size_t>(shard))];
    if (step == Step::kInStep) return StatementError(event);
    step = Step::kSkipped;
  }
  return absl::OkStatus();
}

absl::Status ReplicateJob::HandleFields(const binlogdata::VEvent& event) {
  if (event.timestamp() == 0) return absl::OkStatus();  // of a copy, which is not this job's
  const binlogdata::FieldEvent& fields = event.field_event();
  const int shard = ShardIndex(fields.shard().empty() ? event.shard() : fields.shard());
  const int member = MemberIndex(fields.table_name());
  if (shard < 0 || member < 0) return absl::OkStatus();
  const size_t slot = Slot(static_cast<size_t>(member), static_cast<size_t>(shard));
  const Table& table = *members_[static_cast<size_t>(member)].table;
  if (absl::Status status = CheckKey(table, fields); !status.ok()) return status;
  if (steps_[slot] != Step::kInStep) {
    unchecked_[slot] = fields;
  } else if (absl::Status status = CheckFields(slot, fields); !status.ok()) {
    return status;
  }
  return rows_.SetFields(slot, table, fields, mysql::RowSource::kBinlog);
}

absl::Status ReplicateJob::CheckFields(size_t slot, const binlogdata::FieldEvent& fields) {
  unchecked_.erase(slot);
  return ColumnsToChange(slot).Changes(fields, {});
}

absl::Status ReplicateJob::HandleRows(const binlogdata::VEvent& event) {
  if (event.timestamp() == 0) return absl::OkStatus();
  const binlogdata::RowEvent& rows = event.row_event();
  const int shard = ShardIndex(rows.shard().empty() ? event.shard() : rows.shard());
  const int member = MemberIndex(rows.table_name());
  if (shard < 0 || member < 0) return absl::OkStatus();
  const size_t slot = Slot(static_cast<size_t>(member), static_cast<size_t>(shard));
  if (steps_[slot] != Step::kInStep) {
    steps_[slot] = Step::kSkipped;
    return absl::OkStatus();
  }
  // VTGate tells the columns once, which may have been while the table was ahead.
  if (const auto told = unchecked_.find(slot); told != unchecked_.end()) {
    const binlogdata::FieldEvent fields = std::move(told->second);
    if (absl::Status status = CheckFields(slot, fields); !status.ok()) return status;
  }
  Count(slot, rows, /*are_copied=*/false);
  return rows_.Append(slot, rows, event.timestamp());
}

absl::Status ReplicateJob::Moved(const binlogdata::ShardGtid& moved, bool& fallen_back) {
  const int index = ShardIndex(moved.shard());
  if (index < 0 || IsRetired(static_cast<size_t>(index))) return absl::OkStatus();
  const auto shard = static_cast<size_t>(index);
  std::string before;
  {
    const std::lock_guard lock(mutex_);
    std::string& gtid = *position_.mutable_shard_gtids(index)->mutable_gtid();
    if (!shards_[shard].ahead.empty()) before = gtid;
    gtid = moved.gtid();
    CheckGoal(shard, gtid);
  }
  moved_ = true;
  if (shards_[shard].ahead.empty()) return absl::OkStatus();
  return AdvanceAhead(shard, before, fallen_back);
}

absl::Status ReplicateJob::AdvanceAhead(size_t shard, const std::string& before,
                                        bool& fallen_back) {
  const binlogdata::ShardGtid& position = position_.shard_gtids(static_cast<int>(shard));
  const auto stream = GtidSet::ParsePosition(position.gtid());
  if (!stream.ok()) return stream.status();
  std::erase_if(shards_[shard].ahead, [&](Ahead& table) {
    Step& step = steps_[Slot(table.member, shard)];
    if (table.set.Contains(*stream) && *stream != table.set) {
      step = Step::kAhead;
      return false;
    }
    if (*stream != table.set && step == Step::kSkipped) {
      // What was skipped is of a transaction that the table may not have.
      context_.logger.Warning(absl::StrCat(
          "The position of table ", members_[table.member].table->name(), " in shard ",
          position.keyspace(), "/", position.shard(),
          " cannot be compared with the stream's; its changes are read again from ", before, "."));
      table.gtid = before;
      columns_[Slot(table.member, shard)].Altered();  // they were those of a later position
      fallen_back = true;
      return false;
    }
    step = Step::kInStep;
    shards_[shard].caught_up.push_back(std::move(table));
    return true;
  });
  return absl::OkStatus();
}

absl::Status ReplicateJob::Flush(absl::Time now) {
  return FlushMembers(now, now - last_full_update_ >= kFullUpdateInterval);
}

absl::Status ReplicateJob::FlushMembers(absl::Time now, bool all_members) {
  if (absl::Status status = rows_.Complete(); !status.ok()) {
    SetBack();
    return status;
  }
  flushed_ = position_;
  for (Shard& shard : shards_) shard.caught_up.clear();
  KeepChangedColumns();
  std::vector<PositionUpdate> updates;
  if (reports_ && moved_ && (all_members || !rows_.empty())) {
    std::shared_ptr<const binlogdata::VGtid> stream =
        std::make_shared<const binlogdata::VGtid>(Position());
    const auto add = [&](size_t member) {
      updates.push_back({members_[member].table->index, group_, PositionOf(member, stream),
                         TakeChangedColumns(member)});
    };
    if (all_members) {
      for (size_t member = 0; member < members_.size(); ++member) add(member);
      last_full_update_ = now;
      moved_ = false;
    } else {
      for (const RecordCount& count : rows_.batch().counts()) {
        add(member_by_table_.at(count.table));
      }
    }
  }
  if (updates.empty() && rows_.empty()) return absl::OkStatus();
  return flusher_.Flush(updates, now);
}

// Rows are missing behind what was handed over.
void ReplicateJob::SetBack() {
  const std::lock_guard lock(mutex_);
  position_ = flushed_;
  for (Shard& shard : shards_) {
    for (Ahead& table : shard.caught_up) shard.ahead.push_back(std::move(table));
    shard.caught_up.clear();
  }
  SetColumnsBack();
}

std::shared_ptr<const binlogdata::VGtid> ReplicateJob::PositionOf(
    size_t member, const std::shared_ptr<const binlogdata::VGtid>& stream) const {
  std::shared_ptr<binlogdata::VGtid> own;
  for (size_t shard = 0; shard < shards_.size(); ++shard) {
    for (const Ahead& table : shards_[shard].ahead) {
      if (table.member != member) continue;
      if (own == nullptr) own = std::make_shared<binlogdata::VGtid>(*stream);
      own->mutable_shard_gtids(static_cast<int>(shard))->set_gtid(table.gtid);
    }
  }
  return own == nullptr ? stream : own;
}

std::shared_ptr<const PositionColumns> ReplicateJob::TakeChangedColumns(size_t member) {
  std::shared_ptr<PositionColumns> changed;
  for (size_t shard = 0; shard < shards_.size(); ++shard) {
    SchemaWatch& columns = columns_[Slot(member, shard)];
    if (!columns.TakeChange()) continue;
    const std::string& name = position_.shard_gtids(static_cast<int>(shard)).shard();
    if (changed == nullptr) changed = std::make_shared<PositionColumns>();
    (*changed)[name] = columns.known();
  }
  return changed;
}

void ReplicateJob::SetGoal(Goal goal) {
  bool at_goal = false;
  {
    const std::lock_guard lock(mutex_);
    goal_ = std::move(goal);
    reached_ = has_ended_;
    for (size_t shard = 0; shard < shards_.size(); ++shard) {
      CheckGoal(shard, position_.shard_gtids(static_cast<int>(shard)).gtid());
    }
    at_goal = AtGoal();
  }
  if (at_goal) reader_.Cancel(absl::OkStatus());
}

void ReplicateJob::CheckGoal(size_t shard, const std::string& gtid) {
  if (goal_.empty() || reached_[shard] || !goal_[shard].has_value()) return;
  const auto position = GtidSet::ParsePosition(gtid);
  reached_[shard] = position.ok() && position->Contains(*goal_[shard]);
}

bool ReplicateJob::AtGoal() const {
  return !goal_.empty() &&
         std::all_of(reached_.begin(), reached_.end(), [](bool reached) { return reached; });
}

binlogdata::VGtid ReplicateJob::Position() const {
  const std::lock_guard lock(mutex_);
  return position_;
}

bool ReplicateJob::HasEnded(size_t shard) const {
  const std::lock_guard lock(mutex_);
  return has_ended_[shard];
}

std::vector<ReplicateJob::Member> ReplicateJob::Positions() const {
  const auto stream = std::make_shared<const binlogdata::VGtid>(Position());
  std::vector<Member> positions;
  positions.reserve(members_.size());
  for (size_t member = 0; member < members_.size(); ++member) {
    Member position{members_[member].table, *PositionOf(member, stream), {}};
    for (size_t shard = 0; shard < shards_.size(); ++shard) {
      const SchemaWatch::Columns& known = columns_[Slot(member, shard)].known();
      if (known == nullptr) continue;
      position.columns[stream->shard_gtids(static_cast<int>(shard)).shard()] = known;
    }
    positions.push_back(std::move(position));
  }
  return positions;
}

int ReplicateJob::ShardIndex(std::string_view shard) const {
  // Only this thread changes the gtids; the names never change.
  for (int i = 0; i < position_.shard_gtids_size(); ++i) {
    if (position_.shard_gtids(i).shard() == shard) return i;
  }
  return -1;
}

std::optional<size_t> ReplicateJob::TableOf(const binlogdata::VEvent& event) const {
  const int member = event.has_row_event()     ? MemberIndex(event.row_event().table_name())
                     : event.has_field_event() ? MemberIndex(event.field_event().table_name())
                                               : -1;
  if (member < 0) return std::nullopt;
  return members_[static_cast<size_t>(member)].table->index;
}

int ReplicateJob::MemberIndex(std::string_view table) const {
  const std::string& keyspace = members_.front().table->keyspace();
  const auto it = member_by_name_.find(text::AbslView(BareTableName(keyspace, table)));
  return it == member_by_name_.end() ? -1 : it->second;
}

}  // namespace source_vitess::sync
