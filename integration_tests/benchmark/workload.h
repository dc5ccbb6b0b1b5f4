// What the server sends: messages of the form that VTGate gives them, made cheaply.
#ifndef SOURCE_VITESS_BENCHMARK_WORKLOAD_H_
#define SOURCE_VITESS_BENCHMARK_WORKLOAD_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmark/sample_table.h"
#include "vitess/vtgate.pb.h"

namespace source_vitess::benchmark {

enum class WorkloadKind {
  // A table job from nothing: batches of 250 kB, a ROW event per row (recordings copy-job-start,
  // copy-two-shards).
  kCopy,
  // Transactions of five ROW events with four changes each: inserts, updates with both images, a
  // delete (recording replicate-transactions).
  kReplication,
  // One transaction of inserts: its VGTID and COMMIT stand behind the last row (recording
  // replicate-large-transaction).
  kLargeTransaction,
};

struct WorkloadChoice {
  WorkloadKind kind = WorkloadKind::kCopy;
  SampleTable table = SampleTable::kOrders;
};

// "copy", "replication", "large-transaction"; with "all-types-" before it, of that table.
std::string WorkloadName(const WorkloadChoice& choice);
absl::StatusOr<WorkloadChoice> ParseWorkload(std::string_view name);

// One serialized VStreamResponse in which some numbers are left open: the keys of its rows and the
// sequence number of its transaction. They always have ten digits, so that the rest of the message
// can stay as it is.
class MessageTemplate {
 public:
  // Stands in a message for the key of its row number `index`, counted from zero.
  static std::string KeyMark(size_t index);
  // Stands in a message for the sequence number of its transaction.
  static std::string TransactionMark();

  MessageTemplate(const vtgate::VStreamResponse& response, uint64_t rows, uint64_t transactions);

  size_t size() const { return bytes_.size(); }
  // How many keys it takes, and by how much the transactions move on.
  uint64_t rows() const { return rows_; }
  uint64_t transactions() const { return transactions_; }

  // Writes size() bytes to `out`.
  void Render(uint64_t first_key, uint64_t transaction, char* out) const;

 private:
  struct Gap {
    size_t offset;
    bool is_key;
    uint64_t index;
  };

  std::string bytes_;
  uint64_t rows_;
  uint64_t transactions_;
  std::vector<Gap> gaps_;
};

// A whole stream: each message a template, filled in as it is sent. What it takes in memory does
// not depend on the number of rows. Immutable.
class Workload {
 public:
  // `rows`: 1 or more rows or changes, each of which becomes one record.
  Workload(const WorkloadChoice& choice, uint64_t rows);

  const WorkloadChoice& choice() const { return choice_; }
  uint64_t rows() const { return rows_; }
  uint64_t messages() const;
  uint64_t bytes() const;

  // Where a replication begins; what a copy was taken at.
  const std::string& start_gtid_set() const { return start_; }
  // What the server has executed: the stream leads there.
  const std::string& executed_gtid_set() const { return executed_; }

  // The request that is answered with this stream.
  vtgate::VStreamRequest Request() const;

 private:
  friend class WorkloadReader;

  // Messages in a row, the row repeated.
  struct Part {
    std::vector<size_t> templates;  // places in templates_
    uint64_t repeat;
  };

  void AddPart(std::vector<size_t> templates, uint64_t repeat = 1);
  size_t AddTemplate(const vtgate::VStreamResponse& response, uint64_t rows = 0,
                     uint64_t transactions = 0);
  void MakeCopy();
  void MakeReplication();
  void MakeLargeTransaction();

  const WorkloadChoice choice_;
  const uint64_t rows_;
  std::vector<MessageTemplate> templates_;
  std::vector<Part> parts_;
  std::string start_;
  std::string executed_;
};

// Goes through the messages of a workload.
class WorkloadReader {
 public:
  // `workload` must outlive the reader.
  explicit WorkloadReader(const Workload& workload);

  bool done() const { return part_ == workload_.parts_.size(); }

  // Bytes of the next message. REQUIRES: !done()
  size_t NextSize() const { return Current().size(); }

  // Writes the next message to `out` and goes on to the one behind it. REQUIRES: !done()
  void Next(char* out);

 private:
  const MessageTemplate& Current() const;

  const Workload& workload_;
  size_t part_ = 0;
  uint64_t round_ = 0;
  size_t place_ = 0;
  uint64_t key_ = 0;
  uint64_t transaction_ = 0;
};

}  // namespace source_vitess::benchmark

#endif  // SOURCE_VITESS_BENCHMARK_WORKLOAD_H_
