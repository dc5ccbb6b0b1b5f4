#include "simulator/number_text.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

// MySQL's strings/dtoa.cc: beyond this many places on either side of the point it writes an
// exponent.
constexpr int kMostPlaces = 15;

template <typename... Arguments>
std::string ToText(Arguments... arguments) {
  std::array<char, 64> buffer;
  const std::to_chars_result result =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), arguments...);
  return std::string(buffer.data(), result.ptr);
}

// Rewrites "d.ddde+XX" without an exponent where MySQL does.
std::string FromScientific(std::string_view scientific) {
  const bool negative = scientific.front() == '-';
  if (negative) scientific.remove_prefix(1);
  const size_t e = scientific.find('e');
  const int exponent = std::atoi(std::string(scientific.substr(e + 1)).c_str());
  std::string digits(1, scientific[0]);
  if (e > 2) digits += scientific.substr(2, e - 2);
  while (digits.size() > 1 && digits.back() == '0') digits.pop_back();
  const int point = exponent + 1;  // digits before the point
  std::string text = negative ? "-" : "";
  if (digits == "0") return "0";
  if (point > kMostPlaces || point < 1 - kMostPlaces) {
    text += digits[0];
    if (digits.size() > 1) CatTo(&text, ".", digits.substr(1));
    return Cat(text, "e", exponent);
  }
  if (point <= 0) return Cat(text, "0.", std::string(static_cast<size_t>(-point), '0'), digits);
  const auto places = static_cast<size_t>(point);
  if (digits.size() <= places) return Cat(text, digits, std::string(places - digits.size(), '0'));
  return Cat(text, digits.substr(0, places), ".", digits.substr(places));
}

}  // namespace

std::string DoubleText(double number) {
  return FromScientific(ToText(number, std::chars_format::scientific));
}

std::string FloatText(float number) {
  constexpr int kDigitsAfterTheFirst = 5;
  return FromScientific(
      ToText(static_cast<double>(number), std::chars_format::scientific, kDigitsAfterTheFirst));
}

std::string DoubleExponentText(double number) {
  return ToUpper(ToText(number, std::chars_format::scientific));
}

std::string FloatExponentText(float number) {
  return ToUpper(ToText(number, std::chars_format::scientific));
}

std::string ShortestText(float number) { return ToText(number); }

}  // namespace source_vitess::simulator
