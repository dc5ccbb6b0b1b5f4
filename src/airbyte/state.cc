#include "airbyte/state.h"

#include <rapidjson/document.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "config/json_document.h"
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

// The stream state in one element of the input; null for an element that says nothing.
absl::StatusOr<const Value*> StreamStateOf(const Value& element) {
  if (!element.IsObject()) return StateError("holds something that is not a state message.");
  const std::string type = Text(FindMember(element, "type"));
  const Value* stream = FindMember(element, "stream");
  if (type == "STREAM" || (type.empty() && stream != nullptr)) {
    if (stream != nullptr) return stream;
    return StateError("has a state of type STREAM without a \"stream\".");
  }
  const bool legacy = type.empty() || type == "LEGACY";
  if (legacy && SaysNothing(FindMember(element, "data"))) return nullptr;
  return StateError(
      absl::StrCat("is of type ", legacy ? "LEGACY" : JsonString(type),
                   ", which this source does not write: it belongs to another source "
                   "or was made by hand. Reset the connection to read everything again."));
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
    const absl::StatusOr<const Value*> stream = StreamStateOf(elements[i]);
    if (!stream.ok()) return stream.status();
    if (*stream != nullptr) {
      absl::Status status = input.Add(**stream);
      if (!status.ok()) return status;
    }
  }
  return input;
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
  if (!SaysNothing(state)) positions_.emplace(stream, PositionOf(stream, *state));
  return absl::OkStatus();
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
