#include "airbyte/state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "vitess/errors.h"

namespace source_vitess::airbyte {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const StreamName kOrders = {.name_space = "commerce", .name = "orders"};

sync::TablePosition PositionWithCursor(uint64_t cursor) {
  sync::TablePosition position;
  auto* shard = position.vgtid.add_shard_gtids();
  shard->set_keyspace("commerce");
  shard->set_shard("-80");
  shard->set_gtid("MySQL56/3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5");
  position.cursor = cursor;
  return position;
}

// A state message, as one run writes it and the next is handed it: without the envelope.
std::string StateOf(const StreamName& stream, uint64_t cursor) {
  std::string line = StateLine(stream, sync::ToJson(PositionWithCursor(cursor)), 3);
  const std::string before = R"({"type":"STATE","state":)";
  return line.substr(before.size(), line.size() - before.size() - 2);
}

TEST(InputStateTest, TakesNothingForNoState) {
  for (const char* json : {"", " \n", "[]", "{}", "null", R"([{"type": "LEGACY", "data": {}}])"}) {
    const auto state = InputState::Parse(json);

    ASSERT_TRUE(state.ok()) << json << state.status();
    const auto position = state->Position(kOrders);
    ASSERT_TRUE(position.ok());
    EXPECT_FALSE(position->has_value());
  }
}

TEST(InputStateTest, ReadsWhatWasWritten) {
  const auto state = InputState::Parse("[" + StateOf(kOrders, 41) + "\n, " +
                                       StateOf({.name_space = "", .name = "other"}, 42) + "]");

  ASSERT_TRUE(state.ok()) << state.status();
  const auto position = state->Position(kOrders);
  ASSERT_TRUE(position.ok() && position->has_value());
  EXPECT_EQ(sync::ToJson(**position), sync::ToJson(PositionWithCursor(41)));
  EXPECT_EQ(state->highest_cursor(), 42u);
}

TEST(InputStateTest, ReadsOneStateWithoutAnArray) {
  const auto state = InputState::Parse(StateOf(kOrders, 41));

  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_TRUE((*state->Position(kOrders)).has_value());
}

TEST(InputStateTest, PassesOverNullsAndUnknownMembers) {
  const auto state = InputState::Parse(
      R"([{"type": "STREAM", "global": null, "data": null, "sourceStats": null, "id": 4,
           "stream": {"stream_descriptor": {"name": "nopk", "namespace": null, "x": 1},
                      "stream_state": )" +
      sync::ToJson(PositionWithCursor(7)) + "}}]");

  ASSERT_TRUE(state.ok()) << state.status();
  const auto position = state->Position({.name_space = "", .name = "nopk"});
  ASSERT_TRUE(position.ok() && position->has_value());
  EXPECT_EQ((*position)->cursor, 7u);
}

TEST(InputStateTest, TakesANullStreamStateForAReset) {
  const auto state = InputState::Parse(
      R"([{"type": "STREAM", "stream": {"stream_descriptor": {"name": "orders", "namespace":
           "commerce"}, "stream_state": null}}])");

  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_FALSE((*state->Position(kOrders)).has_value());
}

TEST(InputStateTest, LetsTheLastStateOfAStreamCount) {
  const auto state =
      InputState::Parse("[" + StateOf(kOrders, 41) + "," + StateOf(kOrders, 43) + "]");

  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ((*state->Position(kOrders))->cursor, 43u);
}

TEST(InputStateTest, RefusesWhatIsNoState) {
  for (const char* json :
       {"{", "7", "[7]", R"([{"type": "STREAM"}])", R"([{"type": "STREAM", "stream": {}}])",
        R"([{"type": "GLOBAL", "global": {"shared_state": {}, "stream_states": []}}])",
        R"([{"type": "LEGACY", "data": {"orders": 1}}])", R"({"data": {"orders": 1}})"}) {
    const auto state = InputState::Parse(json);

    ASSERT_FALSE(state.ok()) << json;
    EXPECT_EQ(vitess::Classify(state.status()), vitess::ErrorClass::kConfiguration);
    EXPECT_THAT(std::string(state.status().message()), HasSubstr("The input state")) << json;
  }
}

TEST(InputStateTest, NamesTheTypeThatItDoesNotTake) {
  EXPECT_THAT(std::string(InputState::Parse(R"([{"type": "GLOBAL"}])").status().message()),
              HasSubstr("GLOBAL"));
}

TEST(InputStateTest, RefusesAStreamsStateThatIsNotOursForThatStreamAlone) {
  const auto state = InputState::Parse(
      R"([{"type": "STREAM", "stream": {"stream_descriptor": {"name": "foreign"},
           "stream_state": {"cursor": "2024-01-01"}}}, )" +
      StateOf(kOrders, 41) + "]");

  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_TRUE(state->Position(kOrders).ok());
  const auto position = state->Position({.name_space = "", .name = "foreign"});
  ASSERT_FALSE(position.ok());
  EXPECT_EQ(vitess::Classify(position.status()), vitess::ErrorClass::kConfiguration);
  EXPECT_THAT(std::string(position.status().message()),
              AllOf(HasSubstr("Stream foreign"), HasSubstr("version")));
}

// What PlanetScale's connector saved of SalesDB's only shard: a position behind the copy.
constexpr char kTheirShards[] =
    R"({"shards":{"-":{"cursor":"CgEtEgdTYWxlc0RCGjBNeVNRTDU2LzhiYzY1Yzg0LTNmZTQtMTFlZC1hOTEyLTI1N2YwZmNkZDZjOToxLTU="}}})";
const StreamName kSales = {.name_space = "SalesDB", .name = "sales"};

std::string TheirStreams() { return absl::StrCat(R"({"SalesDB:sales":)", kTheirShards, "}"); }

TEST(StateOfPlanetscaleTest, IsTakenOverInEachOfItsForms) {
  const std::string streams = absl::StrCat("{\"streams\":", TheirStreams(), "}");
  const std::string stream = absl::StrCat(
      R"({"type":"STREAM","stream":{"stream_descriptor":{"name":"sales","namespace":"SalesDB"},)",
      R"("stream_state":)", kTheirShards, "}}");
  for (const std::string& json :
       {streams, absl::StrCat("[", streams, "]"),
        absl::StrCat(R"({"type":"STATE","state":{"data":)", streams, "}}"),
        absl::StrCat(R"([{"type":"LEGACY","data":)", streams, "}]"), stream,
        absl::StrCat("[", stream, "]"), absl::StrCat(R"({"type":"STATE","state":)", stream, "}")}) {
    const auto state = InputState::Parse(json);

    ASSERT_TRUE(state.ok()) << json << state.status();
    const auto position = state->Position(kSales);
    ASSERT_TRUE(position.ok() && position->has_value()) << json;
    EXPECT_TRUE((*position)->IsCopied());
    EXPECT_EQ((*position)->FindShard("-")->gtid(),
              "MySQL56/8bc65c84-3fe4-11ed-a912-257f0fcdd6c9:1-5");
    EXPECT_TRUE(state->IsTakenOver(kSales));
    EXPECT_THAT(state->notes(), testing::ElementsAre(HasSubstr("SalesDB.sales goes on")));
  }
}

TEST(StateOfPlanetscaleTest, LeavesAStreamWithoutAStateWhoseCursorCannotBeRead) {
  const auto state = InputState::Parse(
      R"({"streams":{"SalesDB:sales":{"shards":{"-":{"cursor":"%"}}},"noise":{}}})");

  ASSERT_TRUE(state.ok()) << state.status();
  const auto position = state->Position(kSales);
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_FALSE(position->has_value());
  EXPECT_TRUE(state->IsTakenOver(kSales));
  EXPECT_THAT(state->notes(),
              testing::Contains(AllOf(HasSubstr("SalesDB.sales"), HasSubstr("cannot be read"))));
}

TEST(StateOfPlanetscaleTest, GivesWayToOneOfOurs) {
  const auto state = InputState::Parse(absl::StrCat(
      R"([{"type":"LEGACY","data":{"streams":)", TheirStreams(), "}},", StateOf(kSales, 41), "]"));

  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ((*state->Position(kSales))->cursor, 41u);
  EXPECT_FALSE(state->IsTakenOver(kSales));
  EXPECT_TRUE(state->notes().empty());
}

}  // namespace
}  // namespace source_vitess::airbyte
