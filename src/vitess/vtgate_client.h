// VTGate as this program uses it: queries and VStreams. An interface, so that a test can stand in
// for the server.
#ifndef SOURCE_VITESS_VITESS_VTGATE_CLIENT_H_
#define SOURCE_VITESS_VITESS_VTGATE_CLIENT_H_

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "vitess/channel.h"
#include "vitess/query.pb.h"
#include "vitess/vtgate.pb.h"

namespace source_vitess::vitess {

// One VStream. Read and Finish are for one thread; Cancel may be called from any thread, at any
// time.
class VStream {
 public:
  virtual ~VStream() = default;

  // Waits for the next message and puts it into `response`, whose memory is used again. False at
  // the end of the stream; Finish then says why it ended.
  virtual bool Read(vtgate::VStreamResponse* response) = 0;

  // How the stream ended, with the server's code and text. OK when the server ended it without an
  // error. After Cancel, the code is kCancelled, the class is not kHost, and `was_cancelled` tells.
  // REQUIRES: Read returned false.
  virtual absl::Status Finish() = 0;

  // Makes a pending or later Read return false soon.
  virtual void Cancel() = 0;
  virtual bool was_cancelled() const = 0;
};

// Thread-safe.
class VtgateClient {
 public:
  virtual ~VtgateClient() = default;

  // Runs `sql` under autocommit with `target` ("", "keyspace" or "keyspace:shard@type"; empty is no
  // keyspace). Errors of the query, which VTGate puts into the response, and of the call are both
  // returned as statuses with the code that the server gave; Vitess's codes beyond gRPC's (17, 18)
  // become kUnknown.
  virtual absl::StatusOr<query::QueryResult> Execute(std::string_view target, std::string_view sql,
                                                     absl::Duration timeout) = 0;

  // Opens a stream, which the client must outlive. Failures to connect come out of Read and Finish.
  virtual std::unique_ptr<VStream> Stream(const vtgate::VStreamRequest& request) = 0;
};

// A client over one gRPC channel, which connects when it is first used. Fails when a certificate or
// key that `options` names cannot be read. Once `stop` is requested, queries and streams that are
// under way end soon, and so does every later one, with the class kHost.
absl::StatusOr<std::unique_ptr<VtgateClient>> MakeVtgateClient(const ChannelOptions& options,
                                                               std::stop_token stop = {});

}  // namespace source_vitess::vitess

#endif  // SOURCE_VITESS_VITESS_VTGATE_CLIENT_H_
