#include "benchmark/connector_setup.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "benchmark/sample_table.h"
#include "rapidjson/document.h"
#include "rapidjson/stringbuffer.h"
#include "rapidjson/writer.h"

namespace source_vitess::benchmark {

absl::StatusOr<ConnectorSetup> ConnectorSetup::Make(const std::string& program, int port,
                                                    const std::optional<std::string>& state) {
  absl::StatusOr<std::unique_ptr<harness::Connector>> connector =
      harness::Connector::Make(program, harness::MakeConfig(port, {kKeyspace}));
  if (!connector.ok()) return connector.status();
  const absl::StatusOr<std::string> discovered = (*connector)->DiscoverCatalog();
  if (!discovered.ok()) return discovered.status();
  const absl::StatusOr<std::string> catalog = harness::ConfigureCatalog(*discovered);
  if (!catalog.ok()) return catalog.status();
  absl::StatusOr<std::vector<std::string>> command = (*connector)->ReadCommand(*catalog, state);
  if (!command.ok()) return command.status();
  return ConnectorSetup(*std::move(connector), *std::move(command));
}

absl::StatusOr<std::string> StateFileOf(std::span<const std::string> state_lines) {
  std::string file = "[";
  for (const std::string& line : state_lines) {
    rapidjson::Document message;
    message.Parse(line.data(), line.size());
    if (message.HasParseError() || !message.IsObject() || !message.HasMember("state")) {
      return absl::InvalidArgumentError("this is no STATE message");
    }
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    message["state"].Accept(writer);
    absl::StrAppend(&file, file.size() == 1 ? "" : ",", buffer.GetString());
  }
  return file + "]";
}

}  // namespace source_vitess::benchmark
