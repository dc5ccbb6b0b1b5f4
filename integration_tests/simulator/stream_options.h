// How VStreams behave, and where a test can step in.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_STREAM_OPTIONS_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_STREAM_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/time/time.h"

namespace source_vitess::simulator {

// A point that the stream of one shard has come to. What was sent before it has been handed to
// gRPC.
struct StreamPoint {
  enum class Kind {
    kOpened,         // the tablet has taken the request
    kCatchupEnded,   // before a table's snapshot is taken
    kSnapshotTaken,  // before its first rows are sent
    kRowsCopied,     // a batch was sent
    kTableCopied,    // a table's last message was sent
    kCopyCompleted,
    kReplicating,  // the copy is over, or there was none
    kTransaction,  // a transaction or definition of the binary log was sent
    kJournal,      // a reshard's JOURNAL was read, and sent if the flags ask for it. The shard's
                   // stream ends there: kRestart means kContinue
  };
  Kind kind = Kind::kOpened;
  std::string keyspace;
  std::string shard;
  std::string table;     // of the kinds that concern one
  uint64_t rows = 0;     // of the table so far, of kRowsCopied and kTableCopied
  uint64_t attempt = 1;  // 2 and more after VTGate's own restarts
};

enum class StreamAction {
  kContinue,
  kRestart,  // VTGate calls the shard's tablet again, from the last position that it sent
             // (reference 2.9)
};

struct StreamOptions {
  // Bytes of row values in a tablet's message: vttablet's --vstream-packet-size.
  size_t packet_bytes = 250000;
  // How often a catch-up looks whether it is done; 1 s in vttablet.
  absl::Duration catchup_tick = absl::Milliseconds(10);
  // How long VTGate looks for a tablet before it gives up with CANCELLED.
  absl::Duration no_tablet_timeout = absl::Seconds(90);
  // How long a second lasts: of heartbeat_interval, of max_stream_age_seconds, and of the half
  // second after which an old VTGate ends a stream that stops at a reshard.
  absl::Duration second = absl::Seconds(1);
  // After how long without a tablet that lives VTGate ends the stream with UNAVAILABLE (v24).
  absl::Duration liveness_timeout = absl::Minutes(10);
  // The order in which shards take turns where several have something to send.
  uint64_t seed = 1;
  // Called from the stream's own thread, without locks: it may run SQL, and the stream waits for
  // it. Must be thread-safe if there are several streams. May be empty.
  std::function<StreamAction(const StreamPoint&)> on_point;
};

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_STREAM_OPTIONS_H_
