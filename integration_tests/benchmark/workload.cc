#include "benchmark/workload.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmark/sample_table.h"
#include "vitess/binlogdata.pb.h"

namespace source_vitess::benchmark {
namespace {

// Numbers begin here, and have ten digits whatever the number of rows.
constexpr uint64_t kBase = 1'000'000'000;
constexpr size_t kDigits = 10;

// A mark is as long as the number in its place, and begins with a byte that no sample row has.
constexpr char kMark = '\x01';
constexpr char kKeyMark = 'K';
constexpr char kTransactionMark = 'G';

constexpr char kServerUuid[] = "2d4059f8-e696-11f1-8e80-02fc00000001";

// VStream's --vstream-packet-size, counted on the values of rows alone.
constexpr size_t kPacketBytes = 250'000;

// MySQL's binlog_row_event_max_size makes a ROW event of a bulk insert about this large.
constexpr uint64_t kBulkChanges = 25;

constexpr uint64_t kSeed = 20261122;
constexpr int64_t kCommitSeconds = 1'795'363'815;

std::string GtidSetTo(const std::string& end) { return absl::StrCat(kServerUuid, ":1-", end); }

// Events of one transaction as VTGate labels them.
class Events {
 public:
  Events(SampleTable table, RowForm form) : table_(table), form_(form) {}

  void Add(binlogdata::VEventType type) { NewEvent(type); }

  // A COPY_COMPLETED over all shards names none.
  void AddOverall(binlogdata::VEventType type) { response_.add_events()->set_type(type); }

  void AddFields() {
    binlogdata::FieldEvent& fields = *NewEvent(binlogdata::FIELD).mutable_field_event();
    fields.set_table_name(TableName(table_));
    fields.set_keyspace(kKeyspace);
    fields.set_shard(kShard);
    fields.set_enum_set_string_values(form_ == RowForm::kCopy || table_ == SampleTable::kAllTypes);
    for (const SampleColumn& column : SampleColumns(table_)) AddField(column, *fields.add_fields());
  }

  binlogdata::RowEvent& AddRowEvent() {
    binlogdata::RowEvent& rows = *NewEvent(binlogdata::ROW).mutable_row_event();
    rows.set_table_name(TableName(table_));
    rows.set_keyspace(kKeyspace);
    rows.set_shard(kShard);
    if (form_ == RowForm::kBinlog) rows.set_flags(17);
    return rows;
  }

  // `last_key`: of a copy that goes on behind it; empty: none.
  void AddVgtid(const std::string& gtid_set, const std::string& last_key = "") {
    // Unlike the others, this event has no time (recording replicate-transactions).
    binlogdata::VEvent& event = *response_.add_events();
    event.set_type(binlogdata::VGTID);
    event.set_keyspace(kKeyspace);
    event.set_shard(kShard);
    binlogdata::ShardGtid& shard = *event.mutable_vgtid()->add_shard_gtids();
    shard.set_keyspace(kKeyspace);
    shard.set_shard(kShard);
    shard.set_gtid(absl::StrCat("MySQL56/", gtid_set));
    if (last_key.empty()) return;
    binlogdata::TableLastPK& entry = *shard.add_table_p_ks();
    entry.set_table_name(TableName(table_));
    const SampleColumn& key = SampleColumns(table_)[0];
    query::Field& field = *entry.mutable_lastpk()->add_fields();
    field.set_name(key.name);
    field.set_type(key.wire_type);
    field.set_charset(key.charset);
    field.set_flags(key.flags);
    query::Row& row = *entry.mutable_lastpk()->add_rows();
    row.add_lengths(static_cast<int64_t>(last_key.size()));
    row.set_values(last_key);
  }

  const vtgate::VStreamResponse& response() const { return response_; }

 private:
  binlogdata::VEvent& NewEvent(binlogdata::VEventType type) {
    binlogdata::VEvent& event = *response_.add_events();
    event.set_type(type);
    event.set_keyspace(kKeyspace);
    event.set_shard(kShard);
    if (form_ == RowForm::kBinlog) {
      event.set_timestamp(kCommitSeconds);
      event.set_current_time(kCommitSeconds * 1'000'000'000 + 3'481'392);
      event.set_commit_parent(20);
      event.set_sequence_number(265);
      event.set_event_gtid(absl::StrCat(kServerUuid, ":", MessageTemplate::TransactionMark()));
    }
    return event;
  }

  void AddField(const SampleColumn& column, query::Field& field) const {
    field.set_name(column.name);
    field.set_type(column.wire_type);
    field.set_table(TableName(table_));
    field.set_org_table(TableName(table_));
    field.set_database(absl::StrCat("vt_", kKeyspace));
    field.set_org_name(column.name);
    field.set_column_length(column.length);
    field.set_charset(column.charset);
    field.set_decimals(column.decimals);
    field.set_flags(column.flags);
    field.set_column_type(column.type);
  }

  const SampleTable table_;
  const RowForm form_;
  vtgate::VStreamResponse response_;
};

// Rows of a copy, with the position behind them.
vtgate::VStreamResponse CopyBatch(SampleTable table, uint64_t rows, SampleRows& sample) {
  Events events(table, RowForm::kCopy);
  for (uint64_t i = 0; i < rows; ++i) {
    *events.AddRowEvent().add_row_changes()->mutable_after() =
        sample.Next(MessageTemplate::KeyMark(i));
  }
  events.AddVgtid(GtidSetTo(absl::StrCat(kBase)), MessageTemplate::KeyMark(rows - 1));
  events.Add(binlogdata::COMMIT);
  return events.response();
}

// How many rows fill a packet.
uint64_t RowsOfPacket(SampleTable table, RowForm form) {
  SampleRows sample(table, form, kSeed);
  size_t bytes = 0;
  uint64_t rows = 0;
  while (bytes < kPacketBytes) {
    bytes += sample.Next(MessageTemplate::KeyMark(rows++)).values().size();
  }
  return rows;
}

// Of every five ROW events two insert, two update and one deletes.
void AddChanges(Events& events, uint64_t first, uint64_t changes, SampleRows& sample) {
  constexpr uint64_t kChangesOfEvent = 4;
  for (uint64_t i = 0; i < changes; i += kChangesOfEvent) {
    const uint64_t kind = i / kChangesOfEvent % 5;
    binlogdata::RowEvent& rows = events.AddRowEvent();
    for (uint64_t k = i; k < std::min(changes, i + kChangesOfEvent); ++k) {
      const std::string key = MessageTemplate::KeyMark(first + k);
      binlogdata::RowChange& change = *rows.add_row_changes();
      if (kind >= 2) *change.mutable_before() = sample.Next(key);
      if (kind <= 3) *change.mutable_after() = sample.Next(key);
    }
  }
}

vtgate::VStreamResponse Transaction(SampleTable table, bool with_fields, uint64_t changes,
                                    SampleRows& sample) {
  Events events(table, RowForm::kBinlog);
  events.Add(binlogdata::BEGIN);
  if (with_fields) events.AddFields();
  AddChanges(events, 0, changes, sample);
  events.AddVgtid(GtidSetTo(MessageTemplate::TransactionMark()));
  events.Add(binlogdata::COMMIT);
  return events.response();
}

void AddBulk(Events& events, uint64_t rows, SampleRows& sample) {
  for (uint64_t i = 0; i < rows; i += kBulkChanges) {
    binlogdata::RowEvent& event = events.AddRowEvent();
    for (uint64_t k = i; k < std::min(rows, i + kBulkChanges); ++k) {
      *event.add_row_changes()->mutable_after() = sample.Next(MessageTemplate::KeyMark(k));
    }
  }
}

constexpr char kOfAllTypes[] = "all-types-";

const char* KindName(WorkloadKind kind) {
  switch (kind) {
    case WorkloadKind::kCopy:
      return "copy";
    case WorkloadKind::kReplication:
      return "replication";
    case WorkloadKind::kLargeTransaction:
      return "large-transaction";
  }
  return "";
}

void WriteNumber(uint64_t number, char* out) { std::to_chars(out, out + kDigits, number); }

}  // namespace

std::string WorkloadName(const WorkloadChoice& choice) {
  return absl::StrCat(choice.table == SampleTable::kAllTypes ? kOfAllTypes : "",
                      KindName(choice.kind));
}

absl::StatusOr<WorkloadChoice> ParseWorkload(std::string_view name) {
  for (const SampleTable table : {SampleTable::kOrders, SampleTable::kAllTypes}) {
    for (const WorkloadKind kind :
         {WorkloadKind::kCopy, WorkloadKind::kReplication, WorkloadKind::kLargeTransaction}) {
      const WorkloadChoice choice{kind, table};
      if (WorkloadName(choice) == name) return choice;
    }
  }
  return absl::InvalidArgumentError(absl::StrCat("there is no workload ", std::string(name)));
}

std::string MessageTemplate::KeyMark(size_t index) {
  return absl::StrFormat("%c%c%08d", kMark, kKeyMark, index);
}

std::string MessageTemplate::TransactionMark() {
  return absl::StrFormat("%c%c%08d", kMark, kTransactionMark, 0);
}

MessageTemplate::MessageTemplate(const vtgate::VStreamResponse& response, uint64_t rows,
                                 uint64_t transactions)
    : bytes_(response.SerializeAsString()), rows_(rows), transactions_(transactions) {
  for (size_t offset = bytes_.find(kMark); offset != std::string::npos;
       offset = bytes_.find(kMark, offset + 1)) {
    // Lengths and tags may have the mark's first byte too.
    const std::string_view mark = std::string_view(bytes_).substr(offset, kDigits);
    if (mark.size() < kDigits || (mark[1] != kKeyMark && mark[1] != kTransactionMark)) continue;
    Gap gap{offset, mark[1] == kKeyMark, 0};
    const char* end = mark.data() + mark.size();
    const auto parsed = std::from_chars(mark.data() + 2, end, gap.index);
    if (parsed.ec == std::errc() && parsed.ptr == end) gaps_.push_back(gap);
  }
}

void MessageTemplate::Render(uint64_t first_key, uint64_t transaction, char* out) const {
  std::memcpy(out, bytes_.data(), bytes_.size());
  for (const Gap& gap : gaps_) {
    WriteNumber(gap.is_key ? first_key + gap.index : transaction, out + gap.offset);
  }
}

Workload::Workload(const WorkloadChoice& choice, uint64_t rows) : choice_(choice), rows_(rows) {
  switch (choice.kind) {
    case WorkloadKind::kCopy:
      MakeCopy();
      break;
    case WorkloadKind::kReplication:
      MakeReplication();
      break;
    case WorkloadKind::kLargeTransaction:
      MakeLargeTransaction();
      break;
  }
  uint64_t transactions = 0;
  for (const Part& part : parts_) {
    for (const size_t index : part.templates) {
      transactions += part.repeat * templates_[index].transactions();
    }
  }
  start_ = GtidSetTo(absl::StrCat(kBase));
  executed_ = GtidSetTo(absl::StrCat(kBase + transactions));
}

void Workload::AddPart(std::vector<size_t> templates, uint64_t repeat) {
  if (repeat > 0) parts_.push_back({std::move(templates), repeat});
}

size_t Workload::AddTemplate(const vtgate::VStreamResponse& response, uint64_t rows,
                             uint64_t transactions) {
  templates_.emplace_back(response, rows, transactions);
  return templates_.size() - 1;
}

// [B F] [V] [R.. V C] ([B] [R.. V C]).. [B V C] [COPY_COMPLETED COPY_COMPLETED]
void Workload::MakeCopy() {
  SampleRows sample(choice_.table, RowForm::kCopy, kSeed);
  const uint64_t whole = std::min(rows_, RowsOfPacket(choice_.table, RowForm::kCopy));
  const uint64_t rest = rows_ % whole;

  Events fields(choice_.table, RowForm::kCopy);
  fields.Add(binlogdata::BEGIN);
  fields.AddFields();
  Events snapshot(choice_.table, RowForm::kCopy);
  snapshot.AddVgtid(GtidSetTo(absl::StrCat(kBase)));
  Events begin(choice_.table, RowForm::kCopy);
  begin.Add(binlogdata::BEGIN);
  Events end(choice_.table, RowForm::kCopy);
  end.Add(binlogdata::BEGIN);
  end.AddVgtid(GtidSetTo(absl::StrCat(kBase)));
  end.Add(binlogdata::COMMIT);
  Events completed(choice_.table, RowForm::kCopy);
  completed.Add(binlogdata::COPY_COMPLETED);
  completed.AddOverall(binlogdata::COPY_COMPLETED);

  const size_t begin_message = AddTemplate(begin.response());
  const size_t batch = AddTemplate(CopyBatch(choice_.table, whole, sample), whole);
  AddPart({AddTemplate(fields.response()), AddTemplate(snapshot.response()), batch});
  AddPart({begin_message, batch}, rows_ / whole - 1);
  if (rest > 0) AddPart({begin_message, AddTemplate(CopyBatch(choice_.table, rest, sample), rest)});
  AddPart({AddTemplate(end.response()), AddTemplate(completed.response())});
}

// [B F R.. V C] [B R.. V C]..
void Workload::MakeReplication() {
  constexpr uint64_t kChanges = 20;
  // Several, so that rows differ beyond a single transaction.
  constexpr uint64_t kTransactions = 32;
  SampleRows sample(choice_.table, RowForm::kBinlog, kSeed);
  const uint64_t first = std::min(rows_, kChanges);
  AddPart({AddTemplate(Transaction(choice_.table, true, first, sample), first, 1)});

  std::vector<size_t> transactions;
  for (uint64_t i = 0; i < kTransactions; ++i) {
    transactions.push_back(
        AddTemplate(Transaction(choice_.table, false, kChanges, sample), kChanges, 1));
  }
  const uint64_t whole = (rows_ - first) / kChanges;
  AddPart(transactions, whole / kTransactions);
  AddPart({transactions[0]}, whole % kTransactions);
  const uint64_t rest = (rows_ - first) % kChanges;
  if (rest > 0) AddPart({AddTemplate(Transaction(choice_.table, false, rest, sample), rest, 1)});
}

// [B F R..] [R..].. [R.. V C]
void Workload::MakeLargeTransaction() {
  SampleRows sample(choice_.table, RowForm::kBinlog, kSeed);
  const uint64_t packet = RowsOfPacket(choice_.table, RowForm::kBinlog);
  const uint64_t first = std::min(rows_, packet);
  const uint64_t last = (rows_ - first) % packet;

  Events begin(choice_.table, RowForm::kBinlog);
  begin.Add(binlogdata::BEGIN);
  begin.AddFields();
  AddBulk(begin, first, sample);
  Events middle(choice_.table, RowForm::kBinlog);
  AddBulk(middle, packet, sample);
  Events end(choice_.table, RowForm::kBinlog);
  AddBulk(end, last, sample);
  end.AddVgtid(GtidSetTo(MessageTemplate::TransactionMark()));
  end.Add(binlogdata::COMMIT);

  AddPart({AddTemplate(begin.response(), first)});
  AddPart({AddTemplate(middle.response(), packet)}, (rows_ - first) / packet);
  AddPart({AddTemplate(end.response(), last, 1)});
}

uint64_t Workload::messages() const {
  return std::accumulate(
      parts_.begin(), parts_.end(), uint64_t{0},
      [](uint64_t sum, const Part& part) { return sum + part.repeat * part.templates.size(); });
}

uint64_t Workload::bytes() const {
  uint64_t bytes = 0;
  for (const Part& part : parts_) {
    for (const size_t index : part.templates) bytes += part.repeat * templates_[index].size();
  }
  return bytes;
}

vtgate::VStreamRequest Workload::Request() const {
  vtgate::VStreamRequest request;
  request.set_tablet_type(topodata::PRIMARY);
  binlogdata::ShardGtid& shard = *request.mutable_vgtid()->add_shard_gtids();
  shard.set_keyspace(kKeyspace);
  shard.set_shard(kShard);
  if (choice_.kind != WorkloadKind::kCopy) shard.set_gtid(absl::StrCat("MySQL56/", start_));
  binlogdata::Rule& rule = *request.mutable_filter()->add_rules();
  rule.set_match(TableName(choice_.table));
  rule.set_filter(absl::StrCat("select * from `", TableName(choice_.table), "`"));
  request.mutable_flags()->set_exclude_keyspace_from_table_name(true);
  return request;
}

WorkloadReader::WorkloadReader(const Workload& workload) : workload_(workload) {}

const MessageTemplate& WorkloadReader::Current() const {
  return workload_.templates_[workload_.parts_[part_].templates[place_]];
}

void WorkloadReader::Next(char* out) {
  const MessageTemplate& current = Current();
  // A transaction's number is that of the set which has it, so it counts from one.
  current.Render(kBase + key_, kBase + transaction_ + 1, out);
  key_ += current.rows();
  transaction_ += current.transactions();

  const Workload::Part& part = workload_.parts_[part_];
  if (++place_ < part.templates.size()) return;
  place_ = 0;
  if (++round_ < part.repeat) return;
  round_ = 0;
  ++part_;
}

}  // namespace source_vitess::benchmark
