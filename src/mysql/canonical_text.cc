#include "mysql/canonical_text.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <system_error>

namespace source_vitess::mysql {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Whether all bytes of the word are digits: high halves of 3, and low ones that stay below 16 with
// 6 added.
bool AreDigits(uint64_t word) {
  constexpr uint64_t kHighHalves = 0xf0f0f0f0f0f0f0f0;
  constexpr uint64_t kThrees = 0x3030303030303030;
  constexpr uint64_t kSixes = 0x0606060606060606;
  return (word & kHighHalves) == kThrees && ((word + kSixes) & kHighHalves) == kThrees;
}

bool AllDigits(std::string_view text) {
  uint64_t word = 0;
  if (text.size() < sizeof(word)) {
    bool all = true;
    for (const char c : text) all = all && IsDigit(c);
    return all;
  }
  const char* const last = text.data() + text.size() - sizeof(word);
  for (const char* at = text.data(); at < last; at += sizeof(word)) {
    std::memcpy(&word, at, sizeof(word));
    if (!AreDigits(word)) return false;
  }
  // Together with bytes that were looked at already.
  std::memcpy(&word, last, sizeof(word));
  return AreDigits(word);
}

std::string_view WithoutLeadingZeros(std::string_view digits) {
  while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
  return digits;
}

// `first` followed by `second`.
std::string_view Joined(std::string_view first, std::string_view second, Scratch& scratch) {
  char* out = scratch.Reserve(first.size() + second.size());
  out = std::copy(first.begin(), first.end(), out);
  return scratch.Keep(std::copy(second.begin(), second.end(), out));
}

// The number that `N` digits make; negative if they are none. REQUIRES: N bytes at `at`.
template <int N>
int Digits(const char* at) {
  int number = 0;
  for (int i = 0; i < N; ++i) {
    if (!IsDigit(at[i])) return -1;
    number = 10 * number + (at[i] - '0');
  }
  return number;
}

int DaysOf(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[month - 1];
}

// ":mm:ss[.f{1,6}]".
bool IsMinutesAndSeconds(std::string_view text) {
  if (text.size() < 6 || text[0] != ':' || text[3] != ':') return false;
  const int minutes = Digits<2>(text.data() + 1);
  const int seconds = Digits<2>(text.data() + 4);
  if (minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59) return false;
  const std::string_view fraction = text.substr(6);
  if (fraction.empty()) return true;
  return fraction.size() >= 2 && fraction.size() <= 7 && fraction[0] == '.' &&
         AllDigits(fraction.substr(1));
}

bool IsJson(std::string_view text, rapidjson::Reader& reader) {
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::BaseReaderHandler<> ignore;
  return !reader.Parse<kFlags>(stream, ignore).IsError();
}

bool IsJson(std::string_view text) {
  // The memory of a reader is used again for every document, unless that is unusually large.
  constexpr size_t kMostToKeep = size_t{1} << 20;
  if (text.size() > kMostToKeep) {
    rapidjson::Reader once;
    return IsJson(text, once);
  }
  static thread_local rapidjson::Reader reader;
  return IsJson(text, reader);
}

// Puts a zero before each point that begins a number, and spaces in the place of line ends between
// tokens.
std::string_view RepairedJson(std::string_view text, Scratch& scratch) {
  char* out = scratch.Reserve(2 * text.size());
  bool in_string = false;
  char previous = ' ';
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (in_string) {
      if (c == '\\' && i + 1 < text.size()) {
        *out++ = c;
        c = text[++i];
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '.' && !IsDigit(previous)) {
      *out++ = '0';
    } else if (c == '\n' || c == '\r' || c == '\t') {
      c = ' ';
    }
    previous = c;
    *out++ = c;
  }
  return scratch.Keep(out);
}

// A decimal number that is not zero: its digits from the first to the last that is not zero, and
// the place of the point before which they stand, counted from the first: 12.5 is 125 and 2, 0.05
// is 5 and -1.
struct Decimal {
  static constexpr int kMostDigits = 15;

  bool negative = false;
  int size = 0;
  int point = 0;
  std::array<char, kMostDigits> digits;
};

// False where the text is no such number, has more digits, or an exponent of more than two.
bool ReadDecimal(std::string_view text, Decimal& decimal) {
  const char* at = text.data();
  const char* const end = at + text.size();
  decimal.negative = at < end && *at == '-';
  if (decimal.negative) ++at;
  int zeros = 0;  // not yet known to stand between digits
  bool behind_point = false;
  bool any = false;
  for (; at < end; ++at) {
    if (*at == '.' && !behind_point) {
      behind_point = true;
      continue;
    }
    if (!IsDigit(*at)) break;
    any = true;
    if (*at == '0') {
      if (decimal.size > 0) ++zeros;
      if (decimal.size == 0 && behind_point) --decimal.point;
      if (decimal.size > 0 && !behind_point) ++decimal.point;
      continue;
    }
    if (decimal.size + zeros >= Decimal::kMostDigits) return false;
    for (; zeros > 0; --zeros) decimal.digits[static_cast<size_t>(decimal.size++)] = '0';
    decimal.digits[static_cast<size_t>(decimal.size++)] = *at;
    if (!behind_point) ++decimal.point;
  }
  if (!any || decimal.size == 0) return false;
  if (at == end) return true;
  if ((*at != 'e' && *at != 'E') || end - at < 3 || end - at > 4) return false;
  const bool down = at[1] == '-';
  if (!down && at[1] != '+') return false;
  int exponent = 0;
  for (at += 2; at < end; ++at) {
    if (!IsDigit(*at)) return false;
    exponent = 10 * exponent + (*at - '0');
  }
  decimal.point += down ? -exponent : exponent;
  return true;
}

// As std::to_chars writes it: with an exponent where that is shorter.
char* WriteDecimal(const Decimal& decimal, char* out) {
  const int size = decimal.size;
  const int point = decimal.point;
  const char* const digits = decimal.digits.data();
  if (decimal.negative) *out++ = '-';
  const int scientific = size == 1 ? 5 : size + 5;
  const int fixed = point <= 0 ? 2 - point + size : (point < size ? size + 1 : point);
  if (fixed > scientific) {
    *out++ = digits[0];
    if (size > 1) *out++ = '.';
    out = std::copy(digits + 1, digits + size, out);
    const int exponent = point - 1;
    *out++ = 'e';
    *out++ = exponent < 0 ? '-' : '+';
    *out++ = static_cast<char>('0' + std::abs(exponent) / 10);
    *out++ = static_cast<char>('0' + std::abs(exponent) % 10);
    return out;
  }
  if (point <= 0) {
    *out++ = '0';
    *out++ = '.';
    out = std::fill_n(out, -point, '0');
    return std::copy(digits, digits + size, out);
  }
  out = std::copy(digits, digits + std::min(point, size), out);
  if (point >= size) return std::fill_n(out, point - size, '0');
  *out++ = '.';
  return std::copy(digits + point, digits + size, out);
}

// Numbers of so few digits that different ones are different floating-point numbers are themselves
// the shortest text of what they read as, so there is no need to read them. Not near the ends of
// the range, and not where zeros would have to stand for the digits that a large number really has.
template <typename Number>
bool IsItsOwnShortestText(const Decimal& decimal) {
  constexpr int kDigits = std::numeric_limits<Number>::digits10;
  return decimal.size <= kDigits && decimal.point <= kDigits && decimal.point >= -30;
}

constexpr size_t kLongestFloatingPoint = 32;

// Whether that can be seen of the text as it is: "123.45", as MySQL writes most of them.
template <typename Number>
bool IsShortestTextAlready(std::string_view text) {
  constexpr size_t kMost = std::numeric_limits<Number>::digits10 + 1;
  if (text.size() < 3 || text.size() > kMost || text.front() < '1' || text.back() == '0') {
    return false;
  }
  const size_t point = text.find('.');
  return point < text.size() - 1 && AllDigits(text.substr(0, point)) &&
         AllDigits(text.substr(point + 1));
}

template <typename Number>
Verdict CanonicalNumber(std::string_view& text, Scratch& scratch) {
  if (IsShortestTextAlready<Number>(text)) return Verdict::kGood;
  char* const out = scratch.Reserve(kLongestFloatingPoint);
  Decimal decimal;
  if (ReadDecimal(text, decimal) && IsItsOwnShortestText<Number>(decimal)) {
    text = scratch.Keep(WriteDecimal(decimal, out));
    return Verdict::kGood;
  }
  Number number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || at != end || !std::isfinite(number)) return Verdict::kMalformed;
  text = scratch.Keep(std::to_chars(out, out + kLongestFloatingPoint, number).ptr);
  return Verdict::kGood;
}

bool HasControlCharacter(std::string_view text) {
  unsigned char least = 0xff;
  for (const char c : text) least = std::min(least, static_cast<unsigned char>(c));
  return least < 0x20;
}

}  // namespace

Verdict CanonicalInteger(bool is_unsigned, std::string_view& text, Scratch& scratch) {
  constexpr size_t kAlwaysFit = 18;  // digits
  if (!text.empty() && text.size() <= kAlwaysFit && text.front() >= '1' && AllDigits(text)) {
    return Verdict::kGood;
  }
  const bool negative = !text.empty() && text.front() == '-';
  const std::string_view written = text.substr(negative ? 1 : 0);
  if (written.empty() || !AllDigits(written)) return Verdict::kMalformed;
  const std::string_view digits = WithoutLeadingZeros(written);
  if (digits == "0") {
    text = digits;
    return Verdict::kGood;
  }
  const std::string_view largest = is_unsigned ? "18446744073709551615"
                                   : negative  ? "9223372036854775808"
                                               : "9223372036854775807";
  if (digits.size() > largest.size() || (digits.size() == largest.size() && digits > largest) ||
      (is_unsigned && negative)) {
    return Verdict::kMalformed;
  }
  if (!negative) {
    text = digits;
  } else if (digits.size() != written.size()) {
    text = Joined("-", digits, scratch);
  }
  return Verdict::kGood;
}

Verdict CanonicalDecimal(std::string_view& text, Scratch& scratch) {
  if (text.empty()) {
    text = "0";
    return Verdict::kGood;
  }
  bool negative = text.front() == '-';
  std::string_view written = text.substr(negative ? 1 : 0);
  const size_t point = std::min(written.find('.'), written.size());
  const std::string_view whole = written.substr(0, point);
  const std::string_view fraction = written.substr(std::min(point + 1, written.size()));
  if ((whole.empty() && fraction.empty()) || !AllDigits(whole) || !AllDigits(fraction)) {
    return Verdict::kMalformed;
  }
  if (fraction.empty()) written = whole;
  if (!whole.empty()) written.remove_prefix(whole.size() - WithoutLeadingZeros(whole).size());
  negative = negative && written.find_first_not_of("0.") != std::string_view::npos;
  if (whole.empty()) {
    text = Joined(negative ? "-0" : "0", written, scratch);
  } else if (!negative) {
    text = written;
  } else if (written.data() == text.data() + 1) {
    text = text.substr(0, written.size() + 1);
  } else {
    text = Joined("-", written, scratch);
  }
  return Verdict::kGood;
}

Verdict CanonicalFloat(std::string_view& text, Scratch& scratch) {
  return CanonicalNumber<float>(text, scratch);
}

Verdict CanonicalDouble(std::string_view& text, Scratch& scratch) {
  return CanonicalNumber<double>(text, scratch);
}

Verdict CheckDate(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return Verdict::kMalformed;
  const int year = Digits<4>(text.data());
  const int month = Digits<2>(text.data() + 5);
  const int day = Digits<2>(text.data() + 8);
  if (year < 0 || month < 0 || month > 12 || day < 0 || day > 31) return Verdict::kMalformed;
  if (year == 0 || month == 0 || day == 0 || day > DaysOf(year, month)) {
    return Verdict::kUnrepresentable;
  }
  return Verdict::kGood;
}

Verdict CheckDateTime(std::string_view text) {
  if (text.size() < 19 || text[10] != ' ') return Verdict::kMalformed;
  const int hours = Digits<2>(text.data() + 11);
  if (hours < 0 || hours > 23 || !IsMinutesAndSeconds(text.substr(13))) return Verdict::kMalformed;
  return CheckDate(text.substr(0, 10));
}

Verdict CheckTime(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  const size_t colon = text.find(':');
  if (colon != 2 && colon != 3) return Verdict::kMalformed;
  const int hours = colon == 2 ? Digits<2>(text.data()) : Digits<3>(text.data());
  if (hours < 0 || hours > 838 || !IsMinutesAndSeconds(text.substr(colon))) {
    return Verdict::kMalformed;
  }
  return Verdict::kGood;
}

Verdict CanonicalYear(std::string_view& text) {
  if (text.size() != 4 || !AllDigits(text)) return Verdict::kMalformed;
  const int year = Digits<4>(text.data());
  if (year != 0 && (year < 1901 || year > 2155)) return Verdict::kMalformed;
  text = WithoutLeadingZeros(text);
  return Verdict::kGood;
}

Verdict CanonicalJson(std::string_view& text, Scratch& scratch) {
  if (text.empty()) {
    text = "null";
    return Verdict::kGood;
  }
  if (!HasControlCharacter(text) && IsJson(text)) return Verdict::kGood;
  const std::string_view repaired = RepairedJson(text, scratch);
  if (HasControlCharacter(repaired) || !IsJson(repaired)) return Verdict::kMalformed;
  text = repaired;
  return Verdict::kGood;
}

}  // namespace source_vitess::mysql
