#include "simulator/version_profile.h"

#include "simulator/strings.h"

namespace source_vitess::simulator {

VersionProfile VersionProfile::Of(int major) {
  VersionProfile profile;
  if (major >= 25 || major <= 0) return profile;
  profile.version = Cat(major, ".0.0");
  profile.enum_set_labels = major >= 20;
  profile.knows_tables_to_copy = major >= 23;
  profile.knows_exclude_keyspace = major >= 23;
  profile.copies_only_by_position = major != 23;
  profile.has_event_gtid = major >= 23;
  profile.sends_both_images = major >= 23;
  profile.column_collations = major >= 20;
  profile.checks_lastpk_fields = major >= 21;
  profile.coarse_types = major >= 24;
  profile.tells_context_of_errors = major >= 22;
  profile.retries_unknown_errors = major >= 22;
  profile.tells_failed_gtid = major >= 24;
  profile.tells_purged_logs = major <= 22;
  profile.streams_from_old_shards = major >= 20;
  profile.knows_journal_flag = major >= 21;
  profile.ends_at_reshard = major <= 22;
  profile.checks_liveness = major >= 24;
  profile.knows_max_stream_age = major >= 25;
  return profile;
}

}  // namespace source_vitess::simulator
