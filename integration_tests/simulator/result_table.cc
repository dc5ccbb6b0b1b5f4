#include "simulator/result_table.h"

#include <algorithm>
#include <vector>

#include "simulator/charset.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

using Line = std::vector<std::string>;

std::string Printable(std::string_view text) {
  std::string printable;
  for (const char c : text) {
    const bool control = static_cast<unsigned char>(c) < 0x20;
    if (control) {
      CatTo(&printable, "\\x", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    } else {
      printable += c;
    }
  }
  return printable;
}

Line CellsOf(const query::Row& row) {
  Line cells;
  size_t offset = 0;
  for (const int64_t length : row.lengths()) {
    if (length < 0) {
      cells.push_back("NULL");
      continue;
    }
    const auto size = static_cast<size_t>(length);
    cells.push_back(Printable(std::string_view(row.values()).substr(offset, size)));
    offset += size;
  }
  return cells;
}

size_t Width(const std::string& cell) { return CountCharacters(cell, "utf8mb4"); }

void Append(const Line& line, const std::vector<size_t>& widths, std::string& out) {
  for (size_t i = 0; i < line.size(); ++i) {
    const bool last = i + 1 == line.size();
    CatTo(&out, line[i], last ? "" : std::string(widths[i] - Width(line[i]) + 2, ' '));
  }
  out += '\n';
}

}  // namespace

std::string ResultTable(const query::QueryResult& result) {
  if (result.fields().empty()) return Cat(result.rows_affected(), " rows affected\n");
  Line head;
  for (const query::Field& field : result.fields()) head.push_back(field.name());
  std::vector<Line> lines = {head, Line(head.size())};
  for (const query::Row& row : result.rows()) lines.push_back(CellsOf(row));
  std::vector<size_t> widths(head.size());
  for (const Line& line : lines) {
    for (size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], Width(line[i]));
  }
  for (size_t i = 0; i < widths.size(); ++i) lines[1][i] = std::string(widths[i], '-');
  std::string out;
  for (const Line& line : lines) Append(line, widths, out);
  return out;
}

}  // namespace source_vitess::simulator
