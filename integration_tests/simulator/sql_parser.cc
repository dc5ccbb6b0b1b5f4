#include "simulator/sql_parser.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "simulator/sql_tokenizer.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

ExpressionPtr MakeExpression(Expression::Kind kind, std::string name,
                             std::vector<ExpressionPtr> arguments, bool negated = false) {
  auto expression = std::make_shared<Expression>();
  expression->kind = kind;
  expression->name = std::move(name);
  expression->arguments = std::move(arguments);
  expression->negated = negated;
  return expression;
}

ExpressionPtr MakeLiteral(Literal::Kind kind, std::string text) {
  auto expression = std::make_shared<Expression>();
  expression->kind = Expression::Kind::kLiteral;
  expression->literal = {kind, std::move(text)};
  return expression;
}

// Words that end an expression's or a table's alias.
bool IsReserved(std::string_view word) {
  static constexpr std::array<std::string_view, 20> kWords = {
      "from", "where", "order", "limit",  "and", "or",  "not",   "in",    "between", "like",
      "is",   "as",    "on",    "values", "set", "asc", "group", "using", "force",   "offset"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view reserved) { return EqualsIgnoreCase(word, reserved); });
}

// Recursive descent. A failed parse is remembered in status_, and every step after it gives empty
// results: callers look at the status once, at the end.
class Parser {
 public:
  Parser(std::string_view sql, std::vector<Token> tokens, const BindValues& binds)
      : sql_(sql), tokens_(std::move(tokens)), binds_(binds) {}

  absl::StatusOr<Statement> Run() {
    Statement statement = ParseStatement();
    AcceptSymbol(";");
    if (status_.ok() && Peek().kind != Token::Kind::kEnd) Fail();
    if (!status_.ok()) return status_;
    return statement;
  }

 private:
  // --- tokens
  const Token& Peek(size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }

  void Advance() {
    if (at_ + 1 < tokens_.size()) ++at_;
  }

  void Fail() {
    if (!status_.ok()) return;
    const Token& token = Peek();
    status_ = absl::InvalidArgumentError(
        Cat("syntax error at position ", token.begin + 1,
            token.kind == Token::Kind::kEnd ? "" : Cat(" near '", token.text, "'")));
    at_ = tokens_.size() - 1;
  }

  bool IsWord(std::string_view word, size_t ahead = 0) const {
    return Peek(ahead).kind == Token::Kind::kWord && EqualsIgnoreCase(Peek(ahead).text, word);
  }

  bool AcceptWord(std::string_view word) {
    if (!IsWord(word)) return false;
    Advance();
    return true;
  }

  // All of the words, or none.
  bool AcceptWords(std::initializer_list<std::string_view> words) {
    size_t ahead = 0;
    for (const std::string_view word : words) {
      if (!IsWord(word, ahead++)) return false;
    }
    for (size_t i = 0; i < words.size(); ++i) Advance();
    return true;
  }

  void ExpectWord(std::string_view word) {
    if (!AcceptWord(word)) Fail();
  }

  bool IsSymbol(std::string_view symbol, size_t ahead = 0) const {
    return Peek(ahead).kind == Token::Kind::kSymbol && Peek(ahead).text == symbol;
  }

  bool AcceptSymbol(std::string_view symbol) {
    if (!IsSymbol(symbol)) return false;
    Advance();
    return true;
  }

  void ExpectSymbol(std::string_view symbol) {
    if (!AcceptSymbol(symbol)) Fail();
  }

  std::string Take() {
    std::string text = Peek().text;
    Advance();
    return text;
  }

  std::string Name() {
    if (Peek().kind != Token::Kind::kWord && Peek().kind != Token::Kind::kQuotedName) {
      Fail();
      return "";
    }
    return Take();
  }

  // A name or a string: 'customer:-80' as well as customer.
  std::string NameOrString() { return Peek().kind == Token::Kind::kString ? Take() : Name(); }

  std::string StringLiteral() {
    if (Peek().kind != Token::Kind::kString) {
      Fail();
      return "";
    }
    return Take();
  }

  uint64_t Number() {
    uint64_t number = 0;
    if (Peek().kind == Token::Kind::kBind) {
      const auto bound = binds_.find(Peek().text);
      if (bound == binds_.end() || !ParseInteger(bound->second.text, &number)) Fail();
      Advance();
    } else if (Peek().kind != Token::Kind::kNumber || !ParseInteger(Peek().text, &number)) {
      Fail();
    } else {
      Advance();
    }
    return number;
  }

  TableName ParseTableName() {
    TableName table;
    table.name = Name();
    if (AcceptSymbol(".")) {
      table.schema = std::move(table.name);
      table.name = Name();
    }
    return table;
  }

  std::vector<std::string> NameList() {
    std::vector<std::string> names;
    ExpectSymbol("(");
    do {
      names.push_back(NameOrString());
      if (AcceptSymbol("(")) {  // the length of an index prefix
        Number();
        ExpectSymbol(")");
      }
      if (!AcceptWord("asc")) AcceptWord("desc");
    } while (AcceptSymbol(","));
    ExpectSymbol(")");
    return names;
  }

  // --- statements
  Statement ParseStatement() {
    if (IsLoggedOnly()) return ParseLoggedOnly();
    if (AcceptWord("select")) return ParseSelect();
    if (AcceptWord("insert")) return ParseInsert(false);
    if (AcceptWord("replace")) return ParseInsert(true);
    if (AcceptWord("update")) return ParseUpdate();
    if (AcceptWord("delete")) return ParseDelete();
    if (AcceptWord("create")) return ParseCreate();
    if (AcceptWord("alter")) return ParseAlter();
    if (AcceptWord("drop")) return ParseDrop();
    if (AcceptWords({"rename", "table"})) return ParseRename();
    if (AcceptWord("truncate")) {
      AcceptWord("table");
      return TruncateTable{ParseTableName()};
    }
    if (AcceptWord("show")) return ParseShow();
    if (AcceptWord("use")) return Use{NameOrString()};
    if (AcceptWords({"vexplain", "plan", "select"})) return VexplainPlan{ParseSelect()};
    return ParseControl();
  }

  bool IsDefinitionOfARoutine() const {
    const bool defines = IsWord("create") || IsWord("drop") || IsWord("alter");
    if (!defines) return false;
    for (const std::string_view kind : {"trigger", "user", "procedure", "function", "event"}) {
      if (IsWord(kind, 1)) return true;
    }
    return false;
  }

  bool IsLoggedOnly() const {
    for (const std::string_view verb : {"grant", "revoke", "analyze", "optimize", "repair"}) {
      if (IsWord(verb)) return true;
    }
    return IsDefinitionOfARoutine();
  }

  LoggedOnly ParseLoggedOnly() {
    LoggedOnly statement;
    statement.told = IsDefinitionOfARoutine();
    while (Peek().kind != Token::Kind::kEnd && !IsSymbol(";")) Advance();
    return statement;
  }

  Statement ParseControl() {
    Control control;
    if (AcceptWord("begin") || AcceptWords({"start", "transaction"})) {
      control.kind = Control::Kind::kBegin;
    } else if (AcceptWord("commit")) {
      control.kind = Control::Kind::kCommit;
    } else if (AcceptWord("rollback")) {
      control.kind = Control::Kind::kRollback;
    } else if (IsWord("set") || IsWord("savepoint") || IsWord("flush")) {
      while (Peek().kind != Token::Kind::kEnd && !IsSymbol(";")) Advance();
    } else {
      Fail();
    }
    return control;
  }

  Select ParseSelect() {
    Select select;
    AcceptWord("distinct");
    do {
      select.items.push_back(ParseSelectItem());
    } while (AcceptSymbol(","));
    if (AcceptWord("from")) {
      select.table = ParseTableName();
      if (AcceptWord("as") || (Peek().kind == Token::Kind::kWord && !IsReserved(Peek().text)))
        Name();
    }
    select.where = ParseWhere();
    if (AcceptWords({"order", "by"})) {
      do {
        OrderItem item{ParseExpression(), false};
        if (AcceptWord("desc")) {
          item.descending = true;
        } else {
          AcceptWord("asc");
        }
        select.order.push_back(std::move(item));
      } while (AcceptSymbol(","));
    }
    ParseLimit(select);
    return select;
  }

  void ParseLimit(Select& select) {
    if (!AcceptWord("limit")) return;
    select.limit = Number();
    if (AcceptSymbol(",")) {
      select.offset = *select.limit;
      select.limit = Number();
    } else if (AcceptWord("offset")) {
      select.offset = Number();
    }
  }

  SelectItem ParseSelectItem() {
    SelectItem item;
    const size_t begin = Peek().begin;
    if (AcceptSymbol("*")) {
      item.expression = MakeExpression(Expression::Kind::kStar, "", {});
    } else {
      item.expression = ParseExpression();
    }
    item.text = std::string(sql_.substr(begin, tokens_[at_ == 0 ? 0 : at_ - 1].end - begin));
    if (AcceptWord("as")) {
      item.alias = NameOrString();
    } else if ((Peek().kind == Token::Kind::kWord && !IsReserved(Peek().text)) ||
               Peek().kind == Token::Kind::kQuotedName) {
      item.alias = Name();
    }
    return item;
  }

  ExpressionPtr ParseWhere() { return AcceptWord("where") ? ParseExpression() : nullptr; }

  std::vector<Assignment> ParseAssignments() {
    std::vector<Assignment> assignments;
    do {
      Assignment assignment;
      assignment.column = Name();
      if (AcceptSymbol(".")) assignment.column = Name();
      ExpectSymbol("=");
      assignment.value = ParseExpression();
      assignments.push_back(std::move(assignment));
    } while (AcceptSymbol(","));
    return assignments;
  }

  Insert ParseInsert(bool replace) {
    Insert insert;
    insert.replace = replace;
    insert.ignore = AcceptWord("ignore");
    AcceptWord("into");
    insert.table = ParseTableName();
    if (IsSymbol("(")) insert.columns = NameList();
    if (!AcceptWord("values")) ExpectWord("value");
    do {
      insert.rows.push_back(ParseRow());
    } while (AcceptSymbol(","));
    if (AcceptWords({"on", "duplicate", "key", "update"})) insert.on_duplicate = ParseAssignments();
    return insert;
  }

  std::vector<ExpressionPtr> ParseRow() {
    std::vector<ExpressionPtr> row;
    ExpectSymbol("(");
    if (AcceptSymbol(")")) return row;
    do {
      row.push_back(AcceptWord("default") ? nullptr : ParseExpression());
    } while (AcceptSymbol(","));
    ExpectSymbol(")");
    return row;
  }

  Update ParseUpdate() {
    Update update;
    update.table = ParseTableName();
    ExpectWord("set");
    update.assignments = ParseAssignments();
    update.where = ParseWhere();
    if (AcceptWord("limit")) update.limit = Number();
    return update;
  }

  Delete ParseDelete() {
    Delete deletion;
    ExpectWord("from");
    deletion.table = ParseTableName();
    deletion.where = ParseWhere();
    if (AcceptWord("limit")) deletion.limit = Number();
    return deletion;
  }

  Statement ParseShow() {
    Show show;
    while (Peek().kind == Token::Kind::kWord && !IsWord("like") && !IsWord("from") &&
           !IsWord("on") && !IsWord("in")) {
      CatTo(&show.what, show.what.empty() ? "" : " ", ToLower(Take()));
    }
    if (AcceptWord("from") || AcceptWord("in") || AcceptWord("on")) {
      const TableName name = ParseTableName();
      show.from = name.schema.empty() ? name.name : Cat(name.schema, ".", name.name);
    } else if (show.what == "create table" || Peek().kind == Token::Kind::kQuotedName) {
      show.from = Name();
    }
    if (AcceptWord("like")) show.like = StringLiteral();
    return show;
  }

  // --- data definition
  Statement ParseCreate() {
    if (AcceptWord("keyspace") || AcceptWord("database")) return ParseCreateKeyspace();
    if (AcceptWord("table")) return ParseCreateTable();
    if (AcceptWord("view")) return ParseCreateView();
    AlterTable alter;
    AlterAction action;
    action.kind = AlterAction::Kind::kAddIndex;
    action.index.kind =
        AcceptWord("unique") ? IndexSyntax::Kind::kUnique : IndexSyntax::Kind::kPlain;
    ExpectWord("index");
    action.index.name = Name();
    ExpectWord("on");
    alter.table = ParseTableName();
    action.index.columns = NameList();
    alter.actions.push_back(std::move(action));
    return alter;
  }

  CreateKeyspace ParseCreateKeyspace() {
    CreateKeyspace keyspace;
    keyspace.name = Name();
    if (AcceptWord("shards")) keyspace.shards = NameList();
    if (AcceptWord("tablets")) keyspace.tablets = NameList();
    keyspace.one_server = AcceptWords({"on", "one", "server"});
    return keyspace;
  }

  CreateView ParseCreateView() {
    CreateView view;
    view.view = ParseTableName();
    ExpectWord("as");
    const size_t begin = Peek().begin;
    size_t end = begin;
    while (Peek().kind != Token::Kind::kEnd && !IsSymbol(";")) {
      end = Peek().end;
      Advance();
    }
    view.definition = std::string(sql_.substr(begin, end - begin));
    return view;
  }

  CreateTable ParseCreateTable() {
    CreateTable create;
    create.if_not_exists = AcceptWords({"if", "not", "exists"});
    create.table = ParseTableName();
    if (AcceptWord("like")) {
      create.like = ParseTableName();
      return create;
    }
    ExpectSymbol("(");
    do {
      if (IsIndexStart()) {
        create.indexes.push_back(ParseIndex());
      } else {
        create.columns.push_back(ParseColumn());
      }
    } while (AcceptSymbol(","));
    ExpectSymbol(")");
    while (status_.ok() && Peek().kind != Token::Kind::kEnd && !IsSymbol(";"))
      ParseTableOption(create);
    return create;
  }

  void ParseTableOption(CreateTable& create) {
    AcceptSymbol(",");
    AcceptWord("default");
    std::string option = ToLower(Name());
    if (option == "character") {
      ExpectWord("set");
      option = "charset";
    }
    AcceptSymbol("=");
    if (option == "comment") {
      create.comment = StringLiteral();
      return;
    }
    const std::string value = Peek().kind == Token::Kind::kNumber ? Take() : NameOrString();
    if (option == "charset") create.charset = ToLower(value);
    if (option == "collate") create.collation = ToLower(value);
  }

  bool IsIndexStart() const {
    return IsWord("primary") || IsWord("unique") || IsWord("key") || IsWord("index") ||
           IsWord("constraint");
  }

  IndexSyntax ParseIndex() {
    IndexSyntax index;
    if (AcceptWord("constraint") && !IsIndexStart()) Name();
    if (AcceptWords({"primary", "key"})) {
      index.kind = IndexSyntax::Kind::kPrimary;
    } else {
      if (AcceptWord("unique")) index.kind = IndexSyntax::Kind::kUnique;
      if (!AcceptWord("key")) AcceptWord("index");
      if (!IsSymbol("(")) index.name = Name();
    }
    index.columns = NameList();
    return index;
  }

  ColumnSyntax ParseColumn() {
    ColumnSyntax column;
    column.name = Name();
    column.type = ToLower(Name());
    if (column.type == "double") AcceptWord("precision");
    if (AcceptSymbol("(")) {
      do {
        column.arguments.push_back(Take());
      } while (AcceptSymbol(","));
      ExpectSymbol(")");
    }
    while (status_.ok() && ParseColumnAttribute(column)) {
    }
    return column;
  }

  bool ParseColumnAttribute(ColumnSyntax& column) {
    if (AcceptWord("unsigned")) return column.is_unsigned = true;
    if (AcceptWord("signed")) return true;
    if (AcceptWord("zerofill")) return column.is_unsigned = column.zerofill = true;
    if (AcceptWords({"character", "set"}) || AcceptWord("charset")) {
      column.charset = ToLower(NameOrString());
      return true;
    }
    if (AcceptWord("collate")) {
      column.collation = ToLower(NameOrString());
      return true;
    }
    if (AcceptWords({"not", "null"})) return column.not_null = true;
    if (AcceptWord("null")) return column.null_allowed = true;
    if (AcceptWord("auto_increment")) return column.auto_increment = true;
    if (AcceptWord("invisible")) return column.invisible = true;
    if (AcceptWord("visible")) return true;
    return ParseColumnValueAttribute(column);
  }

  bool ParseColumnValueAttribute(ColumnSyntax& column) {
    if (AcceptWord("default")) {
      column.default_value = ParsePrimary();
      return true;
    }
    if (AcceptWords({"on", "update"})) {
      ParsePrimary();
      return column.on_update_now = true;
    }
    if (AcceptWord("comment")) {
      column.comment = StringLiteral();
      return true;
    }
    if (AcceptWords({"primary", "key"})) return column.primary_key = true;
    if (AcceptWord("unique")) {
      AcceptWord("key");
      return column.unique = true;
    }
    if (AcceptWords({"generated", "always"}) || IsWord("as")) {
      ExpectWord("as");
      const size_t begin = Peek().begin;
      column.generated = ParsePrimary();
      column.generated_text =
          std::string(sql_.substr(begin, tokens_[at_ == 0 ? 0 : at_ - 1].end - begin));
      column.stored = AcceptWord("stored");
      if (!column.stored) AcceptWord("virtual");
      return true;
    }
    return false;
  }

  Statement ParseAlter() {
    if (AcceptWords({"vschema", "on"})) return ParseAlterVschema();
    if (AcceptWords({"vschema", "add", "reference"})) {
      AlterVschema vschema;
      vschema.table = ParseTableName();
      vschema.reference = true;
      return vschema;
    }
    ExpectWord("table");
    AlterTable alter;
    alter.table = ParseTableName();
    do {
      alter.actions.push_back(ParseAlterAction());
    } while (AcceptSymbol(","));
    return alter;
  }

  AlterVschema ParseAlterVschema() {
    AlterVschema vschema;
    vschema.table = ParseTableName();
    ExpectWord("add");
    ExpectWord("vindex");
    vschema.name = ToLower(Name());
    vschema.type = vschema.name;
    vschema.columns = NameList();
    if (AcceptWord("using")) vschema.type = ToLower(Name());
    return vschema;
  }

  AlterAction ParseAlterAction() {
    if (AcceptWord("add")) return ParseAlterAdd();
    if (AcceptWord("drop")) return ParseAlterDrop();
    AlterAction action;
    if (AcceptWord("modify") || IsWord("change")) {
      action.kind = AlterAction::Kind::kModifyColumn;
      const bool change = AcceptWord("change");
      AcceptWord("column");
      if (change) action.old_name = Name();
      action.column = ParseColumn();
      if (!change) action.old_name = action.column.name;
      ParsePlace(action);
    } else if (AcceptWords({"rename", "column"})) {
      action.kind = AlterAction::Kind::kRenameColumn;
      action.old_name = Name();
      ExpectWord("to");
      action.new_name = Name();
    } else if (AcceptWord("rename")) {
      action.kind = AlterAction::Kind::kRenameTable;
      if (!AcceptWord("to")) AcceptWord("as");
      action.new_name = Name();
    } else {
      ExpectWord("comment");
      action.kind = AlterAction::Kind::kComment;
      AcceptSymbol("=");
      action.new_name = StringLiteral();
    }
    return action;
  }

  AlterAction ParseAlterAdd() {
    AlterAction action;
    if (IsIndexStart()) {
      action.kind = AlterAction::Kind::kAddIndex;
      action.index = ParseIndex();
      return action;
    }
    AcceptWord("column");
    action.kind = AlterAction::Kind::kAddColumn;
    action.column = ParseColumn();
    ParsePlace(action);
    return action;
  }

  AlterAction ParseAlterDrop() {
    AlterAction action;
    if (AcceptWords({"primary", "key"})) {
      action.kind = AlterAction::Kind::kDropPrimaryKey;
    } else if (AcceptWord("key") || AcceptWord("index")) {
      action.kind = AlterAction::Kind::kDropIndex;
      action.old_name = Name();
    } else {
      AcceptWord("column");
      action.kind = AlterAction::Kind::kDropColumn;
      action.old_name = Name();
    }
    return action;
  }

  void ParsePlace(AlterAction& action) {
    if (AcceptWord("first")) {
      action.first = true;
    } else if (AcceptWord("after")) {
      action.after = Name();
    }
  }

  Statement ParseDrop() {
    if (AcceptWord("index")) {
      AlterAction action;
      action.kind = AlterAction::Kind::kDropIndex;
      action.old_name = Name();
      ExpectWord("on");
      return AlterTable{ParseTableName(), {action}};
    }
    ExpectWord("table");
    DropTable drop;
    drop.if_exists = AcceptWords({"if", "exists"});
    do {
      drop.tables.push_back(ParseTableName());
    } while (AcceptSymbol(","));
    return drop;
  }

  RenameTable ParseRename() {
    RenameTable rename;
    do {
      TableName from = ParseTableName();
      ExpectWord("to");
      rename.pairs.emplace_back(std::move(from), ParseTableName());
    } while (AcceptSymbol(","));
    return rename;
  }

  // --- expressions, by falling precedence from the last function upwards
  ExpressionPtr ParseExpression() {
    ExpressionPtr left = ParseAnd();
    while (AcceptWord("or") || AcceptSymbol("||")) {
      left = MakeExpression(Expression::Kind::kBinary, "or", {left, ParseAnd()});
    }
    return left;
  }

  ExpressionPtr ParseAnd() {
    ExpressionPtr left = ParseNot();
    while (AcceptWord("and") || AcceptSymbol("&&")) {
      left = MakeExpression(Expression::Kind::kBinary, "and", {left, ParseNot()});
    }
    return left;
  }

  ExpressionPtr ParseNot() {
    if (AcceptWord("not")) return MakeExpression(Expression::Kind::kUnary, "not", {ParseNot()});
    return ParseComparison();
  }

  ExpressionPtr ParseComparison() {
    ExpressionPtr left = ParseSum();
    for (const std::string_view symbol : {"=", "<>", "!=", "<=", ">=", "<", ">"}) {
      if (AcceptSymbol(symbol)) {
        return MakeExpression(Expression::Kind::kBinary,
                              symbol == "!=" ? "<>" : std::string(symbol), {left, ParseSum()});
      }
    }
    if (AcceptWord("is")) {
      const bool negated = AcceptWord("not");
      ExpectWord("null");
      return MakeExpression(Expression::Kind::kIsNull, "", {left}, negated);
    }
    const bool negated = AcceptWord("not");
    if (AcceptWord("in")) return ParseIn(std::move(left), negated);
    if (AcceptWord("between")) {
      ExpressionPtr low = ParseSum();
      ExpectWord("and");
      return MakeExpression(Expression::Kind::kBetween, "", {left, low, ParseSum()}, negated);
    }
    if (AcceptWord("like"))
      return MakeExpression(Expression::Kind::kLike, "", {left, ParseSum()}, negated);
    if (negated) Fail();
    return left;
  }

  ExpressionPtr ParseIn(ExpressionPtr left, bool negated) {
    std::vector<ExpressionPtr> arguments = {std::move(left)};
    ExpectSymbol("(");
    do {
      arguments.push_back(ParseExpression());
    } while (AcceptSymbol(","));
    ExpectSymbol(")");
    return MakeExpression(Expression::Kind::kIn, "", std::move(arguments), negated);
  }

  ExpressionPtr ParseSum() {
    ExpressionPtr left = ParseProduct();
    while (IsSymbol("+") || IsSymbol("-")) {
      const std::string symbol = Take();
      left = MakeExpression(Expression::Kind::kBinary, symbol, {left, ParseProduct()});
    }
    return left;
  }

  ExpressionPtr ParseProduct() {
    ExpressionPtr left = ParsePrimary();
    while (IsSymbol("*") || IsSymbol("/") || IsSymbol("%")) {
      const std::string symbol = Take();
      left = MakeExpression(Expression::Kind::kBinary, symbol, {left, ParsePrimary()});
    }
    return left;
  }

  ExpressionPtr ParsePrimary() {
    switch (Peek().kind) {
      case Token::Kind::kNumber:
        return MakeLiteral(Literal::Kind::kNumber, Take());
      case Token::Kind::kString:
        return MakeLiteral(Literal::Kind::kString, Take());
      case Token::Kind::kBytes:
        return MakeLiteral(Literal::Kind::kBytes, Take());
      case Token::Kind::kVariable:
        return MakeExpression(Expression::Kind::kVariable, Take(), {});
      case Token::Kind::kBind:
        return ParseBind();
      case Token::Kind::kWord:
      case Token::Kind::kQuotedName:
        return ParseNamed();
      default:
        return ParseSymbol();
    }
  }

  ExpressionPtr ParseBind() {
    const auto bound = binds_.find(Peek().text);
    if (bound == binds_.end()) {
      Fail();
      return MakeLiteral(Literal::Kind::kNull, "");
    }
    Advance();
    return MakeLiteral(bound->second.kind, bound->second.text);
  }

  ExpressionPtr ParseSymbol() {
    if (AcceptSymbol("-")) {
      if (Peek().kind == Token::Kind::kNumber)
        return MakeLiteral(Literal::Kind::kNumber, "-" + Take());
      return MakeExpression(Expression::Kind::kUnary, "-", {ParsePrimary()});
    }
    if (AcceptSymbol("+")) return ParsePrimary();
    ExpectSymbol("(");
    std::vector<ExpressionPtr> items = {ParseExpression()};
    while (AcceptSymbol(",")) items.push_back(ParseExpression());
    ExpectSymbol(")");
    if (items.size() == 1) return items[0];
    return MakeExpression(Expression::Kind::kTuple, "", std::move(items));
  }

  ExpressionPtr ParseNamed() {
    const bool quoted = Peek().kind == Token::Kind::kQuotedName;
    if (!quoted && AcceptWord("null")) return MakeLiteral(Literal::Kind::kNull, "");
    if (!quoted && AcceptWord("true")) return MakeLiteral(Literal::Kind::kNumber, "1");
    if (!quoted && AcceptWord("false")) return MakeLiteral(Literal::Kind::kNumber, "0");
    if (!quoted && IsReserved(Peek().text) && !IsSymbol("(", 1)) Fail();
    std::string name = Name();
    if (!quoted && IsSymbol("(")) return ParseCall(ToLower(name));
    if (!quoted && EqualsIgnoreCase(name, "current_timestamp")) {
      return MakeExpression(Expression::Kind::kCall, "now", {});
    }
    while (AcceptSymbol("."))
      name = Name();  // a qualified column: its table is the only one there is
    return MakeExpression(Expression::Kind::kColumn, std::move(name), {});
  }

  ExpressionPtr ParseCall(std::string name) {
    if (name == "current_timestamp") name = "now";
    ExpectSymbol("(");
    std::vector<ExpressionPtr> arguments;
    if (!AcceptSymbol(")")) {
      do {
        if (AcceptSymbol("*")) {
          arguments.push_back(MakeExpression(Expression::Kind::kStar, "", {}));
        } else {
          arguments.push_back(ParseExpression());
        }
        if (AcceptWord("using")) Name();  // convert(x using charset)
      } while (AcceptSymbol(","));
      ExpectSymbol(")");
    }
    return MakeExpression(Expression::Kind::kCall, std::move(name), std::move(arguments));
  }

  std::string_view sql_;
  std::vector<Token> tokens_;
  const BindValues& binds_;
  size_t at_ = 0;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<Statement> Parse(std::string_view sql, const BindValues& binds) {
  absl::StatusOr<std::vector<Token>> tokens = Tokenize(sql);
  if (!tokens.ok()) return tokens.status();
  if (tokens->size() == 1) return absl::InvalidArgumentError("Query was empty");
  return Parser(sql, *std::move(tokens), binds).Run();
}

}  // namespace source_vitess::simulator
