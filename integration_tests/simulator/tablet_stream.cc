#include "simulator/tablet_stream.h"

#include <algorithm>
#include <utility>

#include "simulator/expression.h"
#include "simulator/regular_expression.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

// Flags of MySQL's rows events: the end of a statement, and one that MySQL 9 always sets.
constexpr uint32_t kStatementEnd = 1;
constexpr uint32_t kAlways = 16;

bool ContainsGtid(const vitess::GtidSet& set, const LoggedTransaction& transaction) {
  for (const vitess::GtidSet::Server& server : set.servers()) {
    if (server.uuid != transaction.uuid) continue;
    return std::any_of(server.intervals.begin(), server.intervals.end(),
                       [&](const vitess::GtidSet::Interval& interval) {
                         return interval.begin <= transaction.number &&
                                transaction.number <= interval.end;
                       });
  }
  return false;
}

vitess::GtidSet GtidOf(const LoggedTransaction& transaction) {
  return vitess::GtidSet::Parse(Cat(transaction.uuid, ":", transaction.number))
      .value_or(vitess::GtidSet());
}

size_t ValueBytes(const binlogdata::RowEvent& event) {
  size_t bytes = 0;
  for (const binlogdata::RowChange& change : event.row_changes()) {
    bytes += change.before().values().size() + change.after().values().size();
  }
  return bytes;
}

binlogdata::VEvent PlainEvent(binlogdata::VEventType type) {
  binlogdata::VEvent event;
  event.set_type(type);
  return event;
}

// A last key's value as the literal that MySQL compares the column with.
std::optional<Literal> KeyLiteral(const Column& column, const query::Row& row, size_t index) {
  size_t offset = 0;
  for (size_t i = 0; i < index; ++i)
    offset += static_cast<size_t>(std::max<int64_t>(row.lengths(static_cast<int>(i)), 0));
  const int64_t length = row.lengths(static_cast<int>(index));
  if (length < 0) return std::nullopt;
  std::string text = row.values().substr(offset, static_cast<size_t>(length));
  const bool number = column.IsInteger() || column.type == query::DECIMAL ||
                      column.type == query::FLOAT32 || column.type == query::FLOAT64 ||
                      column.type == query::YEAR;
  if (number) return Literal{Literal::Kind::kNumber, std::move(text)};
  if (column.type == query::ENUM || column.type == query::SET) {
    return Literal{Literal::Kind::kString, DecodeText(text, column.collation->charset)};
  }
  return Literal{Literal::Kind::kBytes, std::move(text)};
}

// Whether the row comes behind `lastpk` as MySQL's "(a > x) or (a = x and b > y)" finds it: not
// where NULL is involved.
bool IsBehind(const TableSchema& schema, const Row& row, const query::Row& lastpk) {
  const std::vector<size_t> key = schema.CopyKey();
  for (size_t i = 0; i < key.size(); ++i) {
    const Column& column = schema.columns[key[i]];
    const Cell& cell = row[key[i]];
    const std::optional<Literal> literal = KeyLiteral(column, lastpk, i);
    if (!cell.has_value() || !literal.has_value()) return false;
    const int order = CompareWithLiteral(column, *cell, *literal);
    if (order != 0) return order > 0;
  }
  return false;
}

// The table's rows in the order of a copy.
std::vector<RowPointer> RowsInCopyOrder(const Table& table) {
  std::vector<RowPointer> rows;
  rows.reserve(table.rows.size());
  for (const auto& [key, row] : table.rows) rows.push_back(row);
  if (table.schema->PrimaryKey() != nullptr) return rows;
  const std::vector<size_t> key = table.schema->CopyKey();
  const auto key_of = [&](const Row& row) {
    std::string text;
    for (const size_t column : key) text += SortKey(table.schema->columns[column], row[column]);
    return text;
  };
  std::stable_sort(rows.begin(), rows.end(), [&](const RowPointer& a, const RowPointer& b) {
    return key_of(*a) < key_of(*b);
  });
  return rows;
}

// The least significant bit of the first byte is the first.
void SetBitmap(const std::vector<bool>& bits, binlogdata::RowChange::Bitmap& bitmap) {
  bitmap.set_count(static_cast<int64_t>(bits.size()));
  std::string& bytes = *bitmap.mutable_cols();
  bytes.assign((bits.size() + 7) / 8, '\0');
  for (size_t i = 0; i < bits.size(); ++i) {
    if (bits[i]) bytes[i / 8] = static_cast<char>(bytes[i / 8] | (1 << (i % 8)));
  }
}

// Tells which of the table's columns the after image has, if not all, and which of its JSON columns
// are differences, if any (reference 5.3, 5.4).
void SetBitmaps(const TableSchema& schema, const PartialImages& partial,
                binlogdata::RowChange& change) {
  std::vector<bool> present = partial.absent_after;
  present.flip();
  std::vector<bool> differences;
  for (size_t i = 0; i < partial.json_differences.size(); ++i) {
    if (schema.columns[i].type == query::JSON)
      differences.push_back(partial.json_differences[i].has_value());
  }
  const bool any_absent = std::find(present.begin(), present.end(), false) != present.end();
  const bool any_difference =
      std::find(differences.begin(), differences.end(), true) != differences.end();
  if (any_absent || any_difference) SetBitmap(present, *change.mutable_data_columns());
  if (any_difference) SetBitmap(differences, *change.mutable_json_partial_values());
}

}  // namespace

TabletStream::TabletStream(Cluster& cluster, const StreamOptions& options, TabletRequest request)
    : cluster_(cluster), options_(options), request_(std::move(request)) {}

StreamPoint TabletStream::Point(StreamPoint::Kind kind) const {
  StreamPoint point;
  point.kind = kind;
  point.keyspace = request_.keyspace;
  point.shard = request_.shard;
  point.attempt = request_.attempt;
  const bool of_table =
      kind == StreamPoint::Kind::kCatchupEnded || kind == StreamPoint::Kind::kSnapshotTaken ||
      kind == StreamPoint::Kind::kRowsCopied || kind == StreamPoint::Kind::kTableCopied;
  if (of_table && copying_ < copies_.size()) point.table = copies_[copying_].table;
  if (kind == StreamPoint::Kind::kRowsCopied || kind == StreamPoint::Kind::kTableCopied)
    point.rows = rows_copied_;
  return point;
}

TabletStream::Step TabletStream::Error(absl::Status status) {
  Step step;
  step.kind = Step::Kind::kError;
  step.error = std::move(status);
  return step;
}

TabletStream::Step TabletStream::Next() {
  switch (phase_) {
    case Phase::kStart:
      return Start();
    case Phase::kCatchup:
      return Catchup();
    case Phase::kSnapshot:
      return Snapshot();
    case Phase::kFastForward:
      return FastForward();
    case Phase::kFirstBatch:
      return FirstBatch();
    case Phase::kBatch:
      return Batch();
    case Phase::kTableDone:
      return TableDone();
    case Phase::kCopyDone:
      return CopyDone();
    case Phase::kReplicate:
      return Replicate();
  }
  return Error(absl::InternalError("no such phase"));
}

// --- the start

TabletStream::Step TabletStream::Start() {
  Step no_tablet;
  no_tablet.kind = Step::Kind::kNoTablet;
  bool found = false;
  const absl::Status status = cluster_.Read([&](ClusterState& state) {
    Keyspace* keyspace = state.FindKeyspace(request_.keyspace);
    Shard* shard = keyspace == nullptr ? nullptr : keyspace->FindShard(request_.shard);
    if (shard == nullptr || shard->FindTablet(request_.type) == nullptr) return absl::OkStatus();
    if (!shard->serving && !request_.non_serving) return absl::OkStatus();
    found = true;
    return StartAt(state, *shard);
  });
  if (!found || absl::IsUnavailable(status)) return no_tablet;
  if (!status.ok()) return Error(status);
  return StartCopyOrReplication();
}

// UNAVAILABLE means that this tablet cannot serve the position (recordings stall-*).
absl::Status TabletStream::StartAt(const ClusterState& state, Shard& shard) {
  const TabletView tablet = shard.ViewOf(request_.type);
  database_ = shard.database;
  server_uuid_ = shard.log->uuid();
  tablet_starts_ = shard.FindTablet(request_.type)->starts;
  if (EqualsIgnoreCase(state.variables.binlog_row_image, "minimal")) {
    return absl::InternalError("minimal binlog_row_image is not supported by Vitess VReplication");
  }
  if (request_.gtid == "current") {
    position_ = *tablet.executed;
  } else if (!request_.gtid.empty()) {
    if (!Contains(request_.gtid, "/")) {
      return absl::InternalError(
          "could not decode position: parse error: unknown GTIDSet flavor \"\"");
    }
    const absl::StatusOr<vitess::GtidSet> position = vitess::GtidSet::ParsePosition(request_.gtid);
    if (!position.ok())
      return absl::UnknownError(Cat("could not decode position: ", position.status().message()));
    position_ = *position;
    if (position_.empty() && request_.table_p_ks.empty())
      return absl::UnknownError("stream needs a position or a table to copy");
    if (!tablet.executed->Contains(position_)) return absl::UnavailableError("GTIDSet Mismatch");
    if (!position_.Contains(tablet.purged)) return PurgedError(tablet);
  }
  const bool by_flag =
      !cluster_.version().copies_only_by_position && !request_.tables_to_copy.empty();
  if (!request_.gtid.empty() && request_.table_p_ks.empty() && !by_flag) return absl::OkStatus();
  return PlanTables(tablet);
}

absl::Status TabletStream::PurgedError(const TabletView& tablet) const {
  if (!cluster_.version().tells_purged_logs) return absl::UnavailableError("purged");
  return absl::UnknownError(Cat(
      "Cannot replicate because the source purged required binary logs. Replicate the missing "
      "transactions from elsewhere, or provision a new replica from backup. Consider increasing "
      "the source's binary log expiration period. The GTID set sent by the replica is '",
      position_.ToString(), "', and the missing transactions are '",
      tablet.purged.Difference(position_).ToString(), "' (errno 1236) (sqlstate HY000)"));
}

absl::Status TabletStream::PlanTables(const TabletView& tablet) {
  for (const binlogdata::Rule& rule : request_.filter.rules()) {
    if (!IsRegularExpression(rule.match()) && tablet.FindTable(rule.match()) == nullptr) {
      return absl::UnknownError(Cat("table ", rule.match(), " is not present in the database"));
    }
  }
  const std::vector<std::string>& only = request_.tables_to_copy;
  for (const auto& [name, table] : *tablet.tables) {
    if (MatchRule(request_.filter, name) == nullptr) continue;
    if (!only.empty() && std::find(only.begin(), only.end(), name) == only.end()) continue;
    copies_.push_back({name, std::nullopt, false});
  }
  for (const binlogdata::TableLastPK& entry : request_.table_p_ks) {
    const auto plan = std::find_if(copies_.begin(), copies_.end(), [&](const CopyPlan& copy) {
      return copy.table == entry.table_name();
    });
    if (plan == copies_.end() || !entry.has_lastpk()) continue;
    if (entry.lastpk().fields_size() == 0 && cluster_.version().checks_lastpk_fields) {
      return absl::UnknownError(
          Cat("lastpk for table ", entry.table_name(), " has no fields defined"));
    }
    plan->lastpk = entry.lastpk();
  }
  if (copies_.empty() && request_.gtid.empty()) {
    return absl::UnknownError("stream needs a position or a table to copy");
  }
  return absl::OkStatus();
}

TabletStream::Step TabletStream::StartCopyOrReplication() {
  Step step;
  step.kind = Step::Kind::kPoint;
  step.point = Point(StreamPoint::Kind::kOpened);
  if (request_.gtid == "current") {
    step.kind = Step::Kind::kGroup;
    step.packets = {{GtidEvent(), PlainEvent(binlogdata::OTHER)}};
  }
  if (copies_.empty()) {
    phase_ = Phase::kReplicate;
    step.point = Point(StreamPoint::Kind::kReplicating);
    return step;
  }
  copying_ = 0;
  phase_ = request_.gtid.empty() ? Phase::kSnapshot : Phase::kCatchup;
  next_tick_ = absl::Now() + options_.catchup_tick;
  catchup_target_ = Executed();
  return step;
}

// What the stream's tablet has executed.
vitess::GtidSet TabletStream::Executed() {
  return cluster_.Executed(request_.keyspace, request_.shard, request_.type)
      .value_or(vitess::GtidSet());
}

// --- binary logs

std::optional<TabletStream::Step> TabletStream::ReadTransaction(
    LoggedTransactionPointer& transaction) {
  Step step;
  return cluster_.Read([&](ClusterState& state) -> std::optional<Step> {
    Keyspace* keyspace = state.FindKeyspace(request_.keyspace);
    Shard* shard = keyspace == nullptr ? nullptr : keyspace->FindShard(request_.shard);
    step.kind = Step::Kind::kLost;
    const Tablet* running = shard == nullptr ? nullptr : shard->FindTablet(request_.type);
    if (running == nullptr || running->starts != tablet_starts_) return step;
    const TabletView tablet = shard->ViewOf(request_.type);
    if (shard->log->uuid() != server_uuid_ || !position_.Contains(tablet.purged)) return step;
    const BinaryLog& log = *shard->log;
    if (!positioned_) next_index_ = log.begin_index();
    positioned_ = true;
    held_ = shard->held_index.has_value();
    const uint64_t end = std::min(tablet.end_index, shard->held_index.value_or(tablet.end_index));
    while (next_index_ < end && ContainsGtid(position_, *log.At(next_index_))) ++next_index_;
    if (next_index_ < end) transaction = log.At(next_index_);
    return std::nullopt;
  });
}

binlogdata::VEvent TabletStream::LoggedEvent(binlogdata::VEventType type,
                                             const LoggedTransaction& transaction) const {
  binlogdata::VEvent event = PlainEvent(type);
  event.set_timestamp(absl::ToUnixSeconds(transaction.time));
  event.set_current_time(absl::ToUnixNanos(cluster_.now()));
  if (cluster_.version().has_event_gtid) {
    event.set_commit_parent(transaction.sequence_number - 1);
    event.set_sequence_number(transaction.sequence_number);
    event.set_event_gtid(Cat(transaction.uuid, ":", transaction.number));
  }
  return event;
}

binlogdata::VEvent TabletStream::GtidEvent() const {
  binlogdata::VEvent event = PlainEvent(binlogdata::GTID);
  event.set_gtid(position_.ToPosition());
  return event;
}

// The field as this version announces it.
query::Field TabletStream::Told(query::Field field) const {
  constexpr uint32_t kBinary = 63;
  constexpr uint32_t kOfConnection = 255;
  const bool text = field.charset() != kBinary && field.charset() != 0;
  if (text && !cluster_.version().column_collations) field.set_charset(kOfConnection);
  return field;
}

binlogdata::VEvent TabletStream::FieldEvent(const TablePlan& plan, bool enum_set_labels) const {
  binlogdata::VEvent event = PlainEvent(binlogdata::FIELD);
  binlogdata::FieldEvent& field_event = *event.mutable_field_event();
  field_event.set_table_name(plan.images->name);
  for (const query::Field& field : plan.fields) *field_event.add_fields() = Told(field);
  field_event.set_keyspace(request_.keyspace);
  field_event.set_shard(request_.shard);
  field_event.set_enum_set_string_values(enum_set_labels && cluster_.version().enum_set_labels);
  return event;
}

// A table whose copy waits gets its changes with its snapshot (reference 2.7).
bool TabletStream::SendsTable(std::string_view table) const {
  if (phase_ == Phase::kReplicate) return true;
  const auto copy = std::find_if(copies_.begin(), copies_.end(),
                                 [&](const CopyPlan& plan) { return plan.table == table; });
  return copy == copies_.end() || copy->done || copy->lastpk.has_value();
}

absl::StatusOr<const TablePlan*> TabletStream::PlanOf(const RowsEvent& event) {
  const auto known = plans_.find(event.table_id);
  if (known != plans_.end()) return known->second.has_value() ? &*known->second : nullptr;
  std::optional<TablePlan>& plan = plans_[event.table_id];
  const std::string& name = event.schema->name;
  const binlogdata::Rule* rule = MatchRule(request_.filter, name);
  if (rule == nullptr || IsInternalTable(name)) return nullptr;
  const TableSchemaPointer current = cluster_.Read([&](ClusterState& state) -> TableSchemaPointer {
    Shard* shard = state.FindKeyspace(request_.keyspace)->FindShard(request_.shard);
    Table* table = shard == nullptr ? nullptr : shard->ViewOf(request_.type).FindTable(name);
    return table == nullptr ? nullptr : table->schema;
  });
  absl::StatusOr<TablePlan> made =
      PlanReplication(request_.filter, *rule, event.schema, current, database_, cluster_.version());
  if (!made.ok()) return made.status();
  plan = *std::move(made);
  return &*plan;
}

void TabletStream::FillRow(const TablePlan& plan, const Row& row, const std::vector<bool>& absent,
                           const std::vector<Cell>& differences, query::Row& out) const {
  for (const size_t column : plan.columns) {
    if (!differences.empty() && differences[column].has_value()) {
      out.add_lengths(static_cast<int64_t>(differences[column]->size()));
      out.mutable_values()->append(*differences[column]);
      continue;
    }
    const Cell& cell = row[column];
    if (!cell.has_value() || (!absent.empty() && absent[column])) {
      out.add_lengths(-1);
      continue;
    }
    const std::string text = BinlogText(plan.images->columns[column], *cell, cluster_.version());
    out.add_lengths(static_cast<int64_t>(text.size()));
    out.mutable_values()->append(text);
  }
}

absl::Status TabletStream::AddChange(const TablePlan& plan, const LoggedChange& change,
                                     binlogdata::RowEvent& row_event) const {
  bool before = false;
  bool after = false;
  for (const auto& [row, passes] :
       {std::pair(change.before, &before), std::pair(change.after, &after)}) {
    if (row == nullptr) continue;
    const absl::StatusOr<bool> passed = Passes(plan, *row);
    if (!passed.ok()) return passed.status();
    *passes = *passed;
  }
  if (!before && !after) return absl::OkStatus();
  const bool both = cluster_.version().sends_both_images;
  static const PartialImages kComplete;
  const PartialImages& partial = change.partial == nullptr ? kComplete : *change.partial;
  binlogdata::RowChange& row_change = *row_event.add_row_changes();
  if (change.before != nullptr && (before || both))
    FillRow(plan, *change.before, partial.absent_before, {}, *row_change.mutable_before());
  if (change.after != nullptr && (after || both)) {
    FillRow(plan, *change.after, partial.absent_after, partial.json_differences,
            *row_change.mutable_after());
    SetBitmaps(*plan.images, partial, row_change);
  }
  return absl::OkStatus();
}

// vttablet's bufferAndTransmit: a row event that would exceed the packet opens a new one.
void TabletStream::AppendRowPacket(binlogdata::VEvent event, size_t bytes,
                                   std::vector<Packet>& packets) {
  if (packet_size_ + bytes > options_.packet_bytes) {
    packets.emplace_back();
    packet_size_ = 0;
  }
  packet_size_ += bytes;
  packets.back().push_back(std::move(event));
}

absl::Status TabletStream::AddRows(const LoggedTransaction& transaction, const RowsEvent& event,
                                   std::vector<Packet>& packets) {
  const bool first = plans_.count(event.table_id) == 0;
  const absl::StatusOr<const TablePlan*> plan = PlanOf(event);
  if (!plan.ok()) return plan.status();
  if (*plan == nullptr || !SendsTable(event.schema->name)) return absl::OkStatus();
  if (first) {
    binlogdata::VEvent field = LoggedEvent(binlogdata::FIELD, transaction);
    field.MergeFrom(FieldEvent(**plan, (*plan)->has_enum_or_set));
    packets.back().push_back(std::move(field));
  }
  binlogdata::VEvent row = LoggedEvent(binlogdata::ROW, transaction);
  binlogdata::RowEvent& row_event = *row.mutable_row_event();
  row_event.set_table_name(event.schema->name);
  row_event.set_keyspace(request_.keyspace);
  row_event.set_shard(request_.shard);
  row_event.set_flags(kAlways | (event.ends_statement ? kStatementEnd : 0));
  for (const LoggedChange& change : event.changes) {
    if (absl::Status status = AddChange(**plan, change, row_event); !status.ok()) return status;
  }
  if (row_event.row_changes().empty()) return absl::OkStatus();
  const size_t bytes = ValueBytes(row_event);
  AppendRowPacket(std::move(row), bytes, packets);
  return absl::OkStatus();
}

TabletStream::Step TabletStream::Deliver(const LoggedTransaction& transaction) {
  Step step;
  step.kind = Step::Kind::kGroup;
  step.point = Point(StreamPoint::Kind::kTransaction);
  step.packets.emplace_back();
  packet_size_ = 0;
  const vitess::GtidSet before = std::exchange(position_, position_.Union(GtidOf(transaction)));
  const bool own = transaction.keyspace == request_.keyspace && transaction.shard == request_.shard;
  if (transaction.kind == LoggedTransaction::Kind::kDefinition) {
    const bool named = std::any_of(
        transaction.tables.begin(), transaction.tables.end(),
        [&](const std::string& table) { return MatchRule(request_.filter, table) != nullptr; });
    const bool matches = own && (named || transaction.unparsed);
    binlogdata::VEvent event =
        LoggedEvent(matches ? binlogdata::DDL : binlogdata::OTHER, transaction);
    if (matches) event.set_statement(transaction.statement);
    step.packets.back() = {GtidEvent(), std::move(event)};
    return step;
  }
  step.packets.back().push_back(LoggedEvent(binlogdata::BEGIN, transaction));
  if (own && transaction.kind == LoggedTransaction::Kind::kJournal) {
    binlogdata::VEvent event = LoggedEvent(binlogdata::JOURNAL, transaction);
    *event.mutable_journal() = transaction.journal;
    step.packets.back().push_back(std::move(event));
    if (transaction.journal.migration_type() == binlogdata::SHARDS)
      step.point = Point(StreamPoint::Kind::kJournal);
  }
  for (const RowsEvent& event : transaction.events) {
    if (!own) break;
    const absl::Status status = AddRows(transaction, event, step.packets);
    if (status.ok()) continue;
    // The failed transaction's GTID is told, but the position stays before it.
    const std::string reached = position_.ToString();
    position_ = before;
    return Error(absl::UnknownError(Cat(
        "stream (at source tablet) error @ ",
        cluster_.version().tells_failed_gtid ? "(including the GTID we failed to process) " : "",
        reached, ": ", status.message())));
  }
  step.packets.back().push_back(GtidEvent());
  step.packets.back().push_back(LoggedEvent(binlogdata::COMMIT, transaction));
  return step;
}

TabletStream::Step TabletStream::Replicate() {
  LoggedTransactionPointer transaction;
  if (std::optional<Step> lost = ReadTransaction(transaction); lost.has_value())
    return *std::move(lost);
  if (transaction == nullptr) return Step();
  return Deliver(*transaction);
}

// --- copying

TabletStream::Step TabletStream::NextTable() {
  Step step;
  step.kind = Step::Kind::kPoint;
  plans_.clear();
  if (copying_ == copies_.size()) {
    phase_ = Phase::kCopyDone;
    return step;
  }
  phase_ = Phase::kCatchup;
  next_tick_ = absl::Now() + options_.catchup_tick;
  catchup_target_ = Executed();
  return step;
}

// Delivers at least what had been executed when it began, and ends at a tick: at once if nothing
// more is there, or although writes go on. What it leaves is for the fast-forward.
TabletStream::Step TabletStream::Catchup() {
  LoggedTransactionPointer transaction;
  if (std::optional<Step> lost = ReadTransaction(transaction); lost.has_value())
    return *std::move(lost);
  const absl::Time now = absl::Now();
  const bool ticked = now >= next_tick_;
  if (transaction != nullptr && !(ticked && position_.Contains(catchup_target_)))
    return Deliver(*transaction);
  Step step;
  if (!ticked) {
    step.wake = next_tick_;
    return step;
  }
  phase_ = Phase::kSnapshot;
  plans_.clear();
  step.kind = Step::Kind::kPoint;
  step.point = Point(StreamPoint::Kind::kCatchupEnded);
  return step;
}

TabletStream::Step TabletStream::Snapshot() {
  const CopyPlan& copy = copies_[copying_];
  Step lost;
  lost.kind = Step::Kind::kLost;
  bool there = false;
  const absl::Status status = cluster_.Read([&](ClusterState& state) {
    Shard* shard = state.FindKeyspace(request_.keyspace)->FindShard(request_.shard);
    if (shard == nullptr || shard->FindTablet(request_.type) == nullptr) return absl::OkStatus();
    there = true;
    const TabletView tablet = shard->ViewOf(request_.type);
    const Table* table = tablet.FindTable(copy.table);
    if (table == nullptr)
      return absl::UnknownError(Cat("unknown table ", copy.table, " in schema"));
    const size_t key_columns = table->schema->CopyKey().size();
    if (copy.lastpk.has_value() &&
        static_cast<size_t>(copy.lastpk->rows(0).lengths_size()) != key_columns) {
      return absl::UnknownError(
          Cat("cannot build a row streamer plan for the ", copy.table,
              " table as a lastpk value was provided and the number of primary key values ",
              "within it (", copy.lastpk->rows(0).lengths_size(),
              ") does not match the number of primary key columns in the ", "table (", key_columns,
              ")"));
    }
    absl::StatusOr<TablePlan> plan =
        PlanCopy(*MatchRule(request_.filter, copy.table), table->schema, database_);
    if (!plan.ok()) return plan.status();
    copy_plan_ = *std::move(plan);
    snapshot_ = RowsInCopyOrder(*table);
    snapshot_position_ = *tablet.executed;
    return absl::OkStatus();
  });
  if (!status.ok()) return Error(status);
  if (!there) return lost;
  std::vector<RowPointer> rows;
  for (RowPointer& row : snapshot_) {
    if (copy.lastpk.has_value() && !IsBehind(*copy_plan_.images, *row, copy.lastpk->rows(0)))
      continue;
    const absl::StatusOr<bool> passes = Passes(copy_plan_, *row);
    if (!passes.ok()) return Error(passes.status());
    if (*passes) rows.push_back(std::move(row));
  }
  snapshot_ = std::move(rows);
  next_row_ = 0;
  rows_copied_ = 0;
  const bool behind = !position_.empty() && !position_.Contains(snapshot_position_);
  phase_ = behind ? Phase::kFastForward : Phase::kFirstBatch;
  Step step;
  step.kind = Step::Kind::kPoint;
  step.point = Point(StreamPoint::Kind::kSnapshotTaken);
  return step;
}

TabletStream::Step TabletStream::FastForward() {
  LoggedTransactionPointer transaction;
  if (std::optional<Step> lost = ReadTransaction(transaction); lost.has_value())
    return *std::move(lost);
  if (transaction != nullptr && ContainsGtid(snapshot_position_, *transaction)) {
    Step step = Deliver(*transaction);
    if (position_.Contains(snapshot_position_)) {
      phase_ = Phase::kFirstBatch;
      plans_.clear();
    }
    return step;
  }
  if (held_) return Step();
  return Error(absl::UnknownError(Cat("position after fastforward was ", position_.ToString(),
                                      " but stopPos was ", snapshot_position_.ToString())));
}

// Fills a packet up to its size; every row is an event of its own (reference 2.5).
void TabletStream::AddBatchRows(Packet& packet) {
  const TableSchema& schema = *copy_plan_.images;
  size_t bytes = 0;
  for (; next_row_ < snapshot_.size() && bytes < options_.packet_bytes; ++next_row_) {
    binlogdata::VEvent event = PlainEvent(binlogdata::ROW);
    binlogdata::RowEvent& row_event = *event.mutable_row_event();
    row_event.set_table_name(schema.name);
    row_event.set_keyspace(request_.keyspace);
    row_event.set_shard(request_.shard);
    query::Row& after = *row_event.add_row_changes()->mutable_after();
    const Row& row = *snapshot_[next_row_];
    for (const size_t column : copy_plan_.columns) {
      if (!row[column].has_value()) {
        after.add_lengths(-1);
        continue;
      }
      const std::string text = CopyText(schema.columns[column], *row[column]);
      after.add_lengths(static_cast<int64_t>(text.size()));
      after.mutable_values()->append(text);
    }
    bytes += after.values().size();
    ++rows_copied_;
    packet.push_back(std::move(event));
  }
  query::QueryResult lastpk;
  query::Row& key = *lastpk.add_rows();
  const Row& last = *snapshot_[next_row_ - 1];
  for (const size_t column : schema.CopyKey()) {
    const query::Field full = Told(schema.FieldOf(column, ""));
    query::Field& field = *lastpk.add_fields();
    field.set_name(full.name());
    field.set_type(full.type());
    field.set_charset(full.charset());
    field.set_flags(full.flags());
    const Cell text =
        last[column].has_value() ? Cell(CopyText(schema.columns[column], *last[column])) : Cell();
    key.add_lengths(text.has_value() ? static_cast<int64_t>(text->size()) : -1);
    if (text.has_value()) key.mutable_values()->append(*text);
  }
  copies_[copying_].lastpk = std::move(lastpk);
  packet.push_back(LastPkEvent(false));
  packet.push_back(PlainEvent(binlogdata::COMMIT));
}

binlogdata::VEvent TabletStream::LastPkEvent(bool completed) const {
  const CopyPlan& copy = copies_[copying_];
  binlogdata::VEvent event = PlainEvent(binlogdata::LASTPK);
  binlogdata::LastPKEvent& last = *event.mutable_last_p_k_event();
  last.set_completed(completed);
  last.mutable_table_last_p_k()->set_table_name(copy.table);
  if (!completed) *last.mutable_table_last_p_k()->mutable_lastpk() = *copy.lastpk;
  return event;
}

TabletStream::Step TabletStream::FirstBatch() {
  Step step;
  step.kind = Step::Kind::kGroup;
  step.packets = {{PlainEvent(binlogdata::BEGIN), FieldEvent(copy_plan_, true)}};
  if (!(position_ == snapshot_position_)) {
    position_ = snapshot_position_;
    step.packets.push_back({GtidEvent()});
  }
  if (snapshot_.empty()) {
    // Without a row there is no COMMIT before that of the end: VTGate sends both together.
    Step done = TableDone();
    step.packets.push_back(std::move(done.packets[0]));
    step.point = std::move(done.point);
    return step;
  }
  step.packets.emplace_back();
  AddBatchRows(step.packets.back());
  step.point = Point(StreamPoint::Kind::kRowsCopied);
  phase_ = next_row_ < snapshot_.size() ? Phase::kBatch : Phase::kTableDone;
  return step;
}

TabletStream::Step TabletStream::Batch() {
  Step step;
  step.kind = Step::Kind::kGroup;
  step.packets = {{PlainEvent(binlogdata::BEGIN)}, {}};
  AddBatchRows(step.packets.back());
  step.point = Point(StreamPoint::Kind::kRowsCopied);
  if (next_row_ == snapshot_.size()) phase_ = Phase::kTableDone;
  return step;
}

TabletStream::Step TabletStream::TableDone() {
  Step step;
  step.kind = Step::Kind::kGroup;
  step.packets = {
      {PlainEvent(binlogdata::BEGIN), LastPkEvent(true), PlainEvent(binlogdata::COMMIT)}};
  step.point = Point(StreamPoint::Kind::kTableCopied);
  copies_[copying_].done = true;
  ++copying_;
  snapshot_.clear();
  NextTable();
  return step;
}

TabletStream::Step TabletStream::CopyDone() {
  Step step;
  step.kind = Step::Kind::kGroup;
  step.packets = {{PlainEvent(binlogdata::COPY_COMPLETED)}};
  step.point = Point(StreamPoint::Kind::kCopyCompleted);
  phase_ = Phase::kReplicate;
  plans_.clear();
  return step;
}

}  // namespace source_vitess::simulator
