// vitess-replay: a server that answers every VStream call with one recording. For trying the
// connector by hand.
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/str_join.h"
#include "recordings/recording.h"
#include "recordings/replay_server.h"

namespace {

using ::source_vitess::recordings::Recording;
using ::source_vitess::recordings::RecordingNames;
using ::source_vitess::recordings::RecordingServer;
using ::source_vitess::recordings::ReplayOptions;
using ::source_vitess::recordings::ReplayPhase;

int Serve(const std::string& name, int port, bool split) {
  absl::StatusOr<Recording> recording = Recording::Load(name);
  if (!recording.ok()) {
    std::fprintf(stderr, "%s\nThere are: %s\n", recording.status().ToString().c_str(),
                 absl::StrJoin(RecordingNames(), " ").c_str());
    return 1;
  }
  ReplayOptions options;
  options.port = port;
  const auto loaded = std::make_shared<const Recording>(*std::move(recording));
  if (split) options.routes.push_back({"", ReplayPhase::kReplicate, loaded, true});
  options.routes.push_back({"", ReplayPhase::kAny, loaded});

  // Blocked before gRPC starts its threads, which inherit the mask.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  absl::StatusOr<std::unique_ptr<RecordingServer>> server =
      RecordingServer::Start(std::move(options));
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", server.status().ToString().c_str());
    return 1;
  }
  std::printf("%s\n", (*server)->address().c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Answers as a VTGate did: every VStream call gets the messages of one recording.");
  std::string recording;
  int port = 0;
  bool split = false;
  app.add_option("--recording", recording, "Name of the recording")->required();
  app.add_option("--port", port, "Port on 127.0.0.1; 0 takes any that is free, and prints it")
      ->check(CLI::Range(0, 65535));
  app.add_flag("--split", split,
               "Send calls that replicate only the changes behind their position, not the copies");
  CLI11_PARSE(app, argc, argv);
  return Serve(recording, port, split);
}
