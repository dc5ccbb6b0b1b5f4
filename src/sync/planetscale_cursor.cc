#include "sync/planetscale_cursor.h"

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "planetscale/psdbconnect.pb.h"
#include "text/absl_view.h"
#include "vitess/gtid_set.h"

namespace source_vitess::sync {
namespace {

using psdbconnect::v1alpha1::TableCursor;
using rapidjson::Value;
using text::AbslView;

constexpr std::string_view kBinlogExpired = "BINLOG_EXPIRATION_ERROR";

std::string_view View(const Value& text) { return {text.GetString(), text.GetStringLength()}; }

// The member, or null when it is absent or an explicit null.
const Value* Find(const Value& object, const char* member) {
  const auto it = object.FindMember(member);
  return it == object.MemberEnd() || it->value.IsNull() ? nullptr : &it->value;
}

absl::Status Unusable(std::string_view reason) {
  return absl::InvalidArgumentError(AbslView(reason));
}

absl::StatusOr<TableCursor> DecodeCursor(const Value* text) {
  TableCursor cursor;
  if (text == nullptr) return cursor;
  std::string bytes;
  if (!text->IsString() || !absl::Base64Unescape(AbslView(View(*text)), &bytes) ||
      !cursor.ParseFromString(bytes)) {
    return Unusable("its cursor cannot be read");
  }
  return cursor;
}

// Whether the key is one row whose columns are known.
absl::Status CheckKey(const query::QueryResult& key) {
  if (key.fields().empty()) return Unusable("its copy's last key has no columns");
  if (key.rows_size() != 1 || key.rows(0).lengths_size() != key.fields_size()) {
    return Unusable("its copy's last key is not one row of its columns");
  }
  auto left = static_cast<int64_t>(key.rows(0).values().size());
  for (const int64_t length : key.rows(0).lengths()) {
    if (length > left) return Unusable("its copy's last key is shorter than it says");
    if (length > 0) left -= length;
  }
  return absl::OkStatus();
}

// Reads one shard's entry into `shard`, whose names are set.
absl::Status TakeOverShard(const Value& entry, const std::string& table,
                           binlogdata::ShardGtid& shard) {
  if (!entry.IsObject()) return Unusable("its entry is no object");
  auto cursor = DecodeCursor(Find(entry, "cursor"));
  if (!cursor.ok()) return cursor.status();
  const bool says_nothing = cursor->ByteSizeLong() == 0;
  if (!says_nothing &&
      (cursor->keyspace() != shard.keyspace() || cursor->shard() != shard.shard())) {
    return Unusable("its cursor is of another shard");
  }
  if (cursor->position().empty()) {
    if (cursor->has_last_known_pk()) return Unusable("its copy's last key has no position");
    const Value* const error = Find(entry, "error_code");
    if (error != nullptr && error->IsString() && View(*error) == kBinlogExpired) {
      return Unusable("its position was lost with purged binary logs");
    }
    return absl::OkStatus();
  }
  if (!vitess::GtidSet::ParsePosition(cursor->position()).ok()) {
    return Unusable("its position cannot be read");
  }
  if (cursor->has_last_known_pk()) {
    if (absl::Status status = CheckKey(cursor->last_known_pk()); !status.ok()) return status;
    binlogdata::TableLastPK& entry_of_table = *shard.add_table_p_ks();
    entry_of_table.set_table_name(table);
    *entry_of_table.mutable_lastpk() = cursor->last_known_pk();
  }
  shard.set_gtid(cursor->position());
  return absl::OkStatus();
}

std::string Counted(int count, std::string_view what) {
  return absl::StrCat(count, count == 1 ? " shard " : " shards ", AbslView(what));
}

// What becomes of the shards.
std::string Describe(const TablePosition& position) {
  int copied = 0;
  int copying = 0;
  int fresh = 0;
  for (const binlogdata::ShardGtid& shard : position.vgtid.shard_gtids()) {
    if (IsCopied(shard)) {
      ++copied;
    } else if (shard.gtid().empty()) {
      ++fresh;
    } else {
      ++copying;
    }
  }
  std::string text;
  const auto add = [&](int count, std::string_view what) {
    if (count == 0) return;
    absl::StrAppend(&text, text.empty() ? "" : ", ", Counted(count, what));
  };
  add(copied, "replicated from where it stopped");
  add(copying, "copied on behind its last key");
  add(fresh, "not begun and copied from its first row");
  return text;
}

}  // namespace

std::pair<std::string, std::string> SplitPlanetscaleStream(std::string_view key) {
  const size_t colon = key.find(':');
  if (colon == std::string_view::npos) return {};
  return {std::string(key.substr(0, colon)), std::string(key.substr(colon + 1))};
}

bool IsPlanetscaleTable(const Value& state) {
  return state.IsObject() && state.HasMember("shards") && !state.HasMember("version");
}

PlanetscaleTakeover TakeOverPlanetscaleTable(const std::string& keyspace, const std::string& table,
                                             const Value& state) {
  PlanetscaleTakeover takeover;
  const std::string name = absl::StrCat("Table ", keyspace, ".", table);
  const auto nothing = [&](std::string_view reason) {
    takeover.note =
        absl::StrCat(name, ": nothing is taken over from the state of PlanetScale's connector, ",
                     AbslView(reason), "; it is copied from its first row.");
    return takeover;
  };
  const Value* const shards = state.IsObject() ? Find(state, "shards") : nullptr;
  if (shards == nullptr) return nothing("which has no shards of it");
  if (!shards->IsObject()) return nothing("which cannot be read");
  TablePosition position;
  bool begun = false;
  for (const auto& [shard_name, entry] : shards->GetObject()) {
    binlogdata::ShardGtid& shard = *position.vgtid.add_shard_gtids();
    shard.set_keyspace(keyspace);
    shard.set_shard(std::string(View(shard_name)));
    const absl::Status status = TakeOverShard(entry, table, shard);
    if (!status.ok()) {
      return nothing(absl::StrCat("shard ", shard.shard(), ": ", status.message()));
    }
    if (shard.gtid().empty()) continue;
    begun = true;
    if (!IsCopied(shard)) position.since[shard.shard()] = shard.gtid();
  }
  if (!begun) return nothing("which had not begun with it");
  takeover.note = absl::StrCat(
      name, " goes on from the state of PlanetScale's connector: ", Describe(position), ".");
  takeover.position = std::move(position);
  return takeover;
}

}  // namespace source_vitess::sync
