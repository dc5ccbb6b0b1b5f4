#include "sync/stream_job.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "vitess/errors.h"

namespace source_vitess::sync {
namespace {

// How often the progress is told how far the stream has come: it concerns all of its slots.
constexpr absl::Duration kTimesInterval = absl::Milliseconds(500);

}  // namespace

StreamJob::StreamJob(const JobContext& context, size_t group, size_t shards, size_t slots)
    : context_(context),
      group_(group),
      reader_(context.client),
      rows_(slots, context.options.types, {context.client, context.options.query_timeout},
            context.moves, context.sink, context.sequence,
            [this] { return flusher_.Flush({}, absl::Now()); }),
      flusher_(context_, rows_, absl::Now()),
      columns_(slots),
      retired_(shards, false) {}

JobOutcome StreamJob::Follow(const vtgate::VStreamRequest& request) {
  reader_.Open(request);
  JobOutcome outcome = FollowStream();
  ReportRows();
  ReportTimes(absl::Now());
  return outcome;
}

JobOutcome StreamJob::FollowStream() {
  vtgate::VStreamResponse response;
  ResponseReuse reuse;
  while (!ended_ && reader_.Read(&response)) {
    for (const binlogdata::VEvent& event : response.events()) {
      if (absl::Status status = Handle(event); !status.ok()) {
        return Failure(std::move(status), TableOf(event));
      }
      if (ended_) break;
    }
    tracker_.EndOfResponse();
    reuse.Used(response, rows_.TakeLargestRow());
    const absl::Time now = absl::Now();
    if (!reports_.empty()) {
      ReportRows();
      TakeTime(response);
      if (now - times_reported_at_ >= kTimesInterval) ReportTimes(now);
    }
    if (!ended_ && flusher_.IsDue(now)) {
      if (absl::Status status = Flush(now); !status.ok()) {
        return Failure(std::move(status), rows_.failed_table());
      }
    }
  }
  if (ended_) {
    reader_.Cancel(absl::OkStatus());
    return std::move(outcome_);
  }
  absl::Status status = reader_.Finish();
  if (!outcome_.journals.empty() && !reader_.cancelled()) {
    // VTGate ends a stream behind a JOURNAL, with an error when it does not read all participants
    // (recording reshard-merge-one-participant-journal).
    outcome_.end = JobEnd::kResharded;
  } else if (!status.ok()) {
    return Failure(std::move(status), std::nullopt);
  } else if (reader_.cancelled()) {
    outcome_.end = Stopped();
  } else {
    return Failure(vitess::TransientError("VTGate ended the stream"), std::nullopt);
  }
  return std::move(outcome_);
}

void StreamJob::ReportSlot(size_t slot, const Table& table, size_t shard, const std::string& name) {
  telemetry::ShardProgress* const progress = context_.progress.Shard(table.index, name);
  if (progress == nullptr) return;
  reports_.resize(columns_.size());
  read_up_to_.resize(retired_.size());
  reports_[slot] = {progress, shard};
}

void StreamJob::CountReported(size_t slot, const binlogdata::RowEvent& rows, bool are_copied) {
  SlotReport& report = reports_[slot];
  if (report.copied + report.changes == 0) counted_.push_back(slot);
  (are_copied ? report.copied : report.changes) += static_cast<uint64_t>(rows.row_changes_size());
}

// A heartbeat comes when the stream has nothing to send: all that there was has been read then.
void StreamJob::TakeTime(const vtgate::VStreamResponse& response) {
  if (response.events().empty()) return;
  const binlogdata::VEvent& last = *response.events().rbegin();
  if (last.timestamp() == 0) return;
  const int shard = ShardIndex(last.shard());
  if (shard >= 0) {
    read_up_to_[static_cast<size_t>(shard)] = last.timestamp();
  } else if (last.type() == binlogdata::HEARTBEAT || read_up_to_.size() == 1) {
    std::fill(read_up_to_.begin(), read_up_to_.end(), last.timestamp());
  }
}

void StreamJob::ReportRows() {
  for (const size_t slot : counted_) {
    SlotReport& report = reports_[slot];
    report.progress->AddCopied(std::exchange(report.copied, 0));
    report.progress->AddChanges(std::exchange(report.changes, 0));
  }
  counted_.clear();
}

void StreamJob::ReportTimes(absl::Time now) {
  times_reported_at_ = now;
  for (const SlotReport& report : reports_) {
    if (report.progress == nullptr || read_up_to_[report.shard] == 0) continue;
    report.progress->ReadUpTo(read_up_to_[report.shard]);
  }
}

JobOutcome StreamJob::Failure(absl::Status status, std::optional<size_t> table) {
  reader_.Cancel(absl::OkStatus());
  outcome_.end = JobEnd::kFailed;
  outcome_.status = std::move(status);
  if (!outcome_.table.has_value()) outcome_.table = table;
  return std::move(outcome_);
}

void StreamJob::End(JobEnd end) {
  ended_ = true;
  outcome_.end = end;
}

absl::Status StreamJob::HandleJournal(const binlogdata::VEvent& event) {
  const binlogdata::Journal& journal = event.journal();
  if (journal.migration_type() != binlogdata::SHARDS) return absl::OkStatus();
  const int shard = ShardIndex(event.shard());
  if (shard < 0) {
    return vitess::LostPositionError(
        absl::StrCat("keyspace ", event.keyspace(),
                     " was resharded, and VTGate does not say which shard has ended; "
                     "Vitess 18 and later do"));
  }
  retired_[static_cast<size_t>(shard)] = true;
  outcome_.journals[event.shard()] = journal;
  return absl::OkStatus();
}

bool StreamJob::JournalsAreComplete() const {
  return std::all_of(outcome_.journals.begin(), outcome_.journals.end(), [this](const auto& entry) {
    const auto& participants = entry.second.participants();
    return std::all_of(participants.begin(), participants.end(),
                       [this](const binlogdata::KeyspaceShard& participant) {
                         const int shard = ShardIndex(participant.shard());
                         return shard < 0 || retired_[static_cast<size_t>(shard)];
                       });
  });
}

SchemaWatch& StreamJob::ColumnsToChange(size_t slot) {
  columns_before_.try_emplace(slot, columns_[slot]);
  return columns_[slot];
}

void StreamJob::SetColumnsBack() {
  for (auto& [slot, columns] : columns_before_) columns_[slot] = std::move(columns);
  columns_before_.clear();
}

absl::Status StreamJob::CheckKey(const Table& table, const binlogdata::FieldEvent& fields) {
  if (!table.incremental || !table.schema.has_primary_key) return absl::OkStatus();
  std::set<std::string> now;
  for (const query::Field& field : fields.fields()) {
    if ((field.flags() & query::PRI_KEY_FLAG) != 0) now.insert(field.name());
  }
  // A server that tells no flags tells no key.
  if (now.empty() ||
      now == std::set<std::string>(table.schema.key.begin(), table.schema.key.end())) {
    return absl::OkStatus();
  }
  return vitess::ConfigurationError(absl::StrCat(
      "table ", table.keyspace(), ".", table.name(), ": the primary key was (",
      absl::StrJoin(table.schema.key, ", "), ") when the sync began, and is over (",
      absl::StrJoin(now, ", "),
      ") now. Refresh the source's schema, so that the destination knows the new key, and refresh "
      "the stream"));
}

absl::Status StreamJob::HandleDdl(const Table& table, const binlogdata::VEvent& event,
                                  SchemaWatch& columns) {
  const mysql::TableEffect effect = mysql::EffectOn(event.statement(), table.name());
  if (effect == mysql::TableEffect::kNone) return absl::OkStatus();
  columns.Altered();
  if (effect == mysql::TableEffect::kAltered || !table.incremental) return absl::OkStatus();
  const std::string where =
      absl::StrCat("table ", table.keyspace(), ".", table.name(),
                   event.shard().empty() ? "" : absl::StrCat(" in shard ", event.shard()));
  outcome_.table = table.index;
  if (context_.options.host_truncates) return HandleEmptied(table, event, effect, where);
  if (effect == mysql::TableEffect::kGone) {
    return vitess::ConfigurationError(absl::StrCat(where, " was dropped, renamed or replaced (",
                                                   event.statement(),
                                                   "); what it had before was delivered. Take the "
                                                   "stream out of the connection, or, when there "
                                                   "is a table of that name again, refresh it"));
  }
  if (context_.options.ignore_truncate) {
    outcome_.table.reset();
    context_.logger.Warning(
        absl::StrCat(where, " was emptied (", event.statement(),
                     "); the rows that it had stay in the destination until its "
                     "stream is refreshed."));
    return absl::OkStatus();
  }
  return vitess::ConfigurationError(absl::StrCat(
      where, " was emptied (", event.statement(),
      "), which no record can tell: refresh the stream, so that the destination forgets the rows "
      "that it had, or choose with the option truncate to keep them"));
}

// The statement is not named: it holds rows.
absl::Status StreamJob::StatementError(const binlogdata::VEvent& event) {
  return vitess::ConfigurationError(absl::StrCat(
      "a MySQL server of shard ", event.keyspace(), "/", event.shard(),
      " logged a change as a statement, which does not tell the rows that it changed. Set "
      "binlog_format=ROW on the MySQL servers, and in sessions that set another, and then start "
      "the "
      "tables of the shard anew: refresh their streams"));
}

// For a host that can be told that a table is empty.
absl::Status StreamJob::HandleEmptied(const Table& table, const binlogdata::VEvent& event,
                                      mysql::TableEffect effect, const std::string& where) {
  const bool of_the_only_shard = !table.only_shard.empty() && event.shard() == table.only_shard;
  if (effect != mysql::TableEffect::kEmptied || !of_the_only_shard) {
    return vitess::EmptiedError(absl::StrCat(where,
                                             effect == mysql::TableEffect::kGone
                                                 ? " was dropped, renamed or replaced ("
                                                 : " was emptied (",
                                             event.statement(), ")"));
  }
  if (absl::Status status = rows_.Complete(); !status.ok()) return status;
  if (absl::Status status = flusher_.Flush({}, absl::Now()); !status.ok()) return status;
  outcome_.table.reset();
  context_.logger.Info(absl::StrCat(where, " was emptied (", event.statement(), ")."));
  return context_.checkpointer.Truncate(table.index);
}

}  // namespace source_vitess::sync
