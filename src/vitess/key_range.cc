#include "vitess/key_range.h"

#include <algorithm>
#include <optional>

#include "absl/strings/escaping.h"
#include "text/absl_view.h"

namespace source_vitess::vitess {
namespace {

// The bytes of one bound; absent when the text is not hexadecimal.
std::optional<std::string> ParseBound(std::string_view text) {
  const bool is_hexadecimal =
      text.size() % 2 == 0 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      });
  if (!is_hexadecimal) return std::nullopt;
  std::string bytes = absl::HexStringToBytes(text::AbslView(text));
  while (!bytes.empty() && bytes.back() == '\0') bytes.pop_back();
  return bytes;
}

}  // namespace

KeyRange KeyRange::OfShard(std::string_view shard) {
  KeyRange range;
  const size_t dash = shard.find('-');
  if (dash == std::string_view::npos) return range;
  auto start = ParseBound(shard.substr(0, dash));
  auto end = ParseBound(shard.substr(dash + 1));
  if (!start.has_value() || !end.has_value()) return range;
  range.start_ = *std::move(start);
  range.end_ = *std::move(end);
  return range;
}

bool KeyRange::Intersects(const KeyRange& other) const {
  return (end_.empty() || other.start_ < end_) && (other.end_.empty() || start_ < other.end_);
}

bool Overlap(std::string_view shard, std::string_view other) {
  return KeyRange::OfShard(shard).Intersects(KeyRange::OfShard(other));
}

}  // namespace source_vitess::vitess
