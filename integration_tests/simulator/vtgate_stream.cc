#include "simulator/vtgate_stream.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "simulator/go_text.h"
#include "simulator/regular_expression.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

// gRPC's code names as Go prints them in an error's text.
std::string GoCodeName(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInternal:
      return "Internal";
    case absl::StatusCode::kInvalidArgument:
      return "InvalidArgument";
    default:
      return "Unknown";
  }
}

absl::Status LivenessError() {
  return absl::UnavailableError(
      "vstream is fully throttled or otherwise hung: vstream failed liveness checks as there was "
      "no "
      "activity, including heartbeats, within the last 10m0s");
}

grpc::ByteBuffer BufferOf(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

// As many references to the same zeros.
grpc::ByteBuffer HugeBuffer(uint64_t size) {
  static const std::string* const kZeros = new std::string(size_t{1} << 20, '\0');
  std::vector<grpc::Slice> slices;
  for (uint64_t left = size; left > 0;) {
    const uint64_t part = std::min<uint64_t>(left, kZeros->size());
    slices.emplace_back(kZeros->data(), part, grpc::Slice::STATIC_SLICE);
    left -= part;
  }
  return grpc::ByteBuffer(slices.data(), slices.size());
}

// The JOURNAL of a reshard among a shard's events; null if there is none.
const binlogdata::Journal* ReshardJournal(const std::vector<TabletStream::Packet>& packets) {
  for (const TabletStream::Packet& packet : packets) {
    for (const binlogdata::VEvent& event : packet) {
      const bool found = event.type() == binlogdata::JOURNAL &&
                         event.journal().migration_type() == binlogdata::SHARDS;
      if (found) return &event.journal();
    }
  }
  return nullptr;
}

// A slice of messages as Go prints it.
template <typename Messages>
std::string GoList(const Messages& messages) {
  std::string text;
  for (const auto& message : messages) CatTo(&text, text.empty() ? "" : " ", GoText(message));
  return Cat("[", text, "]");
}

absl::Status Cancelled() { return absl::CancelledError("context canceled"); }

}  // namespace

VtgateStream::VtgateStream(Cluster& cluster, const StreamOptions& options,
                           std::vector<StreamFault> faults, const vtgate::VStreamRequest& request,
                           ResponseWriter& writer, Signal& signal,
                           const std::atomic<bool>& cancelled)
    : cluster_(cluster),
      options_(options),
      faults_(std::move(faults)),
      request_(request),
      writer_(writer),
      signal_(signal),
      cancelled_(cancelled),
      random_(options.seed) {
  if (request_.tablet_type() == topodata::UNKNOWN) request_.set_tablet_type(topodata::PRIMARY);
  if (!request_.has_filter()) request_.mutable_filter()->add_rules()->set_match("/.*");
  const VersionProfile& version = cluster_.version();
  if (!version.knows_tables_to_copy) request_.mutable_flags()->clear_tables_to_copy();
  if (!version.knows_exclude_keyspace)
    request_.mutable_flags()->clear_exclude_keyspace_from_table_name();
  if (!version.knows_journal_flag) request_.mutable_flags()->clear_include_reshard_journal_events();
  if (!version.knows_max_stream_age) request_.mutable_flags()->clear_max_stream_age_seconds();
  cluster_.AddListener(&signal_);
}

VtgateStream::~VtgateStream() { cluster_.RemoveListener(&signal_); }

absl::Status VtgateStream::Run() {
  last_sent_ = absl::Now();
  if (request_.flags().max_stream_age_seconds() > 0) {
    age_limit_ = last_sent_ + options_.second * request_.flags().max_stream_age_seconds();
  }
  vtgate::VStreamResponse nothing;
  if (absl::Status status = StrikeBefore(nothing); !status.ok()) return status;
  if (absl::Status status = Resolve(); !status.ok()) return status;
  if (absl::Status status = OpenTablets(); !status.ok()) return status;
  return Loop();
}

// --- the request

absl::Status VtgateStream::ParameterError(absl::StatusCode code, const std::string& text) const {
  const bool prefix = cluster_.version().tells_context_of_errors;
  return absl::Status(code, Cat(prefix ? "failed to resolve vstream parameters: " : "", text));
}

absl::Status VtgateStream::Resolve() {
  const auto& given = request_.vgtid().shard_gtids();
  if (given.empty())
    return ParameterError(
        absl::StatusCode::kInvalidArgument,
        "vgtid must have at least one value with a starting position in ShardGtids");
  const bool by_keyspace = given.size() == 1 && (given[0].keyspace().empty() ||
                                                 IsRegularExpression(given[0].keyspace()));
  if (by_keyspace) return ResolveKeyspace(given[0]);
  for (const binlogdata::ShardGtid& shard : given) {
    if (!shard.shard().empty()) {
      *vgtid_.add_shard_gtids() = shard;
      continue;
    }
    const absl::Status status = cluster_.Read([&](ClusterState& state) {
      const Keyspace* keyspace = state.FindKeyspace(shard.keyspace());
      if (keyspace != nullptr) return AddShards(*keyspace, shard);
      return ParameterError(
          absl::StatusCode::kUnknown,
          Cat("failed to get shards in keyspace ", shard.keyspace(), ": keyspace ",
              shard.keyspace(), " fetch error: node doesn't exist: keyspaces/", shard.keyspace(),
              "/SrvKeyspace"));
    });
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status VtgateStream::ResolveKeyspace(const binlogdata::ShardGtid& given) {
  if (given.keyspace().empty() && given.gtid() != "current") {
    return ParameterError(absl::StatusCode::kInvalidArgument,
                          "for an empty keyspace, the Gtid value must be 'current'");
  }
  return cluster_.Read([&](ClusterState& state) {
    for (const auto& keyspace : state.keyspaces) {
      if (!FindsRegularExpression(given.keyspace(), keyspace->name)) continue;
      binlogdata::ShardGtid inherited;
      inherited.set_gtid(given.gtid());
      if (absl::Status status = AddShards(*keyspace, inherited); !status.ok()) return status;
    }
    return absl::OkStatus();
  });
}

absl::Status VtgateStream::AddShards(const Keyspace& keyspace, const binlogdata::ShardGtid& given) {
  if (!given.gtid().empty() && given.gtid() != "current") {
    return ParameterError(absl::StatusCode::kInvalidArgument,
                          "if shards are unspecified, the Gtid value must be 'current' or empty");
  }
  for (const auto& shard : keyspace.shards) {
    if (!shard->serving) continue;
    binlogdata::ShardGtid& added = *vgtid_.add_shard_gtids();
    added.set_keyspace(keyspace.name);
    added.set_shard(shard->name);
    added.set_gtid(given.gtid());
  }
  return absl::OkStatus();
}

absl::Status VtgateStream::OpenTablets() {
  for (int i = 0; i < vgtid_.shard_gtids_size(); ++i) {
    ShardStream& shard = shards_.emplace_back();
    shard.place = static_cast<size_t>(i);
  }
  for (ShardStream& shard : shards_) {
    if (absl::Status status = OpenTablet(shard); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> VtgateStream::KeyspaceHasBeenResharded(const ShardStream& shard) {
  if (!cluster_.version().streams_from_old_shards) return false;
  const std::string& name = vgtid_.shard_gtids(static_cast<int>(shard.place)).keyspace();
  const std::string prefix = Cat("failed to determine if keyspace ", name, " has been resharded: ");
  return cluster_.Read([&](ClusterState& state) -> absl::StatusOr<bool> {
    Keyspace* keyspace = state.FindKeyspace(name);
    if (keyspace == nullptr) {
      return StartError(shard, absl::StatusCode::kUnknown,
                        Cat(prefix, "FindAllShardsInKeyspace(", name,
                            "): List: node doesn't exist: keyspaces/", name, "/shards"));
    }
    bool all_serve = true;
    for (const binlogdata::ShardGtid& position : vgtid_.shard_gtids()) {
      if (position.keyspace() != name) continue;
      const Shard* found = keyspace->FindShard(position.shard());
      if (found == nullptr) {
        return StartError(shard, absl::StatusCode::kFailedPrecondition,
                          Cat(prefix, "shard provided in VGTID, ", position.shard(),
                              ", not found in the ", name, " keyspace"));
      }
      all_serve = all_serve && found->serving;
    }
    return !all_serve && keyspace->Resharded();
  });
}

absl::Status VtgateStream::OpenTablet(ShardStream& shard) {
  const absl::StatusOr<bool> resharded = KeyspaceHasBeenResharded(shard);
  if (!resharded.ok()) return resharded.status();
  const binlogdata::ShardGtid& position = vgtid_.shard_gtids(static_cast<int>(shard.place));
  TabletRequest request;
  request.keyspace = position.keyspace();
  request.shard = position.shard();
  request.type = request_.tablet_type();
  request.gtid = position.gtid();
  request.table_p_ks.assign(position.table_p_ks().begin(), position.table_p_ks().end());
  request.filter = request_.filter();
  request.tables_to_copy.assign(request_.flags().tables_to_copy().begin(),
                                request_.flags().tables_to_copy().end());
  request.non_serving = *resharded;
  request.attempt = ++shard.attempt;
  shard.tablet = std::make_unique<TabletStream>(cluster_, options_, std::move(request));
  return absl::OkStatus();
}

// --- the loop

absl::Status VtgateStream::Loop() {
  while (true) {
    if (cancelled_.load()) return Cancelled();
    wake_ = absl::InfiniteFuture();
    const absl::StatusOr<bool> advanced = AdvanceAll();
    if (!advanced.ok()) return advanced.status();
    if (const std::optional<absl::Status> end = End(); end.has_value()) return *end;
    if (*advanced) continue;
    if (absl::Status status = Wait(); !status.ok()) return status;
  }
}

absl::StatusOr<bool> VtgateStream::AdvanceAll() {
  bool advanced = false;
  std::vector<size_t> order(shards_.size());
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), random_);
  resharded_ = false;
  for (const size_t i : order) {
    if (stalled_ || resharded_) break;
    const absl::StatusOr<bool> step = Advance(shards_[i]);
    if (!step.ok()) return step.status();
    advanced = advanced || *step;
  }
  return advanced;
}

std::optional<absl::Status> VtgateStream::End() {
  const absl::Time now = absl::Now();
  if (now >= age_limit_) {
    return absl::UnavailableError(Cat("vstream exceeded maximum age of ",
                                      request_.flags().max_stream_age_seconds(), "s (jitter: 0s)"));
  }
  const bool stopped = std::all_of(shards_.begin(), shards_.end(), [](const ShardStream& shard) {
    return shard.journal.has_value();
  });
  all_stopped_since_ = stopped ? std::min(all_stopped_since_, now) : absl::InfiniteFuture();
  if (!stopped) return std::nullopt;
  const VersionProfile& version = cluster_.version();
  if (version.ends_at_reshard && !shards_.empty()) {
    const absl::Time end = all_stopped_since_ + options_.second / 2;
    if (now >= end) return absl::OkStatus();
    wake_ = std::min(wake_, end);
  }
  if (version.checks_liveness) {
    const absl::Time end = all_stopped_since_ + options_.liveness_timeout;
    if (now >= end) return LivenessError();
    wake_ = std::min(wake_, end);
  }
  return std::nullopt;
}

absl::Status VtgateStream::Wait() {
  signal_.WaitUntil(std::min({wake_, HeartbeatTime(), age_limit_}));
  if (cancelled_.load()) return Cancelled();
  return SendHeartbeatIfDue();
}

absl::StatusOr<bool> VtgateStream::Advance(ShardStream& shard) {
  if (shard.journal.has_value()) return false;
  TabletStream::Step step = shard.tablet->Next();
  switch (step.kind) {
    case TabletStream::Step::Kind::kIdle:
      wake_ = std::min(wake_, step.wake);
      return false;
    case TabletStream::Step::Kind::kNoTablet:
      if (absl::Status status = WaitForTablet(shard); !status.ok()) return status;
      return false;
    case TabletStream::Step::Kind::kLost:
      if (absl::Status status = OpenTablet(shard); !status.ok()) return status;
      return true;
    case TabletStream::Step::Kind::kError:
      return TabletError(shard, step.error);
    case TabletStream::Step::Kind::kGroup:
    case TabletStream::Step::Kind::kPoint:
      break;
  }
  shard.without_tablet_since = absl::InfiniteFuture();
  if (ReshardJournal(step.packets) != nullptr) {
    if (absl::Status status = TakeJournal(shard, std::move(step)); !status.ok()) return status;
    return true;
  }
  if (!step.packets.empty()) {
    if (absl::Status status = Send(shard, std::move(step.packets)); !status.ok()) return status;
  }
  if (step.point.has_value()) {
    if (absl::Status status = Announce(shard, *step.point); !status.ok()) return status;
  }
  return true;
}

absl::Status VtgateStream::WaitForTablet(ShardStream& shard) {
  const absl::Time now = absl::Now();
  shard.without_tablet_since = std::min(shard.without_tablet_since, now);
  const absl::Time limit = shard.without_tablet_since + options_.no_tablet_timeout;
  wake_ = std::min(wake_, limit);
  if (now < limit) return absl::OkStatus();
  const binlogdata::ShardGtid& position = vgtid_.shard_gtids(static_cast<int>(shard.place));
  return StartError(shard, absl::StatusCode::kCancelled,
                    Cat("failed to find a ", topodata::TabletType_Name(request_.tablet_type()),
                        " tablet for VStream in ", position.keyspace(), "/", position.shard(),
                        " within the ", cluster_.cell(), " cell(s): context has expired"));
}

absl::Status VtgateStream::Announce(ShardStream& shard, const StreamPoint& point) {
  if (!options_.on_point) return absl::OkStatus();
  if (options_.on_point(point) == StreamAction::kRestart) return OpenTablet(shard);
  return absl::OkStatus();
}

// --- reshards

VtgateStream::ShardStream* VtgateStream::FindShardStream(std::string_view keyspace,
                                                         std::string_view shard) {
  for (ShardStream& stream : shards_) {
    const binlogdata::ShardGtid& position = vgtid_.shard_gtids(static_cast<int>(stream.place));
    if (position.keyspace() == keyspace && position.shard() == shard) return &stream;
  }
  return nullptr;
}

absl::Status VtgateStream::TakeJournal(ShardStream& shard, TabletStream::Step step) {
  const binlogdata::Journal journal = *ReshardJournal(step.packets);
  const vtgate::VStreamFlags& flags = request_.flags();
  if (flags.stop_on_reshard() || flags.include_reshard_journal_events()) {
    if (absl::Status status = Send(shard, std::move(step.packets)); !status.ok()) return status;
  }
  if (options_.on_point) options_.on_point(*step.point);
  shard.journal = journal.id();
  bool all_there = true;
  for (const binlogdata::KeyspaceShard& participant : journal.participants()) {
    const ShardStream* other = FindShardStream(participant.keyspace(), participant.shard());
    if (other == nullptr) return JournalError(shard, journal);
    all_there = all_there && other->journal == journal.id();
  }
  if (!all_there || flags.stop_on_reshard()) return absl::OkStatus();
  return FollowReshard(journal);
}

absl::Status VtgateStream::FollowReshard(const binlogdata::Journal& journal) {
  binlogdata::VGtid vgtid;
  std::vector<ShardStream> shards;
  const auto add = [&](const binlogdata::ShardGtid& position, ShardStream stream) {
    stream.place = shards.size();
    shards.push_back(std::move(stream));
    *vgtid.add_shard_gtids() = position;
  };
  for (ShardStream& shard : shards_) {
    if (shard.journal == journal.id()) continue;
    const int place = static_cast<int>(shard.place);
    add(vgtid_.shard_gtids(place), std::move(shard));
  }
  for (const binlogdata::ShardGtid& target : journal.shard_gtids()) add(target, ShardStream());
  vgtid_ = std::move(vgtid);
  shards_ = std::move(shards);
  resharded_ = true;
  for (ShardStream& shard : shards_) {
    if (shard.tablet != nullptr) continue;
    if (absl::Status status = OpenTablet(shard); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// --- sending

absl::Status VtgateStream::Send(ShardStream& shard, std::vector<TabletStream::Packet> packets) {
  for (TabletStream::Packet& packet : packets) {
    vtgate::VStreamResponse response;
    for (binlogdata::VEvent& event : packet) Convert(shard, std::move(event), response);
    if (absl::Status status = SendResponse(response); !status.ok()) return status;
  }
  return absl::OkStatus();
}

void VtgateStream::Convert(ShardStream& shard, binlogdata::VEvent event,
                           vtgate::VStreamResponse& response) {
  binlogdata::ShardGtid& position = *vgtid_.mutable_shard_gtids(static_cast<int>(shard.place));
  const bool prefix = !request_.flags().exclude_keyspace_from_table_name();
  // A reshard's was sent for what it is; one of MoveTables is not told (reference 7.5).
  const bool told =
      event.type() != binlogdata::JOURNAL || event.journal().migration_type() == binlogdata::SHARDS;
  if (!told) return;
  binlogdata::VEvent& sent = *response.add_events();
  switch (event.type()) {
    case binlogdata::GTID:
    case binlogdata::LASTPK:
      if (event.type() == binlogdata::GTID) {
        position.set_gtid(event.gtid());
      } else {
        ApplyLastPk(event.last_p_k_event(), position);
      }
      sent.set_type(binlogdata::VGTID);
      *sent.mutable_vgtid() = vgtid_;
      break;
    case binlogdata::FIELD:
      sent = std::move(event);
      if (prefix) {
        sent.mutable_field_event()->set_table_name(
            Cat(position.keyspace(), ".", sent.field_event().table_name()));
      }
      break;
    case binlogdata::ROW:
      sent = std::move(event);
      if (prefix)
        sent.mutable_row_event()->set_table_name(
            Cat(position.keyspace(), ".", sent.row_event().table_name()));
      break;
    default:
      sent = std::move(event);
  }
  sent.set_keyspace(position.keyspace());
  sent.set_shard(position.shard());
  if (sent.type() != binlogdata::COPY_COMPLETED) return;
  shard.copy_completed = true;
  const bool all = std::all_of(shards_.begin(), shards_.end(),
                               [](const ShardStream& s) { return s.copy_completed; });
  if (all) response.add_events()->set_type(binlogdata::COPY_COMPLETED);
}

void VtgateStream::ApplyLastPk(const binlogdata::LastPKEvent& last,
                               binlogdata::ShardGtid& position) const {
  const binlogdata::TableLastPK& table = last.table_last_p_k();
  auto& entries = *position.mutable_table_p_ks();
  int place = 0;
  while (place < entries.size() && entries[place].table_name() != table.table_name()) ++place;
  if (!last.completed()) {
    if (place == entries.size()) entries.Add();
    entries[place] = table;
  } else if (place < entries.size()) {
    entries.SwapElements(place, entries.size() - 1);
    entries.RemoveLast();
  }
}

absl::Status VtgateStream::StrikeBefore(vtgate::VStreamResponse& response) {
  const auto events = static_cast<uint64_t>(response.events_size());
  for (const StreamFault& fault : faults_) {
    const bool ends = fault.kind == StreamFault::Kind::kBreak ||
                      fault.kind == StreamFault::Kind::kStall ||
                      fault.kind == StreamFault::Kind::kSilence;
    if (!ends) continue;
    uint64_t left = fault.after_events > events_sent_ ? fault.after_events - events_sent_ : 0;
    if (fault.after_messages.has_value())
      left = messages_sent_ >= *fault.after_messages ? 0 : events + 1;
    const bool strikes = events == 0 ? left == 0 : left < events;
    if (!strikes) continue;
    response.mutable_events()->DeleteSubrange(static_cast<int>(left),
                                              static_cast<int>(events - left));
    stalled_ = true;
    silent_ = fault.kind == StreamFault::Kind::kSilence;
    if (fault.kind != StreamFault::Kind::kBreak) return absl::OkStatus();
    if (!response.events().empty()) static_cast<void>(WriteNow(response));
    return fault.status;
  }
  return absl::OkStatus();
}

absl::Status VtgateStream::SendResponse(vtgate::VStreamResponse& response) {
  if (stalled_) return absl::OkStatus();
  if (absl::Status status = StrikeBefore(response); !status.ok()) return status;
  for (const StreamFault& fault : faults_) {
    if (fault.kind != StreamFault::Kind::kDelay) continue;
    const absl::Time until = absl::Now() + fault.delay;
    while (absl::Now() < until && !cancelled_.load()) signal_.WaitUntil(until);
  }
  if (response.events().empty()) return absl::OkStatus();
  const absl::StatusOr<bool> replaced = Replace(response);
  if (!replaced.ok()) return replaced.status();
  return *replaced ? absl::OkStatus() : WriteNow(response);
}

absl::StatusOr<bool> VtgateStream::Replace(vtgate::VStreamResponse& response) {
  const uint64_t after = events_sent_ + static_cast<uint64_t>(response.events_size());
  for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
    const bool due = fault->after_messages.has_value() ? messages_sent_ >= *fault->after_messages
                                                       : after > fault->after_events;
    if (!due) continue;
    if (fault->kind == StreamFault::Kind::kChange) {
      if (!fault->change(response)) continue;
      faults_.erase(fault);
      return false;
    }
    const bool bytes = fault->kind == StreamFault::Kind::kBytes;
    if (!bytes && fault->kind != StreamFault::Kind::kHuge) continue;
    const grpc::ByteBuffer buffer = bytes ? BufferOf(fault->bytes) : HugeBuffer(fault->size);
    faults_.erase(fault);
    if (absl::Status status = writer_.WriteBytes(buffer); !status.ok()) return status;
    ++messages_sent_;
    return true;
  }
  return false;
}

// A client that takes nothing for long is taken for a stream that hangs (reference 8.3).
absl::Status VtgateStream::CountBlocked(absl::Time since) const {
  const bool hung =
      cluster_.version().checks_liveness && absl::Now() - since > options_.liveness_timeout;
  return hung ? LivenessError() : absl::OkStatus();
}

absl::Status VtgateStream::WriteNow(const vtgate::VStreamResponse& response) {
  if (cancelled_.load()) return Cancelled();
  const absl::Time began = absl::Now();
  if (absl::Status status = writer_.Write(response); !status.ok()) return status;
  if (absl::Status status = CountBlocked(began); !status.ok()) return status;
  events_sent_ += static_cast<uint64_t>(response.events_size());
  ++messages_sent_;
  last_sent_ = absl::Now();
  return absl::OkStatus();
}

absl::Time VtgateStream::HeartbeatTime() const {
  const uint32_t interval = request_.flags().heartbeat_interval();
  if (interval == 0 || silent_) return absl::InfiniteFuture();
  return last_sent_ + options_.second * interval;
}

absl::Status VtgateStream::SendHeartbeatIfDue() {
  if (absl::Now() < HeartbeatTime()) return absl::OkStatus();
  vtgate::VStreamResponse response;
  binlogdata::VEvent& event = *response.add_events();
  event.set_type(binlogdata::HEARTBEAT);
  event.set_timestamp(absl::ToUnixSeconds(cluster_.now()));
  event.set_current_time(absl::ToUnixNanos(cluster_.now()));
  if (absl::Status status = writer_.Write(response); !status.ok()) return status;
  last_sent_ = absl::Now();
  return absl::OkStatus();
}

// --- errors

absl::Status VtgateStream::StartError(const ShardStream& shard, absl::StatusCode code,
                                      const std::string& cause) const {
  if (!cluster_.version().tells_context_of_errors) return absl::Status(code, cause);
  return absl::Status(code,
                      Cat("error starting stream from shard GTID ",
                          GoText(vgtid_.shard_gtids(static_cast<int>(shard.place))), ": ", cause));
}

std::string VtgateStream::TabletAlias(const binlogdata::ShardGtid& position) const {
  return cluster_.Read([&](ClusterState& state) -> std::string {
    Keyspace* keyspace = state.FindKeyspace(position.keyspace());
    const Shard* found = keyspace == nullptr ? nullptr : keyspace->FindShard(position.shard());
    const Tablet* tablet = found == nullptr ? nullptr : found->FindTablet(request_.tablet_type());
    return tablet == nullptr ? "" : tablet->alias;
  });
}

absl::Status VtgateStream::JournalError(const ShardStream& shard,
                                        const binlogdata::Journal& journal) const {
  const binlogdata::ShardGtid& position = vgtid_.shard_gtids(static_cast<int>(shard.place));
  const std::string alias = TabletAlias(position);
  const std::string shard_gtid = GoText(position);
  return StartError(
      shard, absl::StatusCode::kInternal,
      Cat("error in vstream for ", position.keyspace(), "/", position.shard(), " on tablet ", alias,
          ": target: ", position.keyspace(), ".", position.shard(), ".",
          TabletTypeName(request_.tablet_type()), ": error getting journal event for shard GTID ",
          shard_gtid, " on tablet ", alias,
          ": not all journaling participants are in the stream: journal: ",
          GoList(journal.participants()), ", stream: ", GoList(vgtid_.shard_gtids())));
}

// VTGate tries a tablet three times unless the code says that this is in vain.
absl::Status VtgateStream::TabletError(const ShardStream& shard, const absl::Status& status) const {
  const binlogdata::ShardGtid& position = vgtid_.shard_gtids(static_cast<int>(shard.place));
  const std::string alias = TabletAlias(position);
  const bool retried =
      status.code() == absl::StatusCode::kUnknown && cluster_.version().retries_unknown_errors;
  const std::string name = Cat(position.keyspace(), "/", position.shard());
  return StartError(
      shard, status.code(),
      Cat(retried ? "persistent error" : "error", " in vstream for ", name, " on tablet ", alias,
          retried ? "; giving up: " : ": ", "target: ", position.keyspace(), ".", position.shard(),
          ".", TabletTypeName(request_.tablet_type()), ": vttablet: rpc error: code = ",
          GoCodeName(status.code()), " desc = ", status.message()));
}

}  // namespace source_vitess::simulator
