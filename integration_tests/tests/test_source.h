// A database that tests write to, the connector that reads it, and the destination that it fills.
// The database is one in the simulator (tests/simulated_source.h) or a live one
// (model/live_source.h).
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_TEST_SOURCE_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_TEST_SOURCE_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "harness/connector.h"
#include "harness/destination.h"
#include "vitess/query.pb.h"

namespace source_vitess::integration_tests {

// One keyspace with five tables:
//   customers(id)                  resumable
//   orders(customer_id, id)        resumable, sharded by the first column of its key
//   notes(id)                      resumable, text
//   words(word)                    resumable, a key of text
//   tags(kind, id)                 an ENUM in its key: its copy begins again after every break
class TestSource {
 public:
  virtual ~TestSource() = default;

  // Runs a statement in the keyspace; the test has failed when it fails.
  void Execute(std::string_view sql);

  // Runs a statement at a target, "keyspace" or "keyspace:shard". Thread-safe.
  virtual absl::StatusOr<query::QueryResult> Query(std::string_view target,
                                                   std::string_view sql) = 0;

  // One run of `read` from the destination's state into the destination.
  harness::RunResult Read(const harness::RunLimits& limits = {});

  // What differs between the source's tables and the destination's, a line each; empty when they
  // are equal.
  std::vector<std::string> Differences();
  std::vector<std::string> DifferencesOf(const std::string& table);

  // Takes tables into the catalog that were made since; the destination begins empty.
  absl::Status Rediscover();

  // The first column of every row of the table that the shard holds.
  std::set<std::string> KeysIn(const std::string& shard, const std::string& table);

  const std::string& keyspace() const { return keyspace_; }
  harness::Connector& connector() { return *connector_; }
  harness::Destination& destination() { return *destination_; }
  const std::string& catalog() const { return catalog_; }

  static const std::vector<std::string>& Tables();

 protected:
  explicit TestSource(std::string keyspace) : keyspace_(std::move(keyspace)) {}

  // For the end of a constructor. `config`: the connector's.
  void Connect(const std::string& config);

 private:
  std::set<std::string> SourceRows(const std::string& table);

  const std::string keyspace_;
  std::unique_ptr<harness::Connector> connector_;
  std::string catalog_;
  std::map<std::string, std::string> columns_;  // by table, as of the discovery, for a SELECT
  std::unique_ptr<harness::Destination> destination_;
};

struct TableDefinition {
  std::string name;
  std::string create;   // the statement
  std::string vindex;   // the type of the primary vindex
  std::string sharded;  // its column
};

// The five tables.
const std::vector<TableDefinition>& TableDefinitions();

// INSERT statements for rows `first` to `last` of every table.
std::vector<std::string> RowsOfEveryTable(int first, int last);

}  // namespace source_vitess::integration_tests

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_TEST_SOURCE_H_
