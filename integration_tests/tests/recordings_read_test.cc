// The connector against a replayed VTGate: `read` turns what a real server sent into the records
// and states of recordings/expected/NAME.jsonl, which a person can lay beside
// recordings/data/NAME.txt.
//
// After a change that is meant to change the output, run the tests with UPDATE_EXPECTED=1 in the
// environment: they write the files instead of comparing, and `git diff` shows what became of them.
// harness/normalised_output.h says what a line of them means.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "harness/connector.h"
#include "harness/destination.h"
#include "harness/normalised_output.h"
#include "recordings/recording.h"
#include "recordings/replay_server.h"

namespace source_vitess {
namespace {

using ::source_vitess::harness::Connector;
using ::source_vitess::harness::Destination;
using ::source_vitess::harness::RunResult;
using ::source_vitess::harness::StreamChoice;
using ::source_vitess::recordings::ExecuteRecording;
using ::source_vitess::recordings::Recording;
using ::source_vitess::recordings::RecordingServer;
using ::source_vitess::recordings::ReplayOptions;
using ::source_vitess::recordings::ReplayPhase;
using ::source_vitess::recordings::ReplayPosition;
using ::testing::IsEmpty;
using ::testing::Not;

// A table to read, and whether it begins where the recording's request stands.
struct ScenarioTable {
  std::string name;
  bool with_state = false;
  std::string sync_mode = "incremental";
};

struct Scenario {
  std::string recording;
  std::string keyspace;
  std::vector<ScenarioTable> tables;
  std::vector<std::string> columns = {};                 // of every table; empty: all
  std::map<std::string, std::string> config = {};        // options, by name, as JSON
  std::map<std::string, ReplayPosition> positions = {};  // see ReplayOptions
};

std::ostream& operator<<(std::ostream& out, const Scenario& scenario) {
  return out << scenario.recording;
}

std::vector<Scenario> Copies() {
  return {
      {"copy-two-shards",
       "customer",
       // The recording was cut before strpk, its fourth table, was copied.
       {{"customers"}, {"orders"}, {"nopk", false, "full_refresh"}}},
      {"copy-unspecified-shard", "customer", {{"customers"}}},
      {"copy-with-writes", "customer", {{"customers"}, {"orders"}}},
      {"copy-all-types", "customer", {{"alltypes"}}},
      {"copy-job-start", "customer", {{"customers"}}},
      {"copy-job-empty-table", "customer", {{"nopk", false, "full_refresh"}}},
      {"copy-job-resume-pending", "customer", {{"customers", true}}},
      {"copy-job-resume-mid-table", "customer", {{"customers", true}}},
      {"copy-job-lastpk-at-end", "customer", {{"customers", true}}},
      {"copy-job-one-shard-done", "customer", {{"customers", true}}},
      {"resume-mid-table", "customer", {{"customers", true}, {"strpk"}}},
      {"resume-one-shard-done", "customer", {{"strpk", true}}},
  };
}

std::vector<Scenario> Replications() {
  const std::vector<ScenarioTable> customers_orders_strpk = {
      {"customers", true}, {"orders", true}, {"strpk", true}};
  const std::vector<ScenarioTable> of_shop = {{"customers", true}, {"orders", true}};
  return {
      {"replicate-transactions", "customer", customers_orders_strpk},
      {"replicate-large-transaction", "customer", {{"orders", true}}},
      {"replicate-all-types", "customer", {{"alltypes", true}}},
      {"replicate-job-after-copy", "customer", customers_orders_strpk},
      {"projection", "customer", {{"alltypes", true}}, {"id", "vc", "en"}},
      {"noblob-partial-json", "customer", {{"alltypes", true}}},
      {"noblob-partial-json-projection",
       "customer",
       {{"alltypes", true}},
       {"id", "vc", "tx", "bl", "js"}},
      {"ddl", "customer", {{"customers", true}}},
      {"failover-planned", "shop", of_shop},
      {"tablet-killed", "shop", of_shop, {}, {{"tablet_type", R"("replica")"}}},
  };
}

// The server stood elsewhere than the stream, which told nothing.
std::vector<Scenario> Failures() {
  const std::map<std::string, ReplayPosition> to_611 = {
      {"customer:-80", {"83c0af68-e68d-11f1-b044-02fc00000001:1-611", ""}}};
  const std::map<std::string, ReplayPosition> purged_to_611 = {
      {"customer:-80",
       {"83c0af68-e68d-11f1-b044-02fc00000001:1-611",
        "83c0af68-e68d-11f1-b044-02fc00000001:1-611"}}};
  const std::map<std::string, std::string> replica = {{"tablet_type", R"("replica")"}};
  const std::vector<ScenarioTable> customers = {{"customers", true}};
  return {
      {"error-minimal-row-image", "customer", customers, {}, {}, to_611},
      {"error-schema-changed-behind", "customer", customers, {}, {}, to_611},
      {"stall-position-ahead", "customer", customers, {}, {}, to_611},
      {"stall-foreign-position", "customer", customers, {}, {}, to_611},
      {"stall-purged-position", "customer", customers, {}, {}, purged_to_611},
      {"stall-no-tablet", "customer", customers, {}, replica},
  };
}

// The columns of a table as a state keeps them, JSON. Of keyspace customer, whose columns were
// recorded; elsewhere none, as in the state of a table whose columns were never seen.
std::string ColumnsOf(const std::string& keyspace, const std::string& table) {
  std::vector<std::string> columns;
  absl::StatusOr<ExecuteRecording> recording = ExecuteRecording::Load("columns");
  EXPECT_TRUE(recording.ok()) << recording.status();
  for (const query::Row& row : recording->response.result().rows()) {
    // table_name, column_name, ordinal_position, column_type
    std::vector<std::string> cells;
    size_t begin = 0;
    for (int i = 0; i < 4; ++i) {
      cells.push_back(row.values().substr(begin, static_cast<size_t>(row.lengths(i))));
      begin += cells.back().size();
    }
    if (keyspace != "customer" || cells[0] != table) continue;
    columns.push_back(absl::StrCat(R"({"name":")", cells[1], R"(","type":")", cells[3], R"("})"));
  }
  return absl::StrCat("[", absl::StrJoin(columns, ","), "]");
}

// The position of the request, restricted to the table, as the stream_state of a connector's state.
// A recording of listed columns shows less than what a replication asks for, so nothing is known.
std::string StateOf(const Recording& recording, const Scenario& scenario,
                    const std::string& table) {
  binlogdata::VGtid vgtid = recording.request.vgtid();
  for (binlogdata::ShardGtid& shard : *vgtid.mutable_shard_gtids()) {
    auto& keys = *shard.mutable_table_p_ks();
    for (int i = keys.size() - 1; i >= 0; --i) {
      if (keys[i].table_name() != table) keys.DeleteSubrange(i, 1);
    }
  }
  std::string json;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(vgtid, &json).ok());
  return absl::StrCat(R"({"version":1,"vgtid":)", json, R"(,"columns":)",
                      scenario.columns.empty() ? ColumnsOf(scenario.keyspace, table) : "[]", "}");
}

// Of the tables that begin at a position; nothing where none does.
std::optional<std::string> StateFile(const Scenario& scenario, const Recording& recording) {
  std::vector<std::string> states;
  for (const ScenarioTable& table : scenario.tables) {
    if (!table.with_state) continue;
    states.push_back(absl::StrCat(R"({"type":"STREAM","stream":{"stream_descriptor":{"name":")",
                                  table.name, R"(","namespace":")", scenario.keyspace,
                                  R"("},"stream_state":)", StateOf(recording, scenario, table.name),
                                  "}}"));
  }
  if (states.empty()) return std::nullopt;
  return absl::StrCat("[", absl::StrJoin(states, ","), "]");
}

std::vector<StreamChoice> Choices(const Scenario& scenario) {
  std::vector<StreamChoice> choices;
  for (const ScenarioTable& table : scenario.tables) {
    choices.push_back({scenario.keyspace, table.name, table.sync_mode, scenario.columns});
  }
  return choices;
}

using Cells = std::vector<std::optional<std::string>>;

Cells CellsOf(const query::Row& row) {
  Cells cells;
  size_t begin = 0;
  for (const int64_t length : row.lengths()) {
    if (length < 0) {
      cells.push_back(std::nullopt);
      continue;
    }
    cells.push_back(row.values().substr(begin, static_cast<size_t>(length)));
    begin += static_cast<size_t>(length);
  }
  return cells;
}

// The last row that a recording of one row tells of, before its deletion: what its images have of
// it.
struct LastRow {
  std::vector<query::Field> fields;
  Cells cells;

  explicit LastRow(const Recording& recording) {
    for (const vtgate::VStreamResponse& response : recording.responses) {
      for (const binlogdata::VEvent& event : response.events()) {
        const auto& of_event = event.field_event().fields();
        if (!of_event.empty()) fields.assign(of_event.begin(), of_event.end());
        for (const binlogdata::RowChange& change : event.row_event().row_changes()) Take(change);
      }
    }
  }

  void Take(const binlogdata::RowChange& change) {
    cells.resize(fields.size());
    const Cells before = CellsOf(change.before());
    const Cells after = CellsOf(change.after());
    if (!after.empty() && !change.has_data_columns()) {
      cells = after;
      return;
    }
    for (size_t i = 0; i < fields.size(); ++i) {
      const bool is_expression =
          fields[i].type() == query::JSON && change.has_json_partial_values();
      if (before[i].has_value()) cells[i] = before[i];
      if (!after.empty() && after[i].has_value() && !is_expression) cells[i] = after[i];
    }
  }
};

// Answers the connector's question for rows by their keys with the recording's last row.
std::optional<vtgate::ExecuteResponse> AnswerWithRow(const LastRow& last,
                                                     const vtgate::ExecuteRequest& request) {
  const std::string& sql = request.query().sql();
  if (!absl::EndsWith(sql, " from `alltypes` where `id` in (1)")) return std::nullopt;
  vtgate::ExecuteResponse response;
  query::QueryResult& result = *response.mutable_result();
  query::Row& row = *result.add_rows();
  for (size_t i = 0; i < last.fields.size(); ++i) {
    if (!absl::StrContains(sql, absl::StrCat("`", last.fields[i].name(), "`"))) continue;
    query::Field& field = *result.add_fields();
    field.set_name(last.fields[i].name());
    field.set_type(last.fields[i].type());
    const std::optional<std::string>& cell = last.cells[i];
    row.add_lengths(cell.has_value() ? static_cast<int64_t>(cell->size()) : -1);
    row.mutable_values()->append(cell.value_or(""));
  }
  return response;
}

// A server that sends the recording to calls like the recorded one, which copies or replicates.
// Calls that replicate what was copied get the changes in it that come behind their position.
std::unique_ptr<RecordingServer> Replay(std::shared_ptr<const Recording> recording,
                                        std::map<std::string, ReplayPosition> positions) {
  bool copies = false;
  for (const auto& shard : recording->request.vgtid().shard_gtids()) {
    copies |= shard.gtid().empty() || shard.table_p_ks_size() > 0;
  }
  ReplayOptions options;
  options.positions = std::move(positions);
  options.execute = [last = LastRow(*recording)](const vtgate::ExecuteRequest& request) {
    return AnswerWithRow(last, request);
  };
  if (copies) options.routes.push_back({"", ReplayPhase::kReplicate, recording, true});
  options.routes.push_back({"", ReplayPhase::kAny, std::move(recording)});
  absl::StatusOr<std::unique_ptr<RecordingServer>> server =
      RecordingServer::Start(std::move(options));
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

std::string ExpectedFile(const std::string& recording) {
  return absl::StrCat(RECORDINGS_EXPECTED, "/", recording, ".jsonl");
}

std::vector<std::string> ReadLines(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

void WriteLines(const std::string& path, const std::vector<std::string>& lines) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  for (const std::string& line : lines) out << line << '\n';
  EXPECT_TRUE(out.flush().good()) << path;
}

class ReadRecordingTest : public ::testing::TestWithParam<Scenario> {};

TEST_P(ReadRecordingTest, GivesTheExpectedRecordsAndStates) {
  const Scenario& scenario = GetParam();
  absl::StatusOr<Recording> loaded = Recording::Load(scenario.recording);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const auto recording = std::make_shared<const Recording>(*std::move(loaded));
  const std::unique_ptr<RecordingServer> server = Replay(recording, scenario.positions);
  absl::StatusOr<std::unique_ptr<Connector>> connector =
      Connector::Make(SOURCE_VITESS_PROGRAM,
                      harness::MakeConfig(server->port(), {scenario.keyspace}, scenario.config));
  ASSERT_TRUE(connector.ok()) << connector.status();
  absl::StatusOr<std::string> discovered = (*connector)->DiscoverCatalog();
  ASSERT_TRUE(discovered.ok()) << discovered.status();
  absl::StatusOr<std::string> catalog = harness::ConfigureCatalog(*discovered, Choices(scenario));
  ASSERT_TRUE(catalog.ok()) << catalog.status();

  harness::Normalisation normalisation;
  normalisation.begin = absl::Now() - absl::Seconds(1);
  absl::StatusOr<RunResult> run = (*connector)->Read(*catalog, StateFile(scenario, *recording));
  normalisation.end = absl::Now();

  ASSERT_TRUE(run.ok()) << run.status();
  Destination destination(*catalog);
  destination.AcceptRun(*run);
  EXPECT_THAT(destination.violations(), IsEmpty()) << absl::StrJoin(run->lines, "\n");
  const std::vector<std::string> output = harness::NormaliseOutput(run->lines, normalisation);
  const std::string expected_file = ExpectedFile(scenario.recording);
  if (std::getenv("UPDATE_EXPECTED") != nullptr) return WriteLines(expected_file, output);
  const std::vector<std::string> expected = ReadLines(expected_file);
  ASSERT_THAT(expected, Not(IsEmpty())) << "there is no " << expected_file;
  EXPECT_THAT(output, ::testing::ElementsAreArray(expected));
}

std::string TestName(const ::testing::TestParamInfo<Scenario>& info) {
  return absl::StrReplaceAll(info.param.recording, {{"-", "_"}});
}

INSTANTIATE_TEST_SUITE_P(Copies, ReadRecordingTest, ::testing::ValuesIn(Copies()), TestName);
INSTANTIATE_TEST_SUITE_P(Replications, ReadRecordingTest, ::testing::ValuesIn(Replications()),
                         TestName);
INSTANTIATE_TEST_SUITE_P(Failures, ReadRecordingTest, ::testing::ValuesIn(Failures()), TestName);

}  // namespace
}  // namespace source_vitess
