#include "simulator/recorded_cluster.h"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <utility>

#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::cerr << status << '\n';
  std::abort();
}

std::string Schema() {
  const std::ifstream file(SIMULATOR_RECORDINGS_DATA "/schema.sql");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

constexpr std::string_view kVindexes = R"(
  alter vschema on customers add vindex hash(id);
  alter vschema on alltypes add vindex hash(id);
  alter vschema on orders add vindex hash(customer_id);
  alter vschema on nopk add vindex hash(a);
  alter vschema on strpk add vindex xxhash(k);
)";

}  // namespace

RecordedCluster::RecordedCluster(SimulatorOptions options) : simulator_(std::move(options)) {
  Check(cluster().RunScript(
      "create keyspace commerce tablets (primary, rdonly);"
      "create keyspace customer shards ('-80', '80-') tablets (primary, rdonly) on one server"));
  Run(Schema());
  Run(kVindexes);
  Check(simulator_.Start().status());
}

void RecordedCluster::Run(std::string_view script) {
  Check(cluster().RunScript(Cat("use customer; ", script)));
}

void RecordedCluster::RunIn(std::string_view target, std::string_view sql) {
  Check(cluster().Execute(target, sql).status());
}

void RecordedCluster::InsertCustomers(std::string_view time) {
  for (int id = 1; id <= 8; ++id) {
    Run(Cat("insert into customers values (", id, ", 'user", id, "@example.com', '", time, "')"));
  }
}

void RecordedCluster::InsertOrders() {
  for (int id = 1; id <= 5; ++id)
    Run(Cat("insert into orders values (", id, ", ", id, ", 'sku-", id, "', ", id, ".5)"));
}

void RecordedCluster::InsertStrings() {
  Run("insert into strpk values (x'00ff', 'bytes'), (x'c3a9', 'latin e')");
}

std::string RecordedCluster::Position() {
  return cluster().Executed("customer", "-80")->ToPosition();
}

vtgate::VStreamRequest RecordedCluster::RequestAt(const recordings::Recording& recording,
                                                  const std::string& position) {
  vtgate::VStreamRequest request = recording.request;
  for (binlogdata::ShardGtid& shard : *request.mutable_vgtid()->mutable_shard_gtids()) {
    if (Contains(shard.gtid(), ":")) shard.set_gtid(position);
  }
  return request;
}

recordings::Recording LoadRecording(std::string_view name) {
  absl::StatusOr<recordings::Recording> recording = recordings::Recording::Load(name);
  Check(recording.status());
  return *std::move(recording);
}

}  // namespace source_vitess::simulator
