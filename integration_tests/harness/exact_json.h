// JSON with numbers kept as they were written: 4.50 stays 4.50, and a decimal of 30 digits keeps
// them all.
#ifndef SOURCE_VITESS_HARNESS_EXACT_JSON_H_
#define SOURCE_VITESS_HARNESS_EXACT_JSON_H_

#include <string>

#include "rapidjson/document.h"
#include "rapidjson/stringbuffer.h"
#include "rapidjson/writer.h"

namespace source_vitess::harness {

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;

// Parses `json` with every number as a string of its digits; a null value when it is no JSON.
rapidjson::Document ParseRaw(const std::string& json);

// Writes `value`, compact. `raw` is the same value out of ParseRaw.
void WriteExact(const rapidjson::Value& value, const rapidjson::Value& raw, JsonWriter& writer);

// The text of one value, compact.
std::string ExactText(const rapidjson::Value& value, const rapidjson::Value& raw);

}  // namespace source_vitess::harness

#endif  // SOURCE_VITESS_HARNESS_EXACT_JSON_H_
