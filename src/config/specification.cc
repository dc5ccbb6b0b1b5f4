#include "config/specification.h"

#include <rapidjson/pointer.h>
#include <rapidjson/schema.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "config/json_document.h"
#include "config/options.h"
#include "text/absl_view.h"
#include "vitess/errors.h"

namespace source_vitess::config {
namespace {

using rapidjson::Document;
using rapidjson::Value;
using text::AbslView;
using Allocator = Document::AllocatorType;

constexpr size_t kLongestShown = 60;  // bytes of a value in a message

std::string_view Text(const Value& string) {
  return {string.GetString(), string.GetStringLength()};
}

std::string_view TypeOf(const Value& schema) {
  const Value* type = FindMember(schema, "type");
  return type != nullptr && type->IsString() ? Text(*type) : std::string_view();
}

std::string Join(std::string_view path, std::string_view name) {
  return path.empty() ? std::string(name) : absl::StrCat(AbslView(path), ".", AbslView(name));
}

void DropNulls(Value& value) {
  if (value.IsArray()) {
    for (Value& element : value.GetArray()) DropNulls(element);
  }
  if (!value.IsObject()) return;
  for (auto member = value.MemberBegin(); member != value.MemberEnd();) {
    if (member->value.IsNull()) {
      member = value.EraseMember(member);
    } else {
      DropNulls(member->value);
      ++member;
    }
  }
}

std::string Count(int64_t count, std::string_view noun) {
  return absl::StrCat("at least ", count, " ", AbslView(noun), count == 1 ? "" : "s");
}

// What an option wants, in words: "an integer from 1 to 65535".
std::string Wanted(const Value& schema) {
  if (const Value* values = FindMember(schema, "enum")) {
    std::vector<std::string> texts;
    for (const Value& value : values->GetArray()) texts.push_back(ToJsonText(value));
    return absl::StrCat(texts.size() > 1 ? "one of " : "", absl::StrJoin(texts, ", "));
  }
  const std::string_view type = TypeOf(schema);
  const Value* minimum = FindMember(schema, "minimum");
  const Value* maximum = FindMember(schema, "maximum");
  if (type == "integer" && minimum != nullptr && maximum != nullptr) {
    return absl::StrCat("an integer from ", minimum->GetInt64(), " to ", maximum->GetInt64());
  }
  if (type == "array") {
    const Value* items = FindMember(schema, "items");
    const std::string noun = items != nullptr ? std::string(TypeOf(*items)) : "value";
    const Value* least = FindMember(schema, "minItems");
    return least != nullptr ? absl::StrCat("an array of ", Count(least->GetInt64(), noun))
                            : absl::StrCat("an array of ", noun, "s");
  }
  if (const Value* descriptor = FindMember(schema, "pattern_descriptor")) {
    return std::string(Text(*descriptor));
  }
  if (type == "string") {
    return FindMember(schema, "minLength") != nullptr ? "a string that is not empty" : "a string";
  }
  if (type == "boolean") return "true or false";
  return absl::StrCat("an ", AbslView(type));
}

std::string Got(const Value& value, bool secret) {
  switch (value.GetType()) {
    case rapidjson::kObjectType:
      return "an object";
    case rapidjson::kArrayType:
      return value.Empty() ? "an empty array" : "an array";
    case rapidjson::kNullType:
      return "null";
    case rapidjson::kStringType:
      if (value.GetStringLength() == 0) return "an empty string";
      if (secret) return "a string";
      if (value.GetStringLength() > kLongestShown) {
        return absl::StrCat("a string of ", value.GetStringLength(), " bytes");
      }
      return ToJsonText(value);
    default:
      return secret ? "something else" : ToJsonText(value);
  }
}

// Whether what stands in the place of `schema` may be a secret: it is one itself, or has one in it,
// which somebody may have put where the whole belongs.
bool MayBeSecret(const Value& schema) {
  if (schema.IsArray()) {
    return std::any_of(schema.Begin(), schema.End(), MayBeSecret);
  }
  if (!schema.IsObject()) return false;
  const Value* secret = FindMember(schema, "airbyte_secret");
  if (secret != nullptr && secret->IsTrue()) return true;
  return std::any_of(schema.MemberBegin(), schema.MemberEnd(),
                     [](const auto& member) { return MayBeSecret(member.value); });
}

absl::Status OptionError(std::string_view path, const Value& schema, const Value* value) {
  const std::string subject = path.empty() ? std::string("The configuration")
                                           : absl::StrCat("Option \"", AbslView(path), "\"");
  if (value == nullptr) {
    return vitess::ConfigurationError(
        absl::StrCat(subject, " is missing: it wants ", Wanted(schema), "."));
  }
  return vitess::ConfigurationError(absl::StrCat(subject, " wants ", Wanted(schema), ", and got ",
                                                 Got(*value, MayBeSecret(schema)), "."));
}

// The property whose "const" tells the branches of a one-of apart.
std::string Discriminator(const Value& branches) {
  for (const auto& property : (*FindMember(branches[0], "properties")).GetObject()) {
    if (FindMember(property.value, "const") != nullptr) return std::string(Text(property.name));
  }
  return "";
}

// Replaces the one-of of `schema` by the branch that `value` names.
absl::Status ChooseBranch(Value& schema, const Value& value, std::string_view path,
                          Allocator& allocator) {
  const Value& branches = *FindMember(schema, "oneOf");
  const std::string discriminator = Discriminator(branches);
  const Value* chosen = FindMember(value, discriminator);
  Value constants(rapidjson::kArrayType);
  for (const Value& branch : branches.GetArray()) {
    const Value& property = *FindMember(*FindMember(branch, "properties"), discriminator);
    const Value& constant = *FindMember(property, "const");
    if (chosen != nullptr && constant == *chosen) {
      Value copy(branch, allocator);
      schema = copy;
      return absl::OkStatus();
    }
    constants.PushBack(Value(constant, allocator), allocator);
  }
  Value any_of_them(rapidjson::kObjectType);
  any_of_them.AddMember("enum", constants, allocator);
  return OptionError(Join(path, discriminator), any_of_them, chosen);
}

// Fills the defaults of `schema` into `value` and replaces every one-of of `schema`, which is a
// copy, by its branch.
absl::Status Resolve(Value& schema, Value& value, std::string_view path, Allocator& allocator) {
  if (!value.IsObject()) return absl::OkStatus();  // the validator says so
  if (FindMember(schema, "oneOf") != nullptr) {
    absl::Status status = ChooseBranch(schema, value, path, allocator);
    if (!status.ok()) return status;
  }
  const auto properties = schema.FindMember("properties");
  if (properties == schema.MemberEnd()) return absl::OkStatus();
  for (auto& property : properties->value.GetObject()) {
    auto member = value.FindMember(property.name);
    if (member == value.MemberEnd()) {
      const Value* fallback = FindMember(property.value, "default");
      if (fallback == nullptr) continue;
      value.AddMember(Value(property.name, allocator), Value(*fallback, allocator), allocator);
      member = value.MemberEnd() - 1;
    }
    absl::Status status =
        Resolve(property.value, member->value, Join(path, Text(property.name)), allocator);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

struct Place {
  std::string path;
  const Value* schema;
  const Value* value;
};

Place Follow(const rapidjson::Pointer& pointer, const Value& schema, const Value& config) {
  Place place{"", &schema, &config};
  for (size_t i = 0; i < pointer.GetTokenCount(); ++i) {
    const auto& token = pointer.GetTokens()[i];
    const std::string_view name(token.name, token.length);
    if (place.value->IsArray()) {
      absl::StrAppend(&place.path, "[", AbslView(name), "]");
      place.schema = FindMember(*place.schema, "items");
      place.value = &(*place.value)[token.index];
    } else {
      place.path = Join(place.path, name);
      place.schema = FindMember(*FindMember(*place.schema, "properties"), name);
      place.value = FindMember(*place.value, name);
    }
  }
  return place;
}

absl::Status Validate(const Value& schema, const Value& config) {
  const rapidjson::SchemaDocument compiled(schema);
  rapidjson::SchemaValidator validator(compiled);
  if (config.Accept(validator)) return absl::OkStatus();

  const Place place = Follow(validator.GetInvalidDocumentPointer(), schema, config);
  if (std::string_view(validator.GetInvalidSchemaKeyword()) == "required") {
    for (const Value& required : FindMember(*place.schema, "required")->GetArray()) {
      if (FindMember(*place.value, Text(required)) != nullptr) continue;
      return OptionError(Join(place.path, Text(required)),
                         *FindMember(*FindMember(*place.schema, "properties"), Text(required)),
                         nullptr);
    }
  }
  return OptionError(place.path, *place.schema, place.value);
}

}  // namespace

absl::Status Complete(const Value& schema, Document& config) {
  Allocator& allocator = config.GetAllocator();
  Value resolved(schema, allocator);
  DropNulls(config);
  absl::Status status = Resolve(resolved, config, "", allocator);
  return status.ok() ? Validate(resolved, config) : status;
}

const Value& ConnectionSchema() {
  static const Document* const specification = [] {
    absl::StatusOr<Document> parsed = ParseJson(SpecJson());
    if (!parsed.ok()) std::abort();
    return new Document(*std::move(parsed));
  }();
  return *FindMember(*specification, "connectionSpecification");
}

}  // namespace source_vitess::config
