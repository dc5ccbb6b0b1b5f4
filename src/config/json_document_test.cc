#include "config/json_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "vitess/errors.h"

namespace source_vitess::config {
namespace {

std::string Nested(int depth) {
  return std::string(static_cast<size_t>(depth), '[') +
         std::string(static_cast<size_t>(depth), ']');
}

TEST(ParseJsonTest, TakesValuesThatAreNestedAsDeeplyAsAnybodyNeeds) {
  const auto document = ParseJson(Nested(500));

  ASSERT_TRUE(document.ok()) << document.status();
  EXPECT_EQ(ToJsonText(*document), Nested(500));
}

TEST(ParseJsonTest, RefusesValuesThatAreNestedDeeper) {
  for (const std::string& text : {Nested(501), Nested(1'000'000), std::string(1'000'000, '{')}) {
    const auto document = ParseJson(text);

    ASSERT_FALSE(document.ok());
    EXPECT_EQ(vitess::Classify(document.status()), vitess::ErrorClass::kConfiguration);
    EXPECT_THAT(std::string(document.status().message()), testing::HasSubstr("500 deep"));
  }
}

TEST(ParseJsonTest, DoesNotCountTheBracketsInTexts) {
  const std::string text = "[\"" + std::string(1000, '[') + "\\\"" + std::string(1000, '{') + "\"]";

  EXPECT_TRUE(ParseJson(text).ok());
}

}  // namespace
}  // namespace source_vitess::config
