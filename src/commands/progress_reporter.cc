#include "commands/progress_reporter.h"

#include <unistd.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "vitess/errors.h"

namespace source_vitess::commands {
namespace {

using telemetry::Phase;

constexpr absl::Duration kLineInterval = absl::Seconds(10);

constexpr const char* kToLineStart = "\r\033[K";  // and clears the line

std::string Phases(const telemetry::Status& status) {
  std::vector<std::string> parts;
  for (const Phase phase : telemetry::kPhases) {
    const size_t tables = status.CountTables(phase);
    if (tables == 0) continue;
    const std::string_view name = telemetry::PhaseName(phase);
    parts.push_back(absl::StrCat(tables, " ", absl::string_view(name.data(), name.size())));
  }
  return absl::StrCat(Grouped(status.tables.size()),
                      status.tables.size() == 1 ? " table" : " tables", parts.empty() ? "" : " (",
                      absl::StrJoin(parts, ", "), parts.empty() ? "" : ")");
}

}  // namespace

std::string Grouped(uint64_t number) {
  std::string digits = absl::StrCat(number);
  for (auto place = std::ssize(digits) - 3; place > 0; place -= 3) {
    digits.insert(static_cast<size_t>(place), ",");
  }
  return digits;
}

std::string DescribeProgress(const telemetry::Status& status) {
  std::string text = absl::StrCat(Phases(status), ": ", Grouped(status.counts.rows_copied));
  if (status.counts.estimated_rows.value_or(0) > 0) {
    absl::StrAppend(&text, " of about ",
                    Grouped(std::max(*status.counts.estimated_rows, status.counts.rows_copied)));
  }
  absl::StrAppend(&text, " rows copied, ", Grouped(status.counts.changes), " changes, ",
                  Grouped(static_cast<uint64_t>(status.rows_per_second)), " rows/s");
  if (status.counts.lag.has_value()) {
    absl::StrAppend(&text, ", ", absl::ToInt64Seconds(*status.counts.lag), " s behind");
  }
  if (status.retries > 0) absl::StrAppend(&text, ", ", status.retries, " retries");
  return text;
}

ProgressReporter::ProgressReporter(telemetry::Progress& progress, telemetry::Logger& logger,
                                   std::FILE* terminal, const ReportPace& pace)
    : progress_(progress),
      logger_(logger),
      terminal_(terminal),
      writes_over_(terminal != nullptr && isatty(fileno(terminal)) == 1),
      pace_(pace),
      next_log_(absl::Now() + pace.log),
      next_line_(absl::Now()),
      thread_([this] { Run(); }) {}

ProgressReporter::~ProgressReporter() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  ended_signal_.notify_all();
  thread_.join();
  if (terminal_ == nullptr) return;
  WriteToTerminal(progress_.Read(absl::Now()));
  if (writes_over_) std::fputs("\n", terminal_);
  std::fflush(terminal_);
}

void ProgressReporter::Run() {
  std::unique_lock lock(mutex_);
  while (!ended_signal_.wait_for(lock, absl::ToChronoMilliseconds(pace_.sample),
                                 [this] { return ended_; })) {
    lock.unlock();
    Tell(absl::Now());
    lock.lock();
  }
}

void ProgressReporter::Tell(absl::Time now) {
  progress_.TakeSample(now);
  const bool logs = now >= next_log_;
  const bool writes = terminal_ != nullptr && now >= next_line_;
  if (!logs && !writes) return;
  const telemetry::Status status = progress_.Read(now);
  if (logs) {
    next_log_ = now + pace_.log;
    logger_.Info(absl::StrCat("Progress: ", DescribeProgress(status), "."));
  }
  if (writes) {
    next_line_ = now + (writes_over_ ? pace_.sample / 2 : kLineInterval);
    WriteToTerminal(status);
  }
}

void ProgressReporter::WriteToTerminal(const telemetry::Status& status) {
  const std::string text = DescribeProgress(status);
  std::fprintf(terminal_, writes_over_ ? "%s%s" : "%s%s\n", writes_over_ ? kToLineStart : "",
               text.c_str());
  std::fflush(terminal_);
}

std::shared_ptr<telemetry::Progress> ProgressBoard::Begin(absl::Time now) {
  const std::lock_guard lock(mutex_);
  newest_ = std::make_shared<telemetry::Progress>(now);
  return newest_;
}

telemetry::Status ProgressBoard::Read() const {
  const std::lock_guard lock(mutex_);
  const absl::Time now = absl::Now();
  if (newest_ != nullptr) return newest_->Read(now);
  telemetry::Status status;
  status.began = now;
  return status;
}

absl::StatusOr<std::unique_ptr<telemetry::StatusServer>> StartStatusPage(
    const Environment& environment, const StatusAddress& where, const ProgressBoard& board) {
  if (!where.port.has_value()) return nullptr;
  if (environment.start_status_server == nullptr) {
    return vitess::ConfigurationError("There is no status page here; leave --status-port out.");
  }
  auto server = environment.start_status_server(where.address, *where.port,
                                                [&board] { return board.Read(); });
  if (!server.ok()) {
    return vitess::ConfigurationError(
        absl::StrCat("Option --status-port: ", server.status().message(),
                     "; choose another port or another --status-address, or leave both out."));
  }
  environment.logger.Info(
      absl::StrCat("The status page is at http://", where.address, ":", (*server)->port(), "/."));
  return server;
}

}  // namespace source_vitess::commands
