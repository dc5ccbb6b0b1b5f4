#include "recordings/recording.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/text_format.h"
#include "vitess/gtid_set.h"

namespace source_vitess::recordings {
namespace {

constexpr absl::string_view kRequestSuffix = ".request.txtpb";
constexpr absl::string_view kResponsesSuffix = ".responses.binpb";
constexpr absl::string_view kResponseSuffix = ".response.binpb";
constexpr absl::string_view kTextSuffix = ".txt";
constexpr absl::string_view kExecutePrefix = "execute-";
constexpr absl::string_view kEndMark = "\n=== end: ";
constexpr absl::string_view kCut = "CUT";

std::filesystem::path DataFile(absl::string_view name, absl::string_view suffix) {
  return std::filesystem::path(VITESS_RECORDINGS_DATA) / absl::StrCat(name, suffix);
}

absl::StatusOr<std::string> ReadWholeFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::NotFoundError(absl::StrCat("cannot open ", path.string()));
  return std::string(std::istreambuf_iterator<char>(in), {});
}

absl::Status ParseText(const std::filesystem::path& path, google::protobuf::Message& message) {
  absl::StatusOr<std::string> text = ReadWholeFile(path);
  if (!text.ok()) return text.status();
  if (!google::protobuf::TextFormat::ParseFromString(*text, &message)) {
    return absl::DataLossError(absl::StrCat(path.string(), " is no ", message.GetTypeName()));
  }
  return absl::OkStatus();
}

// Takes protobuf's delimited form apart.
absl::StatusOr<std::vector<std::string>> SplitDelimited(const std::string& bytes) {
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()),
                                            static_cast<int>(bytes.size()));
  std::vector<std::string> messages;
  while (in.CurrentPosition() < static_cast<int>(bytes.size())) {
    uint32_t length = 0;
    std::string message;
    if (!in.ReadVarint32(&length) || !in.ReadString(&message, static_cast<int>(length))) {
      return absl::DataLossError("a message is cut off");
    }
    messages.push_back(std::move(message));
  }
  return messages;
}

absl::Status ReadResponses(Recording& recording) {
  const std::filesystem::path path = DataFile(recording.name, kResponsesSuffix);
  absl::StatusOr<std::string> bytes = ReadWholeFile(path);
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<std::vector<std::string>> messages = SplitDelimited(*bytes);
  if (!messages.ok()) {
    return absl::DataLossError(absl::StrCat(path.string(), ": ", messages.status().message()));
  }
  recording.raw_responses = *std::move(messages);
  for (const std::string& raw : recording.raw_responses) {
    if (!recording.responses.emplace_back().ParseFromString(raw)) {
      return absl::DataLossError(absl::StrCat(path.string(), " has a message that does not parse"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::StatusCode> CodeNamed(absl::string_view name) {
  for (int code = 0; code <= static_cast<int>(absl::StatusCode::kUnauthenticated); ++code) {
    if (absl::StatusCodeToString(static_cast<absl::StatusCode>(code)) == name) {
      return static_cast<absl::StatusCode>(code);
    }
  }
  return absl::DataLossError(absl::StrCat("no status code is called ", name));
}

// Reads what stands behind the end mark. The text of an error may have several lines.
absl::Status ReadEnd(Recording& recording) {
  const std::filesystem::path path = DataFile(recording.name, kTextSuffix);
  absl::StatusOr<std::string> text = ReadWholeFile(path);
  if (!text.ok()) return text.status();
  const size_t mark = absl::string_view(*text).rfind(kEndMark);
  if (mark == absl::string_view::npos) {
    return absl::DataLossError(absl::StrCat(path.string(), " does not say how it ended"));
  }
  absl::string_view end = absl::string_view(*text).substr(mark + kEndMark.size());
  absl::ConsumeSuffix(&end, "\n");
  const std::pair<absl::string_view, absl::string_view> code_and_text =
      absl::StrSplit(end, absl::MaxSplits(' ', 1));
  if (code_and_text.first == kCut) return absl::OkStatus();
  absl::StatusOr<absl::StatusCode> code = CodeNamed(code_and_text.first);
  if (!code.ok()) return code.status();
  recording.end = absl::Status(*code, code_and_text.second);
  return absl::OkStatus();
}

std::vector<std::string> NamesOfFilesEndingIn(absl::string_view suffix) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(VITESS_RECORDINGS_DATA, error)) {
    const std::string file = entry.path().filename().string();
    absl::string_view name = file;
    if (absl::ConsumeSuffix(&name, suffix)) names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Whether an event of a transaction, or of a statement that ends like one. Rows of a copy, and what
// goes with them, have no time.
bool IsChange(const binlogdata::VEvent& event) {
  return event.timestamp() != 0 && event.type() != binlogdata::HEARTBEAT;
}

// Empty for text that is no position of MySQL.
vitess::GtidSet SetOf(const std::string& position) {
  absl::StatusOr<vitess::GtidSet> set = vitess::GtidSet::ParsePosition(position);
  return set.ok() ? *std::move(set) : vitess::GtidSet();
}

// The position of the shard.
std::string PositionOf(const binlogdata::VGtid& vgtid, const std::string& keyspace,
                       const std::string& shard) {
  for (const binlogdata::ShardGtid& candidate : vgtid.shard_gtids()) {
    if (candidate.keyspace() == keyspace && candidate.shard() == shard) return candidate.gtid();
  }
  return "";
}

// Whether `from` contains the transactions that bring the event's own shard to where its VGTID
// says.
bool Contains(const binlogdata::VGtid& from, const binlogdata::VEvent& vgtid_event) {
  const std::string& keyspace = vgtid_event.keyspace();
  const std::string& shard = vgtid_event.shard();
  return SetOf(PositionOf(from, keyspace, shard))
      .Contains(SetOf(PositionOf(vgtid_event.vgtid(), keyspace, shard)));
}

void SetPosition(const binlogdata::ShardGtid& shard, std::vector<ShardPosition>& positions) {
  if (!absl::StrContains(shard.gtid(), '/')) return;
  for (ShardPosition& known : positions) {
    if (known.keyspace == shard.keyspace() && known.shard == shard.shard()) {
      known.position = shard.gtid();
      return;
    }
  }
  positions.push_back({shard.keyspace(), shard.shard(), shard.gtid()});
}

}  // namespace

absl::StatusOr<Recording> Recording::Load(std::string_view name) {
  Recording recording;
  recording.name = std::string(name);
  if (absl::Status s = ParseText(DataFile(recording.name, kRequestSuffix), recording.request);
      !s.ok()) {
    return s;
  }
  if (absl::Status s = ReadResponses(recording); !s.ok()) return s;
  if (absl::Status s = ReadEnd(recording); !s.ok()) return s;
  return recording;
}

absl::StatusOr<ExecuteRecording> ExecuteRecording::Load(std::string_view name) {
  ExecuteRecording recording;
  recording.name = std::string(name);
  const std::string file = absl::StrCat(kExecutePrefix, recording.name);
  if (absl::Status s = ParseText(DataFile(file, kRequestSuffix), recording.request); !s.ok()) {
    return s;
  }
  const std::filesystem::path path = DataFile(file, kResponseSuffix);
  absl::StatusOr<std::string> bytes = ReadWholeFile(path);
  if (!bytes.ok()) return bytes.status();
  recording.raw_response = *std::move(bytes);
  if (!recording.response.ParseFromString(recording.raw_response)) {
    return absl::DataLossError(absl::StrCat(path.string(), " does not parse"));
  }
  return recording;
}

std::vector<std::string> RecordingNames() { return NamesOfFilesEndingIn(kResponsesSuffix); }

std::vector<std::string> ExecuteRecordingNames() {
  std::vector<std::string> names = NamesOfFilesEndingIn(kResponseSuffix);
  for (std::string& name : names) name = std::string(absl::StripPrefix(name, kExecutePrefix));
  return names;
}

std::vector<size_t> ChangesAfter(const Recording& recording, const binlogdata::VGtid& from) {
  std::vector<size_t> messages;
  std::vector<size_t> transaction;  // whose VGTID, at its end, has not come yet
  for (size_t i = 0; i < recording.responses.size(); ++i) {
    const auto& events = recording.responses[i].events();
    if (std::none_of(events.begin(), events.end(), IsChange)) continue;
    transaction.push_back(i);
    const auto vgtid = std::find_if(
        events.rbegin(), events.rend(),
        [](const binlogdata::VEvent& event) { return event.type() == binlogdata::VGTID; });
    if (vgtid == events.rend()) continue;
    if (!Contains(from, *vgtid)) {
      messages.insert(messages.end(), transaction.begin(), transaction.end());
    }
    transaction.clear();
  }
  return messages;
}

std::vector<ShardPosition> LastPositions(const Recording& recording) {
  std::vector<ShardPosition> positions;
  for (const auto& shard : recording.request.vgtid().shard_gtids()) SetPosition(shard, positions);
  for (const vtgate::VStreamResponse& response : recording.responses) {
    for (const binlogdata::VEvent& event : response.events()) {
      for (const auto& shard : event.vgtid().shard_gtids()) SetPosition(shard, positions);
    }
  }
  return positions;
}

}  // namespace source_vitess::recordings
