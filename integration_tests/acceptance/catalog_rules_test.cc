// Rules about what `discover` prints (README.md, C).
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "acceptance/json_lines.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rapidjson/schema.h"

namespace source_vitess::acceptance {
namespace {

using ::testing::Contains;
using ::testing::Gt;
using ::testing::Not;
using ::testing::SizeIs;

// The keywords that a stream's schema may use, in draft 4 and draft 7 of JSON Schema alike.
constexpr char kMetaSchema[] = R"({
  "type": "object",
  "required": ["type", "properties"],
  "properties": {
    "type": {"enum": ["object"]},
    "properties": {"type": "object", "additionalProperties": {"$ref": "#/definitions/property"}},
    "additionalProperties": {"enum": [true]}
  },
  "additionalProperties": false,
  "definitions": {
    "name": {"enum": ["null", "string", "boolean", "number", "integer", "object", "array"]},
    "property": {
      "type": "object",
      "minProperties": 1,
      "properties": {
        "type": {"oneOf": [
          {"$ref": "#/definitions/name"},
          {"type": "array", "minItems": 1, "uniqueItems": true,
           "items": {"$ref": "#/definitions/name"}}]},
        "format": {"enum": ["date", "time", "date-time"]},
        "airbyte_type": {"type": "string"},
        "contentEncoding": {"enum": ["base64"]},
        "oneOf": {"type": "array", "minItems": 2, "items": {"$ref": "#/definitions/property"}},
        "items": {"$ref": "#/definitions/property"}
      },
      "additionalProperties": false
    }
  }
})";

class CatalogRulesTest : public ::testing::Test {
 protected:
  CatalogRulesTest() : catalog_(shop_.Discovered()) {}

  auto Streams() const { return catalog_["catalog"]["streams"].GetArray(); }

  Shop shop_;
  rapidjson::Document catalog_;
};

// The types that the property may have.
std::set<std::string> TypesOf(const Json& property) {
  if (const Json* const branches = Find(property, "oneOf"); branches != nullptr) {
    std::set<std::string> types;
    for (const Json& branch : branches->GetArray()) types.merge(TypesOf(branch));
    return types;
  }
  const Json& type = property["type"];
  if (type.IsString()) return {type.GetString()};
  std::set<std::string> types;
  for (const Json& each : type.GetArray()) types.insert(each.GetString());
  return types;
}

std::string Text(const Json& object, const char* name) {
  const Json* const text = Find(object, name);
  return text == nullptr ? "" : text->GetString();
}

// Calls `visit` for every object in `value`.
template <typename Visit>
void VisitObjects(const Json& value, const Visit& visit) {
  if (value.IsObject()) {
    visit(value);
    for (const auto& member : value.GetObject()) VisitObjects(member.value, visit);
  } else if (value.IsArray()) {
    for (const Json& element : value.GetArray()) VisitObjects(element, visit);
  }
}

// C1.
TEST_F(CatalogRulesTest, OneCatalogIsPrintedWhoseStreamsHaveDistinctNames) {
  const auto run = shop_.connector().Discover();
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_THAT(MessagesOf(*run, "CATALOG"), SizeIs(1));

  std::set<std::string> names;
  for (const Json& stream : Streams()) {
    EXPECT_TRUE(names.insert(stream["name"].GetString()).second) << stream["name"].GetString();
  }

  EXPECT_THAT(names, SizeIs(Gt(6u)));
}

// C2.
TEST_F(CatalogRulesTest, StreamsHaveValidJsonSchemas) {
  const rapidjson::SchemaDocument meta(Parsed(kMetaSchema));
  for (const Json& stream : Streams()) {
    rapidjson::SchemaValidator validator(meta);
    EXPECT_TRUE(stream["json_schema"].Accept(validator))
        << stream["name"].GetString() << " " << validator.GetInvalidSchemaKeyword();
  }
}

// C3.
TEST_F(CatalogRulesTest, DefinedCursorsExistInTheSchema) {
  int cursors = 0;
  for (const Json& stream : Streams()) {
    const Json* const cursor = Find(stream, "default_cursor_field");
    if (cursor == nullptr) continue;
    ASSERT_EQ(cursor->Size(), 1u);
    EXPECT_TRUE(stream["json_schema"]["properties"].HasMember((*cursor)[0]));
    ++cursors;
  }
  EXPECT_GT(cursors, 0);
}

// C4 and C5.
TEST_F(CatalogRulesTest, SchemasHaveNoReferencesAndNoForbiddenKeywords) {
  for (const Json& stream : Streams()) {
    VisitObjects(stream["json_schema"], [&](const Json& object) {
      for (const char* keyword : {"$ref", "allOf", "not"}) {
        EXPECT_EQ(Find(object, keyword), nullptr) << stream["name"].GetString();
      }
    });
  }
}

// C6 and C10.
TEST_F(CatalogRulesTest, PrimaryKeysExistInTheSchemaAndAreNoObjectsOrArrays) {
  int keys = 0;
  for (const Json& stream : Streams()) {
    const Json* const key = Find(stream, "source_defined_primary_key");
    if (key == nullptr) continue;
    for (const Json& path : key->GetArray()) {
      ASSERT_EQ(path.Size(), 1u);
      const Json* const column = Find(stream["json_schema"]["properties"], path[0].GetString());
      ASSERT_NE(column, nullptr) << path[0].GetString();
      EXPECT_THAT(TypesOf(*column), Not(Contains("object"))) << path[0].GetString();
      EXPECT_THAT(TypesOf(*column), Not(Contains("array"))) << path[0].GetString();
      ++keys;
    }
  }
  EXPECT_GT(keys, 6);
}

// C7.
TEST_F(CatalogRulesTest, EveryStreamHasSyncModes) {
  for (const Json& stream : Streams()) {
    EXPECT_GT(stream["supported_sync_modes"].Size(), 0u);
  }
}

// C8.
TEST_F(CatalogRulesTest, AdditionalPropertiesAreTrueWhereTheyAreSaid) {
  for (const Json& stream : Streams()) {
    VisitObjects(stream["json_schema"], [](const Json& object) {
      const Json* const additional = Find(object, "additionalProperties");
      EXPECT_TRUE(additional == nullptr || additional->IsTrue());
    });
  }
}

// C11: types, formats and airbyte_types go together as Airbyte's list of types has it.
TEST_F(CatalogRulesTest, ColumnsHaveSupportedDataTypes) {
  const std::set<std::vector<std::string>> supported = {
      {"string", "", ""},
      {"boolean", "", ""},
      {"number", "", ""},
      {"number", "", "integer"},
      {"integer", "", ""},
      {"string", "date", ""},
      {"string", "date-time", "timestamp_with_timezone"},
      {"string", "date-time", "timestamp_without_timezone"},
      {"string", "time", "time_without_timezone"},
      {"object", "", "json"},
      {"object", "", ""},
      {"array", "", ""},
  };
  int columns = 0;
  for (const Json& stream : Streams()) {
    for (const auto& [name, column] : stream["json_schema"]["properties"].GetObject()) {
      std::set<std::string> types = TypesOf(column);
      types.erase("null");
      ++columns;
      if (Find(column, "oneOf") != nullptr) {
        EXPECT_EQ(Text(column, "airbyte_type"), "json") << name.GetString();
        continue;
      }
      ASSERT_THAT(types, SizeIs(1)) << name.GetString();
      const std::vector<std::string> triple = {*types.begin(), Text(column, "format"),
                                               Text(column, "airbyte_type")};
      EXPECT_TRUE(supported.contains(triple))
          << name.GetString() << ": " << ::testing::PrintToString(triple);
    }
  }
  EXPECT_GT(columns, 40);
}

// G: test_streams_define_primary_key. A table without a key has none, and is offered as a full
// refresh alone.
TEST_F(CatalogRulesTest, StreamsDefineAPrimaryKeyOrAreReadInFullAlone) {
  for (const Json& stream : Streams()) {
    const bool has_key = Find(stream, "source_defined_primary_key") != nullptr;
    EXPECT_EQ(stream["supported_sync_modes"].Size(), has_key ? 2u : 1u)
        << stream["name"].GetString();
  }
}

}  // namespace
}  // namespace source_vitess::acceptance
