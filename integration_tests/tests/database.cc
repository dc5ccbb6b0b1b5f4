#include "tests/database.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"

namespace source_vitess::integration_tests {
namespace {

std::string JsonOf(const query::QueryResult& result, const query::Row& row) {
  std::string json = "{";
  size_t offset = 0;
  for (int i = 0; i < result.fields_size(); ++i) {
    if (i > 0) json += ",";
    absl::StrAppend(&json, "\"", result.fields(i).name(), "\":");
    const int64_t length = row.lengths(i);
    if (length < 0) {
      json += "null";
      continue;
    }
    const std::string text = row.values().substr(offset, static_cast<size_t>(length));
    offset += static_cast<size_t>(length);
    const query::Type type = result.fields(i).type();
    const bool number = (static_cast<int>(type) & query::ISINTEGRAL) != 0 || type == query::DECIMAL;
    absl::StrAppend(&json, number ? "" : "\"", text, number ? "" : "\"");
  }
  return json + "}";
}

}  // namespace

void Database::Execute(std::string_view sql) {
  const auto result = Query(keyspace_, sql);
  ASSERT_TRUE(result.ok()) << result.status() << " in " << sql;
}

std::vector<std::string> Database::ColumnsOf(const std::string& table) {
  const auto result = Query(keyspace_, absl::StrCat("select * from ", table));
  EXPECT_TRUE(result.ok()) << result.status();
  std::vector<std::string> columns;
  if (!result.ok()) return columns;
  for (const query::Field& field : result->fields()) columns.push_back(field.name());
  return columns;
}

std::set<std::string> Database::RowsOf(const std::string& table,
                                       const std::vector<std::string>& columns) {
  const auto result =
      Query(keyspace_, absl::StrCat("select ", absl::StrJoin(columns, ", "), " from ", table));
  EXPECT_TRUE(result.ok()) << result.status();
  std::set<std::string> rows;
  if (!result.ok()) return rows;
  for (const query::Row& row : result->rows()) rows.insert(JsonOf(*result, row));
  return rows;
}

std::set<std::string> Database::KeysIn(const std::string& shard, const std::string& table) {
  const auto result =
      Query(absl::StrCat(keyspace_, ":", shard), absl::StrCat("select * from ", table));
  EXPECT_TRUE(result.ok()) << result.status();
  std::set<std::string> keys;
  if (!result.ok()) return keys;
  for (const query::Row& row : result->rows()) {
    keys.insert(row.values().substr(0, static_cast<size_t>(row.lengths(0))));
  }
  return keys;
}

std::vector<std::string> DifferencesBetween(const std::string& table,
                                            const std::set<std::string>& source,
                                            const std::set<std::string>& destination) {
  std::vector<std::string> differences;
  const auto note = [&](const char* what, const std::set<std::string>& has,
                        const std::set<std::string>& lacks) {
    std::vector<std::string> rows;
    std::set_difference(has.begin(), has.end(), lacks.begin(), lacks.end(),
                        std::back_inserter(rows));
    for (const std::string& row : rows) {
      differences.push_back(absl::StrCat(table, ": ", what, " ", row));
    }
  };
  note("missing in the destination:", source, destination);
  note("not in the source:", destination, source);
  return differences;
}

const std::vector<TableDefinition>& TableDefinitions() {
  static const auto& definitions = *new std::vector<TableDefinition>{
      {"customers",
       "create table customers (id bigint not null, email varchar(64), primary key (id))", "hash",
       "id"},
      {"orders",
       "create table orders (customer_id bigint not null, id bigint not null, price decimal(12, "
       "2), "
       "primary key (customer_id, id))",
       "hash", "customer_id"},
      {"notes", "create table notes (id bigint not null, body text, primary key (id))", "hash",
       "id"},
      {"words", "create table words (word varchar(32) not null, seen int, primary key (word))",
       "xxhash", "word"},
      {"tags",
       "create table tags (kind enum('red', 'green', 'blue') not null, id bigint not null, "
       "weight int, primary key (kind, id))",
       "hash", "id"}};
  return definitions;
}

const std::vector<std::string>& Database::Tables() {
  static const auto& tables =
      *new std::vector<std::string>{"customers", "notes", "orders", "tags", "words"};
  return tables;
}

std::vector<std::string> RowsOfEveryTable(int first, int last) {
  std::vector<std::string> statements;
  const std::vector<std::string> kinds = {"red", "green", "blue"};
  for (int i = first; i <= last; ++i) {
    statements.push_back(absl::StrCat("insert into customers (id, email) values (", i, ", 'user", i,
                                      "@example.com')"));
    statements.push_back(absl::StrCat("insert into orders (customer_id, id, price) values (", i,
                                      ", ", i * 7, ", ", i, ".50)"));
    statements.push_back(
        absl::StrCat("insert into notes (id, body) values (", i, ", 'a note of ", i, "')"));
    statements.push_back(
        absl::StrCat("insert into words (word, seen) values ('word", i, "', ", i % 5, ")"));
    statements.push_back(absl::StrCat("insert into tags (kind, id, weight) values ('",
                                      kinds[static_cast<size_t>(i) % 3], "', ", i, ", ", i * 3,
                                      ")"));
  }
  return statements;
}

}  // namespace source_vitess::integration_tests
