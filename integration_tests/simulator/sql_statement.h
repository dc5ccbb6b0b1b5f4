// What sql_parser.h makes of a statement. Names are as written; keywords have been resolved.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_SQL_STATEMENT_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_SQL_STATEMENT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace source_vitess::simulator {

struct Literal {
  enum class Kind { kNull, kNumber, kString, kBytes };
  Kind kind = Kind::kNull;
  std::string text;  // a number as written; a string in UTF-8; bytes as they are
};

struct Expression;
using ExpressionPtr = std::shared_ptr<const Expression>;

struct Expression {
  enum class Kind {
    kLiteral,
    kColumn,    // name
    kVariable,  // name: @@..., as written
    kStar,      // count(*)'s argument, or a whole select list
    kTuple,     // arguments
    kUnary,     // name: "-" or "not"
    kBinary,    // name: an operator, or "and", "or"
    kCall,      // name: the function, in lower case
    kIn,        // arguments[0] in the others
    kBetween,   // arguments[0] between [1] and [2]
    kIsNull,    // arguments[0]
    kLike,      // arguments[0] like [1]
  };
  Kind kind = Kind::kLiteral;
  Literal literal;
  std::string name;
  bool negated = false;  // of kIn, kBetween, kIsNull, kLike
  std::vector<ExpressionPtr> arguments;
};

struct TableName {
  std::string schema;  // empty: the session's
  std::string name;
};

struct SelectItem {
  ExpressionPtr expression;
  std::string alias;  // empty: none
  std::string text;   // as written; the field's name where there is no alias
};

struct OrderItem {
  ExpressionPtr expression;
  bool descending = false;
};

struct Select {
  std::vector<SelectItem> items;
  std::optional<TableName> table;
  ExpressionPtr where;  // may be null
  std::vector<OrderItem> order;
  std::optional<uint64_t> limit;
  uint64_t offset = 0;
};

struct Assignment {
  std::string column;
  ExpressionPtr value;
};

struct Insert {
  TableName table;
  std::vector<std::string> columns;              // empty: all
  std::vector<std::vector<ExpressionPtr>> rows;  // a null pointer is DEFAULT
  bool replace = false;
  bool ignore = false;
  std::vector<Assignment> on_duplicate;
};

struct Update {
  TableName table;
  std::vector<Assignment> assignments;
  ExpressionPtr where;
  std::optional<uint64_t> limit;
};

struct Delete {
  TableName table;
  ExpressionPtr where;
  std::optional<uint64_t> limit;
};

// A column as CREATE and ALTER TABLE write it.
struct ColumnSyntax {
  std::string name;
  std::string type;                    // lower case: "varchar", "double"
  std::vector<std::string> arguments;  // lengths, or the labels of an ENUM or SET
  bool is_unsigned = false;
  bool zerofill = false;
  std::string charset;    // empty: the table's
  std::string collation;  // empty: the character set's own
  bool not_null = false;
  bool null_allowed = false;    // NULL was written
  ExpressionPtr default_value;  // null: none was written
  bool on_update_now = false;
  bool auto_increment = false;
  ExpressionPtr generated;  // null: an ordinary column
  std::string generated_text;
  bool stored = false;
  bool invisible = false;
  bool primary_key = false;
  bool unique = false;
  std::string comment;
};

struct IndexSyntax {
  enum class Kind { kPrimary, kUnique, kPlain };
  Kind kind = Kind::kPlain;
  std::string name;  // empty: MySQL chooses
  std::vector<std::string> columns;
};

struct CreateTable {
  TableName table;
  bool if_not_exists = false;
  std::optional<TableName> like;  // in place of everything below
  std::vector<ColumnSyntax> columns;
  std::vector<IndexSyntax> indexes;
  std::string charset;
  std::string collation;
  std::string comment;
};

struct CreateView {
  TableName view;
  std::string definition;
};

struct AlterAction {
  enum class Kind {
    kAddColumn,
    kDropColumn,
    kModifyColumn,  // also CHANGE, with old_name
    kRenameColumn,
    kAddIndex,
    kDropIndex,
    kDropPrimaryKey,
    kRenameTable,
    kComment,
  };
  Kind kind = Kind::kAddColumn;
  ColumnSyntax column;
  std::string old_name;  // column, index
  std::string new_name;  // column, table; text of a comment
  bool first = false;
  std::string after;
  IndexSyntax index;
};

struct AlterTable {
  TableName table;
  std::vector<AlterAction> actions;
};

struct DropTable {
  std::vector<TableName> tables;
  bool if_exists = false;
};

struct RenameTable {
  std::vector<std::pair<TableName, TableName>> pairs;
};

struct TruncateTable {
  TableName table;
};

// BEGIN, COMMIT, ROLLBACK, and statements that change nothing here (SET, SAVEPOINT, ANALYZE TABLE).
struct Control {
  enum class Kind { kBegin, kCommit, kRollback, kNothing };
  Kind kind = Kind::kNothing;
};

// A statement of which only the binary log knows: triggers, users, routines and events, which
// Vitess cannot parse and tells every stream of; GRANT, REVOKE, ANALYZE, OPTIMIZE and REPAIR, which
// it tells none of (reference 6).
struct LoggedOnly {
  bool told = false;
};

struct Use {
  std::string target;
};

struct Show {
  std::string
      what;  // lower case, words with one blank between: "vitess_shards", "global gtid_executed"
  std::string like;  // empty: none
  std::string from;  // a keyspace or a table
};

// alter vschema on ks.t add vindex name(columns) [using type]; and, the simulator's own,
// alter vschema add reference ks.t
struct AlterVschema {
  TableName table;
  bool reference = false;
  std::string name;
  std::string type;
  std::vector<std::string> columns;
};

// create keyspace name [shards ('-80', '80-')] [tablets (primary, rdonly)] [on one server]: the
// simulator's own.
struct CreateKeyspace {
  std::string name;
  std::vector<std::string> shards;   // empty: one, "0"
  std::vector<std::string> tablets;  // empty: a primary and a replica
  bool one_server = false;
};

// vexplain plan select ...
struct VexplainPlan {
  Select select;
};

using Statement = std::variant<Select, Insert, Update, Delete, CreateTable, CreateView, AlterTable,
                               DropTable, RenameTable, TruncateTable, LoggedOnly, Control, Use,
                               Show, AlterVschema, CreateKeyspace, VexplainPlan>;

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_SQL_STATEMENT_H_
