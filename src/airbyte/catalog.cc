#include "airbyte/catalog.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "config/json_document.h"
#include "text/absl_view.h"
#include "vitess/errors.h"

namespace source_vitess::airbyte {
namespace {

using config::FindMember;
using mysql::Kind;
using rapidjson::Value;

constexpr std::string_view kCursor = "_ab_cdc_cursor";
constexpr std::string_view kUpdatedAt = "_ab_cdc_updated_at";
constexpr std::string_view kDeletedAt = "_ab_cdc_deleted_at";
constexpr std::array kCdcColumns = {kUpdatedAt, kDeletedAt, kCursor};

// How a property is declared: `{"type":["null","string"],"format":"date"}`.
struct Declaration {
  std::string_view type;
  std::string_view rest;  // further members, each behind a comma
};

constexpr Declaration kInteger = {"number", R"(,"airbyte_type":"integer")"};
constexpr Declaration kString = {"string", ""};
constexpr Declaration kTimestampWithZone = {
    "string", R"(,"format":"date-time","airbyte_type":"timestamp_with_timezone")"};
// Also what a JSON document of any kind is declared as, "type" notwithstanding: consumers know it
// by "airbyte_type".
constexpr Declaration kAnyJson = {
    "object",
    R"(,"oneOf":[{"type":"array"},{"type":"object"},{"type":"number"},{"type":"string"},{"type":"boolean"})"
    R"(,{"type":"null"}],"airbyte_type":"json")"};

bool IsDate(Kind kind) {
  return kind == Kind::kDate || kind == Kind::kDateTime || kind == Kind::kTimestamp;
}

Declaration DeclarationOf(const mysql::ColumnType& type, const mysql::TypeOptions& options) {
  const Kind kind = mysql::KindOf(type, options);
  if (IsDate(kind) && options.zero_dates == mysql::ZeroDates::kText) return kString;
  switch (kind) {
    case Kind::kSigned:
    case Kind::kUnsigned:
    case Kind::kYear:
      return kInteger;
    case Kind::kDecimal:
      return type.decimals == 0 ? kInteger : Declaration{"number", ""};
    case Kind::kFloat:
    case Kind::kDouble:
      return {"number", ""};
    case Kind::kBoolean:
      return {"boolean", ""};
    case Kind::kBytes:
      return {"string", R"(,"contentEncoding":"base64")"};
    case Kind::kDate:
      return {"string", R"(,"format":"date")"};
    case Kind::kDateTime:
      return {"string", R"(,"format":"date-time","airbyte_type":"timestamp_without_timezone")"};
    case Kind::kTimestamp:
      return kTimestampWithZone;
    case Kind::kTime:
      return {"string", R"(,"format":"time","airbyte_type":"time_without_timezone")"};
    case Kind::kJson:
      return kAnyJson;
    case Kind::kGeometry:
      return options.geometry == mysql::GeometryFormat::kGeoJson ? kAnyJson : kString;
    case Kind::kVector:
      return {"array", R"(,"items":{"type":"number"})"};
    case Kind::kText:
    case Kind::kNull:
    case Kind::kAbsent:
      return kString;
  }
  return kString;
}

bool IsKeyColumn(const mysql::TableSchema& schema, std::string_view column) {
  return std::find(schema.key.begin(), schema.key.end(), column) != schema.key.end();
}

// Whether null can be sent for a column that is not null in MySQL: for zero dates, times beyond a
// day, the JSON document `null`, a TINYINT(1) that is no boolean, vectors with infinite numbers.
bool CanBecomeNull(const mysql::ColumnType& type, const mysql::TypeOptions& options) {
  const Kind kind = mysql::KindOf(type, options);
  return (IsDate(kind) && options.zero_dates == mysql::ZeroDates::kNull) || kind == Kind::kTime ||
         kind == Kind::kJson || kind == Kind::kVector ||
         (kind == Kind::kBoolean && type.base == mysql::BaseType::kTinyInt);
}

std::string Property(std::string_view name, const Declaration& declaration, bool nullable) {
  return absl::StrCat(JsonString(name), ":{\"type\":", nullable ? "[\"null\",\"" : "\"",
                      text::AbslView(declaration.type), nullable ? "\"]" : "\"",
                      text::AbslView(declaration.rest), "}");
}

std::string Properties(const mysql::TableSchema& schema, const mysql::TypeOptions& options) {
  std::string properties;
  for (const mysql::Column& column : schema.columns) {
    if (IsCdcColumn(column.name)) continue;
    const bool nullable = CanBecomeNull(column.type, options) ||
                          (column.nullable && !IsKeyColumn(schema, column.name));
    absl::StrAppend(&properties, properties.empty() ? "" : ",",
                    Property(column.name, DeclarationOf(column.type, options), nullable));
  }
  if (!HasCdcColumns(schema, options)) return properties;
  absl::StrAppend(&properties, ",", Property(kUpdatedAt, kTimestampWithZone, false), ",",
                  Property(kDeletedAt, kTimestampWithZone, true), ",",
                  Property(kCursor, kInteger, false));
  return properties;
}

std::string PrimaryKey(const mysql::TableSchema& schema) {
  std::string key;
  for (const std::string& column : schema.key) {
    absl::StrAppend(&key, key.empty() ? "" : ",", "[", JsonString(column), "]");
  }
  return key;
}

std::string Stream(const mysql::TableSchema& schema, const mysql::TypeOptions& options) {
  const bool incremental = SupportsIncremental(schema, options);
  std::string stream = absl::StrCat(
      "{\"name\":", JsonString(schema.name), ",\"namespace\":", JsonString(schema.keyspace),
      ",\"json_schema\":{\"type\":\"object\",\"properties\":{", Properties(schema, options),
      "}},\"supported_sync_modes\":[\"full_refresh\"", incremental ? ",\"incremental\"]" : "]");
  if (incremental) {
    absl::StrAppend(&stream, ",\"source_defined_cursor\":true,\"default_cursor_field\":[\"",
                    text::AbslView(kCursor), "\"],\"source_defined_primary_key\":[",
                    PrimaryKey(schema), "],\"is_resumable\":true}");
  } else {
    absl::StrAppend(&stream, ",\"source_defined_cursor\":false,\"is_resumable\":false}");
  }
  return stream;
}

std::string Text(const Value* value) {
  return value != nullptr && value->IsString()
             ? std::string(value->GetString(), value->GetStringLength())
             : std::string();
}

absl::Status StreamError(const StreamName& stream, std::string_view problem) {
  return vitess::ConfigurationError(
      absl::StrCat("Stream ", ToString(stream), ": ", text::AbslView(problem)));
}

absl::Status ReadStream(const Value& configured, const Value& declared, ConfiguredStream& stream) {
  const std::string mode = Text(FindMember(configured, "sync_mode"));
  if (!mode.empty() && mode != "incremental" && mode != "full_refresh") {
    return StreamError(
        stream.name,
        "the configured catalog's \"sync_mode\" is neither full_refresh nor incremental.");
  }
  stream.incremental = mode == "incremental";

  const Value* schema = FindMember(declared, "json_schema");
  const Value* properties = schema == nullptr ? nullptr : FindMember(*schema, "properties");
  if (properties != nullptr && properties->IsObject()) {
    for (const auto& property : properties->GetObject()) {
      std::string name = Text(&property.name);
      if (!IsCdcColumn(name)) stream.columns.push_back(std::move(name));
    }
  }
  if (stream.columns.empty()) {
    return StreamError(stream.name, "the configured catalog selects none of its columns.");
  }
  return absl::OkStatus();
}

}  // namespace

bool SupportsIncremental(const mysql::TableSchema& schema, const mysql::TypeOptions& types) {
  return !schema.key.empty() &&
         std::all_of(schema.key.begin(), schema.key.end(), [&](const std::string& name) {
           const mysql::Column* column = schema.FindColumn(name);
           if (column == nullptr || IsCdcColumn(name)) return false;
           const Kind kind = mysql::KindOf(column->type, types);
           return kind != Kind::kJson && kind != Kind::kGeometry && kind != Kind::kVector;
         });
}

bool HasCdcColumns(const mysql::TableSchema& schema, const mysql::TypeOptions& types) {
  return SupportsIncremental(schema, types);
}

bool IsCdcColumn(std::string_view column) {
  return std::find(kCdcColumns.begin(), kCdcColumns.end(), column) != kCdcColumns.end();
}

std::string CatalogLine(std::span<const mysql::TableSchema> tables,
                        const mysql::TypeOptions& types) {
  std::string line = "{\"type\":\"CATALOG\",\"catalog\":{\"streams\":[";
  for (const mysql::TableSchema& table : tables) {
    absl::StrAppend(&line, &table == tables.data() ? "" : ",", Stream(table, types));
  }
  return absl::StrCat(line, "]}}\n");
}

absl::StatusOr<std::vector<ConfiguredStream>> ParseConfiguredCatalog(std::string_view json) {
  const absl::StatusOr<rapidjson::Document> catalog = config::ParseJson(json);
  if (!catalog.ok()) return vitess::Annotate(catalog.status(), "The configured catalog");
  const Value* streams = FindMember(*catalog, "streams");
  if (streams == nullptr || !streams->IsArray()) {
    return vitess::ConfigurationError(
        "The configured catalog is not an object with an array \"streams\".");
  }
  std::vector<ConfiguredStream> configured;
  std::set<StreamName> names;
  for (const Value& each : streams->GetArray()) {
    const Value* declared = FindMember(each, "stream");
    ConfiguredStream stream;
    if (declared != nullptr) {
      stream.name = {.name_space = Text(FindMember(*declared, "namespace")),
                     .name = Text(FindMember(*declared, "name"))};
    }
    if (stream.name.name.empty()) {
      return vitess::ConfigurationError(
          absl::StrCat("The configured catalog's streams[", configured.size(), "] has no name."));
    }
    if (!names.insert(stream.name).second) {
      return StreamError(stream.name, "the configured catalog has it twice.");
    }
    stream.status = ReadStream(each, *declared, stream);
    configured.push_back(std::move(stream));
  }
  return configured;
}

}  // namespace source_vitess::airbyte
