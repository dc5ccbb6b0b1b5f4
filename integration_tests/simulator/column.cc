#include "simulator/column.h"

#include <algorithm>
#include <array>
#include <optional>

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

// A connection of a tablet speaks utf8mb4: four bytes for each character.
constexpr uint32_t kBytesPerCharacter = 4;
constexpr uint32_t kUnboundedLength = 4294967295U;
constexpr uint32_t kNotFixedDecimals = 31;

struct TypeName {
  std::string_view name;
  std::string_view data_type;
  query::Type type;
  uint64_t length;  // most bytes of TEXT and BLOB
  int binlog_type;
};

constexpr std::array<TypeName, 53> kTypes = {{
    {"tinyint", "tinyint", query::INT8, 0, 1},
    {"bool", "tinyint", query::INT8, 0, 1},
    {"boolean", "tinyint", query::INT8, 0, 1},
    {"smallint", "smallint", query::INT16, 0, 2},
    {"mediumint", "mediumint", query::INT24, 0, 9},
    {"int", "int", query::INT32, 0, 3},
    {"integer", "int", query::INT32, 0, 3},
    {"bigint", "bigint", query::INT64, 0, 8},
    {"float", "float", query::FLOAT32, 0, 4},
    {"double", "double", query::FLOAT64, 0, 5},
    {"real", "double", query::FLOAT64, 0, 5},
    {"decimal", "decimal", query::DECIMAL, 0, 246},
    {"numeric", "decimal", query::DECIMAL, 0, 246},
    {"dec", "decimal", query::DECIMAL, 0, 246},
    {"bit", "bit", query::BIT, 0, 16},
    {"date", "date", query::DATE, 0, 10},
    {"datetime", "datetime", query::DATETIME, 0, 18},
    {"timestamp", "timestamp", query::TIMESTAMP, 0, 17},
    {"time", "time", query::TIME, 0, 19},
    {"year", "year", query::YEAR, 0, 13},
    {"char", "char", query::CHAR, 0, 254},
    {"character", "char", query::CHAR, 0, 254},
    {"varchar", "varchar", query::VARCHAR, 0, 15},
    {"binary", "binary", query::BINARY, 0, 254},
    {"varbinary", "varbinary", query::VARBINARY, 0, 15},
    {"tinytext", "tinytext", query::TEXT, 255, 252},
    {"text", "text", query::TEXT, 65535, 252},
    {"mediumtext", "mediumtext", query::TEXT, 16777215, 252},
    {"longtext", "longtext", query::TEXT, 4294967295, 252},
    {"tinyblob", "tinyblob", query::BLOB, 255, 252},
    {"blob", "blob", query::BLOB, 65535, 252},
    {"mediumblob", "mediumblob", query::BLOB, 16777215, 252},
    {"longblob", "longblob", query::BLOB, 4294967295, 252},
    {"enum", "enum", query::ENUM, 0, 254},
    {"set", "set", query::SET, 0, 254},
    {"json", "json", query::JSON, 0, 245},
    {"geometry", "geometry", query::GEOMETRY, 0, 255},
    {"point", "point", query::GEOMETRY, 0, 255},
    {"linestring", "linestring", query::GEOMETRY, 0, 255},
    {"polygon", "polygon", query::GEOMETRY, 0, 255},
    {"multipoint", "multipoint", query::GEOMETRY, 0, 255},
    {"multilinestring", "multilinestring", query::GEOMETRY, 0, 255},
    {"multipolygon", "multipolygon", query::GEOMETRY, 0, 255},
    {"geometrycollection", "geomcollection", query::GEOMETRY, 0, 255},
    {"geomcollection", "geomcollection", query::GEOMETRY, 0, 255},
    {"vector", "vector", query::VECTOR, 0, 242},
    {"int1", "tinyint", query::INT8, 0, 1},
    {"int2", "smallint", query::INT16, 0, 2},
    {"int3", "mediumint", query::INT24, 0, 9},
    {"int4", "int", query::INT32, 0, 3},
    {"int8", "bigint", query::INT64, 0, 8},
    {"middleint", "mediumint", query::INT24, 0, 9},
    {"fixed", "decimal", query::DECIMAL, 0, 246},
}};

const TypeName* FindType(std::string_view name) {
  const auto* found = std::find_if(kTypes.begin(), kTypes.end(),
                                   [&](const TypeName& type) { return type.name == name; });
  return found == kTypes.end() ? nullptr : found;
}

query::Type Unsigned(query::Type type) {
  switch (type) {
    case query::INT8:
      return query::UINT8;
    case query::INT16:
      return query::UINT16;
    case query::INT24:
      return query::UINT24;
    case query::INT32:
      return query::UINT32;
    case query::INT64:
      return query::UINT64;
    default:
      return type;
  }
}

uint64_t Argument(const ColumnSyntax& syntax, size_t index, uint64_t otherwise) {
  uint64_t number = otherwise;
  if (index < syntax.arguments.size() && !ParseInteger(syntax.arguments[index], &number))
    return otherwise;
  return number;
}

std::string QuotedLabels(const std::vector<std::string>& labels) {
  return absl::StrJoin(labels, ",", [](std::string* out, const std::string& label) {
    CatTo(out, "'", absl::StrReplaceAll(label, {{"'", "''"}}), "'");
  });
}

// Sets the lengths and the text in parentheses that information_schema shows.
void SetLength(const ColumnSyntax& syntax, Column& column) {
  std::string shown;
  switch (column.type) {
    case query::CHAR:
    case query::BINARY:
      column.length = Argument(syntax, 0, 1);
      shown = Cat(column.length);
      break;
    case query::BIT:
      column.length = Argument(syntax, 0, 1);
      shown = Cat(column.length);
      break;
    case query::VARCHAR:
    case query::VARBINARY:
      column.length = Argument(syntax, 0, 255);
      shown = Cat(column.length);
      break;
    case query::VECTOR:
      column.length = Argument(syntax, 0, 2048);
      shown = Cat(column.length);
      break;
    case query::DECIMAL:
      column.length = Argument(syntax, 0, 10);
      column.decimals = static_cast<uint32_t>(Argument(syntax, 1, 0));
      shown = Cat(column.length, ",", column.decimals);
      break;
    case query::DATETIME:
    case query::TIMESTAMP:
    case query::TIME:
      column.decimals = static_cast<uint32_t>(Argument(syntax, 0, 0));
      if (column.decimals > 0) shown = Cat(column.decimals);
      break;
    case query::ENUM:
    case query::SET:
      column.labels = syntax.arguments;
      shown = QuotedLabels(column.labels);
      break;
    default:
      // MySQL 8 keeps the width of tinyint(1) and of ZEROFILL columns only.
      if (column.IsInteger()) {
        const uint64_t width =
            syntax.type == "bool" || syntax.type == "boolean" ? 1 : Argument(syntax, 0, 0);
        if (column.zerofill ||
            (column.data_type == "tinyint" && width == 1 && !column.is_unsigned)) {
          column.length = width;
        }
        if (column.length > 0) shown = Cat(column.length);
      }
  }
  column.column_type = column.data_type;
  if (!shown.empty()) CatTo(&column.column_type, "(", shown, ")");
  if (column.is_unsigned) CatTo(&column.column_type, " unsigned");
  if (column.zerofill) CatTo(&column.column_type, " zerofill");
}

absl::Status SetCollation(const ColumnSyntax& syntax, const Collation& table_collation,
                          Column& column) {
  const bool text = column.type == query::CHAR || column.type == query::VARCHAR ||
                    column.type == query::TEXT || column.type == query::ENUM ||
                    column.type == query::SET;
  if (!text) return absl::OkStatus();
  if (!syntax.collation.empty()) {
    column.collation = FindCollation(syntax.collation);
  } else if (!syntax.charset.empty()) {
    column.collation = DefaultCollation(syntax.charset);
  } else {
    column.collation = &table_collation;
  }
  if (column.collation == nullptr) {
    return absl::InvalidArgumentError(
        Cat("Unknown character set or collation: '", syntax.charset, syntax.collation, "'"));
  }
  return absl::OkStatus();
}

uint32_t IntegerLength(const Column& column) {
  if (column.length > 0) return static_cast<uint32_t>(column.length);
  switch (column.type) {
    case query::INT8:
      return 4;
    case query::UINT8:
      return 3;
    case query::INT16:
      return 6;
    case query::UINT16:
      return 5;
    case query::INT24:
      return 9;
    case query::UINT24:
      return 8;
    case query::INT32:
      return 11;
    case query::UINT32:
      return 10;
    default:
      return 20;
  }
}

uint32_t LabelLength(const Column& column) {
  size_t longest = 0;
  size_t sum = 0;
  for (const std::string& label : column.labels) {
    const size_t characters = CountCharacters(label, "utf8mb4");
    longest = std::max(longest, characters);
    sum += characters;
  }
  // A SET can hold all its labels, with commas between.
  const size_t characters = column.type == query::ENUM ? longest : sum + column.labels.size() - 1;
  return static_cast<uint32_t>(characters) * kBytesPerCharacter;
}

uint32_t FieldLength(const Column& column) {
  const uint32_t fraction = column.decimals > 0 ? column.decimals + 1 : 0;
  switch (column.type) {
    case query::FLOAT32:
      return 12;
    case query::FLOAT64:
      return 22;
    case query::DECIMAL:
      return static_cast<uint32_t>(column.length) + (column.decimals > 0 ? 1 : 0) +
             (column.is_unsigned ? 0 : 1);
    case query::DATE:
      return 10;
    case query::DATETIME:
    case query::TIMESTAMP:
      return 19 + fraction;
    case query::TIME:
      return 10 + fraction;
    case query::YEAR:
      return 4;
    case query::CHAR:
    case query::VARCHAR:
      return static_cast<uint32_t>(column.length) * kBytesPerCharacter;
    case query::TEXT:
      return static_cast<uint32_t>(
          std::min<uint64_t>(column.length * kBytesPerCharacter, kUnboundedLength));
    case query::VECTOR:
      return static_cast<uint32_t>(column.length) * 4;
    case query::ENUM:
    case query::SET:
      return LabelLength(column);
    case query::JSON:
    case query::GEOMETRY:
      return kUnboundedLength;
    default:
      return column.IsInteger() ? IntegerLength(column) : static_cast<uint32_t>(column.length);
  }
}

uint32_t TypeFlags(const Column& column) {
  uint32_t flags = 0;
  switch (column.type) {
    case query::YEAR:
      return query::NUM_FLAG | query::UNSIGNED_FLAG | query::ZEROFILL_FLAG;
    case query::BIT:
      return query::UNSIGNED_FLAG;
    case query::DATE:
    case query::TIME:
    case query::DATETIME:
    case query::BINARY:
    case query::VARBINARY:
      return query::BINARY_FLAG;
    case query::TIMESTAMP:
      flags = query::BINARY_FLAG;
      if (column.HasDefaultNow() || column.on_update_now) flags |= query::TIMESTAMP_FLAG;
      if (column.on_update_now) flags |= query::ON_UPDATE_NOW_FLAG;
      return flags;
    case query::BLOB:
    case query::JSON:
    case query::GEOMETRY:
    case query::VECTOR:
      return query::BLOB_FLAG | query::BINARY_FLAG;
    case query::TEXT:
      flags = query::BLOB_FLAG;
      break;
    case query::ENUM:
      flags = query::ENUM_FLAG;
      break;
    case query::SET:
      flags = query::SET_FLAG;
      break;
    default:
      break;
  }
  if (column.collation != nullptr && EndsWith(column.collation->name, "_bin"))
    flags |= query::BINARY_FLAG;
  if (column.IsInteger() || column.type == query::DECIMAL || column.type == query::FLOAT32 ||
      column.type == query::FLOAT64) {
    flags |= query::NUM_FLAG;
    if (column.is_unsigned) flags |= query::UNSIGNED_FLAG;
    if (column.zerofill) flags |= query::ZEROFILL_FLAG;
  }
  return flags;
}

uint32_t FieldFlags(const Column& column, const ColumnKeyFlags& key) {
  uint32_t flags = TypeFlags(column);
  if (!column.nullable) flags |= query::NOT_NULL_FLAG;
  if (!column.nullable && column.default_value == nullptr && !column.auto_increment &&
      column.generated == nullptr) {
    flags |= query::NO_DEFAULT_VALUE_FLAG;
  }
  if (column.auto_increment) flags |= query::AUTO_INCREMENT_FLAG;
  if (key.primary) flags |= query::PRI_KEY_FLAG;
  if (key.unique) flags |= query::UNIQUE_KEY_FLAG;
  if (key.multiple) flags |= query::MULTIPLE_KEY_FLAG;
  if (key.part) flags |= query::PART_KEY_FLAG;
  return flags;
}

// Text with a "_bin" collation is announced as its binary counterpart (recording copy-all-types,
// column vbin).
query::Type AnnouncedType(const Column& column) {
  if (column.collation == nullptr || !EndsWith(column.collation->name, "_bin")) return column.type;
  switch (column.type) {
    case query::CHAR:
      return query::BINARY;
    case query::VARCHAR:
      return query::VARBINARY;
    case query::TEXT:
      return query::BLOB;
    default:
      return column.type;
  }
}

}  // namespace

bool Column::IsInteger() const {
  return type == query::INT8 || type == query::UINT8 || type == query::INT16 ||
         type == query::UINT16 || type == query::INT24 || type == query::UINT24 ||
         type == query::INT32 || type == query::UINT32 || type == query::INT64 ||
         type == query::UINT64;
}

bool Column::HasDefaultNow() const {
  return default_value != nullptr && default_value->kind == Expression::Kind::kCall &&
         default_value->name == "now";
}

absl::StatusOr<Column> MakeColumn(const ColumnSyntax& syntax, const Collation& table_collation) {
  const TypeName* type = FindType(syntax.type);
  if (type == nullptr)
    return absl::InvalidArgumentError(Cat("unknown column type '", syntax.type, "'"));
  Column column;
  column.name = syntax.name;
  column.data_type = type->data_type;
  column.is_unsigned = syntax.is_unsigned;
  column.zerofill = syntax.zerofill;
  column.type = syntax.is_unsigned ? Unsigned(type->type) : type->type;
  column.length = type->length;
  SetLength(syntax, column);
  if (absl::Status status = SetCollation(syntax, table_collation, column); !status.ok())
    return status;
  column.nullable = !syntax.not_null && !syntax.primary_key;
  column.default_value = syntax.default_value;
  column.on_update_now = syntax.on_update_now;
  column.auto_increment = syntax.auto_increment;
  column.generated = syntax.generated;
  column.generated_text = syntax.generated_text;
  column.stored = syntax.stored;
  column.invisible = syntax.invisible;
  column.comment = syntax.comment;
  return column;
}

query::Field MakeField(const Column& column, std::string_view table, std::string_view database,
                       const ColumnKeyFlags& key) {
  query::Field field;
  field.set_name(column.name);
  field.set_type(AnnouncedType(column));
  field.set_table(std::string(table));
  field.set_org_table(std::string(table));
  field.set_database(std::string(database));
  field.set_org_name(column.name);
  field.set_column_length(FieldLength(column));
  if (column.collation == nullptr) {
    field.set_charset(kBinaryCollationId);
  } else if (column.collation->known_to_vitess) {
    field.set_charset(column.collation->id);
  }
  const bool floating = column.type == query::FLOAT32 || column.type == query::FLOAT64;
  field.set_decimals(floating || column.type == query::VECTOR ? kNotFixedDecimals
                                                              : column.decimals);
  field.set_flags(FieldFlags(column, key));
  field.set_column_type(column.column_type);
  return field;
}

int BinlogType(const Column& column) {
  const TypeName* type = FindType(column.data_type);
  return type == nullptr ? 0 : type->binlog_type;
}

}  // namespace source_vitess::simulator
