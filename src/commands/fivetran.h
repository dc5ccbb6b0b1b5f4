#ifndef SOURCE_VITESS_COMMANDS_FIVETRAN_H_
#define SOURCE_VITESS_COMMANDS_FIVETRAN_H_

#include "commands/environment.h"
#include "commands/progress_reporter.h"

namespace source_vitess::commands {

// Serves Fivetran's Partner SDK on the port until the host wants the program to end. What is under
// way then is stopped, without a checkpoint of its own. The result is the exit code.
int RunFivetran(const Environment& environment, int port, const StatusAddress& status = {});

}  // namespace source_vitess::commands

#endif  // SOURCE_VITESS_COMMANDS_FIVETRAN_H_
