// vitess-simulator: serves a cluster made from a seed file, or runs one statement against a VTGate.
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "simulator/result_table.h"
#include "simulator/simulator.h"
#include "vitess/vtgateservice.grpc.pb.h"

namespace source_vitess::simulator {
namespace {

struct ServeArguments {
  std::string host = "127.0.0.1";
  int port = 0;
  std::vector<std::string> seeds;
  std::string username;
  std::string password;
  int version = 0;
  size_t packet_bytes = StreamOptions().packet_bytes;
};

struct SqlArguments {
  std::string address;
  std::string target;
  std::string statement;
};

int Fail(const std::string& message) {
  std::cerr << message << '\n';
  return 1;
}

// Blocks the signals that end the program, in this thread and in those that it starts.
sigset_t BlockEndingSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

int Serve(const ServeArguments& arguments) {
  const sigset_t signals = BlockEndingSignals();
  SimulatorOptions options;
  options.cluster.version = VersionProfile::Of(arguments.version);
  options.service.streams.packet_bytes = arguments.packet_bytes;
  if (!arguments.username.empty())
    options.service.user = StaticUser{arguments.username, arguments.password};
  Simulator simulator(options);
  for (const std::string& seed : arguments.seeds) {
    const std::ifstream file(seed);
    std::stringstream script;
    script << file.rdbuf();
    if (!file) return Fail("cannot read " + seed);
    if (absl::Status status = simulator.cluster().RunScript(script.str()); !status.ok()) {
      return Fail(seed + ": " + std::string(status.message()));
    }
  }
  if (const absl::StatusOr<int> port = simulator.Start(arguments.host, arguments.port);
      !port.ok()) {
    return Fail(std::string(port.status().message()));
  }
  std::cout << simulator.address() << std::endl;
  int signal = 0;
  sigwait(&signals, &signal);
  simulator.Stop();
  return 0;
}

int RunStatement(const SqlArguments& arguments) {
  const auto stub = vtgateservice::Vitess::NewStub(
      grpc::CreateChannel(arguments.address, grpc::InsecureChannelCredentials()));
  vtgate::ExecuteRequest request;
  request.mutable_session()->set_autocommit(true);
  request.mutable_session()->set_target_string(arguments.target);
  request.mutable_query()->set_sql(arguments.statement);
  vtgate::ExecuteResponse response;
  grpc::ClientContext context;
  const grpc::Status status = stub->Execute(&context, request, &response);
  if (!status.ok()) return Fail(status.error_message());
  if (response.has_error()) return Fail(response.error().message());
  std::cout << ResultTable(response.result());
  return 0;
}

}  // namespace
}  // namespace source_vitess::simulator

int main(int argc, char** argv) {
  namespace simulator = source_vitess::simulator;
  CLI::App app("A VTGate in one process, for tests and demonstrations");
  simulator::ServeArguments serve;
  app.add_option("--host", serve.host, "Address to listen on");
  app.add_option("--port", serve.port, "Port to listen on; 0 takes a free one");
  app.add_option("--seed", serve.seeds, "SQL files to run before serving");
  app.add_option("--username", serve.username, "User name that every call must give");
  app.add_option("--password", serve.password, "Password that every call must give");
  app.add_option("--vitess-version", serve.version,
                 "Major version of Vitess to behave as (18 to 25)");
  app.add_option("--packet-bytes", serve.packet_bytes, "Bytes of row values in a message");
  simulator::SqlArguments sql;
  CLI::App* sql_command =
      app.add_subcommand("sql", "Run one statement against a VTGate, and print its answer");
  sql_command->add_option("--address", sql.address, "host:port of the VTGate")->required();
  sql_command->add_option("--target", sql.target, "Keyspace, or keyspace:shard@type");
  sql_command->add_option("statement", sql.statement, "The statement")->required();
  app.require_subcommand(0, 1);
  CLI11_PARSE(app, argc, argv);
  return sql_command->parsed() ? simulator::RunStatement(sql) : simulator::Serve(serve);
}
