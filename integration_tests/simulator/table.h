// Tables of a shard: their schemas and rows.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_TABLE_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_TABLE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "simulator/cell.h"
#include "simulator/column.h"
#include "simulator/sql_statement.h"
#include "vitess/query.pb.h"

namespace source_vitess::simulator {

struct Index {
  IndexSyntax::Kind kind = IndexSyntax::Kind::kPlain;
  std::string name;
  std::vector<size_t> columns;  // places in the table
};

struct TableSchema {
  std::string name;
  std::vector<Column> columns;
  std::vector<Index> indexes;
  const Collation* collation = nullptr;
  std::string comment;
  bool view = false;

  const Index* PrimaryKey() const;

  // The columns that Vitess orders a copy by: the primary key; else the shortest unique key without
  // nullable columns; else all (reference 2.6).
  std::vector<size_t> CopyKey() const;

  ColumnKeyFlags KeyFlags(size_t column) const;

  bool HasEnumOrSet() const;

  query::Field FieldOf(size_t column, std::string_view database) const;
};

using TableSchemaPointer = std::shared_ptr<const TableSchema>;

// By key: the sort key of the primary key, or of a hidden row number where there is none.
using Rows = std::map<std::string, RowPointer>;

struct Table {
  TableSchemaPointer schema;
  // Changes with every definition, TRUNCATE and RENAME, as MySQL's does.
  uint64_t id = 0;
  Rows rows;
  uint64_t next_row_number = 1;
};

// Whether Vitess takes the name for one of its own operations' tables, whose replicated rows no
// stream gets: shadow tables of online DDL, tables on their way to be dropped, those of gh-ost and
// pt-online-schema-change, which are all "_*_old" (go/vt/schema/online_ddl.go).
bool IsInternalTable(std::string_view name);

absl::StatusOr<TableSchema> MakeTableSchema(const CreateTable& create);

// The schema after an action that concerns the definition (not kRenameTable). `moved[i]` tells
// where column i of the result was before, -1 for a new one.
absl::StatusOr<TableSchema> AlterSchema(const TableSchema& schema, const AlterAction& action,
                                        std::vector<int>& moved);

// The key of a row in Table::rows; empty if the table has no primary key.
std::string PrimaryKeyOf(const TableSchema& schema, const Row& row);

// Where the table has the row; end() if it has not.
Rows::iterator FindRow(Table& table, const Row& row);

// Puts a row into the table, over one of the same key.
void PutRow(Table& table, const RowPointer& row);

// The key of a row of a table without primary key.
std::string RowNumberKey(uint64_t number);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_TABLE_H_
