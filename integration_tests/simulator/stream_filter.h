// What a VStream's filter makes of a table: which columns, which rows, under which names.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_STREAM_FILTER_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_STREAM_FILTER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "simulator/binary_log.h"
#include "simulator/cell.h"
#include "simulator/table.h"
#include "simulator/version_profile.h"
#include "vitess/binlogdata.pb.h"

namespace source_vitess::simulator {

struct TablePlan {
  // The columns of the row images: of the table, or of the rows in the binary log. Values are
  // rendered by them.
  TableSchemaPointer images;
  std::vector<size_t> columns;       // places in the images, in the order of the fields
  std::vector<query::Field> fields;  // what the FIELD event announces
  std::vector<Column> names;         // the columns as WHERE knows them
  ExpressionPtr where;               // may be null
  bool has_enum_or_set = false;
  bool named_by_number = false;  // "@1", "@2": the table's schema says nothing of these rows
};

// The first rule that matches the table's name; null if there is none. Expressions between slashes
// are not anchored (reference 1.4).
const binlogdata::Rule* MatchRule(const binlogdata::Filter& filter, std::string_view table);

// The plan of a copy. An empty filter means all columns, whatever the rule's form.
absl::StatusOr<TablePlan> PlanCopy(const binlogdata::Rule& rule, const TableSchemaPointer& schema,
                                   std::string_view database);

// The plan of rows in the binary log, whose columns are named by the table's current schema
// (reference 4.4). `current` is null if the table is gone. Fails with the texts of the recordings
// error-schema-changed-behind and error-empty-filter-on-table-name.
absl::StatusOr<TablePlan> PlanReplication(const binlogdata::Filter& filter,
                                          const binlogdata::Rule& rule,
                                          const TableSchemaPointer& logged,
                                          const TableSchemaPointer& current,
                                          std::string_view database, const VersionProfile& version);

// Whether the row passes the plan's WHERE.
absl::StatusOr<bool> Passes(const TablePlan& plan, const Row& row);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_STREAM_FILTER_H_
