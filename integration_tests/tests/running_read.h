// A read that a test watches while it goes on.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_RUNNING_READ_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_RUNNING_READ_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/connector.h"
#include "harness/process.h"

namespace source_vitess::integration_tests {

// One run of `read`. What takes longer than a minute and a half ends the test.
class RunningRead {
 public:
  RunningRead(harness::Connector& connector, const std::string& catalog,
              const std::optional<std::string>& state);

  // Reads lines up to the first that has the text, which has to come.
  void ReadUntil(const std::string& text);

  // Reads nothing for so long, as a host that is busy; the program has to go on.
  void Pause(absl::Duration pause);

  // Reads to the end and gives all of the run.
  harness::RunResult Finish();

 private:
  std::unique_ptr<harness::Process> process_;
  harness::RunResult run_;
};

// The lines that have the text.
std::vector<std::string> LinesWith(const harness::RunResult& run, const std::string& text);

// The TRACE ERRORs.
std::vector<std::string> TraceErrors(const harness::RunResult& run);

}  // namespace source_vitess::integration_tests

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_RUNNING_READ_H_
