// Airbyte's messages for people who try a command in a shell.
#ifndef SOURCE_VITESS_COMMANDS_PRETTY_H_
#define SOURCE_VITESS_COMMANDS_PRETTY_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>

#include "telemetry/output.h"

namespace source_vitess::commands {

// Renders messages, and counts what it renders.
class PrettyPrinter {
 public:
  // The message, one line without its end, as lines with theirs; what is no message of the protocol
  // as it is. Records begin with + or, deleted ones, with -; states with =; what is wrong with !.
  std::string Render(std::string_view message);

  // What it came to; empty where no stream was read.
  std::string Summary() const;

 private:
  uint64_t records_ = 0;
  uint64_t deletions_ = 0;
  uint64_t states_ = 0;
  std::set<std::string> complete_;
  std::set<std::string> incomplete_;
};

// An output whose messages appear, rendered, on another one. Nothing is kept back but what is under
// way.
class PrettyOutput {
 public:
  // `output` must outlive this.
  explicit PrettyOutput(telemetry::Output& output);
  // Returns when all is rendered.
  ~PrettyOutput();
  PrettyOutput(const PrettyOutput&) = delete;
  PrettyOutput& operator=(const PrettyOutput&) = delete;

  // Where messages go in. Fails with the class kHost once the other output does.
  telemetry::Output& input() { return *input_; }

 private:
  void Run();

  telemetry::Output& output_;
  int ends_[2];  // of a pipe: read, and written
  std::unique_ptr<telemetry::Output> input_;
  std::thread thread_;
};

}  // namespace source_vitess::commands

#endif  // SOURCE_VITESS_COMMANDS_PRETTY_H_
