// Airbyte's messages other than RECORD, each as one line of JSON with its newline (reference 1).
// Text that is not valid UTF-8, as servers may send it, comes out with U+FFFD in its place: the
// host must be able to decode every line.
#ifndef SOURCE_VITESS_AIRBYTE_MESSAGES_H_
#define SOURCE_VITESS_AIRBYTE_MESSAGES_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "telemetry/log.h"

namespace source_vitess::airbyte {

// The time in milliseconds since 1970, as "emitted_at" has it. Called from any thread.
using Clock = std::function<int64_t()>;

// The system's clock, to within a few milliseconds: a call costs next to nothing.
int64_t SystemMilliseconds();

// A stream: the table, and the keyspace as its namespace. No namespace and an empty one are the
// same.
struct StreamName {
  std::string name_space;
  std::string name;

  friend auto operator<=>(const StreamName&, const StreamName&) = default;
};

// "commerce.orders", or "orders" without a namespace: for messages to people.
std::string ToString(const StreamName& stream);

enum class StreamStatus { kStarted, kRunning, kComplete, kIncomplete };

std::string SpecLine(std::string_view specification);
std::string ConnectionStatusLine(bool succeeded, std::string_view message);
std::string LogLine(telemetry::Severity severity, std::string_view message);
std::string StreamStatusLine(const StreamName& stream, StreamStatus status, int64_t now_ms);

// REQUIRES: !status.ok(). Its class decides the failure type: what the user has to mend (a
// configuration, a lost position) is a config_error. `stream`: the one that it concerns; absent:
// all.
std::string TraceErrorLine(const absl::Status& status, const std::optional<StreamName>& stream,
                           int64_t now_ms);

// About how much there is of a stream (reference 1.5): records, and their bytes as they are stored.
std::string EstimateLine(const StreamName& stream, uint64_t records, uint64_t bytes,
                         int64_t now_ms);

// `state`: a JSON object on one line. `records`: of the stream, since its previous state.
std::string StateLine(const StreamName& stream, std::string_view state, uint64_t records);

// `text` in quotes, escaped.
std::string JsonString(std::string_view text);

}  // namespace source_vitess::airbyte

#endif  // SOURCE_VITESS_AIRBYTE_MESSAGES_H_
