#include "simulator/corruption.h"

#include <cstdint>
#include <limits>
#include <string>

namespace source_vitess::simulator {
namespace {

using Bitmap = binlogdata::RowChange::Bitmap;

void SetBitmap(Bitmap& bitmap, int64_t count) {
  bitmap.set_count(count);
  bitmap.set_cols(std::string(1, '\x01'));
}

void CorruptRow(Corruption corruption, binlogdata::RowChange& change, query::Row& row) {
  constexpr int64_t kFarBeyond = 1000000;
  const int64_t columns = row.lengths_size();
  switch (corruption) {
    case Corruption::kLengthBeyondValues:
      row.set_lengths(row.lengths_size() - 1, kFarBeyond);
      break;
    case Corruption::kLengthOverflow:
      for (int i = 0; i < row.lengths_size(); ++i)
        row.set_lengths(i, std::numeric_limits<int64_t>::max());
      break;
    case Corruption::kNegativeLength:
      row.set_lengths(0, std::numeric_limits<int64_t>::min());
      break;
    case Corruption::kTooFewLengths:
      row.mutable_lengths()->RemoveLast();
      break;
    case Corruption::kTooManyLengths:
      row.add_lengths(0);
      break;
    case Corruption::kMissingValues:
      row.clear_values();
      break;
    case Corruption::kBitmapTooShort:
      SetBitmap(*change.mutable_data_columns(), columns + 8);
      break;
    case Corruption::kBitmapCountTooLarge:
      SetBitmap(*change.mutable_data_columns(), std::numeric_limits<int64_t>::max());
      break;
    case Corruption::kBitmapCountNegative:
      SetBitmap(*change.mutable_data_columns(), -1);
      break;
    case Corruption::kJsonBitmapTooShort:
      SetBitmap(*change.mutable_json_partial_values(), columns + 8);
      break;
    case Corruption::kFieldMissing:
    case Corruption::kFieldsEmpty:
      break;
  }
}

bool CorruptField(Corruption corruption, vtgate::VStreamResponse& response) {
  for (int i = 0; i < response.events_size(); ++i) {
    if (!response.events(i).has_field_event()) continue;
    if (corruption == Corruption::kFieldMissing) {
      response.mutable_events()->DeleteSubrange(i, 1);
    } else {
      response.mutable_events(i)->mutable_field_event()->clear_fields();
    }
    return true;
  }
  return false;
}

}  // namespace

bool Corrupt(Corruption corruption, vtgate::VStreamResponse& response) {
  if (corruption == Corruption::kFieldMissing || corruption == Corruption::kFieldsEmpty)
    return CorruptField(corruption, response);
  for (binlogdata::VEvent& event : *response.mutable_events()) {
    if (!event.has_row_event()) continue;
    for (binlogdata::RowChange& change : *event.mutable_row_event()->mutable_row_changes()) {
      CorruptRow(corruption, change,
                 change.has_after() ? *change.mutable_after() : *change.mutable_before());
      return true;
    }
  }
  return false;
}

}  // namespace source_vitess::simulator
