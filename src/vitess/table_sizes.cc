#include "vitess/table_sizes.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "text/absl_view.h"
#include "vitess/result_rows.h"
#include "vitess/topology.h"

namespace source_vitess::vitess {

using text::AbslView;

absl::StatusOr<std::map<std::string, TableSize>> ReadTableSizes(VtgateClient& client,
                                                                std::string_view keyspace,
                                                                std::string_view shard,
                                                                topodata::TabletType type,
                                                                absl::Duration timeout) {
  const auto result = client.Execute(
      absl::StrCat(AbslView(keyspace), ":", AbslView(shard), "@", AbslView(TabletTypeName(type))),
      "select table_name, table_rows, data_length from information_schema.tables "
      "where table_schema = database() and table_rows is not null",
      timeout);
  if (!result.ok()) return result.status();
  const auto rows = ResultRows::Read(*result);
  if (!rows.ok()) return rows.status();
  if (rows->columns() != 3) return absl::InternalError("the answer has not three columns");
  std::map<std::string, TableSize> sizes;
  for (size_t row = 0; row < rows->size(); ++row) {
    TableSize size;
    if (!absl::SimpleAtoi(AbslView(rows->Cell(row, 1)), &size.rows)) continue;
    if (!absl::SimpleAtoi(AbslView(rows->Cell(row, 2)), &size.bytes)) size.bytes = 0;
    sizes.emplace(rows->Cell(row, 0), size);
  }
  return sizes;
}

}  // namespace source_vitess::vitess
