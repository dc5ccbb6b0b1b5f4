#include "harness/destination.h"

#include <cstddef>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "harness/airbyte_message.h"
#include "harness/exact_json.h"

namespace source_vitess::harness {
namespace {

using Json = rapidjson::Value;

constexpr size_t kMaxViolations = 20;
constexpr char kProtocolColumns[] = "_ab_cdc_";
constexpr char kCursor[] = "_ab_cdc_cursor";
constexpr char kDeletedAt[] = "_ab_cdc_deleted_at";

// The string member, empty where it is absent or null.
std::string StringMember(const Json& object, const char* name) {
  const auto member = object.FindMember(name);
  return member != object.MemberEnd() && member->value.IsString() ? member->value.GetString() : "";
}

const Json* Member(const Json& object, const char* name) {
  const auto member = object.FindMember(name);
  return member == object.MemberEnd() ? nullptr : &member->value;
}

std::string FullName(const std::pair<std::string, std::string>& key) {
  return absl::StrCat(key.first, ".", key.second);
}

// The last element of each path of the stream's key, that of the configuration before that of the
// source.
std::vector<std::string> PrimaryKey(const Json& configured) {
  const Json* paths = Member(configured, "primary_key");
  if (paths == nullptr || !paths->IsArray() || paths->Empty()) {
    paths = Member(configured["stream"], "source_defined_primary_key");
  }
  std::vector<std::string> key;
  if (paths == nullptr || !paths->IsArray()) return key;
  for (const Json& path : paths->GetArray()) key.emplace_back(path[path.Size() - 1].GetString());
  return key;
}

// The values of the columns, a JSON array.
std::string KeyText(const std::vector<std::string>& columns, const Json& data, const Json& raw) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartArray();
  for (const std::string& column : columns) {
    const Json* value = Member(data, column.c_str());
    if (value == nullptr) {
      writer.Null();
    } else {
      WriteExact(*value, raw[column.c_str()], writer);
    }
  }
  writer.EndArray();
  return buffer.GetString();
}

// The row without the columns of the protocol.
std::string RowText(const Json& data, const Json& raw) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  for (const auto& member : data.GetObject()) {
    if (absl::StartsWith(member.name.GetString(), kProtocolColumns)) continue;
    writer.Key(member.name.GetString(), member.name.GetStringLength());
    WriteExact(member.value, raw[member.name], writer);
  }
  writer.EndObject();
  return buffer.GetString();
}

bool IsTerminal(StreamStatus status) {
  return status == StreamStatus::kComplete || status == StreamStatus::kIncomplete;
}

}  // namespace

Destination::Destination(const std::string& configured_catalog) {
  rapidjson::Document catalog;
  catalog.Parse(configured_catalog.data(), configured_catalog.size());
  if (catalog.HasParseError() || !catalog.IsObject() || !catalog.HasMember("streams")) {
    Violation("the configured catalog is none");
    return;
  }
  for (const Json& configured : catalog["streams"].GetArray()) {
    const Json& stream = configured["stream"];
    Stream& known = streams_[{StringMember(stream, "namespace"), StringMember(stream, "name")}];
    known.primary_key = PrimaryKey(configured);
    for (const auto& property : stream["json_schema"]["properties"].GetObject()) {
      known.properties.insert(property.name.GetString());
    }
  }
}

void Destination::BeginSync() {
  for (auto& [key, stream] : streams_) stream.sync = StreamSync();
  trace_errors_.clear();
  line_number_ = 0;
}

void Destination::Accept(const std::string& line) {
  ++line_number_;
  absl::StatusOr<rapidjson::Document> message = ParseAirbyteMessage(line);
  if (!message.ok()) {
    Violation(absl::StrCat(message.status().message(), ": ", line.substr(0, 200)));
    return;
  }
  const std::string type = (*message)["type"].GetString();
  if (type == "RECORD") {
    AcceptRecord((*message)["record"], line);
  } else if (type == "STATE") {
    AcceptState((*message)["state"]);
  } else if (type == "TRACE") {
    AcceptTrace((*message)["trace"]);
  } else if (type != "LOG" && type != "CONTROL") {
    Violation(absl::StrCat("a read prints no ", type));
  }
}

void Destination::EndSync(int exit_code, const std::string& errors) {
  bool all_complete = true;
  for (const auto& [key, stream] : streams_) {
    all_complete &= stream.sync.status == StreamStatus::kComplete;
    if (!IsTerminal(stream.sync.status)) {
      Violation(absl::StrCat(FullName(key), " has no last status"));
    }
  }
  if (exit_code == 0 && !all_complete) {
    Violation("exit code 0, but not every stream is COMPLETE");
  }
  if (exit_code != 0 && trace_errors_.empty()) {
    Violation(absl::StrCat("exit code ", exit_code, " without a TRACE ERROR"));
  }
  if (!errors.empty()) Violation(absl::StrCat("on stderr: ", errors.substr(0, 500)));
}

void Destination::AcceptRun(const RunResult& run) {
  BeginSync();
  for (const std::string& line : run.lines) Accept(line);
  if (run.timed_out) Violation("the connector did not end in time");
  if (run.killed) return;
  if (!run.unfinished_line.empty()) Violation("the last line has no end");
  if (!run.exit.exit_code.has_value()) {
    Violation(absl::StrCat("the connector was ended by signal ", run.exit.signal.value_or(0)));
    return;
  }
  EndSync(*run.exit.exit_code, run.errors);
}

std::string Destination::StateFile() const {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartArray();
  for (const auto& [key, stream] : streams_) {
    if (!stream.state.has_value()) continue;
    writer.StartObject();
    writer.Key("type");
    writer.String("STREAM");
    writer.Key("stream");
    writer.StartObject();
    writer.Key("stream_descriptor");
    writer.StartObject();
    writer.Key("name");
    writer.String(key.second.c_str());
    writer.Key("namespace");
    writer.String(key.first.c_str());
    writer.EndObject();
    writer.Key("stream_state");
    writer.RawValue(stream.state->data(), stream.state->size(), rapidjson::kObjectType);
    writer.EndObject();
    writer.EndObject();
  }
  writer.EndArray();
  return buffer.GetString();
}

std::optional<std::string> Destination::State(const std::string& stream_namespace,
                                              const std::string& name) const {
  const auto stream = streams_.find({stream_namespace, name});
  return stream == streams_.end() ? std::nullopt : stream->second.state;
}

void Destination::AllowAnyOrder(const std::string& stream_namespace, const std::string& name) {
  streams_.at({stream_namespace, name}).any_order = true;
}

std::map<std::string, std::string> Destination::Rows(const std::string& stream_namespace,
                                                     const std::string& name) const {
  std::map<std::string, std::string> rows;
  const auto stream = streams_.find({stream_namespace, name});
  if (stream == streams_.end()) return rows;
  for (const auto& [key, row] : stream->second.rows) {
    if (row.data.has_value()) rows.emplace(key, *row.data);
  }
  return rows;
}

StreamSync Destination::Sync(const std::string& stream_namespace, const std::string& name) const {
  const auto stream = streams_.find({stream_namespace, name});
  return stream == streams_.end() ? StreamSync() : stream->second.sync;
}

void Destination::Violation(const std::string& what) {
  if (violations_.size() < kMaxViolations) {
    violations_.push_back(absl::StrCat("line ", line_number_, ": ", what));
  }
}

// The configured stream that an object names with its members `name_member` and "namespace".
Destination::Stream* Destination::Find(const Json& descriptor, const char* name_member,
                                       const std::string& what) {
  const StreamKey key = {StringMember(descriptor, "namespace"),
                         StringMember(descriptor, name_member)};
  const auto stream = streams_.find(key);
  if (stream == streams_.end()) {
    Violation(absl::StrCat(what, " of ", FullName(key), ", which is not configured"));
    return nullptr;
  }
  return &stream->second;
}

void Destination::CheckMayEmit(const Stream& stream, const std::string& what) {
  if (stream.sync.status == StreamStatus::kNone) Violation(absl::StrCat(what, " before STARTED"));
  if (IsTerminal(stream.sync.status)) Violation(absl::StrCat(what, " behind the last status"));
}

void Destination::AcceptRecord(const Json& record, const std::string& line) {
  Stream* stream = Find(record, "stream", "a record");
  if (stream == nullptr) return;
  CheckMayEmit(*stream, "a record");
  if (stream->sync.status == StreamStatus::kStarted) Violation("a record before RUNNING");
  const Json& data = record["data"];
  for (const auto& member : data.GetObject()) {
    if (!stream->properties.contains(member.name.GetString())) {
      Violation(absl::StrCat("column ", member.name.GetString(), " is not configured"));
    }
  }
  ++stream->sync.records;
  ++stream->sync.records_since_state;
  const rapidjson::Document raw = ParseRaw(line);
  Upsert(*stream, data, raw["record"]["data"]);
}

void Destination::Upsert(Stream& stream, const Json& data, const Json& raw) {
  const Json* deleted_at = Member(data, kDeletedAt);
  const bool deletes = deleted_at != nullptr && !deleted_at->IsNull();
  stream.sync.deletes += deletes ? 1 : 0;
  if (stream.primary_key.empty()) {
    stream.rows[absl::StrCat(stream.rows.size())].data = RowText(data, raw);
    return;
  }
  const std::string key = KeyText(stream.primary_key, data, raw);
  const Json* cursor_value = Member(data, kCursor);
  const uint64_t cursor =
      cursor_value != nullptr && cursor_value->IsUint64() ? cursor_value->GetUint64() : 0;
  Row& row = stream.rows[key];
  if (cursor < row.cursor) {
    if (stream.any_order) return;
    Violation(absl::StrCat("the cursor of ", key, " goes back from ", row.cursor, " to ", cursor));
    return;
  }
  row.cursor = cursor;
  if (deletes) {
    row.data.reset();
  } else {
    row.data = RowText(data, raw);
  }
}

void Destination::AcceptState(const Json& state) {
  const Json& body = state["stream"];
  Stream* stream = Find(body["stream_descriptor"], "name", "a state");
  if (stream == nullptr) return;
  CheckMayEmit(*stream, "a state");
  const double count = state["sourceStats"]["recordCount"].GetDouble();
  if (count != static_cast<double>(stream->sync.records_since_state)) {
    Violation(absl::StrCat("recordCount is ", count, " after ", stream->sync.records_since_state,
                           " records"));
  }
  ++stream->sync.states;
  stream->sync.records_since_state = 0;
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  body["stream_state"].Accept(writer);
  stream->state = buffer.GetString();
}

void Destination::AcceptTrace(const Json& trace) {
  const std::string type = trace["type"].GetString();
  if (type == "ERROR") {
    trace_errors_.emplace_back(trace["error"]["message"].GetString());
  } else if (type == "STREAM_STATUS") {
    const Json& status = trace["stream_status"];
    Stream* stream = Find(status["stream_descriptor"], "name", "a status");
    if (stream != nullptr) AcceptStatus(*stream, status["status"].GetString());
  }
}

void Destination::AcceptStatus(Stream& stream, const std::string& status) {
  const StreamStatus before = stream.sync.status;
  const auto refuse = [&] { Violation(absl::StrCat("status ", status, " out of order")); };
  if (status == "STARTED") {
    if (before != StreamStatus::kNone) refuse();
    stream.sync.status = StreamStatus::kStarted;
  } else if (status == "RUNNING") {
    if (before != StreamStatus::kStarted && before != StreamStatus::kRunning) refuse();
    stream.sync.status = StreamStatus::kRunning;
  } else if (status == "INCOMPLETE") {
    if (IsTerminal(before)) refuse();
    stream.sync.status = StreamStatus::kIncomplete;
  } else {
    if (before != StreamStatus::kRunning) refuse();
    if (stream.sync.states == 0) Violation("COMPLETE without a state");
    if (stream.sync.records_since_state > 0)
      Violation("COMPLETE with records behind the last state");
    stream.sync.status = StreamStatus::kComplete;
  }
}

}  // namespace source_vitess::harness
