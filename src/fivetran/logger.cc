#include "fivetran/logger.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace source_vitess::fivetran {
namespace {

std::string_view LevelOf(telemetry::Severity severity) {
  switch (severity) {
    case telemetry::Severity::kDebug:
    case telemetry::Severity::kInfo:
      return "INFO";
    case telemetry::Severity::kWarning:
      return "WARNING";
    case telemetry::Severity::kError:
      return "SEVERE";
  }
  return "SEVERE";
}

}  // namespace

std::string LogLine(telemetry::Severity severity, std::string_view message) {
  rapidjson::StringBuffer text;
  rapidjson::Writer<rapidjson::StringBuffer> writer(text);
  const auto add = [&](const char* key, std::string_view value) {
    writer.Key(key);
    writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  writer.StartObject();
  add("level", LevelOf(severity));
  add("message", message);
  add("message-origin", "sdk_connector");
  writer.EndObject();
  return std::string(text.GetString(), text.GetSize()) + "\n";
}

}  // namespace source_vitess::fivetran
