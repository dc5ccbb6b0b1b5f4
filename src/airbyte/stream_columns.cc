#include "airbyte/stream_columns.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "text/absl_view.h"

namespace source_vitess::airbyte {
namespace {

std::string Named(const StreamName& stream, const std::string& column) {
  return absl::StrCat("Stream ", ToString(stream), ", column ", column, ": ");
}

std::string Values(uint64_t count) {
  return absl::StrCat(count, count == 1 ? " value" : " values");
}

}  // namespace

StreamColumns::StreamColumns(std::span<const ConfiguredStream> streams, telemetry::Logger& logger)
    : logger_(logger) {
  for (const ConfiguredStream& stream : streams) {
    for (const ConfiguredColumn& column : stream.columns) {
      declared_[stream.name][column.name] = column.type;
    }
  }
}

DeclaredType StreamColumns::Declared(const StreamName& stream, const std::string& column) const {
  const auto columns = declared_.find(stream);
  if (columns == declared_.end()) return DeclaredType::kAny;
  const auto declared = columns->second.find(column);
  return declared == columns->second.end() ? DeclaredType::kAny : declared->second;
}

void StreamColumns::NoteNew(const StreamName& stream, const std::string& column) {
  Warn(stream, column,
       "the table has got it since the sync began, and the connection does not know it, so that "
       "records leave it out. Refresh the source's schema to read it.");
}

void StreamColumns::NoteOtherType(const StreamName& stream, const std::string& column,
                                  std::string_view type) {
  Warn(stream, column,
       absl::StrCat("it is of type ", text::AbslView(type), ", while the connection has it as ",
                    text::AbslView(Describe(Declared(stream, column))),
                    "; values that do not fit are null, with a note in their records. Refresh the "
                    "source's schema."));
}

void StreamColumns::Warn(const StreamName& stream, const std::string& column,
                         std::string_view what) {
  {
    const std::lock_guard lock(mutex_);
    if (!warned_.emplace(stream, column).second) return;
  }
  logger_.Warning(absl::StrCat(Named(stream, column), text::AbslView(what)));
}

void StreamColumns::Count(const StreamName& stream, const std::string& column,
                          const AlteredValues& values) {
  const std::lock_guard lock(mutex_);
  AlteredValues& sum = altered_[stream][column];
  sum.nulled += values.nulled;
  sum.replaced += values.replaced;
}

void StreamColumns::LogAltered(const StreamName& stream) {
  std::map<std::string, AlteredValues> columns;
  {
    const std::lock_guard lock(mutex_);
    const auto found = altered_.find(stream);
    if (found == altered_.end()) return;
    columns = std::move(found->second);
    altered_.erase(found);
  }
  for (const auto& [column, values] : columns) {
    if (values.nulled > 0) {
      logger_.Warning(absl::StrCat(Named(stream, column), Values(values.nulled),
                                   " had no place in the declared type and became null; the "
                                   "records' meta.changes say which."));
    }
    if (values.replaced > 0) {
      logger_.Warning(absl::StrCat(Named(stream, column), Values(values.replaced),
                                   " had bytes that mean nothing in the column's character set, "
                                   "which became U+FFFD; the records' meta.changes say which."));
    }
  }
}

}  // namespace source_vitess::airbyte
