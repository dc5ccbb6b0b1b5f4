// Failures that a test asks the simulator for.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_FAULTS_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_FAULTS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "vitess/vtgate.pb.h"

namespace source_vitess::simulator {

// What happens to a VStream call.
struct StreamFault {
  enum class Kind {
    kBreak,    // the call ends with `status`
    kStall,    // nothing but heartbeats comes any more
    kSilence,  // nothing at all comes any more
    kDelay,    // each message waits for `delay`
    kChange,   // a message is changed by `change` before it is sent
    kBytes,    // `bytes` come in place of a message
    kHuge,     // a message of `size` bytes comes in place of another, without memory for it here:
               // so much of it is sent as the client takes
  };
  Kind kind = Kind::kBreak;
  // When: once this many events have been sent, heartbeats not counted. A message that holds more
  // is cut short, so that any prefix of a stream can be tried; 0 strikes before the first event.
  uint64_t after_events = 0;
  // In place of after_events: once this many messages have been sent whole.
  std::optional<uint64_t> after_messages;
  absl::Status status = absl::UnavailableError("transport is closing");  // of kBreak
  absl::Duration delay;                                                  // of kDelay
  // Of kChange: called for each message that goes beyond `after_events`, until it returns true;
  // Corrupt() does for it.
  std::function<bool(vtgate::VStreamResponse&)> change;
  std::string bytes;     // of kBytes
  uint64_t size = 0;     // of kHuge; below 4 GiB, which gRPC's messages cannot exceed
  int64_t streams = -1;  // how many VStream calls it strikes; -1 is all
};

// What happens to an Execute call: it ends with `status` as gRPC's own.
struct ExecuteFault {
  absl::Status status = absl::UnavailableError("connection refused");
  int64_t calls = -1;  // how many calls it strikes; -1 is all
};

// Thread-safe. Faults strike calls that begin after they were added.
class Faults {
 public:
  void Add(const StreamFault& fault);
  void Add(const ExecuteFault& fault);
  void Clear();

  // Takes the faults that strike a call that begins now.
  std::vector<StreamFault> ForStream();
  absl::Status ForExecute();

 private:
  absl::Mutex mutex_;
  std::vector<StreamFault> stream_faults_ ABSL_GUARDED_BY(mutex_);
  std::vector<ExecuteFault> execute_faults_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_FAULTS_H_
