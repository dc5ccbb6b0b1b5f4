// Splits MySQL's SQL into tokens.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_SQL_TOKENIZER_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_SQL_TOKENIZER_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace source_vitess::simulator {

struct Token {
  enum class Kind {
    kWord,        // an unquoted name or keyword, as written
    kQuotedName,  // `name`, without its quotes
    kString,      // 'text' or "text", unescaped
    kNumber,      // as written
    kBytes,       // x'..', 0x.. or b'..', decoded
    kSymbol,      // operators and punctuation
    kVariable,    // @@global.name, as written
    kBind,        // :name, without the colon
    kEnd,
  };
  Kind kind = Kind::kEnd;
  std::string text;
  // Where it stands in the statement: [begin, end).
  size_t begin = 0;
  size_t end = 0;
};

// The tokens of `sql`, the last one of kind kEnd. Comments are left out, but the content of
// /*!80000 ... */ counts, and a character set in front of a literal (_utf8mb4'x') is dropped. Fails
// on an unterminated literal or comment.
absl::StatusOr<std::vector<Token>> Tokenize(std::string_view sql);

// The statements of a script, divided at semicolons, without leading and trailing comments and
// blanks. The views point into `script`.
absl::StatusOr<std::vector<std::string_view>> SplitStatements(std::string_view script);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_SQL_TOKENIZER_H_
