#include "harness/fivetran_host.h"

#include <cstdlib>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "harness/process.h"
#include "rapidjson/document.h"
#include "rapidjson/stringbuffer.h"
#include "rapidjson/writer.h"

namespace source_vitess::harness {
namespace {

using Json = rapidjson::Value;

// The members of a command, but for its id.
class Command {
 public:
  explicit Command(const char* name) : writer_(buffer_) {
    writer_.StartObject();
    Add("command", name);
  }
  Command(const char* name, int connection) : Command(name) {
    Add("connection", static_cast<uint64_t>(connection));
  }

  Command& Add(const char* name, const std::string& text) {
    writer_.Key(name);
    writer_.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
    return *this;
  }
  Command& Add(const char* name, const char* text) { return Add(name, std::string(text)); }
  Command& Add(const char* name, uint64_t number) {
    writer_.Key(name);
    writer_.Uint64(number);
    return *this;
  }
  Command& Add(const char* name, double number) {
    writer_.Key(name);
    writer_.Double(number);
    return *this;
  }
  Command& Add(const char* name, bool flag) {
    writer_.Key(name);
    writer_.Bool(flag);
    return *this;
  }
  Command& Add(const char* name, const std::vector<std::string>& texts) {
    writer_.Key(name);
    writer_.StartArray();
    for (const std::string& text : texts) writer_.String(text.c_str());
    writer_.EndArray();
    return *this;
  }
  Command& Add(const char* name, const std::map<std::string, std::string>& texts) {
    writer_.Key(name);
    writer_.StartObject();
    for (const auto& [key, text] : texts) {
      writer_.Key(key.c_str());
      writer_.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
    }
    writer_.EndObject();
    return *this;
  }
  // A member that is JSON already, on one line.
  Command& AddRaw(const char* name, const std::string& json) {
    writer_.Key(name);
    writer_.RawValue(json.data(), json.size(), rapidjson::kObjectType);
    return *this;
  }

  std::string Line(uint64_t id) {
    Add("id", id);
    writer_.EndObject();
    return absl::StrCat(buffer_.GetString(), "\n");
  }

 private:
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_;
};

// The process that takes commands, and a thread that waits for its answers.
class HostProcess {
 public:
  // The one of this program; it ends with the program.
  static HostProcess& Get() {
    static HostProcess& host = *new HostProcess();
    return host;
  }

  absl::StatusOr<rapidjson::Document> Ask(Command& command) {
    uint64_t id = 0;
    {
      const absl::MutexLock lock(&mutex_);
      if (!failure_.ok()) return failure_;
      id = ++last_id_;
      if (absl::Status status = process_->Write(command.Line(id)); !status.ok()) return status;
    }
    const absl::MutexLock lock(&mutex_);
    const auto answered = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return answers_.contains(id) || !failure_.ok();
    };
    mutex_.Await(absl::Condition(&answered));
    if (!failure_.ok()) return failure_;
    rapidjson::Document answer = std::move(answers_.extract(id).mapped());
    return answer;
  }

 private:
  HostProcess() {
    absl::StatusOr<std::unique_ptr<Process>> process = Process::Start(
        {"/usr/bin/env", absl::StrCat("PYTHONPATH=", FIVETRAN_HOST_PYTHON_PATH),
         "PYTHONDONTWRITEBYTECODE=1", FIVETRAN_HOST_PYTHON, "-m", "fivetran_host", "--serve"},
        Process::Input::kWritten);
    if (!process.ok()) {
      failure_ = process.status();
      return;
    }
    process_ = *std::move(process);
    std::thread([this] { TakeAnswers(); }).detach();
  }

  void TakeAnswers() {
    while (std::optional<std::string> line = process_->ReadLine(absl::InfiniteFuture())) {
      rapidjson::Document answer;
      answer.Parse(line->data(), line->size());
      if (answer.HasParseError() || !answer.IsObject() || !answer.HasMember("id")) break;
      const absl::MutexLock lock(&mutex_);
      const uint64_t id = answer["id"].GetUint64();
      answers_.emplace(id, std::move(answer));
    }
    const absl::MutexLock lock(&mutex_);
    failure_ = absl::InternalError(absl::StrCat("the host has ended: ", process_->errors()));
  }

  absl::Mutex mutex_;
  std::unique_ptr<Process> process_;
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<uint64_t, rapidjson::Document> answers_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusCode CodeNamed(std::string_view name) {
  for (int code = 0; code <= 16; ++code) {
    const auto known = static_cast<absl::StatusCode>(code);
    if (absl::StatusCodeToString(known) == name) return known;
  }
  return absl::StatusCode::kUnknown;
}

// The answer, unless it is a failure of the host, or of the connector in a call that answers once.
absl::StatusOr<rapidjson::Document> Ask(Command& command) {
  absl::StatusOr<rapidjson::Document> answer = HostProcess::Get().Ask(command);
  if (!answer.ok()) return answer.status();
  if (answer->HasMember("error")) return absl::InternalError((*answer)["error"].GetString());
  if (answer->HasMember("status") && !answer->HasMember("succeeded")) {
    return absl::Status(CodeNamed((*answer)["status"].GetString()), (*answer)["text"].GetString());
  }
  return answer;
}

std::string Text(const Json& value) { return {value.GetString(), value.GetStringLength()}; }

std::optional<std::string> OptionalText(const Json& value) {
  if (value.IsNull()) return std::nullopt;
  return Text(value);
}

std::vector<std::string> Texts(const Json& array) {
  std::vector<std::string> texts;
  for (const Json& text : array.GetArray()) texts.push_back(Text(text));
  return texts;
}

std::string StopJson(const FivetranStop& stop) {
  const char* by = stop.by == FivetranStop::By::kCancel ? "cancel"
                   : stop.by == FivetranStop::By::kKill ? "kill"
                                                        : "terminate";
  std::string json = absl::StrCat(R"({"by":")", by, "\"");
  if (stop.after_messages) absl::StrAppend(&json, R"(,"after_messages":)", *stop.after_messages);
  if (stop.after_bytes) absl::StrAppend(&json, R"(,"after_bytes":)", *stop.after_bytes);
  if (stop.after) {
    absl::StrAppend(&json, R"(,"after_milliseconds":)", absl::ToDoubleMilliseconds(*stop.after));
  }
  return json + "}";
}

FivetranReport ReadReport(const Json& answer) {
  FivetranReport report;
  report.succeeded = answer["succeeded"].GetBool();
  report.status = Text(answer["status"]);
  report.text = Text(answer["text"]);
  report.task = OptionalText(answer["task"]);
  report.warnings = Texts(answer["warnings"]);
  report.stopped = answer["stopped"].GetBool();
  report.timed_out = answer["timed_out"].GetBool();
  report.messages = answer["messages"].GetUint64();
  report.bytes = answer["bytes"].GetUint64();
  report.records = answer["records"].GetUint64();
  report.checkpoints = answer["checkpoints"].GetUint64();
  report.schema_changes = answer["schema_changes"].GetUint64();
  for (const auto& [name, counts] : answer["tables"].GetObject()) {
    report.tables[Text(name)] = {.upserts = counts["upserts"].GetUint64(),
                                 .updates = counts["updates"].GetUint64(),
                                 .deletes = counts["deletes"].GetUint64(),
                                 .truncates = counts["truncates"].GetUint64(),
                                 .ignored = counts["ignored"].GetUint64()};
  }
  return report;
}

FivetranField ReadField(const Json& field) {
  return {.name = Text(field["name"]),
          .kind = Text(field["kind"]),
          .label = Text(field["label"]),
          .required = field["required"].GetBool(),
          .default_value = OptionalText(field["default"]),
          .values = Texts(field["values"])};
}

std::vector<FivetranColumn> ReadColumns(const Json& columns) {
  std::vector<FivetranColumn> read;
  for (const Json& column : columns.GetArray()) {
    read.push_back({.name = Text(column["name"]),
                    .type = Text(column["type"]),
                    .in_key = column["in_key"].GetBool(),
                    .precision = column["precision"].GetInt(),
                    .scale = column["scale"].GetInt(),
                    .byte_length = column["byte_length"].GetInt()});
  }
  return read;
}

}  // namespace

std::string FivetranReport::Failure() const {
  if (succeeded) return "";
  std::string failure = absl::StrCat("status ", status, " ", text);
  if (task.has_value()) absl::StrAppend(&failure, "; task: ", *task);
  if (stopped) absl::StrAppend(&failure, timed_out ? "; it took too long" : "; it was stopped");
  if (!warnings.empty()) absl::StrAppend(&failure, "; warnings: ", absl::StrJoin(warnings, "; "));
  return failure;
}

absl::StatusOr<std::unique_ptr<FivetranConnection>> FivetranConnection::Open(bool history) {
  Command command("open");
  const auto answer = Ask(command.Add("history", history));
  if (!answer.ok()) return answer.status();
  return std::unique_ptr<FivetranConnection>(
      new FivetranConnection((*answer)["connection"].GetInt()));
}

FivetranConnection::~FivetranConnection() {
  Kill().IgnoreError();
  Command command("close", number_);
  Ask(command).IgnoreError();
}

absl::StatusOr<int> FivetranConnection::Start(const std::string& program) {
  const char* other_build = std::getenv("SOURCE_VITESS_TEST_PROGRAM");
  const std::vector<std::string> line = {other_build != nullptr ? other_build : program, "fivetran",
                                         "--port", "0"};
  Command command("start", number_);
  const auto answer = Ask(command.Add("program", line));
  if (!answer.ok()) return answer.status();
  return (*answer)["port"].GetInt();
}

absl::Status FivetranConnection::Connect(int port) {
  Command command("connect", number_);
  return Ask(command.Add("port", static_cast<uint64_t>(port))).status();
}

absl::StatusOr<FivetranForm> FivetranConnection::Form() {
  Command command("form", number_);
  const auto answer = Ask(command);
  if (!answer.ok()) return answer.status();
  FivetranForm form;
  for (const Json& field : (*answer)["fields"].GetArray()) form.fields.push_back(ReadField(field));
  for (const Json& test : (*answer)["tests"].GetArray()) {
    form.tests[Text(test["name"])] = Text(test["label"]);
  }
  return form;
}

absl::StatusOr<std::vector<std::string>> FivetranConnection::Configure(
    const std::map<std::string, std::string>& values) {
  Command command("configure", number_);
  const auto answer = Ask(command.Add("values", values));
  if (!answer.ok()) return answer.status();
  return Texts((*answer)["refused"]);
}

absl::Status FivetranConnection::Select(const std::string& selection) {
  rapidjson::Document document;
  document.Parse(selection.data(), selection.size());
  if (document.HasParseError()) return absl::InvalidArgumentError("the selection is no JSON");
  rapidjson::StringBuffer compact;
  rapidjson::Writer<rapidjson::StringBuffer> writer(compact);
  document.Accept(writer);
  Command command("select", number_);
  return Ask(command.AddRaw("selection", compact.GetString())).status();
}

absl::StatusOr<std::optional<std::string>> FivetranConnection::Test(const std::string& name) {
  Command command("test", number_);
  const auto answer = Ask(command.Add("name", name));
  if (!answer.ok()) return answer.status();
  return OptionalText((*answer)["failure"]);
}

absl::StatusOr<std::map<std::string, std::vector<FivetranColumn>>> FivetranConnection::Schema() {
  Command command("schema", number_);
  const auto answer = Ask(command);
  if (!answer.ok()) return answer.status();
  std::map<std::string, std::vector<FivetranColumn>> tables;
  for (const Json& table : (*answer)["tables"].GetArray()) {
    tables[absl::StrCat(Text(table["schema"]), ".", Text(table["table"]))] =
        ReadColumns(table["columns"]);
  }
  return tables;
}

absl::StatusOr<FivetranReport> FivetranConnection::Update(const FivetranUpdateOptions& options) {
  Command command("update", number_);
  if (options.stop.has_value()) command.AddRaw("stop", StopJson(*options.stop));
  if (options.pause > absl::ZeroDuration()) {
    command.AddRaw("pause", absl::StrCat(R"({"after_messages":)", options.pause_after_messages,
                                         R"(,"milliseconds":)",
                                         absl::ToDoubleMilliseconds(options.pause), "}"));
  }
  command.Add("may_truncate", options.may_truncate).Add("keep", options.keep);
  const auto answer = Ask(command.Add("patience_seconds", absl::ToDoubleSeconds(options.patience)));
  if (!answer.ok()) return answer.status();
  return ReadReport(*answer);
}

absl::Status FivetranConnection::Cancel() {
  Command command("cancel", number_);
  return Ask(command).status();
}

absl::Status FivetranConnection::Kill() {
  Command command("kill", number_);
  return Ask(command).status();
}

absl::StatusOr<int> FivetranConnection::Stop() {
  Command command("stop", number_);
  const auto answer = Ask(command);
  if (!answer.ok()) return answer.status();
  if ((*answer)["exit"].IsNull()) return absl::FailedPreconditionError("no connector runs");
  return (*answer)["exit"].GetInt();
}

absl::Status FivetranConnection::SetState(const std::string& state) {
  Command command("resync", number_);
  return Ask(command.Add("state", state)).status();
}

absl::StatusOr<std::string> FivetranConnection::State() {
  Command command("state", number_);
  const auto answer = Ask(command);
  if (!answer.ok()) return answer.status();
  return Text((*answer)["state"]);
}

absl::StatusOr<std::vector<std::string>> FivetranConnection::Rows(
    const std::string& schema, const std::string& table, const std::vector<std::string>& columns) {
  Command command("rows", number_);
  const auto answer =
      Ask(command.Add("schema", schema).Add("table", table).Add("columns", columns));
  if (!answer.ok()) return answer.status();
  return Texts((*answer)["rows"]);
}

absl::StatusOr<std::vector<std::string>> FivetranConnection::Columns(const std::string& schema,
                                                                     const std::string& table) {
  Command command("columns", number_);
  const auto answer = Ask(command.Add("schema", schema).Add("table", table));
  if (!answer.ok()) return answer.status();
  return Texts((*answer)["columns"]);
}

absl::StatusOr<uint64_t> FivetranConnection::MarkedRows(const std::string& schema,
                                                        const std::string& table) {
  Command command("count", number_);
  const auto answer = Ask(command.Add("schema", schema).Add("table", table));
  if (!answer.ok()) return answer.status();
  return (*answer)["marked"].GetUint64();
}

absl::StatusOr<std::vector<std::string>> FivetranConnection::Log() {
  Command command("log", number_);
  const auto answer = Ask(command);
  if (!answer.ok()) return answer.status();
  return Texts((*answer)["lines"]);
}

absl::StatusOr<std::vector<std::string>> FivetranConnection::BrokenRules() {
  Command command("broken", number_);
  const auto answer = Ask(command);
  if (!answer.ok()) return answer.status();
  return Texts((*answer)["broken"]);
}

}  // namespace source_vitess::harness
