// What the host expects of the columns of streams, and what it is told, in the log, of those that
// differ.
#ifndef SOURCE_VITESS_AIRBYTE_STREAM_COLUMNS_H_
#define SOURCE_VITESS_AIRBYTE_STREAM_COLUMNS_H_

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "airbyte/catalog.h"
#include "airbyte/declared_type.h"
#include "airbyte/messages.h"
#include "telemetry/log.h"

namespace source_vitess::airbyte {

// Values that records could not tell as they are.
struct AlteredValues {
  uint64_t nulled = 0;    // the declared type has no place for them
  uint64_t replaced = 0;  // they have U+FFFD for bytes that mean nothing in their character set
};

// Thread-safe.
class StreamColumns {
 public:
  // `logger` must outlive this.
  StreamColumns(std::span<const ConfiguredStream> streams, telemetry::Logger& logger);

  // What the configured catalog declares; kAny for what it does not have.
  DeclaredType Declared(const StreamName& stream, const std::string& column) const;

  // Each logs a warning, once per column: the table has got a column since the sync began; a column
  // is now of another type than its declaration was made for.
  void NoteNew(const StreamName& stream, const std::string& column);
  void NoteOtherType(const StreamName& stream, const std::string& column, std::string_view type);

  // Adds to what LogAltered tells of the column.
  void Count(const StreamName& stream, const std::string& column, const AlteredValues& values);

  // Logs a line for each column of the stream that had such values, once.
  void LogAltered(const StreamName& stream);

 private:
  void Warn(const StreamName& stream, const std::string& column, std::string_view what);

  std::map<StreamName, std::map<std::string, DeclaredType>> declared_;
  telemetry::Logger& logger_;
  std::mutex mutex_;
  std::set<std::pair<StreamName, std::string>> warned_;                 // guarded by mutex_
  std::map<StreamName, std::map<std::string, AlteredValues>> altered_;  // likewise
};

}  // namespace source_vitess::airbyte

#endif  // SOURCE_VITESS_AIRBYTE_STREAM_COLUMNS_H_
