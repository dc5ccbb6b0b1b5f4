#include "simulator/information_schema.h"

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

// A column as the recordings show it; what they do not show has the type alone.
struct ColumnOf {
  const char* name;
  query::Type type;
  const char* org_table = "";
  bool in_database = true;
  uint32_t length = 256;
  uint32_t flags = 0;
  uint32_t decimals = 0;
};

constexpr uint32_t kText = 255;

constexpr ColumnOf kTables[] = {
    {"TABLE_CATALOG", query::VARBINARY, "TABLES", true, 256, 20609},
    {"TABLE_SCHEMA", query::VARBINARY, "TABLES", true, 256, 20609},
    {"TABLE_NAME", query::VARBINARY, "TABLES", true, 256, 20609},
    {"TABLE_TYPE", query::BINARY, "TABLES", true, 44, 20873},
    {"ENGINE", query::VARCHAR, "TABLES", false, 256, 0, 31},
    {"TABLE_ROWS", query::UINT64, "TABLES", false, 21, 32928},
    {"AVG_ROW_LENGTH", query::UINT64, "TABLES", false, 21, 32928},
    {"DATA_LENGTH", query::UINT64, "TABLES", false, 21, 32928},
    {"TABLE_COLLATION", query::VARCHAR, "TABLES", false, 256, 0},
    {"TABLE_COMMENT", query::VARCHAR, "TABLES", false, 8192, 0},
};

constexpr ColumnOf kColumns[] = {
    {"TABLE_CATALOG", query::VARBINARY, "tables", true, 256, 4225},
    {"TABLE_SCHEMA", query::VARBINARY, "tables", true, 256, 4225},
    {"TABLE_NAME", query::VARBINARY, "tables", true, 256, 4225},
    {"COLUMN_NAME", query::VARCHAR},
    {"ORDINAL_POSITION", query::UINT32, "columns", true, 10, 36897},
    {"COLUMN_DEFAULT", query::BLOB, "columns", true, 262140, 144},
    {"IS_NULLABLE", query::VARCHAR, "", true, 12, 1},
    {"DATA_TYPE", query::BLOB, "", true, 201326580, 144},
    {"CHARACTER_MAXIMUM_LENGTH", query::INT64, "", true, 21, 32896},
    {"NUMERIC_PRECISION", query::UINT64, "", true, 10, 32928},
    {"NUMERIC_SCALE", query::UINT64, "", true, 10, 32928},
    {"DATETIME_PRECISION", query::UINT32, "", true, 10, 32928},
    {"CHARACTER_SET_NAME", query::VARCHAR},
    {"COLLATION_NAME", query::VARCHAR},
    {"COLUMN_TYPE", query::BLOB, "columns", true, 67108860, 4241},
    {"COLUMN_KEY", query::BINARY, "columns", true, 12, 4481},
    {"EXTRA", query::VARCHAR, "", true, 1024},
    {"COLUMN_COMMENT", query::BLOB, "", true, 8192, 144},
    {"GENERATION_EXPRESSION", query::BLOB, "", true, 201326580, 144},
};

constexpr ColumnOf kStatistics[] = {
    {"TABLE_CATALOG", query::VARBINARY, "tables", true, 256, 4225},
    {"TABLE_SCHEMA", query::VARBINARY, "tables", true, 256, 4225},
    {"TABLE_NAME", query::VARBINARY, "tables", true, 256, 4225},
    {"NON_UNIQUE", query::INT32, "", true, 2, 32769},
    {"INDEX_NAME", query::VARCHAR},
    {"SEQ_IN_INDEX", query::UINT32, "index_column_usage", true, 10, 36897},
    {"COLUMN_NAME", query::VARCHAR},
    {"NULLABLE", query::VARCHAR, "", true, 12, 1},
    {"INDEX_TYPE", query::VARCHAR, "", true, 44, 1},
};

bool IsNumber(query::Type type) {
  return type == query::UINT64 || type == query::INT64 || type == query::UINT32 ||
         type == query::INT32;
}

Relation Empty(std::string_view table, std::span<const ColumnOf> columns) {
  Relation relation;
  for (const ColumnOf& shown : columns) {
    Column column;
    column.name = shown.name;
    column.type = IsNumber(shown.type) ? shown.type : query::VARCHAR;
    column.is_unsigned = shown.type == query::UINT64 || shown.type == query::UINT32;
    column.length = shown.length;
    if (!IsNumber(shown.type)) column.collation = FindCollation("utf8mb3_general_ci");
    relation.columns.push_back(std::move(column));
    query::Field field;
    field.set_name(shown.name);
    field.set_type(shown.type);
    field.set_table(std::string(table));
    field.set_org_table(shown.org_table);
    if (shown.in_database) field.set_database("information_schema");
    field.set_org_name(shown.name);
    field.set_column_length(shown.length);
    field.set_charset(IsNumber(shown.type) ? kBinaryCollationId : kText);
    field.set_flags(shown.flags);
    field.set_decimals(shown.decimals);
    relation.fields.push_back(std::move(field));
  }
  return relation;
}

void Add(Relation& relation, Row row) {
  relation.rows.push_back(std::make_shared<const Row>(std::move(row)));
}

Relation TablesOf(const Tables& tables, std::string_view schema) {
  Relation relation = Empty("tables", kTables);
  for (const auto& [name, table] : tables) {
    const TableSchema& definition = *table.schema;
    const bool view = definition.view;
    const Cell none;
    Add(relation,
        {Cell("def"), Cell(schema), Cell(name), Cell(view ? "VIEW" : "BASE TABLE"),
         view ? none : Cell("InnoDB"), view ? none : Cell(Cat(table.rows.size())),
         view ? none : Cell("0"), view ? none : Cell("16384"),
         view ? none : Cell(definition.collation->name), Cell(view ? "VIEW" : definition.comment)});
  }
  return relation;
}

std::string KeyText(const ColumnKeyFlags& key) {
  if (key.primary) return "PRI";
  if (key.unique) return "UNI";
  return key.multiple ? "MUL" : "";
}

std::string ExtraText(const Column& column) {
  std::string extra;
  const auto add = [&](std::string_view text) { CatTo(&extra, extra.empty() ? "" : " ", text); };
  if (column.HasDefaultNow()) add("DEFAULT_GENERATED");
  if (column.on_update_now) add("on update CURRENT_TIMESTAMP");
  if (column.auto_increment) add("auto_increment");
  if (column.generated != nullptr) add(column.stored ? "STORED GENERATED" : "VIRTUAL GENERATED");
  if (column.invisible) add("INVISIBLE");
  return extra;
}

Cell DefaultText(const Column& column) {
  if (column.default_value == nullptr) return {};
  if (column.HasDefaultNow()) return "CURRENT_TIMESTAMP";
  if (column.default_value->literal.kind == Literal::Kind::kNull) return {};
  return column.default_value->literal.text;
}

Cell CharacterLength(const Column& column) {
  if (column.type == query::VARBINARY || column.type == query::BINARY ||
      column.type == query::BLOB || column.IsText()) {
    return Cat(column.length);
  }
  return {};
}

Cell NumericPrecision(const Column& column) {
  switch (column.type) {
    case query::DECIMAL:
    case query::BIT:
      return Cat(column.length);
    case query::INT8:
    case query::UINT8:
      return "3";
    case query::INT16:
    case query::UINT16:
      return "5";
    case query::INT24:
    case query::UINT24:
      return "7";
    case query::INT32:
    case query::UINT32:
      return "10";
    case query::INT64:
      return "19";
    case query::UINT64:
      return "20";
    case query::FLOAT32:
      return "12";
    case query::FLOAT64:
      return "22";
    default:
      return {};
  }
}

Relation ColumnsOf(const Tables& tables, std::string_view schema) {
  Relation relation = Empty("columns", kColumns);
  for (const auto& [name, table] : tables) {
    for (size_t i = 0; i < table.schema->columns.size(); ++i) {
      const Column& column = table.schema->columns[i];
      const bool text = column.collation != nullptr;
      const bool with_scale = column.IsInteger() || column.type == query::DECIMAL;
      const bool temporal = column.type == query::DATETIME || column.type == query::TIMESTAMP ||
                            column.type == query::TIME;
      Add(relation, {Cell("def"), Cell(schema), Cell(name), Cell(column.name), Cell(Cat(i + 1)),
                     DefaultText(column), Cell(column.nullable ? "YES" : "NO"),
                     Cell(column.data_type), CharacterLength(column), NumericPrecision(column),
                     with_scale ? Cell(Cat(column.decimals)) : Cell(),
                     temporal ? Cell(Cat(column.decimals)) : Cell(),
                     text ? Cell(column.collation->charset) : Cell(),
                     text ? Cell(column.collation->name) : Cell(), Cell(column.column_type),
                     Cell(KeyText(table.schema->KeyFlags(i))), Cell(ExtraText(column)),
                     Cell(column.comment), Cell(column.generated_text)});
    }
  }
  return relation;
}

Relation StatisticsOf(const Tables& tables, std::string_view schema) {
  Relation relation = Empty("statistics", kStatistics);
  for (const auto& [name, table] : tables) {
    for (const Index& index : table.schema->indexes) {
      for (size_t i = 0; i < index.columns.size(); ++i) {
        const Column& column = table.schema->columns[index.columns[i]];
        Add(relation, {Cell("def"), Cell(schema), Cell(name),
                       Cell(index.kind == IndexSyntax::Kind::kPlain ? "1" : "0"), Cell(index.name),
                       Cell(Cat(i + 1)), Cell(column.name), Cell(column.nullable ? "YES" : ""),
                       Cell("BTREE")});
      }
    }
  }
  return relation;
}

}  // namespace

absl::StatusOr<Relation> InformationSchema(std::string_view table, const Tables& tables,
                                           std::string_view schema) {
  const std::string name = ToLower(table);
  if (name == "tables") return TablesOf(tables, schema);
  if (name == "columns") return ColumnsOf(tables, schema);
  if (name == "statistics") return StatisticsOf(tables, schema);
  return absl::NotFoundError(
      Cat("Unknown table '", table, "' in information_schema (errno 1109) (sqlstate 42S02)"));
}

}  // namespace source_vitess::simulator
