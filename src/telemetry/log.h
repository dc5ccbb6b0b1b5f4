// Where the program's own messages go. A host protocol decides their form (Airbyte LOG, Fivetran's
// JSON lines).
#ifndef SOURCE_VITESS_TELEMETRY_LOG_H_
#define SOURCE_VITESS_TELEMETRY_LOG_H_

#include <string_view>

namespace source_vitess::telemetry {

enum class Severity { kDebug, kInfo, kWarning, kError };

// Takes messages from any thread. A message is one sentence in UTF-8 without secrets or row data.
class Logger {
 public:
  virtual ~Logger() = default;
  virtual void Log(Severity severity, std::string_view message) = 0;

  void Debug(std::string_view message) { Log(Severity::kDebug, message); }
  void Info(std::string_view message) { Log(Severity::kInfo, message); }
  void Warning(std::string_view message) { Log(Severity::kWarning, message); }
  void Error(std::string_view message) { Log(Severity::kError, message); }
};

// Drops everything.
class NullLogger final : public Logger {
 public:
  void Log(Severity, std::string_view) override {}
};

}  // namespace source_vitess::telemetry

#endif  // SOURCE_VITESS_TELEMETRY_LOG_H_
