#include "airbyte/messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "airbyte/logger.h"
#include "config/json_document.h"
#include "config/options.h"
#include "telemetry/captured_output_for_test.h"
#include "vitess/errors.h"

namespace source_vitess::airbyte {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const StreamName kOrders = {.name_space = "commerce", .name = "orders"};

TEST(MessagesTest, WritesTheSpecificationOnOneLine) {
  const std::string line = SpecLine(config::SpecJson());

  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_TRUE(line.starts_with(R"({"type":"SPEC","spec":{"documentationUrl":"https://)"));
  EXPECT_TRUE(config::ParseJson(line).ok());
}

TEST(MessagesTest, WritesConnectionStatuses) {
  EXPECT_EQ(ConnectionStatusLine(true, ""),
            "{\"type\":\"CONNECTION_STATUS\",\"connectionStatus\":{\"status\":\"SUCCEEDED\"}}\n");
  EXPECT_EQ(ConnectionStatusLine(false, "no \"host\""),
            "{\"type\":\"CONNECTION_STATUS\",\"connectionStatus\":{\"status\":\"FAILED\","
            "\"message\":\"no \\\"host\\\"\"}}\n");
}

TEST(MessagesTest, WritesLogs) {
  EXPECT_EQ(LogLine(telemetry::Severity::kWarning, "two\nlines"),
            "{\"type\":\"LOG\",\"log\":{\"level\":\"WARN\",\"message\":\"two\\nlines\"}}\n");
}

TEST(MessagesTest, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(LogLine(telemetry::Severity::kInfo,
                    "a\xFF"
                    "b\xC3"),
            "{\"type\":\"LOG\",\"log\":{\"level\":\"INFO\",\"message\":\"a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\"}}\n");
}

TEST(MessagesTest, WritesStreamStatuses) {
  EXPECT_EQ(
      StreamStatusLine(kOrders, StreamStatus::kRunning, 1767225600100),
      "{\"type\":\"TRACE\",\"trace\":{\"type\":\"STREAM_STATUS\",\"emitted_at\":1767225600100,"
      "\"stream_status\":{\"stream_descriptor\":{\"name\":\"orders\",\"namespace\":\"commerce\"},"
      "\"status\":\"RUNNING\"}}}\n");
}

TEST(MessagesTest, LeavesOutANamespaceThatAStreamDoesNotHave) {
  EXPECT_THAT(StreamStatusLine({.name_space = "", .name = "orders"}, StreamStatus::kComplete, 1),
              HasSubstr(R"("stream_descriptor":{"name":"orders"},"status":"COMPLETE")"));
}

TEST(MessagesTest, WritesErrorsWithTheStreamTheyConcern) {
  EXPECT_EQ(TraceErrorLine(vitess::WithClass(absl::NotFoundError("no such table"),
                                             vitess::ErrorClass::kConfiguration),
                           kOrders, 5),
            "{\"type\":\"TRACE\",\"trace\":{\"type\":\"ERROR\",\"emitted_at\":5,\"error\":{"
            "\"message\":\"no such table\",\"internal_message\":\"configuration, "
            "NOT_FOUND: no such table\",\"failure_type\":\"config_error\","
            "\"stream_descriptor\":{\"name\":\"orders\",\"namespace\":\"commerce\"}}}}\n");
}

TEST(MessagesTest, TellsTheHostWhoCanMendAFailure) {
  const auto failure_type = [](const absl::Status& status) {
    const auto line = config::ParseJson(TraceErrorLine(status, std::nullopt, 0));
    return std::string((*line)["trace"]["error"]["failure_type"].GetString());
  };

  EXPECT_EQ(failure_type(vitess::ConfigurationError("x")), "config_error");
  EXPECT_EQ(failure_type(vitess::LostPositionError("x")), "config_error");
  EXPECT_EQ(failure_type(vitess::TransientError("x")), "transient_error");
  EXPECT_EQ(
      failure_type(vitess::WithClass(absl::InternalError("x"), vitess::ErrorClass::kInternal)),
      "system_error");
}

TEST(MessagesTest, CountsTheRecordsOfAStateWithADecimalPoint) {
  EXPECT_EQ(StateLine(kOrders, R"({"version":1})", 12),
            "{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{"
            "\"name\":\"orders\",\"namespace\":\"commerce\"},\"stream_state\":{\"version\":1}},"
            "\"sourceStats\":{\"recordCount\":12.0}}}\n");
  EXPECT_THAT(StateLine(kOrders, "{}", 0), HasSubstr("\"recordCount\":0.0}"));
  EXPECT_THAT(StateLine(kOrders, "{}", 12345678901), HasSubstr("\"recordCount\":12345678901.0}"));
}

TEST(AirbyteLoggerTest, DropsWhatIsBelowItsLevel) {
  telemetry::CapturedOutput captured;
  AirbyteLogger logger(captured.output(), telemetry::Severity::kInfo);

  logger.Debug("a");
  logger.Info("b");
  logger.Error("c");

  EXPECT_THAT(captured.Lines(),
              ElementsAre(R"({"type":"LOG","log":{"level":"INFO","message":"b"}})",
                          R"({"type":"LOG","log":{"level":"ERROR","message":"c"}})"));
}

}  // namespace
}  // namespace source_vitess::airbyte
