// What a warehouse would hold after the connector's output, and whether that output keeps the rules
// of the protocol.
#ifndef SOURCE_VITESS_HARNESS_DESTINATION_H_
#define SOURCE_VITESS_HARNESS_DESTINATION_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/process.h"
#include "rapidjson/document.h"

namespace source_vitess::harness {

enum class StreamStatus { kNone, kStarted, kRunning, kComplete, kIncomplete };

// What one sync did to one stream.
struct StreamSync {
  StreamStatus status = StreamStatus::kNone;
  uint64_t records = 0;
  uint64_t deletes = 0;  // those of the records that delete
  uint64_t states = 0;
  uint64_t records_since_state = 0;
};

// Materialises records as a destination that removes duplicates does: one row per primary key, that
// with the highest _ab_cdc_cursor, the later one where they are equal or absent; a record with
// _ab_cdc_deleted_at removes its row. Rows of streams without a primary key are appended. Lives
// across the syncs of one connection.
class Destination {
 public:
  // `configured_catalog`: the ConfiguredAirbyteCatalog, JSON, that the connector is given.
  explicit Destination(const std::string& configured_catalog);

  // Says that rows of the stream move between shards that several VStreams read, so that records of
  // one key may come in another order than their cursors.
  void AllowAnyOrder(const std::string& stream_namespace, const std::string& name);

  // A sync is BeginSync, Accept for each line, and, unless the connector was killed, EndSync.
  void BeginSync();
  void Accept(const std::string& line);
  // `exit_code`: of the connector; `errors`: its stderr.
  void EndSync(int exit_code, const std::string& errors);

  // All of it for one run.
  void AcceptRun(const RunResult& run);

  // What a sync's output broke of the protocol's rules, from the first sync on: a line that is no
  // message, a record of a stream or column that is not configured, a record or state outside
  // STARTED and COMPLETE or INCOMPLETE, a record before RUNNING, a state whose recordCount is not
  // the number of the stream's records since its last state, a cursor that goes back for a key, a
  // COMPLETE with records behind the last state, a stream without a last status, an exit code that
  // does not fit the statuses, text on stderr. At most 20 are kept.
  const std::vector<std::string>& violations() const { return violations_; }

  // The content of a --state file: the last STATE of each stream, as the host stores it (descriptor
  // and stream_state).
  std::string StateFile() const;
  // The stream_state of one stream, compact JSON; nothing before its first.
  std::optional<std::string> State(const std::string& stream_namespace,
                                   const std::string& name) const;

  // Rows by primary key, both as compact JSON with numbers as the connector wrote them, without the
  // columns of the protocol (_ab_cdc_*). Streams without a primary key have the row's number in its
  // place.
  std::map<std::string, std::string> Rows(const std::string& stream_namespace,
                                          const std::string& name) const;

  // Of the last sync.
  StreamSync Sync(const std::string& stream_namespace, const std::string& name) const;
  // The messages of its TRACE ERRORs.
  const std::vector<std::string>& trace_errors() const { return trace_errors_; }

 private:
  using StreamKey = std::pair<std::string, std::string>;  // namespace, name

  // Of a key: a deleted one keeps its cursor, so that a late, older record does not bring the row
  // back.
  struct Row {
    std::optional<std::string> data;
    uint64_t cursor = 0;
  };

  struct Stream {
    std::set<std::string> properties;
    std::vector<std::string> primary_key;
    std::map<std::string, Row> rows;
    std::optional<std::string> state;
    StreamSync sync;
    bool any_order = false;
  };

  void Violation(const std::string& what);
  Stream* Find(const rapidjson::Value& descriptor, const char* name_member,
               const std::string& what);
  void AcceptRecord(const rapidjson::Value& record, const std::string& line);
  void AcceptState(const rapidjson::Value& state);
  void AcceptTrace(const rapidjson::Value& trace);
  void AcceptStatus(Stream& stream, const std::string& status);
  void CheckMayEmit(const Stream& stream, const std::string& what);
  void Upsert(Stream& stream, const rapidjson::Value& data, const rapidjson::Value& raw);

  std::map<StreamKey, Stream> streams_;
  std::vector<std::string> violations_;
  std::vector<std::string> trace_errors_;
  uint64_t line_number_ = 0;
};

}  // namespace source_vitess::harness

#endif  // SOURCE_VITESS_HARNESS_DESTINATION_H_
