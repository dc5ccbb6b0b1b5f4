#include "model/hosted_source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "harness/fivetran_host.h"
#include "harness/process.h"
#include "tests/fivetran_source.h"
#include "tests/simulated_source.h"

namespace source_vitess::integration_tests {
namespace {

constexpr std::ptrdiff_t kLinesTold = 400;

class AirbyteHostedSource final : public HostedSource {
 public:
  AirbyteHostedSource(simulator::SimulatorOptions options,
                      const std::map<std::string, std::string>& more,
                      const std::vector<std::string>& shards)
      : source_(std::move(options), more, shards) {}

  Database& database() override { return source_; }
  simulator::Simulator& simulator() override { return source_.simulator(); }

  absl::Status TakeParcels() override {
    if (absl::Status status = source_.Rediscover(); !status.ok()) return status;
    source_.destination().AllowAnyOrder("shop", "parcels");
    return absl::OkStatus();
  }

  Sync Run(std::optional<size_t> kill_after_bytes, absl::Duration patience, uint64_t) override {
    harness::RunLimits limits;
    limits.timeout = patience;
    limits.kill_after_bytes = kill_after_bytes;
    harness::RunResult run = source_.Read(limits);
    if (run.timed_out) {
      run.lines.erase(run.lines.begin(),
                      run.lines.end() - std::min(kLinesTold, std::ssize(run.lines)));
      return {false, absl::StrCat("it did not end:\n", absl::StrJoin(run.lines, "\n"))};
    }
    if (run.killed || run.exit.exit_code == 0) return {run.killed, ""};
    return {false,
            absl::StrCat("it failed: ", absl::StrJoin(source_.destination().trace_errors(), "; "))};
  }

  uint64_t Records(const std::string& table) override {
    return source_.destination().Sync("shop", table).records;
  }
  std::vector<std::string> DifferencesOf(const std::string& table) override {
    return source_.DifferencesOf(table);
  }
  std::vector<std::string> Violations() override { return source_.destination().violations(); }

 private:
  SimulatedSource source_;
};

class FivetranHostedSource final : public HostedSource {
 public:
  FivetranHostedSource(simulator::SimulatorOptions options, std::map<std::string, std::string> more,
                       const std::vector<std::string>& shards)
      : source_(std::move(options), WithoutMercy(std::move(more)), shards) {}

  Database& database() override { return source_; }
  simulator::Simulator& simulator() override { return source_.simulator(); }
  absl::Status TakeParcels() override { return absl::OkStatus(); }

  Sync Run(std::optional<size_t> kill_after_bytes, absl::Duration patience,
           uint64_t chance) override {
    harness::FivetranUpdateOptions options;
    options.patience = patience;
    options.keep = chance % 2 == 0;
    if (kill_after_bytes.has_value()) {
      options.stop = harness::FivetranStop{.by = harness::FivetranStop::By::kKill,
                                           .after_bytes = *kill_after_bytes};
    }
    report_ = source_.Sync(options);
    if (report_.timed_out) {
      return {false, absl::StrCat("it did not end:\n", absl::StrJoin(Log(), "\n"))};
    }
    if (report_.stopped || report_.succeeded) return {report_.stopped, ""};
    return {false, absl::StrCat("it failed: ", report_.Failure())};
  }

  uint64_t Records(const std::string& table) override {
    const auto counts = report_.tables.find(absl::StrCat("shop.", table));
    if (counts == report_.tables.end()) return 0;
    const harness::FivetranCounts& of_table = counts->second;
    return of_table.upserts + of_table.updates + of_table.deletes + of_table.truncates;
  }
  std::vector<std::string> DifferencesOf(const std::string& table) override {
    return source_.DifferencesOf(table);
  }
  std::vector<std::string> Violations() override { return source_.BrokenRules(); }

 private:
  // A position that is lost is a failure: by default, its table would be copied again.
  static std::map<std::string, std::string> WithoutMercy(std::map<std::string, std::string> more) {
    more["lost_position"] = "fail";
    return more;
  }

  std::vector<std::string> Log() {
    std::vector<std::string> lines =
        source_.connection().Log().value_or(std::vector<std::string>());
    lines.erase(lines.begin(), lines.end() - std::min(kLinesTold, std::ssize(lines)));
    return lines;
  }

  FivetranSource source_;
  harness::FivetranReport report_;
};

}  // namespace

std::unique_ptr<HostedSource> MakeHostedSource(Host host, simulator::SimulatorOptions options,
                                               const std::map<std::string, std::string>& more,
                                               const std::vector<std::string>& shards) {
  if (host == Host::kAirbyte) {
    return std::make_unique<AirbyteHostedSource>(std::move(options), more, shards);
  }
  return std::make_unique<FivetranHostedSource>(std::move(options), more, shards);
}

}  // namespace source_vitess::integration_tests
