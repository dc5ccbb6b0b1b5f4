// The choice of tables changes from sync to sync: only what must be copied is copied.
#include <map>
#include <memory>
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

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// A connection whose catalog and states change, as a host keeps them.
class ChosenTablesTest : public ::testing::Test {
 protected:
  using Records = std::map<std::string, uint64_t>;

  void Fill(int first, int last) {
    for (const std::string& sql : RowsOfEveryTable(first, last)) source_.Execute(sql);
  }

  // One sync of the tables, "full:" before the name of one that is refreshed as a whole; the
  // records of each.
  Records Sync(const std::vector<std::string>& tables) {
    std::vector<harness::StreamChoice> choices;
    std::vector<std::string> states;
    for (const std::string& table : tables) {
      const bool full = table.starts_with("full:");
      const std::string name = full ? table.substr(5) : table;
      choices.push_back({"shop", name, full ? "full_refresh" : "incremental", {}});
      const auto state = states_.find(name);
      if (state == states_.end()) continue;
      states.push_back(absl::StrCat(R"({"type":"STREAM","stream":{"stream_descriptor":{"name":")",
                                    name, R"(","namespace":"shop"},"stream_state":)", state->second,
                                    "}}"));
    }
    const auto discovered = source_.connector().DiscoverCatalog();
    EXPECT_TRUE(discovered.ok()) << discovered.status();
    const auto catalog = harness::ConfigureCatalog(*discovered, choices);
    EXPECT_TRUE(catalog.ok()) << catalog.status();
    RunningRead read(source_.connector(), *catalog,
                     absl::StrCat("[", absl::StrJoin(states, ","), "]"));
    const harness::RunResult run = read.Finish();
    EXPECT_EQ(run.exit.exit_code, 0) << testing::PrintToString(TraceErrors(run));
    harness::Destination destination(*catalog);
    destination.AcceptRun(run);
    EXPECT_THAT(destination.violations(), IsEmpty());
    Records records;
    for (const harness::StreamChoice& choice : choices) {
      records[choice.name] = destination.Sync("shop", choice.name).records;
      const auto state = destination.State("shop", choice.name);
      // A host drops the state of a full refresh once it is over.
      if (choice.sync_mode == "full_refresh") {
        states_.erase(choice.name);
      } else if (state.has_value()) {
        states_[choice.name] = *state;
      }
    }
    return records;
  }

  std::map<std::string, std::string> states_;  // stream_state by table
  SimulatedSource source_;
};

TEST_F(ChosenTablesTest, ATableThatIsAddedIsCopiedAlone) {
  Fill(1, 10);
  EXPECT_THAT(Sync({"customers", "orders"}),
              ElementsAre(Pair("customers", 10u), Pair("orders", 10u)));
  Fill(11, 13);

  EXPECT_THAT(Sync({"customers", "orders", "notes"}),
              ElementsAre(Pair("customers", 3u), Pair("notes", 13u), Pair("orders", 3u)));
}

TEST_F(ChosenTablesTest, ATableThatIsTakenOutDisturbsNoOther) {
  Fill(1, 10);
  Sync({"customers", "orders", "notes"});
  Fill(11, 13);

  EXPECT_THAT(Sync({"customers", "notes"}), ElementsAre(Pair("customers", 3u), Pair("notes", 3u)));
}

TEST_F(ChosenTablesTest, ATableThatIsPutBackWithItsStateGetsItsChangesAlone) {
  Fill(1, 10);
  Sync({"customers", "notes"});
  Fill(11, 13);
  Sync({"customers"});
  Fill(14, 15);
  Sync({"customers"});
  source_.Execute("delete from notes where id = 1");

  EXPECT_THAT(Sync({"customers", "notes"}), ElementsAre(Pair("customers", 0u), Pair("notes", 6u)));
}

TEST_F(ChosenTablesTest, ATableWhoseStateWasResetIsCopiedAlone) {
  Fill(1, 10);
  Sync({"customers", "notes", "tags"});
  states_.erase("notes");
  Fill(11, 12);

  EXPECT_THAT(Sync({"customers", "notes", "tags"}),
              ElementsAre(Pair("customers", 2u), Pair("notes", 12u), Pair("tags", 2u)));
}

TEST_F(ChosenTablesTest, AFullRefreshStandsBesideIncrementalTables) {
  Fill(1, 10);
  EXPECT_THAT(Sync({"customers", "full:notes"}),
              ElementsAre(Pair("customers", 10u), Pair("notes", 10u)));
  Fill(11, 12);

  EXPECT_THAT(Sync({"customers", "full:notes"}),
              ElementsAre(Pair("customers", 2u), Pair("notes", 12u)));
}

TEST_F(ChosenTablesTest, ATableThatGoesFromFullRefreshToIncrementalIsCopiedOnceMore) {
  Fill(1, 10);
  Sync({"full:notes"});
  EXPECT_THAT(Sync({"notes"}), ElementsAre(Pair("notes", 10u)));
  Fill(11, 12);

  EXPECT_THAT(Sync({"notes"}), ElementsAre(Pair("notes", 2u)));
}

}  // namespace
}  // namespace source_vitess::integration_tests
