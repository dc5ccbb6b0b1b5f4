// MySQL GTID sets ("uuid:1-5:7,uuid2:3"), and positions as Vitess writes them ("MySQL56/<set>").
#ifndef SOURCE_VITESS_VITESS_GTID_SET_H_
#define SOURCE_VITESS_VITESS_GTID_SET_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace source_vitess::vitess {

// A value. Servers are ordered by UUID, their intervals ascending, disjoint and not adjacent.
class GtidSet {
 public:
  struct Interval {
    int64_t begin;  // 1 or more
    int64_t end;    // inclusive
    friend bool operator==(const Interval&, const Interval&) = default;
  };
  struct Server {
    std::string uuid;  // lower case, 36 characters
    std::vector<Interval> intervals;
    friend bool operator==(const Server&, const Server&) = default;
  };

  GtidSet() = default;

  // Parses "uuid:interval[:interval...][,...]". White space is allowed anywhere between tokens, as
  // in the value of
  // @@global.gtid_executed; a server may come more than once; a reversed interval is empty; empty
  // text is the empty set. Tagged GTIDs (MySQL 8.3 and later) are refused: Vitess does not track
  // them (reference 11).
  static absl::StatusOr<GtidSet> Parse(std::string_view text);

  // Parses a position with its flavor, "MySQL56/<set>". Other flavors ("FilePos/", "MariaDB/") and
  // text without a flavor are refused in words.
  static absl::StatusOr<GtidSet> ParsePosition(std::string_view position);

  bool empty() const { return servers_.empty(); }
  const std::vector<Server>& servers() const { return servers_; }

  // Whether every transaction of `other` is in this set. Everything contains the empty set.
  bool Contains(const GtidSet& other) const;

  bool HasServer(std::string_view uuid) const;

  // How many transactions of this set are not in `other`.
  int64_t CountNotIn(const GtidSet& other) const;

  GtidSet Union(const GtidSet& other) const;
  GtidSet Intersection(const GtidSet& other) const;
  // The transactions of this set that are not in `other`.
  GtidSet Difference(const GtidSet& other) const;

  // Canonical text without flavor; with it, "MySQL56/...".
  std::string ToString() const;
  std::string ToPosition() const;

  friend bool operator==(const GtidSet&, const GtidSet&) = default;

 private:
  std::vector<Server> servers_;
};

}  // namespace source_vitess::vitess

#endif  // SOURCE_VITESS_VITESS_GTID_SET_H_
