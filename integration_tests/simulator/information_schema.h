// The tables of information_schema that clients read, made from a shard's own tables.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_INFORMATION_SCHEMA_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_INFORMATION_SCHEMA_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "simulator/cluster_state.h"
#include "simulator/relation.h"

namespace source_vitess::simulator {

// "tables", "columns" or "statistics" of one shard's tables, fields as in the recordings
// execute-tables, execute-columns and execute-indexes. TABLE_SCHEMA holds `schema`, whatever the
// shard's database is called.
absl::StatusOr<Relation> InformationSchema(std::string_view table, const Tables& tables,
                                           std::string_view schema);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_INFORMATION_SCHEMA_H_
