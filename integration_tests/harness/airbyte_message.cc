#include "harness/airbyte_message.h"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "rapidjson/error/en.h"
#include "rapidjson/schema.h"

namespace source_vitess::harness {
namespace {

using Json = rapidjson::Value;

constexpr size_t kShownBytes = 300;  // of a line in an error

// The schema of each type of message.
using Schemas = std::map<std::string, std::unique_ptr<const rapidjson::SchemaDocument>>;

// The branches of the protocol's one-of by what they have for "type": validating by one of them
// costs less than by all, and says what is wrong.
Schemas ReadSchemas() {
  std::ostringstream text;
  text << std::ifstream(AIRBYTE_PROTOCOL_SCHEMA).rdbuf();
  rapidjson::Document protocol;
  protocol.Parse(text.str().c_str());
  if (protocol.HasParseError()) {
    std::cerr << AIRBYTE_PROTOCOL_SCHEMA << " is no JSON\n";
    std::abort();
  }
  Schemas schemas;
  for (const Json& branch : protocol["oneOf"].GetArray()) {
    rapidjson::Document schema;
    schema.CopyFrom(branch, schema.GetAllocator());
    schema.AddMember("definitions", Json(protocol["definitions"], schema.GetAllocator()),
                     schema.GetAllocator());
    schemas.emplace(branch["properties"]["type"]["enum"][0].GetString(),
                    std::make_unique<const rapidjson::SchemaDocument>(schema));
  }
  return schemas;
}

const rapidjson::SchemaDocument* SchemaOf(const std::string& type) {
  static const auto& schemas = *new Schemas(ReadSchemas());
  const auto found = schemas.find(type);
  return found == schemas.end() ? nullptr : found->second.get();
}

// "state.stream.stream_state"
std::string PathOf(const rapidjson::Pointer& pointer) {
  std::string path;
  for (size_t i = 0; i < pointer.GetTokenCount(); ++i) {
    const auto& token = pointer.GetTokens()[i];
    absl::StrAppend(&path, path.empty() ? "" : ".", absl::string_view(token.name, token.length));
  }
  return path.empty() ? "the message" : path;
}

absl::Status Validate(const Json& message, const std::string& type) {
  const rapidjson::SchemaDocument* const schema = SchemaOf(type);
  if (schema == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("type is unknown: \"", type, "\""));
  }
  rapidjson::SchemaValidator validator(*schema);
  if (!message.Accept(validator)) {
    return absl::InvalidArgumentError(absl::StrCat(PathOf(validator.GetInvalidDocumentPointer()),
                                                   " breaks \"",
                                                   validator.GetInvalidSchemaKeyword(), "\""));
  }
  // A number with a fraction is no matter of schemas, but consumers parse it as one.
  if (type == "STATE" && !message["state"]["sourceStats"]["recordCount"].IsDouble()) {
    return absl::InvalidArgumentError("state.sourceStats.recordCount is no count written as 1.0");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<rapidjson::Document> ParseAirbyteMessage(const std::string& line) {
  rapidjson::Document message;
  message.Parse<rapidjson::kParseValidateEncodingFlag | rapidjson::kParseFullPrecisionFlag>(
      line.data(), line.size());
  if (message.HasParseError()) {
    return absl::InvalidArgumentError(
        absl::StrCat("no JSON: ", rapidjson::GetParseError_En(message.GetParseError()), " at byte ",
                     message.GetErrorOffset()));
  }
  if (!message.IsObject()) return absl::InvalidArgumentError("no JSON object");
  const auto type = message.FindMember("type");
  const std::string name =
      type != message.MemberEnd() && type->value.IsString() ? type->value.GetString() : "";
  if (absl::Status status = Validate(message, name); !status.ok()) return status;
  return message;
}

absl::Status CheckAirbyteMessages(const std::vector<std::string>& lines) {
  for (size_t i = 0; i < lines.size(); ++i) {
    const absl::Status status = ParseAirbyteMessage(lines[i]).status();
    if (status.ok()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("line ", i + 1, " is no message of Airbyte's protocol: ", status.message(),
                     ": ", lines[i].substr(0, kShownBytes)));
  }
  return absl::OkStatus();
}

}  // namespace source_vitess::harness
