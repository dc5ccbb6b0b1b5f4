#include "simulator/cluster_state.h"

#include <algorithm>

#include "simulator/strings.h"

namespace source_vitess::simulator {

Table* Shard::FindTable(std::string_view table) {
  const auto found = tables.find(std::string(table));
  return found == tables.end() ? nullptr : &found->second;
}

const Tablet* Shard::FindTablet(topodata::TabletType type) const {
  const auto found = std::find_if(tablets.begin(), tablets.end(), [&](const Tablet& tablet) {
    return tablet.type == type && tablet.serving;
  });
  return found == tablets.end() ? nullptr : &*found;
}

Shard* Keyspace::FindShard(std::string_view shard) {
  const auto found = std::find_if(shards.begin(), shards.end(),
                                  [&](const auto& other) { return other->name == shard; });
  return found == shards.end() ? nullptr : found->get();
}

bool Keyspace::HasTable(std::string_view table) {
  return std::any_of(shards.begin(), shards.end(),
                     [&](const auto& shard) { return shard->FindTable(table) != nullptr; });
}

Keyspace* ClusterState::FindKeyspace(std::string_view name) {
  const auto found = std::find_if(keyspaces.begin(), keyspaces.end(),
                                  [&](const auto& keyspace) { return keyspace->name == name; });
  return found == keyspaces.end() ? nullptr : found->get();
}

std::string TabletTypeName(topodata::TabletType type) {
  switch (type) {
    case topodata::PRIMARY:
      return "primary";
    case topodata::REPLICA:
      return "replica";
    case topodata::RDONLY:
      return "rdonly";
    default:
      return ToLower(topodata::TabletType_Name(type));
  }
}

absl::StatusOr<topodata::TabletType> ParseTabletType(std::string_view name) {
  topodata::TabletType type = topodata::UNKNOWN;
  if (!topodata::TabletType_Parse(ToUpper(name), &type)) {
    return absl::InvalidArgumentError(Cat("Invalid tablet type: ", name));
  }
  return type;
}

absl::StatusOr<Target> Target::Parse(std::string_view text) {
  Target target;
  const size_t at = text.find('@');
  if (at != std::string_view::npos) {
    const absl::StatusOr<topodata::TabletType> type = ParseTabletType(text.substr(at + 1));
    if (!type.ok()) return type.status();
    target.type = *type;
    text = text.substr(0, at);
  }
  const size_t mark = text.find_first_of(":/[");
  target.keyspace = std::string(text.substr(0, mark));
  if (mark != std::string_view::npos) {
    std::string_view shard = text.substr(mark + 1);
    if (text[mark] == '[' && !shard.empty() && shard.back() == ']') shard.remove_suffix(1);
    target.shard = std::string(shard);
  }
  return target;
}

}  // namespace source_vitess::simulator
