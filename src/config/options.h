// The options of a connection. Every option's name, title, default and help stand in
// spec/spec.json; these structs are what the program makes of a configuration that is valid by it.
#ifndef SOURCE_VITESS_CONFIG_OPTIONS_H_
#define SOURCE_VITESS_CONFIG_OPTIONS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "mysql/column_type.h"
#include "vitess/channel.h"
#include "vitess/topodata.pb.h"

namespace source_vitess::config {

enum class LostPosition { kFail, kCopyAgain };
enum class Truncate { kFail, kIgnore };

// ParseOptions sets every member; the initial values here are no defaults.
struct Options {
  vitess::ChannelOptions channel;

  std::vector<std::string> keyspaces;       // at least one, each once
  std::vector<std::string> include_tables;  // patterns, see WantsTable; empty: all
  std::vector<std::string> exclude_tables;  // likewise; win over include_tables
  std::vector<std::string> shards;          // empty: all; else only these
  topodata::TabletType tablet_type = topodata::UNKNOWN;
  std::string cells;  // comma-separated cells or aliases; empty: VTGate's own choice

  uint64_t checkpoint_interval = 0;  // records of a stream between two states, 1 or more
  int parallel_copies = 0;           // 1 or more
  int shards_per_stream = 0;         // 1 or more
  LostPosition lost_position = LostPosition::kFail;
  Truncate truncate = Truncate::kFail;
  absl::Duration retry_budget;   // of failing without progress
  absl::Duration stall_timeout;  // of silence with work outstanding
  mysql::TypeOptions types;

  // Whether the table is among those of include_tables and not of exclude_tables. A pattern with a
  // dot is compared with "keyspace.table", one without with the table's name alone; * stands for
  // any text, ? for any byte.
  bool WantsTable(std::string_view keyspace, std::string_view table) const;
};

// spec/spec.json, as built into the program: the Airbyte ConnectorSpecification.
std::string_view SpecJson();

// Validates `json` by the specification and fills its defaults in; options that it does not know
// are passed over, and an explicit null is as good as nothing. A failure is of the class
// kConfiguration and names the option, what it wants, and what it got, never a secret.
absl::StatusOr<Options> ParseOptions(std::string_view json);

}  // namespace source_vitess::config

#endif  // SOURCE_VITESS_CONFIG_OPTIONS_H_
