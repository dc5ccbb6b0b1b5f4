// Memory for the values of one row that cannot be views of the row.
#ifndef SOURCE_VITESS_MYSQL_SCRATCH_H_
#define SOURCE_VITESS_MYSQL_SCRATCH_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace source_vitess::mysql {

// What was kept stays where it is until Clear. Once a block is large enough for a row, rows of that
// size cost no allocation.
class Scratch {
 public:
  // Room for `size` bytes; valid until the next call of Reserve or Clear, unless it is kept.
  char* Reserve(size_t size) {
    if (size > capacity_ - used_) Grow(size);
    return block_.get() + used_;
  }

  // Keeps what was written from the last Reserve to `end`, and returns it.
  std::string_view Keep(const char* end) {
    const char* begin = block_.get() + used_;
    const auto size = static_cast<size_t>(end - begin);
    used_ += size;
    return {begin, size};
  }

  // Forgets everything. Memory of rows that were unusually large is given back.
  void Clear() {
    constexpr size_t kMostToKeep = size_t{1} << 20;
    used_ = 0;
    full_.clear();
    if (capacity_ > kMostToKeep) {
      block_.reset();
      capacity_ = 0;
    }
  }

 private:
  void Grow(size_t size) {
    constexpr size_t kLeast = 1024;
    const size_t capacity = std::max({size, 2 * capacity_, kLeast});
    auto block = std::make_unique_for_overwrite<char[]>(capacity);
    if (used_ > 0) full_.push_back(std::move(block_));
    block_ = std::move(block);
    capacity_ = capacity;
    used_ = 0;
  }

  std::vector<std::unique_ptr<char[]>> full_;
  std::unique_ptr<char[]> block_;
  size_t capacity_ = 0;
  size_t used_ = 0;
};

}  // namespace source_vitess::mysql

#endif  // SOURCE_VITESS_MYSQL_SCRATCH_H_
