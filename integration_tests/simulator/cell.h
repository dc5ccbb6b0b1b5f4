// One value of a column: how it is stored, ordered, and written in each of the three forms that a
// client can see.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_CELL_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_CELL_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "simulator/column.h"
#include "simulator/sql_statement.h"
#include "simulator/version_profile.h"

namespace source_vitess::simulator {

// NULL, or the value in its stored form: numbers as decimal text (floats in their shortest exact
// form), dates and times as MySQL writes them, text in its column's character set, ENUM and SET as
// their labels in UTF-8, BIT as big-endian bytes, JSON as MySQL's text, the rest as bytes.
using Cell = std::optional<std::string>;
using Row = std::vector<Cell>;
using RowPointer = std::shared_ptr<const Row>;

// What a column stores when it is given `literal`. Fails as MySQL's strict mode does, with its
// error number in the text
// ("Data too long for column 'x' at row 1 (errno 1406) (sqlstate 22001)").
absl::StatusOr<Cell> StoreLiteral(const Column& column, const Literal& literal);

// What a copy sends: MySQL's text protocol over a connection with "set names binary"
// (reference 5.5).
std::string CopyText(const Column& column, std::string_view stored);

// What replication sends: Vitess's own rendering of a binary log's row (reference 5.5,
// go/mysql/binlog/rbr.go).
std::string BinlogText(const Column& column, std::string_view stored,
                       const VersionProfile& version);

// What Execute answers: the text protocol over a connection in utf8mb4.
std::string QueryText(const Column& column, std::string_view stored);

// Bytes whose order is MySQL's order of the column's values, NULL first. Keys of several columns
// can be joined.
std::string SortKey(const Column& column, const Cell& cell);

// Negative, 0 or positive, as MySQL compares a column's value that is not NULL with a literal that
// is not NULL. An ENUM or SET is compared with text as text, which is not its own order
// (reference 2.9: why such keys cannot be resumed).
int CompareWithLiteral(const Column& column, std::string_view stored, const Literal& literal);

// Bytes of the value in a row of the binary log.
size_t BinlogSize(const Column& column, const Cell& cell);

// A number's text with exactly `scale` fractional digits, rounded half away from zero, without
// leading zeros but one before the point. `number` is digits with an optional sign, point and
// exponent.
std::string NormalizeDecimal(std::string_view number, uint32_t scale);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_CELL_H_
