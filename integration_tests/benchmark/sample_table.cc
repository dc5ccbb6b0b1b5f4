#include "benchmark/sample_table.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace source_vitess::benchmark {
namespace {

constexpr uint32_t kUtf8mb4 = 255;
constexpr uint32_t kBinary = 63;

// NOT NULL, primary key, numeric: as in the recordings' FIELD events.
constexpr uint32_t kKeyFlags = 53251;
constexpr uint32_t kNumberFlags = 32768;

constexpr std::array kColumns = {
    SampleColumn{"id", "bigint", "bigint", query::INT64, 20, kBinary, 0, kKeyFlags, false, false},
    SampleColumn{"customer_id", "bigint", "bigint", query::INT64, 20, kBinary, 0, 36865, false,
                 false},
    SampleColumn{"sku", "varchar(32)", "varchar", query::VARCHAR, 128, kUtf8mb4, 0, 4097, true,
                 false},
    SampleColumn{"email", "varchar(128)", "varchar", query::VARCHAR, 512, kUtf8mb4, 0, 0, true,
                 true},
    SampleColumn{"quantity", "int", "int", query::INT32, 11, kBinary, 0, kNumberFlags, false, true},
    SampleColumn{"price", "decimal(12,2)", "decimal", query::DECIMAL, 14, kBinary, 2, kNumberFlags,
                 false, true},
    SampleColumn{"weight", "double", "double", query::FLOAT64, 22, kBinary, 31, kNumberFlags, false,
                 true},
    SampleColumn{"note", "varchar(512)", "varchar", query::VARCHAR, 2048, kUtf8mb4, 0, 0, true,
                 true},
    SampleColumn{"created_at", "timestamp", "timestamp", query::TIMESTAMP, 19, kBinary, 0, 1153,
                 false, false},
};

constexpr std::array kWords = {
    "parcel", "leave",   "with",    "the",  "neighbour", "second",  "floor",   "please", "call",
    "before", "ringing", "gift",    "wrap", "in",        "paper",   "fragile", "glass",  "upright",
    "keep",   "dry",     "invoice", "to",   "office",    "reorder", "of",      "last",   "month"};

constexpr std::array kForeignWords = {"café", "Zürich", "señor", "東京", "Łódź"};
constexpr std::array kEscapedWords = {"\"today\"", "back\\slash", "line\nbreak", "tab\there"};

// A double as the form has it: 12.375, or 1.2375E+01.
std::string DoubleText(double value, RowForm form) {
  std::array<char, 32> text;
  const auto format =
      form == RowForm::kCopy ? std::chars_format::fixed : std::chars_format::scientific;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, format).ptr;
  std::string result(text.data(), end);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return result;
}

void AddCell(query::Row& row, const std::optional<std::string>& cell) {
  row.add_lengths(cell.has_value() ? static_cast<int64_t>(cell->size()) : -1);
  if (cell.has_value()) row.mutable_values()->append(*cell);
}

}  // namespace

std::span<const SampleColumn> SampleColumns() { return kColumns; }

uint64_t SampleRows::Number(uint64_t least, uint64_t most) {
  return least + random_() % (most - least + 1);
}

std::string SampleRows::Note() {
  const size_t size = Number(150, 288);
  const bool foreign = Number(1, 4) == 1;
  const bool escaped = Number(1, 8) == 1;
  std::string note;
  while (note.size() < size) {
    if (!note.empty()) note += ' ';
    if (foreign && Number(1, 8) == 1) {
      note += kForeignWords[Number(0, kForeignWords.size() - 1)];
    } else if (escaped && Number(1, 8) == 1) {
      note += kEscapedWords[Number(0, kEscapedWords.size() - 1)];
    } else {
      note += kWords[Number(0, kWords.size() - 1)];
    }
  }
  return note;
}

query::Row SampleRows::Next(std::string_view key) {
  query::Row row;
  AddCell(row, std::string(key));
  const uint64_t customer = Number(1, 9'999'999);
  AddCell(row, absl::StrCat(customer));
  AddCell(row, absl::StrFormat("SKU-%08d", Number(0, 99'999'999)));
  AddCell(row, absl::StrCat("customer.", customer, "@mail.example.com"));
  AddCell(row, Number(1, 16) == 1 ? std::nullopt : std::optional(absl::StrCat(Number(1, 250))));
  AddCell(row, absl::StrFormat("%d.%02d", Number(1, 99'999), Number(0, 99)));
  AddCell(row, DoubleText(static_cast<double>(Number(1, 80'000)) / 8, form_));
  AddCell(row, Number(1, 32) == 1 ? std::nullopt : std::optional(Note()));
  AddCell(row, absl::StrFormat("2026-%02d-%02d %02d:%02d:%02d", Number(1, 12), Number(1, 28),
                               Number(0, 23), Number(0, 59), Number(0, 59)));
  return row;
}

}  // namespace source_vitess::benchmark
