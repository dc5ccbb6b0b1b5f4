#include "commands/fivetran_update.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "commands/patience.h"
#include "commands/source.h"
#include "fivetran/fivetran_sink.h"
#include "fivetran/form.h"
#include "fivetran/selection.h"
#include "fivetran/state.h"
#include "sync/sync.h"
#include "text/absl_view.h"
#include "vitess/errors.h"

namespace source_vitess::commands {
namespace {

using vitess::ErrorClass;

// Behind which a checkpoint goes out: the usual time, where enough was sent for it, and the most.
constexpr absl::Duration kUsualCheckpointTime = absl::Seconds(15);
constexpr absl::Duration kMostCheckpointTime = absl::Minutes(3);

// How often a table may be read again from nothing in one Update. Each shard is emptied at its own
// time, so that once may not be enough.
constexpr int kMostReadings = 5;

// Tables that one message names.
constexpr size_t kMostNamed = 20;

std::string NameOf(const mysql::TableSchema& table) {
  return absl::StrCat(table.keyspace, ".", table.name);
}

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class Update {
 public:
  Update(const Environment& environment, const config::Options& options,
         std::shared_ptr<const fivetran::Selection> selection, fivetran::InputState state,
         fivetran::ResponseStream& out, telemetry::Progress& progress)
      : environment_(environment),
        progress_(progress),
        options_(options),
        selection_(std::move(selection)),
        input_(std::move(state)),
        patience_(environment, options.retry_budget),
        sink_(out, options.types,
              {options.checkpoint_interval, kUsualCheckpointTime, kMostCheckpointTime}) {}

  absl::Status Run() {
    absl::Status status = ReadSource();
    if (!status.ok()) return End(std::move(status));
    for (const std::string& note : input_.notes()) environment_.logger.Info(note);
    status = TakeOverState();
    for (bool again = true; status.ok() && again;) status = ReadTables(again);
    return End(std::move(status));
  }

 private:
  absl::Status ReadSource() {
    auto source = patience_.Try([&] { return Connect(environment_, options_); });
    if (!source.ok()) return source.status();
    source_.emplace(*std::move(source));
    if (absl::Status status = CheckKeyspaces(*source_); !status.ok()) return status;
    return ReadSchemas();
  }

  // The tables that are selected, as they are now.
  absl::Status ReadSchemas() {
    auto tables = patience_.Try([&] { return ReadWantedTables(*source_); });
    if (!tables.ok()) return tables.status();
    tables_.clear();
    for (mysql::TableSchema& table : *tables) {
      if (!selection_->WantsTable(table.keyspace, table.name)) continue;
      std::string name = NameOf(table);
      tables_.emplace(std::move(name), std::move(table));
    }
    return absl::OkStatus();
  }

  // What is selected goes on from where it stands; positions of other tables are let go, so that
  // one that is selected again later is copied again.
  absl::Status TakeOverState() {
    for (const auto& [name, table] : tables_) {
      const auto stored = input_.Find(table.keyspace, table.name);
      if (!stored.ok()) {
        absl::Status warned = sink_.Warn(text::StdView(stored.status().message()));
        if (!warned.ok()) return warned;
        continue;
      }
      if (*stored == nullptr) continue;
      const fivetran::TableState& state = **stored;
      if (!state.key.has_value() && !table.has_primary_key) {
        // Another connector's rows, which it could not tell apart either.
        environment_.logger.Info(
            absl::StrCat("Table ", name,
                         " has no primary key: it does not go on from where another connector "
                         "stopped, but is copied from its first row."));
        continue;
      }
      if (absl::Status status = CheckKey(table, state); !status.ok()) {
        failed_.emplace(name, std::move(status));
      }
      if (absl::Status told = TellOfColumns(table, state); !told.ok()) return told;
      sink_.TakeOver(table, ColumnsOf(table), state);
    }
    KeepMissing();
    knows_positions_ = true;
    return absl::OkStatus();
  }

  // A table that Vitess does not list for once, because of a missing grant or in a disaster, is not
  // to be copied again for that. Should it come back as another one, its log says so.
  void KeepMissing() {
    for (const auto& [keyspace, table] : input_.names()) {
      if (tables_.contains(absl::StrCat(keyspace, ".", table))) continue;
      const auto stored = input_.Find(keyspace, table);
      const bool is_wanted = Contains(options_.keyspaces, keyspace) &&
                             options_.WantsTable(keyspace, table) &&
                             selection_->WantsTable(keyspace, table);
      if (!is_wanted || !stored.ok()) continue;
      mysql::TableSchema missing;
      missing.keyspace = keyspace;
      missing.name = table;
      const fivetran::TableState& state = **stored;
      sink_.TakeOver(missing, state.selected.value_or(std::vector<std::string>()), state);
    }
  }

  // Rows go to the destination's by their key: with another one, some would be taken for others.
  absl::Status CheckKey(const mysql::TableSchema& table, const fivetran::TableState& state) const {
    if (!state.key.has_value()) return absl::OkStatus();
    const std::set<std::string> before(state.key->begin(), state.key->end());
    if (before == std::set<std::string>(table.key.begin(), table.key.end())) {
      return absl::OkStatus();
    }
    return vitess::ConfigurationError(absl::StrCat(
        "Table ", NameOf(table), ": its key was (", absl::StrJoin(*state.key, ", "),
        ") when it was copied, and is (", absl::StrJoin(table.key, ", "),
        ") now, so that its rows cannot be told apart in the destination. Exclude the table, sync, "
        "drop it in the destination, and include it again: it is copied anew then."));
  }

  // A host need not ask for the schema before each Update.
  absl::Status TellOfColumns(const mysql::TableSchema& table, const fivetran::TableState& state) {
    const std::vector<std::string> columns = ColumnsOf(table);
    if (HasOtherColumns(table, columns, state)) {
      absl::Status status = sink_.Announce(
          table.keyspace,
          fivetran::DescribeTable(table, options_.types, [&](const std::string& column) {
            return Contains(columns, column);
          }));
      if (!status.ok()) return status;
    }
    return WarnOfColumns(table, state);
  }

  // Whether the columns are others than they were at the table's position, or that is not known.
  static bool HasOtherColumns(const mysql::TableSchema& table,
                              const std::vector<std::string>& columns,
                              const fivetran::TableState& state) {
    if (!state.selected.has_value()) return true;
    std::map<std::string, std::string> types;
    for (const auto& [shard, of_shard] : state.position.columns) {
      for (const sync::PositionColumn& column : *of_shard) types[column.name] = column.type;
    }
    return std::any_of(columns.begin(), columns.end(), [&](const std::string& name) {
      const auto known = types.find(name);
      return !Contains(*state.selected, name) ||
             (known != types.end() && known->second != table.FindColumn(name)->type.text);
    });
  }

  // The destination has NULL in a column that was not delivered before.
  absl::Status WarnOfColumns(const mysql::TableSchema& table, const fivetran::TableState& state) {
    if (!state.selected.has_value()) return absl::OkStatus();
    std::vector<std::string> news;
    for (const std::string& column : ColumnsOf(table)) {
      if (!Contains(*state.selected, column)) news.push_back(column);
    }
    if (news.empty()) return absl::OkStatus();
    return sink_.Warn(absl::StrCat(
        "Table ", NameOf(table), " gets ", news.size() == 1 ? "column " : "columns ",
        absl::StrJoin(news, ", "),
        " from now on. Rows that do not change have NULL there: where that is not what they have "
        "in the source, re-sync the connection, or exclude the table, sync, and include it "
        "again."));
  }

  // The key is delivered whatever is selected.
  std::vector<std::string> ColumnsOf(const mysql::TableSchema& table) const {
    std::vector<std::string> columns;
    for (const mysql::Column& column : table.columns) {
      if (fivetran::IsReservedColumn(column.name)) continue;
      if (Contains(table.key, column.name) ||
          selection_->WantsColumn(table.keyspace, table.name, column.name)) {
        columns.push_back(column.name);
      }
    }
    return columns;
  }

  sync::TableRequest RequestOf(const mysql::TableSchema& table) const {
    sync::TableRequest request;
    request.schema = table;
    request.columns = ColumnsOf(table);
    request.position = sink_.Position(table.keyspace, table.name);
    request.takes_other_column = [selection = selection_, keyspace = table.keyspace,
                                  name = table.name](const std::string& column) {
      return !fivetran::IsReservedColumn(column) && selection->WantsColumn(keyspace, name, column);
    };
    return request;
  }

  // One sync of all tables that have not failed. `again`: some have to be read from nothing.
  absl::Status ReadTables(bool& again) {
    again = false;
    std::vector<sync::TableRequest> requests;
    uint64_t sequence = 0;
    for (const auto& [name, table] : tables_) {
      if (failed_.contains(name)) continue;
      requests.push_back(RequestOf(table));
      if (table.key.empty()) keyless_.insert(name);
      const auto& position = requests.back().position;
      if (position.has_value()) sequence = std::max(sequence, position->cursor);
    }
    if (requests.empty()) return absl::OkStatus();
    sync::SyncOptions sync_options = SyncOptionsOf(options_);
    sync_options.stop = environment_.stop;
    sync_options.host_truncates = true;
    sync_options.progress = &progress_;
    sync_options.copy_again_when_lost = false;
    const sync::SyncResult result = sync::RunSync(
        sync_options, *source_->client, std::move(requests), sink_, environment_.logger, sequence);
    if (environment_.stop.stop_requested()) return vitess::HostError("the call was cancelled");
    if (!result.status.ok()) return result.status;
    bool schemas_changed = false;
    for (const sync::TableResult& table : result.tables) {
      if (table.status.ok()) continue;
      absl::Status status = TakeFailure(table, again, schemas_changed);
      if (!status.ok()) return status;
    }
    return schemas_changed ? ReadSchemasAgain() : absl::OkStatus();
  }

  absl::Status TakeFailure(const sync::TableResult& table, bool& again, bool& schemas_changed) {
    const std::string name = absl::StrCat(table.keyspace, ".", table.table);
    const ErrorClass error_class = vitess::Classify(table.status);
    const bool is_lost = error_class == ErrorClass::kLostPosition;
    const bool copies_again =
        error_class == ErrorClass::kEmptied ||
        (is_lost && options_.lost_position == config::LostPosition::kCopyAgain);
    if (!copies_again) {
      failed_.emplace(name, is_lost ? vitess::Annotate(table.status, kLostRemedy) : table.status);
      return absl::OkStatus();
    }
    if (++readings_[name] > kMostReadings) {
      failed_.emplace(name, vitess::TransientError(absl::StrCat(
                                "was to be read from its beginning for the ", kMostReadings + 1,
                                "th time in one sync: ", table.status.message())));
      return absl::OkStatus();
    }
    again = true;
    schemas_changed = true;
    sink_.Forget(table.keyspace, table.table);
    const std::string message =
        absl::StrCat("Table ", name, " is copied again: ", table.status.message(), ".");
    environment_.logger.Warning(message);
    return is_lost ? sink_.Warn(message) : absl::OkStatus();
  }

  // Tables that are gone are no failure: their rows stay in the destination.
  absl::Status ReadSchemasAgain() {
    std::set<std::string> before;
    for (const auto& [name, table] : tables_) before.insert(name);
    if (absl::Status status = ReadSchemas(); !status.ok()) return status;
    std::erase_if(tables_, [&](const auto& entry) { return !before.contains(entry.first); });
    for (const std::string& name : before) {
      if (tables_.contains(name) || failed_.contains(name)) continue;
      environment_.logger.Warning(
          absl::StrCat("Table ", name, " is gone from Vitess; its rows stay in the destination."));
    }
    return absl::OkStatus();
  }

  // Ends the Update with what there is to say.
  absl::Status End(absl::Status status) {
    if (!status.ok() && vitess::Classify(status) == ErrorClass::kHost) return status;
    if (absl::Status warned = Warn(); !warned.ok()) return warned;
    // Before all positions were taken over, a checkpoint would forget those that were not.
    if (knows_positions_) {
      if (absl::Status sent = sink_.SendCheckpoint(); !sent.ok()) return sent;
    }
    if (!status.ok()) return Give(status);
    if (failed_.empty()) return absl::OkStatus();
    return Give(Summary());
  }

  absl::Status Warn() {
    if (absl::Status status = sink_.WarnOfAlteredValues(); !status.ok()) return status;
    if (!keyless_.empty()) {
      environment_.logger.Warning(absl::StrCat(
          Named(keyless_),
          " without a primary key or another unique key that is not null: rows are told apart by "
          "all of their values, so that those that are equal are one row in the destination."));
    }
    size_t told = 0;
    for (const auto& [name, status] : failed_) {
      const std::string message = absl::StrCat(
          "Table ", name, " was not read to the end: ", vitess::WithRemedy(status).message());
      environment_.logger.Error(message);
      if (++told > kMostNamed) continue;
      if (absl::Status warned = sink_.Warn(message); !warned.ok()) return warned;
    }
    return absl::OkStatus();
  }

  // Of all tables that failed: what the user has to mend comes before what may be better by itself.
  absl::Status Summary() const {
    std::set<std::string> names;
    const absl::Status* worst = nullptr;
    for (const auto& [name, status] : failed_) {
      names.insert(name);
      const bool is_worse =
          worst == nullptr || (vitess::Classify(*worst) == ErrorClass::kTransient &&
                               vitess::Classify(status) != ErrorClass::kTransient);
      if (is_worse) worst = &status;
    }
    return vitess::Annotate(*worst, absl::StrCat(Named(names),
                                                 " could not be read; the others "
                                                 "were. The first of them"));
  }

  static std::string Named(const std::set<std::string>& names) {
    std::vector<std::string> told(names.begin(), names.end());
    if (told.size() > kMostNamed) told.resize(kMostNamed);
    return absl::StrCat(names.size() == 1 ? "Table " : "Tables ", absl::StrJoin(told, ", "),
                        names.size() > told.size()
                            ? absl::StrCat(" and ", names.size() - told.size(), " others")
                            : "");
  }

  // What the user can mend is a Task, which alone is shown as an error that asks for something.
  absl::Status Give(const absl::Status& of_update) {
    const absl::Status status = fivetran::InWordsOfTheForm(of_update);
    switch (vitess::Classify(status)) {
      case ErrorClass::kConfiguration:
      case ErrorClass::kLostPosition:
      case ErrorClass::kEmptied:
        return sink_.GiveTask(text::StdView(status.message()));
      case ErrorClass::kTransient:
      case ErrorClass::kHost:
      case ErrorClass::kInternal:
        break;
    }
    return status;
  }

  static constexpr std::string_view kLostRemedy =
      "its position is lost; re-sync the connection, or let such tables be copied again by the "
      "option \"Lost Position\"";

  const Environment& environment_;
  telemetry::Progress& progress_;
  const config::Options& options_;
  const std::shared_ptr<const fivetran::Selection> selection_;
  const fivetran::InputState input_;
  Patience patience_;
  fivetran::FivetranSink sink_;
  std::optional<Source> source_;
  bool knows_positions_ = false;                      // the sink has all that the request brought
  std::map<std::string, mysql::TableSchema> tables_;  // by "keyspace.table"
  std::map<std::string, absl::Status> failed_;        // likewise
  std::map<std::string, int> readings_;               // likewise: those from nothing
  std::set<std::string> keyless_;                     // likewise
};

absl::Status GiveTask(fivetran::ResponseStream& out, const absl::Status& status) {
  fivetran_sdk::v2::UpdateResponse response;
  response.mutable_task()->set_message(std::string(status.message()));
  return out.Write(response.SerializeAsString());
}

}  // namespace

absl::Status RunUpdate(const Environment& environment,
                       const fivetran_sdk::v2::UpdateRequest& request,
                       fivetran::ResponseStream& out, telemetry::Progress& progress) {
  const auto options = fivetran::ParseConfiguration(request.configuration());
  if (!options.ok()) return GiveTask(out, options.status());
  auto selection = fivetran::Selection::Of(request);
  if (!selection.ok()) return GiveTask(out, selection.status());
  auto state = fivetran::InputState::Parse(request.state_json());
  if (!state.ok()) return GiveTask(out, state.status());
  return Update(environment, *options,
                std::make_shared<const fivetran::Selection>(*std::move(selection)),
                *std::move(state), out, progress)
      .Run();
}

}  // namespace source_vitess::commands
