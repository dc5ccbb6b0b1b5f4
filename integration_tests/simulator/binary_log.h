// A MySQL server's binary log, and the server's identity and position.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_BINARY_LOG_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_BINARY_LOG_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "simulator/table.h"
#include "vitess/binlogdata.pb.h"
#include "vitess/gtid_set.h"

namespace source_vitess::simulator {

// What MySQL leaves out of the images of an UPDATE or DELETE (binlog_row_image=NOBLOB) and writes
// as differences (binlog_row_value_options=PARTIAL_JSON). Each is by column of the table, or empty
// if it concerns none.
struct PartialImages {
  std::vector<bool> absent_before;
  std::vector<bool> absent_after;
  std::vector<Cell> json_differences;  // Vitess's text; "" for a document that has not changed
};

// Whole rows; null where there is none.
struct LoggedChange {
  RowPointer before;
  RowPointer after;
  std::shared_ptr<const PartialImages> partial;  // null: both images have everything
};

// One rows event: changes of one kind to one table by one statement.
struct RowsEvent {
  uint64_t table_id = 0;
  TableSchemaPointer schema;  // as it was when the rows were written
  std::vector<LoggedChange> changes;
  bool ends_statement = false;
};

struct LoggedTransaction {
  enum class Kind {
    kRows,
    kDefinition,  // a DDL statement
    kJournal,     // the end of a reshard, written to a source shard
  };
  Kind kind = Kind::kRows;
  std::string uuid;
  int64_t number = 0;  // its GTID is uuid:number
  int64_t sequence_number = 0;
  absl::Time time;
  std::string keyspace;
  std::string shard;
  std::vector<RowsEvent> events;
  std::string statement;            // of kDefinition
  std::vector<std::string> tables;  // that the statement names
  bool unparsed = false;            // Vitess cannot read the statement, and tells it to all
  binlogdata::Journal journal;      // of kJournal
};

using LoggedTransactionPointer = std::shared_ptr<const LoggedTransaction>;

// Not thread-safe: the cluster's lock guards it.
class BinaryLog {
 public:
  explicit BinaryLog(std::string uuid) : uuid_(std::move(uuid)) {}

  const std::string& uuid() const { return uuid_; }
  const vitess::GtidSet& executed() const { return executed_; }
  const vitess::GtidSet& purged() const { return purged_; }

  // Gives the transaction its GTID and appends it.
  void Append(LoggedTransaction transaction);

  // Transactions have indexes that grow by one and are never used again: [begin_index, end_index)
  // are there.
  uint64_t begin_index() const { return begin_index_; }
  uint64_t end_index() const { return begin_index_ + transactions_.size(); }
  const LoggedTransactionPointer& At(uint64_t index) const {
    return transactions_[index - begin_index_];
  }

  // Forgets every transaction, as PURGE BINARY LOGS does with all files but the current one.
  void Purge();

  // Takes the last transaction away again, which must be there. Streams may have delivered it: they
  // must start again.
  LoggedTransactionPointer Lose();

  // From now on transactions are another server's, as after a failover.
  void ChangeServer(std::string uuid);

  // Rows of at most about this many bytes share a rows event: MySQL's binlog_row_event_max_size.
  static constexpr size_t kRowsEventBytes = 8192;

 private:
  std::string uuid_;
  int64_t next_number_ = 1;
  int64_t next_sequence_number_ = 1;
  std::deque<LoggedTransactionPointer> transactions_;
  uint64_t begin_index_ = 0;
  vitess::GtidSet executed_;
  vitess::GtidSet purged_;
};

// The changes of one statement to one table as MySQL divides them into rows events.
std::vector<RowsEvent> DivideIntoEvents(const Table& table, std::vector<LoggedChange> changes);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_BINARY_LOG_H_
