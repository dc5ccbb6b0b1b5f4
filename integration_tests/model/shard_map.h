// Reshards at random: which shards serve, and which could come next.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_MODEL_SHARD_MAP_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_MODEL_SHARD_MAP_H_

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace source_vitess::integration_tests {

// The shards of one keyspace through its reshards, one at a time.
class ShardMap {
 public:
  enum class Stage { kNone, kStarted, kSwitched };

  explicit ShardMap(std::vector<std::string> shards) : serving_(std::move(shards)) {}

  const std::vector<std::string>& serving() const { return serving_; }
  Stage stage() const { return stage_; }
  const std::vector<std::string>& sources() const { return sources_; }
  const std::vector<std::string>& targets() const { return targets_; }

  // Chooses neighbouring shards and others for their range. Whether that came out well; nothing
  // changes otherwise.
  bool Start(std::mt19937_64& random);
  void Switch();
  void Complete();

 private:
  std::vector<std::string> serving_;  // in the order of their key ranges
  Stage stage_ = Stage::kNone;
  std::vector<std::string> sources_;
  std::vector<std::string> targets_;
};

}  // namespace source_vitess::integration_tests

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_MODEL_SHARD_MAP_H_
