#include "harness/airbyte_message.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace source_vitess::harness {
namespace {

using ::testing::HasSubstr;

// What is wrong with the line; empty when nothing is.
std::string Wrong(const std::string& line) {
  return std::string(ParseAirbyteMessage(line).status().message());
}

TEST(AirbyteMessageTest, TakesEveryMessageOfASource) {
  for (const char* line : {
           R"({"type":"RECORD","record":{"stream":"t","namespace":"k","data":{"a":[{"b":null}]},
               "emitted_at":1767225600000,"meta":{"changes":[
               {"field":"a","change":"NULLED","reason":"SOURCE_SERIALIZATION_ERROR"}]}}})",
           R"({"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"t"},
               "stream_state":{"any":{"thing":1}}},"sourceStats":{"recordCount":2.0}}})",
           R"({"type":"LOG","log":{"level":"INFO","message":"m"}})",
           R"({"type":"SPEC","spec":{"connectionSpecification":
               {"type":"object","title":"t","required":[],"properties":{"a":{}}}}})",
           R"({"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED"}})",
           R"({"type":"CONNECTION_STATUS","connectionStatus":{"status":"FAILED","message":"m"}})",
           R"({"type":"CATALOG","catalog":{"streams":[{"name":"t","json_schema":
               {"type":"object","properties":{"a":{"type":"string"}}},
               "supported_sync_modes":["full_refresh"],"source_defined_primary_key":[["a"]]}]}})",
           R"({"type":"TRACE","trace":{"type":"ERROR","emitted_at":1767225600000,
               "error":{"message":"m","failure_type":"config_error"}}})",
           R"({"type":"TRACE","trace":{"type":"ESTIMATE","emitted_at":1767225600000,
               "estimate":{"name":"t","namespace":"k","type":"STREAM","row_estimate":7}}})",
           R"({"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":1767225600000,
               "stream_status":{"stream_descriptor":{"name":"t"},"status":"STARTED"}}})",
       }) {
    EXPECT_EQ(Wrong(line), "") << line;
  }
}

TEST(AirbyteMessageTest, SaysWhatIsWrong) {
  EXPECT_THAT(Wrong("{"), HasSubstr("no JSON"));
  EXPECT_THAT(Wrong("\"\xff\""), HasSubstr("no JSON"));
  EXPECT_EQ(Wrong("[]"), "no JSON object");
  EXPECT_EQ(Wrong(R"({"type":"GREETING"})"), "type is unknown: \"GREETING\"");
  EXPECT_EQ(Wrong(R"({"type":"LOG"})"), "the message breaks \"required\"");
  EXPECT_EQ(Wrong(R"({"type":"LOG","log":{"level":"info","message":"m"}})"),
            "log.level breaks \"enum\"");
  EXPECT_EQ(Wrong(R"({"type":"LOG","log":{"level":"INFO","message":"m","text":"m"}})"),
            "log.text breaks \"additionalProperties\"");
  EXPECT_EQ(Wrong(R"({"type":"LOG","log":{"level":"INFO","message":"m"},"record":{}})"),
            "record breaks \"additionalProperties\"");
  EXPECT_EQ(Wrong(R"({"type":"RECORD","record":{"stream":"t","data":{"a":1},"emitted_at":1767}})"),
            "record.emitted_at breaks \"minimum\"");
  EXPECT_EQ(Wrong(R"({"type":"RECORD","record":{"stream":"t","data":{},
                      "emitted_at":1767225600000}})"),
            "record.data breaks \"minProperties\"");
  EXPECT_EQ(Wrong(R"({"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":
                      {"name":"t"},"stream_state":{"a":1}},"sourceStats":{"recordCount":2}}})"),
            "state.sourceStats.recordCount is no count written as 1.0");
  EXPECT_THAT(Wrong(R"({"type":"CONNECTION_STATUS","connectionStatus":{"status":"FAILED"}})"),
              HasSubstr("connectionStatus breaks"));
  EXPECT_THAT(Wrong(R"({"type":"TRACE","trace":{"type":"ERROR","emitted_at":1767225600000,
                        "estimate":{"name":"t","type":"STREAM"}}})"),
              HasSubstr("trace breaks"));
}

TEST(AirbyteMessageTest, NamesTheFirstLineThatIsNoMessage) {
  const std::string log = R"({"type":"LOG","log":{"level":"INFO","message":"m"}})";

  EXPECT_TRUE(CheckAirbyteMessages({log, log}).ok());
  EXPECT_EQ(CheckAirbyteMessages({log, "oops", "again"}).message().substr(0, 44),
            "line 2 is no message of Airbyte's protocol: ");
}

}  // namespace
}  // namespace source_vitess::harness
