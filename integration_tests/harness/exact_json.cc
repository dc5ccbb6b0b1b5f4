#include "harness/exact_json.h"

namespace source_vitess::harness {

rapidjson::Document ParseRaw(const std::string& json) {
  rapidjson::Document raw;
  raw.Parse<rapidjson::kParseNumbersAsStringsFlag>(json.data(), json.size());
  return raw;
}

void WriteExact(const rapidjson::Value& value, const rapidjson::Value& raw, JsonWriter& writer) {
  if (value.IsNumber()) {
    writer.RawValue(raw.GetString(), raw.GetStringLength(), rapidjson::kNumberType);
  } else if (value.IsObject()) {
    writer.StartObject();
    auto raw_member = raw.MemberBegin();
    for (const auto& member : value.GetObject()) {
      writer.Key(member.name.GetString(), member.name.GetStringLength());
      WriteExact(member.value, (raw_member++)->value, writer);
    }
    writer.EndObject();
  } else if (value.IsArray()) {
    writer.StartArray();
    for (rapidjson::SizeType i = 0; i < value.Size(); ++i) WriteExact(value[i], raw[i], writer);
    writer.EndArray();
  } else {
    value.Accept(writer);
  }
}

std::string ExactText(const rapidjson::Value& value, const rapidjson::Value& raw) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  WriteExact(value, raw, writer);
  return buffer.GetString();
}

}  // namespace source_vitess::harness
