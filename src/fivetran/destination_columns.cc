#include "fivetran/destination_columns.h"

#include <algorithm>

namespace source_vitess::fivetran {

DestinationColumns::Columns& DestinationColumns::ColumnsOf(const sync::Table& table) {
  const auto [found, is_new] = tables_.try_emplace({table.keyspace(), table.name()});
  if (!is_new) return found->second;
  for (const mysql::Column& column : table.schema.columns) {
    if (IsReservedColumn(column.name) || !sync::Delivers(table, column.name)) continue;
    found->second.types.emplace_back(column.name, DeclaredTypeOf(table.schema, column, types_));
  }
  return found->second;
}

DestinationColumns::Declared DestinationColumns::Declare(const sync::Table& table,
                                                         const mysql::Column& column) {
  const DeclaredType type = DeclaredTypeOf(table.schema, column, types_);
  const std::lock_guard lock(mutex_);
  Columns& columns = ColumnsOf(table);
  const auto known = std::find_if(columns.types.begin(), columns.types.end(),
                                  [&](const auto& entry) { return entry.first == column.name; });
  if (known == columns.types.end()) {
    columns.types.emplace_back(column.name, type);
    return {type, ++columns.version};
  }
  if (!Fits(type, known->second)) {
    known->second = Widen(known->second, type);
    ++columns.version;
  }
  return {known->second, columns.version};
}

void DestinationColumns::Forget(const std::string& keyspace, const std::string& table) {
  const std::lock_guard lock(mutex_);
  tables_.erase({keyspace, table});
}

fivetran_sdk::v2::Table DestinationColumns::Describe(const sync::Table& table) {
  fivetran_sdk::v2::Table described;
  described.set_name(table.name());
  const auto& key = table.schema.key;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, type] : ColumnsOf(table).types) {
    fivetran_sdk::v2::Column& column = *described.add_columns();
    column.set_name(name);
    column.set_primary_key(std::find(key.begin(), key.end(), name) != key.end());
    fivetran::Declare(type, column);
  }
  return described;
}

}  // namespace source_vitess::fivetran
