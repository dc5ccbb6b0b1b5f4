// Prints an answer of Execute for people.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_RESULT_TABLE_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_RESULT_TABLE_H_

#include <string>

#include "vitess/query.pb.h"

namespace source_vitess::simulator {

// A table with a head, or "N rows affected" for an answer without fields. Ends with a line break.
std::string ResultTable(const query::QueryResult& result);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_RESULT_TABLE_H_
