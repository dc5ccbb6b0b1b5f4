// source-vitess: the process around the commands.
#include <google/protobuf/stubs/logging.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "airbyte/messages.h"
#include "commands/host_watch.h"
#include "commands/run.h"
#include "telemetry/output.h"
#include "telemetry/status_server.h"
#include "vitess/vtgate_client.h"

int main(int argc, char** argv) {
  // Hosts show everything on stderr as an error; what Protocol Buffers finds comes back as a status
  // as well.
  google::protobuf::SetLogHandler(nullptr);
  source_vitess::telemetry::IgnoreBrokenPipes();
  source_vitess::telemetry::Output output(STDOUT_FILENO);
  source_vitess::commands::HostWatch watch(output, STDOUT_FILENO);
  const int exit_code = source_vitess::commands::Run(
      std::vector<std::string>(argv + 1, argv + argc), std::getenv("LOG_LEVEL"), output,
      source_vitess::vitess::MakeVtgateClient, source_vitess::airbyte::SystemMilliseconds,
      watch.stop(), source_vitess::telemetry::StartStatusServer);
  watch.Leave();
  return exit_code;
}
