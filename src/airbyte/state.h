// The state that the host hands back: what StateLine wrote in an earlier run.
#ifndef SOURCE_VITESS_AIRBYTE_STATE_H_
#define SOURCE_VITESS_AIRBYTE_STATE_H_

#include <rapidjson/document.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "airbyte/messages.h"
#include "sync/table_position.h"

namespace source_vitess::airbyte {

class InputState {
 public:
  // No stream has a state.
  InputState() = default;

  // Reads an array of STREAM states, or one alone; an empty text, [], {} and null are no state
  // (reference 2.1, 7.3). Members that are not known and explicit nulls are passed over; of several
  // states of a stream the last one counts. Fails, with the class kConfiguration, when the text is
  // nothing of the kind, and for states of the types GLOBAL and LEGACY, which this program never
  // wrote. A STREAM state whose content is not ours fails in Position, for that stream alone.
  static absl::StatusOr<InputState> Parse(std::string_view json);

  // Where the stream stands. Absent: it has no state, or was reset. A failure, of the class
  // kConfiguration, names the stream.
  absl::StatusOr<std::optional<sync::TablePosition>> Position(const StreamName& stream) const;

  // The highest cursor of any state.
  uint64_t highest_cursor() const;

 private:
  absl::Status Add(const rapidjson::Value& stream_state);

  std::map<StreamName, absl::StatusOr<sync::TablePosition>> positions_;
};

}  // namespace source_vitess::airbyte

#endif  // SOURCE_VITESS_AIRBYTE_STATE_H_
