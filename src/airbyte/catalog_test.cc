#include "airbyte/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "config/json_document.h"
#include "vitess/errors.h"

namespace source_vitess::airbyte {
namespace {

using mysql::BaseType;
using testing::AllOf;
using testing::ElementsAre;
using testing::FieldsAre;
using testing::HasSubstr;

mysql::Column ColumnOf(std::string name, BaseType base, bool nullable = true) {
  mysql::Column column;
  column.name = std::move(name);
  column.type.base = base;
  column.nullable = nullable;
  return column;
}

mysql::TableSchema Orders() {
  mysql::TableSchema schema;
  schema.keyspace = "commerce";
  schema.name = "orders";
  schema.columns = {ColumnOf("customer_id", BaseType::kBigInt, false),
                    ColumnOf("id", BaseType::kBigInt, false), ColumnOf("sku", BaseType::kVarchar)};
  schema.key = {"customer_id", "id"};
  return schema;
}

// The streams of the catalog of one table, as JSON text.
std::string StreamOf(const mysql::TableSchema& schema, const mysql::TypeOptions& options = {}) {
  const std::string line = CatalogLine({&schema, 1}, options);
  const auto catalog = config::ParseJson(line);
  EXPECT_TRUE(catalog.ok()) << line;
  return config::ToJsonText((*catalog)["catalog"]["streams"][0]);
}

// How a column of that type is declared.
std::string PropertyOf(mysql::Column column, const mysql::TypeOptions& options = {}) {
  mysql::TableSchema schema = Orders();
  column.name = "c";
  schema.columns.push_back(std::move(column));
  const std::string line = CatalogLine({&schema, 1}, options);
  const auto catalog = config::ParseJson(line);
  return config::ToJsonText((*catalog)["catalog"]["streams"][0]["json_schema"]["properties"]["c"]);
}

TEST(CatalogTest, DeclaresATableWithAKey) {
  EXPECT_EQ(
      StreamOf(Orders()),
      R"({"name":"orders","namespace":"commerce","json_schema":{"type":"object","properties":{)"
      R"("customer_id":{"type":"number","airbyte_type":"integer"},)"
      R"("id":{"type":"number","airbyte_type":"integer"},)"
      R"("sku":{"type":["null","string"]},)"
      R"("_ab_cdc_updated_at":{"type":"string","format":"date-time","airbyte_type":"timestamp_with_timezone"},)"
      R"("_ab_cdc_deleted_at":{"type":["null","string"],"format":"date-time","airbyte_type":"timestamp_with_timezone"},)"
      R"("_ab_cdc_cursor":{"type":"number","airbyte_type":"integer"}}},)"
      R"("supported_sync_modes":["full_refresh","incremental"],"source_defined_cursor":true,)"
      R"("default_cursor_field":["_ab_cdc_cursor"],)"
      R"("source_defined_primary_key":[["customer_id"],["id"]],"is_resumable":true})");
}

TEST(CatalogTest, OffersFullRefreshAloneForATableWithoutAKey) {
  mysql::TableSchema schema = Orders();
  schema.key.clear();

  EXPECT_EQ(
      StreamOf(schema),
      R"({"name":"orders","namespace":"commerce","json_schema":{"type":"object","properties":{)"
      R"("customer_id":{"type":["null","number"],"airbyte_type":"integer"},)"
      R"("id":{"type":["null","number"],"airbyte_type":"integer"},"sku":{"type":["null","string"]}}},)"
      R"("supported_sync_modes":["full_refresh"],"source_defined_cursor":false,"is_resumable":false})");
}

TEST(CatalogTest, TakesNoObjectForAKey) {
  mysql::TableSchema schema = Orders();
  schema.columns.push_back(ColumnOf("where", BaseType::kGeometry, false));
  schema.key = {"where"};

  EXPECT_FALSE(SupportsIncremental(schema, {}));
  EXPECT_THAT(StreamOf(schema), HasSubstr(R"("supported_sync_modes":["full_refresh"])"));
}

TEST(CatalogTest, DeclaresTheTypesOfColumns) {
  EXPECT_EQ(PropertyOf(ColumnOf("", BaseType::kBigInt)),
            R"({"type":["null","number"],"airbyte_type":"integer"})");
  EXPECT_EQ(PropertyOf(ColumnOf("", BaseType::kYear)),
            R"({"type":["null","number"],"airbyte_type":"integer"})");
  EXPECT_EQ(PropertyOf(ColumnOf("", BaseType::kDouble)), R"({"type":["null","number"]})");
  EXPECT_EQ(PropertyOf(ColumnOf("", BaseType::kEnum)), R"({"type":["null","string"]})");
  EXPECT_EQ(PropertyOf(ColumnOf("", BaseType::kBlob)),
            R"({"type":["null","string"],"contentEncoding":"base64"})");
  EXPECT_EQ(PropertyOf(ColumnOf("", BaseType::kVector)),
            R"({"type":["null","array"],"items":{"type":"number"}})");
}

TEST(CatalogTest, DeclaresADecimalWithoutAFractionAsAnInteger) {
  mysql::Column column = ColumnOf("", BaseType::kDecimal);
  EXPECT_EQ(PropertyOf(column), R"({"type":["null","number"],"airbyte_type":"integer"})");

  column.type.decimals = 2;
  EXPECT_EQ(PropertyOf(column), R"({"type":["null","number"]})");
}

TEST(CatalogTest, DeclaresAllColumnsButThoseOfTheKeyAsNullableSinceTheirTypesMayChange) {
  EXPECT_EQ(PropertyOf(ColumnOf("", BaseType::kVarchar, false)), R"({"type":["null","string"]})");

  EXPECT_EQ(PropertyOf(ColumnOf("", BaseType::kDate, false)),
            R"({"type":["null","string"],"format":"date"})");
  EXPECT_EQ(
      PropertyOf(ColumnOf("", BaseType::kDateTime, false)),
      R"({"type":["null","string"],"format":"date-time","airbyte_type":"timestamp_without_timezone"})");
  EXPECT_EQ(
      PropertyOf(ColumnOf("", BaseType::kTimestamp, false)),
      R"({"type":["null","string"],"format":"date-time","airbyte_type":"timestamp_with_timezone"})");
  EXPECT_EQ(PropertyOf(ColumnOf("", BaseType::kTime, false)),
            R"({"type":["null","string"],"format":"time","airbyte_type":"time_without_timezone"})");
}

TEST(CatalogTest, DeclaresAKeyOfDatesAsNullableSinceZeroDatesBecomeNull) {
  mysql::TableSchema schema;
  schema.keyspace = "commerce";
  schema.name = "days";
  schema.columns = {ColumnOf("day", BaseType::kDate, /*nullable=*/false)};
  schema.key = {"day"};

  EXPECT_THAT(CatalogLine({&schema, 1}, {}),
              HasSubstr(R"("day":{"type":["null","string"],"format":"date"})"));
  EXPECT_THAT(CatalogLine({&schema, 1}, {.zero_dates = mysql::ZeroDates::kText}),
              HasSubstr(R"("day":{"type":"string"})"));
}

TEST(CatalogTest, DeclaresDatesAsTextWhereZeroDatesAreText) {
  const mysql::TypeOptions options = {.zero_dates = mysql::ZeroDates::kText};

  EXPECT_EQ(PropertyOf(ColumnOf("", BaseType::kDate), options), R"({"type":["null","string"]})");
  EXPECT_EQ(PropertyOf(ColumnOf("", BaseType::kTimestamp), options),
            R"({"type":["null","string"]})");
}

// With a "type" of one, arrays and scalars would not be what was declared.
TEST(CatalogTest, DeclaresJsonAsAUnionOfAllThatADocumentCanBe) {
  EXPECT_EQ(PropertyOf(ColumnOf("", BaseType::kJson)),
            R"({"oneOf":[{"type":"array"},{"type":"object"},{"type":"number"},{"type":"string"},)"
            R"({"type":"boolean"},{"type":"null"}],"airbyte_type":"json"})");
}

TEST(CatalogTest, DeclaresTimesByOptionAndAsTextInAKey) {
  EXPECT_EQ(PropertyOf(ColumnOf("", BaseType::kTime), {.times = mysql::TimeFormat::kText}),
            R"({"type":["null","string"]})");
  mysql::TableSchema schema = Orders();
  schema.columns.push_back(ColumnOf("at", BaseType::kTime, false));
  schema.key.push_back("at");

  EXPECT_THAT(StreamOf(schema), HasSubstr(R"("at":{"type":"string"})"));
}

TEST(CatalogTest, DeclaresGeometriesByTheirFormat) {
  EXPECT_EQ(PropertyOf(ColumnOf("", BaseType::kGeometry)), R"({"type":["null","object"]})");
  EXPECT_EQ(
      PropertyOf(ColumnOf("", BaseType::kGeometry), {.geometry = mysql::GeometryFormat::kWkbHex}),
      R"({"type":["null","string"]})");
}

TEST(CatalogTest, DeclaresBooleansByOption) {
  mysql::Column column = ColumnOf("", BaseType::kTinyInt);
  column.type.length = 1;

  EXPECT_EQ(PropertyOf(column), R"({"type":["null","number"],"airbyte_type":"integer"})");
  EXPECT_EQ(PropertyOf(column, {.tinyint1_as_boolean = true}), R"({"type":["null","boolean"]})");
}

TEST(CatalogTest, DeclaresATinyIntOfAKeyAsAnIntegerWhateverTheOption) {
  mysql::TableSchema schema = Orders();
  schema.columns.push_back(ColumnOf("kind", BaseType::kTinyInt, false));
  schema.columns.back().type.length = 1;
  schema.key.push_back("kind");

  EXPECT_THAT(StreamOf(schema, {.tinyint1_as_boolean = true}),
              HasSubstr(R"("kind":{"type":"number","airbyte_type":"integer"})"));
}

TEST(ConfiguredCatalogTest, ReadsStreamsAndTheColumnsTheySelect) {
  const auto streams = ParseConfiguredCatalog(R"({"streams": [
    {"stream": {"name": "orders", "namespace": "commerce", "json_schema": {"type": "object",
       "properties": {"id": {"type": "integer"}, "sku": {}, "_ab_cdc_cursor": {}, "_ab_cdc_deleted_at": {},
                      "_ab_cdc_updated_at": {}}},
       "supported_sync_modes": ["incremental"]},
     "sync_mode": "incremental", "destination_sync_mode": "append_dedup", "cursor_field": null,
     "primary_key": [["id"]], "generation_id": 1, "unknown": {}},
    {"stream": {"name": "nopk", "namespace": null, "json_schema": {"properties": {"a": {}}}},
     "sync_mode": null}]})");

  ASSERT_TRUE(streams.ok()) << streams.status();
  ASSERT_EQ(streams->size(), 2u);
  const ConfiguredStream& orders = (*streams)[0];
  EXPECT_EQ(ToString(orders.name), "commerce.orders");
  EXPECT_TRUE(orders.incremental);
  EXPECT_THAT(orders.columns, ElementsAre(FieldsAre("id", DeclaredType::kInteger),
                                          FieldsAre("sku", DeclaredType::kAny)));
  EXPECT_THAT(orders.primary_key, ElementsAre("id"));
  EXPECT_TRUE(orders.status.ok());
  const ConfiguredStream& nopk = (*streams)[1];
  EXPECT_EQ(ToString(nopk.name), "nopk");
  EXPECT_FALSE(nopk.incremental);
  EXPECT_THAT(nopk.columns, ElementsAre(FieldsAre("a", DeclaredType::kAny)));
  EXPECT_TRUE(nopk.primary_key.empty());
}

TEST(ConfiguredCatalogTest, TakesNoKeyOfADestinationThatKeepsAllRecords) {
  const auto streams = ParseConfiguredCatalog(R"({"streams": [
    {"stream": {"name": "a", "json_schema": {"properties": {"x": {}}}}, "sync_mode": "incremental",
     "destination_sync_mode": "append", "primary_key": [["x"]]}]})");

  ASSERT_TRUE(streams.ok()) << streams.status();
  EXPECT_TRUE((*streams)[0].primary_key.empty());
}

TEST(ConfiguredCatalogTest, RefusesWhatIsNoCatalog) {
  for (const char* json :
       {"", "{", "[]", "null", "{}", R"({"streams": null})", R"({"streams": {}})",
        R"({"streams": [null]})", R"({"streams": [{"stream": {}}]})"}) {
    const auto streams = ParseConfiguredCatalog(json);

    ASSERT_FALSE(streams.ok()) << json;
    EXPECT_EQ(vitess::Classify(streams.status()), vitess::ErrorClass::kConfiguration);
    EXPECT_THAT(std::string(streams.status().message()), HasSubstr("configured catalog")) << json;
  }
}

TEST(ConfiguredCatalogTest, RefusesAStreamThatComesTwice) {
  const auto streams = ParseConfiguredCatalog(
      R"({"streams": [{"stream": {"name": "a", "json_schema": {"properties": {"x": {}}}}},
                      {"stream": {"name": "a", "json_schema": {"properties": {"x": {}}}}}]})");

  ASSERT_FALSE(streams.ok());
  EXPECT_THAT(std::string(streams.status().message()), HasSubstr("Stream a"));
}

TEST(ConfiguredCatalogTest, SaysOfAStreamAloneWhatIsWrongWithIt) {
  const auto streams = ParseConfiguredCatalog(
      R"({"streams": [{"stream": {"name": "a", "json_schema": {"properties": {"x": {}}}},
                       "sync_mode": "INVALID"},
                      {"stream": {"name": "b", "json_schema": {"properties": {"_ab_cdc_cursor": {}}}}},
                      {"stream": {"name": "c", "json_schema": {"properties": {"x": {}}}}}]})");

  ASSERT_TRUE(streams.ok()) << streams.status();
  EXPECT_THAT(std::string((*streams)[0].status.message()),
              AllOf(HasSubstr("Stream a"), HasSubstr("sync_mode")));
  EXPECT_THAT(std::string((*streams)[1].status.message()),
              AllOf(HasSubstr("Stream b"), HasSubstr("columns")));
  EXPECT_TRUE((*streams)[2].status.ok());
}

}  // namespace
}  // namespace source_vitess::airbyte
