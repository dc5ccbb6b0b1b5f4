#include "mysql/table_schema.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "text/absl_view.h"

namespace source_vitess::mysql {
namespace {

using text::AbslView;
using text::StdView;

// A literal of SQL. Vitess reads backslashes in literals as MySQL does by default.
std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += c;
    quoted += c;
  }
  quoted += '\'';
  return quoted;
}

using Cell = std::optional<std::string_view>;  // nullopt is NULL

// The cells of a row, which has as many of them as there are fields.
absl::StatusOr<std::vector<Cell>> CellsOf(const query::Row& row, int fields) {
  std::vector<Cell> cells;
  std::string_view left = row.values();
  for (const int64_t length : row.lengths()) {
    if (length < 0) {
      cells.emplace_back();
      continue;
    }
    if (static_cast<uint64_t>(length) > left.size()) break;
    cells.emplace_back(left.substr(0, static_cast<size_t>(length)));
    left.remove_prefix(static_cast<size_t>(length));
  }
  if (cells.size() != static_cast<size_t>(fields) || !left.empty()) {
    return absl::InternalError("a row does not fit its fields");
  }
  return cells;
}

// Reads the rows of `result` as the columns of these names, which the server may write in any case
// and give in any order.
template <size_t N>
absl::StatusOr<std::vector<std::array<Cell, N>>> RowsOf(
    std::string_view what, const query::QueryResult& result,
    const std::array<std::string_view, N>& names) {
  std::array<size_t, N> places;
  for (size_t i = 0; i < N; ++i) {
    const auto field =
        std::find_if(result.fields().begin(), result.fields().end(), [&](const query::Field& f) {
          return absl::EqualsIgnoreCase(f.name(), AbslView(names[i]));
        });
    if (field == result.fields().end()) {
      return absl::InternalError(
          absl::StrCat("the answer about ", AbslView(what), " has no column ", AbslView(names[i])));
    }
    places[i] = static_cast<size_t>(field - result.fields().begin());
  }
  std::vector<std::array<Cell, N>> rows;
  rows.reserve(static_cast<size_t>(result.rows_size()));
  for (const query::Row& row : result.rows()) {
    auto cells = CellsOf(row, result.fields_size());
    if (!cells.ok()) {
      return absl::InternalError(absl::StrCat("the answer about ", AbslView(what),
                                              " cannot be read: ", cells.status().message()));
    }
    std::array<Cell, N>& out = rows.emplace_back();
    for (size_t i = 0; i < N; ++i) out[i] = (*cells)[places[i]];
  }
  return rows;
}

std::string TextOf(const Cell& cell) { return std::string(cell.value_or("")); }

uint64_t NumberOf(const Cell& cell) {
  uint64_t number = 0;
  const std::string_view text = cell.value_or("");
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool Is(const Cell& cell, std::string_view text) {
  return absl::EqualsIgnoreCase(AbslView(cell.value_or("")), AbslView(text));
}

// A unique key, before one is chosen.
struct UniqueKey {
  std::vector<std::pair<uint64_t, std::string>> columns;  // by their place in the key
  bool nullable = false;
  bool has_expression = false;
};
using UniqueKeys = std::map<std::string, UniqueKey>;  // by name

using TablesByName = std::map<std::string, TableSchema>;

absl::StatusOr<TablesByName> ParseTables(std::string_view keyspace,
                                         const query::QueryResult& tables,
                                         const query::QueryResult& sequences) {
  auto sequence_rows = RowsOf<1>("sequences", sequences, {"table_name"});
  if (!sequence_rows.ok()) return sequence_rows.status();
  std::set<std::string> sequence_names;
  for (const auto& [name] : *sequence_rows) sequence_names.insert(TextOf(name));

  auto rows = RowsOf<3>("tables", tables, {"table_name", "table_type", "table_rows"});
  if (!rows.ok()) return rows.status();
  TablesByName found;
  for (const auto& [table_name, type, estimate] : *rows) {
    std::string name = TextOf(table_name);
    if (!Is(type, "BASE TABLE") || IsInternalTableName(name) || sequence_names.contains(name)) {
      continue;
    }
    TableSchema& table = found[name];
    table.keyspace = std::string(keyspace);
    table.name = std::move(name);
    table.row_estimate = NumberOf(estimate);
  }
  return found;
}

absl::Status ParseColumns(const query::QueryResult& columns, TablesByName& tables) {
  auto rows = RowsOf<8>("columns", columns,
                        {"table_name", "column_name", "ordinal_position", "column_type",
                         "character_set_name", "collation_name", "is_nullable", "extra"});
  if (!rows.ok()) return rows.status();
  std::map<std::string, std::map<uint64_t, Column>> found;
  for (const auto& [table, name, position, type, character_set, collation, nullable, extra] :
       *rows) {
    if (!tables.contains(TextOf(table))) continue;
    auto parsed = ParseColumnType(type.value_or(""));
    if (!parsed.ok()) {
      return absl::InternalError(absl::StrCat("column ", TextOf(name), " of table ", TextOf(table),
                                              ": ", parsed.status().message()));
    }
    Column column;
    column.name = TextOf(name);
    column.type = *std::move(parsed);
    column.type.character_set = TextOf(character_set);
    column.type.collation = TextOf(collation);
    column.nullable = !Is(nullable, "NO");
    // DEFAULT_GENERATED is something else: a default that is an expression.
    const std::string notes = absl::AsciiStrToUpper(AbslView(extra.value_or("")));
    column.generated = absl::StrContains(notes, "VIRTUAL GENERATED") ||
                       absl::StrContains(notes, "STORED GENERATED");
    column.invisible = absl::StrContains(notes, "INVISIBLE");
    found[TextOf(table)].insert_or_assign(NumberOf(position), std::move(column));
  }
  for (auto& [name, by_position] : found) {
    for (auto& [position, column] : by_position) {
      tables[name].columns.push_back(std::move(column));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::map<std::string, UniqueKeys>> ParseUniqueKeys(
    const query::QueryResult& indexes) {
  auto rows = RowsOf<6>(
      "indexes", indexes,
      {"table_name", "index_name", "column_name", "seq_in_index", "non_unique", "nullable"});
  if (!rows.ok()) return rows.status();
  std::map<std::string, UniqueKeys> keys;
  for (const auto& [table, index, column, place, non_unique, nullable] : *rows) {
    if (!Is(non_unique, "0")) continue;
    UniqueKey& key = keys[TextOf(table)][TextOf(index)];
    key.nullable = key.nullable || Is(nullable, "YES");
    key.has_expression = key.has_expression || !column.has_value();
    key.columns.emplace_back(NumberOf(place), TextOf(column));
  }
  for (auto& [table, of_table] : keys) {
    for (auto& [name, key] : of_table) {
      std::sort(key.columns.begin(), key.columns.end());
      key.columns.erase(std::unique(key.columns.begin(), key.columns.end()), key.columns.end());
    }
  }
  return keys;
}

// What Vitess counts for a column when it compares unique keys, cheaper ones first
// (go/vt/mysqlctl/schema.go, GetPrimaryKeyEquivalentColumns).
int CostOf(const ColumnType& type) {
  switch (type.base) {
    case BaseType::kEnum:
      return 0;
    case BaseType::kTinyInt:
      return 1;
    case BaseType::kYear:
      return 2;
    case BaseType::kSmallInt:
      return 3;
    case BaseType::kDate:
      return 4;
    case BaseType::kMediumInt:
      return 5;
    case BaseType::kTime:
      return 6;
    case BaseType::kInt:
      return 7;
    case BaseType::kSet:
      return 8;
    case BaseType::kTimestamp:
      return 9;
    case BaseType::kBigInt:
      return 10;
    case BaseType::kFloat:
      return 11;
    case BaseType::kDouble:
      return 12;
    case BaseType::kDecimal:
      return 13;
    case BaseType::kDateTime:
      return 14;
    case BaseType::kBinary:
      return 30;
    case BaseType::kChar:
      return 31;
    case BaseType::kVarbinary:
      return 60;
    case BaseType::kVarchar:
      return 61;
    case BaseType::kBlob:
      return absl::StartsWith(type.text, "tinyblob") ? 80 : 1000;
    case BaseType::kText:
      return absl::StartsWith(type.text, "tinytext") ? 81 : 1000;
    default:
      return 1000;
  }
}

// Whether Vitess's "greater than" over the columns finds every row behind the last one.
bool CanResumeAfter(const TableSchema& table, const std::vector<std::string>& columns) {
  return std::all_of(columns.begin(), columns.end(), [&](const std::string& name) {
    const Column* column = table.FindColumn(name);
    if (column == nullptr) return false;
    const BaseType base = column->type.base;
    return base != BaseType::kEnum && base != BaseType::kSet && base != BaseType::kFloat &&
           base != BaseType::kDouble;
  });
}

std::vector<std::string> ColumnsOf(const UniqueKey& key) {
  std::vector<std::string> names;
  for (const auto& [place, name] : key.columns) names.push_back(name);
  return names;
}

// The primary key, or the cheapest of the unique keys that tell rows apart. Of keys that cost the
// same Vitess takes any, so a copy is resumable only if it is with each of them; and where a unique
// key has an expression in it, Vitess may take the rest of that key, which is not unique, so that
// its copy would skip rows.
void ChooseKey(const UniqueKeys& keys, TableSchema& table) {
  if (const auto primary = keys.find("PRIMARY"); primary != keys.end()) {
    table.key = ColumnsOf(primary->second);
    table.has_primary_key = true;
    table.resumable = CanResumeAfter(table, table.key);
    return;
  }
  using Cost = std::pair<int, size_t>;
  std::optional<Cost> least;
  bool any_has_expression = false;
  for (const auto& [name, key] : keys) {
    any_has_expression = any_has_expression || key.has_expression;
    if (key.nullable || key.has_expression) continue;
    std::vector<std::string> columns = ColumnsOf(key);
    int cost = 0;
    for (const std::string& column_name : columns) {
      const Column* column = table.FindColumn(column_name);
      cost += column == nullptr ? CostOf(ColumnType()) : CostOf(column->type);
    }
    const Cost candidate(cost, columns.size());
    if (least.has_value() && *least < candidate) continue;
    const bool resumable = CanResumeAfter(table, columns);
    if (least == candidate) {
      table.resumable = table.resumable && resumable;
      continue;
    }
    least = candidate;
    table.resumable = resumable;
    table.key = std::move(columns);
  }
  table.resumable = table.resumable && !any_has_expression;
}

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

bool IsDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "_vt_hld_<32 hex digits>_<time>_", and "_vt_HOLD_<32 hex digits>_<time>" before v19.
bool IsGarbageCollectionName(const std::vector<std::string_view>& parts) {
  const bool current = parts.size() == 6 && parts[2].size() == 3 && parts[5].empty();
  const bool former = parts.size() == 5 && (parts[2] == "HOLD" || parts[2] == "PURGE" ||
                                            parts[2] == "EVAC" || parts[2] == "DROP");
  return (current || former) && parts[0].empty() && parts[1] == "vt" && parts[3].size() == 32 &&
         IsHex(parts[3]) && parts[4].size() == 14 && IsDigits(parts[4]);
}

// "_<UUID with underscores>_<time>_vrepl" and what gh-ost and pt-osc make of it, before v19.
bool IsOnlineDdlName(const std::vector<std::string_view>& parts) {
  constexpr std::array<size_t, 5> kGroups = {8, 4, 4, 4, 12};
  constexpr std::array<std::string_view, 5> kEnds = {"gho", "ghc", "del", "new", "vrepl"};
  if (parts.size() != 8 || !parts[0].empty()) return false;
  for (size_t i = 0; i < kGroups.size(); ++i) {
    if (parts[i + 1].size() != kGroups[i] || !IsHex(parts[i + 1])) return false;
  }
  return parts[6].size() == 14 && IsDigits(parts[6]) &&
         std::find(kEnds.begin(), kEnds.end(), parts[7]) != kEnds.end();
}

}  // namespace

Kind KindOf(const TableSchema& table, const Column& column, const TypeOptions& options) {
  if (std::find(table.key.begin(), table.key.end(), column.name) == table.key.end()) {
    return KindOf(column.type, options);
  }
  TypeOptions of_keys = options;
  of_keys.times = TimeFormat::kText;
  of_keys.tinyint1_as_boolean = false;
  return KindOf(column.type, of_keys);
}

const Column* TableSchema::FindColumn(std::string_view column) const {
  // Names of columns are the same in any case; the exact one is the usual one.
  for (const Column& candidate : columns) {
    if (candidate.name == column) return &candidate;
  }
  for (const Column& candidate : columns) {
    if (absl::EqualsIgnoreCase(candidate.name, AbslView(column))) return &candidate;
  }
  return nullptr;
}

std::string TablesQuery(std::string_view keyspace) {
  return absl::StrCat(
      "select table_schema, table_name, table_type, table_rows, engine from "
      "information_schema.tables "
      "where table_schema=",
      Quoted(keyspace));
}

std::string ColumnsQuery(std::string_view keyspace) {
  return absl::StrCat(
      "select table_name, column_name, ordinal_position, column_type, data_type, "
      "character_set_name, "
      "collation_name, is_nullable, column_key, extra from information_schema.columns where "
      "table_schema=",
      Quoted(keyspace), " order by table_name, ordinal_position");
}

std::string IndexesQuery(std::string_view keyspace) {
  return absl::StrCat(
      "select table_name, index_name, column_name, seq_in_index, non_unique, nullable from "
      "information_schema.statistics where table_schema=",
      Quoted(keyspace), " order by table_name, index_name, seq_in_index");
}

std::string SequencesQuery(std::string_view keyspace) {
  return absl::StrCat("select table_name from information_schema.tables where table_schema=",
                      Quoted(keyspace), " and table_comment='vitess_sequence'");
}

absl::StatusOr<std::vector<TableSchema>> ParseTableSchemas(std::string_view keyspace,
                                                           const query::QueryResult& tables,
                                                           const query::QueryResult& columns,
                                                           const query::QueryResult& indexes,
                                                           const query::QueryResult& sequences) {
  auto by_name = ParseTables(keyspace, tables, sequences);
  if (!by_name.ok()) return by_name.status();
  if (absl::Status status = ParseColumns(columns, *by_name); !status.ok()) return status;
  auto keys = ParseUniqueKeys(indexes);
  if (!keys.ok()) return keys.status();
  std::vector<TableSchema> schemas;
  for (auto& [name, table] : *by_name) {
    // A table that was dropped, or made, between the queries.
    if (table.columns.empty()) continue;
    ChooseKey((*keys)[name], table);
    schemas.push_back(std::move(table));
  }
  return schemas;
}

bool IsInternalTableName(std::string_view table) {
  if (table.empty() || table.front() != '_') return false;
  if (absl::EndsWith(AbslView(table), "_old")) return true;
  std::vector<std::string_view> parts;
  for (const absl::string_view part : absl::StrSplit(AbslView(table), '_'))
    parts.push_back(StdView(part));
  return IsGarbageCollectionName(parts) || IsOnlineDdlName(parts);
}

}  // namespace source_vitess::mysql
