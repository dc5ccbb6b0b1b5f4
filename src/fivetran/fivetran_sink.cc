#include "fivetran/fivetran_sink.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "fivetran/connector_sdk.pb.h"
#include "fivetran/record_batch.h"

namespace source_vitess::fivetran {
namespace {

namespace sdk = fivetran_sdk::v2;

// What is sent of rows for each byte of a checkpoint, unless they have waited for long.
constexpr uint64_t kBytesPerStateByte = 8;

// Of a message for the dashboard.
constexpr size_t kLongestMessage = 16'000;

std::string Values(uint64_t count) {
  return absl::StrCat(count, count == 1 ? " value" : " values");
}

std::string Describe(const AlteredValues& values) {
  std::vector<std::string> parts;
  if (values.nulled > 0) {
    parts.push_back(absl::StrCat(Values(values.nulled),
                                 " that the destination's type has no place for became NULL"));
  }
  if (values.epochs > 0) {
    parts.push_back(absl::StrCat(Values(values.epochs),
                                 " of the key that are no dates became the beginning of 1970"));
  }
  if (values.replaced > 0) {
    parts.push_back(absl::StrCat(Values(values.replaced),
                                 " had bytes that mean nothing in the column's character set, "
                                 "which became U+FFFD"));
  }
  return absl::StrJoin(parts, "; ");
}

}  // namespace

FivetranSink::FivetranSink(ResponseStream& out, const mysql::TypeOptions& types,
                           const Policy& policy)
    : out_(out), types_(types), policy_(policy), columns_(types), last_checkpoint_(absl::Now()) {}

void FivetranSink::TakeOver(const mysql::TableSchema& table, std::span<const std::string> columns,
                            const TableState& state) {
  // A key that is not known is taken for today's.
  for (const auto& [shard, gtid] : state.position.since) {
    since_[{table.keyspace, table.name}].insert(shard);
  }
  state_.Set(table.keyspace, table.name, state.position,
             state.key.has_value() ? *state.key : table.key, columns);
}

std::unique_ptr<sync::RowBatch> FivetranSink::NewBatch() {
  return std::make_unique<RecordBatch>(types_, columns_);
}

// The engine begins work on a table before it knows whether it can be read, and what it begins from
// nothing is emptied when there is something to put in its place.
absl::Status FivetranSink::Started(const sync::Table& table) {
  if (tables_.size() <= table.index) tables_.resize(table.index + 1);
  tables_[table.index] = &table;
  return absl::OkStatus();
}

absl::Status FivetranSink::Begin(const sync::Table& table) {
  const Name name(table.keyspace(), table.name());
  if (state_.Has(name.first, name.second) || !begun_.insert(name).second) {
    return absl::OkStatus();
  }
  emptied_.insert(name);
  absl::Status status = Announce(table.keyspace(), columns_.Describe(table));
  return status.ok() ? SendTruncate(table) : status;
}

absl::Status FivetranSink::Announce(const std::string& keyspace, sdk::Table table) {
  sdk::UpdateResponse response;
  sdk::Schema& schema = *response.mutable_schema_change()->mutable_with_schema()->add_schemas();
  schema.set_name(keyspace);
  *schema.add_tables() = std::move(table);
  return Send(response.SerializeAsString());
}

absl::Status FivetranSink::SendTruncate(const sync::Table& table) {
  sdk::UpdateResponse response;
  sdk::Record& record = *response.mutable_records()->add_records();
  record.set_schema_name(table.keyspace());
  record.set_table_name(table.name());
  record.set_type(sdk::TRUNCATE);
  return Send(response.SerializeAsString());
}

absl::Status FivetranSink::Write(const sync::RowBatch& batch) {
  const auto& records = static_cast<const RecordBatch&>(batch);  // NewBatch made it
  for (const sync::RecordCount& count : records.counts()) {
    if (absl::Status status = Begin(*tables_[count.table]); !status.ok()) return status;
    records_ += count.records;
  }
  for (const AlteredColumn& column : records.altered()) {
    const sync::Table& table = *tables_[column.table];
    AlteredValues& sum = altered_[{table.keyspace(), table.name()}][column.name];
    sum.nulled += column.values.nulled;
    sum.epochs += column.values.epochs;
    sum.replaced += column.values.replaced;
  }
  for (const std::string_view message : records.Messages()) {
    if (absl::Status status = Send(message); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status FivetranSink::Truncate(const sync::Table& table) {
  if (absl::Status status = Begin(table); !status.ok()) return status;
  return SendTruncate(table);
}

absl::Status FivetranSink::Checkpoint(std::span<const sync::TableCheckpoint> checkpoints) {
  bool is_wanted = false;
  for (const sync::TableCheckpoint& checkpoint : checkpoints) {
    const sync::Table& table = *checkpoint.table;
    if (absl::Status status = Begin(table); !status.ok()) return status;
    is_wanted |= BeginsInShard(table, *checkpoint.position);
    state_.Set(table.keyspace(), table.name(), *checkpoint.position, table.schema.key,
               table.columns);
  }
  return is_wanted || CheckpointIsDue(absl::Now()) ? SendCheckpoint() : absl::OkStatus();
}

bool FivetranSink::BeginsInShard(const sync::Table& table, const sync::TablePosition& position) {
  const Name name(table.keyspace(), table.name());
  if (position.since.empty()) {
    since_.erase(name);
    return false;
  }
  std::set<std::string>& known = since_[name];
  bool begins = false;
  for (const auto& [shard, gtid] : position.since) begins |= known.insert(shard).second;
  return begins && !emptied_.contains(name);
}

bool FivetranSink::CheckpointIsDue(absl::Time now) const {
  const absl::Duration passed = now - last_checkpoint_;
  if (passed >= policy_.most) return true;
  const bool is_wanted = records_ >= policy_.records || (records_ > 0 && passed >= policy_.usual);
  return is_wanted && bytes_ >= kBytesPerStateByte * state_bytes_;
}

absl::Status FivetranSink::Finished(const sync::Table& table, const absl::Status&) {
  return Started(table);
}

absl::Status FivetranSink::Warn(std::string_view message) {
  sdk::UpdateResponse response;
  response.mutable_warning()->set_message(BoundedText(message, kLongestMessage));
  return Send(response.SerializeAsString());
}

absl::Status FivetranSink::GiveTask(std::string_view message) {
  sdk::UpdateResponse response;
  response.mutable_task()->set_message(BoundedText(message, kLongestMessage));
  return Send(response.SerializeAsString());
}

absl::Status FivetranSink::WarnOfAlteredValues() {
  for (const auto& [name, columns] : std::exchange(altered_, {})) {
    std::vector<std::string> lines;
    for (const auto& [column, values] : columns) {
      lines.push_back(absl::StrCat("column ", column, ": ", Describe(values)));
    }
    absl::Status status = Warn(absl::StrCat("Table ", name.first, ".", name.second, ", ",
                                            absl::StrJoin(lines, "; "), "."));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status FivetranSink::SendCheckpoint() {
  sdk::UpdateResponse response;
  response.mutable_checkpoint()->set_state_json(state_.ToJson());
  const std::string message = response.SerializeAsString();
  absl::Status status = Send(message);
  emptied_.clear();
  records_ = 0;
  bytes_ = 0;
  last_checkpoint_ = absl::Now();
  state_bytes_ = message.size();
  return status;
}

absl::Status FivetranSink::Send(std::string_view message) {
  bytes_ += message.size();
  return out_.Write(message);
}

std::optional<sync::TablePosition> FivetranSink::Position(const std::string& keyspace,
                                                          const std::string& table) const {
  std::optional<TableState> state = state_.Find(keyspace, table);
  if (!state.has_value()) return std::nullopt;
  return std::move(state->position);
}

void FivetranSink::Forget(const std::string& keyspace, const std::string& table) {
  state_.Remove(keyspace, table);
  columns_.Forget(keyspace, table);
  begun_.erase({keyspace, table});
  since_.erase({keyspace, table});
}

}  // namespace source_vitess::fivetran
