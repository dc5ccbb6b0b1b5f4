// Which shard a row belongs to: Vitess's functional vindexes and key ranges.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_VINDEX_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_VINDEX_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace source_vitess::simulator {

enum class VindexType {
  kHash,     // "hash": DES with a null key over the 64-bit integer (go/vt/vtgate/vindexes/hash.go)
  kXxhash,   // "xxhash": XXH64 of the bytes, written little-endian (vindexes/xxhash.go)
  kBinary,   // "binary": the bytes themselves
  kNumeric,  // "numeric": the 64-bit integer, big-endian
};

absl::StatusOr<VindexType> ParseVindexType(std::string_view name);

// The keyspace id of a value in its stored form. Fails if the vindex wants an integer and the value
// is none.
absl::StatusOr<std::string> KeyspaceId(VindexType type, std::string_view value);

// XXH64 with seed 0.
uint64_t Xxhash64(std::string_view bytes);

// A shard's part of the keyspace ids: [begin, end), an empty end is open. "0" and "-" hold
// everything.
struct KeyRange {
  std::string begin;
  std::string end;

  // Parses a shard's name: "-80", "40-80", "0". Fails if it is no key range.
  static absl::StatusOr<KeyRange> Parse(std::string_view shard);

  bool Contains(std::string_view keyspace_id) const;
  bool Intersects(const KeyRange& other) const;
};

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_VINDEX_H_
