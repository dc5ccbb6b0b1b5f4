// How much memory another process takes.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_MODEL_MEMORY_WATCH_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_MODEL_MEMORY_WATCH_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace source_vitess::integration_tests {

// The largest resident set that the process has had, in bytes. Nothing once it has ended.
std::optional<int64_t> PeakBytes(pid_t pid);

}  // namespace source_vitess::integration_tests

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_MODEL_MEMORY_WATCH_H_
