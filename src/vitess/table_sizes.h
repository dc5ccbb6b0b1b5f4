// How large tables are, as the servers guess.
#ifndef SOURCE_VITESS_VITESS_TABLE_SIZES_H_
#define SOURCE_VITESS_VITESS_TABLE_SIZES_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "vitess/topodata.pb.h"
#include "vitess/vtgate_client.h"

namespace source_vitess::vitess {

struct TableSize {
  uint64_t rows = 0;
  uint64_t bytes = 0;  // of the rows, as InnoDB stores them
};

// The sizes of the shard's tables, by name: information_schema.tables as the tablet of that type
// has it. InnoDB counts some pages and guesses the rest; MySQL 8 keeps what it guessed for a day.
absl::StatusOr<std::map<std::string, TableSize>> ReadTableSizes(VtgateClient& client,
                                                                std::string_view keyspace,
                                                                std::string_view shard,
                                                                topodata::TabletType type,
                                                                absl::Duration timeout);

}  // namespace source_vitess::vitess

#endif  // SOURCE_VITESS_VITESS_TABLE_SIZES_H_
