#include "fivetran/state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "config/json_document.h"
#include "vitess/errors.h"

namespace source_vitess::fivetran {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

sync::TablePosition At(int last) {
  sync::TablePosition position;
  for (const char* shard : {"-80", "80-"}) {
    binlogdata::ShardGtid& gtid = *position.vgtid.add_shard_gtids();
    gtid.set_keyspace("ks");
    gtid.set_shard(shard);
    gtid.set_gtid(absl::StrCat("MySQL56/2d4059f8-e696-11f1-8e80-02fc00000001:1-", last));
  }
  return position;
}

const std::vector<std::string> kKey = {"id"};
const std::vector<std::string> kSelected = {"id", "a \"name\""};

TEST(StateTest, ComesBackAsItWasWritten) {
  sync::TablePosition copying = At(5);
  binlogdata::ShardGtid& shard = *copying.vgtid.mutable_shard_gtids(0);
  shard.add_table_p_ks()->set_table_name("t");
  copying.since["-80"] = "MySQL56/2d4059f8-e696-11f1-8e80-02fc00000001:1-4";
  copying.columns["-80"] = std::make_shared<const std::vector<sync::PositionColumn>>(
      std::vector<sync::PositionColumn>{{"id", "bigint"}});
  StateWriter writer;
  writer.Set("ks", "t", copying, kKey, kSelected);
  writer.Set("ks", "keyless \"x\"", At(7), {}, kSelected);

  const auto state = InputState::Parse(writer.ToJson());
  ASSERT_TRUE(state.ok()) << state.status();
  const auto t = state->Find("ks", "t");
  ASSERT_TRUE(t.ok() && *t != nullptr);
  EXPECT_TRUE((*t)->position == copying);
  EXPECT_EQ((*t)->key, kKey);
  EXPECT_EQ((*t)->selected, kSelected);
  const auto keyless = state->Find("ks", "keyless \"x\"");
  ASSERT_TRUE(keyless.ok() && *keyless != nullptr);
  EXPECT_TRUE((*keyless)->position == At(7));
  EXPECT_THAT(*(*keyless)->key, IsEmpty());
  const auto other = state->Find("ks", "other");
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(*other, nullptr);
}

TEST(StateTest, HoldsEqualPositionsOnce) {
  StateWriter writer;
  writer.Set("ks", "a", At(7), kKey, kSelected);
  writer.Set("ks", "b", At(9), kKey, kSelected);
  writer.Set("other", "c", At(7), kKey, kSelected);
  const auto places = [&] {
    const auto document = config::ParseJson(writer.ToJson());
    std::vector<int> numbers = {static_cast<int>((*document)["vgtids"].Size())};
    for (const char* table : {"a", "b"}) {
      numbers.push_back((*document)["schemas"]["ks"][table]["vgtid"].GetInt());
    }
    numbers.push_back((*document)["schemas"]["other"]["c"]["vgtid"].GetInt());
    return numbers;
  };
  EXPECT_THAT(places(), ElementsAre(2, 0, 1, 0));

  writer.Set("ks", "b", At(7), kKey, kSelected);
  EXPECT_THAT(places(), ElementsAre(1, 0, 0, 0));
}

TEST(StateTest, FindsWhatItHoldsAndForgetsWhatIsRemoved) {
  StateWriter writer;
  writer.Set("ks", "a", At(7), kKey, kSelected);
  ASSERT_TRUE(writer.Find("ks", "a").has_value());
  EXPECT_TRUE(writer.Find("ks", "a")->position == At(7));
  EXPECT_FALSE(writer.Find("ks", "b").has_value());
  writer.Remove("ks", "a");
  EXPECT_FALSE(writer.Has("ks", "a"));
  EXPECT_EQ(writer.ToJson(), R"({"version":1,"vgtids":[],"schemas":{}})");
}

TEST(StateTest, IsNothingWhereTheHostHasNone) {
  for (const char* json : {"", " ", "{}", "null", R"({"version":1,"vgtids":[],"schemas":{}})"}) {
    const auto state = InputState::Parse(json);
    ASSERT_TRUE(state.ok()) << json;
    EXPECT_EQ(*state->Find("ks", "t"), nullptr);
  }
}

TEST(StateTest, SaysThatItCannotBeReadAndWhatToDo) {
  for (const char* json : {"{", "[]", "7", R"({"a":1})", R"({"version":2})",
                           R"({"version":1,"vgtids":7})", R"({"version":1,"schemas":[]})"}) {
    const auto state = InputState::Parse(json);
    ASSERT_FALSE(state.ok()) << json;
    EXPECT_EQ(vitess::Classify(state.status()), vitess::ErrorClass::kConfiguration);
    EXPECT_THAT(std::string(state.status().message()), HasSubstr("Re-sync"));
  }
}

TEST(StateTest, FailsForTheTableAloneWhoseEntryIsBroken) {
  const auto state = InputState::Parse(
      R"({"version":1,"vgtids":[{}],"schemas":{"ks":{"a":{"version":1,"vgtid":1},)"
      R"("b":{"version":9,"vgtid":0},"c":7,"d":{"version":1,"vgtid":0,"key":"id"},)"
      R"("e":{"version":1,"vgtid":0}}}})");
  ASSERT_TRUE(state.ok()) << state.status();
  for (const char* table : {"a", "b", "c", "d"}) {
    const auto found = state->Find("ks", table);
    ASSERT_FALSE(found.ok()) << table;
    EXPECT_THAT(
        std::string(found.status().message()),
        AllOf(HasSubstr(absl::StrCat("ks.", table)), HasSubstr("copied from its first row")));
  }
  EXPECT_TRUE(state->Find("ks", "e").ok());
}

// {keyspace SalesDB, shard -} without a position, and with one: MySQL56/, uuid 8bc65c84-..., 1-5.
constexpr char kNotBegun[] = "CgEtEgdTYWxlc0RC";
constexpr char kCopied[] =
    "CgEtEgdTYWxlc0RCGjBNeVNRTDU2LzhiYzY1Yzg0LTNmZTQtMTFlZC1hOTEyLTI1N2YwZmNkZDZjOToxLTU=";

TEST(StateOfPlanetscaleTest, IsTakenOverTableByTable) {
  const auto state = InputState::Parse(absl::StrCat(
      R"({"keyspaces":{"SalesDB":{"streams":{)", R"("SalesDB:a":{"shards":{"-":{"cursor":")",
      kCopied, R"("}}},"SalesDB:b":{"shards":{"-":{"cursor":")", kNotBegun,
      R"("}}},"SalesDB:c":{"shards":{"-":{"cursor":"%"}}}}}}})"));

  ASSERT_TRUE(state.ok()) << state.status();
  const auto a = state->Find("SalesDB", "a");
  ASSERT_TRUE(a.ok() && *a != nullptr);
  EXPECT_TRUE((*a)->position.IsCopied());
  EXPECT_EQ((*a)->position.FindShard("-")->gtid(),
            "MySQL56/8bc65c84-3fe4-11ed-a912-257f0fcdd6c9:1-5");
  EXPECT_FALSE((*a)->key.has_value());
  EXPECT_EQ(*state->Find("SalesDB", "b"), nullptr);
  EXPECT_EQ(*state->Find("SalesDB", "c"), nullptr);
  EXPECT_THAT(state->notes(),
              ElementsAre(HasSubstr("SalesDB.a goes on"), HasSubstr("SalesDB.b"),
                          AllOf(HasSubstr("SalesDB.c"), HasSubstr("cannot be read"))));
}

TEST(StateOfPlanetscaleTest, WithoutTablesIsNoState) {
  for (const char* json :
       {R"({"keyspaces":null})", R"({"keyspaces":{}})", R"({"keyspaces":{"SalesDB":{}}})",
        R"({"keyspaces":{"SalesDB":null}})", R"({"keyspaces":{"SalesDB":{"streams":null}}})"}) {
    const auto state = InputState::Parse(json);
    ASSERT_TRUE(state.ok()) << json << state.status();
    EXPECT_TRUE(state->notes().empty()) << json;
  }
}

TEST(StateOfPlanetscaleTest, PassesOverAStreamOfAnotherKeyspace) {
  const auto state = InputState::Parse(
      absl::StrCat(R"({"keyspaces":{"Other":{"streams":{"SalesDB:a":{"shards":{"-":{"cursor":")",
                   kCopied, R"("}}}}}}})"));

  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(*state->Find("SalesDB", "a"), nullptr);
  EXPECT_EQ(*state->Find("Other", "a"), nullptr);
  EXPECT_THAT(state->notes(), ElementsAre(HasSubstr("passed over")));
}

TEST(StateOfPlanetscaleTest, OfAnotherShapeIsRefused) {
  for (const char* json : {R"({"keyspaces":7})", R"({"keyspaces":{"SalesDB":{"streams":[]}}})"}) {
    const auto state = InputState::Parse(json);
    ASSERT_FALSE(state.ok()) << json;
    EXPECT_EQ(vitess::Classify(state.status()), vitess::ErrorClass::kConfiguration);
  }
}

}  // namespace
}  // namespace source_vitess::fivetran
