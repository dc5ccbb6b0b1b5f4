// What a cluster consists of. Plain data without locks: Cluster owns it and guards it.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_CLUSTER_STATE_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_CLUSTER_STATE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "simulator/binary_log.h"
#include "simulator/table.h"
#include "simulator/version_profile.h"
#include "simulator/vindex.h"
#include "vitess/topodata.pb.h"

namespace source_vitess::simulator {

using Tables = std::map<std::string, Table>;

// What a replica has that has stopped to replicate: everything up to a point of the binary log.
struct StoppedReplica {
  uint64_t end_index = 0;
  vitess::GtidSet executed;
  Tables tables;
};

struct Tablet {
  topodata::TabletType type = topodata::PRIMARY;
  std::string alias;  // "test-0000000003"
  bool up = true;
  uint64_t starts = 1;                      // how often it has come up: streams do not outlive it
  std::shared_ptr<StoppedReplica> stopped;  // null: it has all that the shard has
  vitess::GtidSet purged;                   // of its own logs, beside what the shard's have lost
};

// A shard as one of its tablets has it. Points into the shard and the tablet.
struct TabletView {
  Tables* tables = nullptr;
  const vitess::GtidSet* executed = nullptr;
  vitess::GtidSet purged;
  uint64_t end_index = 0;  // of its binary log

  Table* FindTable(const std::string& table) const;
};

struct Shard {
  std::string keyspace;
  std::string name;
  std::string database;  // MySQL's name: "vt_customer_-80"
  KeyRange range;
  std::shared_ptr<BinaryLog> log;  // shared by the shards of one server
  Tables tables;
  std::vector<Tablet> tablets;
  // Whether SHOW VITESS_SHARDS has it and statements are routed to it: not the targets of a reshard
  // before traffic is switched, nor its sources afterwards.
  bool serving = true;
  // Streams see the log's transactions before this index only.
  std::optional<uint64_t> held_index;

  Table* FindTable(std::string_view table);
  // One that is up, whether the shard serves or not; null if there is none of that type.
  const Tablet* FindTablet(topodata::TabletType type) const;
  // Takes back what a transaction of rows, the last to touch them, has done.
  void Undo(const LoggedTransaction& transaction);
  // As the tablet that FindTablet() finds has it; as the primary's without one.
  TabletView ViewOf(topodata::TabletType type);
};

struct PrimaryVindex {
  std::string name;
  std::string type_name;
  VindexType type = VindexType::kHash;
  std::string column;
};

struct Keyspace {
  std::string name;
  bool one_server = false;                         // one binary log for all shards
  std::vector<std::unique_ptr<Shard>> shards;      // in the order of their key ranges
  std::map<std::string, PrimaryVindex> vindexes;   // by table
  std::set<std::string> reference_tables;          // of which every shard holds all rows
  std::map<std::string, int64_t> auto_increments;  // by table: the next value
  // What shards there were. Open transactions may still know them.
  std::vector<std::unique_ptr<Shard>> dropped_shards;

  // In the order of their key ranges; never empty.
  std::vector<Shard*> ServingShards() const;
  bool sharded() const;
  Shard* FindShard(std::string_view name);
  bool HasTable(std::string_view table);
  // Whether shards overlap of which some do not serve: their tablets are streamed from all the same
  // (vtgate/vstream_manager.go: keyspaceHasBeenResharded).
  bool Resharded() const;
  void SortShards();
  // Gives a table that is renamed its vindex; the old name keeps it, for rows that are still logged
  // under it.
  void KeepVschema(const std::string& from, const std::string& to);
  // Keeps the table's vindex on its column where an ALTER renames the table or the column.
  void FollowAlter(const AlterTable& alter);
  // Where the vindex of the row's table puts it. Fails with VTGate's text if the table has none.
  absl::StatusOr<std::string> KeyspaceIdOf(const TableSchema& schema, const Row& row) const;
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
  // Where statements go that name a keyspace's table which has moved: another keyspace.
  std::map<std::pair<std::string, std::string>, std::string> routing_rules;
  ServerVariables variables;
  VersionProfile version;
  uint64_t next_table_id = 100;
  uint32_t next_tablet = 1;
  uint64_t servers_made = 0;
  std::function<absl::Time()> now;

  Keyspace* FindKeyspace(std::string_view name);
  std::string NextServerUuid();
  // A shard for `keyspace` without tables, on a server of its own unless the keyspace has one
  // server for all; the caller adds it to the keyspace's. Fails if the name is no key range.
  absl::StatusOr<std::unique_ptr<Shard>> MakeShard(
      const Keyspace& keyspace, std::string_view name,
      const std::vector<topodata::TabletType>& tablets);
};

// "keyspace", "keyspace:shard@type", "keyspace/shard@type", "keyspace[-80]@type", "@type" or
// nothing.
struct Target {
  std::string keyspace;
  std::string shard;
  topodata::TabletType type = topodata::PRIMARY;
  // Set by the simulator's own workflows, which write to shards that do not serve.
  bool of_workflow = false;

  static absl::StatusOr<Target> Parse(std::string_view text);
};

// "primary", "replica", ...: lower case.
std::string TabletTypeName(topodata::TabletType type);
absl::StatusOr<topodata::TabletType> ParseTabletType(std::string_view name);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_CLUSTER_STATE_H_
