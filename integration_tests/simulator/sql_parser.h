// Reads the subset of MySQL's and VTGate's SQL that the simulator knows (README.md lists it).
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_SQL_PARSER_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_SQL_PARSER_H_

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "simulator/sql_statement.h"

namespace source_vitess::simulator {

// Values of :name in a statement.
using BindValues = std::map<std::string, Literal>;

// One statement; a semicolon at its end is allowed. Fails with INVALID_ARGUMENT "syntax error at
// position N near 'x'".
absl::StatusOr<Statement> Parse(std::string_view sql, const BindValues& binds = {});

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_SQL_PARSER_H_
