#include "config/options.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "config/deployment.h"
#include "config/json_document.h"
#include "config/specification.h"
#include "text/absl_view.h"
#include "vitess/errors.h"

namespace source_vitess::config {
namespace {

using rapidjson::Value;

// Members of a completed configuration: what has a default is there, and everything has its type.
std::string_view Text(const Value& object, std::string_view name) {
  const Value* value = FindMember(object, name);
  return value == nullptr ? std::string_view()
                          : std::string_view(value->GetString(), value->GetStringLength());
}

int64_t Integer(const Value& object, std::string_view name) {
  return FindMember(object, name)->GetInt64();
}

bool Flag(const Value& object, std::string_view name) {
  return FindMember(object, name)->GetBool();
}

std::vector<std::string> Texts(const Value& object, std::string_view name) {
  std::vector<std::string> texts;
  for (const Value& value : FindMember(object, name)->GetArray()) {
    std::string text(value.GetString(), value.GetStringLength());
    if (std::find(texts.begin(), texts.end(), text) == texts.end())
      texts.push_back(std::move(text));
  }
  return texts;
}

topodata::TabletType TabletTypeOf(std::string_view name) {
  if (name == "replica") return topodata::REPLICA;
  if (name == "rdonly") return topodata::RDONLY;
  return topodata::PRIMARY;
}

vitess::ChannelOptions ChannelOf(const Value& config, const Deployment& deployment) {
  vitess::ChannelOptions channel;
  channel.host = Text(config, "host");
  channel.port = FindMember(config, "port") == nullptr ? deployment.port
                                                       : static_cast<int>(Integer(config, "port"));
  channel.max_receive_bytes = Integer(config, "max_message_mb") << 20;

  const Value& authentication = *FindMember(config, "authentication");
  if (Text(authentication, "method") == "password") {
    channel.credentials = {.username = std::string(Text(authentication, "username")),
                           .password = std::string(Text(authentication, "password")),
                           .scheme = deployment.scheme};
  }
  const Value& encryption = *FindMember(config, "encryption");
  const std::string_view mode = Text(encryption, "mode");
  if (mode == "auto" && deployment.tls) channel.tls.emplace();
  if (mode == "tls") {
    channel.tls = {.ca_certificate = std::string(Text(encryption, "ca_certificate")),
                   .server_name = std::string(Text(encryption, "server_name")),
                   .client_certificate = std::string(Text(encryption, "client_certificate")),
                   .client_key = std::string(Text(encryption, "client_key"))};
  }
  return channel;
}

absl::Status CheckClientCertificate(const vitess::ChannelOptions& channel) {
  if (!channel.tls.has_value()) return absl::OkStatus();
  if (channel.tls->client_certificate.empty() == channel.tls->client_key.empty()) {
    return absl::OkStatus();
  }
  const bool key_missing = channel.tls->client_key.empty();
  return vitess::ConfigurationError(absl::StrCat("Option \"encryption.",
                                                 key_missing ? "client_key" : "client_certificate",
                                                 "\" is missing: it belongs to \"encryption.",
                                                 key_missing ? "client_certificate" : "client_key",
                                                 "\", and one is of no use without the other."));
}

// Iterative, with one point to come back to: a later star can take over whatever an earlier one
// would have tried.
bool MatchesPattern(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;
  size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool MatchesAny(const std::vector<std::string>& patterns, std::string_view keyspace,
                std::string_view table) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return absl::StrContains(pattern, '.')
               ? MatchesPattern(pattern,
                                absl::StrCat(text::AbslView(keyspace), ".", text::AbslView(table)))
               : MatchesPattern(pattern, table);
  });
}

}  // namespace

bool Options::WantsTable(std::string_view keyspace, std::string_view table) const {
  return (include_tables.empty() || MatchesAny(include_tables, keyspace, table)) &&
         !MatchesAny(exclude_tables, keyspace, table);
}

absl::StatusOr<Options> ParseOptions(std::string_view json) {
  absl::StatusOr<rapidjson::Document> parsed = ParseJson(json);
  if (!parsed.ok()) return vitess::Annotate(parsed.status(), "The configuration");
  absl::Status status = Complete(ConnectionSchema(), *parsed);
  if (!status.ok()) return status;

  const Value& config = *parsed;
  const Value& tables = *FindMember(config, "tables");
  Options options;
  const Deployment& deployment = DeploymentOf(Text(config, "deployment"));
  options.channel = ChannelOf(config, deployment);
  options.keyspaces = Texts(config, "keyspaces");
  options.include_tables = Texts(tables, "include");
  options.exclude_tables = Texts(tables, "exclude");
  options.shards = Texts(config, "shards");
  options.tablet_type = TabletTypeOf(Text(config, "tablet_type"));
  options.cells = absl::StrJoin(Texts(config, "cells"), ",");
  if (options.cells.empty()) options.cells = deployment.cells;
  options.checkpoint_interval = static_cast<uint64_t>(Integer(config, "checkpoint_interval"));
  options.parallel_copies = static_cast<int>(Integer(config, "parallel_copies"));
  options.shards_per_stream = static_cast<int>(Integer(config, "shards_per_stream"));
  options.lost_position = Text(config, "lost_position") == "copy_again" ? LostPosition::kCopyAgain
                                                                        : LostPosition::kFail;
  options.truncate = Text(config, "truncate") == "ignore" ? Truncate::kIgnore : Truncate::kFail;
  options.retry_budget = absl::Seconds(Integer(config, "retry_budget_seconds"));
  options.stall_timeout = absl::Seconds(Integer(config, "stall_timeout_seconds"));
  options.types = {.tinyint1_as_boolean = Flag(config, "tinyint1_as_boolean"),
                   .bit1_as_boolean = Flag(config, "bit1_as_boolean"),
                   .zero_dates = Text(config, "zero_dates") == "text" ? mysql::ZeroDates::kText
                                                                      : mysql::ZeroDates::kNull,
                   .geometry = Text(config, "geometry_format") == "wkb_hex"
                                   ? mysql::GeometryFormat::kWkbHex
                                   : mysql::GeometryFormat::kGeoJson,
                   .times = Text(config, "time_format") == "text" ? mysql::TimeFormat::kText
                                                                  : mysql::TimeFormat::kTimeOfDay};
  status = CheckDeployment(deployment, options.channel);
  if (status.ok()) status = CheckClientCertificate(options.channel);
  if (!status.ok()) return status;
  return options;
}

}  // namespace source_vitess::config
