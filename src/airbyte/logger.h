// The program's own messages, as Airbyte's LOG.
#ifndef SOURCE_VITESS_AIRBYTE_LOGGER_H_
#define SOURCE_VITESS_AIRBYTE_LOGGER_H_

#include <string_view>

#include "airbyte/messages.h"
#include "telemetry/log.h"
#include "telemetry/output.h"

namespace source_vitess::airbyte {

// Writes each message from `least` upwards as one line, at once.
class AirbyteLogger final : public telemetry::Logger {
 public:
  // `output` must outlive the logger.
  AirbyteLogger(telemetry::Output& output, telemetry::Severity least)
      : output_(output), least_(least) {}

  void Log(telemetry::Severity severity, std::string_view message) override {
    // Whoever writes next, and can do something about it, learns that the host has gone.
    if (severity >= least_) output_.Write(LogLine(severity, message)).IgnoreError();
  }

 private:
  telemetry::Output& output_;
  const telemetry::Severity least_;
};

}  // namespace source_vitess::airbyte

#endif  // SOURCE_VITESS_AIRBYTE_LOGGER_H_
