#include "tests/test_source.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"

namespace source_vitess::integration_tests {
namespace {

// As the connector writes the row: numbers as they are, text in quotes. The tests' texts have
// nothing to escape.
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

void TestSource::Connect(const std::string& config) {
  auto connector = harness::Connector::Make(SOURCE_VITESS_PROGRAM, config);
  ASSERT_TRUE(connector.ok()) << connector.status();
  connector_ = *std::move(connector);
  const absl::Status discovered = Rediscover();
  ASSERT_TRUE(discovered.ok()) << discovered;
}

void TestSource::Execute(std::string_view sql) {
  const auto result = Query(keyspace_, sql);
  ASSERT_TRUE(result.ok()) << result.status() << " in " << sql;
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

std::set<std::string> TestSource::SourceRows(const std::string& table) {
  const auto result = Query(keyspace_, absl::StrCat("select ", columns_[table], " from ", table));
  EXPECT_TRUE(result.ok()) << result.status();
  std::set<std::string> rows;
  if (!result.ok()) return rows;
  for (const query::Row& row : result->rows()) rows.insert(JsonOf(*result, row));
  return rows;
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
  std::vector<std::string> differences;
  const std::set<std::string> source = SourceRows(table);
  std::set<std::string> destination;
  for (const auto& [key, row] : destination_->Rows(keyspace_, table)) destination.insert(row);
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

absl::Status TestSource::Rediscover() {
  const auto discovered = connector_->DiscoverCatalog();
  if (!discovered.ok()) return discovered.status();
  auto catalog = harness::ConfigureCatalog(*discovered);
  if (!catalog.ok()) return catalog.status();
  catalog_ = *std::move(catalog);
  columns_.clear();
  const auto tables = Query(keyspace_, "show tables");
  if (!tables.ok()) return tables.status();
  for (const query::Row& row : tables->rows()) {
    const auto fields = Query(keyspace_, absl::StrCat("select * from ", row.values()));
    if (!fields.ok()) return fields.status();
    columns_[row.values()] = absl::StrJoin(
        fields->fields(), ", ",
        [](std::string* out, const query::Field& field) { absl::StrAppend(out, field.name()); });
  }
  destination_ = std::make_unique<harness::Destination>(catalog_);
  return absl::OkStatus();
}

std::set<std::string> TestSource::KeysIn(const std::string& shard, const std::string& table) {
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

const std::vector<std::string>& TestSource::Tables() {
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
