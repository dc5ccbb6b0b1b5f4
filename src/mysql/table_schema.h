// Tables as information_schema tells them through VTGate (recordings execute-tables,
// execute-columns, execute-indexes).
#ifndef SOURCE_VITESS_MYSQL_TABLE_SCHEMA_H_
#define SOURCE_VITESS_MYSQL_TABLE_SCHEMA_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "mysql/column_type.h"
#include "mysql/value.h"
#include "vitess/query.pb.h"

namespace source_vitess::mysql {

struct Column {
  std::string name;
  ColumnType type;
  bool nullable = true;
  bool generated = false;
  bool invisible = false;
};

struct TableSchema {
  std::string keyspace;
  std::string name;
  std::vector<Column> columns;  // in the table's order
  // The columns of the primary key, or else of the unique key over columns that are not null that
  // Vitess takes in its place, in key order. Empty: rows cannot be told apart.
  std::vector<std::string> key;
  bool has_primary_key = false;
  // Whether a copy can go on after a row of this key: not without a key, and not with ENUM, SET or
  // floating-point columns in it, which Vitess's "greater than lastpk" compares wrongly
  // (reference 2.9, docs/design.md rule 4).
  bool resumable = false;
  // The server's estimate.
  uint64_t row_estimate = 0;

  const Column* FindColumn(std::string_view column) const;
};

// The kind that values of a column of the table have when they are neither null nor absent: as
// KindOf its type, but for columns of the key, where a value that a host has no place for would
// make rows one that are not. There, a TIME is text and a TINYINT(1) a number, whatever the options
// say. `column` may be newer than the one in `table`.
Kind KindOf(const TableSchema& table, const Column& column, const TypeOptions& options);

// The queries whose answers ParseTableSchemas takes, for one keyspace. Their target is the
// keyspace.
std::string TablesQuery(std::string_view keyspace);
std::string ColumnsQuery(std::string_view keyspace);
std::string IndexesQuery(std::string_view keyspace);
std::string SequencesQuery(std::string_view keyspace);

// Base tables that a user can want, sorted by name: no views, no internal tables of Vitess (its
// online DDL, garbage collection, and what VStream takes for them: "_*_old"), no sequences.
absl::StatusOr<std::vector<TableSchema>> ParseTableSchemas(std::string_view keyspace,
                                                           const query::QueryResult& tables,
                                                           const query::QueryResult& columns,
                                                           const query::QueryResult& indexes,
                                                           const query::QueryResult& sequences);

// Whether Vitess keeps a table of this name for itself, or never streams it
// (go/vt/schema: IsInternalOperationTableName, IsOnlineDDLTableName).
bool IsInternalTableName(std::string_view table);

}  // namespace source_vitess::mysql

#endif  // SOURCE_VITESS_MYSQL_TABLE_SCHEMA_H_
