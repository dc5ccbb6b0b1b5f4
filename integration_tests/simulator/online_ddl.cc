#include "simulator/online_ddl.h"

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_format.h"
#include "simulator/sql_executor.h"
#include "simulator/sql_parser.h"
#include "simulator/strings.h"
#include "simulator/write_set.h"

namespace source_vitess::simulator {
namespace {

// A name as Vitess gives its own tables: what for, a UUID, a time.
std::string InternalName(ClusterState& state, std::string_view purpose) {
  const std::string time = absl::FormatTime("%E4Y%m%d%H%M%S", state.now(), absl::UTCTimeZone());
  return Cat("_vt_", purpose, "_",
             absl::StrFormat("%032x", static_cast<unsigned long long>(state.next_table_id++)), "_",
             time, "_");
}

template <typename Definition>
absl::Status RunIn(ClusterState& state, const Shard& shard, const Definition& definition,
                   const std::string& sql) {
  Target target;
  target.keyspace = shard.keyspace;
  target.shard = shard.name;
  target.of_workflow = true;
  WriteSet writes;
  return SqlExecutor(state, target, writes, sql).Run(definition).status();
}

// The shadow's rows, as VReplication inserts them.
void LogRows(ClusterState& state, Shard& shard, const Table& shadow) {
  std::vector<LoggedChange> changes;
  for (const auto& [key, row] : shadow.rows) changes.push_back({nullptr, row, nullptr});
  if (changes.empty()) return;
  LoggedTransaction transaction;
  transaction.time = state.now();
  transaction.keyspace = shard.keyspace;
  transaction.shard = shard.name;
  transaction.events = DivideIntoEvents(shadow, std::move(changes));
  shard.log->Append(std::move(transaction));
}

}  // namespace

absl::Status RunOnlineDdl(ClusterState& state, Shard& shard, std::string_view alter) {
  const absl::StatusOr<Statement> parsed = Parse(alter);
  if (!parsed.ok()) return parsed.status();
  const auto* statement = std::get_if<AlterTable>(&*parsed);
  if (statement == nullptr) return absl::InvalidArgumentError(Cat("not an ALTER TABLE: ", alter));
  const std::string name = statement->table.name;
  const Table* table = shard.FindTable(name);
  if (table == nullptr) return absl::NotFoundError(Cat("table ", name, " not found"));
  const std::string shadow = InternalName(state, "vrp");
  const std::string sentry = InternalName(state, "hld");

  CreateTable create;
  create.table.name = shadow;
  create.like = TableName{"", name};
  absl::Status status =
      RunIn(state, shard, create, Cat("create table `", shadow, "` like `", name, "`"));
  if (!status.ok()) return status;
  Table& copy = *shard.FindTable(shadow);
  copy.rows = table->rows;
  copy.next_row_number = table->next_row_number;
  AlterTable altered = *statement;
  altered.table = {"", shadow};
  const size_t keyword = ToLower(alter).find("table");
  const std::string_view actions = alter.substr(alter.find(name, keyword + 5) + name.size());
  const bool quoted = actions.starts_with('`');
  status = RunIn(state, shard, altered,
                 Cat("alter table `", shadow, "`", quoted ? actions.substr(1) : actions));
  if (!status.ok()) {
    shard.tables.erase(shadow);
    return status;
  }
  LogRows(state, shard, copy);

  RenameTable swap;
  swap.pairs = {
      {{"", name}, {"", sentry}}, {{"", shadow}, {"", name}}, {{"", sentry}, {"", shadow}}};
  return RunIn(state, shard, swap,
               Cat("RENAME TABLE `", name, "` TO `", sentry, "`, `", shadow, "` TO `", name, "`, `",
                   sentry, "` TO `", shadow, "`"));
}

}  // namespace source_vitess::simulator
