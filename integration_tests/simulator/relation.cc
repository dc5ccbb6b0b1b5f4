#include "simulator/relation.h"

#include <algorithm>
#include <utility>

#include "simulator/number_text.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

constexpr uint32_t kUtf8mb3Collation = 33;
constexpr uint32_t kUtf8mb4Collation = 255;
constexpr uint32_t kNotFixedDecimals = 31;

bool IsAggregate(const Expression& expression) {
  return expression.kind == Expression::Kind::kCall &&
         (expression.name == "count" || expression.name == "min" || expression.name == "max" ||
          expression.name == "sum");
}

// One column of the answer.
struct Output {
  ExpressionPtr expression;  // null: the relation's column
  int column = -1;
  query::Field field;
};

query::Field ComputedField(const SelectItem& item) {
  query::Field field;
  field.set_name(item.alias.empty() ? item.text : item.alias);
  const Expression& expression = *item.expression;
  const bool integer = (expression.kind == Expression::Kind::kLiteral &&
                        expression.literal.kind == Literal::Kind::kNumber) ||
                       (expression.kind == Expression::Kind::kCall && expression.name == "count");
  if (integer) {
    field.set_type(query::INT64);
    field.set_charset(kBinaryCollationId);
    field.set_column_length(21);
    field.set_flags(query::NUM_FLAG | query::NOT_NULL_FLAG | query::BINARY_FLAG);
    return field;
  }
  field.set_type(query::VARCHAR);
  field.set_charset(kUtf8mb4Collation);
  field.set_decimals(kNotFixedDecimals);
  return field;
}

// System variables as MySQL announces them (recording execute-positions).
query::Field VariableField(const SelectItem& item) {
  query::Field field = ComputedField(item);
  constexpr uint32_t kVariableLength = 87380;
  constexpr uint32_t kVersionLength = 48;
  // VTGate prints the variable again, and gtid_executed is a keyword of its parser.
  if (item.alias.empty() && item.text == "@@global.gtid_executed")
    field.set_name("@@global.`gtid_executed`");
  const bool version = StartsWith(item.text, "@@version");
  field.set_column_length(version ? kVersionLength : kVariableLength);
  if (version) field.set_flags(query::NOT_NULL_FLAG);
  return field;
}

absl::Status AddOutputs(const Relation& relation, const SelectItem& item,
                        std::vector<Output>& outputs) {
  if (item.expression->kind == Expression::Kind::kStar) {
    for (size_t i = 0; i < relation.columns.size(); ++i) {
      if (!relation.columns[i].invisible)
        outputs.push_back({nullptr, static_cast<int>(i), relation.fields[i]});
    }
    return absl::OkStatus();
  }
  if (item.expression->kind != Expression::Kind::kColumn) {
    const bool variable = item.expression->kind == Expression::Kind::kVariable;
    outputs.push_back({item.expression, -1, variable ? VariableField(item) : ComputedField(item)});
    return absl::OkStatus();
  }
  const int column = FindColumn(relation.columns, item.expression->name);
  if (column < 0) {
    return absl::NotFoundError(Cat("Unknown column '", item.expression->name,
                                   "' in 'field list' (errno 1054) (sqlstate 42S22)"));
  }
  Output output{nullptr, column, relation.fields[static_cast<size_t>(column)]};
  if (!item.alias.empty()) output.field.set_name(item.alias);
  outputs.push_back(std::move(output));
  return absl::OkStatus();
}

absl::Status Sort(Relation& relation, const Select& select) {
  if (select.order.empty()) return absl::OkStatus();
  std::vector<std::pair<int, bool>> order;
  for (const OrderItem& item : select.order) {
    int column = item.expression->kind == Expression::Kind::kColumn
                     ? FindColumn(relation.columns, item.expression->name)
                     : -1;
    for (const SelectItem& selected : select.items) {
      if (column < 0 && selected.alias == item.expression->name) {
        column = FindColumn(relation.columns, selected.expression->name);
      }
    }
    if (column < 0) return absl::InvalidArgumentError("the simulator orders by columns only");
    order.emplace_back(column, item.descending);
  }
  std::vector<std::pair<std::vector<std::string>, RowPointer>> keyed;
  keyed.reserve(relation.rows.size());
  for (RowPointer& row : relation.rows) {
    std::vector<std::string> keys;
    for (const auto& [column, descending] : order) {
      const auto index = static_cast<size_t>(column);
      keys.push_back(SortKey(relation.columns[index], (*row)[index]));
    }
    keyed.emplace_back(std::move(keys), std::move(row));
  }
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    for (size_t i = 0; i < order.size(); ++i) {
      const int difference = a.first[i].compare(b.first[i]);
      if (difference != 0) return (difference < 0) != order[i].second;
    }
    return false;
  });
  for (size_t i = 0; i < keyed.size(); ++i) relation.rows[i] = std::move(keyed[i].second);
  return absl::OkStatus();
}

absl::StatusOr<Cell> Aggregate(const Relation& relation, const Expression& call,
                               EvaluationContext context) {
  size_t count = 0;
  double sum = 0;
  Cell extreme;
  std::string extreme_key;
  for (const RowPointer& row : relation.rows) {
    context.row = row.get();
    if (call.arguments.empty() || call.arguments[0]->kind == Expression::Kind::kStar) {
      ++count;
      continue;
    }
    const absl::StatusOr<SqlValue> value = Evaluate(*call.arguments[0], context);
    if (!value.ok()) return value.status();
    if (value->IsNull()) continue;
    ++count;
    sum += std::strtod(value->literal.text.c_str(), nullptr);
    const std::string key = value->column == nullptr ? value->literal.text
                                                     : SortKey(*value->column, value->literal.text);
    if (!extreme.has_value() || (call.name == "min" ? key < extreme_key : key > extreme_key)) {
      extreme = ToLiteral(*value).text;
      extreme_key = key;
    }
  }
  if (call.name == "count") return Cell(Cat(count));
  if (call.name == "sum") return count == 0 ? Cell() : Cell(DoubleText(sum));
  return extreme;
}

absl::StatusOr<Cell> OutputValue(const Relation& relation, const Output& output,
                                 const EvaluationContext& context) {
  if (output.expression == nullptr) {
    const auto index = static_cast<size_t>(output.column);
    const Cell& cell = (*context.row)[index];
    return cell.has_value() ? Cell(QueryText(relation.columns[index], *cell)) : Cell();
  }
  const absl::StatusOr<SqlValue> value = Evaluate(*output.expression, context);
  if (!value.ok()) return value.status();
  return value->IsNull() ? Cell() : Cell(ToLiteral(*value).text);
}

}  // namespace

absl::Status Filter(Relation& relation, const ExpressionPtr& where,
                    const EvaluationContext& context) {
  EvaluationContext row_context = context;
  row_context.columns = &relation.columns;
  std::vector<RowPointer> kept;
  for (RowPointer& row : relation.rows) {
    row_context.row = row.get();
    const absl::StatusOr<bool> passes = IsTrue(where, row_context);
    if (!passes.ok()) return passes.status();
    if (*passes) kept.push_back(std::move(row));
  }
  relation.rows = std::move(kept);
  return absl::OkStatus();
}

absl::StatusOr<query::QueryResult> Project(const Relation& relation, const Select& select,
                                           const EvaluationContext& context) {
  std::vector<Output> outputs;
  for (const SelectItem& item : select.items) {
    if (absl::Status status = AddOutputs(relation, item, outputs); !status.ok()) return status;
  }
  query::QueryResult result;
  for (const Output& output : outputs) *result.add_fields() = output.field;
  EvaluationContext row_context = context;
  row_context.columns = &relation.columns;
  const bool aggregates = std::any_of(outputs.begin(), outputs.end(), [](const Output& output) {
    return output.expression != nullptr && IsAggregate(*output.expression);
  });
  std::vector<Cell> values(outputs.size());
  if (aggregates) {
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i].expression == nullptr)
        return absl::UnimplementedError("GROUP BY is not known to the simulator");
      absl::StatusOr<Cell> value = Aggregate(relation, *outputs[i].expression, row_context);
      if (!value.ok()) return value.status();
      values[i] = *std::move(value);
    }
    AppendRow(values, result);
    return result;
  }
  Relation sorted = relation;
  if (absl::Status status = Sort(sorted, select); !status.ok()) return status;
  const size_t end = select.limit.has_value()
                         ? std::min<size_t>(sorted.rows.size(), select.offset + *select.limit)
                         : sorted.rows.size();
  for (size_t row = select.offset; row < end; ++row) {
    row_context.row = sorted.rows[row].get();
    for (size_t i = 0; i < outputs.size(); ++i) {
      absl::StatusOr<Cell> value = OutputValue(relation, outputs[i], row_context);
      if (!value.ok()) return value.status();
      values[i] = *std::move(value);
    }
    AppendRow(values, result);
  }
  return result;
}

void AppendRow(const std::vector<Cell>& values, query::Row& row) {
  for (const Cell& value : values) {
    row.add_lengths(value.has_value() ? static_cast<int64_t>(value->size()) : -1);
    if (value.has_value()) row.mutable_values()->append(*value);
  }
}

void AppendRow(const std::vector<Cell>& values, query::QueryResult& result) {
  AppendRow(values, *result.add_rows());
}

query::Field VtgateField(std::string_view name) {
  query::Field field;
  field.set_name(std::string(name));
  field.set_type(query::VARCHAR);
  field.set_charset(kUtf8mb3Collation);
  field.set_flags(query::NOT_NULL_FLAG);
  return field;
}

}  // namespace source_vitess::simulator
