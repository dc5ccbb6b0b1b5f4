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
  // A text column's field has its own collation; before v20, the connection's.
  bool column_collations = true;
  // A last key without fields is refused (v21).
  bool checks_lastpk_fields = true;
  // Replicated rows are named by a later schema if their types are alike only; before v24 they had
  // to be the same, as far as the binary log can tell.
  bool coarse_types = true;
  // VTGate's own errors say at what they came (v22).
  bool tells_context_of_errors = true;
  // Errors of a tablet that may pass are tried three times (v22).
  bool retries_unknown_errors = true;
  // A tablet's error tells that its position includes the failed transaction (v24).
  bool tells_failed_gtid = true;
  // Purged logs end the stream with MySQL's error; from v23 on VTGate looks for another tablet.
  bool tells_purged_logs = false;

  // Tablets of shards that do not serve any more are streamed from, so that a client which was away
  // during a reshard can go on, and a shard that is gone is an error (v20; reference 7.4). Before,
  // both lack a tablet.
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
