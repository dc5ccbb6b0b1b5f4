#include "sync/schema_reader.h"

#include <charconv>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "text/absl_view.h"
#include "vitess/errors.h"

namespace source_vitess::sync {
namespace {

using text::AbslView;
using text::StdView;

constexpr absl::string_view kTooManyRows = "Row count exceeded";

// Rows that the server gives at once, from its own words "Row count exceeded 10000" (reference 9);
// 0 when `status` is something else.
uint64_t RowLimitOf(const absl::Status& status) {
  constexpr uint64_t kLimitWhereUnsaid = 1000;
  if (status.code() != absl::StatusCode::kAborted) return 0;
  const absl::string_view message = status.message();
  const size_t at = message.find(kTooManyRows);
  if (at == absl::string_view::npos) return 0;
  std::string_view rest = StdView(message.substr(at + kTooManyRows.size()));
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  uint64_t limit = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), limit);
  return limit > 0 ? limit : kLimitWhereUnsaid;
}

// Asks in pages. `sql` has an order that leaves no two rows equal, so that pages neither overlap
// nor leave gaps.
absl::StatusOr<query::QueryResult> ExecuteInPages(vitess::VtgateClient& client,
                                                  std::string_view keyspace, std::string_view sql,
                                                  uint64_t page_rows, absl::Duration timeout) {
  query::QueryResult all;
  for (uint64_t offset = 0;; offset += page_rows) {
    auto page = client.Execute(
        keyspace, absl::StrCat(AbslView(sql), " limit ", page_rows, " offset ", offset), timeout);
    if (!page.ok()) return page.status();
    const auto rows = static_cast<uint64_t>(page->rows_size());
    if (offset == 0) {
      all = *std::move(page);
    } else {
      for (query::Row& row : *page->mutable_rows()) *all.add_rows() = std::move(row);
    }
    if (rows < page_rows) return all;
  }
}

// One query of mysql/table_schema.h. `order` is what pages add to a query that has no order of its
// own.
struct Question {
  std::string_view what;
  std::string sql;
  std::string_view order;
};

absl::StatusOr<query::QueryResult> Ask(vitess::VtgateClient& client, std::string_view keyspace,
                                       const Question& question, absl::Duration timeout) {
  auto answer = client.Execute(keyspace, question.sql, timeout);
  if (!answer.ok()) {
    if (const uint64_t limit = RowLimitOf(answer.status()); limit > 0) {
      const std::string sql = absl::StrCat(question.sql, AbslView(question.order));
      answer = ExecuteInPages(client, keyspace, sql, limit, timeout);
    }
  }
  if (!answer.ok()) {
    return vitess::Annotate(answer.status(), absl::StrCat("reading the ", AbslView(question.what),
                                                          " of keyspace ", AbslView(keyspace)));
  }
  return answer;
}

}  // namespace

absl::StatusOr<std::vector<mysql::TableSchema>> ReadTableSchemas(vitess::VtgateClient& client,
                                                                 std::string_view keyspace,
                                                                 absl::Duration timeout) {
  constexpr std::string_view kByTable = " order by table_name";
  auto tables = Ask(client, keyspace, {"tables", mysql::TablesQuery(keyspace), kByTable}, timeout);
  if (!tables.ok()) return tables.status();
  auto columns = Ask(client, keyspace, {"columns", mysql::ColumnsQuery(keyspace), ""}, timeout);
  if (!columns.ok()) return columns.status();
  auto indexes = Ask(client, keyspace, {"indexes", mysql::IndexesQuery(keyspace), ""}, timeout);
  if (!indexes.ok()) return indexes.status();
  auto sequences =
      Ask(client, keyspace, {"sequences", mysql::SequencesQuery(keyspace), kByTable}, timeout);
  if (!sequences.ok()) return sequences.status();
  auto schemas = mysql::ParseTableSchemas(keyspace, *tables, *columns, *indexes, *sequences);
  if (!schemas.ok()) {
    return vitess::Annotate(schemas.status(),
                            absl::StrCat("reading the schema of keyspace ", AbslView(keyspace)));
  }
  return schemas;
}

}  // namespace source_vitess::sync
