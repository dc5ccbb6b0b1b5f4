// source-vitess-benchmark: what the connector costs, beside the least that it could (README.md).
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "benchmark/connector_setup.h"
#include "benchmark/fivetran_update.h"
#include "benchmark/floor.h"
#include "benchmark/measured_run.h"
#include "benchmark/prepared_vtgate.h"
#include "benchmark/report.h"
#include "benchmark/workload.h"
#include "harness/process.h"

namespace source_vitess::benchmark {
namespace {

#ifndef SOURCE_VITESS_PROGRAM
#define SOURCE_VITESS_PROGRAM ""
#endif

constexpr char kThisProgram[] = "/proc/self/exe";
constexpr absl::Duration kStartTimeout = absl::Seconds(30);
constexpr absl::Duration kRunTimeout = absl::Minutes(60);

struct Arguments {
  uint64_t rows = 1'000'000;
  uint64_t large_transaction_rows = 5'000'000;
  int runs = 3;
  std::vector<std::string> workloads = {"copy", "replication", "all-types-copy",
                                        "all-types-replication"};
  bool large_transaction = false;
  bool floor_only = false;
  std::string connector = SOURCE_VITESS_PROGRAM;
  std::string host = "airbyte";
  std::string under;
  double max_ratio = 0;
  double max_memory_mb = 0;
};

// A server in a process of its own, so that its CPU is nobody else's.
class ServerProcess {
 public:
  static absl::StatusOr<ServerProcess> Start(const WorkloadChoice& choice, uint64_t rows) {
    absl::StatusOr<std::unique_ptr<harness::Process>> process = harness::Process::Start(
        {kThisProgram, "serve", WorkloadName(choice), "--rows", absl::StrCat(rows)});
    if (!process.ok()) return process.status();
    int port = 0;
    const std::optional<std::string> line = (*process)->ReadLine(absl::Now() + kStartTimeout);
    if (!line.has_value() || !absl::SimpleAtoi(*line, &port)) {
      return absl::UnavailableError(absl::StrCat("no server: ", (*process)->errors()));
    }
    return ServerProcess(*std::move(process), port);
  }

  int port() const { return port_; }

 private:
  ServerProcess(std::unique_ptr<harness::Process> process, int port)
      : process_(std::move(process)), port_(port) {}

  std::unique_ptr<harness::Process> process_;
  int port_;
};

// The state of a connector that has copied the table and is at the start of a replication.
absl::StatusOr<std::string> StateOfACopy(const std::string& program, SampleTable table) {
  absl::StatusOr<ServerProcess> server = ServerProcess::Start({WorkloadKind::kCopy, table}, 1);
  if (!server.ok()) return server.status();
  absl::StatusOr<ConnectorSetup> setup =
      ConnectorSetup::Make(program, server->port(), std::nullopt);
  if (!setup.ok()) return setup.status();
  const absl::StatusOr<CountedOutput> output = CountOutput(setup->command(), kRunTimeout);
  if (!output.ok()) return output.status();
  return StateFileOf({&output->last_state_line, 1});
}

absl::StatusOr<ConnectorSetup> SetUp(const Arguments& arguments, const WorkloadChoice& choice,
                                     int port) {
  std::optional<std::string> state;
  if (choice.kind != WorkloadKind::kCopy) {
    absl::StatusOr<std::string> made = StateOfACopy(arguments.connector, choice.table);
    if (!made.ok()) return made.status();
    state = *std::move(made);
  }
  return ConnectorSetup::Make(arguments.connector, port, state);
}

// What the connector writes, and whether it is all there is.
absl::StatusOr<uint64_t> JsonBytes(const ConnectorSetup& setup, const Workload& workload) {
  const absl::StatusOr<CountedOutput> output = CountOutput(setup.command(), kRunTimeout);
  if (!output.ok()) return output.status();
  if (output->records != workload.rows()) {
    return absl::InternalError(absl::StrCat("the connector gave ", output->records, " records of ",
                                            workload.rows(), " rows"));
  }
  return output->bytes;
}

// The connector as one host runs it. What it delivers is looked at once, before anything is
// measured.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual absl::StatusOr<RunCost> Run() = 0;
  // What it costs at least to hand the bytes over, where that costs something.
  virtual absl::StatusOr<std::optional<RunCost>> HandOver() { return std::nullopt; }
  // Of one run.
  uint64_t bytes() const { return bytes_; }

 protected:
  uint64_t bytes_ = 0;
};

std::vector<std::string> Under(const Arguments& arguments) {
  if (arguments.under.empty()) return {};
  return absl::StrSplit(arguments.under, ' ');
}

class AirbyteSubject final : public Subject {
 public:
  static absl::StatusOr<std::unique_ptr<Subject>> Make(const Arguments& arguments,
                                                       const Workload& workload, int port) {
    absl::StatusOr<ConnectorSetup> setup = SetUp(arguments, workload.choice(), port);
    if (!setup.ok()) return setup.status();
    const absl::StatusOr<uint64_t> bytes = JsonBytes(*setup, workload);
    if (!bytes.ok()) return bytes.status();
    auto subject = std::unique_ptr<AirbyteSubject>(new AirbyteSubject(*std::move(setup)));
    subject->bytes_ = *bytes;
    subject->command_ = Under(arguments);
    const std::vector<std::string>& read = subject->setup_.command();
    subject->command_.insert(subject->command_.end(), read.begin(), read.end());
    return subject;
  }

  absl::StatusOr<RunCost> Run() override { return MeasureRun(command_, kRunTimeout); }

 private:
  explicit AirbyteSubject(ConnectorSetup setup) : setup_(std::move(setup)) {}

  ConnectorSetup setup_;
  std::vector<std::string> command_;
};

class FivetranSubject final : public Subject {
 public:
  static absl::StatusOr<std::unique_ptr<Subject>> Make(const Arguments& arguments,
                                                       const Workload& workload, int port) {
    auto subject = std::unique_ptr<FivetranSubject>(new FivetranSubject);
    subject->port_ = port;
    const std::vector<std::string> command = {arguments.connector, "fivetran", "--port", "0"};
    if (workload.choice().kind != WorkloadKind::kCopy) {
      auto server = ServerProcess::Start({WorkloadKind::kCopy, workload.choice().table}, 1);
      if (!server.ok()) return server.status();
      auto copy = RunUpdate(command, server->port(), "", /*count=*/true, kRunTimeout);
      if (!copy.ok()) return copy.status();
      subject->state_ = std::move(copy->state);
    }
    const auto counted = RunUpdate(command, port, subject->state_, /*count=*/true, kRunTimeout);
    if (!counted.ok()) return counted.status();
    if (counted->records != workload.rows()) {
      return absl::InternalError(absl::StrCat("the connector gave ", counted->records,
                                              " records of ", workload.rows(), " rows"));
    }
    subject->bytes_ = counted->bytes;
    subject->command_ = Under(arguments);
    subject->command_.insert(subject->command_.end(), command.begin(), command.end());
    return subject;
  }

  absl::StatusOr<RunCost> Run() override {
    auto result = RunUpdate(command_, port_, state_, /*count=*/false, kRunTimeout);
    if (!result.ok()) return result.status();
    return result->cost;
  }

  absl::StatusOr<std::optional<RunCost>> HandOver() override {
    auto result = RunUpdate({kThisProgram, "send", "--bytes", absl::StrCat(bytes_)}, port_, "",
                            /*count=*/false, kRunTimeout);
    if (!result.ok()) return result.status();
    return result->cost;
  }

 private:
  FivetranSubject() = default;

  int port_ = 0;
  std::string state_;
  std::vector<std::string> command_;
};

absl::StatusOr<WorkloadCosts> Measure(const Arguments& arguments, const Workload& workload) {
  absl::StatusOr<ServerProcess> server = ServerProcess::Start(workload.choice(), workload.rows());
  if (!server.ok()) return server.status();
  const std::vector<std::string> floor_command = {kThisProgram,
                                                  "floor",
                                                  WorkloadName(workload.choice()),
                                                  "--rows",
                                                  absl::StrCat(workload.rows()),
                                                  "--port",
                                                  absl::StrCat(server->port())};

  WorkloadCosts costs;
  std::unique_ptr<Subject> subject;
  if (!arguments.floor_only) {
    auto made = arguments.host == "fivetran"
                    ? FivetranSubject::Make(arguments, workload, server->port())
                    : AirbyteSubject::Make(arguments, workload, server->port());
    if (!made.ok()) return made.status();
    subject = *std::move(made);
    costs.output_bytes = subject->bytes();
  }

  // By turns, so that whatever else the machine does meets both.
  for (int run = 0; run < arguments.runs; ++run) {
    absl::StatusOr<RunCost> floor = MeasureRun(floor_command, kRunTimeout);
    if (!floor.ok()) return floor.status();
    costs.floor.push_back(*floor);
    if (subject == nullptr) continue;
    absl::StatusOr<RunCost> connector = subject->Run();
    if (!connector.ok()) return connector.status();
    costs.connector.push_back(*connector);
    const absl::StatusOr<std::optional<RunCost>> sending = subject->HandOver();
    if (!sending.ok()) return sending.status();
    if (sending->has_value()) costs.sending.push_back(**sending);
  }
  return costs;
}

bool HoldsLimits(const Arguments& arguments, const WorkloadCosts& costs) {
  bool holds = true;
  const std::optional<double> ratio = CpuRatio(costs);
  if (arguments.max_ratio > 0 && ratio.has_value() && *ratio > arguments.max_ratio) {
    std::printf("  ABOVE THE LIMIT of %.2f times the floor's CPU\n", arguments.max_ratio);
    holds = false;
  }
  const double peak_mb = static_cast<double>(ConnectorPeakBytes(costs)) / 1e6;
  if (arguments.max_memory_mb > 0 && peak_mb > arguments.max_memory_mb) {
    std::printf("  ABOVE THE LIMIT of %.0f MB of memory\n", arguments.max_memory_mb);
    holds = false;
  }
  return holds;
}

int Run(const Arguments& arguments) {
  std::vector<std::string> names = arguments.workloads;
  if (arguments.large_transaction) {
    names.emplace_back("large-transaction");
  }
  bool good = true;
  for (const std::string& name : names) {
    const absl::StatusOr<WorkloadChoice> choice = ParseWorkload(name);
    if (!choice.ok()) {
      std::fprintf(stderr, "%s\n", std::string(choice.status().message()).c_str());
      return 2;
    }
    const Workload workload(*choice, choice->kind == WorkloadKind::kLargeTransaction
                                         ? arguments.large_transaction_rows
                                         : arguments.rows);
    const absl::StatusOr<WorkloadCosts> costs = Measure(arguments, workload);
    if (!costs.ok()) {
      std::fprintf(stderr, "%s: %s\n", name.c_str(), std::string(costs.status().message()).c_str());
      good = false;
      continue;
    }
    std::printf("%s", Report(workload, *costs).c_str());
    good &= HoldsLimits(arguments, *costs);
    std::fflush(stdout);
  }
  return good ? 0 : 1;
}

int Serve(const std::string& name, uint64_t rows, int port) {
  const absl::StatusOr<WorkloadChoice> choice = ParseWorkload(name);
  if (!choice.ok()) {
    std::fprintf(stderr, "%s\n", std::string(choice.status().message()).c_str());
    return 2;
  }
  // Blocked before gRPC starts its threads, which inherit the mask.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const auto server = PreparedVtgate::Start(Workload(*choice, rows), port);
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", server.status().ToString().c_str());
    return 1;
  }
  std::printf("%d\n", (*server)->port());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  return 0;
}

int Floor(const std::string& name, uint64_t rows, int port) {
  const absl::StatusOr<WorkloadChoice> choice = ParseWorkload(name);
  const absl::Status status =
      choice.ok() ? ReceiveAndDrop(Workload(*choice, rows), port) : choice.status();
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Measures what the connector costs, beside the least that it could.");
  app.add_option("--rows", arguments.rows, "Rows of a copy, and changes of a replication")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000'000}))
      ->capture_default_str();
  app.add_option("--runs", arguments.runs, "How often each is measured")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--workload", arguments.workloads,
                 "What to measure, any of: copy, replication, large-transaction; and the same "
                 "with all-types- before it")
      ->capture_default_str();
  app.add_flag("--large-transaction", arguments.large_transaction,
               "Measure large-transaction as well");
  app.add_option("--large-transaction-rows", arguments.large_transaction_rows,
                 "Rows of the large transaction")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000'000}))
      ->capture_default_str();
  app.add_option("--connector", arguments.connector, "The program source-vitess")
      ->capture_default_str();
  app.add_option("--host", arguments.host, "The host that the connector runs for")
      ->check(CLI::IsMember({"airbyte", "fivetran"}))
      ->capture_default_str();
  app.add_flag("--floor-only", arguments.floor_only, "Leave the connector out");
  app.add_option("--under", arguments.under,
                 "A command, such as \"perf record -g\", to run the connector under");
  app.add_option("--max-ratio", arguments.max_ratio,
                 "Fail when the connector takes more than so many times the floor's CPU");
  app.add_option("--max-memory", arguments.max_memory_mb,
                 "Fail when the connector's memory exceeds so many MB");

  std::string name;
  uint64_t rows = arguments.rows;
  int port = 0;
  CLI::App* serve = app.add_subcommand("serve", "Serves a workload and prints the port");
  CLI::App* floor = app.add_subcommand("floor", "Receives a workload and drops it");
  for (CLI::App* command : {serve, floor}) {
    command->add_option("workload", name)->required();
    command->add_option("--rows", rows)->capture_default_str();
    command->add_option("--port", port)->capture_default_str();
  }
  uint64_t bytes = 0;
  CLI::App* send = app.add_subcommand("send", "Serves Updates that send so many bytes");
  send->add_option("--bytes", bytes)->required();
  app.require_subcommand(0, 1);
  CLI11_PARSE(app, argc, argv);
  if (serve->parsed()) return Serve(name, rows, port);
  if (floor->parsed()) return Floor(name, rows, port);
  if (send->parsed()) return ServeBytes(bytes);
  if (!arguments.floor_only && arguments.connector.empty()) {
    std::fprintf(stderr, "--connector is missing\n");
    return 2;
  }
  return Run(arguments);
}

}  // namespace
}  // namespace source_vitess::benchmark

int main(int argc, char** argv) { return source_vitess::benchmark::Main(argc, argv); }
