#include "sync/retry_policy.h"

#include <stop_token>
#include <thread>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "vitess/errors.h"

namespace source_vitess::sync {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'795'366'894);
constexpr absl::Duration kBudget = absl::Minutes(1);

TEST(RetryStateTest, WaitsLongerAfterEveryFailure) {
  RetryState retry;
  const auto first = retry.Next(kStart, "p", kBudget, 0.0);
  const auto second = retry.Next(kStart, "p", kBudget, 0.0);
  const auto third = retry.Next(kStart, "p", kBudget, 0.0);

  ASSERT_TRUE(first && second && third);
  EXPECT_LT(kStart, *first);
  EXPECT_EQ(*second - kStart, 2 * (*first - kStart));
  EXPECT_EQ(*third - kStart, 4 * (*first - kStart));
}

TEST(RetryStateTest, NeverWaitsLongerThanHalfAMinute) {
  RetryState retry;
  for (int i = 0; i < 100; ++i) retry.Next(kStart, "p", kBudget, 0.999);

  EXPECT_LE(retry.not_before() - kStart, absl::Seconds(30));
}

TEST(RetryStateTest, GivesUpWhenTheBudgetIsUsedUp) {
  RetryState retry;
  retry.Next(kStart, "p", kBudget, 0.5);

  EXPECT_TRUE(retry.Next(kStart + kBudget - absl::Seconds(1), "p", kBudget, 0.5));
  EXPECT_FALSE(retry.Next(kStart + kBudget, "p", kBudget, 0.5));
}

TEST(RetryStateTest, RefillsTheBudgetWithProgress) {
  RetryState retry;
  retry.Next(kStart, "p", kBudget, 0.5);

  EXPECT_TRUE(retry.Next(kStart + kBudget, "q", kBudget, 0.5));
  EXPECT_TRUE(retry.is_first());
  EXPECT_FALSE(retry.Next(kStart + 2 * kBudget, "q", kBudget, 0.5));
}

TEST(RetryStateTest, TellsAFirstFailureFromItsRepetitions) {
  RetryState retry;
  retry.Next(kStart, "p", kBudget, 0.5);
  EXPECT_TRUE(retry.is_first());

  retry.Next(kStart, "p", kBudget, 0.5);
  EXPECT_FALSE(retry.is_first());
}

TEST(WaitUntilTest, EndsAsSoonAsItIsToStop) {
  std::stop_source stop;
  std::thread stopper([&] { stop.request_stop(); });
  const absl::Status status = WaitUntil(absl::Now() + absl::Hours(1), stop.get_token());
  stopper.join();
  EXPECT_EQ(vitess::Classify(status), vitess::ErrorClass::kHost);
}

TEST(WaitUntilTest, EndsAtItsTime) {
  const absl::Time time = absl::Now() + absl::Milliseconds(5);
  EXPECT_TRUE(WaitUntil(time, {}).ok());
  EXPECT_GE(absl::Now(), time);
}

}  // namespace
}  // namespace source_vitess::sync
