// MySQL's character sets, and how their text becomes UTF-8.
#ifndef SOURCE_VITESS_MYSQL_CHARACTER_SET_H_
#define SOURCE_VITESS_MYSQL_CHARACTER_SET_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace source_vitess::mysql {

// The character set of a collation by its id, as in query.Field.charset; empty for ids that MySQL
// does not have (as for 0, which Vitess sends for collations that it does not know: recording
// copy-all-types, column vg).
std::string_view CharacterSetOfCollation(uint32_t id);

// Makes UTF-8 of the text of one character set. Cheap to move; for one thread at a time.
class TextConverter {
 public:
  // A converter from the character set of that name, in any case. What is not known, and "binary",
  // is taken for UTF-8.
  explicit TextConverter(std::string_view character_set);
  TextConverter(TextConverter&&) noexcept;
  TextConverter& operator=(TextConverter&&) noexcept;
  ~TextConverter();

  // Whether text that IsAscii is the same in UTF-8.
  bool keeps_ascii() const { return keeps_ascii_; }
  // Whether the text is UTF-8 already, where it is valid.
  bool is_utf8() const { return form_ == Form::kUtf8; }

  // Room that Convert needs for text of so many bytes.
  size_t Bound(size_t size) const { return 4 * size + 8; }

  struct Converted {
    char* end;
    bool replaced;  // whether bytes that mean nothing in the character set became U+FFFD
  };
  // Writes the UTF-8 of `text` to `out`. REQUIRES: room for Bound(text.size()) bytes at `out`.
  Converted Convert(std::string_view text, char* out);

 private:
  enum class Form : uint8_t { kUtf8, kSingleByte, kMultiByte };
  // The UTF-8 of each byte of a single-byte set; length 0 where it has none.
  struct Utf8Character {
    uint8_t length;
    char bytes[3];
  };
  using Table = std::array<Utf8Character, 256>;
  struct IcuConverter;
  struct Definition;

  static const Definition* Find(std::string_view character_set);
  static Table MakeTable(const Definition& definition);
  static const Table& TableOf(const Definition& definition);
  Converted ConvertSingleByte(std::string_view text, char* out) const;

  Form form_ = Form::kUtf8;
  bool keeps_ascii_ = true;
  const Table* table_ = nullptr;
  std::unique_ptr<IcuConverter> icu_;
};

}  // namespace source_vitess::mysql

#endif  // SOURCE_VITESS_MYSQL_CHARACTER_SET_H_
