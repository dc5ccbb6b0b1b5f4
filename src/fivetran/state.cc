#include "fivetran/state.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "absl/strings/str_cat.h"
#include "config/json_document.h"
#include "sync/planetscale_cursor.h"
#include "text/absl_view.h"
#include "vitess/errors.h"

namespace source_vitess::fivetran {
namespace {

using config::FindMember;
using rapidjson::Value;

constexpr int kVersion = 1;

constexpr std::string_view kResync =
    " Re-sync all historical data of the connection to read everything again.";

// Stands for the vgtid while the rest of an entry is written. No name or value can hold it: those
// are escaped.
constexpr std::string_view kPlaceOfVgtid = "\"\x01\"";

absl::Status StateError(std::string_view problem) {
  return vitess::ConfigurationError(
      absl::StrCat("The connection's state ", text::AbslView(problem), text::AbslView(kResync)));
}

std::string_view View(const Value& text) { return {text.GetString(), text.GetStringLength()}; }

std::string Quoted(std::string_view text) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  return {buffer.GetString(), buffer.GetSize()};
}

std::string Array(std::span<const std::string> texts) {
  std::string array = "[";
  for (const std::string& text : texts) {
    if (array.size() > 1) array += ',';
    array += Quoted(text);
  }
  return array + "]";
}

absl::StatusOr<std::optional<std::vector<std::string>>> NamesIn(const Value& entry,
                                                                const char* member) {
  const Value* const array = FindMember(entry, member);
  if (array == nullptr) return std::nullopt;
  const auto malformed = [&] {
    return absl::InvalidArgumentError(absl::StrCat("\"", member, "\" is not an array of names"));
  };
  if (!array->IsArray()) return malformed();
  std::vector<std::string> names;
  for (const Value& name : array->GetArray()) {
    if (!name.IsString()) return malformed();
    names.emplace_back(View(name));
  }
  return names;
}

// `vgtids`: the texts of those that entries name by their place.
absl::StatusOr<TableState> ParseEntry(const Value& entry, const std::vector<std::string>& vgtids) {
  const Value* const place = FindMember(entry, "vgtid");
  if (place == nullptr || !place->IsUint() || place->GetUint() >= vgtids.size()) {
    return absl::InvalidArgumentError("\"vgtid\" is not the place of one of \"vgtids\"");
  }
  rapidjson::Document with_vgtid;
  with_vgtid.CopyFrom(entry, with_vgtid.GetAllocator());
  rapidjson::Document vgtid;
  vgtid.Parse(vgtids[place->GetUint()].c_str());
  with_vgtid["vgtid"].CopyFrom(vgtid, with_vgtid.GetAllocator());
  auto position = sync::ParseTablePosition(config::ToJsonText(with_vgtid));
  if (!position.ok()) return position.status();
  TableState state;
  state.position = *std::move(position);
  auto key = NamesIn(entry, "key");
  if (!key.ok()) return key.status();
  state.key = *std::move(key);
  auto selected = NamesIn(entry, "selected");
  if (!selected.ok()) return selected.status();
  state.selected = *std::move(selected);
  return state;
}

absl::Status TableError(const std::string& keyspace, const std::string& table,
                        const absl::Status& problem) {
  return vitess::ConfigurationError(absl::StrCat("The state of table ", keyspace, ".", table,
                                                 " cannot be read: ", problem.message(),
                                                 ". It is copied from its first row."));
}

}  // namespace

absl::StatusOr<InputState> InputState::Parse(std::string_view json) {
  InputState state;
  if (json.find_first_not_of(" \t\r\n") == std::string_view::npos) return state;
  const absl::StatusOr<rapidjson::Document> document = config::ParseJson(json);
  if (!document.ok()) return StateError(absl::StrCat("is broken: ", document.status().message()));
  if (document->IsNull() || (document->IsObject() && document->ObjectEmpty())) return state;
  if (!document->IsObject()) return StateError("is not a JSON object.");
  const Value* const version = FindMember(*document, "version");
  if (version == nullptr && document->HasMember("keyspaces")) return TakeOver(*document);
  if (version == nullptr || !version->IsInt()) {
    return StateError("has no \"version\": another program wrote it.");
  }
  if (version->GetInt() != kVersion) {
    return StateError(absl::StrCat("is of version ", version->GetInt(),
                                   ", and this program reads version ", kVersion, "."));
  }
  std::vector<std::string> vgtids;
  const Value* const shared = FindMember(*document, "vgtids");
  if (shared != nullptr && !shared->IsArray())
    return StateError("has \"vgtids\" that are no array.");
  if (shared != nullptr) {
    for (const Value& vgtid : shared->GetArray()) vgtids.push_back(config::ToJsonText(vgtid));
  }
  const Value* const schemas = FindMember(*document, "schemas");
  if (schemas == nullptr) return state;
  if (!schemas->IsObject()) return StateError("has \"schemas\" that are no object.");
  for (const auto& [keyspace, tables] : schemas->GetObject()) {
    if (!tables.IsObject()) return StateError("has a schema that is no object.");
    for (const auto& [table, entry] : tables.GetObject()) {
      const std::pair name(std::string(View(keyspace)), std::string(View(table)));
      auto parsed = entry.IsObject()
                        ? ParseEntry(entry, vgtids)
                        : absl::StatusOr<TableState>(absl::InvalidArgumentError("it is no object"));
      if (!parsed.ok()) parsed = TableError(name.first, name.second, parsed.status());
      state.tables_.insert_or_assign(name, std::move(parsed));
    }
  }
  return state;
}

absl::StatusOr<InputState> InputState::TakeOver(const rapidjson::Value& document) {
  InputState state;
  const Value* const keyspaces = FindMember(document, "keyspaces");
  if (keyspaces == nullptr) return state;
  if (!keyspaces->IsObject()) return StateError("has \"keyspaces\" that are no object.");
  for (const auto& [keyspace, content] : keyspaces->GetObject()) {
    const Value* const streams = FindMember(content, "streams");
    if (streams == nullptr) continue;
    if (!streams->IsObject()) return StateError("has \"streams\" that are no object.");
    for (const auto& [stream, shards] : streams->GetObject()) {
      state.TakeOverTable(std::string(View(keyspace)), View(stream), shards);
    }
  }
  return state;
}

void InputState::TakeOverTable(const std::string& keyspace, std::string_view stream,
                               const rapidjson::Value& shards) {
  const auto [of_stream, table] = sync::SplitPlanetscaleStream(stream);
  if (of_stream != keyspace) {
    notes_.push_back(
        absl::StrCat("The state of PlanetScale's connector has a stream in keyspace ", keyspace,
                     " that is not one of its tables; it is passed over, and its table copied."));
    return;
  }
  auto takeover = sync::TakeOverPlanetscaleTable(keyspace, table, shards);
  notes_.push_back(std::move(takeover.note));
  if (!takeover.position.has_value()) return;
  TableState state;
  state.position = *std::move(takeover.position);
  tables_.insert_or_assign(std::pair(keyspace, table), std::move(state));
}

absl::StatusOr<const TableState*> InputState::Find(const std::string& keyspace,
                                                   const std::string& table) const {
  const auto found = tables_.find({keyspace, table});
  if (found == tables_.end()) return nullptr;
  if (!found->second.ok()) return found->second.status();
  return &*found->second;
}

std::vector<std::pair<std::string, std::string>> InputState::names() const {
  std::vector<std::pair<std::string, std::string>> names;
  for (const auto& [name, state] : tables_) names.push_back(name);
  return names;
}

std::shared_ptr<StateWriter::Vgtid> StateWriter::Share(const binlogdata::VGtid& vgtid) {
  std::shared_ptr<Vgtid>& shared = vgtids_[vgtid.SerializeAsString()];
  if (shared == nullptr) {
    shared = std::make_shared<Vgtid>();
    shared->json = sync::ToJson(vgtid);
  }
  return shared;
}

void StateWriter::Set(const std::string& keyspace, const std::string& table,
                      const sync::TablePosition& position, std::span<const std::string> key,
                      std::span<const std::string> selected) {
  Entry& entry = schemas_[keyspace][table];
  entry.vgtid = Share(position.vgtid);
  const std::string text = sync::ToJson(position, kPlaceOfVgtid);
  const size_t place = text.find(kPlaceOfVgtid);
  entry.before = text.substr(0, place);
  // Without the brace that ends the position.
  entry.after = text.substr(place + kPlaceOfVgtid.size());
  entry.after.pop_back();
  absl::StrAppend(&entry.after, ",\"key\":", Array(key), ",\"selected\":", Array(selected), "}");
}

bool StateWriter::Has(const std::string& keyspace, const std::string& table) const {
  const auto tables = schemas_.find(keyspace);
  return tables != schemas_.end() && tables->second.contains(table);
}

std::optional<TableState> StateWriter::Find(const std::string& keyspace,
                                            const std::string& table) const {
  if (!Has(keyspace, table)) return std::nullopt;
  const Entry& entry = schemas_.at(keyspace).at(table);
  const auto document = config::ParseJson(absl::StrCat(entry.before, "0", entry.after));
  if (!document.ok()) return std::nullopt;
  auto state = ParseEntry(*document, {entry.vgtid->json});
  if (!state.ok()) return std::nullopt;
  return *std::move(state);
}

void StateWriter::Remove(const std::string& keyspace, const std::string& table) {
  const auto tables = schemas_.find(keyspace);
  if (tables == schemas_.end()) return;
  tables->second.erase(table);
  if (tables->second.empty()) schemas_.erase(tables);
}

std::string StateWriter::ToJson() {
  std::erase_if(vgtids_, [](const auto& entry) { return entry.second.use_count() == 1; });
  // In the order in which the tables name them.
  for (auto& [bytes, vgtid] : vgtids_) vgtid->place = SIZE_MAX;
  std::string vgtids;
  std::string schemas;
  size_t places = 0;
  for (const auto& [keyspace, tables] : schemas_) {
    absl::StrAppend(&schemas, schemas.empty() ? "" : ",", Quoted(keyspace), ":{");
    bool first = true;
    for (const auto& [table, entry] : tables) {
      if (entry.vgtid->place == SIZE_MAX) {
        entry.vgtid->place = places++;
        absl::StrAppend(&vgtids, vgtids.empty() ? "" : ",", entry.vgtid->json);
      }
      absl::StrAppend(&schemas, std::exchange(first, false) ? "" : ",", Quoted(table), ":",
                      entry.before, entry.vgtid->place, entry.after);
    }
    schemas += '}';
  }
  return absl::StrCat("{\"version\":", kVersion, ",\"vgtids\":[", vgtids, "],\"schemas\":{",
                      schemas, "}}");
}

}  // namespace source_vitess::fivetran
