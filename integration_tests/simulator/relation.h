// Rows with columns that a SELECT works on, whether of a table or of information_schema.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_RELATION_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_RELATION_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "simulator/cell.h"
#include "simulator/column.h"
#include "simulator/expression.h"
#include "simulator/sql_statement.h"
#include "vitess/query.pb.h"

namespace source_vitess::simulator {

struct Relation {
  std::vector<Column> columns;
  std::vector<query::Field> fields;  // as an answer shows the columns
  std::vector<RowPointer> rows;
};

// Applies select list, ORDER BY, LIMIT and OFFSET to rows that its WHERE has passed already; values
// come as Execute answers them. `context` supplies variables and the time. Aggregates without GROUP
// BY: count, min, max, sum.
absl::StatusOr<query::QueryResult> Project(const Relation& relation, const Select& select,
                                           const EvaluationContext& context);

// Keeps the rows of `relation` that `where` passes.
absl::Status Filter(Relation& relation, const ExpressionPtr& where,
                    const EvaluationContext& context);

// Appends a row to an answer.
void AppendRow(const std::vector<Cell>& values, query::QueryResult& result);
void AppendRow(const std::vector<Cell>& values, query::Row& row);

// A field of an answer that VTGate makes itself, as those of SHOW statements (recording
// execute-shards).
query::Field VtgateField(std::string_view name);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_RELATION_H_
