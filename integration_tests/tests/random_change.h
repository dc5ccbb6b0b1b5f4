// What happens to the tables of a test's source (tests/database.h), at random.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_RANDOM_CHANGE_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_RANDOM_CHANGE_H_

#include <random>
#include <string>
#include <vector>

namespace source_vitess::integration_tests {

// The statements of one change: inserts of row `next_id`, which moves on then, or updates and
// deletes of rows below it. `with_parcels`: also of the table parcels(id, region), sharded by
// region, whose rows move between shards; real Vitess refuses to do that.
std::vector<std::string> RandomChange(std::mt19937_64& random, int& next_id, bool with_parcels);

}  // namespace source_vitess::integration_tests

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_RANDOM_CHANGE_H_
