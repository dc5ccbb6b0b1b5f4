#include "simulator/cluster.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "simulator/online_ddl.h"
#include "simulator/sql_executor.h"
#include "simulator/sql_tokenizer.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {

Cluster::Cluster(ClusterOptions options) : options_(std::move(options)) {
  const absl::MutexLock lock(&mutex_);
  state_.cell = options_.cell;
  state_.version = options_.version;
  state_.now = options_.now;
}

absl::Status Cluster::MakeKeyspace(const KeyspaceOptions& options) {
  if (state_.FindKeyspace(options.name) != nullptr) {
    return absl::AlreadyExistsError(Cat("keyspace ", options.name, " exists"));
  }
  auto keyspace = std::make_unique<Keyspace>();
  keyspace->name = options.name;
  keyspace->one_server = options.one_server;
  for (const std::string& name : options.shards) {
    absl::StatusOr<std::unique_ptr<Shard>> shard =
        state_.MakeShard(*keyspace, name, options.tablets);
    if (!shard.ok()) return shard.status();
    keyspace->shards.push_back(*std::move(shard));
  }
  keyspace->SortShards();
  state_.keyspaces.push_back(std::move(keyspace));
  return absl::OkStatus();
}

absl::Status Cluster::CreateKeyspace(const KeyspaceOptions& options) {
  const absl::MutexLock lock(&mutex_);
  return MakeKeyspace(options);
}

absl::Status Cluster::RunCreateKeyspace(const struct CreateKeyspace& statement) {
  KeyspaceOptions options;
  options.name = statement.name;
  options.one_server = statement.one_server;
  if (!statement.shards.empty()) options.shards = statement.shards;
  if (!statement.tablets.empty()) options.tablets.clear();
  for (const std::string& name : statement.tablets) {
    const absl::StatusOr<topodata::TabletType> type = ParseTabletType(name);
    if (!type.ok()) return type.status();
    options.tablets.push_back(*type);
  }
  return MakeKeyspace(options);
}

absl::StatusOr<query::QueryResult> Cluster::Execute(Session& session, std::string_view sql,
                                                    const BindValues& binds) {
  const absl::StatusOr<Statement> statement = Parse(sql, binds);
  if (!statement.ok()) return statement.status();
  const absl::MutexLock lock(&mutex_);
  absl::StatusOr<query::QueryResult> result = Run(session, *statement, sql);
  const bool only_looks = std::holds_alternative<Select>(*statement) ||
                          std::holds_alternative<Show>(*statement) ||
                          std::holds_alternative<VexplainPlan>(*statement);
  if (only_looks) return result;
  const absl::Status followed = FollowChanges();
  if (result.ok() && !followed.ok()) return followed;
  return result;
}

absl::StatusOr<query::QueryResult> Cluster::Execute(std::string_view target, std::string_view sql) {
  Session session;
  session.target = std::string(target);
  return Execute(session, sql);
}

absl::Status Cluster::RunScript(std::string_view script) {
  const absl::StatusOr<std::vector<std::string_view>> statements = SplitStatements(script);
  if (!statements.ok()) return statements.status();
  Session session;
  for (const std::string_view sql : *statements) {
    const absl::StatusOr<query::QueryResult> result = Execute(session, sql);
    if (!result.ok()) {
      return absl::Status(result.status().code(), Cat(result.status().message(), ", in: ", sql));
    }
  }
  CloseSession(session);
  return absl::OkStatus();
}

absl::Status Cluster::RunOnlineDdl(std::string_view target, std::string_view alter) {
  const absl::StatusOr<Target> parsed = Target::Parse(target);
  if (!parsed.ok()) return parsed.status();
  const absl::MutexLock lock(&mutex_);
  Keyspace* keyspace = state_.FindKeyspace(parsed->keyspace);
  if (keyspace == nullptr) return absl::NotFoundError(Cat("no keyspace ", parsed->keyspace));
  for (Shard* shard : keyspace->ServingShards()) {
    if (!parsed->shard.empty() && shard->name != parsed->shard) continue;
    const absl::Status status = simulator::RunOnlineDdl(state_, *shard, alter);
    if (!status.ok()) return status;
  }
  return FollowChanges();
}

absl::StatusOr<query::QueryResult> Cluster::Run(Session& session, const Statement& statement,
                                                std::string_view sql) {
  if (const auto* control = std::get_if<Control>(&statement)) return RunControl(session, *control);
  if (const auto* use = std::get_if<Use>(&statement)) {
    session.target = use->target;
    return query::QueryResult();
  }
  if (const auto* create = std::get_if<struct CreateKeyspace>(&statement)) {
    if (absl::Status status = RunCreateKeyspace(*create); !status.ok()) return status;
    return query::QueryResult();
  }
  const absl::StatusOr<Target> target = Target::Parse(session.target);
  if (!target.ok()) return target.status();
  if (SqlExecutor::IsDefinition(statement)) {
    if (absl::Status status = CommitSession(session); !status.ok()) return status;
  }
  if (!session.autocommit) session.in_transaction = true;
  WriteSet own;
  WriteSet* writes = &own;
  if (session.in_transaction) {
    if (session.transaction == 0) session.transaction = next_transaction_++;
    writes = &transactions_[session.transaction];
  }
  absl::StatusOr<query::QueryResult> result = std::visit(
      [&](const auto& parsed) -> absl::StatusOr<query::QueryResult> {
        using Parsed = std::decay_t<decltype(parsed)>;
        if constexpr (std::is_same_v<Parsed, Control> || std::is_same_v<Parsed, Use> ||
                      std::is_same_v<Parsed, struct CreateKeyspace>) {
          return absl::InternalError("handled above");
        } else {
          return SqlExecutor(state_, *target, *writes, sql).Run(parsed);
        }
      },
      statement);
  if (!result.ok()) {
    writes->AbortStatement();
    return result;
  }
  writes->EndStatement();
  if (!session.in_transaction) {
    if (absl::Status status = own.Commit(state_.now()); !status.ok()) return status;
  }
  return result;
}

absl::StatusOr<query::QueryResult> Cluster::RunControl(Session& session, const Control& control) {
  switch (control.kind) {
    case Control::Kind::kBegin:
      if (absl::Status status = CommitSession(session); !status.ok()) return status;
      session.in_transaction = true;
      break;
    case Control::Kind::kCommit:
      if (absl::Status status = CommitSession(session); !status.ok()) return status;
      break;
    case Control::Kind::kRollback:
      RollBackSession(session);
      break;
    case Control::Kind::kNothing:
      break;
  }
  return query::QueryResult();
}

absl::Status Cluster::CommitSession(Session& session) {
  session.in_transaction = false;
  const auto writes = transactions_.find(std::exchange(session.transaction, 0));
  if (writes == transactions_.end()) return absl::OkStatus();
  const absl::Status status = writes->second.Commit(state_.now());
  transactions_.erase(writes);
  return status;
}

void Cluster::RollBackSession(Session& session) {
  session.in_transaction = false;
  transactions_.erase(std::exchange(session.transaction, 0));
}

void Cluster::CloseSession(const Session& session) {
  const absl::MutexLock lock(&mutex_);
  transactions_.erase(session.transaction);
}

absl::StatusOr<Shard*> Cluster::FindShard(std::string_view keyspace, std::string_view shard) {
  Keyspace* found = state_.FindKeyspace(keyspace);
  Shard* result = found == nullptr ? nullptr : found->FindShard(shard);
  if (result == nullptr) return absl::NotFoundError(Cat("no shard ", keyspace, "/", shard));
  return result;
}

absl::Status Cluster::WriteInternalTransaction(std::string_view keyspace, std::string_view shard) {
  const absl::MutexLock lock(&mutex_);
  const absl::StatusOr<Shard*> found = FindShard(keyspace, shard);
  if (!found.ok()) return found.status();
  LoggedTransaction transaction;
  transaction.time = state_.now();
  (*found)->log->Append(std::move(transaction));
  NotifyListeners();
  return absl::OkStatus();
}

absl::StatusOr<vitess::GtidSet> Cluster::Executed(std::string_view keyspace, std::string_view shard,
                                                  topodata::TabletType type) {
  const absl::MutexLock lock(&mutex_);
  const absl::StatusOr<Shard*> found = FindShard(keyspace, shard);
  if (!found.ok()) return found.status();
  return *(*found)->ViewOf(type).executed;
}

absl::Status Cluster::PurgeLogs(std::string_view keyspace, std::string_view shard) {
  const absl::MutexLock lock(&mutex_);
  const absl::StatusOr<Shard*> found = FindShard(keyspace, shard);
  if (!found.ok()) return found.status();
  (*found)->log->Purge();
  NotifyListeners();
  return absl::OkStatus();
}

absl::Status Cluster::PurgeLogs(std::string_view keyspace, std::string_view shard,
                                topodata::TabletType type) {
  const absl::MutexLock lock(&mutex_);
  const absl::StatusOr<Shard*> found = FindShard(keyspace, shard);
  if (!found.ok()) return found.status();
  const vitess::GtidSet purged = *(*found)->ViewOf(type).executed;
  for (Tablet& tablet : (*found)->tablets) {
    if (tablet.type == type) tablet.purged = purged;
  }
  NotifyListeners();
  return absl::OkStatus();
}

absl::Status Cluster::SetReplicating(std::string_view keyspace, std::string_view shard,
                                     topodata::TabletType type, bool replicating) {
  if (type == topodata::PRIMARY) return absl::InvalidArgumentError("a primary does not replicate");
  const absl::MutexLock lock(&mutex_);
  const absl::StatusOr<Shard*> found = FindShard(keyspace, shard);
  if (!found.ok()) return found.status();
  const BinaryLog& log = *(*found)->log;
  for (Tablet& tablet : (*found)->tablets) {
    if (tablet.type != type) continue;
    if (replicating) {
      tablet.stopped.reset();
    } else if (tablet.stopped == nullptr) {
      tablet.stopped = std::make_shared<StoppedReplica>(
          StoppedReplica{log.end_index(), log.executed(), (*found)->tables});
    }
  }
  NotifyListeners();
  return absl::OkStatus();
}

absl::Status Cluster::LoseTransactions(Shard& shard, uint64_t count) {
  BinaryLog& log = *shard.log;
  if (count > log.end_index() - log.begin_index())
    return absl::FailedPreconditionError("the transactions are purged");
  for (uint64_t index = log.end_index() - count; index < log.end_index(); ++index) {
    if (log.At(index)->kind != LoggedTransaction::Kind::kRows)
      return absl::FailedPreconditionError("a definition cannot be lost");
  }
  for (const auto& reshard : reshards_) {
    if (reshard->keyspace() == shard.keyspace && !reshard->switched())
      return absl::FailedPreconditionError("the keyspace is being resharded");
  }
  Keyspace& keyspace = *state_.FindKeyspace(shard.keyspace);
  for (uint64_t i = 0; i < count; ++i) {
    const LoggedTransactionPointer lost = log.Lose();
    // One that the server wrote for itself is no shard's.
    if (Shard* of = keyspace.FindShard(lost->shard); of != nullptr) of->Undo(*lost);
  }
  for (const auto& other : keyspace.shards) {
    if (other->log != shard.log) continue;
    for (Tablet& tablet : other->tablets) tablet.stopped.reset();
  }
  return absl::OkStatus();
}

absl::Status Cluster::FailOver(std::string_view keyspace, std::string_view shard, uint64_t lost) {
  const absl::MutexLock lock(&mutex_);
  const absl::StatusOr<Shard*> found = FindShard(keyspace, shard);
  if (!found.ok()) return found.status();
  if (lost > 0) {
    if (absl::Status status = LoseTransactions(**found, lost); !status.ok()) return status;
  }
  (*found)->log->ChangeServer(state_.NextServerUuid());
  LoggedTransaction journal;  // _vt.reparent_journal
  journal.time = state_.now();
  (*found)->log->Append(std::move(journal));
  NotifyListeners();
  return absl::OkStatus();
}

absl::Status Cluster::StartReshard(const ReshardOptions& options) {
  const absl::MutexLock lock(&mutex_);
  absl::StatusOr<std::unique_ptr<Reshard>> reshard = Reshard::Start(state_, options);
  if (!reshard.ok()) return reshard.status();
  reshards_.push_back(*std::move(reshard));
  return FollowChanges();
}

absl::Status Cluster::SwitchTraffic(std::string_view keyspace,
                                    const std::vector<std::string>& held_journals) {
  const absl::MutexLock lock(&mutex_);
  std::vector<Reshard*> started;
  for (const auto& reshard : reshards_) {
    if (reshard->keyspace() == keyspace && !reshard->switched()) started.push_back(reshard.get());
  }
  if (started.empty())
    return absl::NotFoundError(Cat("no reshard of keyspace ", keyspace, " has started"));
  for (const std::string& held : held_journals) {
    const bool known = std::any_of(started.begin(), started.end(), [&](const Reshard* reshard) {
      return reshard->HasSource(held);
    });
    if (!known) return absl::NotFoundError(Cat("shard ", held, " is not resharded"));
  }
  for (Reshard* reshard : started) reshard->Switch(state_, held_journals);
  NotifyListeners();
  return absl::OkStatus();
}

absl::Status Cluster::CompleteReshard(std::string_view keyspace) {
  const absl::MutexLock lock(&mutex_);
  const size_t count = std::erase_if(reshards_, [&](const std::unique_ptr<Reshard>& reshard) {
    if (reshard->keyspace() != keyspace || !reshard->switched()) return false;
    reshard->Complete(state_);
    return true;
  });
  if (count == 0)
    return absl::NotFoundError(Cat("no reshard of keyspace ", keyspace, " has switched traffic"));
  NotifyListeners();
  return absl::OkStatus();
}

absl::Status Cluster::MoveTables(const MoveTablesOptions& options) {
  const absl::MutexLock lock(&mutex_);
  if (absl::Status status = simulator::MoveTables(state_, options); !status.ok()) return status;
  return FollowChanges();
}

absl::Status Cluster::CompleteMoveTables(const MoveTablesOptions& options) {
  const absl::MutexLock lock(&mutex_);
  const absl::Status status = simulator::CompleteMoveTables(state_, options);
  return status.ok() ? FollowChanges() : status;
}

absl::Status Cluster::HoldStreams(std::string_view keyspace, std::string_view shard) {
  const absl::MutexLock lock(&mutex_);
  const absl::StatusOr<Shard*> found = FindShard(keyspace, shard);
  if (!found.ok()) return found.status();
  if (!(*found)->held_index.has_value()) (*found)->held_index = (*found)->log->end_index();
  return absl::OkStatus();
}

absl::Status Cluster::ReleaseStreams(std::string_view keyspace, std::string_view shard) {
  const absl::MutexLock lock(&mutex_);
  const absl::StatusOr<Shard*> found = FindShard(keyspace, shard);
  if (!found.ok()) return found.status();
  (*found)->held_index.reset();
  NotifyListeners();
  return absl::OkStatus();
}

absl::Status Cluster::SetServing(std::string_view keyspace, std::string_view shard,
                                 topodata::TabletType type, bool serving) {
  const absl::MutexLock lock(&mutex_);
  const absl::StatusOr<Shard*> found = FindShard(keyspace, shard);
  if (!found.ok()) return found.status();
  for (Tablet& tablet : (*found)->tablets) {
    if (tablet.type != type || tablet.up == serving) continue;
    tablet.up = serving;
    tablet.starts += serving ? 1 : 0;
  }
  NotifyListeners();
  return absl::OkStatus();
}

void Cluster::SetVariables(const ServerVariables& variables) {
  const absl::MutexLock lock(&mutex_);
  state_.variables = variables;
}

void Cluster::AddListener(Signal* signal) {
  const absl::MutexLock lock(&mutex_);
  listeners_.insert(signal);
}

void Cluster::RemoveListener(Signal* signal) {
  const absl::MutexLock lock(&mutex_);
  listeners_.erase(signal);
}

absl::Status Cluster::FollowChanges() {
  absl::Status result;
  for (const auto& reshard : reshards_) {
    const absl::Status status = reshard->Follow(state_);
    if (result.ok()) result = status;
  }
  NotifyListeners();
  return result;
}

void Cluster::NotifyListeners() {
  for (Signal* signal : listeners_) signal->Notify();
}

}  // namespace source_vitess::simulator
