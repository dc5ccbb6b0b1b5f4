// What a cluster consists of. Plain data without locks: Cluster owns it and guards it.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_CLUSTER_STATE_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_CLUSTER_STATE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "simulator/binary_log.h"
#include "simulator/table.h"
#include "simulator/version_profile.h"
#include "simulator/vindex.h"
#include "vitess/topodata.pb.h"

namespace source_vitess::simulator {

struct Tablet {
  topodata::TabletType type = topodata::PRIMARY;
  std::string alias;  // "test-0000000003"
  bool serving = true;
};

struct Shard {
  std::string keyspace;
  std::string name;
  std::string database;  // MySQL's name: "vt_customer_-80"
  KeyRange range;
  std::shared_ptr<BinaryLog> log;  // shared by the shards of one server
  std::map<std::string, Table> tables;
  std::vector<Tablet> tablets;
  bool serving = true;

  Table* FindTable(std::string_view table);
  // Null if there is none of that type.
  const Tablet* FindTablet(topodata::TabletType type) const;
};

struct PrimaryVindex {
  VindexType type = VindexType::kHash;
  std::string column;
};

struct Keyspace {
  std::string name;
  std::vector<std::unique_ptr<Shard>> shards;      // in the order of their key ranges
  std::map<std::string, PrimaryVindex> vindexes;   // by table
  std::map<std::string, int64_t> auto_increments;  // by table: the next value

  bool sharded() const { return shards.size() > 1 || shards[0]->name != "0"; }
  Shard* FindShard(std::string_view name);
  bool HasTable(std::string_view table);
};

// Server-wide settings of MySQL that clients ask for.
struct ServerVariables {
  std::string binlog_row_image = "FULL";
  std::string binlog_row_value_options;
  std::string version = "8.4.6-Vitess";
};

struct ClusterState {
  std::string cell = "test";
  std::vector<std::unique_ptr<Keyspace>> keyspaces;  // in the order of their creation
  ServerVariables variables;
  VersionProfile version;
  uint64_t next_table_id = 100;
  uint32_t next_tablet = 1;
  uint64_t servers_made = 0;
  std::function<absl::Time()> now;

  Keyspace* FindKeyspace(std::string_view name);
};

// "keyspace", "keyspace:shard@type", "keyspace/shard@type", "keyspace[-80]@type", "@type" or
// nothing.
struct Target {
  std::string keyspace;
  std::string shard;
  topodata::TabletType type = topodata::PRIMARY;

  static absl::StatusOr<Target> Parse(std::string_view text);
};

// "primary", "replica", ...: lower case.
std::string TabletTypeName(topodata::TabletType type);
absl::StatusOr<topodata::TabletType> ParseTabletType(std::string_view name);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_CLUSTER_STATE_H_
