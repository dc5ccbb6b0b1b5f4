// What Fivetran keeps between two Updates: the positions of all tables, as one JSON object
// (docs/state.md).
#ifndef SOURCE_VITESS_FIVETRAN_STATE_H_
#define SOURCE_VITESS_FIVETRAN_STATE_H_

#include <rapidjson/document.h>

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "sync/table_position.h"

namespace source_vitess::fivetran {

struct TableState {
  sync::TablePosition position;
  // The columns by which the destination tells rows apart; empty: by all. Absent: not known.
  std::optional<std::vector<std::string>> key;
  // The columns that were delivered. Absent: not known.
  std::optional<std::vector<std::string>> selected;
};

// The state that a request brings.
class InputState {
 public:
  // No table has a state.
  InputState() = default;

  // Reads what StateWriter wrote, or PlanetScale's connector for Fivetran, whose state has
  // "keyspaces" and no "version" (docs/planetscale.md); notes() tells of each of its tables. An
  // empty text, {} and null are no state: a first sync, or one of everything again. Fails, with the
  // class kConfiguration, when the text is nothing of the kind or of a version that cannot be read.
  // A table whose entry is broken fails in Find, alone.
  static absl::StatusOr<InputState> Parse(std::string_view json);

  // Null: the table has no state. A failure, of an entry that is broken, names the table and says
  // that it is copied from its first row, as it has to be then. Valid as long as this.
  absl::StatusOr<const TableState*> Find(const std::string& keyspace,
                                         const std::string& table) const;

  // The keyspace and name of every table that has an entry.
  std::vector<std::pair<std::string, std::string>> names() const;

  // What there is to say of how the state was read, a sentence each.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  static absl::StatusOr<InputState> TakeOver(const rapidjson::Value& document);
  void TakeOverTable(const std::string& keyspace, std::string_view stream,
                     const rapidjson::Value& shards);

  std::map<std::pair<std::string, std::string>, absl::StatusOr<TableState>> tables_;
  std::vector<std::string> notes_;
};

// Holds the newest position of every table, as text: it is asked for the whole again and again,
// with thousands of tables in hundreds of shards, while few of them move. Equal VGTIDs are held,
// and stored, once.
class StateWriter {
 public:
  void Set(const std::string& keyspace, const std::string& table,
           const sync::TablePosition& position, std::span<const std::string> key,
           std::span<const std::string> selected);

  // What the next Parse would find; absent: nothing.
  std::optional<TableState> Find(const std::string& keyspace, const std::string& table) const;
  bool Has(const std::string& keyspace, const std::string& table) const;

  void Remove(const std::string& keyspace, const std::string& table);

  // {"version": 1, "vgtids": [...], "schemas": {KEYSPACE: {TABLE: {...}}}}. A table's entry is its
  // position (sync::ToJson) with the place of its vgtid among "vgtids" instead of the vgtid, "key"
  // and "selected".
  std::string ToJson();

 private:
  struct Vgtid {
    std::string json;
    size_t place = 0;  // in the text in the making
  };
  struct Entry {
    std::shared_ptr<Vgtid> vgtid;
    std::string before;  // the entry's text up to its vgtid, and behind it
    std::string after;
  };

  std::shared_ptr<Vgtid> Share(const binlogdata::VGtid& vgtid);

  std::map<std::string, std::map<std::string, Entry>> schemas_;
  // By the message's bytes: those that entries hold, and those that they held since ToJson.
  std::unordered_map<std::string, std::shared_ptr<Vgtid>> vgtids_;
};

}  // namespace source_vitess::fivetran

#endif  // SOURCE_VITESS_FIVETRAN_STATE_H_
