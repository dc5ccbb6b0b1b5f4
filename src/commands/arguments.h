// The command line (reference 2.1).
#ifndef SOURCE_VITESS_COMMANDS_ARGUMENTS_H_
#define SOURCE_VITESS_COMMANDS_ARGUMENTS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "commands/progress_reporter.h"
#include "telemetry/log.h"

namespace source_vitess::commands {

enum class Command { kSpec, kCheck, kDiscover, kRead, kDoctor, kFivetran, kHelp };

struct Arguments {
  Command command = Command::kHelp;
  std::string config;     // path; of check, discover, read and doctor
  std::string catalog;    // path; of read and doctor
  std::string state;      // path; of read and doctor, empty for none
  int port = 50051;       // of fivetran; 0 for one that is free
  StatusAddress status;   // of read and fivetran
  bool progress = false;  // of read: on stderr
  bool pretty = false;    // of spec, check, discover and read: for people
  bool json = false;      // of doctor
  // Whether the first word is the command fivetran, also when what follows is not understood.
  bool is_for_fivetran = false;
  bool debug = false;
  std::string topic;  // of the command help: another one
  std::string shell;  // of the command completion
  std::string help;   // the text to show, of kHelp
};

// A command line that cannot be understood: what is wrong with it, and how it should look.
struct UsageError {
  std::string message;
  std::string usage;
};

// Reads what follows the program's name. Options may come in any order, as "--config PATH" and as
// "--config=PATH". False fills `error`, true `arguments`.
bool ParseArguments(std::vector<std::string> words, Arguments& arguments, UsageError& error);

// The least severity to log: debug with --debug, else what LOG_LEVEL says, else info. `log_level`
// may be null.
telemetry::Severity LeastSeverity(bool debug, const char* log_level);

}  // namespace source_vitess::commands

#endif  // SOURCE_VITESS_COMMANDS_ARGUMENTS_H_
