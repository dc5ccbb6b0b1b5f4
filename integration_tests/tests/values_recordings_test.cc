// Every row that a real server sent is delivered as discovery declares it, with any options.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "airbyte/catalog.h"
#include "airbyte/record_batch.h"
#include "airbyte/stream_columns.h"
#include "mysql/row_decoder.h"
#include "mysql/table_schema.h"
#include "recordings/recording.h"
#include "sync/sink.h"
#include "telemetry/log.h"
#include "values_declared_schema.h"

namespace source_vitess::tests {
namespace {

using ::testing::IsEmpty;

query::QueryResult Answer(const std::string& name) {
  const auto recording = recordings::ExecuteRecording::Load(name);
  EXPECT_TRUE(recording.ok()) << recording.status();
  return recording.ok() ? recording->response.result() : query::QueryResult();
}

sync::Table AllTypes() {
  query::QueryResult sequences;
  sequences.add_fields()->set_name("table_name");
  const auto schemas = mysql::ParseTableSchemas("customer", Answer("tables"), Answer("columns"),
                                                Answer("indexes"), sequences);
  EXPECT_TRUE(schemas.ok()) << schemas.status();
  sync::Table table;
  for (const mysql::TableSchema& schema : *schemas) {
    if (schema.name == "alltypes") table.schema = schema;
  }
  for (const mysql::Column& column : table.schema.columns) table.columns.push_back(column.name);
  return table;
}

// Follows the recording as a job does and appends each row to a batch.
class Follower {
 public:
  Follower(const sync::Table& table, mysql::RowSource source, const mysql::TypeOptions& options)
      : table_(table), source_(source), options_(options) {}

  void Follow(const binlogdata::VEvent& event) {
    if (event.type() == binlogdata::FIELD) Announce(event.field_event());
    for (const auto& change : event.row_event().row_changes()) Append(change);
  }

  std::string records() const { return std::string(batch_.text()); }
  size_t count() const { return batch_.counts().empty() ? 0 : batch_.counts()[0].records; }

 private:
  void Announce(const binlogdata::FieldEvent& event) {
    std::vector<const query::Field*> fields;
    for (const query::Field& field : event.fields()) fields.push_back(&field);
    auto decoder = mysql::RowDecoder::Make(fields, table_.schema, {}, source_,
                                           event.enum_set_string_values(), options_);
    ASSERT_TRUE(decoder.ok()) << decoder.status();
    decoder_.emplace(*std::move(decoder));
    layout_ = batch_.AddLayout(table_, decoder_->columns());
  }

  void Append(const binlogdata::RowChange& change) {
    sync::RowChange row;
    if (change.has_before()) {
      ASSERT_TRUE(decoder_->Decode(change.before(), nullptr, nullptr, before_).ok());
      if (!change.has_after()) row.before = before_.values();
    }
    if (change.has_after()) {
      ASSERT_TRUE(
          decoder_
              ->Decode(change.after(), change.has_data_columns() ? &change.data_columns() : nullptr,
                       change.has_json_partial_values() ? &change.json_partial_values() : nullptr,
                       after_)
              .ok());
      row.after = after_.values();
    }
    row.kind = !change.has_after()   ? sync::ChangeKind::kDelete
               : change.has_before() ? sync::ChangeKind::kUpdate
                                     : sync::ChangeKind::kInsert;
    batch_.Append(layout_, row);
  }

  const sync::Table& table_;
  const mysql::RowSource source_;
  const mysql::TypeOptions options_;
  telemetry::NullLogger logger_;
  airbyte::StreamColumns columns_{{}, logger_};
  airbyte::RecordBatch batch_{[] { return int64_t{1767225600100}; }, options_, columns_};
  std::optional<mysql::RowDecoder> decoder_;
  size_t layout_ = 0;
  mysql::DecodedRow before_;
  mysql::DecodedRow after_;
};

void ExpectDeclared(const std::string& name, mysql::RowSource source, size_t records) {
  const auto recording = recordings::Recording::Load(name);
  ASSERT_TRUE(recording.ok()) << recording.status();
  const sync::Table table = AllTypes();
  const mysql::TypeOptions every_option = {.tinyint1_as_boolean = true,
                                           .bit1_as_boolean = false,
                                           .zero_dates = mysql::ZeroDates::kText,
                                           .geometry = mysql::GeometryFormat::kWkbHex};
  for (const mysql::TypeOptions& options : {mysql::TypeOptions(), every_option}) {
    Follower follower(table, source, options);

    for (const vtgate::VStreamResponse& response : recording->responses) {
      for (const binlogdata::VEvent& event : response.events()) follower.Follow(event);
    }

    EXPECT_EQ(follower.count(), records) << name;
    EXPECT_THAT(Violations(airbyte::CatalogLine({&table.schema, 1}, options), follower.records()),
                IsEmpty());
  }
}

TEST(ValuesRecordingsTest, CopiedRowsAreAsDeclared) {
  ExpectDeclared("copy-all-types", mysql::RowSource::kCopy, 8);
}

TEST(ValuesRecordingsTest, ReplicatedRowsAreAsDeclared) {
  ExpectDeclared("replicate-all-types", mysql::RowSource::kBinlog, 11);
}

TEST(ValuesRecordingsTest, PartialRowsAreAsDeclared) {
  ExpectDeclared("noblob-partial-json", mysql::RowSource::kBinlog, 9);
  ExpectDeclared("noblob-partial-json-projection", mysql::RowSource::kBinlog, 9);
}

TEST(ValuesRecordingsTest, RowsOfAColumnListAreAsDeclared) {
  ExpectDeclared("projection", mysql::RowSource::kBinlog, 9);
}

}  // namespace
}  // namespace source_vitess::tests
