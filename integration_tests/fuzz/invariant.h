// What a fuzz target asserts, in builds of any kind.
#ifndef SOURCE_VITESS_FUZZ_INVARIANT_H_
#define SOURCE_VITESS_FUZZ_INVARIANT_H_

#include <cstdio>
#include <cstdlib>
#include <string>

namespace source_vitess::fuzz {

// Ends the program, as fuzzers want it, with `shown` unless `holds`.
inline void Invariant(bool holds, const char* sentence, const std::string& shown) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n%s\n", sentence, shown.c_str());
  std::abort();
}

}  // namespace source_vitess::fuzz

#endif  // SOURCE_VITESS_FUZZ_INVARIANT_H_
