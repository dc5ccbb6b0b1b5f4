// ALTER TABLE as Vitess's online DDL runs it.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_ONLINE_DDL_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_ONLINE_DDL_H_

#include <string_view>

#include "absl/status/status.h"
#include "simulator/cluster_state.h"

namespace source_vitess::simulator {

// Runs `alter` in one shard: makes a shadow table, alters that, fills it, and puts it in the
// table's place with one RENAME TABLE, which is all that the table's name ever sees (reference 6,
// A50). What was the table stays under the shadow's name. Fails as the ALTER itself would; the
// shadow is then gone again.
absl::Status RunOnlineDdl(ClusterState& state, Shard& shard, std::string_view alter);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_ONLINE_DDL_H_
