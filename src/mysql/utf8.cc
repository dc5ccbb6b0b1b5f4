#include "mysql/utf8.h"

#include <unicode/utf8.h>

namespace source_vitess::mysql {
namespace {

constexpr uint64_t kHighBits = 0x8080808080808080;

// ICU counts with 32 bits.
constexpr size_t kMaxPiece = size_t{1} << 30;

// High bits of the bytes that are below 0x20, a quotation mark or a backslash. A byte above the
// lowest one that is marked may be marked wrongly.
uint64_t MarkSpecial(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  const uint64_t quote = word ^ (kOnes * '"');
  const uint64_t backslash = word ^ (kOnes * '\\');
  const uint64_t control = (word - kOnes * 0x20) & ~word;
  return (((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash) | control) & kHighBits;
}

uint64_t EitherHalf(const unsigned char (&block)[16]) {
  uint64_t halves[2];
  std::memcpy(halves, block, sizeof(halves));
  return halves[0] | halves[1];
}

// Of fewer bytes than a block has.
TextBytes BytesOfFew(std::string_view text) {
  uint64_t word = 0;
  uint64_t last = 0;
  if (text.size() >= sizeof(word)) {
    std::memcpy(&word, text.data(), sizeof(word));
    std::memcpy(&last, text.data() + text.size() - sizeof(last), sizeof(last));
    return {((word | last) & kHighBits) == 0, (MarkSpecial(word) | MarkSpecial(last)) == 0};
  }
  word = 0x2020202020202020;  // blanks behind the text
  for (size_t i = 0; i < text.size(); ++i) {
    word = word << 8 | static_cast<unsigned char>(text[i]);
  }
  return {(word & kHighBits) == 0, MarkSpecial(word) == 0};
}

}  // namespace

TextBytes BytesOf(std::string_view text) {
  // Compilers make one vector of each array.
  constexpr size_t kBlock = 16;
  if (text.size() < kBlock) return BytesOfFew(text);
  unsigned char any[kBlock] = {};
  unsigned char special[kBlock] = {};
  const auto look = [&](const char* at) {
    for (size_t i = 0; i < kBlock; ++i) {
      const auto c = static_cast<unsigned char>(at[i]);
      any[i] |= c;
      special[i] |= static_cast<unsigned char>((c < 0x20) | (c == '"') | (c == '\\'));
    }
  };
  const char* const last = text.data() + text.size() - kBlock;
  for (const char* at = text.data(); at < last; at += kBlock) look(at);
  look(last);  // together with bytes that were looked at already
  return {(EitherHalf(any) & kHighBits) == 0, EitherHalf(special) == 0};
}

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
