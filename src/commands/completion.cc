#include "commands/completion.h"

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace source_vitess::commands {
namespace {

struct CompletedOption {
  std::string name;  // with its dashes
  std::string description;
  bool takes_value;
  bool takes_path;
};

std::vector<CompletedOption> OptionsOf(const CLI::App& app) {
  std::vector<CompletedOption> options;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_lnames().empty()) continue;
    options.push_back({absl::StrCat("--", option->get_lnames().front()), option->get_description(),
                       option->get_items_expected_max() > 0, option->get_type_name() == "PATH"});
  }
  return options;
}

std::vector<const CLI::App*> CommandsOf(const CLI::App& program) {
  return program.get_subcommands([](const CLI::App*) { return true; });
}

// The words that may follow the command, which are no options.
std::vector<std::string> WordsOf(const CLI::App& program, const CLI::App& command) {
  if (command.get_name() == "completion") return CompletedShells();
  if (command.get_name() != "help") return {};
  std::vector<std::string> names;
  for (const CLI::App* other : CommandsOf(program)) names.push_back(other->get_name());
  return names;
}

std::string Quoted(std::string_view text, std::string_view quote) {
  return absl::StrReplaceAll(absl::string_view(text.data(), text.size()),
                             {{"'", absl::string_view(quote.data(), quote.size())}});
}

std::string Bash(const CLI::App& program) {
  std::vector<std::string> paths;
  std::vector<std::string> values;
  std::vector<std::string> names;
  std::string cases;
  const auto add = [&](const CLI::App& app, std::vector<std::string> words, std::string pattern) {
    for (const CompletedOption& option : OptionsOf(app)) {
      words.push_back(option.name);
      if (option.takes_path) paths.push_back(option.name);
      if (option.takes_value && !option.takes_path) values.push_back(option.name);
    }
    absl::StrAppend(&cases, "    ", pattern, ") words='", absl::StrJoin(words, " "), "' ;;\n");
  };
  for (const CLI::App* command : CommandsOf(program)) {
    names.push_back(command->get_name());
    add(*command, WordsOf(program, *command), command->get_name());
  }
  add(program, names, "*");
  return absl::StrCat(
      "# Completion of source-vitess for bash: source <(source-vitess completion "
      "bash)\n_source_vitess() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} "
      "command='' words='' i\n"
      "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
      "    case ${COMP_WORDS[i]} in\n      ",
      absl::StrJoin(names, "|"),
      ") command=${COMP_WORDS[i]} && break ;;\n    esac\n  done\n"
      "  case $previous in\n    ",
      absl::StrJoin(paths, "|"),
      ") mapfile -t COMPREPLY < <(compgen -f -- \"$word\") && return ;;\n    ",
      absl::StrJoin(values, "|"), ") COMPREPLY=() && return ;;\n  esac\n  case $command in\n",
      cases,
      "  esac\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n}\n"
      "complete -o filenames -F _source_vitess source-vitess\n");
}

std::string Zsh(const CLI::App& program) {
  std::string commands;
  std::string cases;
  for (const CLI::App* command : CommandsOf(program)) {
    absl::StrAppend(&commands, "    '", command->get_name(), ":",
                    Quoted(command->get_description(), "'\\''"), "'\n");
    absl::StrAppend(&cases, "    ", command->get_name(), ") _arguments");
    const std::vector<std::string> words = WordsOf(program, *command);
    if (!words.empty()) absl::StrAppend(&cases, " '2:word:(", absl::StrJoin(words, " "), ")'");
    for (const CompletedOption& option : OptionsOf(*command)) {
      absl::StrAppend(&cases, " \\\n      '", option.name, "[", Quoted(option.description, "'\\''"),
                      "]",
                      option.takes_path    ? ":path:_files"
                      : option.takes_value ? ":value: "
                                           : "",
                      "'");
    }
    absl::StrAppend(&cases, " ;;\n");
  }
  return absl::StrCat(
      "#compdef source-vitess\n# Completion of source-vitess for zsh: source <(source-vitess "
      "completion zsh)\n_source_vitess() {\n  local -a commands=(\n",
      commands,
      "  )\n  if ((CURRENT == 2)); then\n    _describe command commands\n    return\n  fi\n",
      "  case ${words[2]} in\n", cases, "  esac\n}\ncompdef _source_vitess source-vitess\n");
}

std::string Fish(const CLI::App& program) {
  std::string script =
      "# Completion of source-vitess for fish: source-vitess completion fish | source\n"
      "complete -c source-vitess -f\n";
  for (const CLI::App* command : CommandsOf(program)) {
    absl::StrAppend(&script, "complete -c source-vitess -n __fish_use_subcommand -a ",
                    command->get_name(), " -d '", Quoted(command->get_description(), "\\'"), "'\n");
    const std::string begin = absl::StrCat(
        "complete -c source-vitess -n '__fish_seen_subcommand_from ", command->get_name(), "'");
    const std::vector<std::string> words = WordsOf(program, *command);
    if (!words.empty()) absl::StrAppend(&script, begin, " -a '", absl::StrJoin(words, " "), "'\n");
    for (const CompletedOption& option : OptionsOf(*command)) {
      absl::StrAppend(&script, begin, " -l ", option.name.substr(2),
                      option.takes_path    ? " -r -F"
                      : option.takes_value ? " -x"
                                           : "",
                      " -d '", Quoted(option.description, "\\'"), "'\n");
    }
  }
  return script;
}

}  // namespace

const std::vector<std::string>& CompletedShells() {
  static const auto& shells = *new std::vector<std::string>{"bash", "fish", "zsh"};
  return shells;
}

std::string CompletionScript(const CLI::App& program, std::string_view shell) {
  if (shell == "bash") return Bash(program);
  return shell == "zsh" ? Zsh(program) : Fish(program);
}

}  // namespace source_vitess::commands
