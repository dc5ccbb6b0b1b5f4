#include "benchmark/report.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace source_vitess::benchmark {
namespace {

constexpr double kMega = 1e6;

Spread Of(const std::vector<RunCost>& runs, const std::function<double(const RunCost&)>& figure) {
  std::vector<double> values;
  for (const RunCost& run : runs) values.push_back(figure(run));
  return SpreadOf(std::move(values));
}

double CpuSeconds(const RunCost& run) { return run.cpu_seconds(); }

// Columns of the table; the figures of a line stand below their names.
constexpr char kColumns[] = "  %-10s  %-28s  %-12s  %-24s  %-8s  %s\n";

std::string Text(const Spread& spread, int decimals) {
  return absl::StrFormat("%.*f (%.*f .. %.*f)", decimals, spread.median, decimals, spread.least,
                         decimals, spread.most);
}

std::string Head() {
  return absl::StrFormat(kColumns, "", "rows/s", "MB/s put out", "CPU s per million rows", "system",
                         "peak MB");
}

std::string Line(const char* name, const Workload& workload, const std::vector<RunCost>& runs,
                 uint64_t output_bytes) {
  const auto rows = static_cast<double>(workload.rows());
  const double output_megabytes = static_cast<double>(output_bytes) / kMega;
  const Spread speed = Of(runs, [&](const RunCost& run) { return rows / run.wall_seconds; });
  const Spread cpu = Of(runs, [&](const RunCost& run) { return CpuSeconds(run) / rows * kMega; });
  const Spread system =
      Of(runs, [&](const RunCost& run) { return run.system_seconds / rows * kMega; });
  const Spread memory =
      Of(runs, [](const RunCost& run) { return static_cast<double>(run.peak_bytes) / kMega; });
  const std::string output_speed =
      output_bytes == 0 ? "-" : absl::StrFormat("%.0f", speed.median * output_megabytes / rows);
  return absl::StrFormat(kColumns, name, Text(speed, 0), output_speed, Text(cpu, 3),
                         absl::StrFormat("%.3f", system.median), Text(memory, 1));
}

}  // namespace

Spread SpreadOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {values.front(), median, values.back()};
}

std::optional<double> CpuRatio(const WorkloadCosts& costs) {
  if (costs.connector.empty()) return std::nullopt;
  const double sending = costs.sending.empty() ? 0 : Of(costs.sending, CpuSeconds).median;
  return Of(costs.connector, CpuSeconds).median / (Of(costs.floor, CpuSeconds).median + sending);
}

int64_t ConnectorPeakBytes(const WorkloadCosts& costs) {
  int64_t peak = 0;
  for (const RunCost& run : costs.connector) peak = std::max(peak, run.peak_bytes);
  return peak;
}

std::string Report(const Workload& workload, const WorkloadCosts& costs) {
  const auto rows = static_cast<double>(workload.rows());
  std::string text = absl::StrFormat(
      "%s: %d rows in %d messages, %.0f bytes a row on the wire", WorkloadName(workload.choice()),
      workload.rows(), workload.messages(), static_cast<double>(workload.bytes()) / rows);
  if (costs.output_bytes > 0) {
    absl::StrAppendFormat(&text, ", %.0f bytes a row put out",
                          static_cast<double>(costs.output_bytes) / rows);
  }
  absl::StrAppendFormat(&text, "\n  median (least .. most) of %d runs\n", costs.floor.size());
  text += Head();
  if (!costs.connector.empty()) {
    text += Line("connector", workload, costs.connector, costs.output_bytes);
  }
  text += Line("floor", workload, costs.floor, 0);
  if (!costs.sending.empty()) {
    text += Line("sending", workload, costs.sending, costs.output_bytes);
  }
  if (const std::optional<double> ratio = CpuRatio(costs); ratio.has_value()) {
    absl::StrAppendFormat(&text, "  the connector takes %.2f times the CPU of the floor%s\n",
                          *ratio, costs.sending.empty() ? "" : " and of sending");
  }
  return text;
}

}  // namespace source_vitess::benchmark
