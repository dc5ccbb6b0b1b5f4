// JSON text of single values, written to memory that the caller has made large enough. The hot path
// of the sink: nothing here allocates or checks bounds.
#ifndef SOURCE_VITESS_AIRBYTE_JSON_TEXT_H_
#define SOURCE_VITESS_AIRBYTE_JSON_TEXT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace source_vitess::airbyte {

// Every function appends at `out` and returns the end of what it wrote.

// Bytes that WriteEscaped may touch for a text of `size` bytes: every byte as \u00XX, and a block
// written past the end.
constexpr size_t EscapedBound(size_t size) { return 6 * size + 16; }

// `text`, which is UTF-8, escaped for a JSON string, without quotes.
char* WriteEscaped(char* out, std::string_view text);

constexpr size_t kLongestNumber = 32;

// The shortest decimal text that reads back as the same value. REQUIRES: finite.
char* WriteFloat(char* out, float value);
char* WriteUnsigned(char* out, uint64_t value);

// Writes numbers that mostly follow each other: digits that stay the same are not made again. May
// touch all of kLongestNumber bytes, however short the number is.
class SequenceWriter {
 public:
  char* Write(char* out, uint64_t value);

 private:
  static constexpr uint64_t kLow = 10'000;

  uint64_t high_ = 0;                             // of the last value, without the digits of kLow
  std::array<char, kLongestNumber> digits_ = {};  // of high_
  size_t size_ = 0;
};

constexpr size_t kLongestTimestamp = 32;

// Of canonical "YYYY-MM-DD hh:mm:ss[.f{1,6}]": "YYYY-MM-DDThh:mm:ss.ffffff".
char* WriteDateTime(char* out, std::string_view text);

// Of canonical "hh:mm:ss[.f{1,6}]": the same with six digits of fraction.
char* WriteTime(char* out, std::string_view text);

// "YYYY-MM-DDThh:mm:ss.ffffffZ" of milliseconds since 1970. REQUIRES: year 0 to 9999.
char* WriteTimestamp(char* out, int64_t milliseconds);

}  // namespace source_vitess::airbyte

#endif  // SOURCE_VITESS_AIRBYTE_JSON_TEXT_H_
