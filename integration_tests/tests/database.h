// A database that tests write to: one in the simulator (tests/simulated_shop.h) or a live one
// (model/live_source.h).
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_DATABASE_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_DATABASE_H_

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "vitess/query.pb.h"

namespace source_vitess::integration_tests {

// One keyspace with five tables:
//   customers(id)                  resumable
//   orders(customer_id, id)        resumable, sharded by the first column of its key
//   notes(id)                      resumable, text
//   words(word)                    resumable, a key of text
//   tags(kind, id)                 an ENUM in its key: its copy begins again after every break
class Database {
 public:
  virtual ~Database() = default;

  // Runs a statement in the keyspace; the test has failed when it fails.
  void Execute(std::string_view sql);

  // Runs a statement at a target, "keyspace" or "keyspace:shard". Thread-safe.
  virtual absl::StatusOr<query::QueryResult> Query(std::string_view target,
                                                   std::string_view sql) = 0;

  // The table's columns, in their order.
  std::vector<std::string> ColumnsOf(const std::string& table);

  // The table's rows as JSON objects with these columns: numbers as they are, text in quotes. The
  // tests' texts have nothing to escape.
  std::set<std::string> RowsOf(const std::string& table, const std::vector<std::string>& columns);

  // The first column of every row of the table that the shard holds.
  std::set<std::string> KeysIn(const std::string& shard, const std::string& table);

  const std::string& keyspace() const { return keyspace_; }

  static const std::vector<std::string>& Tables();

 protected:
  explicit Database(std::string keyspace) : keyspace_(std::move(keyspace)) {}

 private:
  const std::string keyspace_;
};

// What differs between the rows of a table here and there, a line each.
std::vector<std::string> DifferencesBetween(const std::string& table,
                                            const std::set<std::string>& source,
                                            const std::set<std::string>& destination);

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

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_DATABASE_H_
