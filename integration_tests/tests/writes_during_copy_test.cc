// The source is written to while its tables are copied.
#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "harness/process.h"
#include "tests/simulated_source.h"

namespace source_vitess::integration_tests {
namespace {

using simulator::StreamAction;
using simulator::StreamPoint;
using ::testing::IsEmpty;

constexpr absl::Duration kPatience = absl::Seconds(60);

// Runs `at` at every point of every stream, once there is a source.
class Hook {
 public:
  simulator::SimulatorOptions Options() {
    simulator::SimulatorOptions options;
    options.service.streams.packet_bytes = 400;
    options.service.streams.on_point = [this](const StreamPoint& point) {
      return source_ == nullptr ? StreamAction::kContinue : at_(point);
    };
    return options;
  }
  void Set(SimulatedSource& source, std::function<StreamAction(const StreamPoint&)> at) {
    at_ = std::move(at);
    source_ = &source;
  }

 private:
  std::function<StreamAction(const StreamPoint&)> at_;
  std::atomic<SimulatedSource*> source_ = nullptr;
};

TEST(WritesDuringCopyTest, TheDestinationEqualsTheSource) {
  Hook hook;
  SimulatedSource source(hook.Options(), {{"checkpoint_interval", "5"}});
  for (const std::string& sql : RowsOfEveryTable(1, 60)) source.Execute(sql);
  std::atomic<int> next_id = 61;
  hook.Set(source, [&](const StreamPoint& point) {
    if (point.kind != StreamPoint::Kind::kRowsCopied || next_id > 200)
      return StreamAction::kContinue;
    const int id = next_id++;
    for (const std::string& sql : RowsOfEveryTable(id, id)) source.Execute(sql);
    source.Execute(absl::StrCat("delete from customers where id = ", id - 60));
    source.Execute(absl::StrCat("delete from tags where id = ", id - 60));
    source.Execute(absl::StrCat("update notes set body = 'new' where id = ", id - 59));
    source.Execute(absl::StrCat("update orders set id = id + 1 where customer_id = ", id - 50));
    return StreamAction::kContinue;
  });

  ASSERT_EQ(source.Read().exit.exit_code, 0);
  // What was written behind the target of the first sync.
  ASSERT_EQ(source.Read().exit.exit_code, 0);

  EXPECT_GT(next_id, 61);
  EXPECT_THAT(source.Differences(), IsEmpty());
  EXPECT_THAT(source.destination().violations(), IsEmpty());
}

TEST(WritesDuringCopyTest, ARestartOfTheCopyByVtgateLosesNothing) {
  Hook hook;
  SimulatedSource source(hook.Options(), {{"checkpoint_interval", "5"}});
  for (const std::string& sql : RowsOfEveryTable(1, 60)) source.Execute(sql);
  absl::Mutex mutex;
  std::set<std::pair<std::string, std::string>> restarted;
  hook.Set(source, [&](const StreamPoint& point) {
    if (point.kind != StreamPoint::Kind::kRowsCopied) return StreamAction::kContinue;
    const absl::MutexLock lock(&mutex);
    // Once per table and shard, with rows deleted that were copied already: the first of each copy.
    if (!restarted.emplace(point.table, point.shard).second) return StreamAction::kContinue;
    source.Execute("delete from customers where id <= 10");
    if (point.table == "tags") source.Execute("delete from tags where kind = 'red' and id <= 30");
    return StreamAction::kRestart;
  });

  ASSERT_EQ(source.Read().exit.exit_code, 0);
  ASSERT_EQ(source.Read().exit.exit_code, 0);

  EXPECT_EQ(restarted.size(), 10u);
  EXPECT_THAT(source.Differences(), IsEmpty());
  EXPECT_THAT(source.destination().violations(), IsEmpty());
}

TEST(WritesDuringCopyTest, ACopyThatVtgateRestartsForEverFails) {
  Hook hook;
  SimulatedSource source(hook.Options());
  for (const std::string& sql : RowsOfEveryTable(1, 60)) source.Execute(sql);
  hook.Set(source, [&](const StreamPoint& point) {
    const bool first = point.kind == StreamPoint::Kind::kRowsCopied && point.attempt == 1;
    return first && point.table == "tags" ? StreamAction::kRestart : StreamAction::kContinue;
  });

  EXPECT_EQ(source.Read().exit.exit_code, 1);

  EXPECT_EQ(source.destination().Sync("shop", "tags").status, harness::StreamStatus::kIncomplete);
  EXPECT_EQ(source.destination().Sync("shop", "notes").status, harness::StreamStatus::kComplete);
  EXPECT_THAT(source.destination().violations(), IsEmpty());
}

TEST(WritesDuringCopyTest, ACopyThatBreaksFollowsWhatWasDeletedBeforeItBeganAgain) {
  Hook hook;
  SimulatedSource source(hook.Options(), {{"parallel_copies", "1"}});
  for (const std::string& sql : RowsOfEveryTable(1, 60)) source.Execute(sql);
  std::thread breaker;
  std::atomic<bool> broken = false;
  std::atomic<bool> deleted = false;
  hook.Set(source, [&](const StreamPoint& point) {
    if (point.kind == StreamPoint::Kind::kRowsCopied && point.table == "tags" &&
        !broken.exchange(true)) {
      breaker = std::thread([&source] { source.simulator().EndStreams(); });
    } else if (point.kind == StreamPoint::Kind::kOpened && broken && !deleted.exchange(true)) {
      source.Execute("delete from tags where kind = 'red' and id <= 30");
    }
    return StreamAction::kContinue;
  });

  EXPECT_EQ(source.Read().exit.exit_code, 0);
  breaker.join();
  // What was deleted behind the target, should the break have come late.
  EXPECT_EQ(source.Read().exit.exit_code, 0);

  EXPECT_TRUE(deleted);
  EXPECT_THAT(source.Differences(), IsEmpty());
  EXPECT_THAT(source.destination().violations(), IsEmpty());
}

TEST(WritesDuringCopyTest, ALongCopyDoesNotHoldUpTheChangesOfOtherTables) {
  Hook hook;
  absl::Notification released;
  SimulatedSource source(hook.Options(), {{"checkpoint_interval", "1"}});
  for (const std::string& sql : RowsOfEveryTable(1, 30)) source.Execute(sql);
  hook.Set(source, [&](const StreamPoint& point) {
    const bool held = point.kind == StreamPoint::Kind::kRowsCopied && point.table == "notes";
    if (held) released.WaitForNotificationWithTimeout(kPatience);
    return StreamAction::kContinue;
  });
  auto command = source.connector().ReadCommand(source.catalog(), source.destination().StateFile());
  ASSERT_TRUE(command.ok()) << command.status();
  auto process = harness::Process::Start(*command);
  ASSERT_TRUE(process.ok()) << process.status();
  const absl::Time deadline = absl::Now() + kPatience;
  source.destination().BeginSync();
  // Reads up to a line that holds the text.
  const auto read_until = [&](const std::string& text) {
    for (;;) {
      const std::optional<std::string> line = (*process)->ReadLine(deadline);
      if (!line.has_value()) return false;
      source.destination().Accept(*line);
      if (absl::StrContains(*line, text)) return true;
    }
  };
  // All other tables are copied before any of them is kept fresh.
  ASSERT_TRUE(read_until("Replicating"));

  source.Execute("update customers set email = 'while notes are copied' where id = 1");
  const bool delivered = read_until("while notes are copied");
  const bool saved = delivered && read_until("\"STATE\"");
  released.Notify();
  while (const std::optional<std::string> line = (*process)->ReadLine(deadline)) {
    source.destination().Accept(*line);
  }
  const auto exit = (*process)->Wait(deadline);
  ASSERT_TRUE(exit.has_value());
  source.destination().EndSync(exit->exit_code.value_or(-1), (*process)->errors());

  EXPECT_TRUE(delivered);
  EXPECT_TRUE(saved);
  EXPECT_EQ(exit->exit_code, 0);
  EXPECT_THAT(source.Differences(), IsEmpty());
  EXPECT_THAT(source.destination().violations(), IsEmpty());
}

}  // namespace
}  // namespace source_vitess::integration_tests
