// The status of a run as Prometheus' metrics. docs/status.md lists them.
#ifndef SOURCE_VITESS_TELEMETRY_METRICS_H_
#define SOURCE_VITESS_TELEMETRY_METRICS_H_

#include <string>

#include "telemetry/progress.h"

namespace source_vitess::telemetry {

// In the text format. Shards are told apart up to kMostListedShards of them; beyond, a table's
// series have the shard "*". Of more than kMostListedTables tables, the first are told.
std::string ToMetrics(const Status& status);

}  // namespace source_vitess::telemetry

#endif  // SOURCE_VITESS_TELEMETRY_METRICS_H_
