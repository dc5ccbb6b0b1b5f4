#include "mysql/character_set.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "mysql/utf8.h"

namespace source_vitess::mysql {
namespace {

struct Result {
  std::string text;
  bool replaced;
};

Result Convert(std::string_view character_set, std::string_view bytes) {
  TextConverter converter(character_set);
  std::string out(converter.Bound(bytes.size()), '#');
  const TextConverter::Converted converted = converter.Convert(bytes, out.data());
  out.resize(static_cast<size_t>(converted.end - out.data()));
  return {out, converted.replaced};
}

struct Sample {
  const char* character_set;
  std::string bytes;
  std::string utf8;
};

// Bytes that tell the set from its neighbours, by the tables of MySQL's share/charsets and the
// manual.
const std::vector<Sample>& Samples() {
  static const auto& samples = *new std::vector<Sample>{
      {"latin1", "h\xe9llo \x80 \x81", "h\u00e9llo \u20ac \xc2\x81"},
      {"latin2", "\xb1\xe6", "\u0105\u0107"},
      {"latin5", "\xd0\xfd", "\u011e\u0131"},
      {"latin7", "\xe0\xff", "\u0105\u2019"},
      {"ascii", "plain", "plain"},
      {"utf8mb4", "\xf0\x9f\x98\x80", "\U0001f600"},
      {"utf8mb3", "\xe2\x82\xac", "\u20ac"},
      {"utf8", "\xe2\x82\xac", "\u20ac"},
      {"ucs2", std::string("\0h\0\xe9", 4), "h\u00e9"},
      {"utf16", std::string("\0h\xd8\x3d\xde\x00", 6), "h\U0001f600"},
      {"utf16le", std::string("h\0\x3d\xd8\x00\xde", 6), "h\U0001f600"},
      {"utf32", std::string("\0\0\0h\0\x01\xf6\0", 8), "h\U0001f600"},
      {"gbk", "\xd6\xd0\xce\xc4", "\u4e2d\u6587"},
      {"gb2312", "\xd6\xd0\xce\xc4", "\u4e2d\u6587"},
      {"gb18030", "\xd6\xd0\x94\x39\xfc\x36", "\u4e2d\U0001f600"},
      {"big5", "\xa4\xa4\xa4\xe5\xc6\xe7", "\u4e2d\u6587\u3083"},
      {"sjis", "\x93\xfa\\\x81\x60\x81\x7c\xb1", "\u65e5\\\u301c\u2212\uff71"},
      {"cp932", "\x93\xfa\\\x81\x60\x81\x7c\xb1\x87\x40", "\u65e5\\\uff5e\uff0d\uff71\u2460"},
      {"ujis", "\xc6\xfc\xa1\xc1\x8e\xb1", "\u65e5\u301c\uff71"},
      {"eucjpms", "\xc6\xfc\xa1\xc1\x8e\xb1", "\u65e5\uff5e\uff71"},
      {"euckr", "\xc7\xd1\x81\x41", "\ud55c\uac02"},
      {"koi8r", "\xf0\x95", "\u041f\u2219"},
      {"koi8u", "\xf0\xa4\x95", "\u041f\u0454\u2022"},
      {"greek", "\xe1\xa1\xaf", "\u03b1\u02bd\u2015"},
      {"hebrew", "\xf9\xaf", "\u05e9\u203e"},
      {"cp1250", "\x9a\xe8", "\u0161\u010d"},
      {"cp1251", "\xcf\xb8", "\u041f\u0451"},
      {"cp1256", "\xe3\x81", "\u0645\u067e"},
      {"cp1257", "\xe0\xbf", "\u0105\u00e6"},
      {"cp850", "\x82\xd5", "\u00e9\u0131"},
      {"cp852", "\x9f\xaa", "\u010d\u00ac"},
      {"cp866", "\x8f\xfc\xfd", "\u041f\u207f\u00b2"},
      {"tis620", "\xa1\xdf", "\u0e01\u0e3f"},
      {"macroman", "\x8e\xdb", "\u00e9\u20ac"},
      {"macce", "\x8b\xfe", "\u010d\u0122"},
      {"armscii8", "\xb2\xb3\xa2", "\u0531\u0561\u00a7"},
      {"geostd8", "\xc0\xe5\x80", "\u10d0\u10f5\u20ac"},
      {"dec8", "\xe9\xd7\xdd", "\u00e9\u0152\u0178"},
      {"hp8", "\xc5\xaf\xf6", "\u00e9\u20a4\u2014"},
      {"keybcs2", "\x87\xa8", "\u010d\u0161"},
      {"swe7", "}{|@", "\u00e5\u00e4\u00f6\u00c9"},
  };
  return samples;
}

TEST(TextConverterTest, EveryCharacterSetOfMySqlBecomesUtf8) {
  for (const Sample& sample : Samples()) {
    const Result result = Convert(sample.character_set, sample.bytes);
    EXPECT_EQ(result.text, sample.utf8) << sample.character_set;
    EXPECT_FALSE(result.replaced) << sample.character_set;
  }
}

TEST(TextConverterTest, AsciiIsKeptExceptWhereTheSetSaysThatItIsNot) {
  const std::string ascii = " !\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~";
  for (const Sample& sample : Samples()) {
    const TextConverter converter(sample.character_set);
    const bool same = Convert(sample.character_set, ascii).text == ascii;
    EXPECT_EQ(converter.keeps_ascii(), same) << sample.character_set;
  }
}

TEST(TextConverterTest, AsciiIsKeptBesideOtherCharactersWithItsControlCharacters) {
  std::string ascii;
  for (int c = 0; c < 0x80; ++c) ascii += static_cast<char>(c);
  for (const Sample& sample : Samples()) {
    if (!TextConverter(sample.character_set).keeps_ascii()) continue;
    const Result result = Convert(sample.character_set, sample.bytes + ascii + sample.bytes);
    EXPECT_EQ(result.text, sample.utf8 + ascii + sample.utf8) << sample.character_set;
    EXPECT_FALSE(result.replaced) << sample.character_set;
  }
}

// As servers convert every sequence of one, two and three bytes of these sets: the ends of the runs
// that ICU reads otherwise or not at all.
TEST(TextConverterTest, CharactersThatOthersReadDifferentlyAreMySqls) {
  const std::vector<Sample> samples = {
      {"big5", "\xa1\x45\xa1\x4e\xa1\xc2\xa1\xe3", "\u2022\uff64\u203e\u223c"},
      {"big5", "\xa1\xf2\xa1\xf3\xa2\x41\xa2\x42", "\u2641\u2609\uff0f\uff3c"},
      {"big5", "\xa2\x44\xa2\x46\xa2\x47", "\u00a5\u00a2\u00a3"},
      {"big5", "\xc6\xa1\xc6\xa4\xc6\xa5\xc6\xf7\xc6\xf8", "\u30fe\u3005\u3041\u3093\u30a1"},
      {"big5", "\xc7\x40\xc7\xb1\xc7\xe9\xc7\xf3\xc7\xfc", "\u30a8\u0414\u2460\u2474\u247d"},
      {"gb2312", "\xa3\xa7", "\uff07"},
      {"sjis", "\x81\x5f\x81\x61\x81\x91\x81\x92\x81\xca", "\\\u2016\u00a2\u00a3\u00ac"},
      {"cp932", "\x81\x5f\x81\x61\x81\x91\xfa\x40", "\uff3c\u2225\uffe0\u2170"},
      {"ujis", "\xa1\xbd\xa1\xc0\xa1\xf1\xa1\xf2\xa2\xcc", "\u2015\\\u00a2\u00a3\u00ac"},
      {"ujis", "\x8f\xa2\xb7\xf5\xa1\x8f\xfe\xfe", "~\ue000\ue757"},
      {"eucjpms", "\xa1\xbd\xa1\xc0\x8f\xa2\xb7\x8f\xa2\xc3", "\u2015\uff3c\uff5e\uffe4"},
      {"eucjpms", "\xf5\xa1\xfe\xfe\x8f\xf5\xa1\x8f\xfe\xfe", "\ue000\ue3ab\ue3ac\ue757"},
      {"eucjpms", "\x8f\xf3\xf3\x8f\xf4\xa1\x8f\xf4\xa9\x8f\xf4\xfe", "\u2170\u2162\uff07\u9ed1"},
      {"tis620", "\x80\x85\x97", "\xc2\x80\xc2\x85\xc2\x97"},
  };
  for (const Sample& sample : samples) {
    const Result result = Convert(sample.character_set, sample.bytes);
    EXPECT_EQ(result.text, sample.utf8) << sample.character_set;
    EXPECT_FALSE(result.replaced) << sample.character_set;
  }
}

TEST(TextConverterTest, BytesOfTwoCharactersAreNotTakenForAThird) {
  EXPECT_EQ(Convert("big5", "\xa4\xc6\xa1\x40").text, "\u5316\u3000");
  EXPECT_EQ(Convert("eucjpms", "\xb0\xf5\xa1\xc1").text, "\u5370\uff5e");
  EXPECT_EQ(Convert("sjis", "\x83\x81\x5f").text, "\u30e1_");
}

TEST(TextConverterTest, ABrokenCharacterTakesNothingOfTheNext) {
  EXPECT_EQ(Convert("sjis", "\x81\x1a\x81\x5f").text, "\ufffd\x1a\\");
  EXPECT_EQ(Convert("eucjpms", "\x8f\xf5z\xf5\xa1").text, "\ufffd\ufffdz\ue000");
  EXPECT_EQ(Convert("big5", "\xc6").text, "\ufffd");
}

TEST(TextConverterTest, BytesThatMeanNothingAreReplacedAndSaid) {
  const std::vector<Sample> broken = {
      {"utf8mb4", "a\xff\xc3", "a\ufffd\ufffd"},
      {"utf8mb4", "\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
      {"ascii", "a\xe9", "a\ufffd"},
      {"hebrew", "\xc0", "\ufffd"},
      {"tis620", "\xdb\xa0", "\ufffd\ufffd"},
      {"geostd8", "\x81", "\ufffd"},
      {"gbk", "a\xd6", "a\ufffd"},
      {"utf16", std::string("\0h\xd8\x3d", 4), "h\ufffd"},
      {"utf16", std::string("\0h\0", 3), "h\ufffd"},
      {"utf32", std::string("\0\x11\0\0", 4), "\ufffd"},
  };
  for (const Sample& sample : broken) {
    const Result result = Convert(sample.character_set, sample.bytes);
    EXPECT_EQ(result.text, sample.utf8) << sample.character_set;
    EXPECT_TRUE(result.replaced) << sample.character_set;
  }
}

TEST(TextConverterTest, NamesAreTheSameInAnyCase) {
  EXPECT_EQ(Convert("LATIN1", "\xe9").text, "\u00e9");
}

TEST(TextConverterTest, AnUnknownSetIsTakenForUtf8) {
  EXPECT_TRUE(TextConverter("klingon").is_utf8());
  EXPECT_TRUE(TextConverter("").is_utf8());
  EXPECT_TRUE(TextConverter("binary").is_utf8());
}

TEST(TextConverterTest, TextLongerThanOnePieceIsWhole) {
  std::string bytes;
  std::string utf8;
  for (int i = 0; i < 1000; ++i) {
    bytes += std::string("\xd8\x3d\xde\x00\0x", 6);
    utf8 += "\U0001f600x";
  }

  const Result result = Convert("utf16", bytes);

  EXPECT_EQ(result.text, utf8);
  EXPECT_FALSE(result.replaced);
}

TEST(TextConverterTest, AConverterForgetsTheTextBefore) {
  TextConverter converter("gbk");
  char out[64];
  converter.Convert("\xd6", out);

  const TextConverter::Converted second = converter.Convert("\xd0\xa1", out);

  EXPECT_EQ(std::string_view(out, static_cast<size_t>(second.end - out)), "\u5c0f");
}

TEST(TextConverterTest, AnyBytesBecomeValidUtf8WithinTheBound) {
  std::mt19937 random(20260401);
  for (const Sample& sample : Samples()) {
    for (int round = 0; round < 200; ++round) {
      std::string bytes(random() % 40, '\0');
      for (char& c : bytes) c = static_cast<char>(random());
      EXPECT_TRUE(IsValidUtf8(Convert(sample.character_set, bytes).text)) << sample.character_set;
    }
  }
}

TEST(CollationTest, IdsTellTheCharacterSet) {
  EXPECT_EQ(CharacterSetOfCollation(8), "latin1");
  EXPECT_EQ(CharacterSetOfCollation(28), "gbk");
  EXPECT_EQ(CharacterSetOfCollation(46), "utf8mb4");
  EXPECT_EQ(CharacterSetOfCollation(54), "utf16");
  EXPECT_EQ(CharacterSetOfCollation(63), "binary");
  EXPECT_EQ(CharacterSetOfCollation(255), "utf8mb4");
  EXPECT_EQ(CharacterSetOfCollation(323), "utf8mb4");
}

TEST(CollationTest, IdsThatMySqlDoesNotHaveTellNothing) {
  for (const uint32_t id : {0u, 17u, 100u, 125u, 216u, 251u, 324u, 4294967295u}) {
    EXPECT_EQ(CharacterSetOfCollation(id), "") << id;
  }
}

TEST(CollationTest, EverySetOfACollationIsKnownToTheConverter) {
  for (uint32_t id = 1; id < 324; ++id) {
    const std::string_view set = CharacterSetOfCollation(id);
    const bool is_utf8 = set.empty() || set == "binary" || set == "utf8mb3" || set == "utf8mb4";
    EXPECT_EQ(TextConverter(set).is_utf8(), is_utf8) << set;
  }
}

}  // namespace
}  // namespace source_vitess::mysql
