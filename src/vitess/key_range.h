// The keyspace ids that a shard holds, as its name tells.
#ifndef SOURCE_VITESS_VITESS_KEY_RANGE_H_
#define SOURCE_VITESS_VITESS_KEY_RANGE_H_

#include <string>
#include <string_view>

namespace source_vitess::vitess {

// From `start`, inclusive, to `end`, exclusive. A value.
class KeyRange {
 public:
  // "-80", "80-c0", "c0-": hexadecimal bytes around a dash (Vitess go/vt/key/key.go:
  // ParseShardingSpec). A name of another form, "0" above all, holds every id.
  static KeyRange OfShard(std::string_view shard);

  bool Intersects(const KeyRange& other) const;

  friend bool operator==(const KeyRange&, const KeyRange&) = default;

 private:
  std::string start_;  // bytes, without zeros at the end; empty: no bound
  std::string end_;
};

// Whether some keyspace id is in both shards.
bool Overlap(std::string_view shard, std::string_view other);

}  // namespace source_vitess::vitess

#endif  // SOURCE_VITESS_VITESS_KEY_RANGE_H_
