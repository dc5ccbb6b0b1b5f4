#include "sync/row_moves.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "text/absl_view.h"
#include "vitess/result_rows.h"

namespace source_vitess::sync {
namespace {

std::string Quoted(const std::string& name) {
  return absl::StrCat("`", absl::StrReplaceAll(name, {{"`", "``"}}), "`");
}

// VTGate's words for a table that the VSchema does not have (go/vt/vterrors/code.go).
bool SaysThereIsNoSuchTable(const absl::Status& status) {
  return absl::StrContains(status.message(), "VT05005") ||
         absl::StrContains(status.message(), "VT05004");
}

// The columns of the primary vindex, which stands first.
absl::StatusOr<std::vector<std::string>> PrimaryVindexColumns(const query::QueryResult& result) {
  const auto rows = vitess::ResultRows::Read(result);
  if (!rows.ok()) return rows.status();
  const auto column = rows->FindColumn("Columns");
  if (!column.has_value()) return absl::InternalError("the answer has no column Columns");
  if (rows->size() == 0) return std::vector<std::string>();
  return std::vector<std::string>(absl::StrSplit(text::AbslView(rows->Cell(0, *column)), ", "));
}

}  // namespace

bool RowMoves::MayMove(const Table& table) {
  const std::lock_guard lock(mutex_);
  if (const auto it = known_.find(table.index); it != known_.end()) return it->second;
  const auto result =
      client_.Execute(table.keyspace(),
                      absl::StrCat("show vschema vindexes on ", Quoted(table.keyspace()), ".",
                                   Quoted(table.name())),
                      timeout_);
  if (!result.ok()) {
    if (!SaysThereIsNoSuchTable(result.status())) return true;
    return known_[table.index] = false;
  }
  const auto columns = PrimaryVindexColumns(*result);
  if (!columns.ok()) return true;
  return known_[table.index] =
             std::any_of(columns->begin(), columns->end(), [&](const std::string& column) {
               return std::none_of(
                   table.schema.key.begin(), table.schema.key.end(),
                   [&](const std::string& key) { return absl::EqualsIgnoreCase(key, column); });
             });
}

}  // namespace source_vitess::sync
