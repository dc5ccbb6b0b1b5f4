// The README's table of options says what spec/spec.json says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tests/docs_file.h"

namespace source_vitess::docs {
namespace {

using rapidjson::Value;
using ::testing::ElementsAreArray;
using ::testing::Not;

std::string Code(const Value& value) {
  if (value.IsString()) return absl::StrCat("`", value.GetString(), "`");
  rapidjson::StringBuffer text;
  rapidjson::Writer<rapidjson::StringBuffer> writer(text);
  value.Accept(writer);
  return absl::StrCat("`", text.GetString(), "`");
}

// What may stand there, in words.
std::string ValueOf(const Value& schema) {
  const std::string type = schema["type"].GetString();
  if (schema.HasMember("enum")) {
    std::vector<std::string> choices;
    for (const Value& choice : schema["enum"].GetArray()) choices.push_back(Code(choice));
    return absl::StrJoin(choices, ", ");
  }
  if (type == "integer") {
    return absl::StrCat(schema["minimum"].GetInt64(), " to ", schema["maximum"].GetInt64());
  }
  if (type == "boolean") return "`true`, `false`";
  if (type == "array") return "list of texts";
  const bool multiline = schema.HasMember("multiline") && schema["multiline"].GetBool();
  const bool secret = schema.HasMember("airbyte_secret") && schema["airbyte_secret"].GetBool();
  return absl::StrCat(multiline ? "PEM text" : "text", secret ? ", secret" : "");
}

bool IsRequired(const Value& object, const std::string& name) {
  if (!object.HasMember("required")) return false;
  const auto required = object["required"].GetArray();
  return std::any_of(required.begin(), required.end(),
                     [&](const Value& other) { return other.GetString() == name; });
}

std::string Row(const std::string& path, const Value& schema, const std::string& value,
                const std::string& if_missing) {
  return absl::StrCat("| `", path, "` | ", schema["title"].GetString(), " | ", value, " | ",
                      if_missing, " |");
}

std::string IfMissing(const Value& object, const std::string& name, const Value& schema) {
  if (IsRequired(object, name)) return "required";
  return schema.HasMember("default") ? Code(schema["default"]) : "none";
}

// The choice itself, then what each of its branches asks for.
void AppendOneOf(const std::string& path, const Value& schema, std::vector<std::string>& rows) {
  const auto branches = schema["oneOf"].GetArray();
  const std::string key = schema["default"].MemberBegin()->name.GetString();
  std::vector<std::string> choices;
  for (const Value& branch : branches) {
    choices.push_back(Code(branch["properties"][key.c_str()]["enum"][0]));
  }
  rows.push_back(Row(path + "." + key, branches[0]["properties"][key.c_str()],
                     absl::StrJoin(choices, ", "), Code(schema["default"][key.c_str()])));
  for (rapidjson::SizeType i = 0; i < branches.Size(); ++i) {
    for (const auto& [name, property] : branches[i]["properties"].GetObject()) {
      if (name == key.c_str()) continue;
      const std::string if_missing = IfMissing(branches[i], name.GetString(), property);
      rows.push_back(
          Row(absl::StrCat(path, ".", name.GetString()), property, ValueOf(property),
              if_missing == "required" ? absl::StrCat("required with ", choices[i]) : if_missing));
    }
  }
}

void AppendRows(const std::string& prefix, const Value& object, std::vector<std::string>& rows) {
  for (const auto& [name, property] : object["properties"].GetObject()) {
    const std::string path = prefix + name.GetString();
    if (property.HasMember("oneOf")) {
      AppendOneOf(path, property, rows);
    } else if (property.HasMember("properties")) {
      AppendRows(path + ".", property, rows);
    } else {
      rows.push_back(
          Row(path, property, ValueOf(property), IfMissing(object, name.GetString(), property)));
    }
  }
}

std::vector<std::string> SpecifiedRows() {
  rapidjson::Document spec;
  spec.Parse(ReadFile("spec/spec.json").c_str());
  std::vector<std::string> rows;
  AppendRows("", spec["connectionSpecification"], rows);
  return rows;
}

struct DocumentedOption {
  std::string row;  // without its last cell
  std::string meaning;
};

std::vector<DocumentedOption> DocumentedOptions() {
  const std::string readme = ReadFile("README.md");
  const size_t begin = readme.find("<!-- options -->");
  const size_t end = readme.find("<!-- end of options -->");
  std::vector<DocumentedOption> options;
  if (begin == std::string::npos || end == std::string::npos) return options;
  const std::vector<std::string> lines =
      absl::StrSplit(readme.substr(begin, end - begin), '\n', absl::SkipEmpty());
  for (const std::string& line : lines) {
    if (!absl::StartsWith(line, "| `")) continue;
    const size_t last = line.rfind('|');
    const size_t cell = line.rfind('|', last - 1);
    options.push_back({line.substr(0, cell + 1),
                       std::string(absl::StripAsciiWhitespace(
                           absl::string_view(line).substr(cell + 1, last - cell - 1)))});
  }
  return options;
}

TEST(OptionsTableTest, HasEveryOptionAsTheSpecificationHasIt) {
  const std::vector<std::string> specified = SpecifiedRows();

  std::vector<std::string> documented;
  for (const DocumentedOption& option : DocumentedOptions()) documented.push_back(option.row);

  EXPECT_THAT(specified, Not(testing::IsEmpty()));
  EXPECT_THAT(documented, ElementsAreArray(specified)) << "The README needs these rows:\n"
                                                       << absl::StrJoin(specified, "\n");
}

TEST(OptionsTableTest, SaysWhatEachOptionIsFor) {
  for (const DocumentedOption& option : DocumentedOptions()) {
    EXPECT_THAT(option.meaning, Not(testing::IsEmpty())) << option.row;
  }
}

}  // namespace
}  // namespace source_vitess::docs
