#include "simulator/event_sequence.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_join.h"
#include "simulator/go_text.h"
#include "simulator/strings.h"
#include "vitess/gtid_set.h"

namespace source_vitess::simulator {
namespace {

std::string RowText(const query::Row& row) {
  std::vector<std::string> cells;
  size_t offset = 0;
  for (const int64_t length : row.lengths()) {
    if (length < 0) {
      cells.push_back("NULL");
      continue;
    }
    cells.push_back(absl::CHexEscape(row.values().substr(offset, static_cast<size_t>(length))));
    offset += static_cast<size_t>(length);
  }
  return absl::StrJoin(cells, "|");
}

std::string RowEventText(const binlogdata::RowEvent& event) {
  std::string text = Cat(event.table_name(), " flags=", event.flags());
  for (const binlogdata::RowChange& change : event.row_changes()) {
    if (change.has_before()) CatTo(&text, " before=", RowText(change.before()));
    if (change.has_after()) CatTo(&text, " after=", RowText(change.after()));
    if (change.has_data_columns()) CatTo(&text, " ", GoText(change.data_columns()));
    if (change.has_json_partial_values())
      CatTo(&text, " json ", GoText(change.json_partial_values()));
  }
  return text;
}

std::string JournalText(const binlogdata::Journal& journal) {
  std::string text = binlogdata::MigrationType_Name(journal.migration_type());
  for (const std::string& table : journal.tables()) CatTo(&text, " ", table);
  for (const binlogdata::KeyspaceShard& shard : journal.participants())
    CatTo(&text, " from ", GoText(shard));
  for (const binlogdata::ShardGtid& shard : journal.shard_gtids())
    CatTo(&text, " to ", shard.keyspace(), "/", shard.shard());
  return text;
}

// Follows the positions of the shards.
class Normaliser {
 public:
  explicit Normaliser(const vtgate::VStreamRequest& request) {
    for (const binlogdata::ShardGtid& shard : request.vgtid().shard_gtids()) {
      positions_[Cat(shard.keyspace(), "/", shard.shard())] = PositionOf(shard);
    }
  }

  std::string Line(const binlogdata::VEvent& event) {
    std::string line = binlogdata::VEventType_Name(event.type());
    if (event.timestamp() != 0) line += " timed";
    if (event.current_time() != 0) line += " clocked";
    if (!event.event_gtid().empty()) line += " gtid";
    if (event.has_field_event()) CatTo(&line, " ", GoText(event.field_event()));
    if (event.has_row_event()) CatTo(&line, " ", RowEventText(event.row_event()));
    if (event.has_vgtid()) CatTo(&line, " ", VgtidText(event));
    if (event.has_journal()) CatTo(&line, " ", JournalText(event.journal()));
    if (!event.statement().empty()) CatTo(&line, " ", event.statement());
    return line;
  }

 private:
  static vitess::GtidSet PositionOf(const binlogdata::ShardGtid& shard) {
    return vitess::GtidSet::ParsePosition(shard.gtid()).value_or(vitess::GtidSet());
  }

  std::string VgtidText(const binlogdata::VEvent& event) {
    const std::string own = Cat(event.keyspace(), "/", event.shard());
    std::string names;
    std::string text;
    for (const binlogdata::ShardGtid& shard : event.vgtid().shard_gtids()) {
      CatTo(&names, " ", shard.keyspace(), "/", shard.shard());
      if (Cat(shard.keyspace(), "/", shard.shard()) != own) continue;
      const vitess::GtidSet position = PositionOf(shard);
      vitess::GtidSet& before = positions_[own];
      // A first position says nothing: it holds all that the server has ever done.
      text = before.empty() ? "from somewhere" : Cat("+", position.CountNotIn(before));
      before = position;
      for (const binlogdata::TableLastPK& table : shard.table_p_ks())
        CatTo(&text, " {", GoText(table), "}");
    }
    return Cat("of", names, ": ", text);
  }

  std::map<std::string, vitess::GtidSet> positions_;
};

std::string BareName(const std::string& table) { return table.substr(table.find('.') + 1); }

// What a transaction, or a part of a copy, is; empty for an event that tells nothing.
std::string PhaseOf(const binlogdata::VEvent& event, bool& empty) {
  const bool copied = event.timestamp() == 0;
  switch (event.type()) {
    case binlogdata::BEGIN:
      empty = true;
      return "";
    case binlogdata::FIELD:
      return copied ? Cat("copy ", BareName(event.field_event().table_name())) : "";
    case binlogdata::ROW:
      empty = false;
      return Cat(copied ? "rows " : "transaction ", BareName(event.row_event().table_name()));
    case binlogdata::COMMIT:
      return empty && !copied ? "empty transaction" : "";
    case binlogdata::COPY_COMPLETED:
      return "completed";
    default:
      return "";
  }
}

}  // namespace

std::map<std::string, std::vector<std::string>> LinesByShard(const vtgate::VStreamRequest& request,
                                                             const Responses& responses) {
  Normaliser normaliser(request);
  std::map<std::string, std::vector<std::string>> lines;
  for (const vtgate::VStreamResponse& response : responses) {
    for (const binlogdata::VEvent& event : response.events()) {
      lines[Cat(event.keyspace(), "/", event.shard())].push_back(normaliser.Line(event));
    }
  }
  return lines;
}

std::vector<std::string> Lines(const vtgate::VStreamRequest& request, const Responses& responses) {
  Normaliser normaliser(request);
  std::vector<std::string> lines;
  for (const vtgate::VStreamResponse& response : responses) {
    for (const binlogdata::VEvent& event : response.events())
      lines.push_back(normaliser.Line(event));
  }
  return lines;
}

std::vector<std::string> Phases(const Responses& responses) {
  std::vector<std::string> phases;
  bool empty = true;
  bool completed = false;
  for (const vtgate::VStreamResponse& response : responses) {
    for (const binlogdata::VEvent& event : response.events()) {
      const std::string phase = PhaseOf(event, empty);
      if (phase.empty() || (!phases.empty() && phases.back() == phase)) continue;
      const bool known =
          completed && std::find(phases.begin(), phases.end(), phase) != phases.end();
      // The first transactions after the completion may repeat a phase from before it.
      if (known) continue;
      phases.push_back(phase);
      completed = completed || phase == "completed";
    }
  }
  return phases;
}

size_t CountEvents(const Responses& responses) {
  size_t count = 0;
  for (const vtgate::VStreamResponse& response : responses)
    count += static_cast<size_t>(response.events_size());
  return count;
}

StreamReader::StreamReader(const std::string& address, const vtgate::VStreamRequest& request) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  // A connection of its own, whatever has become of others to the same address.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  stub_ = vtgateservice::Vitess::NewStub(
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  reader_ = stub_->VStream(&context_, request);
}

StreamReader::~StreamReader() {
  if (finished_) return;
  Cancel();
  Finish();
}

bool StreamReader::ReadMessage() {
  vtgate::VStreamResponse response;
  if (!reader_->Read(&response)) return false;
  responses_.push_back(std::move(response));
  return true;
}

void StreamReader::ReadEvents(size_t count) {
  while (CountEvents(responses_) < count && ReadMessage()) {
  }
}

grpc::Status StreamReader::Finish() {
  while (ReadMessage()) {
  }
  finished_ = true;
  return reader_->Finish();
}

}  // namespace source_vitess::simulator
