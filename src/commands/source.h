// The steps that check, discover and read have in common.
#ifndef SOURCE_VITESS_COMMANDS_SOURCE_H_
#define SOURCE_VITESS_COMMANDS_SOURCE_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "commands/environment.h"
#include "config/options.h"
#include "mysql/table_schema.h"
#include "sync/sync.h"
#include "vitess/vtgate_client.h"

namespace source_vitess::commands {

// How long one query may take.
constexpr absl::Duration kQueryTimeout = absl::Seconds(60);

// The content of a file. A failure is of the class kConfiguration and names `what` the file is, and
// its path.
absl::StatusOr<std::string> ReadFile(std::string_view what, const std::string& path);

// The options in the file at `path`.
absl::StatusOr<config::Options> ReadOptions(const std::string& path);

// A Vitess that answers, and is asked for keyspaces that it has.
struct Source {
  config::Options options;
  std::unique_ptr<vitess::VtgateClient> client;
  std::vector<std::string> keyspaces;  // all that there are
};

// Connects, and asks for the keyspaces. A failure tells what to change.
absl::StatusOr<Source> Connect(const Environment& environment, const config::Options& options);

// A configuration error when a keyspace of the options is none of the source's.
absl::Status CheckKeyspaces(const Source& source);

// The tables of the keyspaces of the options, so far as the options want them: by keyspace, then by
// name.
absl::StatusOr<std::vector<mysql::TableSchema>> ReadWantedTables(const Source& source);

// That the options want none of the tables there are: a configuration error.
absl::Status NoTables(const config::Options& options);

// What the options ask of a sync.
sync::SyncOptions SyncOptionsOf(const config::Options& options);

// Says in a TRACE ERROR why a command failed, and gives its exit code: kSuccess where the host has
// gone, to whom nothing is said.
int Fail(const Environment& environment, const absl::Status& status);

// The exit code of a command whose last write ended with `status`. What could not be written to the
// host is said on stderr, which is all that is left then.
int ExitCode(const absl::Status& status, int otherwise);

}  // namespace source_vitess::commands

#endif  // SOURCE_VITESS_COMMANDS_SOURCE_H_
