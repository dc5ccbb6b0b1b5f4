#include "fivetran/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vitess/errors.h"

namespace source_vitess::fivetran {
namespace {

namespace sdk = fivetran_sdk::v2;

// Schema "chosen" with table "t" of the columns a, which is, and b, which is not chosen, and table
// "not"; schema "none", which is not chosen.
sdk::UpdateRequest Request(bool others) {
  sdk::UpdateRequest request;
  sdk::TablesWithSchema& chosen = *request.mutable_selection()->mutable_with_schema();
  chosen.set_include_new_schemas(others);
  sdk::SchemaSelection& schema = *chosen.add_schemas();
  schema.set_schema_name("chosen");
  schema.set_included(true);
  schema.set_include_new_tables(others);
  sdk::TableSelection& table = *schema.add_tables();
  table.set_table_name("t");
  table.set_included(true);
  table.set_include_new_columns(others);
  (*table.mutable_columns())["a"] = true;
  (*table.mutable_columns())["b"] = false;
  schema.add_tables()->set_table_name("not");
  chosen.add_schemas()->set_schema_name("none");
  return request;
}

TEST(SelectionTest, IsEverythingWhereTheRequestSaysNothing) {
  sdk::UpdateRequest request;
  for (int i = 0; i < 2; ++i, request.mutable_selection()) {
    const auto selection = Selection::Of(request);
    ASSERT_TRUE(selection.ok());
    EXPECT_TRUE(selection->WantsTable("ks", "t"));
    EXPECT_TRUE(selection->WantsColumn("ks", "t", "c"));
  }
}

TEST(SelectionTest, FollowsWhatIsNamed) {
  for (const bool others : {false, true}) {
    const auto selection = Selection::Of(Request(others));
    ASSERT_TRUE(selection.ok());
    EXPECT_TRUE(selection->WantsTable("chosen", "t"));
    EXPECT_FALSE(selection->WantsTable("chosen", "not"));
    EXPECT_FALSE(selection->WantsTable("none", "t"));
    EXPECT_TRUE(selection->WantsColumn("chosen", "t", "a"));
    EXPECT_FALSE(selection->WantsColumn("chosen", "t", "b"));
  }
}

TEST(SelectionTest, FollowsTheFlagsForWhatIsNotNamed) {
  for (const bool others : {false, true}) {
    const auto selection = Selection::Of(Request(others));
    ASSERT_TRUE(selection.ok());
    EXPECT_EQ(selection->WantsTable("chosen", "new"), others);
    EXPECT_EQ(selection->WantsTable("new", "t"), others);
    EXPECT_EQ(selection->WantsColumn("chosen", "t", "new"), others);
    EXPECT_TRUE(selection->WantsColumn("chosen", "new", "c"));
  }
}

TEST(SelectionTest, RefusesOneWithoutSchemas) {
  sdk::UpdateRequest request;
  request.mutable_selection()->mutable_without_schema();
  const auto selection = Selection::Of(request);
  ASSERT_FALSE(selection.ok());
  EXPECT_EQ(vitess::Classify(selection.status()), vitess::ErrorClass::kConfiguration);
}

}  // namespace
}  // namespace source_vitess::fivetran
