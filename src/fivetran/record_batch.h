// Rows as the records of an Update's answers (reference 1.5, 2.6, 2.7).
#ifndef SOURCE_VITESS_FIVETRAN_RECORD_BATCH_H_
#define SOURCE_VITESS_FIVETRAN_RECORD_BATCH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fivetran/destination_columns.h"
#include "mysql/column_type.h"
#include "sync/sink.h"
#include "text/buffer.h"

namespace source_vitess::fivetran {

// The most that one message may hold: the platform refuses more records, and flushes at so many
// bytes (reference 2.6). A record beyond that stands alone.
constexpr size_t kMostRecords = 100;
constexpr size_t kMostBytes = 100'000;

// Serialized UpdateResponses, ready to be sent: `records` of up to kMostRecords, and the
// `schema_change` that announces columns before their first value. Made without messages in
// between: what a column always says stands ready, and values are written behind it.
//
// A copied or inserted row is an UPSERT, and so is an update that has all columns; one that lacks
// some is an UPDATE of the others. An update of the key is a DELETE of the row as it was and an
// UPSERT. A value that cannot be given is null, or, in a key, the beginning of 1970 in place of a
// date that is none (reference 4.3).
class RecordBatch final : public sync::RowBatch {
 public:
  // `columns` must outlive the batch.
  RecordBatch(const mysql::TypeOptions& types, DestinationColumns& columns);

  // `table` is referred to as long as the batch.
  size_t AddLayout(const sync::Table& table, std::span<const mysql::Column> columns) override;
  void Append(size_t layout, const sync::RowChange& change) override;
  bool TakesAbsentColumns() const override { return true; }
  bool WantsEveryUpdate() const override { return false; }
  size_t size_bytes() const override { return buffer_.text(end_).size(); }
  std::span<const sync::RecordCount> counts() const override { return counts_; }
  void Clear() override;

  // The messages, in their order. The views are valid until the next call of Append or Clear.
  std::vector<std::string_view> Messages() const;

  // The columns that have had values which are not told as they are, since Clear.
  std::span<const AlteredColumn> altered() const { return altered_; }

 private:
  static constexpr size_t kNotThere = SIZE_MAX;

  struct Cell {
    size_t column;  // its place in the row; kNotThere: the rows do not have it, and it is null
    std::string name;
    std::string key;   // the map entry's key, serialized
    std::string null;  // the whole map entry of a null, serialized
    DeclaredType declared;
    bool in_key;
    bool is_bits;    // BIT: bytes that are a number
    bool is_set;     // SET: text that is a list
    size_t altered;  // 1 + its place in altered_, or 0
  };

  struct Layout {
    const sync::Table* table;
    std::string head;  // of a record: schema and table
    std::vector<Cell> cells;
    bool keyless = false;
    uint64_t version = 0;  // of the columns
  };

  // A message in the buffer: its content, with room for its head before it.
  struct Message {
    size_t begin;
    size_t end;
  };

  enum class Cells { kAll, kPresent, kKey };

  Cell MakeCell(const sync::Table& table, const std::string& name, size_t place) const;
  void AppendRecord(Layout& layout, int type, std::span<const mysql::Value> row, Cells which);
  char* AppendCell(char* out, Cell& cell, const mysql::Value& value);
  char* AppendTyped(char* out, Cell& cell, const mysql::Value& value);
  char* AppendInteger(char* out, Cell& cell, const mysql::Value& value);
  char* AppendDecimal(char* out, Cell& cell, const mysql::Value& value);
  char* AppendDouble(char* out, Cell& cell, const mysql::Value& value);
  char* AppendTime(char* out, Cell& cell, const mysql::Value& value);
  char* AppendText(char* out, Cell& cell, const mysql::Value& value);
  char* AppendJson(char* out, Cell& cell, const mysql::Value& value);
  char* AppendBytes(char* out, const Cell& cell, int field, std::string_view bytes);
  char* AppendNulled(char* out, Cell& cell);
  void OpenMessage();
  Message HeadedMessage() const;
  void CloseMessage();
  void MoveToNewMessage(size_t begin);
  void Announce(const Layout& layout);
  AlteredValues& AlteredIn(Cell& cell);
  void Count(size_t table);

  const mysql::TypeOptions types_;
  DestinationColumns& columns_;
  std::vector<Layout> layouts_;
  text::Buffer buffer_;
  char* end_ = nullptr;  // of the content of buffer_
  std::vector<Message> closed_;
  // By Table::index: the version of its columns that this batch has announced.
  std::vector<uint64_t> announced_;
  size_t open_ = kNotThere;  // where the content of the message in the making begins
  size_t records_ = 0;       // in it
  size_t length_bytes_ = 2;  // of the last record's length
  std::string scratch_;
  const Layout* layout_ = nullptr;  // of the record in the making
  std::vector<AlteredColumn> altered_;
  std::vector<sync::RecordCount> counts_;
  std::vector<size_t> slots_;  // by Table::index: 1 + its place in counts_, or 0
};

}  // namespace source_vitess::fivetran

#endif  // SOURCE_VITESS_FIVETRAN_RECORD_BATCH_H_
