#include "mysql/utf8.h"

#include <unicode/utf8.h>

namespace source_vitess::mysql {
namespace {

constexpr uint64_t kHighBits = 0x8080808080808080;

// ICU counts with 32 bits.
constexpr size_t kMaxPiece = size_t{1} << 30;

}  // namespace

bool IsValidUtf8(std::string_view bytes) {
  if (IsAscii(bytes)) return true;
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, kMaxPiece);
    // A piece ends between two characters.
    if (piece.size() < bytes.size()) {
      for (int i = 0; i < 3 && U8_IS_TRAIL(static_cast<uint8_t>(bytes[piece.size()])); ++i) {
        piece.remove_suffix(1);
      }
    }
    const auto* at = reinterpret_cast<const uint8_t*>(piece.data());
    const auto size = static_cast<int32_t>(piece.size());
    for (int32_t i = 0; i < size;) {
      if (at[i] < 0x80) {
        // Mostly ASCII follows ASCII.
        uint64_t word = 0;
        while (size - i >= static_cast<int32_t>(sizeof(word))) {
          std::memcpy(&word, at + i, sizeof(word));
          if ((word & kHighBits) != 0) break;
          i += static_cast<int32_t>(sizeof(word));
        }
        while (i < size && at[i] < 0x80) ++i;
        continue;
      }
      UChar32 c = 0;
      U8_NEXT(at, i, size, c);
      if (c < 0) return false;
    }
    bytes.remove_prefix(piece.size());
  }
  return true;
}

char* ReplaceInvalidUtf8(std::string_view bytes, char* out) {
  while (!bytes.empty()) {
    // A character is at most four bytes; U8_NEXT takes what belongs together, valid or not.
    const auto* at = reinterpret_cast<const uint8_t*>(bytes.data());
    const auto size = static_cast<int32_t>(bytes.size() < 4 ? bytes.size() : 4);
    int32_t next = 0;
    UChar32 c = 0;
    U8_NEXT(at, next, size, c);
    if (c < 0) {
      std::memcpy(out, "\xef\xbf\xbd", 3);
      out += 3;
    } else {
      std::memcpy(out, bytes.data(), static_cast<size_t>(next));
      out += next;
    }
    bytes.remove_prefix(static_cast<size_t>(next));
  }
  return out;
}

}  // namespace source_vitess::mysql
