#include "simulator/sql_tokenizer.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

bool IsNameStart(char c) {
  return absl::ascii_isalpha(static_cast<unsigned char>(c)) || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool IsNameCharacter(char c) {
  return IsNameStart(c) || absl::ascii_isdigit(static_cast<unsigned char>(c));
}

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

char Unescape(char c) {
  switch (c) {
    case '0':
      return '\0';
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case 'b':
      return '\b';
    case 'Z':
      return '\x1a';
    default:
      return c;
  }
}

// The bytes that a row of binary digits means, most significant first.
std::string BytesOfBits(std::string_view bits) {
  std::string bytes((bits.size() + 7) / 8, '\0');
  for (size_t i = 0; i < bits.size(); ++i) {
    const size_t from_end = bits.size() - 1 - i;
    if (bits[i] == '1')
      bytes[bytes.size() - 1 - from_end / 8] |= static_cast<char>(1 << (from_end % 8));
  }
  return bytes;
}

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view sql) : sql_(sql) {}

  absl::StatusOr<std::vector<Token>> Run() {
    while (true) {
      if (absl::Status status = SkipBlanks(); !status.ok()) return status;
      if (at_ >= sql_.size()) break;
      if (absl::Status status = Next(); !status.ok()) return status;
    }
    tokens_.push_back({Token::Kind::kEnd, "", sql_.size(), sql_.size()});
    return std::move(tokens_);
  }

 private:
  char Peek(size_t ahead = 0) const { return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0'; }

  void Add(Token::Kind kind, std::string text, size_t begin) {
    tokens_.push_back({kind, std::move(text), begin, at_});
  }

  absl::Status SkipBlanks() {
    while (at_ < sql_.size()) {
      if (absl::ascii_isspace(static_cast<unsigned char>(Peek()))) {
        ++at_;
      } else if (Peek() == '#' || (Peek() == '-' && Peek(1) == '-' &&
                                   (at_ + 2 >= sql_.size() ||
                                    absl::ascii_isspace(static_cast<unsigned char>(Peek(2)))))) {
        while (at_ < sql_.size() && Peek() != '\n') ++at_;
      } else if (Peek() == '/' && Peek(1) == '*' && Peek(2) == '!') {
        at_ += 3;
        while (IsDigit(Peek())) ++at_;
        in_version_comment_ = true;
      } else if (in_version_comment_ && Peek() == '*' && Peek(1) == '/') {
        at_ += 2;
        in_version_comment_ = false;
      } else if (Peek() == '/' && Peek(1) == '*') {
        const size_t end = sql_.find("*/", at_ + 2);
        if (end == std::string_view::npos)
          return absl::InvalidArgumentError("unterminated comment");
        at_ = end + 2;
      } else {
        break;
      }
    }
    return absl::OkStatus();
  }

  absl::Status Next() {
    const char c = Peek();
    if (c == '\'' || c == '"') return Quoted(c, Token::Kind::kString);
    if (c == '`') return Quoted(c, Token::Kind::kQuotedName);
    if ((c == 'x' || c == 'X' || c == 'b' || c == 'B') && Peek(1) == '\'') return PrefixedBytes();
    if (c == '0' && (Peek(1) == 'x' || Peek(1) == 'X')) return HexNumber();
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return Number();
    if (IsNameStart(c)) return Word();
    if (c == '@' && Peek(1) == '@') return Variable();
    if (c == ':' && IsNameStart(Peek(1))) return Bind();
    return Symbol();
  }

  absl::Status Quoted(char quote, Token::Kind kind) {
    const size_t begin = at_++;
    std::string text;
    while (true) {
      if (at_ >= sql_.size())
        return absl::InvalidArgumentError(Cat("unterminated literal at ", begin));
      const char c = sql_[at_++];
      if (c == quote) {
        if (Peek() != quote) break;
        text += quote;
        ++at_;
      } else if (c == '\\' && kind == Token::Kind::kString && at_ < sql_.size()) {
        text += Unescape(sql_[at_++]);
      } else {
        text += c;
      }
    }
    DropIntroducer(kind, begin);
    Add(kind, std::move(text), begin);
    return absl::OkStatus();
  }

  // Takes back a character set that was written in front of the literal beginning at `begin`.
  void DropIntroducer(Token::Kind kind, size_t begin) {
    if (kind == Token::Kind::kQuotedName || tokens_.empty()) return;
    const Token& last = tokens_.back();
    if (last.kind == Token::Kind::kWord && last.text.size() > 1 && last.text[0] == '_' &&
        last.end <= begin) {
      tokens_.pop_back();
    }
  }

  absl::Status PrefixedBytes() {
    const size_t begin = at_;
    const bool bits = Peek() == 'b' || Peek() == 'B';
    const size_t end = sql_.find('\'', at_ + 2);
    if (end == std::string_view::npos) return absl::InvalidArgumentError("unterminated literal");
    const std::string_view digits = sql_.substr(at_ + 2, end - at_ - 2);
    at_ = end + 1;
    DropIntroducer(Token::Kind::kBytes, begin);
    Add(Token::Kind::kBytes, bits ? BytesOfBits(digits) : absl::HexStringToBytes(AbslView(digits)),
        begin);
    return absl::OkStatus();
  }

  absl::Status HexNumber() {
    const size_t begin = at_;
    at_ += 2;
    while (absl::ascii_isxdigit(static_cast<unsigned char>(Peek()))) ++at_;
    std::string digits(sql_.substr(begin + 2, at_ - begin - 2));
    if (digits.size() % 2 != 0) digits.insert(0, "0");
    DropIntroducer(Token::Kind::kBytes, begin);
    Add(Token::Kind::kBytes, absl::HexStringToBytes(AbslView(digits)), begin);
    return absl::OkStatus();
  }

  absl::Status Number() {
    const size_t begin = at_;
    while (IsDigit(Peek())) ++at_;
    if (Peek() == '.') {
      ++at_;
      while (IsDigit(Peek())) ++at_;
    }
    if ((Peek() == 'e' || Peek() == 'E') &&
        (IsDigit(Peek(1)) || ((Peek(1) == '-' || Peek(1) == '+') && IsDigit(Peek(2))))) {
      at_ += 2;
      while (IsDigit(Peek())) ++at_;
    }
    Add(Token::Kind::kNumber, std::string(sql_.substr(begin, at_ - begin)), begin);
    return absl::OkStatus();
  }

  absl::Status Word() {
    const size_t begin = at_;
    while (IsNameCharacter(Peek())) ++at_;
    Add(Token::Kind::kWord, std::string(sql_.substr(begin, at_ - begin)), begin);
    return absl::OkStatus();
  }

  absl::Status Variable() {
    const size_t begin = at_;
    at_ += 2;
    while (IsNameCharacter(Peek()) || Peek() == '.' || Peek() == '`') ++at_;
    Add(Token::Kind::kVariable, std::string(sql_.substr(begin, at_ - begin)), begin);
    return absl::OkStatus();
  }

  absl::Status Bind() {
    const size_t begin = at_++;
    while (IsNameCharacter(Peek())) ++at_;
    Add(Token::Kind::kBind, std::string(sql_.substr(begin + 1, at_ - begin - 1)), begin);
    return absl::OkStatus();
  }

  absl::Status Symbol() {
    const size_t begin = at_;
    const std::string_view two = sql_.substr(at_, 2);
    at_ += two == "<=" || two == ">=" || two == "<>" || two == "!=" || two == "||" || two == "&&"
               ? 2
               : 1;
    Add(Token::Kind::kSymbol, std::string(sql_.substr(begin, at_ - begin)), begin);
    return absl::OkStatus();
  }

  std::string_view sql_;
  size_t at_ = 0;
  bool in_version_comment_ = false;
  std::vector<Token> tokens_;
};

}  // namespace

absl::StatusOr<std::vector<Token>> Tokenize(std::string_view sql) { return Tokenizer(sql).Run(); }

absl::StatusOr<std::vector<std::string_view>> SplitStatements(std::string_view script) {
  absl::StatusOr<std::vector<Token>> tokens = Tokenize(script);
  if (!tokens.ok()) return tokens.status();
  std::vector<std::string_view> statements;
  const Token* first = nullptr;
  const Token* last = nullptr;
  for (const Token& token : *tokens) {
    const bool ends = token.kind == Token::Kind::kEnd ||
                      (token.kind == Token::Kind::kSymbol && token.text == ";");
    if (!ends) {
      if (first == nullptr) first = &token;
      last = &token;
    } else if (first != nullptr) {
      statements.push_back(script.substr(first->begin, last->end - first->begin));
      first = nullptr;
    }
  }
  return statements;
}

}  // namespace source_vitess::simulator
