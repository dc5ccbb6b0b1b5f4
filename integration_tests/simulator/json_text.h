// MySQL's text of a JSON document.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_JSON_TEXT_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_JSON_TEXT_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace source_vitess::simulator {

enum class JsonKeyOrder {
  kLengthThenBytes,  // MySQL's own
  kBytes,            // Vitess's, in rows of the binary log (recording noblob-partial-json)
};

// The document as MySQL stores and prints it: keys in their order, the last of equal keys, ", " and
// ": " between. Fails with errno 3140 on text that is not JSON.
absl::StatusOr<std::string> NormalizeJson(std::string_view text,
                                          JsonKeyOrder order = JsonKeyOrder::kLengthThenBytes);

// `text` as a JSON string, quotes included.
std::string QuoteJson(std::string_view text);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_JSON_TEXT_H_
