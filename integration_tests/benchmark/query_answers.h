// What the prepared VTGate answers to queries.
#ifndef SOURCE_VITESS_BENCHMARK_QUERY_ANSWERS_H_
#define SOURCE_VITESS_BENCHMARK_QUERY_ANSWERS_H_

#include <string>

#include "benchmark/sample_table.h"
#include "vitess/vtgate.pb.h"

namespace source_vitess::benchmark {

// Answers in the form of the recordings execute-*, for a cluster that has nothing but one sample
// table and stands at `executed`, a GTID set without flavor. A query of another kind is answered by
// an error that quotes it.
vtgate::ExecuteResponse AnswerQuery(const vtgate::ExecuteRequest& request, SampleTable table,
                                    const std::string& executed);

}  // namespace source_vitess::benchmark

#endif  // SOURCE_VITESS_BENCHMARK_QUERY_ANSWERS_H_
