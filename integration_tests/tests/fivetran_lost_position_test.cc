// A table whose position is lost, as Fivetran sees it: copied again, or a task that names it, while
// the other tables are read.
#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fivetran_source.h"

namespace source_vitess::integration_tests {
namespace {

using harness::FivetranReport;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FivetranLostPositionTest : public ::testing::Test {
 protected:
  // A source that was read, and one of whose tables then got a column in its middle behind a row
  // that is still to be read: nobody can tell the columns of such a row any more.
  void LosePosition(FivetranSource& source) {
    for (const std::string& sql : RowsOfEveryTable(1, 20)) source.Execute(sql);
    ASSERT_EQ(source.Sync().Failure(), "");
    source.Execute("delete from customers where id = 7");
    source.Execute("insert into customers values (101, 'before')");
    source.Execute("insert into notes values (101, 'before')");
    source.Execute("alter table customers add column city varchar(20) after id");
  }
};

TEST_F(FivetranLostPositionTest, ItsTableIsCopiedAgain) {
  FivetranSource source;
  LosePosition(source);

  const FivetranReport report = source.Sync({.may_truncate = {"shop.customers"}});

  EXPECT_EQ(report.Failure(), "");
  EXPECT_EQ(report.tables.at("shop.customers").truncates, 1u);
  EXPECT_THAT(report.warnings, Contains(HasSubstr("shop.customers is copied again")));
  EXPECT_THAT(source.Differences(), IsEmpty());
  EXPECT_EQ(source.Sync().records, 0u);
  EXPECT_THAT(source.BrokenRules(), IsEmpty());
}

TEST_F(FivetranLostPositionTest, ItIsATaskWhereSuchTablesAreNotToBeCopiedAgain) {
  FivetranSource source({}, {{"lost_position", "fail"}});
  LosePosition(source);

  for (int sync = 0; sync < 2; ++sync) {
    const FivetranReport report = source.Sync();
    EXPECT_THAT(report.task.value_or(""), AllOf(HasSubstr("customers"), HasSubstr("re-sync")));
    EXPECT_EQ(report.status, "OK");
    EXPECT_THAT(source.DifferencesOf("notes"), IsEmpty());
  }

  ASSERT_TRUE(source.connection().SetState("{}").ok());
  EXPECT_EQ(source.Sync().Failure(), "");
  EXPECT_THAT(source.Differences(), IsEmpty());
  EXPECT_THAT(source.BrokenRules(), IsEmpty());
}

}  // namespace
}  // namespace source_vitess::integration_tests
