#include "tests/fivetran_source.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace source_vitess::integration_tests {

using harness::FivetranStop;

std::map<std::string, std::string> FivetranConfiguration(
    int port, const std::string& keyspaces, const std::map<std::string, std::string>& more) {
  std::map<std::string, std::string> values = more;
  values.emplace("host", "127.0.0.1");
  values.emplace("port", absl::StrCat(port));
  values.emplace("keyspaces", keyspaces);
  return values;
}

FivetranSource::FivetranSource(simulator::SimulatorOptions options,
                               const std::map<std::string, std::string>& more,
                               const std::vector<std::string>& shards, bool history)
    : Database("shop"), shop_(std::move(options), shards) {
  auto connection = harness::FivetranConnection::Open(history);
  EXPECT_TRUE(connection.ok()) << connection.status();
  if (!connection.ok()) return;
  connection_ = *std::move(connection);
  Start();
  const auto refused = connection_->Configure(FivetranConfiguration(port(), keyspace(), more));
  EXPECT_TRUE(refused.ok()) << refused.status();
  EXPECT_THAT(refused.value_or(std::vector<std::string>()), testing::IsEmpty());
}

void FivetranSource::Start() {
  const absl::StatusOr<int> started = connection_->Start(SOURCE_VITESS_PROGRAM);
  EXPECT_TRUE(started.ok()) << started.status();
  running_ = started.ok();
  connector_port_ = started.value_or(0);
}

absl::StatusOr<query::QueryResult> FivetranSource::Query(std::string_view target,
                                                         std::string_view sql) {
  return simulator().cluster().Execute(target, sql);
}

harness::FivetranReport FivetranSource::Sync(const harness::FivetranUpdateOptions& options) {
  if (!running_) Start();
  const auto schema = connection_->Schema();
  EXPECT_TRUE(schema.ok()) << schema.status();
  const auto report = connection_->Update(options);
  EXPECT_TRUE(report.ok()) << report.status();
  if (!report.ok()) return {};
  EXPECT_FALSE(report->timed_out);
  if (report->stopped && options.stop && options.stop->by != FivetranStop::By::kCancel) {
    running_ = false;
  }
  return *report;
}

std::vector<std::string> FivetranSource::Differences() {
  std::vector<std::string> differences;
  for (const std::string& table : Tables()) {
    for (std::string& difference : DifferencesOf(table)) {
      differences.push_back(std::move(difference));
    }
  }
  return differences;
}

std::vector<std::string> FivetranSource::DifferencesOf(const std::string& table) {
  const std::vector<std::string> columns = ColumnsOf(table);
  const std::vector<std::string> rows = Rows(table, columns);
  return DifferencesBetween(table, RowsOf(table, columns),
                            std::set<std::string>(rows.begin(), rows.end()));
}

std::vector<std::string> FivetranSource::Rows(const std::string& table,
                                              const std::vector<std::string>& columns) {
  auto rows = connection_->Rows(keyspace(), table, columns);
  EXPECT_TRUE(rows.ok()) << rows.status();
  return std::move(rows).value_or(std::vector<std::string>());
}

std::vector<std::string> FivetranSource::BrokenRules() {
  auto broken = connection_->BrokenRules();
  EXPECT_TRUE(broken.ok()) << broken.status();
  return std::move(broken).value_or(std::vector<std::string>());
}

}  // namespace source_vitess::integration_tests
