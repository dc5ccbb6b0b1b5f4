// From the costs of single runs to lines that a person reads.
#ifndef SOURCE_VITESS_BENCHMARK_REPORT_H_
#define SOURCE_VITESS_BENCHMARK_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "benchmark/measured_run.h"
#include "benchmark/workload.h"

namespace source_vitess::benchmark {

// Of one figure over all runs.
struct Spread {
  double least = 0;
  double median = 0;
  double most = 0;
};

// REQUIRES: !values.empty()
Spread SpreadOf(std::vector<double> values);

struct WorkloadCosts {
  std::vector<RunCost> floor;
  std::vector<RunCost> connector;  // empty: only the floor was measured
  std::vector<RunCost> sending;    // of as many bytes as the connector sends; empty: costs nothing
  uint64_t output_bytes = 0;       // of one run of the connector
};

// The medians of connector and floor, sending included, one by the other. Nothing without a
// connector.
std::optional<double> CpuRatio(const WorkloadCosts& costs);

// The most of all the connector's runs.
int64_t ConnectorPeakBytes(const WorkloadCosts& costs);

// A table with a line for the connector and one for the floor.
std::string Report(const Workload& workload, const WorkloadCosts& costs);

}  // namespace source_vitess::benchmark

#endif  // SOURCE_VITESS_BENCHMARK_REPORT_H_
