#include "simulator/json_edit.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "simulator/json_text.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

// One step of a path: a member, by its key as JSON quotes it, or a place in an array.
struct Leg {
  std::string key;
  size_t place = 0;

  bool IsMember() const { return !key.empty(); }
};

absl::StatusOr<std::vector<Leg>> ParsePath(std::string_view path) {
  const absl::Status invalid = absl::InvalidArgumentError(
      Cat("Invalid JSON path expression: ", path, " (errno 3143) (sqlstate 42000)"));
  std::string_view rest = path;
  if (!ConsumePrefix(&rest, "$")) return invalid;
  std::vector<Leg> legs;
  while (!rest.empty()) {
    const bool member = rest[0] == '.';
    if (!member && rest[0] != '[') return invalid;
    rest.remove_prefix(1);
    const bool quoted = member && StartsWith(rest, "\"");
    const size_t end = quoted   ? rest.find('"', 1) + 1
                       : member ? std::min(rest.find_first_of(".["), rest.size())
                                : rest.find(']');
    if (end == 0 || end > rest.size()) return invalid;
    Leg leg;
    if (member) {
      leg.key = quoted ? std::string(rest.substr(0, end)) : Cat("\"", rest.substr(0, end), "\"");
    } else if (!ParseInteger(rest.substr(0, end), &leg.place)) {
      return invalid;
    }
    rest.remove_prefix(end + (member ? 0 : 1));
    legs.push_back(std::move(leg));
  }
  return legs;
}

// The index behind the string that begins at `begin`.
size_t EndOfString(std::string_view text, size_t begin) {
  size_t end = begin + 1;
  while (text[end] != '"') end += text[end] == '\\' ? 2 : 1;
  return end + 1;
}

// What stands between a normalized container's commas.
std::vector<std::string> Parts(std::string_view container) {
  std::vector<std::string> parts;
  size_t depth = 0;
  size_t begin = 1;
  for (size_t i = 1; i + 1 < container.size(); ++i) {
    const char c = container[i];
    if (c == '"') i = EndOfString(container, i) - 1;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (c != ',' || depth > 0) continue;
    parts.emplace_back(container.substr(begin, i - begin));
    begin = i + 2;
  }
  if (container.size() > 2)
    parts.emplace_back(container.substr(begin, container.size() - 1 - begin));
  return parts;
}

std::string Join(char open, const std::vector<std::string>& parts, char close) {
  std::string text(1, open);
  for (const std::string& part : parts) CatTo(&text, text.size() > 1 ? ", " : "", part);
  return text + close;
}

// Walks down to what the path names and changes it.
class Editor {
 public:
  Editor(const JsonEdit& edit, const std::vector<Leg>& legs) : edit_(edit), legs_(legs) {}

  std::string Edit(const std::string& text, size_t depth) {
    if (depth == legs_.size()) return EditTarget(text);
    const Leg& leg = legs_[depth];
    if (text[0] != (leg.IsMember() ? '{' : '[')) return text;
    std::vector<std::string> parts = Parts(text);
    const std::string prefix = leg.IsMember() ? leg.key + ": " : "";
    size_t place = leg.place;
    if (leg.IsMember()) {
      for (place = 0; place < parts.size() && !StartsWith(parts[place], prefix);) ++place;
    }
    const bool last = depth + 1 == legs_.size();
    const bool adds = edit_.kind == JsonEdit::Kind::kSet || edit_.kind == JsonEdit::Kind::kInsert;
    if (place >= parts.size()) {
      if (!last || !adds) return text;
      parts.push_back(prefix + edit_.value);
      function_ = leg.IsMember() ? "JSON_INSERT" : "JSON_ARRAY_INSERT";
    } else if (last && edit_.kind == JsonEdit::Kind::kRemove) {
      parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(place));
      function_ = "JSON_REMOVE";
    } else {
      parts[place] = prefix + Edit(parts[place].substr(prefix.size()), depth + 1);
    }
    return Join(text[0], parts, text.back());
  }

  // The function that the difference is written with; empty if nothing has changed.
  const std::string& function() const { return function_; }

 private:
  std::string EditTarget(const std::string& text) {
    switch (edit_.kind) {
      case JsonEdit::Kind::kSet:
      case JsonEdit::Kind::kReplace:
        if (text != edit_.value) function_ = "JSON_REPLACE";
        return edit_.value;
      case JsonEdit::Kind::kArrayAppend: {
        std::vector<std::string> parts = text[0] == '[' ? Parts(text) : std::vector{text};
        parts.push_back(edit_.value);
        return Join('[', parts, ']');
      }
      case JsonEdit::Kind::kInsert:
      case JsonEdit::Kind::kRemove:
        return text;
    }
    return text;
  }

  const JsonEdit& edit_;
  const std::vector<Leg>& legs_;
  std::string function_;
};

// A quoted JSON string as an SQL literal; MySQL reads the backslashes of both in the same way.
std::string SqlString(std::string_view quoted) {
  std::string text = "_utf8mb4'";
  for (const char c : quoted.substr(1, quoted.size() - 2)) {
    if (c == '\'') text += '\\';
    text += c;
  }
  return text + "'";
}

// A part of a value inside a JSON_OBJECT or JSON_ARRAY.
std::string SqlPart(const std::string& json) {
  if (json[0] == '"') return SqlString(json);
  if (json[0] != '{' && json[0] != '[') return json;
  std::string text = json[0] == '{' ? "JSON_OBJECT(" : "JSON_ARRAY(";
  bool first = true;
  for (const std::string& part : Parts(json)) {
    CatTo(&text, first ? "" : ", ");
    first = false;
    if (json[0] == '[') {
      text += SqlPart(part);
      continue;
    }
    const size_t key = EndOfString(part, 0);
    CatTo(&text, SqlString(part.substr(0, key)), ", ", SqlPart(part.substr(key + 2)));
  }
  return text + ")";
}

// The value as Vitess writes it into a difference (go/mysql/json/marshal.go).
std::string SqlValueText(const std::string& json) {
  if (json[0] == '{' || json[0] == '[') return SqlPart(json);
  if (json[0] == '"') return Cat("CAST(JSON_QUOTE(", SqlString(json), ") as JSON)");
  if (json == "null" || json == "true" || json == "false")
    return Cat("CAST(_utf8mb4'", json, "' as JSON)");
  return Cat("CAST(", json, " as JSON)");
}

}  // namespace

std::optional<JsonEdit::Kind> FindJsonEdit(std::string_view function) {
  if (function == "json_set") return JsonEdit::Kind::kSet;
  if (function == "json_insert") return JsonEdit::Kind::kInsert;
  if (function == "json_replace") return JsonEdit::Kind::kReplace;
  if (function == "json_remove") return JsonEdit::Kind::kRemove;
  if (function == "json_array_append") return JsonEdit::Kind::kArrayAppend;
  return std::nullopt;
}

bool IsLoggedAsDifference(JsonEdit::Kind kind) {
  return kind == JsonEdit::Kind::kSet || kind == JsonEdit::Kind::kReplace ||
         kind == JsonEdit::Kind::kRemove;
}

absl::Status ApplyJsonEdit(const JsonEdit& edit, EditedJson& json) {
  const absl::StatusOr<std::vector<Leg>> legs = ParsePath(edit.path);
  if (!legs.ok()) return legs.status();
  Editor editor(edit, *legs);
  absl::StatusOr<std::string> document = NormalizeJson(editor.Edit(json.document, 0));
  if (!document.ok()) return document.status();
  json.document = *std::move(document);
  if (editor.function().empty()) return absl::OkStatus();
  const bool removes = edit.kind == JsonEdit::Kind::kRemove;
  json.difference = Cat(editor.function(), "(", json.difference, ", _utf8mb4'", edit.path, "'",
                        removes ? "" : ", " + SqlValueText(edit.value), ")");
  // The operation, the lengths of path and value, and both.
  json.bytes += 3 + edit.path.size() + (removes ? 0 : edit.value.size());
  return absl::OkStatus();
}

}  // namespace source_vitess::simulator
