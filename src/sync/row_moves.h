// Which tables have rows that may move from one shard to another.
#ifndef SOURCE_VITESS_SYNC_ROW_MOVES_H_
#define SOURCE_VITESS_SYNC_ROW_MOVES_H_

#include <map>
#include <mutex>

#include "absl/time/time.h"
#include "sync/sink.h"
#include "vitess/vtgate_client.h"

namespace source_vitess::sync {

// Thread-safe.
//
// VTGate makes of an update of a primary vindex's columns a DELETE in the old shard and an INSERT
// in the new one, and the two arrive in any order (reference 5.2). When the row keeps its key, a
// DELETE that comes last would take away a row that lives (docs/design.md, rule 11).
class RowMoves {
 public:
  // `client` must outlive this object. `timeout`: of one query.
  RowMoves(vitess::VtgateClient& client, absl::Duration timeout)
      : client_(client), timeout_(timeout) {}

  // Whether the table's primary vindex has columns that are not in its key, as VTGate's VSchema
  // says; asked once per table. A table that the VSchema does not have is not sharded. As long as
  // VTGate does not answer, rows are taken to move.
  bool MayMove(const Table& table);

 private:
  vitess::VtgateClient& client_;
  const absl::Duration timeout_;
  std::mutex mutex_;
  std::map<size_t, bool> known_;  // by Table::index
};

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_ROW_MOVES_H_
