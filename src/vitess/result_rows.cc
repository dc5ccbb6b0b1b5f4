#include "vitess/result_rows.h"

#include "absl/strings/match.h"
#include "text/absl_view.h"
#include "vitess/errors.h"

namespace source_vitess::vitess {
namespace {

absl::Status Malformed() {
  return WithClass(absl::InternalError("VTGate answered a query with rows that cannot be read"),
                   ErrorClass::kInternal);
}

}  // namespace

absl::StatusOr<ResultRows> ResultRows::Read(const query::QueryResult& result) {
  ResultRows rows(result);
  rows.cells_.reserve(rows.columns_ * result.rows_size());
  for (const query::Row& row : result.rows()) {
    if (static_cast<size_t>(row.lengths_size()) != rows.columns_) return Malformed();
    std::string_view rest = row.values();
    for (const int64_t length : row.lengths()) {
      if (length < 0) {
        rows.cells_.emplace_back();
        continue;
      }
      const auto size = static_cast<size_t>(length);
      if (size > rest.size()) return Malformed();
      rows.cells_.push_back(rest.substr(0, size));
      rest.remove_prefix(size);
    }
    if (!rest.empty()) return Malformed();
  }
  return rows;
}

std::optional<size_t> ResultRows::FindColumn(std::string_view name) const {
  for (size_t column = 0; column < columns_; ++column) {
    if (absl::EqualsIgnoreCase(result_->fields(static_cast<int>(column)).name(),
                               text::AbslView(name))) {
      return column;
    }
  }
  return std::nullopt;
}

}  // namespace source_vitess::vitess
