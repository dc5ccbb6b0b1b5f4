// A VTGate that says again what one said: each VStream call gets the messages of a recording, byte
// for byte.
#ifndef SOURCE_VITESS_RECORDINGS_REPLAY_SERVER_H_
#define SOURCE_VITESS_RECORDINGS_REPLAY_SERVER_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "recordings/recording.h"
#include "recordings/replay_answers.h"
#include "vitess/vtgate.pb.h"

namespace source_vitess::recordings {

// Which VStream calls a route is for. A call copies when a shard of its request has no position or
// an entry in table_p_ks, and replicates otherwise.
enum class ReplayPhase { kAny, kCopy, kReplicate };

struct ReplayRoute {
  // Empty: calls of any tables. Else those whose filter has one rule, for this table.
  std::string table;
  ReplayPhase phase = ReplayPhase::kAny;
  // What is sent, whatever else the request says. Null: heartbeats alone, as from a server at which
  // nothing happens.
  std::shared_ptr<const Recording> recording;
  // Of the recording, only ChangesAfter the request's position; then heartbeats.
  bool changes_only = false;
};

struct ReplayOptions {
  int port = 0;  // on the loopback interface; 0: any that is free
  // The first that a call fits is taken; a call that fits none fails with UNIMPLEMENTED.
  std::vector<ReplayRoute> routes;
  // Of shards, by "keyspace:shard", instead of where the recordings end.
  std::map<std::string, ReplayPosition> positions;
  // Between two heartbeats; absent: as the request asks.
  std::optional<absl::Duration> heartbeat_interval;
  // Asked before the server's own answers (ReplayAnswers); may be called from several threads at
  // once.
  std::function<std::optional<vtgate::ExecuteResponse>(const vtgate::ExecuteRequest&)> execute;
};

// Listens from Start to the destructor, which ends the calls that are still open. Thread-safe.
class RecordingServer {
 public:
  // Fails when an Execute recording cannot be read or the port cannot be had.
  static absl::StatusOr<std::unique_ptr<RecordingServer>> Start(ReplayOptions options);

  // With one route, for all calls.
  static absl::StatusOr<std::unique_ptr<RecordingServer>> Start(const std::string& recording);

  ~RecordingServer();

  int port() const;
  std::string address() const;  // "127.0.0.1:port"

  // The requests so far, in the order of arrival.
  std::vector<vtgate::VStreamRequest> stream_requests() const;
  std::vector<vtgate::ExecuteRequest> execute_requests() const;

 private:
  class Service;
  struct State;
  explicit RecordingServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace source_vitess::recordings

#endif  // SOURCE_VITESS_RECORDINGS_REPLAY_SERVER_H_
