#include "commands/spec.h"

#include "commands/source.h"
#include "config/options.h"

namespace source_vitess::commands {

int RunSpec(const Environment& environment) {
  return ExitCode(environment.output.Write(airbyte::SpecLine(config::SpecJson())), kSuccess);
}

}  // namespace source_vitess::commands
