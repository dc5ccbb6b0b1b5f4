#include "fivetran/record_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fivetran/connector_sdk.pb.h"

namespace source_vitess::fivetran {
namespace {

namespace sdk = fivetran_sdk::v2;
using mysql::BaseType;
using mysql::Kind;
using mysql::Problem;
using mysql::Value;
using sync::ChangeKind;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;

Value Of(Kind kind, std::string_view text = "") { return {.kind = kind, .text = text}; }
Value Bad(Problem problem) { return {.kind = Kind::kNull, .problem = problem, .text = ""}; }

mysql::Column ColumnOf(const std::string& name, const std::string& type) {
  mysql::Column column;
  column.name = name;
  column.type = mysql::ParseColumnType(type).value();
  return column;
}

// "id=long 1, v=string a", in the order of the names.
std::string Text(const sdk::ValueType& value) {
  switch (value.inner_case()) {
    case sdk::ValueType::kNull:
      return value.null() ? "null" : "null that is none";
    case sdk::ValueType::kBoolValue:
      return value.bool_value() ? "bool true" : "bool false";
    case sdk::ValueType::kIntValue:
      return absl::StrCat("int ", value.int_value());
    case sdk::ValueType::kLongValue:
      return absl::StrCat("long ", value.long_value());
    case sdk::ValueType::kDoubleValue:
      return absl::StrCat("double ", value.double_value());
    case sdk::ValueType::kNaiveDate:
      return absl::StrCat("date ", value.naive_date().seconds(), " ", value.naive_date().nanos());
    case sdk::ValueType::kNaiveDatetime:
      return absl::StrCat("datetime ", value.naive_datetime().seconds(), " ",
                          value.naive_datetime().nanos());
    case sdk::ValueType::kUtcDatetime:
      return absl::StrCat("utc ", value.utc_datetime().seconds(), " ",
                          value.utc_datetime().nanos());
    case sdk::ValueType::kDecimal:
      return "decimal " + value.decimal();
    case sdk::ValueType::kBinary:
      return "binary " + value.binary();
    case sdk::ValueType::kString:
      return "string " + value.string();
    case sdk::ValueType::kJson:
      return "json " + value.json();
    default:
      return "something else";
  }
}

std::string Text(const sdk::Record& record) {
  std::map<std::string, std::string> columns;
  for (const auto& [name, value] : record.data()) columns[name] = Text(value);
  return absl::StrCat(record.schema_name(), ".", record.table_name(), " ",
                      sdk::RecordType_Name(record.type()), " ",
                      absl::StrJoin(columns, ", ", absl::PairFormatter("=")));
}

class RecordBatchTest : public testing::Test {
 protected:
  RecordBatchTest() {
    table_.schema.keyspace = "commerce";
    table_.schema.name = "orders";
    Columns({ColumnOf("id", "bigint"), ColumnOf("v", "text")});
    table_.schema.key = {"id"};
  }

  // The table's columns, all of them delivered.
  void Columns(const std::vector<mysql::Column>& columns) {
    table_.schema.columns = columns;
    table_.columns.clear();
    for (const mysql::Column& column : columns) table_.columns.push_back(column.name);
  }

  size_t Layout() { return batch_.AddLayout(table_, table_.schema.columns); }

  std::vector<sdk::UpdateResponse> Responses() {
    std::vector<sdk::UpdateResponse> responses;
    for (const std::string_view message : batch_.Messages()) {
      EXPECT_TRUE(responses.emplace_back().ParseFromArray(message.data(),
                                                          static_cast<int>(message.size())));
      EXPECT_EQ(responses.back().GetReflection()->GetUnknownFields(responses.back()).field_count(),
                0);
    }
    return responses;
  }

  std::vector<std::string> Records() {
    std::vector<std::string> texts;
    for (const sdk::UpdateResponse& response : Responses()) {
      for (const sdk::Record& record : response.records().records()) {
        texts.push_back(Text(record));
      }
    }
    return texts;
  }

  // How a value of a column of the type goes out.
  std::string Sent(const std::string& type, const Value& value) {
    Columns({ColumnOf("id", "bigint"), ColumnOf("v", type)});
    DestinationColumns columns(types_);
    RecordBatch batch(types_, columns);
    const std::vector<Value> row = {Of(Kind::kSigned, "1"), value};
    batch.Append(batch.AddLayout(table_, table_.schema.columns), {.after = row});
    sdk::UpdateResponse response;
    EXPECT_THAT(batch.Messages(), SizeIs(1));
    const std::string_view message = batch.Messages().front();
    EXPECT_TRUE(response.ParseFromArray(message.data(), static_cast<int>(message.size())));
    altered_.assign(batch.altered().begin(), batch.altered().end());
    return Text(response.records().records(0).data().at("v"));
  }

  sync::Table table_;
  mysql::TypeOptions types_ = {.times = mysql::TimeFormat::kText};
  DestinationColumns columns_{types_};
  RecordBatch batch_{types_, columns_};
  std::vector<AlteredColumn> altered_;  // by the last Sent
};

TEST_F(RecordBatchTest, SendsCopiedAndInsertedAndUpdatedRowsAsUpsertsOfAllColumns) {
  const std::vector<Value> row = {Of(Kind::kSigned, "-7"), Of(Kind::kText, "é")};
  const std::vector<Value> null = {Of(Kind::kSigned, "0"), Of(Kind::kNull)};
  const size_t layout = Layout();
  batch_.Append(layout, {.kind = ChangeKind::kCopy, .after = row});
  batch_.Append(layout, {.kind = ChangeKind::kInsert, .after = null});
  batch_.Append(layout, {.kind = ChangeKind::kUpdate, .after = row});

  EXPECT_THAT(Records(), ElementsAre("commerce.orders UPSERT id=long -7, v=string é",
                                     "commerce.orders UPSERT id=long 0, v=null",
                                     "commerce.orders UPSERT id=long -7, v=string é"));
  ASSERT_THAT(batch_.counts(), SizeIs(1));
  EXPECT_EQ(batch_.counts()[0].records, 3u);
}

TEST_F(RecordBatchTest, SendsTheKeyAloneOfADeletedRow) {
  const std::vector<Value> row = {Of(Kind::kSigned, "1"), Of(Kind::kText, "a")};
  batch_.Append(Layout(), {.kind = ChangeKind::kDelete, .before = row});

  EXPECT_THAT(Records(), ElementsAre("commerce.orders DELETE id=long 1"));
}

TEST_F(RecordBatchTest, SendsAChangedKeyAsADeleteAndAnUpsert) {
  const std::vector<Value> before = {Of(Kind::kSigned, "1"), Of(Kind::kText, "a")};
  const std::vector<Value> after = {Of(Kind::kSigned, "2"), Of(Kind::kText, "a")};
  batch_.Append(
      Layout(),
      {.kind = ChangeKind::kUpdate, .key_changed = true, .before = before, .after = after});

  EXPECT_THAT(Records(), ElementsAre("commerce.orders DELETE id=long 1",
                                     "commerce.orders UPSERT id=long 2, v=string a"));
}

TEST_F(RecordBatchTest, LeavesColumnsOutOfAnUpdateThatLacksThem) {
  const std::vector<Value> row = {Of(Kind::kSigned, "1"), Of(Kind::kAbsent)};
  batch_.Append(Layout(), {.kind = ChangeKind::kUpdate, .after = row});

  EXPECT_THAT(Records(), ElementsAre("commerce.orders UPDATE id=long 1"));
}

TEST_F(RecordBatchTest, TellsRowsWithoutAKeyApartByAllOfTheirColumns) {
  table_.schema.key.clear();
  const std::vector<Value> before = {Of(Kind::kSigned, "1"), Of(Kind::kText, "a")};
  const std::vector<Value> after = {Of(Kind::kSigned, "1"), Of(Kind::kText, "b")};
  batch_.Append(
      Layout(),
      {.kind = ChangeKind::kUpdate, .key_changed = true, .before = before, .after = after});

  EXPECT_THAT(Records(), ElementsAre("commerce.orders DELETE id=long 1, v=string a",
                                     "commerce.orders UPSERT id=long 1, v=string b"));
}

TEST_F(RecordBatchTest, LeavesOutColumnsThatAreNotSelectedAndNamesOfThePlatform) {
  Columns(
      {ColumnOf("id", "bigint"), ColumnOf("secret", "text"), ColumnOf("_fivetran_synced", "text")});
  table_.columns = {"id", "_fivetran_synced"};
  const std::vector<Value> row = {Of(Kind::kSigned, "1"), Of(Kind::kText, "a"),
                                  Of(Kind::kText, "b")};
  batch_.Append(Layout(), {.after = row});

  EXPECT_THAT(Records(), ElementsAre("commerce.orders UPSERT id=long 1"));
}

TEST_F(RecordBatchTest, SendsNullForAColumnThatTheStreamDoesNotHaveYet) {
  const std::vector<mysql::Column> of_stream = {ColumnOf("id", "bigint")};
  const std::vector<Value> row = {Of(Kind::kSigned, "1")};
  batch_.Append(batch_.AddLayout(table_, of_stream), {.after = row});

  EXPECT_THAT(Records(), ElementsAre("commerce.orders UPSERT id=long 1, v=null"));
}

TEST_F(RecordBatchTest, AnnouncesANewColumnBeforeItsFirstValue) {
  table_.takes_other_column = [](const std::string& name) { return name == "w"; };
  const std::vector<mysql::Column> of_stream = {ColumnOf("id", "bigint"), ColumnOf("v", "text"),
                                                ColumnOf("w", "decimal(5,2)"),
                                                ColumnOf("x", "int")};
  const std::vector<Value> row = {Of(Kind::kSigned, "1"), Of(Kind::kText, "a"),
                                  Of(Kind::kDecimal, "1.50"), Of(Kind::kSigned, "3")};
  const std::vector<Value> old_row(row.begin(), row.begin() + 2);
  const size_t old_layout = Layout();
  batch_.Append(old_layout, {.after = old_row});
  const size_t layout = batch_.AddLayout(table_, of_stream);
  batch_.Clear();
  batch_.Append(layout, {.after = row});
  batch_.Append(layout, {.after = row});

  const std::vector<sdk::UpdateResponse> responses = Responses();
  ASSERT_THAT(responses, SizeIs(2));
  ASSERT_TRUE(responses[0].has_schema_change());
  const sdk::Table& table = responses[0].schema_change().with_schema().schemas(0).tables(0);
  ASSERT_EQ(table.columns_size(), 3);
  EXPECT_EQ(table.columns(0).name(), "id");
  EXPECT_TRUE(table.columns(0).primary_key());
  EXPECT_EQ(table.columns(2).name(), "w");
  EXPECT_EQ(table.columns(2).type(), sdk::DECIMAL);
  EXPECT_EQ(table.columns(2).params().decimal().precision(), 5u);
  EXPECT_EQ(Text(responses[1].records().records(1)),
            "commerce.orders UPSERT id=long 1, v=string a, w=decimal 1.50");
}

TEST_F(RecordBatchTest, WidensAColumnThatHasGotAnotherType) {
  const std::vector<mysql::Column> of_stream = {ColumnOf("id", "bigint"), ColumnOf("v", "int")};
  Columns({ColumnOf("id", "bigint"), ColumnOf("v", "date")});
  const std::vector<Value> row = {Of(Kind::kSigned, "1"), Of(Kind::kSigned, "5")};
  const std::vector<Value> old_row = {Of(Kind::kSigned, "1"), Of(Kind::kDate, "2024-02-29")};
  batch_.Append(batch_.AddLayout(table_, of_stream), {.after = row});
  batch_.Append(Layout(), {.after = old_row});

  const std::vector<sdk::UpdateResponse> responses = Responses();
  ASSERT_THAT(responses, SizeIs(2));
  EXPECT_EQ(responses[0].schema_change().with_schema().schemas(0).tables(0).columns(1).type(),
            sdk::STRING);
  EXPECT_THAT(Records(), ElementsAre("commerce.orders UPSERT id=long 1, v=string 5",
                                     "commerce.orders UPSERT id=long 1, v=string 2024-02-29"));
}

TEST_F(RecordBatchTest, SendsOlderRowsAsTheWiderTypeThatTheirColumnHasNow) {
  Columns({ColumnOf("id", "bigint"), ColumnOf("v", "bigint unsigned")});
  const std::vector<mysql::Column> of_stream = {ColumnOf("id", "bigint"), ColumnOf("v", "int")};
  const std::vector<Value> row = {Of(Kind::kSigned, "1"), Of(Kind::kSigned, "-5")};
  batch_.Append(batch_.AddLayout(table_, of_stream), {.after = row});

  EXPECT_THAT(Records(), ElementsAre("commerce.orders UPSERT id=long 1, v=decimal -5"));
}

TEST_F(RecordBatchTest, SendsEveryTypeInTheMemberThatIsDeclared) {
  EXPECT_EQ(Sent("tinyint", Of(Kind::kSigned, "-128")), "int -128");
  EXPECT_EQ(Sent("smallint unsigned", Of(Kind::kUnsigned, "65535")), "int 65535");
  EXPECT_EQ(Sent("int", Of(Kind::kSigned, "-2147483648")), "int -2147483648");
  EXPECT_EQ(Sent("int unsigned", Of(Kind::kUnsigned, "4294967295")), "long 4294967295");
  EXPECT_EQ(Sent("bigint", Of(Kind::kSigned, "-9223372036854775808")), "long -9223372036854775808");
  EXPECT_EQ(Sent("bigint unsigned", Of(Kind::kUnsigned, "18446744073709551615")),
            "decimal 18446744073709551615");
  EXPECT_EQ(Sent("decimal(38,2)", Of(Kind::kDecimal, "-0.50")), "decimal -0.50");
  EXPECT_EQ(Sent("decimal(39,2)", Of(Kind::kDecimal, "-0.50")), "string -0.50");
  EXPECT_EQ(Sent("float", Of(Kind::kFloat, "0.1")), "double 0.1");
  EXPECT_EQ(Sent("double", Of(Kind::kDouble, "1e+15")), "double 1e+15");
  EXPECT_EQ(Sent("year", Of(Kind::kYear, "0")), "int 0");
  EXPECT_EQ(Sent("date", Of(Kind::kDate, "1969-12-31")), "date -86400 0");
  EXPECT_EQ(Sent("date", Of(Kind::kDate, "9999-12-31")), "date 253402214400 0");
  EXPECT_EQ(Sent("date", Of(Kind::kDate, "0001-01-01")), "date -62135596800 0");
  EXPECT_EQ(Sent("datetime", Of(Kind::kDateTime, "1970-01-01 00:00:00")), "datetime 0 0");
  EXPECT_EQ(Sent("datetime(6)", Of(Kind::kDateTime, "2024-02-29 12:30:01.000001")),
            "datetime 1709209801 1000");
  EXPECT_EQ(Sent("timestamp(1)", Of(Kind::kTimestamp, "2038-01-19 03:14:07.5")),
            "utc 2147483647 500000000");
  EXPECT_EQ(Sent("time", Of(Kind::kText, "-838:59:59")), "string -838:59:59");
  EXPECT_EQ(Sent("varchar(3)", Of(Kind::kText, "")), "string ");
  EXPECT_EQ(Sent("enum('a','b')", Of(Kind::kText, "b")), "string b");
  EXPECT_EQ(Sent("set('a','\"')", Of(Kind::kText, "a,\"")), R"(json ["a","\""])");
  EXPECT_EQ(Sent("set('a')", Of(Kind::kText, "")), "json []");
  EXPECT_EQ(Sent("blob", Of(Kind::kBytes, "\xff\x01")), "binary \xff\x01");
  EXPECT_EQ(Sent("bit(1)", Of(Kind::kBoolean, "true")), "bool true");
  EXPECT_EQ(Sent("bit(16)", Of(Kind::kBytes, "\x01\x02")), "long 258");
  EXPECT_EQ(Sent("bit(63)", Of(Kind::kBytes, "\x7f\xff\xff\xff\xff\xff\xff\xff")),
            "long 9223372036854775807");
  EXPECT_EQ(Sent("bit(64)", Of(Kind::kBytes, "\xff\xff\xff\xff\xff\xff\xff\xff")),
            "decimal 18446744073709551615");
  EXPECT_EQ(Sent("json", Of(Kind::kJson, R"({"a": 1})")), R"(json {"a": 1})");
  EXPECT_EQ(Sent("vector(2)", Of(Kind::kVector, std::string_view("\0\0\0?\0\0\xa0\xbf", 8))),
            "json [0.5,-1.25]");
  const std::string_view point("\0\0\0\0\x01\x01\0\0\0\0\0\0\0\0\0\xF0\x3F\0\0\0\0\0\0\x04\xC0",
                               25);
  EXPECT_EQ(Sent("point", Of(Kind::kGeometry, point)),
            R"(json {"type":"Point","coordinates":[1,-2.5]})");
  EXPECT_THAT(altered_, IsEmpty());
}

TEST_F(RecordBatchTest, MakesValuesNullThatHaveNoPlaceAndCountsThem) {
  EXPECT_EQ(Sent("date", Bad(Problem::kUnrepresentable)), "null");
  ASSERT_THAT(altered_, SizeIs(1));
  EXPECT_EQ(altered_[0].name, "v");
  EXPECT_EQ(altered_[0].values.nulled, 1u);
  EXPECT_EQ(Sent("json", Of(Kind::kJson, "")), "null");
  EXPECT_EQ(Sent("date", Of(Kind::kDate, "0000-01-01")), "null");
}

TEST_F(RecordBatchTest, PutsTheBeginningOf1970InPlaceOfDatesOfAKeyThatAreNone) {
  Columns({ColumnOf("day", "date"), ColumnOf("at", "timestamp")});
  table_.schema.key = {"day", "at"};
  const std::vector<Value> row = {Bad(Problem::kUnrepresentable), Bad(Problem::kUnrepresentable)};
  batch_.Append(Layout(), {.kind = ChangeKind::kDelete, .before = row});

  EXPECT_THAT(Records(), ElementsAre("commerce.orders DELETE at=utc 0 0, day=date 0 0"));
  ASSERT_THAT(batch_.altered(), SizeIs(2));
  EXPECT_EQ(batch_.altered()[0].values.epochs, 1u);
}

TEST_F(RecordBatchTest, CountsTextThatWasReplaced) {
  EXPECT_EQ(Sent("text", Value{.kind = Kind::kText, .problem = Problem::kReplaced, .text = "?"}),
            "string ?");
  ASSERT_THAT(altered_, SizeIs(1));
  EXPECT_EQ(altered_[0].values.replaced, 1u);
}

TEST_F(RecordBatchTest, PutsAtMostAHundredRecordsIntoAMessage) {
  const size_t layout = Layout();
  for (int i = 0; i < 250; ++i) {
    const std::string id = absl::StrCat(i);
    const std::vector<Value> row = {Of(Kind::kSigned, id), Of(Kind::kText, "a")};
    batch_.Append(layout, {.after = row});
  }

  std::vector<int> sizes;
  int next = 0;
  for (const sdk::UpdateResponse& response : Responses()) {
    sizes.push_back(response.records().records_size());
    for (const sdk::Record& record : response.records().records()) {
      EXPECT_EQ(record.data().at("id").long_value(), next++);
    }
  }
  EXPECT_THAT(sizes, ElementsAre(100, 100, 50));
}

TEST_F(RecordBatchTest, KeepsMessagesSmallAndGivesALargeRowOneOfItsOwn) {
  const size_t layout = Layout();
  const std::string large(300'000, 'x');
  const std::string middle(40'000, 'y');
  for (const std::string* text : {&middle, &middle, &middle, &large, &middle, &large, &large}) {
    const std::vector<Value> row = {Of(Kind::kSigned, "1"), Of(Kind::kText, *text)};
    batch_.Append(layout, {.after = row});
  }

  std::vector<int> sizes;
  for (const sdk::UpdateResponse& response : Responses()) {
    sizes.push_back(response.records().records_size());
    const size_t most = sizes.back() > 1 ? kMostBytes + 100 : SIZE_MAX;
    EXPECT_THAT(response.ByteSizeLong(), Le(most));
  }
  EXPECT_THAT(sizes, ElementsAre(2, 1, 1, 1, 1, 1));
}

TEST_F(RecordBatchTest, IsTheSameAsWhatTheMessagesThemselvesSerialize) {
  const size_t layout = Layout();
  for (const size_t size : {0, 1, 100, 127, 128, 16'000, 20'000}) {
    const std::string text(size, 'z');
    const std::vector<Value> row = {Of(Kind::kSigned, "1"), Of(Kind::kText, text)};
    batch_.Append(layout, {.after = row});
  }

  std::vector<sdk::UpdateResponse> responses = Responses();
  ASSERT_THAT(responses, SizeIs(1));
  EXPECT_EQ(responses[0].ByteSizeLong(), batch_.Messages()[0].size());
}

TEST_F(RecordBatchTest, GoesOnAfterItWasClearedAndLookedAt) {
  const std::vector<Value> row = {Of(Kind::kSigned, "1"), Of(Kind::kText, "a")};
  const size_t layout = Layout();
  batch_.Append(layout, {.after = row});
  EXPECT_THAT(Records(), SizeIs(1));
  batch_.Append(layout, {.after = row});
  EXPECT_THAT(Records(), SizeIs(2));
  batch_.Clear();
  EXPECT_THAT(Records(), IsEmpty());
  batch_.Append(layout, {.after = row});
  EXPECT_THAT(Records(), SizeIs(1));
  EXPECT_THAT(batch_.counts(), SizeIs(1));
}

}  // namespace
}  // namespace source_vitess::fivetran
