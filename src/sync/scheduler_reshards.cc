// The part of the scheduler that takes tables from shards that end to those that begin
// (docs/design.md, rule 8).
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sync/scheduler.h"
#include "vitess/errors.h"
#include "vitess/key_range.h"

namespace source_vitess::sync {
namespace {

std::string Names(const google::protobuf::RepeatedPtrField<binlogdata::KeyspaceShard>& shards) {
  return absl::StrJoin(shards, ", ", [](std::string* out, const binlogdata::KeyspaceShard& shard) {
    absl::StrAppend(out, shard.shard());
  });
}

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

absl::Status Scheduler::ShardsEnded(Running& running) {
  if (running.outcome.journals.empty()) return absl::OkStatus();
  for (Part* part : running.parts) {
    for (const auto& [shard, journal] : running.outcome.journals) {
      absl::Status status = EndShard(*part, shard, journal, running.role);
      if (!status.ok()) return status;
    }
  }
  for (Part* part : running.parts) {
    if (absl::Status status = GoOverWhereDue(part->table); !status.ok()) return status;
    if (absl::Status status = EndTableWhenDone(part->table); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// The part has come to the JOURNAL of one of its shards.
absl::Status Scheduler::EndShard(Part& part, const std::string& shard,
                                 const binlogdata::Journal& journal, Role role) {
  const Table& table = tables_[part.table];
  TableState& state = tables_state_[part.table];
  if (FindShard(part.position, shard) < 0) return absl::OkStatus();
  const bool reads_all =
      context_.options.shards.empty() || table.reference ||
      std::all_of(journal.participants().begin(), journal.participants().end(),
                  [&](const binlogdata::KeyspaceShard& participant) {
                    return Contains(context_.options.shards, participant.shard()) ||
                           Knows(state, participant.shard());
                  });
  if (!reads_all) return RefuseJournal(part, journal);

  shards_.SetEnded(table.keyspace(), shard);
  EndedShard ended{TakeShard(part, shard), journal, /*delivered=*/false, absl::Now()};
  binlogdata::ShardGtid& position = ended.position;
  if (role == Role::kFollow) {
    ended.delivered = true;
  } else if (sync::IsCopied(position)) {
    if (state.position.repeated.contains(shard)) {
      // It has still to be read from before its first copy, in this shard, to its end.
      CloseCopy(state.position, position);
      AddPart(part.table, {&position, 1});
      return absl::OkStatus();
    }
  } else if (position.table_p_ks().empty() || !table.schema.resumable ||
             state.position.repeated.contains(shard)) {
    BeginAgain(position);
    if (table.incremental && state.position.since.contains(shard)) {
      AddPart(part.table, {&position, 1});
      return absl::OkStatus();
    }
  }
  state.ended.insert_or_assign(shard, std::move(ended));
  return absl::OkStatus();
}

// A merge with shards that the connection does not read would mix rows that were delivered with
// rows that were not.
absl::Status Scheduler::RefuseJournal(Part& part, const binlogdata::Journal& journal) {
  std::vector<std::string> successors;
  for (const binlogdata::ShardGtid& shard : journal.shard_gtids()) {
    successors.push_back(shard.shard());
  }
  return HandleLost(
      part, vitess::LostPositionError(absl::StrCat(
                Describe(part), ": the shards ", Names(journal.participants()), " went over to ",
                absl::StrJoin(successors, ", "),
                ", and the option shards leaves some of them out; name the new shards there")));
}

// A reshard that stops between its JOURNALs leaves an unfinished copy nothing to go on with.
absl::Status Scheduler::GiveUpHeldUpCopies(absl::Time now) {
  for (size_t index = 0; index < tables_state_.size(); ++index) {
    TableState& table = tables_state_[index];
    if (!table.status.ok()) continue;
    for (const auto& [shard, ended] : table.ended) {
      if (sync::IsCopied(ended.position) || now - ended.came < context_.options.stall_timeout) {
        continue;
      }
      table.status = vitess::TransientError(absl::StrCat(
          Name(index), ": shard ", tables_[index].keyspace(), "/", shard,
          " has ended in a reshard of the shards ", Names(ended.journal.participants()),
          ", and in ", absl::FormatDuration(absl::Trunc(now - ended.came, absl::Seconds(1))),
          " not all of them have come to their end; the copy goes on when they have"));
      if (absl::Status status = EndTableWhenDone(index); !status.ok()) return status;
      break;
    }
  }
  return absl::OkStatus();
}

// Takes the table over every reshard whose old shards it has come to the end of.
absl::Status Scheduler::GoOverWhereDue(size_t table) {
  TableState& state = tables_state_[table];
  for (bool found = true; std::exchange(found, false);) {
    for (const auto& [shard, ended] : state.ended) {
      if (!HasComeToTheEnd(state, ended.journal)) continue;
      const binlogdata::Journal journal = ended.journal;
      if (absl::Status status = GoOver(table, journal); !status.ok()) return status;
      found = true;
      break;
    }
  }
  return absl::OkStatus();
}

bool Scheduler::HasComeToTheEnd(const TableState& table, const binlogdata::Journal& journal) const {
  return std::all_of(
      journal.participants().begin(), journal.participants().end(),
      [&](const binlogdata::KeyspaceShard& participant) {
        if (table.ended.contains(participant.shard())) return true;
        return std::all_of(table.parts.begin(), table.parts.end(), [&](const Part* part) {
          const int index = FindShard(part->position, participant.shard());
          if (index < 0) return true;
          // A full refresh reads nothing behind its copy.
          if (!tables_[part->table].incremental && part->state == PartState::kDone) return true;
          return part->state == PartState::kWaiting &&
                 !HasBegun(part->table, part->position.shard_gtids(index));
        });
      });
}

absl::Status Scheduler::GoOver(size_t index, const binlogdata::Journal& journal) {
  TableState& state = tables_state_[index];
  std::vector<EndedShard> ended;
  for (const binlogdata::KeyspaceShard& participant : journal.participants()) {
    const std::string& shard = participant.shard();
    shards_.SetEnded(tables_[index].keyspace(), shard);
    if (const auto it = state.ended.find(shard); it != state.ended.end()) {
      ended.push_back(std::move(it->second));
      state.ended.erase(it);
      continue;
    }
    const std::vector<Part*> parts = state.parts;
    for (Part* part : parts) {
      if (FindShard(part->position, shard) < 0) continue;
      ended.push_back({TakeShard(*part, shard), journal});
    }
  }
  std::vector<const EndedShard*> found;
  for (const EndedShard& shard : ended) found.push_back(&shard);
  // What a reference table has in the new shards does not come from the old ones, but from where it
  // is maintained (Vitess go/vt/vtctl/workflow/resharder.go: createStreams), so that a position in
  // the old ones says nothing of it.
  const bool missing =
      tables_[index].reference || static_cast<int>(found.size()) < journal.participants_size();
  const Succession succession = Succeed(journal, found, missing);
  TakeUp(index, journal, succession);
  if (succession.repeated && !tables_[index].incremental &&
      context_.checkpointer.records_written(index) > 0) {
    // Its rows would come twice in one attempt; the next attempt replaces this one.
    const absl::Status status = vitess::TransientError(
        absl::StrCat(Name(index), " has to be read from its beginning: its shards ",
                     Names(journal.participants()), " were resharded during its full refresh"));
    const std::vector<Part*> parts = state.parts;
    for (Part* part : parts) {
      if (part->state != PartState::kWaiting) continue;
      if (absl::Status failed = Fail(*part, status); !failed.ok()) return failed;
    }
  }
  return context_.checkpointer.Announce(index);
}

// Puts the new shards in the place of the journal's participants.
void Scheduler::TakeUp(size_t index, const binlogdata::Journal& journal,
                       const Succession& succession) {
  const std::string& keyspace = tables_[index].keyspace();
  TablePosition& position = tables_state_[index].position;
  const PositionColumns columns = position.columns;
  const auto kept = columns.find(journal.participants(0).shard());
  for (const binlogdata::KeyspaceShard& participant : journal.participants()) {
    ForgetShard(position, participant.shard());
  }
  const std::vector<std::string>& selected = context_.options.shards;
  const bool some_selected =
      std::any_of(succession.shards.begin(), succession.shards.end(),
                  [&](const auto& shard) { return Contains(selected, shard.shard()); });
  std::vector<binlogdata::ShardGtid> shards;
  std::vector<std::string> names;
  for (int i = 0; i < journal.shard_gtids_size(); ++i) {
    const binlogdata::ShardGtid& shard = succession.shards[static_cast<size_t>(i)];
    if (some_selected && !Contains(selected, shard.shard())) continue;
    // Of a participant that was never read there was nothing to follow, so that its successors may
    // be copied already.
    if (IsTaken(tables_state_[index], shard.shard())) continue;
    if (tables_[index].reference && !shards.empty()) break;
    shards_.SetServing(keyspace, shard.shard());
    const bool is_first_copy_going_on = !shard.gtid().empty() && !shard.table_p_ks().empty();
    if (succession.repeated || is_first_copy_going_on) {
      position.since[shard.shard()] = journal.shard_gtids(i).gtid();
    }
    if (succession.repeated) position.repeated.insert(shard.shard());
    if (!shard.gtid().empty() && kept != columns.end()) {
      position.columns[shard.shard()] = kept->second;
    }
    shards.push_back(shard);
    names.push_back(shard.shard());
  }
  context_.checkpointer.Amend(index, [&](TablePosition& saved) {
    auto& saved_shards = *saved.vgtid.mutable_shard_gtids();
    for (const binlogdata::KeyspaceShard& participant : journal.participants()) {
      const int place = FindShard(saved.vgtid, participant.shard());
      if (place >= 0) saved_shards.erase(saved_shards.begin() + place);
      ForgetShard(saved, participant.shard());
    }
    for (const binlogdata::ShardGtid& shard : shards) {
      *saved_shards.Add() = shard;
      const auto known = position.columns.find(shard.shard());
      if (known != position.columns.end()) saved.columns[shard.shard()] = known->second;
    }
    saved.since = position.since;
    saved.repeated = position.repeated;
    saved.snapshot = position.snapshot;
  });
  context_.logger.Info(absl::StrCat("Keyspace ", keyspace, " was resharded: ", Name(index),
                                    " goes on from ", Names(journal.participants()), " to ",
                                    absl::StrJoin(names, ", "),
                                    succession.repeated ? ", where it is copied again." : "."));
  AddParts(index, shards);
}

// A copy that begins from nothing begins on the shards that there are now.
absl::Status Scheduler::FindNewShards(Part& part, absl::Time now) {
  const std::string& keyspace = tables_[part.table].keyspace();
  TableState& state = tables_state_[part.table];
  const bool begins =
      std::any_of(part.position.shard_gtids().begin(), part.position.shard_gtids().end(),
                  [](const binlogdata::ShardGtid& shard) { return shard.gtid().empty(); });
  if (!begins) return absl::OkStatus();
  const auto serving = shards_.List(keyspace, now);
  if (!serving.ok()) return serving.status();
  std::vector<std::string> replaced;
  for (const binlogdata::ShardGtid& shard : part.position.shard_gtids()) {
    if (!shard.gtid().empty()) continue;
    absl::Status status = shards_.CheckServing(keyspace, shard.shard(), now);
    if (!status.ok()) return status;
    if (!shards_.HasEnded(keyspace, shard.shard())) continue;
    if (HasBegun(part.table, shard)) continue;  // it is followed to its end first
    const bool covered = std::any_of(
        serving->begin(), serving->end(),
        [&](const std::string& other) { return vitess::Overlap(other, shard.shard()); });
    if (!covered) {
      return vitess::ConfigurationError(
          absl::StrCat("shard ", keyspace, "/", shard.shard(),
                       " is no longer served, and the option shards names none of the shards that "
                       "its rows went over to; name them there"));
    }
    replaced.push_back(shard.shard());
  }
  if (replaced.empty()) return absl::OkStatus();
  for (const std::string& shard : replaced) TakeShard(part, shard);

  // What overlaps a shard that the table still has to follow to its end comes after that.
  std::vector<binlogdata::ShardGtid> added;
  for (const std::string& name : *serving) {
    if (IsTaken(state, name)) continue;
    if (tables_[part.table].reference && !added.empty()) break;
    shards_.SetServing(keyspace, name);
    binlogdata::ShardGtid& shard = added.emplace_back();
    shard.set_keyspace(keyspace);
    shard.set_shard(name);
  }
  context_.checkpointer.Amend(part.table, [&](TablePosition& saved) {
    auto& saved_shards = *saved.vgtid.mutable_shard_gtids();
    for (const std::string& shard : replaced) {
      const int place = FindShard(saved.vgtid, shard);
      if (place >= 0) saved_shards.erase(saved_shards.begin() + place);
      ForgetShard(saved, shard);
    }
    for (const binlogdata::ShardGtid& shard : added) *saved_shards.Add() = shard;
  });
  for (const std::string& shard : replaced) ForgetShard(state.position, shard);
  if (!added.empty()) AddParts(part.table, added);
  return GoOverWhereDue(part.table);
}

// Shards whose copy begins again after they have ended are read by a job of another kind.
void Scheduler::SeparateShardsToFollow(Part& part) {
  std::vector<std::string> to_follow;
  for (const binlogdata::ShardGtid& shard : part.position.shard_gtids()) {
    if (IsToBeFollowed(part.table, shard)) to_follow.push_back(shard.shard());
  }
  if (static_cast<int>(to_follow.size()) == part.position.shard_gtids_size()) return;
  std::vector<binlogdata::ShardGtid> shards;
  for (const std::string& shard : to_follow) shards.push_back(TakeShard(part, shard));
  if (!shards.empty()) AddPart(part.table, shards);
}

absl::Status Scheduler::ReadTargets(Group& group, absl::Time now) {
  for (const std::string& shard : group.shards) {
    const absl::Status failure = shards_.ReadTarget(group.keyspace, shard, now);
    if (failure.ok()) continue;
    shards_.CheckServing(group.keyspace, shard, now).IgnoreError();
    if (shards_.HasEnded(group.keyspace, shard)) continue;
    const double jitter = Jitter();
    const std::vector<Part*> parts = group.parts;
    for (Part* part : parts) {
      if (part->state != PartState::kReady || part->retry.not_before() > now) continue;
      absl::Status status = HandleFailure(*part, failure, now, jitter);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }
  return absl::OkStatus();
}

// Whether something of the shard may have been delivered.
bool Scheduler::HasBegun(size_t table, const binlogdata::ShardGtid& shard) const {
  return !shard.gtid().empty() || tables_state_[table].position.since.contains(shard.shard());
}

// Whether the shard has ended with a copy that has to begin again.
bool Scheduler::IsToBeFollowed(size_t table, const binlogdata::ShardGtid& shard) const {
  return shard.gtid().empty() && HasBegun(table, shard) &&
         shards_.HasEnded(shard.keyspace(), shard.shard());
}

bool Scheduler::Knows(const TableState& table, const std::string& shard) const {
  return table.ended.contains(shard) ||
         std::any_of(table.parts.begin(), table.parts.end(),
                     [&](const Part* part) { return FindShard(part->position, shard) >= 0; });
}

// Whether the table reads something that the shard has.
bool Scheduler::IsTaken(const TableState& table, const std::string& shard) {
  const auto overlaps = [&](const std::string& other) { return vitess::Overlap(other, shard); };
  return std::any_of(table.ended.begin(), table.ended.end(),
                     [&](const auto& entry) { return overlaps(entry.first); }) ||
         std::any_of(table.parts.begin(), table.parts.end(), [&](const Part* part) {
           const auto& shards = part->position.shard_gtids();
           return std::any_of(shards.begin(), shards.end(), [&](const binlogdata::ShardGtid& read) {
             return overlaps(read.shard());
           });
         });
}

// Takes the shard out of the part, which is replaced when it was the last one.
binlogdata::ShardGtid Scheduler::TakeShard(Part& part, const std::string& shard) {
  auto& shards = *part.position.mutable_shard_gtids();
  const auto it = shards.begin() + FindShard(part.position, shard);
  binlogdata::ShardGtid taken = std::move(*it);
  shards.erase(it);
  std::erase(part.group->parts, &part);
  if (shards.empty()) {
    part.state = PartState::kReplaced;
    std::erase(tables_state_[part.table].parts, &part);
    return taken;
  }
  std::vector<std::string> names;
  for (const binlogdata::ShardGtid& left : shards) names.push_back(left.shard());
  part.group = &GroupOf(tables_[part.table].keyspace(), std::move(names));
  part.group->parts.push_back(&part);
  return taken;
}

}  // namespace source_vitess::sync
