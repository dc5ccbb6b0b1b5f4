// The recorded queries (integration_tests/recordings) as a test of this folder reads them.
#ifndef SOURCE_VITESS_VITESS_RECORDED_FOR_TEST_H_
#define SOURCE_VITESS_VITESS_RECORDED_FOR_TEST_H_

#include <fstream>
#include <sstream>
#include <string>

#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "vitess/vtgate.pb.h"

namespace source_vitess::vitess {

inline std::string RecordedFile(const std::string& name) {
  std::ifstream file(SOURCE_VITESS_ROOT "/integration_tests/recordings/data/" + name,
                     std::ios::binary);
  EXPECT_TRUE(file.is_open()) << name;
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

// `name` without "execute-".
inline vtgate::ExecuteRequest RecordedRequest(const std::string& name) {
  vtgate::ExecuteRequest request;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      RecordedFile("execute-" + name + ".request.txtpb"), &request));
  return request;
}

inline vtgate::ExecuteResponse RecordedResponse(const std::string& name) {
  vtgate::ExecuteResponse response;
  EXPECT_TRUE(response.ParseFromString(RecordedFile("execute-" + name + ".response.binpb")));
  return response;
}

}  // namespace source_vitess::vitess

#endif  // SOURCE_VITESS_VITESS_RECORDED_FOR_TEST_H_
