#include "commands/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "commands/completion.h"
#include "version.h"

namespace source_vitess::commands {
namespace {

constexpr const char* kExitCodes =
    "Exit codes:\n"
    "  0  done; of check, also where the connection failed, which its message says\n"
    "  1  something could not be read or is not understood; the last messages say what\n"
    "  A signal that ends the program is its end's (143 in a shell for SIGTERM).\n";

const char* ExampleOf(Command command) {
  switch (command) {
    case Command::kSpec:
      return "Example:\n  source-vitess spec | jq .spec.connectionSpecification\n";
    case Command::kCheck:
      return "Example:\n  source-vitess check --config config.json\n";
    case Command::kDiscover:
      return "Example:\n  source-vitess discover --config config.json | jq -c "
             ".catalog.streams[]?\n";
    case Command::kRead:
      return "Examples:\n"
             "  source-vitess read --config config.json --catalog catalog.json > out.jsonl\n"
             "  source-vitess read --config config.json --catalog catalog.json --state state.json "
             "--progress > more.jsonl\n"
             "The states of out.jsonl, as an array, are the next read's --state:\n"
             "  jq -s '[.[] | select(.type == \"STATE\") | .state] | "
             "group_by(.stream.stream_descriptor) "
             "| map(last)' out.jsonl > state.json\n";
    case Command::kDoctor:
      return "Examples:\n"
             "  source-vitess doctor --config config.json\n"
             "  source-vitess doctor --config config.json --catalog catalog.json --state "
             "state.json\n"
             "Its exit code is 1 where something does not work; risks are none.\n";
    case Command::kFivetran:
      return "Example:\n  source-vitess fivetran --port 50051\n";
    case Command::kHelp:
      break;
  }
  return "";
}

void AddConfig(CLI::App& command, Arguments& arguments) {
  command.add_option("--config", arguments.config, "File with the configuration, in JSON")
      ->required()
      ->type_name("PATH");
}

void AddPretty(CLI::App& command, Arguments& arguments) {
  command.add_flag("--pretty", arguments.pretty,
                   "Print lines for people instead of messages for a host");
}

void AddStatus(CLI::App& command, Arguments& arguments) {
  command
      .add_option("--status-port", arguments.status.port,
                  "Serve a status page and metrics at this TCP port, or at a free one for 0")
      ->check(CLI::Range(0, 65535))
      ->type_name("PORT");
  command.add_option("--status-address", arguments.status.address, "Where the status page listens")
      ->capture_default_str()
      ->type_name("ADDRESS");
}

void AddCommands(CLI::App& program, Arguments& arguments) {
  program.require_subcommand(1);
  program.footer(kExitCodes);
  program.set_version_flag("--version", absl::StrCat("source-vitess ", kVersion, "\n"),
                           "Print the version");
  program.fallthrough();
  program.add_flag("--debug", arguments.debug, "Log more (as LOG_LEVEL=debug does)");
  const auto add = [&](Command command, const char* name, const char* description) {
    CLI::App* added = program.add_subcommand(name, description);
    added->callback([&arguments, command] { arguments.command = command; });
    added->footer(absl::StrCat(ExampleOf(command), "\n", kExitCodes));
    return added;
  };
  AddPretty(*add(Command::kSpec, "spec", "Print the specification of the configuration"),
            arguments);
  CLI::App* check =
      add(Command::kCheck, "check", "Try whether Vitess can be read with a configuration");
  AddConfig(*check, arguments);
  AddPretty(*check, arguments);
  CLI::App* discover = add(Command::kDiscover, "discover", "Print the catalog of tables");
  AddConfig(*discover, arguments);
  AddPretty(*discover, arguments);
  CLI::App* read = add(Command::kRead, "read", "Print the records of the configured streams");
  AddConfig(*read, arguments);
  AddPretty(*read, arguments);
  read->add_option("--catalog", arguments.catalog, "File with the configured catalog, in JSON")
      ->required()
      ->type_name("PATH");
  read->add_option("--state", arguments.state, "File with the states to go on from, in JSON")
      ->type_name("PATH");
  read->add_flag("--progress", arguments.progress,
                 "Tell on stderr how far the read has come, for people who watch it");
  AddStatus(*read, arguments);
  CLI::App* doctor = add(Command::kDoctor, "doctor",
                         "Tell people what is fine with a configuration and its Vitess, what is "
                         "risky, and how to mend it");
  AddConfig(*doctor, arguments);
  doctor
      ->add_option("--catalog", arguments.catalog,
                   "File with the configured catalog, in JSON: "
                   "look at the saved positions of its streams alone")
      ->type_name("PATH");
  doctor
      ->add_option("--state", arguments.state,
                   "File with saved states, in JSON: look whether "
                   "reading can go on from them")
      ->type_name("PATH");
  doctor->add_flag("--json", arguments.json, "Print one JSON document");
  CLI::App* fivetran = add(Command::kFivetran, "fivetran",
                           "Serve Fivetran's Partner SDK over gRPC until the program is ended");
  fivetran->add_option("--port", arguments.port, "TCP port, or 0 for one that is free")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str()
      ->type_name("PORT");
  AddStatus(*fivetran, arguments);
  fivetran->add_flag("--debug", arguments.debug, "Log more (as LOG_LEVEL=debug does)");
  program.add_subcommand("help", "Print what a command does and takes")
      ->add_option("COMMAND", arguments.topic, "A command; none: all of them");
  program.add_subcommand("completion", "Print a script by which a shell completes command lines")
      ->add_option("SHELL", arguments.shell, "bash, fish or zsh")
      ->required()
      ->check(CLI::IsMember(CompletedShells()));
  // Those of a later host are no reason not to start.
  fivetran->fallthrough(false);
  fivetran->allow_extras();
}

// Go programs, which Fivetran's hosts are used to, take long options with one dash as well.
void AcceptOneDash(std::vector<std::string>& words) {
  const auto command = std::find(words.begin(), words.end(), "fivetran");
  for (auto word = command; word != words.end(); ++word) {
    if (*word == "-port" || word->starts_with("-port=")) word->insert(0, "-");
  }
}

}  // namespace

bool ParseArguments(std::vector<std::string> words, Arguments& arguments, UsageError& error) {
  CLI::App program("Reads tables and their changes out of Vitess.", "source-vitess");
  AddCommands(program, arguments);
  AcceptOneDash(words);
  std::reverse(words.begin(), words.end());  // as CLI11 takes them
  arguments.is_for_fivetran = !words.empty() && words.back() == "fivetran";
  try {
    program.parse(std::move(words));
    if (program.got_subcommand("completion")) {
      arguments.help = CompletionScript(program, arguments.shell);
    } else if (program.got_subcommand("help")) {
      const CLI::App& topic =
          arguments.topic.empty() ? program : *program.get_subcommand(arguments.topic);
      // CLI::App::help would show that of the command help.
      arguments.help = topic.get_formatter()->make_help(
          &topic, &topic == &program ? "source-vitess" : "source-vitess " + arguments.topic,
          CLI::AppFormatMode::Normal);
    }
  } catch (const CLI::OptionNotFound&) {
    error.message = absl::StrCat("there is no command ", arguments.topic);
    error.usage = program.help();
    return false;
  } catch (const CLI::CallForHelp&) {
    arguments.command = Command::kHelp;
    arguments.help = program.help();
  } catch (const CLI::CallForVersion& version) {
    arguments.command = Command::kHelp;
    arguments.help = version.what();
  } catch (const CLI::ParseError& failure) {
    error.message = failure.what();
    error.usage = program.help();
    return false;
  }
  return true;
}

telemetry::Severity LeastSeverity(bool debug, const char* log_level) {
  if (debug) return telemetry::Severity::kDebug;
  const std::string level = absl::AsciiStrToLower(log_level == nullptr ? "" : log_level);
  if (level == "debug" || level == "trace") return telemetry::Severity::kDebug;
  if (level == "warn" || level == "warning") return telemetry::Severity::kWarning;
  if (level == "error" || level == "fatal" || level == "critical")
    return telemetry::Severity::kError;
  return telemetry::Severity::kInfo;
}

}  // namespace source_vitess::commands
