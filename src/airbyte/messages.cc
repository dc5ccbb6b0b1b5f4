#include "airbyte/messages.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <unicode/unistr.h>

#include <ctime>
#include <string>

#include "absl/strings/str_cat.h"
#include "config/json_document.h"
#include "text/absl_view.h"
#include "vitess/errors.h"

namespace source_vitess::airbyte {
namespace {

std::string ValidUtf8(std::string_view text) {
  std::string valid;
  icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())))
      .toUTF8String(valid);
  return valid;
}

// Writes the objects of one message. Keys are literals.
class MessageWriter {
 public:
  explicit MessageWriter(std::string_view type) {
    writer_.StartObject();
    Text("type", type);
  }

  void Key(std::string_view key) {
    writer_.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
  }

  void Text(std::string_view key, std::string_view value) {
    const std::string valid = ValidUtf8(value);
    Key(key);
    writer_.String(valid.data(), static_cast<rapidjson::SizeType>(valid.size()));
  }

  void Integer(std::string_view key, int64_t value) {
    Key(key);
    writer_.Int64(value);
  }

  // With a decimal point, however whole it is.
  void Number(std::string_view key, double value) {
    Key(key);
    writer_.Double(value);
  }

  void Json(std::string_view key, std::string_view json) {
    Key(key);
    writer_.RawValue(json.data(), json.size(), rapidjson::kObjectType);
  }

  void Open(std::string_view key) {
    Key(key);
    writer_.StartObject();
    ++open_;
  }

  void Close() {
    writer_.EndObject();
    --open_;
  }

  void Descriptor(const StreamName& stream) {
    Open("stream_descriptor");
    Text("name", stream.name);
    if (!stream.name_space.empty()) Text("namespace", stream.name_space);
    Close();
  }

  // Closes what is open.
  std::string Line() {
    while (open_ > 0) Close();
    return std::string(buffer_.GetString(), buffer_.GetSize()) + "\n";
  }

 private:
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
  int open_ = 1;
};

std::string_view LevelName(telemetry::Severity severity) {
  switch (severity) {
    case telemetry::Severity::kDebug:
      return "DEBUG";
    case telemetry::Severity::kInfo:
      return "INFO";
    case telemetry::Severity::kWarning:
      return "WARN";
    case telemetry::Severity::kError:
      return "ERROR";
  }
  return "ERROR";
}

std::string_view StatusName(StreamStatus status) {
  switch (status) {
    case StreamStatus::kStarted:
      return "STARTED";
    case StreamStatus::kRunning:
      return "RUNNING";
    case StreamStatus::kComplete:
      return "COMPLETE";
    case StreamStatus::kIncomplete:
      return "INCOMPLETE";
  }
  return "INCOMPLETE";
}

std::string_view FailureType(const absl::Status& status) {
  switch (vitess::Classify(status)) {
    case vitess::ErrorClass::kConfiguration:
    case vitess::ErrorClass::kLostPosition:
    case vitess::ErrorClass::kEmptied:
      return "config_error";
    case vitess::ErrorClass::kTransient:
      return "transient_error";
    case vitess::ErrorClass::kHost:
    case vitess::ErrorClass::kInternal:
      return "system_error";
  }
  return "system_error";
}

}  // namespace

int64_t SystemMilliseconds() {
  timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

std::string ToString(const StreamName& stream) {
  return stream.name_space.empty() ? stream.name
                                   : absl::StrCat(stream.name_space, ".", stream.name);
}

std::string SpecLine(std::string_view specification) {
  const absl::StatusOr<rapidjson::Document> parsed = config::ParseJson(specification);
  MessageWriter message("SPEC");
  message.Json("spec", parsed.ok() ? config::ToJsonText(*parsed) : std::string("{}"));
  return message.Line();
}

std::string ConnectionStatusLine(bool succeeded, std::string_view message) {
  MessageWriter writer("CONNECTION_STATUS");
  writer.Open("connectionStatus");
  writer.Text("status", succeeded ? "SUCCEEDED" : "FAILED");
  if (!message.empty()) writer.Text("message", message);
  return writer.Line();
}

std::string LogLine(telemetry::Severity severity, std::string_view message) {
  MessageWriter writer("LOG");
  writer.Open("log");
  writer.Text("level", LevelName(severity));
  writer.Text("message", message);
  return writer.Line();
}

std::string StreamStatusLine(const StreamName& stream, StreamStatus status, int64_t now_ms) {
  MessageWriter writer("TRACE");
  writer.Open("trace");
  writer.Text("type", "STREAM_STATUS");
  writer.Integer("emitted_at", now_ms);
  writer.Open("stream_status");
  writer.Descriptor(stream);
  writer.Text("status", StatusName(status));
  return writer.Line();
}

std::string TraceErrorLine(const absl::Status& status, const std::optional<StreamName>& stream,
                           int64_t now_ms) {
  MessageWriter writer("TRACE");
  writer.Open("trace");
  writer.Text("type", "ERROR");
  writer.Integer("emitted_at", now_ms);
  writer.Open("error");
  writer.Text("message", vitess::MessageWithNextStep(status));
  writer.Text("internal_message",
              absl::StrCat(text::AbslView(vitess::ErrorClassName(vitess::Classify(status))), ", ",
                           absl::StatusCodeToString(status.code()), ": ", status.message()));
  writer.Text("failure_type", FailureType(status));
  if (stream.has_value()) writer.Descriptor(*stream);
  return writer.Line();
}

std::string EstimateLine(const StreamName& stream, uint64_t records, uint64_t bytes,
                         int64_t now_ms) {
  MessageWriter writer("TRACE");
  writer.Open("trace");
  writer.Text("type", "ESTIMATE");
  writer.Integer("emitted_at", now_ms);
  writer.Open("estimate");
  writer.Text("name", stream.name);
  if (!stream.name_space.empty()) writer.Text("namespace", stream.name_space);
  writer.Text("type", "STREAM");
  writer.Integer("row_estimate", static_cast<int64_t>(records));
  writer.Integer("byte_estimate", static_cast<int64_t>(bytes));
  return writer.Line();
}

std::string StateLine(const StreamName& stream, std::string_view state, uint64_t records) {
  MessageWriter writer("STATE");
  writer.Open("state");
  writer.Text("type", "STREAM");
  writer.Open("stream");
  writer.Descriptor(stream);
  writer.Json("stream_state", state);
  writer.Close();
  writer.Open("sourceStats");
  writer.Number("recordCount", static_cast<double>(records));
  return writer.Line();
}

std::string JsonString(std::string_view text) {
  const std::string valid = ValidUtf8(text);
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.String(valid.data(), static_cast<rapidjson::SizeType>(valid.size()));
  return std::string(buffer.GetString(), buffer.GetSize());
}

}  // namespace source_vitess::airbyte
