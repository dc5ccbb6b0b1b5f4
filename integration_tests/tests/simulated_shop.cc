#include "tests/simulated_shop.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/database.h"

namespace source_vitess::integration_tests {

SimulatedShop::SimulatedShop(simulator::SimulatorOptions options,
                             const std::vector<std::string>& shards)
    : simulator_(std::move(options)) {
  std::string script = absl::StrCat("create keyspace shop shards ('", absl::StrJoin(shards, "', '"),
                                    "'); use shop;");
  for (const TableDefinition& table : TableDefinitions()) {
    absl::StrAppend(&script, table.create, "; alter vschema on shop.", table.name, " add vindex ",
                    table.vindex, "(", table.sharded, ");");
  }
  const absl::Status created = simulator_.cluster().RunScript(script);
  EXPECT_TRUE(created.ok()) << created;
  const absl::StatusOr<int> port = simulator_.Start();
  EXPECT_TRUE(port.ok()) << port.status();
  port_ = port.value_or(0);
}

}  // namespace source_vitess::integration_tests
