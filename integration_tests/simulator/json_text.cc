#include "simulator/json_text.h"

#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <charconv>
#include <map>
#include <utility>
#include <vector>

#include "simulator/number_text.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

struct KeyOrder {
  JsonKeyOrder order;

  bool operator()(const std::string& a, const std::string& b) const {
    const bool by_length = order == JsonKeyOrder::kLengthThenBytes && a.size() != b.size();
    return by_length ? a.size() < b.size() : a < b;
  }
};

void AppendQuoted(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          CatTo(&out, "\\u", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad4));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

// An integer stays as it is; anything else is a double, and shows that it is one.
std::string NumberText(std::string_view raw) {
  if (raw.find_first_of(".eE") == std::string_view::npos) return std::string(raw);
  double number = 0;
  std::from_chars(raw.data(), raw.data() + raw.size(), number);
  std::string text = DoubleText(number);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

// Builds the text from the leaves upwards: a finished value is a string, an open container a frame.
class Handler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Handler> {
 public:
  explicit Handler(JsonKeyOrder order) : order_(order) {}

  bool Null() { return Finish("null"); }
  bool Bool(bool value) { return Finish(value ? "true" : "false"); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    return Finish(NumberText({text, size}));
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    std::string quoted;
    AppendQuoted({text, size}, quoted);
    return Finish(std::move(quoted));
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    frames_.back().key.assign(text, size);
    return true;
  }
  bool StartObject() {
    frames_.emplace_back(order_);
    return true;
  }
  bool StartArray() {
    frames_.emplace_back(order_);
    return true;
  }
  bool EndObject(rapidjson::SizeType) {
    std::string text = "{";
    for (const auto& [key, value] : frames_.back().members) {
      if (text.size() > 1) text += ", ";
      AppendQuoted(key, text);
      CatTo(&text, ": ", value);
    }
    return Close(text + "}");
  }
  bool EndArray(rapidjson::SizeType) {
    std::string text = "[";
    for (const std::string& value : frames_.back().elements) {
      CatTo(&text, text.size() > 1 ? ", " : "", value);
    }
    return Close(text + "]");
  }

  std::string& result() { return result_; }

 private:
  struct Frame {
    explicit Frame(JsonKeyOrder order) : members(KeyOrder{order}) {}

    std::string key;  // of the member being read
    std::map<std::string, std::string, KeyOrder> members;
    std::vector<std::string> elements;
  };

  bool Close(std::string text) {
    frames_.pop_back();
    return Finish(std::move(text));
  }

  bool Finish(std::string text) {
    if (frames_.empty()) {
      result_ = std::move(text);
    } else {
      frames_.back().members[frames_.back().key] = text;
      frames_.back().elements.push_back(std::move(text));
    }
    return true;
  }

  const JsonKeyOrder order_;
  std::vector<Frame> frames_;
  std::string result_;
};

}  // namespace

std::string QuoteJson(std::string_view text) {
  std::string quoted;
  AppendQuoted(text, quoted);
  return quoted;
}

absl::StatusOr<std::string> NormalizeJson(std::string_view text, JsonKeyOrder order) {
  rapidjson::Reader reader;
  rapidjson::MemoryStream stream(text.data(), text.size());
  Handler handler(order);
  const rapidjson::ParseResult parsed =
      reader.Parse<rapidjson::kParseNumbersAsStringsFlag>(stream, handler);
  if (parsed.IsError()) {
    return absl::InvalidArgumentError(
        Cat("Invalid JSON text: \"", rapidjson::GetParseError_En(parsed.Code()), "\" at position ",
            parsed.Offset(), " (errno 3140) (sqlstate 22032)"));
  }
  return std::move(handler.result());
}

}  // namespace source_vitess::simulator
