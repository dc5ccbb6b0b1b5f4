// What Airbyte's connector acceptance tests ask of a specification (reference 2.7 and 4.1, A3 to
// A17).
#include "config/specification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "config/json_document.h"
#include "config/options.h"

namespace source_vitess::config {
namespace {

using rapidjson::Value;

std::string_view Text(const Value& value) { return {value.GetString(), value.GetStringLength()}; }

// Calls `visit` for every property of an object schema, below one-ofs and nested objects too.
using Visitor =
    std::function<void(std::string_view path, std::string_view name, const Value& property)>;

void VisitProperties(const Value& schema, const std::string& path, const Visitor& visit) {
  if (const Value* branches = FindMember(schema, "oneOf")) {
    for (const Value& branch : branches->GetArray()) VisitProperties(branch, path, visit);
  }
  const Value* properties = FindMember(schema, "properties");
  if (properties == nullptr) return;
  for (const auto& property : properties->GetObject()) {
    const std::string name(Text(property.name));
    visit(path, name, property.value);
    VisitProperties(property.value, path + name + ".", visit);
  }
}

void VisitProperties(const Visitor& visit) { VisitProperties(ConnectionSchema(), "", visit); }

// Calls `visit` for every object in `value`.
void VisitObjects(const Value& value, const std::function<void(const Value&)>& visit) {
  if (value.IsObject()) {
    visit(value);
    for (const auto& member : value.GetObject()) VisitObjects(member.value, visit);
  } else if (value.IsArray()) {
    for (const Value& element : value.GetArray()) VisitObjects(element, visit);
  }
}

void ExpectUniqueOrders(const Value& schema) {
  const Value* properties = FindMember(schema, "properties");
  if (properties == nullptr) return;
  std::set<std::pair<std::string, int>> seen;
  for (const auto& property : properties->GetObject()) {
    const Value* order = FindMember(property.value, "order");
    ASSERT_NE(order, nullptr) << Text(property.name);
    const Value* group = FindMember(property.value, "group");
    const std::string group_name(group == nullptr ? "" : Text(*group));
    EXPECT_TRUE(seen.emplace(group_name, order->GetInt()).second) << Text(property.name);
  }
}

TEST(SpecificationTest, IsAConnectorSpecification) {
  const auto specification = ParseJson(SpecJson());

  ASSERT_TRUE(specification.ok()) << specification.status();
  EXPECT_TRUE(FindMember(*specification, "supportsIncremental")->IsTrue());
  EXPECT_TRUE(FindMember(*specification, "supported_destination_sync_modes")->Empty());
  EXPECT_EQ(Text(*FindMember(*specification, "protocol_version")), "0.2.0");
  EXPECT_TRUE(Text(*FindMember(*specification, "documentationUrl")).starts_with("https://"));
  EXPECT_TRUE(Text(*FindMember(*specification, "changelogUrl")).starts_with("https://"));
  EXPECT_EQ(FindMember(*specification, "advanced_auth"), nullptr);
}

TEST(SpecificationTest, ExplainsEveryProperty) {
  VisitProperties([](std::string_view path, std::string_view name, const Value& property) {
    EXPECT_NE(FindMember(property, "title"), nullptr) << path << name;
    EXPECT_NE(FindMember(property, "description"), nullptr) << path << name;
  });
}

TEST(SpecificationTest, HasPlainTypes) {
  const std::set<std::string_view> types = {"string",  "integer", "number",
                                            "boolean", "array",   "object"};
  VisitProperties([&](std::string_view path, std::string_view name, const Value& property) {
    const Value* type = FindMember(property, "type");
    ASSERT_TRUE(type != nullptr && type->IsString()) << path << name;
    EXPECT_TRUE(types.contains(Text(*type))) << path << name;
    if (Text(*type) == "array") {
      const Value* items = FindMember(property, "items");
      ASSERT_NE(items, nullptr) << path << name;
      EXPECT_EQ(Text(*FindMember(*items, "type")), "string") << path << name;
    }
    if (Text(*type) == "object") {
      EXPECT_TRUE(FindMember(property, "properties") != nullptr ||
                  FindMember(property, "oneOf") != nullptr)
          << path << name;
    }
  });
}

TEST(SpecificationTest, MarksWhatLooksLikeASecret) {
  const std::set<std::string_view> sensitive = {
      "client_token", "access_token", "api_token", "token", "secret", "client_secret", "password",
      "key", "service_account_info", "service_account", "tenant_id", "certificate", "jwt",
      "credentials", "app_id", "appid", "refresh_token",
      // Ours, which the list does not know.
      "ca_certificate", "client_certificate", "client_key"};
  int secrets = 0;
  VisitProperties([&](std::string_view path, std::string_view name, const Value& property) {
    const Value* mark = FindMember(property, "airbyte_secret");
    EXPECT_EQ(mark != nullptr && mark->IsTrue(), sensitive.contains(name)) << path << name;
    secrets += sensitive.contains(name) ? 1 : 0;
  });
  EXPECT_EQ(secrets, 4);
}

TEST(SpecificationTest, HasEnumsOfDistinctValues) {
  VisitProperties([](std::string_view path, std::string_view name, const Value& property) {
    const Value* values = FindMember(property, "enum");
    if (values == nullptr) return;
    std::set<std::string> seen;
    for (const Value& value : values->GetArray()) {
      EXPECT_TRUE(seen.insert(ToJsonText(value)).second) << path << name;
    }
  });
}

TEST(SpecificationTest, OrdersPropertiesWithoutTies) {
  ExpectUniqueOrders(ConnectionSchema());
  VisitProperties([](std::string_view, std::string_view, const Value& property) {
    ExpectUniqueOrders(property);
    const Value* branches = FindMember(property, "oneOf");
    if (branches == nullptr) return;
    for (const Value& branch : branches->GetArray()) ExpectUniqueOrders(branch);
  });
}

TEST(SpecificationTest, GroupsTopLevelPropertiesAlone) {
  std::set<std::string_view> groups;
  for (const Value& group : FindMember(ConnectionSchema(), "groups")->GetArray()) {
    groups.insert(Text(*FindMember(group, "id")));
  }
  VisitProperties([&](std::string_view path, std::string_view name, const Value& property) {
    const Value* group = FindMember(property, "group");
    EXPECT_EQ(group != nullptr, path.empty()) << path << name;
    if (group != nullptr) {
      EXPECT_TRUE(groups.contains(Text(*group))) << name;
    }
  });
}

TEST(SpecificationTest, TellsTheBranchesOfAOneOfByOneConstant) {
  int one_ofs = 0;
  VisitProperties([&](std::string_view path, std::string_view name, const Value& property) {
    EXPECT_EQ(FindMember(property, "display_type"), nullptr) << path << name;
    const Value* branches = FindMember(property, "oneOf");
    if (branches == nullptr) return;
    ++one_ofs;
    EXPECT_EQ(Text(*FindMember(property, "type")), "object") << path << name;
    std::map<std::string, std::set<std::string>> constants;
    for (const Value& branch : branches->GetArray()) {
      EXPECT_NE(FindMember(branch, "title"), nullptr) << path << name;
      EXPECT_EQ(Text(*FindMember(branch, "type")), "object") << path << name;
      for (const auto& member : FindMember(branch, "properties")->GetObject()) {
        const Value* constant = FindMember(member.value, "const");
        if (constant == nullptr) continue;
        EXPECT_EQ(FindMember(member.value, "default"), nullptr) << path << name;
        const Value* values = FindMember(member.value, "enum");
        ASSERT_TRUE(values != nullptr && values->Size() == 1) << path << name;
        EXPECT_EQ((*values)[0], *constant) << path << name;
        constants[std::string(Text(member.name))].insert(ToJsonText(*constant));
        bool required = false;
        for (const Value& each : FindMember(branch, "required")->GetArray()) {
          required = required || each == member.name;
        }
        EXPECT_TRUE(required) << path << name;
      }
    }
    ASSERT_EQ(constants.size(), 1u) << path << name;
    EXPECT_EQ(constants.begin()->second.size(), branches->Size()) << path << name;
  });
  EXPECT_EQ(one_ofs, 2);
}

TEST(SpecificationTest, UsesNoForbiddenKeyword) {
  const std::set<std::string_view> forbidden = {
      "not", "anyOf", "allOf", "patternProperties", "prefixItems",
      "if",  "then",  "else",  "dependentSchemas",  "dependentRequired",
      "$ref"};
  VisitObjects(ConnectionSchema(), [&](const Value& object) {
    for (const auto& member : object.GetObject()) {
      EXPECT_FALSE(forbidden.contains(Text(member.name))) << Text(member.name);
    }
  });
}

TEST(SpecificationTest, AllowsAdditionalPropertiesEverywhere) {
  EXPECT_TRUE(FindMember(ConnectionSchema(), "additionalProperties")->IsTrue());
  VisitObjects(ConnectionSchema(), [](const Value& object) {
    const Value* additional = FindMember(object, "additionalProperties");
    if (additional != nullptr) {
      EXPECT_TRUE(additional->IsTrue());
    }
  });
}

TEST(SpecificationTest, HasPropertiesForAllThatItRequires) {
  VisitObjects(ConnectionSchema(), [](const Value& object) {
    const Value* required = FindMember(object, "required");
    if (required == nullptr || !required->IsArray()) return;
    for (const Value& name : required->GetArray()) {
      EXPECT_NE(FindMember(*FindMember(object, "properties"), Text(name)), nullptr) << Text(name);
    }
  });
}

TEST(SpecificationTest, HasDefaultsThatItAccepts) {
  auto config = ParseJson(R"({"host": "vtgate", "keyspaces": ["commerce"]})");
  ASSERT_TRUE(config.ok());

  const absl::Status status = Complete(ConnectionSchema(), *config);

  EXPECT_TRUE(status.ok()) << status;
  VisitProperties([&](std::string_view path, std::string_view name, const Value& property) {
    if (path.empty() && FindMember(property, "default") != nullptr) {
      EXPECT_NE(FindMember(*config, name), nullptr) << name;
    }
  });
}

TEST(CompleteTest, ShowsNothingOfATextThatStandsWhereSecretsBelong) {
  auto config =
      ParseJson(R"({"host": "h", "keyspaces": ["k"], "authentication": "correct-horse"})");
  ASSERT_TRUE(config.ok());

  const absl::Status status = Complete(ConnectionSchema(), *config);

  EXPECT_EQ(status.message(), "Option \"authentication\" wants an object, and got a string.");
}

}  // namespace
}  // namespace source_vitess::config
