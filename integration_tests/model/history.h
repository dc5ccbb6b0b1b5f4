// What happens to a source and its readers, as data: a list of steps that can be made from a seed,
// run, cut down, and told.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_MODEL_HISTORY_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_MODEL_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "model/hosted_source.h"

namespace source_vitess::integration_tests {

enum class StepKind {
  kWrite,         // some transactions
  kAddColumn,     // a column at the end of a table
  kFailOver,      // another server becomes a shard's primary
  kReshard,       // the next stage of a reshard: it starts, switches the traffic, is completed
  kRead,          // a sync, and nothing else; the destination has to equal the source behind it
  kReadBusy,      // a sync during which everything above happens, and VTGate restarts copies
  kReadBroken,    // as kReadBusy, with streams that break and queries that fail
  kReadKilled,    // as kReadBusy, and the connector is killed
  kRestartVtgate  // a sync during which VTGate goes away and comes back
};

struct Step {
  StepKind kind;
  uint64_t seed;  // of all that is random in it
};

struct History {
  uint64_t seed;  // of what does not change during the history
  std::vector<std::string> shards;
  int shards_per_stream;
  int parallel_copies;
  int checkpoint_interval;
  int first_rows;  // rows of every table that there are in the beginning
  std::vector<Step> steps;
};

History MakeHistory(uint64_t seed);

// One line a step.
std::string Tell(const History& history);

struct Outcome {
  std::string failure;  // empty: all was as it has to be
  size_t step = 0;      // that failed; all of them when there was no failure
  // What happened.
  int reads = 0;
  int kills = 0;
  int faults = 0;
  int reshards = 0;
  int failovers = 0;
};

// Runs the history on a simulator of its own, through one host.
Outcome Run(const History& history, Host host);

// Leaves out steps as long as the rest still fails, at most `attempts` times.
History Shrink(const History& history, Host host, int attempts);

}  // namespace source_vitess::integration_tests

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_MODEL_HISTORY_H_
