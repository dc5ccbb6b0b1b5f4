#include "commands/pretty.h"

#include <fcntl.h>
#include <rapidjson/document.h>
#include <rapidjson/pointer.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "commands/progress_reporter.h"

namespace source_vitess::commands {
namespace {

using rapidjson::Value;

constexpr size_t kReadAtOnce = 65536;

// The text at the place, a JSON pointer; empty where there is none.
std::string TextAt(const Value& value, const char* place) {
  const Value* found = rapidjson::Pointer(place).Get(value);
  return found != nullptr && found->IsString() ? std::string(found->GetString()) : "";
}

uint64_t NumberAt(const Value& value, const char* place) {
  const Value* found = rapidjson::Pointer(place).Get(value);
  return found != nullptr && found->IsNumber() ? static_cast<uint64_t>(found->GetDouble()) : 0;
}

std::string Json(const Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return std::string(buffer.GetString(), buffer.GetSize());
}

std::string IndentedJson(const Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  writer.SetIndent(' ', 2);
  value.Accept(writer);
  return absl::StrCat(buffer.GetString(), "\n");
}

// "commerce.orders", of an object with a name and a namespace.
std::string StreamName(const Value& descriptor) {
  const std::string name_space = TextAt(descriptor, "/namespace");
  return absl::StrCat(name_space, name_space.empty() ? "" : ".", TextAt(descriptor, "/name"));
}

std::string StreamNameAt(const Value& message, const char* place) {
  const Value* descriptor = rapidjson::Pointer(place).Get(message);
  return descriptor != nullptr && descriptor->IsObject() ? StreamName(*descriptor) : "";
}

// "-80 at MySQL56/…:1-10, 80- from its first row".
std::string Positions(const Value& message) {
  const Value* shards =
      rapidjson::Pointer("/state/stream/stream_state/vgtid/shardGtids").Get(message);
  if (shards == nullptr || !shards->IsArray()) return "";
  std::vector<std::string> positions;
  for (const Value& shard : shards->GetArray()) {
    const std::string gtid = TextAt(shard, "/gtid");
    const bool copying = shard.IsObject() && shard.HasMember("tablePKs");
    positions.push_back(absl::StrCat(TextAt(shard, "/shard"),
                                     gtid.empty() ? " not begun" : absl::StrCat(" at ", gtid),
                                     copying ? ", being copied" : ""));
  }
  return absl::StrJoin(positions, "; ");
}

std::string TypeOf(const Value& property) {
  const std::string airbyte_type = TextAt(property, "/airbyte_type");
  if (!airbyte_type.empty()) return airbyte_type;
  const Value* type = rapidjson::Pointer("/type").Get(property);
  if (type == nullptr) return "any";
  if (type->IsString()) return type->GetString();
  const std::string format = TextAt(property, "/format");
  if (!format.empty()) return format;
  for (const Value& one : type->GetArray()) {
    if (std::string_view(one.GetString()) != "null") return one.GetString();
  }
  return "any";
}

std::string Catalog(const Value& message) {
  const Value* streams = rapidjson::Pointer("/catalog/streams").Get(message);
  if (streams == nullptr || !streams->IsArray()) return "";
  std::string text;
  for (const Value& stream : streams->GetArray()) {
    absl::StrAppend(&text, StreamName(stream));
    std::vector<std::string> key;
    if (stream.HasMember("source_defined_primary_key")) {
      for (const Value& column : stream["source_defined_primary_key"].GetArray()) {
        key.emplace_back(column[0].GetString());
      }
    }
    absl::StrAppend(&text, key.empty() ? "  no key, full refresh only\n"
                                       : absl::StrCat("  key (", absl::StrJoin(key, ", "), ")\n"));
    const Value* properties = rapidjson::Pointer("/json_schema/properties").Get(stream);
    if (properties == nullptr || !properties->IsObject()) continue;
    for (const auto& property : properties->GetObject()) {
      if (std::string_view(property.name.GetString()).starts_with("_ab_cdc_")) continue;
      absl::StrAppend(&text, "    ", property.name.GetString(), "  ", TypeOf(property.value), "\n");
    }
  }
  return text;
}

std::string Record(const Value& message, bool& is_deleted) {
  const Value* data = rapidjson::Pointer("/record/data").Get(message);
  if (data == nullptr || !data->IsObject()) return "";
  is_deleted = data->HasMember("_ab_cdc_deleted_at") && !(*data)["_ab_cdc_deleted_at"].IsNull();
  std::string text = absl::StrCat(is_deleted ? "- " : "+ ", TextAt(message, "/record/namespace"),
                                  ".", TextAt(message, "/record/stream"));
  for (const auto& column : data->GetObject()) {
    if (std::string_view(column.name.GetString()).starts_with("_ab_cdc_")) continue;
    absl::StrAppend(&text, "  ", column.name.GetString(), "=", Json(column.value));
  }
  return text + "\n";
}

}  // namespace

std::string PrettyPrinter::Render(std::string_view message) {
  rapidjson::Document document;
  document.Parse(message.data(), message.size());
  const std::string type = document.IsObject() ? TextAt(document, "/type") : "";
  if (type == "RECORD") {
    bool is_deleted = false;
    std::string text = Record(document, is_deleted);
    ++records_;
    deletions_ += is_deleted ? 1 : 0;
    return text;
  }
  if (type == "STATE") {
    ++states_;
    return absl::StrCat("= ", StreamNameAt(document, "/state/stream/stream_descriptor"),
                        "  state behind ",
                        Grouped(NumberAt(document, "/state/sourceStats/recordCount")),
                        " records: ", Positions(document), "\n");
  }
  if (type == "LOG") {
    return absl::StrCat(absl::AsciiStrToLower(TextAt(document, "/log/level")), ": ",
                        TextAt(document, "/log/message"), "\n");
  }
  const std::string trace = TextAt(document, "/trace/type");
  if (trace == "STREAM_STATUS") {
    const std::string stream = StreamNameAt(document, "/trace/stream_status/stream_descriptor");
    const std::string status =
        absl::AsciiStrToLower(TextAt(document, "/trace/stream_status/status"));
    if (status == "complete") complete_.insert(stream);
    if (status == "incomplete") incomplete_.insert(stream);
    return absl::StrCat(status == "incomplete" ? "! " : "~ ", stream, "  ", status, "\n");
  }
  if (trace == "ESTIMATE") {
    return absl::StrCat("~ ", StreamNameAt(document, "/trace/estimate"), "  about ",
                        Grouped(NumberAt(document, "/trace/estimate/row_estimate")),
                        " rows to come\n");
  }
  if (trace == "ERROR") {
    const std::string stream = StreamNameAt(document, "/trace/error/stream_descriptor");
    return absl::StrCat("! ", stream, stream.empty() ? "" : "  ",
                        TextAt(document, "/trace/error/message"), "\n");
  }
  if (type == "CONNECTION_STATUS") {
    const std::string why = TextAt(document, "/connectionStatus/message");
    const bool is_fine = TextAt(document, "/connectionStatus/status") == "SUCCEEDED";
    return absl::StrCat(is_fine ? "The connection works." : "! The connection does not work: ",
                        is_fine ? "" : why, "\n");
  }
  if (type == "CATALOG") return Catalog(document);
  if (type == "SPEC") return IndentedJson(document["spec"]);
  return absl::StrCat(absl::string_view(message.data(), message.size()), "\n");
}

std::string PrettyPrinter::Summary() const {
  if (complete_.empty() && incomplete_.empty()) return "";
  std::string text = absl::StrCat("\n", Grouped(records_), " records, ", Grouped(deletions_),
                                  " of them deletions; ", Grouped(states_), " states; ",
                                  complete_.size(), " streams complete");
  if (!incomplete_.empty()) {
    absl::StrAppend(&text, ", ", incomplete_.size(), " not: ", absl::StrJoin(incomplete_, ", "));
  }
  return text + "\n";
}

PrettyOutput::PrettyOutput(telemetry::Output& output) : output_(output) {
  if (pipe2(ends_, O_CLOEXEC) != 0) {
    ends_[0] = ends_[1] = -1;
  }
  input_ = std::make_unique<telemetry::Output>(ends_[1]);
  thread_ = std::thread([this] { Run(); });
}

PrettyOutput::~PrettyOutput() {
  close(ends_[1]);
  thread_.join();
}

void PrettyOutput::Run() {
  PrettyPrinter printer;
  std::string text;
  bool works = true;
  for (char buffer[kReadAtOnce]; works;) {
    const ssize_t bytes = read(ends_[0], buffer, sizeof(buffer));
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) break;
    text.append(buffer, static_cast<size_t>(bytes));
    std::string rendered;
    size_t begin = 0;
    for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
      rendered += printer.Render(std::string_view(text).substr(begin, end - begin));
      begin = end + 1;
    }
    text.erase(0, begin);
    works = output_.Write(rendered).ok();
  }
  if (works) output_.Write(printer.Summary()).IgnoreError();
  close(ends_[0]);
}

}  // namespace source_vitess::commands
