#include "mysql/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace source_vitess::mysql {
namespace {

std::string Replaced(std::string_view bytes) {
  std::string out(ReplacedUtf8Bound(bytes.size()), '#');
  out.resize(static_cast<size_t>(ReplaceInvalidUtf8(bytes, out.data()) - out.data()));
  return out;
}

TEST(Utf8Test, AByteBeyondAsciiIsFoundWhereverItStands) {
  for (size_t size = 0; size < 100; ++size) {
    const std::string ascii(size, 'a');
    EXPECT_TRUE(IsAscii(ascii)) << size;
    for (size_t at = 0; at < size; ++at) {
      std::string text = ascii;
      text[at] = '\x80';
      EXPECT_FALSE(IsAscii(text)) << size << " " << at;
      EXPECT_FALSE(IsValidUtf8(text)) << size << " " << at;
    }
  }
}

TEST(Utf8Test, AByteThatFormatsEscapeIsFoundWhereverItStands) {
  for (size_t size = 0; size < 100; ++size) {
    const std::string plain(size, 'a');
    EXPECT_TRUE(BytesOf(plain).plain) << size;
    EXPECT_TRUE(BytesOf(plain).ascii) << size;
    for (size_t at = 0; at < size; ++at) {
      for (int c = 0; c < 256; ++c) {
        std::string text = plain;
        text[at] = static_cast<char>(c);
        const TextBytes bytes = BytesOf(text);
        EXPECT_EQ(bytes.plain, c >= 0x20 && c != '"' && c != '\\') << size << " " << at << " " << c;
        EXPECT_EQ(bytes.ascii, c < 0x80) << size << " " << at << " " << c;
      }
    }
  }
}

TEST(Utf8Test, TheSmallestAndLargestOfEachLengthAreValid) {
  for (const char* text :
       {"", "\x7f", "\u0080", "\u07ff", "\u0800", "\ue000", "\uffff", "\U00010000", "\U0010ffff"}) {
    EXPECT_TRUE(IsValidUtf8(text)) << text;
  }
}

TEST(Utf8Test, SurrogatesOverlongFormsAndTheRestAreNot) {
  for (const char* text :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x80\x80", "\xe2\x82", "\xed\xa0\x80",
        "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "a\xe9z"}) {
    EXPECT_FALSE(IsValidUtf8(text)) << text;
    EXPECT_TRUE(IsValidUtf8(Replaced(text))) << text;
  }
}

TEST(Utf8Test, EachMaximalPartOfAnInvalidSequenceIsReplacedOnce) {
  EXPECT_EQ(Replaced("a\xe2\x82z"), "a\ufffdz");
  EXPECT_EQ(Replaced("\xf0\x9f\x98"), "\ufffd");
  EXPECT_EQ(Replaced("\xc0\x80"), "\ufffd\ufffd");
  EXPECT_EQ(Replaced("\u00e9\xff\U0001f600"), "\u00e9\ufffd\U0001f600");
}

}  // namespace
}  // namespace source_vitess::mysql
