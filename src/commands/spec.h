#ifndef SOURCE_VITESS_COMMANDS_SPEC_H_
#define SOURCE_VITESS_COMMANDS_SPEC_H_

#include "commands/environment.h"

namespace source_vitess::commands {

// Prints the SPEC message; needs neither a configuration nor a network. The result is the exit
// code.
int RunSpec(const Environment& environment);

}  // namespace source_vitess::commands

#endif  // SOURCE_VITESS_COMMANDS_SPEC_H_
