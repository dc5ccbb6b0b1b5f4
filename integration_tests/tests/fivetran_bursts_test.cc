// Syncs one after the other, through the Fivetran host: with changes, without any, with copies that
// are cut off, and beside keyspaces of nearly the same name.
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fivetran_source.h"

namespace source_vitess::integration_tests {
namespace {

using harness::FivetranReport;
using harness::FivetranStop;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;

class FivetranBurstsTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(source_.BrokenRules(), IsEmpty()); }

  void Sync() {
    const FivetranReport report = source_.Sync();
    EXPECT_EQ(report.Failure(), "");
    EXPECT_THAT(source_.Differences(), IsEmpty());
  }

  void SyncIdly() {
    const FivetranReport report = source_.Sync();
    EXPECT_EQ(report.Failure(), "");
    EXPECT_EQ(report.records, 0u);
  }

  // Rows of every table, changed, deleted and added.
  void Change(int cycle) {
    const int first = 1000 * (cycle + 1);
    for (const std::string& sql : RowsOfEveryTable(first, first + 49)) source_.Execute(sql);
    source_.Execute(
        absl::StrCat("update customers set email = 'cycle", cycle, "' where id = ", first + 1));
    source_.Execute(
        absl::StrCat("update orders set id = ", first + 500, " where id = ", first + 2));
    source_.Execute(absl::StrCat("delete from notes where id = ", first + 3));
    source_.Execute(absl::StrCat("delete from customers where id = ", first + 4));
  }

  FivetranSource source_{{}, {{"checkpoint_interval", "20"}}};
};

TEST_F(FivetranBurstsTest, EverySyncOfASeriesBringsWhatHasChangedSinceTheLastOne) {
  for (int cycle = 0; cycle < 4; ++cycle) {
    Change(cycle);
    Sync();
  }
}

TEST_F(FivetranBurstsTest, SyncsWithoutChangesSendNothingAndSpoilNothing) {
  Change(0);
  Sync();
  SyncIdly();
  Change(1);
  Sync();
  SyncIdly();
  SyncIdly();
}

TEST_F(FivetranBurstsTest, ChangesOfColumnsThatAreNotSelectedSendNothing) {
  Change(0);
  ASSERT_TRUE(source_.connection()
                  .Select(R"({"schemas": {"shop": {"tables": {"customers": {
                      "columns": {"email": false}}}}}})")
                  .ok());
  EXPECT_EQ(source_.Sync().Failure(), "");
  source_.Execute("update customers set email = 'unseen'");

  SyncIdly();
}

// The row that the copy stopped behind is changed before it goes on.
TEST(FivetranInterruptedCopyTest, GoesOnBehindItsLastKeyAndSeesWhatChangedBeforeIt) {
  simulator::SimulatorOptions small_packets;
  small_packets.service.streams.packet_bytes = 400;
  FivetranSource source(small_packets, {{"checkpoint_interval", "20"}});
  source.Execute(
      "create table pairs (a bigint not null, b varchar(20) not null, body text, "
      "primary key (b, a))");
  source.Execute("alter vschema on shop.pairs add vindex hash(a)");
  for (int i = 1; i <= 200; ++i) {
    source.Execute(absl::StrCat("insert into pairs values (", i, ", 'k", i % 7, "', '",
                                std::string(100, 'x'), "')"));
  }
  // It is cut off behind the first checkpoint that has a last key in it.
  std::string state;
  for (uint64_t messages = 4; !absl::StrContains(state, "lastpk"); ++messages) {
    ASSERT_LT(messages, 200u);
    ASSERT_TRUE(source.connection().SetState("{}").ok());
    harness::FivetranUpdateOptions options;
    options.stop = FivetranStop{.by = FivetranStop::By::kCancel, .after_messages = messages};
    ASSERT_TRUE(source.Sync(options).stopped);
    state = source.connection().State().value();
  }
  for (int i = 1; i <= 200; i += 3) {
    source.Execute(absl::StrCat("update pairs set body = 'changed' where a = ", i));
  }
  source.Execute("delete from pairs where a in (2, 5, 8, 101)");

  const FivetranReport report = source.Sync();

  EXPECT_EQ(report.Failure(), "");
  EXPECT_EQ(report.tables.at("shop.pairs").truncates, 0u);
  EXPECT_THAT(source.DifferencesOf("pairs"), IsEmpty());
  EXPECT_THAT(source.connection().State().value(), Not(HasSubstr("lastpk")));
  EXPECT_EQ(source.Sync().records, 0u);
  EXPECT_THAT(source.BrokenRules(), IsEmpty());
}

TEST(FivetranKeyspacesTest, AreNotTakenForOthersOfNearlyTheSameName) {
  FivetranSource source;
  for (const char* name : {"shop_archive", "shop2", "sho"}) {
    source.Execute(absl::StrCat("create keyspace ", name, " shards ('-40', '40-')"));
    source.Execute(
        absl::StrCat("create table ", name, ".customers (id bigint not null, primary key (id))"));
  }
  source.Execute("insert into customers values (1, 'a')");

  const FivetranReport report = source.Sync();

  EXPECT_EQ(report.Failure(), "");
  EXPECT_THAT(source.connection().State().value(), Not(HasSubstr("-40")));
  EXPECT_THAT(source.Differences(), IsEmpty());
  EXPECT_THAT(source.BrokenRules(), IsEmpty());
}

}  // namespace
}  // namespace source_vitess::integration_tests
