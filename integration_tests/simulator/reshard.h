// A reshard: some of a keyspace's shards are replaced by others of the same key ranges.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_RESHARD_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_RESHARD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "simulator/cluster_state.h"

namespace source_vitess::simulator {

// A split has one source, a merge one target; several to several is possible. Sources and targets
// must cover the same key ranges, "0" and "-" being all there is.
struct ReshardOptions {
  std::string keyspace;
  std::vector<std::string> sources;
  std::vector<std::string> targets;
};

// Vitess's Reshard workflow, without a way back: what it writes into the shards' binary logs is
// what the recordings reshard-* show. Plain data under the cluster's lock.
class Reshard {
 public:
  // Makes the targets, which do not serve, and copies the sources' rows into them. Every table of a
  // source needs a primary vindex, or must be a reference table. Fails with INVALID_ARGUMENT if
  // ranges do not fit, with NOT_FOUND, ALREADY_EXISTS or FAILED_PRECONDITION if a source is missing
  // or does not serve, or a target exists.
  static absl::StatusOr<std::unique_ptr<Reshard>> Start(ClusterState& state,
                                                        const ReshardOptions& options);

  // Applies to the targets what the sources have logged since the last call, in transactions of the
  // targets' own. Definitions are run there too, as by --on-ddl=EXEC; each must have reached all
  // sources of a target before the next call.
  absl::Status Follow(ClusterState& state);

  // Lets the targets serve in place of the sources. Each source logs the transactions of the switch
  // and, as its last, a JOURNAL; streams do not get to the JOURNALs of `held` sources before their
  // shards' held_index is taken away. Follow() must have been called.
  void Switch(ClusterState& state, const std::vector<std::string>& held);
  bool switched() const { return switched_; }
  bool HasSource(std::string_view shard) const;

  // Removes the sources from their keyspace.
  void Complete(ClusterState& state);

  const std::string& keyspace() const { return options_.keyspace; }

 private:
  struct Source {
    std::string shard;
    uint64_t next_index = 0;  // in its binary log
  };

  explicit Reshard(ReshardOptions options) : options_(std::move(options)) {}

  absl::Status Fill(ClusterState& state, Keyspace& keyspace, Shard& source);
  // Whether a reference table's rows, or a definition, come to `target` from `source`: one source
  // of several is enough.
  static bool Leads(const Keyspace& keyspace, const std::vector<Source>& sources,
                    const Shard& source, const Shard& target);
  absl::StatusOr<bool> Holds(const Keyspace& keyspace, const Shard& source, const Shard& target,
                             const TableSchema& schema, const Row* row) const;
  // Whether the transaction inserts a row whose key a target has: one that moved between sources,
  // whose deletion comes from the other one. VReplication tries such an insertion again until then.
  absl::StatusOr<bool> WaitsForAnother(Keyspace& keyspace, const Shard& source,
                                       const LoggedTransaction& transaction) const;
  absl::Status ApplyToTargets(ClusterState& state, Keyspace& keyspace, const Shard& source,
                              const LoggedTransaction& transaction);
  absl::Status Apply(ClusterState& state, Keyspace& keyspace, const Shard& source, Shard& target,
                     const LoggedTransaction& transaction);
  absl::Status ApplyRows(Keyspace& keyspace, const Shard& source, Shard& target,
                         const RowsEvent& event, std::vector<RowsEvent>& events);
  static absl::Status ApplyDefinition(ClusterState& state, const Shard& target,
                                      const std::string& statement);
  binlogdata::Journal MakeJournal(ClusterState& state, Keyspace& keyspace) const;

  const ReshardOptions options_;
  std::vector<Source> sources_;       // in the order of their key ranges
  std::vector<std::string> targets_;  // the same
  bool switched_ = false;
};

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_RESHARD_H_
