#include "commands/advice.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "text/absl_view.h"
#include "vitess/caveats.h"
#include "vitess/result_rows.h"

namespace source_vitess::commands {
namespace {

// Names in a message, before it says how many there are besides.
constexpr size_t kMostNames = 10;

// Less than this and a sync that fails over a day off loses its positions.
constexpr absl::Duration kShortRetention = absl::Hours(24);

std::string Listed(const std::vector<std::string>& names) {
  if (names.size() <= kMostNames) return absl::StrJoin(names, ", ");
  return absl::StrCat(absl::StrJoin(names.begin(), names.begin() + kMostNames, ", "), " and ",
                      names.size() - kMostNames, " more");
}

// "shard a/0", "shards a/0, b/0".
std::string Shards(const std::vector<std::string>& names) {
  return absl::StrCat(names.size() == 1 ? "shard " : "shards ", Listed(names));
}

std::vector<std::string> ShardsThat(const std::vector<CheckedShard>& shards,
                                    const std::function<bool(const CheckedShard&)>& are_so) {
  std::vector<std::string> names;
  for (const CheckedShard& shard : shards) {
    if (are_so(shard)) names.push_back(ToString(shard));
  }
  return names;
}

void AdviseOnRowImages(const std::vector<CheckedShard>& shards, telemetry::Logger& logger) {
  const auto no_blobs = ShardsThat(shards, [](const CheckedShard& shard) {
    return absl::EqualsIgnoreCase(shard.status.binlog_row_image, "NOBLOB");
  });
  if (!no_blobs.empty()) {
    logger.Warning(absl::StrCat("The MySQL servers of ", Shards(no_blobs),
                                " run with binlog_row_image=NOBLOB: texts and blobs that a change "
                                "leaves as they are do not come with it, and its row is read again "
                                "by a query. Set it to FULL to save these queries."));
  }
  const auto partial_json = ShardsThat(shards, [](const CheckedShard& shard) {
    return absl::StrContains(absl::AsciiStrToUpper(shard.status.binlog_row_value_options),
                             "PARTIAL_JSON");
  });
  if (!partial_json.empty()) {
    logger.Warning(absl::StrCat("The MySQL servers of ", Shards(partial_json),
                                " run with binlog_row_value_options=PARTIAL_JSON: changes within "
                                "JSON documents do not come with the whole document, and the row "
                                "is read again by a query. Leave it empty to save these queries."));
  }
}

void AdviseOnRetention(const Source& source, const std::vector<CheckedShard>& shards,
                       telemetry::Logger& logger) {
  absl::Duration shortest = absl::InfiniteDuration();
  const auto names = ShardsThat(shards, [&](const CheckedShard& shard) {
    const auto retention = vitess::ReadLogRetention(
        *source.client, {shard.keyspace, shard.name, source.options.tablet_type});
    if (!retention.ok() || *retention >= kShortRetention) return false;
    shortest = std::min(shortest, *retention);
    return true;
  });
  if (names.empty()) return;
  logger.Warning(absl::StrCat(
      "The MySQL servers of ", Shards(names), " keep their binary logs for as little as ",
      absl::FormatDuration(shortest),
      ". A table that is not synced for longer than that has to be read again as a whole, rows "
      "deleted meanwhile staying in the destination. Raise binlog_expire_logs_seconds to some "
      "days."));
}

void AdviseOnTablets(const Source& source, const std::vector<CheckedShard>& shards,
                     const std::vector<vitess::Tablet>& tablets, telemetry::Logger& logger) {
  const topodata::TabletType type = source.options.tablet_type;
  const auto names = ShardsThat(shards, [&](const CheckedShard& shard) {
    return std::count_if(tablets.begin(), tablets.end(), [&](const vitess::Tablet& tablet) {
             return tablet.keyspace == shard.keyspace && tablet.shard == shard.name &&
                    tablet.type == type && tablet.serving;
           }) > 1;
  });
  if (names.empty()) return;
  logger.Info(absl::StrCat(
      "There are several tablets of type ", text::AbslView(vitess::TabletTypeName(type)), " in ",
      Shards(names),
      ", of which VTGate chooses one per stream. Each of them has to keep its binary logs for "
      "longer than the time between two syncs."));
}

// The tables of the keyspaces that are offered, by shards that hold one each.
void AdviseOnForeignKeys(const Source& source, const std::vector<CheckedShard>& shards,
                         const std::vector<mysql::TableSchema>& tables, telemetry::Logger& logger) {
  std::vector<std::string> names;
  std::set<std::string> asked;  // keyspaces, whose shards are all alike
  for (const CheckedShard& shard : shards) {
    if (!asked.insert(shard.keyspace).second) continue;
    if (vitess::ManagesForeignKeys(*source.client, shard.keyspace).value_or(false)) continue;
    const auto cascaded = vitess::ListCascadedTables(
        *source.client, {shard.keyspace, shard.name, source.options.tablet_type});
    if (!cascaded.ok()) continue;
    for (const std::string& name : *cascaded) {
      if (std::any_of(tables.begin(), tables.end(), [&](const mysql::TableSchema& table) {
            return table.keyspace == shard.keyspace && table.name == name;
          })) {
        names.push_back(absl::StrCat(shard.keyspace, ".", name));
      }
    }
  }
  if (names.empty()) return;
  logger.Warning(absl::StrCat(
      "Foreign keys with CASCADE or SET NULL change rows of ", Listed(names),
      ". MySQL does not log such changes, so no change stream has them: the destination keeps rows "
      "that were deleted and values that were replaced. Let the application make these changes, or "
      "Vitess, with foreignKeyMode \"managed\" in the VSchema; or read these tables in full."));
}

// Tables of users, by their names, that Vitess takes for left-overs of a schema change.
void AdviseOnNames(const Source& source, telemetry::Logger& logger) {
  std::vector<std::string> names;
  for (const std::string& keyspace : source.options.keyspaces) {
    const auto result =
        source.client->Execute(keyspace, mysql::TablesQuery(keyspace), kQueryTimeout);
    if (!result.ok()) continue;
    const auto rows = vitess::ResultRows::Read(*result);
    const auto column = rows.ok() ? rows->FindColumn("table_name") : std::nullopt;
    if (!column.has_value()) continue;
    for (size_t row = 0; row < rows->size(); ++row) {
      const std::string_view name = rows->Cell(row, *column);
      if (name.starts_with("_") && name.ends_with("_old") && mysql::IsInternalTableName(name) &&
          source.options.WantsTable(keyspace, name)) {
        names.push_back(absl::StrCat(keyspace, ".", text::AbslView(name)));
      }
    }
  }
  if (names.empty()) return;
  logger.Warning(
      absl::StrCat("Not offered: ", Listed(names),
                   ". Vitess takes tables of such names for left-overs of a schema "
                   "change and streams none of their changes. Rename them to read them."));
}

// Tables that MoveTables took to another keyspace, as far as there is time to ask for each.
void AdviseOnMovedTables(const Source& source, const std::vector<mysql::TableSchema>& tables,
                         telemetry::Logger& logger) {
  constexpr absl::Duration kMost = absl::Seconds(3);
  const absl::Time deadline = absl::Now() + kMost;
  std::vector<std::string> names;
  for (const mysql::TableSchema& table : tables) {
    if (absl::Now() > deadline) break;
    const auto serving = vitess::ReadServingKeyspace(*source.client, table.keyspace, table.name);
    if (serving.ok() && *serving != table.keyspace) {
      names.push_back(absl::StrCat(table.keyspace, ".", table.name, " (now in ", *serving, ")"));
    }
  }
  if (names.empty()) return;
  logger.Warning(absl::StrCat(
      "Moved to another keyspace: ", Listed(names),
      ". The old keyspace gets no more of their changes, without a word of it in its streams. Read "
      "them in the keyspace that they are in now."));
}

}  // namespace

std::string ToString(const CheckedShard& shard) {
  return absl::StrCat(shard.keyspace, "/", shard.name);
}

void LogAdvice(const Source& source, const std::vector<CheckedShard>& shards,
               const std::vector<vitess::Tablet>& tablets,
               const std::vector<mysql::TableSchema>& tables, telemetry::Logger& logger) {
  AdviseOnRowImages(shards, logger);
  AdviseOnRetention(source, shards, logger);
  AdviseOnTablets(source, shards, tablets, logger);
  AdviseOnForeignKeys(source, shards, tables, logger);
  AdviseOnNames(source, logger);
  AdviseOnMovedTables(source, tables, logger);
}

}  // namespace source_vitess::commands
