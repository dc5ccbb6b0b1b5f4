// Reads what the repository says of itself.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_TESTS_DOCS_FILE_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_TESTS_DOCS_FILE_H_

#include <fstream>
#include <sstream>
#include <string>

namespace source_vitess::docs {

// The text of a file, by its path in the repository; empty when there is no such file.
inline std::string ReadFile(const std::string& path) {
  std::ifstream file(std::string(SOURCE_VITESS_ROOT "/") + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace source_vitess::docs

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_TESTS_DOCS_FILE_H_
