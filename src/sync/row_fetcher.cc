#include "sync/row_fetcher.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "text/absl_view.h"
#include "vitess/errors.h"

namespace source_vitess::sync {
namespace {

using mysql::Kind;
using mysql::Value;
using text::AbslView;

// Far below the 10,000 rows that a tablet gives at once (reference 9).
constexpr size_t kMostKeys = 500;
constexpr size_t kMostSqlBytes = size_t{512} << 10;

// Values of keys as MySQL has them, whatever the connection's options make of them.
constexpr mysql::TypeOptions kKeyTypes = {
    .tinyint1_as_boolean = false, .bit1_as_boolean = false, .zero_dates = mysql::ZeroDates::kText};

std::string QuotedName(std::string_view name) {
  return absl::StrCat("`", absl::StrReplaceAll(AbslView(name), {{"`", "``"}}), "`");
}

std::string QuotedText(std::string_view text) {
  static constexpr absl::string_view kNul("\0", 1);
  return absl::StrCat(
      "'", absl::StrReplaceAll(AbslView(text), {{"\\", "\\\\"}, {"'", "''"}, {kNul, "\\0"}}), "'");
}

// MySQL compares a FLOAT as the double that it is, whose digits are more than those that tell it
// from other floats. 17 are enough for any double.
std::string FloatAsDouble(std::string_view shortest) {
  float number = 0;
  std::from_chars(shortest.data(), shortest.data() + shortest.size(), number);
  std::array<char, 32> text;
  const int size = std::snprintf(text.data(), text.size(), "%.16e", static_cast<double>(number));
  return {text.data(), static_cast<size_t>(size)};
}

// BIT is compared as a number.
std::string BitsAsNumber(std::string_view bytes) {
  uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return absl::StrCat(number);
}

// Empty where the value cannot be written.
std::string Literal(const mysql::ColumnType& type, const Value& value) {
  if (value.problem != mysql::Problem::kNone) return "";
  switch (value.kind) {
    case Kind::kSigned:
    case Kind::kUnsigned:
    case Kind::kDecimal:
    case Kind::kYear:
      return std::string(value.text);
    case Kind::kFloat:
      return FloatAsDouble(value.text);
    case Kind::kDouble:
      // An exponent makes it a double for MySQL too, not a decimal number.
      return absl::StrCat(AbslView(value.text),
                          absl::StrContains(AbslView(value.text), 'e') ? "" : "e0");
    case Kind::kText:
    case Kind::kDate:
    case Kind::kDateTime:
    case Kind::kTimestamp:
    case Kind::kTime:
      return QuotedText(value.text);
    case Kind::kBytes:
      if (type.base == mysql::BaseType::kBit) return BitsAsNumber(value.text);
      return absl::StrCat("x'", absl::BytesToHexString(AbslView(value.text)), "'");
    default:
      return "";
  }
}

// A FLOAT in an answer has six digits unless it is made a DOUBLE; the binary log has all of them.
std::string Selected(const mysql::Column& column) {
  const std::string name = QuotedName(column.name);
  if (column.type.base != mysql::BaseType::kFloat) return name;
  return absl::StrCat(name, " + 0e0 as ", name);
}

bool IsDate(mysql::BaseType base) {
  return base == mysql::BaseType::kDate || base == mysql::BaseType::kDateTime ||
         base == mysql::BaseType::kTimestamp;
}

// The server's time zone is not always UTC, which VStream sets for itself; and MySQL does not
// compare with a zero or partial date unless its mode says that there are such.
std::string Hints(bool has_timestamp, bool has_date_in_key) {
  if (!has_timestamp && !has_date_in_key) return "";
  return absl::StrCat("/*+", has_timestamp ? " SET_VAR(time_zone = '+00:00')" : "",
                      has_date_in_key ? " SET_VAR(sql_mode = 'ALLOW_INVALID_DATES')" : "", " */ ");
}

// What a smaller question helps against: rows or bytes beyond a limit of the tablet, VTGate or this
// client.
bool IsTooLarge(const absl::Status& status) {
  return status.code() == absl::StatusCode::kResourceExhausted ||
         absl::StrContains(status.message(), "ow count exceeded") ||
         absl::StrContains(status.message(), "essage larger than max");
}

}  // namespace

absl::StatusOr<RowFetcher> RowFetcher::Make(const Source& source, const Table& table,
                                            const binlogdata::FieldEvent& event,
                                            std::span<const std::string> wanted,
                                            const mysql::TypeOptions& types) {
  std::vector<const query::Field*> fields;
  fields.reserve(static_cast<size_t>(event.fields_size()));
  for (const query::Field& field : event.fields()) fields.push_back(&field);
  const auto make = [&](std::span<const std::string> columns, mysql::RowSource from,
                        const mysql::TypeOptions& options) {
    return mysql::RowDecoder::Make(fields, table.schema, columns, from,
                                   event.enum_set_string_values(), options);
  };
  auto rows = make(wanted, mysql::RowSource::kExecute, types);
  if (!rows.ok()) return rows.status();
  auto event_keys = make(table.schema.key, mysql::RowSource::kBinlog, kKeyTypes);
  if (!event_keys.ok()) return event_keys.status();
  auto row_keys = make(table.schema.key, mysql::RowSource::kExecute, kKeyTypes);
  if (!row_keys.ok()) return row_keys.status();
  RowFetcher fetcher(source, table, *std::move(rows), *std::move(event_keys), *std::move(row_keys));
  fetcher.Prepare(wanted);
  if (fetcher.key_.size() != table.schema.key.size()) {
    return absl::FailedPreconditionError("the stream does not have the columns of the table's key");
  }
  return fetcher;
}

void RowFetcher::Prepare(std::span<const std::string> wanted) {
  most_keys_ = kMostKeys;
  const std::span<const mysql::Column> columns = rows_.columns();
  std::string list;
  bool has_timestamp = false;
  for (const mysql::Column& column : columns) {
    wanted_.push_back(std::find(wanted.begin(), wanted.end(), column.name) != wanted.end());
    if (!wanted_.back()) continue;
    ++wanted_count_;
    has_timestamp = has_timestamp || column.type.base == mysql::BaseType::kTimestamp;
    absl::StrAppend(&list, list.empty() ? "" : ", ", Selected(column));
  }
  std::string key;
  bool has_date_in_key = false;
  for (const std::string& name : table_.schema.key) {
    const auto column = std::find_if(columns.begin(), columns.end(),
                                     [&](const mysql::Column& c) { return c.name == name; });
    if (column == columns.end()) continue;
    key_.push_back(static_cast<size_t>(column - columns.begin()));
    has_date_in_key = has_date_in_key || IsDate(column->type.base);
    absl::StrAppend(&key, key.empty() ? "" : ", ", QuotedName(name));
  }
  if (key_.size() > 1) key = absl::StrCat("(", key, ")");
  head_ = absl::StrCat("select ", Hints(has_timestamp, has_date_in_key), list, " from ",
                       QuotedName(table_.name()), " where ", key, " in (");
}

absl::StatusOr<RowFetcher::Key> RowFetcher::KeyOf(const query::Row& row, const query::Row* before) {
  absl::Status status = event_keys_.Decode(row, nullptr, nullptr, key_values_);
  if (!status.ok()) return status;
  std::span<const Value> otherwise;
  if (before != nullptr) {
    status = event_keys_.Decode(*before, nullptr, nullptr, before_values_);
    if (!status.ok()) return status;
    otherwise = before_values_.values();
  }
  return KeyOfValues(key_values_.values(), otherwise);
}

absl::StatusOr<RowFetcher::Key> RowFetcher::KeyOfValues(std::span<const Value> values,
                                                        std::span<const Value> otherwise) const {
  std::string key;
  for (const size_t place : key_) {
    const mysql::Column& column = rows_.columns()[place];
    const bool is_there = values[place].kind != Kind::kNull ||
                          values[place].problem != mysql::Problem::kNone || otherwise.empty();
    const std::string literal = Literal(column.type, is_there ? values[place] : otherwise[place]);
    if (literal.empty()) {
      return vitess::ConfigurationError(absl::StrCat(
          "a change came without all columns, and its row cannot be read again by its key (column ",
          column.name, "): run MySQL with binlog_row_image=FULL and without PARTIAL_JSON"));
    }
    absl::StrAppend(&key, key.empty() ? "" : ", ", literal);
  }
  return key_.size() > 1 ? absl::StrCat("(", key, ")") : key;
}

absl::StatusOr<RowFetcher::Page> RowFetcher::Fetch(std::span<const Key> keys) {
  for (;;) {
    Page page;
    page.keys = PageSize(keys);
    absl::Status status = FetchPage(keys.first(page.keys), page);
    if (status.ok()) {
      FitPagesTo(page);
      return page;
    }
    if (page.keys == 1 || !IsTooLarge(status)) return Explained(std::move(status));
    most_keys_ = page.keys / 2;
  }
}

// Rows to come are taken to be as large as those of the last answer.
void RowFetcher::FitPagesTo(const Page& page) {
  if (page.bytes == 0) return;
  const size_t fitting = kMostAnswerBytes * page.rows.size() / page.bytes;
  most_keys_ = std::clamp(fitting, size_t{1}, std::min(kMostKeys, 2 * most_keys_));
}

size_t RowFetcher::PageSize(std::span<const Key> keys) const {
  size_t page = 0;
  size_t bytes = head_.size();
  while (page < std::min(keys.size(), most_keys_)) {
    bytes += keys[page].size() + 2;
    if (page > 0 && bytes > kMostSqlBytes) break;
    ++page;
  }
  return page;
}

std::string RowFetcher::Query(std::span<const Key> keys) const {
  std::string sql = head_;
  for (const Key& key : keys) absl::StrAppend(&sql, &key == keys.data() ? "" : ", ", key);
  sql += ')';
  return sql;
}

absl::StatusOr<query::QueryResult> RowFetcher::Ask(std::span<const Key> keys) {
  auto answer = source_.client.Execute(table_.keyspace(), Query(keys), source_.timeout);
  if (!answer.ok()) return answer.status();
  const auto fits = [&](const query::Row& row) {
    return static_cast<size_t>(row.lengths_size()) == wanted_count_;
  };
  if (!std::all_of(answer->rows().begin(), answer->rows().end(), fits)) {
    return absl::InternalError("an answer has other columns than were asked for");
  }
  return answer;
}

absl::Status RowFetcher::FetchPage(std::span<const Key> keys, Page& page) {
  auto answer = Ask(keys);
  if (!answer.ok()) return answer.status();
  Rows rows;
  for (query::Row& answered : *answer->mutable_rows()) {
    query::Row row = Widened(std::move(answered));
    absl::Status status = row_keys_.Decode(row, nullptr, nullptr, key_values_);
    if (!status.ok()) return status;
    auto key = KeyOfValues(key_values_.values(), {});
    if (!key.ok()) return key.status();
    rows.insert_or_assign(*std::move(key), std::move(row));
  }
  std::vector<const Key*> missing;
  for (const Key& key : keys) {
    auto row = rows.extract(key);
    if (row.empty()) {
      missing.push_back(&key);
    } else {
      page.bytes += row.mapped().values().size();
      page.rows.insert(std::move(row));
    }
  }
  if (rows.empty()) return absl::OkStatus();
  // MySQL found rows that are written otherwise than their keys were: equal to the column's
  // collation, not in their letters. Alone, a question tells whose the answer is.
  for (const Key* key : missing) {
    auto alone = Ask({key, 1});
    if (!alone.ok()) return alone.status();
    if (alone->rows_size() == 1) {
      query::Row row = Widened(std::move(*alone->mutable_rows(0)));
      page.bytes += row.values().size();
      page.rows.insert_or_assign(*key, std::move(row));
    }
  }
  return absl::OkStatus();
}

query::Row RowFetcher::Widened(query::Row row) const {
  query::Row wide;
  wide.set_values(std::move(*row.mutable_values()));
  int next = 0;
  for (const bool is_wanted : wanted_) wide.add_lengths(is_wanted ? row.lengths(next++) : -1);
  return wide;
}

absl::Status RowFetcher::Explained(absl::Status status) const {
  status = vitess::Annotate(std::move(status),
                            absl::StrCat("table ", table_.keyspace(), ".", table_.name(),
                                         ": reading rows whose changes came without all columns"));
  return vitess::WithClass(std::move(status), vitess::ErrorClass::kTransient);
}

}  // namespace source_vitess::sync
