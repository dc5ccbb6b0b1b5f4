#include "vitess/topology.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "text/absl_view.h"
#include "vitess/errors.h"
#include "vitess/result_rows.h"

namespace source_vitess::vitess {
namespace {

using text::AbslView;

// For questions that VTGate and tablets answer from memory.
constexpr absl::Duration kTimeout = absl::Seconds(15);

constexpr std::string_view kStatusQuery =
    "select @@global.gtid_executed, @@global.gtid_purged, @@global.binlog_row_image, "
    "@@global.binlog_row_value_options, @@global.server_uuid, @@version";

// The same for MySQL 5.7, which has no partial updates of JSON.
constexpr std::string_view kOldStatusQuery =
    "select @@global.gtid_executed, @@global.gtid_purged, @@global.binlog_row_image, '', "
    "@@global.server_uuid, @@version";

std::string Quoted(std::string_view identifier) {
  return absl::StrCat("`", absl::StrReplaceAll(AbslView(identifier), {{"`", "``"}}), "`");
}

// Runs `query` without a target and calls `row` for each row, with the cells of the columns of
// these names.
template <size_t kColumns, typename Row>
absl::Status ForEachRow(VtgateClient& client, std::string_view query,
                        const std::array<std::string_view, kColumns>& names, Row&& row) {
  const auto result = client.Execute("", query, kTimeout);
  if (!result.ok()) return Annotate(result.status(), query);
  const auto rows = ResultRows::Read(*result);
  if (!rows.ok()) return Annotate(rows.status(), query);
  std::array<size_t, kColumns> columns;
  for (size_t i = 0; i < kColumns; ++i) {
    const auto column = rows->FindColumn(names[i]);
    if (!column.has_value()) {
      return WithClass(absl::InternalError(absl::StrCat("VTGate's answer to \"", AbslView(query),
                                                        "\" has no column ", AbslView(names[i]))),
                       ErrorClass::kInternal);
    }
    columns[i] = *column;
  }
  for (size_t i = 0; i < rows->size(); ++i) {
    std::array<std::string_view, kColumns> cells;
    std::transform(columns.begin(), columns.end(), cells.begin(),
                   [&](size_t column) { return rows->Cell(i, column); });
    row(cells);
  }
  return absl::OkStatus();
}

// Where a shard's key range begins. Hexadecimal digits have the order of the bytes that they stand
// for. Shards that are no ranges ("0") begin where all ranges do.
std::string_view BeginOfRange(std::string_view shard) {
  const size_t dash = shard.find('-');
  return dash == std::string_view::npos ? std::string_view() : shard.substr(0, dash);
}

bool ComesBefore(std::string_view a, std::string_view b) {
  return std::pair(BeginOfRange(a), a) < std::pair(BeginOfRange(b), b);
}

topodata::TabletType ParseTabletType(std::string_view name) {
  topodata::TabletType type = topodata::UNKNOWN;
  // Vitess before v14 says MASTER, which the definition knows as well.
  topodata::TabletType_Parse(absl::AsciiStrToUpper(AbslView(name)), &type);
  return type;
}

absl::Status NoShards(VtgateClient& client, std::string_view keyspace) {
  const auto keyspaces = ListKeyspaces(client);
  if (!keyspaces.ok()) return keyspaces.status();
  if (std::find(keyspaces->begin(), keyspaces->end(), keyspace) != keyspaces->end()) {
    return TransientError(
        absl::StrCat("keyspace ", AbslView(keyspace), " has no shard that serves"));
  }
  return ConfigurationError(absl::StrCat(
      "there is no keyspace ", AbslView(keyspace), "; check the option keyspaces (there ",
      keyspaces->empty() ? "is none" : absl::StrCat("are: ", absl::StrJoin(*keyspaces, ", ")),
      ")"));
}

absl::StatusOr<ShardStatus> ParseShardStatus(const query::QueryResult& result) {
  const auto rows = ResultRows::Read(result);
  if (!rows.ok()) return rows.status();
  if (rows->size() != 1 || rows->columns() < 6) {
    return WithClass(absl::InternalError(absl::StrCat("VTGate answered with ", rows->size(),
                                                      " rows of ", rows->columns(), " columns")),
                     ErrorClass::kInternal);
  }
  auto executed = GtidSet::Parse(rows->Cell(0, 0));
  if (!executed.ok()) return Annotate(executed.status(), "gtid_executed");
  auto purged = GtidSet::Parse(rows->Cell(0, 1));
  if (!purged.ok()) return Annotate(purged.status(), "gtid_purged");
  return ShardStatus{
      .executed = *std::move(executed),
      .purged = *std::move(purged),
      .binlog_row_image = std::string(rows->Cell(0, 2)),
      .binlog_row_value_options = std::string(rows->Cell(0, 3)),
      .server_uuid = std::string(rows->Cell(0, 4)),
      .version = std::string(rows->Cell(0, 5)),
  };
}

// What a question that not every Vitess can answer, and a false answer is safe to, comes to when it
// fails.
absl::StatusOr<bool> UnlessItPasses(absl::Status failure) {
  const bool passes =
      Classify(failure) == ErrorClass::kTransient && failure.code() != absl::StatusCode::kUnknown;
  if (passes) return failure;
  return false;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ListKeyspaces(VtgateClient& client) {
  std::vector<std::string> keyspaces;
  const auto add = [&](const auto& cells) { keyspaces.emplace_back(cells[0]); };
  const absl::Status status =
      ForEachRow(client, "show keyspaces", std::array{std::string_view("Database")}, add);
  if (!status.ok()) return status;
  return keyspaces;
}

absl::StatusOr<std::vector<std::string>> ListShards(VtgateClient& client,
                                                    std::string_view keyspace) {
  std::vector<std::string> shards;
  const auto add = [&](const auto& cells) {
    const std::string_view path = cells[0];
    const size_t slash = path.find('/');
    if (slash == std::string_view::npos || path.substr(0, slash) != keyspace) return;
    shards.emplace_back(path.substr(slash + 1));
  };
  const absl::Status status =
      ForEachRow(client, "show vitess_shards", std::array{std::string_view("Shards")}, add);
  if (!status.ok()) return status;
  if (shards.empty()) return NoShards(client, keyspace);
  std::sort(shards.begin(), shards.end(), ComesBefore);
  return shards;
}

absl::StatusOr<std::vector<Tablet>> ListTablets(VtgateClient& client) {
  constexpr std::array<std::string_view, 6> kColumns = {"Cell",       "Keyspace", "Shard",
                                                        "TabletType", "State",    "Alias"};
  std::vector<Tablet> tablets;
  const auto add = [&](const auto& cells) {
    tablets.push_back({.cell = std::string(cells[0]),
                       .keyspace = std::string(cells[1]),
                       .shard = std::string(cells[2]),
                       .type = ParseTabletType(cells[3]),
                       .serving = cells[4] == "SERVING",
                       .alias = std::string(cells[5])});
  };
  const absl::Status status = ForEachRow(client, "show vitess_tablets", kColumns, add);
  if (!status.ok()) return status;
  return tablets;
}

absl::StatusOr<ShardStatus> ReadShardStatus(VtgateClient& client, std::string_view keyspace,
                                            std::string_view shard, topodata::TabletType type) {
  const std::string_view type_name = TabletTypeName(type);
  const auto explain = [&](absl::Status status) {
    return Annotate(std::move(status),
                    absl::StrCat("reading the position of a ", AbslView(type_name),
                                 " tablet of shard ", AbslView(keyspace), "/", AbslView(shard)));
  };
  const std::string target =
      absl::StrCat(AbslView(keyspace), ":", AbslView(shard), "@", AbslView(type_name));
  auto result = client.Execute(target, kStatusQuery, kTimeout);
  if (IsUnknownVariable(result.status())) {
    result = client.Execute(target, kOldStatusQuery, kTimeout);
  }
  if (IsUnknownVariable(result.status())) {
    return explain(ConfigurationError(
        absl::StrCat("its server is no MySQL with GTIDs, whose positions alone can be followed (",
                     result.status().message(), ")")));
  }
  if (!result.ok()) return explain(result.status());
  auto status = ParseShardStatus(*result);
  if (!status.ok()) return explain(status.status());
  return status;
}

bool IsUnknownVariable(const absl::Status& status) {
  return absl::StrContains(status.message(), "Unknown system variable") ||
         absl::StrContains(status.message(), "(errno 1193)");
}

absl::StatusOr<bool> IsReferenceTable(VtgateClient& client, std::string_view keyspace,
                                      std::string_view table) {
  const std::string name = absl::StrCat(Quoted(keyspace), ".", Quoted(table));
  const auto vindexes =
      client.Execute(keyspace, absl::StrCat("show vschema vindexes on ", name), kTimeout);
  if (!vindexes.ok()) {
    // VT05005: the VSchema does not have the table. Before v15 the words were there without it.
    if (absl::StrContains(vindexes.status().message(), "does not exist")) return false;
    return UnlessItPasses(vindexes.status());
  }
  if (vindexes->rows_size() > 0) return false;
  const auto plan =
      client.Execute(keyspace, absl::StrCat("vexplain plan select * from ", name), kTimeout);
  if (!plan.ok()) return UnlessItPasses(plan.status());
  const auto rows = ResultRows::Read(*plan);
  if (!rows.ok()) return rows.status();
  for (size_t row = 0; row < rows->size(); ++row) {
    for (size_t column = 0; column < rows->columns(); ++column) {
      // Engine.Route's opcode, whatever else the plan's JSON has around it.
      if (absl::StrContains(absl::StrReplaceAll(AbslView(rows->Cell(row, column)), {{" ", ""}}),
                            "\"Variant\":\"Reference\"")) {
        return true;
      }
    }
  }
  return false;
}

std::string_view TabletTypeName(topodata::TabletType type) {
  switch (type) {
    case topodata::PRIMARY:
      return "primary";
    case topodata::REPLICA:
      return "replica";
    case topodata::RDONLY:
      return "rdonly";
    case topodata::SPARE:
      return "spare";
    case topodata::EXPERIMENTAL:
      return "experimental";
    case topodata::BACKUP:
      return "backup";
    case topodata::RESTORE:
      return "restore";
    case topodata::DRAINED:
      return "drained";
    default:
      return "unknown";
  }
}

}  // namespace source_vitess::vitess
