#include "simulator/cell.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/numeric/int128.h"
#include "absl/strings/str_join.h"
#include "simulator/json_text.h"
#include "simulator/number_text.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

std::string BigEndian(uint64_t number) {
  std::string bytes(8, '\0');
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(number >> (56 - 8 * i));
  return bytes;
}

uint64_t FromBigEndian(std::string_view bytes) {
  uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

double ToDouble(std::string_view text) {
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

absl::Status OutOfRange(const Column& column) {
  return absl::FailedPreconditionError(Cat("Out of range value for column '", column.name,
                                           "' at row 1 (errno 1264) (sqlstate 22003)"));
}

absl::Status TooLong(const Column& column) {
  return absl::FailedPreconditionError(
      Cat("Data too long for column '", column.name, "' at row 1 (errno 1406) (sqlstate 22001)"));
}

absl::Status Incorrect(const Column& column, std::string_view kind, std::string_view text) {
  return absl::FailedPreconditionError(Cat("Incorrect ", kind, " value: '", text, "' for column '",
                                           column.name,
                                           "' at row 1 (errno 1366) (sqlstate HY000)"));
}

// Inclusive limits of an integer column.
std::pair<absl::int128, absl::int128> IntegerLimits(const Column& column) {
  int bits = 64;
  switch (column.type) {
    case query::INT8:
    case query::UINT8:
      bits = 8;
      break;
    case query::INT16:
    case query::UINT16:
      bits = 16;
      break;
    case query::INT24:
    case query::UINT24:
      bits = 24;
      break;
    case query::INT32:
    case query::UINT32:
      bits = 32;
      break;
    default:
      break;
  }
  if (column.is_unsigned) return {0, (absl::int128(1) << bits) - 1};
  return {-(absl::int128(1) << (bits - 1)), (absl::int128(1) << (bits - 1)) - 1};
}

bool IsNumber(std::string_view text) {
  if (text.empty()) return false;
  double number = 0;
  const char* begin = text.data() + (text.front() == '+' ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), number);
  return end == text.data() + text.size() && error != std::errc::invalid_argument;
}

absl::StatusOr<Cell> StoreInteger(const Column& column, const Literal& literal) {
  const std::string text = literal.kind == Literal::Kind::kBytes
                               ? Cat(FromBigEndian(literal.text))
                               : std::string(absl::StripAsciiWhitespace(literal.text));
  if (!IsNumber(text)) return Incorrect(column, "integer", text);
  const std::string digits = NormalizeDecimal(text, 0);
  absl::int128 number = 0;
  if (digits.size() > 21 || !ParseInteger(digits, &number)) return OutOfRange(column);
  const auto [low, high] = IntegerLimits(column);
  if (number < low || number > high) return OutOfRange(column);
  return digits;
}

absl::StatusOr<Cell> StoreFloat(const Column& column, const Literal& literal) {
  if (!IsNumber(literal.text)) return Incorrect(column, "double", literal.text);
  if (column.type == query::FLOAT64) return DoubleText(ToDouble(literal.text));
  float number = 0;
  const char* end = literal.text.data() + literal.text.size();
  if (std::from_chars(literal.text.data(), end, number).ec == std::errc::result_out_of_range)
    return OutOfRange(column);
  return ShortestText(number);
}

absl::StatusOr<Cell> StoreDecimal(const Column& column, const Literal& literal) {
  if (!IsNumber(literal.text)) return Incorrect(column, "decimal", literal.text);
  std::string number = NormalizeDecimal(literal.text, column.decimals);
  const size_t digits =
      number.size() - (number.front() == '-' ? 1 : 0) - (column.decimals > 0 ? 1 : 0);
  if (digits > column.length && !StartsWith(number, "0.") && !StartsWith(number, "-0.")) {
    return OutOfRange(column);
  }
  return number;
}

absl::StatusOr<Cell> StoreBits(const Column& column, const Literal& literal) {
  uint64_t number = 0;
  if (literal.kind == Literal::Kind::kNumber) {
    if (!ParseInteger(literal.text, &number)) return OutOfRange(column);
  } else {
    if (literal.text.size() > 8) return TooLong(column);
    number = FromBigEndian(literal.text);
  }
  if (column.length < 64 && number >> column.length != 0) return TooLong(column);
  return BigEndian(number).substr(8 - (column.length + 7) / 8);
}

// Gives the fraction behind `text`'s point the column's number of digits.
std::string WithFraction(std::string_view text, uint32_t digits) {
  const size_t point = text.find('.');
  std::string fraction(point == std::string_view::npos ? "" : text.substr(point + 1));
  fraction.resize(digits, '0');
  const std::string_view whole = text.substr(0, point);
  return digits == 0 ? std::string(whole) : Cat(whole, ".", fraction);
}

absl::StatusOr<Cell> StoreTemporal(const Column& column, const Literal& literal) {
  const std::string_view text = literal.text;
  constexpr size_t kDate = 10;  // YYYY-MM-DD
  if (column.type == query::TIME) {
    if (std::count(text.begin(), text.end(), ':') != 2) return Incorrect(column, "time", text);
    return WithFraction(text, column.decimals);
  }
  if (text == "0")
    return WithFraction(column.type == query::DATE ? "0000-00-00" : "0000-00-00 00:00:00",
                        column.decimals);
  if (text.size() < kDate || text[4] != '-' || text[7] != '-')
    return Incorrect(column, column.data_type, text);
  if (column.type == query::DATE) return std::string(text.substr(0, kDate));
  std::string whole(text);
  if (whole.size() == kDate) whole += " 00:00:00";
  whole[kDate] = ' ';
  return WithFraction(whole, column.decimals);
}

absl::StatusOr<Cell> StoreYear(const Column& column, const Literal& literal) {
  int year = 0;
  if (!ParseInteger(literal.text, &year)) return Incorrect(column, "year", literal.text);
  if (year != 0 && (year < 1901 || year > 2155)) return OutOfRange(column);
  return Cat(absl::Dec(year, absl::kZeroPad4));
}

absl::StatusOr<Cell> StoreText(const Column& column, const Literal& literal) {
  std::string bytes = literal.text;
  if (literal.kind != Literal::Kind::kBytes) {
    absl::StatusOr<std::string> encoded = EncodeText(literal.text, column.collation->charset);
    if (!encoded.ok()) return Incorrect(column, "string", literal.text);
    bytes = *std::move(encoded);
  }
  // MySQL gives CHAR back without its trailing blanks.
  if (column.type == query::CHAR && column.collation->charset != "utf16") {
    while (!bytes.empty() && bytes.back() == ' ') bytes.pop_back();
  }
  const size_t size =
      column.type == query::TEXT ? bytes.size() : CountCharacters(bytes, column.collation->charset);
  if (size > column.length) return TooLong(column);
  return bytes;
}

absl::StatusOr<Cell> StoreBytes(const Column& column, const Literal& literal) {
  if (literal.text.size() > column.length) return TooLong(column);
  std::string bytes = literal.text;
  if (column.type == query::BINARY) bytes.resize(column.length, '\0');
  return bytes;
}

// The label's place, 1-based; 0 if there is none of that name.
size_t FindLabel(const Column& column, std::string_view label) {
  for (size_t i = 0; i < column.labels.size(); ++i) {
    if (column.labels[i] == label) return i + 1;
  }
  for (size_t i = 0; i < column.labels.size(); ++i) {
    if (EqualsIgnoreCase(column.labels[i], label)) return i + 1;
  }
  return 0;
}

absl::StatusOr<Cell> StoreEnum(const Column& column, const Literal& literal) {
  size_t ordinal = 0;
  if (literal.kind == Literal::Kind::kNumber) {
    if (!ParseInteger(literal.text, &ordinal) || ordinal > column.labels.size())
      return TooLong(column);
  } else if (!literal.text.empty()) {
    ordinal = FindLabel(column, literal.text);
    if (ordinal == 0) return TooLong(column);
  }
  return ordinal == 0 ? "" : column.labels[ordinal - 1];
}

uint64_t SetBits(const Column& column, std::string_view stored) {
  uint64_t bits = 0;
  for (const std::string_view label : Split(stored, ',', false)) {
    const size_t ordinal = FindLabel(column, label);
    if (ordinal > 0) bits |= uint64_t{1} << (ordinal - 1);
  }
  return bits;
}

absl::StatusOr<Cell> StoreSet(const Column& column, const Literal& literal) {
  uint64_t bits = 0;
  if (literal.kind == Literal::Kind::kNumber) {
    if (!ParseInteger(literal.text, &bits)) return TooLong(column);
  } else {
    for (const std::string_view label : Split(literal.text, ',', false)) {
      if (FindLabel(column, label) == 0) return TooLong(column);
    }
    bits = SetBits(column, literal.text);
  }
  std::vector<std::string> labels;
  for (size_t i = 0; i < column.labels.size(); ++i) {
    if ((bits >> i & 1) != 0) labels.push_back(column.labels[i]);
  }
  return absl::StrJoin(labels, ",");
}

absl::StatusOr<Cell> StoreVector(const Column& column, const Literal& literal) {
  if (!StartsWith(literal.text, "[")) return literal.text;
  std::string_view numbers = literal.text;
  numbers.remove_prefix(1);
  numbers = numbers.substr(0, numbers.find(']'));
  std::string bytes;
  for (const std::string_view number : Split(numbers, ',', true)) {
    float value = 0;
    if (!absl::SimpleAtof(AbslView(number), &value))
      return Incorrect(column, "vector", literal.text);
    const auto bits = std::bit_cast<uint32_t>(value);
    for (int i = 0; i < 4; ++i) bytes += static_cast<char>(bits >> (8 * i));
  }
  return bytes;
}

size_t EnumOrdinal(const Column& column, std::string_view stored) {
  return stored.empty() ? 0 : FindLabel(column, stored);
}

// Digits of a decimal as a binary log's reader in Vitess prints them (go/mysql/binlog/rbr.go:
// CellValue).
std::string BinlogDecimal(const Column& column, std::string_view stored,
                          const VersionProfile& version) {
  if (!version.decimal_without_leading_zero) return std::string(stored);
  const bool negative = ConsumePrefix(&stored, "-");
  const std::string sign = negative ? "-" : "";
  const size_t point = stored.find('.');
  std::string_view whole = stored.substr(0, point);
  if (column.decimals > 0) {
    if (whole == "0") whole = "";
    return Cat(sign, whole, stored.substr(point));
  }
  // The full groups of nine digits come with their zeros, whatever stands before them.
  constexpr size_t kGroup = 9;
  const size_t full = column.length / kGroup * kGroup;
  std::string digits(whole);
  if (digits.size() < full) digits.insert(0, full - digits.size(), '0');
  return sign + digits;
}

std::string ZeroFilled(const Column& column, std::string_view stored) {
  std::string digits(stored);
  if (digits.size() < column.length) digits.insert(0, column.length - digits.size(), '0');
  return digits;
}

// Microseconds of a TIME, signed.
int64_t TimeMicros(std::string_view text) {
  const bool negative = ConsumePrefix(&text, "-");
  const std::vector<std::string_view> parts = Split(text, ':', true);
  int64_t hours = 0;
  int64_t minutes = 0;
  if (parts.size() != 3 || !ParseInteger(parts[0], &hours) || !ParseInteger(parts[1], &minutes))
    return 0;
  const auto micros = static_cast<int64_t>(ToDouble(parts[2]) * 1e6 + 0.5);
  const int64_t all = (hours * 3600 + minutes * 60) * 1000000 + micros;
  return negative ? -all : all;
}

// Order-preserving bytes of a double.
std::string DoubleKey(double number) {
  if (number == 0) number = 0;  // one zero
  auto bits = std::bit_cast<uint64_t>(number);
  constexpr uint64_t kSign = uint64_t{1} << 63;
  bits = (bits & kSign) != 0 ? ~bits : bits | kSign;
  return BigEndian(bits);
}

std::string SignedKey(int64_t number) {
  return BigEndian(static_cast<uint64_t>(number) ^ uint64_t{1} << 63);
}

std::string DecimalKey(std::string_view stored) {
  const bool negative = ConsumePrefix(&stored, "-");
  std::string digits(stored);
  const size_t whole = std::min(digits.find('.'), digits.size());
  constexpr size_t kMostDigits = 66;
  digits.insert(0, kMostDigits - std::min(whole, kMostDigits), '0');
  if (!negative) return "1" + digits;
  for (char& c : digits) {
    if (c != '.') c = static_cast<char>('0' + '9' - c);
  }
  return "0" + digits;
}

// The value's bytes in the order of its type, without NULL and without an end mark.
std::string OrderedBytes(const Column& column, std::string_view stored) {
  int64_t number = 0;
  uint64_t positive = 0;
  switch (column.type) {
    case query::UINT8:
    case query::UINT16:
    case query::UINT24:
    case query::UINT32:
    case query::UINT64:
    case query::YEAR:
      return ParseInteger(stored, &positive) ? BigEndian(positive) : "";
    case query::INT8:
    case query::INT16:
    case query::INT24:
    case query::INT32:
    case query::INT64:
      return ParseInteger(stored, &number) ? SignedKey(number) : "";
    case query::FLOAT32:
    case query::FLOAT64:
      return DoubleKey(ToDouble(stored));
    case query::DECIMAL:
      return DecimalKey(stored);
    case query::TIME:
      return SignedKey(TimeMicros(stored));
    case query::ENUM:
      return BigEndian(EnumOrdinal(column, stored));
    case query::SET:
      return BigEndian(SetBits(column, stored));
    default:
      return column.IsText() ? CollationKey(stored, *column.collation) : std::string(stored);
  }
}

int Sign(int order) { return order < 0 ? -1 : (order > 0 ? 1 : 0); }

}  // namespace

std::string NormalizeDecimal(std::string_view number, uint32_t scale) {
  bool negative = ConsumePrefix(&number, "-");
  ConsumePrefix(&number, "+");
  int exponent = 0;
  const size_t e = number.find_first_of("eE");
  if (e != std::string_view::npos) {
    std::string_view power = number.substr(e + 1);
    ConsumePrefix(&power, "+");
    if (!ParseInteger(power, &exponent)) exponent = 0;
    number = number.substr(0, e);
  }
  const size_t point = std::min(number.find('.'), number.size());
  std::string digits(number.substr(0, point));
  if (point < number.size()) digits += number.substr(point + 1);
  // The digits stand for 0.d1d2d3... times ten to this power.
  int places = static_cast<int>(point) + exponent;
  if (places < 0) {
    digits.insert(0, static_cast<size_t>(-places), '0');
    places = 0;
  }
  const size_t kept = static_cast<size_t>(places) + scale;
  if (digits.size() < kept) digits.append(kept - digits.size(), '0');
  const bool up = digits.size() > kept && digits[kept] >= '5';
  digits.resize(kept);
  digits.insert(0, "0");
  for (size_t i = digits.size(); up && i-- > 0;) {
    if (digits[i] != '9') {
      ++digits[i];
      break;
    }
    digits[i] = '0';
  }
  std::string whole = digits.substr(0, digits.size() - scale);
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
  const std::string fraction = digits.substr(digits.size() - scale);
  if (digits.find_first_not_of('0') == std::string::npos) negative = false;
  return Cat(negative ? "-" : "", whole, scale > 0 ? "." : "", fraction);
}

absl::StatusOr<Cell> StoreLiteral(const Column& column, const Literal& literal) {
  if (literal.kind == Literal::Kind::kNull) return Cell();
  switch (column.type) {
    case query::FLOAT32:
    case query::FLOAT64:
      return StoreFloat(column, literal);
    case query::DECIMAL:
      return StoreDecimal(column, literal);
    case query::BIT:
      return StoreBits(column, literal);
    case query::DATE:
    case query::DATETIME:
    case query::TIMESTAMP:
    case query::TIME:
      return StoreTemporal(column, literal);
    case query::YEAR:
      return StoreYear(column, literal);
    case query::CHAR:
    case query::VARCHAR:
    case query::TEXT:
      return StoreText(column, literal);
    case query::BINARY:
    case query::VARBINARY:
    case query::BLOB:
      return StoreBytes(column, literal);
    case query::ENUM:
      return StoreEnum(column, literal);
    case query::SET:
      return StoreSet(column, literal);
    case query::JSON:
      return NormalizeJson(literal.text);
    case query::VECTOR:
      return StoreVector(column, literal);
    case query::GEOMETRY:
      return literal.text;
    default:
      return StoreInteger(column, literal);
  }
}

std::string CopyText(const Column& column, std::string_view stored) {
  switch (column.type) {
    case query::FLOAT32:
      return FloatText(static_cast<float>(ToDouble(stored)));
    case query::ENUM:
    case query::SET:
      return EncodeText(stored, column.collation->charset).value_or(std::string(stored));
    default:
      return column.zerofill ? ZeroFilled(column, stored) : std::string(stored);
  }
}

std::string BinlogText(const Column& column, std::string_view stored,
                       const VersionProfile& version) {
  switch (column.type) {
    case query::FLOAT32:
      return FloatExponentText(static_cast<float>(ToDouble(stored)));
    case query::FLOAT64:
      return DoubleExponentText(ToDouble(stored));
    case query::DECIMAL:
      return BinlogDecimal(column, stored, version);
    case query::ENUM:
      return version.enum_set_labels ? std::string(stored) : Cat(EnumOrdinal(column, stored));
    case query::SET:
      return version.enum_set_labels ? std::string(stored) : Cat(SetBits(column, stored));
    case query::JSON:
      return NormalizeJson(stored, JsonKeyOrder::kBytes).value_or(std::string(stored));
    default:
      return std::string(stored);
  }
}

std::string QueryText(const Column& column, std::string_view stored) {
  if (column.type == query::ENUM || column.type == query::SET) return std::string(stored);
  if (column.IsText()) return DecodeText(stored, column.collation->charset);
  return CopyText(column, stored);
}

std::string SortKey(const Column& column, const Cell& cell) {
  if (!cell.has_value()) return std::string(1, '\0');
  std::string key = "\x01";
  // 0x00 is written as 0x00 0xff, and 0x00 0x00 ends the value, so that joined keys compare column
  // by column.
  for (const char c : OrderedBytes(column, *cell)) {
    key += c;
    if (c == '\0') key += '\xff';
  }
  key.append(2, '\0');
  return key;
}

int CompareWithLiteral(const Column& column, std::string_view stored, const Literal& literal) {
  const bool label = column.type == query::ENUM || column.type == query::SET;
  if (label && literal.kind == Literal::Kind::kString) {
    return Sign(CollationKey(stored, *FindCollation("utf8mb4_0900_ai_ci"))
                    .compare(CollationKey(literal.text, *FindCollation("utf8mb4_0900_ai_ci"))));
  }
  if (column.type == query::FLOAT32) {
    // MySQL compares the float, made a double, with the literal as a double: 1.1 is never equal to
    // a FLOAT of 1.1.
    float exact = 0;
    std::from_chars(stored.data(), stored.data() + stored.size(), exact);
    const double number = ToDouble(literal.text);
    return exact < number ? -1 : (exact > number ? 1 : 0);
  }
  const absl::StatusOr<Cell> other = StoreLiteral(column, literal);
  const bool exact_integer = !column.IsInteger() || literal.text.find('.') == std::string::npos;
  if (other.ok() && exact_integer)
    return Sign(OrderedBytes(column, stored).compare(OrderedBytes(column, **other)));
  if (column.IsText()) {
    return Sign(CollationKey(DecodeText(stored, column.collation->charset),
                             *FindCollation("utf8mb4_0900_ai_ci"))
                    .compare(CollationKey(literal.text, *FindCollation("utf8mb4_0900_ai_ci"))));
  }
  const double left = ToDouble(stored);
  const double right = ToDouble(literal.text);
  return left < right ? -1 : (left > right ? 1 : 0);
}

size_t BinlogSize(const Column& column, const Cell& cell) {
  if (!cell.has_value()) return 0;
  const size_t fraction = (column.decimals + 1) / 2;
  switch (column.type) {
    case query::INT8:
    case query::UINT8:
    case query::YEAR:
      return 1;
    case query::INT16:
    case query::UINT16:
      return 2;
    case query::INT24:
    case query::UINT24:
    case query::DATE:
      return 3;
    case query::INT32:
    case query::UINT32:
    case query::FLOAT32:
      return 4;
    case query::INT64:
    case query::UINT64:
    case query::FLOAT64:
      return 8;
    case query::DECIMAL: {
      constexpr std::array<size_t, 10> kBytesOfDigits = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
      const size_t whole = column.length - column.decimals;
      return whole / 9 * 4 + kBytesOfDigits[whole % 9] + column.decimals / 9 * 4 +
             kBytesOfDigits[column.decimals % 9];
    }
    case query::BIT:
      return (column.length + 7) / 8;
    case query::DATETIME:
      return 5 + fraction;
    case query::TIMESTAMP:
      return 4 + fraction;
    case query::TIME:
      return 3 + fraction;
    case query::ENUM:
      return column.labels.size() < 256 ? 1 : 2;
    case query::SET:
      return (column.labels.size() + 7) / 8;
    case query::CHAR:
    case query::VARCHAR:
      return cell->size() + (column.length * 4 < 256 ? 1 : 2);
    case query::BINARY:
    case query::VARBINARY:
      return cell->size() + (column.length < 256 ? 1 : 2);
    default:
      return cell->size() +
             (column.length == 255
                  ? 1
                  : (column.length == 65535 ? 2 : (column.length == 16777215 ? 3 : 4)));
  }
}

}  // namespace source_vitess::simulator
