#include "commands/doctor.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "airbyte/catalog.h"
#include "airbyte/state.h"
#include "commands/advice.h"
#include "commands/check.h"
#include "commands/source.h"
#include "sync/plan.h"
#include "text/absl_view.h"
#include "version.h"
#include "vitess/caveats.h"
#include "vitess/errors.h"
#include "vitess/topology.h"

namespace source_vitess::commands {
namespace {

using text::AbslView;
using text::StdView;

// Names that one finding lists.
constexpr size_t kMostNamed = 20;

enum class Mark { kFine, kRisk, kFault };

std::string_view MarkName(Mark mark) {
  switch (mark) {
    case Mark::kFine:
      return "fine";
    case Mark::kRisk:
      return "risk";
    case Mark::kFault:
      return "fault";
  }
  return "";
}

struct Finding {
  std::string part;
  Mark mark;
  std::string text;
};

// What was found, in its order.
class Findings {
 public:
  void Begin(std::string part) { part_ = std::move(part); }
  void Fine(std::string text) { findings_.push_back({part_, Mark::kFine, std::move(text)}); }
  void Risk(std::string text) { findings_.push_back({part_, Mark::kRisk, std::move(text)}); }
  void Fault(const absl::Status& status) {
    findings_.push_back({part_, Mark::kFault, std::string(vitess::WithRemedy(status).message())});
  }

  size_t Count(Mark mark) const {
    return static_cast<size_t>(
        std::count_if(findings_.begin(), findings_.end(),
                      [&](const Finding& finding) { return finding.mark == mark; }));
  }
  const std::vector<Finding>& all() const { return findings_; }

 private:
  std::string part_;
  std::vector<Finding> findings_;
};

// Makes findings of what a check logs.
class FindingLogger final : public telemetry::Logger {
 public:
  explicit FindingLogger(Findings& findings) : findings_(findings) {}
  void Log(telemetry::Severity severity, std::string_view message) override {
    const std::lock_guard lock(mutex_);
    if (severity == telemetry::Severity::kInfo) findings_.Fine(std::string(message));
    if (severity > telemetry::Severity::kInfo) findings_.Risk(std::string(message));
  }

 private:
  std::mutex mutex_;
  Findings& findings_;
};

std::string Listed(const std::vector<std::string>& names) {
  const size_t told = std::min(names.size(), kMostNamed);
  return absl::StrCat(
      absl::StrJoin(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(told), ", "),
      names.size() > told ? absl::StrCat(" and ", names.size() - told, " more") : "");
}

class Doctor {
 public:
  Doctor(const Environment& environment, const DoctorArguments& arguments, Findings& findings)
      : environment_(environment), arguments_(arguments), findings_(findings), logger_(findings) {}

  void Run() {
    if (!LookAtConfiguration() || !LookAtConnection()) return;
    const bool has_tables = LookAtTables();
    if (!CheckKeyspaces(*source_).ok()) return;  // told with the tables
    LookAtShards();
    if (has_tables && all_shards_answer_) LookAtAdvice();
    if (!arguments_.state.empty()) LookAtPositions();
  }

 private:
  bool LookAtConfiguration() {
    findings_.Begin("Configuration");
    auto options = ReadOptions(arguments_.config);
    if (!options.ok()) {
      findings_.Fault(options.status());
      return false;
    }
    options_ = *std::move(options);
    findings_.Fine(absl::StrCat(arguments_.config, " is what the specification asks for."));
    const vitess::ChannelOptions& channel = options_.channel;
    if (channel.credentials.has_value() && !channel.tls.has_value()) {
      findings_.Risk(
          "The password travels readable: the connection is not encrypted. Set option "
          "\"encryption.mode\" to tls, where VTGate has a certificate.");
    }
    return true;
  }

  bool LookAtConnection() {
    findings_.Begin("Connection");
    auto source = Connect(environment_, options_);
    if (!source.ok()) {
      findings_.Fault(source.status());
      return false;
    }
    source_.emplace(*std::move(source));
    const vitess::ChannelOptions& channel = options_.channel;
    findings_.Fine(
        absl::StrCat("A VTGate answers at ", channel.host, ":", channel.port,
                     channel.tls.has_value() ? ", over TLS with a certificate that is trusted"
                                             : ", over an unencrypted connection",
                     channel.credentials.has_value() ? ", and takes the user name and the password."
                                                     : ", and wants no password."));
    return true;
  }

  bool LookAtTables() {
    findings_.Begin("Tables");
    const auto tables = CheckTables(*source_, logger_);
    if (!tables.ok()) {
      findings_.Fault(tables.status());
      return false;
    }
    tables_ = *tables;
    findings_.Fine(absl::StrCat(tables_.size(), tables_.size() == 1 ? " table" : " tables", " of ",
                                Listed(options_.keyspaces), " can be read."));
    std::vector<std::string> keyless;
    std::vector<std::string> restarted;
    for (const mysql::TableSchema& table : tables_) {
      const std::string name = absl::StrCat(table.keyspace, ".", table.name);
      if (!airbyte::SupportsIncremental(table, options_.types)) {
        keyless.push_back(name);
      } else if (!table.resumable) {
        restarted.push_back(name);
      }
    }
    if (!keyless.empty()) {
      findings_.Risk(
          absl::StrCat("Without a key by which changes could be told apart: ", Listed(keyless),
                       ". Airbyte reads such a table as a whole in every sync, and Fivetran takes "
                       "equal rows for "
                       "one. Give it a primary key of columns that have an order."));
    }
    if (!restarted.empty()) {
      findings_.Risk(absl::StrCat(
          "Keys that VTGate cannot go on within (ENUM, SET or floating-point columns): ",
          Listed(restarted),
          ". A copy of such a table that is interrupted begins again from its first row."));
    }
    return true;
  }

  void LookAtShards() {
    findings_.Begin("Shards");
    const auto tablets = vitess::ListTablets(*source_->client);
    if (!tablets.ok()) return findings_.Fault(tablets.status());
    tablets_ = *tablets;
    auto shards = ListChosenShards(*source_);
    if (!shards.ok()) return findings_.Fault(shards.status());
    all_shards_answer_ = true;
    for (CheckedShard& shard : *shards) {
      if (LookAtShard(shard)) {
        shards_.push_back(std::move(shard));
      } else {
        all_shards_answer_ = false;
      }
    }
    TellOfRetention();
  }

  bool LookAtShard(CheckedShard& shard) {
    const topodata::TabletType type = options_.tablet_type;
    if (absl::Status status = CheckTablets(tablets_, shard, type); !status.ok()) {
      findings_.Fault(status);
      return false;
    }
    const auto state = sync::ReadShardState(*source_->client, shard.keyspace, shard.name, type);
    if (!state.ok()) {
      findings_.Fault(state.status());
      return false;
    }
    shard.status = state->chosen;
    if (absl::Status status = CheckRowImage(shard); !status.ok()) {
      findings_.Fault(status);
      return false;
    }
    std::string text =
        absl::StrCat("Shard ", ToString(shard), " serves from a ",
                     AbslView(vitess::TabletTypeName(type)), " (MySQL ", shard.status.version,
                     ", binlog_row_image=", shard.status.binlog_row_image, ")");
    if (!state->primary_is_chosen) {
      const int64_t behind = state->primary.executed.CountNotIn(state->chosen.executed);
      absl::StrAppend(&text, behind == 0
                                 ? ", level with its primary"
                                 : absl::StrCat(", ", behind, " transactions behind its primary"));
    }
    findings_.Fine(absl::StrCat(text, "."));
    states_.emplace(std::pair(shard.keyspace, shard.name), *state);
    return true;
  }

  // Short ones are among the advice.
  void TellOfRetention() {
    std::optional<absl::Duration> least;
    for (const CheckedShard& shard : shards_) {
      const auto retention = vitess::ReadLogRetention(
          *source_->client, {shard.keyspace, shard.name, options_.tablet_type});
      if (retention.ok()) least = std::min(*retention, least.value_or(*retention));
    }
    if (!least.has_value()) return;
    findings_.Fine(*least == absl::InfiniteDuration()
                       ? "Binary logs are never removed by MySQL itself."
                       : absl::StrCat("Binary logs are kept for ", absl::FormatDuration(*least),
                                      ": sync more often than that."));
  }

  void LookAtAdvice() {
    findings_.Begin("What a stream may not have");
    const size_t before = findings_.Count(Mark::kRisk);
    LogAdvice(*source_, shards_, tablets_, tables_, logger_);
    if (findings_.Count(Mark::kRisk) == before) findings_.Fine("Nothing was found.");
  }

  void LookAtPositions() {
    findings_.Begin("Saved positions");
    const auto text = ReadFile("the input state", arguments_.state);
    if (!text.ok()) return findings_.Fault(text.status());
    const auto state = airbyte::InputState::Parse(*text);
    if (!state.ok()) return findings_.Fault(state.status());
    const auto streams = Streams();
    if (!streams.ok()) return findings_.Fault(streams.status());
    std::vector<std::string> absent;
    for (const airbyte::StreamName& stream : *streams) {
      const auto position = state->Position(stream);
      if (!position.ok()) {
        findings_.Fault(position.status());
      } else if (!position->has_value()) {
        absent.push_back(ToString(stream));
      } else {
        LookAtPosition(stream, **position);
      }
    }
    if (!absent.empty()) {
      findings_.Fine(absl::StrCat("Without a state, and so to be copied: ", Listed(absent), "."));
    }
  }

  // Those of the catalog, or all tables.
  absl::StatusOr<std::vector<airbyte::StreamName>> Streams() const {
    std::vector<airbyte::StreamName> names;
    if (arguments_.catalog.empty()) {
      for (const mysql::TableSchema& table : tables_) {
        names.push_back({.name_space = table.keyspace, .name = table.name});
      }
      return names;
    }
    const auto text = ReadFile("the configured catalog", arguments_.catalog);
    if (!text.ok()) return text.status();
    const auto streams = airbyte::ParseConfiguredCatalog(*text);
    if (!streams.ok()) return streams.status();
    for (const airbyte::ConfiguredStream& stream : *streams) names.push_back(stream.name);
    return names;
  }

  void LookAtPosition(const airbyte::StreamName& stream, const sync::TablePosition& position) {
    size_t copied = 0;
    for (const binlogdata::ShardGtid& shard : position.vgtid.shard_gtids()) {
      copied += sync::IsCopied(shard) ? 1 : 0;
      if (shard.gtid().empty()) continue;
      const auto state = states_.find({shard.keyspace(), shard.shard()});
      if (state == states_.end()) {
        findings_.Risk(absl::StrCat(
            "Stream ", ToString(stream), " stands in shard ", shard.keyspace(), "/", shard.shard(),
            ", which does not serve, or is not read. After a reshard, sync before its tablets are "
            "removed; then option \"lost_position\" says what becomes of the table."));
        return;
      }
      const absl::Status status =
          sync::CheckPosition(shard.gtid(), shard.keyspace(), state->second, /*strict=*/true);
      if (!status.ok()) {
        return findings_.Fault(
            vitess::Annotate(sync::WithRemedy(status, SyncOptionsOf(options_)), ToString(stream)));
      }
    }
    const auto shards = static_cast<size_t>(position.vgtid.shard_gtids_size());
    findings_.Fine(copied == shards
                       ? absl::StrCat("Stream ", ToString(stream),
                                      " goes on from where it stands in ", shards,
                                      shards == 1 ? " shard." : " shards.")
                       : absl::StrCat("Stream ", ToString(stream), " is copied in ", copied, " of ",
                                      shards, " shards, and goes on."));
  }

  const Environment& environment_;
  const DoctorArguments& arguments_;
  Findings& findings_;
  FindingLogger logger_;
  config::Options options_;
  std::optional<Source> source_;
  std::vector<mysql::TableSchema> tables_;
  std::vector<vitess::Tablet> tablets_;
  std::vector<CheckedShard> shards_;  // those that answer
  bool all_shards_answer_ = false;
  std::map<std::pair<std::string, std::string>, sync::ShardState> states_;  // by keyspace and shard
};

std::string Summary(const Findings& findings) {
  const size_t faults = findings.Count(Mark::kFault);
  const size_t risks = findings.Count(Mark::kRisk);
  const auto count = [](size_t number, std::string_view name) {
    return absl::StrCat(number, " ", AbslView(name), number == 1 ? "" : "s");
  };
  if (faults > 0) {
    return absl::StrCat("It does not work yet: ", count(faults, "fault"), ", ",
                        count(risks, "risk"), ".");
  }
  if (risks > 0) return absl::StrCat("It works, with ", count(risks, "risk"), ".");
  return "It works, and nothing is risky.";
}

std::string ToText(const Findings& findings) {
  std::string text;
  const std::string* part = nullptr;
  for (const Finding& finding : findings.all()) {
    if (part == nullptr || *part != finding.part) {
      absl::StrAppend(&text, part == nullptr ? "" : "\n", finding.part, "\n");
    }
    part = &finding.part;
    const std::string mark = absl::StrCat("[", AbslView(MarkName(finding.mark)), "]");
    absl::StrAppend(&text, "  ", mark, std::string(8 - mark.size(), ' '), finding.text, "\n");
  }
  absl::StrAppend(&text, "\n", Summary(findings), "\n");
  return text;
}

std::string ToJson(const Findings& findings) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  const auto text = [&](const char* key, std::string_view value) {
    writer.Key(key);
    writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  writer.StartObject();
  text("version", kVersion);
  writer.Key("faults");
  writer.Uint64(findings.Count(Mark::kFault));
  writer.Key("risks");
  writer.Uint64(findings.Count(Mark::kRisk));
  writer.Key("findings");
  writer.StartArray();
  for (const Finding& finding : findings.all()) {
    writer.StartObject();
    text("part", finding.part);
    text("mark", MarkName(finding.mark));
    text("text", finding.text);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return absl::StrCat(buffer.GetString(), "\n");
}

}  // namespace

int RunDoctor(const Environment& environment, const DoctorArguments& arguments) {
  Findings findings;
  Doctor(environment, arguments, findings).Run();
  if (environment.stop.stop_requested()) return kSuccess;
  const absl::Status written =
      environment.output.Write(arguments.json ? ToJson(findings) : ToText(findings));
  return ExitCode(written, findings.Count(Mark::kFault) > 0 ? kFailure : kSuccess);
}

}  // namespace source_vitess::commands
