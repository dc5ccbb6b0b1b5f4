// source-vitess: the process around the commands.
#include <google/protobuf/stubs/logging.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "airbyte/messages.h"
#include "commands/host_watch.h"
#include "commands/run.h"
#include "telemetry/output.h"
#include "telemetry/status_server.h"
#include "vitess/vtgate_client.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif
#ifdef SOURCE_VITESS_COVERAGE
extern "C" void __gcov_dump();
#endif

namespace {

// Without what libraries do at an exit: threads of gRPC may still be at a handshake, for which
// OpenSSL must not be taken down. What tools tell at an exit is told.
[[noreturn]] void EndProcess(int exit_code) {
  std::fflush(nullptr);
#ifdef __SANITIZE_ADDRESS__
  __lsan_do_leak_check();
#endif
#ifdef SOURCE_VITESS_COVERAGE
  __gcov_dump();
#endif
  _exit(exit_code);
}

}  // namespace

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
  EndProcess(exit_code);
}
