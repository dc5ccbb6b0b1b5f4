#include "recordings/replay_answers.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace source_vitess::recordings {
namespace {

// The keyspaces that recordings speak of (README.md). That of the Execute recordings is kCustomer.
constexpr char kCustomer[] = "customer";
constexpr char kShop[] = "shop";

using Cells = std::vector<std::optional<std::string>>;

void AddRow(query::QueryResult& result, const Cells& cells) {
  query::Row& row = *result.add_rows();
  for (const std::optional<std::string>& cell : cells) {
    row.add_lengths(cell.has_value() ? static_cast<int64_t>(cell->size()) : -1);
    if (cell.has_value()) row.mutable_values()->append(*cell);
  }
}

Cells CellsOf(const query::Row& row) {
  Cells cells;
  size_t offset = 0;
  for (const int64_t length : row.lengths()) {
    if (length < 0) {
      cells.push_back(std::nullopt);
      continue;
    }
    cells.push_back(row.values().substr(offset, static_cast<size_t>(length)));
    offset += static_cast<size_t>(length);
  }
  return cells;
}

// A result with the fields of `recorded` and no rows.
query::QueryResult FieldsOf(const query::QueryResult& recorded) {
  query::QueryResult result;
  *result.mutable_fields() = recorded.fields();
  return result;
}

// The response as VTGate makes it to the request.
vtgate::ExecuteResponse ResponseTo(const vtgate::ExecuteRequest& request) {
  vtgate::ExecuteResponse response;
  *response.mutable_session() = request.session();
  response.mutable_session()->set_row_count(-1);
  return response;
}

vtgate::ExecuteResponse ResponseTo(const vtgate::ExecuteRequest& request,
                                   query::QueryResult result) {
  vtgate::ExecuteResponse response = ResponseTo(request);
  response.mutable_session()->set_found_rows(static_cast<uint64_t>(result.rows_size()));
  *response.mutable_result() = std::move(result);
  return response;
}

// The parts of a target "keyspace:shard@type"; without a type it is that of the primary.
struct Target {
  std::string keyspace;
  std::string shard;
  std::string type = "primary";
};

Target ParseTarget(const std::string& text) {
  Target target;
  const std::vector<std::string> place_and_type = absl::StrSplit(text, absl::MaxSplits('@', 1));
  const std::vector<std::string> place = absl::StrSplit(place_and_type[0], absl::MaxSplits(':', 1));
  target.keyspace = place[0];
  if (place.size() > 1) target.shard = place[1];
  if (place_and_type.size() > 1) target.type = absl::AsciiStrToLower(place_and_type[1]);
  return target;
}

std::string ShardKey(const std::string& keyspace, const std::string& shard) {
  return absl::StrCat(keyspace, ":", shard);
}

}  // namespace

absl::StatusOr<ReplayAnswers> ReplayAnswers::Make(
    const std::vector<std::shared_ptr<const Recording>>& recordings,
    std::map<std::string, ReplayPosition> positions) {
  ReplayAnswers answers;
  for (const char* name :
       {"keyspaces", "shards", "tablets", "tables", "columns", "indexes", "positions"}) {
    absl::StatusOr<ExecuteRecording> recording = ExecuteRecording::Load(name);
    if (!recording.ok()) return recording.status();
    answers.recorded_[name] = recording->response.result();
  }
  absl::StatusOr<ExecuteRecording> no_such_shard = ExecuteRecording::Load("error-no-such-shard");
  if (!no_such_shard.ok()) return no_such_shard.status();
  answers.no_such_shard_ = no_such_shard->response;

  for (const auto& recording : recordings) answers.AddRecording(*recording);
  for (auto& [shard, position] : positions) answers.positions_[shard] = std::move(position);
  return answers;
}

void ReplayAnswers::AddRecording(const Recording& recording) {
  const auto add_shard = [&](const binlogdata::ShardGtid& gtid) {
    if (gtid.shard().empty() || HasShard(gtid.keyspace(), gtid.shard())) return false;
    shards_.push_back({gtid.keyspace(), gtid.shard()});
    return true;
  };
  bool named = false;
  for (const auto& gtid : recording.request.vgtid().shard_gtids()) named |= add_shard(gtid);
  for (const vtgate::VStreamResponse& response : recording.responses) {
    for (const binlogdata::VEvent& event : response.events()) {
      if (named || event.type() != binlogdata::VGTID) continue;
      for (const auto& gtid : event.vgtid().shard_gtids()) named |= add_shard(gtid);
    }
  }
  for (const ShardPosition& position : LastPositions(recording)) {
    std::string& executed = positions_[ShardKey(position.keyspace, position.shard)].executed;
    const std::string set(absl::StripPrefix(position.position, "MySQL56/"));
    // A set in which a server comes twice is the union of both, to MySQL and to its clients.
    if (!absl::StrContains(executed, set)) {
      executed = executed.empty() ? set : absl::StrCat(executed, ",\n", set);
    }
  }
}

bool ReplayAnswers::HasKeyspace(const std::string& keyspace) const {
  return std::any_of(shards_.begin(), shards_.end(),
                     [&](const Shard& shard) { return shard.keyspace == keyspace; });
}

bool ReplayAnswers::HasShard(const std::string& keyspace, const std::string& shard) const {
  return std::find(shards_.begin(), shards_.end(), Shard{keyspace, shard}) != shards_.end();
}

std::string ReplayAnswers::Answer(const vtgate::ExecuteRequest& request) const {
  const std::string sql =
      absl::AsciiStrToLower(std::string(absl::StripAsciiWhitespace(request.query().sql())));
  const std::string keyspace = ParseTarget(request.session().target_string()).keyspace;
  vtgate::ExecuteResponse response;
  if (sql == "show keyspaces") {
    response = ResponseTo(request, Keyspaces());
  } else if (absl::StartsWith(sql, "show vitess_shards")) {
    response = ResponseTo(request, Shards());
  } else if (absl::StartsWith(sql, "show vitess_tablets")) {
    response = ResponseTo(request, Tablets());
  } else if (absl::StrContains(sql, "sequence") && !absl::StrContains(sql, "seq_in_index")) {
    response = ResponseTo(request, FieldsOf(recorded_.at("tables")));
  } else if (absl::StrContains(sql, "information_schema.tables")) {
    response = ResponseTo(request, Tables(keyspace));
  } else if (absl::StrContains(sql, "information_schema.columns")) {
    response = ResponseTo(request, Columns(keyspace));
  } else if (absl::StrContains(sql, "information_schema.statistics")) {
    response = ResponseTo(request, Indexes(keyspace));
  } else if (absl::StrContains(sql, "gtid_executed")) {
    response = Positions(request);
  } else if (absl::StartsWith(sql, "show vschema vindexes")) {
    // Not recorded. Without vindexes beside its key, a row stays in its shard.
    query::QueryResult vindexes;
    vindexes.add_fields()->set_name("Columns");
    response = ResponseTo(request, std::move(vindexes));
  } else {
    response = ResponseTo(request);
    response.mutable_error()->set_code(vtrpc::UNIMPLEMENTED);
    response.mutable_error()->set_message(
        absl::StrCat("no recording answers: ", request.query().sql()));
  }
  return response.SerializeAsString();
}

query::QueryResult ReplayAnswers::Keyspaces() const {
  const query::QueryResult& recorded = recorded_.at("keyspaces");
  query::QueryResult result = FieldsOf(recorded);
  for (const query::Row& row : recorded.rows()) {
    if (row.values() != kCustomer || HasKeyspace(kCustomer)) *result.add_rows() = row;
  }
  if (HasKeyspace(kShop)) AddRow(result, {kShop});
  return result;
}

query::QueryResult ReplayAnswers::Shards() const {
  const query::QueryResult& recorded = recorded_.at("shards");
  query::QueryResult result = FieldsOf(recorded);
  for (const query::Row& row : recorded.rows()) {
    const std::vector<std::string> name = absl::StrSplit(row.values(), '/');
    if (name[0] != kCustomer || HasShard(name[0], name[1])) *result.add_rows() = row;
  }
  for (const Shard& shard : shards_) {
    if (shard.keyspace == kShop) AddRow(result, {absl::StrCat(kShop, "/", shard.shard)});
  }
  return result;
}

query::QueryResult ReplayAnswers::Tablets() const {
  const query::QueryResult& recorded = recorded_.at("tablets");
  query::QueryResult result = FieldsOf(recorded);
  for (const query::Row& row : recorded.rows()) {
    const Cells cells = CellsOf(row);
    if (cells[1] != kCustomer || HasShard(*cells[1], *cells[2])) *result.add_rows() = row;
  }
  int uid = 100;
  for (const Shard& shard : shards_) {
    if (shard.keyspace != kShop) continue;
    for (const char* type : {"PRIMARY", "REPLICA"}) {
      const bool primary = absl::string_view(type) == "PRIMARY";
      AddRow(result, {"zone1", kShop, shard.shard, type, "SERVING",
                      absl::StrCat("zone1-0000000", uid + (primary ? 0 : 1)), "",
                      primary ? "2026-11-22T15:58:13Z" : ""});
    }
    uid += 100;
  }
  return result;
}

query::QueryResult ReplayAnswers::Tables(const std::string& keyspace) const {
  if (keyspace != kShop) return recorded_.at("tables");
  query::QueryResult result = FieldsOf(recorded_.at("tables"));
  AddRow(result, {"vt_shop", "customers", "BASE TABLE", "10", "InnoDB"});
  AddRow(result, {"vt_shop", "orders", "BASE TABLE", "1000", "InnoDB"});
  return result;
}

query::QueryResult ReplayAnswers::Columns(const std::string& keyspace) const {
  if (keyspace != kShop) return recorded_.at("columns");
  query::QueryResult result = FieldsOf(recorded_.at("columns"));
  const auto number = [&](const char* table, const char* column, const char* place) {
    AddRow(result,
           {table, column, place, "bigint", "bigint", std::nullopt, std::nullopt, "NO", "PRI", ""});
  };
  const auto text = [&](const char* table, const char* column, const char* place,
                        const char* type) {
    AddRow(result,
           {table, column, place, type, "varchar", "utf8mb4", "utf8mb4_0900_ai_ci", "YES", "", ""});
  };
  number("customers", "id", "1");
  text("customers", "email", "2", "varchar(64)");
  number("orders", "id", "1");
  number("orders", "customer_id", "2");
  text("orders", "sku", "3", "varchar(32)");
  return result;
}

query::QueryResult ReplayAnswers::Indexes(const std::string& keyspace) const {
  if (keyspace != kShop) return recorded_.at("indexes");
  query::QueryResult result = FieldsOf(recorded_.at("indexes"));
  AddRow(result, {"customers", "PRIMARY", "id", "1", "0", ""});
  AddRow(result, {"orders", "PRIMARY", "customer_id", "1", "0", ""});
  AddRow(result, {"orders", "PRIMARY", "id", "2", "0", ""});
  return result;
}

bool ReplayAnswers::HasTablet(const std::string& keyspace, const std::string& shard,
                              const std::string& type) const {
  const query::QueryResult tablets = Tablets();
  for (const query::Row& row : tablets.rows()) {
    const Cells cells = CellsOf(row);
    if (cells[1] == keyspace && cells[2] == shard && absl::AsciiStrToLower(*cells[3]) == type) {
      return true;
    }
  }
  return false;
}

vtgate::ExecuteResponse ReplayAnswers::Positions(const vtgate::ExecuteRequest& request) const {
  const Target target = ParseTarget(request.session().target_string());
  const auto position = positions_.find(ShardKey(target.keyspace, target.shard));
  if (position == positions_.end() || !HasTablet(target.keyspace, target.shard, target.type)) {
    vtgate::ExecuteResponse response = ResponseTo(request);
    *response.mutable_error() = no_such_shard_.error();
    return response;
  }
  const query::QueryResult& recorded = recorded_.at("positions");
  Cells cells = CellsOf(recorded.rows(0));
  cells[0] = position->second.executed;
  cells[1] = position->second.purged;
  query::QueryResult result = FieldsOf(recorded);
  AddRow(result, cells);
  return ResponseTo(request, std::move(result));
}

}  // namespace source_vitess::recordings
