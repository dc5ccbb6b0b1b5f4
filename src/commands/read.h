#ifndef SOURCE_VITESS_COMMANDS_READ_H_
#define SOURCE_VITESS_COMMANDS_READ_H_

#include <string>

#include "commands/environment.h"
#include "commands/progress_reporter.h"

namespace source_vitess::commands {

struct ReadArguments {
  std::string config;  // a path, as the next two
  std::string catalog;
  std::string state;  // empty: none
  StatusAddress status = {};
  bool progress = false;  // told on stderr
};

// Prints the records, states and statuses of the configured streams. A stream that cannot be read
// ends INCOMPLETE with its error, and the others go on (reference 2.5). The result is the exit
// code: kSuccess when all is read, or the host has gone.
int RunRead(const Environment& environment, const ReadArguments& arguments);

}  // namespace source_vitess::commands

#endif  // SOURCE_VITESS_COMMANDS_READ_H_
