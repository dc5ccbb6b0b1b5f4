#include "sync/retry_policy.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <random>

#include "vitess/errors.h"

namespace source_vitess::sync {
namespace {

constexpr absl::Duration kFirstDelay = absl::Milliseconds(200);
constexpr absl::Duration kLongestDelay = absl::Seconds(30);
constexpr int kDoublings = 8;  // past these the delay is the longest one anyway

}  // namespace

std::optional<absl::Time> RetryState::Next(absl::Time now, std::string_view position,
                                           absl::Duration budget, double jitter) {
  if (attempts_ == 0 || position != position_) {
    attempts_ = 0;
    failing_since_ = now;
    position_ = position;
  }
  ++attempts_;
  if (attempts_ > 1 && now - failing_since_ >= budget) return std::nullopt;
  const absl::Duration delay =
      std::min(kLongestDelay, kFirstDelay * (1 << std::min(attempts_ - 1, kDoublings)));
  not_before_ = now + delay * (0.5 + 0.5 * jitter);
  return not_before_;
}

double Jitter() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

absl::Status WaitUntil(absl::Time time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_until(lock, stop, absl::ToChronoTime(time), [] { return false; });
  return stop.stop_requested() ? vitess::HostError("the host wants it to end") : absl::OkStatus();
}

}  // namespace source_vitess::sync
