#include "config/json_document.h"

#include <rapidjson/error/en.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "vitess/errors.h"

namespace source_vitess::config {
namespace {

constexpr int kDeepest = 500;

// Whether arrays and objects of the text, which need not be JSON, are nested too deeply.
bool IsTooDeep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kDeepest) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace

absl::StatusOr<rapidjson::Document> ParseJson(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (IsTooDeep(text)) {
    return vitess::ConfigurationError(
        absl::StrCat("its arrays and objects are nested more than ", kDeepest, " deep"));
  }
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag |
                 rapidjson::kParseFullPrecisionFlag>(text.data(), text.size());
  if (!document.HasParseError()) return document;

  const std::string_view before = text.substr(0, std::min(document.GetErrorOffset(), text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return vitess::ConfigurationError(
      absl::StrCat("not valid JSON: line ", line, ", column ", before.size() - line_start + 1, ": ",
                   rapidjson::GetParseError_En(document.GetParseError())));
}

std::string ToJsonText(const rapidjson::Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return std::string(buffer.GetString(), buffer.GetSize());
}

const rapidjson::Value* FindMember(const rapidjson::Value& object, std::string_view name) {
  if (!object.IsObject()) return nullptr;
  const auto member = object.FindMember(rapidjson::Value(
      rapidjson::StringRef(name.data(), static_cast<rapidjson::SizeType>(name.size()))));
  if (member == object.MemberEnd() || member->value.IsNull()) return nullptr;
  return &member->value;
}

}  // namespace source_vitess::config
