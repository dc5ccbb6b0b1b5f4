#include "mysql/column_type.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "text/absl_view.h"

namespace source_vitess::mysql {
namespace {

using text::AbslView;

struct NamedType {
  std::string_view name;
  BaseType base;
};

// Names of information_schema, and the synonyms that people write.
constexpr std::array kTypes = {
    NamedType{"tinyint", BaseType::kTinyInt},
    NamedType{"bool", BaseType::kTinyInt},
    NamedType{"boolean", BaseType::kTinyInt},
    NamedType{"smallint", BaseType::kSmallInt},
    NamedType{"mediumint", BaseType::kMediumInt},
    NamedType{"int", BaseType::kInt},
    NamedType{"integer", BaseType::kInt},
    NamedType{"bigint", BaseType::kBigInt},
    NamedType{"float", BaseType::kFloat},
    NamedType{"double", BaseType::kDouble},
    NamedType{"real", BaseType::kDouble},
    NamedType{"decimal", BaseType::kDecimal},
    NamedType{"dec", BaseType::kDecimal},
    NamedType{"numeric", BaseType::kDecimal},
    NamedType{"fixed", BaseType::kDecimal},
    NamedType{"bit", BaseType::kBit},
    NamedType{"year", BaseType::kYear},
    NamedType{"date", BaseType::kDate},
    NamedType{"datetime", BaseType::kDateTime},
    NamedType{"timestamp", BaseType::kTimestamp},
    NamedType{"time", BaseType::kTime},
    NamedType{"char", BaseType::kChar},
    NamedType{"varchar", BaseType::kVarchar},
    NamedType{"tinytext", BaseType::kText},
    NamedType{"text", BaseType::kText},
    NamedType{"mediumtext", BaseType::kText},
    NamedType{"longtext", BaseType::kText},
    NamedType{"binary", BaseType::kBinary},
    NamedType{"varbinary", BaseType::kVarbinary},
    NamedType{"tinyblob", BaseType::kBlob},
    NamedType{"blob", BaseType::kBlob},
    NamedType{"mediumblob", BaseType::kBlob},
    NamedType{"longblob", BaseType::kBlob},
    NamedType{"enum", BaseType::kEnum},
    NamedType{"set", BaseType::kSet},
    NamedType{"json", BaseType::kJson},
    NamedType{"geometry", BaseType::kGeometry},
    NamedType{"point", BaseType::kGeometry},
    NamedType{"linestring", BaseType::kGeometry},
    NamedType{"polygon", BaseType::kGeometry},
    NamedType{"multipoint", BaseType::kGeometry},
    NamedType{"multilinestring", BaseType::kGeometry},
    NamedType{"multipolygon", BaseType::kGeometry},
    NamedType{"geomcollection", BaseType::kGeometry},
    NamedType{"geometrycollection", BaseType::kGeometry},
    NamedType{"vector", BaseType::kVector},
};

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// What a character after a backslash stands for within a label. information_schema escapes NUL,
// line ends and backslashes so, and doubles quotes (MySQL sql/field.cc, Field_enum::sql_type).
char Unescaped(char c) {
  switch (c) {
    case '0':
      return '\0';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'Z':
      return '\x1a';
    default:
      return c;
  }
}

// Walks the text of a type once, from left to right.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  absl::StatusOr<ColumnType> Parse() {
    ColumnType type;
    type.text = std::string(text_);
    const std::string name = NextWord();
    if (name.empty()) return Error("does not begin with a name");
    const auto* named = std::find_if(kTypes.begin(), kTypes.end(),
                                     [&](const NamedType& t) { return t.name == name; });
    if (named != kTypes.end()) type.base = named->base;
    if (name == "bool" || name == "boolean") type.length = 1;
    if (absl::Status status = ParseParentheses(type); !status.ok()) return status;
    if (absl::Status status = ParseAttributes(type); !status.ok()) return status;
    return type;
  }

 private:
  absl::Status Error(std::string_view why) const {
    return absl::InvalidArgumentError(
        absl::StrCat("the column type \"", AbslView(text_), "\" ", AbslView(why)));
  }

  void SkipSpace() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  }

  bool Take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  // The next word in lower case; empty where none stands.
  std::string NextWord() {
    SkipSpace();
    std::string word;
    while (at_ < text_.size() && IsWordByte(text_[at_])) word += Lower(text_[at_++]);
    return word;
  }

  absl::Status ParseParentheses(ColumnType& type) {
    SkipSpace();
    if (!Take('(')) return absl::OkStatus();
    const bool labels = type.base == BaseType::kEnum || type.base == BaseType::kSet;
    if (labels) {
      if (absl::Status status = ParseLabels(type.labels); !status.ok()) return status;
    } else if (type.base == BaseType::kUnknown) {
      const size_t end = text_.find(')', at_);
      if (end == std::string_view::npos) return Error("has no closing parenthesis");
      at_ = end;
    } else if (absl::Status status = ParseNumbers(type); !status.ok()) {
      return status;
    }
    SkipSpace();
    if (!Take(')')) return Error("has no closing parenthesis");
    return absl::OkStatus();
  }

  absl::Status ParseNumbers(ColumnType& type) {
    const std::optional<int> first = NextNumber();
    if (!first.has_value()) return Error("has no number in its parentheses");
    const bool fraction = type.base == BaseType::kDateTime || type.base == BaseType::kTimestamp ||
                          type.base == BaseType::kTime;
    (fraction ? type.decimals : type.length) = *first;
    SkipSpace();
    if (!Take(',')) return absl::OkStatus();
    const std::optional<int> second = NextNumber();
    if (!second.has_value()) return Error("has no number behind its comma");
    type.decimals = *second;
    return absl::OkStatus();
  }

  std::optional<int> NextNumber() {
    SkipSpace();
    int number = 0;
    const char* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), number);
    if (error != std::errc() || number < 0) return std::nullopt;
    at_ += static_cast<size_t>(end - begin);
    return number;
  }

  absl::Status ParseLabels(std::vector<std::string>& labels) {
    do {
      SkipSpace();
      if (!Take('\'')) return Error("has a label without a quote");
      std::string& label = labels.emplace_back();
      for (;;) {
        if (at_ == text_.size()) return Error("has a label without an end");
        const char c = text_[at_++];
        if (c == '\'') {
          if (!Take('\'')) break;
          label += '\'';
        } else if (c == '\\' && at_ < text_.size()) {
          label += Unescaped(text_[at_++]);
        } else {
          label += c;
        }
      }
      SkipSpace();
    } while (Take(','));
    return absl::OkStatus();
  }

  // Words that say nothing about values, and comments such as "/* 5.5 binary format */", are passed
  // over.
  absl::Status ParseAttributes(ColumnType& type) {
    for (;;) {
      const std::string word = NextWord();
      if (word == "unsigned") {
        type.is_unsigned = true;
      } else if (word == "zerofill") {
        type.zerofill = true;
        type.is_unsigned = true;
      } else if (word == "charset") {
        type.character_set = NextWord();
      } else if (word == "character") {
        if (NextWord() == "set") type.character_set = NextWord();
      } else if (word == "collate") {
        type.collation = NextWord();
      } else if (word.empty()) {
        if (at_ == text_.size()) return absl::OkStatus();
        if (text_[at_] == '(' || text_[at_] == ')' || text_[at_] == '\'') {
          return Error("has something behind its end");
        }
        ++at_;
      }
    }
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

absl::StatusOr<ColumnType> ParseColumnType(std::string_view text) { return Parser(text).Parse(); }

Kind KindOf(const ColumnType& type, const TypeOptions& options) {
  switch (type.base) {
    case BaseType::kTinyInt:
      if (options.tinyint1_as_boolean && type.length == 1 && !type.is_unsigned) {
        return Kind::kBoolean;
      }
      [[fallthrough]];
    case BaseType::kSmallInt:
    case BaseType::kMediumInt:
    case BaseType::kInt:
    case BaseType::kBigInt:
      return type.is_unsigned ? Kind::kUnsigned : Kind::kSigned;
    case BaseType::kFloat:
      return Kind::kFloat;
    case BaseType::kDouble:
      return Kind::kDouble;
    case BaseType::kDecimal:
      return Kind::kDecimal;
    case BaseType::kBit:
      return options.bit1_as_boolean && type.length <= 1 ? Kind::kBoolean : Kind::kBytes;
    case BaseType::kYear:
      return Kind::kYear;
    case BaseType::kDate:
      return Kind::kDate;
    case BaseType::kDateTime:
      return Kind::kDateTime;
    case BaseType::kTimestamp:
      return Kind::kTimestamp;
    case BaseType::kTime:
      return options.times == TimeFormat::kText ? Kind::kText : Kind::kTime;
    case BaseType::kBinary:
    case BaseType::kVarbinary:
    case BaseType::kBlob:
      return Kind::kBytes;
    case BaseType::kJson:
      return Kind::kJson;
    case BaseType::kGeometry:
      return Kind::kGeometry;
    case BaseType::kVector:
      return Kind::kVector;
    case BaseType::kChar:
    case BaseType::kVarchar:
    case BaseType::kText:
    case BaseType::kEnum:
    case BaseType::kSet:
    case BaseType::kUnknown:
      return Kind::kText;
  }
  return Kind::kText;
}

}  // namespace source_vitess::mysql
