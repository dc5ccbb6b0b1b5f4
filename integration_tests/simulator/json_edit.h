// MySQL's functions that change a JSON document, and the differences that its binary log has in
// place of a changed document (binlog_row_value_options=PARTIAL_JSON).
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_JSON_EDIT_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_JSON_EDIT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace source_vitess::simulator {

struct JsonEdit {
  enum class Kind { kSet, kInsert, kReplace, kRemove, kArrayAppend };
  Kind kind = Kind::kSet;
  std::string path;   // $, then .member, ."member" and [place]
  std::string value;  // a JSON text; not looked at by kRemove
};

// The kind that a function's name in lower case stands for ("json_set"); none if it stands for
// none.
std::optional<JsonEdit::Kind> FindJsonEdit(std::string_view function);

// Whether MySQL logs the edit as a difference: only those of JSON_SET, JSON_REPLACE and
// JSON_REMOVE (recording noblob-partial-json).
bool IsLoggedAsDifference(JsonEdit::Kind kind);

// A document under way, and the differences that led to it.
struct EditedJson {
  std::string document;           // normalized
  std::string difference = "%s";  // as Vitess writes it: "JSON_REMOVE(%s, _utf8mb4'$.a')"
  size_t bytes = 0;               // what the differences take in the binary log, about
};

// Changes `json` as MySQL would; a path that the edit does not apply to changes nothing. Fails with
// errno 3143 on a path of another form.
absl::Status ApplyJsonEdit(const JsonEdit& edit, EditedJson& json);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_JSON_EDIT_H_
