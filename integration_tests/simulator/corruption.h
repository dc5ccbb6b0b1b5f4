// Messages that contradict themselves, as no VTGate sends them.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_CORRUPTION_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_CORRUPTION_H_

#include "vitess/vtgate.pb.h"

namespace source_vitess::simulator {

enum class Corruption {
  kLengthBeyondValues,   // a value is longer than what is there
  kLengthOverflow,       // the longest that a length can say
  kNegativeLength,       // below -1, which is NULL
  kTooFewLengths,        // fewer values than fields
  kTooManyLengths,       // more values than fields
  kMissingValues,        // lengths, and no bytes
  kBitmapTooShort,       // data_columns counts columns for which it has no bits
  kBitmapCountTooLarge,  // data_columns counts more columns than there are
  kBitmapCountNegative,
  kJsonBitmapTooShort,  // the same of json_partial_values
  kFieldMissing,        // rows of a table that no FIELD event has announced
  kFieldsEmpty,         // a FIELD event without fields
};

inline constexpr Corruption kAllCorruptions[] = {
    Corruption::kLengthBeyondValues,  Corruption::kLengthOverflow,
    Corruption::kNegativeLength,      Corruption::kTooFewLengths,
    Corruption::kTooManyLengths,      Corruption::kMissingValues,
    Corruption::kBitmapTooShort,      Corruption::kBitmapCountTooLarge,
    Corruption::kBitmapCountNegative, Corruption::kJsonBitmapTooShort,
    Corruption::kFieldMissing,        Corruption::kFieldsEmpty};

// Corrupts the message's first row, or FIELD event. False, with nothing changed, if it has none.
bool Corrupt(Corruption corruption, vtgate::VStreamResponse& response);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_CORRUPTION_H_
