// The full SQL type of a column, parsed from information_schema's column_type and from FIELD
// events, and the options that steer what becomes of it. This is the one place that decides about
// types.
#ifndef SOURCE_VITESS_MYSQL_COLUMN_TYPE_H_
#define SOURCE_VITESS_MYSQL_COLUMN_TYPE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "mysql/value.h"

namespace source_vitess::mysql {

enum class BaseType : uint8_t {
  kUnknown,
  kTinyInt,
  kSmallInt,
  kMediumInt,
  kInt,
  kBigInt,
  kFloat,
  kDouble,
  kDecimal,
  kBit,
  kYear,
  kDate,
  kDateTime,
  kTimestamp,
  kTime,
  kChar,
  kVarchar,
  kText,  // kText: tinytext to longtext
  kBinary,
  kVarbinary,
  kBlob,  // kBlob: tinyblob to longblob
  kEnum,
  kSet,
  kJson,
  kGeometry,
  kVector,
};

struct ColumnType {
  std::string text;  // as the server writes it, "bigint unsigned"
  BaseType base = BaseType::kUnknown;
  bool is_unsigned = false;
  bool zerofill = false;
  int length =
      0;  // of CHAR(n), BINARY(n), BIT(n), DECIMAL(n, ...), TINYINT(n); 0 where none is written
  int decimals = 0;                 // of DECIMAL(n, d), and fractional digits of times
  std::vector<std::string> labels;  // of ENUM and SET, UTF-8, unescaped
  std::string
      character_set;  // of text types, "utf8mb4"; empty where there is none or it is not known
  std::string collation;
};

// Parses such text as "enum('a','b,c','d''e')" or "int(6) unsigned zerofill". Text that is no type
// is an error; a type that is not known is kUnknown.
absl::StatusOr<ColumnType> ParseColumnType(std::string_view text);

enum class ZeroDates { kNull, kText };
enum class GeometryFormat { kGeoJson, kWkbHex };
enum class TimeFormat { kTimeOfDay, kText };

// Options of the connection that change the kind or the form of values.
struct TypeOptions {
  bool tinyint1_as_boolean = false;
  bool bit1_as_boolean = true;
  ZeroDates zero_dates = ZeroDates::kNull;
  GeometryFormat geometry = GeometryFormat::kGeoJson;
  TimeFormat times = TimeFormat::kTimeOfDay;  // of TIME
};

// The kind that values of the column have when they are neither null nor absent. Dates that are
// none are kText instead with ZeroDates::kText.
Kind KindOf(const ColumnType& type, const TypeOptions& options);

}  // namespace source_vitess::mysql

#endif  // SOURCE_VITESS_MYSQL_COLUMN_TYPE_H_
