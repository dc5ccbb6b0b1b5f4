// The connector as Fivetran runs it: its server, the calls of a host, and the warehouse that they
// fill. All of it is integration_tests/fivetran_host, in Python; this is how tests talk to it.
#ifndef SOURCE_VITESS_HARNESS_FIVETRAN_HOST_H_
#define SOURCE_VITESS_HARNESS_FIVETRAN_HOST_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace source_vitess::harness {

struct FivetranField {
  std::string name;
  std::string kind;  // text, password, hidden, dropdown, toggle, upload
  std::string label;
  bool required = false;
  std::optional<std::string> default_value;
  std::vector<std::string> values;  // of a dropdown
};

struct FivetranForm {
  std::vector<FivetranField> fields;         // those of groups too
  std::map<std::string, std::string> tests;  // label by name
};

struct FivetranColumn {
  std::string name;
  std::string type;  // the DataType's name
  bool in_key = false;
  int precision = 0;    // of DECIMAL
  int scale = 0;        // likewise
  int byte_length = 0;  // of STRING, 0 where it is not told
};

// An Update that the host ends early, at the first of these.
struct FivetranStop {
  enum class By { kCancel, kKill, kTerminate };  // the call, or the process (SIGKILL, SIGTERM)
  By by = By::kCancel;
  std::optional<uint64_t> after_messages = {};
  std::optional<uint64_t> after_bytes = {};
  std::optional<absl::Duration> after = {};
};

struct FivetranUpdateOptions {
  std::optional<FivetranStop> stop = {};
  // The host takes nothing for so long, behind so many messages.
  uint64_t pause_after_messages = 0;
  absl::Duration pause = absl::ZeroDuration();
  // Tables, "schema.table", that may be truncated although the state has them.
  std::vector<std::string> may_truncate = {};
  // Whether rows behind the last checkpoint are in the warehouse when the Update does not succeed:
  // Fivetran may have written them or not.
  bool keep = true;
  // Over all; the call is cancelled then.
  absl::Duration patience = absl::Seconds(100);
};

struct FivetranCounts {
  uint64_t upserts = 0;
  uint64_t updates = 0;
  uint64_t deletes = 0;
  uint64_t truncates = 0;
  uint64_t ignored = 0;  // updates and deletes that met no row
};

struct FivetranReport {
  bool succeeded = false;  // OK, without a task, and to its end
  std::string status;      // the code's name
  std::string text;
  std::optional<std::string> task;
  std::vector<std::string> warnings;
  bool stopped = false;  // by the host
  bool timed_out = false;
  uint64_t messages = 0;
  uint64_t bytes = 0;
  uint64_t records = 0;
  uint64_t checkpoints = 0;
  uint64_t schema_changes = 0;
  std::map<std::string, FivetranCounts> tables;  // by "schema.table", those with records

  // What went wrong, for a test's message.
  std::string Failure() const;
};

// One connection: a connector, its configuration and selection, and a warehouse in SQLite. All of a
// program's connections share one host process. Thread-safe, but for one Update at a time. Calls
// that the connector fails give its status.
class FivetranConnection {
 public:
  // `history`: the warehouse keeps former versions of rows (history mode).
  static absl::StatusOr<std::unique_ptr<FivetranConnection>> Open(bool history = false);
  ~FivetranConnection();  // kills the connector

  // Starts `program fivetran --port 0`, in the place of the former one. The environment variable
  // SOURCE_VITESS_TEST_PROGRAM may name another build. Gives the port.
  absl::StatusOr<int> Start(const std::string& program);

  // Uses a connector that another connection has started.
  absl::Status Connect(int port);

  absl::StatusOr<FivetranForm> Form();

  // Fills in the form: defaults where nothing is given. What the form would not take, a line each.
  absl::StatusOr<std::vector<std::string>> Configure(
      const std::map<std::string, std::string>& values);

  // `selection`: JSON, as fivetran_host/selection.py has it; "null" for everything.
  absl::Status Select(const std::string& selection);

  // What a test says is wrong; nothing if it passes.
  absl::StatusOr<std::optional<std::string>> Test(const std::string& name);

  // Columns by "schema.table". Makes the tables in the warehouse, as Fivetran does before an
  // Update.
  absl::StatusOr<std::map<std::string, std::vector<FivetranColumn>>> Schema();

  // One Update from the saved state. Fails only where the host itself does.
  absl::StatusOr<FivetranReport> Update(const FivetranUpdateOptions& options = {});

  // Ends the Update of another thread by cancelling it.
  absl::Status Cancel();

  absl::Status Kill();

  // SIGTERM; the exit code, negative for a signal.
  absl::StatusOr<int> Stop();

  // Puts a state in the place of the saved one; "{}" is a re-sync. The rows stay.
  absl::Status SetState(const std::string& state);
  absl::StatusOr<std::string> State();

  // The rows that live in the warehouse, each a JSON object with the columns that are named:
  // numbers with all their digits, bytes in hexadecimal, JSON documents as strings, dates and times
  // as text.
  absl::StatusOr<std::vector<std::string>> Rows(const std::string& schema, const std::string& table,
                                                const std::vector<std::string>& columns);

  // The columns of the table in the warehouse; empty when it is not there.
  absl::StatusOr<std::vector<std::string>> Columns(const std::string& schema,
                                                   const std::string& table);

  // Rows that are marked as deleted, or, in history mode, former versions.
  absl::StatusOr<uint64_t> MarkedRows(const std::string& schema, const std::string& table);

  // What the connector has written to stdout since it was started.
  absl::StatusOr<std::vector<std::string>> Log();

  // What it did against the rules of fivetran_host/findings.py, a line each.
  absl::StatusOr<std::vector<std::string>> BrokenRules();

 private:
  explicit FivetranConnection(int number) : number_(number) {}

  const int number_;
};

}  // namespace source_vitess::harness

#endif  // SOURCE_VITESS_HARNESS_FIVETRAN_HOST_H_
