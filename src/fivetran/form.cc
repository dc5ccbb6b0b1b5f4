#include "fivetran/form.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "config/json_document.h"
#include "config/specification.h"
#include "text/absl_view.h"
#include "vitess/errors.h"

namespace source_vitess::fivetran {
namespace {

namespace sdk = fivetran_sdk::v2;
using config::FindMember;
using rapidjson::Value;

// Options that say nothing to this host.
constexpr std::array<std::string_view, 2> kOmitted = {
    "truncate",     // Fivetran can be told that a table was emptied
    "time_format",  // a TIME is always text, because it may be longer than a day
};

struct OtherDefault {
  std::string_view option;
  std::string_view value;
};
constexpr std::array kOtherDefaults = {
    // The destination's rows are marked as deleted before the table is copied again, so that
    // nothing stays in it that the source has lost.
    OtherDefault{"lost_position", "copy_again"},
};

// A file of certificates or a key.
constexpr int kLargestFile = 1 << 20;
constexpr std::string_view kPemBegins = "-----BEGIN";

constexpr int kLastOrder = 1'000;

// What becomes one field of the form.
struct Field {
  std::string name;
  std::vector<std::string> path;  // in the configuration's JSON
  const Value* schema;            // of the option
  bool required = false;
  std::string label;
  std::string default_value;
  std::vector<std::string> choices;  // of a dropdown
  // Shown, and meant, where the field of that name has that value.
  std::string condition_field;
  std::string condition_value;
};

std::string Text(const Value& schema, std::string_view member) {
  const Value* const text = FindMember(schema, member);
  return text != nullptr && text->IsString()
             ? std::string(text->GetString(), text->GetStringLength())
             : std::string();
}

bool IsTrue(const Value& schema, std::string_view member) {
  const Value* const flag = FindMember(schema, member);
  return flag != nullptr && flag->IsTrue();
}

// A value as the form has it; empty for an empty list or object.
std::string FormText(const Value& value) {
  if (value.IsString()) return {value.GetString(), value.GetStringLength()};
  if (value.IsArray()) {
    std::vector<std::string> items;
    for (const Value& item : value.GetArray()) items.push_back(FormText(item));
    return absl::StrJoin(items, ", ");
  }
  return value.IsObject() ? "" : config::ToJsonText(value);
}

bool IsRequired(const Value& object, const std::string& name) {
  const Value* const required = FindMember(object, "required");
  return required != nullptr &&
         std::any_of(required->Begin(), required->End(),
                     [&](const Value& other) { return FormText(other) == name; });
}

// The members of an object's schema, in the order in which they are shown.
std::vector<std::pair<std::string, const Value*>> MembersOf(const Value& schema) {
  std::vector<std::string> groups;
  if (const Value* const list = FindMember(schema, "groups"); list != nullptr) {
    for (const Value& group : list->GetArray()) groups.push_back(Text(group, "id"));
  }
  std::vector<std::pair<std::string, const Value*>> members;
  if (const Value* const properties = FindMember(schema, "properties"); properties != nullptr) {
    for (const auto& [name, member] : properties->GetObject()) {
      members.emplace_back(FormText(name), &member);
    }
  }
  const auto place = [&](const Value& member) {
    const auto group = std::find(groups.begin(), groups.end(), Text(member, "group"));
    const Value* const order = FindMember(member, "order");
    return std::pair(group - groups.begin(), order == nullptr ? kLastOrder : order->GetInt());
  };
  std::stable_sort(members.begin(), members.end(), [&](const auto& a, const auto& b) {
    return place(*a.second) < place(*b.second);
  });
  return members;
}

std::string DefaultOf(const std::string& option, const Value& schema) {
  const auto other =
      std::find_if(kOtherDefaults.begin(), kOtherDefaults.end(),
                   [&](const OtherDefault& candidate) { return candidate.option == option; });
  if (other != kOtherDefaults.end()) return std::string(other->value);
  const Value* const value = FindMember(schema, "default");
  return value == nullptr ? "" : FormText(*value);
}

Field MakeField(const Value& object, const std::string& name, const Value& schema,
                std::vector<std::string> path) {
  Field field;
  field.name = name;
  field.path = std::move(path);
  field.schema = &schema;
  field.required = IsRequired(object, field.path.back());
  field.label = Text(schema, "title");
  field.default_value = DefaultOf(name, schema);
  if (const Value* const choices = FindMember(schema, "enum"); choices != nullptr) {
    for (const Value& choice : choices->GetArray()) field.choices.push_back(FormText(choice));
  }
  return field;
}

// A choice: the field of the answers, and those of each answer.
void AddOneOf(const std::string& option, const Value& schema, std::vector<Field>& fields) {
  const Value& branches = schema["oneOf"];
  const Value& defaults = schema["default"];
  const std::string discriminator = FormText(defaults.MemberBegin()->name);
  Field choice;
  choice.name = absl::StrCat(option, "_", discriminator);
  choice.path = {option, discriminator};
  choice.schema = &schema;
  choice.label = Text(schema, "title");
  choice.default_value = FormText(defaults.MemberBegin()->value);
  std::vector<Field> of_answers;
  for (const Value& branch : branches.GetArray()) {
    const std::string answer = Text(branch["properties"][discriminator.c_str()], "const");
    choice.choices.push_back(answer);
    for (const auto& [name, member] : MembersOf(branch)) {
      if (name == discriminator) continue;
      Field field = MakeField(branch, name, *member, {option, name});
      field.condition_field = choice.name;
      field.condition_value = answer;
      of_answers.push_back(std::move(field));
    }
  }
  fields.push_back(std::move(choice));
  fields.insert(fields.end(), of_answers.begin(), of_answers.end());
}

std::vector<Field> MakeFields() {
  std::vector<Field> fields;
  const Value& schema = config::ConnectionSchema();
  for (const auto& [name, option] : MembersOf(schema)) {
    if (std::find(kOmitted.begin(), kOmitted.end(), name) != kOmitted.end()) continue;
    if (FindMember(*option, "oneOf") != nullptr) {
      AddOneOf(name, *option, fields);
    } else if (FindMember(*option, "properties") != nullptr) {
      for (const auto& [member_name, member] : MembersOf(*option)) {
        Field field =
            MakeField(*option, absl::StrCat(name, "_", member_name), *member, {name, member_name});
        field.label = absl::StrCat(Text(*option, "title"), ": ", field.label);
        fields.push_back(std::move(field));
      }
    } else {
      fields.push_back(MakeField(schema, name, *option, {name}));
    }
  }
  return fields;
}

// Live as long as the program, as the schema does.
const std::vector<Field>& Fields() {
  static const auto* const fields = new std::vector<Field>(MakeFields());
  return *fields;
}

bool IsFile(const Field& field) { return IsTrue(*field.schema, "multiline"); }
bool IsToggle(const Field& field) { return Text(*field.schema, "type") == "boolean"; }
bool IsList(const Field& field) { return Text(*field.schema, "type") == "array"; }
bool IsNumber(const Field& field) { return Text(*field.schema, "type") == "integer"; }

std::string DescriptionOf(const Field& field) {
  std::string description = absl::StrReplaceAll(Text(*field.schema, "description"),
                                                {{"<code>", "\""}, {"</code>", "\""}});
  const Value* const branches = FindMember(*field.schema, "oneOf");
  if (branches != nullptr) {
    for (rapidjson::SizeType i = 0; i < branches->Size(); ++i) {
      absl::StrAppend(&description, " \"", field.choices[i], "\": ",
                      absl::StrReplaceAll(Text((*branches)[i], "description"),
                                          {{"<code>", "\""}, {"</code>", "\""}}));
    }
  }
  if (IsList(field)) absl::StrAppend(&description, " With commas between them.");
  if (IsFile(field)) absl::StrAppend(&description, " A file in PEM format.");
  return description;
}

std::string PlaceholderOf(const Field& field) {
  const Value* const examples = FindMember(*field.schema, "examples");
  return examples == nullptr || examples->Empty() ? "" : FormText((*examples)[0]);
}

void Describe(const Field& field, sdk::FormField& out) {
  out.set_name(field.name);
  out.set_label(field.label);
  out.set_required(field.required);
  out.set_description(DescriptionOf(field));
  if (!field.default_value.empty()) out.set_default_value(field.default_value);
  if (!field.choices.empty()) {
    for (const std::string& choice : field.choices) {
      out.mutable_dropdown_field()->add_dropdown_field(choice);
    }
  } else if (IsToggle(field)) {
    out.mutable_toggle_field();
  } else if (IsFile(field)) {
    for (const char* type : {".pem", ".crt", ".cer", ".key"}) {
      out.mutable_upload_field()->add_allowed_file_type(type);
    }
    out.mutable_upload_field()->set_max_file_size_bytes(kLargestFile);
  } else if (IsTrue(*field.schema, "airbyte_secret")) {
    out.set_text_field(sdk::Password);
  } else {
    out.set_text_field(sdk::PlainText);
    if (std::string text = PlaceholderOf(field); !text.empty()) {
      out.set_placeholder(std::move(text));
    }
  }
}

void AddTest(std::string_view name, const char* label, sdk::ConfigurationFormResponse& form) {
  sdk::ConfigurationTest& test = *form.add_tests();
  test.set_name(std::string(name));
  test.set_label(label);
}

absl::Status FieldError(const Field& field, std::string_view problem) {
  return vitess::ConfigurationError(
      absl::StrCat("Field \"", field.label, "\" ", text::AbslView(problem)));
}

absl::StatusOr<Value> ListOf(const std::string& text, rapidjson::Document& json) {
  Value list(rapidjson::kArrayType);
  for (const absl::string_view item : absl::StrSplit(text, absl::ByAnyChar(",\n"))) {
    const absl::string_view trimmed = absl::StripAsciiWhitespace(item);
    if (trimmed.empty()) continue;
    list.PushBack(Value(trimmed.data(), static_cast<rapidjson::SizeType>(trimmed.size()),
                        json.GetAllocator()),
                  json.GetAllocator());
  }
  return list;
}

Value StringOf(const std::string& text, rapidjson::Document& json) {
  return {text.data(), static_cast<rapidjson::SizeType>(text.size()), json.GetAllocator()};
}

absl::StatusOr<Value> FileOf(const Field& field, const std::string& text,
                             rapidjson::Document& json) {
  if (text.find(kPemBegins) != std::string::npos) return StringOf(text, json);
  std::string content;
  if (!absl::Base64Unescape(text, &content) || content.find(kPemBegins) == std::string::npos) {
    return FieldError(field, "wants a file in PEM format, in Base64 as the form sends it.");
  }
  return StringOf(content, json);
}

absl::StatusOr<Value> FlagOf(const Field& field, const std::string& text) {
  bool flag = false;
  if (absl::SimpleAtob(absl::StripAsciiWhitespace(text), &flag)) return Value(flag);
  return FieldError(field, "wants true or false.");
}

absl::StatusOr<Value> NumberOf(const Field& field, const std::string& text) {
  int64_t number = 0;
  if (absl::SimpleAtoi(text, &number)) return Value(number);
  return FieldError(field, "wants a whole number.");
}

// The form's value as the configuration's.
absl::StatusOr<Value> ValueOf(const Field& field, const std::string& text,
                              rapidjson::Document& json) {
  if (IsToggle(field)) return FlagOf(field, text);
  if (IsNumber(field)) return NumberOf(field, text);
  if (IsList(field)) return ListOf(text, json);
  if (IsFile(field)) return FileOf(field, text, json);
  if (IsTrue(*field.schema, "airbyte_secret")) return StringOf(text, json);
  return StringOf(std::string(absl::StripAsciiWhitespace(text)), json);
}

void Insert(const Field& field, Value value, rapidjson::Document& json) {
  Value* object = &json;
  for (size_t i = 0; i + 1 < field.path.size(); ++i) {
    const char* const name = field.path[i].c_str();
    if (!object->HasMember(name)) {
      object->AddMember(StringOf(name, json), Value(rapidjson::kObjectType), json.GetAllocator());
    }
    object = &(*object)[name];
  }
  object->AddMember(StringOf(field.path.back(), json), std::move(value), json.GetAllocator());
}

}  // namespace

sdk::ConfigurationFormResponse MakeForm() {
  sdk::ConfigurationFormResponse form;
  form.set_schema_selection_supported(true);
  form.set_table_selection_supported(true);
  sdk::FormField* group = nullptr;
  for (const Field& field : Fields()) {
    if (field.condition_field.empty()) {
      group = nullptr;
      Describe(field, *form.add_fields());
      continue;
    }
    const std::string name = absl::StrCat(field.condition_field, "_", field.condition_value);
    if (group == nullptr || group->name() != name) {
      group = form.add_fields();
      group->set_name(name);
      group->set_label(field.condition_value);
      sdk::VisibilityCondition& condition =
          *group->mutable_conditional_fields()->mutable_condition();
      condition.set_condition_field(field.condition_field);
      condition.set_string_value(field.condition_value);
    }
    Describe(field, *group->mutable_conditional_fields()->add_fields());
  }
  AddTest(kConnectionTest, "Connect to VTGate", form);
  AddTest(kCredentialsTest, "Log in", form);
  AddTest(kTablesTest, "Find the keyspaces and tables", form);
  AddTest(kBinaryLogsTest, "Check tablets, binary log settings and positions", form);
  return form;
}

absl::Status InWordsOfTheForm(const absl::Status& status) {
  if (status.ok()) return status;
  std::string message(vitess::WithRemedy(status).message());
  for (const Field& field : Fields()) {
    const std::string option = absl::StrCat("\"", absl::StrJoin(field.path, "."));
    const std::string label = absl::StrCat("\"", field.label);
    message = absl::StrReplaceAll(
        message, {{absl::StrCat("Option ", option, "\""), absl::StrCat("Field ", label, "\"")},
                  {absl::StrCat("Option ", option, "["), absl::StrCat("Field ", label, "[")},
                  {absl::StrCat("option ", option, "\""), absl::StrCat("field ", label, "\"")},
                  {absl::StrCat(option, "\""), absl::StrCat(label, "\"")}});
  }
  return vitess::WithClass(absl::Status(status.code(), message), vitess::Classify(status));
}

absl::StatusOr<config::Options> ParseConfiguration(
    const google::protobuf::Map<std::string, std::string>& configuration) {
  rapidjson::Document json(rapidjson::kObjectType);
  const auto text_of = [&](const std::string& name) {
    const auto found = configuration.find(name);
    return found == configuration.end() ? std::string() : found->second;
  };
  const auto answer_of = [&](const std::string& name) {
    const std::string text(absl::StripAsciiWhitespace(text_of(name)));
    if (!text.empty()) return text;
    const auto field = std::find_if(Fields().begin(), Fields().end(),
                                    [&](const Field& other) { return other.name == name; });
    return field->default_value;
  };
  for (const Field& field : Fields()) {
    const bool is_meant =
        field.condition_field.empty() || answer_of(field.condition_field) == field.condition_value;
    if (!is_meant) continue;
    std::string text = text_of(field.name);
    if (absl::StripAsciiWhitespace(text).empty()) text = field.default_value;
    if (text.empty()) continue;
    auto value = ValueOf(field, text, json);
    if (!value.ok()) return value.status();
    Insert(field, *std::move(value), json);
  }
  auto options = config::ParseOptions(config::ToJsonText(json));
  if (!options.ok()) return InWordsOfTheForm(options.status());
  options->types.times = mysql::TimeFormat::kText;
  return options;
}

}  // namespace source_vitess::fivetran
