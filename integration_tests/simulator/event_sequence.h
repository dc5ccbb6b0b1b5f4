// Brings the events of a VStream into a form in which a simulated stream can be compared with a
// recorded one.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_EVENT_SEQUENCE_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_EVENT_SEQUENCE_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "vitess/vtgate.pb.h"
#include "vitess/vtgateservice.grpc.pb.h"

namespace source_vitess::simulator {

using Responses = std::vector<vtgate::VStreamResponse>;

// One line per event, by "keyspace/shard" ("/" for events without a shard). Left out is what no two
// runs share: times (only whether there is one is told), GTIDs (of a VGTID: by how many
// transactions its shard went on, and the shard's table_p_ks), and how events are divided into
// messages. `request` tells where each shard began.
std::map<std::string, std::vector<std::string>> LinesByShard(const vtgate::VStreamRequest& request,
                                                             const Responses& responses);

// The same in one list, in the order of arrival.
std::vector<std::string> Lines(const vtgate::VStreamRequest& request, const Responses& responses);

// The phases that a copy of several tables goes through: "copy t", "rows t", "transaction t",
// "empty transaction", "completed". Repetitions are told once, and after the completion each phase
// once only.
std::vector<std::string> Phases(const Responses& responses);

size_t CountEvents(const Responses& responses);

// A client of one VStream.
class StreamReader {
 public:
  StreamReader(const std::string& address, const vtgate::VStreamRequest& request);
  ~StreamReader();

  // Reads until `count` events have come in all, or the stream ends.
  void ReadEvents(size_t count);
  // Reads one message; false if the stream has ended.
  bool ReadMessage();
  // The status that the stream ends with; reads what is left.
  grpc::Status Finish();
  void Cancel() { context_.TryCancel(); }

  const Responses& responses() const { return responses_; }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<vtgateservice::Vitess::Stub> stub_;
  std::unique_ptr<grpc::ClientReader<vtgate::VStreamResponse>> reader_;
  Responses responses_;
  bool finished_ = false;
};

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_EVENT_SEQUENCE_H_
