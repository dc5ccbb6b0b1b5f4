#include "commands/patience.h"

#include <condition_variable>
#include <mutex>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vitess/errors.h"

namespace source_vitess::commands {
namespace {

// Sleeps; returns early when `stop` is requested.
void SleepUntil(absl::Time time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_until(lock, stop, absl::ToChronoTime(time), [] { return false; });
}

}  // namespace

absl::Status Patience::Repeat(const std::function<absl::Status()>& work) {
  for (;;) {
    absl::Status status = work();
    if (status.ok()) {
      ++successes_;
      return status;
    }
    if (vitess::Classify(status) != vitess::ErrorClass::kTransient) return status;
    const auto next = retry_.Next(absl::Now(), std::to_string(successes_), budget_, sync::Jitter());
    if (!next.has_value()) {
      return vitess::Annotate(status, absl::StrCat("given up after ", absl::FormatDuration(budget_),
                                                   " without progress"));
    }
    if (retry_.is_first()) {
      environment_.logger.Warning(absl::StrCat("Trying again: ", status.message()));
    }
    SleepUntil(*next, environment_.stop);
    if (environment_.stop.stop_requested()) {
      return vitess::HostError("the program was asked to stop");
    }
  }
}

}  // namespace source_vitess::commands
