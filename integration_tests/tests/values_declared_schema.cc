#include "values_declared_schema.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <regex>
#include <sstream>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "harness/exact_json.h"
#include "rapidjson/document.h"

namespace source_vitess::tests {
namespace {

using rapidjson::Value;

constexpr std::array<std::string_view, 7> kKeywords = {
    "type", "format", "airbyte_type", "contentEncoding", "oneOf", "items", "properties"};

const Value* Member(const Value& object, const char* name) {
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() ? nullptr : &found->value;
}

std::string TextOf(const Value* value) {
  return value != nullptr && value->IsString()
             ? std::string(value->GetString(), value->GetStringLength())
             : std::string();
}

std::string_view TypeOf(const Value& value) {
  switch (value.GetType()) {
    case rapidjson::kNullType:
      return "null";
    case rapidjson::kFalseType:
    case rapidjson::kTrueType:
      return "boolean";
    case rapidjson::kObjectType:
      return "object";
    case rapidjson::kArrayType:
      return "array";
    case rapidjson::kStringType:
      return "string";
    case rapidjson::kNumberType:
      return "number";
  }
  return "nothing";
}

bool Allows(const Value& schema, std::string_view type) {
  const Value* allowed = Member(schema, "type");
  if (allowed == nullptr) return true;
  if (allowed->IsString()) return TextOf(allowed) == type;
  return std::any_of(allowed->Begin(), allowed->End(),
                     [&](const Value& each) { return TextOf(&each) == type; });
}

bool IsDate(const std::string& text) {
  static const std::regex form("([0-9]{4})-([0-9]{2})-([0-9]{2})");
  std::smatch parts;
  if (!std::regex_match(text, parts, form)) return false;
  const std::chrono::year_month_day date{
      std::chrono::year(std::stoi(parts[1])),
      std::chrono::month(static_cast<unsigned>(std::stoi(parts[2]))),
      std::chrono::day(static_cast<unsigned>(std::stoi(parts[3])))};
  return date.ok() && static_cast<int>(date.year()) > 0;
}

bool IsTimeOfDay(const std::string& text) {
  static const std::regex form("([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?");
  return std::regex_match(text, form);
}

bool IsDateTime(const std::string& text) {
  return text.size() > 11 && text[10] == 'T' && IsDate(text.substr(0, 10)) &&
         IsTimeOfDay(text.substr(11));
}

bool HasFormat(const std::string& format, const std::string& airbyte_type,
               const std::string& text) {
  if (format == "date") return IsDate(text);
  if (airbyte_type == "time_without_timezone") return format == "time" && IsTimeOfDay(text);
  if (airbyte_type == "timestamp_without_timezone") {
    return format == "date-time" && IsDateTime(text);
  }
  if (airbyte_type == "timestamp_with_timezone") {
    return format == "date-time" && text.ends_with('Z') &&
           IsDateTime(text.substr(0, text.size() - 1));
  }
  return format.empty() && airbyte_type.empty();
}

bool IsBase64(const std::string& text) {
  std::string bytes;
  return absl::Base64Unescape(text, &bytes) && absl::Base64Escape(bytes) == text;
}

// `raw` is `value` with numbers as strings of their digits.
std::string Fault(const Value& schema, const Value& value, const Value& raw) {
  for (const auto& member : schema.GetObject()) {
    const std::string keyword = TextOf(&member.name);
    if (std::find(kKeywords.begin(), kKeywords.end(), keyword) == kKeywords.end()) {
      return absl::StrCat("the schema has an unknown keyword ", keyword);
    }
  }
  const std::string airbyte_type = TextOf(Member(schema, "airbyte_type"));
  const std::string type(TypeOf(value));
  if (!Allows(schema, type)) return absl::StrCat("is of type ", type);
  if (const Value* branches = Member(schema, "oneOf"); branches != nullptr) {
    const auto fits = std::count_if(branches->Begin(), branches->End(),
                                    [&](const Value& branch) { return Allows(branch, type); });
    if (fits != 1) return absl::StrCat("is of ", fits, " of the declared types");
    return airbyte_type == "json" ? "" : "has an unknown airbyte_type";
  }
  if (value.IsNumber() && airbyte_type == "integer") {
    static const std::regex integer("-?(0|[1-9][0-9]*)");
    return std::regex_match(TextOf(&raw), integer) ? "" : "is no integer";
  }
  if (value.IsString()) {
    const std::string text = TextOf(&value);
    const bool base64 = TextOf(Member(schema, "contentEncoding")) == "base64";
    if (base64) return IsBase64(text) ? "" : "is no base64";
    return HasFormat(TextOf(Member(schema, "format")), airbyte_type, text)
               ? ""
               : "does not have the declared format";
  }
  if (const Value* items = Member(schema, "items"); value.IsArray() && items != nullptr) {
    for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
      std::string fault = Fault(*items, value[i], raw[i]);
      if (!fault.empty()) return absl::StrCat("has an item that ", fault);
    }
  }
  return "";
}

const Value* StreamOf(const Value& catalog, const Value& record) {
  const Value* streams = Member(*Member(catalog, "catalog"), "streams");
  const auto found = std::find_if(streams->Begin(), streams->End(), [&](const Value& stream) {
    return TextOf(Member(stream, "name")) == TextOf(Member(record, "stream")) &&
           TextOf(Member(stream, "namespace")) == TextOf(Member(record, "namespace"));
  });
  return found == streams->End() ? nullptr : found;
}

}  // namespace

std::vector<std::string> Violations(const std::string& catalog, const std::string& lines) {
  std::vector<std::string> violations;
  rapidjson::Document declared;
  if (declared.Parse(catalog.data(), catalog.size()).HasParseError()) return {"no catalog"};
  std::istringstream stream(lines);
  for (std::string line; std::getline(stream, line);) {
    rapidjson::Document message;
    if (message.Parse(line.data(), line.size()).HasParseError()) {
      violations.push_back(absl::StrCat("is no JSON: ", line));
      continue;
    }
    const rapidjson::Document raw = harness::ParseRaw(line);
    const Value* declaration = StreamOf(declared, message["record"]);
    if (declaration == nullptr) {
      violations.push_back(absl::StrCat("is of no declared stream: ", line));
      continue;
    }
    const Value& properties = (*declaration)["json_schema"]["properties"];
    for (const auto& column : message["record"]["data"].GetObject()) {
      const Value* property = Member(properties, column.name.GetString());
      const std::string fault =
          property == nullptr ? "is not declared"
                              : Fault(*property, column.value, raw["record"]["data"][column.name]);
      if (!fault.empty()) {
        violations.push_back(absl::StrCat("column ", TextOf(&column.name), " ", fault, ": ", line));
      }
    }
  }
  return violations;
}

}  // namespace source_vitess::tests
