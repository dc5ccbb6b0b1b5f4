// MySQL's character sets and collations, as far as the simulator knows them.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_CHARSET_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_CHARSET_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace source_vitess::simulator {

struct Collation {
  std::string_view name;     // "utf8mb4_0900_ai_ci"
  std::string_view charset;  // "utf8mb4"
  uint32_t id;               // MySQL's
  // Whether Vitess knows it; it announces 0 for others (recording copy-all-types, column vg).
  bool known_to_vitess;
};

inline constexpr uint32_t kBinaryCollationId = 63;

// By name; null if there is none of that name. The result lives for ever.
const Collation* FindCollation(std::string_view name);

// The collation that a character set has if none is given.
const Collation* DefaultCollation(std::string_view charset);

// UTF-8 text as bytes of `charset`. Fails on characters that the set does not have.
absl::StatusOr<std::string> EncodeText(std::string_view utf8, std::string_view charset);

// Bytes of `charset` as UTF-8; what is not valid becomes U+FFFD.
std::string DecodeText(std::string_view bytes, std::string_view charset);

// Bytes whose order is that of the collation. Collations that ignore case and accents are
// approximated by Unicode's root collation; "_bin" ones are exact. Trailing blanks count only in
// the utf8mb4_0900 collations and "binary".
std::string CollationKey(std::string_view bytes, const Collation& collation);

// Characters in `bytes`.
size_t CountCharacters(std::string_view bytes, std::string_view charset);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_CHARSET_H_
