// Telling valid UTF-8 from other bytes, fast for ASCII.
#ifndef SOURCE_VITESS_MYSQL_UTF8_H_
#define SOURCE_VITESS_MYSQL_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace source_vitess::mysql {

// Whether every byte is below 0x80.
inline bool IsAscii(std::string_view bytes) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  const char* at = bytes.data();
  size_t left = bytes.size();
  uint64_t word = 0;
  if (left < sizeof(word)) {
    unsigned char any = 0;
    for (const char c : bytes) any |= static_cast<unsigned char>(c);
    return any < 0x80;
  }
  for (; left >= 4 * sizeof(word); at += 4 * sizeof(word), left -= 4 * sizeof(word)) {
    uint64_t words[4];
    std::memcpy(words, at, sizeof(words));
    if (((words[0] | words[1] | words[2] | words[3]) & kHighBits) != 0) return false;
  }
  for (; left >= sizeof(word); at += sizeof(word), left -= sizeof(word)) {
    std::memcpy(&word, at, sizeof(word));
    if ((word & kHighBits) != 0) return false;
  }
  // The rest, together with bytes that were looked at already.
  std::memcpy(&word, bytes.data() + bytes.size() - sizeof(word), sizeof(word));
  return (word & kHighBits) == 0;
}

struct TextBytes {
  bool ascii;  // IsAscii
  bool plain;  // no byte below 0x20, no quotation mark, no backslash
};

// Both in one go.
TextBytes BytesOf(std::string_view text);

// Whether the bytes are UTF-8 as Unicode defines it: no surrogates, no overlong forms, nothing
// beyond U+10FFFF.
bool IsValidUtf8(std::string_view bytes);

// Room that ReplaceInvalidUtf8 needs for so many bytes.
inline size_t ReplacedUtf8Bound(size_t size) { return 3 * size; }

// Copies `bytes` to `out` with U+FFFD in the place of each maximal part of an ill-formed sequence,
// and returns the end of what was written. REQUIRES: room for ReplacedUtf8Bound(bytes.size()) bytes
// at `out`.
char* ReplaceInvalidUtf8(std::string_view bytes, char* out);

}  // namespace source_vitess::mysql

#endif  // SOURCE_VITESS_MYSQL_UTF8_H_
