#include "sync/job.h"

#include <algorithm>

#include "absl/strings/str_replace.h"
#include "text/absl_view.h"

namespace source_vitess::sync {
namespace {

using text::AbslView;

// Rows wait at most this long for more rows.
constexpr absl::Duration kFlushInterval = absl::Seconds(1);

std::string Quoted(std::string_view identifier) {
  return absl::StrCat("`", absl::StrReplaceAll(AbslView(identifier), {{"`", "``"}}), "`");
}

}  // namespace

vtgate::VStreamRequest MakeRequest(const SyncOptions& options, const binlogdata::VGtid& vgtid) {
  vtgate::VStreamRequest request;
  request.set_tablet_type(options.tablet_type);
  *request.mutable_vgtid() = vgtid;
  vtgate::VStreamFlags& flags = *request.mutable_flags();
  flags.set_heartbeat_interval(
      static_cast<uint32_t>(absl::ToInt64Seconds(options.heartbeat_interval)));
  flags.set_stop_on_reshard(true);
  flags.set_exclude_keyspace_from_table_name(true);
  if (!options.cells.empty()) {
    flags.set_cells(options.cells);
    flags.set_cell_preference("onlyspecified");
  }
  return request;
}

void AddRule(const Table& table, const std::vector<std::string>& columns,
             binlogdata::Filter& filter) {
  std::string list;
  for (const std::string& column : columns) {
    absl::StrAppend(&list, list.empty() ? "" : ", ", Quoted(column));
  }
  binlogdata::Rule& rule = *filter.add_rules();
  rule.set_match(table.name());
  rule.set_filter(
      absl::StrCat("select ", list.empty() ? "*" : list, " from ", Quoted(table.name())));
}

std::string_view BareTableName(std::string_view keyspace, std::string_view name) {
  if (name.size() > keyspace.size() + 1 && name[keyspace.size()] == '.' &&
      name.starts_with(keyspace)) {
    name.remove_prefix(keyspace.size() + 1);
  }
  return name;
}

bool BatchFlusher::IsDue(absl::Time now) const {
  if (rows_.batch().size_bytes() >= context_.options.batch_bytes ||
      now - last_flush_ >= kFlushInterval) {
    return true;
  }
  const std::span<const RecordCount> counts = rows_.batch().counts();
  return std::any_of(counts.begin(), counts.end(), [&](const RecordCount& count) {
    return count.records >= context_.options.checkpoint_interval;
  });
}

absl::Status BatchFlusher::Flush(std::span<const PositionUpdate> updates, absl::Time now) {
  last_flush_ = now;
  absl::Status status =
      context_.checkpointer.Write(rows_.empty() ? nullptr : &rows_.batch(), updates, now);
  rows_.Clear();
  return status;
}

}  // namespace source_vitess::sync
