// One shard's part of a VStream: what vttablet's uvstreamer does.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_TABLET_STREAM_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_TABLET_STREAM_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "simulator/cluster.h"
#include "simulator/stream_filter.h"
#include "simulator/stream_options.h"
#include "vitess/binlogdata.pb.h"
#include "vitess/gtid_set.h"

namespace source_vitess::simulator {

struct TabletRequest {
  std::string keyspace;
  std::string shard;
  topodata::TabletType type = topodata::PRIMARY;
  std::string gtid;  // "", "current" or a position
  std::vector<binlogdata::TableLastPK> table_p_ks;
  binlogdata::Filter filter;
  std::vector<std::string> tables_to_copy;
  // The tablets of a shard that does not serve do as well: the keyspace has been resharded.
  bool non_serving = false;
  uint64_t attempt = 1;
};

// A state machine that is asked for its next step and never waits. Not thread-safe. The phases are
// those of reference 2.3 to 2.11; positions and last keys come as GTID and LASTPK events, which
// VTGate makes VGTIDs of.
class TabletStream {
 public:
  using Packet = std::vector<binlogdata::VEvent>;

  struct Step {
    enum class Kind {
      kGroup,     // packets that VTGate sends together: they end with COMMIT, DDL, OTHER or
                  // COPY_COMPLETED. A JOURNAL comes as BEGIN JOURNAL GTID COMMIT
      kPoint,     // nothing to send, but a point was reached
      kIdle,      // nothing to do before `wake` or a change of the cluster
      kNoTablet,  // no tablet takes the request; `wake` as above
      kLost,      // the tablet is gone: start again
      kError,     // for good
    };
    Kind kind = Kind::kIdle;
    std::vector<Packet> packets;
    std::optional<StreamPoint> point;
    absl::Time wake = absl::InfiniteFuture();
    absl::Status error;
  };

  // The cluster and the options must outlive the stream.
  TabletStream(Cluster& cluster, const StreamOptions& options, TabletRequest request);

  Step Next();

 private:
  enum class Phase {
    kStart,
    kCatchup,
    kSnapshot,
    kFastForward,
    kFirstBatch,
    kBatch,
    kTableDone,
    kCopyDone,
    kReplicate
  };

  struct CopyPlan {
    std::string table;
    std::optional<query::QueryResult> lastpk;  // where to go on; set once the copy has begun
    bool done = false;
  };

  Step Start();
  absl::Status StartAt(const ClusterState& state, Shard& shard);
  absl::Status PurgedError(const TabletView& tablet) const;
  absl::Status PlanTables(const TabletView& tablet);
  vitess::GtidSet Executed();
  Step StartCopyOrReplication();
  Step NextTable();
  Step Catchup();
  Step Snapshot();
  Step FastForward();
  Step FirstBatch();
  Step Batch();
  Step TableDone();
  Step CopyDone();
  Step Replicate();

  // The next transaction behind the position; none if there is none yet, or if it is held back,
  // which held_ tells. kLost if the tablet has changed.
  std::optional<Step> ReadTransaction(LoggedTransactionPointer& transaction);
  Step Deliver(const LoggedTransaction& transaction);
  absl::Status AddRows(const LoggedTransaction& transaction, const RowsEvent& event,
                       std::vector<Packet>& packets);
  absl::StatusOr<const TablePlan*> PlanOf(const RowsEvent& event);
  absl::Status AddChange(const TablePlan& plan, const LoggedChange& change,
                         binlogdata::RowEvent& row_event) const;
  void FillRow(const TablePlan& plan, const Row& row, const std::vector<bool>& absent,
               const std::vector<Cell>& differences, query::Row& out) const;
  bool SendsTable(std::string_view table) const;

  binlogdata::VEvent LoggedEvent(binlogdata::VEventType type,
                                 const LoggedTransaction& transaction) const;
  query::Field Told(query::Field field) const;
  binlogdata::VEvent FieldEvent(const TablePlan& plan, bool enum_set_labels) const;
  binlogdata::VEvent GtidEvent() const;
  void AppendRowPacket(binlogdata::VEvent event, size_t bytes, std::vector<Packet>& packets);
  void AddBatchRows(Packet& packet);
  binlogdata::VEvent LastPkEvent(bool completed) const;

  StreamPoint Point(StreamPoint::Kind kind) const;
  static Step Error(absl::Status status);

  Cluster& cluster_;
  const StreamOptions& options_;
  const TabletRequest request_;
  Phase phase_ = Phase::kStart;
  std::string database_;
  std::string server_uuid_;
  uint64_t tablet_starts_ = 0;

  vitess::GtidSet position_;
  uint64_t next_index_ = 0;  // in the binary log
  bool positioned_ = false;  // next_index_ is where position_ is
  bool held_ = false;        // the last look at the log ended where streams are held

  std::vector<CopyPlan> copies_;  // by name
  size_t copying_ = 0;            // the one under way
  std::map<uint64_t, std::optional<TablePlan>>
      plans_;  // of this phase, by table id; none: not sent

  // The table under way.
  TablePlan copy_plan_;
  std::vector<RowPointer> snapshot_;
  vitess::GtidSet snapshot_position_;
  size_t next_row_ = 0;
  uint64_t rows_copied_ = 0;

  // The catch-up under way.
  absl::Time next_tick_;
  vitess::GtidSet catchup_target_;

  size_t packet_size_ = 0;  // row bytes in the packet being filled
};

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_TABLET_STREAM_H_
