// What discovery declares, and what a configured catalog asks for.
#ifndef SOURCE_VITESS_AIRBYTE_CATALOG_H_
#define SOURCE_VITESS_AIRBYTE_CATALOG_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "airbyte/declared_type.h"
#include "airbyte/messages.h"
#include "mysql/column_type.h"
#include "mysql/table_schema.h"

namespace source_vitess::airbyte {

// Whether changes of the table can be read: it has a key whose columns Airbyte takes for one, that
// is, no objects and no arrays (reference 4.1, C10).
bool SupportsIncremental(const mysql::TableSchema& schema, const mysql::TypeOptions& types);

// Whether its records have the columns _ab_cdc_updated_at, _ab_cdc_deleted_at and _ab_cdc_cursor,
// in whichever mode it is read: what is declared is sent.
bool HasCdcColumns(const mysql::TableSchema& schema, const mysql::TypeOptions& types);

// Whether `column` is one of those, whose names a table's own columns cannot have here.
bool IsCdcColumn(std::string_view column);

// A CATALOG message, with its newline, of streams in the order of `tables` (reference 1.8, 1.10,
// 3.2).
std::string CatalogLine(std::span<const mysql::TableSchema> tables,
                        const mysql::TypeOptions& types);

struct ConfiguredColumn {
  std::string name;
  DeclaredType type = DeclaredType::kAny;
};

struct ConfiguredStream {
  StreamName name;
  bool incremental = false;
  // The properties of its schema that are a table's own columns, in the catalog's order.
  std::vector<ConfiguredColumn> columns;
  // The columns by which the destination keeps one row of each key; empty: it keeps all records.
  std::vector<std::string> primary_key;
  // What makes this stream unreadable by itself: a configuration error that names it. The others
  // can be read.
  absl::Status status;
};

// Reads a ConfiguredAirbyteCatalog, passing over members that it does not know and explicit nulls.
// Fails, with the class kConfiguration, when the text is no such catalog, or names a stream twice
// or not at all.
absl::StatusOr<std::vector<ConfiguredStream>> ParseConfiguredCatalog(std::string_view json);

}  // namespace source_vitess::airbyte

#endif  // SOURCE_VITESS_AIRBYTE_CATALOG_H_
