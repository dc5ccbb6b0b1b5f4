// Reads rows of a table again by their keys, for changes that came without all of their columns
// (reference 5.3 and 5.4: binlog_row_image=NOBLOB, PARTIAL_JSON).
#ifndef SOURCE_VITESS_SYNC_ROW_FETCHER_H_
#define SOURCE_VITESS_SYNC_ROW_FETCHER_H_

#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "mysql/row_decoder.h"
#include "sync/sink.h"
#include "vitess/binlogdata.pb.h"
#include "vitess/query.pb.h"
#include "vitess/vtgate_client.h"

namespace source_vitess::sync {

// Made from the fields of one FIELD event, for the rows behind it. For one thread.
class RowFetcher {
 public:
  // How rows are asked for: both outlive the fetcher.
  struct Source {
    vitess::VtgateClient& client;
    absl::Duration timeout;  // of one query
  };

  // Fetches the columns of `event` that `wanted` names, which have the table's key among them.
  // `table` must outlive the fetcher, and has a key. Errors as of mysql::RowDecoder::Make.
  static absl::StatusOr<RowFetcher> Make(const Source& source, const Table& table,
                                         const binlogdata::FieldEvent& event,
                                         std::span<const std::string> wanted,
                                         const mysql::TypeOptions& types);

  // A row's key as SQL, by which Fetch finds it. Equal keys are equal texts.
  using Key = std::string;

  // The key of `row`, an image in a binary log. What the image does not have is taken from `before`
  // where that is given: a column of the key that an update left as it was may be absent behind it.
  // Fails when a part of the key is in neither, or cannot be written as text (class
  // kConfiguration).
  absl::StatusOr<Key> KeyOf(const query::Row& row, const query::Row* before);

  using Rows = absl::flat_hash_map<Key, query::Row>;

  struct Page {
    size_t keys = 0;  // how many were asked for, from the first on: 1 or more
    Rows rows;        // those that there are
    size_t bytes = 0;
  };

  // The rows that have the first of these keys now, on the primaries: a row is as new as any event
  // that has come or newer. Each has the columns of the FIELD event, those not wanted as NULL. Asks
  // for as many keys as one query takes, and for fewer once answers were large, so that an answer
  // is of about kMostAnswerBytes; the largest is what the client accepts as a message. REQUIRES:
  // keys, each of them once. Every failure is of the class kTransient and names the table.
  absl::StatusOr<Page> Fetch(std::span<const Key> keys);

  static constexpr size_t kMostAnswerBytes = size_t{4} << 20;

  // Decodes a row that Fetch gave; as mysql::RowDecoder::Decode.
  absl::Status Decode(const query::Row& row, mysql::DecodedRow& out) const {
    return rows_.Decode(row, nullptr, nullptr, out);
  }

 private:
  RowFetcher(const Source& source, const Table& table, mysql::RowDecoder rows,
             mysql::RowDecoder event_keys, mysql::RowDecoder row_keys)
      : source_(source),
        table_(table),
        rows_(std::move(rows)),
        event_keys_(std::move(event_keys)),
        row_keys_(std::move(row_keys)) {}

  void Prepare(std::span<const std::string> wanted);
  std::string Query(std::span<const Key> keys) const;
  size_t PageSize(std::span<const Key> keys) const;
  absl::StatusOr<query::QueryResult> Ask(std::span<const Key> keys);
  absl::Status FetchPage(std::span<const Key> keys, Page& page);
  void FitPagesTo(const Page& page);
  query::Row Widened(query::Row row) const;
  absl::StatusOr<Key> KeyOfValues(std::span<const mysql::Value> values,
                                  std::span<const mysql::Value> otherwise) const;
  absl::Status Explained(absl::Status status) const;

  const Source source_;
  const Table& table_;
  mysql::RowDecoder rows_;        // of answers
  mysql::RowDecoder event_keys_;  // of the key's columns alone, in the binary log
  mysql::RowDecoder row_keys_;    // of the key's columns alone, in answers
  std::vector<size_t> key_;       // places of the key's columns, in the key's order
  std::vector<bool> wanted_;      // by place
  size_t wanted_count_ = 0;
  std::string head_;  // the query up to its keys
  size_t most_keys_;  // to a query; fewer where rows are large
  mysql::DecodedRow key_values_;
  mysql::DecodedRow before_values_;
};

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_ROW_FETCHER_H_
