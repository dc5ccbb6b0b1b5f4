#include "commands/source.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sync/schema_reader.h"
#include "text/absl_view.h"
#include "vitess/errors.h"
#include "vitess/topology.h"

namespace source_vitess::commands {

absl::StatusOr<std::string> ReadFile(std::string_view what, const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string content;
  if (file.is_open()) {
    content.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    if (!file.bad() && errno != EISDIR) return content;
  }
  return vitess::ConfigurationError(absl::StrCat(
      "The file of ", text::AbslView(what), ", ", path, ", cannot be read: ",
      std::generic_category().message(errno), ". Check the path, and who may read it."));
}

absl::StatusOr<config::Options> ReadOptions(const std::string& path) {
  absl::StatusOr<std::string> json = ReadFile("the configuration", path);
  if (!json.ok()) return json.status();
  return config::ParseOptions(*json);
}

absl::StatusOr<Source> Connect(const Environment& environment, const config::Options& options) {
  auto client = environment.make_client(options.channel, environment.stop);
  if (!client.ok()) return client.status();
  auto keyspaces = vitess::ListKeyspaces(**client);
  if (!keyspaces.ok()) {
    return vitess::ExplainConnectFailure(options.channel, keyspaces.status());
  }
  return Source{options, *std::move(client), *std::move(keyspaces)};
}

absl::Status CheckKeyspaces(const Source& source) {
  for (const std::string& keyspace : source.options.keyspaces) {
    if (std::find(source.keyspaces.begin(), source.keyspaces.end(), keyspace) !=
        source.keyspaces.end()) {
      continue;
    }
    return vitess::ConfigurationError(absl::StrCat(
        "Option \"keyspaces\" names ", keyspace, ", and Vitess has no such keyspace. It has: ",
        source.keyspaces.empty() ? "none" : absl::StrJoin(source.keyspaces, ", "), "."));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<mysql::TableSchema>> ReadWantedTables(const Source& source) {
  std::vector<mysql::TableSchema> wanted;
  for (const std::string& keyspace : source.options.keyspaces) {
    auto tables = sync::ReadTableSchemas(*source.client, keyspace, kQueryTimeout);
    if (!tables.ok()) return tables.status();
    for (mysql::TableSchema& table : *tables) {
      if (source.options.WantsTable(keyspace, table.name)) wanted.push_back(std::move(table));
    }
  }
  return wanted;
}

absl::Status NoTables(const config::Options& options) {
  const bool filtered = !options.include_tables.empty() || !options.exclude_tables.empty();
  return vitess::ConfigurationError(absl::StrCat(
      "There is no table to read in ", options.keyspaces.size() > 1 ? "keyspaces " : "keyspace ",
      absl::StrJoin(options.keyspaces, ", "),
      filtered ? ": change option \"tables.include\" or \"tables.exclude\"."
               : ": views, sequences and internal tables are not offered. Change option "
                 "\"keyspaces\"."));
}

sync::SyncOptions SyncOptionsOf(const config::Options& options) {
  sync::SyncOptions sync;
  sync.tablet_type = options.tablet_type;
  sync.cells = options.cells;
  sync.shards = options.shards;
  sync.parallel_copies = options.parallel_copies;
  sync.shards_per_stream = options.shards_per_stream;
  sync.checkpoint_interval = options.checkpoint_interval;
  sync.copy_again_when_lost = options.lost_position == config::LostPosition::kCopyAgain;
  sync.ignore_truncate = options.truncate == config::Truncate::kIgnore;
  sync.retry_budget = options.retry_budget;
  sync.stall_timeout = options.stall_timeout;
  sync.query_timeout = kQueryTimeout;
  sync.types = options.types;
  return sync;
}

int Fail(const Environment& environment, const absl::Status& status) {
  if (vitess::Classify(status) == vitess::ErrorClass::kHost) return kSuccess;
  return ExitCode(
      environment.output.Write(airbyte::TraceErrorLine(status, std::nullopt, environment.clock())),
      kFailure);
}

int ExitCode(const absl::Status& status, int otherwise) {
  if (status.ok()) return otherwise;
  if (vitess::Classify(status) == vitess::ErrorClass::kHost) return kSuccess;
  std::fprintf(stderr, "source-vitess: %s\n", std::string(status.message()).c_str());
  return kFailure;
}

}  // namespace source_vitess::commands
