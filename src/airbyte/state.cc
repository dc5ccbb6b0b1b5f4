#include "airbyte/state.h"

#include <rapidjson/document.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "config/json_document.h"
#include "sync/planetscale_cursor.h"
#include "text/absl_view.h"
#include "vitess/errors.h"

namespace source_vitess::airbyte {
namespace {

using config::FindMember;
using rapidjson::Value;

std::string Text(const Value* value) {
  return value != nullptr && value->IsString()
             ? std::string(value->GetString(), value->GetStringLength())
             : std::string();
}

absl::Status StateError(std::string_view problem) {
  return vitess::ConfigurationError(absl::StrCat("The input state ", text::AbslView(problem)));
}

// Whether a member says nothing: it is not there, null, {} or [].
bool SaysNothing(const Value* value) {
  return value == nullptr || (value->IsObject() && value->ObjectEmpty()) ||
         (value->IsArray() && value->Empty());
}

// The state in a message as it is printed, or the state itself.
const Value& WithoutEnvelope(const Value& element) {
  const Value* const state = FindMember(element, "state");
  return Text(FindMember(element, "type")) == "STATE" && state != nullptr ? *state : element;
}

// The object for all streams that PlanetScale's connector writes; null when it is something else.
const Value* LegacyStreams(const Value& state) {
  const Value* const streams = FindMember(state, "streams");
  return streams != nullptr && streams->IsObject() ? streams : nullptr;
}

absl::StatusOr<sync::TablePosition> PositionOf(const StreamName& stream, const Value& state) {
  absl::StatusOr<sync::TablePosition> position =
      sync::ParseTablePosition(config::ToJsonText(state));
  if (position.ok()) return position;
  return vitess::ConfigurationError(
      absl::StrCat("Stream ", ToString(stream), ": ", position.status().message(),
                   ". Reset the stream to read it again from its first row."));
}

}  // namespace

absl::StatusOr<InputState> InputState::Parse(std::string_view json) {
  InputState input;
  if (json.find_first_not_of(" \t\r\n") == std::string_view::npos) return input;
  const absl::StatusOr<rapidjson::Document> document = config::ParseJson(json);
  if (!document.ok()) return vitess::Annotate(document.status(), "The input state");
  if (document->IsNull()) return input;
  if (!document->IsArray() && !document->IsObject()) {
    return StateError("is neither an array of states nor a state.");
  }
  const Value* const elements =
      document->IsArray() ? (document->Empty() ? nullptr : document->Begin()) : &*document;
  const size_t count = document->IsArray() ? document->Size() : 1;
  for (size_t i = 0; i < count; ++i) {
    absl::Status status = input.AddElement(elements[i]);
    if (!status.ok()) return status;
  }
  return input;
}

absl::Status InputState::AddElement(const rapidjson::Value& element) {
  if (!element.IsObject()) return StateError("holds something that is not a state message.");
  const Value& state = WithoutEnvelope(element);
  const std::string type = Text(FindMember(state, "type"));
  const Value* const stream = FindMember(state, "stream");
  if (type == "STREAM" || (type.empty() && stream != nullptr)) {
    if (stream != nullptr) return Add(*stream);
    return StateError("has a state of type STREAM without a \"stream\".");
  }
  const bool legacy = type.empty() || type == "LEGACY";
  const Value* const data = FindMember(state, "data");
  for (const Value* const holder : {&state, data}) {
    const Value* const streams = legacy && holder != nullptr ? LegacyStreams(*holder) : nullptr;
    if (streams == nullptr) continue;
    AddLegacy(*streams);
    return absl::OkStatus();
  }
  if (legacy && SaysNothing(data)) return absl::OkStatus();
  return StateError(
      absl::StrCat("is of type ", legacy ? "LEGACY" : JsonString(type),
                   ", which this source does not write: it belongs to another source "
                   "or was made by hand. Reset the connection to read everything again."));
}

absl::Status InputState::Add(const rapidjson::Value& stream_state) {
  const Value* descriptor = FindMember(stream_state, "stream_descriptor");
  const StreamName stream =
      descriptor == nullptr ? StreamName()
                            : StreamName{.name_space = Text(FindMember(*descriptor, "namespace")),
                                         .name = Text(FindMember(*descriptor, "name"))};
  if (stream.name.empty()) return StateError("has a state that names no stream.");
  const Value* state = FindMember(stream_state, "stream_state");
  positions_.erase(stream);
  taken_over_.erase(stream);
  if (state != nullptr && sync::IsPlanetscaleTable(*state)) {
    TakeOver(stream, *state);
    return absl::OkStatus();
  }
  if (!SaysNothing(state)) positions_.emplace(stream, PositionOf(stream, *state));
  return absl::OkStatus();
}

void InputState::AddLegacy(const rapidjson::Value& streams) {
  for (const auto& [key, state] : streams.GetObject()) {
    auto [keyspace, table] = sync::SplitPlanetscaleStream(Text(&key));
    TakeOver({.name_space = std::move(keyspace), .name = std::move(table)}, state);
  }
}

void InputState::TakeOver(const StreamName& stream, const rapidjson::Value& state) {
  auto takeover = sync::TakeOverPlanetscaleTable(stream.name_space, stream.name, state);
  positions_.erase(stream);
  if (takeover.position.has_value()) positions_.emplace(stream, *std::move(takeover.position));
  taken_over_.insert_or_assign(stream, std::move(takeover.note));
}

std::vector<std::string> InputState::notes() const {
  std::vector<std::string> notes;
  for (const auto& [stream, note] : taken_over_) notes.push_back(note);
  return notes;
}

absl::StatusOr<std::optional<sync::TablePosition>> InputState::Position(
    const StreamName& stream) const {
  const auto position = positions_.find(stream);
  if (position == positions_.end()) return std::nullopt;
  if (!position->second.ok()) return position->second.status();
  return *position->second;
}

uint64_t InputState::highest_cursor() const {
  uint64_t highest = 0;
  for (const auto& [stream, position] : positions_) {
    if (position.ok()) highest = std::max(highest, position->cursor);
  }
  return highest;
}

}  // namespace source_vitess::airbyte
