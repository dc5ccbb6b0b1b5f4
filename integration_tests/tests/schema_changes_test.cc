// The schema changes: in the stream, and behind it (docs/design.md, rules 3 and 10 of "Positions").
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/simulated_source.h"

namespace source_vitess::integration_tests {
namespace {

using harness::StreamStatus;
using simulator::StreamAction;
using simulator::StreamPoint;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SchemaChangesTest : public ::testing::Test {
 protected:
  explicit SchemaChangesTest(const std::map<std::string, std::string>& more = {})
      : source_(Options(), more) {}

  simulator::SimulatorOptions Options() {
    simulator::SimulatorOptions options;
    options.service.streams.on_point = [this](const StreamPoint& point) {
      std::string sql;
      {
        const absl::MutexLock lock(&mutex_);
        if (point.kind == StreamPoint::Kind::kTransaction) sql = std::exchange(sql_, "");
      }
      if (!sql.empty()) source_.Execute(sql);
      return StreamAction::kContinue;
    };
    return options;
  }

  // Runs the statement once the stream has sent a transaction.
  void InTheStream(std::string sql) {
    const absl::MutexLock lock(&mutex_);
    sql_ = std::move(sql);
  }

  void FirstSync() {
    for (const std::string& sql : RowsOfEveryTable(1, 20)) source_.Execute(sql);
    ASSERT_EQ(source_.Read().exit.exit_code, 0);
  }

  // Two syncs: what the first meets in the stream, and what comes behind its target.
  void ExpectSuccess() {
    ASSERT_EQ(source_.Read().exit.exit_code, 0);
    ASSERT_EQ(source_.Read().exit.exit_code, 0);
    EXPECT_THAT(source_.destination().violations(), IsEmpty());
  }

  // One failed stream, again in every sync, while the others go on.
  void ExpectFailure(const std::string& table, const std::string& text) {
    for (int sync = 0; sync < 2; ++sync) {
      EXPECT_EQ(source_.Read().exit.exit_code, 1);
      EXPECT_THAT(source_.destination().trace_errors(), ElementsAre(HasSubstr(text)));
      for (const std::string& other : SimulatedSource::Tables()) {
        EXPECT_EQ(source_.destination().Sync("shop", other).status,
                  other == table ? StreamStatus::kIncomplete : StreamStatus::kComplete)
            << other;
      }
    }
    EXPECT_THAT(source_.destination().violations(), IsEmpty());
  }

  std::string RowOf(const std::string& table, int id) {
    return source_.destination().Rows("shop", table)[absl::StrCat("[", id, "]")];
  }

  absl::Mutex mutex_;
  std::string sql_;
  SimulatedSource source_;
};

TEST_F(SchemaChangesTest, AColumnAddedAtTheEndDisturbsNothing) {
  FirstSync();
  source_.Execute("insert into customers values (101, 'before')");
  source_.Execute("alter table customers add column city varchar(20)");
  source_.Execute("insert into customers values (102, 'behind', 'Rome')");

  ExpectSuccess();

  EXPECT_EQ(RowOf("customers", 101), R"({"id":101,"email":"before"})");
  EXPECT_EQ(RowOf("customers", 102), R"({"id":102,"email":"behind"})");
}

TEST_F(SchemaChangesTest, AColumnAddedInTheMiddleBehindTheStreamIsALostPositionOfItsTable) {
  FirstSync();
  source_.Execute("insert into customers values (101, 'before')");
  source_.Execute("insert into notes values (101, 'before')");
  source_.Execute("alter table customers add column city varchar(20) after id");

  ExpectFailure("customers", "its column 2 was email varchar(64), and Vitess says city");

  EXPECT_EQ(RowOf("customers", 101), "");
  EXPECT_EQ(RowOf("notes", 101), R"({"id":101,"body":"before"})");
}

TEST_F(SchemaChangesTest, AColumnAddedInTheMiddleThatTheStreamMeetsIsFollowed) {
  FirstSync();
  source_.Execute("alter table customers add column city varchar(20) after id");
  source_.Execute("insert into customers values (102, 'Rome', 'behind')");

  ExpectSuccess();

  EXPECT_EQ(RowOf("customers", 102), R"({"id":102,"email":"behind"})");
}

TEST_F(SchemaChangesTest, AColumnDroppedBehindTheStreamIsALostPositionOfItsTable) {
  FirstSync();
  source_.Execute("insert into customers values (101, 'before')");
  source_.Execute("insert into notes values (101, 'before')");
  source_.Execute("alter table customers drop column email");

  ExpectFailure("customers", "table shop.customers");

  EXPECT_EQ(RowOf("notes", 101), R"({"id":101,"body":"before"})");
}

TEST_F(SchemaChangesTest, AColumnDroppedInTheStreamIsLeftOut) {
  FirstSync();
  source_.Execute("insert into customers values (101, 'before')");
  InTheStream("alter table customers drop column email");

  ASSERT_EQ(source_.Read().exit.exit_code, 0);
  source_.Execute("insert into customers values (102)");
  ASSERT_EQ(source_.Read().exit.exit_code, 0);

  EXPECT_EQ(RowOf("customers", 101), R"({"id":101,"email":"before"})");
  EXPECT_EQ(RowOf("customers", 102), R"({"id":102})");
}

TEST_F(SchemaChangesTest, ATypeThatBecameWiderIsFollowed) {
  FirstSync();
  source_.Execute("insert into words values ('before', 7)");
  source_.Execute("alter table words modify column seen bigint");
  source_.Execute("insert into words values ('behind', 8000000000)");

  ExpectSuccess();

  EXPECT_EQ(source_.destination().Rows("shop", "words")[R"(["before"])"],
            R"({"word":"before","seen":7})");
  EXPECT_EQ(source_.destination().Rows("shop", "words")[R"(["behind"])"],
            R"({"word":"behind","seen":8000000000})");
}

TEST_F(SchemaChangesTest, LabelsBehindThoseOfAnEnumAreFollowed) {
  source_.Execute(
      "create table moods (id bigint not null, mood enum('good','bad'), primary key (id))");
  source_.Execute("alter vschema on shop.moods add vindex hash(id)");
  ASSERT_TRUE(source_.Rediscover().ok());
  source_.Execute("insert into moods values (1, 'good')");
  ASSERT_EQ(source_.Read().exit.exit_code, 0);
  source_.Execute("insert into moods values (2, 'bad')");
  // So that the columns are known from the binary log.
  ASSERT_EQ(source_.Read().exit.exit_code, 0);
  source_.Execute("insert into moods values (3, 'bad')");
  source_.Execute("alter table moods modify column mood enum('good','bad','so-so')");
  source_.Execute("insert into moods values (4, 'so-so')");

  ExpectSuccess();

  EXPECT_EQ(RowOf("moods", 3), R"({"id":3,"mood":"bad"})");
  EXPECT_EQ(RowOf("moods", 4), R"({"id":4,"mood":"so-so"})");
}

TEST_F(SchemaChangesTest, ATableThatIsEmptiedFailsUntilItsStreamIsRefreshed) {
  FirstSync();
  source_.Execute("truncate table orders");
  source_.Execute("insert into notes values (101, 'behind')");

  ExpectFailure("orders", "was emptied");
}

TEST_F(SchemaChangesTest, ATableThatIsRenamedEndsItsStream) {
  FirstSync();
  source_.Execute("insert into customers values (101, 'before')");
  InTheStream("rename table customers to clients");

  EXPECT_EQ(source_.Read().exit.exit_code, 0);
  EXPECT_EQ(source_.Read().exit.exit_code, 1);

  EXPECT_EQ(RowOf("customers", 101), R"({"id":101,"email":"before"})");
  EXPECT_THAT(source_.destination().trace_errors(), ElementsAre(HasSubstr("customers")));
}

TEST_F(SchemaChangesTest, ATableThatIsDroppedAndMadeAnewEndsItsStream) {
  FirstSync();
  source_.Execute("drop table customers");
  source_.Execute(
      "create table customers (id bigint not null, email varchar(64), primary key (id))");
  source_.Execute("insert into notes values (101, 'behind')");

  ExpectFailure("customers", "was dropped, renamed or replaced");
}

TEST_F(SchemaChangesTest, ATableThatAnotherTakesThePlaceOfEndsItsStream) {
  FirstSync();
  source_.Execute(
      "create table customers_new (id bigint not null, email varchar(64), primary key (id))");
  source_.Execute("alter vschema on shop.customers_new add vindex hash(id)");
  source_.Execute("insert into customers_new values (201, 'never in the stream')");
  source_.Execute("rename table customers to customers_old, customers_new to customers");
  source_.Execute("insert into customers values (202, 'behind')");
  source_.Execute("insert into notes values (101, 'behind')");

  ExpectFailure("customers", "was dropped, renamed or replaced");

  EXPECT_EQ(RowOf("customers", 202), "");
}

TEST_F(SchemaChangesTest, TheCutOverOfAnOnlineChangeIsFollowed) {
  FirstSync();
  source_.Execute("insert into customers values (101, 'before')");
  const std::string shadow = "_vt_vrp_6ace8bcef73211ea87e9f875a4d24e90_20200915120410_";
  const std::string hold = "_vt_hld_6ace8bcef73211ea87e9f875a4d24e91_20200915120410_";
  source_.Execute(absl::StrCat("create table ", shadow,
                               " (id bigint not null, email varchar(64), city varchar(20), "
                               "primary key (id))"));
  source_.Execute(absl::StrCat("rename table customers to ", hold, ", ", shadow, " to customers"));
  source_.Execute("insert into customers values (102, 'behind', 'Rome')");

  ExpectSuccess();

  EXPECT_EQ(RowOf("customers", 101), R"({"id":101,"email":"before"})");
  EXPECT_EQ(RowOf("customers", 102), R"({"id":102,"email":"behind"})");
}

TEST_F(SchemaChangesTest, AnotherPrimaryKeyFailsItsStreamUntilTheConnectionKnowsIt) {
  FirstSync();
  const std::string shadow = "_vt_vrp_6ace8bcef73211ea87e9f875a4d24e90_20200915120410_";
  const std::string hold = "_vt_hld_6ace8bcef73211ea87e9f875a4d24e91_20200915120410_";
  source_.Execute(absl::StrCat("create table ", shadow,
                               " (id bigint not null, email varchar(64) not null, "
                               "primary key (id, email))"));
  source_.Execute(absl::StrCat("rename table customers to ", hold, ", ", shadow, " to customers"));
  source_.Execute("insert into customers values (101, 'one'), (101, 'another')");
  source_.Execute("insert into notes values (101, 'behind')");

  ExpectFailure("customers", "its key is (id) in the connection, and the table's is (id, email)");

  EXPECT_EQ(RowOf("notes", 101), R"({"id":101,"body":"behind"})");
}

TEST_F(SchemaChangesTest, ATableThatMoveTablesTookAwayGoesQuietAndThenFails) {
  FirstSync();
  simulator::Cluster& cluster = source_.simulator().cluster();
  ASSERT_TRUE(cluster.RunScript("create keyspace elsewhere").ok());
  const simulator::MoveTablesOptions move{"shop", "elsewhere", {"notes"}};
  ASSERT_TRUE(cluster.MoveTables(move).ok());
  source_.Execute("insert into notes values (101, 'there')");
  source_.Execute("insert into customers values (101, 'here')");

  ASSERT_EQ(source_.Read().exit.exit_code, 0);

  EXPECT_EQ(source_.destination().Sync("shop", "notes").records, 0u);
  EXPECT_EQ(RowOf("customers", 101), R"({"id":101,"email":"here"})");
  const auto check = source_.connector().Check();
  ASSERT_TRUE(check.ok()) << check.status();
  EXPECT_THAT(check->lines,
              Contains(HasSubstr("Moved to another keyspace: shop.notes (now in elsewhere)")));
  ASSERT_TRUE(cluster.CompleteMoveTables(move).ok());
  ExpectFailure("notes", "notes");
}

class IgnoredTruncateTest : public SchemaChangesTest {
 protected:
  IgnoredTruncateTest() : SchemaChangesTest({{"truncate", R"("ignore")"}}) {}
};

TEST_F(IgnoredTruncateTest, RowsStayAndLaterOnesCome) {
  FirstSync();
  source_.Execute("truncate table notes");
  source_.Execute("insert into notes values (101, 'behind')");

  ExpectSuccess();

  EXPECT_EQ(source_.destination().Rows("shop", "notes").size(), 21u);
}

// A row whose place does not depend on its key moves from shard to shard.
TEST(MovingRowsTest, ARowThatMovesIsNotLost) {
  SimulatedSource source;
  source.Execute(
      "create table parcels (id bigint not null, region bigint not null, primary key (id))");
  source.Execute("alter vschema on shop.parcels add vindex hash(region)");
  ASSERT_TRUE(source.Rediscover().ok());
  for (int id = 1; id <= 40; ++id) {
    source.Execute(absl::StrCat("insert into parcels values (", id, ", ", id, ")"));
  }
  ASSERT_EQ(source.Read().exit.exit_code, 0);
  // Over and over, so that both orders of the two halves of a move come up.
  for (int round = 1; round <= 5; ++round) {
    for (int id = 1; id <= 40; ++id) {
      source.Execute(absl::StrCat("update parcels set region = region + 1 where id = ", id));
    }
    source.Execute(absl::StrCat("delete from parcels where id = ", round));
    ASSERT_EQ(source.Read().exit.exit_code, 0);
    EXPECT_THAT(source.DifferencesOf("parcels"), IsEmpty());
  }
  EXPECT_THAT(source.destination().violations(), IsEmpty());
}

}  // namespace
}  // namespace source_vitess::integration_tests
