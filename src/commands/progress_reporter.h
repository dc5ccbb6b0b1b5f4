// Tells people of a run's progress while it runs: in the log, on a terminal, and on the status
// page.
#ifndef SOURCE_VITESS_COMMANDS_PROGRESS_REPORTER_H_
#define SOURCE_VITESS_COMMANDS_PROGRESS_REPORTER_H_

#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "commands/environment.h"
#include "telemetry/log.h"
#include "telemetry/progress.h"
#include "telemetry/status_server.h"

namespace source_vitess::commands {

// "12,345 rows".
std::string Grouped(uint64_t number);

// One line: how many tables are in which phase, rows of about how many, rate, and lag.
std::string DescribeProgress(const telemetry::Status& status);

struct ReportPace {
  absl::Duration sample = absl::Seconds(1);
  absl::Duration log = absl::Minutes(1);
};

// Takes samples of the progress, and tells of it: in the log, and, where `terminal` is given, there
// every second, in a line that is written over, or every ten seconds in a line of its own where
// that is no terminal.
class ProgressReporter {
 public:
  // All must outlive this. `terminal` may be null.
  ProgressReporter(telemetry::Progress& progress, telemetry::Logger& logger, std::FILE* terminal,
                   const ReportPace& pace = {});
  // Ends the line on the terminal, with what it came to.
  ~ProgressReporter();
  ProgressReporter(const ProgressReporter&) = delete;
  ProgressReporter& operator=(const ProgressReporter&) = delete;

 private:
  void Run();
  void Tell(absl::Time now);
  void WriteToTerminal(const telemetry::Status& status);

  telemetry::Progress& progress_;
  telemetry::Logger& logger_;
  std::FILE* const terminal_;
  const bool writes_over_;
  const ReportPace pace_;
  absl::Time next_log_;
  absl::Time next_line_;

  std::mutex mutex_;
  std::condition_variable ended_signal_;
  bool ended_ = false;
  std::thread thread_;
};

// Where the status page shall listen; absent: nowhere.
struct StatusAddress {
  std::string address = "127.0.0.1";
  std::optional<int> port;  // 0: one that is free
};

// The progress of the newest run, for a status page that outlives runs. Thread-safe.
class ProgressBoard {
 public:
  // A run begins. What is returned is written by that run alone.
  std::shared_ptr<telemetry::Progress> Begin(absl::Time now);

  // Of the newest run; before the first one, of none.
  telemetry::Status Read() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<telemetry::Progress> newest_;
};

// Starts the page of the board, which must outlive it, where one is asked for, and logs its
// address. Null: none is asked for. A configuration error where it cannot be.
absl::StatusOr<std::unique_ptr<telemetry::StatusServer>> StartStatusPage(
    const Environment& environment, const StatusAddress& where, const ProgressBoard& board);

}  // namespace source_vitess::commands

#endif  // SOURCE_VITESS_COMMANDS_PROGRESS_REPORTER_H_
