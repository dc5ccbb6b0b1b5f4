// What `check` says of a cluster.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "harness/connector.h"
#include "tests/simulated_source.h"

namespace source_vitess::integration_tests {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class CheckAdviceTest : public ::testing::Test {
 protected:
  harness::RunResult Check(const std::string& keyspace = "shop",
                           const std::map<std::string, std::string>& more = {}) {
    auto connector = harness::Connector::Make(
        SOURCE_VITESS_PROGRAM, harness::MakeConfig(source_.port(), {keyspace}, more));
    EXPECT_TRUE(connector.ok()) << connector.status();
    auto run = (*connector)->Check();
    EXPECT_TRUE(run.ok()) << run.status();
    return run.value_or(harness::RunResult());
  }

  SimulatedSource source_;
};

TEST_F(CheckAdviceTest, HasNothingToSayOfAClusterAsItShouldBe) {
  const harness::RunResult run = Check();

  EXPECT_THAT(run.lines, Each(AllOf(Not(HasSubstr("WARN")), Not(HasSubstr("FAILED")))));
}

TEST_F(CheckAdviceTest, TellsWhatPartialRowImagesCost) {
  simulator::ServerVariables variables;
  variables.binlog_row_image = "NOBLOB";
  variables.binlog_row_value_options = "PARTIAL_JSON";
  source_.simulator().cluster().SetVariables(variables);

  const harness::RunResult run = Check();

  EXPECT_THAT(run.lines, Contains(AllOf(HasSubstr("WARN"), HasSubstr("NOBLOB"),
                                        HasSubstr("shop/-80, shop/80-"))));
  EXPECT_THAT(run.lines, Contains(AllOf(HasSubstr("WARN"), HasSubstr("PARTIAL_JSON"))));
  EXPECT_THAT(run.lines, Contains(HasSubstr("SUCCEEDED")));
}

TEST_F(CheckAdviceTest, NamesATableThatVitessTakesForALeftOver) {
  source_.Execute("create table _orders_old (id bigint not null, primary key (id))");

  const harness::RunResult run = Check();

  EXPECT_THAT(run.lines, Contains(AllOf(HasSubstr("WARN"), HasSubstr("shop._orders_old"))));
  EXPECT_THAT(run.lines, Contains(HasSubstr("SUCCEEDED")));
}

TEST_F(CheckAdviceTest, TellsOfTabletsThatTakeTurns) {
  simulator::Cluster& cluster = source_.simulator().cluster();
  simulator::KeyspaceOptions keyspace;
  keyspace.name = "spare";
  keyspace.tablets = {topodata::PRIMARY, topodata::REPLICA, topodata::REPLICA};
  ASSERT_TRUE(cluster.CreateKeyspace(keyspace).ok());
  ASSERT_TRUE(
      cluster.Execute("spare", "create table t (id bigint not null, primary key (id))").ok());

  const auto several =
      AllOf(HasSubstr("INFO"), HasSubstr("several tablets of type replica"), HasSubstr("spare/0"));
  EXPECT_THAT(Check("spare", {{"tablet_type", R"("replica")"}}).lines, Contains(several));
  EXPECT_THAT(Check("spare").lines, Not(Contains(several)));
}

TEST_F(CheckAdviceTest, DoesNotWaitForAVtgateThatIsAway) {
  source_.simulator().Stop();

  const absl::Time begin = absl::Now();
  const harness::RunResult run = Check();

  EXPECT_LT(absl::Now() - begin, absl::Seconds(10));
  EXPECT_THAT(run.lines, testing::ElementsAre(AllOf(HasSubstr("FAILED"), HasSubstr("port"))));
  EXPECT_EQ(run.exit.exit_code, 0);
  EXPECT_THAT(run.errors, IsEmpty());
}

}  // namespace
}  // namespace source_vitess::integration_tests
