// Runs statements on a cluster as VTGate does.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_SQL_EXECUTOR_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_SQL_EXECUTOR_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "simulator/cluster_state.h"
#include "simulator/expression.h"
#include "simulator/relation.h"
#include "simulator/sql_statement.h"
#include "simulator/write_set.h"
#include "vitess/query.pb.h"

namespace source_vitess::simulator {

// One statement of one session. Borrows everything for its own life; the cluster's lock is held
// meanwhile.
//
// Errors have the codes and texts that VTGate puts into its answers (recordings execute-error-*),
// as far as the recordings tell; the rest have MySQL's error number.
class SqlExecutor {
 public:
  // `writes` collects changes; the caller commits them. `sql` is the statement's text, as it goes
  // into binary logs.
  SqlExecutor(ClusterState& state, const Target& target, WriteSet& writes, std::string_view sql)
      : state_(state), target_(target), writes_(writes), sql_(sql) {}

  absl::StatusOr<query::QueryResult> Run(const Select& select);
  absl::StatusOr<query::QueryResult> Run(const Insert& insert);
  absl::StatusOr<query::QueryResult> Run(const Update& update);
  absl::StatusOr<query::QueryResult> Run(const Delete& deletion);
  absl::StatusOr<query::QueryResult> Run(const CreateTable& create);
  absl::StatusOr<query::QueryResult> Run(const CreateView& create);
  absl::StatusOr<query::QueryResult> Run(const AlterTable& alter);
  absl::StatusOr<query::QueryResult> Run(const DropTable& drop);
  absl::StatusOr<query::QueryResult> Run(const RenameTable& rename);
  absl::StatusOr<query::QueryResult> Run(const TruncateTable& truncate);
  absl::StatusOr<query::QueryResult> Run(const LoggedOnly& statement);
  absl::StatusOr<query::QueryResult> Run(const Show& show);
  absl::StatusOr<query::QueryResult> Run(const VexplainPlan& vexplain);
  absl::StatusOr<query::QueryResult> Run(const AlterVschema& vschema);

  // Whether the statement commits a transaction that is open, as definitions do.
  static bool IsDefinition(const Statement& statement);

 private:
  struct Place {
    Shard* shard;
    Table* table;
  };

  absl::StatusOr<Keyspace*> FindKeyspace(std::string_view schema);
  // The shards that the target names: one, or all of the keyspace.
  absl::StatusOr<std::vector<Shard*>> TargetShards(Keyspace& keyspace);
  // The table in each of the target's shards; fails with VTGate's text if there is none.
  absl::StatusOr<std::vector<Place>> FindTables(const TableName& name, Keyspace** keyspace);

  EvaluationContext Context() const;
  absl::StatusOr<std::string> Variable(std::string_view name);

  absl::StatusOr<query::QueryResult> SelectInformationSchema(const Select& select);
  absl::StatusOr<query::QueryResult> SelectFromTable(const Select& select);
  // Calls `visit` for the rows of a place that `where` passes, until it returns an error.
  absl::Status ForEachMatch(
      const Place& place, const ExpressionPtr& where,
      const std::function<absl::Status(const std::string&, const RowPointer&)>& visit);

  absl::StatusOr<Row> BuildRow(Keyspace& keyspace, const TableSchema& schema, const Insert& insert,
                               const std::vector<ExpressionPtr>& values,
                               query::QueryResult& result);
  absl::StatusOr<Cell> DefaultOf(Keyspace& keyspace, const TableSchema& schema,
                                 const Column& column, query::QueryResult& result);
  absl::Status ComputeGenerated(const TableSchema& schema, Row& row);
  absl::StatusOr<Shard*> Route(Keyspace& keyspace, const TableSchema& schema, const Row& row);
  absl::Status InsertRow(Keyspace& keyspace, Shard& shard, const Insert& insert, Row row,
                         query::QueryResult& result);
  absl::Status InsertOverExisting(Keyspace& keyspace, const Insert& insert, const Place& place,
                                  const std::string& key, const RowPointer& existing, Row row,
                                  query::QueryResult& result);
  // A row after a statement's assignments.
  struct ChangedRow {
    Row row;
    std::vector<bool> assigned;          // by column
    std::vector<Cell> json_differences;  // by column; NULL where the document is logged whole
  };
  absl::StatusOr<ChangedRow> Assign(const TableSchema& schema, const Row& row,
                                    const std::vector<Assignment>& assignments,
                                    const Row* inserted);
  absl::Status ChangeRow(Keyspace& keyspace, const Place& place, const std::string& key,
                         ChangedRow changed);
  // What the binary log leaves out of a change; null if nothing. `changed` is null for a DELETE.
  std::shared_ptr<const PartialImages> PartialImagesOf(const TableSchema& schema, const Row& before,
                                                       const ChangedRow* changed) const;
  absl::StatusOr<query::QueryResult> RunChanges(Keyspace& keyspace, const Update& update,
                                                const std::vector<Place>& places);

  void LogDefinition(Shard& shard, std::string statement, std::vector<std::string> tables);
  absl::StatusOr<Cell> ColumnDefault(const Column& column);
  // A row of the table `before` as the altered table has it; `moved` is AlterSchema's.
  absl::StatusOr<Row> RebuildRow(const TableSchema& before, const TableSchema& altered,
                                 const std::vector<int>& moved, const Row& row);
  // All of the actions, or none.
  absl::Status AlterInShard(Shard& shard, Table& table, const AlterTable& alter);
  absl::Status AlterRows(const Shard& shard, Table& table, const AlterAction& action);
  absl::Status RenameInShard(Shard& shard, const std::string& from, const std::string& to);

  absl::StatusOr<query::QueryResult> ShowShards(const Show& show);
  absl::StatusOr<query::QueryResult> ShowVschema(const Show& show);
  absl::StatusOr<query::QueryResult> ShowVindexes(const Show& show);
  absl::StatusOr<query::QueryResult> ShowTablets(const Show& show);
  absl::StatusOr<query::QueryResult> ShowTables(const Show& show);
  absl::StatusOr<query::QueryResult> ShowGtidExecuted(const Show& show);

  ClusterState& state_;
  const Target& target_;
  WriteSet& writes_;
  std::string_view sql_;
};

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_SQL_EXECUTOR_H_
