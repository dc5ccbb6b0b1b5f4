// What a check finds that is no reason to fail, but to know.
#ifndef SOURCE_VITESS_COMMANDS_ADVICE_H_
#define SOURCE_VITESS_COMMANDS_ADVICE_H_

#include <string>
#include <vector>

#include "commands/source.h"
#include "mysql/table_schema.h"
#include "telemetry/log.h"
#include "vitess/topology.h"

namespace source_vitess::commands {

// A shard that will be read, and what its chosen tablet says.
struct CheckedShard {
  std::string keyspace;
  std::string name;
  vitess::ShardStatus status;
};

// "commerce/-80".
std::string ToString(const CheckedShard& shard);

// Logs it, shards with the same trouble in one message: changes that come without all columns,
// binary logs that are not kept for long, rows that foreign keys change unseen, tables that Vitess
// never streams, tables that live in another keyspace now, tablets that take turns. What a server
// does not answer is passed over.
void LogAdvice(const Source& source, const std::vector<CheckedShard>& shards,
               const std::vector<vitess::Tablet>& tablets,
               const std::vector<mysql::TableSchema>& tables, telemetry::Logger& logger);

}  // namespace source_vitess::commands

#endif  // SOURCE_VITESS_COMMANDS_ADVICE_H_
