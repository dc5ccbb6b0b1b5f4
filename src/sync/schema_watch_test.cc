#include "sync/schema_watch.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vitess/errors.h"

namespace source_vitess::sync {
namespace {

using ::testing::HasSubstr;
using ::testing::IsNull;
using Columns = std::vector<PositionColumn>;

binlogdata::FieldEvent Fields(const Columns& columns) {
  binlogdata::FieldEvent event;
  for (const PositionColumn& column : columns) {
    query::Field& field = *event.add_fields();
    field.set_name(column.name);
    field.set_column_type(column.type);
  }
  return event;
}

SchemaWatch Knowing(const Columns& columns) {
  return SchemaWatch(std::make_shared<Columns>(columns));
}

const Columns kTwo = {{"id", "bigint"}, {"name", "varchar(20)"}};
const Columns kMore = {{"id", "bigint"}, {"added", "varchar(20)"}, {"name", "varchar(20)"}};

TEST(SchemaWatchTest, ColumnsThatAreNotThoseOfThePositionAreALostPosition) {
  SchemaWatch watch = Knowing(kTwo);

  const absl::Status status = watch.Changes(Fields(kMore), {});

  EXPECT_EQ(vitess::Classify(status), vitess::ErrorClass::kLostPosition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("added varchar(20)"));
}

TEST(SchemaWatchTest, ColumnsBehindADdlAreBelieved) {
  SchemaWatch watch = Knowing(kTwo);

  watch.Altered();

  EXPECT_THAT(watch.known(), IsNull());
  EXPECT_TRUE(watch.Changes(Fields(kMore), {}).ok());
  EXPECT_EQ(*watch.known(), kMore);
  EXPECT_TRUE(watch.TakeChange());
  EXPECT_FALSE(watch.Changes(Fields(kTwo), {}).ok());
}

TEST(SchemaWatchTest, TheFirstColumnsOfAllAreBelieved) {
  SchemaWatch watch;

  EXPECT_TRUE(watch.Changes(Fields(kTwo), {}).ok());
  EXPECT_EQ(*watch.known(), kTwo);
}

TEST(SchemaWatchTest, TheSameColumnsAreNoChange) {
  SchemaWatch watch = Knowing(kTwo);

  EXPECT_TRUE(watch.Changes(Fields(kTwo), {}).ok());
  EXPECT_FALSE(watch.TakeChange());
}

TEST(SchemaWatchTest, ACopyTellsTheColumnsOfItsOwnRows) {
  SchemaWatch watch = Knowing(kTwo);

  watch.Copy(Fields(kMore), {});

  EXPECT_EQ(*watch.known(), kMore);
}

TEST(SchemaWatchTest, ListedColumnsAreComparedAmongThemselves) {
  SchemaWatch watch = Knowing(kMore);

  EXPECT_TRUE(
      watch.Changes(Fields({{"id", "bigint"}, {"name", "varchar(20)"}}), {"id", "name"}).ok());
  EXPECT_FALSE(watch.Changes(Fields({{"id", "bigint"}, {"name", "blob"}}), {"id", "name"}).ok());
}

TEST(SchemaWatchTest, APartOfTheColumnsSaysNothingAboutTheOthers) {
  SchemaWatch watch;

  watch.Copy(Fields({{"id", "bigint"}}), {"id"});

  EXPECT_THAT(watch.known(), IsNull());
}

TEST(SchemaWatchTest, TypesThatHoldOldValuesAsTheyWereFit) {
  EXPECT_TRUE(ReadsAs("varchar(20)", "varchar(40)"));
  EXPECT_TRUE(ReadsAs("varchar(20)", "mediumtext"));
  EXPECT_TRUE(ReadsAs("int", "bigint"));
  EXPECT_TRUE(ReadsAs("decimal(5,2)", "decimal(10,2)"));
  EXPECT_TRUE(ReadsAs("enum('a','it''s')", "enum('a','it''s','c')"));
  EXPECT_TRUE(ReadsAs("set('a')", "set('a','b')"));
  EXPECT_TRUE(ReadsAs("set('')", "set('','b')"));
  EXPECT_TRUE(ReadsAs("int", ""));
}

TEST(SchemaWatchTest, TypesThatReadOldValuesOtherwiseDoNotFit) {
  EXPECT_FALSE(ReadsAs("int", "int unsigned"));
  EXPECT_FALSE(ReadsAs("enum('a','b')", "enum('b','a')"));
  EXPECT_FALSE(ReadsAs("enum('a','b')", "enum('a')"));
  EXPECT_FALSE(ReadsAs("enum('a','b')", "enum('a','c')"));
  EXPECT_FALSE(ReadsAs("enum('a','b')", "enum('new','a','b')"));
  EXPECT_FALSE(ReadsAs("enum('a','b')", "enum('a,b','c')"));
  EXPECT_FALSE(ReadsAs("enum('it''s')", "enum('it','s')"));
  EXPECT_FALSE(ReadsAs("enum('a')", "set('a','b')"));
  EXPECT_FALSE(ReadsAs("set('a','b')", "set('b','a','c')"));
  EXPECT_FALSE(ReadsAs("varchar(20)", "blob"));
  EXPECT_FALSE(ReadsAs("int", "varchar(20)"));
}

}  // namespace
}  // namespace source_vitess::sync
