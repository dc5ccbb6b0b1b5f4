#include "commands/check.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "commands/advice.h"
#include "commands/source.h"
#include "text/absl_view.h"
#include "vitess/errors.h"
#include "vitess/topology.h"

namespace source_vitess::commands {
namespace {

using vitess::Tablet;

absl::StatusOr<std::vector<CheckedShard>> CheckShards(const Source& source,
                                                      const std::vector<Tablet>& tablets) {
  const topodata::TabletType type = source.options.tablet_type;
  auto shards = ListChosenShards(source);
  if (!shards.ok()) return shards.status();
  for (CheckedShard& shard : *shards) {
    absl::Status status = CheckTablets(tablets, shard, type);
    if (!status.ok()) return status;
    auto read = vitess::ReadShardStatus(*source.client, shard.keyspace, shard.name, type);
    if (!read.ok()) return read.status();
    shard.status = *std::move(read);
    status = CheckRowImage(shard);
    if (!status.ok()) return status;
  }
  return shards;
}

// A pattern without a table is likely a mistake, but may be meant for a table to come.
void WarnOfIdlePatterns(const std::vector<mysql::TableSchema>& tables,
                        const std::vector<std::string>& patterns, telemetry::Logger& logger) {
  for (const std::string& pattern : patterns) {
    config::Options only;
    only.include_tables = {pattern};
    const auto matches = [&](const mysql::TableSchema& table) {
      return only.WantsTable(table.keyspace, table.name);
    };
    if (std::any_of(tables.begin(), tables.end(), matches)) continue;
    logger.Warning(
        absl::StrCat("No table matches the pattern ", pattern, " of option \"tables.include\"."));
  }
}

absl::Status Check(const Environment& environment, const std::string& config_path) {
  const absl::StatusOr<config::Options> options = ReadOptions(config_path);
  if (!options.ok()) return options.status();
  const absl::StatusOr<Source> source = Connect(environment, *options);
  if (!source.ok()) return source.status();
  const auto tables = CheckTables(*source, environment.logger);
  if (!tables.ok()) return tables.status();
  return CheckServers(*source, *tables, environment.logger);
}

}  // namespace

absl::StatusOr<std::vector<CheckedShard>> ListChosenShards(const Source& source) {
  const std::vector<std::string>& wanted = source.options.shards;
  std::vector<CheckedShard> chosen;
  for (const std::string& keyspace : source.options.keyspaces) {
    const auto names = vitess::ListShards(*source.client, keyspace);
    if (!names.ok()) return names.status();
    const size_t before = chosen.size();
    for (const std::string& name : *names) {
      if (wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end()) {
        chosen.push_back({keyspace, name, {}});
      }
    }
    if (chosen.size() == before) {
      return vitess::ConfigurationError(
          absl::StrCat("Option \"shards\" names none of the shards of keyspace ", keyspace,
                       ", which are: ", absl::StrJoin(*names, ", "), "."));
    }
  }
  for (const std::string& name : wanted) {
    const auto has_name = [&](const CheckedShard& shard) { return shard.name == name; };
    if (std::any_of(chosen.begin(), chosen.end(), has_name)) continue;
    return vitess::ConfigurationError(
        absl::StrCat("Option \"shards\" names ", name, ", and no keyspace has such a shard."));
  }
  return chosen;
}

absl::Status CheckTablets(const std::vector<Tablet>& tablets, const CheckedShard& shard,
                          topodata::TabletType type) {
  const auto type_name = text::AbslView(vitess::TabletTypeName(type));
  std::set<std::string> others;
  bool exists = false;
  for (const Tablet& tablet : tablets) {
    if (tablet.keyspace != shard.keyspace || tablet.shard != shard.name) continue;
    if (tablet.type == type && tablet.serving) return absl::OkStatus();
    exists = exists || tablet.type == type;
    others.insert(std::string(vitess::TabletTypeName(tablet.type)));
  }
  if (exists) {
    return vitess::TransientError(absl::StrCat("Shard ", ToString(shard), " has tablets of type ",
                                               type_name,
                                               ", but none of them serves. Wait for one, "
                                               "or change option \"tablet_type\"."));
  }
  return vitess::ConfigurationError(absl::StrCat(
      "Option \"tablet_type\" is ", type_name, ", and shard ", ToString(shard),
      " has no such tablet. It has: ", others.empty() ? "none" : absl::StrJoin(others, ", "), "."));
}

absl::Status CheckRowImage(const CheckedShard& shard) {
  if (!absl::EqualsIgnoreCase(shard.status.binlog_row_image, "MINIMAL")) return absl::OkStatus();
  return vitess::ConfigurationError(absl::StrCat(
      "The MySQL servers of shard ", ToString(shard),
      " run with binlog_row_image=MINIMAL, which Vitess cannot stream. Set it to FULL there."));
}

absl::StatusOr<std::vector<mysql::TableSchema>> CheckTables(const Source& source,
                                                            telemetry::Logger& logger) {
  if (absl::Status status = CheckKeyspaces(source); !status.ok()) return status;
  auto tables = ReadWantedTables(source);
  if (!tables.ok()) return tables;
  if (tables->empty()) return NoTables(source.options);
  WarnOfIdlePatterns(*tables, source.options.include_tables, logger);
  return tables;
}

absl::Status CheckServers(const Source& source, const std::vector<mysql::TableSchema>& tables,
                          telemetry::Logger& logger) {
  const auto tablets = vitess::ListTablets(*source.client);
  if (!tablets.ok()) return tablets.status();
  const auto shards = CheckShards(source, *tablets);
  if (!shards.ok()) return shards.status();
  LogAdvice(source, *shards, *tablets, tables, logger);
  return absl::OkStatus();
}

int RunCheck(const Environment& environment, const std::string& config_path) {
  const absl::Status status = Check(environment, config_path);
  if (!status.ok() && vitess::Classify(status) == vitess::ErrorClass::kHost) return kSuccess;
  return ExitCode(environment.output.Write(airbyte::ConnectionStatusLine(
                      status.ok(), status.ok() ? "" : vitess::MessageWithNextStep(status))),
                  kSuccess);
}

}  // namespace source_vitess::commands
