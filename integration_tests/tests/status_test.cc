// The status page, its data and the metrics, of a read that is held up half-way.
#include <httplib.h>
#include <rapidjson/document.h>
#include <rapidjson/pointer.h>

#include <atomic>
#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/simulated_source.h"

namespace source_vitess::integration_tests {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

constexpr absl::Duration kPatience = absl::Seconds(60);

// A source with a table of 40 rows whose copy stops behind the first of them until it is let go.
class HeldSource {
 public:
  HeldSource() : source_(Options()) {
    for (const std::string& sql : RowsOfEveryTable(1, 40)) source_.Execute(sql);
    holds_ = true;
  }
  ~HeldSource() { LetGo(); }

  void LetGo() {
    if (!go_on_.HasBeenNotified()) go_on_.Notify();
  }

  SimulatedSource& source() { return source_; }

 private:
  simulator::SimulatorOptions Options() {
    simulator::SimulatorOptions options;
    options.service.streams.packet_bytes = 200;
    options.service.streams.on_point = [this](const simulator::StreamPoint& point) {
      if (holds_ && point.kind == simulator::StreamPoint::Kind::kRowsCopied &&
          point.table == "orders") {
        go_on_.WaitForNotificationWithTimeout(kPatience);
      }
      return simulator::StreamAction::kContinue;
    };
    return options;
  }

  std::atomic<bool> holds_ = false;
  absl::Notification go_on_;
  SimulatedSource source_;
};

// A read with a status page.
class WatchedRead {
 public:
  explicit WatchedRead(SimulatedSource& source, const std::vector<std::string>& more = {}) {
    auto command = source.connector().ReadCommand(source.catalog(), std::nullopt);
    EXPECT_TRUE(command.ok()) << command.status();
    command->insert(command->end(), {"--status-port", "0"});
    command->insert(command->end(), more.begin(), more.end());
    auto process = harness::Process::Start(*command);
    EXPECT_TRUE(process.ok()) << process.status();
    process_ = *std::move(process);
    const absl::Time deadline = absl::Now() + kPatience;
    const std::regex address("The status page is at http://127\\.0\\.0\\.1:([0-9]+)/");
    std::smatch found;
    for (;;) {
      auto line = process_->ReadLine(deadline);
      if (!line.has_value()) break;
      lines_.push_back(*line);
      if (!std::regex_search(lines_.back(), found, address)) continue;
      client_ = std::make_unique<httplib::Client>("127.0.0.1", std::stoi(found[1]));
      return;
    }
    ADD_FAILURE() << "the address of the page was not told";
  }

  std::string Get(const std::string& path) {
    const auto response = client_->Get(path.c_str());
    if (!response || response->status != 200) {
      ADD_FAILURE() << path << " is not answered";
      return "";
    }
    EXPECT_THAT(response->get_header_value("Content-Security-Policy"),
                HasSubstr("default-src 'none'"));
    return response->body;
  }

  // The status, once `holds` is true of it.
  template <typename Condition>
  rapidjson::Document StatusWhen(Condition holds) {
    const absl::Time deadline = absl::Now() + kPatience;
    for (;;) {
      rapidjson::Document status;
      status.Parse(Get("/api/status").c_str());
      EXPECT_FALSE(status.HasParseError());
      if (status.HasParseError() || holds(status)) return status;
      if (absl::Now() > deadline) {
        ADD_FAILURE() << "it did not come to it: " << Get("/api/status");
        return status;
      }
      absl::SleepFor(absl::Milliseconds(20));
    }
  }

  // The rest of the run.
  harness::ProcessExit Finish() {
    const absl::Time deadline = absl::Now() + kPatience;
    while (auto line = process_->ReadLine(deadline)) lines_.push_back(*std::move(line));
    const auto exit = process_->Wait(deadline);
    EXPECT_TRUE(exit.has_value());
    return exit.value_or(harness::ProcessExit());
  }

  const std::vector<std::string>& lines() const { return lines_; }
  const std::string& errors() const { return process_->errors(); }

 private:
  std::unique_ptr<harness::Process> process_;
  std::vector<std::string> lines_;
  std::unique_ptr<httplib::Client> client_;
};

const rapidjson::Value* TableOf(const rapidjson::Document& status, const std::string& name) {
  for (const rapidjson::Value& table : status["tables"].GetArray()) {
    if (table["table"].GetString() == name) return &table;
  }
  return nullptr;
}

bool IsHeld(const rapidjson::Document& status) {
  const rapidjson::Value* orders = TableOf(status, "orders");
  return orders != nullptr && (*orders)["rows_copied"].GetUint64() > 0;
}

TEST(StatusTest, TellsOfTablesAndShardsWhileTheyAreCopied) {
  HeldSource held;
  WatchedRead read(held.source());

  const rapidjson::Document status = read.StatusWhen(IsHeld);

  EXPECT_TRUE(status["ended"].IsNull());
  const rapidjson::Value& orders = *TableOf(status, "orders");
  EXPECT_STREQ(orders["keyspace"].GetString(), "shop");
  EXPECT_STREQ(orders["phase"].GetString(), "copying");
  EXPECT_LT(orders["rows_copied"].GetUint64(), 40u);
  EXPECT_EQ(orders["estimated_rows"].GetUint64(), 40u);
  EXPECT_GT(orders["checkpoints"].GetUint64(), 0u);
  EXPECT_EQ(orders["shards"].Size(), 2u);
  EXPECT_STREQ(orders["shards"][0]["shard"].GetString(), "-80");
  held.LetGo();
  EXPECT_EQ(read.Finish().exit_code, 0);
  EXPECT_THAT(read.errors(), IsEmpty());
}

TEST(StatusTest, CountsEveryRowOnce) {
  HeldSource held;
  WatchedRead read(held.source());
  read.StatusWhen(IsHeld);
  held.source().Execute("insert into notes values (1000, 'while it is copied')");

  const rapidjson::Document status = read.StatusWhen([](const rapidjson::Document& now) {
    const rapidjson::Value* notes = TableOf(now, "notes");
    return notes != nullptr && (*notes)["changes"].GetUint64() == 1;
  });

  const rapidjson::Value& notes = *TableOf(status, "notes");
  EXPECT_EQ(notes["rows_copied"].GetUint64(), 40u);
  EXPECT_STREQ(notes["phase"].GetString(), "replicating");
  EXPECT_FALSE(notes["lag_seconds"].IsNull());
  EXPECT_LT(notes["lag_seconds"].GetDouble(), 30);
  held.LetGo();
  EXPECT_EQ(read.Finish().exit_code, 0);
}

TEST(StatusTest, NamesRetriesAndTheLastError) {
  HeldSource held;
  simulator::StreamFault fault;
  fault.streams = 1;
  held.source().simulator().faults().Add(fault);
  WatchedRead read(held.source());

  const rapidjson::Document status = read.StatusWhen(
      [](const rapidjson::Document& now) { return now["retries"].GetUint64() > 0; });

  std::vector<std::string> errors;
  for (const rapidjson::Value& table : status["tables"].GetArray()) {
    if (!table["last_error"].IsNull()) errors.emplace_back(table["last_error"].GetString());
  }
  EXPECT_THAT(errors, AllOf(Not(IsEmpty()), Each(HasSubstr("shop"))));
  held.LetGo();
  EXPECT_EQ(read.Finish().exit_code, 0);
}

// Prometheus' text format: a HELP and a TYPE before each metric's samples.
TEST(StatusTest, GivesMetricsThatPrometheusCanRead) {
  HeldSource held;
  WatchedRead read(held.source());
  read.StatusWhen(IsHeld);

  const std::string metrics = read.Get("/metrics");

  for (const auto line : absl::StrSplit(metrics, '\n', absl::SkipEmpty())) {
    EXPECT_THAT(std::string(line),
                AnyOf(MatchesRegex("# HELP source_vitess_[a-z_]+ .*[.]"),
                      MatchesRegex("# TYPE source_vitess_[a-z_]+ (counter|gauge)"),
                      MatchesRegex("source_vitess_[a-z_]+([{][a-z]+=\"[^\"]*\"(,[a-z]+=\"[^\"]*\")*"
                                   "[}])? [-+.e0-9]+")));
  }
  EXPECT_THAT(metrics, HasSubstr("source_vitess_rows_copied_total{keyspace=\"shop\",shard=\"-80\","
                                 "table=\"notes\"} "));
  EXPECT_THAT(metrics, HasSubstr("source_vitess_estimated_rows{keyspace=\"shop\""));
  EXPECT_THAT(metrics, HasSubstr("source_vitess_tables{phase=\"copying\"}"));
  held.LetGo();
  EXPECT_EQ(read.Finish().exit_code, 0);
}

std::string Documentation() {
  std::ifstream file(SOURCE_VITESS_ROOT "/docs/status.md");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(StatusTest, HasItsMetricsAndMembersInTheDocumentation) {
  HeldSource held;
  WatchedRead read(held.source());
  const rapidjson::Document status = read.StatusWhen(IsHeld);
  const std::string documentation = Documentation();

  const std::string metrics = read.Get("/metrics");
  for (absl::string_view line : absl::StrSplit(metrics, '\n')) {
    if (!absl::ConsumePrefix(&line, "# TYPE ")) continue;
    const std::string name(line.substr(0, line.find(' ')));
    EXPECT_THAT(documentation, HasSubstr(absl::StrCat("\n| `", name, "` |")));
  }
  for (const rapidjson::Value* object :
       {static_cast<const rapidjson::Value*>(&status), TableOf(status, "orders"),
        &(*TableOf(status, "orders"))["shards"][0]}) {
    for (const auto& member : object->GetObject()) {
      EXPECT_THAT(documentation, HasSubstr(absl::StrCat("`", member.name.GetString(), "`")));
    }
  }
  for (const auto& phase : status["tables_by_phase"].GetObject()) {
    EXPECT_THAT(documentation, HasSubstr(absl::StrCat("\n| `", phase.name.GetString(), "` |")));
  }
  held.LetGo();
  EXPECT_EQ(read.Finish().exit_code, 0);
}

TEST(StatusTest, ServesItsPageAndNothingElse) {
  HeldSource held;
  WatchedRead read(held.source());

  EXPECT_THAT(read.Get("/"), HasSubstr("<title>source-vitess</title>"));
  EXPECT_THAT(read.Get("/status.js"), HasSubstr("/api/status"));
  EXPECT_THAT(read.Get("/status.css"), HasSubstr("prefers-color-scheme"));
  EXPECT_EQ(read.Get("/healthz"), "ok\n");
  EXPECT_THAT(read.Get("/api/status"), Not(HasSubstr("password")));
  held.LetGo();
  EXPECT_EQ(read.Finish().exit_code, 0);
}

TEST(StatusTest, TellsTheHostAboutHowManyRowsAreToCome) {
  HeldSource held;
  held.LetGo();
  WatchedRead read(held.source());
  EXPECT_EQ(read.Finish().exit_code, 0);

  std::map<std::string, uint64_t> estimates;
  for (const std::string& line : read.lines()) {
    if (!absl::StrContains(line, "\"ESTIMATE\"")) continue;
    rapidjson::Document message;
    message.Parse(line.c_str());
    const auto& estimate = *rapidjson::Pointer("/trace/estimate").Get(message);
    EXPECT_STREQ(estimate["type"].GetString(), "STREAM");
    EXPECT_STREQ(estimate["namespace"].GetString(), "shop");
    estimates[estimate["name"].GetString()] = estimate["row_estimate"].GetUint64();
  }
  EXPECT_THAT(estimates,
              AllOf(testing::SizeIs(5), Each(testing::Pair(testing::_, testing::Eq(40u)))));
}

TEST(StatusTest, TellsOfProgressOnStderrOnlyWhereItIsAskedTo) {
  HeldSource held;
  held.LetGo();
  WatchedRead quiet(held.source());
  EXPECT_EQ(quiet.Finish().exit_code, 0);
  EXPECT_THAT(quiet.errors(), IsEmpty());

  WatchedRead read(held.source(), {"--progress"});
  EXPECT_EQ(read.Finish().exit_code, 0);
  EXPECT_THAT(read.errors(), HasSubstr("5 tables (5 done): 200 of about 200 rows copied"));
}

TEST(StatusTest, SaysThatItsPortIsTaken) {
  HeldSource held;
  held.LetGo();
  auto command = held.source().connector().ReadCommand(held.source().catalog(), std::nullopt);
  ASSERT_TRUE(command.ok());
  command->insert(command->end(), {"--status-port", absl::StrCat(held.source().port())});
  const auto run = harness::RunCommand(*command);
  ASSERT_TRUE(run.ok());
  EXPECT_EQ(run->exit.exit_code, 1);
  EXPECT_THAT(run->lines.back(), AllOf(HasSubstr("--status-port"), HasSubstr("config_error"),
                                       HasSubstr("choose another port")));
}

}  // namespace
}  // namespace source_vitess::integration_tests
