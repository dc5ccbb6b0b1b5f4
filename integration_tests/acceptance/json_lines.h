// The lines of a run as JSON, and a database with something of everything in it.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_ACCEPTANCE_JSON_LINES_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_ACCEPTANCE_JSON_LINES_H_

#include <string>
#include <vector>

#include "harness/process.h"
#include "rapidjson/document.h"
#include "simulator/simulator.h"
#include "tests/simulated_source.h"

namespace source_vitess::acceptance {

using Json = rapidjson::Value;

// The text, which has to be JSON.
rapidjson::Document Parsed(const std::string& text);

// The messages of one type, in their order.
std::vector<rapidjson::Document> MessagesOf(const harness::RunResult& run, const std::string& type);

// The member, or null where there is none.
const Json* Find(const Json& object, const char* name);

// Keyspace "shop": the tables of tests/database.h with three rows each, of which "tags" is emptied;
// "types" with a column of every type and a row in which every one has a value; "events" without a
// key, with two rows.
class Shop : public integration_tests::SimulatedSource {
 public:
  explicit Shop(simulator::SimulatorOptions options = {});

  // The CATALOG of a discovery.
  rapidjson::Document Discovered();
};

}  // namespace source_vitess::acceptance

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_ACCEPTANCE_JSON_LINES_H_
