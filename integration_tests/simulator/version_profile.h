// How Vitess's versions differ in what a client can see (reference 1.5, 4.3, 5.2, 7, 8.2).
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_VERSION_PROFILE_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_VERSION_PROFILE_H_

#include <string>

namespace source_vitess::simulator {

struct VersionProfile {
  // What @@version_comment tells.
  std::string version = "25.0.0-SNAPSHOT";
  // ENUM and SET values of replicated rows are labels; before v20, ordinals and bit maps as
  // numbers.
  bool enum_set_labels = true;
  // tables_to_copy and exclude_keyspace_from_table_name are understood; before v23 they are
  // ignored.
  bool knows_tables_to_copy = true;
  bool knows_exclude_keyspace = true;
  // A position without table_p_ks is only replicated, whatever tables_to_copy says; v23 copied.
  bool copies_only_by_position = true;
  // Events carry event_gtid, commit_parent and sequence_number (v23).
  bool has_event_gtid = true;
  // An update that enters or leaves a WHERE filter arrives with both images (v23).
  bool sends_both_images = true;
  // Replicated decimals below 1 have no digit before the point (fixed in mid-2026).
  bool decimal_without_leading_zero = true;

  // Tablets of shards that do not serve any more are streamed from, so that a client which was away
  // during a reshard can go on (v20; reference 7.4).
  bool streams_from_old_shards = true;
  // include_reshard_journal_events is understood (v21).
  bool knows_journal_flag = true;
  // stop_on_reshard ends the call with OK once all shards have stopped; not from v23 on
  // (recording reshard-split-stop).
  bool ends_at_reshard = false;
  // A stream none of whose shards has a tablet is ended (v24).
  bool checks_liveness = true;
  // max_stream_age_seconds is understood (v25).
  bool knows_max_stream_age = true;

  // By major version, 18 to 25; 0 is the newest.
  static VersionProfile Of(int major);
};

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_VERSION_PROFILE_H_
