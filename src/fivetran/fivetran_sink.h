// The engine's sink for Fivetran: records, schema changes and checkpoints of one Update, in the
// order that reference 2.6 asks for.
#ifndef SOURCE_VITESS_FIVETRAN_FIVETRAN_SINK_H_
#define SOURCE_VITESS_FIVETRAN_FIVETRAN_SINK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "fivetran/destination_columns.h"
#include "fivetran/server.h"
#include "fivetran/state.h"
#include "mysql/column_type.h"
#include "sync/sink.h"

namespace source_vitess::fivetran {

// A table that begins to be read from nothing is announced and emptied in the destination first.
//
// Fivetran's checkpoint has the positions of all tables. So the positions that the engine hands out
// are gathered, and a checkpoint goes out when enough has come behind the last one: it covers what
// was written before, and takes a small part of what is sent, however large the state is. One goes
// out at once when a table that the last one has begins in another shard: nothing is emptied when
// it is taken up from there, so that the rows to come need the `since` of their shard to be saved.
//
// One thread at a time, but for NewBatch.
class FivetranSink final : public sync::Sink {
 public:
  struct Policy {
    uint64_t records;      // behind which a checkpoint goes out
    absl::Duration usual;  // likewise the time
    absl::Duration most;   // time behind which one goes out however little has come
  };

  // `out` must outlive the sink.
  FivetranSink(ResponseStream& out, const mysql::TypeOptions& types, const Policy& policy);

  // Where the table stands as the Update begins; to be called for every table that is not to be
  // read from nothing.
  void TakeOver(const mysql::TableSchema& table, std::span<const std::string> columns,
                const TableState& state);

  std::unique_ptr<sync::RowBatch> NewBatch() override;
  absl::Status Started(const sync::Table& table) override;
  absl::Status Write(const sync::RowBatch& batch) override;
  absl::Status Truncate(const sync::Table& table) override;
  absl::Status Checkpoint(std::span<const sync::TableCheckpoint> checkpoints) override;
  absl::Status Finished(const sync::Table& table, const absl::Status& status) override;

  // Tells of a table that is not as it was when the host last heard of it.
  absl::Status Announce(const std::string& keyspace, fivetran_sdk::v2::Table table);

  // A message for the dashboard, behind which the Update goes on.
  absl::Status Warn(std::string_view message);

  // A message for the dashboard by which the Update ends: nothing may be sent behind it.
  absl::Status GiveTask(std::string_view message);

  // A Warning for each table that had values which could not be told as they are, once.
  absl::Status WarnOfAlteredValues();

  // All positions, now.
  absl::Status SendCheckpoint();

  // Where the table stands; absent: it is to be read from nothing.
  std::optional<sync::TablePosition> Position(const std::string& keyspace,
                                              const std::string& table) const;

  // The table is to be read from nothing. Not while a sync runs.
  void Forget(const std::string& keyspace, const std::string& table);

 private:
  using Name = std::pair<std::string, std::string>;  // keyspace and table

  absl::Status Send(std::string_view message);
  absl::Status Begin(const sync::Table& table);
  absl::Status SendTruncate(const sync::Table& table);
  bool BeginsInShard(const sync::Table& table, const sync::TablePosition& position);
  bool CheckpointIsDue(absl::Time now) const;

  ResponseStream& out_;
  const mysql::TypeOptions types_;
  const Policy policy_;
  DestinationColumns columns_;
  StateWriter state_;
  std::set<Name> begun_;                         // from nothing, in this Update
  std::map<Name, std::set<std::string>> since_;  // the shards with one in the newest position
  std::vector<const sync::Table*> tables_;       // by Table::index
  std::map<Name, std::map<std::string, AlteredValues>> altered_;

  // Since the last checkpoint.
  std::set<Name> emptied_;  // tables that are begun from nothing, which it does not have
  uint64_t records_ = 0;
  uint64_t bytes_ = 0;
  absl::Time last_checkpoint_;
  size_t state_bytes_ = 0;  // of the last one
};

}  // namespace source_vitess::fivetran

#endif  // SOURCE_VITESS_FIVETRAN_FIVETRAN_SINK_H_
