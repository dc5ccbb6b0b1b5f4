// Floating-point numbers as MySQL and Vitess write them.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_NUMBER_TEXT_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_NUMBER_TEXT_H_

#include <string>

namespace source_vitess::simulator {

// MySQL's text: of a double the shortest that reads back the same, of a float six significant
// digits; with an exponent
// ("3.4e38") only beyond 15 digits.
std::string DoubleText(double number);
std::string FloatText(float number);

// Vitess's text of a binary log's value: the shortest, always with an exponent ("1.5E+00").
std::string DoubleExponentText(double number);
std::string FloatExponentText(float number);

// The shortest text that reads back the same.
std::string ShortestText(float number);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_NUMBER_TEXT_H_
