#include "telemetry/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <sstream>
#include <utility>
#include <vector>

#include "telemetry/status_json.h"
#include "version.h"

namespace source_vitess::telemetry {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

using Labels = std::vector<std::pair<std::string, std::string>>;

class Family {
 public:
  Family(std::string name, std::string help, MetricType type) : type_(type) {
    family_.name = std::move(name);
    family_.help = std::move(help);
    family_.type = type;
  }

  void Add(const Labels& labels, double value) {
    ClientMetric& metric = family_.metric.emplace_back();
    for (const auto& [name, text] : labels) metric.label.push_back({name, text});
    (type_ == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  }

  MetricFamily Take() { return std::move(family_); }

 private:
  const MetricType type_;
  MetricFamily family_;
};

double Number(uint64_t number) { return static_cast<double>(number); }

// Of tables in shards.
struct Rows {
  Family copied{"source_vitess_rows_copied_total", "Rows read by copies.", MetricType::Counter};
  Family changes{"source_vitess_changes_total", "Changes read behind copies.", MetricType::Counter};
  Family estimated{"source_vitess_estimated_rows", "Rows to be copied, as the servers guess.",
                   MetricType::Gauge};
  Family lag{"source_vitess_lag_seconds", "How far what was read is behind the clock.",
             MetricType::Gauge};

  void Add(const Labels& labels, const Counts& counts) {
    copied.Add(labels, Number(counts.rows_copied));
    changes.Add(labels, Number(counts.changes));
    if (counts.estimated_rows.has_value()) estimated.Add(labels, Number(*counts.estimated_rows));
    if (counts.lag.has_value()) lag.Add(labels, absl::ToDoubleSeconds(*counts.lag));
  }
};

struct Tables {
  Family checkpoints{"source_vitess_checkpoints_total", "States handed to the host.",
                     MetricType::Counter};
  Family checkpoint_time{"source_vitess_last_checkpoint_timestamp_seconds",
                         "When the last state was handed to the host.", MetricType::Gauge};
  Family retries{"source_vitess_retries_total", "Attempts to read that failed and were repeated.",
                 MetricType::Counter};

  void Add(const Labels& labels, const TableStatus& table) {
    checkpoints.Add(labels, Number(table.checkpoints));
    retries.Add(labels, Number(table.retries));
    if (!table.last_checkpoint.has_value()) return;
    checkpoint_time.Add(labels, absl::ToDoubleSeconds(*table.last_checkpoint - absl::UnixEpoch()));
  }
};

void AddTables(const Status& status, Rows& rows, Tables& tables) {
  size_t shards = 0;
  for (const TableStatus& table : status.tables) shards += table.shards.size();
  size_t listed = 0;
  for (const TableStatus& table : status.tables) {
    if (++listed > kMostListedTables) break;
    const Labels labels = {{"keyspace", table.keyspace}, {"table", table.table}};
    tables.Add(labels, table);
    const auto in_shard = [&](const std::string& shard) {
      return Labels{{"keyspace", table.keyspace}, {"shard", shard}, {"table", table.table}};
    };
    if (shards > kMostListedShards) {
      rows.Add(in_shard("*"), table.counts);
      continue;
    }
    for (const ShardStatus& shard : table.shards) rows.Add(in_shard(shard.shard), shard.counts);
  }
}

}  // namespace

std::string ToMetrics(const Status& status) {
  Rows rows;
  Tables tables;
  AddTables(status, rows, tables);
  Family by_phase("source_vitess_tables", "Tables by what is being done with them.",
                  MetricType::Gauge);
  for (const Phase phase : kPhases) {
    by_phase.Add({{"phase", std::string(PhaseName(phase))}}, Number(status.CountTables(phase)));
  }
  Family rate("source_vitess_rows_per_second", "Rows read in the last second.", MetricType::Gauge);
  rate.Add({}, status.rows_per_second);
  Family start("source_vitess_start_timestamp_seconds", "When the run began.", MetricType::Gauge);
  start.Add({}, absl::ToDoubleSeconds(status.began - absl::UnixEpoch()));
  Family build("source_vitess_build_info", "The program's version.", MetricType::Gauge);
  build.Add({{"version", std::string(kVersion)}}, 1);

  std::vector<MetricFamily> families;
  for (Family* family :
       {&rows.copied, &rows.changes, &rows.estimated, &rows.lag, &tables.checkpoints,
        &tables.checkpoint_time, &tables.retries, &by_phase, &rate, &start, &build}) {
    families.push_back(family->Take());
  }
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families);
  return text.str();
}

}  // namespace source_vitess::telemetry
