// What becomes of a table's position when the keyspace is resharded (docs/design.md, rule 8).
//
// The old shards end with a JOURNAL each, all with the same content: which shards have ended (the
// participants), and which ones begin, at which positions. A table goes over to the new shards once
// it has come to the JOURNAL in all of the old ones.
#ifndef SOURCE_VITESS_SYNC_RESHARD_H_
#define SOURCE_VITESS_SYNC_RESHARD_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "sync/table_position.h"
#include "vitess/binlogdata.pb.h"

namespace source_vitess::sync {

// A shard that stands at its JOURNAL: its position is the one before. One without a gtid has
// nothing that the destination could go on with: it was never copied, or, when `delivered`, its
// copy has to begin again, with everything that was delivered of it brought up to the JOURNAL.
struct EndedShard {
  binlogdata::ShardGtid position;
  binlogdata::Journal journal;
  bool delivered = false;
  absl::Time came = absl::InfiniteFuture();  // when the JOURNAL did
};

struct Succession {
  std::vector<binlogdata::ShardGtid> shards;  // the new ones, as in a position
  // The copy begins again; what was delivered before is followed from the new shards' beginning.
  bool repeated = false;
  bool is_first_copy = false;  // nothing was delivered, so there is nothing to be followed
};

// The new shards of a table that stands at the journal in `ended`, all of the journal's
// participants that it has ever read. `missing`: whether there are others.
//
// Copied everywhere, it is replicated from the new shards' beginning. A copy in progress goes on
// behind its last primary key when that is the same in all of the old shards, which it is in a
// split; otherwise it begins again.
Succession Succeed(const binlogdata::Journal& journal, const std::vector<const EndedShard*>& ended,
                   bool missing);

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_RESHARD_H_
