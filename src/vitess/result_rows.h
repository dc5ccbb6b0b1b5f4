// The answer of a query, cell by cell.
#ifndef SOURCE_VITESS_VITESS_RESULT_ROWS_H_
#define SOURCE_VITESS_VITESS_RESULT_ROWS_H_

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "vitess/query.pb.h"

namespace source_vitess::vitess {

// Views into a result that must outlive it.
class ResultRows {
 public:
  // Internal error when a row has other columns than the result, or fewer or more bytes than its
  // lengths say.
  static absl::StatusOr<ResultRows> Read(const query::QueryResult& result);

  size_t size() const { return columns_ == 0 ? 0 : cells_.size() / columns_; }
  size_t columns() const { return columns_; }

  // The column of that name, in whatever case; absent where there is none.
  std::optional<size_t> FindColumn(std::string_view name) const;

  // REQUIRES: row < size(), column < columns()
  bool IsNull(size_t row, size_t column) const { return Cell(row, column).data() == nullptr; }
  // The bytes; empty for NULL.
  std::string_view Cell(size_t row, size_t column) const { return cells_[row * columns_ + column]; }

 private:
  explicit ResultRows(const query::QueryResult& result)
      : result_(&result), columns_(result.fields_size()) {}

  const query::QueryResult* result_;
  size_t columns_;
  std::vector<std::string_view> cells_;  // row by row; without data: NULL
};

}  // namespace source_vitess::vitess

#endif  // SOURCE_VITESS_VITESS_RESULT_ROWS_H_
