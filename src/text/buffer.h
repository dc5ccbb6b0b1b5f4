// Memory that output is written to unchecked, once there is known to be enough of it.
#ifndef SOURCE_VITESS_TEXT_BUFFER_H_
#define SOURCE_VITESS_TEXT_BUFFER_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace source_vitess::text {

class Buffer {
 public:
  // At least `bytes` of memory behind `end`, which is where the content ends: returns where it ends
  // now.
  char* Ensure(char* end, size_t bytes) {
    return static_cast<size_t>(limit_ - end) >= bytes ? end : Grow(end, bytes);
  }

  std::string_view text(const char* end) const {
    return {memory_.get(), static_cast<size_t>(end - memory_.get())};
  }

  char* begin() const { return memory_.get(); }

  // Forgets the content. Memory that one huge row took is given back.
  void Clear() {
    if (static_cast<size_t>(limit_ - memory_.get()) <= kMostMemoryKept) return;
    memory_.reset();
    limit_ = nullptr;
  }

 private:
  static constexpr size_t kMostMemoryKept = size_t{4} << 20;
  static constexpr size_t kLeast = size_t{64} << 10;

  char* Grow(char* end, size_t bytes) {
    const auto size = static_cast<size_t>(end - memory_.get());
    const size_t capacity =
        std::max({size + bytes, 2 * static_cast<size_t>(limit_ - memory_.get()), kLeast});
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (size > 0) std::memcpy(larger.get(), memory_.get(), size);
    memory_ = std::move(larger);
    limit_ = memory_.get() + capacity;
    return memory_.get() + size;
  }

  std::unique_ptr<char[]> memory_;
  char* limit_ = nullptr;
};

}  // namespace source_vitess::text

#endif  // SOURCE_VITESS_TEXT_BUFFER_H_
