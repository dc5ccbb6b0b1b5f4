// A column's type: how it is declared, and how Vitess and MySQL announce it.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_COLUMN_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_COLUMN_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "simulator/charset.h"
#include "simulator/sql_statement.h"
#include "vitess/query.pb.h"

namespace source_vitess::simulator {

struct Column {
  std::string name;
  query::Type type =
      query::NULL_TYPE;     // never VARBINARY for a text with a "_bin" collation: see AnnouncedType
  std::string data_type;    // information_schema's: "varchar", "bigint"
  std::string column_type;  // information_schema's: "varchar(20)", "bigint unsigned"
  const Collation* collation = nullptr;  // null: not text
  bool is_unsigned = false;
  bool zerofill = false;
  // Characters or bytes of CHAR, VARCHAR, BINARY, VARBINARY; bits of BIT; digits of DECIMAL; the
  // display width of integers that have one; dimensions of VECTOR; most bytes of TEXT and BLOB.
  uint64_t length = 0;
  uint32_t decimals = 0;            // of DECIMAL; fractional digits of the types with a time
  std::vector<std::string> labels;  // of ENUM and SET, UTF-8
  bool nullable = true;
  ExpressionPtr default_value;  // null: none
  bool on_update_now = false;
  bool auto_increment = false;
  ExpressionPtr generated;  // null: an ordinary column
  std::string generated_text;
  bool stored = false;
  bool invisible = false;
  std::string comment;

  bool IsText() const { return collation != nullptr && type != query::ENUM && type != query::SET; }
  bool IsInteger() const;
  bool HasDefaultNow() const;
};

// `table_collation` applies where the column names none.
absl::StatusOr<Column> MakeColumn(const ColumnSyntax& syntax, const Collation& table_collation);

// What a table's indexes say of a column.
struct ColumnKeyFlags {
  bool primary = false;
  bool unique = false;    // the only column of a unique index
  bool multiple = false;  // the first column of an index that allows repeated values
  bool part = false;      // in any index
};

// The field as a FIELD event has it (recording copy-all-types). `database` is MySQL's name of it.
query::Field MakeField(const Column& column, std::string_view table, std::string_view database,
                       const ColumnKeyFlags& key);

// MySQL's type number in a binary log's table map, as error texts list them (recording
// error-schema-changed-behind).
int BinlogType(const Column& column);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_COLUMN_H_
