#include "commands/patience.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vitess/errors.h"

namespace source_vitess::commands {

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
    if (absl::Status stopped = sync::WaitUntil(*next, environment_.stop); !stopped.ok()) {
      return stopped;
    }
  }
}

}  // namespace source_vitess::commands
