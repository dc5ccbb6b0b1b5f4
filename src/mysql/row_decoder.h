// From the bytes of a row to Values. A decoder is made once per FIELD event, with one converter per
// column, and then does no look-up by name and, once its buffers have grown, no allocation. A
// decoder is for one thread at a time.
#ifndef SOURCE_VITESS_MYSQL_ROW_DECODER_H_
#define SOURCE_VITESS_MYSQL_ROW_DECODER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mysql/column_type.h"
#include "mysql/scratch.h"
#include "mysql/table_schema.h"
#include "mysql/value.h"
#include "vitess/binlogdata.pb.h"
#include "vitess/query.pb.h"

namespace source_vitess::mysql {

// The three text forms in which Vitess gives the same value (recordings copy-all-types,
// replicate-all-types).
enum class RowSource { kCopy, kBinlog, kExecute };

// One row's values, with the memory of those that had to be converted. Made once per place that
// holds a row (before, after) and used again for every row.
class DecodedRow {
 public:
  std::span<const Value> values() const { return values_; }

 private:
  friend class RowDecoder;
  std::vector<Value> values_;
  Scratch scratch_;
};

class RowDecoder {
 public:
  // `fields`: those of the FIELD event. `schema`: the table's, for what the event does not tell
  // (character sets); columns that it does not have are decoded by the event alone. `wanted`: the
  // names of the columns to decode, empty for all; the others come out as kAbsent and cost nothing.
  // `enum_set_string_values`: as on the FIELD event; decides in kBinlog whether ENUM and SET come
  // as numbers (Vitess before v20, reference 4.3). Fails when the fields are not columns of a table
  // ("@1": the schema was changed behind the stream; FAILED_PRECONDITION).
  static absl::StatusOr<RowDecoder> Make(std::span<const query::Field* const> fields,
                                         const TableSchema& schema,
                                         std::span<const std::string> wanted, RowSource source,
                                         bool enum_set_string_values, const TypeOptions& options);

  RowDecoder(RowDecoder&&) noexcept;
  RowDecoder& operator=(RowDecoder&&) noexcept;
  ~RowDecoder();

  // The columns of every decoded row, in the order of the fields.
  std::span<const Column> columns() const;

  // Decodes `row` into `out`, whose values then view `row` and `out`. `data_columns` and
  // `json_partial_values` are those of the RowChange for an after image, else null
  // (reference 5.3, 5.4). Fails when the lengths do not fit the fields or the bytes (INTERNAL), or
  // when the bitmaps do not fit the table's columns (FAILED_PRECONDITION); a value that is not of
  // its type is no failure but a null with a problem.
  absl::Status Decode(const query::Row& row, const binlogdata::RowChange::Bitmap* data_columns,
                      const binlogdata::RowChange::Bitmap* json_partial_values,
                      DecodedRow& out) const;

 private:
  struct Impl;
  explicit RowDecoder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace source_vitess::mysql

#endif  // SOURCE_VITESS_MYSQL_ROW_DECODER_H_
