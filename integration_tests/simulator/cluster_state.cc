#include "simulator/cluster_state.h"

#include <algorithm>

#include "simulator/expression.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {

Table* Shard::FindTable(std::string_view table) {
  const auto found = tables.find(std::string(table));
  return found == tables.end() ? nullptr : &found->second;
}

const Tablet* Shard::FindTablet(topodata::TabletType type) const {
  const auto found = std::find_if(tablets.begin(), tablets.end(), [&](const Tablet& tablet) {
    return tablet.type == type && tablet.up;
  });
  return found == tablets.end() ? nullptr : &*found;
}

Table* TabletView::FindTable(const std::string& table) const {
  const auto found = tables->find(table);
  return found == tables->end() ? nullptr : &found->second;
}

void Shard::Undo(const LoggedTransaction& transaction) {
  for (auto event = transaction.events.rbegin(); event != transaction.events.rend(); ++event) {
    Table* table = FindTable(event->schema->name);
    if (table == nullptr) continue;
    for (auto change = event->changes.rbegin(); change != event->changes.rend(); ++change) {
      if (change->after != nullptr) {
        if (const auto row = FindRow(*table, *change->after); row != table->rows.end())
          table->rows.erase(row);
      }
      if (change->before != nullptr) PutRow(*table, change->before);
    }
  }
}

TabletView Shard::ViewOf(topodata::TabletType type) {
  TabletView view{&tables, &log->executed(), log->purged(), log->end_index()};
  const Tablet* tablet = FindTablet(type);
  if (tablet == nullptr) return view;
  if (!tablet->purged.empty()) view.purged = view.purged.Union(tablet->purged);
  if (tablet->stopped == nullptr) return view;
  view.purged = view.purged.Intersection(tablet->stopped->executed);
  view.tables = &tablet->stopped->tables;
  view.executed = &tablet->stopped->executed;
  view.end_index = tablet->stopped->end_index;
  return view;
}

std::vector<Shard*> Keyspace::ServingShards() const {
  std::vector<Shard*> serving;
  for (const auto& shard : shards) {
    if (shard->serving) serving.push_back(shard.get());
  }
  return serving;
}

bool Keyspace::sharded() const {
  const std::vector<Shard*> serving = ServingShards();
  return serving.size() > 1 || serving[0]->name != "0";
}

bool Keyspace::Resharded() const {
  const bool all_serve =
      std::all_of(shards.begin(), shards.end(), [](const auto& shard) { return shard->serving; });
  if (all_serve) return false;
  for (size_t i = 0; i < shards.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (shards[i]->range.Intersects(shards[j]->range)) return true;
    }
  }
  return false;
}

void Keyspace::SortShards() {
  std::stable_sort(shards.begin(), shards.end(),
                   [](const auto& a, const auto& b) { return a->range.begin < b->range.begin; });
}

void Keyspace::KeepVschema(const std::string& from, const std::string& to) {
  if (const auto vindex = vindexes.find(from); vindex != vindexes.end())
    vindexes[to] = vindex->second;
  if (reference_tables.count(from) != 0) reference_tables.insert(to);
}

void Keyspace::FollowAlter(const AlterTable& alter) {
  const auto vindex = vindexes.find(alter.table.name);
  for (const AlterAction& action : alter.actions) {
    const bool of_column =
        vindex != vindexes.end() && EqualsIgnoreCase(vindex->second.column, action.old_name);
    if (of_column && action.kind == AlterAction::Kind::kRenameColumn)
      vindex->second.column = action.new_name;
    if (of_column && action.kind == AlterAction::Kind::kModifyColumn)
      vindex->second.column = action.column.name;
  }
  for (const AlterAction& action : alter.actions) {
    if (action.kind == AlterAction::Kind::kRenameTable)
      KeepVschema(alter.table.name, action.new_name);
  }
}

absl::StatusOr<std::string> Keyspace::KeyspaceIdOf(const TableSchema& schema,
                                                   const Row& row) const {
  const auto vindex = vindexes.find(schema.name);
  if (vindex == vindexes.end()) {
    return absl::FailedPreconditionError(
        Cat("VT09001: table '", schema.name, "' does not have a primary vindex"));
  }
  const int column = FindColumn(schema.columns, vindex->second.column);
  if (column < 0)
    return absl::InternalError(Cat("the vindex's column is not in table ", schema.name));
  return KeyspaceId(vindex->second.type, row[static_cast<size_t>(column)].value_or(""));
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

std::string ClusterState::NextServerUuid() {
  return Cat(absl::Hex(0xc1a55e00 + servers_made++, absl::kZeroPad8),
             "-0000-11f1-8000-02fc00000001");
}

absl::StatusOr<std::unique_ptr<Shard>> ClusterState::MakeShard(
    const Keyspace& keyspace, std::string_view name,
    const std::vector<topodata::TabletType>& tablets) {
  const absl::StatusOr<KeyRange> range = KeyRange::Parse(name);
  if (!range.ok()) return range.status();
  auto shard = std::make_unique<Shard>();
  shard->keyspace = keyspace.name;
  shard->name = std::string(name);
  // Databases of shards that share a server are told apart by their names.
  shard->database = Cat("vt_", keyspace.name, keyspace.one_server ? Cat("_", name) : "");
  shard->range = *range;
  const bool shares = keyspace.one_server && !keyspace.shards.empty();
  shard->log = shares ? keyspace.shards[0]->log : std::make_shared<BinaryLog>(NextServerUuid());
  for (const topodata::TabletType type : tablets) {
    Tablet& tablet = shard->tablets.emplace_back();
    tablet.type = type;
    tablet.alias = Cat(cell, "-", absl::Dec(next_tablet++, absl::kZeroPad10));
  }
  return shard;
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
