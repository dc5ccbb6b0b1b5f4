#include "sync/table_position.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"
#include "rapidjson/document.h"
#include "rapidjson/error/en.h"
#include "rapidjson/stringbuffer.h"
#include "rapidjson/writer.h"
#include "text/absl_view.h"

namespace source_vitess::sync {
namespace {

using text::AbslView;

constexpr int kVersion = 1;

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;

void WriteString(JsonWriter& writer, std::string_view text) {
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void WriteKey(JsonWriter& writer, std::string_view key) {
  writer.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
}

void WriteGtids(JsonWriter& writer, std::string_view key,
                const std::map<std::string, std::string>& gtids) {
  if (gtids.empty()) return;
  WriteKey(writer, key);
  writer.StartObject();
  for (const auto& [shard, gtid] : gtids) {
    WriteKey(writer, shard);
    WriteString(writer, gtid);
  }
  writer.EndObject();
}

std::string_view View(const rapidjson::Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

absl::Status Malformed(std::string_view member, std::string_view wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat("the saved state's member \"", AbslView(member), "\" must be ", AbslView(wanted),
                   "; reset the stream's state to read the table from its beginning"));
}

// The member, or null when it is absent or an explicit null.
const rapidjson::Value* Find(const rapidjson::Value& object, const char* member) {
  const auto it = object.FindMember(member);
  if (it == object.MemberEnd() || it->value.IsNull()) return nullptr;
  return &it->value;
}

absl::Status ParseGtids(const rapidjson::Value& object, const char* member,
                        std::map<std::string, std::string>& gtids) {
  const rapidjson::Value* value = Find(object, member);
  if (value == nullptr) return absl::OkStatus();
  if (!value->IsObject()) return Malformed(member, "an object of positions by shard");
  for (const auto& [shard, gtid] : value->GetObject()) {
    if (gtid.IsNull()) continue;
    if (!gtid.IsString()) return Malformed(member, "an object of positions by shard");
    gtids.emplace(View(shard), View(gtid));
  }
  return absl::OkStatus();
}

absl::Status ParseRepeated(const rapidjson::Value& object, std::set<std::string>& repeated) {
  const rapidjson::Value* value = Find(object, "repeated");
  if (value == nullptr) return absl::OkStatus();
  if (!value->IsArray()) return Malformed("repeated", "an array of shards");
  for (const rapidjson::Value& shard : value->GetArray()) {
    if (!shard.IsString()) return Malformed("repeated", "an array of shards");
    repeated.emplace(View(shard));
  }
  return absl::OkStatus();
}

absl::Status ParseVgtid(const rapidjson::Value& object, binlogdata::VGtid& vgtid) {
  const rapidjson::Value* value = Find(object, "vgtid");
  if (value == nullptr || !value->IsObject()) {
    return Malformed("vgtid", "the protobuf JSON of a binlogdata.VGtid");
  }
  rapidjson::StringBuffer text;
  JsonWriter writer(text);
  value->Accept(writer);
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto status = google::protobuf::util::JsonStringToMessage(
      {text.GetString(), text.GetSize()}, &vgtid, options);
  if (!status.ok()) return Malformed("vgtid", "the protobuf JSON of a binlogdata.VGtid");
  return absl::OkStatus();
}

using Columns = std::shared_ptr<const std::vector<PositionColumn>>;

// Null for an empty array.
absl::StatusOr<Columns> ParseColumnArray(const rapidjson::Value& value, const char* member) {
  constexpr std::string_view kWanted = "an array of objects with \"name\" and \"type\"";
  if (!value.IsArray()) return Malformed(member, kWanted);
  auto columns = std::make_shared<std::vector<PositionColumn>>();
  for (const rapidjson::Value& column : value.GetArray()) {
    if (!column.IsObject()) return Malformed(member, kWanted);
    const rapidjson::Value* name = Find(column, "name");
    const rapidjson::Value* type = Find(column, "type");
    if (name == nullptr || !name->IsString() || type == nullptr || !type->IsString()) {
      return Malformed(member, kWanted);
    }
    columns->push_back({std::string(View(*name)), std::string(View(*type))});
  }
  return columns->empty() ? nullptr : Columns(std::move(columns));
}

absl::Status ParseColumns(const rapidjson::Value& object, TablePosition& position) {
  if (const rapidjson::Value* value = Find(object, "columns"); value != nullptr) {
    auto columns = ParseColumnArray(*value, "columns");
    if (!columns.ok()) return columns.status();
    for (const binlogdata::ShardGtid& shard : position.vgtid.shard_gtids()) {
      if (*columns != nullptr) position.columns[shard.shard()] = *columns;
    }
  }
  const rapidjson::Value* by_shard = Find(object, "shard_columns");
  if (by_shard == nullptr) return absl::OkStatus();
  if (!by_shard->IsObject()) return Malformed("shard_columns", "an object of columns by shard");
  for (const auto& [shard, value] : by_shard->GetObject()) {
    auto columns = ParseColumnArray(value, "shard_columns");
    if (!columns.ok()) return columns.status();
    if (*columns != nullptr) {
      position.columns[std::string(View(shard))] = *columns;
    } else {
      position.columns.erase(std::string(View(shard)));
    }
  }
  return absl::OkStatus();
}

bool SameColumns(const PositionColumns& a, const PositionColumns& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
    return one.first == other.first && (one.second == other.second || *one.second == *other.second);
  });
}

void WriteColumnArray(JsonWriter& writer, const std::vector<PositionColumn>& columns) {
  writer.StartArray();
  for (const PositionColumn& column : columns) {
    writer.StartObject();
    writer.Key("name");
    WriteString(writer, column.name);
    writer.Key("type");
    WriteString(writer, column.type);
    writer.EndObject();
  }
  writer.EndArray();
}

void WriteColumns(JsonWriter& writer, const TablePosition& position) {
  if (position.columns.empty()) return;
  const std::vector<PositionColumn>& of_most = *position.columns.begin()->second;
  writer.Key("columns");
  WriteColumnArray(writer, of_most);
  bool others = false;
  for (const binlogdata::ShardGtid& shard : position.vgtid.shard_gtids()) {
    const auto it = position.columns.find(shard.shard());
    if (it != position.columns.end() && *it->second == of_most) continue;
    if (!std::exchange(others, true)) {
      writer.Key("shard_columns");
      writer.StartObject();
    }
    WriteKey(writer, shard.shard());
    WriteColumnArray(writer,
                     it == position.columns.end() ? std::vector<PositionColumn>() : *it->second);
  }
  if (others) writer.EndObject();
}

}  // namespace

const binlogdata::ShardGtid* TablePosition::FindShard(std::string_view shard) const {
  const int index = sync::FindShard(vgtid, shard);
  return index < 0 ? nullptr : &vgtid.shard_gtids(index);
}

bool TablePosition::IsCopied() const {
  return !vgtid.shard_gtids().empty() &&
         std::all_of(vgtid.shard_gtids().begin(), vgtid.shard_gtids().end(), sync::IsCopied);
}

bool IsCopied(const binlogdata::ShardGtid& shard) {
  return !shard.gtid().empty() && shard.table_p_ks().empty();
}

void BeginAgain(binlogdata::ShardGtid& shard) {
  shard.clear_gtid();
  shard.clear_table_p_ks();
}

void CloseCopy(TablePosition& position, binlogdata::ShardGtid& shard) {
  if (position.repeated.erase(shard.shard()) > 0) {
    position.snapshot[shard.shard()] = shard.gtid();
    shard.set_gtid(position.since.at(shard.shard()));
  } else if (!position.snapshot.contains(shard.shard())) {
    position.since.erase(shard.shard());
  }
}

void ForgetShard(TablePosition& position, const std::string& shard) {
  position.since.erase(shard);
  position.repeated.erase(shard);
  position.snapshot.erase(shard);
  position.columns.erase(shard);
}

int FindShard(const binlogdata::VGtid& vgtid, std::string_view shard) {
  for (int i = 0; i < vgtid.shard_gtids_size(); ++i) {
    if (vgtid.shard_gtids(i).shard() == shard) return i;
  }
  return -1;
}

bool operator==(const TablePosition& a, const TablePosition& b) {
  return a.since == b.since && a.repeated == b.repeated && a.snapshot == b.snapshot &&
         SameColumns(a.columns, b.columns) && a.cursor == b.cursor &&
         a.vgtid.SerializeAsString() == b.vgtid.SerializeAsString();
}

std::string ToJson(const binlogdata::VGtid& vgtid) {
  std::string json;
  // Fails only for messages that hold Any or Struct.
  (void)google::protobuf::util::MessageToJsonString(vgtid, &json);
  return json;
}

std::string ToJson(const TablePosition& position) {
  return ToJson(position, ToJson(position.vgtid));
}

std::string ToJson(const TablePosition& position, std::string_view vgtid) {
  rapidjson::StringBuffer text;
  JsonWriter writer(text);
  writer.StartObject();
  writer.Key("version");
  writer.Int(kVersion);
  writer.Key("vgtid");
  writer.RawValue(vgtid.data(), vgtid.size(), rapidjson::kObjectType);
  WriteGtids(writer, "since", position.since);
  if (!position.repeated.empty()) {
    writer.Key("repeated");
    writer.StartArray();
    for (const std::string& shard : position.repeated) WriteString(writer, shard);
    writer.EndArray();
  }
  WriteGtids(writer, "snapshot", position.snapshot);
  WriteColumns(writer, position);
  if (position.cursor != 0) {
    writer.Key("cursor");
    writer.Uint64(position.cursor);
  }
  writer.EndObject();
  return {text.GetString(), text.GetSize()};
}

absl::StatusOr<TablePosition> ParseTablePosition(std::string_view json) {
  rapidjson::Document document;
  document.Parse(json.data(), json.size());
  if (document.HasParseError()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the saved state is not valid JSON: ",
                     rapidjson::GetParseError_En(document.GetParseError()), " at byte ",
                     document.GetErrorOffset()));
  }
  if (!document.IsObject()) {
    return absl::InvalidArgumentError("the saved state must be a JSON object");
  }
  const rapidjson::Value* version = Find(document, "version");
  if (version == nullptr || !version->IsInt()) return Malformed("version", "a whole number");
  if (version->GetInt() != kVersion) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the saved state is of version ", version->GetInt(), " and this program reads version ",
        kVersion, "; use the version of the program that wrote it, or a newer one"));
  }
  TablePosition position;
  if (absl::Status s = ParseVgtid(document, position.vgtid); !s.ok()) return s;
  if (absl::Status s = ParseGtids(document, "since", position.since); !s.ok()) return s;
  if (absl::Status s = ParseRepeated(document, position.repeated); !s.ok()) return s;
  if (absl::Status s = ParseGtids(document, "snapshot", position.snapshot); !s.ok()) return s;
  if (absl::Status s = ParseColumns(document, position); !s.ok()) return s;
  if (const rapidjson::Value* cursor = Find(document, "cursor"); cursor != nullptr) {
    if (!cursor->IsUint64()) return Malformed("cursor", "a whole number that is not negative");
    position.cursor = cursor->GetUint64();
  }
  return position;
}

}  // namespace source_vitess::sync
