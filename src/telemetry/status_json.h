// The status of a sync as JSON: what /api/status answers. docs/status.md describes it.
#ifndef SOURCE_VITESS_TELEMETRY_STATUS_JSON_H_
#define SOURCE_VITESS_TELEMETRY_STATUS_JSON_H_

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "telemetry/progress.h"

namespace source_vitess::telemetry {

// Tables that are listed; the others are counted.
constexpr size_t kMostListedTables = 2000;
// Pairs of table and shard up to which the shards of every table are listed.
constexpr size_t kMostListedShards = 2000;

// One JSON object. `table`: "keyspace.table", whose shards are listed however many there are;
// empty: none in particular. Times are milliseconds since 1970, durations seconds; what is not
// known is null.
std::string ToJson(const Status& status, absl::Time now, std::string_view table = "");

}  // namespace source_vitess::telemetry

#endif  // SOURCE_VITESS_TELEMETRY_STATUS_JSON_H_
