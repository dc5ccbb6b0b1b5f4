#include "airbyte/record_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/json_document.h"

namespace source_vitess::airbyte {
namespace {

using mysql::BaseType;
using mysql::Kind;
using mysql::Problem;
using mysql::Value;
using sync::ChangeKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr int64_t kNow = 1767225600100;  // 2026-01-01T00:00:00.100Z
constexpr int64_t kCommit = 1767225000;  // 2025-12-31T23:50:00Z
constexpr char kHead[] =
    R"({"type":"RECORD","record":{"stream":"orders","namespace":"commerce","emitted_at":1767225600100,"data":)";
constexpr char kCopied[] =
    R"(,"_ab_cdc_updated_at":"2026-01-01T00:00:00.100000Z","_ab_cdc_deleted_at":null,"_ab_cdc_cursor":7})";

// SRID 0, little-endian, POINT(1 -2.5).
constexpr std::string_view kPoint("\0\0\0\0\x01\x01\0\0\0\0\0\0\0\0\0\xF0\x3F\0\0\0\0\0\0\x04\xC0",
                                  25);

Value Of(Kind kind, std::string_view text) { return {.kind = kind, .text = text}; }
Value Bad(Kind kind, Problem problem, std::string_view text = "") {
  return {.kind = kind, .problem = problem, .text = text};
}

mysql::Column ColumnOf(std::string name, BaseType base) {
  mysql::Column column;
  column.name = std::move(name);
  column.type.base = base;
  return column;
}

class RecordBatchTest : public testing::Test {
 protected:
  RecordBatchTest() {
    table_.schema.keyspace = "commerce";
    table_.schema.name = "orders";
    table_.schema.columns = {ColumnOf("id", BaseType::kBigInt), ColumnOf("v", BaseType::kText)};
    table_.schema.key = {"id"};
    table_.columns = {"id", "v"};
    layout_ = batch_.AddLayout(table_, table_.schema.columns);
  }

  void Copy(const std::vector<Value>& row) {
    batch_.Append(layout_, {.kind = ChangeKind::kCopy, .before = {}, .after = row, .sequence = 7});
  }

  // The text of `value`, as it comes out in a record.
  std::string JsonOf(const Value& value) {
    Copy({Of(Kind::kSigned, "1"), value});
    std::string text(batch_.text());
    batch_.Clear();
    EXPECT_TRUE(config::ParseJson(text).ok()) << text;
    const std::string before = std::string(kHead) + R"({"id":1,"v":)";
    EXPECT_TRUE(text.starts_with(before)) << text;
    const size_t end = text.find(kCopied);
    EXPECT_NE(end, std::string::npos) << text;
    return text.substr(before.size(), end - before.size());
  }

  // The "meta" of the record that `value` comes out in; empty without one.
  std::string MetaOf(const Value& value) {
    Copy({Of(Kind::kSigned, "1"), value});
    std::string text(batch_.text());
    batch_.Clear();
    const auto record = config::ParseJson(text);
    EXPECT_TRUE(record.ok()) << text;
    const auto* meta = config::FindMember((*record)["record"], "meta");
    return meta == nullptr ? "" : config::ToJsonText(*meta);
  }

  sync::Table table_;
  mysql::TypeOptions types_;
  telemetry::NullLogger logger_;
  StreamColumns columns_{{}, logger_};
  RecordBatch batch_{[] { return kNow; }, types_, columns_};
  size_t layout_ = 0;
};

TEST_F(RecordBatchTest, WritesACopiedRow) {
  Copy({Of(Kind::kSigned, "1"), Of(Kind::kText, "a \"b\"")});

  EXPECT_EQ(batch_.text(), std::string(kHead) + R"({"id":1,"v":"a \"b\"")" + kCopied + "}}\n");
}

TEST_F(RecordBatchTest, WritesAnInsertAtItsCommit) {
  const std::vector<Value> row = {Of(Kind::kSigned, "1"), Of(Kind::kNull, "")};

  batch_.Append(layout_, {.kind = ChangeKind::kInsert,
                          .before = {},
                          .after = row,
                          .commit_seconds = kCommit,
                          .sequence = 18446744073709551615u});

  EXPECT_EQ(batch_.text(),
            std::string(kHead) +
                R"({"id":1,"v":null,"_ab_cdc_updated_at":"2025-12-31T23:50:00.000000Z",)"
                R"("_ab_cdc_deleted_at":null,"_ab_cdc_cursor":18446744073709551615}}})"
                "\n");
}

TEST_F(RecordBatchTest, WritesTheAfterImageOfAnUpdate) {
  const std::vector<Value> before = {Of(Kind::kSigned, "1"), Of(Kind::kText, "old")};
  const std::vector<Value> after = {Of(Kind::kSigned, "1"), Of(Kind::kText, "new")};

  batch_.Append(layout_,
                {.kind = ChangeKind::kUpdate, .before = before, .after = after, .sequence = 1});

  EXPECT_THAT(batch_.text(), HasSubstr(R"({"id":1,"v":"new",)"));
  EXPECT_THAT(batch_.text(), Not(HasSubstr("old")));
  EXPECT_EQ(batch_.counts()[0].records, 1u);
}

TEST_F(RecordBatchTest, WritesADeleteWithTheBeforeImage) {
  const std::vector<Value> before = {Of(Kind::kSigned, "1"), Of(Kind::kText, "old")};

  batch_.Append(layout_, {.kind = ChangeKind::kDelete,
                          .before = before,
                          .after = {},
                          .commit_seconds = kCommit,
                          .sequence = 9});

  EXPECT_EQ(batch_.text(),
            std::string(kHead) +
                R"({"id":1,"v":"old","_ab_cdc_updated_at":"2025-12-31T23:50:00.000000Z",)"
                R"("_ab_cdc_deleted_at":"2025-12-31T23:50:00.000000Z","_ab_cdc_cursor":9}}})"
                "\n");
}

TEST_F(RecordBatchTest, WritesAChangedKeyAsADeleteAndAnInsert) {
  const std::vector<Value> before = {Of(Kind::kSigned, "1"), Of(Kind::kText, "x")};
  const std::vector<Value> after = {Of(Kind::kSigned, "2"), Of(Kind::kText, "x")};

  batch_.Append(layout_, {.kind = ChangeKind::kUpdate,
                          .key_changed = true,
                          .before = before,
                          .after = after,
                          .commit_seconds = kCommit,
                          .sequence = 9});

  const std::string text(batch_.text());
  const std::string first = text.substr(0, text.find('\n'));
  const std::string second = text.substr(text.find('\n') + 1);
  EXPECT_THAT(first, HasSubstr(R"("data":{"id":1,)"));
  EXPECT_THAT(first, HasSubstr(R"("_ab_cdc_deleted_at":"2025)"));
  EXPECT_THAT(first, HasSubstr(R"("_ab_cdc_cursor":9})"));
  EXPECT_THAT(second, HasSubstr(R"("data":{"id":2,)"));
  EXPECT_THAT(second, HasSubstr(R"("_ab_cdc_deleted_at":null)"));
  EXPECT_THAT(second, HasSubstr(R"("_ab_cdc_cursor":10})"));
  EXPECT_EQ(batch_.counts()[0].records, 2u);
}

TEST_F(RecordBatchTest, LeavesOutColumnsThatAreAbsentOrNotWanted) {
  table_.columns = {"v"};
  const size_t layout = batch_.AddLayout(table_, table_.schema.columns);
  const std::vector<Value> row = {Of(Kind::kSigned, "1"), Of(Kind::kText, "x")};
  batch_.Append(layout, {.kind = ChangeKind::kCopy, .before = {}, .after = row, .sequence = 7});
  Copy({Of(Kind::kSigned, "1"), Of(Kind::kAbsent, "")});

  const std::string text(batch_.text());
  EXPECT_THAT(text, HasSubstr(R"("data":{"v":"x","_ab_cdc)"));
  EXPECT_THAT(text, HasSubstr(R"("data":{"id":1,"_ab_cdc)"));
}

TEST_F(RecordBatchTest, SendsNoCdcColumnsForATableWithoutAKey) {
  table_.schema.key.clear();
  table_.index = 1;
  const size_t layout = batch_.AddLayout(table_, table_.schema.columns);
  const std::vector<Value> row = {Of(Kind::kSigned, "1"), Of(Kind::kText, "x")};

  batch_.Append(layout, {.kind = ChangeKind::kCopy, .before = {}, .after = row, .sequence = 7});

  EXPECT_EQ(batch_.text(), std::string(kHead) + R"({"id":1,"v":"x"}}})" + "\n");
}

TEST_F(RecordBatchTest, WritesNoRecordWithoutData) {
  table_.schema.key.clear();
  table_.index = 1;
  const size_t layout = batch_.AddLayout(table_, table_.schema.columns);
  const std::vector<Value> row = {Of(Kind::kAbsent, ""), Of(Kind::kAbsent, "")};

  batch_.Append(layout, {.kind = ChangeKind::kDelete, .before = row, .after = {}, .sequence = 7});

  EXPECT_EQ(batch_.text(), "");
  EXPECT_THAT(batch_.counts(), IsEmpty());
}

TEST_F(RecordBatchTest, EscapesNames) {
  table_.schema.name = "or\"ders";
  table_.schema.columns[1].name = "ta\tb";
  table_.columns = {"ta\tb"};
  const size_t layout = batch_.AddLayout(table_, table_.schema.columns);
  const std::vector<Value> row = {Of(Kind::kSigned, "1"), Bad(Kind::kNull, Problem::kMalformed)};

  batch_.Append(layout, {.kind = ChangeKind::kCopy, .before = {}, .after = row, .sequence = 7});

  EXPECT_THAT(batch_.text(), HasSubstr(R"("stream":"or\"ders",)"));
  EXPECT_THAT(batch_.text(), HasSubstr(R"({"ta\tb":null,)"));
  EXPECT_THAT(batch_.text(), HasSubstr(R"({"field":"ta\tb",)"));
}

TEST_F(RecordBatchTest, CopiesNumbersDigitByDigit) {
  EXPECT_EQ(JsonOf(Of(Kind::kSigned, "-9223372036854775808")), "-9223372036854775808");
  EXPECT_EQ(JsonOf(Of(Kind::kUnsigned, "18446744073709551615")), "18446744073709551615");
  EXPECT_EQ(JsonOf(Of(Kind::kDecimal, "-12345678901234567890.0123456789")),
            "-12345678901234567890.0123456789");
  EXPECT_EQ(JsonOf(Of(Kind::kYear, "1970")), "1970");
  EXPECT_EQ(JsonOf(Of(Kind::kBoolean, "true")), "true");
}

TEST_F(RecordBatchTest, WritesFloatingPointNumbersShortest) {
  EXPECT_EQ(JsonOf(Of(Kind::kFloat, "0.1")), "0.1");
  EXPECT_EQ(JsonOf(Of(Kind::kDouble, "0.1")), "0.1");
  EXPECT_EQ(JsonOf(Of(Kind::kDouble, "1e+308")), "1e+308");
}

TEST_F(RecordBatchTest, WritesBytesInBase64) {
  EXPECT_EQ(JsonOf(Of(Kind::kBytes, "\xAA")), "\"qg==\"");
  EXPECT_EQ(JsonOf(Of(Kind::kBytes, "")), "\"\"");
  EXPECT_EQ(JsonOf(Of(Kind::kBytes, std::string_view("\0\xFF\xFE", 3))), "\"AP/+\"");
}

TEST_F(RecordBatchTest, WritesDatesAndTimes) {
  EXPECT_EQ(JsonOf(Of(Kind::kDate, "2024-02-29")), "\"2024-02-29\"");
  EXPECT_EQ(JsonOf(Of(Kind::kDateTime, "2024-02-29 23:59:59")), "\"2024-02-29T23:59:59.000000\"");
  EXPECT_EQ(JsonOf(Of(Kind::kTimestamp, "2024-02-29 23:59:59.12")),
            "\"2024-02-29T23:59:59.120000Z\"");
  EXPECT_EQ(JsonOf(Of(Kind::kTime, "00:00:00")), "\"00:00:00.000000\"");
  EXPECT_EQ(JsonOf(Of(Kind::kTime, "23:59:59.999999")), "\"23:59:59.999999\"");
}

TEST_F(RecordBatchTest, NullsTimesThatAreNoTimeOfDay) {
  for (const std::string_view text :
       {"-00:00:01", "24:00:00", "30:00:00", "838:59:59", "100:00:00.5"}) {
    EXPECT_EQ(
        MetaOf(Of(Kind::kTime, text)),
        R"({"changes":[{"field":"v","change":"NULLED","reason":"SOURCE_SERIALIZATION_ERROR"}]})")
        << text;
  }
}

TEST_F(RecordBatchTest, PassesJsonOn) {
  EXPECT_EQ(JsonOf(Of(Kind::kJson, R"({"k": [1, "é"]})")), R"({"k": [1, "é"]})");
  EXPECT_EQ(JsonOf(Of(Kind::kJson, "{\n}")), "{ }");
}

TEST_F(RecordBatchTest, WritesVectorsAsArrays) {
  constexpr std::string_view kFloats("\x00\x00\x80\x3F\x00\x00\x20\xC0", 8);

  EXPECT_EQ(JsonOf(Of(Kind::kVector, kFloats)), "[1,-2.5]");
  EXPECT_EQ(JsonOf(Of(Kind::kVector, "")), "[]");
}

TEST_F(RecordBatchTest, WritesGeometriesAsGeoJson) {
  EXPECT_EQ(JsonOf(Of(Kind::kGeometry, kPoint)), R"({"type":"Point","coordinates":[1,-2.5]})");
  EXPECT_THAT(MetaOf(Of(Kind::kGeometry, kPoint.substr(0, 10))), HasSubstr("NULLED"));
}

TEST_F(RecordBatchTest, WritesGeometriesAsHexadecimalDigits) {
  RecordBatch batch([] { return kNow; }, {.geometry = mysql::GeometryFormat::kWkbHex}, columns_);
  const size_t layout = batch.AddLayout(table_, table_.schema.columns);
  const std::vector<Value> row = {Of(Kind::kSigned, "1"), Of(Kind::kGeometry, kPoint)};

  batch.Append(layout, {.kind = ChangeKind::kCopy, .before = {}, .after = row, .sequence = 7});

  EXPECT_THAT(batch.text(), HasSubstr(R"("v":"0101000000000000000000f03f00000000000004c0",)"));
}

TEST_F(RecordBatchTest, SaysWhichValuesCouldNotBeGiven) {
  EXPECT_EQ(MetaOf(Of(Kind::kNull, "")), "");
  EXPECT_EQ(
      MetaOf(Bad(Kind::kNull, Problem::kUnrepresentable)),
      R"({"changes":[{"field":"v","change":"NULLED","reason":"SOURCE_SERIALIZATION_ERROR"}]})");
  EXPECT_EQ(
      MetaOf(Bad(Kind::kText, Problem::kReplaced, "a\xEF\xBF\xBD")),
      R"({"changes":[{"field":"v","change":"TRUNCATED","reason":"SOURCE_SERIALIZATION_ERROR"}]})");
}

TEST_F(RecordBatchTest, SaysSoOfSeveralValues) {
  Copy({Bad(Kind::kNull, Problem::kMalformed), Bad(Kind::kNull, Problem::kMalformed)});

  EXPECT_THAT(batch_.text(), HasSubstr(R"("meta":{"changes":[{"field":"id","change":"NULLED",)"
                                       R"("reason":"SOURCE_SERIALIZATION_ERROR"},{"field":"v",)"));
  EXPECT_TRUE(config::ParseJson(batch_.text()).ok());
}

TEST_F(RecordBatchTest, KeepsLargeValuesWhole) {
  const std::string text(100'003, '"');
  std::string expected = "\"";
  for (size_t i = 0; i < text.size(); ++i) expected += "\\\"";
  expected += "\"";

  EXPECT_TRUE(JsonOf(Of(Kind::kText, text)) == expected);
  EXPECT_EQ(JsonOf(Of(Kind::kBytes, text)).size(), (text.size() + 2) / 3 * 4 + 2);
}

TEST_F(RecordBatchTest, CountsTheRecordsOfEachTableSinceClear) {
  sync::Table other = table_;
  other.index = 3;
  const size_t other_layout = batch_.AddLayout(other, other.schema.columns);
  const std::vector<Value> row = {Of(Kind::kSigned, "1"), Of(Kind::kText, "x")};
  Copy(row);
  batch_.Append(other_layout,
                {.kind = ChangeKind::kCopy, .before = {}, .after = row, .sequence = 7});
  Copy(row);
  const size_t size = batch_.size_bytes();

  ASSERT_EQ(batch_.counts().size(), 2u);
  EXPECT_EQ(batch_.counts()[0].table, 0u);
  EXPECT_EQ(batch_.counts()[0].records, 2u);
  EXPECT_EQ(batch_.counts()[1].table, 3u);
  EXPECT_EQ(batch_.counts()[1].records, 1u);

  batch_.Clear();
  EXPECT_EQ(batch_.size_bytes(), 0u);
  EXPECT_THAT(batch_.counts(), IsEmpty());

  Copy(row);
  EXPECT_EQ(batch_.size_bytes(), size / 3);
  EXPECT_EQ(batch_.counts()[0].records, 1u);
}

TEST_F(RecordBatchTest, GivesTheSameNumberToTheSameLayout) {
  EXPECT_EQ(batch_.AddLayout(table_, table_.schema.columns), layout_);

  std::vector<mysql::Column> turned = {table_.schema.columns[1], table_.schema.columns[0]};
  EXPECT_NE(batch_.AddLayout(table_, turned), layout_);
}

}  // namespace
}  // namespace source_vitess::airbyte
