#include "model/history.h"

#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace source_vitess::integration_tests {
namespace {

const char* Name(StepKind kind) {
  switch (kind) {
    case StepKind::kWrite:
      return "write";
    case StepKind::kAddColumn:
      return "add a column";
    case StepKind::kFailOver:
      return "fail over";
    case StepKind::kReshard:
      return "reshard";
    case StepKind::kRead:
      return "read";
    case StepKind::kReadBusy:
      return "read a busy source";
    case StepKind::kReadBroken:
      return "read with faults";
    case StepKind::kReadKilled:
      return "read and be killed";
    case StepKind::kRestartVtgate:
      return "read while VTGate restarts";
  }
  return "";
}

}  // namespace

History MakeHistory(uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto any = [&](int below) {
    return static_cast<int>(random() % static_cast<uint64_t>(below));
  };
  const std::vector<std::vector<std::string>> kShards = {
      {"-"}, {"-80", "80-"}, {"-80", "80-"}, {"-40", "40-c0", "c0-"}};
  History history;
  history.seed = seed;
  history.shards = kShards[static_cast<size_t>(any(4))];
  history.shards_per_stream = any(2) == 0 ? 1 : 16;
  history.parallel_copies = 1 + any(4);
  history.checkpoint_interval = any(2) == 0 ? 1 + any(5) : 50;
  history.first_rows = 5 + any(40);
  constexpr StepKind kKinds[] = {
      StepKind::kWrite,        StepKind::kWrite,      StepKind::kAddColumn,
      StepKind::kFailOver,     StepKind::kReshard,    StepKind::kReshard,
      StepKind::kReshard,      StepKind::kRead,       StepKind::kReadBusy,
      StepKind::kReadBusy,     StepKind::kReadBroken, StepKind::kReadBroken,
      StepKind::kReadKilled,   StepKind::kReadKilled, StepKind::kReadKilled,
      StepKind::kRestartVtgate};
  const int steps = 4 + any(9);
  for (int i = 0; i < steps; ++i) {
    history.steps.push_back({kKinds[static_cast<size_t>(any(std::size(kKinds)))], random()});
  }
  history.steps.push_back({StepKind::kRead, random()});
  return history;
}

std::string Tell(const History& history) {
  std::string text =
      absl::StrCat("seed ", history.seed, ": shards ", absl::StrJoin(history.shards, " "), ", ",
                   history.shards_per_stream, " per stream, ", history.parallel_copies,
                   " parallel copies, a state every ", history.checkpoint_interval, " records, ",
                   history.first_rows, " rows of every table\n");
  for (size_t i = 0; i < history.steps.size(); ++i) {
    absl::StrAppend(&text, "  ", i, ". ", Name(history.steps[i].kind), " (", history.steps[i].seed,
                    ")\n");
  }
  return text;
}

History Shrink(const History& history, Host host, int attempts) {
  History best = history;
  for (bool shorter = true; shorter && attempts > 0;) {
    shorter = false;
    for (size_t i = 0; i + 1 < best.steps.size() && attempts > 0; --attempts) {
      History candidate = best;
      candidate.steps.erase(candidate.steps.begin() + static_cast<std::ptrdiff_t>(i));
      if (Run(candidate, host).failure.empty()) {
        ++i;
      } else {
        best = std::move(candidate);
        shorter = true;
      }
    }
  }
  return best;
}

}  // namespace source_vitess::integration_tests
