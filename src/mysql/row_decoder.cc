#include "mysql/row_decoder.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mysql/canonical_text.h"
#include "mysql/character_set.h"
#include "mysql/geometry.h"
#include "mysql/utf8.h"
#include "text/absl_view.h"

namespace source_vitess::mysql {
namespace {

using text::AbslView;

static_assert(std::endian::native == std::endian::little, "vectors are read as they are stored");

// What is done with a column's bytes.
enum class Step : uint8_t {
  kSkip,
  kInteger,
  kTinyIntBoolean,
  kBitBoolean,
  kFloat,
  kDouble,
  kDecimal,
  kYear,
  kDate,
  kDateTime,
  kTime,
  kText,
  kEnumNumber,
  kSetNumber,
  kBytes,
  kPaddedBytes,
  kJson,
  kGeometry,
  kVector,
};

// One column's converter.
struct Converter {
  Step step = Step::kSkip;
  Kind kind = Kind::kNull;
  bool dates_as_text = false;
  bool utf8 = true;
  bool keeps_ascii = true;
  size_t padded_size = 0;
  std::vector<std::string> labels;
  TextConverter text{"utf8mb4"};
};

bool IsText(BaseType base) {
  return base == BaseType::kChar || base == BaseType::kVarchar || base == BaseType::kText ||
         base == BaseType::kEnum || base == BaseType::kSet || base == BaseType::kUnknown;
}

BaseType BaseOfWireType(const query::Field& field) {
  // A text column whose collation ends in _bin is announced as binary.
  const std::string_view set = CharacterSetOfCollation(field.charset());
  const bool is_text = !set.empty() && set != "binary";
  switch (field.type()) {
    case query::INT8:
    case query::UINT8:
      return BaseType::kTinyInt;
    case query::INT16:
    case query::UINT16:
      return BaseType::kSmallInt;
    case query::INT24:
    case query::UINT24:
      return BaseType::kMediumInt;
    case query::INT32:
    case query::UINT32:
      return BaseType::kInt;
    case query::INT64:
    case query::UINT64:
      return BaseType::kBigInt;
    case query::FLOAT32:
      return BaseType::kFloat;
    case query::FLOAT64:
      return BaseType::kDouble;
    case query::DECIMAL:
      return BaseType::kDecimal;
    case query::BIT:
      return BaseType::kBit;
    case query::YEAR:
      return BaseType::kYear;
    case query::DATE:
      return BaseType::kDate;
    case query::DATETIME:
      return BaseType::kDateTime;
    case query::TIMESTAMP:
      return BaseType::kTimestamp;
    case query::TIME:
      return BaseType::kTime;
    case query::CHAR:
      return BaseType::kChar;
    case query::VARCHAR:
      return BaseType::kVarchar;
    case query::TEXT:
      return BaseType::kText;
    case query::BINARY:
      return is_text ? BaseType::kChar : BaseType::kBinary;
    case query::VARBINARY:
      return is_text ? BaseType::kVarchar : BaseType::kVarbinary;
    case query::BLOB:
      return is_text ? BaseType::kText : BaseType::kBlob;
    case query::ENUM:
      return BaseType::kEnum;
    case query::SET:
      return BaseType::kSet;
    case query::JSON:
      return BaseType::kJson;
    case query::GEOMETRY:
      return BaseType::kGeometry;
    case query::VECTOR:
      return BaseType::kVector;
    default:
      return BaseType::kUnknown;
  }
}

// The type of a field that comes without its column_type.
ColumnType TypeOfWireType(const query::Field& field) {
  ColumnType type;
  type.base = BaseOfWireType(field);
  type.is_unsigned =
      (static_cast<int>(field.type()) & query::ISUNSIGNED) != 0 && type.base != BaseType::kYear;
  type.zerofill = (field.flags() & query::ZEROFILL_FLAG) != 0;
  if (type.base == BaseType::kTinyInt || type.base == BaseType::kBit ||
      type.base == BaseType::kBinary) {
    type.length = static_cast<int>(std::min<uint32_t>(field.column_length(), 255));
  }
  return type;
}

// The event is newer than the schema, and information_schema tells the character set more reliably
// than the event does before Vitess v20 (reference 4.1).
Column ColumnOf(const query::Field& field, const Column* known) {
  Column column;
  if (known != nullptr) {
    column = *known;
  } else {
    column.nullable = (field.flags() & query::NOT_NULL_FLAG) == 0;
  }
  column.name = field.name();
  if (!field.column_type().empty() && field.column_type() != column.type.text) {
    auto announced = ParseColumnType(field.column_type());
    if (announced.ok() && announced->base != BaseType::kUnknown) {
      if (announced->character_set.empty()) {
        announced->character_set = std::move(column.type.character_set);
        announced->collation = std::move(column.type.collation);
      }
      column.type = *std::move(announced);
    }
  }
  if (column.type.base == BaseType::kUnknown) {
    std::string text = column.type.text.empty() ? field.column_type() : column.type.text;
    column.type = TypeOfWireType(field);
    column.type.text = std::move(text);
  }
  if (IsText(column.type.base) && column.type.character_set.empty()) {
    column.type.character_set = CharacterSetOfCollation(field.charset());
  }
  return column;
}

Step StepOf(const Column& column, Kind kind, RowSource source, bool enum_set_string_values) {
  const bool numbers = source == RowSource::kBinlog && !enum_set_string_values;
  switch (kind) {
    case Kind::kSigned:
    case Kind::kUnsigned:
      return Step::kInteger;
    case Kind::kBoolean:
      return column.type.base == BaseType::kBit ? Step::kBitBoolean : Step::kTinyIntBoolean;
    case Kind::kFloat:
      return Step::kFloat;
    case Kind::kDouble:
      return Step::kDouble;
    case Kind::kDecimal:
      return Step::kDecimal;
    case Kind::kYear:
      return Step::kYear;
    case Kind::kDate:
      return Step::kDate;
    case Kind::kDateTime:
    case Kind::kTimestamp:
      return Step::kDateTime;
    case Kind::kTime:
      return Step::kTime;
    case Kind::kBytes:
      return column.type.base == BaseType::kBinary ? Step::kPaddedBytes : Step::kBytes;
    case Kind::kJson:
      return Step::kJson;
    case Kind::kGeometry:
      return Step::kGeometry;
    case Kind::kVector:
      return Step::kVector;
    case Kind::kText:
      if (column.type.base == BaseType::kTime) return Step::kTime;
      if (numbers && column.type.base == BaseType::kEnum) return Step::kEnumNumber;
      if (numbers && column.type.base == BaseType::kSet) return Step::kSetNumber;
      return Step::kText;
    case Kind::kNull:
    case Kind::kAbsent:
      return Step::kSkip;
  }
  return Step::kSkip;
}

std::string ValidUtf8Of(const std::string& text) {
  if (IsValidUtf8(text)) return text;
  std::string valid(ReplacedUtf8Bound(text.size()), '\0');
  valid.resize(static_cast<size_t>(ReplaceInvalidUtf8(text, valid.data()) - valid.data()));
  return valid;
}

Converter ConverterOf(const TableSchema& table, const Column& column, RowSource source,
                      bool enum_set_string_values, const TypeOptions& options) {
  Converter converter;
  converter.kind = KindOf(table, column, options);
  converter.step = StepOf(column, converter.kind, source, enum_set_string_values);
  converter.dates_as_text = options.zero_dates == ZeroDates::kText;
  if (converter.step == Step::kPaddedBytes) {
    converter.padded_size = static_cast<size_t>(std::max(column.type.length, 0));
  }
  if (converter.step == Step::kEnumNumber || converter.step == Step::kSetNumber) {
    for (const std::string& label : column.type.labels) {
      converter.labels.push_back(ValidUtf8Of(label));
    }
  }
  // A query's answer is in the connection's character set, and the tablet writes the labels of the
  // binary log's numbers as its schema has them: both UTF-8.
  const bool is_label = column.type.base == BaseType::kEnum || column.type.base == BaseType::kSet;
  const bool in_utf8 = source == RowSource::kExecute || (source == RowSource::kBinlog && is_label);
  if (converter.kind == Kind::kText && !in_utf8) {
    converter.text = TextConverter(column.type.character_set);
  }
  converter.utf8 = converter.text.is_utf8();
  converter.keeps_ascii = converter.text.keeps_ascii();
  return converter;
}

// "@1": the tablet does not know which columns the row has (reference 4.4).
bool IsPositionalName(std::string_view name) {
  return name.size() >= 2 && name[0] == '@' &&
         std::all_of(name.begin() + 1, name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool BitOf(const binlogdata::RowChange::Bitmap& bitmap, size_t index) {
  const std::string& bytes = bitmap.cols();
  return index / 8 < bytes.size() &&
         ((static_cast<unsigned char>(bytes[index / 8]) >> (index % 8)) & 1) != 0;
}

Value NullWith(Problem problem) { return {Kind::kNull, problem, false, {}}; }

// The value of a text that a function of canonical_text.h has looked at.
Value Judged(Verdict verdict, Kind kind, std::string_view text) {
  switch (verdict) {
    case Verdict::kGood:
      return {kind, Problem::kNone, false, text};
    case Verdict::kUnrepresentable:
      return NullWith(Problem::kUnrepresentable);
    case Verdict::kMalformed:
      return NullWith(Problem::kMalformed);
  }
  return NullWith(Problem::kMalformed);
}

Value DateOf(Verdict verdict, const Converter& converter, std::string_view text) {
  if (verdict == Verdict::kUnrepresentable && converter.dates_as_text) {
    return {Kind::kText, Problem::kNone, false, text};
  }
  return Judged(verdict, converter.kind, text);
}

Value BooleanOf(bool value) {
  return {Kind::kBoolean, Problem::kNone, false, value ? "true" : "false"};
}

Value TinyIntBooleanOf(std::string_view text, Scratch& scratch) {
  if (CanonicalInteger(/*is_unsigned=*/false, text, scratch) != Verdict::kGood) {
    return NullWith(Problem::kMalformed);
  }
  if (text != "0" && text != "1") return NullWith(Problem::kUnrepresentable);
  return BooleanOf(text == "1");
}

Value BitBooleanOf(std::string_view bytes) {
  if (bytes.size() != 1 || static_cast<unsigned char>(bytes[0]) > 1) {
    return NullWith(Problem::kMalformed);
  }
  return BooleanOf(bytes[0] == 1);
}

Value TextOf(Converter& converter, std::string_view text, Scratch& scratch) {
  const TextBytes bytes = BytesOf(text);
  const bool as_it_is =
      bytes.ascii ? converter.utf8 || converter.keeps_ascii : converter.utf8 && IsValidUtf8(text);
  if (as_it_is) return {Kind::kText, Problem::kNone, bytes.plain, text};
  char* out = scratch.Reserve(converter.text.Bound(text.size()));
  const TextConverter::Converted converted = converter.text.Convert(text, out);
  return {Kind::kText, converted.replaced ? Problem::kReplaced : Problem::kNone, false,
          scratch.Keep(converted.end)};
}

std::optional<uint64_t> UnsignedOf(std::string_view text) {
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || error != std::errc() || at != end) return std::nullopt;
  return number;
}

// From the 1-based position of a label; 0 is the empty value of an invalid insert.
Value EnumOf(Converter& converter, std::string_view text, Scratch& scratch) {
  const std::optional<uint64_t> number = UnsignedOf(text);
  if (!number.has_value()) return TextOf(converter, text, scratch);
  if (*number == 0) return {Kind::kText, Problem::kNone, false, ""};
  if (*number > converter.labels.size()) return NullWith(Problem::kUnrepresentable);
  const std::string& label = converter.labels[*number - 1];
  char* out = scratch.Reserve(label.size());
  return {Kind::kText, Problem::kNone, false,
          scratch.Keep(std::copy(label.begin(), label.end(), out))};
}

// From a number whose lowest bit is the first label.
Value SetOf(Converter& converter, std::string_view text, Scratch& scratch) {
  const std::optional<uint64_t> number = UnsignedOf(text);
  if (!number.has_value()) return TextOf(converter, text, scratch);
  if (static_cast<size_t>(std::bit_width(*number)) > converter.labels.size()) {
    return NullWith(Problem::kUnrepresentable);
  }
  size_t size = 0;
  for (const std::string& label : converter.labels) size += label.size() + 1;
  char* out = scratch.Reserve(size);
  char* const begin = out;
  for (size_t i = 0; i < converter.labels.size() && i < 64; ++i) {
    if (((*number >> i) & 1) == 0) continue;
    if (out != begin) *out++ = ',';
    out = std::copy(converter.labels[i].begin(), converter.labels[i].end(), out);
  }
  return {Kind::kText, Problem::kNone, false, scratch.Keep(out)};
}

// BINARY(n) has n bytes; the binary log leaves zeros at the end out, and Vitess puts them back only
// where it knows the column (reference 5.5).
Value PaddedBytesOf(const Converter& converter, std::string_view bytes, Scratch& scratch) {
  if (bytes.size() >= converter.padded_size) return {Kind::kBytes, Problem::kNone, false, bytes};
  char* out = scratch.Reserve(converter.padded_size);
  char* end = std::copy(bytes.begin(), bytes.end(), out);
  end = std::fill_n(end, converter.padded_size - bytes.size(), '\0');
  return {Kind::kBytes, Problem::kNone, false, scratch.Keep(end)};
}

Value JsonOf(std::string_view text, Scratch& scratch) {
  if (!IsValidUtf8(text)) return NullWith(Problem::kMalformed);
  const Verdict verdict = CanonicalJson(text, scratch);
  return Judged(verdict, Kind::kJson, text);
}

Value VectorOf(std::string_view bytes) {
  if (bytes.size() % sizeof(float) != 0) return NullWith(Problem::kMalformed);
  for (size_t i = 0; i < bytes.size(); i += sizeof(float)) {
    float number = 0;
    std::memcpy(&number, bytes.data() + i, sizeof(number));
    if (!std::isfinite(number)) return NullWith(Problem::kUnrepresentable);
  }
  return {Kind::kVector, Problem::kNone, false, bytes};
}

Value ValueOf(Converter& converter, std::string_view text, Scratch& scratch) {
  switch (converter.step) {
    case Step::kSkip:
      return {Kind::kAbsent, Problem::kNone, false, {}};
    case Step::kInteger: {
      const Verdict verdict = CanonicalInteger(converter.kind == Kind::kUnsigned, text, scratch);
      return Judged(verdict, converter.kind, text);
    }
    case Step::kTinyIntBoolean:
      return TinyIntBooleanOf(text, scratch);
    case Step::kBitBoolean:
      return BitBooleanOf(text);
    case Step::kFloat: {
      const Verdict verdict = CanonicalFloat(text, scratch);
      return Judged(verdict, Kind::kFloat, text);
    }
    case Step::kDouble: {
      const Verdict verdict = CanonicalDouble(text, scratch);
      return Judged(verdict, Kind::kDouble, text);
    }
    case Step::kDecimal: {
      const Verdict verdict = CanonicalDecimal(text, scratch);
      return Judged(verdict, Kind::kDecimal, text);
    }
    case Step::kYear: {
      const Verdict verdict = CanonicalYear(text);
      return Judged(verdict, Kind::kYear, text);
    }
    case Step::kDate:
      return DateOf(CheckDate(text), converter, text);
    case Step::kDateTime:
      return DateOf(CheckDateTime(text), converter, text);
    case Step::kTime:
      return Judged(CheckTime(text), converter.kind, text);
    case Step::kText:
      return TextOf(converter, text, scratch);
    case Step::kEnumNumber:
      return EnumOf(converter, text, scratch);
    case Step::kSetNumber:
      return SetOf(converter, text, scratch);
    case Step::kBytes:
      return {Kind::kBytes, Problem::kNone, false, text};
    case Step::kPaddedBytes:
      return PaddedBytesOf(converter, text, scratch);
    case Step::kJson:
      return JsonOf(text, scratch);
    case Step::kGeometry:
      return Judged(IsGeometry(text) ? Verdict::kGood : Verdict::kMalformed, Kind::kGeometry, text);
    case Step::kVector:
      return VectorOf(text);
  }
  return NullWith(Problem::kMalformed);
}

}  // namespace

struct RowDecoder::Impl {
  // Where a field stands among the table's columns, and among its JSON columns. The bitmaps of a
  // row count those, whatever the stream's filter selects (recording
  // noblob-partial-json-projection).
  struct Places {
    size_t columns = 0;
    size_t json_columns = 0;
    std::vector<size_t> column;
    std::vector<size_t> json_column;
  };
  static constexpr size_t kNowhere = static_cast<size_t>(-1);

  std::vector<Column> columns;
  std::vector<Converter> converters;
  Places by_schema;  // columns is 0 where a field is not in the schema
  Places by_fields;

  void SetPlaces(const TableSchema& schema);
  // The places that a bitmap of so many columns counts; null where no table is known that has as
  // many.
  const Places* PlacesFor(int64_t count, size_t Places::*counted) const;
  absl::Status MarkAbsent(const binlogdata::RowChange::Bitmap* data_columns,
                          const binlogdata::RowChange::Bitmap* json_partial_values,
                          std::span<Value> values) const;
};

void RowDecoder::Impl::SetPlaces(const TableSchema& schema) {
  const auto add = [](Places& places, const Column& column) {
    const bool json = column.type.base == BaseType::kJson;
    places.column.push_back(places.columns++);
    places.json_column.push_back(json ? places.json_columns++ : kNowhere);
  };
  for (const Column& column : columns) add(by_fields, column);
  Places of_table;
  for (const Column& column : schema.columns) add(of_table, column);
  for (const Column& column : columns) {
    const Column* known = schema.FindColumn(column.name);
    if (known == nullptr) return;
    const auto index = static_cast<size_t>(known - schema.columns.data());
    by_schema.column.push_back(of_table.column[index]);
    by_schema.json_column.push_back(of_table.json_column[index]);
  }
  by_schema.columns = of_table.columns;
  by_schema.json_columns = of_table.json_columns;
}

const RowDecoder::Impl::Places* RowDecoder::Impl::PlacesFor(int64_t count,
                                                            size_t Places::*counted) const {
  const auto wanted = static_cast<size_t>(count);
  // As many as there are fields: the stream selects all, as the table has them now, which the
  // schema may not know yet.
  if (by_fields.*counted == wanted) return &by_fields;
  if (by_schema.columns > 0 && by_schema.*counted == wanted) return &by_schema;
  return nullptr;
}

absl::Status RowDecoder::Impl::MarkAbsent(const binlogdata::RowChange::Bitmap* data_columns,
                                          const binlogdata::RowChange::Bitmap* json_partial_values,
                                          std::span<Value> values) const {
  const auto mark = [&](const binlogdata::RowChange::Bitmap& bitmap, size_t Places::*counted,
                        std::vector<size_t> Places::*place, bool absent_if) {
    const Places* places = PlacesFor(bitmap.count(), counted);
    if (places == nullptr) return false;
    for (size_t i = 0; i < values.size(); ++i) {
      const size_t at = (places->*place)[i];
      if (at != kNowhere && BitOf(bitmap, at) == absent_if)
        values[i] = {Kind::kAbsent, {}, false, {}};
    }
    return true;
  };
  if ((data_columns != nullptr &&
       !mark(*data_columns, &Places::columns, &Places::column, /*absent_if=*/false)) ||
      (json_partial_values != nullptr &&
       !mark(*json_partial_values, &Places::json_columns, &Places::json_column,
             /*absent_if=*/true))) {
    return absl::FailedPreconditionError(
        "a row leaves out columns of a table that has other columns than the schema says");
  }
  return absl::OkStatus();
}

RowDecoder::RowDecoder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RowDecoder::RowDecoder(RowDecoder&&) noexcept = default;
RowDecoder& RowDecoder::operator=(RowDecoder&&) noexcept = default;
RowDecoder::~RowDecoder() = default;

absl::StatusOr<RowDecoder> RowDecoder::Make(std::span<const query::Field* const> fields,
                                            const TableSchema& schema,
                                            std::span<const std::string> wanted, RowSource source,
                                            bool enum_set_string_values,
                                            const TypeOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->columns.reserve(fields.size());
  impl->converters.reserve(fields.size());
  for (const query::Field* field : fields) {
    const Column* known = schema.FindColumn(field->name());
    if (known == nullptr && IsPositionalName(field->name())) {
      return absl::FailedPreconditionError(absl::StrCat(
          "the columns of the rows of table ", schema.name,
          " are not known to Vitess: its schema was changed after they were written (column ",
          field->name(), ")"));
    }
    const Column& column = impl->columns.emplace_back(ColumnOf(*field, known));
    const bool is_wanted =
        wanted.empty() || std::find(wanted.begin(), wanted.end(), column.name) != wanted.end();
    impl->converters.push_back(
        is_wanted ? ConverterOf(schema, column, source, enum_set_string_values, options)
                  : Converter());
  }
  impl->SetPlaces(schema);
  return RowDecoder(std::move(impl));
}

std::span<const Column> RowDecoder::columns() const { return impl_->columns; }

absl::Status RowDecoder::Decode(const query::Row& row,
                                const binlogdata::RowChange::Bitmap* data_columns,
                                const binlogdata::RowChange::Bitmap* json_partial_values,
                                DecodedRow& out) const {
  std::vector<Converter>& converters = impl_->converters;
  const size_t size = converters.size();
  if (static_cast<size_t>(row.lengths_size()) != size) {
    return absl::InternalError(
        absl::StrCat("a row has ", row.lengths_size(), " values for ", size, " columns"));
  }
  out.scratch_.Clear();
  out.values_.resize(size);
  const int64_t* const lengths = row.lengths().data();
  std::string_view left = row.values();
  for (size_t i = 0; i < size; ++i) {
    Converter& converter = converters[i];
    const int64_t length = lengths[i];
    // Values are made where they stay: a copy of one that was just written stalls on its parts.
    Value* const place = &out.values_[i];
    if (length == -1) {
      ::new (place)
          Value{converter.step == Step::kSkip ? Kind::kAbsent : Kind::kNull, {}, false, {}};
      continue;
    }
    if (static_cast<uint64_t>(length) > left.size()) {
      return absl::InternalError("a row has fewer bytes than the lengths of its values say");
    }
    const auto bytes = static_cast<size_t>(length);
    ::new (place) Value(ValueOf(converter, left.substr(0, bytes), out.scratch_));
    left.remove_prefix(bytes);
  }
  if (!left.empty()) {
    return absl::InternalError("a row has more bytes than the lengths of its values say");
  }
  if (data_columns == nullptr && json_partial_values == nullptr) return absl::OkStatus();
  return impl_->MarkAbsent(data_columns, json_partial_values, out.values_);
}

}  // namespace source_vitess::mysql
