#include "mysql/ddl_statement.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "text/absl_view.h"

namespace source_vitess::mysql {
namespace {

using text::AbslView;

struct Token {
  enum class Kind { kEnd, kWord, kQuoted, kSymbol };
  Kind kind = Kind::kEnd;
  std::string text;  // of kQuoted: the name within the backticks

  bool Is(std::string_view keyword) const {
    return kind == Kind::kWord && absl::EqualsIgnoreCase(text, AbslView(keyword));
  }
  bool IsSymbol(char symbol) const { return kind == Kind::kSymbol && text[0] == symbol; }
  bool IsName() const { return kind == Kind::kWord || kind == Kind::kQuoted; }
};

bool IsWordByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return absl::ascii_isalnum(byte) || c == '_' || c == '$' || byte >= 0x80;
}

class Tokens {
 public:
  explicit Tokens(std::string_view statement) : rest_(statement) { Advance(); }

  const Token& peek() const { return token_; }
  Token Take() {
    Token token = std::move(token_);
    Advance();
    return token;
  }
  bool TakeWord(std::string_view keyword) {
    if (!token_.Is(keyword)) return false;
    Advance();
    return true;
  }
  bool TakeSymbol(char symbol) {
    if (!token_.IsSymbol(symbol)) return false;
    Advance();
    return true;
  }
  // A table's name without its database; empty when there is none.
  std::string TakeTable() {
    if (!token_.IsName()) return "";
    std::string name = Take().text;
    if (!TakeSymbol('.')) return name;
    return token_.IsName() ? Take().text : "";
  }

 private:
  void Advance() {
    SkipBlanks();
    token_ = Token();
    if (rest_.empty()) return;
    const char first = rest_.front();
    if (first == '`') return TakeQuoted();
    if (first == '\'' || first == '"') return SkipText(first);
    size_t length = 0;
    while (length < rest_.size() && IsWordByte(rest_[length])) ++length;
    token_.kind = length > 0 ? Token::Kind::kWord : Token::Kind::kSymbol;
    token_.text = rest_.substr(0, std::max<size_t>(length, 1));
    rest_.remove_prefix(token_.text.size());
  }

  // What an executable comment, /*!80000 ... */, holds is part of the statement.
  void SkipBlanks() {
    for (;;) {
      while (!rest_.empty() && absl::ascii_isspace(static_cast<unsigned char>(rest_.front()))) {
        rest_.remove_prefix(1);
      }
      if (rest_.starts_with("/*!")) {
        rest_.remove_prefix(3);
        while (!rest_.empty() && absl::ascii_isdigit(static_cast<unsigned char>(rest_.front()))) {
          rest_.remove_prefix(1);
        }
      } else if (rest_.starts_with("/*")) {
        SkipBehind("*/", 2);
      } else if (rest_.starts_with("*/")) {
        rest_.remove_prefix(2);
      } else if (rest_.starts_with("-- ") || rest_.starts_with("#")) {
        SkipBehind("\n", 1);
      } else {
        return;
      }
    }
  }

  void SkipBehind(std::string_view end, size_t from) {
    const size_t at = rest_.find(end, from);
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + end.size());
  }

  void TakeQuoted() {
    token_.kind = Token::Kind::kQuoted;
    size_t i = 1;
    for (; i < rest_.size(); ++i) {
      if (rest_[i] == '`') {
        if (i + 1 == rest_.size() || rest_[i + 1] != '`') break;
        ++i;
      }
      token_.text.push_back(rest_[i]);
    }
    rest_.remove_prefix(std::min(i + 1, rest_.size()));
  }

  // A text says nothing about tables; it stands as one symbol.
  void SkipText(char quote) {
    size_t i = 1;
    for (; i < rest_.size() && rest_[i] != quote; ++i) {
      if (rest_[i] == '\\') ++i;
    }
    rest_.remove_prefix(std::min(i + 1, rest_.size()));
    token_.kind = Token::Kind::kSymbol;
    token_.text = quote;
  }

  std::string_view rest_;
  Token token_;
};

void TakeIfExists(Tokens& tokens) {
  if (!tokens.TakeWord("if")) return;
  tokens.TakeWord("not");
  tokens.TakeWord("exists");
}

// "_6ace8bce_f737_11ea_87e9_f875a4d24e90_20200915120410_", what Vitess 7 to 18 put before a suffix
// (Vitess go/vt/schema/online_ddl.go: onlineDDLGeneratedTableNameRegexp).
bool IsMigrationName(std::string_view name) {
  constexpr std::string_view kForm = "_xxxxxxxx_xxxx_xxxx_xxxx_xxxxxxxxxxxx_xxxxxxxxxxxxxx_";
  return name.size() >= kForm.size() &&
         std::equal(kForm.begin(), kForm.end(), name.begin(), [](char form, char c) {
           return form == c || (form == 'x' && absl::ascii_isxdigit(static_cast<unsigned char>(c)));
         });
}

// Whether a tool for online schema changes filled table `name`, which takes the place of `table`,
// with the rows of `table`: gh-ost, pt-online-schema-change, which puts more underscores before a
// name that is taken, and Vitess.
bool IsShadowOf(std::string_view name, std::string_view table) {
  constexpr size_t kLongestName = 64;
  if (name.starts_with("_vt_")) return true;
  for (const std::string_view suffix : {"_vrepl", "_gho", "_new"}) {
    if (!name.starts_with('_') || !name.ends_with(suffix)) continue;
    if (IsMigrationName(name)) return true;
    std::string_view of = name.substr(0, name.size() - suffix.size());
    while (of.starts_with('_') && of != table) of.remove_prefix(1);
    // gh-ost cuts a name that becomes too long.
    if (of == table || (name.size() == kLongestName && table.starts_with(of))) return true;
  }
  return false;
}

// A table that takes the place of another brings rows of which no change told, unless it is the
// shadow of that other one.
TableEffect EffectOfRename(Tokens& tokens, std::string_view table) {
  bool touched = false;
  std::vector<std::pair<std::string, std::string>> moved;  // names: now, and before the statement
  do {
    const std::string from = tokens.TakeTable();
    if (!tokens.TakeWord("to") && !tokens.TakeWord("as")) break;
    const std::string to = tokens.TakeTable();
    touched = touched || from == table || to == table;
    const auto it = std::find_if(moved.begin(), moved.end(),
                                 [&](const auto& names) { return names.first == from; });
    if (it != moved.end()) {
      it->first = to;
    } else {
      moved.emplace_back(to, from);
    }
  } while (tokens.TakeSymbol(','));
  if (!touched) return TableEffect::kNone;
  const bool in_place = std::any_of(moved.begin(), moved.end(), [&](const auto& names) {
    return names.first == table && (names.second == table || IsShadowOf(names.second, table));
  });
  return in_place ? TableEffect::kAltered : TableEffect::kGone;
}

TableEffect EffectOfDrop(Tokens& tokens, std::string_view table) {
  tokens.TakeWord("temporary");
  if (tokens.TakeWord("index")) {
    tokens.TakeTable();
    return tokens.TakeWord("on") && tokens.TakeTable() == table ? TableEffect::kAltered
                                                                : TableEffect::kNone;
  }
  if (!tokens.TakeWord("table") && !tokens.TakeWord("tables")) return TableEffect::kNone;
  TakeIfExists(tokens);
  do {
    if (tokens.TakeTable() == table) return TableEffect::kGone;
  } while (tokens.TakeSymbol(','));
  return TableEffect::kNone;
}

TableEffect EffectOfCreate(Tokens& tokens, std::string_view table) {
  if (tokens.TakeWord("temporary")) return TableEffect::kNone;
  if (tokens.TakeWord("table")) {
    TakeIfExists(tokens);
    return tokens.TakeTable() == table ? TableEffect::kAltered : TableEffect::kNone;
  }
  while (tokens.TakeWord("unique") || tokens.TakeWord("fulltext") || tokens.TakeWord("spatial")) {
  }
  if (!tokens.TakeWord("index")) return TableEffect::kNone;
  while (tokens.peek().kind != Token::Kind::kEnd && !tokens.TakeWord("on")) tokens.Take();
  return tokens.TakeTable() == table ? TableEffect::kAltered : TableEffect::kNone;
}

// RENAME of a part, not of the table.
bool IsPartOfTable(const Token& token) {
  return token.Is("column") || token.Is("index") || token.Is("key");
}

// On the table whose rows change places with those of another one's partition.
TableEffect EffectOfExchange(Tokens& tokens, std::string_view table) {
  if (!tokens.TakeWord("exchange") || !tokens.TakeWord("partition")) return TableEffect::kNone;
  tokens.Take();  // the partition's name
  const bool of_table =
      tokens.TakeWord("with") && tokens.TakeWord("table") && tokens.TakeTable() == table;
  return of_table ? TableEffect::kPartlyEmptied : TableEffect::kNone;
}

TableEffect EffectOfAlter(Tokens& tokens, std::string_view table) {
  while (tokens.TakeWord("online") || tokens.TakeWord("ignore")) {
  }
  if (!tokens.TakeWord("table")) return TableEffect::kNone;
  if (tokens.TakeTable() != table) return EffectOfExchange(tokens, table);
  TableEffect effect = TableEffect::kAltered;
  int depth = 0;       // of parentheses
  bool begins = true;  // an alteration, behind the table's name or a comma
  while (tokens.peek().kind != Token::Kind::kEnd) {
    const Token token = tokens.Take();
    depth += token.IsSymbol('(') ? 1 : token.IsSymbol(')') ? -1 : 0;
    const bool began = std::exchange(begins, depth == 0 && token.IsSymbol(','));
    if (!began) continue;
    if (token.Is("rename") && !IsPartOfTable(tokens.peek())) {
      if (!tokens.TakeWord("to")) tokens.TakeWord("as");
      if (tokens.TakeTable() != table) return TableEffect::kGone;
    } else if ((token.Is("truncate") || token.Is("drop") || token.Is("exchange")) &&
               tokens.peek().Is("partition")) {
      effect = TableEffect::kPartlyEmptied;
    } else if ((token.Is("discard") || token.Is("import")) &&
               (tokens.peek().Is("tablespace") || tokens.peek().Is("partition"))) {
      effect = TableEffect::kPartlyEmptied;
    }
  }
  return effect;
}

}  // namespace

TableEffect EffectOn(std::string_view statement, std::string_view table) {
  Tokens tokens(statement);
  if (tokens.TakeWord("alter")) return EffectOfAlter(tokens, table);
  if (tokens.TakeWord("create")) return EffectOfCreate(tokens, table);
  if (tokens.TakeWord("drop")) return EffectOfDrop(tokens, table);
  if (tokens.TakeWord("rename")) {
    const bool of_tables = tokens.TakeWord("table") || tokens.TakeWord("tables");
    return of_tables ? EffectOfRename(tokens, table) : TableEffect::kNone;
  }
  if (tokens.TakeWord("truncate")) {
    tokens.TakeWord("table");
    return tokens.TakeTable() == table ? TableEffect::kEmptied : TableEffect::kNone;
  }
  return TableEffect::kNone;
}

}  // namespace source_vitess::mysql
