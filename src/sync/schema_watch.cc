#include "sync/schema_watch.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "text/absl_view.h"
#include "vitess/errors.h"

namespace source_vitess::sync {
namespace {

using text::AbslView;

bool Contains(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// "varchar" of "varchar(20) character set x".
std::string_view BaseType(std::string_view type) {
  return type.substr(0, type.find_first_of("( "));
}

// Of "enum('a','b''c')": a, b'c. Types of information_schema double the quotes within labels.
std::vector<std::string> Labels(std::string_view type) {
  std::vector<std::string> labels;
  bool within = false;
  for (size_t i = 0; i < type.size(); ++i) {
    if (!within) {
      if (type[i] != '\'') continue;
      within = true;
      labels.emplace_back();
    } else if (type[i] != '\'') {
      labels.back().push_back(type[i]);
    } else if (type.substr(i + 1).starts_with('\'')) {
      labels.back().push_back(type[++i]);
    } else {
      within = false;
    }
  }
  return labels;
}

std::string Describe(const std::vector<PositionColumn>& columns, size_t place) {
  if (place == columns.size()) return "nothing";
  return absl::StrCat(columns[place].name, " ", columns[place].type);
}

// The first column in which they differ.
std::string Difference(const std::vector<PositionColumn>& known,
                       const std::vector<PositionColumn>& told) {
  const auto [known_end, told_end] =
      std::mismatch(known.begin(), known.end(), told.begin(), told.end(),
                    [](const PositionColumn& before, const PositionColumn& now) {
                      return before.name == now.name && ReadsAs(before.type, now.type);
                    });
  const auto place = static_cast<size_t>(known_end - known.begin());
  return absl::StrCat("its column ", place + 1, " was ", Describe(known, place),
                      ", and Vitess says ", Describe(told, place));
}

bool Fits(const std::vector<PositionColumn>& known, const std::vector<PositionColumn>& told) {
  return std::equal(known.begin(), known.end(), told.begin(), told.end(),
                    [](const PositionColumn& before, const PositionColumn& now) {
                      return before.name == now.name && ReadsAs(before.type, now.type);
                    });
}

}  // namespace

bool ReadsAs(std::string_view before, std::string_view now) {
  // A server may not tell; then there is nothing to compare.
  if (before == now || before.empty() || now.empty()) return true;
  const std::string_view before_base = BaseType(before);
  const std::string_view now_base = BaseType(now);
  if (before_base == "enum" || before_base == "set") {
    if (before_base != now_base) return false;
    // Rows hold ordinals, or bits, of the list that there was: labels behind it move none.
    const std::vector<std::string> old_labels = Labels(before);
    const std::vector<std::string> labels = Labels(now);
    return old_labels.size() <= labels.size() &&
           std::equal(old_labels.begin(), old_labels.end(), labels.begin());
  }
  if (absl::StrContains(AbslView(before), "unsigned") !=
      absl::StrContains(AbslView(now), "unsigned")) {
    return false;
  }
  if (before_base == now_base) return true;
  constexpr std::array<std::string_view, 5> kIntegers = {"tinyint", "smallint", "mediumint", "int",
                                                         "bigint"};
  constexpr std::array<std::string_view, 6> kTexts = {"char", "varchar",    "tinytext",
                                                      "text", "mediumtext", "longtext"};
  return (Contains(kIntegers, before_base) && Contains(kIntegers, now_base)) ||
         (Contains(kTexts, before_base) && Contains(kTexts, now_base));
}

absl::Status SchemaWatch::Changes(const binlogdata::FieldEvent& event,
                                  const std::vector<std::string>& asked) {
  if (known_ == nullptr) {
    Learn(event, asked);
    return absl::OkStatus();
  }
  std::vector<PositionColumn> expected;
  for (const PositionColumn& column : *known_) {
    if (asked.empty() || std::find(asked.begin(), asked.end(), column.name) != asked.end()) {
      expected.push_back(column);
    }
  }
  std::vector<PositionColumn> told;
  for (const query::Field& field : event.fields()) {
    told.push_back({field.name(), field.column_type()});
  }
  if (told == expected) return absl::OkStatus();
  if (Fits(expected, told)) {
    Learn(event, asked);
    return absl::OkStatus();
  }
  return vitess::LostPositionError(absl::StrCat(
      "the schema of the table was changed before all the rows that were written under the old one "
      "were read, and Vitess gives these the columns of the new one (",
      Difference(expected, told),
      "); sync more often than the schema changes, or let Vitess keep old schemas "
      "(vttablet --track-schema-versions)"));
}

void SchemaWatch::Copy(const binlogdata::FieldEvent& event, const std::vector<std::string>& asked) {
  Learn(event, asked);
}

void SchemaWatch::Altered() {
  if (known_ == nullptr) return;
  known_ = nullptr;
  changed_ = true;
}

// A part of the columns says nothing about the others.
void SchemaWatch::Learn(const binlogdata::FieldEvent& event,
                        const std::vector<std::string>& asked) {
  if (!asked.empty()) return Altered();
  auto columns = std::make_shared<std::vector<PositionColumn>>();
  for (const query::Field& field : event.fields()) {
    columns->push_back({field.name(), field.column_type()});
  }
  if (known_ != nullptr && *known_ == *columns) return;
  known_ = std::move(columns);
  changed_ = true;
}

}  // namespace source_vitess::sync
