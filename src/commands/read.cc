#include "commands/read.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "airbyte/airbyte_sink.h"
#include "airbyte/catalog.h"
#include "airbyte/declared_type.h"
#include "airbyte/state.h"
#include "commands/patience.h"
#include "commands/source.h"
#include "sync/schema_reader.h"
#include "sync/sync.h"
#include "text/absl_view.h"
#include "vitess/errors.h"

namespace source_vitess::commands {
namespace {

using airbyte::ConfiguredStream;
using airbyte::StreamName;

// Cursors begin with the clock, in units of which fewer pass than records can be sent. So a run's
// cursors never get ahead of the clock, and the next run's are above them even where no state tells
// of them. Stays below 2^53, where JSON's numbers are exact everywhere, until 2041.
constexpr uint64_t kCursorsPerMillisecond = 4000;

struct Inputs {
  config::Options options;
  std::vector<ConfiguredStream> streams;
  airbyte::InputState state;
};

absl::StatusOr<Inputs> ReadInputs(const ReadArguments& arguments) {
  Inputs inputs;
  auto options = ReadOptions(arguments.config);
  if (!options.ok()) return options.status();
  inputs.options = *std::move(options);

  auto catalog = ReadFile("the configured catalog", arguments.catalog);
  if (!catalog.ok()) return catalog.status();
  auto streams = airbyte::ParseConfiguredCatalog(*catalog);
  if (!streams.ok()) return streams.status();
  inputs.streams = *std::move(streams);

  if (arguments.state.empty()) return inputs;
  auto text = ReadFile("the input state", arguments.state);
  if (!text.ok()) return text.status();
  auto state = airbyte::InputState::Parse(*text);
  if (!state.ok()) return state.status();
  inputs.state = *std::move(state);
  return inputs;
}

absl::Status StreamError(const StreamName& stream, std::string_view problem) {
  return vitess::ConfigurationError(
      absl::StrCat("Stream ", airbyte::ToString(stream), ": ", text::AbslView(problem)));
}

// The tables of the keyspaces, each read when it is first asked for.
class Tables {
 public:
  // Both must outlive this.
  Tables(const Source& source, Patience& patience) : source_(source), patience_(patience) {}

  // The table of the stream, or why it cannot be read. Valid as long as this.
  absl::StatusOr<const mysql::TableSchema*> Find(const StreamName& stream) {
    const config::Options& options = source_.options;
    if (stream.name_space.empty()) {
      return StreamError(
          stream,
          "it has no namespace, which has to be its keyspace. Refresh the source's schema.");
    }
    if (!Contains(options.keyspaces, stream.name_space)) {
      return StreamError(stream,
                         "its keyspace is not among those of option \"keyspaces\". Add it there, "
                         "or take the stream out of the connection.");
    }
    if (!Contains(source_.keyspaces, stream.name_space)) {
      return StreamError(stream, absl::StrCat("Vitess has no such keyspace any more. It has: ",
                                              absl::StrJoin(source_.keyspaces, ", "),
                                              ". Take the stream out of the connection."));
    }
    if (!options.WantsTable(stream.name_space, stream.name)) {
      return StreamError(stream,
                         "options \"tables.include\" and \"tables.exclude\" leave it out. Change "
                         "them, or take the stream out of the connection.");
    }
    const auto& tables = TablesOf(stream.name_space);
    if (!tables.ok()) return tables.status();
    for (const mysql::TableSchema& table : *tables) {
      if (table.name == stream.name) return &table;
    }
    return StreamError(stream,
                       "there is no such table any more. Refresh the source's schema and take the "
                       "stream out of the connection.");
  }

 private:
  static bool Contains(const std::vector<std::string>& texts, const std::string& text) {
    return std::find(texts.begin(), texts.end(), text) != texts.end();
  }

  const absl::StatusOr<std::vector<mysql::TableSchema>>& TablesOf(const std::string& keyspace) {
    const auto known = tables_.find(keyspace);
    if (known != tables_.end()) return known->second;
    const auto read = [&] {
      return sync::ReadTableSchemas(*source_.client, keyspace, kQueryTimeout);
    };
    return tables_.emplace(keyspace, patience_.Try(read)).first->second;
  }

  const Source& source_;
  Patience& patience_;
  std::map<std::string, absl::StatusOr<std::vector<mysql::TableSchema>>> tables_;
};

// The configured columns that the table still has.
absl::StatusOr<std::vector<std::string>> SelectColumns(const ConfiguredStream& stream,
                                                       const mysql::TableSchema& table,
                                                       telemetry::Logger& logger) {
  std::vector<std::string> selected;
  for (const airbyte::ConfiguredColumn& column : stream.columns) {
    if (table.FindColumn(column.name) != nullptr) {
      selected.push_back(column.name);
      continue;
    }
    logger.Warning(absl::StrCat("Stream ", airbyte::ToString(stream.name), ": there is no column ",
                                column.name, " any more; the records do not have it."));
  }
  if (!selected.empty()) return selected;
  return StreamError(
      stream.name,
      "the table has none of its configured columns any more. Refresh the source's schema.");
}

// Whether the table's key, and the types of its columns, are what the connection takes them for:
// other columns can become null where they are not, but rows cannot do without their keys.
absl::Status CheckKey(const ConfiguredStream& stream, const mysql::TableSchema& table,
                      const mysql::TypeOptions& types) {
  const std::set<std::string> of_connection(stream.primary_key.begin(), stream.primary_key.end());
  const std::set<std::string> of_table(table.key.begin(), table.key.end());
  if (stream.incremental && !of_connection.empty() && of_connection != of_table) {
    // The destination would take rows for one that are not, or keep some that are gone.
    return StreamError(
        stream.name,
        absl::StrCat("its key is (", absl::StrJoin(stream.primary_key, ", "),
                     ") in the connection, and the table's is (", absl::StrJoin(table.key, ", "),
                     ") now. Refresh the source's schema, and the stream."));
  }
  for (const airbyte::ConfiguredColumn& column : stream.columns) {
    if (std::find(table.key.begin(), table.key.end(), column.name) == table.key.end()) continue;
    const airbyte::DeclaredType now =
        airbyte::DeclaredTypeOf(table, *table.FindColumn(column.name), types);
    if (column.type == airbyte::DeclaredType::kAny || column.type == now) continue;
    return StreamError(
        stream.name, absl::StrCat("column ", column.name, " of its key is ",
                                  text::AbslView(airbyte::Describe(column.type)),
                                  " in the connection and ", text::AbslView(airbyte::Describe(now)),
                                  " now. Refresh the source's schema, and the stream."));
  }
  return absl::OkStatus();
}

// Whether a full refresh has nothing left to do (reference 3.6).
bool IsComplete(const sync::TablePosition& position) {
  return position.IsCopied() && position.snapshot.empty();
}

absl::StatusOr<sync::TableRequest> MakeRequest(const ConfiguredStream& stream, const Inputs& inputs,
                                               Tables& tables, telemetry::Logger& logger) {
  if (!stream.status.ok()) return stream.status;
  const auto table = tables.Find(stream.name);
  if (!table.ok()) return table.status();
  auto columns = SelectColumns(stream, **table, logger);
  if (!columns.ok()) return columns.status();
  if (absl::Status key = CheckKey(stream, **table, inputs.options.types); !key.ok()) return key;
  auto position = inputs.state.Position(stream.name);
  if (!position.ok()) return position.status();

  sync::TableRequest request{.schema = **table,
                             .incremental = stream.incremental,
                             .columns = *std::move(columns),
                             .position = *std::move(position)};
  // Nothing of what another connector delivered belongs to the rows of a full refresh.
  if (!request.incremental && inputs.state.IsTakenOver(stream.name)) request.position.reset();
  if (request.incremental && !airbyte::SupportsIncremental(**table, inputs.options.types)) {
    logger.Warning(
        absl::StrCat("Stream ", airbyte::ToString(stream.name),
                     ": the table has no key by which changes could be told apart, so it "
                     "is read as a whole in every sync."));
    request.incremental = false;
    // The host keeps the state of an incremental stream: "complete" of the last sync is not of this
    // one.
    const bool is_of_another_sync = inputs.state.IsTakenOver(stream.name) ||
                                    (request.position.has_value() && IsComplete(*request.position));
    if (is_of_another_sync) request.position.reset();
  }
  return request;
}

// One run of `read`, whose inputs are good.
class Reading {
 public:
  // `progress` is told how far the streams are.
  Reading(const Environment& environment, const Inputs& inputs, telemetry::Progress& progress)
      : environment_(environment),
        progress_(progress),
        inputs_(inputs),
        patience_(environment, inputs.options.retry_budget),
        sink_(environment.output, environment.logger, inputs.options.types, inputs.streams,
              environment.clock) {}

  int Run() {
    for (const std::string& note : inputs_.state.notes()) environment_.logger.Info(note);
    const auto source = patience_.Try([&] { return Connect(environment_, inputs_.options); });
    if (!source.ok()) return FailAll(source.status());
    absl::Status status = Prepare(*source);
    if (status.ok()) status = RepeatFinalStates();
    if (!status.ok()) return ExitCode(status, kFailure);
    if (requests_.empty()) return failed_ ? kFailure : kSuccess;
    return Sync(*source->client);
  }

 private:
  // Sorts the streams into those to read, those that have nothing left to read, and those that
  // cannot be read, which end here.
  absl::Status Prepare(const Source& source) {
    Tables tables(source, patience_);
    for (const ConfiguredStream& stream : inputs_.streams) {
      auto request = MakeRequest(stream, inputs_, tables, environment_.logger);
      if (!request.ok() && vitess::Classify(request.status()) == vitess::ErrorClass::kHost) {
        return request.status();
      }
      if (!request.ok()) {
        failed_ = true;
        absl::Status status = sink_.Refuse(stream.name, request.status());
        if (!status.ok()) return status;
      } else if (!request->incremental && request->position.has_value() &&
                 IsComplete(*request->position)) {
        complete_.push_back(*std::move(request));
      } else {
        requests_.push_back(*std::move(request));
      }
    }
    return absl::OkStatus();
  }

  absl::Status RepeatFinalStates() {
    for (size_t i = 0; i < complete_.size(); ++i) {
      // Behind those of the sync, which number their tables from 0.
      const sync::Table table = TableOf(complete_[i], requests_.size() + i);
      absl::Status status = sink_.Started(table);
      if (status.ok()) {
        const sync::TableCheckpoint checkpoint{&table, &*complete_[i].position, 0};
        status = sink_.Checkpoint({&checkpoint, 1});
      }
      if (status.ok()) status = sink_.Finished(table, absl::OkStatus());
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // What the sync is to begin with: the positions, which are large where there are many shards, are
  // handed over.
  std::vector<sync::TableRequest> TakeRequests() {
    std::vector<sync::TableRequest> taken;
    taken.reserve(requests_.size());
    for (sync::TableRequest& request : requests_) {
      auto position = std::exchange(request.position, std::nullopt);
      taken.push_back(request);
      taken.back().position = std::move(position);
    }
    return taken;
  }

  int Sync(vitess::VtgateClient& client) {
    const uint64_t first_sequence =
        std::max(inputs_.state.highest_cursor(),
                 static_cast<uint64_t>(environment_.clock()) * kCursorsPerMillisecond);
    sync::SyncOptions sync_options = SyncOptionsOf(inputs_.options);
    sync_options.stop = environment_.stop;
    sync_options.progress = &progress_;
    const sync::SyncResult result = sync::RunSync(sync_options, client, TakeRequests(), sink_,
                                                  environment_.logger, first_sequence);
    for (const sync::TableResult& table : result.tables) failed_ = failed_ || !table.status.ok();
    if (!result.status.ok()) return EndEarly(result.status);
    return failed_ ? kFailure : kSuccess;
  }

  // Leaves after something ended the sync as a whole.
  int EndEarly(const absl::Status& reason) {
    if (vitess::Classify(reason) == vitess::ErrorClass::kHost) return kSuccess;
    for (size_t i = 0; i < requests_.size(); ++i) {
      if (sink_.IsFinished(i)) continue;
      absl::Status status = sink_.Abandoned(TableOf(requests_[i], i));
      if (!status.ok()) return ExitCode(status, kFailure);
    }
    return Fail(environment_, reason);
  }

  // Ends every stream, for one reason that is told once.
  int FailAll(const absl::Status& reason) {
    if (vitess::Classify(reason) == vitess::ErrorClass::kHost) return kSuccess;
    for (size_t i = 0; i < inputs_.streams.size(); ++i) {
      sync::Table table;
      table.index = i;
      table.schema.keyspace = inputs_.streams[i].name.name_space;
      table.schema.name = inputs_.streams[i].name.name;
      absl::Status status = sink_.Abandoned(table);
      if (!status.ok()) return ExitCode(status, kFailure);
    }
    return Fail(environment_, reason);
  }

  static sync::Table TableOf(const sync::TableRequest& request, size_t index) {
    sync::Table table;
    table.index = index;
    table.schema = request.schema;
    table.incremental = request.incremental;
    table.columns = request.columns;
    return table;
  }

  const Environment& environment_;
  telemetry::Progress& progress_;
  const Inputs& inputs_;
  Patience patience_;
  airbyte::AirbyteSink sink_;
  std::vector<sync::TableRequest> requests_;
  std::vector<sync::TableRequest> complete_;
  bool failed_ = false;  // some stream could not be read
};

}  // namespace

int RunRead(const Environment& environment, const ReadArguments& arguments) {
  const absl::StatusOr<Inputs> inputs = ReadInputs(arguments);
  if (!inputs.ok()) return Fail(environment, inputs.status());
  ProgressBoard board;
  const auto page = StartStatusPage(environment, arguments.status, board);
  if (!page.ok()) return Fail(environment, page.status());
  const std::shared_ptr<telemetry::Progress> progress = board.Begin(absl::Now());
  const ProgressReporter reporter(*progress, environment.logger,
                                  arguments.progress ? stderr : nullptr);
  return Reading(environment, *inputs, *progress).Run();
}

}  // namespace source_vitess::commands
