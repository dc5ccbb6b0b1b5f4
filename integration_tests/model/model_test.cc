// Random histories: whatever happens to the source, to Vitess and to the connector, the destination
// equals the source behind every sync that ends well, and an idle sync delivers nothing. Through
// Airbyte's destination and through Fivetran's host.
//
//   SOURCE_VITESS_MODEL_HISTORIES=1000  runs so many
//   SOURCE_VITESS_MODEL_SEED=4711       begins with this one; the next ones follow it. 0: one that
//                                       nobody has had yet. Otherwise they always are the same
//   SOURCE_VITESS_MODEL_SHRINK=0        leaves a history that fails as it is
//
// A history is its seed's, but for what threads and the clock do: one that fails may take some
// repetitions to do it again.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "model/history.h"

namespace source_vitess::integration_tests {
namespace {

constexpr uint64_t kAirbyteHistories = 200;
constexpr uint64_t kFivetranHistories = 60;
constexpr uint64_t kFirstSeed = 1;
constexpr uint64_t kShrinkAttempts = 60;
constexpr int kAtOnce = 6;  // they mostly wait
constexpr size_t kFailureTold = 2000;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* given = std::getenv(name);
  uint64_t number = 0;
  return given != nullptr && absl::SimpleAtoi(given, &number) ? number : otherwise;
}

uint64_t FirstSeed() {
  const uint64_t given = FromEnvironment("SOURCE_VITESS_MODEL_SEED", kFirstSeed);
  if (given != 0) return given;
  std::random_device device;
  return (uint64_t{device()} << 24) + 1;
}

// Hands out seeds until a history has failed.
class Histories {
 public:
  Histories(Host host, uint64_t first, uint64_t count)
      : host_(host), next_(first), end_(first + count) {}

  void RunAll() {
    std::vector<std::thread> threads;
    for (int i = 0; i < kAtOnce; ++i) threads.emplace_back([this] { RunSome(); });
    for (std::thread& thread : threads) thread.join();
  }

  const Outcome& total() const { return total_; }
  const std::vector<std::pair<History, Outcome>>& failed() const { return failed_; }

 private:
  void RunSome() {
    for (;;) {
      History history;
      {
        const absl::MutexLock lock(&mutex_);
        if (next_ == end_ || !failed_.empty()) return;
        history = MakeHistory(next_++);
      }
      const Outcome outcome = integration_tests::Run(history, host_);
      const absl::MutexLock lock(&mutex_);
      total_.reads += outcome.reads;
      total_.kills += outcome.kills;
      total_.faults += outcome.faults;
      total_.reshards += outcome.reshards;
      total_.failovers += outcome.failovers;
      if (!outcome.failure.empty()) failed_.emplace_back(std::move(history), outcome);
    }
  }

  const Host host_;
  absl::Mutex mutex_;
  uint64_t next_;
  const uint64_t end_;
  Outcome total_;
  std::vector<std::pair<History, Outcome>> failed_;
};

void RunHistories(Host host, uint64_t otherwise) {
  const uint64_t first = FirstSeed();
  const uint64_t count = FromEnvironment("SOURCE_VITESS_MODEL_HISTORIES", otherwise);
  Histories histories(host, first, count);

  histories.RunAll();

  const Outcome& total = histories.total();
  std::printf(
      "%llu histories from seed %llu, %d reads, %d kills, %d faults, %d reshards, "
      "%d failovers\n",
      static_cast<unsigned long long>(count), static_cast<unsigned long long>(first), total.reads,
      total.kills, total.faults, total.reshards, total.failovers);
  for (const auto& [history, outcome] : histories.failed()) {
    ADD_FAILURE() << outcome.failure << "\nin step " << outcome.step << " of\n" << Tell(history);
  }
  if (histories.failed().empty()) return;
  const uint64_t attempts = FromEnvironment("SOURCE_VITESS_MODEL_SHRINK", kShrinkAttempts);
  const auto& [history, outcome] = histories.failed().front();
  // The failure once more, without what may be long, where the end of the output is all there is.
  FAIL() << "cut down:\n"
         << Tell(Shrink(history, host, static_cast<int>(attempts))) << "of "
         << outcome.failure.substr(0, kFailureTold);
}

TEST(ModelTest, TheDestinationEqualsTheSource) { RunHistories(Host::kAirbyte, kAirbyteHistories); }

TEST(ModelTest, TheWarehouseOfFivetranEqualsTheSource) {
  RunHistories(Host::kFivetran, kFivetranHistories);
}

}  // namespace
}  // namespace source_vitess::integration_tests
