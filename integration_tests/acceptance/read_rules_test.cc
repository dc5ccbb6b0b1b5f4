// Rules about what `check` and `read` print (README.md, B, D, E, F, and FAST).
#include <algorithm>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "acceptance/json_lines.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "harness/connector.h"
#include "rapidjson/stringbuffer.h"
#include "rapidjson/writer.h"
#include "tests/values_declared_schema.h"
#include "vitess/certificates_for_test.h"

namespace source_vitess::acceptance {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::Gt;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string ToText(const Json& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return buffer.GetString();
}

// Every stream as a full refresh.
std::string FullRefreshOfAll(const std::string& catalog) {
  rapidjson::Document configured = Parsed(catalog);
  for (Json& stream : configured["streams"].GetArray()) {
    stream["sync_mode"].SetString("full_refresh");
    stream["destination_sync_mode"].SetString("append");
  }
  return ToText(configured);
}

harness::RunResult Read(Shop& shop, const std::string& catalog,
                        const std::optional<std::string>& state = std::nullopt) {
  auto run = shop.connector().Read(catalog, state);
  EXPECT_TRUE(run.ok()) << run.status();
  return run.value_or(harness::RunResult());
}

// The statuses of each stream, in their order.
std::map<std::string, std::vector<std::string>> StatusesOf(const harness::RunResult& run) {
  std::map<std::string, std::vector<std::string>> statuses;
  for (const rapidjson::Document& message : MessagesOf(run, "TRACE")) {
    const Json& trace = message["trace"];
    if (trace["type"] != "STREAM_STATUS") continue;
    const Json& status = trace["stream_status"];
    statuses[status["stream_descriptor"]["name"].GetString()].push_back(
        status["status"].GetString());
  }
  return statuses;
}

// The records of each stream without what belongs to the run that sent them.
std::map<std::string, std::multiset<std::string>> RecordsOf(const harness::RunResult& run) {
  std::map<std::string, std::multiset<std::string>> records;
  for (rapidjson::Document& message : MessagesOf(run, "RECORD")) {
    Json& data = message["record"]["data"];
    for (const char* column : {"_ab_cdc_cursor", "_ab_cdc_updated_at", "_ab_cdc_deleted_at"}) {
      data.RemoveMember(column);
    }
    records[message["record"]["stream"].GetString()].insert(ToText(data));
  }
  return records;
}

// The --state file of a host that stored the states up to the `count`th.
std::string StateFile(const std::vector<rapidjson::Document>& states, size_t count) {
  std::map<std::string, std::string> last;
  for (size_t i = 0; i < count; ++i) {
    const Json& stream = states[i]["state"]["stream"];
    last[stream["stream_descriptor"]["name"].GetString()] =
        absl::StrCat(R"({"type": "STREAM", "stream": )", ToText(stream), "}");
  }
  std::vector<std::string> texts;
  for (const auto& [name, text] : last) texts.push_back(text);
  return absl::StrCat("[", absl::StrJoin(texts, ","), "]");
}

class ReadRulesTest : public ::testing::Test {
 protected:
  size_t StreamCount() { return Parsed(shop_.catalog())["streams"].Size(); }

  Shop shop_;
};

// B: one CONNECTION_STATUS, whatever is wrong.
struct Connection {
  const char* name;
  std::string status;
  std::string host = "127.0.0.1";
  std::string keyspace = "shop";
  std::map<std::string, std::string> more = {};
};

void PrintTo(const Connection& tested, std::ostream* out) { *out << tested.name; }

class ConnectionRulesTest : public ::testing::TestWithParam<Connection> {};

TEST_P(ConnectionRulesTest, CheckPrintsOneConnectionStatus) {
  simulator::SimulatorOptions options;
  options.service.user = {.username = "reader", .password = "right"};
  std::map<std::string, std::string> right = {
      {"authentication", R"({"method": "password", "username": "reader", "password": "right"})"}};
  integration_tests::SimulatedSource source(options, right);
  std::map<std::string, std::string> members = GetParam().more;
  members.merge(right);
  const auto connector = harness::Connector::Make(
      SOURCE_VITESS_PROGRAM,
      harness::MakeConfig(source.port(), {GetParam().keyspace}, members, GetParam().host));
  ASSERT_TRUE(connector.ok()) << connector.status();

  const auto run = (*connector)->Check();

  ASSERT_TRUE(run.ok()) << run.status();
  const auto statuses = MessagesOf(*run, "CONNECTION_STATUS");
  ASSERT_THAT(statuses, SizeIs(1));
  EXPECT_EQ(statuses[0]["connectionStatus"]["status"].GetString(), GetParam().status);
  EXPECT_EQ(run->exit.exit_code, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Configurations, ConnectionRulesTest,
    ::testing::Values(
        Connection{.name = "Right", .status = "SUCCEEDED"},
        Connection{.name = "WrongPassword",
                   .status = "FAILED",
                   .more = {{"authentication", R"({"method": "password", "username": "reader",
                                                   "password": "wrong"})"}}},
        Connection{
            .name = "HostThatIsNotThere", .status = "FAILED", .host = "no-such-host.invalid"},
        Connection{.name = "KeyspaceThatIsNotThere", .status = "FAILED", .keyspace = "nowhere"},
        Connection{.name = "TlsToAServerWithoutIt",
                   .status = "FAILED",
                   .more = {{"encryption", R"({"mode": "tls"})"}}},
        Connection{.name = "OptionThatIsNotValid",
                   .status = "FAILED",
                   .more = {{"tablet_type", R"("master")"}}}),
    [](const auto& tested) { return std::string(tested.param.name); });

// D1: test_read.
TEST_F(ReadRulesTest, RecordsAreOfConfiguredStreamsAndAsTheirSchemasSay) {
  const harness::RunResult run = Read(shop_, shop_.catalog());

  EXPECT_EQ(run.exit.exit_code, 0);
  std::vector<std::string> lines;
  std::copy_if(run.lines.begin(), run.lines.end(), std::back_inserter(lines),
               [](const std::string& line) { return absl::StrContains(line, R"("RECORD")"); });
  EXPECT_THAT(lines, SizeIs(Ge(15u)));
  EXPECT_THAT(tests::Violations(*shop_.connector().DiscoverCatalog(), absl::StrJoin(lines, "\n")),
              IsEmpty());
}

// D1: columns that are never populated, and primary keys.
TEST_F(ReadRulesTest, EveryColumnIsPopulatedAndKeysAreNeverNull) {
  const harness::RunResult run = Read(shop_, shop_.catalog());

  std::map<std::string, std::set<std::string>> populated;
  for (const rapidjson::Document& message : MessagesOf(run, "RECORD")) {
    const Json& record = message["record"];
    for (const auto& [name, value] : record["data"].GetObject()) {
      if (!value.IsNull()) populated[record["stream"].GetString()].insert(name.GetString());
    }
  }
  const rapidjson::Document catalog = Parsed(shop_.catalog());
  for (const Json& configured : catalog["streams"].GetArray()) {
    const Json& stream = configured["stream"];
    const std::string name = stream["name"].GetString();
    if (name == "tags") continue;  // it is empty
    for (const auto& [column, schema] : stream["json_schema"]["properties"].GetObject()) {
      if (std::string(column.GetString()) == "_ab_cdc_deleted_at") continue;  // nothing is deleted
      EXPECT_THAT(populated[name], Contains(column.GetString())) << name;
    }
  }
  for (const rapidjson::Document& message : MessagesOf(run, "RECORD")) {
    const Json& data = message["record"]["data"];
    const std::string stream = message["record"]["stream"].GetString();
    if (stream == "events") continue;  // it has no key
    const char* const key = stream == "words" ? "word" : "id";
    ASSERT_NE(Find(data, key), nullptr) << stream;
    EXPECT_FALSE(data[key].IsNull() || data[key].IsObject() || data[key].IsArray()) << stream;
  }
}

// D2, also for a stream without a record.
TEST_F(ReadRulesTest, EveryStreamIsStartedThenRunningThenComplete) {
  const auto statuses = StatusesOf(Read(shop_, shop_.catalog()));

  EXPECT_THAT(statuses, SizeIs(StreamCount()));
  for (const auto& [stream, of_stream] : statuses) {
    ASSERT_THAT(of_stream, SizeIs(Ge(3u))) << stream;
    EXPECT_EQ(of_stream.front(), "STARTED") << stream;
    EXPECT_EQ(of_stream.back(), "COMPLETE") << stream;
    EXPECT_THAT(std::vector<std::string>(of_stream.begin() + 1, of_stream.end() - 1),
                Each("RUNNING"))
        << stream;
  }
}

// D3.
TEST_F(ReadRulesTest, EveryStreamHasAStateOfItsOwnWithItsCount) {
  const harness::RunResult run = Read(shop_, shop_.catalog());

  std::map<std::string, double> counted;
  const auto states = MessagesOf(run, "STATE");
  EXPECT_THAT(states, SizeIs(Ge(StreamCount())));
  for (const rapidjson::Document& message : states) {
    const Json& state = message["state"];
    EXPECT_EQ(state["type"], "STREAM");
    counted[state["stream"]["stream_descriptor"]["name"].GetString()] +=
        state["sourceStats"]["recordCount"].GetDouble();
  }
  EXPECT_THAT(counted, SizeIs(StreamCount()));
  const auto records = RecordsOf(run);
  for (const auto& [stream, count] : counted) {
    const auto found = records.find(stream);
    EXPECT_EQ(count, found == records.end() ? 0.0 : static_cast<double>(found->second.size()))
        << stream;
  }
}

// D4: test_airbyte_trace_message_on_failure.
TEST_F(ReadRulesTest, ACatalogWithAStreamThatDoesNotExistGivesATraceError) {
  const harness::RunResult run =
      Read(shop_, R"({"streams": [{"stream": {"name": "__AIRBYTE__stream_that_does_not_exist",
           "json_schema": {"type": "object", "properties": {"f1": {"type": "string"}}},
           "supported_sync_modes": ["full_refresh"]}, "sync_mode": "INVALID",
           "destination_sync_mode": "INVALID"}]})");

  std::vector<std::string> errors;
  for (const rapidjson::Document& message : MessagesOf(run, "TRACE")) {
    if (message["trace"]["type"] == "ERROR") {
      errors.emplace_back(message["trace"]["error"]["message"].GetString());
    }
  }
  EXPECT_THAT(errors, SizeIs(Ge(1u)));
  EXPECT_EQ(run.exit.exit_code, 1);
}

// E: test_sequential_reads.
TEST_F(ReadRulesTest, ASecondFullRefreshHasAllOfTheFirstAndLaterTimes) {
  const std::string catalog = FullRefreshOfAll(shop_.catalog());
  const harness::RunResult first = Read(shop_, catalog);
  const harness::RunResult second = Read(shop_, catalog);

  const auto records = RecordsOf(first);
  EXPECT_THAT(records, SizeIs(StreamCount() - 1));  // all but the one without rows
  EXPECT_EQ(RecordsOf(second), records);
  int64_t latest = 0;
  for (const rapidjson::Document& message : MessagesOf(first, "RECORD")) {
    latest = std::max(latest, message["record"]["emitted_at"].GetInt64());
  }
  for (const rapidjson::Document& message : MessagesOf(second, "RECORD")) {
    EXPECT_GT(message["record"]["emitted_at"].GetInt64(), latest);
  }
}

// F1: the cursor is no part of the state, so what is compared are the cursors of the records.
TEST_F(ReadRulesTest, ASecondReadHasOnlyWhatIsLaterThanTheState) {
  const harness::RunResult first = Read(shop_, shop_.catalog());
  const auto states = MessagesOf(first, "STATE");
  uint64_t latest = 0;
  for (const rapidjson::Document& message : MessagesOf(first, "RECORD")) {
    const Json* const cursor = Find(message["record"]["data"], "_ab_cdc_cursor");
    if (cursor != nullptr) latest = std::max(latest, cursor->GetUint64());
  }
  shop_.Execute("update customers set email = 'later' where id = 2");

  const harness::RunResult second = Read(shop_, shop_.catalog(), StateFile(states, states.size()));

  std::vector<std::string> streams;
  for (const rapidjson::Document& message : MessagesOf(second, "RECORD")) {
    const std::string stream = message["record"]["stream"].GetString();
    if (stream == "events") continue;  // it has no key, and is read in full
    streams.push_back(stream);
    EXPECT_GT(message["record"]["data"]["_ab_cdc_cursor"].GetUint64(), latest);
  }
  EXPECT_THAT(streams, ElementsAre("customers"));
}

// F2: from every state, the records before it and those of a read from it are the whole.
TEST(IncrementalRulesTest, AReadFromAnyStateHasAllThatWasNotBeforeIt) {
  simulator::SimulatorOptions small_packets;
  small_packets.service.streams.packet_bytes = 100;
  Shop shop(small_packets);
  for (int id = 4; id <= 40; ++id) {
    shop.Execute(absl::StrCat("insert into customers values (", id, ", 'x", id, "')"));
  }
  auto connector = harness::Connector::Make(
      SOURCE_VITESS_PROGRAM,
      harness::MakeConfig(shop.port(), {"shop"}, {{"checkpoint_interval", "7"}}));
  ASSERT_TRUE(connector.ok()) << connector.status();
  const auto catalog = harness::ConfigureCatalog(*shop.connector().DiscoverCatalog(),
                                                 {{"shop", "customers", "incremental", {}}});
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  const auto whole = (*connector)->Read(*catalog);
  ASSERT_TRUE(whole.ok()) << whole.status();
  const auto states = MessagesOf(*whole, "STATE");
  ASSERT_THAT(states, SizeIs(Gt(4u)));
  const auto all = RecordsOf(*whole)["customers"];

  std::multiset<std::string> before;
  size_t state = 0;
  for (const std::string& line : whole->lines) {
    const rapidjson::Document message = Parsed(line);
    if (message["type"] == "RECORD") {
      harness::RunResult one;
      one.lines = {line};
      before.merge(RecordsOf(one)["customers"]);
    }
    if (message["type"] != "STATE") continue;
    const auto rest = (*connector)->Read(*catalog, StateFile(states, ++state));
    ASSERT_TRUE(rest.ok()) << rest.status();
    std::set<std::string> together(before.begin(), before.end());
    together.merge(RecordsOf(*rest)["customers"]);
    EXPECT_EQ(together, std::set<std::string>(all.begin(), all.end())) << "from state " << state;
  }
}

// F3: with a state from the future there are no records of that stream. That it fails, and says
// so, is this connector's answer: a state that goes on would lose changes.
TEST_F(ReadRulesTest, AStateOfTheFutureGivesNoRecords) {
  const harness::RunResult first = Read(shop_, shop_.catalog());
  const auto states = MessagesOf(first, "STATE");
  std::string file = StateFile(states, states.size());
  const auto catalog = harness::ConfigureCatalog(*shop_.connector().DiscoverCatalog(),
                                                 {{"shop", "customers", "incremental", {}}});
  ASSERT_TRUE(catalog.ok());
  rapidjson::Document future = Parsed(file);
  int changed = 0;
  for (Json& state : future.GetArray()) {
    if (state["stream"]["stream_descriptor"]["name"] != "customers") continue;
    Json& vgtid = state["stream"]["stream_state"]["vgtid"];
    const char* const shards = vgtid.HasMember("shardGtids") ? "shardGtids" : "shard_gtids";
    for (Json& shard : vgtid[shards].GetArray()) {
      std::string gtid = shard["gtid"].GetString();
      gtid = absl::StrCat(gtid.substr(0, gtid.rfind('-')), "-999999");
      shard["gtid"].SetString(gtid.c_str(), future.GetAllocator());
      ++changed;
    }
  }
  ASSERT_EQ(changed, 2);

  const harness::RunResult run = Read(shop_, *catalog, ToText(future));

  EXPECT_THAT(MessagesOf(run, "RECORD"), IsEmpty());
  EXPECT_EQ(run.exit.exit_code, 1);
}

// FAST: test_docker_image_build_and_read, with what the image runs.
TEST_F(ReadRulesTest, ACatalogWithNullsForAllThatIsNotSetIsRead) {
  const rapidjson::Document discovered = shop_.Discovered();
  rapidjson::Document catalog(rapidjson::kObjectType);
  auto& allocator = catalog.GetAllocator();
  Json streams(rapidjson::kArrayType);
  for (const Json& stream : discovered["catalog"]["streams"].GetArray()) {
    Json copy(stream, allocator);
    for (const char* name : {"is_file_based", "namespace", "default_cursor_field",
                             "source_defined_primary_key", "source_defined_cursor"}) {
      if (!copy.HasMember(name)) copy.AddMember(Json(name, allocator), Json(), allocator);
    }
    Json configured(rapidjson::kObjectType);
    configured.AddMember("sync_mode", Json(stream["supported_sync_modes"][0], allocator),
                         allocator);
    configured.AddMember("destination_sync_mode", "append", allocator);
    for (const char* name : {"cursor_field", "primary_key", "generation_id", "sync_id",
                             "minimum_generation_id", "include_files", "destination_object_name"}) {
      configured.AddMember(Json(name, allocator), Json(), allocator);
    }
    configured.AddMember("stream", copy, allocator);
    streams.PushBack(configured, allocator);
  }
  catalog.AddMember("streams", streams, allocator);

  const harness::RunResult run = Read(shop_, ToText(catalog));

  EXPECT_EQ(run.exit.exit_code, 0);
  EXPECT_THAT(MessagesOf(run, "RECORD"), SizeIs(Gt(10u)));
}

}  // namespace
}  // namespace source_vitess::acceptance
