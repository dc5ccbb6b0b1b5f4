#include "commands/pretty.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "airbyte/messages.h"
#include "telemetry/captured_output_for_test.h"
#include "vitess/errors.h"

namespace source_vitess::commands {
namespace {

using testing::HasSubstr;

std::string Rendered(std::string line) {
  if (line.ends_with('\n')) line.pop_back();
  return PrettyPrinter().Render(line);
}

TEST(PrettyTest, ShowsARecordWithItsColumnsAndNotTheConnectorsOwn) {
  EXPECT_EQ(Rendered(R"({"type":"RECORD","record":{"namespace":"shop","stream":"notes","data":)"
                     R"({"id":1,"text":"a \"b\"","_ab_cdc_deleted_at":null,"_ab_cdc_cursor":7}}})"),
            "+ shop.notes  id=1  text=\"a \\\"b\\\"\"\n");
  EXPECT_EQ(Rendered(R"({"type":"RECORD","record":{"namespace":"shop","stream":"notes","data":)"
                     R"({"id":1,"_ab_cdc_deleted_at":"2024-01-01T00:00:00Z"}}})"),
            "- shop.notes  id=1\n");
}

TEST(PrettyTest, ShowsWhereAStateStands) {
  EXPECT_EQ(
      Rendered(airbyte::StateLine(
          {.name_space = "shop", .name = "notes"},
          R"({"vgtid":{"shardGtids":[{"keyspace":"shop","shard":"-80","gtid":"MySQL56/a:1-5"},)"
          R"({"keyspace":"shop","shard":"80-","gtid":""}]}})",
          1234)),
      "= shop.notes  state behind 1,234 records: -80 at MySQL56/a:1-5; 80- not begun\n");
}

TEST(PrettyTest, ShowsLogsStatusesAndErrors) {
  EXPECT_EQ(Rendered(airbyte::LogLine(telemetry::Severity::kWarning, "mind this")),
            "warn: mind this\n");
  EXPECT_EQ(Rendered(airbyte::StreamStatusLine({.name_space = "shop", .name = "notes"},
                                               airbyte::StreamStatus::kComplete, 0)),
            "~ shop.notes  complete\n");
  EXPECT_EQ(Rendered(airbyte::TraceErrorLine(vitess::ConfigurationError("change the host"),
                                             std::nullopt, 0)),
            "! change the host\n");
  EXPECT_EQ(Rendered(airbyte::EstimateLine({.name_space = "shop", .name = "notes"}, 40, 1, 0)),
            "~ shop.notes  about 40 rows to come\n");
}

TEST(PrettyTest, ShowsWhetherAConnectionWorks) {
  EXPECT_EQ(Rendered(airbyte::ConnectionStatusLine(true, "")), "The connection works.\n");
  EXPECT_EQ(Rendered(airbyte::ConnectionStatusLine(false, "why")),
            "! The connection does not work: why\n");
}

TEST(PrettyTest, ShowsACatalogAsTables) {
  EXPECT_EQ(
      Rendered(R"({"type":"CATALOG","catalog":{"streams":[{"name":"notes","namespace":"shop",)"
               R"("source_defined_primary_key":[["id"]],"json_schema":{"properties":{)"
               R"("id":{"type":["integer"]},"at":{"type":["string","null"],"format":"date"},)"
               R"("_ab_cdc_cursor":{"type":"integer"}}}}]}})"),
      "shop.notes  key (id)\n    id  integer\n    at  date\n");
}

TEST(PrettyTest, LeavesWhatItDoesNotKnow) { EXPECT_EQ(Rendered("{oh"), "{oh\n"); }

TEST(PrettyTest, SumsUpStreams) {
  PrettyPrinter printer;
  EXPECT_EQ(printer.Summary(), "");
  printer.Render(R"({"type":"RECORD","record":{"stream":"a","data":{"_ab_cdc_deleted_at":"x"}}})");
  std::string status = airbyte::StreamStatusLine({.name_space = "shop", .name = "notes"},
                                                 airbyte::StreamStatus::kIncomplete, 0);
  printer.Render(status);
  EXPECT_EQ(printer.Summary(),
            "\n1 records, 1 of them deletions; 0 states; 0 streams complete, 1 not: shop.notes\n");
}

}  // namespace
}  // namespace source_vitess::commands
