#include "benchmark/query_answers.h"

#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "benchmark/sample_table.h"

namespace source_vitess::benchmark {
namespace {

using Cells = std::vector<std::optional<std::string>>;

query::QueryResult Result(std::initializer_list<const char*> names,
                          std::initializer_list<Cells> rows) {
  query::QueryResult result;
  for (const char* name : names) {
    query::Field& field = *result.add_fields();
    field.set_name(name);
    field.set_type(query::VARCHAR);
  }
  for (const Cells& cells : rows) {
    query::Row& row = *result.add_rows();
    for (const std::optional<std::string>& cell : cells) {
      row.add_lengths(cell.has_value() ? static_cast<int64_t>(cell->size()) : -1);
      if (cell.has_value()) row.mutable_values()->append(*cell);
    }
  }
  return result;
}

query::QueryResult Columns(SampleTable table) {
  query::QueryResult result =
      Result({"TABLE_NAME", "COLUMN_NAME", "ORDINAL_POSITION", "COLUMN_TYPE", "DATA_TYPE",
              "CHARACTER_SET_NAME", "COLLATION_NAME", "IS_NULLABLE", "COLUMN_KEY", "EXTRA"},
             {});
  const std::span<const SampleColumn> columns = SampleColumns(table);
  const auto text = [](const char* name) {
    return name == nullptr ? std::nullopt : std::optional<std::string>(name);
  };
  for (const SampleColumn& column : columns) {
    const std::optional<std::string> character_set = text(column.character_set);
    const std::optional<std::string> collation = text(column.collation);
    const bool is_key = &column == columns.data();
    const query::QueryResult row =
        Result({}, {{TableName(table), column.name, absl::StrCat(&column - columns.data() + 1),
                     column.type, column.data_type, character_set, collation,
                     column.nullable ? "YES" : "NO", is_key ? "PRI" : "", ""}});
    *result.add_rows() = row.rows(0);
  }
  return result;
}

query::QueryResult Tables(SampleTable table) {
  return Result(
      {"TABLE_SCHEMA", "TABLE_NAME", "TABLE_TYPE", "TABLE_ROWS", "ENGINE"},
      {{absl::StrCat("vt_", kKeyspace), TableName(table), "BASE TABLE", "1000000", "InnoDB"}});
}

query::QueryResult Indexes(SampleTable table) {
  return Result(
      {"TABLE_NAME", "INDEX_NAME", "COLUMN_NAME", "SEQ_IN_INDEX", "NON_UNIQUE", "NULLABLE"},
      {{TableName(table), "PRIMARY", SampleColumns(table)[0].name, "1", "0", ""}});
}

query::QueryResult Tablets() {
  return Result({"Cell", "Keyspace", "Shard", "TabletType", "State", "Alias", "Hostname",
                 "PrimaryTermStartTime"},
                {{"zone1", kKeyspace, kShard, "PRIMARY", "SERVING", "zone1-0000000100", "",
                  "2026-11-22T15:58:13Z"}});
}

query::QueryResult Positions(const std::string& executed) {
  return Result(
      {"@@global.gtid_executed", "@@global.gtid_purged", "@@global.binlog_row_image",
       "@@global.binlog_row_value_options", "@@global.server_uuid", "@@version"},
      {{executed, "", "FULL", "", executed.substr(0, executed.find(':')), "8.4.6-Vitess"}});
}

std::optional<query::QueryResult> Answer(const std::string& sql, SampleTable table,
                                         const std::string& executed) {
  if (sql == "show keyspaces") return Result({"Database"}, {{kKeyspace}});
  if (absl::StartsWith(sql, "show vitess_shards")) {
    return Result({"Shards"}, {{absl::StrCat(kKeyspace, "/", kShard)}});
  }
  if (absl::StartsWith(sql, "show vitess_tablets")) return Tablets();
  if (absl::StrContains(sql, "gtid_executed")) return Positions(executed);
  if (absl::StrContains(sql, "information_schema.columns")) return Columns(table);
  if (absl::StrContains(sql, "information_schema.statistics")) return Indexes(table);
  // Sequences are tables with a comment of their own; there are none.
  if (absl::StrContains(sql, "sequence")) return Result({"TABLE_NAME"}, {});
  if (absl::StrContains(sql, "information_schema.tables")) return Tables(table);
  if (absl::StartsWith(sql, "show vschema vindexes")) return Result({"Columns"}, {{"id"}});
  return std::nullopt;
}

}  // namespace

vtgate::ExecuteResponse AnswerQuery(const vtgate::ExecuteRequest& request, SampleTable table,
                                    const std::string& executed) {
  vtgate::ExecuteResponse response;
  *response.mutable_session() = request.session();
  const std::string& sql = request.query().sql();
  std::optional<query::QueryResult> result = Answer(absl::AsciiStrToLower(sql), table, executed);
  if (result.has_value()) {
    *response.mutable_result() = *std::move(result);
  } else {
    response.mutable_error()->set_code(vtrpc::UNIMPLEMENTED);
    response.mutable_error()->set_message(absl::StrCat("not a query of this benchmark: ", sql));
  }
  return response;
}

}  // namespace source_vitess::benchmark
