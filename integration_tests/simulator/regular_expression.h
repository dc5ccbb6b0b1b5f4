// Regular expressions between slashes, as rules and keyspaces of a VStream request have them.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_REGULAR_EXPRESSION_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_REGULAR_EXPRESSION_H_

#include <string_view>

namespace source_vitess::simulator {

inline bool IsRegularExpression(std::string_view match) { return match.starts_with('/'); }

// Whether the expression, its leading and trailing slashes removed, is found anywhere in `text`
// (reference 1.2, 1.4). One that is not valid is found nowhere.
bool FindsRegularExpression(std::string_view expression, std::string_view text);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_REGULAR_EXPRESSION_H_
