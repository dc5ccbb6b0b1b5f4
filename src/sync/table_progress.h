// What a sync tells of its tables' progress.
#ifndef SOURCE_VITESS_SYNC_TABLE_PROGRESS_H_
#define SOURCE_VITESS_SYNC_TABLE_PROGRESS_H_

#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "telemetry/progress.h"

namespace source_vitess::sync {

// Knows tables by Table::index. Does nothing where nobody asked for progress. Thread-safe.
class TableProgress {
 public:
  TableProgress() = default;
  // `numbers`: of telemetry::Progress, by Table::index. Both must outlive this.
  TableProgress(telemetry::Progress* progress, std::span<const size_t> numbers)
      : progress_(progress), numbers_(numbers) {}

  // Null where nobody asked.
  telemetry::ShardProgress* Shard(size_t table, const std::string& shard) const {
    return progress_ == nullptr ? nullptr : &progress_->Shard(numbers_[table], shard);
  }

  void Checkpointed(size_t table, absl::Time now) const {
    if (progress_ != nullptr) progress_->Checkpointed(numbers_[table], now);
  }
  void Retried(size_t table, const absl::Status& why) const {
    if (progress_ != nullptr) progress_->Retried(numbers_[table], Text(why), absl::Now());
  }
  void Failed(size_t table, const absl::Status& why) const {
    if (progress_ != nullptr) progress_->Failed(numbers_[table], Text(why), absl::Now());
  }

 private:
  static std::string_view Text(const absl::Status& status) {
    return {status.message().data(), status.message().size()};
  }

  telemetry::Progress* progress_ = nullptr;
  std::span<const size_t> numbers_;
};

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_TABLE_PROGRESS_H_
