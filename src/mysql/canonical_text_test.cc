#include "mysql/canonical_text.h"

#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace source_vitess::mysql {
namespace {

// The canonical text; nothing where the text was not good.
template <typename Function>
std::optional<std::string> Canonical(Function function, std::string_view text) {
  Scratch scratch;
  std::string_view out = text;
  if (function(out, scratch) != Verdict::kGood) {
    EXPECT_EQ(out, text) << "a text that is not good is left as it is";
    return std::nullopt;
  }
  return std::string(out);
}

std::optional<std::string> Signed(std::string_view text) {
  return Canonical([](std::string_view& t, Scratch& s) { return CanonicalInteger(false, t, s); },
                   text);
}
std::optional<std::string> Unsigned(std::string_view text) {
  return Canonical([](std::string_view& t, Scratch& s) { return CanonicalInteger(true, t, s); },
                   text);
}
std::optional<std::string> Decimal(std::string_view text) {
  return Canonical(CanonicalDecimal, text);
}
std::optional<std::string> Float(std::string_view text) { return Canonical(CanonicalFloat, text); }
std::optional<std::string> Double(std::string_view text) {
  return Canonical(CanonicalDouble, text);
}
std::optional<std::string> Json(std::string_view text) { return Canonical(CanonicalJson, text); }
std::optional<std::string> Year(std::string_view text) {
  return Canonical([](std::string_view& t, Scratch&) { return CanonicalYear(t); }, text);
}

TEST(CanonicalIntegerTest, NumbersKeepTheirDigits) {
  EXPECT_EQ(Signed("0"), "0");
  EXPECT_EQ(Signed("-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(Signed("9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(Unsigned("18446744073709551615"), "18446744073709551615");
}

TEST(CanonicalIntegerTest, ZerosInFrontAreLost) {
  EXPECT_EQ(Unsigned("000042"), "42");
  EXPECT_EQ(Unsigned("000000"), "0");
  EXPECT_EQ(Unsigned("00000000000000000000018446744073709551615"), "18446744073709551615");
  EXPECT_EQ(Signed("-007"), "-7");
  EXPECT_EQ(Signed("-0"), "0");
}

TEST(CanonicalIntegerTest, WhatDoesNotFitOrIsNoNumberIsMalformed) {
  for (const char* text :
       {"", "-", "+1", "1.0", "1e3", " 1", "x", "9223372036854775808", "-9223372036854775809"}) {
    EXPECT_EQ(Signed(text), std::nullopt) << text;
  }
  for (const char* text : {"-1", "18446744073709551616", "100000000000000000000"}) {
    EXPECT_EQ(Unsigned(text), std::nullopt) << text;
  }
}

TEST(CanonicalDecimalTest, ADigitStandsBeforeThePoint) {
  EXPECT_EQ(Decimal(".5"), "0.5");
  EXPECT_EQ(Decimal("-.05"), "-0.05");
  EXPECT_EQ(Decimal(".00"), "0.00");
  EXPECT_EQ(Decimal("-12345678901234567890.0123456789"), "-12345678901234567890.0123456789");
}

TEST(CanonicalDecimalTest, ZerosInFrontAndTheSignOfZeroAreLost) {
  EXPECT_EQ(Decimal("000000000000000001"), "1");
  EXPECT_EQ(Decimal("-0001.50"), "-1.50");
  EXPECT_EQ(Decimal("000.10"), "0.10");
  EXPECT_EQ(Decimal("-0.00"), "0.00");
  EXPECT_EQ(Decimal("-.00"), "0.00");
  EXPECT_EQ(Decimal("0"), "0");
}

TEST(CanonicalDecimalTest, APointWithNothingBehindItIsLost) {
  EXPECT_EQ(Decimal("5."), "5");
  EXPECT_EQ(Decimal("-5."), "-5");
  EXPECT_EQ(Decimal("-005."), "-5");
}

TEST(CanonicalDecimalTest, AllDigitsOfTheLongestDecimalStay) {
  const std::string digits = std::string(35, '9') + "." + std::string(30, '9');
  EXPECT_EQ(Decimal(digits), digits);
  EXPECT_EQ(Decimal("-" + digits), "-" + digits);
}

TEST(CanonicalDecimalTest, NothingWrittenIsZero) { EXPECT_EQ(Decimal(""), "0"); }

TEST(CanonicalDecimalTest, OtherTextIsMalformed) {
  for (const char* text : {"-", ".", "-.", "1e5", "+1", "1.2.3", " 1", "1,5", "NaN", "--1"}) {
    EXPECT_EQ(Decimal(text), std::nullopt) << text;
  }
}

TEST(CheckDateTest, OnlyDaysOfTheCalendarAreGood) {
  EXPECT_EQ(CheckDate("2024-02-29"), Verdict::kGood);
  EXPECT_EQ(CheckDate("0001-01-01"), Verdict::kGood);
  EXPECT_EQ(CheckDate("9999-12-31"), Verdict::kGood);
  for (const char* text : {"0000-00-00", "2024-00-15", "2024-02-00", "0000-01-01", "2023-02-29",
                           "1900-02-29", "2024-04-31"}) {
    EXPECT_EQ(CheckDate(text), Verdict::kUnrepresentable) << text;
  }
  for (const char* text : {"", "2024-13-01", "2024-01-32", "2024-1-1", "2024/01/01", "2024-01-0x",
                           "-024-01-01", "2024-01-01 "}) {
    EXPECT_EQ(CheckDate(text), Verdict::kMalformed) << text;
  }
}

TEST(CheckDateTimeTest, TheTimeOfDayIsCheckedToo) {
  EXPECT_EQ(CheckDateTime("2024-02-29 23:59:59"), Verdict::kGood);
  EXPECT_EQ(CheckDateTime("2024-02-29 00:00:00.1"), Verdict::kGood);
  EXPECT_EQ(CheckDateTime("2024-02-29 00:00:00.123456"), Verdict::kGood);
  EXPECT_EQ(CheckDateTime("0000-00-00 00:00:00"), Verdict::kUnrepresentable);
  EXPECT_EQ(CheckDateTime("0000-00-00 00:00:00.000000"), Verdict::kUnrepresentable);
  for (const char* text :
       {"", "2024-02-29", "2024-02-29T00:00:00", "2024-02-29 24:00:00", "2024-02-29 00:60:00",
        "2024-02-29 00:00:60", "2024-02-29 00:00:00.", "2024-02-29 00:00:00.1234567",
        "2024-02-29 00:00:00.x", "2024-02-29 00:00:00Z"}) {
    EXPECT_EQ(CheckDateTime(text), Verdict::kMalformed) << text;
  }
}

TEST(CheckTimeTest, HoursGoTo838EitherWay) {
  for (const char* text :
       {"00:00:00", "-00:00:01", "838:59:59", "-838:59:59.000000", "12:00:00.5"}) {
    EXPECT_EQ(CheckTime(text), Verdict::kGood) << text;
  }
  for (const char* text : {"", "-", "839:00:00", "1:00:00", "0001:00:00", "12:00", "12:00:0",
                           "+12:00:00", "12:60:00"}) {
    EXPECT_EQ(CheckTime(text), Verdict::kMalformed) << text;
  }
}

TEST(CanonicalYearTest, AYearIsANumber) {
  EXPECT_EQ(Year("1901"), "1901");
  EXPECT_EQ(Year("2155"), "2155");
  EXPECT_EQ(Year("0000"), "0");
  for (const char* text : {"", "1900", "2156", "99", "20x4", "02024"})
    EXPECT_EQ(Year(text), std::nullopt) << text;
}

TEST(CanonicalJsonTest, DocumentsStayAsTheServerWritesThem) {
  for (const char* text :
       {"null", "1.0", "\"str\"", "[]", "{}", R"({"a": [1, 2.5, "x"], "n": 12345678901234567890})",
        "123456789012345678901234567890.5", "1.7976931348623157e308", "5e-324",
        R"("\u0000\\\"")"}) {
    EXPECT_EQ(Json(text), text);
  }
}

TEST(CanonicalJsonTest, AnEmptyDocumentIsNull) { EXPECT_EQ(Json(""), "null"); }

TEST(CanonicalJsonTest, NumbersThatLackTheirZeroGetIt) {
  EXPECT_EQ(Json(".5"), "0.5");
  EXPECT_EQ(Json("-.5"), "-0.5");
  EXPECT_EQ(Json(R"({"a": .5, "b": [-.25, 1.5], "c": ".5"})"),
            R"({"a": 0.5, "b": [-0.25, 1.5], "c": ".5"})");
  EXPECT_EQ(Json(R"(["\".5", .5])"), R"(["\".5", 0.5])");
}

TEST(CanonicalJsonTest, ADocumentIsOneLine) {
  EXPECT_EQ(Json("{\n\t\"a\": 1\r\n}"), R"({  "a": 1  })");
}

TEST(CanonicalJsonTest, WhatIsNoDocumentIsMalformed) {
  using std::string_literals::operator""s;
  for (const std::string& text : {"{"s, "{\"a\"}"s, "[1,]"s, "nul"s, "1 2"s, "NaN"s, "Infinity"s,
                                  "'a'"s, "\"a\nb\""s, "1\0"s, "\0"s, "\"a"s,
                                  "\xef\xbb\xbf"
                                  "1"s,
                                  "JSON_REPLACE(%s, '$.a', 1)"s, "01"s}) {
    EXPECT_EQ(Json(text), std::nullopt) << testing::PrintToString(text);
  }
}

TEST(CanonicalJsonTest, DeepNestingIsNoTrouble) {
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  EXPECT_EQ(Json(deep), deep);
}

TEST(CanonicalJsonTest, WhatIsGoodIsJsonWhateverTheBytes) {
  std::mt19937 random(11);
  const std::string alphabet = "{}[]\",:.-0123456789eEtruefalsn\\ \n\t\x01u";
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (size_t size = random() % 12; size > 0; --size)
      text += alphabet[random() % alphabet.size()];
    const std::optional<std::string> json = Json(text);
    if (!json.has_value()) continue;
    rapidjson::Document document;
    document.Parse<rapidjson::kParseNumbersAsStringsFlag>(json->data(), json->size());
    EXPECT_FALSE(document.HasParseError()) << *json;
    EXPECT_EQ(json->find('\n'), std::string::npos) << *json;
  }
}

// What the standard library makes of the text; nothing where it does not read all of it as a finite
// number.
template <typename Number>
std::optional<std::string> Shortest(std::string_view text) {
  Number number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || at != end || !std::isfinite(number)) return std::nullopt;
  char out[64];
  return std::string(out, std::to_chars(out, out + sizeof(out), number).ptr);
}

// Numbers in the forms of MySQL ("-12.5", "1e20") and of Vitess ("-1.25E+01"), with zeros wherever
// they can stand.
std::string AnyNumber(std::mt19937_64& random) {
  const auto below = [&](uint64_t end) { return random() % end; };
  const auto digits = [&](uint64_t most, bool not_zero) {
    std::string text;
    for (uint64_t left = 1 + below(most); left > 0; --left) {
      text += static_cast<char>('0' + (below(3) == 0 ? 0 : below(10)));
    }
    if (not_zero && text[0] == '0') text[0] = '7';
    return text;
  };
  std::string text = below(2) == 0 ? "-" : "";
  if (below(2) == 0) {
    text += below(4) == 0 ? "0" : digits(below(3) == 0 ? 19 : 6, true);
    if (below(4) != 0) text += "." + digits(below(3) == 0 ? 19 : 6, false);
    if (below(4) == 0) text += (below(2) == 0 ? "e" : "e-") + digits(2, false);
    return text;
  }
  text += digits(1, true);
  if (below(4) != 0) text += "." + digits(below(3) == 0 ? 17 : 8, false);
  return text + (below(2) == 0 ? "E+" : "E-") + static_cast<char>('0' + below(4)) +
         static_cast<char>('0' + below(10));
}

TEST(CanonicalTextTest, FloatingPointNumbersAreTheShortestTextOfTheirValue) {
  std::mt19937_64 random(20261122);
  for (int i = 0; i < 200'000; ++i) {
    const std::string text = AnyNumber(random);
    EXPECT_EQ(Double(text), Shortest<double>(text)) << text;
    EXPECT_EQ(Float(text), Shortest<float>(text)) << text;
  }
}

TEST(CanonicalTextTest, EveryShortTextIsTheFloatingPointNumberThatTheStandardLibraryReads) {
  constexpr std::string_view kCharacters = "0159.-+eE";
  std::vector<std::string> texts = {""};
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::string text = texts[i];
    EXPECT_EQ(Double(text), Shortest<double>(text)) << text;
    EXPECT_EQ(Float(text), Shortest<float>(text)) << text;
    if (text.size() == 5) continue;
    for (const char c : kCharacters) texts.push_back(text + c);
  }
}

// Decimal numbers that follow each other, of as many digits as are always kept, fewer and more:
// above a power of two the floating-point numbers are twice as far apart as below.
TEST(CanonicalTextTest, FloatingPointNumbersNearPowersOfTwoAreTheShortestTextOfTheirValue) {
  for (int exponent = -120; exponent <= 120; ++exponent) {
    const double power = std::ldexp(1.0, exponent);
    const int magnitude = static_cast<int>(std::floor(std::log10(power)));
    for (const int digits : {5, 6, 7, 8, 14, 15, 16, 17}) {
      const int scale = magnitude - digits + 1;
      const int64_t nearest = std::llround(power / std::pow(10.0, scale));
      const std::string sign = scale < 0 ? "E-" : "E+";
      const std::string zero = std::abs(scale) < 10 ? "0" : "";
      for (int64_t number = nearest - 10; number <= nearest + 10; ++number) {
        const std::string text =
            std::to_string(number) + sign + zero + std::to_string(std::abs(scale));
        EXPECT_EQ(Float(text), Shortest<float>(text)) << text;
        EXPECT_EQ(Double(text), Shortest<double>(text)) << text;
      }
    }
  }
}

TEST(CanonicalTextTest, AnExponentIsWrittenOnlyWhereItMakesTheNumberShorter) {
  for (const auto& number : {Float, Double}) {
    EXPECT_EQ(number("10000"), "10000");
    EXPECT_EQ(number("100000"), "1e+05");
    EXPECT_EQ(number("1E+05"), "1e+05");
    EXPECT_EQ(number("120000"), "120000");
    EXPECT_EQ(number("0.001"), "0.001");
    EXPECT_EQ(number("0.0001"), "1e-04");
    EXPECT_EQ(number("0.00012"), "0.00012");
    EXPECT_EQ(number("0.000012"), "1.2e-05");
    EXPECT_EQ(number("1e22"), "1e+22");
    EXPECT_EQ(number("1E+23"), "1e+23");
  }
  EXPECT_EQ(Double("1.2E+19"), "1.2e+19");
  EXPECT_EQ(Double("12345678901234567890"), "12345678901234567168");
}

TEST(CanonicalTextTest, ZerosThatSayNothingAreLostInFloatingPointNumbers) {
  for (const auto& number : {Float, Double}) {
    EXPECT_EQ(number("1.50"), "1.5");
    EXPECT_EQ(number("-00.50"), "-0.5");
    EXPECT_EQ(number(".5"), "0.5");
    EXPECT_EQ(number("5."), "5");
    EXPECT_EQ(number("0.0"), "0");
    EXPECT_EQ(number("-0.0"), "-0");
    EXPECT_EQ(number("1." + std::string(40, '0')), "1");
    EXPECT_EQ(number("1E+012"), "1e+12");
    EXPECT_EQ(number("0E+400"), "0");
  }
}

TEST(CanonicalTextTest, FloatingPointNumbersAtTheEndsOfTheirRangesStayThere) {
  EXPECT_EQ(Double("1.7976931348623157e308"), "1.7976931348623157e+308");
  EXPECT_EQ(Double("5E-324"), "5e-324");
  EXPECT_EQ(Double("-0E+00"), "-0");
  EXPECT_EQ(Double("0.000"), "0");
  EXPECT_EQ(Double("1E+99"), "1e+99");
  EXPECT_EQ(Float("3.4028235E+38"), "3.4028235e+38");
  EXPECT_EQ(Float("1E-45"), "1e-45");
  EXPECT_EQ(Float("16777216"), "16777216");
  EXPECT_EQ(Float("16777217"), "16777216");
  EXPECT_EQ(Float("1E+39"), std::nullopt);
  EXPECT_EQ(Double("1E+309"), std::nullopt);
  EXPECT_EQ(Float("1.4013e-45"), "1e-45");
  EXPECT_EQ(Float("3.40282e38"), "3.40282e+38");
  EXPECT_EQ(Float("1.17549e-38"), "1.17549e-38");
  EXPECT_EQ(Float("7E-46"), std::nullopt);
  EXPECT_EQ(Double("2E-324"), std::nullopt);
}

TEST(CanonicalTextTest, WhatIsNoFloatingPointNumberIsMalformed) {
  for (const char* text : {"", "-", ".", "-.", "e5", "1e", "1e+", "1E+0x", "1 ", " 1", "+1", "1,5",
                           "1.2.3", "nan", "inf", "-Infinity", "0x10", "1e5 "}) {
    EXPECT_EQ(Double(text), std::nullopt) << text;
    EXPECT_EQ(Float(text), std::nullopt) << text;
  }
}

TEST(CanonicalTextTest, ADigitIsToldFromOtherBytesWhereverItStands) {
  for (size_t size = 1; size <= 18; ++size) {
    for (size_t at = 0; at < size; ++at) {
      for (const char other : {'/', ':', ' ', '\0', '-', 'a', '\xb5'}) {
        std::string text(size, '5');
        EXPECT_EQ(Unsigned(text), text);
        text[at] = other;
        EXPECT_EQ(Unsigned(text), std::nullopt) << size << " " << at << " " << other;
      }
    }
  }
}

}  // namespace
}  // namespace source_vitess::mysql
