// Random histories: whatever happens to the source, to Vitess and to the connector, the destination
// equals the source behind every sync that ends well, and an idle sync delivers nothing.
//
//   SOURCE_VITESS_MODEL_SEED=4711 model_test       repeats one history and tells it
//   SOURCE_VITESS_MODEL_HISTORIES=1000 model_test  runs so many, new ones in every test; otherwise
//                                                  they are a few, and the same ones
//   SOURCE_VITESS_MODEL_SHRINK=0 model_test        leaves a history that fails as it is
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "model/history.h"

namespace source_vitess::integration_tests {
namespace {

constexpr int kHistories = 5;  // of one test
constexpr int kShrinkAttempts = 60;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* given = std::getenv(name);
  uint64_t number = 0;
  return given != nullptr && absl::SimpleAtoi(given, &number) ? number : otherwise;
}

class ModelTest : public ::testing::TestWithParam<int> {};

TEST_P(ModelTest, TheDestinationEqualsTheSource) {
  const uint64_t given = FromEnvironment("SOURCE_VITESS_MODEL_SEED", 0);
  const uint64_t count =
      given != 0 ? 1 : FromEnvironment("SOURCE_VITESS_MODEL_HISTORIES", kHistories);
  std::random_device device;
  Outcome total;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t seed = given != 0            ? given
                          : count == kHistories ? static_cast<uint64_t>(GetParam() + 1) * 100 + i
                                                : (uint64_t{device()} << 16) + device() % 65536;
    const History history = MakeHistory(seed);
    const Outcome outcome = integration_tests::Run(history);
    total.reads += outcome.reads;
    total.kills += outcome.kills;
    total.faults += outcome.faults;
    total.reshards += outcome.reshards;
    total.failovers += outcome.failovers;
    if (outcome.failure.empty() && !HasFailure()) continue;
    ADD_FAILURE() << outcome.failure << "\nin step " << outcome.step << " of\n" << Tell(history);
    const uint64_t attempts = FromEnvironment("SOURCE_VITESS_MODEL_SHRINK", kShrinkAttempts);
    FAIL() << "cut down:\n" << Tell(Shrink(history, static_cast<int>(attempts)));
  }
  std::printf("%llu histories, %d reads, %d kills, %d faults, %d reshards, %d failovers\n",
              static_cast<unsigned long long>(count), total.reads, total.kills, total.faults,
              total.reshards, total.failovers);
}

INSTANTIATE_TEST_SUITE_P(Histories, ModelTest, ::testing::Range(0, 4));

}  // namespace
}  // namespace source_vitess::integration_tests
