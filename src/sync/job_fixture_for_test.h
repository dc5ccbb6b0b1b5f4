// A sync's surroundings for the tests of one job.
#ifndef SOURCE_VITESS_SYNC_JOB_FIXTURE_FOR_TEST_H_
#define SOURCE_VITESS_SYNC_JOB_FIXTURE_FOR_TEST_H_

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "sync/fakes_for_test.h"
#include "sync/job.h"

namespace source_vitess::sync {

class JobFixture : public ::testing::Test {
 protected:
  // Prepares the surroundings: the tables, where they stand, and what VTGate will send.
  void Arrange(std::vector<Table> tables, const std::vector<binlogdata::VGtid>& positions,
               std::vector<FakeVtgate::Script> scripts) {
    tables_ = std::move(tables);
    vtgate_ = std::make_unique<FakeVtgate>(std::move(scripts));
    checkpointer_ = std::make_unique<Checkpointer>(Checkpointer::Policy{1, absl::Hours(1)}, tables_,
                                                   sequence_, sink_, absl::Now());
    for (size_t i = 0; i < positions.size(); ++i) {
      TablePosition position;
      position.vgtid = positions[i];
      checkpointer_->Restore(i, std::move(position));
    }
    moves_ = std::make_unique<RowMoves>(*vtgate_, options_.query_timeout);
    context_ = std::make_unique<JobContext>(
        JobContext{options_, *vtgate_, sink_, *checkpointer_, sequence_, logger_, *moves_});
  }

  SyncOptions options_;
  std::vector<Table> tables_;
  std::atomic<uint64_t> sequence_ = 100;
  FakeSink sink_;
  telemetry::NullLogger logger_;
  std::unique_ptr<FakeVtgate> vtgate_;
  std::unique_ptr<Checkpointer> checkpointer_;
  std::unique_ptr<RowMoves> moves_;
  std::unique_ptr<JobContext> context_;
};

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_JOB_FIXTURE_FOR_TEST_H_
