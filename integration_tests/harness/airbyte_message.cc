#include "harness/airbyte_message.h"

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "rapidjson/error/en.h"

namespace source_vitess::harness {
namespace {

using Json = rapidjson::Value;
using Names = std::vector<std::string>;
using Check = std::function<void(const Json&, const std::string& path)>;

// Collects what is wrong with one message. A path is the way to a member, "record.data".
class Checker {
 public:
  void CheckMessage(const Json& message);
  const Names& problems() const { return problems_; }

 private:
  void Wrong(const std::string& path, const std::string& how) {
    problems_.push_back(absl::StrCat(path, " ", how));
  }

  // The member, if it is there and not null.
  static const Json* Find(const Json& object, const std::string& name) {
    const auto member = object.FindMember(name.c_str());
    return member == object.MemberEnd() || member->value.IsNull() ? nullptr : &member->value;
  }

  void Required(const Json& object, const std::string& path, const std::string& name,
                const Check& check) {
    const Json* value = Find(object, name);
    if (value == nullptr) return Wrong(absl::StrCat(path, ".", name), "is missing");
    check(*value, absl::StrCat(path, ".", name));
  }
  static void Optional(const Json& object, const std::string& path, const std::string& name,
                       const Check& check) {
    const Json* value = Find(object, name);
    if (value != nullptr) check(*value, absl::StrCat(path, ".", name));
  }

  // Checks of a value's type.
  Check String() {
    return [this](const Json& value, const std::string& path) {
      if (!value.IsString()) Wrong(path, "is no string");
    };
  }
  Check Bool() {
    return [this](const Json& value, const std::string& path) {
      if (!value.IsBool()) Wrong(path, "is no boolean");
    };
  }
  Check OneOf(Names names) {
    return [this, names = std::move(names)](const Json& value, const std::string& path) {
      if (!value.IsString() ||
          std::find(names.begin(), names.end(), value.GetString()) == names.end()) {
        Wrong(path, absl::StrCat("is none of ", absl::StrJoin(names, ", ")));
      }
    };
  }
  Check Milliseconds() {
    return [this](const Json& value, const std::string& path) {
      constexpr int64_t kYear2001 = 1'000'000'000'000;
      if (!value.IsInt64() || value.GetInt64() < kYear2001) {
        Wrong(path, "is no time in whole milliseconds since 1970");
      }
    };
  }
  // The protocol calls it a number; consumers parse it as one with a fraction.
  Check Count() {
    return [this](const Json& value, const std::string& path) {
      if (!value.IsDouble() || value.GetDouble() < 0) Wrong(path, "is no count written as 1.0");
    };
  }
  Check NonEmptyObject() {
    return [this](const Json& value, const std::string& path) {
      if (!value.IsObject() || value.ObjectEmpty()) Wrong(path, "is no object with members");
    };
  }
  Check Object(std::function<void(const Json&, const std::string&)> check_members) {
    return [this, check = std::move(check_members)](const Json& value, const std::string& path) {
      if (!value.IsObject()) return Wrong(path, "is no object");
      check(value, path);
    };
  }
  Check Array(Check check_element) {
    return [this, check = std::move(check_element)](const Json& value, const std::string& path) {
      if (!value.IsArray()) return Wrong(path, "is no array");
      for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
        check(value[i], absl::StrCat(path, "[", i, "]"));
      }
    };
  }
  Check StreamDescriptor() {
    return Object([this](const Json& value, const std::string& path) {
      Required(value, path, "name", String());
      Optional(value, path, "namespace", String());
    });
  }

  void CheckRecord(const Json& record, const std::string& path);
  void CheckState(const Json& state, const std::string& path);
  void CheckLog(const Json& log, const std::string& path);
  void CheckTrace(const Json& trace, const std::string& path);
  void CheckSpec(const Json& spec, const std::string& path);
  void CheckConnectionStatus(const Json& status, const std::string& path);
  void CheckCatalog(const Json& catalog, const std::string& path);
  void CheckStream(const Json& stream, const std::string& path);
  void CheckControl(const Json& control, const std::string& path);

  Names problems_;
};

void Checker::CheckRecord(const Json& record, const std::string& path) {
  Required(record, path, "stream", String());
  Optional(record, path, "namespace", String());
  Required(record, path, "data", NonEmptyObject());
  Required(record, path, "emitted_at", Milliseconds());
  const Check change = Object([this](const Json& value, const std::string& at) {
    Required(value, at, "field", String());
    Required(value, at, "change", OneOf({"NULLED", "TRUNCATED"}));
    Required(value, at, "reason",
             OneOf({"SOURCE_RECORD_SIZE_LIMITATION", "SOURCE_FIELD_SIZE_LIMITATION",
                    "SOURCE_SERIALIZATION_ERROR", "SOURCE_RETRIEVAL_ERROR"}));
  });
  Optional(record, path, "meta", Object([this, change](const Json& meta, const std::string& at) {
             Optional(meta, at, "changes", Array(change));
           }));
}

void Checker::CheckState(const Json& state, const std::string& path) {
  Required(state, path, "type", OneOf({"STREAM"}));
  Required(state, path, "stream", Object([this](const Json& stream, const std::string& at) {
             Required(stream, at, "stream_descriptor", StreamDescriptor());
             Required(stream, at, "stream_state", NonEmptyObject());
           }));
  Required(state, path, "sourceStats", Object([this](const Json& stats, const std::string& at) {
             Required(stats, at, "recordCount", Count());
           }));
}

void Checker::CheckLog(const Json& log, const std::string& path) {
  Required(log, path, "level", OneOf({"FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE"}));
  Required(log, path, "message", String());
  Optional(log, path, "stack_trace", String());
}

void Checker::CheckTrace(const Json& trace, const std::string& path) {
  Required(trace, path, "type", OneOf({"ERROR", "ESTIMATE", "STREAM_STATUS", "ANALYTICS"}));
  Required(trace, path, "emitted_at", Milliseconds());
  const Json* type = Find(trace, "type");
  const std::string name = type != nullptr && type->IsString() ? type->GetString() : "";
  if (name == "ERROR") {
    Required(trace, path, "error", Object([this](const Json& error, const std::string& at) {
               Required(error, at, "message", String());
               Optional(error, at, "internal_message", String());
               Optional(error, at, "stack_trace", String());
               Required(error, at, "failure_type",
                        OneOf({"system_error", "config_error", "transient_error"}));
               Optional(error, at, "stream_descriptor", StreamDescriptor());
             }));
  } else if (name == "STREAM_STATUS") {
    Required(
        trace, path, "stream_status", Object([this](const Json& status, const std::string& at) {
          Required(status, at, "stream_descriptor", StreamDescriptor());
          Required(status, at, "status", OneOf({"STARTED", "RUNNING", "COMPLETE", "INCOMPLETE"}));
        }));
  } else if (name == "ESTIMATE") {
    Required(trace, path, "estimate", Object([this](const Json& estimate, const std::string& at) {
               Required(estimate, at, "name", String());
               Required(estimate, at, "type", OneOf({"STREAM", "SYNC"}));
             }));
  } else if (name == "ANALYTICS") {
    Required(trace, path, "analytics", Object([this](const Json& analytics, const std::string& at) {
               Required(analytics, at, "type", String());
               Optional(analytics, at, "value", String());
             }));
  }
}

void Checker::CheckSpec(const Json& spec, const std::string& path) {
  Required(spec, path, "connectionSpecification", NonEmptyObject());
  Optional(spec, path, "documentationUrl", String());
  Optional(spec, path, "protocol_version", String());
}

void Checker::CheckConnectionStatus(const Json& status, const std::string& path) {
  Required(status, path, "status", OneOf({"SUCCEEDED", "FAILED"}));
  const Json* value = Find(status, "status");
  if (value != nullptr && value->IsString() && std::string(value->GetString()) == "FAILED") {
    Required(status, path, "message", String());
  }
}

void Checker::CheckStream(const Json& stream, const std::string& path) {
  Required(stream, path, "name", String());
  Optional(stream, path, "namespace", String());
  Required(stream, path, "json_schema", Object([this](const Json& schema, const std::string& at) {
             Required(schema, at, "properties", NonEmptyObject());
           }));
  Required(stream, path, "supported_sync_modes", Array(OneOf({"full_refresh", "incremental"})));
  const Json* modes = Find(stream, "supported_sync_modes");
  if (modes != nullptr && modes->IsArray() && modes->Empty()) {
    Wrong(absl::StrCat(path, ".supported_sync_modes"), "is empty");
  }
  Optional(stream, path, "source_defined_cursor", Bool());
  Optional(stream, path, "default_cursor_field", Array(String()));
  Optional(stream, path, "source_defined_primary_key", Array(Array(String())));
  Optional(stream, path, "is_resumable", Bool());
}

void Checker::CheckCatalog(const Json& catalog, const std::string& path) {
  Required(catalog, path, "streams",
           Array(Object(
               [this](const Json& stream, const std::string& at) { CheckStream(stream, at); })));
}

void Checker::CheckControl(const Json& control, const std::string& path) {
  Required(control, path, "type", OneOf({"CONNECTOR_CONFIG"}));
  Required(control, path, "emitted_at", Milliseconds());
}

void Checker::CheckMessage(const Json& message) {
  struct Body {
    const char* type;
    const char* member;
    void (Checker::*check)(const Json&, const std::string&);
  };
  static constexpr Body kBodies[] = {
      {"RECORD", "record", &Checker::CheckRecord},
      {"STATE", "state", &Checker::CheckState},
      {"LOG", "log", &Checker::CheckLog},
      {"SPEC", "spec", &Checker::CheckSpec},
      {"CONNECTION_STATUS", "connectionStatus", &Checker::CheckConnectionStatus},
      {"CATALOG", "catalog", &Checker::CheckCatalog},
      {"TRACE", "trace", &Checker::CheckTrace},
      {"CONTROL", "control", &Checker::CheckControl},
  };
  const Json* type = Find(message, "type");
  const std::string name = type != nullptr && type->IsString() ? type->GetString() : "";
  bool known = false;
  for (const Body& body : kBodies) {
    const Json* value = Find(message, body.member);
    if (name != body.type) {
      if (value != nullptr) Wrong(body.member, absl::StrCat("does not belong to type ", name));
      continue;
    }
    known = true;
    if (value == nullptr || !value->IsObject()) {
      Wrong(body.member, "is no object");
    } else {
      (this->*body.check)(*value, body.member);
    }
  }
  if (!known) Wrong("type", absl::StrCat("is unknown: \"", name, "\""));
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
  Checker checker;
  checker.CheckMessage(message);
  if (!checker.problems().empty()) {
    return absl::InvalidArgumentError(absl::StrJoin(checker.problems(), "; "));
  }
  return message;
}

}  // namespace source_vitess::harness
