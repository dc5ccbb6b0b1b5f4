#include "harness/normalised_output.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "harness/airbyte_message.h"
#include "harness/exact_json.h"
#include "rapidjson/document.h"

namespace source_vitess::harness {
namespace {

using Json = rapidjson::Value;

constexpr char kCursor[] = "_ab_cdc_cursor";
constexpr char kUpdatedAt[] = "_ab_cdc_updated_at";

// A message, its numbers apart as they were written, and the stream that it belongs to.
struct Message {
  rapidjson::Document value;
  rapidjson::Document raw;
  std::string type;
  std::string stream;  // "namespace.name"
};

std::string StringMember(const Json& object, const char* name) {
  const auto member = object.FindMember(name);
  return member != object.MemberEnd() && member->value.IsString() ? member->value.GetString() : "";
}

std::string DescriptorName(const Json& descriptor, const char* name_member = "name") {
  return absl::StrCat(StringMember(descriptor, "namespace"), ".",
                      StringMember(descriptor, name_member));
}

// The stream of a record, state or status, and of an error that names one; else empty.
std::string StreamOf(const Message& message) {
  if (message.type == "RECORD") return DescriptorName(message.value["record"], "stream");
  if (message.type == "STATE") {
    return DescriptorName(message.value["state"]["stream"]["stream_descriptor"]);
  }
  if (message.type != "TRACE") return "";
  const Json& trace = message.value["trace"];
  for (const char* body : {"stream_status", "error"}) {
    if (trace.HasMember(body) && trace[body].HasMember("stream_descriptor")) {
      return DescriptorName(trace[body]["stream_descriptor"]);
    }
  }
  return "";
}

uint64_t Rank(const std::set<uint64_t>& cursors, uint64_t cursor) {
  return static_cast<uint64_t>(std::distance(cursors.begin(), cursors.upper_bound(cursor)));
}

void WriteString(JsonWriter& writer, const std::string& text) {
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

// Writes an object with what `replace` does not write itself.
template <typename Replace>
void WriteReplaced(const Json& object, const Json& raw, JsonWriter& writer, Replace replace) {
  writer.StartObject();
  for (const auto& member : object.GetObject()) {
    writer.Key(member.name.GetString(), member.name.GetStringLength());
    if (!replace(member.name.GetString(), member.value)) {
      WriteExact(member.value, raw[member.name], writer);
    }
  }
  writer.EndObject();
}

// The lines of one stream.
class StreamOutput {
 public:
  StreamOutput(std::string name, std::set<uint64_t> cursors, const Normalisation& normalisation)
      : name_(std::move(name)), cursors_(std::move(cursors)), normalisation_(normalisation) {}

  void Add(const Message& message) {
    if (message.type == "RECORD") {
      run_.push_back(Record(message));
      return;
    }
    EndRun();
    lines_.push_back(message.type == "STATE" ? State(message) : Status(message));
  }

  std::vector<std::string> Finish() {
    EndRun();
    return std::move(lines_);
  }

 private:
  template <typename WriteMembers>
  std::string Line(WriteMembers write_members) const {
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    writer.StartObject();
    writer.Key("stream");
    WriteString(writer, name_);
    write_members(writer);
    writer.EndObject();
    return buffer.GetString();
  }

  std::string Record(const Message& message) const {
    const Json& record = message.value["record"];
    const Json& raw = message.raw["record"];
    return Line([&](JsonWriter& writer) {
      writer.Key("record");
      WriteReplaced(record["data"], raw["data"], writer,
                    [&](const std::string& column, const Json& value) {
                      return ReplaceColumn(column, value, writer);
                    });
      if (!record.HasMember("meta")) return;
      writer.Key("meta");
      WriteExact(record["meta"], raw["meta"], writer);
    });
  }

  bool ReplaceColumn(const std::string& column, const Json& value, JsonWriter& writer) const {
    if (column == kCursor && value.IsUint64())
      return writer.Uint64(Rank(cursors_, value.GetUint64()));
    if (column != kUpdatedAt || !value.IsString()) return false;
    absl::Time time;
    std::string error;
    if (!absl::ParseTime(absl::RFC3339_full, value.GetString(), &time, &error)) return false;
    if (time < normalisation_.begin || time > normalisation_.end) return false;
    return writer.String("now");
  }

  std::string State(const Message& message) const {
    const Json& state = message.value["state"];
    return Line([&](JsonWriter& writer) {
      writer.Key("records");
      writer.Uint64(static_cast<uint64_t>(state["sourceStats"]["recordCount"].GetDouble()));
      writer.Key("state");
      WriteReplaced(state["stream"]["stream_state"], message.raw["state"]["stream"]["stream_state"],
                    writer, [&](const std::string& name, const Json& value) {
                      return name == "cursor" && value.IsUint64() &&
                             writer.Uint64(Rank(cursors_, value.GetUint64()));
                    });
    });
  }

  std::string Status(const Message& message) const {
    return Line([&](JsonWriter& writer) {
      writer.Key("status");
      WriteString(writer, StringMember(message.value["trace"]["stream_status"], "status"));
    });
  }

  // Moves the records that stand in a row to the lines, the middle of a long run as one.
  void EndRun() {
    if (run_.size() > normalisation_.longest_run) {
      const auto begin = run_.begin() + static_cast<ptrdiff_t>(normalisation_.longest_run / 2);
      const auto end = run_.end() - static_cast<ptrdiff_t>(normalisation_.longest_run / 2);
      const std::string elided = Elided(begin, end);
      run_.insert(run_.erase(begin, end), elided);
    }
    lines_.insert(lines_.end(), run_.begin(), run_.end());
    run_.clear();
  }

  using Iterator = std::vector<std::string>::const_iterator;
  std::string Elided(Iterator begin, Iterator end) const {
    // FNV-1a: small, and the same everywhere.
    uint64_t checksum = 0xcbf29ce484222325;
    for (Iterator line = begin; line != end; ++line) {
      for (const char c : *line + "\n") {
        checksum = (checksum ^ static_cast<uint8_t>(c)) * 0x100000001b3;
      }
    }
    return Line([&](JsonWriter& writer) {
      writer.Key("elided");
      writer.Uint64(static_cast<uint64_t>(end - begin));
      writer.Key("checksum");
      WriteString(writer, absl::StrFormat("%016x", checksum));
    });
  }

  const std::string name_;
  const std::set<uint64_t> cursors_;
  const Normalisation& normalisation_;
  std::vector<std::string> run_;
  std::vector<std::string> lines_;
};

std::string ErrorLine(const Message& message) {
  const Json& error = message.value["trace"]["error"];
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  writer.Key("error");
  WriteString(writer, StringMember(error, "failure_type"));
  if (!message.stream.empty()) {
    writer.Key("stream");
    WriteString(writer, message.stream);
  }
  writer.Key("message");
  WriteString(writer, StringMember(error, "message"));
  writer.EndObject();
  return buffer.GetString();
}

// Nothing for what is not a message.
std::optional<Message> ParseMessage(const std::string& line) {
  absl::StatusOr<rapidjson::Document> value = ParseAirbyteMessage(line);
  if (!value.ok()) return std::nullopt;
  Message message;
  message.value = *std::move(value);
  message.raw = ParseRaw(line);
  message.type = message.value["type"].GetString();
  message.stream = StreamOf(message);
  return message;
}

std::map<std::string, std::set<uint64_t>> CursorsByStream(const std::vector<Message>& messages) {
  std::map<std::string, std::set<uint64_t>> cursors;
  for (const Message& message : messages) {
    if (message.type != "RECORD") continue;
    const Json& data = message.value["record"]["data"];
    const auto cursor = data.FindMember(kCursor);
    if (cursor != data.MemberEnd() && cursor->value.IsUint64()) {
      cursors[message.stream].insert(cursor->value.GetUint64());
    }
  }
  return cursors;
}

}  // namespace

std::vector<std::string> NormaliseOutput(const std::vector<std::string>& lines,
                                         const Normalisation& normalisation) {
  std::vector<Message> messages;
  std::vector<std::string> others;
  for (const std::string& line : lines) {
    std::optional<Message> message = ParseMessage(line);
    if (message.has_value()) {
      messages.push_back(*std::move(message));
    } else {
      others.push_back(line);
    }
  }

  std::map<std::string, std::set<uint64_t>> cursors = CursorsByStream(messages);
  std::map<std::string, StreamOutput> streams;
  std::vector<std::string> errors;
  for (const Message& message : messages) {
    const bool is_error = message.type == "TRACE" && message.value["trace"].HasMember("error");
    if (is_error) {
      errors.push_back(ErrorLine(message));
    } else if (!message.stream.empty()) {
      streams.try_emplace(message.stream, message.stream, cursors[message.stream], normalisation)
          .first->second.Add(message);
    }
  }

  std::vector<std::string> normalised;
  for (auto& [name, stream] : streams) {
    const std::vector<std::string> of_stream = stream.Finish();
    normalised.insert(normalised.end(), of_stream.begin(), of_stream.end());
  }
  std::sort(errors.begin(), errors.end());
  normalised.insert(normalised.end(), errors.begin(), errors.end());
  normalised.insert(normalised.end(), others.begin(), others.end());
  return normalised;
}

}  // namespace source_vitess::harness
