#include "simulator/stream_filter.h"

#include <numeric>
#include <utility>
#include <variant>

#include "absl/strings/str_join.h"
#include "simulator/expression.h"
#include "simulator/go_text.h"
#include "simulator/regular_expression.h"
#include "simulator/sql_parser.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

bool Matches(std::string_view match, std::string_view table) {
  return IsRegularExpression(match) ? FindsRegularExpression(match, table) : match == table;
}

// Applies the rule's SELECT to a plan that has `names` and `fields` of all columns.
absl::Status ApplySelect(const binlogdata::Rule& rule, TablePlan& plan) {
  plan.columns.resize(plan.names.size());
  std::iota(plan.columns.begin(), plan.columns.end(), 0);
  if (rule.filter().empty()) return absl::OkStatus();
  const absl::StatusOr<Statement> statement = Parse(rule.filter());
  if (!statement.ok()) return statement.status();
  const auto* select = std::get_if<Select>(&*statement);
  if (select == nullptr) return absl::InvalidArgumentError(Cat("unsupported: ", rule.filter()));
  plan.where = select->where;
  if (select->items[0].expression->kind == Expression::Kind::kStar) return absl::OkStatus();
  std::vector<query::Field> fields;
  plan.columns.clear();
  for (const SelectItem& item : select->items) {
    const Expression& expression = *item.expression;
    const bool converts =
        expression.kind == Expression::Kind::kCall && expression.name == "convert";
    const std::string& name = converts ? expression.arguments[0]->name : expression.name;
    if (!converts && expression.kind != Expression::Kind::kColumn) {
      return absl::InvalidArgumentError(Cat("unsupported: ", item.text));
    }
    const int column = FindColumn(plan.names, name);
    if (column < 0 && plan.named_by_number) {
      return absl::UnknownError(
          Cat("cannot use column names in vstream filter as the current table schema for ",
              plan.images->name, " does not match that of the event"));
    }
    if (column < 0) {
      return absl::UnknownError(Cat("column ", name, " not found in table ", plan.images->name));
    }
    plan.columns.push_back(static_cast<size_t>(column));
    fields.push_back(plan.fields[static_cast<size_t>(column)]);
  }
  plan.fields = std::move(fields);
  return absl::OkStatus();
}

// Types that Vitess takes for each other when it names logged columns
// (sqltypes.AreTypesCompatible).
int TypeGroup(query::Type type) {
  const int number = type;
  for (const int group : {query::ISINTEGRAL, query::ISFLOAT, query::ISQUOTED}) {
    if ((number & group) != 0) return group;
  }
  return number;
}

absl::Status ColumnsError(const TableSchema& logged, const TableSchema& current,
                          std::string_view database) {
  std::vector<int> types;
  for (const Column& column : logged.columns) types.push_back(BinlogType(column));
  std::vector<std::string> fields;
  for (size_t i = 0; i < current.columns.size(); ++i) {
    query::Field field = current.FieldOf(i, database);
    field.clear_column_type();
    fields.push_back(GoText(field));
  }
  return absl::UnknownError(Cat("cannot determine table columns for ", current.name,
                                ": event has [", absl::StrJoin(types, " "), "], schema has [",
                                absl::StrJoin(fields, " "), "]"));
}

// The type that a binary log tells of: neither signedness nor whether text is binary
// (sqltypes.MySQLToType without flags).
query::Type LoggedType(const Column& column) {
  switch (column.type) {
    case query::UINT8:
      return query::INT8;
    case query::UINT16:
      return query::INT16;
    case query::UINT24:
      return query::INT24;
    case query::UINT32:
      return query::INT32;
    case query::UINT64:
      return query::INT64;
    case query::BINARY:
      return query::CHAR;
    case query::VARBINARY:
      return query::VARCHAR;
    case query::BLOB:
      return query::TEXT;
    default:
      return column.type;
  }
}

// sqltypes.AreTypesEquivalent: the binary log has the type CHAR for ENUM and SET too.
bool Equivalent(const Column& logged, const Column& current) {
  const auto base = [](const Column& column) {
    const bool labels = column.type == query::ENUM || column.type == query::SET;
    return labels ? query::CHAR : LoggedType(column);
  };
  return base(logged) == base(current);
}

bool Compatible(const TableSchema& logged, const TableSchema& current, bool coarse) {
  for (size_t i = 0; i < logged.columns.size(); ++i) {
    const Column& a = logged.columns[i];
    const Column& b = current.columns[i];
    const bool fits = coarse ? TypeGroup(a.type) == TypeGroup(b.type) : Equivalent(a, b);
    if (!fits) return false;
  }
  return true;
}

// Columns without a schema: "@1", "@2", with the types of the binary log. Labels of ENUM and SET
// are not in it.
absl::Status NameByNumber(TablePlan& plan) {
  for (size_t i = 0; i < plan.images->columns.size(); ++i) {
    Column column = plan.images->columns[i];
    column.name = Cat("@", i + 1);
    if (column.type == query::ENUM || column.type == query::SET) {
      return absl::UnknownError(
          Cat("enum or set column ", column.name, " does not have valid string values: "));
    }
    query::Field field;
    field.set_name(column.name);
    field.set_type(LoggedType(column));
    plan.fields.push_back(std::move(field));
    plan.names.push_back(std::move(column));
  }
  plan.named_by_number = true;
  return absl::OkStatus();
}

absl::Status NameColumns(bool best_effort, const TableSchemaPointer& current,
                         std::string_view database, bool coarse, TablePlan& plan) {
  const TableSchema& logged = *plan.images;
  if (current == nullptr && !best_effort) {
    return absl::UnknownError(Cat("unknown table ", logged.name, " in schema"));
  }
  if (current == nullptr) return NameByNumber(plan);
  const bool too_many = logged.columns.size() > current->columns.size();
  if (too_many && !best_effort) return ColumnsError(logged, *current, database);
  if (too_many || !Compatible(logged, *current, coarse)) return NameByNumber(plan);
  for (size_t i = 0; i < logged.columns.size(); ++i) {
    plan.names.push_back(logged.columns[i]);
    plan.names.back().name = current->columns[i].name;
    plan.fields.push_back(current->FieldOf(i, database));
  }
  return absl::OkStatus();
}

}  // namespace

const binlogdata::Rule* MatchRule(const binlogdata::Filter& filter, std::string_view table) {
  for (const binlogdata::Rule& rule : filter.rules()) {
    if (Matches(rule.match(), table)) return &rule;
  }
  return nullptr;
}

absl::StatusOr<TablePlan> PlanCopy(const binlogdata::Rule& rule, const TableSchemaPointer& schema,
                                   std::string_view database) {
  TablePlan plan;
  plan.images = schema;
  plan.names = schema->columns;
  for (size_t i = 0; i < schema->columns.size(); ++i)
    plan.fields.push_back(schema->FieldOf(i, database));
  plan.has_enum_or_set = schema->HasEnumOrSet();
  if (absl::Status status = ApplySelect(rule, plan); !status.ok()) return status;
  return plan;
}

absl::StatusOr<TablePlan> PlanReplication(const binlogdata::Filter& filter,
                                          const binlogdata::Rule& rule,
                                          const TableSchemaPointer& logged,
                                          const TableSchemaPointer& current,
                                          std::string_view database,
                                          const VersionProfile& version) {
  const auto fail = [&](std::string_view cause) {
    return absl::UnknownError(
        Cat(cause, "\nfailed to build table replication plan for table ", logged->name));
  };
  TablePlan plan;
  plan.images = logged;
  const bool best_effort = filter.field_event_mode() == binlogdata::Filter::BEST_EFFORT;
  if (absl::Status status = NameColumns(best_effort, current, database, version.coarse_types, plan);
      !status.ok()) {
    return fail(StdView(status.message()));
  }
  if (rule.filter().empty() && !IsRegularExpression(rule.match()))
    return fail("Code: INVALID_ARGUMENT\nQuery was empty\n");
  plan.has_enum_or_set = logged->HasEnumOrSet();
  if (absl::Status status = ApplySelect(rule, plan); !status.ok())
    return fail(StdView(status.message()));
  return plan;
}

absl::StatusOr<bool> Passes(const TablePlan& plan, const Row& row) {
  EvaluationContext context;
  context.columns = &plan.names;
  context.row = &row;
  return IsTrue(plan.where, context);
}

}  // namespace source_vitess::simulator
