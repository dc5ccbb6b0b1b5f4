// What the user has chosen of schemas, tables and columns, through the Fivetran host: it notes
// everything that arrives without having been chosen.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fivetran_source.h"

namespace source_vitess::integration_tests {
namespace {

using harness::FivetranReport;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::UnorderedElementsAre;

class FivetranSelectionTest : public ::testing::Test {
 protected:
  FivetranSelectionTest() {
    for (const std::string& sql : RowsOfEveryTable(1, 10)) source_.Execute(sql);
  }
  void TearDown() override { EXPECT_THAT(source_.BrokenRules(), IsEmpty()); }

  FivetranReport SyncOf(const std::string& selection) {
    const absl::Status selected = source_.connection().Select(selection);
    EXPECT_TRUE(selected.ok()) << selected;
    FivetranReport report = source_.Sync();
    EXPECT_EQ(report.Failure(), "");
    return report;
  }

  void MakeLateTable() {
    source_.Execute("create table late (id bigint not null, primary key (id))");
    source_.Execute("alter vschema on shop.late add vindex hash(id)");
    source_.Execute("insert into late values (1)");
  }

  FivetranSource source_;
};

TEST_F(FivetranSelectionTest, JustTheTablesThatAreNamedAreRead) {
  const FivetranReport report = SyncOf(R"({"include_new_schemas": false, "schemas": {"shop": {
      "include_new_tables": false, "tables": {"customers": {}, "tags": {"included": false}}}}})");

  EXPECT_THAT(report.tables, ElementsAre(Key("shop.customers")));
  EXPECT_THAT(source_.DifferencesOf("customers"), IsEmpty());
}

TEST_F(FivetranSelectionTest, TablesThatAreExcludedAreNotRead) {
  const FivetranReport report = SyncOf(R"({"schemas": {"shop": {"tables": {
      "tags": {"included": false}, "words": {"included": false}}}}})");

  EXPECT_THAT(report.tables,
              UnorderedElementsAre(Key("shop.customers"), Key("shop.notes"), Key("shop.orders")));
}

TEST_F(FivetranSelectionTest, ASchemaThatIsExcludedHasNoTables) {
  EXPECT_THAT(SyncOf(R"({"schemas": {"shop": {"included": false}}})").tables, IsEmpty());
  EXPECT_THAT(SyncOf(R"({"include_new_schemas": false})").tables, IsEmpty());
}

TEST_F(FivetranSelectionTest, ColumnsThatAreExcludedDoNotArrive) {
  SyncOf(R"({"schemas": {"shop": {"tables": {"customers": {"columns": {"email": false}},
             "orders": {"include_new_columns": false}}}}})");
  source_.Execute("update customers set email = 'new' where id = 3");
  source_.Execute("insert into orders values (11, 1, 2.50)");
  source_.Sync();

  EXPECT_THAT(source_.connection().Columns("shop", "customers").value(), ElementsAre("id"));
  EXPECT_THAT(source_.connection().Columns("shop", "orders").value(),
              ElementsAre("customer_id", "id"));
  EXPECT_EQ(source_.Rows("orders", {"id"}).size(), 11u);
}

TEST_F(FivetranSelectionTest, ColumnsOfTheKeyArriveEvenIfTheyAreExcluded) {
  SyncOf(R"({"schemas": {"shop": {"tables": {"customers": {"columns": {"id": false}}}}}})");

  EXPECT_THAT(source_.DifferencesOf("customers"), IsEmpty());
}

TEST_F(FivetranSelectionTest, NewTablesAreReadIfTheyAreWanted) {
  const std::string open = R"({"schemas": {"shop": {"include_new_tables": true}}})";
  const std::string closed = R"({"schemas": {"shop": {"include_new_tables": false, "tables": {
      "customers": {}}}}})";
  SyncOf(closed);
  MakeLateTable();
  EXPECT_THAT(SyncOf(closed).tables, IsEmpty());

  EXPECT_THAT(SyncOf(open).tables,
              UnorderedElementsAre(Key("shop.late"), Key("shop.notes"), Key("shop.orders"),
                                   Key("shop.tags"), Key("shop.words")));
  EXPECT_THAT(source_.DifferencesOf("late"), IsEmpty());
}

TEST_F(FivetranSelectionTest, NewColumnsArriveIfTheyAreWanted) {
  const std::string selection = R"({"schemas": {"shop": {"tables": {
      "customers": {"columns": {"email": true}, "include_new_columns": false},
      "notes": {"columns": {"body": true}, "include_new_columns": true}}}}})";
  SyncOf(selection);
  source_.Execute("alter table customers add column city varchar(20)");
  source_.Execute("alter table notes add column city varchar(20)");
  source_.Execute("insert into customers values (101, 'new', 'Rome')");
  source_.Execute("insert into notes values (101, 'new', 'Rome')");

  SyncOf(selection);

  EXPECT_THAT(source_.connection().Columns("shop", "customers").value(),
              ElementsAre("id", "email"));
  EXPECT_THAT(source_.DifferencesOf("notes"), IsEmpty());
}

TEST_F(FivetranSelectionTest, ATableThatIsPutBackIsCopiedAgain) {
  const std::string without = R"({"schemas": {"shop": {"tables": {
      "customers": {"included": false}}}}})";
  SyncOf("null");
  SyncOf(without);
  source_.Execute("delete from customers where id = 3");
  source_.Execute("insert into customers values (101, 'new')");
  EXPECT_THAT(SyncOf(without).tables, IsEmpty());

  SyncOf("null");

  EXPECT_THAT(source_.Differences(), IsEmpty());
}

}  // namespace
}  // namespace source_vitess::integration_tests
