// Evaluates SQL expressions over one row.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_EXPRESSION_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_EXPRESSION_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "simulator/cell.h"
#include "simulator/column.h"
#include "simulator/json_edit.h"
#include "simulator/sql_statement.h"

namespace source_vitess::simulator {

// A value under way: a literal, or a column's stored value with its column.
struct SqlValue {
  Literal literal;
  const Column* column = nullptr;  // not null: literal.text is in the column's stored form

  bool IsNull() const { return literal.kind == Literal::Kind::kNull; }
};

// What an expression can look at. The pointers are borrowed for the evaluation; null means that
// there is no row.
struct EvaluationContext {
  const std::vector<Column>* columns = nullptr;
  const Row* row = nullptr;
  absl::Time now;
  // Gives the value of a variable (@@...), or fails. May be empty.
  std::function<absl::StatusOr<std::string>(std::string_view)> variable;
  std::string database = {};  // the tablet's; empty: not known
};

// Fails on columns that do not exist (errno 1054) and on functions that the simulator does not
// know.
absl::StatusOr<SqlValue> Evaluate(const Expression& expression, const EvaluationContext& context);

// Whether the expression is true: not false, not NULL. A null pointer is true.
absl::StatusOr<bool> IsTrue(const ExpressionPtr& expression, const EvaluationContext& context);

// What an assignment of `expression` to the JSON column `column` writes, if it is a call of JSON
// functions whose changes MySQL logs as differences, upon the column itself; else none.
absl::StatusOr<std::optional<EditedJson>> EvaluateJsonDifference(const Expression& expression,
                                                                 const EvaluationContext& context,
                                                                 const Column& column);

// The value as a literal that any column can take: text in UTF-8.
Literal ToLiteral(const SqlValue& value);

// The place of a column by name, ignoring case; -1 if there is none.
int FindColumn(const std::vector<Column>& columns, std::string_view name);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_EXPRESSION_H_
