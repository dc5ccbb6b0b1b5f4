// The program's own messages, as Fivetran wants them (reference 2.10).
#ifndef SOURCE_VITESS_FIVETRAN_LOGGER_H_
#define SOURCE_VITESS_FIVETRAN_LOGGER_H_

#include <string>
#include <string_view>

#include "telemetry/log.h"
#include "telemetry/output.h"

namespace source_vitess::fivetran {

// One JSON object on a line: level, message and where it comes from. There are three levels: debug
// messages are INFO.
std::string LogLine(telemetry::Severity severity, std::string_view message);

// Writes each message from `least` upwards, at once.
class JsonLogger final : public telemetry::Logger {
 public:
  // `output` must outlive the logger.
  JsonLogger(telemetry::Output& output, telemetry::Severity least)
      : output_(output), least_(least) {}

  void Log(telemetry::Severity severity, std::string_view message) override {
    // A log that nobody reads is no reason to stop.
    if (severity >= least_) output_.Write(LogLine(severity, message)).IgnoreError();
  }

 private:
  telemetry::Output& output_;
  const telemetry::Severity least_;
};

}  // namespace source_vitess::fivetran

#endif  // SOURCE_VITESS_FIVETRAN_LOGGER_H_
