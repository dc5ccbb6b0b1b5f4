// What PlanetScale's connectors saved of a table, as a position of ours (docs/planetscale.md).
#ifndef SOURCE_VITESS_SYNC_PLANETSCALE_CURSOR_H_
#define SOURCE_VITESS_SYNC_PLANETSCALE_CURSOR_H_

#include <rapidjson/document.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "sync/table_position.h"

namespace source_vitess::sync {

// Of one table.
struct PlanetscaleTakeover {
  // Absent: the table is read as one without a state, from its first row in every shard.
  std::optional<TablePosition> position;
  // What was taken over and what not and why: a sentence that names the table, without values of
  // its rows.
  std::string note;
};

// The keyspace and the table in the key of a stream, "keyspace:table"; both empty when it is none.
std::pair<std::string, std::string> SplitPlanetscaleStream(std::string_view key);

// Whether a JSON value is their state of one table: {"shards": ...}, without our "version".
bool IsPlanetscaleTable(const rapidjson::Value& state);

// `state`: {"shards": {SHARD: {"cursor": the base64 of a TableCursor, "error_code": ...}}}, as
// their connectors for Airbyte and for Fivetran write it (reference peers 3.1, 3.2). A shard has
// one of three states, as in a TablePosition:
//   no position, no key     not begun: copied from its first row
//   a position alone        copied; replicated from the position
//   both                    copied up to the key as of the position, which is its `since` as well:
//                           all that was delivered was followed up to there
// Of any other shard the destination has rows that nothing can be followed from: one whose cursor
// cannot be read or is another's, has a key and no position, or a key without its columns, or was
// given up with its position by BINLOG_EXPIRATION_ERROR. Then the whole table has no position, so
// that a host that can empty the destination's table does so.
PlanetscaleTakeover TakeOverPlanetscaleTable(const std::string& keyspace, const std::string& table,
                                             const rapidjson::Value& state);

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_PLANETSCALE_CURSOR_H_
