// For tests: a VTGate that answers queries with what a test, or a recording, has set.
#ifndef SOURCE_VITESS_VITESS_ANSWERING_CLIENT_FOR_TEST_H_
#define SOURCE_VITESS_VITESS_ANSWERING_CLIENT_FOR_TEST_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "vitess/recorded_for_test.h"
#include "vitess/vtgate_client.h"

namespace source_vitess::vitess {

// Cells; absent: NULL.
using AnswerRow = std::vector<std::optional<std::string>>;

inline query::QueryResult Result(const std::vector<std::string>& columns,
                                 const std::vector<AnswerRow>& rows) {
  query::QueryResult result;
  for (const std::string& column : columns) result.add_fields()->set_name(column);
  for (const AnswerRow& cells : rows) {
    query::Row& row = *result.add_rows();
    for (const auto& cell : cells) {
      row.add_lengths(cell.has_value() ? static_cast<int64_t>(cell->size()) : -1);
      row.mutable_values()->append(cell.value_or(""));
    }
  }
  return result;
}

// Answers each target and query with what was set for it.
class AnsweringClient final : public VtgateClient {
 public:
  void Answer(const std::string& target, const std::string& sql,
              absl::StatusOr<query::QueryResult> answer) {
    answers_.insert_or_assign(std::pair(target, sql), std::move(answer));
  }

  // Answers the recorded request with the recorded response.
  void AnswerAsRecorded(const std::string& name) {
    const vtgate::ExecuteRequest request = RecordedRequest(name);
    Answer(request.session().target_string(), request.query().sql(),
           RecordedResponse(name).result());
  }

  absl::StatusOr<query::QueryResult> Execute(std::string_view target, std::string_view sql,
                                             absl::Duration) override {
    const auto found = answers_.find(std::pair(std::string(target), std::string(sql)));
    if (found != answers_.end()) return found->second;
    return absl::InternalError("a query that was not recorded: " + std::string(sql));
  }

  std::unique_ptr<VStream> Stream(const vtgate::VStreamRequest&) override { return nullptr; }

 private:
  std::map<std::pair<std::string, std::string>, absl::StatusOr<query::QueryResult>> answers_;
};

}  // namespace source_vitess::vitess

#endif  // SOURCE_VITESS_VITESS_ANSWERING_CLIENT_FOR_TEST_H_
