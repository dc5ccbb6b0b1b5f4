// Changes without all columns (binlog_row_image=NOBLOB, binlog_row_value_options=PARTIAL_JSON), end
// to end: the program reads the rows again by their keys, and the destination equals the source.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
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
#include "harness/airbyte_message.h"
#include "harness/connector.h"
#include "harness/destination.h"
#include "harness/process.h"
#include "simulator/simulator.h"

namespace source_vitess::integration_tests {
namespace {

using ::testing::_;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Lt;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

// Keyspace "shop" on four shards, whose server leaves out what it can.
class PartialImageSource {
 public:
  // `schema`: statements that create tables and give them a vindex. `columns`: those of table notes
  // to read, empty for all of every table.
  explicit PartialImageSource(const std::string& schema, simulator::SimulatorOptions options = {},
                              const std::vector<std::string>& columns = {})
      : simulator_(std::move(options)) {
    const absl::Status created = simulator_.cluster().RunScript(absl::StrCat(
        "create keyspace shop shards ('-40', '40-80', '80-c0', 'c0-'); use shop;\n", schema));
    EXPECT_TRUE(created.ok()) << created;
    simulator_.cluster().SetVariables(
        {.binlog_row_image = "NOBLOB", .binlog_row_value_options = "PARTIAL_JSON"});
    const absl::StatusOr<int> port = simulator_.Start();
    EXPECT_TRUE(port.ok()) << port.status();
    auto connector = harness::Connector::Make(
        SOURCE_VITESS_PROGRAM,
        harness::MakeConfig(port.value_or(0), {"shop"}, {{"zero_dates", "\"text\""}}));
    EXPECT_TRUE(connector.ok()) << connector.status();
    connector_ = *std::move(connector);
    const auto discovered = connector_->DiscoverCatalog();
    EXPECT_TRUE(discovered.ok()) << discovered.status();
    std::vector<harness::StreamChoice> choices;
    if (!columns.empty()) choices.push_back({"shop", "notes", "incremental", columns});
    const auto catalog = harness::ConfigureCatalog(discovered.value_or(""), choices);
    EXPECT_TRUE(catalog.ok()) << catalog.status();
    catalog_ = catalog.value_or("");
    destination_ = std::make_unique<harness::Destination>(catalog_);
  }

  void Execute(const std::string& sql) {
    const auto result = simulator_.cluster().Execute("shop", sql);
    EXPECT_TRUE(result.ok()) << result.status() << " in " << sql;
  }

  // One run of `read` from the destination's state into the destination.
  void Read() { ReadInto(*destination_); }

  std::unique_ptr<harness::Process> StartReading() {
    const auto command = connector_->ReadCommand(catalog_, destination_->StateFile());
    EXPECT_TRUE(command.ok()) << command.status();
    auto process = harness::Process::Start(*command);
    EXPECT_TRUE(process.ok()) << process.status();
    return *std::move(process);
  }

  // The tables as a copy from nothing delivers them.
  std::map<std::string, std::string> SourceRows(const std::string& table) {
    if (copy_ == nullptr) {
      copy_ = std::make_unique<harness::Destination>(catalog_);
      ReadInto(*copy_);
    }
    return copy_->Rows("shop", table);
  }

  std::map<std::string, std::string> Rows(const std::string& table) {
    return destination_->Rows("shop", table);
  }

  // The queries that rows were read again with.
  std::vector<std::string> Fetches() {
    std::vector<std::string> fetches;
    for (const std::string& sql : simulator_.statements()) {
      if (absl::StrContains(sql, " in (")) fetches.push_back(sql);
    }
    return fetches;
  }

  harness::Destination& destination() { return *destination_; }

 private:
  void ReadInto(harness::Destination& destination) {
    const auto run = connector_->Read(catalog_, destination.StateFile());
    ASSERT_TRUE(run.ok()) << run.status();
    EXPECT_FALSE(run->timed_out);
    EXPECT_EQ(run->exit.exit_code, 0);
    destination.AcceptRun(*run);
    EXPECT_THAT(destination.violations(), IsEmpty());
    EXPECT_THAT(destination.trace_errors(), IsEmpty());
  }

  simulator::Simulator simulator_;
  std::unique_ptr<harness::Connector> connector_;
  std::string catalog_;
  std::unique_ptr<harness::Destination> destination_;
  std::unique_ptr<harness::Destination> copy_;
};

// Columns of every kind beside the key: blobs and documents that changes leave out, and others that
// they do not.
constexpr char kPayload[] =
    "route bigint not null, n int, body text character set latin1, doc json, raw longblob, "
    "f float, d double, price decimal(20,6), ts timestamp(6) null, at datetime(3), day date, "
    "span time(2), y year, e enum('red','green') character set latin1, s set('a','b','c'), "
    "b bit(10), u bigint unsigned, fixed binary(4), shape geometry, tag varchar(20) character set "
    "utf16";
constexpr char kNames[] =
    "route, n, body, doc, raw, f, d, price, ts, at, day, span, y, e, s, b, u, fixed, shape, tag";

std::string PayloadOf(size_t i) {
  return absl::StrCat(
      i, ", ", i, ", 'caf\u00e9 ", i, "', '{\"a\": [1, 2], \"b\": \"", std::string(80, 'x'),
      "\", \"i\": ", i, "}', x'00ff", i % 10, "0', ", i, ".5, ", i, ".25e-3, ", i,
      ".500000, '2024-02-29 23:59:59.000001', '2024-02-29 12:30:00.500', '2024-02-29', "
      "'12:30:00.25', 2024, 'green', 'a,c', b'1000000001', 18446744073709551615, x'0100', null, "
      "'\U0001f600'");
}

struct KeyType {
  std::string table;
  std::string columns;            // their definitions
  std::string key;                // their names
  std::vector<std::string> keys;  // literals: (1, 'a') is "1, 'a'"
};

const std::vector<KeyType>& KeyTypes() {
  static const auto& types = *new std::vector<KeyType>{
      {"k_bigint", "k bigint", "k", {"-9223372036854775808", "-1", "0", "9223372036854775807"}},
      {"k_bigint_unsigned",
       "k bigint unsigned",
       "k",
       {"0", "9223372036854775808", "18446744073709551614", "18446744073709551615"}},
      {"k_zerofill", "k int(6) unsigned zerofill", "k", {"0", "1", "42", "4294967295"}},
      {"k_tinyint", "k tinyint(1)", "k", {"0", "1", "2", "-128"}},
      {"k_decimal",
       "k decimal(65,30)",
       "k",
       {"0", "0.000000000000000000000000000001", "-0.5",
        "99999999999999999999999999999999999.999999999999999999999999999999"}},
      {"k_decimal_whole", "k decimal(20,0)", "k", {"0", "1", "-1", "99999999999999999999"}},
      {"k_utf8mb4", "k varchar(40)", "k", {"''", "'it''s'", "'a\\\\b'", "'\U0001f600\\n\\0%_\"'"}},
      {"k_bin",
       "k varchar(40) character set utf8mb4 collate utf8mb4_bin",
       "k",
       {"'a'", "'A'", "'\u00e4'", "'\u00c4'"}},
      {"k_latin1",
       "k varchar(40) character set latin1",
       "k",
       {"'caf\u00e9'", "'\u20ac'", "'na\u00efve'", "''"}},
      {"k_utf16",
       "k varchar(40) character set utf16",
       "k",
       {"'h\u00e9'", "'\U0001f600'", "'x'", "'\u65e5'"}},
      {"k_sjis",
       "k varchar(40) character set sjis",
       "k",
       {"'\u65e5\u672c'", "'\uff71'", "'x'", "'\u8868'"}},
      {"k_gbk",
       "k varchar(40) character set gbk",
       "k",
       {"'\u4e2d\u6587'", "'x'", "'\u7b80'", "'y'"}},
      {"k_cp1251",
       "k char(8) character set cp1251",
       "k",
       {"'\u041f\u0451'", "'x'", "'\u042f'", "'y'"}},
      {"k_binary",
       "k binary(4)",
       "k",
       {"x'00000000'", "x'01020000'", "x'ffffffff'", "x'275c0022'"}},
      {"k_varbinary", "k varbinary(8)", "k", {"x''", "x'00'", "x'0000'", "x'ff275c'"}},
      {"k_bit", "k bit(10)", "k", {"b'0'", "b'1'", "b'1000000001'", "b'1111111111'"}},
      {"k_bit64", "k bit(64)", "k", {"0", "1", "9223372036854775808", "18446744073709551615"}},
      {"k_date", "k date", "k", {"'0000-00-00'", "'2024-00-15'", "'2024-02-29'", "'9999-12-31'"}},
      {"k_datetime",
       "k datetime(6)",
       "k",
       {"'0000-00-00 00:00:00'", "'1000-01-01 00:00:00'", "'2024-02-29 12:30:00.000001'",
        "'9999-12-31 23:59:59.999999'"}},
      {"k_timestamp",
       "k timestamp(3)",
       "k",
       {"'1970-01-01 00:00:01'", "'2024-03-31 02:30:00.5'", "'2024-10-27 02:30:00.5'",
        "'2038-01-19 03:14:07.999'"}},
      {"k_time", "k time(3)", "k", {"'00:00:00'", "'12:30:00.125'", "'-838:59:59'", "'838:59:59'"}},
      {"k_year", "k year", "k", {"1901", "2024", "2155", "0"}},
      {"k_enum",
       "k enum('a','b,c','d''e','\u00e9') character set latin1",
       "k",
       {"'a'", "'b,c'", "'d''e'", "'\u00e9'"}},
      {"k_set", "k set('a','b','c')", "k", {"''", "'a'", "'a,c'", "'a,b,c'"}},
      {"k_double", "k double", "k", {"0", "0.1", "-1.7976931348623157e308", "5e-324"}},
      {"k_float", "k float", "k", {"0", "0.1", "16777000", "-3.99"}},
      {"k_composite",
       "a varchar(20) not null, k bigint unsigned not null, c datetime(3) not null",
       "c, a, k",
       {"'2024-02-29 12:30:00.5', 'a', 1", "'2024-02-29 12:30:00.5', 'a', 18446744073709551615",
        "'2024-02-29 12:30:00.5', 'it''s', 1", "'2024-02-29 12:30:01', 'a', 1"}},
  };
  return types;
}

std::string SchemaOfEveryKeyType() {
  std::string schema;
  for (const KeyType& type : KeyTypes()) {
    const bool composite = absl::StrContains(type.columns, ", ");
    absl::StrAppend(&schema, "create table ", type.table, " (", type.columns,
                    composite ? ", " : " not null, ", kPayload, ", primary key (", type.key,
                    ")); alter vschema on shop.", type.table, " add vindex hash(route);\n");
  }
  return schema;
}

TEST(PartialImagesTest, RowsAreReadAgainByKeysOfEveryType) {
  PartialImageSource source(SchemaOfEveryKeyType());
  for (const KeyType& type : KeyTypes()) {
    for (size_t i = 0; i < type.keys.size(); ++i) {
      source.Execute(absl::StrCat("insert into ", type.table, " (", type.key, ", ", kNames,
                                  ") values (", type.keys[i], ", ", PayloadOf(i), ")"));
    }
  }
  source.Read();
  for (const KeyType& type : KeyTypes()) {
    const std::string update = absl::StrCat("update ", type.table, " set ");
    source.Execute(update + "n = n + 1000");
    source.Execute(update + "doc = json_set(doc, '$.i', 77) where route = 1");
    source.Execute(update + "body = 'new', raw = null where route = 2");
    source.Execute(update + "n = -1 where route = 2");
    source.Execute(absl::StrCat("delete from ", type.table, " where route = 3"));
  }

  source.Read();

  for (const KeyType& type : KeyTypes()) {
    EXPECT_THAT(source.Rows(type.table), SizeIs(3)) << type.table;
    EXPECT_EQ(source.Rows(type.table), source.SourceRows(type.table)) << type.table;
    EXPECT_THAT(source.Fetches(), Contains(HasSubstr(type.table)));
  }
}

constexpr char kNotes[] =
    "create table notes (k varchar(40) not null, n int, body text, doc json, f float, "
    "primary key (k)); alter vschema on shop.notes add vindex xxhash(k);";

std::string Note(const std::string& key) {
  return absl::StrCat("insert into notes (k, n, body, doc, f) values ('", key, "', 0, 'body of ",
                      key, "', '{\"a\": \"", std::string(60, 'x'), "\", \"b\": 0}', 0.5)");
}

TEST(PartialImagesTest, ManyRowsAreReadByFewQueries) {
  constexpr int kRows = 700;
  PartialImageSource source(kNotes);
  for (int i = 0; i < kRows; ++i) source.Execute(Note(absl::StrCat("key", i)));
  source.Read();
  source.Execute("update notes set n = 1");
  source.Execute("update notes set doc = json_set(doc, '$.b', n)");

  source.Read();

  EXPECT_THAT(source.Rows("notes"), SizeIs(kRows));
  EXPECT_EQ(source.Rows("notes"), source.SourceRows("notes"));
  EXPECT_THAT(source.Rows("notes"), Each(Pair(_, HasSubstr(R"("b":1)"))));
  // Of 1,400 changes in four shards' transactions, 500 at a time.
  EXPECT_THAT(source.Fetches(), SizeIs(AllOf(Ge(3u), Le(8u))));
}

// The most memory that the process has held so far, in bytes.
size_t PeakMemory(pid_t process) {
  std::ifstream status(absl::StrCat("/proc/", process, "/status"));
  for (std::string line; std::getline(status, line);) {
    if (absl::StartsWith(line, "VmHWM:")) return std::stoul(line.substr(6)) << 10;
  }
  return 0;
}

TEST(PartialImagesTest, LargeRowsAreNeverHeldAllAtOnce) {
  constexpr size_t kMegabyte = 1 << 20;
  constexpr int kRows = 120;
  PartialImageSource source(absl::StrReplaceAll(kNotes, {{"body text", "body longtext"}}));
  for (int i = 0; i < kRows; ++i) {
    source.Execute(Note(absl::StrCat("key", i)));
    source.Execute(absl::StrCat("update notes set body = repeat('", std::string(1 << 10, 'x'),
                                "', 1024) where k = 'key", i, "'"));
  }
  const absl::Time deadline = absl::Now() + absl::Minutes(2);
  source.destination().BeginSync();
  auto copy = source.StartReading();
  while (const std::optional<std::string> line = copy->ReadLine(deadline)) {
    if (line->size() < kMegabyte) source.destination().Accept(*line);  // the states are enough
  }
  source.Execute("update notes set n = 1");
  source.Execute("update notes set n = 2");
  auto changes = source.StartReading();

  size_t large = 0;
  size_t peak = 0;
  while (const std::optional<std::string> line = changes->ReadLine(deadline)) {
    EXPECT_TRUE(harness::ParseAirbyteMessage(*line).ok()) << line->substr(0, 100);
    large += line->size() > kMegabyte ? 1 : 0;
    peak = std::max(peak, PeakMemory(changes->pid()));
  }

  EXPECT_EQ(changes->Wait(deadline)->exit_code, 0);
  EXPECT_EQ(large, 2u * kRows);
  EXPECT_THAT(peak, AllOf(Gt(kMegabyte), Lt(kRows * kMegabyte)));
}

// A test's hands at a point of a stream, once what it works on is there.
class Hook {
 public:
  simulator::SimulatorOptions Options() {
    simulator::SimulatorOptions options;
    options.service.streams.on_point = [this](const simulator::StreamPoint& point) {
      if (point.kind == simulator::StreamPoint::Kind::kTransaction && armed_.exchange(false)) at_();
      return simulator::StreamAction::kContinue;
    };
    return options;
  }

  // At the next transaction that a stream sends.
  void OnceAtATransaction(std::function<void()> at) {
    at_ = std::move(at);
    armed_ = true;
  }

 private:
  std::function<void()> at_;
  std::atomic<bool> armed_ = false;
};

TEST(PartialImagesTest, RowsThatChangeOrGoBeforeTheyAreReadEndAsTheyAre) {
  Hook hook;
  PartialImageSource source(kNotes, hook.Options());
  for (int i = 0; i < 40; ++i) source.Execute(Note(absl::StrCat("key", i)));
  source.Read();
  source.Execute("update notes set n = 1");
  hook.OnceAtATransaction([&] {
    source.Execute("update notes set body = 'newer' where k < 'key2'");
    source.Execute("update notes set k = concat(k, '-moved') where k > 'key3'");
    source.Execute("delete from notes where k like 'key2%'");
    source.Execute(Note("key20"));
  });

  source.Read();
  // What was written behind the target of that sync.
  source.Read();

  EXPECT_EQ(source.Rows("notes"), source.SourceRows("notes"));
  EXPECT_THAT(source.Fetches(), Not(IsEmpty()));
}

TEST(PartialImagesTest, KeysThatAreEqualToMysqlAndNotInTheirLettersAreToldApart) {
  PartialImageSource source(kNotes);
  source.Execute(Note("Abc"));
  source.Execute(Note("stra\u00dfe"));
  source.Read();
  source.Execute("update notes set k = 'aBC', n = 1 where k = 'abc'");
  source.Execute("update notes set n = 2 where k = 'stra\u00dfe'");
  source.Execute("update notes set k = 'ABC' where k = 'abc'");

  source.Read();

  EXPECT_THAT(source.Rows("notes"), SizeIs(2));
  EXPECT_EQ(source.Rows("notes"), source.SourceRows("notes"));
}

TEST(PartialImagesTest, AFloatThatIsReadAgainHasAllOfItsDigits) {
  PartialImageSource source(kNotes);
  source.Execute(Note("a"));
  source.Read();
  source.Execute("update notes set f = 16777216");

  source.Read();

  EXPECT_THAT(source.Rows("notes"), ElementsAre(Pair(_, HasSubstr("\"f\":16777216"))));
}

TEST(PartialImagesTest, NothingIsReadAgainForColumnsThatNobodyAskedFor) {
  PartialImageSource source(kNotes, {}, {"k", "n"});
  source.Execute(Note("a"));
  source.Read();
  source.Execute("update notes set n = 1");

  source.Read();

  EXPECT_THAT(source.Rows("notes"), ElementsAre(Pair(_, HasSubstr("\"n\":1"))));
  EXPECT_THAT(source.Fetches(), IsEmpty());
}

}  // namespace
}  // namespace source_vitess::integration_tests
