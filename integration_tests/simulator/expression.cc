#include "simulator/expression.h"

#include <charconv>
#include <optional>
#include <sstream>
#include <utility>

#include "absl/numeric/int128.h"
#include "simulator/charset.h"
#include "simulator/json_edit.h"
#include "simulator/json_text.h"
#include "simulator/number_text.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

constexpr size_t kLongestText = 64 << 20;

SqlValue Null() { return {}; }
SqlValue Number(std::string text) { return {{Literal::Kind::kNumber, std::move(text)}, nullptr}; }
SqlValue Boolean(bool value) { return Number(value ? "1" : "0"); }
SqlValue Text(std::string text) { return {{Literal::Kind::kString, std::move(text)}, nullptr}; }

double ToDouble(std::string_view text) {
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool IsInteger(std::string_view text) {
  return text.find_first_not_of("-0123456789") == std::string_view::npos;
}

// Negative, 0 or positive; neither side is NULL.
int Compare(const SqlValue& left, const SqlValue& right) {
  if (left.column != nullptr)
    return CompareWithLiteral(*left.column, left.literal.text, ToLiteral(right));
  if (right.column != nullptr)
    return -CompareWithLiteral(*right.column, right.literal.text, left.literal);
  if (left.literal.kind == Literal::Kind::kString && right.literal.kind == Literal::Kind::kString) {
    const Collation& collation = *FindCollation("utf8mb4_0900_ai_ci");
    return CollationKey(left.literal.text, collation)
        .compare(CollationKey(right.literal.text, collation));
  }
  if (left.literal.kind == Literal::Kind::kBytes || right.literal.kind == Literal::Kind::kBytes) {
    return left.literal.text.compare(right.literal.text);
  }
  absl::int128 a = 0;
  absl::int128 b = 0;
  if (ParseInteger(left.literal.text, &a) && ParseInteger(right.literal.text, &b)) {
    return a < b ? -1 : (a > b ? 1 : 0);
  }
  const double x = ToDouble(left.literal.text);
  const double y = ToDouble(right.literal.text);
  return x < y ? -1 : (x > y ? 1 : 0);
}

// % and _ as SQL means them, ignoring the case of ASCII letters.
bool Like(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%') {
    for (size_t skip = 0; skip <= text.size(); ++skip) {
      if (Like(text.substr(skip), pattern.substr(1))) return true;
    }
    return false;
  }
  if (text.empty()) return false;
  const bool escaped = pattern[0] == '\\' && pattern.size() > 1;
  const char wanted = escaped ? pattern[1] : pattern[0];
  if ((escaped || wanted != '_') && absl::ascii_tolower(static_cast<unsigned char>(wanted)) !=
                                        absl::ascii_tolower(static_cast<unsigned char>(text[0]))) {
    return false;
  }
  return Like(text.substr(1), pattern.substr(escaped ? 2 : 1));
}

class Evaluator {
 public:
  explicit Evaluator(const EvaluationContext& context) : context_(context) {}

  absl::StatusOr<SqlValue> Run(const Expression& expression) {
    switch (expression.kind) {
      case Expression::Kind::kLiteral:
        return SqlValue{expression.literal, nullptr};
      case Expression::Kind::kColumn:
        return ColumnValue(expression.name);
      case Expression::Kind::kVariable:
        return Variable(expression.name);
      case Expression::Kind::kUnary:
        return Unary(expression);
      case Expression::Kind::kBinary:
        return Binary(expression);
      case Expression::Kind::kCall:
        return Call(expression);
      case Expression::Kind::kIn:
        return In(expression);
      case Expression::Kind::kBetween:
        return Between(expression);
      case Expression::Kind::kIsNull:
        return IsNull(expression);
      case Expression::Kind::kLike:
        return LikePattern(expression);
      case Expression::Kind::kStar:
      case Expression::Kind::kTuple:
        break;
    }
    return absl::InvalidArgumentError(
        "Operand should contain 1 column(s) (errno 1241) (sqlstate 21000)");
  }

  absl::StatusOr<std::optional<EditedJson>> JsonDifference(const Expression& expression,
                                                           const Column& column) {
    EditedJson json;
    if (expression.kind == Expression::Kind::kColumn) {
      if (!EqualsIgnoreCase(expression.name, column.name)) return std::optional<EditedJson>();
      const absl::StatusOr<SqlValue> document = Run(expression);
      if (!document.ok()) return document.status();
      if (document->IsNull()) return std::optional<EditedJson>();
      json.document = document->literal.text;
      return std::optional<EditedJson>(std::move(json));
    }
    if (expression.kind != Expression::Kind::kCall || expression.arguments.empty())
      return std::optional<EditedJson>();
    const std::optional<JsonEdit::Kind> kind = FindJsonEdit(expression.name);
    if (!kind.has_value() || !IsLoggedAsDifference(*kind)) return std::optional<EditedJson>();
    absl::StatusOr<std::optional<EditedJson>> inner =
        JsonDifference(*expression.arguments[0], column);
    if (!inner.ok() || !inner->has_value()) return inner;
    if (absl::Status status = EditJson(expression, *kind, **inner); !status.ok()) return status;
    return inner;
  }

 private:
  absl::StatusOr<SqlValue> ColumnValue(std::string_view name) {
    const int index = context_.columns == nullptr ? -1 : FindColumn(*context_.columns, name);
    if (index < 0) {
      return absl::NotFoundError(
          Cat("Unknown column '", name, "' in 'field list' (errno 1054) (sqlstate 42S22)"));
    }
    const Cell& cell = (*context_.row)[static_cast<size_t>(index)];
    if (!cell.has_value()) return Null();
    const Column& column = (*context_.columns)[static_cast<size_t>(index)];
    const bool number = column.IsInteger() || column.type == query::DECIMAL ||
                        column.type == query::FLOAT32 || column.type == query::FLOAT64 ||
                        column.type == query::YEAR;
    return SqlValue{{number ? Literal::Kind::kNumber : Literal::Kind::kString, *cell}, &column};
  }

  absl::StatusOr<SqlValue> Variable(const std::string& name) {
    if (!context_.variable)
      return absl::InvalidArgumentError(Cat("Unknown system variable '", name, "'"));
    absl::StatusOr<std::string> value = context_.variable(name);
    if (!value.ok()) return value.status();
    return Text(*std::move(value));
  }

  absl::StatusOr<SqlValue> Unary(const Expression& expression) {
    absl::StatusOr<SqlValue> operand = Run(*expression.arguments[0]);
    if (!operand.ok() || operand->IsNull()) return operand;
    if (expression.name == "not") return Boolean(ToDouble(operand->literal.text) == 0);
    const std::string& text = operand->literal.text;
    return Number(StartsWith(text, "-") ? text.substr(1) : "-" + text);
  }

  absl::StatusOr<SqlValue> Binary(const Expression& expression) {
    if (expression.name == "and" || expression.name == "or") return Logical(expression);
    const Expression& left = *expression.arguments[0];
    const Expression& right = *expression.arguments[1];
    if (left.kind == Expression::Kind::kTuple || right.kind == Expression::Kind::kTuple) {
      const absl::StatusOr<std::optional<int>> order = CompareTuples(left, right);
      if (!order.ok()) return order.status();
      return order->has_value() ? Boolean(Holds(expression.name, **order)) : Null();
    }
    absl::StatusOr<SqlValue> a = Run(left);
    if (!a.ok()) return a;
    absl::StatusOr<SqlValue> b = Run(right);
    if (!b.ok()) return b;
    if (a->IsNull() || b->IsNull()) return Null();
    if (Contains("+-*/%", expression.name)) return Arithmetic(expression.name[0], *a, *b);
    return Boolean(Holds(expression.name, Compare(*a, *b)));
  }

  static bool Holds(std::string_view name, int order) {
    if (name == "=") return order == 0;
    if (name == "<>") return order != 0;
    if (name == "<") return order < 0;
    if (name == "<=") return order <= 0;
    if (name == ">") return order > 0;
    return order >= 0;
  }

  // The order of the first pair that differs; none if a NULL stands before it.
  absl::StatusOr<std::optional<int>> CompareTuples(const Expression& left,
                                                   const Expression& right) {
    if (left.kind != right.kind || left.arguments.size() != right.arguments.size()) {
      return absl::InvalidArgumentError("Operand should contain " + Cat(left.arguments.size()) +
                                        " column(s) (errno 1241) (sqlstate 21000)");
    }
    for (size_t i = 0; i < left.arguments.size(); ++i) {
      const absl::StatusOr<SqlValue> a = Run(*left.arguments[i]);
      if (!a.ok()) return a.status();
      const absl::StatusOr<SqlValue> b = Run(*right.arguments[i]);
      if (!b.ok()) return b.status();
      if (a->IsNull() || b->IsNull()) return std::optional<int>();
      const int order = Compare(*a, *b);
      if (order != 0) return std::optional<int>(order);
    }
    return std::optional<int>(0);
  }

  absl::StatusOr<SqlValue> Logical(const Expression& expression) {
    const bool is_and = expression.name == "and";
    bool unknown = false;
    for (const ExpressionPtr& argument : expression.arguments) {
      absl::StatusOr<SqlValue> value = Run(*argument);
      if (!value.ok()) return value;
      if (value->IsNull()) {
        unknown = true;
      } else if ((ToDouble(value->literal.text) != 0) != is_and) {
        return Boolean(!is_and);
      }
    }
    return unknown ? Null() : Boolean(is_and);
  }

  static absl::StatusOr<SqlValue> Arithmetic(char symbol, const SqlValue& a, const SqlValue& b) {
    absl::int128 x = 0;
    absl::int128 y = 0;
    if (symbol != '/' && IsInteger(a.literal.text) && IsInteger(b.literal.text) &&
        ParseInteger(a.literal.text, &x) && ParseInteger(b.literal.text, &y)) {
      if (symbol == '%' && y == 0) return Null();
      const absl::int128 result =
          symbol == '+' ? x + y : (symbol == '-' ? x - y : (symbol == '*' ? x * y : x % y));
      std::ostringstream text;
      text << result;
      return Number(text.str());
    }
    const double left = Operand(a);
    const double right = Operand(b);
    if ((symbol == '/' || symbol == '%') && right == 0) return Null();
    const double result =
        symbol == '+'
            ? left + right
            : (symbol == '-' ? left - right : (symbol == '*' ? left * right : left / right));
    return Number(DoubleText(result));
  }

  // MySQL calculates with doubles: a FLOAT comes with all digits of its value, not with those that
  // it is stored by here.
  static double Operand(const SqlValue& value) {
    const double number = ToDouble(value.literal.text);
    const bool is_float = value.column != nullptr && value.column->type == query::FLOAT32;
    return is_float ? static_cast<double>(static_cast<float>(number)) : number;
  }

  // A document of a JSON column as it is, a number as a number, anything else as a string.
  absl::StatusOr<std::string> JsonValue(const Expression& expression) {
    const absl::StatusOr<SqlValue> value = Run(expression);
    if (!value.ok()) return value.status();
    if (value->IsNull()) return std::string("null");
    const bool document = value->column != nullptr && value->column->type == query::JSON;
    const Literal literal = ToLiteral(*value);
    if (document || literal.kind == Literal::Kind::kNumber) return literal.text;
    return QuoteJson(literal.text);
  }

  absl::Status EditJson(const Expression& expression, JsonEdit::Kind kind, EditedJson& json) {
    const std::vector<ExpressionPtr>& arguments = expression.arguments;
    const size_t step = kind == JsonEdit::Kind::kRemove ? 1 : 2;
    if (arguments.size() < 2 || (arguments.size() - 1) % step != 0) {
      return absl::InvalidArgumentError(Cat("Incorrect parameter count in the call to ",
                                            expression.name, " (errno 1582) (sqlstate 42000)"));
    }
    for (size_t i = 1; i < arguments.size(); i += step) {
      const absl::StatusOr<SqlValue> path = Run(*arguments[i]);
      if (!path.ok()) return path.status();
      JsonEdit edit{kind, ToLiteral(*path).text, ""};
      if (step == 2) {
        absl::StatusOr<std::string> value = JsonValue(*arguments[i + 1]);
        if (!value.ok()) return value.status();
        edit.value = *std::move(value);
      }
      if (absl::Status status = ApplyJsonEdit(edit, json); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<SqlValue> EditedDocument(const Expression& expression, JsonEdit::Kind kind) {
    const absl::StatusOr<SqlValue> document =
        expression.arguments.empty() ? Null() : Run(*expression.arguments[0]);
    if (!document.ok() || document->IsNull()) return document;
    absl::StatusOr<std::string> normalized = NormalizeJson(ToLiteral(*document).text);
    if (!normalized.ok()) return normalized.status();
    EditedJson json;
    json.document = *std::move(normalized);
    if (absl::Status status = EditJson(expression, kind, json); !status.ok()) return status;
    return Text(std::move(json.document));
  }

  absl::StatusOr<SqlValue> Call(const Expression& expression) {
    if (const std::optional<JsonEdit::Kind> edit = FindJsonEdit(expression.name); edit.has_value())
      return EditedDocument(expression, *edit);
    std::vector<Literal> arguments;
    for (const ExpressionPtr& argument : expression.arguments) {
      absl::StatusOr<SqlValue> value = Run(*argument);
      if (!value.ok()) return value;
      arguments.push_back(ToLiteral(*value));
    }
    const std::string& name = expression.name;
    if (name == "now" || name == "utc_timestamp") {
      return Text(absl::FormatTime("%E4Y-%m-%d %H:%M:%E6S", context_.now, absl::UTCTimeZone()));
    }
    if (name == "database" && !context_.database.empty()) return Text(context_.database);
    for (const Literal& argument : arguments) {
      if (argument.kind == Literal::Kind::kNull) return Null();
    }
    if (name == "concat") {
      std::string text;
      for (const Literal& argument : arguments) text += argument.text;
      return Text(std::move(text));
    }
    if (name == "repeat" && arguments.size() == 2)
      return Repeat(arguments[0].text, arguments[1].text);
    if ((name == "convert" || name == "to_vector" || name == "unhex") && arguments.size() == 1) {
      return SqlValue{arguments[0], nullptr};
    }
    return absl::UnimplementedError(Cat("function ", name, " is not known to the simulator"));
  }

  static absl::StatusOr<SqlValue> Repeat(std::string_view text, std::string_view count) {
    size_t times = 0;
    if (!ParseInteger(count, &times) || times * text.size() > kLongestText) return Null();
    std::string repeated;
    repeated.reserve(times * text.size());
    for (size_t i = 0; i < times; ++i) repeated += text;
    return Text(std::move(repeated));
  }

  absl::StatusOr<SqlValue> In(const Expression& expression) {
    const Expression& left = *expression.arguments[0];
    bool unknown = false;
    for (size_t i = 1; i < expression.arguments.size(); ++i) {
      const absl::StatusOr<std::optional<bool>> equal = Equal(left, *expression.arguments[i]);
      if (!equal.ok()) return equal.status();
      if (!equal->has_value()) unknown = true;
      if (equal->value_or(false)) return Boolean(!expression.negated);
    }
    return unknown ? Null() : Boolean(expression.negated);
  }

  absl::StatusOr<std::optional<bool>> Equal(const Expression& left, const Expression& right) {
    if (left.kind == Expression::Kind::kTuple) {
      const absl::StatusOr<std::optional<int>> order = CompareTuples(left, right);
      if (!order.ok()) return order.status();
      return order->has_value() ? std::optional<bool>(**order == 0) : std::nullopt;
    }
    const absl::StatusOr<SqlValue> a = Run(left);
    if (!a.ok()) return a.status();
    const absl::StatusOr<SqlValue> b = Run(right);
    if (!b.ok()) return b.status();
    if (a->IsNull() || b->IsNull()) return std::optional<bool>();
    return std::optional<bool>(Compare(*a, *b) == 0);
  }

  absl::StatusOr<SqlValue> Between(const Expression& expression) {
    std::vector<SqlValue> values;
    for (const ExpressionPtr& argument : expression.arguments) {
      absl::StatusOr<SqlValue> value = Run(*argument);
      if (!value.ok() || value->IsNull()) return value;
      values.push_back(*std::move(value));
    }
    const bool between = Compare(values[0], values[1]) >= 0 && Compare(values[0], values[2]) <= 0;
    return Boolean(between != expression.negated);
  }

  absl::StatusOr<SqlValue> IsNull(const Expression& expression) {
    const absl::StatusOr<SqlValue> value = Run(*expression.arguments[0]);
    if (!value.ok()) return value;
    return Boolean(value->IsNull() != expression.negated);
  }

  absl::StatusOr<SqlValue> LikePattern(const Expression& expression) {
    const absl::StatusOr<SqlValue> text = Run(*expression.arguments[0]);
    if (!text.ok() || text->IsNull()) return text;
    const absl::StatusOr<SqlValue> pattern = Run(*expression.arguments[1]);
    if (!pattern.ok() || pattern->IsNull()) return pattern;
    return Boolean(Like(ToLiteral(*text).text, ToLiteral(*pattern).text) != expression.negated);
  }

  const EvaluationContext& context_;
};

}  // namespace

absl::StatusOr<SqlValue> Evaluate(const Expression& expression, const EvaluationContext& context) {
  return Evaluator(context).Run(expression);
}

absl::StatusOr<std::optional<EditedJson>> EvaluateJsonDifference(const Expression& expression,
                                                                 const EvaluationContext& context,
                                                                 const Column& column) {
  return Evaluator(context).JsonDifference(expression, column);
}

absl::StatusOr<bool> IsTrue(const ExpressionPtr& expression, const EvaluationContext& context) {
  if (expression == nullptr) return true;
  const absl::StatusOr<SqlValue> value = Evaluate(*expression, context);
  if (!value.ok()) return value.status();
  return !value->IsNull() && ToDouble(value->literal.text) != 0;
}

Literal ToLiteral(const SqlValue& value) {
  if (value.column == nullptr || value.IsNull()) return value.literal;
  Literal literal = value.literal;
  if (value.column->IsText())
    literal.text = DecodeText(literal.text, value.column->collation->charset);
  const bool bytes = value.column->type == query::BINARY ||
                     value.column->type == query::VARBINARY || value.column->type == query::BLOB ||
                     value.column->type == query::BIT;
  if (bytes) literal.kind = Literal::Kind::kBytes;
  return literal;
}

int FindColumn(const std::vector<Column>& columns, std::string_view name) {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (EqualsIgnoreCase(columns[i].name, name)) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace source_vitess::simulator
