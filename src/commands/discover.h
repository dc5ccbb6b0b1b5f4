#ifndef SOURCE_VITESS_COMMANDS_DISCOVER_H_
#define SOURCE_VITESS_COMMANDS_DISCOVER_H_

#include <string>

#include "commands/environment.h"

namespace source_vitess::commands {

// Prints the CATALOG of the tables that the configuration wants, or a TRACE ERROR. The result is
// the exit code.
int RunDiscover(const Environment& environment, const std::string& config_path);

}  // namespace source_vitess::commands

#endif  // SOURCE_VITESS_COMMANDS_DISCOVER_H_
