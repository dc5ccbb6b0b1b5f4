#include "fivetran/selection.h"

#include "vitess/errors.h"

namespace source_vitess::fivetran {

namespace sdk = fivetran_sdk::v2;

absl::StatusOr<Selection> Selection::Of(const sdk::UpdateRequest& request) {
  Selection selection;
  switch (request.selection().selection_case()) {
    case sdk::Selection::SELECTION_NOT_SET:
      return selection;
    case sdk::Selection::kWithoutSchema:
      return vitess::ConfigurationError(
          "The selection is one of tables without schemas, while this source has schemas, its "
          "keyspaces. Reload the connection's schema.");
    case sdk::Selection::kWithSchema:
      break;
  }
  const sdk::TablesWithSchema& chosen = request.selection().with_schema();
  selection.other_schemas_ = chosen.include_new_schemas();
  for (const sdk::SchemaSelection& of_schema : chosen.schemas()) {
    Schema& schema = selection.schemas_[of_schema.schema_name()];
    schema.included = of_schema.included();
    schema.other_tables = of_schema.include_new_tables();
    for (const sdk::TableSelection& of_table : of_schema.tables()) {
      Table& table = schema.tables[of_table.table_name()];
      table.included = of_table.included();
      table.columns = {of_table.columns().begin(), of_table.columns().end()};
      table.other_columns = of_table.include_new_columns();
    }
  }
  return selection;
}

bool Selection::WantsTable(const std::string& keyspace, const std::string& table) const {
  const auto schema = schemas_.find(keyspace);
  if (schema == schemas_.end()) return other_schemas_;
  if (!schema->second.included) return false;
  const auto entry = schema->second.tables.find(table);
  return entry == schema->second.tables.end() ? schema->second.other_tables
                                              : entry->second.included;
}

bool Selection::WantsColumn(const std::string& keyspace, const std::string& table,
                            const std::string& column) const {
  const auto schema = schemas_.find(keyspace);
  if (schema == schemas_.end()) return true;
  const auto entry = schema->second.tables.find(table);
  if (entry == schema->second.tables.end()) return true;
  const auto chosen = entry->second.columns.find(column);
  return chosen == entry->second.columns.end() ? entry->second.other_columns : chosen->second;
}

}  // namespace source_vitess::fivetran
