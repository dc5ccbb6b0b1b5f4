#include "commands/discover.h"

#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "airbyte/catalog.h"
#include "commands/patience.h"
#include "commands/source.h"
#include "text/absl_view.h"
#include "vitess/errors.h"

namespace source_vitess::commands {
namespace {

// Somebody may sit in front of a form and wait.
constexpr absl::Duration kLongestWait = absl::Seconds(30);

// Some consumers know streams by their names alone (reference 3.2).
void WarnOfEqualNames(const std::vector<mysql::TableSchema>& tables, telemetry::Logger& logger) {
  std::map<std::string_view, std::string_view> keyspaces;
  for (const mysql::TableSchema& table : tables) {
    const auto [first, is_new] = keyspaces.emplace(table.name, table.keyspace);
    if (is_new) continue;
    logger.Warning(
        absl::StrCat("Table ", table.name, " is in keyspace ", text::AbslView(first->second),
                     " and in keyspace ", table.keyspace,
                     ": clients that know streams by their names alone, such as PyAirbyte, "
                     "cannot read both over one connection."));
  }
}

absl::StatusOr<std::string> Discover(const Environment& environment,
                                     const std::string& config_path) {
  const absl::StatusOr<config::Options> options = ReadOptions(config_path);
  if (!options.ok()) return options.status();
  Patience patience(environment, std::min(options->retry_budget, kLongestWait));
  const auto source = patience.Try([&] { return Connect(environment, *options); });
  if (!source.ok()) return source.status();
  if (absl::Status status = CheckKeyspaces(*source); !status.ok()) return status;
  const auto tables = patience.Try([&] { return ReadWantedTables(*source); });
  if (!tables.ok()) return tables.status();
  if (tables->empty()) return NoTables(*options);
  WarnOfEqualNames(*tables, environment.logger);
  return airbyte::CatalogLine(*tables, options->types);
}

}  // namespace

int RunDiscover(const Environment& environment, const std::string& config_path) {
  const absl::StatusOr<std::string> catalog = Discover(environment, config_path);
  if (!catalog.ok()) return Fail(environment, catalog.status());
  return ExitCode(environment.output.Write(*catalog), kSuccess);
}

}  // namespace source_vitess::commands
