// String functions of Abseil for std::string_view, which Debian's Abseil takes for a foreign type:
// it is built for C++14, with a string_view of its own.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_STRINGS_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_STRINGS_H_

#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace source_vitess::simulator {

inline absl::string_view AbslView(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view StdView(absl::string_view text) { return {text.data(), text.size()}; }

template <typename Part>
const Part& ForAbsl(const Part& part) {
  return part;
}
inline absl::string_view ForAbsl(const std::string_view& part) { return AbslView(part); }

// absl::StrCat and absl::StrAppend.
template <typename... Parts>
std::string Cat(const Parts&... parts) {
  return absl::StrCat(ForAbsl(parts)...);
}
template <typename... Parts>
void CatTo(std::string* out, const Parts&... parts) {
  absl::StrAppend(out, ForAbsl(parts)...);
}

inline bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix);
}
inline bool EndsWith(std::string_view text, std::string_view suffix) {
  return text.ends_with(suffix);
}
inline bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}
inline bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase(AbslView(a), AbslView(b));
}
inline bool StartsWithIgnoreCase(std::string_view text, std::string_view prefix) {
  return EqualsIgnoreCase(text.substr(0, prefix.size()), prefix);
}

inline std::string ToLower(std::string_view text) { return absl::AsciiStrToLower(AbslView(text)); }
inline std::string ToUpper(std::string_view text) { return absl::AsciiStrToUpper(AbslView(text)); }

// Takes `prefix` off the front of `text`, if it is there.
inline bool ConsumePrefix(std::string_view* text, std::string_view prefix) {
  if (!text->starts_with(prefix)) return false;
  text->remove_prefix(prefix.size());
  return true;
}

template <typename Number>
bool ParseInteger(std::string_view text, Number* number) {
  return absl::SimpleAtoi(AbslView(text), number);
}

// The parts between separators; empty ones count only if `keep_empty`.
inline std::vector<std::string_view> Split(std::string_view text, char separator, bool keep_empty) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    if (keep_empty || end != 0) {
      if (keep_empty || !text.empty()) parts.push_back(text.substr(0, end));
    }
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_STRINGS_H_
