// Reads the tables of a keyspace through VTGate.
#ifndef SOURCE_VITESS_SYNC_SCHEMA_READER_H_
#define SOURCE_VITESS_SYNC_SCHEMA_READER_H_

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "mysql/table_schema.h"
#include "vitess/vtgate_client.h"

namespace source_vitess::sync {

// Runs the queries of mysql/table_schema.h. An answer that is over the server's limit of rows (code
// ABORTED, "Row count exceeded") is asked for again in pages. An error names the keyspace and what
// was asked.
absl::StatusOr<std::vector<mysql::TableSchema>> ReadTableSchemas(vitess::VtgateClient& client,
                                                                 std::string_view keyspace,
                                                                 absl::Duration timeout);

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_SCHEMA_READER_H_
