// The uncommitted changes of one session.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_WRITE_SET_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_WRITE_SET_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "simulator/cluster_state.h"

namespace source_vitess::simulator {

// Statements write here and read through it; Commit() makes the changes visible and writes one
// transaction into the binary log of each shard. Not thread-safe: the cluster's lock guards it. The
// shards must outlive it.
class WriteSet {
 public:
  // The row of `key` as this session sees it; null if there is none.
  RowPointer Find(Shard& shard, const Table& table, const std::string& key) const;

  // Calls `visit` for each row as this session sees it, by key, until it returns false.
  void ForEach(
      Shard& shard, const Table& table,
      const std::function<bool(const std::string& key, const RowPointer& row)>& visit) const;

  // Stages one change; a null `row` deletes. A change of the primary key is Replace(). `partial`
  // tells what the binary log leaves out.
  void Put(Shard& shard, Table& table, const std::string& key, RowPointer row,
           std::shared_ptr<const PartialImages> partial = nullptr);

  // Stages the change of a row that gets another key.
  void Replace(Shard& shard, Table& table, const std::string& old_key, const std::string& new_key,
               RowPointer row, std::shared_ptr<const PartialImages> partial = nullptr);

  // Ends a statement: its changes become rows events, or are forgotten.
  void EndStatement();
  void AbortStatement();

  bool empty() const { return shards_.empty(); }
  const std::vector<Shard*>& shards() const { return shard_order_; }

  // Fails with ABORTED and changes nothing if another session has changed one of the rows meanwhile
  // (errno 1213), or if one of the shards does not serve any more.
  absl::Status Commit(absl::Time time);

 private:
  struct Staged {
    RowPointer base;     // as committed when it was first touched
    RowPointer current;  // as this session sees it
  };
  using StagedRows = std::map<std::string, Staged>;
  struct ShardWrites {
    std::map<std::string, StagedRows> tables;
    std::vector<RowsEvent> events;
  };
  struct StatementChange {
    Shard* shard;
    Table* table;
    LoggedChange change;
  };
  struct Undo {
    Shard* shard;
    std::string table;
    std::string key;
    std::optional<Staged> before;
  };

  void Stage(Shard& shard, const Table& table, const std::string& key, RowPointer row);
  absl::Status CheckConflicts() const;

  std::map<Shard*, ShardWrites> shards_;
  std::vector<Shard*> shard_order_;
  std::vector<StatementChange> statement_;
  std::vector<Undo> undo_;
};

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_WRITE_SET_H_
