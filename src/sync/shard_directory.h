// What a sync knows of the shards of its keyspaces: which serve, where each has to be read to, and
// which have ended in a reshard.
#ifndef SOURCE_VITESS_SYNC_SHARD_DIRECTORY_H_
#define SOURCE_VITESS_SYNC_SHARD_DIRECTORY_H_

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sync/plan.h"
#include "sync/sync.h"
#include "vitess/gtid_set.h"
#include "vitess/vtgate_client.h"

namespace source_vitess::sync {

// For one thread. What servers say is believed for a moment, because many tables ask for the same
// shards at once.
class ShardDirectory {
 public:
  // Both must outlive this object.
  ShardDirectory(const SyncOptions& options, vitess::VtgateClient& client)
      : options_(options), client_(client) {}

  void Add(const KeyspaceState& keyspace);

  // What a position has to contain for its shard to be read up; null: nobody has asked yet, or the
  // shard has ended, which its JOURNAL tells.
  const vitess::GtidSet* Target(const std::string& keyspace, const std::string& shard) const;

  // Asks the shard for its target, unless that is known or the shard has ended.
  absl::Status ReadTarget(const std::string& keyspace, const std::string& shard, absl::Time now);

  // Whether the shard serves no longer: its data has gone over to others.
  bool HasEnded(const std::string& keyspace, const std::string& shard) const;
  void SetEnded(const std::string& keyspace, const std::string& shard);

  // A JOURNAL says that the shard begins. It may have ended again since.
  void SetServing(const std::string& keyspace, const std::string& shard);

  // Whether the shard's primary answers queries now. It stops before its JOURNAL is written, so
  // what was read of a shard that does came before that.
  bool Serves(const std::string& keyspace, const std::string& shard) const;

  // Compares the shard with those that serve now, and takes note of it if it has ended.
  absl::Status CheckServing(const std::string& keyspace, const std::string& shard, absl::Time now);

  // Where the shard stands now, or stood a moment ago.
  absl::StatusOr<ShardState> Read(const std::string& keyspace, const std::string& shard,
                                  absl::Time now);

  // Whether the position in the shard can still be read from, as CheckPosition says. What was said
  // a moment ago is not held against a position that is newer.
  absl::Status Check(const binlogdata::ShardGtid& position, absl::Time now);

  // The shards that serve and are to be read, in the order of their key ranges; all that serve.
  // Fails, with the class kTransient, while a shard is listed that has ended: JOURNALs are written
  // before the traffic is switched (Vitess go/vt/vtctl/workflow/traffic_switcher.go).
  absl::StatusOr<std::vector<std::string>> List(const std::string& keyspace, absl::Time now);
  absl::StatusOr<std::vector<std::string>> ListAll(const std::string& keyspace, absl::Time now);

  // Whether there still are tablets of a position's shard, which has ended. If not, the error is of
  // the class kLostPosition.
  absl::Status CheckEnded(const binlogdata::ShardGtid& position) const;

 private:
  using Shard = std::pair<std::string, std::string>;  // keyspace and shard
  template <typename T>
  struct Said {
    absl::Time when = absl::InfinitePast();
    absl::StatusOr<T> value;
  };

  const SyncOptions& options_;
  vitess::VtgateClient& client_;
  std::map<Shard, vitess::GtidSet> targets_;
  std::set<Shard> ended_;
  std::map<Shard, Said<ShardState>> states_;
  std::map<std::string, Said<std::vector<std::string>>> lists_;
};

// Those of `shards` that the option names; all without it.
std::vector<std::string> SelectShards(const SyncOptions& options, std::vector<std::string> shards);

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_SHARD_DIRECTORY_H_
