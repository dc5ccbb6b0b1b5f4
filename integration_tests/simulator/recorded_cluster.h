// A simulated cluster as the recordings' was: two shards on one server, their tables and rows.
#ifndef SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_RECORDED_CLUSTER_H_
#define SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_RECORDED_CLUSTER_H_

#include <memory>
#include <string>
#include <string_view>

#include "recordings/recording.h"
#include "simulator/event_sequence.h"
#include "simulator/simulator.h"

namespace source_vitess::simulator {

// Serves keyspace "customer" with the tables of the recordings' schema.sql, empty, their vindexes,
// and tablets of the recorded names. Any failure ends the test program with a message.
class RecordedCluster {
 public:
  explicit RecordedCluster(SimulatorOptions options = {});

  // Runs statements divided by semicolons, in keyspace customer.
  void Run(std::string_view script);
  // Runs one statement in a target.
  void RunIn(std::string_view target, std::string_view sql);

  // customers 1 to 8, all created at `time`.
  void InsertCustomers(std::string_view time);
  // orders 1 to 5, one for each customer of that number.
  void InsertOrders();
  void InsertStrings();

  // Where the server stands: "MySQL56/...".
  std::string Position();

  // The recording's request with every position that it names replaced by `position`.
  static vtgate::VStreamRequest RequestAt(const recordings::Recording& recording,
                                          const std::string& position);

  Simulator& simulator() { return simulator_; }
  Cluster& cluster() { return simulator_.cluster(); }
  const std::string& address() const { return simulator_.address(); }

 private:
  Simulator simulator_;
};

// The recording; a missing one ends the test program.
recordings::Recording LoadRecording(std::string_view name);

}  // namespace source_vitess::simulator

#endif  // SOURCE_VITESS_INTEGRATION_TESTS_SIMULATOR_RECORDED_CLUSTER_H_
