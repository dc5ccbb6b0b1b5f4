// For tests of commands: a VTGate that answers queries about keyspaces, shards, tablets and tables,
// and streams nothing.
#ifndef SOURCE_VITESS_COMMANDS_FAKE_VTGATE_FOR_TEST_H_
#define SOURCE_VITESS_COMMANDS_FAKE_VTGATE_FOR_TEST_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mysql/table_schema.h"
#include "text/absl_view.h"
#include "vitess/vtgate_client.h"

namespace source_vitess::commands {

using FakeRows = std::vector<std::vector<std::string>>;

inline query::QueryResult FakeResult(const std::vector<std::string>& names, const FakeRows& rows) {
  query::QueryResult result;
  for (const std::string& name : names) {
    query::Field* field = result.add_fields();
    field->set_name(name);
    field->set_type(query::VARCHAR);
  }
  for (const std::vector<std::string>& values : rows) {
    query::Row* row = result.add_rows();
    for (const std::string& value : values) {
      row->add_lengths(static_cast<int64_t>(value.size()));
      row->mutable_values()->append(value);
    }
  }
  return result;
}

// What the fake's Vitess consists of: keyspace "customer" in two shards, with the table
// "customers", which has a key, and "nopk", which has none; and the empty keyspace "commerce".
// Answers have the form of recordings execute-*.
struct FakeVitess {
  absl::Status connection;   // what every query fails with
  int failing_queries = -1;  // or only so many; counts down
  int queries = 0;           // how many were asked
  FakeRows keyspaces = {{"customer"}, {"commerce"}};
  FakeRows shards = {{"commerce/0"}, {"customer/-80"}, {"customer/80-"}};
  FakeRows tablets = {{"zone1", "commerce", "0", "PRIMARY", "SERVING", "zone1-1", "h", ""},
                      {"zone1", "customer", "-80", "PRIMARY", "SERVING", "zone1-2", "h", ""},
                      {"zone1", "customer", "80-", "PRIMARY", "SERVING", "zone1-3", "h", ""},
                      {"zone1", "customer", "-80", "REPLICA", "SERVING", "zone1-4", "h", ""},
                      {"zone1", "customer", "80-", "REPLICA", "NOT_SERVING", "zone1-5", "h", ""}};
  std::string row_image = "FULL";
  std::string row_value_options;
  FakeRows tables = {{"vt_customer", "customers", "BASE TABLE", "3", "InnoDB"},
                     {"vt_customer", "nopk", "BASE TABLE", "0", "InnoDB"}};
  std::string log_seconds = "259200";  // binlog_expire_logs_seconds
  FakeRows cascaded;                   // tables that foreign keys change
  std::string foreign_keys = "unmanaged";
  absl::Status advice;  // what the queries for these fail with
  int streams = 0;      // how many were opened
};

class FakeVtgate final : public vitess::VtgateClient {
 public:
  explicit FakeVtgate(FakeVitess& vitess) : vitess_(vitess) {}

  absl::StatusOr<query::QueryResult> Execute(std::string_view target, std::string_view sql,
                                             absl::Duration) override {
    ++vitess_.queries;
    if (vitess_.failing_queries == 0) vitess_.connection = absl::OkStatus();
    if (vitess_.failing_queries > 0) --vitess_.failing_queries;
    if (!vitess_.connection.ok()) return vitess_.connection;
    const std::string query = absl::AsciiStrToLower(text::AbslView(sql));
    if (absl::StrContains(query, "show keyspaces")) {
      return FakeResult({"Database"}, vitess_.keyspaces);
    }
    if (absl::StrContains(query, "show vitess_shards")) {
      return FakeResult({"Shards"}, vitess_.shards);
    }
    if (absl::StrContains(query, "show vitess_tablets")) {
      return FakeResult({"Cell", "Keyspace", "Shard", "TabletType", "State", "Alias", "Hostname",
                         "PrimaryTermStartTime"},
                        vitess_.tablets);
    }
    if (absl::StrContains(query, "gtid_executed")) return ShardStatus();
    if (absl::StrContains(query, "binlog_expire_logs_seconds")) {
      if (!vitess_.advice.ok()) return vitess_.advice;
      return FakeResult({"seconds"}, {{vitess_.log_seconds}});
    }
    if (absl::StrContains(query, "referential_constraints")) {
      if (!vitess_.advice.ok()) return vitess_.advice;
      return FakeResult({"table_name"}, vitess_.cascaded);
    }
    if (absl::StrContains(query, "show vschema keyspaces")) {
      if (!vitess_.advice.ok()) return vitess_.advice;
      return FakeResult({"Keyspace", "Sharded", "Foreign Key"},
                        {{"customer", "true", vitess_.foreign_keys}});
    }
    return InformationSchema(target, sql);
  }

  std::unique_ptr<vitess::VStream> Stream(const vtgate::VStreamRequest&) override {
    ++vitess_.streams;
    return std::make_unique<EndedStream>();
  }

 private:
  class EndedStream final : public vitess::VStream {
   public:
    bool Read(vtgate::VStreamResponse*) override { return false; }
    absl::Status Finish() override {
      return absl::InvalidArgumentError("the fake streams nothing");
    }
    void Cancel() override { cancelled_ = true; }
    bool was_cancelled() const override { return cancelled_; }

   private:
    bool cancelled_ = false;
  };

  query::QueryResult ShardStatus() const {
    const std::string server = "83c0af68-e68d-11f1-b044-02fc00000001";
    return FakeResult(
        {"@@global.`gtid_executed`", "@@global.gtid_purged", "@@global.binlog_row_image",
         "@@global.binlog_row_value_options", "@@global.server_uuid", "@@version"},
        {{server + ":1-9", "", vitess_.row_image, vitess_.row_value_options, server,
          "8.4.6-Vitess"}});
  }

  absl::StatusOr<query::QueryResult> InformationSchema(std::string_view target,
                                                       std::string_view sql) const {
    const bool is_customer = target == "customer";
    if (sql == mysql::SequencesQuery(target)) return FakeResult({"table_name"}, {});
    if (sql == mysql::TablesQuery(target)) {
      return FakeResult({"table_schema", "table_name", "table_type", "table_rows", "engine"},
                        is_customer ? vitess_.tables : FakeRows());
    }
    if (sql == mysql::ColumnsQuery(target)) {
      return FakeResult(
          {"table_name", "column_name", "ordinal_position", "column_type", "data_type",
           "character_set_name", "collation_name", "is_nullable", "column_key", "extra"},
          is_customer
              ? FakeRows{{"customers", "id", "1", "bigint", "bigint", "", "", "NO", "PRI", ""},
                         {"customers", "email", "2", "varchar(128)", "varchar", "utf8mb4",
                          "utf8mb4_0900_ai_ci", "NO", "", ""},
                         {"nopk", "a", "1", "bigint", "bigint", "", "", "NO", "", ""}}
              : FakeRows());
    }
    if (sql == mysql::IndexesQuery(target)) {
      return FakeResult(
          {"table_name", "index_name", "column_name", "seq_in_index", "non_unique", "nullable"},
          is_customer ? FakeRows{{"customers", "PRIMARY", "id", "1", "0", ""}} : FakeRows());
    }
    return absl::UnknownError(absl::StrCat("the fake does not know ", text::AbslView(sql)));
  }

  FakeVitess& vitess_;
};

}  // namespace source_vitess::commands

#endif  // SOURCE_VITESS_COMMANDS_FAKE_VTGATE_FOR_TEST_H_
