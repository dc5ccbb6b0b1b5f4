#ifndef SOURCE_VITESS_COMMANDS_CHECK_H_
#define SOURCE_VITESS_COMMANDS_CHECK_H_

#include <string>

#include "commands/environment.h"

namespace source_vitess::commands {

// Tries what a sync needs, short of reading rows, and prints one CONNECTION_STATUS: FAILED says the
// first thing that is wrong, and what to change. What is no reason to fail, but to know, is logged.
// The result is the exit code, kSuccess in either case.
int RunCheck(const Environment& environment, const std::string& config_path);

}  // namespace source_vitess::commands

#endif  // SOURCE_VITESS_COMMANDS_CHECK_H_
