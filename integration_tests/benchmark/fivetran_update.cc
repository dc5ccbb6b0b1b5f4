#include "benchmark/fivetran_update.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "benchmark/sample_table.h"
#include "fivetran/connector_sdk.grpc.pb.h"
#include "fivetran/server.h"
#include "harness/process.h"

namespace source_vitess::benchmark {
namespace {

namespace sdk = fivetran_sdk::v2;

constexpr char kMethod[] = "/fivetran_sdk.v2.SourceConnector/Update";
constexpr int kLargestMessage = 128 << 20;
constexpr std::string_view kListening = "Listening on port ";

// As large as a batch of a hundred rows of the sample table.
constexpr size_t kBatchBytes = 44'000;

class BytesHandler final : public fivetran::Handler {
 public:
  explicit BytesHandler(uint64_t bytes) : bytes_(bytes) {}

  absl::StatusOr<sdk::ConfigurationFormResponse> ConfigurationForm() override {
    return sdk::ConfigurationFormResponse();
  }
  absl::StatusOr<sdk::TestResponse> Test(const sdk::TestRequest&, std::stop_token) override {
    return sdk::TestResponse();
  }
  absl::StatusOr<sdk::SchemaResponse> Schema(const sdk::SchemaRequest&, std::stop_token) override {
    return sdk::SchemaResponse();
  }
  absl::Status Update(const sdk::UpdateRequest&, fivetran::ResponseStream& out,
                      std::stop_token) override {
    const std::string message(kBatchBytes, 'x');
    for (uint64_t sent = 0; sent < bytes_; sent += message.size()) {
      if (absl::Status status = out.Write(message); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  const uint64_t bytes_;
};

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

// The number behind "Listening on port ".
absl::StatusOr<int> PortOf(harness::Process& connector, absl::Time deadline) {
  while (const std::optional<std::string> line = connector.ReadLine(deadline)) {
    const size_t at = line->find(kListening);
    if (at == std::string::npos) continue;
    const std::string number = line->substr(at + kListening.size());
    int port = 0;
    if (absl::SimpleAtoi(number.substr(0, number.find_first_not_of("0123456789")), &port)) {
      return port;
    }
  }
  return absl::UnavailableError(
      absl::StrCat("the connector does not listen: ", connector.errors()));
}

void Take(const grpc::ByteBuffer& message, UpdateResult& result, absl::Status& status) {
  grpc::ByteBuffer copy = message;
  sdk::UpdateResponse response;
  if (!grpc::SerializationTraits<sdk::UpdateResponse>::Deserialize(&copy, &response).ok()) {
    status = absl::InternalError("the connector sent a message that cannot be parsed");
  } else if (response.has_task()) {
    status = absl::InternalError(absl::StrCat("the Update ended: ", response.task().message()));
  } else if (response.has_checkpoint()) {
    result.state = response.checkpoint().state_json();
  }
  for (const sdk::Record& record : response.records().records()) {
    if (record.type() != sdk::TRUNCATE) ++result.records;
  }
}

// Receives the messages one after the other, without anything that is not needed for that.
absl::Status Receive(int port, const sdk::UpdateRequest& request, bool count,
                     absl::Duration timeout, UpdateResult& result) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kLargestMessage);
  grpc::GenericStub stub(grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", port),
                                                   grpc::InsecureChannelCredentials(), arguments));
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  grpc::CompletionQueue queue;
  const auto wait = [&] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto call = stub.PrepareCall(&context, kMethod, &queue);
  call->StartCall(nullptr);
  wait();
  const std::string bytes = request.SerializeAsString();
  const grpc::Slice slice(bytes);
  call->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), nullptr);
  wait();
  absl::Status status;
  for (;;) {
    grpc::ByteBuffer message;
    call->Read(&message, nullptr);
    if (!wait()) break;
    result.bytes += message.Length();
    if (count && status.ok()) Take(message, result, status);
  }
  grpc::Status ended;
  call->Finish(&ended, nullptr);
  wait();
  if (!ended.ok()) {
    return absl::InternalError(absl::StrCat("the Update failed: ", ended.error_message()));
  }
  return status;
}

}  // namespace

absl::StatusOr<UpdateResult> RunUpdate(const std::vector<std::string>& command, int vtgate_port,
                                       const std::string& state, bool count,
                                       absl::Duration timeout) {
  UpdateResult result;
  const absl::Time start = absl::Now();
  auto connector = harness::Process::Start(command);
  if (!connector.ok()) return connector.status();
  const auto port = PortOf(**connector, start + timeout);
  if (!port.ok()) return port.status();

  sdk::UpdateRequest request;
  (*request.mutable_configuration())["host"] = "127.0.0.1";
  (*request.mutable_configuration())["port"] = absl::StrCat(vtgate_port);
  (*request.mutable_configuration())["keyspaces"] = kKeyspace;
  request.set_state_json(state);
  if (absl::Status status = Receive(*port, request, count, timeout, result); !status.ok()) {
    return status;
  }
  (*connector)->Signal(SIGTERM);
  const std::optional<harness::ProcessExit> exit = (*connector)->Wait(start + timeout);
  if (!exit.has_value()) return absl::InternalError("the connector does not end");
  result.cost.wall_seconds = absl::ToDoubleSeconds(absl::Now() - start);
  result.cost.user_seconds = Seconds(exit->usage.ru_utime);
  result.cost.system_seconds = Seconds(exit->usage.ru_stime);
  result.cost.peak_bytes = int64_t{exit->usage.ru_maxrss} * 1024;
  return result;
}

int ServeBytes(uint64_t bytes) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  BytesHandler handler(bytes);
  const auto server = fivetran::StartServer(0, handler);
  if (!server.ok()) return 1;
  std::printf("%s%d.\n", std::string(kListening).c_str(), (*server)->port());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  // The call has ended. Behind many writes gRPC 1.51 may wait ten seconds for a poller of its own
  // before it lets go of a last server, which is none of the cost of sending.
  std::_Exit(0);
}

}  // namespace source_vitess::benchmark
