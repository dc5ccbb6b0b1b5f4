#include "simulator/regular_expression.h"

#include <unicode/regex.h>

namespace source_vitess::simulator {
namespace {

icu::UnicodeString FromUtf8(std::string_view text) {
  return icu::UnicodeString::fromUTF8({text.data(), static_cast<int32_t>(text.size())});
}

}  // namespace

bool FindsRegularExpression(std::string_view expression, std::string_view text) {
  while (expression.starts_with('/')) expression.remove_prefix(1);
  while (expression.ends_with('/')) expression.remove_suffix(1);
  if (expression.empty()) return true;
  UErrorCode error = U_ZERO_ERROR;
  const icu::UnicodeString subject = FromUtf8(text);
  icu::RegexMatcher matcher(FromUtf8(expression), subject, 0, error);
  return U_SUCCESS(error) && matcher.find(error) && U_SUCCESS(error);
}

}  // namespace source_vitess::simulator
