// source-vitess-scale: what many shards and tables cost (README.md).
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "benchmark/connector_setup.h"
#include "benchmark/measured_run.h"
#include "benchmark/scale_cluster.h"
#include "harness/connector.h"

namespace source_vitess::benchmark {
namespace {

#ifndef SOURCE_VITESS_PROGRAM
#define SOURCE_VITESS_PROGRAM ""
#endif

constexpr char kThisProgram[] = "/proc/self/exe";
constexpr absl::Duration kRunTimeout = absl::Minutes(60);
constexpr double kMega = 1e6;

// One line of the table: "SHARDS:TABLES[:WHOLE-TABLES[:SHARDS-PER-STREAM]]".
struct Measurement {
  ClusterShape cluster;
  int shards_per_stream = 16;
};

struct Arguments {
  std::vector<std::string> shapes = {"1:10",   "1:200",   "1:2000",      "16:10",
                                     "16:200", "16:2000", "16:1800:200", "64:10",
                                     "64:200", "256:10",  "256:200"};
  int rows = 10;
  std::string connector = SOURCE_VITESS_PROGRAM;
};

absl::StatusOr<Measurement> ParseShape(const std::string& text, int rows) {
  Measurement measurement;
  measurement.cluster.rows = rows;
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  int* const numbers[] = {&measurement.cluster.shards, &measurement.cluster.tables,
                          &measurement.cluster.whole_tables, &measurement.shards_per_stream};
  bool good = parts.size() >= 2 && parts.size() <= std::size(numbers);
  for (size_t i = 0; good && i < parts.size(); ++i) good = absl::SimpleAtoi(parts[i], numbers[i]);
  if (good && measurement.cluster.shards >= 1 && measurement.cluster.shards <= 65536 &&
      measurement.cluster.tables >= 1 && measurement.shards_per_stream >= 1) {
    return measurement;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(text, " is not SHARDS:TABLES[:WHOLE-TABLES[:SHARDS-PER-STREAM]]"));
}

struct Measured {
  RunCost cost;
  CountedOutput output;
};

// Runs the connector from a process that holds nothing, so that no other memory counts as its.
absl::StatusOr<Measured> RunMeasured(const std::vector<std::string>& connector) {
  std::vector<std::string> command = {kThisProgram, "cost", "--"};
  command.insert(command.end(), connector.begin(), connector.end());
  absl::StatusOr<CountedOutput> output = CountOutput(command, kRunTimeout);
  if (!output.ok()) return output.status();
  Measured measured{{}, *std::move(output)};
  const std::vector<std::string> numbers = absl::StrSplit(measured.output.errors, ' ');
  RunCost& cost = measured.cost;
  if (numbers.size() != 4 || !absl::SimpleAtod(numbers[0], &cost.wall_seconds) ||
      !absl::SimpleAtod(numbers[1], &cost.user_seconds) ||
      !absl::SimpleAtod(numbers[2], &cost.system_seconds) ||
      !absl::SimpleAtoi(numbers[3], &cost.peak_bytes)) {
    return absl::InternalError(absl::StrCat("on stderr came: ", measured.output.errors));
  }
  return measured;
}

// The command "cost": the figures on stderr, as RunMeasured reads them.
int TellCost(const std::vector<std::string>& command) {
  const absl::StatusOr<RunCost> cost = MeasureRun(command, kRunTimeout, Stdout::kInherited);
  if (!cost.ok()) {
    std::fprintf(stderr, "%s\n", std::string(cost.status().message()).c_str());
    return 1;
  }
  std::fprintf(stderr, "%f %f %f %lld", cost->wall_seconds, cost->user_seconds,
               cost->system_seconds, static_cast<long long>(cost->peak_bytes));
  return 0;
}

// The runs of one measurement, in their order.
class Runs {
 public:
  static absl::StatusOr<Runs> Make(const Arguments& arguments, const Measurement& measurement) {
    absl::StatusOr<ScaleCluster> cluster = ScaleCluster::Start(kThisProgram, measurement.cluster);
    if (!cluster.ok()) return cluster.status();
    std::vector<std::string> keyspaces = {"sharded"};
    if (measurement.cluster.has_whole()) keyspaces.emplace_back("whole");
    auto connector = harness::Connector::Make(
        arguments.connector,
        harness::MakeConfig(cluster->port(), keyspaces,
                            {{"shards_per_stream", absl::StrCat(measurement.shards_per_stream)}}));
    if (!connector.ok()) return connector.status();
    return Runs(measurement, *std::move(cluster), *std::move(connector));
  }

  absl::Status All() {
    const ClusterShape& shape = measurement_.cluster;
    const auto rows = static_cast<uint64_t>(shape.rows) *
                      static_cast<uint64_t>(shape.tables + shape.whole_tables);
    if (absl::Status status = Take("check", "check"); !status.ok()) return status;
    if (absl::Status status = Take("discover", "discover"); !status.ok()) return status;
    auto catalog = harness::ConfigureCatalog(last_.output.last_other_line);
    if (!catalog.ok()) return catalog.status();
    catalog_ = *std::move(catalog);
    if (absl::Status status = Take("first read", "read", rows); !status.ok()) return status;
    if (absl::Status status = Take("idle read", "read", 0); !status.ok()) return status;
    const absl::StatusOr<int64_t> changes = cluster_.ChangeRows();
    if (!changes.ok()) return changes.status();
    return Take("small read", "read", static_cast<uint64_t>(*changes));
  }

 private:
  Runs(const Measurement& measurement, ScaleCluster cluster,
       std::unique_ptr<harness::Connector> connector)
      : measurement_(measurement), cluster_(std::move(cluster)), connector_(std::move(connector)) {}

  absl::StatusOr<std::vector<std::string>> Command(const std::string& command) {
    auto line = connector_->ReadCommand(catalog_, state_);
    if (!line.ok() || command == "read") return line;
    return std::vector<std::string>{(*line)[0], command, (*line)[2], (*line)[3]};
  }

  absl::Status Take(const char* name, const std::string& command,
                    std::optional<uint64_t> records = std::nullopt) {
    const auto line = Command(command);
    if (!line.ok()) return line.status();
    const absl::StatusOr<Asked> before = cluster_.TotalAsked();
    if (!before.ok()) return before.status();
    absl::StatusOr<Measured> measured = RunMeasured(*line);
    if (!measured.ok()) return measured.status();
    last_ = *std::move(measured);
    const absl::StatusOr<Asked> after = cluster_.TotalAsked();
    if (!after.ok()) return after.status();
    if (records.has_value() && last_.output.records != *records) {
      return absl::InternalError(absl::StrCat("the ", name, " gave ", last_.output.records,
                                              " records instead of ", *records));
    }
    if (command == "read") {
      std::vector<std::string> lines;
      for (auto& [stream, state] : last_.output.state_lines) lines.push_back(std::move(state));
      auto state = StateFileOf(lines);
      if (!state.ok()) return state.status();
      state_ = *std::move(state);
    }
    Print(name, {after->streams - before->streams, after->queries - before->queries});
    return absl::OkStatus();
  }

  void Print(const char* name, const Asked& asked) const {
    const ClusterShape& shape = measurement_.cluster;
    const auto mega = [](auto bytes) { return static_cast<double>(bytes) / kMega; };
    std::printf(
        "| %d | %d%s | %d | %s | %.2f | %.2f | %.0f | %.2f | %lld | %lld | %.2f | %lld | %lld |\n",
        shape.shards, shape.tables,
        shape.has_whole() ? absl::StrCat(" + ", shape.whole_tables).c_str() : "",
        measurement_.shards_per_stream, name, last_.cost.wall_seconds, last_.cost.cpu_seconds(),
        mega(last_.cost.peak_bytes), mega(last_.output.bytes),
        static_cast<long long>(last_.output.records), static_cast<long long>(last_.output.states),
        state_.has_value() ? mega(state_->size()) : 0, static_cast<long long>(asked.streams),
        static_cast<long long>(asked.queries));
    std::fflush(stdout);
  }

  Measurement measurement_;
  ScaleCluster cluster_;
  std::unique_ptr<harness::Connector> connector_;
  std::string catalog_;
  std::optional<std::string> state_;
  Measured last_;
};

int Run(const Arguments& arguments) {
  std::printf(
      "| shards | tables | per stream | run | wall s | CPU s | peak MB | stdout MB | records | "
      "states | state MB | VStreams | queries |\n"
      "|--:|--:|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
  bool good = true;
  for (const std::string& text : arguments.shapes) {
    const absl::StatusOr<Measurement> measurement = ParseShape(text, arguments.rows);
    absl::Status status = measurement.status();
    if (status.ok()) {
      absl::StatusOr<Runs> runs = Runs::Make(arguments, *measurement);
      status = runs.ok() ? runs->All() : runs.status();
    }
    if (status.ok()) continue;
    std::fprintf(stderr, "%s: %s\n", text.c_str(), std::string(status.message()).c_str());
    good = false;
  }
  return good ? 0 : 1;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Measures what many shards and tables cost the connector.");
  app.add_option("--shape", arguments.shapes,
                 "What to measure: SHARDS:TABLES[:WHOLE-TABLES[:SHARDS-PER-STREAM]] each; whole "
                 "tables are in a second keyspace, of one shard")
      ->capture_default_str();
  app.add_option("--rows", arguments.rows, "Rows of every table")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  app.add_option("--connector", arguments.connector, "The program source-vitess")
      ->capture_default_str();
  ClusterShape shape;
  CLI::App* serve = app.add_subcommand("serve", "Serves a cluster and prints the port");
  serve->add_option("shards", shape.shards)->required();
  serve->add_option("tables", shape.tables)->required();
  serve->add_option("whole-tables", shape.whole_tables)->required();
  serve->add_option("rows", shape.rows)->required();
  std::vector<std::string> command;
  CLI::App* cost = app.add_subcommand("cost", "Runs a command and tells on stderr what it cost");
  cost->add_option("command", command)->required();
  app.require_subcommand(0, 1);
  CLI11_PARSE(app, argc, argv);
  if (serve->parsed()) return ServeScaleCluster(shape);
  if (cost->parsed()) return TellCost(command);
  return Run(arguments);
}

}  // namespace
}  // namespace source_vitess::benchmark

int main(int argc, char** argv) { return source_vitess::benchmark::Main(argc, argv); }
