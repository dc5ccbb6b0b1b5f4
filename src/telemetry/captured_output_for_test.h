// For tests: an Output whose lines can be looked at.
#ifndef SOURCE_VITESS_TELEMETRY_CAPTURED_OUTPUT_FOR_TEST_H_
#define SOURCE_VITESS_TELEMETRY_CAPTURED_OUTPUT_FOR_TEST_H_

#include <cstdio>
#include <string>
#include <vector>

#include "telemetry/output.h"

namespace source_vitess::telemetry {

class CapturedOutput {
 public:
  CapturedOutput() : file_(std::tmpfile()), output_(fileno(file_)) {}
  ~CapturedOutput() { std::fclose(file_); }
  CapturedOutput(const CapturedOutput&) = delete;
  CapturedOutput& operator=(const CapturedOutput&) = delete;

  Output& output() { return output_; }

  // All that was written.
  std::string Text() const {
    std::rewind(file_);
    std::string text;
    for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_)) text += static_cast<char>(c);
    return text;
  }

  // Its lines, without their newlines.
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    std::string line;
    for (const char c : Text()) {
      if (c == '\n') {
        lines.push_back(line);
        line.clear();
      } else {
        line += c;
      }
    }
    if (!line.empty()) lines.push_back(line + "<no newline>");
    return lines;
  }

 private:
  std::FILE* const file_;
  Output output_;
};

}  // namespace source_vitess::telemetry

#endif  // SOURCE_VITESS_TELEMETRY_CAPTURED_OUTPUT_FOR_TEST_H_
