// One VStream call: what VTGate's vstreamManager does with the streams of the shards.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_VTGATE_STREAM_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_VTGATE_STREAM_H_

#include <grpcpp/support/byte_buffer.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "simulator/cluster.h"
#include "simulator/faults.h"
#include "simulator/signal.h"
#include "simulator/stream_options.h"
#include "simulator/tablet_stream.h"
#include "vitess/vtgate.pb.h"

namespace source_vitess::simulator {

// Where the responses go.
class ResponseWriter {
 public:
  virtual ~ResponseWriter() = default;
  // Blocks until the client takes the message. CANCELLED: the call is over. Else how the call must
  // end: the message is larger than VTGate sends.
  virtual absl::Status Write(const vtgate::VStreamResponse& response) = 0;
  // The same of any bytes in place of a message.
  virtual absl::Status WriteBytes(const grpc::ByteBuffer& bytes) = 0;
};

// Resolves the request's shards, asks each shard's TabletStream in turn, composes VGTIDs and sends
// heartbeats (reference 1.2, 2.5 to 2.14, 3).
class VtgateStream {
 public:
  // Everything is borrowed for the life of the stream. `signal` is raised by whoever cancels, which
  // `cancelled` tells.
  VtgateStream(Cluster& cluster, const StreamOptions& options, std::vector<StreamFault> faults,
               const vtgate::VStreamRequest& request, ResponseWriter& writer, Signal& signal,
               const std::atomic<bool>& cancelled);
  ~VtgateStream();

  VtgateStream(const VtgateStream&) = delete;
  VtgateStream& operator=(const VtgateStream&) = delete;

  // Streams until the call is cancelled, a fault strikes or an error ends it. The result is the
  // call's status.
  absl::Status Run();

 private:
  struct ShardStream {
    size_t place = 0;  // in vgtid_
    uint64_t attempt = 0;
    std::unique_ptr<TabletStream> tablet;
    absl::Time without_tablet_since = absl::InfiniteFuture();
    bool copy_completed = false;
    // The JOURNAL that the shard has come to: it waits for the other participants, or stays there
    // if the stream stops at reshards.
    std::optional<int64_t> journal;
  };

  absl::Status Resolve();
  absl::Status ParameterError(absl::StatusCode code, const std::string& text) const;
  absl::Status ResolveKeyspace(const binlogdata::ShardGtid& given);
  absl::Status AddShards(const Keyspace& keyspace, const binlogdata::ShardGtid& given);
  absl::Status OpenTablets();
  // Opens a tablet where the shard's stream stands. Fails if a shard of the keyspace is gone.
  absl::Status OpenTablet(ShardStream& shard);
  absl::StatusOr<bool> KeyspaceHasBeenResharded(const ShardStream& shard);

  absl::Status Loop();
  // Lets every shard take a step, in a random order; whether there was something to do.
  absl::StatusOr<bool> AdvanceAll();
  // Whether the stream is over by itself: with the status that ends it.
  std::optional<absl::Status> End();
  // Takes one step of one shard; whether there was something to do.
  absl::StatusOr<bool> Advance(ShardStream& shard);
  absl::Status WaitForTablet(ShardStream& shard);
  absl::Status Send(ShardStream& shard, std::vector<TabletStream::Packet> packets);
  absl::Status Announce(ShardStream& shard, const StreamPoint& point);
  void Convert(ShardStream& shard, binlogdata::VEvent event, vtgate::VStreamResponse& response);
  void ApplyLastPk(const binlogdata::LastPKEvent& last, binlogdata::ShardGtid& position) const;
  absl::Status Wait();

  // What VTGate does at a JOURNAL (vstream_manager.go: getJournalEvent). `shard` is not to be used
  // afterwards.
  absl::Status TakeJournal(ShardStream& shard, TabletStream::Step step);
  absl::Status FollowReshard(const binlogdata::Journal& journal);
  ShardStream* FindShardStream(std::string_view keyspace, std::string_view shard);

  absl::Status SendResponse(vtgate::VStreamResponse& response);
  absl::Status WriteNow(const vtgate::VStreamResponse& response);
  // Cuts the response to what faults let through. Fails with the fault's status if it strikes
  // before anything.
  absl::Status StrikeBefore(vtgate::VStreamResponse& response);
  // The faults that change a message or put another in its place; whether it was sent by that.
  absl::StatusOr<bool> Replace(vtgate::VStreamResponse& response);
  absl::Status CountBlocked(absl::Time since) const;
  absl::Status SendHeartbeatIfDue();
  absl::Time HeartbeatTime() const;

  absl::Status JournalError(const ShardStream& shard, const binlogdata::Journal& journal) const;
  std::string TabletAlias(const binlogdata::ShardGtid& position) const;
  absl::Status TabletError(const ShardStream& shard, const absl::Status& status) const;
  absl::Status StartError(const ShardStream& shard, absl::StatusCode code,
                          const std::string& cause) const;

  Cluster& cluster_;
  const StreamOptions& options_;
  std::vector<StreamFault> faults_;
  vtgate::VStreamRequest request_;
  ResponseWriter& writer_;
  Signal& signal_;
  const std::atomic<bool>& cancelled_;

  binlogdata::VGtid vgtid_;
  std::vector<ShardStream> shards_;  // as in vgtid_
  bool resharded_ = false;           // shards_ are others than when the round began
  std::mt19937_64 random_;
  absl::Time last_sent_;
  absl::Time age_limit_ = absl::InfiniteFuture();
  absl::Time all_stopped_since_ = absl::InfiniteFuture();  // no shard has a tablet any more
  absl::Time wake_ = absl::InfiniteFuture();
  uint64_t events_sent_ = 0;
  uint64_t messages_sent_ = 0;
  bool stalled_ = false;
  bool silent_ = false;
};

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_VTGATE_STREAM_H_
