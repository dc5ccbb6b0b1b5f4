// Reading one VStream so that another thread can watch it, and the bookkeeping that turns its
// VGTIDs into positions.
#ifndef SOURCE_VITESS_SYNC_VSTREAM_READER_H_
#define SOURCE_VITESS_SYNC_VSTREAM_READER_H_

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "vitess/binlogdata.pb.h"
#include "vitess/vtgate.pb.h"
#include "vitess/vtgate_client.h"

namespace source_vitess::sync {

// Open, Read and Finish are for the job's thread; the rest is for any thread.
class VStreamReader {
 public:
  explicit VStreamReader(vitess::VtgateClient& client) : client_(client) {}

  // Once.
  void Open(const vtgate::VStreamRequest& request);

  // As VStream::Read.
  bool Read(vtgate::VStreamResponse* response);

  // As VStream::Finish; after Cancel with a reason, that reason.
  absl::Status Finish();

  // Ends the stream, now or as soon as it is opened. A `reason` that is not OK is what Finish
  // returns. The first call counts.
  void Cancel(absl::Status reason);
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

  // How long the pending read has waited for any message, and for one that is not a heartbeat. Zero
  // when no read is pending: a slow host is no stall.
  absl::Duration SilentFor(absl::Time now) const;
  absl::Duration IdleFor(absl::Time now) const;

  // Lets IdleFor begin again at zero.
  void ForgiveIdling(absl::Time now);

 private:
  vitess::VtgateClient& client_;
  std::mutex mutex_;  // guards stream_'s creation against Cancel, and reason_
  std::unique_ptr<vitess::VStream> stream_;
  absl::Status reason_;
  bool last_was_event_ = true;
  std::atomic<bool> cancelled_ = false;

  // Nanoseconds since 1970.
  std::atomic<int64_t> reading_since_ = 0;  // 0: no read is pending
  std::atomic<int64_t> last_event_ = 0;
};

// Decides when a response that is used for one message after the other has to be made anew. Its
// parts keep the memory of the largest value that they ever held, so a few large rows would make
// all of them large.
class ResponseReuse {
 public:
  // Call after every message. `largest_row`: the bytes of the largest row in it.
  void Used(vtgate::VStreamResponse& response, size_t largest_row);

 private:
  int messages_ = 0;
};

// Takes positions from VGTIDs: at the COMMIT, DDL or OTHER event behind them and no sooner (design
// rule 1).
class VgtidTracker {
 public:
  // A BEGIN forgets what a transaction of that shard left unfinished.
  void Begin(const binlogdata::VEvent& event);

  // Remembers the VGTID; `event` must live until EndOfResponse.
  void Vgtid(const binlogdata::VEvent& event);

  // What stands behind the event, a COMMIT, DDL or OTHER: calls `moved(const ShardGtid&)` for the
  // shard of the event, or for every shard where the event names none (Vitess before v18). Shards
  // that have not spoken yet ("current" or empty gtid) are passed over.
  template <typename Moved>
  void Complete(const binlogdata::VEvent& event, Moved&& moved);

  // The response is about to be used again: keeps what is remembered of it.
  void EndOfResponse();

 private:
  const binlogdata::VEvent* pending_ = nullptr;
  binlogdata::VEvent kept_;
};

template <typename Moved>
void VgtidTracker::Complete(const binlogdata::VEvent& event, Moved&& moved) {
  if (pending_ == nullptr) return;
  const binlogdata::VEvent& vgtid = *pending_;
  if (!event.shard().empty() && !vgtid.shard().empty() &&
      (event.shard() != vgtid.shard() || event.keyspace() != vgtid.keyspace())) {
    return;
  }
  pending_ = nullptr;
  for (const binlogdata::ShardGtid& shard : vgtid.vgtid().shard_gtids()) {
    if (!event.shard().empty() && shard.shard() != event.shard()) continue;
    if (shard.gtid().empty() || shard.gtid() == "current") continue;
    moved(shard);
  }
}

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_VSTREAM_READER_H_
