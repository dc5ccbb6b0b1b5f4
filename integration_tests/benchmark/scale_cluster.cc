#include "benchmark/scale_cluster.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "simulator/simulator.h"

namespace source_vitess::benchmark {
namespace {

constexpr absl::Duration kStartTimeout = absl::Minutes(5);
constexpr absl::Duration kAnswerTimeout = absl::Minutes(1);
constexpr int kChangedTables = 5;

std::vector<std::string> ShardNames(int count) {
  std::vector<std::string> names;
  const auto bound = [&](int i) {
    return i == 0 || i == count ? std::string() : absl::StrFormat("%04x", 65536L * i / count);
  };
  for (int i = 0; i < count; ++i) names.push_back(absl::StrCat(bound(i), "-", bound(i + 1)));
  return names;
}

std::string RowsOf(const std::string& table, int rows) {
  std::vector<std::string> values;
  for (int id = 1; id <= rows; ++id) {
    values.push_back(
        absl::StrFormat("(%d, 'name %d', %d.50, '2024-01-15 10:30:00')", id, id, id % 1000));
  }
  return absl::StrCat("insert into ", table, " values ", absl::StrJoin(values, ", "), ";\n");
}

std::string Tables(int count, int rows, bool sharded) {
  std::string script;
  for (int i = 0; i < count; ++i) {
    const std::string table = absl::StrCat("table_", i);
    absl::StrAppend(&script, "create table ", table,
                    " (id bigint not null, name varchar(64), price decimal(12, 2), at datetime, "
                    "primary key (id));\n");
    if (sharded) absl::StrAppend(&script, "alter vschema on ", table, " add vindex hash(id);\n");
    if (rows > 0) script += RowsOf(table, rows);
  }
  return script;
}

std::string SchemaOf(const ClusterShape& shape) {
  std::string script = absl::StrCat(
      "create keyspace sharded shards ('", absl::StrJoin(ShardNames(shape.shards), "', '"),
      "');\nuse sharded;\n", Tables(shape.tables, shape.rows, /*sharded=*/true));
  if (shape.has_whole()) {
    absl::StrAppend(&script, "create keyspace whole;\nuse whole;\n",
                    Tables(shape.whole_tables, shape.rows, /*sharded=*/false));
  }
  return script;
}

absl::StatusOr<int64_t> Change(const ClusterShape& shape, simulator::Cluster& cluster) {
  int64_t changes = 0;
  for (int i = 0; i < std::min(shape.tables, kChangedTables); ++i) {
    const std::string table = absl::StrCat("table_", i);
    for (const std::string& sql :
         {absl::StrCat("insert into ", table, " (id) values (1000001), (1000002), (1000003)"),
          absl::StrCat("update ", table, " set name = 'another' where id = 1"),
          absl::StrCat("delete from ", table, " where id = 2")}) {
      const auto result = cluster.Execute("sharded", sql);
      if (!result.ok()) return result.status();
      changes += static_cast<int64_t>(result->rows_affected());
    }
  }
  return changes;
}

void Print(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

}  // namespace

int ServeScaleCluster(const ClusterShape& shape) {
  // Blocked before gRPC starts its threads, which inherit the mask.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGUSR2}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  simulator::Simulator simulator;
  const absl::Status made = simulator.cluster().RunScript(SchemaOf(shape));
  const absl::StatusOr<int> port = made.ok() ? simulator.Start() : made;
  if (!port.ok()) {
    std::fprintf(stderr, "%s\n", port.status().ToString().c_str());
    return 1;
  }
  Print(absl::StrCat(*port));
  for (int signal = 0; sigwait(&signals, &signal) == 0;) {
    if (signal == SIGUSR1) {
      Print(absl::StrCat(simulator.stream_requests().size(), " ", simulator.statements().size()));
    } else if (signal == SIGUSR2) {
      const absl::StatusOr<int64_t> changes = Change(shape, simulator.cluster());
      Print(changes.ok() ? absl::StrCat(*changes) : changes.status().ToString());
    } else {
      break;
    }
  }
  return 0;
}

absl::StatusOr<ScaleCluster> ScaleCluster::Start(const std::string& program,
                                                 const ClusterShape& shape) {
  absl::StatusOr<std::unique_ptr<harness::Process>> process = harness::Process::Start(
      {program, "serve", absl::StrCat(shape.shards), absl::StrCat(shape.tables),
       absl::StrCat(shape.whole_tables), absl::StrCat(shape.rows)});
  if (!process.ok()) return process.status();
  int port = 0;
  const std::optional<std::string> line = (*process)->ReadLine(absl::Now() + kStartTimeout);
  if (!line.has_value() || !absl::SimpleAtoi(*line, &port)) {
    return absl::UnavailableError(absl::StrCat("no server: ", (*process)->errors()));
  }
  return ScaleCluster(*std::move(process), port);
}

absl::StatusOr<std::string> ScaleCluster::Ask(int signal) {
  process_->Signal(signal);
  const std::optional<std::string> line = process_->ReadLine(absl::Now() + kAnswerTimeout);
  if (!line.has_value()) return absl::UnavailableError("the server does not answer");
  return *line;
}

absl::StatusOr<Asked> ScaleCluster::TotalAsked() {
  const absl::StatusOr<std::string> line = Ask(SIGUSR1);
  if (!line.ok()) return line.status();
  const std::vector<std::string> numbers = absl::StrSplit(*line, ' ');
  Asked asked;
  if (numbers.size() != 2 || !absl::SimpleAtoi(numbers[0], &asked.streams) ||
      !absl::SimpleAtoi(numbers[1], &asked.queries)) {
    return absl::InternalError(*line);
  }
  return asked;
}

absl::StatusOr<int64_t> ScaleCluster::ChangeRows() {
  const absl::StatusOr<std::string> line = Ask(SIGUSR2);
  if (!line.ok()) return line.status();
  int64_t changes = 0;
  if (!absl::SimpleAtoi(*line, &changes)) return absl::InternalError(*line);
  return changes;
}

}  // namespace source_vitess::benchmark
