// Syncs as Fivetran runs them: the form, its tests, the schema, and Updates that go on where the
// last one stopped. What is delivered is judged by a host that is not ours
// (integration_tests/fivetran_host).
#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fivetran_source.h"

namespace source_vitess::integration_tests {
namespace {

using harness::FivetranColumn;
using harness::FivetranReport;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::UnorderedElementsAre;

class FivetranSyncTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(source_.BrokenRules(), IsEmpty()); }

  void Fill(int first, int last) {
    for (const std::string& sql : RowsOfEveryTable(first, last)) source_.Execute(sql);
  }

  // A sync that has to succeed.
  FivetranReport Sync(const harness::FivetranUpdateOptions& options = {}) {
    FivetranReport report = source_.Sync(options);
    EXPECT_EQ(report.Failure(), "");
    EXPECT_THAT(report.warnings, IsEmpty());
    return report;
  }

  FivetranSource source_;
};

TEST_F(FivetranSyncTest, TheWholeWayFromTheFormToAnIdleSync) {
  Fill(1, 20);
  const auto form = source_.connection().Form();
  ASSERT_TRUE(form.ok()) << form.status();
  for (const auto& [name, label] : form->tests) {
    const auto failure = source_.connection().Test(name);
    ASSERT_TRUE(failure.ok()) << failure.status();
    EXPECT_EQ(failure->value_or(""), "") << label;
  }

  const FivetranReport first = Sync();
  EXPECT_EQ(first.records, 5u * (1 + 20));
  EXPECT_THAT(source_.Differences(), IsEmpty());

  source_.Execute("update customers set email = 'new' where id = 3");
  source_.Execute("delete from customers where id in (4, 5)");
  source_.Execute("insert into notes values (100, 'late')");
  const FivetranReport second = Sync();
  EXPECT_EQ(second.records, 4u);
  EXPECT_EQ(second.tables.at("shop.customers").deletes, 2u);
  EXPECT_EQ(second.tables.at("shop.customers").ignored, 0u);
  EXPECT_THAT(source_.Differences(), IsEmpty());

  const size_t streams = source_.simulator().stream_requests().size();
  const FivetranReport idle = Sync();
  EXPECT_EQ(idle.records, 0u);
  EXPECT_EQ(idle.schema_changes, 0u);
  EXPECT_EQ(source_.simulator().stream_requests().size(), streams);
}

TEST_F(FivetranSyncTest, TheSchemaHasTheTablesWithTheirKeysAndTypes) {
  const auto schema = source_.connection().Schema();
  ASSERT_TRUE(schema.ok()) << schema.status();

  EXPECT_THAT(*schema,
              UnorderedElementsAre(Key("shop.customers"), Key("shop.notes"), Key("shop.orders"),
                                   Key("shop.tags"), Key("shop.words")));
  const std::vector<FivetranColumn>& orders = schema->at("shop.orders");
  ASSERT_EQ(orders.size(), 3u);
  EXPECT_TRUE(orders[0].in_key && orders[1].in_key && !orders[2].in_key);
  EXPECT_EQ(orders[0].type, "LONG");
  EXPECT_EQ(orders[2].type, "DECIMAL");
  EXPECT_EQ(orders[2].precision, 12);
  EXPECT_EQ(orders[2].scale, 2);
}

TEST_F(FivetranSyncTest, AChangedKeyIsADeleteAndAnUpsert) {
  Fill(1, 5);
  Sync();
  source_.Execute("update orders set id = 999 where customer_id = 3");

  const FivetranReport report = Sync();

  EXPECT_EQ(report.tables.at("shop.orders").deletes, 1u);
  EXPECT_EQ(report.tables.at("shop.orders").upserts, 1u);
  EXPECT_EQ(report.tables.at("shop.orders").ignored, 0u);
  EXPECT_THAT(source_.Differences(), IsEmpty());
}

TEST_F(FivetranSyncTest, RowsThatWentWhileNobodyLookedAreGoneBehindAReSync) {
  Fill(1, 10);
  Sync();
  source_.Execute("delete from customers where id < 5");
  ASSERT_TRUE(source_.connection().SetState("{}").ok());

  const FivetranReport report = Sync();

  EXPECT_EQ(report.tables.at("shop.customers").truncates, 1u);
  EXPECT_THAT(source_.Differences(), IsEmpty());
  EXPECT_EQ(source_.connection().MarkedRows("shop", "customers").value_or(0), 4u);
}

TEST_F(FivetranSyncTest, EmptyTablesAndColumnsAreThereToo) {
  Sync();

  const auto columns = source_.connection().Columns("shop", "notes");

  ASSERT_TRUE(columns.ok()) << columns.status();
  EXPECT_THAT(*columns, ElementsAre("id", "body"));
  EXPECT_EQ(Sync().records, 0u);
}

TEST_F(FivetranSyncTest, ATableWithoutAKeyIsFollowedByItsWholeRows) {
  source_.Execute("create table events (what varchar(20), size int, at datetime(6))");
  source_.Execute("alter vschema on shop.events add vindex hash(size)");
  source_.Execute("insert into events values ('a', 1, '2024-01-15 10:20:30.123456')");
  source_.Execute("insert into events values ('b', 2, null)");
  source_.Execute("insert into events values (null, 3, null)");
  source_.Sync();
  source_.Execute("update events set what = 'changed' where size = 1");
  source_.Execute("delete from events where size = 3");

  const FivetranReport report = source_.Sync();

  EXPECT_EQ(report.Failure(), "");
  EXPECT_EQ(report.tables.at("shop.events").deletes, 2u);
  EXPECT_EQ(report.tables.at("shop.events").upserts, 1u);
  EXPECT_EQ(report.tables.at("shop.events").ignored, 0u);
  EXPECT_THAT(
      source_.Rows("events", {"what", "size", "at"}),
      UnorderedElementsAre(R"({"what":"changed","size":1,"at":"2024-01-15T10:20:30.123456000"})",
                           R"({"what":"b","size":2,"at":null})"));
}

TEST_F(FivetranSyncTest, AColumnThatIsAddedArrivesWithItsValues) {
  Fill(1, 5);
  Sync();
  source_.Execute("insert into customers values (101, 'before')");
  source_.Execute("alter table customers add column city varchar(20)");
  source_.Execute("insert into customers values (102, 'behind', 'Rome')");

  const FivetranReport report = source_.Sync();

  EXPECT_EQ(report.Failure(), "");
  EXPECT_THAT(report.warnings, ElementsAre(HasSubstr("gets column city")));
  EXPECT_THAT(source_.Differences(), IsEmpty());
  EXPECT_THAT(source_.Rows("customers", {"id", "city"}), Contains(R"({"id":102,"city":"Rome"})"));
  EXPECT_EQ(Sync().records, 0u);
}

// Fivetran may not ask for the schema before every Update.
TEST_F(FivetranSyncTest, ColumnsThatAreOthersThanBeforeAreAnnounced) {
  Fill(1, 5);
  Sync();
  source_.Execute("alter table customers add column price decimal(9,3)");
  source_.Execute("insert into customers values (102, 'behind', 1.250)");

  const auto report = source_.connection().Update();

  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->Failure(), "");
  EXPECT_EQ(report->schema_changes, 1u);
  EXPECT_THAT(source_.Differences(), IsEmpty());
  EXPECT_EQ(source_.connection().Update().value_or(FivetranReport()).schema_changes, 0u);
}

// While another table is copied, the stream of the copied ones goes on.
TEST(FivetranColumnTest, AColumnThatIsAddedDuringAnUpdateArrivesInIt) {
  using simulator::StreamPoint;
  FivetranSource* source = nullptr;
  std::atomic<bool> changes = false;  // the next rows of `late` that are copied let it happen
  std::atomic<bool> changed = false;
  absl::Notification delivered;
  std::atomic<int> transactions = 0;
  simulator::SimulatorOptions options;
  options.service.streams.on_point = [&](const StreamPoint& point) {
    if (point.kind == StreamPoint::Kind::kTransaction && changed && ++transactions == 6) {
      delivered.Notify();
    }
    if (point.kind == StreamPoint::Kind::kRowsCopied && point.table == "late" &&
        changes.exchange(false)) {
      source->Execute("alter table customers add column city varchar(20)");
      source->Execute("insert into customers values (102, 'behind', 'Rome')");
      changed = true;
      // The sixth from here on is behind the insert, even if the stream has nothing yet of the four
      // that there are: the new table, its rows, the new column, the insert.
      for (int i = 0; i < 3000 && !delivered.HasBeenNotified(); ++i) {
        source->Execute(absl::StrCat("update customers set email = 'mail ", i, "' where id = 102"));
        delivered.WaitForNotificationWithTimeout(absl::Milliseconds(10));
      }
      EXPECT_TRUE(delivered.HasBeenNotified());
    }
    return simulator::StreamAction::kContinue;
  };
  FivetranSource shop(options, {}, {"-"});
  source = &shop;
  for (const std::string& sql : RowsOfEveryTable(1, 5)) shop.Execute(sql);
  ASSERT_EQ(shop.Sync().Failure(), "");
  shop.Execute("create table late (id bigint not null, primary key (id))");
  shop.Execute("alter vschema on shop.late add vindex hash(id)");
  shop.Execute("insert into late values (1), (2)");

  changes = true;
  EXPECT_EQ(shop.Sync().Failure(), "");

  EXPECT_THAT(shop.Rows("customers", {"id", "city"}), Contains(R"({"id":102,"city":"Rome"})"));
  EXPECT_THAT(shop.DifferencesOf("late"), IsEmpty());
  // The last changes may have come too late for the Update.
  EXPECT_EQ(shop.Sync().Failure(), "");
  EXPECT_THAT(shop.Differences(), IsEmpty());
  EXPECT_THAT(shop.BrokenRules(), IsEmpty());
}

TEST_F(FivetranSyncTest, ATableThatIsMadeLaterIsCopied) {
  Fill(1, 5);
  Sync();
  source_.Execute("create table late (id bigint not null, primary key (id))");
  source_.Execute("alter vschema on shop.late add vindex hash(id)");
  source_.Execute("insert into late values (1)");

  const FivetranReport report = Sync();

  EXPECT_THAT(report.tables, ElementsAre(Key("shop.late")));
  EXPECT_THAT(source_.DifferencesOf("late"), IsEmpty());
}

class FivetranOneShardTest : public ::testing::Test {
 protected:
  FivetranOneShardTest() : source_({}, {}, {"-"}) {}
  FivetranSource source_;
};

TEST_F(FivetranOneShardTest, ATableThatIsTruncatedAtTheSourceIsTruncated) {
  for (const std::string& sql : RowsOfEveryTable(1, 10)) source_.Execute(sql);
  ASSERT_EQ(source_.Sync().Failure(), "");
  source_.Execute("truncate table customers");
  source_.Execute("insert into customers values (3, 'again')");

  const FivetranReport report = source_.Sync({.may_truncate = {"shop.customers"}});

  EXPECT_EQ(report.Failure(), "");
  EXPECT_EQ(report.tables.at("shop.customers").truncates, 1u);
  EXPECT_THAT(source_.Differences(), IsEmpty());
  EXPECT_EQ(source_.Sync().records, 0u);
  EXPECT_THAT(source_.BrokenRules(), IsEmpty());
}

TEST_F(FivetranSyncTest, ATableOfSeveralShardsThatIsTruncatedIsCopiedAgain) {
  Fill(1, 10);
  Sync();
  source_.Execute("truncate table customers");
  source_.Execute("insert into customers values (3, 'again'), (4, 'too')");

  const FivetranReport report = source_.Sync({.may_truncate = {"shop.customers"}});

  EXPECT_EQ(report.Failure(), "");
  EXPECT_THAT(source_.Differences(), IsEmpty());
  EXPECT_EQ(Sync().records, 0u);
}

TEST_F(FivetranSyncTest, ATableThatIsDroppedAndMadeAnewIsCopiedAgain) {
  Fill(1, 10);
  Sync();
  source_.Execute("drop table customers");
  source_.Execute(
      "create table customers (id bigint not null, email varchar(80), city varchar(20), "
      "primary key (id))");
  source_.Execute("alter vschema on shop.customers add vindex hash(id)");
  source_.Execute("insert into customers values (3, 'again', 'Rome'), (11, 'new', null)");

  const FivetranReport report = source_.Sync({.may_truncate = {"shop.customers"}});

  EXPECT_EQ(report.Failure(), "");
  EXPECT_EQ(report.tables.at("shop.customers").truncates, 1u);
  EXPECT_THAT(source_.Differences(), IsEmpty());
  EXPECT_EQ(Sync().records, 0u);
}

TEST(FivetranHistoryTest, EveryChangeIsAVersion) {
  FivetranSource source({}, {}, {"-80", "80-"}, /*history=*/true);
  for (const std::string& sql : RowsOfEveryTable(1, 5)) source.Execute(sql);
  ASSERT_EQ(source.Sync().Failure(), "");
  source.Execute("update customers set email = 'once' where id = 2");
  source.Execute("update customers set email = 'twice' where id = 2");
  source.Execute("delete from customers where id = 3");

  ASSERT_EQ(source.Sync().Failure(), "");

  EXPECT_THAT(source.Differences(), IsEmpty());
  EXPECT_EQ(source.connection().MarkedRows("shop", "customers").value_or(0), 3u);
  EXPECT_THAT(source.BrokenRules(), IsEmpty());
}

}  // namespace
}  // namespace source_vitess::integration_tests
