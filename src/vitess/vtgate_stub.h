// The calls that this program makes to a VTGate, as gRPC sees them.
#ifndef SOURCE_VITESS_VITESS_VTGATE_STUB_H_
#define SOURCE_VITESS_VITESS_VTGATE_STUB_H_

#include <memory>

#include "absl/status/statusor.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"
#include "grpcpp/support/sync_stream.h"
#include "vitess/channel.h"
#include "vitess/vtgate.pb.h"

namespace source_vitess::vitess {

// Thread-safe. A decorator around another stub adds what belongs to every call.
class VtgateStub {
 public:
  using Reader = grpc::ClientReaderInterface<vtgate::VStreamResponse>;

  virtual ~VtgateStub() = default;

  virtual grpc::Status Execute(grpc::ClientContext& context, const vtgate::ExecuteRequest& request,
                               vtgate::ExecuteResponse* response) = 0;

  // `context` must outlive the reader.
  virtual std::unique_ptr<Reader> VStream(grpc::ClientContext& context,
                                          const vtgate::VStreamRequest& request) = 0;
};

// A stub over a new channel, which sends the options' credentials, if any, with every call. The
// errors are those of MakeChannel, and a configuration error for credentials that cannot be sent:
// Vitess's scheme takes printable ASCII only, and Basic no colon in the user's name.
absl::StatusOr<std::unique_ptr<VtgateStub>> MakeVtgateStub(const ChannelOptions& options);

}  // namespace source_vitess::vitess

#endif  // SOURCE_VITESS_VITESS_VTGATE_STUB_H_
