#include "airbyte/declared_type.h"

#include <gtest/gtest.h>

#include <string>

#include "config/json_document.h"

namespace source_vitess::airbyte {
namespace {

using mysql::Kind;

DeclaredType TypeOf(const std::string& schema) {
  const auto parsed = config::ParseJson(schema);
  EXPECT_TRUE(parsed.ok()) << schema;
  return ParsePropertySchema(*parsed);
}

TEST(DeclaredTypeTest, ReadsBackWhatDiscoveryDeclares) {
  for (int i = static_cast<int>(DeclaredType::kBoolean);
       i <= static_cast<int>(DeclaredType::kNumbers); ++i) {
    const auto type = static_cast<DeclaredType>(i);
    EXPECT_EQ(TypeOf(PropertySchema(type, /*nullable=*/true)), type) << i;
    EXPECT_EQ(TypeOf(PropertySchema(type, /*nullable=*/false)), type) << i;
  }
}

TEST(DeclaredTypeTest, ReadsOtherSpellings) {
  EXPECT_EQ(TypeOf(R"({"type":"integer"})"), DeclaredType::kInteger);
  EXPECT_EQ(TypeOf(R"({"type":["string","null"],"format":"date"})"), DeclaredType::kDate);
  EXPECT_EQ(TypeOf(R"({"type":["string"]})"), DeclaredType::kString);
  EXPECT_EQ(TypeOf(R"({"type":"object","oneOf":[{"type":"array"}],"airbyte_type":"json"})"),
            DeclaredType::kJson);
}

TEST(DeclaredTypeTest, DoesNotJudgeWhatItDoesNotKnow) {
  for (const char* schema :
       {"{}", "[]", "null", R"({"type":["string","number"]})", R"({"type":7})",
        R"({"type":[null,"string"]})", R"({"type":"string","airbyte_type":"big_integer"})",
        R"({"type":"number","airbyte_type":"big_integer"})",
        R"({"type":"string","format":"date-time"})", R"({"type":"string","format":"uri"})",
        R"({"oneOf":[{"type":"string"}]})"}) {
    EXPECT_EQ(TypeOf(schema), DeclaredType::kAny) << schema;
  }
}

TEST(DeclaredTypeTest, EveryTypeTakesNull) {
  for (int i = 0; i <= static_cast<int>(DeclaredType::kNumbers); ++i) {
    EXPECT_TRUE(KindsThatFit(static_cast<DeclaredType>(i), {}).Has(Kind::kNull)) << i;
  }
}

TEST(DeclaredTypeTest, GeometriesFitByTheirFormat) {
  const mysql::TypeOptions hexadecimal = {.geometry = mysql::GeometryFormat::kWkbHex};

  EXPECT_TRUE(KindsThatFit(DeclaredType::kObject, {}).Has(Kind::kGeometry));
  EXPECT_FALSE(KindsThatFit(DeclaredType::kString, {}).Has(Kind::kGeometry));
  EXPECT_FALSE(KindsThatFit(DeclaredType::kObject, hexadecimal).Has(Kind::kGeometry));
  EXPECT_TRUE(KindsThatFit(DeclaredType::kString, hexadecimal).Has(Kind::kGeometry));
}

}  // namespace
}  // namespace source_vitess::airbyte
