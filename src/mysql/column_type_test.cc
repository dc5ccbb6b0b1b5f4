#include "mysql/column_type.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace source_vitess::mysql {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ColumnType Parsed(std::string_view text) {
  const auto type = ParseColumnType(text);
  EXPECT_TRUE(type.ok()) << type.status();
  return type.ok() ? *type : ColumnType();
}

struct Case {
  const char* text;
  BaseType base;
  bool is_unsigned;
  bool zerofill;
  int length;
  int decimals;
};

TEST(ColumnTypeTest, TypesAreReadAsTheServerWritesThem) {
  const std::vector<Case> cases = {
      {"tinyint", BaseType::kTinyInt, false, false, 0, 0},
      {"tinyint(1)", BaseType::kTinyInt, false, false, 1, 0},
      {"bool", BaseType::kTinyInt, false, false, 1, 0},
      {"smallint unsigned", BaseType::kSmallInt, true, false, 0, 0},
      {"mediumint(9)", BaseType::kMediumInt, false, false, 9, 0},
      {"int(6) unsigned zerofill", BaseType::kInt, true, true, 6, 0},
      {"int(6) zerofill", BaseType::kInt, true, true, 6, 0},
      {"integer", BaseType::kInt, false, false, 0, 0},
      {"bigint unsigned", BaseType::kBigInt, true, false, 0, 0},
      {"BIGINT(20) UNSIGNED", BaseType::kBigInt, true, false, 20, 0},
      {"float", BaseType::kFloat, false, false, 0, 0},
      {"float(7,4)", BaseType::kFloat, false, false, 7, 4},
      {"double precision", BaseType::kDouble, false, false, 0, 0},
      {"double unsigned", BaseType::kDouble, true, false, 0, 0},
      {"real", BaseType::kDouble, false, false, 0, 0},
      {"decimal(30,10)", BaseType::kDecimal, false, false, 30, 10},
      {"decimal(65, 30) unsigned", BaseType::kDecimal, true, false, 65, 30},
      {"numeric(5)", BaseType::kDecimal, false, false, 5, 0},
      {"bit(1)", BaseType::kBit, false, false, 1, 0},
      {"bit(64)", BaseType::kBit, false, false, 64, 0},
      {"year", BaseType::kYear, false, false, 0, 0},
      {"year(4)", BaseType::kYear, false, false, 4, 0},
      {"date", BaseType::kDate, false, false, 0, 0},
      {"datetime(6)", BaseType::kDateTime, false, false, 0, 6},
      {"timestamp(3)", BaseType::kTimestamp, false, false, 0, 3},
      {"timestamp /* 5.5 binary format */", BaseType::kTimestamp, false, false, 0, 0},
      {"time", BaseType::kTime, false, false, 0, 0},
      {"char(5)", BaseType::kChar, false, false, 5, 0},
      {"varchar(20)", BaseType::kVarchar, false, false, 20, 0},
      {"tinytext", BaseType::kText, false, false, 0, 0},
      {"longtext", BaseType::kText, false, false, 0, 0},
      {"binary(16)", BaseType::kBinary, false, false, 16, 0},
      {"varbinary(5)", BaseType::kVarbinary, false, false, 5, 0},
      {"mediumblob", BaseType::kBlob, false, false, 0, 0},
      {"json", BaseType::kJson, false, false, 0, 0},
      {"point", BaseType::kGeometry, false, false, 0, 0},
      {"linestring", BaseType::kGeometry, false, false, 0, 0},
      {"geomcollection", BaseType::kGeometry, false, false, 0, 0},
      {"geometry", BaseType::kGeometry, false, false, 0, 0},
      {"vector(3)", BaseType::kVector, false, false, 3, 0},
      {"hologram(7, 'x')", BaseType::kUnknown, false, false, 0, 0},
  };
  for (const Case& c : cases) {
    const ColumnType type = Parsed(c.text);
    EXPECT_EQ(type.text, c.text);
    EXPECT_EQ(type.base, c.base) << c.text;
    EXPECT_EQ(type.is_unsigned, c.is_unsigned) << c.text;
    EXPECT_EQ(type.zerofill, c.zerofill) << c.text;
    EXPECT_EQ(type.length, c.length) << c.text;
    EXPECT_EQ(type.decimals, c.decimals) << c.text;
  }
}

TEST(ColumnTypeTest, LabelsMayHaveQuotesCommasParenthesesAndOtherScripts) {
  EXPECT_THAT(Parsed("enum('a','b,c','d''e')").labels, ElementsAre("a", "b,c", "d'e"));
  EXPECT_THAT(Parsed("set('x)','(y','\u00e9','')").labels, ElementsAre("x)", "(y", "\u00e9", ""));
  EXPECT_THAT(Parsed("enum('''','''''')").labels, ElementsAre("'", "''"));
}

TEST(ColumnTypeTest, BackslashesInLabelsAreEscapes) {
  EXPECT_THAT(Parsed(R"(enum('a\\b','c\nd','e\0f','g\'h'))").labels,
              ElementsAre(R"(a\b)", "c\nd", std::string("e\0f", 3), "g'h"));
}

TEST(ColumnTypeTest, CharacterSetsAreReadWhereTheyAreWritten) {
  const ColumnType type = Parsed("varchar(20) character set latin1 collate latin1_bin");

  EXPECT_EQ(type.character_set, "latin1");
  EXPECT_EQ(type.collation, "latin1_bin");
  EXPECT_EQ(Parsed("text charset gbk").character_set, "gbk");
  EXPECT_THAT(Parsed("varchar(20)").character_set, IsEmpty());
}

TEST(ColumnTypeTest, TextThatIsNoTypeIsAnError) {
  for (const char* text : {"", " ", "(5)", "int(", "int()", "int(x)", "decimal(5,)", "int(-1)",
                           "int(99999999999)", "enum(a)", "enum('a'", "enum('a", "enum('a' 'b')",
                           "enum('a',)", "int(5)) unsigned", "'int'", "hologram(7"}) {
    EXPECT_EQ(ParseColumnType(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(ColumnTypeTest, AnyTextIsATypeOrAnError) {
  std::mt19937 random(7);
  const std::string alphabet = "enumset int(),' \\0n'5abc\xff";
  for (int round = 0; round < 5000; ++round) {
    std::string text = round % 2 == 0 ? "enum(" : "";
    for (size_t size = random() % 20; size > 0; --size)
      text += alphabet[random() % alphabet.size()];
    const auto type = ParseColumnType(text);
    EXPECT_TRUE(!type.ok() || type->text == text) << text;
  }
}

TEST(KindOfTest, KindsFollowTheTypeAndTheOptions) {
  const TypeOptions defaults;
  EXPECT_EQ(KindOf(Parsed("bigint"), defaults), Kind::kSigned);
  EXPECT_EQ(KindOf(Parsed("bigint unsigned"), defaults), Kind::kUnsigned);
  EXPECT_EQ(KindOf(Parsed("tinyint(1)"), defaults), Kind::kSigned);
  EXPECT_EQ(KindOf(Parsed("bit(1)"), defaults), Kind::kBoolean);
  EXPECT_EQ(KindOf(Parsed("bit"), defaults), Kind::kBoolean);
  EXPECT_EQ(KindOf(Parsed("bit(2)"), defaults), Kind::kBytes);
  EXPECT_EQ(KindOf(Parsed("enum('a')"), defaults), Kind::kText);
  EXPECT_EQ(KindOf(Parsed("set('a')"), defaults), Kind::kText);
  EXPECT_EQ(KindOf(Parsed("tinyblob"), defaults), Kind::kBytes);
  EXPECT_EQ(KindOf(Parsed("binary(16)"), defaults), Kind::kBytes);
  EXPECT_EQ(KindOf(Parsed("year"), defaults), Kind::kYear);
  EXPECT_EQ(KindOf(Parsed("polygon"), defaults), Kind::kGeometry);
  EXPECT_EQ(KindOf(Parsed("hologram"), defaults), Kind::kText);

  EXPECT_EQ(KindOf(Parsed("tinyint(1)"), {.tinyint1_as_boolean = true}), Kind::kBoolean);
  EXPECT_EQ(KindOf(Parsed("tinyint(2)"), {.tinyint1_as_boolean = true}), Kind::kSigned);
  EXPECT_EQ(KindOf(Parsed("tinyint(1) unsigned"), {.tinyint1_as_boolean = true}), Kind::kUnsigned);
  EXPECT_EQ(KindOf(Parsed("bit(1)"), {.bit1_as_boolean = false}), Kind::kBytes);
}

}  // namespace
}  // namespace source_vitess::mysql
