// What a real VTGate sent (README.md), loaded for tests and for the replay server.
#ifndef SOURCE_VITESS_RECORDINGS_RECORDING_H_
#define SOURCE_VITESS_RECORDINGS_RECORDING_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vitess/vtgate.pb.h"

namespace source_vitess::recordings {

// One VStream call.
struct Recording {
  std::string name;
  vtgate::VStreamRequest request;

  // Each message as it came; `responses[i]` is `raw_responses[i]` parsed.
  std::vector<std::string> raw_responses;
  std::vector<vtgate::VStreamResponse> responses;

  // How the server ended the stream. Absent where the recorder hung up ("CUT"): the server would
  // have gone on.
  std::optional<absl::Status> end;

  // Reads the three files of `name`. Not found, a file that is cut off, and text or bytes that do
  // not parse are errors that name the file.
  static absl::StatusOr<Recording> Load(std::string_view name);
};

// One Execute call.
struct ExecuteRecording {
  std::string name;
  vtgate::ExecuteRequest request;
  std::string raw_response;
  vtgate::ExecuteResponse response;  // raw_response, parsed

  // `name` is without the "execute-" of the files.
  static absl::StatusOr<ExecuteRecording> Load(std::string_view name);
};

// Names that Load takes, sorted.
std::vector<std::string> RecordingNames();
std::vector<std::string> ExecuteRecordingNames();

// The messages of the recording that a replication from `from` would have brought: those of
// transactions that `from` does not contain, without copies and heartbeats. As indices into
// raw_responses. A shard that `from` has no position for is replicated from its beginning.
std::vector<size_t> ChangesAfter(const Recording& recording, const binlogdata::VGtid& from);

// A position of one shard.
struct ShardPosition {
  std::string keyspace;
  std::string shard;
  std::string position;  // "MySQL56/..."
};

// Where each shard of the recording stood last: what the last VGTID that names the shard says, or
// else the request. A stream's positions only grow, so this contains everything before it. Shards
// without a position ("", "current", text without a flavor) are left out. In the order of their
// first appearance.
std::vector<ShardPosition> LastPositions(const Recording& recording);

}  // namespace source_vitess::recordings

#endif  // SOURCE_VITESS_RECORDINGS_RECORDING_H_
