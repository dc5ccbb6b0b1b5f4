// MySQL's text of a JSON document.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_JSON_TEXT_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_JSON_TEXT_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace source_vitess::simulator {

// The document as MySQL stores and prints it: keys by length and then by bytes, the last of equal
// keys, ", " and ": " between. Fails with errno 3140 on text that is not JSON.
absl::StatusOr<std::string> NormalizeJson(std::string_view text);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_JSON_TEXT_H_
