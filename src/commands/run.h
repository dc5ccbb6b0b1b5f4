#ifndef SOURCE_VITESS_COMMANDS_RUN_H_
#define SOURCE_VITESS_COMMANDS_RUN_H_

#include <stop_token>
#include <string>
#include <vector>

#include "airbyte/messages.h"
#include "commands/environment.h"
#include "telemetry/output.h"

namespace source_vitess::commands {

// Runs the command that `words`, what follows the program's name, ask for, and gives the exit code.
// A command line that cannot be understood is answered with its usage on stderr, and with a TRACE
// ERROR, since hosts look at nothing else. An exception, which is a defect, ends as one too.
// `log_level` is LOG_LEVEL of the process's environment, or null. Once `stop` is requested, the
// command ends as soon as it can, without a word.
int Run(std::vector<std::string> words, const char* log_level, telemetry::Output& output,
        const ClientFactory& make_client, const airbyte::Clock& clock, std::stop_token stop = {},
        const telemetry::StatusServerFactory& start_status_server = nullptr);

}  // namespace source_vitess::commands

#endif  // SOURCE_VITESS_COMMANDS_RUN_H_
