#include "harness/connector.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "harness/airbyte_message.h"
#include "rapidjson/document.h"
#include "rapidjson/stringbuffer.h"
#include "rapidjson/writer.h"

namespace source_vitess::harness {
namespace {

using Json = rapidjson::Value;

constexpr char kConfigFile[] = "config.json";

absl::Status WriteFile(const std::string& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << content;
  out.close();
  if (!out) return absl::InternalError(absl::StrCat("cannot write ", path));
  return absl::OkStatus();
}

std::string StringMember(const Json& object, const char* name) {
  const auto member = object.FindMember(name);
  return member != object.MemberEnd() && member->value.IsString() ? member->value.GetString() : "";
}

std::string ToText(const Json& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return buffer.GetString();
}

bool Supports(const Json& stream, const std::string& mode) {
  const auto modes = stream["supported_sync_modes"].GetArray();
  return std::any_of(modes.begin(), modes.end(),
                     [&](const Json& supported) { return supported.GetString() == mode; });
}

// Leaves the columns of the choice, and those of the protocol, in the stream's schema.
absl::Status SelectColumns(const StreamChoice& choice, Json& stream) {
  if (choice.columns.empty()) return absl::OkStatus();
  Json& properties = stream["json_schema"]["properties"];
  for (const std::string& column : choice.columns) {
    if (!properties.HasMember(column.c_str())) {
      return absl::NotFoundError(absl::StrCat(choice.name, " has no column ", column));
    }
  }
  for (auto member = properties.MemberBegin(); member != properties.MemberEnd();) {
    const std::string column = member->name.GetString();
    const bool chosen =
        absl::StartsWith(column, "_ab_cdc_") ||
        std::find(choice.columns.begin(), choice.columns.end(), column) != choice.columns.end();
    member = chosen ? member + 1 : properties.EraseMember(member);
  }
  return absl::OkStatus();
}

// The ConfiguredAirbyteStream.
absl::StatusOr<Json> Configure(const Json& discovered, const StreamChoice& choice,
                               rapidjson::Document::AllocatorType& allocator) {
  if (!Supports(discovered, choice.sync_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(choice.name, " does not support ", choice.sync_mode));
  }
  Json stream(discovered, allocator);
  if (absl::Status status = SelectColumns(choice, stream); !status.ok()) return status;
  const bool incremental = choice.sync_mode == "incremental";
  Json configured(rapidjson::kObjectType);
  configured.AddMember("sync_mode", Json(choice.sync_mode.c_str(), allocator), allocator);
  configured.AddMember("destination_sync_mode",
                       Json(incremental ? "append_dedup" : "overwrite", allocator), allocator);
  for (const auto& [member, source] : {std::pair("cursor_field", "default_cursor_field"),
                                       std::pair("primary_key", "source_defined_primary_key")}) {
    if (!discovered.HasMember(source)) continue;
    configured.AddMember(Json(member, allocator), Json(discovered[source], allocator), allocator);
  }
  configured.AddMember("stream", stream, allocator);
  return configured;
}

const Json* FindStream(const Json& streams, const StreamChoice& choice) {
  for (const Json& stream : streams.GetArray()) {
    if (StringMember(stream, "name") == choice.name &&
        StringMember(stream, "namespace") == choice.stream_namespace) {
      return &stream;
    }
  }
  return nullptr;
}

std::vector<StreamChoice> AllStreams(const Json& streams) {
  std::vector<StreamChoice> choices;
  for (const Json& stream : streams.GetArray()) {
    choices.push_back({StringMember(stream, "namespace"),
                       StringMember(stream, "name"),
                       Supports(stream, "incremental") ? "incremental" : "full_refresh",
                       {}});
  }
  return choices;
}

}  // namespace

std::string MakeConfig(int port, const std::vector<std::string>& keyspaces,
                       const std::map<std::string, std::string>& more, const std::string& host) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.StartObject();
  writer.Key("host");
  writer.String(host.c_str());
  writer.Key("port");
  writer.Int(port);
  writer.Key("keyspaces");
  writer.StartArray();
  for (const std::string& keyspace : keyspaces) writer.String(keyspace.c_str());
  writer.EndArray();
  for (const auto& [name, value] : more) {
    writer.Key(name.c_str());
    writer.RawValue(value.data(), value.size(), rapidjson::kObjectType);
  }
  writer.EndObject();
  return buffer.GetString();
}

absl::StatusOr<std::string> ConfigureCatalog(const std::string& catalog_message,
                                             const std::vector<StreamChoice>& choices) {
  rapidjson::Document message;
  message.Parse(catalog_message.data(), catalog_message.size());
  if (message.HasParseError() || !message.IsObject() || !message.HasMember("catalog")) {
    return absl::InvalidArgumentError("this is no CATALOG message");
  }
  const Json& discovered = message["catalog"]["streams"];
  rapidjson::Document catalog(rapidjson::kObjectType);
  Json streams(rapidjson::kArrayType);
  for (const StreamChoice& choice : choices.empty() ? AllStreams(discovered) : choices) {
    const Json* stream = FindStream(discovered, choice);
    if (stream == nullptr) {
      return absl::NotFoundError(
          absl::StrCat(choice.stream_namespace, ".", choice.name, " was not discovered"));
    }
    absl::StatusOr<Json> configured = Configure(*stream, choice, catalog.GetAllocator());
    if (!configured.ok()) return configured.status();
    streams.PushBack(*configured, catalog.GetAllocator());
  }
  catalog.AddMember("streams", streams, catalog.GetAllocator());
  return ToText(catalog);
}

absl::StatusOr<std::unique_ptr<Connector>> Connector::Make(std::string program,
                                                           const std::string& config) {
  std::string folder =
      (std::filesystem::temp_directory_path() / "source-vitess-test-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    return absl::InternalError(absl::StrCat("cannot make the folder ", folder));
  }
  if (const char* other_build = std::getenv("SOURCE_VITESS_TEST_PROGRAM")) program = other_build;
  std::unique_ptr<Connector> connector(new Connector(std::move(program), folder));
  if (absl::Status s = WriteFile(connector->File(kConfigFile), config); !s.ok()) return s;
  return connector;
}

Connector::~Connector() {
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
}

absl::StatusOr<RunResult> Connector::Spec(const RunLimits& limits) {
  return Run({program_, "spec"}, limits);
}

absl::StatusOr<RunResult> Connector::Check(const RunLimits& limits) {
  return Run({program_, "check", "--config", File(kConfigFile)}, limits);
}

absl::StatusOr<RunResult> Connector::Discover(const RunLimits& limits) {
  return Run({program_, "discover", "--config", File(kConfigFile)}, limits);
}

absl::StatusOr<RunResult> Connector::Read(const std::string& catalog,
                                          const std::optional<std::string>& state,
                                          const RunLimits& limits) {
  absl::StatusOr<std::vector<std::string>> command = ReadCommand(catalog, state);
  if (!command.ok()) return command.status();
  return Run(*command, limits);
}

absl::StatusOr<RunResult> Connector::Run(const std::vector<std::string>& command,
                                         const RunLimits& limits) {
  absl::StatusOr<RunResult> run = RunCommand(command, limits);
  if (!run.ok()) return run;
  if (absl::Status status = CheckAirbyteMessages(run->lines); !status.ok()) return status;
  return run;
}

absl::StatusOr<std::vector<std::string>> Connector::ReadCommand(
    const std::string& catalog, const std::optional<std::string>& state) {
  const std::string catalog_file = File("catalog.json");
  if (absl::Status s = WriteFile(catalog_file, catalog); !s.ok()) return s;
  std::vector<std::string> command = {program_,          "read",      "--config",
                                      File(kConfigFile), "--catalog", catalog_file};
  if (state.has_value()) {
    const std::string state_file = File("state.json");
    if (absl::Status s = WriteFile(state_file, *state); !s.ok()) return s;
    command.insert(command.end(), {"--state", state_file});
  }
  return command;
}

absl::StatusOr<std::string> Connector::DiscoverCatalog() {
  absl::StatusOr<RunResult> run = Discover();
  if (!run.ok()) return run.status();
  std::vector<std::string> catalogs;
  for (const std::string& line : run->lines) {
    rapidjson::Document message;
    message.Parse(line.data(), line.size());
    if (!message.HasParseError() && message.IsObject() && message.HasMember("catalog")) {
      catalogs.push_back(line);
    }
  }
  if (run->exit.exit_code != 0 || catalogs.size() != 1) {
    return absl::InternalError(absl::StrCat("discover gave ", catalogs.size(), " catalogs; ",
                                            run->lines.empty() ? "" : run->lines.back()));
  }
  return catalogs[0];
}

}  // namespace source_vitess::harness
