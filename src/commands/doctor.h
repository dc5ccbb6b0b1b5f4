// The command for people: what is fine with a configuration and the Vitess behind it, what is
// risky, and what does not work.
#ifndef SOURCE_VITESS_COMMANDS_DOCTOR_H_
#define SOURCE_VITESS_COMMANDS_DOCTOR_H_

#include <string>

#include "commands/environment.h"

namespace source_vitess::commands {

struct DoctorArguments {
  std::string config;   // a path, as the next two
  std::string catalog;  // empty: all tables
  std::string state;    // empty: no saved positions to look at
  bool json = false;    // one JSON document in the place of text
};

// Goes through configuration, connection, tables, shards, binary logs and saved positions, as far
// as each can be reached, and prints what it finds with what to do about it. The result is the exit
// code: kFailure when something does not work, and kSuccess otherwise, risks included.
int RunDoctor(const Environment& environment, const DoctorArguments& arguments);

}  // namespace source_vitess::commands

#endif  // SOURCE_VITESS_COMMANDS_DOCTOR_H_
