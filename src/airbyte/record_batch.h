// Rows as RECORD messages (reference 1.2, 1.10, 3.1, 6.3).
#ifndef SOURCE_VITESS_AIRBYTE_RECORD_BATCH_H_
#define SOURCE_VITESS_AIRBYTE_RECORD_BATCH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "airbyte/declared_type.h"
#include "airbyte/json_text.h"
#include "airbyte/messages.h"
#include "airbyte/stream_columns.h"
#include "mysql/column_type.h"
#include "sync/sink.h"
#include "text/buffer.h"

namespace source_vitess::airbyte {

// Values of a column that records in a batch do not tell as they are.
struct AlteredColumn {
  size_t table;  // Table::index
  std::string name;
  AlteredValues values;
};

// One line per record. An update of the key becomes two: the row as it was, deleted, and the row as
// it is. A value that cannot be given, or that is not what the configured catalog declares, is
// null, and the record's "meta" says so.
class RecordBatch final : public sync::RowBatch {
 public:
  // `columns` must outlive the batch.
  RecordBatch(Clock clock, const mysql::TypeOptions& types, StreamColumns& columns);

  size_t AddLayout(const sync::Table& table, std::span<const mysql::Column> columns) override;
  void Append(size_t layout, const sync::RowChange& change) override;
  // A field that a record does not have is null to a destination.
  bool TakesAbsentColumns() const override { return false; }
  // A record has the time of the change.
  bool WantsEveryUpdate() const override { return true; }
  size_t size_bytes() const override { return text().size(); }
  std::span<const sync::RecordCount> counts() const override { return counts_; }
  void Clear() override;

  // Whole lines. Valid until the next call of Append or Clear.
  std::string_view text() const { return buffer_.text(end_); }

  // The columns that have had such values since Clear.
  std::span<const AlteredColumn> altered() const { return altered_; }

 private:
  struct Cell {
    size_t column;  // its place in the row
    std::string name;
    std::string key;  // `,"name":`
    DeclaredType declared;
    KindSet fitting;  // what is written as it is
    size_t altered;   // 1 + its place in altered_, or 0
  };

  struct Layout {
    size_t table;              // Table::index
    std::string head;          // all of a record before its time
    std::string stamped_head;  // with the time, and all up to the data
    int64_t stamped_ms = -1;   // that time
    std::vector<Cell> cells;
    bool cdc_columns = false;
  };

  // The columns of the protocol up to the cursor's value, made anew when their time is another.
  struct CdcColumns {
    int64_t milliseconds = INT64_MIN;
    std::string of_row;
    std::string of_deleted_row;

    const CdcColumns& At(int64_t time_ms);
  };

  // The change of a row that one record tells.
  struct Record {
    std::span<const mysql::Value> values;
    const std::string* cdc_columns;  // null: none
    uint64_t sequence;
  };

  struct Change {
    size_t cell;  // its place in the layout
    bool nulled;
  };

  Cell MakeCell(const sync::Table& table, const mysql::Column& column, size_t place);
  void AppendRecord(Layout& layout, const Record& record);
  char* AppendValue(char* out, const Cell& cell, const mysql::Value& value);
  char* AppendMisfit(char* out, const Cell& cell, const mysql::Value& value);
  char* AppendAsString(char* out, const Cell& cell, const mysql::Value& value);
  char* AppendString(char* out, std::string_view text);
  char* AppendRaw(char* out, std::string_view text);
  char* AppendBytes(char* out, std::string_view bytes);
  char* AppendJson(char* out, std::string_view json);
  char* AppendGeometry(char* out, const Cell& cell, std::string_view geometry);
  char* AppendVector(char* out, std::string_view floats);
  char* AppendNulled(char* out, const Cell& cell);
  void AddChange(const Cell& cell, bool nulled);
  char* AppendChanges(char* out, Layout& layout);
  AlteredValues& AlteredIn(const Layout& layout, Cell& cell);
  void Count(size_t table, uint64_t records);

  const Clock clock_;
  const mysql::TypeOptions types_;
  StreamColumns& columns_;
  std::vector<Layout> layouts_;
  text::Buffer buffer_;
  char* end_ = nullptr;  // of the text in buffer_
  std::string scratch_;

  // The clock, read for the first row and then once in a while.
  uint64_t appended_ = 0;
  int64_t now_ms_ = -1;
  CdcColumns emitted_;    // of copied rows
  CdcColumns committed_;  // of changes
  SequenceWriter sequences_;
  const Layout* layout_ = nullptr;  // of the record in the making
  std::vector<Change> changes_;     // likewise
  std::vector<AlteredColumn> altered_;

  std::vector<sync::RecordCount> counts_;
  std::vector<size_t> slots_;  // by Table::index: 1 + its place in counts_, or 0
};

}  // namespace source_vitess::airbyte

#endif  // SOURCE_VITESS_AIRBYTE_RECORD_BATCH_H_
