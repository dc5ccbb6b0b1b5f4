#include "simulator/charset.h"

#include <unicode/coll.h>
#include <unicode/sortkey.h>
#include <unicode/ucnv.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>

#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

// The first collation of each character set is its default.
constexpr std::array<Collation, 37> kCollations = {{
    {"utf8mb4_0900_ai_ci", "utf8mb4", 255, true},
    {"utf8mb4_general_ci", "utf8mb4", 45, true},
    {"utf8mb4_bin", "utf8mb4", 46, true},
    {"utf8mb4_unicode_ci", "utf8mb4", 224, true},
    {"utf8mb4_unicode_520_ci", "utf8mb4", 246, true},
    {"utf8mb4_0900_as_cs", "utf8mb4", 278, true},
    {"utf8mb4_0900_as_ci", "utf8mb4", 305, true},
    {"utf8mb4_0900_bin", "utf8mb4", 309, true},
    {"utf8mb3_general_ci", "utf8mb3", 33, true},
    {"utf8mb3_bin", "utf8mb3", 83, true},
    {"utf8mb3_unicode_ci", "utf8mb3", 192, true},
    {"utf8_general_ci", "utf8mb3", 33, true},
    {"utf8_bin", "utf8mb3", 83, true},
    {"latin1_swedish_ci", "latin1", 8, true},
    {"latin1_bin", "latin1", 47, true},
    {"latin1_general_ci", "latin1", 48, true},
    {"latin1_general_cs", "latin1", 49, true},
    {"ascii_general_ci", "ascii", 11, true},
    {"ascii_bin", "ascii", 65, true},
    {"utf16_general_ci", "utf16", 54, true},
    {"utf16_bin", "utf16", 55, true},
    {"utf16le_general_ci", "utf16le", 56, true},
    {"utf32_general_ci", "utf32", 60, true},
    {"utf32_bin", "utf32", 61, true},
    {"ucs2_general_ci", "ucs2", 35, true},
    {"ucs2_bin", "ucs2", 90, true},
    {"sjis_japanese_ci", "sjis", 13, true},
    {"ujis_japanese_ci", "ujis", 12, true},
    {"cp932_japanese_ci", "cp932", 95, true},
    {"euckr_korean_ci", "euckr", 19, true},
    {"gb2312_chinese_ci", "gb2312", 24, true},
    {"gbk_chinese_ci", "gbk", 28, false},
    {"gb18030_chinese_ci", "gb18030", 248, true},
    {"big5_chinese_ci", "big5", 1, false},
    {"cp1251_general_ci", "cp1251", 51, true},
    {"koi8r_general_ci", "koi8r", 7, true},
    {"binary", "binary", kBinaryCollationId, true},
}};

// What ICU calls a character set of MySQL's; MySQL's latin1 is Windows's.
const char* IcuName(std::string_view charset) {
  static constexpr std::array<std::pair<std::string_view, const char*>, 17> kNames = {{
      {"utf8mb4", "UTF-8"},
      {"utf8mb3", "UTF-8"},
      {"latin1", "windows-1252"},
      {"ascii", "US-ASCII"},
      {"utf16", "UTF-16BE"},
      {"utf16le", "UTF-16LE"},
      {"utf32", "UTF-32BE"},
      {"ucs2", "UTF-16BE"},
      {"sjis", "Shift_JIS"},
      {"ujis", "EUC-JP"},
      {"cp932", "windows-31j"},
      {"euckr", "EUC-KR"},
      {"gb2312", "GB2312"},
      {"gbk", "GBK"},
      {"gb18030", "gb18030"},
      {"big5", "Big5"},
      {"koi8r", "KOI8-R"},
  }};
  for (const auto& [mysql, icu] : kNames) {
    if (mysql == charset) return icu;
  }
  return charset == "cp1251" ? "windows-1251" : "UTF-8";
}

icu::UnicodeString ToUnicode(std::string_view bytes, std::string_view charset) {
  return icu::UnicodeString(bytes.data(), static_cast<int32_t>(bytes.size()), IcuName(charset));
}

bool IsUtf8(std::string_view charset) { return charset == "utf8mb4" || charset == "utf8mb3"; }

// Compares by primary differences only, or by all.
const icu::Collator& RootCollator(bool case_sensitive) {
  const auto make = [](icu::Collator::ECollationStrength strength) {
    UErrorCode error = U_ZERO_ERROR;
    std::unique_ptr<icu::Collator> collator(
        icu::Collator::createInstance(icu::Locale::getRoot(), error));
    collator->setStrength(strength);
    return collator;
  };
  static const std::unique_ptr<icu::Collator> kInsensitive = make(icu::Collator::PRIMARY);
  static const std::unique_ptr<icu::Collator> kSensitive = make(icu::Collator::TERTIARY);
  return case_sensitive ? *kSensitive : *kInsensitive;
}

}  // namespace

const Collation* FindCollation(std::string_view name) {
  const auto* found =
      std::find_if(kCollations.begin(), kCollations.end(),
                   [&](const Collation& collation) { return collation.name == name; });
  return found == kCollations.end() ? nullptr : found;
}

const Collation* DefaultCollation(std::string_view charset) {
  if (charset == "utf8") charset = "utf8mb3";
  const auto* found =
      std::find_if(kCollations.begin(), kCollations.end(),
                   [&](const Collation& collation) { return collation.charset == charset; });
  return found == kCollations.end() ? nullptr : found;
}

absl::StatusOr<std::string> EncodeText(std::string_view utf8, std::string_view charset) {
  if (charset == "binary" || IsUtf8(charset)) return std::string(utf8);
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UConverter, decltype(&ucnv_close)> converter(
      ucnv_open(IcuName(charset), &error), &ucnv_close);
  ucnv_setFromUCallBack(converter.get(), UCNV_FROM_U_CALLBACK_STOP, nullptr, nullptr, nullptr,
                        &error);
  const icu::UnicodeString text =
      icu::UnicodeString::fromUTF8({utf8.data(), static_cast<int32_t>(utf8.size())});
  std::string bytes(static_cast<size_t>(text.length()) * 4 + 4, '\0');
  const int32_t size =
      ucnv_fromUChars(converter.get(), bytes.data(), static_cast<int32_t>(bytes.size()),
                      text.getBuffer(), text.length(), &error);
  if (U_FAILURE(error)) {
    return absl::InvalidArgumentError(Cat("Incorrect string value for character set ", charset));
  }
  bytes.resize(static_cast<size_t>(size));
  return bytes;
}

std::string DecodeText(std::string_view bytes, std::string_view charset) {
  if (charset == "binary" || IsUtf8(charset)) return std::string(bytes);
  std::string utf8;
  ToUnicode(bytes, charset).toUTF8String(utf8);
  return utf8;
}

std::string CollationKey(std::string_view bytes, const Collation& collation) {
  if (collation.charset == "binary") return std::string(bytes);
  if (!Contains(collation.name, "0900")) {
    while (!bytes.empty() && bytes.back() == ' ') bytes.remove_suffix(1);
  }
  if (EndsWith(collation.name, "_bin")) return DecodeText(bytes, collation.charset);
  const icu::Collator& collator = RootCollator(EndsWith(collation.name, "_cs"));
  const icu::UnicodeString text = ToUnicode(bytes, collation.charset);
  std::string key(static_cast<size_t>(text.length()) * 4 + 16, '\0');
  int32_t size = collator.getSortKey(text, reinterpret_cast<uint8_t*>(key.data()),
                                     static_cast<int32_t>(key.size()));
  if (static_cast<size_t>(size) > key.size()) {
    key.resize(static_cast<size_t>(size));
    size = collator.getSortKey(text, reinterpret_cast<uint8_t*>(key.data()), size);
  }
  key.resize(static_cast<size_t>(size));
  return key;
}

size_t CountCharacters(std::string_view bytes, std::string_view charset) {
  if (charset == "binary") return bytes.size();
  return static_cast<size_t>(ToUnicode(bytes, charset).countChar32());
}

}  // namespace source_vitess::simulator
