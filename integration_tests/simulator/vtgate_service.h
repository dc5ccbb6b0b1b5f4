// VTGate's gRPC service over a cluster in memory.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_VTGATE_SERVICE_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_VTGATE_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "simulator/cluster.h"
#include "simulator/faults.h"
#include "simulator/stream_options.h"
#include "vitess/vtgate.pb.h"
#include "vitess/vtgateservice.grpc.pb.h"

namespace source_vitess::simulator {

struct StaticUser {
  std::string username;
  std::string password;
  // Known by HTTP Basic authentication, as PlanetScale's endpoint wants it, instead of by Vitess's
  // static one.
  bool basic = false;
};

struct ServiceOptions {
  StreamOptions streams;
  // Wanted from every call, if set.
  std::optional<StaticUser> user;
  // More rows in an answer are an error, unless the session's workload is OLAP: vttablet's
  // --queryserver-config-max-result-size.
  uint64_t max_result_rows = 10000;
  // The largest message that is sent: VTGate's --grpc-max-message-size.
  size_t max_message_bytes = 16 << 20;
};

// VStream is served in bytes, so that faults can send what is no message.
using VtgateServiceInterface = vtgateservice::Vitess::WithCallbackMethod_Execute<
    vtgateservice::Vitess::WithCallbackMethod_StreamExecute<
        vtgateservice::Vitess::WithCallbackMethod_CloseSession<
            vtgateservice::Vitess::WithRawCallbackMethod_VStream<vtgateservice::Vitess::Service>>>>;

// Every VStream call has a thread of its own, so a slow client blocks only itself. Thread-safe.
class VtgateService : public VtgateServiceInterface {
 public:
  // Borrows cluster and faults.
  VtgateService(Cluster& cluster, Faults& faults, ServiceOptions options);
  // Waits for the threads of all calls. The server must have been shut down.
  ~VtgateService() override;

  grpc::ServerUnaryReactor* Execute(grpc::CallbackServerContext* context,
                                    const vtgate::ExecuteRequest* request,
                                    vtgate::ExecuteResponse* response) override;
  grpc::ServerWriteReactor<vtgate::StreamExecuteResponse>* StreamExecute(
      grpc::CallbackServerContext* context, const vtgate::StreamExecuteRequest* request) override;
  grpc::ServerUnaryReactor* CloseSession(grpc::CallbackServerContext* context,
                                         const vtgate::CloseSessionRequest* request,
                                         vtgate::CloseSessionResponse* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* VStream(grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer* request) override;

  // Ends all streams that run with UNAVAILABLE, as a VTGate does that goes down.
  void EndStreams();

  // The VStream calls that are under way.
  size_t running_streams();
  // The VStream requests that have come, in their order.
  std::vector<vtgate::VStreamRequest> stream_requests();
  // The statements that have come through Execute and StreamExecute, in their order.
  std::vector<std::string> statements();

 private:
  class StreamCall;

  grpc::Status Authenticate(const grpc::CallbackServerContext& context) const;
  void RunQuery(const query::BoundQuery& query, const vtgate::Session& session,
                vtgate::ExecuteResponse& response);
  void Ended(StreamCall* call);

  Cluster& cluster_;
  Faults& faults_;
  const ServiceOptions options_;
  absl::Mutex mutex_;
  std::set<StreamCall*> running_ ABSL_GUARDED_BY(mutex_);
  std::vector<vtgate::VStreamRequest> stream_requests_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> statements_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_VTGATE_SERVICE_H_
