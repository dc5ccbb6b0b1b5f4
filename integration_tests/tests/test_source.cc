#include "tests/test_source.h"

#include <set>
#include <utility>

#include "gtest/gtest.h"

namespace source_vitess::integration_tests {

void TestSource::Connect(const std::string& config) {
  auto connector = harness::Connector::Make(SOURCE_VITESS_PROGRAM, config);
  ASSERT_TRUE(connector.ok()) << connector.status();
  connector_ = *std::move(connector);
  const absl::Status discovered = Rediscover();
  ASSERT_TRUE(discovered.ok()) << discovered;
}

harness::RunResult TestSource::Read(const harness::RunLimits& limits) {
  const absl::StatusOr<harness::RunResult> run =
      connector_->Read(catalog_, destination_->StateFile(), limits);
  EXPECT_TRUE(run.ok()) << run.status();
  if (!run.ok()) return {};
  EXPECT_FALSE(run->timed_out);
  destination_->BeginSync();
  for (const std::string& line : run->lines) destination_->Accept(line);
  if (!run->killed) destination_->EndSync(run->exit.exit_code.value_or(-1), run->errors);
  return *run;
}

std::vector<std::string> TestSource::Differences() {
  std::vector<std::string> differences;
  for (const std::string& table : Tables()) {
    for (std::string& difference : DifferencesOf(table)) {
      differences.push_back(std::move(difference));
    }
  }
  return differences;
}

std::vector<std::string> TestSource::DifferencesOf(const std::string& table) {
  std::set<std::string> destination;
  for (const auto& [key, row] : destination_->Rows(keyspace(), table)) destination.insert(row);
  return DifferencesBetween(table, RowsOf(table, columns_[table]), destination);
}

absl::Status TestSource::Rediscover() {
  const auto discovered = connector_->DiscoverCatalog();
  if (!discovered.ok()) return discovered.status();
  auto catalog = harness::ConfigureCatalog(*discovered);
  if (!catalog.ok()) return catalog.status();
  catalog_ = *std::move(catalog);
  columns_.clear();
  const auto tables = Query(keyspace(), "show tables");
  if (!tables.ok()) return tables.status();
  for (const query::Row& row : tables->rows()) columns_[row.values()] = ColumnsOf(row.values());
  destination_ = std::make_unique<harness::Destination>(catalog_);
  return absl::OkStatus();
}

}  // namespace source_vitess::integration_tests
