#include "commands/fivetran.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "commands/check.h"
#include "commands/fivetran_update.h"
#include "commands/patience.h"
#include "commands/source.h"
#include "fivetran/destination_columns.h"
#include "fivetran/form.h"
#include "fivetran/server.h"
#include "text/absl_view.h"
#include "version.h"
#include "vitess/errors.h"

namespace source_vitess::commands {
namespace {

namespace sdk = fivetran_sdk::v2;

// How long a schema is waited for: somebody looks at the page that it is for.
constexpr absl::Duration kSchemaPatience = absl::Seconds(30);

bool IsAboutCredentials(const absl::Status& status) {
  return absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status);
}

absl::Status TestConnection(const Environment& environment, const config::Options& options) {
  absl::Status status = Connect(environment, options).status();
  // They are another test's.
  return IsAboutCredentials(status) ? absl::OkStatus() : status;
}

absl::Status TestCredentials(const Environment& environment, const config::Options& options) {
  return Connect(environment, options).status();
}

absl::Status TestTables(const Environment& environment, const config::Options& options) {
  const auto source = Connect(environment, options);
  if (!source.ok()) return source.status();
  return CheckTables(*source, environment.logger).status();
}

absl::Status TestBinaryLogs(const Environment& environment, const config::Options& options) {
  const auto source = Connect(environment, options);
  if (!source.ok()) return source.status();
  const auto tables = CheckTables(*source, environment.logger);
  if (!tables.ok()) return tables.status();
  return CheckServers(*source, *tables, environment.logger);
}

struct NamedTest {
  std::string_view name;
  absl::Status (*run)(const Environment&, const config::Options&);
};

constexpr std::array kTests = {
    NamedTest{fivetran::kConnectionTest, TestConnection},
    NamedTest{fivetran::kCredentialsTest, TestCredentials},
    NamedTest{fivetran::kTablesTest, TestTables},
    NamedTest{fivetran::kBinaryLogsTest, TestBinaryLogs},
};

absl::Status RunTest(const Environment& environment, const sdk::TestRequest& request) {
  const auto test = std::find_if(kTests.begin(), kTests.end(), [&](const NamedTest& candidate) {
    return candidate.name == request.name();
  });
  if (test == kTests.end()) {
    return vitess::ConfigurationError(absl::StrCat(
        "There is no test \"", request.name(), "\": ask for the form again, which names them."));
  }
  const auto options = fivetran::ParseConfiguration(request.configuration());
  return options.ok() ? test->run(environment, *options) : options.status();
}

// Destinations write names in lower case: those that differ in nothing else become one.
void WarnOfMergingNames(const std::vector<mysql::TableSchema>& tables, telemetry::Logger& logger) {
  std::map<std::pair<std::string, std::string>, const mysql::TableSchema*> seen;
  for (const mysql::TableSchema& table : tables) {
    const auto [other, is_new] =
        seen.try_emplace({table.keyspace, absl::AsciiStrToLower(table.name)}, &table);
    if (is_new) continue;
    logger.Warning(absl::StrCat("Tables ", table.name, " and ", other->second->name,
                                " of keyspace ", table.keyspace,
                                " have one name in a destination that writes names in lower case: "
                                "select one of them."));
  }
}

void WarnOfReservedColumns(const mysql::TableSchema& table, telemetry::Logger& logger) {
  for (const mysql::Column& column : table.columns) {
    if (!fivetran::IsReservedColumn(column.name)) continue;
    logger.Warning(absl::StrCat("Column ", column.name, " of table ", table.keyspace, ".",
                                table.name, " is left out: Fivetran has such names to itself."));
  }
}

absl::StatusOr<sdk::SchemaResponse> ReadSchema(const Environment& environment,
                                               const sdk::SchemaRequest& request) {
  const auto options = fivetran::ParseConfiguration(request.configuration());
  if (!options.ok()) return options.status();
  Patience patience(environment, std::min(kSchemaPatience, options->retry_budget));
  const auto source = patience.Try([&] { return Connect(environment, *options); });
  if (!source.ok()) return source.status();
  if (absl::Status status = CheckKeyspaces(*source); !status.ok()) return status;
  const auto tables = patience.Try([&] { return ReadWantedTables(*source); });
  if (!tables.ok()) return tables.status();
  WarnOfMergingNames(*tables, environment.logger);

  sdk::SchemaResponse response;
  response.set_selection_not_supported(false);
  std::map<std::string, sdk::Schema*> schemas;
  for (const std::string& keyspace : options->keyspaces) {
    sdk::Schema* const schema = response.mutable_with_schema()->add_schemas();
    schema->set_name(keyspace);
    schemas[keyspace] = schema;
  }
  for (const mysql::TableSchema& table : *tables) {
    WarnOfReservedColumns(table, environment.logger);
    *schemas[table.keyspace]->add_tables() =
        fivetran::DescribeTable(table, options->types, [](const std::string&) { return true; });
  }
  return response;
}

class Handler final : public fivetran::Handler {
 public:
  Handler(const Environment& environment, ProgressBoard& board)
      : environment_(environment), board_(board) {}

  absl::StatusOr<sdk::ConfigurationFormResponse> ConfigurationForm() override {
    return fivetran::MakeForm();
  }

  absl::StatusOr<sdk::TestResponse> Test(const sdk::TestRequest& request,
                                         std::stop_token stop) override {
    const absl::Status status =
        fivetran::InWordsOfTheForm(RunTest(OfCall(std::move(stop)), request));
    sdk::TestResponse response;
    if (status.ok()) {
      response.set_success(true);
    } else if (vitess::Classify(status) == vitess::ErrorClass::kHost) {
      return status;
    } else {
      response.set_failure(fivetran::BoundedText(text::StdView(status.message()), kLongestFailure));
    }
    return response;
  }

  absl::StatusOr<sdk::SchemaResponse> Schema(const sdk::SchemaRequest& request,
                                             std::stop_token stop) override {
    auto response = ReadSchema(OfCall(std::move(stop)), request);
    if (!response.ok()) return fivetran::InWordsOfTheForm(response.status());
    return response;
  }

  absl::Status Update(const sdk::UpdateRequest& request, fivetran::ResponseStream& out,
                      std::stop_token stop) override {
    const std::shared_ptr<telemetry::Progress> progress = board_.Begin(absl::Now());
    const ProgressReporter reporter(*progress, environment_.logger, nullptr);
    return RunUpdate(OfCall(std::move(stop)), request, out, *progress);
  }

 private:
  static constexpr size_t kLongestFailure = 8000;

  Environment OfCall(std::stop_token stop) const {
    return {environment_.output, environment_.logger, environment_.make_client, environment_.clock,
            std::move(stop)};
  }

  const Environment& environment_;
  ProgressBoard& board_;
};

void WaitForStop(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait(lock, stop, [] { return false; });
}

}  // namespace

int RunFivetran(const Environment& environment, int port, const StatusAddress& status) {
  ProgressBoard board;
  const auto page = StartStatusPage(environment, status, board);
  if (!page.ok()) {
    environment.logger.Error(text::StdView(page.status().message()));
    return kFailure;
  }
  Handler handler(environment, board);
  auto server = fivetran::StartServer(port, handler);
  if (!server.ok()) {
    environment.logger.Error(text::StdView(server.status().message()));
    return kFailure;
  }
  environment.logger.Info(
      absl::StrCat("Listening on port ", (*server)->port(), ", version ", kVersion, "."));
  WaitForStop(environment.stop);
  (*server)->Shutdown();
  return kSuccess;
}

}  // namespace source_vitess::commands
