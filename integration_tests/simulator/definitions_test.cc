// Definitions while streams run, and behind them: the DDL events, the FIELD events that follow, and
// what the names of a later schema do to older rows (reference 4.4, 6).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "simulator/event_sequence.h"
#include "simulator/simulator.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DefinitionsTest : public testing::Test {
 protected:
  DefinitionsTest() {
    Check(simulator_.cluster().RunScript("create keyspace shop shards ('0')"));
    Run(R"(create table t (id bigint primary key, name varchar(20), age int);
      create table other (id bigint primary key);
      insert into t values (1, 'one', 11))");
    Check(simulator_.Start().status());
    position_ = cluster().Executed("shop", "0")->ToPosition();
  }

  static void Check(const absl::Status& status) { ASSERT_TRUE(status.ok()) << status; }

  void Run(const std::string& script) { Check(cluster().RunScript(Cat("use shop; ", script))); }

  // A stream from where the test began. Without tables: of all, by a regular expression.
  vtgate::VStreamRequest Request(const std::vector<std::string>& tables) {
    vtgate::VStreamRequest request;
    binlogdata::ShardGtid& shard = *request.mutable_vgtid()->add_shard_gtids();
    shard.set_keyspace("shop");
    shard.set_shard("0");
    shard.set_gtid(position_);
    for (const std::string& table : tables) {
      binlogdata::Rule& rule = *request.mutable_filter()->add_rules();
      rule.set_match(table);
      rule.set_filter(Cat("select * from `", table, "`"));
    }
    if (tables.empty()) request.mutable_filter()->add_rules()->set_match("/.*");
    return request;
  }

  // A field as its name and type, a row as its values.
  static std::string Told(const binlogdata::VEvent& event) {
    switch (event.type()) {
      case binlogdata::FIELD: {
        std::vector<std::string> fields;
        for (const query::Field& field : event.field_event().fields())
          fields.push_back(Cat(field.name(), " ", field.column_type()));
        return Cat("FIELD ", event.field_event().table_name(), "(", absl::StrJoin(fields, ", "),
                   ")");
      }
      case binlogdata::ROW: {
        const binlogdata::RowChange& change = event.row_event().row_changes(0);
        return Cat("ROW ", event.row_event().table_name(), change.has_before() ? " -" : "",
                   change.before().values(), change.has_after() ? " +" : "",
                   change.after().values());
      }
      case binlogdata::DDL:
        return Cat("DDL ", event.statement());
      case binlogdata::OTHER:
        return "OTHER";
      case binlogdata::COMMIT:
        return "COMMIT";
      default:
        return "";
    }
  }

  static std::vector<std::string> Told(const Responses& responses) {
    std::vector<std::string> told;
    for (const vtgate::VStreamResponse& response : responses) {
      for (const binlogdata::VEvent& event : response.events()) {
        if (std::string text = Told(event); !text.empty()) told.push_back(std::move(text));
      }
    }
    return told;
  }

  // Reads to the row (99) of table `other`, which is inserted now, and tells what came before it.
  std::vector<std::string> Stream(std::vector<std::string> tables) {
    if (!tables.empty()) tables.emplace_back("other");
    Run("insert ignore into other values (99)");
    StreamReader reader(simulator_.address(), Request(tables));
    while (reader.ReadMessage()) {
      std::vector<std::string> told = Told(reader.responses());
      for (size_t i = 0; i < told.size(); ++i) {
        if (told[i] != "ROW shop.other +99") continue;
        told.resize(told[i - 1].starts_with("FIELD shop.other") ? i - 1 : i);
        return told;
      }
    }
    return {"ended"};
  }

  // How a stream from the start ends, and what comes before.
  std::string End(const vtgate::VStreamRequest& request) {
    StreamReader reader(simulator_.address(), request);
    const grpc::Status status = reader.Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNKNOWN);
    return status.error_message();
  }

  Cluster& cluster() { return simulator_.cluster(); }

  Simulator simulator_;
  std::string position_;
};

// --- in the stream: each statement is read before the next is run

class DefinitionsInTheStreamTest : public DefinitionsTest {
 protected:
  DefinitionsInTheStreamTest() : reader_(simulator_.address(), Request({})) {}

  // Runs a statement of one transaction or definition, and tells what it brings.
  std::vector<std::string> After(const std::string& sql) {
    Run(sql);
    const size_t before = reader_.responses().size();
    EXPECT_TRUE(reader_.ReadMessage());
    const auto begin = reader_.responses().begin() + static_cast<std::ptrdiff_t>(before);
    std::vector<std::string> told = Told(Responses(begin, reader_.responses().end()));
    std::erase(told, "COMMIT");
    return told;
  }

  StreamReader reader_;
};

TEST_F(DefinitionsInTheStreamTest, AddsColumns) {
  EXPECT_THAT(After("alter table t add column note varchar(9) default 'n'"),
              ElementsAre("DDL alter table t add column note varchar(9) default 'n'"));
  EXPECT_THAT(After("update t set age = 12 where id = 1"),
              ElementsAre("FIELD shop.t(id bigint, name varchar(20), age int, note varchar(9))",
                          "ROW shop.t -1one11n +1one12n"));
  After("alter table t add column f int first, add column g int after id");
  EXPECT_THAT(After("delete from t where id = 1"),
              ElementsAre("FIELD shop.t(f int, id bigint, g int, name varchar(20), age int, note "
                          "varchar(9))",
                          "ROW shop.t -1one12n"));
}

TEST_F(DefinitionsInTheStreamTest, DropsRenamesAndRetypesColumns) {
  After("alter table t drop column name");
  EXPECT_THAT(After("insert into t values (2, 22)"),
              ElementsAre("FIELD shop.t(id bigint, age int)", "ROW shop.t +222"));
  After("alter table t rename column age to years");
  EXPECT_THAT(After("insert into t values (3, 33)"),
              ElementsAre("FIELD shop.t(id bigint, years int)", "ROW shop.t +333"));
  After("alter table t modify column years varchar(10) first");
  EXPECT_THAT(After("insert into t values ('x', 4)"),
              ElementsAre("FIELD shop.t(years varchar(10), id bigint)", "ROW shop.t +x4"));
  EXPECT_EQ(cluster().Execute("shop", "select * from t where years = '22'")->rows_size(), 1);
}

TEST_F(DefinitionsInTheStreamTest, SendsFieldsOnceAfterEachDefinition) {
  EXPECT_THAT(After("insert into t values (2, 'two', 22)"), testing::SizeIs(2));
  EXPECT_THAT(After("insert into t values (3, 'three', 33)"), ElementsAre("ROW shop.t +3three33"));
  After("create index by_name on t (name)");
  EXPECT_THAT(After("delete from t where id = 3"), testing::SizeIs(2));
}

TEST_F(DefinitionsInTheStreamTest, TruncatesWithoutRows) {
  EXPECT_THAT(After("truncate table t"), ElementsAre("DDL truncate table t"));
  EXPECT_THAT(
      After("insert into t values (1, 'again', 1)"),
      ElementsAre("FIELD shop.t(id bigint, name varchar(20), age int)", "ROW shop.t +1again1"));
}

TEST_F(DefinitionsInTheStreamTest, DropsATableInMysqlsWords) {
  EXPECT_THAT(After("drop table t"), ElementsAre("DDL DROP TABLE `t` /* generated by server */"));
  EXPECT_THAT(After("create table t (id bigint primary key)"),
              ElementsAre("DDL create table t (id bigint primary key)"));
  EXPECT_THAT(After("insert into t values (7)"),
              ElementsAre("FIELD shop.t(id bigint)", "ROW shop.t +7"));
}

TEST_F(DefinitionsInTheStreamTest, GivesATableAnotherPrimaryKey) {
  After("alter table t drop primary key, add primary key (age, id)");
  After("insert into t values (1, 'same id', 12)");
  const binlogdata::VEvent& field = reader_.responses().back().events(1);
  ASSERT_EQ(field.type(), binlogdata::FIELD);
  EXPECT_NE(field.field_event().fields(2).flags() & query::PRI_KEY_FLAG, 0U);
  EXPECT_EQ(cluster().Execute("shop", "select id from t")->rows_size(), 2);
}

TEST_F(DefinitionsInTheStreamTest, SendsRowsUnderATablesNewName) {
  EXPECT_THAT(After("rename table t to u"), ElementsAre("DDL rename table t to u"));
  EXPECT_THAT(
      After("delete from u"),
      ElementsAre("FIELD shop.u(id bigint, name varchar(20), age int)", "ROW shop.u -1one11"));
}

TEST_F(DefinitionsInTheStreamTest, ChangesNothingIfAPartOfAnAlterFails) {
  EXPECT_FALSE(cluster().Execute("shop", "alter table t add column x int, drop column y").ok());
  EXPECT_THAT(
      After("delete from t"),
      ElementsAre("FIELD shop.t(id bigint, name varchar(20), age int)", "ROW shop.t -1one11"));
}

// --- with a filter that names tables

TEST_F(DefinitionsTest, LosesATableThatIsRenamedAway) {
  Run("rename table t to u; insert into u values (2, 'two', 22)");
  EXPECT_THAT(Stream({"t"}), ElementsAre("DDL rename table t to u", "COMMIT"));
  EXPECT_THAT(Stream({"u"}), ElementsAre("DDL rename table t to u",
                                         "FIELD shop.u(id bigint, name varchar(20), age int)",
                                         "ROW shop.u +2two22", "COMMIT"));
}

TEST_F(DefinitionsTest, TellsOtherTablesDefinitionsAsOther) {
  Run("create table u (id bigint primary key); analyze table t; grant select on t to someone;"
      "create trigger x before insert on u for each row set new.id = 1");
  EXPECT_THAT(Stream({"t"}),
              ElementsAre("OTHER", "OTHER", "OTHER",
                          "DDL create trigger x before insert on u for each row set new.id = 1"));
}

TEST_F(DefinitionsTest, SendsNoRowsOfTablesThatVitessTakesForItsOwn) {
  Run("create table _t_old (id bigint primary key); insert into _t_old values (1);"
      "create table _vt_hld_00000000000000000000000000000001_20260101000000_ (id bigint primary "
      "key);"
      "insert into _vt_hld_00000000000000000000000000000001_20260101000000_ values (1);"
      "create table _t_older (id bigint primary key); insert into _t_older values (1)");
  EXPECT_THAT(Stream({"_t_old", "_t_older"}),
              ElementsAre("DDL create table _t_old (id bigint primary key)", "COMMIT", "OTHER",
                          "COMMIT", "DDL create table _t_older (id bigint primary key)",
                          "FIELD shop._t_older(id bigint)", "ROW shop._t_older +1", "COMMIT"));
}

TEST_F(DefinitionsTest, SeesTheCutOverOfAnOnlineDdlAlone) {
  Run("insert into t values (2, 'two', 22)");
  Check(cluster().RunOnlineDdl("shop", "alter table t add column note int after name"));
  Run("insert into t values (3, 'three', 7, 33)");
  const std::vector<std::string> told = Stream({"t"});
  ASSERT_THAT(told, testing::SizeIs(10));
  // What comes before the definition has the names that came after it: rule 10.
  EXPECT_EQ(told[0], "FIELD shop.t(id bigint, name varchar(20), note int)");
  EXPECT_THAT(std::vector<std::string>(told.begin() + 3, told.begin() + 6),
              ElementsAre("OTHER", "OTHER", "COMMIT"));
  EXPECT_THAT(told[6], testing::StartsWith("DDL RENAME TABLE `t` TO `_vt_hld_"));
  EXPECT_THAT(told[6], HasSubstr("` TO `t`, `_vt_hld_"));
  EXPECT_EQ(told[7], "FIELD shop.t(id bigint, name varchar(20), note int, age int)");
  EXPECT_EQ(told[8], "ROW shop.t +3three733");
}

TEST_F(DefinitionsTest, ShowsTheShadowTablesDefinitionsToARegularExpression) {
  Check(cluster().RunOnlineDdl("shop", "alter table `t` drop column age"));
  const std::vector<std::string> told = Stream({});
  ASSERT_THAT(told, testing::SizeIs(4));
  EXPECT_THAT(told[0], testing::MatchesRegex("DDL create table `_vt_vrp_.*_` like `t`"));
  EXPECT_THAT(told[1], testing::MatchesRegex("DDL alter table `_vt_vrp_.*_` drop column age"));
  EXPECT_EQ(told[2], "COMMIT");  // its rows
  EXPECT_THAT(told[3], testing::StartsWith("DDL RENAME TABLE"));
}

TEST_F(DefinitionsTest, CopiesATableFromItsNewDefinition) {
  Check(cluster().RunOnlineDdl("shop", "alter table t drop column name"));
  vtgate::VStreamRequest request = Request({"t"});
  request.mutable_vgtid()->mutable_shard_gtids(0)->clear_gtid();
  StreamReader reader(simulator_.address(), request);
  reader.ReadEvents(5);
  EXPECT_THAT(Told(reader.responses()),
              ElementsAre("FIELD shop.t(id bigint, age int)", "ROW shop.t +111", "COMMIT"));
}

TEST_F(DefinitionsTest, CanAlterOneShardBeforeAnother) {
  Check(cluster().RunScript(
      "create keyspace pair shards ('-80', '80-'); use pair;"
      "create table p (id bigint primary key); alter vschema on p add vindex hash(id)"));
  ASSERT_TRUE(cluster().Execute("pair:-80", "alter table p add column note int").ok());
  EXPECT_EQ(cluster().Execute("pair:-80", "select * from p")->fields_size(), 2);
  EXPECT_EQ(cluster().Execute("pair:80-", "select * from p")->fields_size(), 1);
}

// --- tables that move to another keyspace

class MoveTablesTest : public DefinitionsTest {
 protected:
  MoveTablesTest() {
    Check(cluster().RunScript(
        "create keyspace pair shards ('-80', '80-'); alter vschema on pair.t add vindex hash(id)"));
    Run("insert into t values (4, 'four', 44)");
    Check(cluster().WriteInternalTransaction("pair", "80-"));
    start_ = cluster().Executed("pair", "80-")->ToPosition();
    Check(cluster().MoveTables(move_));
  }

  std::string start_;  // in 80-
  const MoveTablesOptions move_ = {"shop", "pair", {"t"}};
};

TEST_F(MoveTablesTest, GoQuietInTheOldKeyspace) {
  Run("insert into t values (2, 'two', 22)");
  EXPECT_THAT(Stream({"t"}), ElementsAre("FIELD shop.t(id bigint, name varchar(20), age int)",
                                         "ROW shop.t +4four44", "COMMIT",
                                         "COMMIT"));  // the journal
}

TEST_F(MoveTablesTest, LiveOnInTheNewOne) {
  Run("insert into t values (2, 'two', 22)");
  EXPECT_EQ(cluster().Execute("pair", "select id from t")->rows_size(), 3);
  EXPECT_EQ(cluster().Execute("pair:80-", "select id from t")->rows_size(), 1);
  EXPECT_EQ(cluster().Execute("shop", "select id from t")->rows_size(), 3);
  EXPECT_EQ(cluster().Execute("shop:0", "select id from t")->rows_size(), 2);
}

TEST_F(MoveTablesTest, ArriveWithADefinitionAndRows) {
  vtgate::VStreamRequest request = Request({"t"});
  binlogdata::ShardGtid& shard = *request.mutable_vgtid()->mutable_shard_gtids(0);
  shard.set_keyspace("pair");
  shard.set_shard("80-");
  shard.set_gtid(start_);
  StreamReader reader(simulator_.address(), request);
  reader.ReadEvents(7);
  EXPECT_THAT(Told(reader.responses()),
              ElementsAre(testing::StartsWith("DDL create table `t`"),
                          "FIELD pair.t(id bigint, name varchar(20), age int)",
                          "ROW pair.t +4four44", "COMMIT"));
}

TEST_F(MoveTablesTest, AreDroppedInTheOldOneInTheEnd) {
  Check(cluster().CompleteMoveTables(move_));
  EXPECT_THAT(Stream({"other"}), testing::SizeIs(3));
  EXPECT_FALSE(cluster().Execute("shop:0", "select id from t").ok());
  EXPECT_EQ(cluster().Execute("pair", "select id from t")->rows_size(), 2);
}

TEST_F(MoveTablesTest, MoveOnceOnly) {
  EXPECT_EQ(cluster().MoveTables(move_).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(cluster().MoveTables({"shop", "pair", {"nope"}}).code(), absl::StatusCode::kNotFound);
}

// --- behind the stream: rows are older than the schema

TEST_F(DefinitionsTest, TakesALaterColumnsNameForAnEarlierRow) {
  Run("insert into t values (2, 'two', 22); alter table t rename column name to title");
  EXPECT_EQ(Stream({"t"})[0], "FIELD shop.t(id bigint, title varchar(20), age int)");
}

TEST_F(DefinitionsTest, NumbersColumnsWhoseTypesDoNotFitAnyMore) {
  Run("insert into t values (2, 'two', 22); alter table t modify column age varchar(9) first");
  const std::vector<std::string> told = Stream({"t"});
  EXPECT_EQ(told[0], "FIELD shop.t(@1 , @2 , @3 )");
  EXPECT_EQ(told[1], "ROW shop.t +2two22");
}

TEST_F(DefinitionsTest, TellsNumberedColumnsWithTheTypesOfTheLog) {
  Run("create table u (a bigint unsigned primary key, b varbinary(9), c blob, d date);"
      "insert into u values (1, 'b', 'c', '2026-01-02'); drop table u");
  vtgate::VStreamRequest request = Request({"u"});
  request.mutable_filter()->set_field_event_mode(binlogdata::Filter::BEST_EFFORT);
  StreamReader reader(simulator_.address(), request);
  reader.ReadEvents(7);
  const binlogdata::FieldEvent& field = reader.responses().back().events(1).field_event();
  ASSERT_EQ(field.fields_size(), 4);
  EXPECT_EQ(field.fields(0).type(), query::INT64);
  EXPECT_EQ(field.fields(1).type(), query::VARCHAR);
  EXPECT_EQ(field.fields(2).type(), query::TEXT);
  EXPECT_EQ(field.fields(3).type(), query::DATE);
}

TEST_F(DefinitionsTest, HasNoLabelsForANumberedEnum) {
  Run("create table u (id bigint primary key, kind enum('a', 'b')); insert into u values (1, 'a');"
      "alter table u modify column id varchar(9)");
  EXPECT_THAT(End(Request({"u"})),
              HasSubstr("enum or set column @2 does not have valid string values"));
}

TEST_F(DefinitionsTest, CannotPickNumberedColumnsByName) {
  Run("insert into t values (2, 'two', 22); alter table t modify column age varchar(9)");
  vtgate::VStreamRequest request = Request({"t"});
  request.mutable_filter()->mutable_rules(0)->set_filter("select id, age from t");
  EXPECT_THAT(End(request), HasSubstr("cannot use column names in vstream filter"));
}

TEST_F(DefinitionsTest, KnowsNothingOfATableThatWasDroppedLater) {
  Run("insert into t values (2, 'two', 22); drop table t");
  EXPECT_THAT(End(Request({"t"})), HasSubstr("unknown table t in schema"));
}

TEST_F(DefinitionsTest, ReadsRowsOfADroppedTableThatHasANewOneInItsPlace) {
  Run("insert into t values (2, 'two', 22); drop table t;"
      "create table t (a bigint primary key, b varchar(20), c int, d int)");
  EXPECT_EQ(Stream({"t"})[0], "FIELD shop.t(a bigint, b varchar(20), c int)");
}

TEST_F(DefinitionsTest, RefusesALastKeyOfAnotherPrimaryKey) {
  Run("insert into t values (2, 'two', 22); alter table t drop primary key, add primary key (id, "
      "age)");
  vtgate::VStreamRequest request = Request({"t"});
  binlogdata::TableLastPK& last =
      *request.mutable_vgtid()->mutable_shard_gtids(0)->add_table_p_ks();
  last.set_table_name("t");
  last.mutable_lastpk()->add_fields()->set_name("id");
  last.mutable_lastpk()->add_rows()->add_lengths(1);
  last.mutable_lastpk()->mutable_rows(0)->set_values("1");
  request.mutable_filter()->mutable_rules(0)->set_filter("select * from t");
  EXPECT_THAT(End(request), HasSubstr("does not match the number of primary key columns"));
}

}  // namespace
}  // namespace source_vitess::simulator
