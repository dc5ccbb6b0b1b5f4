#include "tests/random_change.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "tests/database.h"

namespace source_vitess::integration_tests {

std::vector<std::string> RandomChange(std::mt19937_64& random, int& next_id, bool with_parcels) {
  const auto any = [&](int below) {
    return static_cast<int>(random() % static_cast<uint64_t>(below));
  };
  std::vector<std::string> statements;
  const auto add = [&](const auto&... pieces) { statements.push_back(absl::StrCat(pieces...)); };
  const int id = 1 + any(next_id);
  switch (any(8)) {
    case 0:
    case 1:
      statements = RowsOfEveryTable(next_id, next_id);
      if (with_parcels) add("insert into parcels values (", next_id, ", ", any(50), ")");
      ++next_id;
      break;
    case 2:
      add("update customers set email = 'new", any(100), "' where id <= ", id);
      break;
    case 3:
      add("delete from customers where id = ", id);
      add("delete from tags where id = ", id);
      if (with_parcels) add("delete from parcels where id = ", id);
      break;
    case 4:
      add("delete from orders where customer_id = ", id);
      add("delete from words where word = 'word", id, "'");
      break;
    case 5:
      add("update orders set id = id + 100000 where customer_id = ", id);
      add("update tags set weight = ", any(100), " where id = ", id);
      break;
    case 6:
      if (with_parcels) add("update parcels set region = ", any(50), " where id = ", id);
      break;
    default:
      add("update notes set body = 'b", any(100), "' where id = ", id);
      add("delete from notes where id = ", 1 + any(next_id));
      break;
  }
  return statements;
}

}  // namespace source_vitess::integration_tests
