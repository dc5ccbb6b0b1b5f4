// Whether a record is what discovery declared: an independent reading of the JSON schemas that
// airbyte/catalog.h writes, as strict as Airbyte's type names are (reference 1.10).
#ifndef SOURCE_VITESS_TESTS_VALUES_DECLARED_SCHEMA_H_
#define SOURCE_VITESS_TESTS_VALUES_DECLARED_SCHEMA_H_

#include <string>
#include <vector>

namespace source_vitess::tests {

// What is wrong with the records in `lines` (RECORD messages, one a line), whose streams the
// CATALOG message `catalog` declares; a sentence each, empty when nothing is. A keyword of a schema
// that is not known here is wrong too, and so is a column that is not declared; one that is not
// sent is not.
std::vector<std::string> Violations(const std::string& catalog, const std::string& lines);

}  // namespace source_vitess::tests

#endif  // SOURCE_VITESS_TESTS_VALUES_DECLARED_SCHEMA_H_
