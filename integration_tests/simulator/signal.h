// Wakes a thread that waits for something to happen.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_SIGNAL_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_SIGNAL_H_

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace source_vitess::simulator {

// A flag that one thread waits for and clears, and others raise. Thread-safe.
class Signal {
 public:
  void Notify() {
    const absl::MutexLock lock(&mutex_);
    raised_ = true;
  }

  // Returns once the flag is up or `deadline` has passed; the flag is down afterwards.
  void WaitUntil(absl::Time deadline) {
    const absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithDeadline(absl::Condition(&raised_), deadline);
    raised_ = false;
  }

 private:
  absl::Mutex mutex_;
  bool raised_ = false;
};

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_SIGNAL_H_
