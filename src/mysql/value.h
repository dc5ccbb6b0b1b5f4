// A value of a MySQL column, as every sink gets it: its kind, and a view of its canonical text or
// bytes.
#ifndef SOURCE_VITESS_MYSQL_VALUE_H_
#define SOURCE_VITESS_MYSQL_VALUE_H_

#include <cstdint>
#include <string_view>

namespace source_vitess::mysql {

// What `Value::text` holds for each kind. Numbers are canonical decimal text that is also a JSON
// number: no leading zeros, no plus sign, a digit before the point. So a sink that writes text
// copies it, and one that needs a number parses it (std::from_chars).
enum class Kind : uint8_t {
  kNull,       // nothing; `problem` may say that there was a value that could not be given
  kAbsent,     // nothing: the row image does not have this column
  kSigned,     // an integer that fits int64_t
  kUnsigned,   // an integer that fits uint64_t
  kBoolean,    // "true" or "false"
  kFloat,      // the shortest text that reads back as the same float: "0.1", "1e+15"
  kDouble,     // likewise of a double
  kDecimal,    // all digits, no exponent
  kText,       // valid UTF-8
  kBytes,      // any bytes
  kDate,       // "YYYY-MM-DD", a date of the calendar
  kDateTime,   // "YYYY-MM-DD hh:mm:ss[.f{1,6}]", without a zone
  kTimestamp,  // the same, UTC
  kTime,       // "[-]hh:mm:ss[.f{1,6}]", hours to 838
  kYear,       // an integer, 0 or 1901 to 2155
  kJson,       // a JSON document in UTF-8, on one line
  kGeometry,   // 4 bytes SRID, little-endian, then WKB; well-formed (mysql/geometry.h)
  kVector,     // little-endian float32s, all finite
};

// Why a value is null or altered, for hosts that can be told (Airbyte's record meta).
enum class Problem : uint8_t {
  kNone,
  kUnrepresentable,  // the server's value has no place in the column's declared type; it is kNull
                     // here
  kMalformed,        // the server's text is not of the column's type; it is kNull here
  kReplaced,         // invalid sequences of its character set were replaced
};

// A view: `text` lives as long as the row that it was decoded from and the DecodedRow that it
// stands in.
struct Value {
  Kind kind = Kind::kNull;
  Problem problem = Problem::kNone;
  // Of kText: whether it is known to have neither control characters nor quotation marks nor
  // backslashes, so that it is its own escaped form.
  bool plain = false;
  std::string_view text;
};

}  // namespace source_vitess::mysql

#endif  // SOURCE_VITESS_MYSQL_VALUE_H_
