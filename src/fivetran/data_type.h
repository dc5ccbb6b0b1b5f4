// How a column is declared to Fivetran (reference 4.2), and which declaration takes the values of
// another.
#ifndef SOURCE_VITESS_FIVETRAN_DATA_TYPE_H_
#define SOURCE_VITESS_FIVETRAN_DATA_TYPE_H_

#include <cstdint>
#include <string_view>

#include "fivetran/common.pb.h"
#include "mysql/column_type.h"
#include "mysql/table_schema.h"

namespace source_vitess::fivetran {

// The largest precision that destinations have a DECIMAL for (reference 2.4).
constexpr uint32_t kMostDigits = 38;

struct DeclaredType {
  fivetran_sdk::v2::DataType type = fivetran_sdk::v2::UNSPECIFIED;
  uint32_t precision = 0;   // of DECIMAL, 1 to kMostDigits
  uint32_t scale = 0;       // of DECIMAL, 0 to precision
  int32_t byte_length = 0;  // of STRING: of the longest value, in UTF-8; 0: not told

  friend bool operator==(const DeclaredType&, const DeclaredType&) = default;
};

// What is declared for a column of the table. `column` may be newer than the one in `table`.
DeclaredType DeclaredTypeOf(const mysql::TableSchema& table, const mysql::Column& column,
                            const mysql::TypeOptions& options);

// Whether every value of a column of type `from` can be sent as one of type `to`.
bool Fits(const DeclaredType& from, const DeclaredType& to);

// The narrowest declaration that takes the values of both; STRING where nothing else does.
DeclaredType Widen(const DeclaredType& a, const DeclaredType& b);

// Sets the column's type and parameters.
void Declare(const DeclaredType& type, fivetran_sdk::v2::Column& column);

// Whether the platform keeps columns of this name for itself, so that none of ours may have it.
bool IsReservedColumn(std::string_view name);

}  // namespace source_vitess::fivetran

#endif  // SOURCE_VITESS_FIVETRAN_DATA_TYPE_H_
