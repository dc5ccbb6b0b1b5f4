// Waiting for a Vitess that fails for a moment, before the engine runs, which does so itself.
#ifndef SOURCE_VITESS_COMMANDS_PATIENCE_H_
#define SOURCE_VITESS_COMMANDS_PATIENCE_H_

#include <cstdint>
#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "commands/environment.h"
#include "sync/retry_policy.h"

namespace source_vitess::commands {

// For one thread.
class Patience {
 public:
  // `budget`: of time without progress, which a success is. `environment` must outlive this.
  Patience(const Environment& environment, absl::Duration budget)
      : environment_(environment), budget_(budget) {}

  // Does `work`, which gives an absl::StatusOr, until it succeeds, fails for good (any class but
  // kTransient), or the budget is used up, and gives its last result; a failure of the class kHost
  // once the host wants the program to end. The first failure of a series is logged.
  template <typename Work>
  auto Try(Work&& work) {
    decltype(work()) result = absl::UnknownError("not tried");
    absl::Status status = Repeat([&] {
      result = work();
      return result.status();
    });
    if (!status.ok()) result = std::move(status);
    return result;
  }

 private:
  absl::Status Repeat(const std::function<absl::Status()>& work);

  const Environment& environment_;
  const absl::Duration budget_;
  sync::RetryState retry_;
  int64_t successes_ = 0;
};

}  // namespace source_vitess::commands

#endif  // SOURCE_VITESS_COMMANDS_PATIENCE_H_
