#include "airbyte/stream_columns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace source_vitess::airbyte {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CollectingLogger final : public telemetry::Logger {
 public:
  void Log(telemetry::Severity, std::string_view message) override {
    messages.emplace_back(message);
  }

  std::vector<std::string> messages;
};

class StreamColumnsTest : public testing::Test {
 protected:
  static std::vector<ConfiguredStream> Configured() {
    ConfiguredStream stream;
    stream.name = {.name_space = "commerce", .name = "orders"};
    stream.columns = {{"id", DeclaredType::kInteger}};
    return {stream};
  }

  const StreamName orders_{.name_space = "commerce", .name = "orders"};
  const StreamName other_{.name_space = "commerce", .name = "other"};
  CollectingLogger logger_;
  StreamColumns columns_{Configured(), logger_};
};

TEST_F(StreamColumnsTest, KnowsWhatTheCatalogDeclares) {
  EXPECT_EQ(columns_.Declared(orders_, "id"), DeclaredType::kInteger);
  EXPECT_EQ(columns_.Declared(orders_, "sku"), DeclaredType::kAny);
  EXPECT_EQ(columns_.Declared(other_, "id"), DeclaredType::kAny);
}

TEST_F(StreamColumnsTest, NotesAColumnOnce) {
  for (int i = 0; i < 3; ++i) {
    columns_.NoteNew(orders_, "added");
    columns_.NoteOtherType(orders_, "id", "varchar(20)");
  }

  EXPECT_THAT(logger_.messages,
              ElementsAre(HasSubstr("Stream commerce.orders, column added: "),
                          HasSubstr("of type varchar(20), while the connection has it as an "
                                    "integer")));
}

TEST_F(StreamColumnsTest, TellsOnceHowManyValuesOfAStreamWereAltered) {
  columns_.Count(orders_, "a", {.nulled = 1, .replaced = 0});
  columns_.Count(orders_, "a", {.nulled = 1, .replaced = 0});
  columns_.Count(orders_, "b", {.nulled = 0, .replaced = 1});
  columns_.Count(other_, "a", {.nulled = 5, .replaced = 0});

  columns_.LogAltered(orders_);
  columns_.LogAltered(orders_);

  EXPECT_THAT(logger_.messages,
              ElementsAre(HasSubstr("column a: 2 values had no place"),
                          HasSubstr("column b: 1 value had bytes that mean nothing")));
}

TEST_F(StreamColumnsTest, SaysNothingOfAStreamWhoseValuesAreWhole) {
  columns_.LogAltered(orders_);

  EXPECT_THAT(logger_.messages, IsEmpty());
}

}  // namespace
}  // namespace source_vitess::airbyte
