// A read's output in the form in which it is compared with an expected file: the same for every run
// that delivers the same, and made to be read by a person.
#ifndef SOURCE_VITESS_HARNESS_NORMALISED_OUTPUT_H_
#define SOURCE_VITESS_HARNESS_NORMALISED_OUTPUT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace source_vitess::harness {

struct Normalisation {
  // When the read ran: a time of _ab_cdc_updated_at in between is that of a row that was copied,
  // and becomes "now".
  absl::Time begin;
  absl::Time end;
  // Of more records in a row than this, those in the middle are left out: a line tells how many,
  // and a checksum of them.
  size_t longest_run = 60;
};

// `lines` are messages of one read. They come out stream by stream, since streams interleave by
// chance, each in its own order, as one of
//   {"stream":"keyspace.table","status":"RUNNING"}
//   {"stream":"keyspace.table","record":{...},"meta":{...}}       the data; meta where there is one
//   {"stream":"keyspace.table","records":2,"state":{...}}         recordCount and stream_state
//   {"stream":"keyspace.table","elided":1000,"checksum":"..."}
// and behind all streams the errors,
//   {"error":"config_error","stream":"keyspace.table","message":"..."}
// LOG messages are left out. A value of _ab_cdc_cursor becomes its rank among those of the stream,
// and so does the "cursor" of a state. Numbers are as they were written. A line that is no message
// comes out as it is, at the end.
std::vector<std::string> NormaliseOutput(const std::vector<std::string>& lines,
                                         const Normalisation& normalisation);

}  // namespace source_vitess::harness

#endif  // SOURCE_VITESS_HARNESS_NORMALISED_OUTPUT_H_
