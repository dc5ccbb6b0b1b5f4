#include "simulator/table.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "simulator/expression.h"
#include "simulator/regular_expression.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

absl::Status UnknownKeyColumn(std::string_view name) {
  return absl::FailedPreconditionError(
      Cat("Key column '", name, "' doesn't exist in table (errno 1072) (sqlstate 42000)"));
}

absl::Status AddIndex(TableSchema& schema, const IndexSyntax& syntax) {
  Index index;
  index.kind = syntax.kind;
  for (const std::string& name : syntax.columns) {
    const int column = FindColumn(schema.columns, name);
    if (column < 0) return UnknownKeyColumn(name);
    index.columns.push_back(static_cast<size_t>(column));
  }
  index.name = syntax.kind == IndexSyntax::Kind::kPrimary ? "PRIMARY" : syntax.name;
  if (index.name.empty()) index.name = syntax.columns[0];
  if (index.kind == IndexSyntax::Kind::kPrimary) {
    for (const size_t column : index.columns) schema.columns[column].nullable = false;
    schema.indexes.insert(schema.indexes.begin(), std::move(index));
  } else {
    schema.indexes.push_back(std::move(index));
  }
  return absl::OkStatus();
}

absl::Status AddColumnIndexes(TableSchema& schema, const ColumnSyntax& column) {
  if (column.primary_key) return AddIndex(schema, {IndexSyntax::Kind::kPrimary, "", {column.name}});
  if (column.unique)
    return AddIndex(schema, {IndexSyntax::Kind::kUnique, column.name, {column.name}});
  return absl::OkStatus();
}

absl::StatusOr<const Collation*> TableCollation(const CreateTable& create) {
  const Collation* collation = DefaultCollation("utf8mb4");
  if (!create.collation.empty()) {
    collation = FindCollation(create.collation);
  } else if (!create.charset.empty()) {
    collation = DefaultCollation(create.charset);
  }
  if (collation == nullptr) {
    return absl::InvalidArgumentError(
        Cat("Unknown character set or collation: '", create.charset, create.collation, "'"));
  }
  return collation;
}

// Puts the columns into the order that `order` tells (places in `columns`), and the indexes after
// them.
void Reorder(TableSchema& schema, const std::vector<size_t>& order) {
  std::vector<Column> columns;
  std::vector<size_t> place(schema.columns.size());
  for (size_t i = 0; i < order.size(); ++i) {
    columns.push_back(schema.columns[order[i]]);
    place[order[i]] = i;
  }
  schema.columns = std::move(columns);
  for (Index& index : schema.indexes) {
    for (size_t& column : index.columns) column = place[column];
  }
}

absl::StatusOr<size_t> Find(const TableSchema& schema, std::string_view name) {
  const int column = FindColumn(schema.columns, name);
  if (column < 0) {
    return absl::FailedPreconditionError(
        Cat("Unknown column '", name, "' in '", schema.name, "' (errno 1054) (sqlstate 42S22)"));
  }
  return static_cast<size_t>(column);
}

// Moves column `from` to where FIRST or AFTER says.
absl::Status Place(TableSchema& schema, size_t from, const AlterAction& action,
                   std::vector<int>& moved) {
  if (!action.first && action.after.empty()) return absl::OkStatus();
  size_t to = 0;
  if (!action.after.empty()) {
    const absl::StatusOr<size_t> after = Find(schema, action.after);
    if (!after.ok()) return after.status();
    to = *after < from ? *after + 1 : *after;
  }
  std::vector<size_t> order(schema.columns.size());
  std::iota(order.begin(), order.end(), 0);
  order.erase(order.begin() + static_cast<std::ptrdiff_t>(from));
  order.insert(order.begin() + static_cast<std::ptrdiff_t>(to), from);
  Reorder(schema, order);
  std::vector<int> old = moved;
  for (size_t i = 0; i < order.size(); ++i) moved[i] = old[order[i]];
  return absl::OkStatus();
}

absl::Status DropColumn(TableSchema& schema, const AlterAction& action, std::vector<int>& moved) {
  const absl::StatusOr<size_t> found = Find(schema, action.old_name);
  if (!found.ok()) return found.status();
  const size_t dropped = *found;
  schema.columns.erase(schema.columns.begin() + static_cast<std::ptrdiff_t>(dropped));
  moved.erase(moved.begin() + static_cast<std::ptrdiff_t>(dropped));
  for (Index& index : schema.indexes) {
    std::erase(index.columns, dropped);
    for (size_t& column : index.columns) column -= column > dropped ? 1 : 0;
  }
  std::erase_if(schema.indexes, [](const Index& index) { return index.columns.empty(); });
  return absl::OkStatus();
}

absl::Status ModifyColumn(TableSchema& schema, const AlterAction& action, std::vector<int>& moved) {
  const absl::StatusOr<size_t> found = Find(schema, action.old_name);
  if (!found.ok()) return found.status();
  absl::StatusOr<Column> column = MakeColumn(action.column, *schema.collation);
  if (!column.ok()) return column.status();
  if (schema.KeyFlags(*found).primary) column->nullable = false;
  schema.columns[*found] = *std::move(column);
  return Place(schema, *found, action, moved);
}

absl::Status DropIndex(TableSchema& schema, std::string_view name) {
  const size_t dropped = std::erase_if(
      schema.indexes, [&](const Index& index) { return EqualsIgnoreCase(index.name, name); });
  if (dropped > 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      Cat("Can't DROP '", name, "'; check that column/key exists (errno 1091) (sqlstate 42000)"));
}

absl::Status Apply(TableSchema& schema, const AlterAction& action, std::vector<int>& moved) {
  switch (action.kind) {
    case AlterAction::Kind::kAddColumn: {
      absl::StatusOr<Column> column = MakeColumn(action.column, *schema.collation);
      if (!column.ok()) return column.status();
      if (FindColumn(schema.columns, column->name) >= 0) {
        return absl::FailedPreconditionError(
            Cat("Duplicate column name '", column->name, "' (errno 1060) (sqlstate 42S21)"));
      }
      schema.columns.push_back(*std::move(column));
      moved.push_back(-1);
      if (absl::Status status = AddColumnIndexes(schema, action.column); !status.ok())
        return status;
      return Place(schema, schema.columns.size() - 1, action, moved);
    }
    case AlterAction::Kind::kDropColumn:
      return DropColumn(schema, action, moved);
    case AlterAction::Kind::kModifyColumn:
      return ModifyColumn(schema, action, moved);
    case AlterAction::Kind::kRenameColumn: {
      const absl::StatusOr<size_t> found = Find(schema, action.old_name);
      if (!found.ok()) return found.status();
      schema.columns[*found].name = action.new_name;
      return absl::OkStatus();
    }
    case AlterAction::Kind::kAddIndex:
      return AddIndex(schema, action.index);
    case AlterAction::Kind::kDropIndex:
      return DropIndex(schema, action.old_name);
    case AlterAction::Kind::kDropPrimaryKey:
      return DropIndex(schema, "PRIMARY");
    case AlterAction::Kind::kComment:
      schema.comment = action.new_name;
      return absl::OkStatus();
    case AlterAction::Kind::kRenameTable:
      break;
  }
  return absl::InternalError("not a change of the definition");
}

}  // namespace

const Index* TableSchema::PrimaryKey() const {
  return !indexes.empty() && indexes[0].kind == IndexSyntax::Kind::kPrimary ? indexes.data()
                                                                            : nullptr;
}

std::vector<size_t> TableSchema::CopyKey() const {
  if (const Index* primary = PrimaryKey(); primary != nullptr) return primary->columns;
  const Index* best = nullptr;
  for (const Index& index : indexes) {
    const bool usable = index.kind == IndexSyntax::Kind::kUnique &&
                        std::none_of(index.columns.begin(), index.columns.end(),
                                     [&](size_t i) { return columns[i].nullable; });
    if (usable && (best == nullptr || index.columns.size() < best->columns.size())) best = &index;
  }
  if (best != nullptr) return best->columns;
  std::vector<size_t> all(columns.size());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

ColumnKeyFlags TableSchema::KeyFlags(size_t column) const {
  ColumnKeyFlags flags;
  for (const Index& index : indexes) {
    if (std::find(index.columns.begin(), index.columns.end(), column) == index.columns.end())
      continue;
    flags.part = true;
    const bool first = index.columns[0] == column;
    switch (index.kind) {
      case IndexSyntax::Kind::kPrimary:
        flags.primary = true;
        break;
      case IndexSyntax::Kind::kUnique:
        if (first && index.columns.size() == 1) flags.unique = true;
        if (first && index.columns.size() > 1) flags.multiple = true;
        break;
      case IndexSyntax::Kind::kPlain:
        if (first) flags.multiple = true;
        break;
    }
  }
  return flags;
}

bool TableSchema::HasEnumOrSet() const {
  return std::any_of(columns.begin(), columns.end(), [](const Column& column) {
    return column.type == query::ENUM || column.type == query::SET;
  });
}

query::Field TableSchema::FieldOf(size_t column, std::string_view database) const {
  return MakeField(columns[column], name, database, KeyFlags(column));
}

bool IsInternalTable(std::string_view name) {
  if (!name.starts_with('_')) return false;
  return FindsRegularExpression(
      "/^(_vt_[a-z0-9A-Z]{3}_[0-9a-f]{32}_[0-9]{14}_"
      "|_vt_(HOLD|PURGE|EVAC|DROP)_[0-9a-f]{32}_[0-9]{14}"
      "|_[0-9a-f]{8}_[0-9a-f]{4}_[0-9a-f]{4}_[0-9a-f]{4}_[0-9a-f]{12}_[0-9]{14}_"
      "(gho|ghc|del|new|vrepl)"
      "|_.*_old)$/",
      name);
}

absl::StatusOr<TableSchema> MakeTableSchema(const CreateTable& create) {
  const absl::StatusOr<const Collation*> collation = TableCollation(create);
  if (!collation.ok()) return collation.status();
  TableSchema schema;
  schema.name = create.table.name;
  schema.collation = *collation;
  schema.comment = create.comment;
  for (const ColumnSyntax& syntax : create.columns) {
    absl::StatusOr<Column> column = MakeColumn(syntax, **collation);
    if (!column.ok()) return column.status();
    schema.columns.push_back(*std::move(column));
  }
  for (const ColumnSyntax& syntax : create.columns) {
    if (absl::Status status = AddColumnIndexes(schema, syntax); !status.ok()) return status;
  }
  for (const IndexSyntax& index : create.indexes) {
    if (absl::Status status = AddIndex(schema, index); !status.ok()) return status;
  }
  return schema;
}

absl::StatusOr<TableSchema> AlterSchema(const TableSchema& schema, const AlterAction& action,
                                        std::vector<int>& moved) {
  TableSchema altered = schema;
  moved.resize(schema.columns.size());
  std::iota(moved.begin(), moved.end(), 0);
  if (absl::Status status = Apply(altered, action, moved); !status.ok()) return status;
  return altered;
}

std::string PrimaryKeyOf(const TableSchema& schema, const Row& row) {
  std::string key;
  const Index* primary = schema.PrimaryKey();
  if (primary == nullptr) return key;
  for (const size_t column : primary->columns) key += SortKey(schema.columns[column], row[column]);
  return key;
}

Rows::iterator FindRow(Table& table, const Row& row) {
  if (const std::string key = PrimaryKeyOf(*table.schema, row); !key.empty())
    return table.rows.find(key);
  return std::find_if(table.rows.begin(), table.rows.end(),
                      [&](const auto& entry) { return *entry.second == row; });
}

void PutRow(Table& table, const RowPointer& row) {
  std::string key = PrimaryKeyOf(*table.schema, *row);
  if (key.empty()) key = RowNumberKey(table.next_row_number++);
  table.rows[key] = row;
}

std::string RowNumberKey(uint64_t number) {
  std::string key(8, '\0');
  for (size_t i = 0; i < 8; ++i) key[i] = static_cast<char>(number >> (56 - 8 * i));
  return key;
}

}  // namespace source_vitess::simulator
