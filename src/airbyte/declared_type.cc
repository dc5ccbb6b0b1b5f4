#include "airbyte/declared_type.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "config/json_document.h"
#include "text/absl_view.h"

namespace source_vitess::airbyte {
namespace {

using config::FindMember;
using mysql::Kind;
using rapidjson::Value;

struct Spelling {
  DeclaredType type;
  std::string_view json_type;
  std::string_view rest;  // further members, each behind a comma
  std::string_view words;
};

constexpr std::array kSpellings = {
    Spelling{DeclaredType::kBoolean, "boolean", "", "a boolean"},
    Spelling{DeclaredType::kInteger, "number", R"(,"airbyte_type":"integer")", "an integer"},
    Spelling{DeclaredType::kNumber, "number", "", "a number"},
    Spelling{DeclaredType::kString, "string", "", "a string"},
    Spelling{DeclaredType::kBinary, "string", R"(,"contentEncoding":"base64")", "binary"},
    Spelling{DeclaredType::kDate, "string", R"(,"format":"date")", "a date"},
    Spelling{DeclaredType::kTimestampWithoutZone, "string",
             R"(,"format":"date-time","airbyte_type":"timestamp_without_timezone")",
             "a timestamp without time zone"},
    Spelling{DeclaredType::kTimestampWithZone, "string",
             R"(,"format":"date-time","airbyte_type":"timestamp_with_timezone")",
             "a timestamp with time zone"},
    Spelling{DeclaredType::kTime, "string",
             R"(,"format":"time","airbyte_type":"time_without_timezone")", "a time of day"},
    Spelling{DeclaredType::kObject, "object", "", "an object"},
    Spelling{DeclaredType::kNumbers, "array", R"(,"items":{"type":"number"})",
             "an array of numbers"},
};

// Without a "type": one of "object", as Airbyte's own table has it, refuses arrays and scalars, and
// destinations make nulls of them; one of many types they narrow to its first. A union without it
// takes what it says, and destinations store it as JSON.
constexpr std::string_view kAnyJson =
    R"({"oneOf":[{"type":"array"},{"type":"object"},{"type":"number"},{"type":"string"},)"
    R"({"type":"boolean"},{"type":"null"}],"airbyte_type":"json"})";

std::string_view TextOf(const Value& schema, std::string_view member) {
  const Value* text = FindMember(schema, member);
  if (text == nullptr || !text->IsString()) return "";
  return {text->GetString(), text->GetStringLength()};
}

// The one type beside null; empty where there is none, or more than one.
std::string_view TypeOf(const Value& schema) {
  const Value* types = FindMember(schema, "type");
  if (types == nullptr || !types->IsArray()) return TextOf(schema, "type");
  std::string_view only;
  for (const Value& each : types->GetArray()) {
    if (!each.IsString()) return "";
    const std::string_view type(each.GetString(), each.GetStringLength());
    if (type == "null") continue;
    if (!only.empty()) return "";
    only = type;
  }
  return only;
}

DeclaredType StringTypeOf(const Value& schema) {
  const std::string_view format = TextOf(schema, "format");
  const std::string_view airbyte_type = TextOf(schema, "airbyte_type");
  if (TextOf(schema, "contentEncoding") == "base64") return DeclaredType::kBinary;
  if (airbyte_type == "timestamp_with_timezone") return DeclaredType::kTimestampWithZone;
  if (airbyte_type == "timestamp_without_timezone") return DeclaredType::kTimestampWithoutZone;
  if (airbyte_type == "time_without_timezone") return DeclaredType::kTime;
  if (airbyte_type.empty() && format == "date") return DeclaredType::kDate;
  return airbyte_type.empty() && format.empty() ? DeclaredType::kString : DeclaredType::kAny;
}

}  // namespace

DeclaredType DeclaredTypeOf(const mysql::TableSchema& table, const mysql::Column& column,
                            const mysql::TypeOptions& options) {
  const bool dates_are_text = options.zero_dates == mysql::ZeroDates::kText;
  switch (mysql::KindOf(table, column, options)) {
    case Kind::kSigned:
    case Kind::kUnsigned:
    case Kind::kYear:
      return DeclaredType::kInteger;
    case Kind::kDecimal:
      return column.type.decimals == 0 ? DeclaredType::kInteger : DeclaredType::kNumber;
    case Kind::kFloat:
    case Kind::kDouble:
      return DeclaredType::kNumber;
    case Kind::kBoolean:
      return DeclaredType::kBoolean;
    case Kind::kBytes:
      return DeclaredType::kBinary;
    case Kind::kDate:
      return dates_are_text ? DeclaredType::kString : DeclaredType::kDate;
    case Kind::kDateTime:
      return dates_are_text ? DeclaredType::kString : DeclaredType::kTimestampWithoutZone;
    case Kind::kTimestamp:
      return dates_are_text ? DeclaredType::kString : DeclaredType::kTimestampWithZone;
    case Kind::kTime:
      return DeclaredType::kTime;
    case Kind::kJson:
      return DeclaredType::kJson;
    case Kind::kGeometry:
      return options.geometry == mysql::GeometryFormat::kGeoJson ? DeclaredType::kObject
                                                                 : DeclaredType::kString;
    case Kind::kVector:
      return DeclaredType::kNumbers;
    case Kind::kText:
    case Kind::kNull:
    case Kind::kAbsent:
      return DeclaredType::kString;
  }
  return DeclaredType::kString;
}

std::string PropertySchema(DeclaredType type, bool nullable) {
  if (type == DeclaredType::kJson) return std::string(kAnyJson);
  const auto spelling = std::find_if(kSpellings.begin(), kSpellings.end(),
                                     [&](const Spelling& each) { return each.type == type; });
  return absl::StrCat("{\"type\":", nullable ? "[\"null\",\"" : "\"",
                      text::AbslView(spelling->json_type), nullable ? "\"]" : "\"",
                      text::AbslView(spelling->rest), "}");
}

DeclaredType ParsePropertySchema(const Value& schema) {
  if (!schema.IsObject()) return DeclaredType::kAny;
  const std::string_view airbyte_type = TextOf(schema, "airbyte_type");
  if (airbyte_type == "json") return DeclaredType::kJson;
  const std::string_view type = TypeOf(schema);
  if (type == "boolean") return DeclaredType::kBoolean;
  if (type == "integer") return DeclaredType::kInteger;
  if (type == "object") return DeclaredType::kObject;
  if (type == "array") return DeclaredType::kNumbers;
  if (type == "string") return StringTypeOf(schema);
  if (type != "number") return DeclaredType::kAny;
  if (airbyte_type == "integer") return DeclaredType::kInteger;
  return airbyte_type.empty() ? DeclaredType::kNumber : DeclaredType::kAny;
}

std::string_view Describe(DeclaredType type) {
  if (type == DeclaredType::kJson) return "JSON";
  const auto spelling = std::find_if(kSpellings.begin(), kSpellings.end(),
                                     [&](const Spelling& each) { return each.type == type; });
  return spelling == kSpellings.end() ? "anything" : spelling->words;
}

KindSet KindsThatFit(DeclaredType type, const mysql::TypeOptions& options) {
  const bool geojson = options.geometry == mysql::GeometryFormat::kGeoJson;
  KindSet kinds;
  switch (type) {
    case DeclaredType::kAny:
      return KindSet::All();
    case DeclaredType::kBoolean:
      kinds = {Kind::kBoolean};
      break;
    case DeclaredType::kInteger:
      kinds = {Kind::kSigned, Kind::kUnsigned, Kind::kYear};
      break;
    case DeclaredType::kNumber:
      kinds = {Kind::kSigned,  Kind::kUnsigned, Kind::kYear,
               Kind::kDecimal, Kind::kFloat,    Kind::kDouble};
      break;
    case DeclaredType::kString:
      kinds = {Kind::kText, Kind::kDate, Kind::kDateTime, Kind::kTimestamp};
      if (!geojson) kinds.Add(Kind::kGeometry);
      break;
    case DeclaredType::kBinary:
      kinds = {Kind::kBytes};
      break;
    case DeclaredType::kDate:
      kinds = {Kind::kDate};
      break;
    case DeclaredType::kTimestampWithoutZone:
      kinds = {Kind::kDateTime};
      break;
    case DeclaredType::kTimestampWithZone:
      kinds = {Kind::kTimestamp};
      break;
    case DeclaredType::kTime:
      kinds = {Kind::kTime};
      break;
    case DeclaredType::kJson:
      kinds = {Kind::kSigned,    Kind::kUnsigned, Kind::kYear, Kind::kDecimal,  Kind::kFloat,
               Kind::kDouble,    Kind::kBoolean,  Kind::kText, Kind::kDate,     Kind::kDateTime,
               Kind::kTimestamp, Kind::kTime,     Kind::kJson, Kind::kGeometry, Kind::kVector};
      break;
    case DeclaredType::kObject:
      if (geojson) kinds.Add(Kind::kGeometry);
      break;
    case DeclaredType::kNumbers:
      kinds = {Kind::kVector};
      break;
  }
  kinds.Add(Kind::kNull);
  return kinds;
}

}  // namespace source_vitess::airbyte
