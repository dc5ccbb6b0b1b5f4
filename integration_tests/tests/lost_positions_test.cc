// Positions that cannot be read on from: found before anything is read, told in words, and, by the
// option, copied again, while other tables go on (docs/failures.md, "Lost positions").
#include <atomic>
#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/running_read.h"
#include "tests/simulated_source.h"

namespace source_vitess::integration_tests {
namespace {

using harness::StreamStatus;
using simulator::StreamAction;
using simulator::StreamPoint;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const std::map<std::string, std::string>& CopyAgain() {
  static const auto& options =
      *new std::map<std::string, std::string>{{"lost_position", R"("copy_again")"}};
  return options;
}

// The --state file in which the stream of one table has another state.
std::string StateFileWith(SimulatedSource& source, const std::string& table,
                          const std::string& state) {
  std::vector<std::string> streams;
  for (const std::string& name : SimulatedSource::Tables()) {
    streams.push_back(absl::StrCat(
        R"({"type":"STREAM","stream":{"stream_descriptor":{"name":")", name,
        R"(","namespace":"shop"},"stream_state":)",
        name == table ? state : source.destination().State("shop", name).value_or("{}"), "}}"));
  }
  return absl::StrCat("[", absl::StrJoin(streams, ","), "]");
}

// The state with another position in its first shard: `edit` makes it of the one that is there.
std::string EditPosition(const std::string& state,
                         const std::function<std::string(const std::string&)>& edit) {
  const std::string before = R"("gtid":")";
  const size_t begin = state.find(before) + before.size();
  const size_t end = state.find('"', begin);
  return state.substr(0, begin) + edit(state.substr(begin, end - begin)) + state.substr(end);
}

// A way to lose the position of table notes alone.
struct Loss {
  std::string name;
  // Does to the source what is to be done to it, and gives the state of notes: of that of the last
  // sync, or of the one before.
  std::function<std::string(SimulatedSource&, const std::string& last, const std::string& earlier)>
      state;
  std::vector<std::string> words;
};

void PrintTo(const Loss& loss, std::ostream* out) { *out << loss.name; }

Loss EditedTo(const std::string& name, const std::vector<std::string>& words,
              const std::function<std::string(const std::string&)>& edit) {
  return {name,
          [edit](SimulatedSource&, const std::string& last, const std::string&) {
            return EditPosition(last, edit);
          },
          words};
}

std::vector<Loss> Losses() {
  const std::string foreign = "MySQL56/01020304-0506-0708-090a-0b0c0d0e0f10:1-7";
  return {
      {"PurgedLogs",
       [](SimulatedSource& source, const std::string&, const std::string& earlier) {
         EXPECT_TRUE(source.simulator().cluster().PurgeLogs("shop", "-80").ok());
         return earlier;
       },
       {"binary logs", "purged", "keep binary logs longer"}},
      EditedTo("AnotherCluster", {"of another server", "another cluster", foreign},
               [foreign](const std::string&) { return foreign; }),
      EditedTo("Ahead", {"ahead of the server", "restored from a backup", "-999999"},
               [](const std::string& gtid) {
                 return absl::StrCat(gtid.substr(0, gtid.rfind('-')), "-999999");
               }),
      {"ShardIsGone",
       [](SimulatedSource& source, const std::string&, const std::string& earlier) {
         simulator::Cluster& cluster = source.simulator().cluster();
         EXPECT_TRUE(cluster.StartReshard({"shop", {"-80"}, {"-40", "40-80"}}).ok());
         EXPECT_TRUE(cluster.SwitchTraffic("shop").ok());
         EXPECT_EQ(source.Read().exit.exit_code, 0);
         EXPECT_TRUE(cluster.CompleteReshard("shop").ok());
         return earlier;
       },
       {"which is gone", "resharded", "removal of the old shards"}},
      EditedTo("FilePosition", {"FilePos/binlog.000003:154", "GTIDs are needed"},
               [](const std::string&) { return "FilePos/binlog.000003:154"; }),
      EditedTo("MariaDbPosition", {"MariaDB/0-41983-20", "GTIDs are needed"},
               [](const std::string&) { return "MariaDB/0-41983-20"; }),
  };
}

class LossTest : public ::testing::TestWithParam<Loss> {
 protected:
  // Two syncs, and the loss; rows of every table come behind it, `kAdded` of each.
  std::string Lose(SimulatedSource& source) {
    for (const std::string& sql : RowsOfEveryTable(1, 10)) source.Execute(sql);
    EXPECT_EQ(source.Read().exit.exit_code, 0);
    const std::string earlier = source.destination().State("shop", "notes").value_or("");
    for (const std::string& sql : RowsOfEveryTable(11, 20)) source.Execute(sql);
    EXPECT_EQ(source.Read().exit.exit_code, 0);
    const std::string last = source.destination().State("shop", "notes").value_or("");
    const std::string state = GetParam().state(source, last, earlier);
    for (const std::string& sql : RowsOfEveryTable(21, 20 + kAdded)) source.Execute(sql);
    return state;
  }

  harness::RunResult Read(SimulatedSource& source, const std::string& state) {
    RunningRead read(source.connector(), source.catalog(), StateFileWith(source, "notes", state));
    harness::RunResult run = read.Finish();
    source.destination().AcceptRun(run);
    EXPECT_THAT(source.destination().violations(), IsEmpty());
    return run;
  }

  void ExpectThatTheOthersWentOn(SimulatedSource& source) {
    for (const std::string& table : SimulatedSource::Tables()) {
      if (table == "notes") continue;
      EXPECT_EQ(source.destination().Sync("shop", table).status, StreamStatus::kComplete) << table;
      EXPECT_EQ(source.destination().Sync("shop", table).records, uint64_t{kAdded}) << table;
      EXPECT_THAT(source.DifferencesOf(table), IsEmpty());
    }
  }

  static constexpr int kAdded = 6;
};

TEST_P(LossTest, FailsItsTableInWordsWhileTheOthersGoOn) {
  SimulatedSource source;
  const std::string state = Lose(source);

  const harness::RunResult run = Read(source, state);

  EXPECT_EQ(run.exit.exit_code, 1);
  ASSERT_THAT(TraceErrors(run), SizeIs(1));
  const std::string error = TraceErrors(run)[0];
  for (const std::string& word : GetParam().words) EXPECT_THAT(error, HasSubstr(word));
  EXPECT_THAT(error, HasSubstr("table shop.notes"));
  EXPECT_THAT(error, HasSubstr("shop/-80"));
  EXPECT_THAT(error, HasSubstr("(position "));
  EXPECT_THAT(error, HasSubstr("Refresh the stream"));
  EXPECT_THAT(error, HasSubstr("option lost_position"));
  EXPECT_THAT(error, HasSubstr("config_error"));
  EXPECT_EQ(source.destination().Sync("shop", "notes").status, StreamStatus::kIncomplete);
  EXPECT_EQ(source.destination().Sync("shop", "notes").records, 0u);
  ExpectThatTheOthersWentOn(source);
}

TEST_P(LossTest, CopiesItsTableAgainAndNoOther) {
  SimulatedSource source({}, CopyAgain());
  const std::string state = Lose(source);

  const harness::RunResult run = Read(source, state);

  EXPECT_EQ(run.exit.exit_code, 0) << testing::PrintToString(run.lines);
  const std::vector<std::string> warnings = LinesWith(run, "copied again");
  ASSERT_THAT(warnings, SizeIs(1));
  EXPECT_THAT(warnings[0], HasSubstr("shop.notes"));
  EXPECT_THAT(warnings[0], HasSubstr("Rows deleted from the source in the meantime stay"));
  EXPECT_GE(source.destination().Sync("shop", "notes").records, uint64_t{kAdded});
  EXPECT_THAT(source.DifferencesOf("notes"), IsEmpty());
  ExpectThatTheOthersWentOn(source);
}

INSTANTIATE_TEST_SUITE_P(Losses, LossTest, ::testing::ValuesIn(Losses()),
                         [](const auto& tested) { return tested.param.name; });

TEST(RestoredBackupTest, FailsEveryTableOfTheShard) {
  SimulatedSource source;
  for (const std::string& sql : RowsOfEveryTable(1, 10)) source.Execute(sql);
  ASSERT_EQ(source.Read().exit.exit_code, 0);
  ASSERT_TRUE(source.simulator().cluster().FailOver("shop", "-80", /*lost=*/3).ok());

  const harness::RunResult run = source.Read();

  EXPECT_EQ(run.exit.exit_code, 1);
  EXPECT_THAT(TraceErrors(run), SizeIs(5));
  EXPECT_THAT(TraceErrors(run), Each(HasSubstr("ahead of the server")));
  EXPECT_THAT(LinesWith(run, R"("type":"RECORD")"), IsEmpty());
}

TEST(RestoredBackupTest, RowsThatTheSourceLostStayWhereTablesAreCopiedAgain) {
  SimulatedSource source({}, CopyAgain());
  for (const std::string& sql : RowsOfEveryTable(1, 10)) source.Execute(sql);
  ASSERT_EQ(source.Read().exit.exit_code, 0);
  ASSERT_TRUE(source.simulator().cluster().FailOver("shop", "-80", /*lost=*/3).ok());
  for (const std::string& sql : RowsOfEveryTable(11, 15)) source.Execute(sql);

  const harness::RunResult run = source.Read();

  EXPECT_EQ(run.exit.exit_code, 0);
  EXPECT_THAT(LinesWith(run, "stay in the destination"), SizeIs(5));
  EXPECT_THAT(source.Differences(), Each(HasSubstr("not in the source")));
}

// Purges the shard's logs when its stream has sent a transaction, and ends it.
class PurgedMeanwhile {
 public:
  simulator::SimulatorOptions Options() {
    simulator::SimulatorOptions options;
    options.service.streams.no_tablet_timeout = absl::Milliseconds(300);
    options.service.streams.on_point = [this](const StreamPoint& point) {
      const bool now = point.kind == StreamPoint::Kind::kTransaction && point.shard == "-80" &&
                       armed.exchange(false);
      if (!now) return StreamAction::kContinue;
      EXPECT_TRUE(source->simulator().cluster().PurgeLogs("shop", "-80").ok());
      return StreamAction::kRestart;
    };
    return options;
  }

  std::atomic<bool> armed = false;
  SimulatedSource* source = nullptr;
};

TEST(PurgedMeanwhileTest, IsFoundBehindTheErrorThatVtgateEndsTheStreamWith) {
  PurgedMeanwhile purged;
  SimulatedSource source(purged.Options());
  purged.source = &source;
  for (const std::string& sql : RowsOfEveryTable(1, 10)) source.Execute(sql);
  ASSERT_EQ(source.Read().exit.exit_code, 0);
  for (const std::string& sql : RowsOfEveryTable(11, 20)) source.Execute(sql);
  purged.armed = true;

  const harness::RunResult run = source.Read();

  EXPECT_FALSE(purged.armed);
  EXPECT_EQ(run.exit.exit_code, 1);
  EXPECT_THAT(TraceErrors(run), SizeIs(5));
  EXPECT_THAT(TraceErrors(run), Each(HasSubstr("purged")));
  EXPECT_THAT(TraceErrors(run), Each(HasSubstr("Refresh the stream")));
}

TEST(PurgedMeanwhileTest, IsCopiedAgainIfTheOptionSaysSo) {
  PurgedMeanwhile purged;
  SimulatedSource source(purged.Options(), CopyAgain());
  purged.source = &source;
  for (const std::string& sql : RowsOfEveryTable(1, 10)) source.Execute(sql);
  ASSERT_EQ(source.Read().exit.exit_code, 0);
  for (const std::string& sql : RowsOfEveryTable(11, 20)) source.Execute(sql);
  purged.armed = true;

  const harness::RunResult run = source.Read();

  EXPECT_FALSE(purged.armed);
  EXPECT_EQ(run.exit.exit_code, 0);
  EXPECT_THAT(LinesWith(run, "Copying again"), Not(IsEmpty()));
  EXPECT_THAT(source.Differences(), IsEmpty());
}

class ReplicaTest : public ::testing::Test {
 protected:
  ReplicaTest() {
    for (const std::string& sql : RowsOfEveryTable(1, 10)) source_.Execute(sql);
    EXPECT_EQ(source_.Read().exit.exit_code, 0);
    for (const std::string& sql : RowsOfEveryTable(11, 20)) source_.Execute(sql);
  }

  static simulator::SimulatorOptions Options() {
    simulator::SimulatorOptions options;
    options.service.streams.no_tablet_timeout = absl::Milliseconds(300);
    return options;
  }

  simulator::Cluster& cluster() { return source_.simulator().cluster(); }

  SimulatedSource source_{Options(),
                          {{"tablet_type", R"("replica")"}, {"retry_budget_seconds", "1"}}};
};

TEST_F(ReplicaTest, WhatThePrimaryHasPurgedIsReadFromAReplicaThatHasIt) {
  ASSERT_TRUE(cluster().PurgeLogs("shop", "-80", topodata::PRIMARY).ok());

  EXPECT_EQ(source_.Read().exit.exit_code, 0);

  EXPECT_THAT(source_.Differences(), IsEmpty());
}

TEST_F(ReplicaTest, WhatNoReplicaHasAnyMoreIsALostPosition) {
  ASSERT_TRUE(cluster().PurgeLogs("shop", "-80", topodata::REPLICA).ok());

  const harness::RunResult run = source_.Read();

  EXPECT_EQ(run.exit.exit_code, 1);
  EXPECT_THAT(TraceErrors(run), SizeIs(5));
  EXPECT_THAT(TraceErrors(run), Each(HasSubstr("purged")));
}

TEST_F(ReplicaTest, AReplicaThatLagsIsReadAsFarAsItIs) {
  ASSERT_EQ(source_.Read().exit.exit_code, 0);
  ASSERT_TRUE(cluster().SetReplicating("shop", "-80", topodata::REPLICA, false).ok());
  for (const std::string& sql : RowsOfEveryTable(21, 30)) source_.Execute(sql);

  EXPECT_EQ(source_.Read().exit.exit_code, 0);
  EXPECT_THAT(source_.Differences(), Not(IsEmpty()));
  EXPECT_THAT(source_.Differences(), Each(HasSubstr("missing in the destination")));

  ASSERT_TRUE(cluster().SetReplicating("shop", "-80", topodata::REPLICA, true).ok());
  EXPECT_EQ(source_.Read().exit.exit_code, 0);
  EXPECT_THAT(source_.Differences(), IsEmpty());
}

TEST_F(ReplicaTest, APositionThatOnlyThePrimaryHasIsNotAhead) {
  ASSERT_EQ(source_.Read().exit.exit_code, 0);
  for (const std::string& sql : RowsOfEveryTable(21, 30)) source_.Execute(sql);
  ASSERT_EQ(source_.Read().exit.exit_code, 0);
  const std::string state = source_.destination().StateFile();
  ASSERT_TRUE(cluster().SetReplicating("shop", "-80", topodata::REPLICA, false).ok());
  for (const std::string& sql : RowsOfEveryTable(31, 35)) source_.Execute(sql);
  auto primary = harness::Connector::Make(SOURCE_VITESS_PROGRAM,
                                          harness::MakeConfig(source_.port(), {"shop"}));
  ASSERT_TRUE(primary.ok());
  const auto ahead = (*primary)->Read(source_.catalog(), state);
  ASSERT_TRUE(ahead.ok());
  source_.destination().AcceptRun(*ahead);

  // The replica is behind where the primary was read up to.
  const harness::RunResult run = source_.Read();

  EXPECT_EQ(run.exit.exit_code, 0) << testing::PrintToString(run.lines);
  EXPECT_THAT(source_.Differences(), IsEmpty());
  EXPECT_THAT(source_.destination().violations(), IsEmpty());
}

// The schema was changed before the rows that had been written under the old one were read.
TEST(SchemaBehindTest, CopiesThatTableAgainAndNoOther) {
  for (const std::string ddl : {"alter table customers add column city varchar(20) after id",
                                "alter table customers drop column email"}) {
    SimulatedSource source({}, CopyAgain());
    for (const std::string& sql : RowsOfEveryTable(1, 10)) source.Execute(sql);
    ASSERT_EQ(source.Read().exit.exit_code, 0);
    for (const std::string& sql : RowsOfEveryTable(11, 14)) source.Execute(sql);
    source.Execute(ddl);

    const harness::RunResult run = source.Read();

    EXPECT_EQ(run.exit.exit_code, 0) << ddl << testing::PrintToString(run.lines);
    EXPECT_THAT(LinesWith(run, "Copying again: table shop.customers"), SizeIs(1)) << ddl;
    EXPECT_EQ(source.destination().Sync("shop", "customers").records, 14u) << ddl;
    for (const std::string table : {"notes", "orders", "tags", "words"}) {
      EXPECT_EQ(source.destination().Sync("shop", table).records, 4u) << ddl << table;
    }
    EXPECT_THAT(source.destination().violations(), IsEmpty());
  }
}

}  // namespace
}  // namespace source_vitess::integration_tests
