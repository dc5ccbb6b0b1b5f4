#include "simulator/binary_log.h"

#include <utility>

#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

// What a rows event has besides its rows: the header behind MySQL's common one, and the width of
// the table.
constexpr size_t kEventHeaderBytes = 11;

size_t BitmapBytes(size_t columns) { return (columns + 7) / 8; }

size_t ImageBytes(const TableSchema& schema, const RowPointer& row,
                  const std::vector<bool>& absent) {
  if (row == nullptr) return 0;
  size_t bytes = BitmapBytes(schema.columns.size());
  for (size_t i = 0; i < row->size() && i < schema.columns.size(); ++i) {
    if (!absent.empty() && absent[i]) continue;
    bytes += BinlogSize(schema.columns[i], (*row)[i]);
  }
  return bytes;
}

vitess::GtidSet OneGtid(std::string_view uuid, int64_t number) {
  return vitess::GtidSet::Parse(Cat(uuid, ":", number)).value_or(vitess::GtidSet());
}

}  // namespace

void BinaryLog::Append(LoggedTransaction transaction) {
  transaction.uuid = uuid_;
  transaction.number = next_number_++;
  transaction.sequence_number = next_sequence_number_++;
  executed_ = executed_.Union(OneGtid(uuid_, transaction.number));
  transactions_.push_back(std::make_shared<const LoggedTransaction>(std::move(transaction)));
}

void BinaryLog::Purge() {
  begin_index_ = end_index();
  transactions_.clear();
  purged_ = executed_;
  next_sequence_number_ = 1;
}

LoggedTransactionPointer BinaryLog::Lose() {
  LoggedTransactionPointer lost = std::move(transactions_.back());
  transactions_.pop_back();
  executed_ = executed_.Difference(OneGtid(lost->uuid, lost->number));
  return lost;
}

void BinaryLog::ChangeServer(std::string uuid) {
  uuid_ = std::move(uuid);
  next_number_ = 1;
  next_sequence_number_ = 1;
}

std::vector<RowsEvent> DivideIntoEvents(const Table& table, std::vector<LoggedChange> changes) {
  static const PartialImages kComplete;
  std::vector<RowsEvent> events;
  size_t bytes = 0;
  for (LoggedChange& change : changes) {
    const PartialImages& partial = change.partial == nullptr ? kComplete : *change.partial;
    const size_t size = ImageBytes(*table.schema, change.before, partial.absent_before) +
                        ImageBytes(*table.schema, change.after, partial.absent_after);
    if (events.empty() || bytes + size > BinaryLog::kRowsEventBytes) {
      events.push_back({table.id, table.schema, {}, false});
      const size_t bitmaps = change.before != nullptr && change.after != nullptr ? 2 : 1;
      bytes = kEventHeaderBytes + bitmaps * BitmapBytes(table.schema->columns.size());
    }
    bytes += size;
    events.back().changes.push_back(std::move(change));
  }
  if (!events.empty()) events.back().ends_statement = true;
  return events;
}

}  // namespace source_vitess::simulator
