// A Vitess cluster in memory: keyspaces, shards, tables, binary logs, and the SQL that changes
// them.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_CLUSTER_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_CLUSTER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "simulator/cluster_state.h"
#include "simulator/move_tables.h"
#include "simulator/reshard.h"
#include "simulator/signal.h"
#include "simulator/sql_parser.h"
#include "simulator/write_set.h"
#include "vitess/gtid_set.h"
#include "vitess/query.pb.h"

namespace source_vitess::simulator {

struct ClusterOptions {
  std::string cell = "test";
  // The clock of servers and tablets.
  std::function<absl::Time()> now = &absl::Now;
  VersionProfile version;
};

struct KeyspaceOptions {
  std::string name;
  std::vector<std::string> shards = {"0"};
  std::vector<topodata::TabletType> tablets = {topodata::PRIMARY, topodata::REPLICA};
  // One MySQL server behind all shards, as in most recordings: each shard's log then holds the
  // others' transactions.
  bool one_server = false;
};

// Thread-safe. Every call sees and leaves a consistent state.
class Cluster {
 public:
  explicit Cluster(ClusterOptions options = {});

  absl::Status CreateKeyspace(const KeyspaceOptions& options);

  // What a session keeps between statements.
  struct Session {
    std::string target;  // "keyspace", "keyspace:shard@type"
    bool autocommit = true;
    bool in_transaction = false;
    uint64_t transaction = 0;  // 0 until a transaction has touched something
  };

  // Runs one statement. A failed statement leaves a transaction open, without the statement's own
  // changes.
  absl::StatusOr<query::QueryResult> Execute(Session& session, std::string_view sql,
                                             const BindValues& binds = {});

  // Runs one statement in a session of its own, committed at once. Fields of the answer are
  // complete.
  absl::StatusOr<query::QueryResult> Execute(std::string_view target, std::string_view sql);

  // Runs statements divided by semicolons, USE included. Stops at the first that fails, and names
  // it.
  absl::Status RunScript(std::string_view script);

  // Runs an ALTER TABLE as Vitess's online DDL does: streams see shadow tables come, and one RENAME
  // TABLE. `target` is a keyspace, or one shard of it.
  absl::Status RunOnlineDdl(std::string_view target, std::string_view alter);

  // Gives back what a session holds: an open transaction is undone.
  void CloseSession(const Session& session);

  // The statement of a transaction that touches nothing a client sees: what Vitess writes for
  // itself. On a server of several shards it shows in all of them.
  absl::Status WriteInternalTransaction(std::string_view keyspace, std::string_view shard);

  // What the shard's tablets of a type have executed.
  absl::StatusOr<vitess::GtidSet> Executed(std::string_view keyspace, std::string_view shard,
                                           topodata::TabletType type = topodata::PRIMARY);

  // Deletes the shard's binary logs; or those of its tablets of one type alone.
  absl::Status PurgeLogs(std::string_view keyspace, std::string_view shard);
  absl::Status PurgeLogs(std::string_view keyspace, std::string_view shard,
                         topodata::TabletType type);

  // Whether the shard's tablets of a type, not PRIMARY, get what the primary writes. While they do
  // not, their positions, rows and definitions, and what their streams see, stay as they are; once
  // they do again, they have caught up.
  absl::Status SetReplicating(std::string_view keyspace, std::string_view shard,
                              topodata::TabletType type, bool replicating);

  // --- reshards
  //
  //   cluster.StartReshard({"shop", {"0"}, {"-80", "80-"}});
  //   ... writes ...
  //   cluster.SwitchTraffic("shop");
  //   ... writes go to -80 and 80- ...
  //   cluster.CompleteReshard("shop");
  //
  // What streams and SHOW VITESS_SHARDS tell at each stage is what the recordings reshard-* and
  // reference 7 tell.

  // Makes the targets and keeps them as the sources are, with every commit. They do not serve:
  // SHOW VITESS_SHARDS does not have them, and Execute finds no tablet there.
  absl::Status StartReshard(const ReshardOptions& options);

  // Lets the targets of the keyspace's started reshards serve in place of the sources. Each source
  // logs a JOURNAL and nothing more. The sources stay for streams that still read them, or come
  // back to them; Execute finds no tablet there any more. Transactions open on a source fail at
  // COMMIT.
  //
  // Streams wait before the JOURNALs of the shards in `held_journals` until ReleaseStreams(): so
  // that a reader can be met, or killed, between the JOURNALs of a merge. The targets serve all the
  // same.
  absl::Status SwitchTraffic(std::string_view keyspace,
                             const std::vector<std::string>& held_journals = {});

  // Drops the shards that traffic was switched away from: streams that name them end as in
  // recording error-shard-gone.
  absl::Status CompleteReshard(std::string_view keyspace);

  // Moves tables to another keyspace, and drops what the old one has kept of them: move_tables.h.
  absl::Status MoveTables(const MoveTablesOptions& options);
  absl::Status CompleteMoveTables(const MoveTablesOptions& options);

  // Streams of the shard get nothing that is logged from now on, like those of a tablet that lags,
  // until they are released. Says nothing about positions: Execute tells the server's own.
  absl::Status HoldStreams(std::string_view keyspace, std::string_view shard);
  absl::Status ReleaseStreams(std::string_view keyspace, std::string_view shard);

  // Makes another server the shard's primary: it logs a transaction of its own at once,
  // transactions get its UUID, streams start again where they are (recording failover-planned). On
  // a server of several shards it is all of them.
  //
  // The new server lacks the last `lost` transactions, as after a primary has died, or been
  // restored from a backup: their rows are as before, and positions that hold them are ahead. Fails
  // with FAILED_PRECONDITION and changes nothing if one of them is a definition, a JOURNAL or
  // purged, or if the keyspace is being resharded.
  absl::Status FailOver(std::string_view keyspace, std::string_view shard, uint64_t lost = 0);

  // Whether the shard's tablets of that type are up. One that comes up again has lost its streams,
  // which VTGate opens again where they were (recording tablet-killed).
  absl::Status SetServing(std::string_view keyspace, std::string_view shard,
                          topodata::TabletType type, bool serving);

  void SetVariables(const ServerVariables& variables);

  absl::Time now() const { return options_.now(); }
  const VersionProfile& version() const { return options_.version; }
  const std::string& cell() const { return options_.cell; }

  // Runs `use(ClusterState&)` under the lock and gives back its result. It must only look.
  template <typename Use>
  auto Read(const Use& use) {
    const absl::MutexLock lock(&mutex_);
    return use(state_);
  }

  // Has `signal` notified at every change, until it is removed.
  void AddListener(Signal* signal);
  void RemoveListener(Signal* signal);

 private:
  absl::StatusOr<query::QueryResult> Run(Session& session, const Statement& statement,
                                         std::string_view sql)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<query::QueryResult> RunControl(Session& session, const Control& control)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CommitSession(Session& session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RollBackSession(Session& session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status MakeKeyspace(const KeyspaceOptions& options) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status RunCreateKeyspace(const struct CreateKeyspace& statement)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<Shard*> FindShard(std::string_view keyspace, std::string_view shard)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status LoseTransactions(Shard& shard, uint64_t count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Has everything that depends on the shards' logs follow them, and wakes the streams.
  absl::Status FollowChanges() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NotifyListeners() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ClusterOptions options_;
  absl::Mutex mutex_;
  ClusterState state_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, WriteSet> transactions_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_transaction_ ABSL_GUARDED_BY(mutex_) = 1;
  std::vector<std::unique_ptr<Reshard>> reshards_ ABSL_GUARDED_BY(mutex_);
  std::set<Signal*> listeners_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_CLUSTER_H_
