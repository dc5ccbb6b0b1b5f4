// What a command has besides its arguments: where its messages go, and how it reaches Vitess. A
// test hands in its own.
#ifndef SOURCE_VITESS_COMMANDS_ENVIRONMENT_H_
#define SOURCE_VITESS_COMMANDS_ENVIRONMENT_H_

#include <functional>
#include <memory>
#include <stop_token>

#include "absl/status/statusor.h"
#include "airbyte/messages.h"
#include "telemetry/log.h"
#include "telemetry/output.h"
#include "telemetry/status_server.h"
#include "vitess/channel.h"
#include "vitess/vtgate_client.h"

namespace source_vitess::commands {

// vitess::MakeVtgateClient.
using ClientFactory = std::function<absl::StatusOr<std::unique_ptr<vitess::VtgateClient>>(
    const vitess::ChannelOptions&, std::stop_token)>;

struct Environment {
  telemetry::Output& output;
  telemetry::Logger& logger;
  ClientFactory make_client;
  airbyte::Clock clock;
  std::stop_token stop;  // requested when the host wants the program, or this call, to end
  telemetry::StatusServerFactory start_status_server = nullptr;  // null: there is none
};

// Exit codes.
constexpr int kSuccess = 0;  // also when the host has gone
constexpr int kFailure = 1;

}  // namespace source_vitess::commands

#endif  // SOURCE_VITESS_COMMANDS_ENVIRONMENT_H_
