// What the documents show as an example is accepted by the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "config/json_document.h"
#include "config/options.h"
#include "fivetran/form.h"
#include "fivetran/state.h"
#include "sync/table_position.h"
#include "tests/docs_file.h"

namespace source_vitess::docs {
namespace {

// The first block of JSON in a document, or the last one.
std::string Json(const std::string& path, bool last) {
  const std::string text = ReadFile(path);
  const std::string fence = "```json\n";
  const size_t begin = last ? text.rfind(fence) : text.find(fence);
  if (begin == std::string::npos) return "";
  const size_t from = begin + fence.size();
  return text.substr(from, text.find("```", from) - from);
}

std::string FirstJson(const std::string& path) { return Json(path, /*last=*/false); }

TEST(ExamplesTest, ConfigurationOfTheReadmeIsValid) {
  const auto options = config::ParseOptions(FirstJson("README.md"));

  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_THAT(options->keyspaces, testing::ElementsAre("commerce"));
}

TEST(ExamplesTest, StateIsOneThatCanBeResumed) {
  const auto position = sync::ParseTablePosition(FirstJson("docs/state.md"));

  ASSERT_TRUE(position.ok()) << position.status();
  const binlogdata::ShardGtid* copied = position->FindShard("-80");
  const binlogdata::ShardGtid* copying = position->FindShard("80-");
  ASSERT_NE(copied, nullptr);
  ASSERT_NE(copying, nullptr);
  EXPECT_TRUE(copied->table_p_ks().empty());
  ASSERT_EQ(copying->table_p_ks_size(), 1);
  EXPECT_EQ(copying->table_p_ks(0).lastpk().rows(0).values(), "421007");
  EXPECT_THAT(position->since, testing::ElementsAre(testing::Key("80-")));
  EXPECT_EQ(position->columns.at("-80")->size(), 3u);
  EXPECT_EQ(position->columns.at("80-")->size(), 3u);
  EXPECT_NE(position->cursor, 0u);
}

TEST(ExamplesTest, ConfigurationForFivetranIsValid) {
  const auto json = config::ParseJson(FirstJson("docs/fivetran.md"));
  ASSERT_TRUE(json.ok()) << json.status();
  google::protobuf::Map<std::string, std::string> values;
  for (const auto& [name, value] : json->GetObject()) values[name.GetString()] = value.GetString();

  const auto options = fivetran::ParseConfiguration(values);

  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_THAT(options->keyspaces, testing::ElementsAre("commerce", "customer"));
}

TEST(ExamplesTest, StateOfFivetranIsOneThatCanBeResumed) {
  const auto state = fivetran::InputState::Parse(Json("docs/state.md", /*last=*/true));

  ASSERT_TRUE(state.ok()) << state.status();
  const auto table = state->Find("commerce", "orders");
  ASSERT_TRUE(table.ok()) << table.status();
  ASSERT_NE(*table, nullptr);
  EXPECT_TRUE((*table)->position.IsCopied());
  EXPECT_THAT((*table)->key, testing::Optional(testing::ElementsAre("id")));
}

}  // namespace
}  // namespace source_vitess::docs
