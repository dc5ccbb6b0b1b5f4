// Reads JSON that people and hosts hand in.
#ifndef SOURCE_VITESS_CONFIG_JSON_DOCUMENT_H_
#define SOURCE_VITESS_CONFIG_JSON_DOCUMENT_H_

#include <rapidjson/document.h>

#include <string_view>

#include "absl/status/statusor.h"

namespace source_vitess::config {

// Parses `text`, which has to be one JSON value in UTF-8. A failure is of the class kConfiguration,
// says the line and column (both from 1, columns in bytes), and repeats nothing of the text, which
// may hold secrets. Values may be nested 500 deep, since writing one again takes stack for each
// level.
absl::StatusOr<rapidjson::Document> ParseJson(std::string_view text);

// The value's text on one line.
std::string ToJsonText(const rapidjson::Value& value);

// The member of that name, or null where `object` is no object, has no such member, or has an
// explicit null there.
const rapidjson::Value* FindMember(const rapidjson::Value& object, std::string_view name);

}  // namespace source_vitess::config

#endif  // SOURCE_VITESS_CONFIG_JSON_DOCUMENT_H_
