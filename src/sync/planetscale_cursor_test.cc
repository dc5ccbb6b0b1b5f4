#include "sync/planetscale_cursor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "planetscale/psdbconnect.pb.h"

namespace source_vitess::sync {
namespace {

using psdbconnect::v1alpha1::TableCursor;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr char kFirst[] = "MySQL56/8bc65c84-3fe4-11ed-a912-257f0fcdd6c9:1-5";
constexpr char kSecond[] = "MySQL56/16b1039f-22b6-11ed-b765-0a43f95f28a3:1-9";

TableCursor Cursor(const std::string& shard, const std::string& position) {
  TableCursor cursor;
  cursor.set_keyspace("shop");
  cursor.set_shard(shard);
  cursor.set_position(position);
  return cursor;
}

TableCursor CursorWithKey(const std::string& shard, const std::string& position) {
  TableCursor cursor = Cursor(shard, position);
  query::QueryResult& key = *cursor.mutable_last_known_pk();
  query::Field& field = *key.add_fields();
  field.set_name("id");
  field.set_type(query::INT64);
  query::Row& row = *key.add_rows();
  row.add_lengths(4);
  row.set_values("4711");
  return cursor;
}

std::string Base64(const TableCursor& cursor) {
  return absl::Base64Escape(cursor.SerializeAsString());
}

// The members of "shards", each a name and the text of its entry.
PlanetscaleTakeover TakeOver(const std::vector<std::pair<std::string, std::string>>& shards) {
  std::string text;
  for (const auto& [shard, entry] : shards) {
    absl::StrAppend(&text, text.empty() ? "" : ",", "\"", shard, "\":", entry);
  }
  rapidjson::Document state;
  state.Parse(absl::StrCat("{\"shards\":{", text, "}}").c_str());
  EXPECT_FALSE(state.HasParseError()) << text;
  return TakeOverPlanetscaleTable("shop", "orders", state);
}

std::string Entry(const TableCursor& cursor) {
  return absl::StrCat(R"({"cursor":")", Base64(cursor), "\"}");
}

TEST(PlanetscaleCursorTest, APositionAloneIsReplicatedFrom) {
  const auto takeover =
      TakeOver({{"-80", Entry(Cursor("-80", kFirst))}, {"80-", Entry(Cursor("80-", kSecond))}});

  ASSERT_TRUE(takeover.position.has_value()) << takeover.note;
  EXPECT_TRUE(takeover.position->IsCopied());
  ASSERT_EQ(takeover.position->vgtid.shard_gtids_size(), 2);
  EXPECT_EQ(takeover.position->FindShard("-80")->gtid(), kFirst);
  EXPECT_EQ(takeover.position->FindShard("80-")->gtid(), kSecond);
  EXPECT_EQ(takeover.position->FindShard("80-")->keyspace(), "shop");
  EXPECT_THAT(takeover.position->since, IsEmpty());
  EXPECT_EQ(takeover.note,
            "Table shop.orders goes on from the state of PlanetScale's connector: 2 shards "
            "replicated from where it stopped.");
}

TEST(PlanetscaleCursorTest, ACopyGoesOnBehindItsKeyAndIsFollowedFromItsPosition) {
  const auto takeover =
      TakeOver({{"-80", Entry(CursorWithKey("-80", kFirst))}, {"80-", R"({"cursor":""})"}});

  ASSERT_TRUE(takeover.position.has_value()) << takeover.note;
  const binlogdata::ShardGtid& shard = *takeover.position->FindShard("-80");
  EXPECT_EQ(shard.gtid(), kFirst);
  ASSERT_EQ(shard.table_p_ks_size(), 1);
  EXPECT_EQ(shard.table_p_ks(0).table_name(), "orders");
  EXPECT_EQ(shard.table_p_ks(0).lastpk().rows(0).values(), "4711");
  EXPECT_THAT(takeover.position->since, UnorderedElementsAre(Pair("-80", kFirst)));
  EXPECT_EQ(takeover.position->FindShard("80-")->gtid(), "");
  EXPECT_THAT(takeover.note, AllOf(HasSubstr("1 shard copied on behind its last key"),
                                   HasSubstr("1 shard not begun"), Not(HasSubstr("4711"))));
}

TEST(PlanetscaleCursorTest, ATableThatWasNotBegunHasNoPosition) {
  // The second one is the cursor of a table that PlanetScale's connectors have not begun.
  for (const char* entry : {R"({"cursor":""})", R"({"cursor":null})", "{}"}) {
    const auto takeover = TakeOver({{"-", entry}});
    EXPECT_FALSE(takeover.position.has_value());
    EXPECT_THAT(takeover.note, HasSubstr("had not begun"));
  }
  rapidjson::Document state;
  state.Parse(R"({"shards":{"-":{"cursor":"CgEtEgdTYWxlc0RC"}}})");
  const auto takeover = TakeOverPlanetscaleTable("SalesDB", "orders", state);
  EXPECT_FALSE(takeover.position.has_value());
  EXPECT_THAT(takeover.note, HasSubstr("had not begun"));
}

struct UnusableCase {
  const char* name;
  std::string entry;  // of shard 80-
  const char* reason;
};

std::vector<UnusableCase> UnusableCases() {
  TableCursor without_position = CursorWithKey("80-", "");
  TableCursor without_columns = CursorWithKey("80-", kSecond);
  without_columns.mutable_last_known_pk()->clear_fields();
  TableCursor without_row = CursorWithKey("80-", kSecond);
  without_row.mutable_last_known_pk()->clear_rows();
  TableCursor short_key = CursorWithKey("80-", kSecond);
  short_key.mutable_last_known_pk()->mutable_rows(0)->set_lengths(0, 5);
  TableCursor other_keyspace = Cursor("80-", kSecond);
  other_keyspace.set_keyspace("other");
  std::string cut = Cursor("80-", kSecond).SerializeAsString();
  cut.pop_back();
  return {
      {"KeyWithoutPosition", Entry(without_position), "no position"},
      {"KeyWithoutColumns", Entry(without_columns), "no columns"},
      {"KeyWithoutRow", Entry(without_row), "not one row"},
      {"ShortKey", Entry(short_key), "shorter"},
      {"OtherKeyspace", Entry(other_keyspace), "another shard"},
      {"OtherShard", Entry(Cursor("-80", kFirst)), "another shard"},
      {"OtherShardNotBegun", Entry(Cursor("-80", "")), "another shard"},
      {"OtherFlavor", Entry(Cursor("80-", "FilePos/binlog.1:4")), "position cannot be read"},
      {"NoFlavor", Entry(Cursor("80-", "current")), "position cannot be read"},
      {"NoBase64", R"({"cursor":"%%%"})", "cursor cannot be read"},
      {"NoMessage", absl::StrCat(R"({"cursor":")", absl::Base64Escape(cut), "\"}"),
       "cursor cannot be read"},
      {"NoText", R"({"cursor":7})", "cursor cannot be read"},
      {"NoObject", "7", "no object"},
      {"PurgedLogs",
       absl::StrCat(R"({"cursor":")", Base64(Cursor("80-", "")),
                    R"(","error_code":"BINLOG_EXPIRATION_ERROR","error_message":"x"})"),
       "purged binary logs"},
  };
}

void PrintTo(const UnusableCase& tested, std::ostream* out) { *out << tested.name; }

class UnusableCursorTest : public ::testing::TestWithParam<UnusableCase> {};

TEST_P(UnusableCursorTest, LeavesTheWholeTableWithoutAPosition) {
  const auto takeover =
      TakeOver({{"-80", Entry(Cursor("-80", kFirst))}, {"80-", GetParam().entry}});

  EXPECT_FALSE(takeover.position.has_value());
  EXPECT_THAT(takeover.note,
              AllOf(HasSubstr("shop.orders"), HasSubstr("shard 80-"), HasSubstr(GetParam().reason),
                    HasSubstr("from its first row"), Not(HasSubstr("4711"))));
}

INSTANTIATE_TEST_SUITE_P(Cases, UnusableCursorTest, ::testing::ValuesIn(UnusableCases()),
                         [](const ::testing::TestParamInfo<UnusableCase>& tested) {
                           return tested.param.name;
                         });

TEST(PlanetscaleCursorTest, APositionThatWasReachedBehindPurgedLogsIsOne) {
  const auto takeover =
      TakeOver({{"-80", absl::StrCat(R"({"cursor":")", Base64(Cursor("-80", kFirst)),
                                     R"(","error_code":"BINLOG_EXPIRATION_ERROR"})")}});

  ASSERT_TRUE(takeover.position.has_value()) << takeover.note;
  EXPECT_TRUE(takeover.position->IsCopied());
}

TEST(PlanetscaleCursorTest, AStateThatIsNoneGivesNoPosition) {
  for (const char* json :
       {"7", "{}", R"({"shards":null})", R"({"shards":[]})", R"({"shards":{}})"}) {
    rapidjson::Document state;
    state.Parse(json);
    const auto takeover = TakeOverPlanetscaleTable("shop", "orders", state);
    EXPECT_FALSE(takeover.position.has_value()) << json;
    EXPECT_THAT(takeover.note, HasSubstr("copied from its first row")) << json;
  }
}

TEST(PlanetscaleCursorTest, AStreamIsNamedByItsKeyspaceAndTable) {
  EXPECT_THAT(SplitPlanetscaleStream("shop:orders"), Pair("shop", "orders"));
  EXPECT_THAT(SplitPlanetscaleStream("shop:a:b"), Pair("shop", "a:b"));
  EXPECT_THAT(SplitPlanetscaleStream("orders"), Pair("", ""));
}

}  // namespace
}  // namespace source_vitess::sync
