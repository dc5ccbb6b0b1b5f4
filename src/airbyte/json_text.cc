#include "airbyte/json_text.h"

#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace source_vitess::airbyte {
namespace {

// By byte: 0 as it is, 'u' as \u00XX, else what follows a backslash.
constexpr std::array<char, 256> kEscapes = [] {
  std::array<char, 256> escapes{};
  for (int c = 0; c < 0x20; ++c) escapes[c] = 'u';
  escapes['\b'] = 'b';
  escapes['\t'] = 't';
  escapes['\n'] = 'n';
  escapes['\f'] = 'f';
  escapes['\r'] = 'r';
  escapes['"'] = '"';
  escapes['\\'] = '\\';
  return escapes;
}();

char* WriteEscape(char* out, unsigned char c) {
  *out++ = '\\';
  *out++ = kEscapes[c];
  if (kEscapes[c] != 'u') return out;
  constexpr char kDigits[] = "0123456789abcdef";
  *out++ = '0';
  *out++ = '0';
  *out++ = kDigits[c >> 4];
  *out++ = kDigits[c & 15];
  return out;
}

// The high bit of each byte of `block` that has to be escaped; bytes above the lowest one marked
// may be marked wrongly.
uint64_t MarkEscapes(uint64_t block) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHigh = 0x8080808080808080;
  const uint64_t quote = block ^ (kOnes * '"');
  const uint64_t backslash = block ^ (kOnes * '\\');
  const uint64_t control = (block - kOnes * 0x20) & ~block;
  return (((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash) | control) & kHigh;
}

char* PadFraction(char* out, std::string_view fraction) {
  std::memcpy(out, ".000000", 7);
  if (!fraction.empty()) std::memcpy(out, fraction.data(), fraction.size());
  return out + 7;
}

}  // namespace

char* WriteEscaped(char* out, std::string_view text) {
  const char* in = text.data();
  const char* const end = in + text.size();
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i last_control = _mm_set1_epi8(0x1f);
  while (end - in >= 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), block);
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, last_control), block);
    const __m128i special = _mm_or_si128(
        control, _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash)));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(special));
    if (mask == 0) {
      in += 16;
      out += 16;
      continue;
    }
    const int plain = std::countr_zero(mask);
    in += plain;
    out = WriteEscape(out + plain, static_cast<unsigned char>(*in++));
  }
#endif
  if constexpr (std::endian::native == std::endian::little) {
    while (end - in >= 8) {
      uint64_t block;
      std::memcpy(&block, in, sizeof block);
      std::memcpy(out, &block, sizeof block);
      const uint64_t marks = MarkEscapes(block);
      if (marks == 0) {
        in += 8;
        out += 8;
        continue;
      }
      const int plain = std::countr_zero(marks) / 8;
      in += plain;
      out = WriteEscape(out + plain, static_cast<unsigned char>(*in++));
    }
  }
  for (; in < end; ++in) {
    const auto c = static_cast<unsigned char>(*in);
    if (kEscapes[c] == 0) {
      *out++ = *in;
    } else {
      out = WriteEscape(out, c);
    }
  }
  return out;
}

char* WriteFloat(char* out, float value) {
  return std::to_chars(out, out + kLongestNumber, value).ptr;
}

char* WriteUnsigned(char* out, uint64_t value) {
  return std::to_chars(out, out + kLongestNumber, value).ptr;
}

char* SequenceWriter::Write(char* out, uint64_t value) {
  const uint64_t high = value / kLow;
  if (high == 0) return WriteUnsigned(out, value);
  if (high != high_) {
    high_ = high;
    size_ = static_cast<size_t>(WriteUnsigned(digits_.data(), high) - digits_.data());
  }
  std::memcpy(out, digits_.data(), digits_.size());
  out += size_;
  auto low = static_cast<uint32_t>(value % kLow);
  for (int i = 3; i >= 0; --i, low /= 10) out[i] = static_cast<char>('0' + low % 10);
  return out + 4;
}

char* WriteDateTime(char* out, std::string_view text) {
  constexpr size_t kDate = 10;
  std::memcpy(out, text.data(), kDate);
  out[kDate] = 'T';
  return WriteTime(out + kDate + 1, text.substr(kDate + 1));
}

char* WriteTime(char* out, std::string_view text) {
  constexpr size_t kSeconds = 8;
  std::memcpy(out, text.data(), kSeconds);
  return PadFraction(out + kSeconds, text.substr(kSeconds));
}

char* WriteTimestamp(char* out, int64_t milliseconds) {
  using std::chrono::days;
  const std::chrono::sys_time<std::chrono::milliseconds> time{
      std::chrono::milliseconds(milliseconds)};
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  const auto digits = [&out](unsigned value, int count) {
    for (int i = count - 1; i >= 0; --i, value /= 10) out[i] = static_cast<char>('0' + value % 10);
    out += count;
  };
  digits(static_cast<unsigned>(static_cast<int>(date.year())), 4);
  *out++ = '-';
  digits(static_cast<unsigned>(date.month()), 2);
  *out++ = '-';
  digits(static_cast<unsigned>(date.day()), 2);
  *out++ = 'T';
  digits(static_cast<unsigned>(clock.hours().count()), 2);
  *out++ = ':';
  digits(static_cast<unsigned>(clock.minutes().count()), 2);
  *out++ = ':';
  digits(static_cast<unsigned>(clock.seconds().count()), 2);
  *out++ = '.';
  digits(static_cast<unsigned>(clock.subseconds().count()), 3);
  std::memcpy(out, "000Z", 4);
  return out + 4;
}

}  // namespace source_vitess::airbyte
