#include "model/shard_map.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace source_vitess::integration_tests {
namespace {

constexpr const char* kBounds[] = {"20", "40", "60", "80", "a0", "c0", "e0"};

std::string StartOf(const std::string& shard) { return shard.substr(0, shard.find('-')); }
std::string EndOf(const std::string& shard) { return shard.substr(shard.find('-') + 1); }

}  // namespace

bool ShardMap::Start(std::mt19937_64& random) {
  const auto any = [&](size_t below) { return static_cast<size_t>(random() % below); };
  const size_t first = any(serving_.size());
  const size_t count = 1 + any(std::min<size_t>(3, serving_.size() - first));
  const std::vector<std::string> sources(
      serving_.begin() + static_cast<std::ptrdiff_t>(first),
      serving_.begin() + static_cast<std::ptrdiff_t>(first + count));
  const std::string start = StartOf(sources.front());
  const std::string end = EndOf(sources.back());
  std::set<std::string> bounds;
  for (size_t i = any(3); i > 0; --i) {
    const std::string bound = kBounds[any(std::size(kBounds))];
    if (bound > start && (end.empty() || bound < end)) bounds.insert(bound);
  }
  std::vector<std::string> targets;
  std::string from = start;
  for (const std::string& bound : bounds) {
    targets.push_back(absl::StrCat(from, "-", bound));
    from = bound;
  }
  targets.push_back(absl::StrCat(from, "-", end));
  const bool is_new = std::none_of(targets.begin(), targets.end(), [&](const std::string& target) {
    return std::find(serving_.begin(), serving_.end(), target) != serving_.end();
  });
  if (!is_new) return false;
  sources_ = sources;
  targets_ = std::move(targets);
  stage_ = Stage::kStarted;
  return true;
}

void ShardMap::Switch() {
  const auto first = std::find(serving_.begin(), serving_.end(), sources_.front());
  const auto behind = serving_.erase(first, first + static_cast<std::ptrdiff_t>(sources_.size()));
  serving_.insert(behind, targets_.begin(), targets_.end());
  stage_ = Stage::kSwitched;
}

void ShardMap::Complete() { stage_ = Stage::kNone; }

}  // namespace source_vitess::integration_tests
