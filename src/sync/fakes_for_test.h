// What the engine's tests stand on: a VTGate that plays prepared events, and a sink that writes
// down what it gets.
#ifndef SOURCE_VITESS_SYNC_FAKES_FOR_TEST_H_
#define SOURCE_VITESS_SYNC_FAKES_FOR_TEST_H_

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sync/sink.h"
#include "sync/table_position.h"
#include "vitess/vtgate_client.h"

namespace source_vitess::sync {

inline constexpr char kServer[] = "2d4059f8-e696-11f1-8e80-02fc00000001";
inline constexpr char kOtherServer[] = "83c0af68-e68d-11f1-b044-02fc00000001";

// The position after transactions 1 to `last` of kServer.
inline std::string At(int last) { return absl::StrCat("MySQL56/", kServer, ":1-", last); }

// Events as VTGate sends them for keyspace "ks"; `at` is the time of the event, 0 in a copy.
class Events {
 public:
  Events& Begin(const std::string& shard, int64_t at) { return Add(binlogdata::BEGIN, shard, at); }
  Events& Commit(const std::string& shard, int64_t at) {
    return Add(binlogdata::COMMIT, shard, at);
  }
  Events& Other(const std::string& shard, int64_t at) { return Add(binlogdata::OTHER, shard, at); }
  Events& CopyCompleted(const std::string& shard) {
    return Add(binlogdata::COPY_COMPLETED, shard, 0);
  }
  // A table of the columns id and name.
  Events& Field(const std::string& shard, const std::string& table, int64_t at) {
    Add(binlogdata::FIELD, shard, at);
    auto& fields = *response_.mutable_events()->rbegin()->mutable_field_event();
    fields.set_table_name(table);
    fields.set_keyspace("ks");
    fields.set_shard(shard);
    auto* id = fields.add_fields();
    id->set_name("id");
    id->set_type(query::INT64);
    id->set_column_type("bigint");
    id->set_charset(63);
    auto* name = fields.add_fields();
    name->set_name("name");
    name->set_type(query::VARCHAR);
    name->set_column_type("varchar(20)");
    name->set_charset(255);
    return *this;
  }
  Events& Insert(const std::string& shard, const std::string& table, int id,
                 const std::string& name, int64_t at) {
    SetRow(*AddChange(shard, table, at)->mutable_after(), id, name);
    return *this;
  }
  Events& Delete(const std::string& shard, const std::string& table, int id,
                 const std::string& name, int64_t at) {
    SetRow(*AddChange(shard, table, at)->mutable_before(), id, name);
    return *this;
  }
  Events& Update(const std::string& shard, const std::string& table, int before, int after,
                 const std::string& name, int64_t at) {
    binlogdata::RowChange* change = AddChange(shard, table, at);
    SetRow(*change->mutable_before(), before, name);
    SetRow(*change->mutable_after(), after, name);
    return *this;
  }
  // An update that came without the name, as of binlog_row_image=NOBLOB.
  Events& UpdateWithoutName(const std::string& shard, const std::string& table, int before,
                            int after, int64_t at) {
    binlogdata::RowChange* change = AddChange(shard, table, at);
    SetKey(*change->mutable_before(), before);
    SetKey(*change->mutable_after(), after);
    change->mutable_data_columns()->set_count(2);
    change->mutable_data_columns()->set_cols("\x01");
    return *this;
  }
  // The VGTID of `shard`, with the positions of all shards of the stream.
  Events& Vgtid(const std::string& shard, const binlogdata::VGtid& vgtid) {
    Add(binlogdata::VGTID, shard, 0);
    *response_.mutable_events()->rbegin()->mutable_vgtid() = vgtid;
    return *this;
  }
  // The end of `shard`, together with `participants`.
  Events& Journal(const std::string& shard, const std::vector<std::string>& participants,
                  const binlogdata::VGtid& successors) {
    Add(binlogdata::JOURNAL, shard, 9);
    binlogdata::Journal& journal = *response_.mutable_events()->rbegin()->mutable_journal();
    journal.set_migration_type(binlogdata::SHARDS);
    for (const std::string& name : participants) {
      auto* participant = journal.add_participants();
      participant->set_keyspace("ks");
      participant->set_shard(name);
    }
    *journal.mutable_shard_gtids() = successors.shard_gtids();
    return *this;
  }
  Events& Ddl(const std::string& shard, const std::string& statement) {
    Add(binlogdata::DDL, shard, 9);
    response_.mutable_events()->rbegin()->set_statement(statement);
    return *this;
  }
  // A change that was logged as a statement.
  Events& Statement(const std::string& shard, binlogdata::VEventType type, const std::string& dml) {
    Add(type, shard, 9);
    response_.mutable_events()->rbegin()->set_dml(dml);
    return *this;
  }
  vtgate::VStreamResponse Message() const { return response_; }

 private:
  Events& Add(binlogdata::VEventType type, const std::string& shard, int64_t at) {
    binlogdata::VEvent& event = *response_.add_events();
    event.set_type(type);
    event.set_keyspace("ks");
    event.set_shard(shard);
    event.set_timestamp(at);
    return *this;
  }
  binlogdata::RowChange* AddChange(const std::string& shard, const std::string& table, int64_t at) {
    Add(binlogdata::ROW, shard, at);
    auto& rows = *response_.mutable_events()->rbegin()->mutable_row_event();
    rows.set_table_name(table);
    rows.set_keyspace("ks");
    rows.set_shard(shard);
    return rows.add_row_changes();
  }
  static void SetKey(query::Row& row, int id) {
    row.set_values(absl::StrCat(id));
    row.add_lengths(static_cast<int64_t>(row.values().size()));
    row.add_lengths(-1);
  }
  static void SetRow(query::Row& row, int id, const std::string& name) {
    const std::string text = absl::StrCat(id);
    row.add_lengths(static_cast<int64_t>(text.size()));
    row.add_lengths(static_cast<int64_t>(name.size()));
    row.set_values(text + name);
  }

  vtgate::VStreamResponse response_;
};

struct FakeShard {
  std::string shard;
  std::string gtid;
  std::string table = {};  // with a last primary key for this table
  std::string lastpk = {};
};

inline binlogdata::VGtid Vgtid(const std::vector<FakeShard>& shards) {
  binlogdata::VGtid vgtid;
  for (const FakeShard& from : shards) {
    auto* shard = vgtid.add_shard_gtids();
    shard->set_keyspace("ks");
    shard->set_shard(from.shard);
    shard->set_gtid(from.gtid);
    if (from.table.empty()) continue;
    auto* entry = shard->add_table_p_ks();
    entry->set_table_name(from.table);
    auto* field = entry->mutable_lastpk()->add_fields();
    field->set_name("id");
    auto* row = entry->mutable_lastpk()->add_rows();
    row->add_lengths(static_cast<int64_t>(from.lastpk.size()));
    row->set_values(from.lastpk);
  }
  return vgtid;
}

// "-80=5 80-=7{t:3}": the shards with the last transaction of each server, and last primary keys.
inline std::string Text(const binlogdata::VGtid& vgtid) {
  std::vector<std::string> shards;
  for (const binlogdata::ShardGtid& shard : vgtid.shard_gtids()) {
    std::string text = absl::StrCat(shard.shard(), "=", shard.gtid());
    const std::string prefix = absl::StrCat("MySQL56/", kServer, ":1-");
    if (const size_t at = text.find(prefix); at != std::string::npos) text.erase(at, prefix.size());
    for (const binlogdata::TableLastPK& entry : shard.table_p_ks()) {
      absl::StrAppend(&text, "{", entry.table_name(), ":", entry.lastpk().rows(0).values(), "}");
    }
    shards.push_back(std::move(text));
  }
  return absl::StrJoin(shards, " ");
}

// The answer to a query: rows of cells.
inline query::QueryResult Rows(const std::vector<std::vector<std::string>>& rows) {
  query::QueryResult result;
  for (const std::vector<std::string>& cells : rows) {
    query::Row& row = *result.add_rows();
    for (const std::string& cell : cells) {
      row.add_lengths(static_cast<int64_t>(cell.size()));
      row.mutable_values()->append(cell);
    }
  }
  return result;
}

// Plays one script per stream, in the order in which they are opened, and answers queries.
class FakeVtgate final : public vitess::VtgateClient {
 public:
  struct Script {
    std::vector<vtgate::VStreamResponse> responses;
    absl::Status end = absl::UnavailableError("the script has ended");
  };

  explicit FakeVtgate(std::vector<Script> scripts) : scripts_(scripts.begin(), scripts.end()) {}

  absl::StatusOr<query::QueryResult> Execute(std::string_view target, std::string_view sql,
                                             absl::Duration) override {
    if (sql.starts_with("show vschema vindexes")) return Vindexes();
    queries.push_back(absl::StrCat(std::string(target), ": ", std::string(sql)));
    if (answer) return answer(std::string(sql));
    if (answers.empty()) return absl::UnavailableError("the fake has no answer");
    absl::StatusOr<query::QueryResult> next = std::move(answers.front());
    answers.pop_front();
    return next;
  }

  std::unique_ptr<vitess::VStream> Stream(const vtgate::VStreamRequest& request) override {
    requests.push_back(request);
    Script script;
    if (!scripts_.empty()) {
      script = std::move(scripts_.front());
      scripts_.pop_front();
    }
    return std::make_unique<Player>(std::move(script));
  }

  std::vector<vtgate::VStreamRequest> requests;
  std::vector<std::string> queries;                        // "target: sql"
  std::deque<absl::StatusOr<query::QueryResult>> answers;  // to queries, one after the other
  std::function<query::QueryResult(const std::string& sql)> answer;  // in their place
  std::string vindex_columns = "id";  // of every table's primary vindex

 private:
  query::QueryResult Vindexes() const {
    query::QueryResult result = Rows({{vindex_columns}});
    result.add_fields()->set_name("Columns");
    return result;
  }

  class Player final : public vitess::VStream {
   public:
    explicit Player(Script script) : script_(std::move(script)) {}
    bool Read(vtgate::VStreamResponse* response) override {
      if (cancelled_ || next_ == script_.responses.size()) return false;
      *response = script_.responses[next_++];
      return true;
    }
    absl::Status Finish() override {
      return cancelled_ ? absl::CancelledError("cancelled") : script_.end;
    }
    void Cancel() override { cancelled_ = true; }
    bool was_cancelled() const override { return cancelled_; }

   private:
    Script script_;
    size_t next_ = 0;
    bool cancelled_ = false;
  };

  std::deque<Script> scripts_;
};

// Writes everything down, a line each: "t copy 1 a", "t update 1>2 b", "state t -80=5 (3 records)".
class FakeSink final : public Sink {
 public:
  std::unique_ptr<RowBatch> NewBatch() override {
    return std::make_unique<Batch>(takes_absent_columns, wants_every_update);
  }
  absl::Status Started(const Table& table) override {
    lines.push_back(absl::StrCat("started ", table.name()));
    return status;
  }
  absl::Status Write(const RowBatch& batch) override {
    const auto& own = static_cast<const Batch&>(batch);
    lines.insert(lines.end(), own.lines.begin(), own.lines.end());
    return status;
  }
  absl::Status Truncate(const Table& table) override {
    lines.push_back(absl::StrCat("truncate ", table.name()));
    return status;
  }
  absl::Status Checkpoint(std::span<const TableCheckpoint> checkpoints) override {
    for (const TableCheckpoint& checkpoint : checkpoints) {
      lines.push_back(absl::StrCat("state ", checkpoint.table->name(), " ",
                                   Text(checkpoint.position->vgtid), " (", checkpoint.records,
                                   " records)"));
    }
    return status;
  }
  absl::Status Finished(const Table& table, const absl::Status& of_table) override {
    lines.push_back(
        absl::StrCat("finished ", table.name(), " ", absl::StatusCodeToString(of_table.code())));
    return status;
  }

  std::vector<std::string> lines;
  absl::Status status;  // what every call returns
  bool takes_absent_columns = false;
  bool wants_every_update = false;

 private:
  class Batch final : public RowBatch {
   public:
    Batch(bool takes_absent_columns, bool wants_every_update)
        : takes_absent_columns_(takes_absent_columns), wants_every_update_(wants_every_update) {}
    size_t AddLayout(const Table& table, std::span<const mysql::Column>) override {
      tables_.push_back(&table);
      return tables_.size() - 1;
    }
    void Append(size_t layout, const RowChange& change) override {
      const Table& table = *tables_[layout];
      std::string line = absl::StrCat(table.name(), " ");
      const auto text = [](std::span<const mysql::Value> row, size_t i) {
        return std::string(row[i].text);
      };
      switch (change.kind) {
        case ChangeKind::kCopy:
          absl::StrAppend(&line, "copy ", text(change.after, 0), " ", text(change.after, 1));
          break;
        case ChangeKind::kInsert:
          absl::StrAppend(&line, "insert ", text(change.after, 0), " ", text(change.after, 1));
          break;
        case ChangeKind::kUpdate:
          absl::StrAppend(&line, "update ",
                          change.key_changed ? text(change.before, 0) + ">" : std::string(),
                          text(change.after, 0), " ", text(change.after, 1));
          break;
        case ChangeKind::kDelete:
          absl::StrAppend(&line, "delete ", text(change.before, 0));
          break;
      }
      lines.push_back(std::move(line));
      for (RecordCount& count : counts_) {
        if (count.table == table.index) {
          ++count.records;
          return;
        }
      }
      counts_.push_back({table.index, 1});
    }
    bool TakesAbsentColumns() const override { return takes_absent_columns_; }
    bool WantsEveryUpdate() const override { return wants_every_update_; }
    size_t size_bytes() const override {
      size_t size = 0;
      for (const std::string& line : lines) size += line.size();
      return size;
    }
    std::span<const RecordCount> counts() const override { return counts_; }
    void Clear() override {
      lines.clear();
      counts_.clear();
    }

    std::vector<std::string> lines;

   private:
    const bool takes_absent_columns_;
    const bool wants_every_update_;
    std::vector<const Table*> tables_;
    std::vector<RecordCount> counts_;
  };
};

// A table of the columns id and name whose key is id.
inline Table MakeTable(size_t index, const std::string& name) {
  Table table;
  table.index = index;
  table.schema.keyspace = "ks";
  table.schema.name = name;
  table.schema.columns.resize(2);
  table.schema.columns[0].name = "id";
  table.schema.columns[0].type = *mysql::ParseColumnType("bigint");
  table.schema.columns[0].nullable = false;
  table.schema.columns[1].name = "name";
  table.schema.columns[1].type = *mysql::ParseColumnType("varchar(20)");
  table.schema.columns[1].type.character_set = "utf8mb4";
  table.schema.key = {"id"};
  table.schema.resumable = true;
  table.columns = {"id", "name"};
  return table;
}

}  // namespace source_vitess::sync

#endif  // SOURCE_VITESS_SYNC_FAKES_FOR_TEST_H_
