// Whether a line is a message of the Airbyte protocol (version 0), checked field by field.
#ifndef SOURCE_VITESS_HARNESS_AIRBYTE_MESSAGE_H_
#define SOURCE_VITESS_HARNESS_AIRBYTE_MESSAGE_H_

#include <string>

#include "absl/status/statusor.h"
#include "rapidjson/document.h"

namespace source_vitess::harness {

// Parses `line`, one object in valid UTF-8, and checks that its type is one a source may print,
// that it has the body of that type and no other, and that the body has what the protocol demands,
// each of its type and from its set of values. Unknown members are allowed, as by the protocol. An
// error says which member is wrong, and how.
absl::StatusOr<rapidjson::Document> ParseAirbyteMessage(const std::string& line);

}  // namespace source_vitess::harness

#endif  // SOURCE_VITESS_HARNESS_AIRBYTE_MESSAGE_H_
