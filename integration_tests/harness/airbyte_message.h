// Whether a line is a message of the Airbyte protocol (version 0), by the JSON Schema in
// airbyte_protocol.json.
#ifndef SOURCE_VITESS_HARNESS_AIRBYTE_MESSAGE_H_
#define SOURCE_VITESS_HARNESS_AIRBYTE_MESSAGE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rapidjson/document.h"

namespace source_vitess::harness {

// Parses `line`, one object in valid UTF-8, and checks it by the schema of its type. Unknown
// members are refused, which is more than the protocol asks for. An error says which member is
// wrong, and which keyword of the schema it breaks.
absl::StatusOr<rapidjson::Document> ParseAirbyteMessage(const std::string& line);

// That every line is a message. An error is of the first that is none, and has its beginning.
absl::Status CheckAirbyteMessages(const std::vector<std::string>& lines);

}  // namespace source_vitess::harness

#endif  // SOURCE_VITESS_HARNESS_AIRBYTE_MESSAGE_H_
