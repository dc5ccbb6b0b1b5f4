#ifndef SOURCE_VITESS_COMMANDS_READ_H_
#define SOURCE_VITESS_COMMANDS_READ_H_

#include <string>

#include "commands/environment.h"

namespace source_vitess::commands {

struct ReadPaths {
  std::string config;
  std::string catalog;
  std::string state;  // empty: none
};

// Prints the records, states and statuses of the configured streams. A stream that cannot be read
// ends INCOMPLETE with its error, and the others go on (reference 2.5). The result is the exit
// code: kSuccess when all is read, or the host has gone.
int RunRead(const Environment& environment, const ReadPaths& paths);

}  // namespace source_vitess::commands

#endif  // SOURCE_VITESS_COMMANDS_READ_H_
