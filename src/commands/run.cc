#include "commands/run.h"

#include <cstdio>
#include <exception>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "airbyte/logger.h"
#include "commands/arguments.h"
#include "commands/check.h"
#include "commands/discover.h"
#include "commands/doctor.h"
#include "commands/fivetran.h"
#include "commands/pretty.h"
#include "commands/read.h"
#include "commands/source.h"
#include "commands/spec.h"
#include "fivetran/logger.h"
#include "version.h"
#include "vitess/errors.h"

namespace source_vitess::commands {
namespace {

int RunCommand(const Arguments& arguments, const Environment& environment) {
  switch (arguments.command) {
    case Command::kSpec:
      return RunSpec(environment);
    case Command::kCheck:
      return RunCheck(environment, arguments.config);
    case Command::kDiscover:
      return RunDiscover(environment, arguments.config);
    case Command::kRead:
      environment.logger.Info(absl::StrCat("source-vitess ", kVersion));
      return RunRead(environment, {.config = arguments.config,
                                   .catalog = arguments.catalog,
                                   .state = arguments.state,
                                   .status = arguments.status,
                                   .progress = arguments.progress});
    case Command::kDoctor:
      return RunDoctor(environment, {.config = arguments.config,
                                     .catalog = arguments.catalog,
                                     .state = arguments.state,
                                     .json = arguments.json});
    case Command::kFivetran:
      return RunFivetran(environment, arguments.port, arguments.status);
    case Command::kHelp:
      return ExitCode(environment.output.Write(arguments.help), kSuccess);
  }
  return kFailure;
}

}  // namespace

int Run(std::vector<std::string> words, const char* log_level, telemetry::Output& host_output,
        const ClientFactory& make_client, const airbyte::Clock& clock, std::stop_token stop,
        const telemetry::StatusServerFactory& start_status_server) {
  Arguments arguments;
  UsageError error;
  const bool understood = ParseArguments(std::move(words), arguments, error);
  const telemetry::Severity least = LeastSeverity(arguments.debug, log_level);
  std::optional<PrettyOutput> pretty;
  if (understood && arguments.pretty) pretty.emplace(host_output);
  telemetry::Output& output = pretty.has_value() ? pretty->input() : host_output;
  airbyte::AirbyteLogger airbyte_logger(output, least);
  fivetran::JsonLogger fivetran_logger(output, least);
  telemetry::Logger& logger =
      arguments.is_for_fivetran ? static_cast<telemetry::Logger&>(fivetran_logger) : airbyte_logger;
  const Environment environment{output, logger,          make_client,
                                clock,  std::move(stop), start_status_server};
  if (!understood && arguments.is_for_fivetran) {
    logger.Error(absl::StrCat("The command line is not understood: ", error.message));
    return kFailure;
  }
  if (!understood) {
    std::fputs(error.usage.c_str(), stderr);
    Fail(environment, vitess::ConfigurationError(
                          absl::StrCat("The command line is not understood: ", error.message)));
    return kFailure;
  }
  try {
    return RunCommand(arguments, environment);
  } catch (const std::exception& exception) {
    return Fail(
        environment,
        vitess::WithClass(absl::InternalError(absl::StrCat("unexpected: ", exception.what())),
                          vitess::ErrorClass::kInternal));
  }
}

}  // namespace source_vitess::commands
