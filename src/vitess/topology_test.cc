#include "vitess/topology.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vitess/answering_client_for_test.h"
#include "vitess/errors.h"
#include "vitess/recorded_for_test.h"
#include "vitess/result_rows.h"

namespace source_vitess::vitess {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kUuid[] = "83c0af68-e68d-11f1-b044-02fc00000001";

class TopologyTest : public ::testing::Test {
 protected:
  // The answer to the recorded question for a shard's position.
  void AnswerPosition(absl::StatusOr<query::QueryResult> answer) {
    client_.Answer("customer:-80@primary", RecordedRequest("positions").query().sql(),
                   std::move(answer));
  }

  void AnswerPosition(const AnswerRow& row) {
    AnswerPosition(Result({"a", "b", "c", "d", "e", "f"}, {row}));
  }

  absl::StatusOr<ShardStatus> ReadPosition() {
    return ReadShardStatus(client_, "customer", "-80", topodata::PRIMARY);
  }

  AnsweringClient client_;
};

TEST_F(TopologyTest, ListsTheRecordedKeyspaces) {
  client_.AnswerAsRecorded("keyspaces");

  const auto keyspaces = ListKeyspaces(client_);

  ASSERT_TRUE(keyspaces.ok()) << keyspaces.status();
  EXPECT_THAT(*keyspaces, ElementsAre("customer", "commerce"));
}

TEST_F(TopologyTest, ListsTheRecordedShardsOfAKeyspace) {
  client_.AnswerAsRecorded("shards");

  const auto sharded = ListShards(client_, "customer");
  const auto whole = ListShards(client_, "commerce");

  ASSERT_TRUE(sharded.ok()) << sharded.status();
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_THAT(*sharded, ElementsAre("-80", "80-"));
  EXPECT_THAT(*whole, ElementsAre("0"));
}

TEST_F(TopologyTest, OrdersShardsByTheirKeyRanges) {
  client_.Answer("", "show vitess_shards",
                 Result({"Shards"}, {{"k/c0-"},
                                     {"k/80-c0"},
                                     {"k/40-4080"},
                                     {"k/4080-80"},
                                     {"k/-40"},
                                     {"other/-"},
                                     {"k2/0"}}));

  const auto shards = ListShards(client_, "k");

  ASSERT_TRUE(shards.ok()) << shards.status();
  EXPECT_THAT(*shards, ElementsAre("-40", "40-4080", "4080-80", "80-c0", "c0-"));
}

TEST_F(TopologyTest, NamesTheKeyspacesThereAreWhenOneIsUnknown) {
  client_.AnswerAsRecorded("shards");
  client_.AnswerAsRecorded("keyspaces");

  const absl::Status status = ListShards(client_, "custome").status();

  EXPECT_EQ(Classify(status), ErrorClass::kConfiguration);
  EXPECT_EQ(status.message(),
            "there is no keyspace custome; check the option keyspaces (there are: customer, "
            "commerce)");
}

TEST_F(TopologyTest, WaitsForAKeyspaceOfWhichNoShardServes) {
  client_.Answer("", "show vitess_shards", Result({"Shards"}, {{"commerce/0"}}));
  client_.AnswerAsRecorded("keyspaces");

  EXPECT_EQ(Classify(ListShards(client_, "customer").status()), ErrorClass::kTransient);
}

TEST_F(TopologyTest, ListsTheRecordedTablets) {
  client_.AnswerAsRecorded("tablets");

  const auto tablets = ListTablets(client_);

  ASSERT_TRUE(tablets.ok()) << tablets.status();
  ASSERT_EQ(tablets->size(), 6u);
  const Tablet& tablet = (*tablets)[3];
  EXPECT_EQ(tablet.cell, "test");
  EXPECT_EQ(tablet.keyspace, "customer");
  EXPECT_EQ(tablet.shard, "-80");
  EXPECT_EQ(tablet.type, topodata::RDONLY);
  EXPECT_TRUE(tablet.serving);
  EXPECT_EQ(tablet.alias, "test-0000000004");
}

TEST_F(TopologyTest, FindsColumnsByNameWhateverTheirCaseAndOrder) {
  client_.Answer("", "show vitess_tablets",
                 Result({"ALIAS", "New", "state", "tablettype", "shard", "keyspace", "cell"},
                        {{"z-1", "x", "NOT_SERVING", "MASTER", "0", "k", "z"},
                         {"z-2", "x", "SERVING", "NEWTYPE", "0", "k", "z"}}));

  const auto tablets = ListTablets(client_);

  ASSERT_TRUE(tablets.ok()) << tablets.status();
  ASSERT_EQ(tablets->size(), 2u);
  EXPECT_EQ((*tablets)[0].alias, "z-1");
  EXPECT_EQ((*tablets)[0].cell, "z");
  EXPECT_EQ((*tablets)[0].type, topodata::PRIMARY);
  EXPECT_FALSE((*tablets)[0].serving);
  EXPECT_EQ((*tablets)[1].type, topodata::UNKNOWN);
}

TEST_F(TopologyTest, ReportsAnAnswerWithoutTheColumnsThatItNeeds) {
  client_.Answer("", "show vitess_tablets", Result({"Cell"}, {{"z"}}));

  const absl::Status status = ListTablets(client_).status();

  EXPECT_EQ(Classify(status), ErrorClass::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("has no column Keyspace"));
}

TEST_F(TopologyTest, ReadsTheRecordedPosition) {
  client_.AnswerAsRecorded("positions");

  const auto status = ReadPosition();

  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->executed.ToString(), absl::StrCat(kUuid, ":1-611"));
  EXPECT_EQ(status->purged.ToString(), absl::StrCat(kUuid, ":1-611"));
  EXPECT_EQ(status->binlog_row_image, "FULL");
  EXPECT_EQ(status->binlog_row_value_options, "");
  EXPECT_EQ(status->server_uuid, kUuid);
  EXPECT_EQ(status->version, "8.4.6-Vitess");
}

TEST_F(TopologyTest, ReadsSetsOverSeveralLinesAndNullsAsEmpty) {
  AnswerPosition({absl::StrCat("253437b8-e694-11f1-a451-02fc00000001:1-75,\n", kUuid, ":1-9"),
                  std::nullopt, "NOBLOB", "PARTIAL_JSON", kUuid, "8.0.36"});

  const auto status = ReadPosition();

  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->executed.servers().size(), 2u);
  EXPECT_TRUE(status->purged.empty());
  EXPECT_EQ(status->binlog_row_value_options, "PARTIAL_JSON");
}

TEST_F(TopologyTest, NamesShardAndTabletTypeInErrors) {
  client_.Answer("customer:-40@replica", RecordedRequest("positions").query().sql(),
                 absl::UnavailableError("no healthy tablet available"));

  const absl::Status status =
      ReadShardStatus(client_, "customer", "-40", topodata::REPLICA).status();

  EXPECT_EQ(status.message(),
            "reading the position of a replica tablet of shard customer/-40: no healthy tablet "
            "available");
  EXPECT_EQ(Classify(status), ErrorClass::kTransient);
}

constexpr char kOldPositions[] =
    "select @@global.gtid_executed, @@global.gtid_purged, @@global.binlog_row_image, '', "
    "@@global.server_uuid, @@version";

TEST_F(TopologyTest, AsksServersThatLackAVariableWithoutIt) {
  AnswerPosition(absl::UnknownError(
      "Unknown system variable 'binlog_row_value_options' (errno 1193) (sqlstate HY000)"));
  client_.Answer("customer:-80@primary", kOldPositions,
                 Result({"a", "b", "c", "d", "e", "f"},
                        {{absl::StrCat(kUuid, ":1-9"), "", "FULL", "", kUuid, "5.7.44-log"}}));

  const auto status = ReadPosition();

  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->executed.ToString(), absl::StrCat(kUuid, ":1-9"));
  EXPECT_EQ(status->binlog_row_value_options, "");
  EXPECT_EQ(status->version, "5.7.44-log");
}

TEST_F(TopologyTest, RefusesServersWithoutGtids) {
  const absl::Status unknown =
      absl::UnknownError("Unknown system variable 'gtid_executed' (errno 1193)");
  AnswerPosition(unknown);
  client_.Answer("customer:-80@primary", kOldPositions, unknown);

  const absl::Status status = ReadPosition().status();

  EXPECT_EQ(Classify(status), ErrorClass::kConfiguration);
  EXPECT_THAT(std::string(status.message()), HasSubstr("no MySQL with GTIDs"));
}

TEST_F(TopologyTest, RefusesGtidsThatVitessDoesNotTrack) {
  AnswerPosition({absl::StrCat(kUuid, ":1-5:tag:1"), "", "FULL", "", kUuid, "8.4.0"});

  const absl::Status status = ReadPosition().status();

  EXPECT_EQ(Classify(status), ErrorClass::kConfiguration);
  EXPECT_THAT(std::string(status.message()), HasSubstr("shard customer/-80: gtid_executed: "));
  EXPECT_THAT(std::string(status.message()), HasSubstr("tagged GTIDs"));
}

TEST_F(TopologyTest, ReportsAPositionOfNoRowOrTooFewColumns) {
  AnswerPosition(Result({"a", "b", "c", "d", "e", "f"}, {}));
  EXPECT_EQ(Classify(ReadPosition().status()), ErrorClass::kInternal);

  AnswerPosition(Result({"a"}, {{""}}));
  EXPECT_EQ(Classify(ReadPosition().status()), ErrorClass::kInternal);
}

class ReferenceTableTest : public TopologyTest {
 protected:
  void AnswerVindexes(absl::StatusOr<query::QueryResult> answer) {
    client_.Answer("customer", "show vschema vindexes on `customer`.`countries`",
                   std::move(answer));
  }
  void AnswerPlan(absl::StatusOr<query::QueryResult> answer) {
    client_.Answer("customer", "vexplain plan select * from `customer`.`countries`",
                   std::move(answer));
  }
  absl::StatusOr<bool> Ask() { return IsReferenceTable(client_, "customer", "countries"); }

  const std::vector<std::string> vindex_columns_ = {"Columns", "Name", "Type", "Params", "Owner"};
};

TEST_F(ReferenceTableTest, IsOneWhichIsReadFromAnyShard) {
  AnswerVindexes(Result(vindex_columns_, {}));
  AnswerPlan(Result({"JSON"}, {{"{\n\t\"OperatorType\": \"Route\",\n\t\"Variant\": "
                                "\"Reference\",\n\t\"Keyspace\": {\n\t\t\"Name\": "
                                "\"customer\"}}"}}));

  const auto is_reference = Ask();

  ASSERT_TRUE(is_reference.ok()) << is_reference.status();
  EXPECT_TRUE(*is_reference);
}

TEST_F(ReferenceTableTest, IsNoneWithAVindex) {
  AnswerVindexes(Result(vindex_columns_, {{"id", "hash", "hash", "", ""}}));

  const auto is_reference = Ask();

  ASSERT_TRUE(is_reference.ok()) << is_reference.status();
  EXPECT_FALSE(*is_reference);
}

TEST_F(ReferenceTableTest, IsNoneWhoseRowsAreInOneShard) {
  AnswerVindexes(Result(vindex_columns_, {}));
  AnswerPlan(Result({"JSON"}, {{"{\"OperatorType\":\"Route\",\"Variant\":\"EqualUnique\"}"}}));

  const auto is_reference = Ask();

  ASSERT_TRUE(is_reference.ok()) << is_reference.status();
  EXPECT_FALSE(*is_reference);
}

TEST_F(ReferenceTableTest, IsNoneThatTheVschemaDoesNotHave) {
  AnswerVindexes(
      absl::NotFoundError("VT05005: table 'countries' does not exist in keyspace 'customer'"));

  const auto is_reference = Ask();

  ASSERT_TRUE(is_reference.ok()) << is_reference.status();
  EXPECT_FALSE(*is_reference);
}

TEST_F(ReferenceTableTest, IsNoneWhereVitessCannotTell) {
  AnswerVindexes(Result(vindex_columns_, {}));
  AnswerPlan(absl::InvalidArgumentError("syntax error at position 9 near 'vexplain'"));

  const auto is_reference = Ask();

  ASSERT_TRUE(is_reference.ok()) << is_reference.status();
  EXPECT_FALSE(*is_reference);
}

TEST_F(ReferenceTableTest, IsNotDecidedWhileVtgateIsAway) {
  AnswerVindexes(Result(vindex_columns_, {}));
  AnswerPlan(absl::UnavailableError("connection refused"));

  EXPECT_EQ(Ask().status().code(), absl::StatusCode::kUnavailable);
}

TEST(TabletTypeNameTest, IsWhatStandsBehindTheAtSignOfATarget) {
  EXPECT_EQ(TabletTypeName(topodata::PRIMARY), "primary");
  EXPECT_EQ(TabletTypeName(topodata::REPLICA), "replica");
  EXPECT_EQ(TabletTypeName(topodata::RDONLY), "rdonly");
}

TEST(ResultRowsTest, TellsNullFromEmpty) {
  const query::QueryResult result = Result({"a", "b"}, {{std::nullopt, ""}, {"x", "yz"}});

  const auto rows = ResultRows::Read(result);

  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_TRUE(rows->IsNull(0, 0));
  EXPECT_FALSE(rows->IsNull(0, 1));
  EXPECT_EQ(rows->Cell(0, 1), "");
  EXPECT_EQ(rows->Cell(1, 1), "yz");
}

TEST(ResultRowsTest, RefusesRowsThatContradictThemselves) {
  query::QueryResult too_few_columns = Result({"a", "b"}, {{"x"}});
  query::QueryResult too_few_bytes = Result({"a"}, {{"x"}});
  too_few_bytes.mutable_rows(0)->set_lengths(0, 2);
  query::QueryResult too_many_bytes = Result({"a"}, {{"x"}});
  too_many_bytes.mutable_rows(0)->set_lengths(0, 0);

  for (const auto* result : {&too_few_columns, &too_few_bytes, &too_many_bytes}) {
    EXPECT_EQ(Classify(ResultRows::Read(*result).status()), ErrorClass::kInternal)
        << result->ShortDebugString();
  }
}

TEST(ResultRowsTest, HasNoRowsWithoutColumns) {
  const auto rows = ResultRows::Read(query::QueryResult());

  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->size(), 0u);
}

}  // namespace
}  // namespace source_vitess::vitess
