#include "simulator/json_edit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace source_vitess::simulator {
namespace {

EditedJson Edited(std::string document, const JsonEdit& edit) {
  EditedJson json;
  json.document = std::move(document);
  EXPECT_TRUE(ApplyJsonEdit(edit, json).ok());
  return json;
}

TEST(JsonEditTest, ReplacesAMemberInsideAnArray) {
  const EditedJson json = Edited(R"({"a": [1, {"b,": "x"}]})",
                                 {JsonEdit::Kind::kReplace, "$.a[1].\"b,\"", R"("it's")"});
  EXPECT_EQ(json.document, R"({"a": [1, {"b,": "it's"}]})");
  EXPECT_EQ(
      json.difference,
      R"(JSON_REPLACE(%s, _utf8mb4'$.a[1]."b,"', CAST(JSON_QUOTE(_utf8mb4'it\'s') as JSON)))");
}

TEST(JsonEditTest, SetsAMemberThatIsNotThereAsAnInsertion) {
  const EditedJson json = Edited("{}", {JsonEdit::Kind::kSet, "$.a", R"({"b": [1, null]})"});
  EXPECT_EQ(json.document, R"({"a": {"b": [1, null]}})");
  EXPECT_EQ(json.difference,
            "JSON_INSERT(%s, _utf8mb4'$.a', JSON_OBJECT(_utf8mb4'b', JSON_ARRAY(1, null)))");
}

TEST(JsonEditTest, ChangesNothingWhereThePathLeadsNowhere) {
  const EditedJson json = Edited(R"({"a": 1})", {JsonEdit::Kind::kRemove, "$.b.c", ""});
  EXPECT_EQ(json.document, R"({"a": 1})");
  EXPECT_EQ(json.difference, "%s");
}

TEST(JsonEditTest, MakesAnArrayOfAValueThatIsAppendedTo) {
  const EditedJson json = Edited(R"({"a": 1})", {JsonEdit::Kind::kArrayAppend, "$.a", "2"});
  EXPECT_EQ(json.document, R"({"a": [1, 2]})");
}

TEST(JsonEditTest, RefusesAPathWithoutItsRoot) {
  EditedJson json;
  json.document = "{}";
  EXPECT_THAT(ApplyJsonEdit({JsonEdit::Kind::kRemove, "a", ""}, json).message(),
              testing::HasSubstr("errno 3143"));
}

}  // namespace
}  // namespace source_vitess::simulator
