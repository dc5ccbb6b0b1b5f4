#include "fivetran/data_type.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "text/absl_view.h"

namespace source_vitess::fivetran {
namespace {

namespace sdk = fivetran_sdk::v2;
using mysql::BaseType;
using mysql::Kind;

constexpr int kMostBitsOfLong = 63;
constexpr uint32_t kDigitsOfUnsigned64 = 20;
constexpr uint32_t kDigitsOfLong = 19;
constexpr uint32_t kDigitsOfInt = 10;
constexpr int kMostBytesOfCharacter = 4;

DeclaredType Decimal(uint32_t precision, uint32_t scale) {
  return {.type = sdk::DECIMAL, .precision = precision, .scale = scale};
}

DeclaredType OfInteger(const mysql::ColumnType& type) {
  switch (type.base) {
    case BaseType::kInt:
      return {.type = type.is_unsigned ? sdk::LONG : sdk::INT};
    case BaseType::kBigInt:
      return type.is_unsigned ? Decimal(kDigitsOfUnsigned64, 0) : DeclaredType{.type = sdk::LONG};
    default:
      return {.type = sdk::INT};
  }
}

DeclaredType OfDecimal(const mysql::ColumnType& type) {
  const auto precision = static_cast<uint32_t>(type.length > 0 ? type.length : kDigitsOfInt);
  const auto scale = static_cast<uint32_t>(type.decimals);
  // No destination has a number for more; as text, every digit arrives.
  return precision <= kMostDigits ? Decimal(precision, scale) : DeclaredType{.type = sdk::STRING};
}

DeclaredType OfBits(const mysql::ColumnType& type) {
  return type.length > kMostBitsOfLong ? Decimal(kDigitsOfUnsigned64, 0)
                                       : DeclaredType{.type = sdk::LONG};
}

DeclaredType OfText(const mysql::ColumnType& type) {
  if (type.base == BaseType::kSet) return {.type = sdk::JSON};
  DeclaredType text{.type = sdk::STRING};
  if (type.base == BaseType::kChar || type.base == BaseType::kVarchar) {
    text.byte_length = kMostBytesOfCharacter * std::max(type.length, 1);
  }
  return text;
}

// The digits before the point of a type of whole numbers, or of decimals; 0 of others.
uint32_t WholeDigits(const DeclaredType& type) {
  switch (type.type) {
    case sdk::SHORT:
    case sdk::INT:
      return kDigitsOfInt;
    case sdk::LONG:
      return kDigitsOfLong;
    case sdk::DECIMAL:
      return type.precision - type.scale;
    default:
      return 0;
  }
}

bool IsNumber(sdk::DataType type) {
  return type == sdk::SHORT || type == sdk::INT || type == sdk::LONG || type == sdk::DECIMAL ||
         type == sdk::FLOAT || type == sdk::DOUBLE;
}

// Whether its values have a text that says all of them.
bool HasText(sdk::DataType type) {
  return type != sdk::BINARY && type != sdk::UNSPECIFIED && type != sdk::NAIVE_TIME;
}

}  // namespace

DeclaredType DeclaredTypeOf(const mysql::TableSchema& table, const mysql::Column& column,
                            const mysql::TypeOptions& options) {
  const bool dates_are_text = options.zero_dates == mysql::ZeroDates::kText;
  const auto of_date = [&](sdk::DataType type) -> DeclaredType {
    return {.type = dates_are_text ? sdk::STRING : type};
  };
  switch (mysql::KindOf(table, column, options)) {
    case Kind::kSigned:
    case Kind::kUnsigned:
      return OfInteger(column.type);
    case Kind::kYear:
      return {.type = sdk::INT};
    case Kind::kDecimal:
      return OfDecimal(column.type);
    case Kind::kFloat:
    case Kind::kDouble:
      return {.type = sdk::DOUBLE};
    case Kind::kBoolean:
      return {.type = sdk::BOOLEAN};
    case Kind::kBytes:
      return column.type.base == BaseType::kBit ? OfBits(column.type)
                                                : DeclaredType{.type = sdk::BINARY};
    case Kind::kDate:
      return of_date(sdk::NAIVE_DATE);
    case Kind::kDateTime:
      return of_date(sdk::NAIVE_DATETIME);
    case Kind::kTimestamp:
      return of_date(sdk::UTC_DATETIME);
    case Kind::kJson:
    case Kind::kVector:
      return {.type = sdk::JSON};
    case Kind::kGeometry:
      return {.type =
                  options.geometry == mysql::GeometryFormat::kGeoJson ? sdk::JSON : sdk::STRING};
    case Kind::kText:
      return OfText(column.type);
    case Kind::kTime:  // durations are no times of day
    case Kind::kNull:
    case Kind::kAbsent:
      return {.type = sdk::STRING};
  }
  return {.type = sdk::STRING};
}

bool Fits(const DeclaredType& from, const DeclaredType& to) {
  // A length that is told is that of texts: what else is sent as text may be longer.
  if (to.type == sdk::STRING && to.byte_length > 0) {
    return from.byte_length > 0 && from.byte_length <= to.byte_length;
  }
  if (from.type == to.type) {
    return from.type != sdk::DECIMAL ||
           (from.scale <= to.scale && WholeDigits(from) <= WholeDigits(to));
  }
  switch (to.type) {
    case sdk::STRING:
      return HasText(from.type);
    case sdk::INT:
      return from.type == sdk::BOOLEAN;
    case sdk::LONG:
      return from.type == sdk::BOOLEAN || from.type == sdk::INT;
    case sdk::DECIMAL:
      return (from.type == sdk::INT || from.type == sdk::LONG) &&
             WholeDigits(from) <= WholeDigits(to);
    case sdk::DOUBLE:
      return from.type == sdk::INT;
    default:
      return false;
  }
}

DeclaredType Widen(const DeclaredType& a, const DeclaredType& b) {
  if (Fits(b, a)) return a;
  if (Fits(a, b)) return b;
  if (IsNumber(a.type) && IsNumber(b.type)) {
    if (a.type == sdk::DOUBLE || b.type == sdk::DOUBLE) return {.type = sdk::DOUBLE};
    const uint32_t scale = std::max(a.scale, b.scale);
    const uint32_t precision = scale + std::max(WholeDigits(a), WholeDigits(b));
    if (precision <= kMostDigits) return Decimal(precision, scale);
  }
  return {.type = sdk::STRING};
}

void Declare(const DeclaredType& type, sdk::Column& column) {
  column.set_type(type.type);
  column.clear_params();
  if (type.type == sdk::DECIMAL) {
    sdk::DecimalParams& params = *column.mutable_params()->mutable_decimal();
    params.set_precision(type.precision);
    params.set_scale(type.scale);
  } else if (type.byte_length > 0) {
    column.mutable_params()->set_string_byte_length(type.byte_length);
  }
}

bool IsReservedColumn(std::string_view name) {
  return absl::StartsWithIgnoreCase(text::AbslView(name), "_fivetran_");
}

}  // namespace source_vitess::fivetran
