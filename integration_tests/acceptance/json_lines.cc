#include "acceptance/json_lines.h"

#include <utility>

#include "gtest/gtest.h"

namespace source_vitess::acceptance {
namespace {

// Columns of every type, each with a value.
constexpr char kCreateTypes[] = R"(create table types (
    id bigint not null, c1 tinyint, c2 tinyint(1), c3 smallint, c4 mediumint unsigned, c5 int,
    c6 bigint unsigned, c7 decimal(30,10), c8 decimal(20,0), c9 float, c10 double, c11 bit(1),
    c12 bit(10), c13 date, c14 datetime(6), c15 timestamp(3), c16 time, c17 year, c18 char(3),
    c19 varchar(20) character set latin1, c20 text, c21 binary(5), c22 varbinary(5), c23 blob,
    c24 enum('a','b,c'), c25 set('x','y','z'), c26 json, c27 point, primary key (id)))";
constexpr char kInsertTypes[] = R"(insert into types values (
    1, -128, 1, 3, 16777215, -2147483648, 18446744073709551615, 12345678901234567890.0123456789, 7,
    1.5, 0.1, b'1', b'1000000001', '2024-02-29', '2024-02-29 01:02:03.000004',
    '2024-02-29 01:02:03.004', '23:59:59', 2024, 'abc', 'é', 'two\nlines', 'ab', x'00ff', x'c3',
    'b,c', 'x,z', '{"a": [1, null]}', x'000000000101000000000000000000f03f0000000000000040'))";

}  // namespace

rapidjson::Document Parsed(const std::string& text) {
  rapidjson::Document document;
  document.Parse(text.data(), text.size());
  EXPECT_FALSE(document.HasParseError()) << text.substr(0, 200);
  return document;
}

std::vector<rapidjson::Document> MessagesOf(const harness::RunResult& run,
                                            const std::string& type) {
  std::vector<rapidjson::Document> messages;
  for (const std::string& line : run.lines) {
    rapidjson::Document message = Parsed(line);
    if (type == message["type"].GetString()) messages.push_back(std::move(message));
  }
  return messages;
}

const Json* Find(const Json& object, const char* name) {
  const auto member = object.FindMember(name);
  return member == object.MemberEnd() ? nullptr : &member->value;
}

Shop::Shop(simulator::SimulatorOptions options) : SimulatedSource(std::move(options)) {
  for (const std::string& sql : integration_tests::RowsOfEveryTable(1, 3)) Execute(sql);
  Execute("delete from tags");
  Execute(kCreateTypes);
  Execute("alter vschema on shop.types add vindex hash(id)");
  Execute(kInsertTypes);
  Execute("create table events (what varchar(20), number bigint)");
  Execute("alter vschema on shop.events add vindex hash(number)");
  Execute("insert into events values ('a', 1)");
  Execute("insert into events values ('a', 1)");
  const absl::Status discovered = Rediscover();
  EXPECT_TRUE(discovered.ok()) << discovered;
}

rapidjson::Document Shop::Discovered() {
  const auto catalog = connector().DiscoverCatalog();
  EXPECT_TRUE(catalog.ok()) << catalog.status();
  return Parsed(catalog.value_or("{}"));
}

}  // namespace source_vitess::acceptance
