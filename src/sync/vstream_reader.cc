#include "sync/vstream_reader.h"

#include <algorithm>
#include <utility>

namespace source_vitess::sync {
namespace {

// Below these, making a response anew would cost more than it saves.
constexpr size_t kReusableRowBytes = 2048;
constexpr int kReusedMessages = 1000;

bool IsHeartbeatOnly(const vtgate::VStreamResponse& response) {
  return std::all_of(
      response.events().begin(), response.events().end(),
      [](const binlogdata::VEvent& event) { return event.type() == binlogdata::HEARTBEAT; });
}

int64_t NowNanos() { return absl::GetCurrentTimeNanos(); }

}  // namespace

void VStreamReader::Open(const vtgate::VStreamRequest& request) {
  const std::lock_guard lock(mutex_);
  last_event_ = NowNanos();
  stream_ = client_.Stream(request);
  if (cancelled_) stream_->Cancel();
}

bool VStreamReader::Read(vtgate::VStreamResponse* response) {
  const int64_t now = NowNanos();
  // The time that the rows of the last message took to be written does not count as idle.
  if (last_was_event_) last_event_.store(now, std::memory_order_relaxed);
  reading_since_.store(now, std::memory_order_relaxed);
  const bool read = stream_->Read(response);
  reading_since_.store(0, std::memory_order_relaxed);
  last_was_event_ = read && !IsHeartbeatOnly(*response);
  return read;
}

absl::Status VStreamReader::Finish() {
  absl::Status status = stream_->Finish();
  const std::lock_guard lock(mutex_);
  return cancelled_ ? reason_ : status;
}

void VStreamReader::Cancel(absl::Status reason) {
  const std::lock_guard lock(mutex_);
  if (cancelled_) return;
  reason_ = std::move(reason);
  cancelled_ = true;
  if (stream_ != nullptr) stream_->Cancel();
}

absl::Duration VStreamReader::SilentFor(absl::Time now) const {
  const int64_t since = reading_since_.load(std::memory_order_relaxed);
  return since == 0 ? absl::ZeroDuration() : now - absl::FromUnixNanos(since);
}

absl::Duration VStreamReader::IdleFor(absl::Time now) const {
  if (reading_since_.load(std::memory_order_relaxed) == 0) return absl::ZeroDuration();
  return now - absl::FromUnixNanos(last_event_.load(std::memory_order_relaxed));
}

void VStreamReader::ForgiveIdling(absl::Time now) {
  last_event_.store(absl::ToUnixNanos(now), std::memory_order_relaxed);
}

void ResponseReuse::Used(vtgate::VStreamResponse& response, size_t largest_row) {
  if (largest_row <= kReusableRowBytes && ++messages_ < kReusedMessages) return;
  response = vtgate::VStreamResponse();
  messages_ = 0;
}

void VgtidTracker::Begin(const binlogdata::VEvent& event) {
  if (pending_ != nullptr && pending_->shard() == event.shard()) pending_ = nullptr;
}

void VgtidTracker::Vgtid(const binlogdata::VEvent& event) { pending_ = &event; }

void VgtidTracker::EndOfResponse() {
  if (pending_ == nullptr || pending_ == &kept_) return;
  kept_ = *pending_;
  pending_ = &kept_;
}

}  // namespace source_vitess::sync
