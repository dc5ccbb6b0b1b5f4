#include "simulator/go_text.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/text_format.h>

#include <vector>

#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;

// `index` is -1 for a field that is not repeated.
std::string ValueText(const Message& message, const FieldDescriptor* field, int index) {
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    const google::protobuf::Reflection& reflection = *message.GetReflection();
    const Message& part = index < 0 ? reflection.GetMessage(message, field)
                                    : reflection.GetRepeatedMessage(message, field, index);
    return Cat("{", GoText(part), "}");
  }
  std::string text;
  TextFormat::PrintFieldValueToString(message, field, index, &text);
  return text;
}

}  // namespace

std::string GoText(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  std::string text;
  for (const FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? message.GetReflection()->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      const int index = field->is_repeated() ? i : -1;
      CatTo(&text, text.empty() ? "" : " ", field->name(), ":", ValueText(message, field, index));
    }
  }
  return text;
}

}  // namespace source_vitess::simulator
