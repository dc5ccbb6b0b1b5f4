// The SHOW statements that VTGate answers itself.
#include <algorithm>

#include "simulator/sql_executor.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

query::QueryResult WithFields(std::initializer_list<std::string_view> names) {
  query::QueryResult result;
  for (const std::string_view name : names) *result.add_fields() = VtgateField(name);
  return result;
}

// Of LIKE's patterns, those that VTGate's users write: a literal with % at its end, or without.
bool Matches(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return true;
  if (pattern.back() == '%') return StartsWith(text, pattern.substr(0, pattern.size() - 1));
  return text == pattern;
}

}  // namespace

absl::StatusOr<query::QueryResult> SqlExecutor::Run(const Show& show) {
  if (show.what == "keyspaces" || show.what == "vitess_keyspaces" || show.what == "databases" ||
      show.what == "schemas") {
    query::QueryResult result = WithFields({"Database"});
    for (const auto& keyspace : state_.keyspaces) {
      if (Matches(keyspace->name, show.like)) AppendRow({Cell(keyspace->name)}, result);
    }
    return result;
  }
  if (show.what == "vitess_shards") return ShowShards(show);
  if (show.what == "vitess_tablets") return ShowTablets(show);
  if (show.what == "tables") return ShowTables(show);
  if (show.what == "vschema vindexes") return ShowVindexes(show);
  if (StartsWith(show.what, "vschema ")) return ShowVschema(show);
  if (show.what == "global gtid_executed") return ShowGtidExecuted(show);
  return absl::UnimplementedError(Cat("SHOW ", show.what, " is not known to the simulator"));
}

absl::StatusOr<query::QueryResult> SqlExecutor::ShowShards(const Show& show) {
  std::vector<std::string> names;
  for (const auto& keyspace : state_.keyspaces) {
    for (const Shard* shard : keyspace->ServingShards()) {
      const std::string name = Cat(keyspace->name, "/", shard->name);
      if (Matches(name, show.like)) names.push_back(name);
    }
  }
  std::stable_sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return a.substr(0, a.find('/')) < b.substr(0, b.find('/'));
  });
  query::QueryResult result = WithFields({"Shards"});
  for (const std::string& name : names) AppendRow({Cell(name)}, result);
  return result;
}

// vtgate/planbuilder/show.go: buildVschemaKeyspacesPlan, buildVschemaTablesPlan. VTGate adds the
// tables that it finds in the shards to those of the vschema.
absl::StatusOr<query::QueryResult> SqlExecutor::ShowVschema(const Show& show) {
  if (show.what == "vschema keyspaces") {
    query::QueryResult result = WithFields({"Keyspace", "Sharded", "Foreign Key", "Comment"});
    for (const auto& keyspace : state_.keyspaces) {
      AppendRow({Cell(keyspace->name), Cell(keyspace->sharded() ? "true" : "false"),
                 Cell("unmanaged"), Cell("")},
                result);
    }
    return result;
  }
  if (show.what != "vschema tables")
    return absl::UnimplementedError(Cat("SHOW ", show.what, " is not known to the simulator"));
  const absl::StatusOr<Keyspace*> keyspace = FindKeyspace("");
  if (!keyspace.ok()) return keyspace.status();
  query::QueryResult result = WithFields({"Tables"});
  for (const auto& [name, table] : (*keyspace)->ServingShards()[0]->tables) {
    if (!table.schema->view) AppendRow({Cell(name)}, result);
  }
  return result;
}

// The same: buildVschemaVindexesPlan. A reference table has none.
absl::StatusOr<query::QueryResult> SqlExecutor::ShowVindexes(const Show& show) {
  const size_t dot = show.from.find('.');
  const bool qualified = dot != std::string::npos;
  const absl::StatusOr<Keyspace*> keyspace =
      FindKeyspace(qualified ? show.from.substr(0, dot) : "");
  if (!keyspace.ok()) return keyspace.status();
  const std::string table = qualified ? show.from.substr(dot + 1) : show.from;
  if (!(*keyspace)->HasTable(table)) {
    return absl::NotFoundError(
        Cat("VT05005: table '", table, "' does not exist in keyspace '", (*keyspace)->name, "'"));
  }
  query::QueryResult result = WithFields({"Columns", "Name", "Type", "Params", "Owner"});
  const auto vindex = (*keyspace)->vindexes.find(table);
  const bool has_one =
      vindex != (*keyspace)->vindexes.end() && (*keyspace)->reference_tables.count(table) == 0;
  if (has_one) {
    const PrimaryVindex& primary = vindex->second;
    AppendRow(
        {Cell(primary.column), Cell(primary.name), Cell(primary.type_name), Cell(""), Cell("")},
        result);
  }
  return result;
}

// vtgate/engine/vexplain.go and route.go: the plan is one text, JSON indented by tabs. Of tables
// that are read as a whole, the variant tells which shards that takes.
absl::StatusOr<query::QueryResult> SqlExecutor::Run(const VexplainPlan& vexplain) {
  if (!vexplain.select.table || vexplain.select.where) {
    return absl::UnimplementedError("VEXPLAIN PLAN is known to the simulator for whole tables");
  }
  Keyspace* keyspace = nullptr;
  const auto places = FindTables(*vexplain.select.table, &keyspace);
  if (!places.ok()) return places.status();
  const std::string& table = places->front().table->schema->name;
  const std::string_view variant = !keyspace->sharded()                           ? "Unsharded"
                                   : keyspace->reference_tables.count(table) != 0 ? "Reference"
                                                                                  : "Scatter";
  query::QueryResult result = WithFields({"JSON"});
  AppendRow({Cell(Cat("{\n\t\"OperatorType\": \"Route\",\n\t\"Variant\": \"", variant,
                      "\",\n\t\"Keyspace\": {\n\t\t\"Name\": \"", keyspace->name,
                      "\",\n\t\t\"Sharded\": ", keyspace->sharded() ? "true" : "false",
                      "\n\t},\n\t\"Table\": \"", table, "\"\n}"))},
            result);
  return result;
}

absl::StatusOr<query::QueryResult> SqlExecutor::ShowTablets(const Show& show) {
  query::QueryResult result = WithFields({"Cell", "Keyspace", "Shard", "TabletType", "State",
                                          "Alias", "Hostname", "PrimaryTermStartTime"});
  for (const auto& keyspace : state_.keyspaces) {
    for (const auto& shard : keyspace->shards) {
      for (const Tablet& tablet : shard->tablets) {
        if (!Matches(keyspace->name, show.like)) continue;
        const bool primary = tablet.type == topodata::PRIMARY;
        AppendRow({Cell(state_.cell), Cell(keyspace->name), Cell(shard->name),
                   Cell(topodata::TabletType_Name(tablet.type)),
                   Cell(tablet.up && shard->serving ? "SERVING" : "NOT_SERVING"),
                   Cell(tablet.alias), Cell(""), Cell(primary ? "2026-01-01T00:00:00Z" : "")},
                  result);
      }
    }
  }
  return result;
}

absl::StatusOr<query::QueryResult> SqlExecutor::ShowTables(const Show& show) {
  const absl::StatusOr<Keyspace*> keyspace = FindKeyspace(show.from);
  if (!keyspace.ok()) return keyspace.status();
  query::QueryResult result = WithFields({Cat("Tables_in_", (*keyspace)->name)});
  for (const auto& [name, table] : (*keyspace)->ServingShards()[0]->tables) {
    if (Matches(name, show.like)) AppendRow({Cell(name)}, result);
  }
  return result;
}

absl::StatusOr<query::QueryResult> SqlExecutor::ShowGtidExecuted(const Show& show) {
  const absl::StatusOr<Keyspace*> keyspace = FindKeyspace(show.from);
  if (!keyspace.ok()) return keyspace.status();
  query::QueryResult result = WithFields({"db_name", "gtid_executed", "shard"});
  for (const Shard* shard : (*keyspace)->ServingShards()) {
    AppendRow({Cell((*keyspace)->name), Cell(shard->log->executed().ToString()), Cell(shard->name)},
              result);
  }
  return result;
}

}  // namespace source_vitess::simulator
