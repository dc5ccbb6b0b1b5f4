// The state that the host hands back: what StateLine wrote in an earlier run.
#ifndef SOURCE_VITESS_AIRBYTE_STATE_H_
#define SOURCE_VITESS_AIRBYTE_STATE_H_

#include <rapidjson/document.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "airbyte/messages.h"
#include "sync/table_position.h"

namespace source_vitess::airbyte {

class InputState {
 public:
  // No stream has a state.
  InputState() = default;

  // Reads an array of STREAM states, or one alone, each with or without the message around it; an
  // empty text, [], {} and null are no state (reference 2.1, 7.3). Members that are not known and
  // explicit nulls are passed over; of several states of a stream the last one counts. Fails, with
  // the class kConfiguration, when the text is nothing of the kind, and for states of the types
  // GLOBAL and LEGACY, which this program never wrote. What PlanetScale's connector for Airbyte
  // wrote is taken over, as STREAM states and as its one object for all streams, alone or of type
  // LEGACY (docs/planetscale.md); notes() tells of each table. Any other STREAM state whose content
  // is not ours fails in Position, for that stream alone.
  static absl::StatusOr<InputState> Parse(std::string_view json);

  // Where the stream stands. Absent: it has no state, or was reset. A failure, of the class
  // kConfiguration, names the stream.
  absl::StatusOr<std::optional<sync::TablePosition>> Position(const StreamName& stream) const;

  // Whether PlanetScale's connector wrote the stream's state. It means nothing to a full refresh.
  bool IsTakenOver(const StreamName& stream) const { return taken_over_.contains(stream); }

  // What there is to say of how the state was read, a sentence each.
  std::vector<std::string> notes() const;

  // The highest cursor of any state.
  uint64_t highest_cursor() const;

 private:
  absl::Status AddElement(const rapidjson::Value& element);
  absl::Status Add(const rapidjson::Value& stream_state);
  void AddLegacy(const rapidjson::Value& streams);
  void TakeOver(const StreamName& stream, const rapidjson::Value& state);

  std::map<StreamName, absl::StatusOr<sync::TablePosition>> positions_;
  std::map<StreamName, std::string> taken_over_;  // what there is to say of it
};

}  // namespace source_vitess::airbyte

#endif  // SOURCE_VITESS_AIRBYTE_STATE_H_
