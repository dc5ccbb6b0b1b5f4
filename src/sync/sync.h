// The engine: reads tables through VStreams into a sink, from wherever each of them stands, until
// all of them have reached where the source stood when the sync began.
#ifndef SOURCE_VITESS_SYNC_SYNC_H_
#define SOURCE_VITESS_SYNC_SYNC_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "mysql/column_type.h"
#include "sync/sink.h"
#include "sync/table_position.h"
#include "telemetry/log.h"
#include "telemetry/progress.h"
#include "vitess/topodata.pb.h"
#include "vitess/vtgate_client.h"

namespace source_vitess::sync {

struct SyncOptions {
  topodata::TabletType tablet_type = topodata::PRIMARY;
  std::string cells;                // comma-separated; empty: VTGate's own
  std::vector<std::string> shards;  // empty: all; else only these
  int parallel_copies = 4;          // 1 or more
  int shards_per_stream = 16;       // 1 or more
  // Records of a table between two of its states, and the time after which a table with records
  // gets one anyway.
  uint64_t checkpoint_interval = 100'000;
  absl::Duration checkpoint_time = absl::Minutes(5);
  bool copy_again_when_lost = false;  // otherwise a lost position fails the table
  // Goes on, with a warning, behind a TRUNCATE that the host cannot be told of; otherwise it fails
  // the table.
  bool ignore_truncate = false;
  // The sink takes Truncate. Then a table that is read from one shard goes on behind a TRUNCATE,
  // and one that was dropped, or emptied in one of several shards or in part, fails with the class
  // kEmptied. The caller reads such tables, and those with a lost position, again from nothing.
  bool host_truncates = false;
  absl::Duration retry_budget = absl::Minutes(10);
  absl::Duration stall_timeout = absl::Minutes(5);
  absl::Duration query_timeout = absl::Seconds(60);
  absl::Duration heartbeat_interval = absl::Seconds(5);  // whole seconds, 1 or more
  // How long copied tables gather before they join a replicate job, or longer where that has many.
  absl::Duration join_interval = absl::Seconds(5);
  // Ends the sync at once, whatever it waits for: nothing more is read, and what was read is handed
  // over as far as the sink takes it.
  std::stop_token stop;
  size_t batch_bytes = size_t{256} << 10;  // of output that a job gathers before it writes
  mysql::TypeOptions types;
  telemetry::Progress* progress = nullptr;  // is told how far the tables are; null: nobody asked
};

struct TableRequest {
  mysql::TableSchema schema;
  bool incremental = true;  // see Table
  std::vector<std::string>
      columns;  // to deliver; those that the schema does not have are passed over
  std::optional<TablePosition> position;                                 // absent: never read
  std::function<bool(const std::string&)> takes_other_column = nullptr;  // see Table
};

struct TableResult {
  std::string keyspace;
  std::string table;
  absl::Status status;  // of the class that decides what the host is told
};

struct SyncResult {
  std::vector<TableResult> tables;  // in the order of the requests
  // What ended the sync as a whole: the host has gone, or nothing could be read at all. OK also
  // when single tables failed.
  absl::Status status;
};

// Blocks until every table is done or has failed. Sequences of changes begin above
// `first_sequence`.
SyncResult RunSync(const SyncOptions& options, vitess::VtgateClient& client,
                   std::vector<TableRequest> requests, Sink& sink, telemetry::Logger& logger,
                   uint64_t first_sequence);

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_SYNC_H_
