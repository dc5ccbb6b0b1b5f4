// Changes without all columns (binlog_row_image=NOBLOB, binlog_row_value_options=PARTIAL_JSON), as
// Fivetran gets them: what did not change is left out of an UPDATE, and stays in the destination.
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fivetran_source.h"

namespace source_vitess::integration_tests {
namespace {

using harness::FivetranCounts;
using harness::FivetranReport;
using harness::FivetranStop;
using ::testing::IsEmpty;

class FivetranPartialImagesTest : public ::testing::TestWithParam<int> {
 protected:
  FivetranPartialImagesTest() : source_(SmallPackets(), {{"checkpoint_interval", "5"}}) {
    LeaveOut(/*parts_of_documents=*/true);
    source_.Execute(
        "create table pages (id bigint not null, n bigint not null, title varchar(20), body text, "
        "doc json, primary key (id, n))");
    source_.Execute("alter vschema on shop.pages add vindex hash(id)");
  }
  void TearDown() override { EXPECT_THAT(source_.BrokenRules(), IsEmpty()); }

  static simulator::SimulatorOptions SmallPackets() {
    simulator::SimulatorOptions options;
    options.service.streams.packet_bytes = 200;
    return options;
  }

  // With parts of documents, a change never says of a document that it is the same.
  void LeaveOut(bool parts_of_documents) {
    source_.simulator().cluster().SetVariables(
        {.binlog_row_image = "NOBLOB",
         .binlog_row_value_options = parts_of_documents ? "PARTIAL_JSON" : ""});
  }

  void Insert(int id) {
    source_.Execute(absl::StrCat("insert into pages values (", id, ", 0, 'title', 'body", id,
                                 "', '[1, 2, 3]')"));
  }

  // What the second of two syncs has of the table after the statement.
  FivetranCounts After(const std::string& sql) {
    for (int id = 1; id <= 5; ++id) Insert(id);
    EXPECT_EQ(source_.Sync().Failure(), "");
    source_.Execute(sql);
    const FivetranReport report = source_.Sync();
    EXPECT_EQ(report.Failure(), "");
    EXPECT_THAT(source_.DifferencesOf("pages"), IsEmpty());
    const auto counts = report.tables.find("shop.pages");
    return counts == report.tables.end() ? FivetranCounts() : counts->second;
  }

  FivetranSource source_;
};

TEST_F(FivetranPartialImagesTest, AColumnThatIsLeftOutStaysAsItIs) {
  LeaveOut(/*parts_of_documents=*/false);

  const FivetranCounts counts = After("update pages set title = 'new' where id = 3");

  EXPECT_EQ(counts.updates, 1u);
  EXPECT_EQ(counts.upserts, 0u);
  EXPECT_EQ(counts.ignored, 0u);
}

TEST_F(FivetranPartialImagesTest, ADocumentThatChangesInPartArrivesWhole) {
  const FivetranCounts counts =
      After("update pages set doc = json_set(doc, '$[1]', 7) where id = 3");

  EXPECT_EQ(counts.updates + counts.upserts, 1u);
}

TEST_F(FivetranPartialImagesTest, ARowWithANewKeyArrivesWhole) {
  const FivetranCounts counts = After("update pages set n = 9 where id = 3");

  EXPECT_EQ(counts.deletes, 1u);
  EXPECT_EQ(counts.upserts, 1u);
}

TEST_P(FivetranPartialImagesTest, TheWarehouseEqualsTheSourceWheneverTheConnectorIsKilled) {
  std::mt19937 random(static_cast<unsigned>(GetParam()));
  const auto any = [&](int below) {
    return static_cast<int>(random() % static_cast<unsigned>(below));
  };
  LeaveOut(/*parts_of_documents=*/GetParam() % 2 == 0);
  int last = 0;
  while (last < 60) Insert(++last);
  for (int attempt = 0; attempt < 12; ++attempt) {
    harness::FivetranUpdateOptions options;
    options.keep = any(2) == 0;
    options.stop = FivetranStop{.by = FivetranStop::By::kKill,
                                .after_bytes = static_cast<uint64_t>(1 + any(6000))};
    source_.Sync(options);
    for (int i = 0; i < 8; ++i) {
      const std::string where = absl::StrCat(" where id = ", 1 + any(last));
      switch (any(5)) {
        case 0:
          source_.Execute(absl::StrCat("update pages set title = 'title", any(9), "'", where));
          break;
        case 1:
          source_.Execute(
              absl::StrCat("update pages set doc = json_set(doc, '$[1]', ", any(9), ")", where));
          break;
        case 2:
          source_.Execute(absl::StrCat("update pages set n = n + 1", where));
          break;
        case 3:
          source_.Execute(absl::StrCat("delete from pages", where));
          break;
        default:
          Insert(++last);
          break;
      }
    }
  }

  EXPECT_EQ(source_.Sync().Failure(), "");

  EXPECT_THAT(source_.DifferencesOf("pages"), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, FivetranPartialImagesTest, ::testing::Range(1, 9));

}  // namespace
}  // namespace source_vitess::integration_tests
