// Failures told apart by what is to be done about them (docs/design.md, "Failures").
//
// VTGate reports most failures of a stream as UNKNOWN, so the class comes from code and text
// together (recordings error-*; Vitess go/vt/vttablet/tabletserver/vstreamer/vstreamer.go:
// wrapError).
#ifndef SOURCE_VITESS_VITESS_ERRORS_H_
#define SOURCE_VITESS_VITESS_ERRORS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace source_vitess::vitess {

enum class ErrorClass {
  kConfiguration,  // The user has to change an option or the server; trying again does not help.
  kTransient,      // Trying again from the last position is expected to help.
  kLostPosition,   // The position can no longer be replicated from.
  kEmptied,   // The table was emptied or replaced, of which no change of a row tells: it has to
              // be emptied in the destination, too, and read again.
  kHost,      // The host has gone: stdout closed, call cancelled.
  kInternal,  // Anything else: a defect of ours.
};

// A short, stable name: "configuration", "transient", "lost position", "emptied", "host",
// "internal".
std::string_view ErrorClassName(ErrorClass error_class);

// The class of a failed status: the one attached by WithClass, or else the one that its code and
// text tell. REQUIRES: !status.ok()
ErrorClass Classify(const absl::Status& status);

// The same status, of which Classify says `error_class`. An OK status is returned as it is.
absl::Status WithClass(absl::Status status, ErrorClass error_class);

// The same status with "context: " before its message; code and class are kept.
absl::Status Annotate(absl::Status status, std::string_view context);

// Makes a status of the class, with the code that fits it.
absl::Status ConfigurationError(std::string_view message);
absl::Status TransientError(std::string_view message);
absl::Status LostPositionError(std::string_view message);
absl::Status EmptiedError(std::string_view message);
absl::Status HostError(std::string_view message);

// The same status; one of configuration in a server's words, which say what is wrong and seldom
// what to change, ends with the remedy, and has its class attached. Errors of ours have it in their
// words.
absl::Status WithRemedy(const absl::Status& status);

// What a person is shown of a failed status: with its remedy, or else with what to do next.
std::string MessageWithNextStep(const absl::Status& status);

// A server's message without the events, and so the rows, that VTGate and tablets put behind
// "error sending event" (reference 8.1).
std::string WithoutRowData(std::string_view message);

}  // namespace source_vitess::vitess

#endif  // SOURCE_VITESS_VITESS_ERRORS_H_
