#include "telemetry/status_json.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>

#include "version.h"

namespace source_vitess::telemetry {
namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void Text(Writer& writer, std::string_view text) {
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void Name(Writer& writer, std::string_view name) {
  writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
}

void Number(Writer& writer, std::string_view name, uint64_t number) {
  Name(writer, name);
  writer.Uint64(number);
}

// To three decimals, which is as fine as anything here is known.
void Real(Writer& writer, std::string_view name, std::optional<double> number) {
  Name(writer, name);
  if (number.has_value()) {
    writer.Double(std::round(*number * 1000) / 1000);
  } else {
    writer.Null();
  }
}

void Time(Writer& writer, std::string_view name, const std::optional<absl::Time>& time) {
  Name(writer, name);
  if (time.has_value()) {
    writer.Int64(absl::ToUnixMillis(*time));
  } else {
    writer.Null();
  }
}

std::optional<double> Seconds(const std::optional<absl::Duration>& duration) {
  if (!duration.has_value()) return std::nullopt;
  return absl::ToDoubleSeconds(*duration);
}

void WriteCounts(Writer& writer, const Counts& counts) {
  Number(writer, "rows_copied", counts.rows_copied);
  Name(writer, "estimated_rows");
  if (counts.estimated_rows.has_value()) {
    writer.Uint64(*counts.estimated_rows);
  } else {
    writer.Null();
  }
  Number(writer, "changes", counts.changes);
  Real(writer, "lag_seconds", Seconds(counts.lag));
}

void WriteShards(Writer& writer, const TableStatus& table) {
  Name(writer, "shards");
  writer.StartArray();
  for (const ShardStatus& shard : table.shards) {
    writer.StartObject();
    Name(writer, "shard");
    Text(writer, shard.shard);
    Name(writer, "phase");
    Text(writer, PhaseName(shard.phase));
    WriteCounts(writer, shard.counts);
    writer.EndObject();
  }
  writer.EndArray();
}

void WriteTable(Writer& writer, const TableStatus& table, bool with_shards) {
  writer.StartObject();
  Name(writer, "keyspace");
  Text(writer, table.keyspace);
  Name(writer, "table");
  Text(writer, table.table);
  Name(writer, "phase");
  Text(writer, PhaseName(table.phase));
  WriteCounts(writer, table.counts);
  Real(writer, "rows_per_second", table.rows_per_second);
  Time(writer, "last_checkpoint", table.last_checkpoint);
  Number(writer, "checkpoints", table.checkpoints);
  Number(writer, "retries", table.retries);
  Name(writer, "last_error");
  if (table.last_error.empty()) {
    writer.Null();
  } else {
    Text(writer, table.last_error);
  }
  Time(writer, "last_error_at", table.last_error_at);
  Number(writer, "shard_count", table.shards.size());
  if (with_shards) WriteShards(writer, table);
  writer.EndObject();
}

void WritePhases(Writer& writer, const Status& status) {
  Name(writer, "tables_by_phase");
  writer.StartObject();
  for (const Phase phase : kPhases) Number(writer, PhaseName(phase), status.CountTables(phase));
  writer.EndObject();
}

bool IsNamed(const TableStatus& table, std::string_view name) {
  return name.size() == table.keyspace.size() + 1 + table.table.size() &&
         name.starts_with(table.keyspace) && name[table.keyspace.size()] == '.' &&
         name.ends_with(table.table);
}

void WriteTables(Writer& writer, const Status& status, std::string_view named) {
  size_t shards = 0;
  for (const TableStatus& table : status.tables) shards += table.shards.size();
  const bool all_shards = shards <= kMostListedShards;
  size_t listed = 0;
  Name(writer, "tables");
  writer.StartArray();
  for (const TableStatus& table : status.tables) {
    const bool is_named = IsNamed(table, named);
    if (listed >= kMostListedTables && !is_named) continue;
    ++listed;
    WriteTable(writer, table, all_shards || is_named);
  }
  writer.EndArray();
  Number(writer, "tables_not_listed", status.tables.size() - listed);
}

void WriteSamples(Writer& writer, const Status& status) {
  Name(writer, "samples");
  writer.StartArray();
  for (const Sample& sample : status.samples) {
    writer.StartObject();
    Time(writer, "time", sample.time);
    Real(writer, "rows_per_second", sample.rows_per_second);
    Real(writer, "lag_seconds", Seconds(sample.lag));
    writer.EndObject();
  }
  writer.EndArray();
}

}  // namespace

std::string ToJson(const Status& status, absl::Time now, std::string_view table) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  Name(writer, "version");
  Text(writer, kVersion);
  Time(writer, "now", now);
  Time(writer, "began", status.began);
  Time(writer, "ended", status.ended);
  Name(writer, "error");
  if (status.error.empty()) {
    writer.Null();
  } else {
    Text(writer, status.error);
  }
  WriteCounts(writer, status.counts);
  Real(writer, "rows_per_second", status.rows_per_second);
  Number(writer, "retries", status.retries);
  WritePhases(writer, status);
  WriteTables(writer, status, table);
  WriteSamples(writer, status);
  writer.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize());
}

}  // namespace source_vitess::telemetry
