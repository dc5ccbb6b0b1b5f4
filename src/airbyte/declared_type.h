// How a column is declared to the host, and which values that declaration takes (reference 1.10).
#ifndef SOURCE_VITESS_AIRBYTE_DECLARED_TYPE_H_
#define SOURCE_VITESS_AIRBYTE_DECLARED_TYPE_H_

#include <rapidjson/document.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "mysql/column_type.h"
#include "mysql/table_schema.h"
#include "mysql/value.h"

namespace source_vitess::airbyte {

enum class DeclaredType : uint8_t {
  kAny,  // a declaration that is none of ours: nothing is known of what it takes
  kBoolean,
  kInteger,
  kNumber,
  kString,
  kBinary,
  kDate,
  kTimestampWithoutZone,
  kTimestampWithZone,
  kTime,     // of a day, without a zone
  kJson,     // any document
  kObject,   // of any members
  kNumbers,  // an array of them
};

// What discovery declares for a column of the table.
DeclaredType DeclaredTypeOf(const mysql::TableSchema& table, const mysql::Column& column,
                            const mysql::TypeOptions& options);

// The JSON schema of a property: `{"type":["null","string"],"format":"date"}`. REQUIRES: not kAny.
std::string PropertySchema(DeclaredType type, bool nullable);

// Reads one back, also as other programs spell it.
DeclaredType ParsePropertySchema(const rapidjson::Value& schema);

// In words: "an integer".
std::string_view Describe(DeclaredType type);

// Some of mysql::Kind.
class KindSet {
 public:
  constexpr KindSet() = default;
  constexpr KindSet(std::initializer_list<mysql::Kind> kinds) {
    for (const mysql::Kind kind : kinds) bits_ |= BitOf(kind);
  }
  static constexpr KindSet All() {
    KindSet all;
    all.bits_ = ~uint32_t{0};
    return all;
  }

  friend constexpr bool operator==(const KindSet&, const KindSet&) = default;

  constexpr bool Has(mysql::Kind kind) const { return (bits_ & BitOf(kind)) != 0; }
  constexpr void Add(mysql::Kind kind) { bits_ |= BitOf(kind); }

 private:
  static constexpr uint32_t BitOf(mysql::Kind kind) {
    return uint32_t{1} << static_cast<int>(kind);
  }

  uint32_t bits_ = 0;
};

// The kinds of which every value is what `type` declares, written as ever; null is one of them.
KindSet KindsThatFit(DeclaredType type, const mysql::TypeOptions& options);

}  // namespace source_vitess::airbyte

#endif  // SOURCE_VITESS_AIRBYTE_DECLARED_TYPE_H_
