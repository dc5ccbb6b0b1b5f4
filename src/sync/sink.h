// Where the engine puts what it reads. One implementation per host protocol.
#ifndef SOURCE_VITESS_SYNC_SINK_H_
#define SOURCE_VITESS_SYNC_SINK_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "mysql/table_schema.h"
#include "mysql/value.h"
#include "sync/table_position.h"

namespace source_vitess::sync {

// A table to be read. Lives, unchanged, as long as the sync.
struct Table {
  size_t index = 0;  // its place among the sync's tables
  mysql::TableSchema schema;
  // Whether changes are read after the copy; otherwise the copy alone, each row once per
  // uninterrupted snapshot.
  bool incremental = true;
  std::vector<std::string> columns;  // those to deliver, in the schema's order
  // Which of the columns that are not in the schema, because they are newer or older, are delivered
  // as well. Null: none.
  std::function<bool(const std::string&)> takes_other_column;
  // Whether each of the keyspace's shards holds all rows, so that one of them is read: a reference
  // table of Vitess. False as well where nobody had to ask.
  bool reference = false;
  // The one shard that it is read from as the sync begins; empty: several.
  std::string only_shard;

  const std::string& keyspace() const { return schema.keyspace; }
  const std::string& name() const { return schema.name; }
};

// Whether the column goes to the destination.
inline bool Delivers(const Table& table, const std::string& column) {
  return std::find(table.columns.begin(), table.columns.end(), column) != table.columns.end() ||
         (table.takes_other_column != nullptr && table.schema.FindColumn(column) == nullptr &&
          table.takes_other_column(column));
}

enum class ChangeKind : uint8_t { kCopy, kInsert, kUpdate, kDelete };

// One row. Views into the response it came with: valid during RowBatch::Append.
struct RowChange {
  ChangeKind kind = ChangeKind::kCopy;
  // An update that changed a column of the table's key, or, in a table without a key, any column
  // that is delivered: to a destination, a delete and an insert.
  bool key_changed = false;
  std::span<const mysql::Value> before =
      {};  // of kDelete, and of kUpdate with key_changed; else empty
  std::span<const mysql::Value> after = {};  // empty for kDelete
  int64_t commit_seconds = 0;                // since 1970; 0 for kCopy
  // Grows in the order of emission, across syncs. With key_changed, sequence + 1 is this row's as
  // well.
  uint64_t sequence = 0;
};

struct RecordCount {
  size_t table;  // Table::index
  uint64_t records;
};

// The finished output of one job, up to some size; filled by that job's thread alone.
class RowBatch {
 public:
  virtual ~RowBatch() = default;

  // Announces the columns of rows to come, and gives the number to append them with; called per
  // FIELD event, and valid as long as this batch, also across Clear. `columns` are not referred to
  // after the call; those that the table does not deliver (sync::Delivers) are left out.
  virtual size_t AddLayout(const Table& table, std::span<const mysql::Column> columns) = 0;

  virtual void Append(size_t layout, const RowChange& change) = 0;

  // Whether an update that leaves the key as it is may lack columns that are to be delivered
  // (mysql::Kind::kAbsent), which then stay as they are in the destination. Otherwise rows come
  // whole; those of tables without a key come as they are. The same for all batches of a sink.
  virtual bool TakesAbsentColumns() const = 0;

  // Whether an update of columns alone that are not delivered is to be told, because records say
  // more of a change than the columns. The same for all batches of a sink.
  virtual bool WantsEveryUpdate() const = 0;

  // Bytes held.
  virtual size_t size_bytes() const = 0;

  // The records appended since Clear, a table once.
  virtual std::span<const RecordCount> counts() const = 0;

  // Drops the rows; layouts and memory stay.
  virtual void Clear() = 0;
};

// What the servers guess that a copy will bring.
struct TableEstimate {
  uint64_t rows = 0;
  uint64_t bytes = 0;  // as the server stores them
};

// A table's position, and how many of its records went out since its last one.
struct TableCheckpoint {
  const Table* table;
  const TablePosition* position;
  uint64_t records;
};

// All calls but NewBatch come one at a time. A failure means that the host has gone (class kHost)
// and ends the sync.
class Sink {
 public:
  virtual ~Sink() = default;

  // Thread-safe.
  virtual std::unique_ptr<RowBatch> NewBatch() = 0;

  // Work on the table begins: before its first record and state.
  virtual absl::Status Started(const Table& table) = 0;

  // About how much is to come of a table that is copied from its first row; behind Started. Hosts
  // that have no use for it pass it over.
  virtual absl::Status Estimated(const Table&, const TableEstimate&) { return absl::OkStatus(); }

  // Delivers the rows of `batch`, which NewBatch of this sink made. Blocks while the host does not
  // read.
  virtual absl::Status Write(const RowBatch& batch) = 0;

  // The table is empty: the destination is to drop the rows that it has of it. Only with
  // SyncOptions::host_truncates.
  virtual absl::Status Truncate(const Table& table) = 0;

  // Hands positions to the host to be saved. Everything that they cover was written before.
  virtual absl::Status Checkpoint(std::span<const TableCheckpoint> checkpoints) = 0;

  // Work on the table has ended, behind its last state; not OK: what went wrong with it.
  virtual absl::Status Finished(const Table& table, const absl::Status& status) = 0;
};

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_SINK_H_
