// What the destination knows of the columns of tables, as far as this sync has told it.
#ifndef SOURCE_VITESS_FIVETRAN_DESTINATION_COLUMNS_H_
#define SOURCE_VITESS_FIVETRAN_DESTINATION_COLUMNS_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "fivetran/common.pb.h"
#include "fivetran/data_type.h"
#include "mysql/column_type.h"
#include "mysql/table_schema.h"
#include "sync/sink.h"

namespace source_vitess::fivetran {

// How many values could not be told as they are.
struct AlteredValues {
  uint64_t nulled = 0;    // the type has no place for them
  uint64_t epochs = 0;    // of keys: dates that are none, told as the beginning of 1970
  uint64_t replaced = 0;  // they have U+FFFD for bytes that mean nothing in their character set
};

struct AlteredColumn {
  size_t table;  // sync::Table::index
  std::string name;
  AlteredValues values;
};

// The table as it is declared to Fivetran: those of its columns that `chosen` says yes to, and its
// key. Columns whose names are the platform's own are left out.
template <typename Chosen>
fivetran_sdk::v2::Table DescribeTable(const mysql::TableSchema& table,
                                      const mysql::TypeOptions& types, Chosen&& chosen);

// Thread-safe.
class DestinationColumns {
 public:
  explicit DestinationColumns(const mysql::TypeOptions& types) : types_(types) {}

  struct Declared {
    DeclaredType type;
    // How often the table's columns have changed by now: from 1 on, the destination has to be told
    // of them, by Describe, before their values.
    uint64_t version = 0;
  };

  // How values of the column are to be sent. The declaration is that of the table's schema as the
  // sync began; it becomes wider for a column that has changed its type to one that does not fit,
  // and stays so. `column` is as the stream has it, older or newer.
  Declared Declare(const sync::Table& table, const mysql::Column& column);

  // The table begins anew, with the columns that it has by then.
  void Forget(const std::string& keyspace, const std::string& table);

  // The table with all columns that are delivered, as they are declared by now.
  fivetran_sdk::v2::Table Describe(const sync::Table& table);

 private:
  struct Columns {
    std::vector<std::pair<std::string, DeclaredType>> types;  // by name
    uint64_t version = 0;
  };

  Columns& ColumnsOf(const sync::Table& table);

  const mysql::TypeOptions types_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Columns> tables_;  // guarded; keyspace and table
};

template <typename Chosen>
fivetran_sdk::v2::Table DescribeTable(const mysql::TableSchema& table,
                                      const mysql::TypeOptions& types, Chosen&& chosen) {
  fivetran_sdk::v2::Table described;
  described.set_name(table.name);
  for (const mysql::Column& column : table.columns) {
    const bool in_key =
        std::find(table.key.begin(), table.key.end(), column.name) != table.key.end();
    if (IsReservedColumn(column.name) || (!in_key && !chosen(column.name))) continue;
    fivetran_sdk::v2::Column& out = *described.add_columns();
    out.set_name(column.name);
    out.set_primary_key(in_key);
    Declare(DeclaredTypeOf(table, column, types), out);
  }
  return described;
}

}  // namespace source_vitess::fivetran

#endif  // SOURCE_VITESS_FIVETRAN_DESTINATION_COLUMNS_H_
