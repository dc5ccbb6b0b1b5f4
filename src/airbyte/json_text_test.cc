#include "airbyte/json_text.h"

#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

namespace source_vitess::airbyte {
namespace {

std::string Escaped(std::string_view text) {
  std::vector<char> memory(EscapedBound(text.size()));
  return {memory.data(), WriteEscaped(memory.data(), text)};
}

template <typename Write, typename... Arguments>
std::string Written(Write write, Arguments... arguments) {
  char memory[64];
  return {memory, write(memory, arguments...)};
}

TEST(WriteEscapedTest, LeavesPlainTextAsItIs) {
  EXPECT_EQ(Escaped(""), "");
  EXPECT_EQ(Escaped("plain / text \x7f"), "plain / text \x7f");
  EXPECT_EQ(Escaped("Grüße, \xF0\x9F\x98\x80 und ein langer Satz, der mehr als einen Block füllt"),
            "Grüße, \xF0\x9F\x98\x80 und ein langer Satz, der mehr als einen Block füllt");
}

TEST(WriteEscapedTest, EscapesWhatJsonCannotHold) {
  EXPECT_EQ(Escaped("\"\\\b\t\n\f\r"), R"(\"\\\b\t\n\f\r)");
  EXPECT_EQ(Escaped(std::string_view("\0\x01\x1f", 3)), R"(\u0000\u0001\u001f)");
}

TEST(WriteEscapedTest, FindsASpecialByteAtEveryPlaceOfEveryLength) {
  for (size_t length = 1; length <= 40; ++length) {
    for (size_t place = 0; place < length; ++place) {
      std::string text(length,
                       '\xC3');  // bytes with the high bit set, which arithmetic could confuse
      text[place] = '"';
      std::string expected = text;
      expected.insert(place, "\\");
      ASSERT_EQ(Escaped(text), expected) << length << " " << place;
    }
  }
}

TEST(WriteEscapedTest, IsReadBackAsItWas) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string text(random() % 100, '\0');
    for (char& c : text) c = static_cast<char>(random() % 128);

    rapidjson::Document document;
    document.Parse(("\"" + Escaped(text) + "\"").c_str());

    ASSERT_FALSE(document.HasParseError());
    ASSERT_EQ(std::string(document.GetString(), document.GetStringLength()), text);
  }
}

TEST(WriteNumberTest, WritesTheShortestTextOfAFloatingPointNumber) {
  EXPECT_EQ(Written(WriteFloat, 0.1f), "0.1");
  EXPECT_EQ(Written(WriteFloat, 16777200.0f), "16777200");
  EXPECT_EQ(Written(WriteFloat, 3.4e38f), "3.4e+38");
  EXPECT_EQ(Written(WriteUnsigned, std::numeric_limits<uint64_t>::max()), "18446744073709551615");
}

TEST(SequenceWriterTest, WritesNumbersWhateverTheOneBefore) {
  SequenceWriter writer;
  std::string text(64, '#');
  for (const uint64_t value :
       {uint64_t{0}, uint64_t{9}, uint64_t{9'999}, uint64_t{10'000}, uint64_t{10'001},
        uint64_t{123'456}, uint64_t{123'457}, uint64_t{7}, uint64_t{123'458},
        uint64_t{7'181'556'282'569'999}, uint64_t{7'181'556'282'570'000},
        std::numeric_limits<uint64_t>::max()}) {
    const char* const end = writer.Write(text.data(), value);
    EXPECT_EQ(std::string_view(text.data(), static_cast<size_t>(end - text.data())),
              std::to_string(value));
  }
}

TEST(WriteTimeTest, GivesEveryTimeSixDigitsOfFraction) {
  EXPECT_EQ(Written(WriteDateTime, std::string_view("2024-02-29 23:59:59")),
            "2024-02-29T23:59:59.000000");
  EXPECT_EQ(Written(WriteDateTime, std::string_view("2024-02-29 23:59:59.5")),
            "2024-02-29T23:59:59.500000");
  EXPECT_EQ(Written(WriteDateTime, std::string_view("2024-02-29 23:59:59.123456")),
            "2024-02-29T23:59:59.123456");
  EXPECT_EQ(Written(WriteTime, std::string_view("01:02:03.04")), "01:02:03.040000");
}

TEST(WriteTimeTest, WritesTimestampsInUtc) {
  EXPECT_EQ(Written(WriteTimestamp, 0), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(Written(WriteTimestamp, 1767225600100), "2026-01-01T00:00:00.100000Z");
  EXPECT_EQ(Written(WriteTimestamp, 1709251199999), "2024-02-29T23:59:59.999000Z");
  EXPECT_EQ(Written(WriteTimestamp, -1), "1969-12-31T23:59:59.999000Z");
}

}  // namespace
}  // namespace source_vitess::airbyte
