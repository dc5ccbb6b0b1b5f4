#include "mysql/character_set.h"

#include <unicode/ucnv.h>
#include <unicode/ucnv_cb.h>
#include <unicode/ucnv_err.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>
#include <mutex>
#include <span>
#include <utility>

#include "absl/strings/match.h"
#include "mysql/character_tables.h"
#include "mysql/utf8.h"
#include "text/absl_view.h"

namespace source_vitess::mysql {
namespace {

constexpr UChar32 kNothing = 0;  // the code point of bytes that mean nothing

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

struct CollationRange {
  uint16_t first;
  uint16_t last;
  std::string_view character_set;
};

// Sorted by id. From the ids of information_schema.collations of MySQL 5.7 to 9; they are part of
// MySQL's protocol and do not change.
constexpr CollationRange kCollations[] = {
    {1, 1, "big5"},        {2, 2, "latin2"},      {3, 3, "dec8"},        {4, 4, "cp850"},
    {5, 5, "latin1"},      {6, 6, "hp8"},         {7, 7, "koi8r"},       {8, 8, "latin1"},
    {9, 9, "latin2"},      {10, 10, "swe7"},      {11, 11, "ascii"},     {12, 12, "ujis"},
    {13, 13, "sjis"},      {14, 14, "cp1251"},    {15, 15, "latin1"},    {16, 16, "hebrew"},
    {18, 18, "tis620"},    {19, 19, "euckr"},     {20, 20, "latin7"},    {21, 21, "latin2"},
    {22, 22, "koi8u"},     {23, 23, "cp1251"},    {24, 24, "gb2312"},    {25, 25, "greek"},
    {26, 26, "cp1250"},    {27, 27, "latin2"},    {28, 28, "gbk"},       {29, 29, "cp1257"},
    {30, 30, "latin5"},    {31, 31, "latin1"},    {32, 32, "armscii8"},  {33, 33, "utf8mb3"},
    {34, 34, "cp1250"},    {35, 35, "ucs2"},      {36, 36, "cp866"},     {37, 37, "keybcs2"},
    {38, 38, "macce"},     {39, 39, "macroman"},  {40, 40, "cp852"},     {41, 42, "latin7"},
    {43, 43, "macce"},     {44, 44, "cp1250"},    {45, 46, "utf8mb4"},   {47, 49, "latin1"},
    {50, 52, "cp1251"},    {53, 53, "macroman"},  {54, 55, "utf16"},     {56, 56, "utf16le"},
    {57, 57, "cp1256"},    {58, 59, "cp1257"},    {60, 61, "utf32"},     {62, 62, "utf16le"},
    {63, 63, "binary"},    {64, 64, "armscii8"},  {65, 65, "ascii"},     {66, 66, "cp1250"},
    {67, 67, "cp1256"},    {68, 68, "cp866"},     {69, 69, "dec8"},      {70, 70, "greek"},
    {71, 71, "hebrew"},    {72, 72, "hp8"},       {73, 73, "keybcs2"},   {74, 74, "koi8r"},
    {75, 75, "koi8u"},     {76, 76, "utf8mb3"},   {77, 77, "latin2"},    {78, 78, "latin5"},
    {79, 79, "latin7"},    {80, 80, "cp850"},     {81, 81, "cp852"},     {82, 82, "swe7"},
    {83, 83, "utf8mb3"},   {84, 84, "big5"},      {85, 85, "euckr"},     {86, 86, "gb2312"},
    {87, 87, "gbk"},       {88, 88, "sjis"},      {89, 89, "tis620"},    {90, 90, "ucs2"},
    {91, 91, "ujis"},      {92, 93, "geostd8"},   {94, 94, "latin1"},    {95, 96, "cp932"},
    {97, 98, "eucjpms"},   {99, 99, "cp1250"},    {101, 124, "utf16"},   {128, 151, "ucs2"},
    {159, 159, "ucs2"},    {160, 183, "utf32"},   {192, 215, "utf8mb3"}, {223, 223, "utf8mb3"},
    {224, 247, "utf8mb4"}, {248, 250, "gb18030"}, {255, 323, "utf8mb4"},
};

// Notes each replacement and writes U+FFFD; ICU's own callback does not tell.
void NoteAndSubstitute(const void* context, UConverterToUnicodeArgs* arguments,
                       const char* /*units*/, int32_t /*length*/, UConverterCallbackReason reason,
                       UErrorCode* error) {
  if (reason > UCNV_IRREGULAR) return;  // the converter is reset, closed or cloned
  *static_cast<bool*>(const_cast<void*>(context)) = true;
  *error = U_ZERO_ERROR;
  static constexpr UChar kUnit = 0xfffd;
  ucnv_cbToUWriteUChars(arguments, &kUnit, 1, 0, error);
}

// How the characters of a set are made of bytes.
enum class Layout : uint8_t { kAny, kEuc, kBig5, kShiftJis };

// How many of the bytes at the front of `text` make a character; 1 where they make none.
size_t SizeOfCharacter(Layout layout, std::string_view text) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const int lead = byte(0);
  switch (layout) {
    case Layout::kAny:
      return 1;
    case Layout::kEuc:
      if (lead == 0x8f && byte(1) >= 0xa1 && byte(2) >= 0xa1) return 3;
      return (lead >= 0xa1 || lead == 0x8e) && byte(1) >= 0xa1 ? 2 : 1;
    case Layout::kBig5:
      return lead >= 0x81 && byte(1) >= 0x40 ? 2 : 1;
    case Layout::kShiftJis:
      return ((lead >= 0x81 && lead <= 0x9f) || lead >= 0xe0) && byte(1) >= 0x40 ? 2 : 1;
  }
  return 1;
}

constexpr bool Precedes(const CharacterRun& a, const CharacterRun& b) {
  return a.character_set == b.character_set ? a.bytes + a.count <= b.bytes
                                            : a.character_set < b.character_set;
}

static_assert(std::is_sorted(std::begin(kCharacterRuns), std::end(kCharacterRuns), Precedes));

std::span<const CharacterRun> RunsOf(std::string_view character_set) {
  const auto [first, last] = std::equal_range(std::begin(kCharacterRuns), std::end(kCharacterRuns),
                                              CharacterRun{character_set, 0, 0, 0},
                                              [](const CharacterRun& a, const CharacterRun& b) {
                                                return a.character_set < b.character_set;
                                              });
  return {first, last};
}

// The code point of a character's bytes; kNothing where it is in no run.
UChar32 CodePointIn(std::span<const CharacterRun> runs, std::string_view character) {
  uint32_t bytes = 0;
  for (const char c : character) bytes = bytes << 8 | static_cast<unsigned char>(c);
  const auto behind =
      std::upper_bound(runs.begin(), runs.end(), bytes,
                       [](uint32_t number, const CharacterRun& run) { return number < run.bytes; });
  if (behind == runs.begin()) return kNothing;
  const CharacterRun& run = *std::prev(behind);
  const uint32_t place = bytes - run.bytes;
  return place < run.count ? static_cast<UChar32>(run.code_point + place) : kNothing;
}

char* AppendCodePoint(UChar32 c, char* out) {
  int32_t size = 0;
  U8_APPEND_UNSAFE(reinterpret_cast<uint8_t*>(out), size, c);
  return out + size;
}

}  // namespace

struct TextConverter::Definition {
  std::string_view name;
  Form form;
  bool keeps_ascii;
  const char* icu_name;
  const UpperHalf* upper_half = nullptr;  // of a single-byte set, in the place of ICU's
  Layout layout = Layout::kAny;           // of a set that has runs in kCharacterRuns
};

std::string_view CharacterSetOfCollation(uint32_t id) {
  const auto* range =
      std::lower_bound(std::begin(kCollations), std::end(kCollations), id,
                       [](const CollationRange& r, uint32_t i) { return r.last < i; });
  return range != std::end(kCollations) && range->first <= id ? range->character_set : "";
}

struct TextConverter::IcuConverter {
  UConverter* converter = nullptr;
  bool replaced = false;
  Layout layout = Layout::kAny;
  std::span<const CharacterRun> runs;  // that ICU does not read as MySQL does

  explicit IcuConverter(const char* name) {
    UErrorCode error = U_ZERO_ERROR;
    converter = ucnv_open(name, &error);
    ucnv_setToUCallBack(converter, NoteAndSubstitute, &replaced, nullptr, nullptr, &error);
    if (U_FAILURE(error)) Close();
  }
  ~IcuConverter() { Close(); }
  IcuConverter(const IcuConverter&) = delete;
  IcuConverter& operator=(const IcuConverter&) = delete;

  void Close() {
    if (converter != nullptr) ucnv_close(converter);
    converter = nullptr;
  }

  Converted Convert(std::string_view text, char* out);
  // `text` as ICU reads it.
  char* ConvertPiece(std::string_view text, char* out);
};

TextConverter::Converted TextConverter::IcuConverter::Convert(std::string_view text, char* out) {
  replaced = false;
  size_t begin = 0;  // of what is not yet converted
  for (size_t at = 0; at < text.size() && !runs.empty();) {
    const size_t size = SizeOfCharacter(layout, text.substr(at));
    const UChar32 code_point = CodePointIn(runs, text.substr(at, size));
    if (code_point != kNothing) {
      out = ConvertPiece(text.substr(begin, at - begin), out);
      out = AppendCodePoint(code_point, out);
      begin = at + size;
    }
    at += size;
  }
  return {ConvertPiece(text.substr(begin), out), replaced};
}

char* TextConverter::IcuConverter::ConvertPiece(std::string_view text, char* out) {
  ucnv_resetToUnicode(converter);
  const char* at = text.data();
  const char* const end = at + text.size();
  UChar32 lead = 0;  // a high surrogate whose other half is in the next piece
  UErrorCode error = text.empty() ? U_ZERO_ERROR : U_BUFFER_OVERFLOW_ERROR;
  while (error == U_BUFFER_OVERFLOW_ERROR) {
    UChar units[512];
    UChar* unit = units;
    error = U_ZERO_ERROR;
    ucnv_toUnicode(converter, &unit, std::end(units), &at, end, nullptr, /*flush=*/true, &error);
    for (const UChar* u = units; u != unit; ++u) {
      if (U16_IS_LEAD(*u)) {
        lead = *u;
      } else if (U16_IS_TRAIL(*u)) {
        out = AppendCodePoint(U16_GET_SUPPLEMENTARY(lead, *u), out);
      } else {
        out = AppendCodePoint(*u, out);
      }
    }
  }
  replaced = replaced || U_FAILURE(error);
  return out;
}

const TextConverter::Definition* TextConverter::Find(std::string_view character_set) {
  static constexpr Definition kDefinitions[] = {
      {"latin1", Form::kSingleByte, true, "windows-1252"},
      {"ascii", Form::kSingleByte, true, "US-ASCII"},
      {"ucs2", Form::kMultiByte, false, "UTF-16BE"},
      {"utf16", Form::kMultiByte, false, "UTF-16BE"},
      {"utf16le", Form::kMultiByte, false, "UTF-16LE"},
      {"utf32", Form::kMultiByte, false, "UTF-32BE"},
      {"gbk", Form::kMultiByte, true, "windows-936-2000"},
      {"gb18030", Form::kMultiByte, true, "gb18030"},
      {"gb2312", Form::kMultiByte, true, "ibm-1383_P110-1999", nullptr, Layout::kEuc},
      {"big5", Form::kMultiByte, true, "ibm-1375_P100-2008", nullptr, Layout::kBig5},
      {"sjis", Form::kMultiByte, true, "ibm-943_P15A-2003", nullptr, Layout::kShiftJis},
      {"cp932", Form::kMultiByte, true, "ibm-943_P15A-2003", nullptr, Layout::kShiftJis},
      {"ujis", Form::kMultiByte, true, "ibm-954_P101-2007", nullptr, Layout::kEuc},
      {"eucjpms", Form::kMultiByte, true, "euc-jp-2007", nullptr, Layout::kEuc},
      {"euckr", Form::kMultiByte, true, "windows-949-2000"},
      {"koi8r", Form::kSingleByte, true, "KOI8-R"},
      {"koi8u", Form::kSingleByte, true, "KOI8-U"},
      {"greek", Form::kSingleByte, true, "ISO-8859-7"},
      {"hebrew", Form::kSingleByte, true, "ISO-8859-8"},
      {"cp1250", Form::kSingleByte, true, "windows-1250"},
      {"cp1251", Form::kSingleByte, true, "windows-1251"},
      {"cp1256", Form::kSingleByte, true, "windows-1256"},
      {"cp1257", Form::kSingleByte, true, "windows-1257"},
      {"cp850", Form::kSingleByte, true, "cp850"},
      {"cp852", Form::kSingleByte, true, "cp852"},
      {"cp866", Form::kSingleByte, true, "cp866"},
      {"tis620", Form::kSingleByte, true, "ISO-8859-11"},
      {"macroman", Form::kSingleByte, true, "macintosh"},
      {"macce", Form::kSingleByte, true, "x-mac-ce"},
      {"latin2", Form::kSingleByte, true, "ISO-8859-2"},
      {"latin5", Form::kSingleByte, true, "ISO-8859-9"},
      {"latin7", Form::kSingleByte, true, "ISO-8859-13"},
      {"hp8", Form::kSingleByte, true, "ibm-1051_P100-1995"},
      {"armscii8", Form::kSingleByte, true, "US-ASCII", &kArmscii8},
      {"geostd8", Form::kSingleByte, true, "US-ASCII", &kGeostd8},
      {"dec8", Form::kSingleByte, true, "US-ASCII", &kDec8},
      {"keybcs2", Form::kSingleByte, true, "US-ASCII", &kKeybcs2},
      {"swe7", Form::kSingleByte, false, "US-ASCII"},
  };
  for (const Definition& definition : kDefinitions) {
    if (absl::EqualsIgnoreCase(text::AbslView(definition.name), text::AbslView(character_set))) {
      return &definition;
    }
  }
  return nullptr;
}

TextConverter::Table TextConverter::MakeTable(const Definition& definition) {
  Table table = {};
  const auto set = [&](size_t byte, UChar32 code_point) {
    char* const bytes = table[byte].bytes;
    const char* end = code_point == kNothing ? bytes : AppendCodePoint(code_point, bytes);
    table[byte].length = static_cast<uint8_t>(end - bytes);
  };
  IcuConverter icu(definition.icu_name);
  for (size_t byte = 0; byte < table.size() && icu.converter != nullptr; ++byte) {
    const char text = static_cast<char>(byte);
    char utf8[16];
    const Converted converted = icu.Convert({&text, 1}, utf8);
    const auto length = static_cast<size_t>(converted.end - utf8);
    if (converted.replaced || length > sizeof(table[byte].bytes)) continue;
    table[byte].length = static_cast<uint8_t>(length);
    std::copy(utf8, utf8 + length, table[byte].bytes);
  }
  if (definition.upper_half != nullptr) {
    for (size_t i = 0; i < definition.upper_half->size(); ++i) {
      set(0x80 + i, (*definition.upper_half)[i]);
    }
  }
  for (const ByteOverride& o : kByteOverrides) {
    if (o.character_set == definition.name) set(o.byte, o.code_point);
  }
  return table;
}

const TextConverter::Table& TextConverter::TableOf(const Definition& definition) {
  static std::mutex mutex;
  static auto& tables = *new std::map<const Definition*, Table>;
  const std::lock_guard lock(mutex);
  const auto found = tables.find(&definition);
  if (found != tables.end()) return found->second;
  return tables.emplace(&definition, MakeTable(definition)).first->second;
}

TextConverter::TextConverter(std::string_view character_set) {
  const Definition* definition = Find(character_set);
  if (definition == nullptr) return;
  keeps_ascii_ = definition->keeps_ascii;
  if (definition->form == Form::kSingleByte) {
    form_ = Form::kSingleByte;
    table_ = &TableOf(*definition);
    return;
  }
  auto icu = std::make_unique<IcuConverter>(definition->icu_name);
  if (icu->converter == nullptr) return;
  icu->layout = definition->layout;
  icu->runs = RunsOf(definition->name);
  form_ = Form::kMultiByte;
  icu_ = std::move(icu);
}

TextConverter::TextConverter(TextConverter&&) noexcept = default;
TextConverter& TextConverter::operator=(TextConverter&&) noexcept = default;
TextConverter::~TextConverter() = default;

TextConverter::Converted TextConverter::ConvertSingleByte(std::string_view text, char* out) const {
  bool replaced = false;
  for (const char c : text) {
    const Utf8Character& character = (*table_)[static_cast<uint8_t>(c)];
    if (character.length == 0) {
      std::memcpy(out, kReplacement.data(), kReplacement.size());
      out += kReplacement.size();
      replaced = true;
    } else {
      std::memcpy(out, character.bytes, sizeof(character.bytes));
      out += character.length;
    }
  }
  return {out, replaced};
}

TextConverter::Converted TextConverter::Convert(std::string_view text, char* out) {
  switch (form_) {
    case Form::kUtf8: {
      const bool valid = IsValidUtf8(text);
      if (!valid) return {ReplaceInvalidUtf8(text, out), true};
      return {std::copy(text.begin(), text.end(), out), false};
    }
    case Form::kSingleByte:
      return ConvertSingleByte(text, out);
    case Form::kMultiByte:
      return icu_->Convert(text, out);
  }
  return {out, false};
}

}  // namespace source_vitess::mysql
