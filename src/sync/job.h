// What the two kinds of job have in common: what they are given, how they end, and what they ask
// VTGate.
#ifndef SOURCE_VITESS_SYNC_JOB_H_
#define SOURCE_VITESS_SYNC_JOB_H_

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "sync/checkpointer.h"
#include "sync/row_moves.h"
#include "sync/row_writer.h"
#include "sync/sink.h"
#include "sync/sync.h"
#include "sync/table_progress.h"
#include "telemetry/log.h"
#include "vitess/binlogdata.pb.h"
#include "vitess/vtgate.pb.h"
#include "vitess/vtgate_client.h"

namespace source_vitess::sync {

// Shared by all jobs of a sync, which it outlives.
struct JobContext {
  const SyncOptions& options;
  vitess::VtgateClient& client;
  Sink& sink;
  Checkpointer& checkpointer;
  std::atomic<uint64_t>& sequence;
  telemetry::Logger& logger;
  RowMoves& moves;
  TableProgress progress = {};
};

enum class JobEnd {
  kReached,     // copied everywhere, or at the goal
  kStopped,     // asked to stop
  kFallenBack,  // has to begin again from the positions that it now has; not a failure
  kResharded,   // shards have ended: nothing more comes of them
  kFailed,
};

struct JobOutcome {
  JobEnd end = JobEnd::kReached;
  absl::Status status = {};                    // of kFailed
  std::optional<size_t> table = std::nullopt;  // of kFailed: the one that it is about
  // The shards whose JOURNAL came, whatever the end. Their positions are those before it.
  std::map<std::string, binlogdata::Journal> journals = {};
};

// The request for a VStream from the positions of `vgtid`: stops on reshards, sends heartbeats.
vtgate::VStreamRequest MakeRequest(const SyncOptions& options, const binlogdata::VGtid& vgtid);

// A rule for the table alone, with all columns or the ones listed; names are quoted.
void AddRule(const Table& table, const std::vector<std::string>& columns,
             binlogdata::Filter& filter);

// `name` without "keyspace." before it, which VTGate puts there unless it was asked not to and
// knows how.
std::string_view BareTableName(std::string_view keyspace, std::string_view name);

// Hands a job's rows over in large pieces, with the positions that they complete.
class BatchFlusher {
 public:
  BatchFlusher(const JobContext& context, RowWriter& rows, absl::Time now)
      : context_(context), rows_(rows), last_flush_(now) {}

  // Whether enough has gathered, for a write or for a state, or what there is has waited long
  // enough.
  bool IsDue(absl::Time now) const;

  absl::Status Flush(std::span<const PositionUpdate> updates, absl::Time now);

 private:
  const JobContext& context_;
  RowWriter& rows_;
  absl::Time last_flush_;
};

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_JOB_H_
