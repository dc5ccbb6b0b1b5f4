// Scripts by which shells complete the program's command line.
#ifndef SOURCE_VITESS_COMMANDS_COMPLETION_H_
#define SOURCE_VITESS_COMMANDS_COMPLETION_H_

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace source_vitess::commands {

// The shells that there are scripts for.
const std::vector<std::string>& CompletedShells();

// What the shell is to read: commands, and the options of each, as `program` defines them. Options
// of the type PATH are completed with files. REQUIRES: `shell` is one of CompletedShells().
std::string CompletionScript(const CLI::App& program, std::string_view shell);

}  // namespace source_vitess::commands

#endif  // SOURCE_VITESS_COMMANDS_COMPLETION_H_
