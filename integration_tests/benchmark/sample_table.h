// The tables that the benchmark reads: nine columns, as a shop's orders would have them; and one
// column of every type, with everyday values.
#ifndef SOURCE_VITESS_BENCHMARK_SAMPLE_TABLE_H_
#define SOURCE_VITESS_BENCHMARK_SAMPLE_TABLE_H_

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>

#include "vitess/query.pb.h"

namespace source_vitess::benchmark {

inline constexpr char kKeyspace[] = "commerce";
inline constexpr char kShard[] = "0";

enum class SampleTable { kOrders, kAllTypes };

// "orders", "all_types".
const char* TableName(SampleTable table);

// A column as information_schema and FIELD events describe it.
struct SampleColumn {
  const char* name;
  const char* type;       // full SQL type
  const char* data_type;  // without length
  query::Type wire_type;
  uint32_t length;   // bytes
  uint32_t charset;  // collation id
  uint32_t decimals;
  uint32_t flags;             // query::MySqlFlag bits
  const char* character_set;  // null: none
  const char* collation;
  bool nullable;
};

// The first is the primary key.
std::span<const SampleColumn> SampleColumns(SampleTable table);

// The text forms of the same values: those of a copy, and those of the binary log (recordings
// copy-all-types, replicate-all-types).
enum class RowForm { kCopy, kBinlog };

// Makes rows whose contents vary: lengths, a NULL here and there, text beyond ASCII, text that JSON
// has to escape. The same seed gives the same rows everywhere.
class SampleRows {
 public:
  SampleRows(SampleTable table, RowForm form, uint64_t seed)
      : table_(table), form_(form), random_(seed) {}

  // `key`: the text of the first column, the primary key.
  query::Row Next(std::string_view key);

 private:
  query::Row NextOrder(std::string_view key);
  query::Row NextOfAllTypes(std::string_view key);
  // Between `least` and `most`, both included.
  uint64_t Number(uint64_t least, uint64_t most);
  std::string Note(size_t size);
  std::string Bytes(size_t size);
  std::string Document();
  std::string Polygon();
  double Degrees();
  std::string Moment();

  const SampleTable table_;
  const RowForm form_;
  std::mt19937_64 random_;
};

}  // namespace source_vitess::benchmark

#endif  // SOURCE_VITESS_BENCHMARK_SAMPLE_TABLE_H_
