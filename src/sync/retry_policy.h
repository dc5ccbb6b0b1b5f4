// When a failed piece of work is tried again, and when it is given up.
#ifndef SOURCE_VITESS_SYNC_RETRY_POLICY_H_
#define SOURCE_VITESS_SYNC_RETRY_POLICY_H_

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace source_vitess::sync {

// Exponential backoff with jitter, within a budget of time that progress refills. A value; its
// clock is the caller's.
class RetryState {
 public:
  // Says when to try again after a failure at `now`, or nothing when the budget is used up.
  // `position` is where the work stands: another one than at the last failure is progress. `jitter`
  // is in [0, 1).
  std::optional<absl::Time> Next(absl::Time now, std::string_view position, absl::Duration budget,
                                 double jitter);

  // Whether this is a first failure since there was progress: the one to be told of.
  bool is_first() const { return attempts_ == 1; }

  // Not to be tried before this time.
  absl::Time not_before() const { return not_before_; }

 private:
  int attempts_ = 0;
  absl::Time failing_since_;
  absl::Time not_before_ = absl::InfinitePast();
  std::string position_;
};

// A random number in [0, 1). Thread-safe.
double Jitter();

// Waits until `time`. Fails, with the class kHost, as soon as `stop` is requested.
absl::Status WaitUntil(absl::Time time, const std::stop_token& stop);

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_RETRY_POLICY_H_
