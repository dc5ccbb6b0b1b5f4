#include "vitess/caveats.h"

#include <rapidjson/document.h>
#include <rapidjson/pointer.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "text/absl_view.h"
#include "vitess/errors.h"
#include "vitess/result_rows.h"
#include "vitess/topology.h"

namespace source_vitess::vitess {
namespace {

using text::AbslView;

constexpr absl::Duration kTimeout = absl::Seconds(30);

// Asks the tablet itself: VTGate passes such a query on as it is.
absl::StatusOr<query::QueryResult> Ask(VtgateClient& client, const ShardTablet& tablet,
                                       std::string_view query) {
  return client.Execute(absl::StrCat(AbslView(tablet.keyspace), ":", AbslView(tablet.shard), "@",
                                     AbslView(TabletTypeName(tablet.type))),
                        query, kTimeout);
}

// The one number that the query gives.
absl::StatusOr<int64_t> AskNumber(VtgateClient& client, const ShardTablet& tablet,
                                  std::string_view query) {
  const auto result = Ask(client, tablet, query);
  if (!result.ok()) return result.status();
  const auto rows = ResultRows::Read(*result);
  if (!rows.ok()) return rows.status();
  int64_t number = 0;
  if (rows->size() != 1 || rows->columns() != 1 ||
      !absl::SimpleAtoi(AbslView(rows->Cell(0, 0)), &number)) {
    return absl::InternalError(absl::StrCat("\"", AbslView(query), "\" gave no number"));
  }
  return number;
}

std::string Quoted(std::string_view identifier) {
  return absl::StrCat("`", absl::StrReplaceAll(AbslView(identifier), {{"`", "``"}}), "`");
}

}  // namespace

absl::StatusOr<absl::Duration> ReadLogRetention(VtgateClient& client, const ShardTablet& tablet) {
  auto number = AskNumber(client, tablet, "select @@global.binlog_expire_logs_seconds");
  absl::Duration unit = absl::Seconds(1);
  if (!number.ok() && IsUnknownVariable(number.status())) {
    number = AskNumber(client, tablet, "select @@global.expire_logs_days");
    unit = absl::Hours(24);
  }
  if (!number.ok()) return number.status();
  return *number == 0 ? absl::InfiniteDuration() : *number * unit;
}

absl::StatusOr<std::vector<std::string>> ListCascadedTables(VtgateClient& client,
                                                            const ShardTablet& tablet) {
  const auto result =
      Ask(client, tablet,
          "select distinct table_name as table_name from "
          "information_schema.referential_constraints where constraint_schema = database() and "
          "(delete_rule in ('CASCADE', 'SET NULL') or update_rule in ('CASCADE', 'SET NULL')) "
          "order by table_name");
  if (!result.ok()) return result.status();
  const auto rows = ResultRows::Read(*result);
  if (!rows.ok()) return rows.status();
  if (rows->columns() != 1) return absl::InternalError("the answer has not one column");
  std::vector<std::string> tables;
  for (size_t row = 0; row < rows->size(); ++row) tables.emplace_back(rows->Cell(row, 0));
  return tables;
}

absl::StatusOr<bool> ManagesForeignKeys(VtgateClient& client, std::string_view keyspace) {
  const auto result = client.Execute("", "show vschema keyspaces", kTimeout);
  if (!result.ok()) return result.status();
  const auto rows = ResultRows::Read(*result);
  if (!rows.ok()) return rows.status();
  const auto name = rows->FindColumn("Keyspace");
  const auto mode = rows->FindColumn("Foreign Key");
  if (!name.has_value() || !mode.has_value()) return false;
  for (size_t row = 0; row < rows->size(); ++row) {
    if (rows->Cell(row, *name) == keyspace) {
      return absl::EqualsIgnoreCase(AbslView(rows->Cell(row, *mode)), "managed");
    }
  }
  return false;
}

absl::StatusOr<std::string> ReadServingKeyspace(VtgateClient& client, std::string_view keyspace,
                                                std::string_view table) {
  const auto result = client.Execute(
      keyspace, absl::StrCat("vexplain plan select * from ", Quoted(keyspace), ".", Quoted(table)),
      kTimeout);
  if (!result.ok()) return result.status();
  const auto rows = ResultRows::Read(*result);
  if (!rows.ok()) return rows.status();
  if (rows->size() == 0 || rows->columns() == 0) return absl::InternalError("there is no plan");
  const std::string_view text = rows->Cell(0, 0);
  rapidjson::Document plan;
  plan.Parse(text.data(), text.size());
  // Engine.Route: "Keyspace": {"Name": "commerce", "Sharded": false}.
  const rapidjson::Value* name = rapidjson::Pointer("/Keyspace/Name").Get(plan);
  if (plan.HasParseError() || name == nullptr || !name->IsString()) {
    return absl::InternalError("the plan names no keyspace");
  }
  return std::string(name->GetString(), name->GetStringLength());
}

}  // namespace source_vitess::vitess
