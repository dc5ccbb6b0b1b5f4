#include "harness/normalised_output.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace source_vitess::harness {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string Record(const std::string& table, const std::string& data,
                   const std::string& more = "") {
  return absl::StrCat(R"({"type":"RECORD","record":{"namespace":"ks","stream":")", table,
                      R"(","data":)", data, R"(,"emitted_at":1700000000000)", more, "}}");
}

std::string State(const std::string& table, const std::string& state) {
  return absl::StrCat(R"({"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":)",
                      R"({"name":")", table, R"(","namespace":"ks"},"stream_state":)", state,
                      R"(},"sourceStats":{"recordCount":2.0}}})");
}

std::string Started(const std::string& table) {
  return absl::StrCat(
      R"({"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":1700000000000,)",
      R"("stream_status":{"status":"STARTED","stream_descriptor":{"name":")", table,
      R"(","namespace":"ks"}}}})");
}

Normalisation AnyTime() { return {absl::FromUnixSeconds(1000), absl::FromUnixSeconds(2000)}; }

TEST(NormaliseOutputTest, OrdersByStreamAndKeepsTheOrderOfEach) {
  EXPECT_THAT(NormaliseOutput({Started("b"), Started("a"), Record("b", R"({"id":2})"),
                               Record("a", R"({"id":1})"), Record("b", R"({"id":1})")},
                              AnyTime()),
              ElementsAre(R"({"stream":"ks.a","status":"STARTED"})",
                          R"({"stream":"ks.a","record":{"id":1}})",
                          R"({"stream":"ks.b","status":"STARTED"})",
                          R"({"stream":"ks.b","record":{"id":2}})",
                          R"({"stream":"ks.b","record":{"id":1}})"));
}

TEST(NormaliseOutputTest, PutsRanksForCursors) {
  EXPECT_THAT(
      NormaliseOutput(
          {Record("a", R"({"_ab_cdc_cursor":700})"), Record("a", R"({"_ab_cdc_cursor":900})"),
           Record("a", R"({"_ab_cdc_cursor":null})"), State("a", R"({"cursor":950,"n":7})")},
          AnyTime()),
      ElementsAre(R"({"stream":"ks.a","record":{"_ab_cdc_cursor":1}})",
                  R"({"stream":"ks.a","record":{"_ab_cdc_cursor":2}})",
                  R"({"stream":"ks.a","record":{"_ab_cdc_cursor":null}})",
                  R"({"stream":"ks.a","records":2,"state":{"cursor":2,"n":7}})"));
}

TEST(NormaliseOutputTest, PutsNowForTimesOfTheRunAlone) {
  EXPECT_THAT(
      NormaliseOutput({Record("a", R"({"_ab_cdc_updated_at":"1970-01-01T00:20:00.123456Z"})"),
                       Record("a", R"({"_ab_cdc_updated_at":"1970-01-01T01:00:00.000000Z"})")},
                      AnyTime()),
      ElementsAre(
          R"({"stream":"ks.a","record":{"_ab_cdc_updated_at":"now"}})",
          R"({"stream":"ks.a","record":{"_ab_cdc_updated_at":"1970-01-01T01:00:00.000000Z"}})"));
}

TEST(NormaliseOutputTest, KeepsNumbersAndMetaAsTheyAre) {
  EXPECT_THAT(
      NormaliseOutput(
          {Record(
              "a", R"({"d":1.50,"j":{"x":[1e3]}})",
              R"(,"meta":{"changes":[{"field":"d","change":"NULLED","reason":"SOURCE_RETRIEVAL_ERROR"}]})")},
          AnyTime()),
      ElementsAre(
          R"({"stream":"ks.a","record":{"d":1.50,"j":{"x":[1e3]}},)"
          R"("meta":{"changes":[{"field":"d","change":"NULLED","reason":"SOURCE_RETRIEVAL_ERROR"}]}})"));
}

TEST(NormaliseOutputTest, LeavesOutTheMiddleOfALongRun) {
  Normalisation normalisation = AnyTime();
  normalisation.longest_run = 2;
  const std::vector<std::string> lines = {Record("a", R"({"id":1})"), Record("a", R"({"id":2})"),
                                          Record("a", R"({"id":3})"), Record("a", R"({"id":4})")};
  std::vector<std::string> other_middle = lines;
  other_middle[1] = Record("a", R"({"id":5})");

  const std::vector<std::string> normalised = NormaliseOutput(lines, normalisation);

  EXPECT_THAT(normalised,
              ElementsAre(R"({"stream":"ks.a","record":{"id":1}})",
                          ::testing::StartsWith(R"({"stream":"ks.a","elided":2,"checksum":")"),
                          R"({"stream":"ks.a","record":{"id":4}})"));
  EXPECT_NE(NormaliseOutput(other_middle, normalisation)[1], normalised[1]);
}

TEST(NormaliseOutputTest, PutsErrorsBehindTheStreams) {
  EXPECT_THAT(
      NormaliseOutput(
          {R"({"type":"TRACE","trace":{"type":"ERROR","emitted_at":1700000000000,"error":)"
           R"({"message":"no","failure_type":"config_error","stream_descriptor":{"name":"a","namespace":"ks"}}}})",
           Started("a")},
          AnyTime()),
      ElementsAre(R"({"stream":"ks.a","status":"STARTED"})",
                  R"({"error":"config_error","stream":"ks.a","message":"no"})"));
}

TEST(NormaliseOutputTest, LeavesLogsOut) {
  EXPECT_THAT(
      NormaliseOutput({R"({"type":"LOG","log":{"level":"INFO","message":"x"}})"}, AnyTime()),
      IsEmpty());
}

TEST(NormaliseOutputTest, KeepsLinesThatAreNoMessages) {
  EXPECT_THAT(NormaliseOutput({"oops", Started("a")}, AnyTime()),
              ElementsAre(R"({"stream":"ks.a","status":"STARTED"})", "oops"));
}

}  // namespace
}  // namespace source_vitess::harness
