#include "benchmark/floor.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "vitess/vtgateservice.grpc.pb.h"

namespace source_vitess::benchmark {

absl::Status ReceiveAndDrop(const Workload& workload, int port) {
  const auto stub = vtgateservice::Vitess::NewStub(
      grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  const auto stream = stub->VStream(&context, workload.Request());
  vtgate::VStreamResponse response;
  uint64_t received = 0;
  while (received < workload.messages() && stream->Read(&response)) ++received;
  context.TryCancel();
  const grpc::Status status = stream->Finish();
  if (received == workload.messages()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("the stream ended after ", received, " of ",
                                          workload.messages(),
                                          " messages: ", status.error_message()));
}

}  // namespace source_vitess::benchmark
