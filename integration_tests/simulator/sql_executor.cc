#include "simulator/sql_executor.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "simulator/information_schema.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

// MySQL's own error as a tablet passes it on and VTGate prefixes it.
template <typename Text>
absl::Status TabletError(const Shard& shard, absl::StatusCode code, const Text& text) {
  return absl::Status(
      code, Cat("target: ", shard.keyspace, ".", shard.name, ".primary: vttablet: rpc error: ",
                "code = ", absl::StatusCodeToString(code), " desc = ", text));
}

std::string Quoted(std::string_view name) { return Cat("`", name, "`"); }

// The literal that a conjunct of `where` compares `column` with by "="; null if there is none.
const Literal* EqualTo(const ExpressionPtr& where, std::string_view column) {
  if (where == nullptr || where->kind != Expression::Kind::kBinary) return nullptr;
  if (where->name == "and") {
    for (const ExpressionPtr& argument : where->arguments) {
      if (const Literal* literal = EqualTo(argument, column); literal != nullptr) return literal;
    }
    return nullptr;
  }
  const bool equality = where->name == "=" &&
                        where->arguments[0]->kind == Expression::Kind::kColumn &&
                        where->arguments[1]->kind == Expression::Kind::kLiteral &&
                        EqualsIgnoreCase(where->arguments[0]->name, column);
  return equality ? &where->arguments[1]->literal : nullptr;
}

// The key of the only row that `where` can pass, if it names the whole primary key.
std::optional<std::string> OnlyKey(const TableSchema& schema, const ExpressionPtr& where) {
  const Index* primary = schema.PrimaryKey();
  if (primary == nullptr) return std::nullopt;
  std::string key;
  for (const size_t column : primary->columns) {
    const Literal* literal = EqualTo(where, schema.columns[column].name);
    if (literal == nullptr || literal->kind == Literal::Kind::kNull) return std::nullopt;
    const absl::StatusOr<Cell> cell = StoreLiteral(schema.columns[column], *literal);
    if (!cell.ok()) return std::nullopt;
    key += SortKey(schema.columns[column], *cell);
  }
  return key;
}

// The keyspace that a query of information_schema is about.
std::string SchemaPredicate(const ExpressionPtr& where) {
  const Literal* literal = EqualTo(where, "table_schema");
  return literal == nullptr ? "" : literal->text;
}

// Puts the inserted row's value where an expression says values(column).
ExpressionPtr WithInsertedValues(const ExpressionPtr& expression, const TableSchema& schema,
                                 const Row& inserted) {
  if (expression->kind == Expression::Kind::kCall && expression->name == "values" &&
      expression->arguments.size() == 1) {
    const int column = FindColumn(schema.columns, expression->arguments[0]->name);
    auto literal = std::make_shared<Expression>();
    if (column < 0) return literal;
    const Cell& cell = inserted[static_cast<size_t>(column)];
    if (cell.has_value()) {
      literal->literal = ToLiteral(
          {{Literal::Kind::kString, *cell}, &schema.columns[static_cast<size_t>(column)]});
    }
    return literal;
  }
  auto copy = std::make_shared<Expression>(*expression);
  for (ExpressionPtr& argument : copy->arguments)
    argument = WithInsertedValues(argument, schema, inserted);
  return copy;
}

// The difference that an assignment is logged as: none unless it is shorter than the document.
absl::StatusOr<Cell> JsonDifference(const Expression& expression, const EvaluationContext& context,
                                    const Column& column) {
  const absl::StatusOr<std::optional<EditedJson>> json =
      EvaluateJsonDifference(expression, context, column);
  if (!json.ok()) return json.status();
  if (!json->has_value() || (*json)->bytes >= (*json)->document.size()) return Cell();
  return Cell((*json)->difference);
}

std::string DuplicateKeyText(const TableSchema& schema, const Row& row) {
  std::vector<std::string> values;
  for (const size_t column : schema.PrimaryKey()->columns) {
    values.push_back(QueryText(schema.columns[column], row[column].value_or("")));
  }
  return Cat("Duplicate entry '", absl::StrJoin(values, "-"), "' for key '", schema.name,
             ".PRIMARY' (errno 1062) (sqlstate 23000)");
}

}  // namespace

bool SqlExecutor::IsDefinition(const Statement& statement) {
  return std::holds_alternative<CreateTable>(statement) ||
         std::holds_alternative<CreateView>(statement) ||
         std::holds_alternative<AlterTable>(statement) ||
         std::holds_alternative<DropTable>(statement) ||
         std::holds_alternative<RenameTable>(statement) ||
         std::holds_alternative<TruncateTable>(statement) ||
         std::holds_alternative<LoggedOnly>(statement);
}

// --- finding things

absl::StatusOr<Keyspace*> SqlExecutor::FindKeyspace(std::string_view schema) {
  const std::string_view name = schema.empty() ? std::string_view(target_.keyspace) : schema;
  if (name.empty()) {
    if (state_.keyspaces.size() == 1) return state_.keyspaces[0].get();
    return absl::FailedPreconditionError(
        "VT09005: no database selected: use keyspace<:shard><@type> or "
        "keyspace<[range]><@type> (<> are optional)");
  }
  Keyspace* keyspace = state_.FindKeyspace(name);
  if (keyspace == nullptr) {
    return absl::NotFoundError(Cat("VT05003: unknown database '", name, "' in vschema"));
  }
  return keyspace;
}

absl::StatusOr<std::vector<Shard*>> SqlExecutor::TargetShards(Keyspace& keyspace) {
  const auto unavailable = [&](const std::string& shard) {
    return absl::UnavailableError(
        Cat("target: ", keyspace.name, ".", shard, ".", TabletTypeName(target_.type),
            ": no healthy tablet available for 'keyspace:\"", keyspace.name, "\" shard:\"", shard,
            "\" tablet_type:", topodata::TabletType_Name(target_.type), "'"));
  };
  std::vector<Shard*> shards;
  if (target_.shard.empty()) {
    shards = keyspace.ServingShards();
  } else {
    Shard* shard = keyspace.FindShard(target_.shard);
    if (shard == nullptr) return unavailable(target_.shard);
    shards.push_back(shard);
  }
  if (target_.of_workflow) return shards;
  for (const Shard* shard : shards) {
    if (!shard->serving || shard->FindTablet(target_.type) == nullptr)
      return unavailable(shard->name);
  }
  return shards;
}

absl::StatusOr<std::vector<SqlExecutor::Place>> SqlExecutor::FindTables(const TableName& name,
                                                                        Keyspace** keyspace) {
  absl::StatusOr<Keyspace*> found = FindKeyspace(name.schema);
  if (!found.ok()) return found.status();
  const auto rule = state_.routing_rules.find({(*found)->name, name.name});
  if (rule != state_.routing_rules.end() && target_.shard.empty())
    found = FindKeyspace(rule->second);
  if (!found.ok()) return found.status();
  *keyspace = *found;
  const absl::StatusOr<std::vector<Shard*>> shards = TargetShards(**found);
  if (!shards.ok()) return shards.status();
  std::vector<Place> places;
  for (Shard* shard : *shards) {
    if (Table* table = shard->ViewOf(target_.type).FindTable(name.name); table != nullptr)
      places.push_back({shard, table});
  }
  if (!places.empty()) return places;
  if (target_.shard.empty()) return absl::UnknownError(Cat("table ", name.name, " not found"));
  return TabletError(*shards->front(), absl::StatusCode::kNotFound,
                     Cat("Table '", shards->front()->database, ".", name.name,
                         "' doesn't exist (errno 1146) (sqlstate 42S02)"));
}

EvaluationContext SqlExecutor::Context() const {
  EvaluationContext context;
  context.now = state_.now();
  return context;
}

absl::StatusOr<std::string> SqlExecutor::Variable(std::string_view written) {
  std::string name = absl::StrReplaceAll(ToLower(written), {{"`", ""}, {"@@", ""}});
  for (const std::string_view scope : {"global.", "session."}) {
    if (StartsWith(name, scope)) name = name.substr(scope.size());
  }
  if (name == "version_comment") {
    return Cat("Version: ", state_.version.version,
               " (Git revision 0000000000000000000000000000000000000000)");
  }
  if (name == "version") return state_.variables.version;
  if (name == "binlog_row_image") return state_.variables.binlog_row_image;
  if (name == "binlog_row_value_options") return state_.variables.binlog_row_value_options;
  const absl::StatusOr<Keyspace*> keyspace = FindKeyspace("");
  if (!keyspace.ok()) return keyspace.status();
  const absl::StatusOr<std::vector<Shard*>> shards = TargetShards(**keyspace);
  if (!shards.ok()) return shards.status();
  // MySQL writes a line break behind each comma.
  const TabletView tablet = shards->front()->ViewOf(target_.type);
  if (name == "gtid_executed")
    return absl::StrReplaceAll(tablet.executed->ToString(), {{",", ",\n"}});
  if (name == "gtid_purged") return absl::StrReplaceAll(tablet.purged.ToString(), {{",", ",\n"}});
  if (name == "server_uuid") return shards->front()->log->uuid();
  return absl::UnknownError(
      Cat("Unknown system variable '", written, "' (errno 1193) (sqlstate HY000)"));
}

// --- reading

absl::StatusOr<query::QueryResult> SqlExecutor::Run(const Select& select) {
  if (!select.table.has_value()) {
    if (!target_.shard.empty()) {
      const absl::StatusOr<Keyspace*> keyspace = FindKeyspace("");
      if (!keyspace.ok()) return keyspace.status();
      if (const auto shards = TargetShards(**keyspace); !shards.ok()) return shards.status();
    }
    Relation nothing;
    nothing.rows.push_back(std::make_shared<const Row>());
    EvaluationContext context = Context();
    context.variable = [this](std::string_view name) { return Variable(name); };
    return Project(nothing, select, context);
  }
  if (EqualsIgnoreCase(select.table->schema, "information_schema"))
    return SelectInformationSchema(select);
  return SelectFromTable(select);
}

absl::StatusOr<query::QueryResult> SqlExecutor::SelectInformationSchema(const Select& select) {
  const std::string predicate = SchemaPredicate(select.where);
  const bool bypasses_planner = !target_.shard.empty();
  const absl::StatusOr<Keyspace*> keyspace = FindKeyspace(bypasses_planner ? "" : predicate);
  if (!keyspace.ok()) return keyspace.status();
  const absl::StatusOr<std::vector<Shard*>> shards = TargetShards(**keyspace);
  if (!shards.ok()) return shards.status();
  // VTGate takes any shard; the recordings happen to show the last one.
  const Shard& shard = *shards->back();
  // VTGate rewrites the keyspace's name in predicates, but not the database's name in answers.
  absl::StatusOr<Relation> relation =
      InformationSchema(select.table->name, *shards->back()->ViewOf(target_.type).tables,
                        bypasses_planner ? shard.database : (*keyspace)->name);
  if (!relation.ok()) return relation.status();
  EvaluationContext context = Context();
  if (bypasses_planner) context.database = shard.database;
  if (absl::Status status = Filter(*relation, select.where, context); !status.ok()) return status;
  const auto schema = static_cast<size_t>(FindColumn(relation->columns, "TABLE_SCHEMA"));
  for (RowPointer& row : relation->rows) {
    Row renamed = *row;
    renamed[schema] = shard.database;
    row = std::make_shared<const Row>(std::move(renamed));
  }
  return Project(*relation, select, Context());
}

absl::StatusOr<query::QueryResult> SqlExecutor::SelectFromTable(const Select& select) {
  Keyspace* keyspace = nullptr;
  const absl::StatusOr<std::vector<Place>> places = FindTables(*select.table, &keyspace);
  if (!places.ok()) return places.status();
  Relation relation;
  const TableSchema& schema = *places->front().table->schema;
  relation.columns = schema.columns;
  for (size_t i = 0; i < schema.columns.size(); ++i)
    relation.fields.push_back(schema.FieldOf(i, keyspace->name));
  const bool from_one = keyspace->reference_tables.count(schema.name) != 0;
  for (const Place& place : *places) {
    const absl::Status status =
        ForEachMatch(place, select.where, [&](const std::string&, const RowPointer& row) {
          relation.rows.push_back(row);
          return absl::OkStatus();
        });
    if (!status.ok()) return TabletError(*place.shard, status.code(), status.message());
    if (from_one) break;
  }
  return Project(relation, select, Context());
}

absl::Status SqlExecutor::ForEachMatch(
    const Place& place, const ExpressionPtr& where,
    const std::function<absl::Status(const std::string&, const RowPointer&)>& visit) {
  EvaluationContext context = Context();
  context.columns = &place.table->schema->columns;
  absl::Status status;
  const auto check = [&](const std::string& key, const RowPointer& row) {
    context.row = row.get();
    const absl::StatusOr<bool> passes = IsTrue(where, context);
    if (!passes.ok()) {
      status = passes.status();
    } else if (*passes) {
      status = visit(key, row);
    }
    return status.ok();
  };
  if (const std::optional<std::string> key = OnlyKey(*place.table->schema, where);
      key.has_value()) {
    if (const RowPointer row = writes_.Find(*place.shard, *place.table, *key); row != nullptr)
      check(*key, row);
  } else {
    writes_.ForEach(*place.shard, *place.table, check);
  }
  return status;
}

// --- writing

absl::StatusOr<Cell> SqlExecutor::ColumnDefault(const Column& column) {
  if (column.default_value == nullptr) return Cell();
  const absl::StatusOr<SqlValue> value = Evaluate(*column.default_value, Context());
  if (!value.ok()) return value.status();
  return StoreLiteral(column, ToLiteral(*value));
}

absl::StatusOr<Cell> SqlExecutor::DefaultOf(Keyspace& keyspace, const TableSchema& schema,
                                            const Column& column, query::QueryResult& result) {
  if (column.auto_increment) {
    int64_t& next = keyspace.auto_increments.try_emplace(schema.name, 1).first->second;
    if (result.insert_id() == 0) result.set_insert_id(static_cast<uint64_t>(next));
    return Cell(Cat(next++));
  }
  if (column.default_value == nullptr && !column.nullable) {
    return absl::FailedPreconditionError(Cat(
        "Field '", column.name, "' doesn't have a default value (errno 1364) (sqlstate HY000)"));
  }
  return ColumnDefault(column);
}

absl::Status SqlExecutor::ComputeGenerated(const TableSchema& schema, Row& row) {
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    const Column& column = schema.columns[i];
    if (column.generated == nullptr) continue;
    EvaluationContext context = Context();
    context.columns = &schema.columns;
    context.row = &row;
    const absl::StatusOr<SqlValue> value = Evaluate(*column.generated, context);
    if (!value.ok()) return value.status();
    absl::StatusOr<Cell> cell = StoreLiteral(column, ToLiteral(*value));
    if (!cell.ok()) return cell.status();
    row[i] = *std::move(cell);
  }
  return absl::OkStatus();
}

absl::StatusOr<Row> SqlExecutor::BuildRow(Keyspace& keyspace, const TableSchema& schema,
                                          const Insert& insert,
                                          const std::vector<ExpressionPtr>& values,
                                          query::QueryResult& result) {
  std::vector<size_t> places;
  for (const std::string& name : insert.columns) {
    const int column = FindColumn(schema.columns, name);
    if (column < 0) {
      return absl::FailedPreconditionError(
          Cat("Unknown column '", name, "' in 'field list' (errno 1054) (sqlstate 42S22)"));
    }
    places.push_back(static_cast<size_t>(column));
  }
  for (size_t i = 0; insert.columns.empty() && i < schema.columns.size(); ++i) {
    if (!schema.columns[i].invisible) places.push_back(i);
  }
  if (places.size() != values.size()) {
    return absl::InvalidArgumentError(
        "Column count doesn't match value count at row 1 (errno 1136) (sqlstate 21S01)");
  }
  Row row(schema.columns.size());
  std::vector<bool> given(schema.columns.size());
  for (size_t i = 0; i < places.size(); ++i) {
    const Column& column = schema.columns[places[i]];
    if (values[i] == nullptr || column.generated != nullptr) continue;
    const absl::StatusOr<SqlValue> value = Evaluate(*values[i], Context());
    if (!value.ok()) return value.status();
    if (value->IsNull() && column.auto_increment) continue;
    absl::StatusOr<Cell> cell = StoreLiteral(column, ToLiteral(*value));
    if (!cell.ok()) return cell.status();
    row[places[i]] = *std::move(cell);
    given[places[i]] = true;
  }
  for (size_t i = 0; i < row.size(); ++i) {
    const Column& column = schema.columns[i];
    if (!given[i] && column.generated == nullptr) {
      absl::StatusOr<Cell> cell = DefaultOf(keyspace, schema, column, result);
      if (!cell.ok()) return cell.status();
      row[i] = *std::move(cell);
    }
    if (!row[i].has_value() && !column.nullable && column.generated == nullptr) {
      return absl::FailedPreconditionError(
          Cat("Column '", column.name, "' cannot be null (errno 1048) (sqlstate 23000)"));
    }
  }
  if (absl::Status status = ComputeGenerated(schema, row); !status.ok()) return status;
  return row;
}

absl::StatusOr<Shard*> SqlExecutor::Route(Keyspace& keyspace, const TableSchema& schema,
                                          const Row& row) {
  if (!target_.shard.empty()) return keyspace.FindShard(target_.shard);
  const std::vector<Shard*> serving = keyspace.ServingShards();
  if (!keyspace.sharded()) return serving[0];
  const absl::StatusOr<std::string> id = keyspace.KeyspaceIdOf(schema, row);
  if (!id.ok()) return id.status();
  for (Shard* shard : serving) {
    if (shard->range.Contains(*id)) return shard;
  }
  return absl::UnavailableError(Cat("no shard of keyspace ", keyspace.name, " holds the row"));
}

absl::StatusOr<query::QueryResult> SqlExecutor::Run(const Insert& insert) {
  Keyspace* keyspace = nullptr;
  const absl::StatusOr<std::vector<Place>> places = FindTables(insert.table, &keyspace);
  if (!places.ok()) return places.status();
  const TableSchema& schema = *places->front().table->schema;
  query::QueryResult result;
  for (const std::vector<ExpressionPtr>& values : insert.rows) {
    absl::StatusOr<Row> row = BuildRow(*keyspace, schema, insert, values, result);
    if (!row.ok())
      return TabletError(*places->front().shard, row.status().code(), row.status().message());
    std::vector<Shard*> shards;
    if (keyspace->reference_tables.count(schema.name) != 0) {
      for (const Place& place : *places) shards.push_back(place.shard);
    } else {
      const absl::StatusOr<Shard*> shard = Route(*keyspace, schema, *row);
      if (!shard.ok()) return shard.status();
      shards.push_back(*shard);
    }
    for (Shard* shard : shards) {
      const absl::Status status = InsertRow(*keyspace, *shard, insert, *row, result);
      if (!status.ok()) return status;
    }
  }
  return result;
}

absl::Status SqlExecutor::InsertRow(Keyspace& keyspace, Shard& shard, const Insert& insert, Row row,
                                    query::QueryResult& result) {
  Table& table = *shard.FindTable(insert.table.name);
  std::string key = PrimaryKeyOf(*table.schema, row);
  if (key.empty()) {
    key = RowNumberKey(table.next_row_number++);
  } else if (const RowPointer existing = writes_.Find(shard, table, key); existing != nullptr) {
    return InsertOverExisting(keyspace, insert, {&shard, &table}, key, existing, std::move(row),
                              result);
  }
  writes_.Put(shard, table, key, std::make_shared<const Row>(std::move(row)));
  result.set_rows_affected(result.rows_affected() + 1);
  return absl::OkStatus();
}

absl::Status SqlExecutor::InsertOverExisting(Keyspace& keyspace, const Insert& insert,
                                             const Place& place, const std::string& key,
                                             const RowPointer& existing, Row row,
                                             query::QueryResult& result) {
  if (insert.ignore) return absl::OkStatus();
  const TableSchema& schema = *place.table->schema;
  if (!insert.replace && insert.on_duplicate.empty()) {
    return TabletError(*place.shard, absl::StatusCode::kAlreadyExists,
                       DuplicateKeyText(schema, row));
  }
  ChangedRow replaced;
  if (insert.replace) {
    replaced.row = std::move(row);
    replaced.assigned.assign(schema.columns.size(), true);
    replaced.json_differences.resize(schema.columns.size());
  } else {
    absl::StatusOr<ChangedRow> changed = Assign(schema, *existing, insert.on_duplicate, &row);
    if (!changed.ok()) return changed.status();
    replaced = *std::move(changed);
  }
  if (replaced.row == *existing) return absl::OkStatus();
  // MySQL logs a REPLACE that conflicts in its last unique key as an update.
  result.set_rows_affected(result.rows_affected() + 2);
  return ChangeRow(keyspace, place, key, std::move(replaced));
}

absl::StatusOr<SqlExecutor::ChangedRow> SqlExecutor::Assign(
    const TableSchema& schema, const Row& row, const std::vector<Assignment>& assignments,
    const Row* inserted) {
  ChangedRow result;
  result.row = row;
  result.assigned.resize(schema.columns.size());
  result.json_differences.resize(schema.columns.size());
  Row& changed = result.row;
  EvaluationContext context = Context();
  context.columns = &schema.columns;
  for (const Assignment& assignment : assignments) {
    const int column = FindColumn(schema.columns, assignment.column);
    if (column < 0) {
      return absl::FailedPreconditionError(Cat("Unknown column '", assignment.column,
                                               "' in 'field list' (errno 1054) (sqlstate 42S22)"));
    }
    const auto index = static_cast<size_t>(column);
    context.row = &changed;
    const ExpressionPtr expression = inserted == nullptr
                                         ? assignment.value
                                         : WithInsertedValues(assignment.value, schema, *inserted);
    const absl::StatusOr<SqlValue> value = Evaluate(*expression, context);
    if (!value.ok()) return value.status();
    if (schema.columns[index].type == query::JSON) {
      absl::StatusOr<Cell> difference = JsonDifference(*expression, context, schema.columns[index]);
      if (!difference.ok()) return difference.status();
      result.json_differences[index] = *std::move(difference);
    }
    absl::StatusOr<Cell> cell = StoreLiteral(schema.columns[index], ToLiteral(*value));
    if (!cell.ok()) return cell.status();
    if (!cell->has_value() && !schema.columns[index].nullable) {
      return absl::FailedPreconditionError(
          Cat("Column '", assignment.column, "' cannot be null (errno 1048) (sqlstate 23000)"));
    }
    changed[index] = *std::move(cell);
    result.assigned[index] = true;
  }
  if (changed == row) return result;
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    if (!schema.columns[i].on_update_now || result.assigned[i]) continue;
    const std::string now =
        absl::FormatTime("%E4Y-%m-%d %H:%M:%E6S", state_.now(), absl::UTCTimeZone());
    changed[i] = StoreLiteral(schema.columns[i], {Literal::Kind::kString, now}).value_or(Cell());
  }
  if (absl::Status status = ComputeGenerated(schema, changed); !status.ok()) return status;
  return result;
}

std::shared_ptr<const PartialImages> SqlExecutor::PartialImagesOf(const TableSchema& schema,
                                                                  const Row& before,
                                                                  const ChangedRow* changed) const {
  const bool no_blobs = EqualsIgnoreCase(state_.variables.binlog_row_image, "noblob");
  const bool partial_json =
      EqualsIgnoreCase(state_.variables.binlog_row_value_options, "partial_json");
  if (!no_blobs && !partial_json) return nullptr;
  const size_t count = schema.columns.size();
  PartialImages partial;
  partial.absent_before.resize(count);
  partial.absent_after.resize(count);
  partial.json_differences.resize(count);
  std::vector<bool> in_key(count, schema.PrimaryKey() == nullptr);
  if (schema.PrimaryKey() != nullptr) {
    for (const size_t column : schema.PrimaryKey()->columns) in_key[column] = true;
  }
  for (size_t i = 0; i < count; ++i) {
    const query::Type type = schema.columns[i].type;
    const bool left_out = no_blobs && (type == query::BLOB || type == query::TEXT) && !in_key[i];
    partial.absent_before[i] = left_out;
    if (changed == nullptr) continue;
    partial.absent_after[i] = left_out && !changed->assigned[i];
    if (!partial_json || type != query::JSON || !changed->row[i].has_value()) continue;
    partial.json_differences[i] =
        changed->row[i] == before[i] ? Cell("") : changed->json_differences[i];
  }
  return std::make_shared<const PartialImages>(std::move(partial));
}

absl::Status SqlExecutor::ChangeRow(Keyspace& keyspace, const Place& place, const std::string& key,
                                    ChangedRow changed_row) {
  const TableSchema& schema = *place.table->schema;
  const RowPointer before = writes_.Find(*place.shard, *place.table, key);
  const Row& row = changed_row.row;
  const bool everywhere = keyspace.reference_tables.count(schema.name) != 0;
  const absl::StatusOr<Shard*> shard = everywhere ? place.shard : Route(keyspace, schema, row);
  if (!shard.ok()) return shard.status();
  const std::string primary = PrimaryKeyOf(schema, row);
  auto changed = std::make_shared<const Row>(row);
  if (*shard != place.shard) {  // the row moves: two independent changes (reference 5.2)
    writes_.Put(*place.shard, *place.table, key, nullptr,
                PartialImagesOf(schema, *before, nullptr));
    Table& table = *(*shard)->FindTable(schema.name);
    const std::string new_key = primary.empty() ? RowNumberKey(table.next_row_number++) : primary;
    writes_.Put(**shard, table, new_key, std::move(changed));
    return absl::OkStatus();
  }
  const std::string& new_key = primary.empty() ? key : primary;
  if (new_key != key && writes_.Find(*place.shard, *place.table, new_key) != nullptr) {
    return TabletError(*place.shard, absl::StatusCode::kAlreadyExists,
                       DuplicateKeyText(schema, *changed));
  }
  writes_.Replace(*place.shard, *place.table, key, new_key, std::move(changed),
                  PartialImagesOf(schema, *before, &changed_row));
  return absl::OkStatus();
}

absl::StatusOr<query::QueryResult> SqlExecutor::Run(const Update& update) {
  Keyspace* keyspace = nullptr;
  const absl::StatusOr<std::vector<Place>> places = FindTables(update.table, &keyspace);
  if (!places.ok()) return places.status();
  return RunChanges(*keyspace, update, *places);
}

absl::StatusOr<query::QueryResult> SqlExecutor::RunChanges(Keyspace& keyspace, const Update& update,
                                                           const std::vector<Place>& places) {
  struct Match {
    Place place;
    std::string key;
    RowPointer row;
  };
  // Found before any is changed, so that a row that moves is not met again.
  std::vector<Match> matches;
  for (const Place& place : places) {
    const absl::Status status =
        ForEachMatch(place, update.where, [&](const std::string& key, const RowPointer& row) {
          if (!update.limit.has_value() || matches.size() < *update.limit)
            matches.push_back({place, key, row});
          return absl::OkStatus();
        });
    if (!status.ok()) return TabletError(*place.shard, status.code(), status.message());
  }
  query::QueryResult result;
  for (const Match& match : matches) {
    absl::StatusOr<ChangedRow> row =
        Assign(*match.place.table->schema, *match.row, update.assignments, nullptr);
    if (!row.ok())
      return TabletError(*match.place.shard, row.status().code(), row.status().message());
    if (row->row == *match.row) continue;
    if (absl::Status status = ChangeRow(keyspace, match.place, match.key, *std::move(row));
        !status.ok())
      return status;
    result.set_rows_affected(result.rows_affected() + 1);
  }
  return result;
}

absl::StatusOr<query::QueryResult> SqlExecutor::Run(const Delete& deletion) {
  Keyspace* keyspace = nullptr;
  const absl::StatusOr<std::vector<Place>> places = FindTables(deletion.table, &keyspace);
  if (!places.ok()) return places.status();
  query::QueryResult result;
  for (const Place& place : *places) {
    std::vector<std::string> keys;
    const absl::Status status =
        ForEachMatch(place, deletion.where, [&](const std::string& key, const RowPointer&) {
          if (!deletion.limit.has_value() || result.rows_affected() + keys.size() < *deletion.limit)
            keys.push_back(key);
          return absl::OkStatus();
        });
    if (!status.ok()) return TabletError(*place.shard, status.code(), status.message());
    for (const std::string& key : keys) {
      const RowPointer row = writes_.Find(*place.shard, *place.table, key);
      writes_.Put(*place.shard, *place.table, key, nullptr,
                  PartialImagesOf(*place.table->schema, *row, nullptr));
    }
    result.set_rows_affected(result.rows_affected() + keys.size());
  }
  return result;
}

// --- definitions

void SqlExecutor::LogDefinition(Shard& shard, std::string statement,
                                std::vector<std::string> tables) {
  LoggedTransaction transaction;
  transaction.kind = LoggedTransaction::Kind::kDefinition;
  transaction.time = state_.now();
  transaction.keyspace = shard.keyspace;
  transaction.shard = shard.name;
  transaction.statement = std::move(statement);
  transaction.tables = std::move(tables);
  shard.log->Append(std::move(transaction));
}

absl::StatusOr<query::QueryResult> SqlExecutor::Run(const CreateTable& create) {
  const absl::StatusOr<Keyspace*> keyspace = FindKeyspace(create.table.schema);
  if (!keyspace.ok()) return keyspace.status();
  const absl::StatusOr<std::vector<Shard*>> shards = TargetShards(**keyspace);
  if (!shards.ok()) return shards.status();
  absl::StatusOr<TableSchema> schema;
  if (create.like.has_value()) {
    Table* like = shards->front()->FindTable(create.like->name);
    if (like == nullptr)
      return absl::NotFoundError(
          Cat("Table '", create.like->name, "' doesn't exist (errno 1146) (sqlstate 42S02)"));
    schema = *like->schema;
    schema->name = create.table.name;
    (*keyspace)->KeepVschema(create.like->name, create.table.name);
  } else {
    schema = MakeTableSchema(create);
  }
  if (!schema.ok()) return schema.status();
  const auto shared = std::make_shared<const TableSchema>(*std::move(schema));
  for (Shard* shard : *shards) {
    if (shard->FindTable(shared->name) != nullptr) {
      if (create.if_not_exists) continue;
      return TabletError(
          *shard, absl::StatusCode::kAlreadyExists,
          Cat("Table '", shared->name, "' already exists (errno 1050) (sqlstate 42S01)"));
    }
    shard->tables[shared->name] = {shared, state_.next_table_id++, {}, 1};
    LogDefinition(*shard, std::string(sql_), {shared->name});
  }
  return query::QueryResult();
}

absl::StatusOr<query::QueryResult> SqlExecutor::Run(const CreateView& create) {
  const absl::StatusOr<Keyspace*> keyspace = FindKeyspace(create.view.schema);
  if (!keyspace.ok()) return keyspace.status();
  const absl::StatusOr<std::vector<Shard*>> shards = TargetShards(**keyspace);
  if (!shards.ok()) return shards.status();
  TableSchema schema;
  schema.name = create.view.name;
  schema.collation = DefaultCollation("utf8mb4");
  schema.view = true;
  const auto shared = std::make_shared<const TableSchema>(std::move(schema));
  for (Shard* shard : *shards) {
    shard->tables[shared->name] = {shared, state_.next_table_id++, {}, 1};
    LogDefinition(*shard, std::string(sql_), {shared->name});
  }
  return query::QueryResult();
}

absl::Status SqlExecutor::RenameInShard(Shard& shard, const std::string& from,
                                        const std::string& to) {
  auto node = shard.tables.extract(from);
  if (node.empty()) {
    return TabletError(
        shard, absl::StatusCode::kNotFound,
        Cat("Table '", shard.database, ".", from, "' doesn't exist (errno 1146) (sqlstate 42S02)"));
  }
  TableSchema schema = *node.mapped().schema;
  schema.name = to;
  node.key() = to;
  node.mapped().schema = std::make_shared<const TableSchema>(std::move(schema));
  node.mapped().id = state_.next_table_id++;
  if (shard.tables.insert(std::move(node)).inserted) return absl::OkStatus();
  return TabletError(shard, absl::StatusCode::kAlreadyExists,
                     Cat("Table '", to, "' already exists (errno 1050) (sqlstate 42S01)"));
}

absl::StatusOr<Row> SqlExecutor::RebuildRow(const TableSchema& before, const TableSchema& altered,
                                            const std::vector<int>& moved, const Row& row) {
  Row rebuilt;
  for (size_t i = 0; i < moved.size(); ++i) {
    const Column& column = altered.columns[i];
    if (moved[i] < 0) {
      absl::StatusOr<Cell> added = ColumnDefault(column);
      if (!added.ok()) return added.status();
      rebuilt.push_back(*std::move(added));
      continue;
    }
    const auto old = static_cast<size_t>(moved[i]);
    // The stored form depends on the type.
    const bool retyped = before.columns[old].column_type != column.column_type ||
                         before.columns[old].collation != column.collation;
    if (!retyped || !row[old].has_value()) {
      rebuilt.push_back(row[old]);
      continue;
    }
    absl::StatusOr<Cell> converted = StoreLiteral(
        column, ToLiteral({{Literal::Kind::kString, *row[old]}, &before.columns[old]}));
    if (!converted.ok()) return converted.status();
    rebuilt.push_back(*std::move(converted));
  }
  if (absl::Status status = ComputeGenerated(altered, rebuilt); !status.ok()) return status;
  return rebuilt;
}

absl::Status SqlExecutor::AlterRows(const Shard& shard, Table& table, const AlterAction& action) {
  std::vector<int> moved;
  absl::StatusOr<TableSchema> altered = AlterSchema(*table.schema, action, moved);
  if (!altered.ok())
    return TabletError(shard, altered.status().code(), StdView(altered.status().message()));
  Rows rows;
  for (const auto& [key, row] : table.rows) {
    absl::StatusOr<Row> rebuilt = RebuildRow(*table.schema, *altered, moved, *row);
    if (!rebuilt.ok())
      return TabletError(shard, rebuilt.status().code(), StdView(rebuilt.status().message()));
    std::string new_key = PrimaryKeyOf(*altered, *rebuilt);
    if (new_key.empty())
      new_key = table.schema->PrimaryKey() == nullptr ? key : RowNumberKey(table.next_row_number++);
    if (rows.count(new_key) != 0) {
      return TabletError(shard, absl::StatusCode::kAlreadyExists,
                         DuplicateKeyText(*altered, *rebuilt));
    }
    rows[new_key] = std::make_shared<const Row>(*std::move(rebuilt));
  }
  table.rows = std::move(rows);
  table.schema = std::make_shared<const TableSchema>(*std::move(altered));
  return absl::OkStatus();
}

absl::Status SqlExecutor::AlterInShard(Shard& shard, Table& table, const AlterTable& alter) {
  Table altered = table;
  std::string name = altered.schema->name;
  for (const AlterAction& action : alter.actions) {
    if (action.kind == AlterAction::Kind::kRenameTable) {
      name = action.new_name;
      continue;
    }
    if (absl::Status status = AlterRows(shard, altered, action); !status.ok()) return status;
  }
  if (name != table.schema->name) {
    if (absl::Status status = RenameInShard(shard, table.schema->name, name); !status.ok())
      return status;
    TableSchema renamed = *altered.schema;
    renamed.name = name;
    altered.schema = std::make_shared<const TableSchema>(std::move(renamed));
  }
  // Renaming has kept the table where it is in memory.
  table = std::move(altered);
  table.id = state_.next_table_id++;
  return absl::OkStatus();
}

absl::StatusOr<query::QueryResult> SqlExecutor::Run(const AlterTable& alter) {
  Keyspace* keyspace = nullptr;
  const absl::StatusOr<std::vector<Place>> places = FindTables(alter.table, &keyspace);
  if (!places.ok()) return places.status();
  // VTGate sends CREATE INDEX on as ALTER TABLE (recording ddl).
  std::string statement(sql_);
  const AlterAction& first = alter.actions[0];
  if (StartsWithIgnoreCase(sql_, "create")) {
    statement = Cat("alter table ", alter.table.name, " add ",
                    first.index.kind == IndexSyntax::Kind::kUnique ? "unique " : "", "key ",
                    first.index.name, " (", absl::StrJoin(first.index.columns, ", "), ")");
  }
  std::vector<std::string> names = {alter.table.name};
  for (const AlterAction& action : alter.actions) {
    if (action.kind != AlterAction::Kind::kRenameTable) continue;
    names.push_back(action.new_name);
  }
  for (const Place& place : *places) {
    if (absl::Status status = AlterInShard(*place.shard, *place.table, alter); !status.ok())
      return status;
    LogDefinition(*place.shard, statement, names);
  }
  keyspace->FollowAlter(alter);
  return query::QueryResult();
}

absl::StatusOr<query::QueryResult> SqlExecutor::Run(const DropTable& drop) {
  for (const TableName& name : drop.tables) {
    Keyspace* keyspace = nullptr;
    const absl::StatusOr<std::vector<Place>> places = FindTables(name, &keyspace);
    if (!places.ok()) {
      if (drop.if_exists) continue;
      return places.status();
    }
    for (const Place& place : *places) {
      place.shard->tables.erase(name.name);
      LogDefinition(*place.shard,
                    Cat("DROP TABLE ", drop.if_exists ? "IF EXISTS " : "", Quoted(name.name),
                        " /* generated by server */"),
                    {name.name});
    }
  }
  return query::QueryResult();
}

absl::StatusOr<query::QueryResult> SqlExecutor::Run(const RenameTable& rename) {
  Keyspace* keyspace = nullptr;
  const absl::StatusOr<std::vector<Place>> places = FindTables(rename.pairs[0].first, &keyspace);
  if (!places.ok()) return places.status();
  std::vector<std::string> names;
  for (const auto& [from, to] : rename.pairs) {
    names.push_back(from.name);
    names.push_back(to.name);
    keyspace->KeepVschema(from.name, to.name);
  }
  for (const Place& place : *places) {
    for (const auto& [from, to] : rename.pairs) {
      if (absl::Status status = RenameInShard(*place.shard, from.name, to.name); !status.ok())
        return status;
    }
    LogDefinition(*place.shard, std::string(sql_), names);
  }
  return query::QueryResult();
}

absl::StatusOr<query::QueryResult> SqlExecutor::Run(const TruncateTable& truncate) {
  Keyspace* keyspace = nullptr;
  const absl::StatusOr<std::vector<Place>> places = FindTables(truncate.table, &keyspace);
  if (!places.ok()) return places.status();
  for (const Place& place : *places) {
    place.table->rows.clear();
    place.table->id = state_.next_table_id++;
    LogDefinition(*place.shard, std::string(sql_), {truncate.table.name});
  }
  return query::QueryResult();
}

absl::StatusOr<query::QueryResult> SqlExecutor::Run(const LoggedOnly& statement) {
  const absl::StatusOr<Keyspace*> keyspace = FindKeyspace("");
  if (!keyspace.ok()) return keyspace.status();
  const absl::StatusOr<std::vector<Shard*>> shards = TargetShards(**keyspace);
  if (!shards.ok()) return shards.status();
  for (Shard* shard : *shards) {
    LoggedTransaction transaction;
    transaction.kind = LoggedTransaction::Kind::kDefinition;
    transaction.time = state_.now();
    transaction.keyspace = shard->keyspace;
    transaction.shard = shard->name;
    transaction.statement = std::string(sql_);
    transaction.unparsed = statement.told;
    shard->log->Append(std::move(transaction));
  }
  return query::QueryResult();
}

absl::StatusOr<query::QueryResult> SqlExecutor::Run(const AlterVschema& vschema) {
  const absl::StatusOr<Keyspace*> keyspace = FindKeyspace(vschema.table.schema);
  if (!keyspace.ok()) return keyspace.status();
  if (vschema.reference) {
    (*keyspace)->reference_tables.insert(vschema.table.name);
    return query::QueryResult();
  }
  const absl::StatusOr<VindexType> type = ParseVindexType(vschema.type);
  if (!type.ok()) return type.status();
  (*keyspace)->vindexes[vschema.table.name] = {vschema.name, vschema.type, *type,
                                               vschema.columns[0]};
  return query::QueryResult();
}

}  // namespace source_vitess::simulator
