// Any text is a column type or an error, never more labels than the text can hold, and a type has
// one kind with any options.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "airbyte/catalog.h"
#include "fuzz/invariant.h"
#include "mysql/column_type.h"
#include "mysql/table_schema.h"
#include "mysql/utf8.h"
#include "rapidjson/document.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace source_vitess;
  using fuzz::Invariant;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto type = mysql::ParseColumnType(text);
  if (!type.ok()) return 0;
  Invariant(type->text == text, "a type keeps its text", text);
  Invariant(type->length >= 0 && type->decimals >= 0, "lengths are not negative", text);
  Invariant(!type->zerofill || type->is_unsigned, "zerofill is unsigned", text);
  size_t labels = 0;
  for (const std::string& label : type->labels) labels += label.size() + 2;
  Invariant(labels <= text.size(), "labels are parts of the text", text);

  mysql::TableSchema schema;
  schema.keyspace = "k";
  schema.name = "t";
  schema.columns.push_back({.name = "c", .type = *type});
  for (const bool booleans : {false, true}) {
    const std::string line = airbyte::CatalogLine(
        {&schema, 1}, {.tinyint1_as_boolean = booleans, .bit1_as_boolean = booleans});
    rapidjson::Document catalog;
    Invariant(!catalog.Parse(line.data(), line.size()).HasParseError(), "it is declared in JSON",
              line);
  }
  return 0;
}
