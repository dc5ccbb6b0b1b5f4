#include "airbyte/catalog.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "absl/strings/match.h"
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

bool IsDate(Kind kind) {
  return kind == Kind::kDate || kind == Kind::kDateTime || kind == Kind::kTimestamp;
}

bool IsKeyColumn(const mysql::TableSchema& schema, std::string_view column) {
  return std::find(schema.key.begin(), schema.key.end(), column) != schema.key.end();
}

// Every column outside the key can become null, whatever MySQL says of it: where a value has no
// place in the declared type, or a changed column no longer fits it. Of the key's columns only
// those with zero dates can.
bool CanBeNull(const mysql::TableSchema& schema, const mysql::Column& column,
               const mysql::TypeOptions& options) {
  if (!IsKeyColumn(schema, column.name)) return true;
  return IsDate(mysql::KindOf(schema, column, options)) &&
         options.zero_dates == mysql::ZeroDates::kNull;
}

std::string Property(std::string_view name, DeclaredType type, bool nullable) {
  return absl::StrCat(JsonString(name), ":", PropertySchema(type, nullable));
}

std::string Properties(const mysql::TableSchema& schema, const mysql::TypeOptions& options) {
  std::string properties;
  for (const mysql::Column& column : schema.columns) {
    if (IsCdcColumn(column.name)) continue;
    absl::StrAppend(&properties, properties.empty() ? "" : ",",
                    Property(column.name, DeclaredTypeOf(schema, column, options),
                             CanBeNull(schema, column, options)));
  }
  if (!HasCdcColumns(schema, options)) return properties;
  constexpr DeclaredType kTime = DeclaredType::kTimestampWithZone;
  absl::StrAppend(&properties, ",", Property(kUpdatedAt, kTime, false), ",",
                  Property(kDeletedAt, kTime, true), ",",
                  Property(kCursor, DeclaredType::kInteger, false));
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

// The columns of a key, given as paths of one name each.
std::vector<std::string> ColumnsOfKey(const Value* paths) {
  std::vector<std::string> columns;
  if (paths == nullptr || !paths->IsArray()) return columns;
  for (const Value& path : paths->GetArray()) {
    if (path.IsArray() && path.Size() == 1) columns.push_back(Text(&path[0]));
  }
  return columns;
}

absl::Status ReadStream(const Value& configured, const Value& declared, ConfiguredStream& stream) {
  const std::string mode = Text(FindMember(configured, "sync_mode"));
  if (!mode.empty() && mode != "incremental" && mode != "full_refresh") {
    return StreamError(stream.name,
                       "the configured catalog's \"sync_mode\" is neither full_refresh nor "
                       "incremental. Choose one of them.");
  }
  stream.incremental = mode == "incremental";
  // "append_dedup", or "overwrite_dedup".
  if (absl::EndsWith(Text(FindMember(configured, "destination_sync_mode")), "_dedup")) {
    stream.primary_key = ColumnsOfKey(FindMember(configured, "primary_key"));
  }

  const Value* schema = FindMember(declared, "json_schema");
  const Value* properties = schema == nullptr ? nullptr : FindMember(*schema, "properties");
  if (properties != nullptr && properties->IsObject()) {
    for (const auto& property : properties->GetObject()) {
      std::string name = Text(&property.name);
      if (IsCdcColumn(name)) continue;
      stream.columns.push_back({std::move(name), ParsePropertySchema(property.value)});
    }
  }
  if (stream.columns.empty()) {
    return StreamError(stream.name,
                       "the configured catalog selects none of its columns. Select some, or take "
                       "the stream out of the connection.");
  }
  return absl::OkStatus();
}

}  // namespace

bool SupportsIncremental(const mysql::TableSchema& schema, const mysql::TypeOptions& types) {
  return !schema.key.empty() &&
         std::all_of(schema.key.begin(), schema.key.end(), [&](const std::string& name) {
           const mysql::Column* column = schema.FindColumn(name);
           if (column == nullptr || IsCdcColumn(name)) return false;
           const Kind kind = mysql::KindOf(schema, *column, types);
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
        "The configured catalog is not an object with an array \"streams\". Make it of the streams "
        "that discover prints.");
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
          absl::StrCat("The configured catalog's streams[", configured.size(),
                       "] has no name. Give it the \"stream\" that discover prints."));
    }
    if (!names.insert(stream.name).second) {
      return StreamError(stream.name,
                         "the configured catalog has it twice. Leave one of them out.");
    }
    stream.status = ReadStream(each, *declared, stream);
    configured.push_back(std::move(stream));
  }
  return configured;
}

}  // namespace source_vitess::airbyte
