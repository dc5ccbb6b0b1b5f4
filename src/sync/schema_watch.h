// Tells a table whose schema was changed behind its stream.
//
// The binary log has no column names; a tablet puts those of its current schema to rows of any age
// (reference 4.4). Rows from before a column was added in the middle, dropped or renamed arrive
// under wrong names, without an error, when the stream comes to them after the change was made. So
// columns that are not those of the last position, before a DDL of the table came by, mean that
// names cannot be trusted (docs/design.md, rule 10).
#ifndef SOURCE_VITESS_SYNC_SCHEMA_WATCH_H_
#define SOURCE_VITESS_SYNC_SCHEMA_WATCH_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "sync/table_position.h"
#include "vitess/binlogdata.pb.h"

namespace source_vitess::sync {

// The columns of one table in one shard, as a stream goes on. A value.
class SchemaWatch {
 public:
  using Columns = std::shared_ptr<const std::vector<PositionColumn>>;

  SchemaWatch() = default;
  // `known`: as of the position that the stream begins at; null: not known.
  explicit SchemaWatch(Columns known) : known_(std::move(known)) {}

  // A FIELD event of changes came. Fails, with the class kLostPosition, when its columns cannot be
  // those of the rows behind it. `asked`: the columns that the filter lists; empty: all.
  absl::Status Changes(const binlogdata::FieldEvent& event, const std::vector<std::string>& asked);

  // A FIELD event of a copy came: its rows are of the schema that it tells.
  void Copy(const binlogdata::FieldEvent& event, const std::vector<std::string>& asked);

  // A DDL of the table came.
  void Altered();

  // Null: not known.
  const Columns& known() const { return known_; }

  // Whether what is known changed since the last call.
  bool TakeChange() { return std::exchange(changed_, false); }

 private:
  void Learn(const binlogdata::FieldEvent& event, const std::vector<std::string>& asked);

  Columns known_;
  bool changed_ = false;
};

// Whether rows written under type `before` come out right when the tablet takes them for `now`: the
// same type, a longer one of its kind, an integer of another width and the same sign, a text of
// another length, an ENUM or SET with more labels behind those that it had. Types are full SQL
// types. Labels and signs are taken from the current schema, so these must be the same.
bool ReadsAs(std::string_view before, std::string_view now);

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_SCHEMA_WATCH_H_
