#include "mysql/canonical_text.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace source_vitess::mysql {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool AllDigits(std::string_view text) {
  bool all = true;
  for (const char c : text) all = all && IsDigit(c);
  return all;
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

bool HasControlCharacter(std::string_view text) {
  unsigned char least = 0xff;
  for (const char c : text) least = std::min(least, static_cast<unsigned char>(c));
  return least < 0x20;
}

}  // namespace

Verdict CanonicalInteger(bool is_unsigned, std::string_view& text, Scratch& scratch) {
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
