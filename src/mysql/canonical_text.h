// The canonical text of numbers, dates and JSON documents (mysql/value.h) from what the server
// wrote.
#ifndef SOURCE_VITESS_MYSQL_CANONICAL_TEXT_H_
#define SOURCE_VITESS_MYSQL_CANONICAL_TEXT_H_

#include <string_view>

#include "mysql/scratch.h"

namespace source_vitess::mysql {

// What is to be said of a text.
enum class Verdict {
  kGood,             // the text is canonical now
  kUnrepresentable,  // of its type, but no value that has a place outside MySQL (a zero or partial
                     // date)
  kMalformed,        // not of its type
};

// Each function looks at `text` and makes it canonical: by cutting it where that is enough, else
// with a copy in `scratch`. A text that is not kGood is left as it is.

// An integer within int64_t, or uint64_t; without leading zeros (zerofill) and without a sign on
// zero.
Verdict CanonicalInteger(bool is_unsigned, std::string_view& text, Scratch& scratch);

// A decimal number without an exponent. Vitess writes none of the digits before the point if they
// are all zero, keeps leading zeros of some numbers (reference 5.5), and wrote nothing at all for a
// zero without decimals (go/mysql/binlog/rbr.go, CellValue).
Verdict CanonicalDecimal(std::string_view& text, Scratch& scratch);

// A floating-point number, in any decimal form: the shortest text that reads back as the same
// value, as std::to_chars writes it. What is not finite is kMalformed.
Verdict CanonicalFloat(std::string_view& text, Scratch& scratch);
Verdict CanonicalDouble(std::string_view& text, Scratch& scratch);

// "YYYY-MM-DD". A year, month or day of zero, and a day that its month does not have (SQL mode
// ALLOW_INVALID_DATES), are kUnrepresentable.
Verdict CheckDate(std::string_view text);
// "YYYY-MM-DD hh:mm:ss[.f{1,6}]".
Verdict CheckDateTime(std::string_view text);
// "[-]hh:mm:ss[.f{1,6}]", hours to 838.
Verdict CheckTime(std::string_view text);
// Four digits; loses its leading zeros.
Verdict CanonicalYear(std::string_view& text);

// A JSON document on one line. An empty one is the null of JSON, as for MySQL; numbers such as ".5"
// and "-.5", which Vitess wrote until 2026 (reference 5.5), get their zero. Everything else is left
// as the server writes it.
Verdict CanonicalJson(std::string_view& text, Scratch& scratch);

}  // namespace source_vitess::mysql

#endif  // SOURCE_VITESS_MYSQL_CANONICAL_TEXT_H_
