// The way of a single value: from what a server sends of it to the record that Airbyte gets.
#ifndef SOURCE_VITESS_TESTS_VALUES_DELIVERY_H_
#define SOURCE_VITESS_TESTS_VALUES_DELIVERY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mysql/column_type.h"
#include "vitess/query.pb.h"

namespace source_vitess::tests {

// A column as information_schema and a FIELD event describe it.
struct ColumnUnderTest {
  std::string type = {};  // information_schema's column_type
  query::Type wire = query::NULL_TYPE;
  uint32_t collation = 63;         // the FIELD event's charset; 63 is binary
  std::string character_set = {};  // information_schema's
  mysql::TypeOptions options = {};
};

// The forms in which a server sends a value. The binary log's differs before Vitess v20, which sent
// the numbers of ENUM and SET.
enum class Way { kCopy, kBinlog, kBinlogBeforeV20, kExecute };

enum class Note { kNone, kNulled, kReplaced };

using Bytes = std::optional<std::string>;  // nothing: NULL

// A value in each of its forms, and what a record says of it.
struct Sample {
  Bytes copy;
  Bytes binlog;
  Bytes binlog_before_v20;
  Bytes execute;
  std::string json;
  Note note = Note::kNone;
};

// Values of the same form in every phase, ...
Sample Same(const Bytes& bytes, const std::string& json, Note note = Note::kNone);
// ... in two: the server's own text (copy, Execute) and Vitess's (binary log), ...
Sample Twofold(const std::string& server, const std::string& vitess, const std::string& json,
               Note note = Note::kNone);
// ... and text in a character set of its own, which a query's answer has in UTF-8.
Sample Text(const std::string& bytes, const std::string& utf8, const std::string& json);
// A value that the server can hold and the declared type cannot.
Sample Nulled(const std::string& bytes);
Sample Null();

// Expects `json` for `bytes` that came in one way; in a column that allows NULL and, if `bytes` is
// not NULL itself, in one that does not. Every record is validated against what discovery declares.
void ExpectValue(const ColumnUnderTest& column, Way way, const Bytes& bytes,
                 const std::string& json, Note note = Note::kNone);

// Expects each sample in every way, and that the binary log's are the same in a partial row image
// (NOBLOB) that has the column, and gone from one that leaves it out.
void ExpectValues(const ColumnUnderTest& column, const std::vector<Sample>& samples);

// Expects each sample in every way where the column is a part of the table's key.
void ExpectValuesInKey(const ColumnUnderTest& column, const std::vector<Sample>& samples);

// Expects `json` for `bytes` of the binary log in a column that was as in `declared` when the
// connection was made, and is as in `now`; valid as it was declared then.
void ExpectValueAfterChange(const ColumnUnderTest& declared, const ColumnUnderTest& now,
                            const Bytes& bytes, const std::string& json, Note note = Note::kNone);

// The record of such a value, whatever it is. Expects that it is valid.
std::string RecordAfterChange(const ColumnUnderTest& declared, const ColumnUnderTest& now,
                              const Bytes& bytes);

// Expects that no record's text is made of the bytes, but a null with a note: bytes that no server
// sends in a column of this type.
void ExpectMalformed(const ColumnUnderTest& column, const std::vector<std::string>& bytes);

// Expects that bytes of any kind, in every way, become a record of one line of UTF-8 that is as
// discovery declares it.
void ExpectValid(const ColumnUnderTest& column, const std::string& bytes);

}  // namespace source_vitess::tests

#endif  // SOURCE_VITESS_TESTS_VALUES_DELIVERY_H_
