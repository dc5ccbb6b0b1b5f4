// Where one table stands: the VGTID restricted to that table, and what a resume must know besides
// (docs/state.md).
#ifndef SOURCE_VITESS_SYNC_TABLE_POSITION_H_
#define SOURCE_VITESS_SYNC_TABLE_POSITION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "vitess/binlogdata.pb.h"

namespace source_vitess::sync {

// A column as of a position: a FIELD event that differs from these, with no DDL before it, tells of
// a schema that was changed behind the stream.
struct PositionColumn {
  std::string name;
  std::string type;  // full SQL type, "bigint unsigned"
  friend bool operator==(const PositionColumn&, const PositionColumn&) = default;
};

// By shard, because each shard changes its schema at its own time. A shard that is not in it has
// columns that are not known: none of its rows came, or none since a DDL.
using PositionColumns = std::map<std::string, std::shared_ptr<const std::vector<PositionColumn>>>;

// A value. Per shard, `vgtid` says one of three things:
//   gtid empty              never begun, or begun and nothing usable saved: copied from its first
//   row gtid, entry with lastpk copied up to lastpk as of gtid: the copy goes on after it gtid, no
//   entry          copied, and every change up to gtid was delivered: replicated from gtid
struct TablePosition {
  binlogdata::VGtid vgtid;

  // By shard: the position ("MySQL56/...") read before the first attempt to copy the table there,
  // as long as the copy may have to begin again. A copy that did is followed by the changes from
  // here, not from its own snapshot: a row that the first attempt delivered and that was deleted
  // before the second would stay in the destination for ever.
  std::map<std::string, std::string> since;

  // The shards whose copy, in progress, is not the first one.
  std::set<std::string> repeated;

  // By shard: the snapshot of a repeated copy that is now followed from its `since`. Until the
  // shard's gtid contains it, the destination may hold rows of two times.
  std::map<std::string, std::string> snapshot;

  PositionColumns columns;

  // The highest value of the host's cursor that was given out before this position.
  uint64_t cursor = 0;

  const binlogdata::ShardGtid* FindShard(std::string_view shard) const;

  // Whether every shard is in the third of the states above.
  bool IsCopied() const;

  friend bool operator==(const TablePosition& a, const TablePosition& b);
};

// Of one shard of a position.

// Whether the table is copied there: the third of the states above.
bool IsCopied(const binlogdata::ShardGtid& shard);

// Puts it into the first of the states above.
void BeginAgain(binlogdata::ShardGtid& shard);

// The copy is finished. One that was repeated is followed from before its beginning.
void CloseCopy(TablePosition& position, binlogdata::ShardGtid& shard);

// Drops what `position` says of the shard besides the vgtid.
void ForgetShard(TablePosition& position, const std::string& shard);

// The place of the shard; -1: not there.
int FindShard(const binlogdata::VGtid& vgtid, std::string_view shard);

// One JSON object: "version", "vgtid" (the protobuf JSON of binlogdata.VGtid), and, where there are
// any, "since", "repeated", "snapshot", "columns", "shard_columns", "cursor". "columns" are those
// of every shard but the ones in "shard_columns", where an empty array stands for unknown ones.
std::string ToJson(const TablePosition& position);

// The same with another JSON value in the place of the vgtid's, for states that store it elsewhere.
std::string ToJson(const TablePosition& position, std::string_view vgtid);

// The protobuf JSON of the message, on one line.
std::string ToJson(const binlogdata::VGtid& vgtid);

// Reads what ToJson wrote, by this or a later version: unknown members and explicit nulls are
// passed over. Fails, in words that name the member, when the text is not such an object, or is of
// a version that cannot be read.
absl::StatusOr<TablePosition> ParseTablePosition(std::string_view json);

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_TABLE_POSITION_H_
