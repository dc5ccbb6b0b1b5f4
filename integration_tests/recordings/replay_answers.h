// What a replay server answers to queries: what was recorded where something was recorded, the same
// shape otherwise.
#ifndef SOURCE_VITESS_RECORDINGS_REPLAY_ANSWERS_H_
#define SOURCE_VITESS_RECORDINGS_REPLAY_ANSWERS_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "recordings/recording.h"
#include "vitess/query.pb.h"
#include "vitess/vtgate.pb.h"

namespace source_vitess::recordings {

// What a shard says of its binary logs: GTID sets without flavor.
struct ReplayPosition {
  std::string executed;
  std::string purged;
};

// Thread-safe once made.
class ReplayAnswers {
 public:
  // The answers of a cluster that has the keyspaces and shards which the requests of `recordings`
  // name (or, where a request leaves them to VTGate, those of the answer), beside the keyspace
  // "commerce" of the recorded one. Each shard stands at its LastPositions with nothing purged, or
  // where `positions` has an entry "keyspace:shard", there. Fails when an Execute recording cannot
  // be read.
  static absl::StatusOr<ReplayAnswers> Make(
      const std::vector<std::shared_ptr<const Recording>>& recordings,
      std::map<std::string, ReplayPosition> positions);

  // The serialized ExecuteResponse. Known are SHOW KEYSPACES, VITESS_SHARDS and VITESS_TABLETS;
  // tables, columns and statistics of information_schema; @@global.gtid_executed of a shard that
  // has a tablet of the type; and any query for sequences, of which there are none. Anything else
  // is answered by an error with code UNIMPLEMENTED that quotes the query.
  std::string Answer(const vtgate::ExecuteRequest& request) const;

 private:
  struct Shard {
    std::string keyspace;
    std::string shard;
    friend bool operator==(const Shard&, const Shard&) = default;
  };

  void AddRecording(const Recording& recording);
  bool HasKeyspace(const std::string& keyspace) const;
  bool HasShard(const std::string& keyspace, const std::string& shard) const;

  query::QueryResult Keyspaces() const;
  query::QueryResult Shards() const;
  query::QueryResult Tablets() const;
  query::QueryResult Tables(const std::string& keyspace) const;
  query::QueryResult Columns(const std::string& keyspace) const;
  query::QueryResult Indexes(const std::string& keyspace) const;
  // `type` in lower case, as in a target.
  bool HasTablet(const std::string& keyspace, const std::string& shard,
                 const std::string& type) const;
  vtgate::ExecuteResponse Positions(const vtgate::ExecuteRequest& request) const;

  std::map<std::string, query::QueryResult> recorded_;  // by the name of the Execute recording
  vtgate::ExecuteResponse no_such_shard_;
  std::vector<Shard> shards_;
  std::map<std::string, ReplayPosition> positions_;  // by "keyspace:shard"
};

}  // namespace source_vitess::recordings

#endif  // SOURCE_VITESS_RECORDINGS_REPLAY_ANSWERS_H_
