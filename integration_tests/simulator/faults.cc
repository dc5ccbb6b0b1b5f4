#include "simulator/faults.h"

namespace source_vitess::simulator {
namespace {

// Counts one use of a fault; false if it has been used up.
bool Use(int64_t& left) {
  if (left == 0) return false;
  if (left > 0) --left;
  return true;
}

}  // namespace

void Faults::Add(const StreamFault& fault) {
  const absl::MutexLock lock(&mutex_);
  stream_faults_.push_back(fault);
}

void Faults::Add(const ExecuteFault& fault) {
  const absl::MutexLock lock(&mutex_);
  execute_faults_.push_back(fault);
}

void Faults::Clear() {
  const absl::MutexLock lock(&mutex_);
  stream_faults_.clear();
  execute_faults_.clear();
}

std::vector<StreamFault> Faults::ForStream() {
  const absl::MutexLock lock(&mutex_);
  std::vector<StreamFault> striking;
  for (StreamFault& fault : stream_faults_) {
    if (Use(fault.streams)) striking.push_back(fault);
  }
  return striking;
}

absl::Status Faults::ForExecute() {
  const absl::MutexLock lock(&mutex_);
  for (ExecuteFault& fault : execute_faults_) {
    if (Use(fault.calls)) return fault.status;
  }
  return absl::OkStatus();
}

}  // namespace source_vitess::simulator
