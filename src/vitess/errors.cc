#include "vitess/errors.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "text/absl_view.h"

namespace source_vitess::vitess {
namespace {

using absl::StatusCode;
using text::AbslView;
using enum ErrorClass;

// The key under which a status carries the name of its class.
constexpr absl::string_view kClassPayload = "source-vitess/error-class";

constexpr std::array kClasses = {kConfiguration, kTransient, kLostPosition,
                                 kEmptied,       kHost,      kInternal};

struct Rule {
  std::optional<StatusCode> code;  // absent: any code
  std::string_view first;          // must be in the message
  std::string_view second;         // likewise, anywhere
  ErrorClass error_class;
  std::string_view remedy = "";  // a sentence; of configuration, which nothing else mends
};

constexpr std::string_view kFullImages =
    "Run the MySQL servers with binlog_row_image=FULL, and start the table anew.";
constexpr std::string_view kRefreshSchema =
    "Refresh the source's schema, and take tables that are gone out of the connection.";
constexpr std::string_view kCheckKeyspaces = "Check the option keyspaces.";
constexpr std::string_view kCheckEncryption =
    "Check the options of encryption, and the server's certificate.";

// The first rule that fits counts. Texts that say what happened stand before the codes, of which
// UNKNOWN, CANCELLED and INTERNAL say little by themselves.
constexpr Rule kRules[] = {
    // A position that cannot be followed any more. What replicas say of GTIDs ("GTIDSet Mismatch")
    // is but a suspicion, and so is a stream that finds no tablet: whether the position is lost,
    // the servers' own GTID sets tell (docs/design.md, position rule 6).
    {std::nullopt, "(errno 1236)", "max_allowed_packet", kConfiguration,
     "Raise max_allowed_packet of the MySQL servers: an event of their binary logs is larger."},
    {std::nullopt, "(errno 1236)", "", kLostPosition},
    {std::nullopt, "(errno 1789)", "", kLostPosition},
    {std::nullopt, "GTIDSet Mismatch", "", kTransient},
    {std::nullopt, "could not decode position", "", kLostPosition},
    {std::nullopt, "invalid MySQL 5.6 GTID set", "", kLostPosition},
    {std::nullopt, "shard provided in VGTID", "not found in the", kLostPosition},
    {std::nullopt, "not all journaling participants are in the stream", "", kLostPosition},
    // The schema changed behind the stream (vstreamer.go: buildTableColumns).
    {std::nullopt, "cannot determine table columns", "", kLostPosition},
    {std::nullopt, "unknown table ", " in schema", kLostPosition},
    {std::nullopt, "enum or set column", "does not have valid string values", kLostPosition},
    // A label that an ENUM or SET had is gone (vstreamer.go: buildEnumStringValue,
    // buildSetStringValue).
    {std::nullopt, "no string value found for ENUM column", "", kLostPosition},
    {std::nullopt, "no valid integer value found for SET column", "", kLostPosition},
    {std::nullopt, "cannot use column names in vstream filter", "", kLostPosition},
    {std::nullopt, "unexpected statement type", "", kLostPosition},

    // What the user or the server's operator has to change.
    {std::nullopt, "minimal binlog_row_image", "", kConfiguration, kFullImages},
    {std::nullopt, "partial row image encountered", "", kConfiguration, kFullImages},
    {std::nullopt, "node doesn't exist", "keyspace", kConfiguration, kCheckKeyspaces},
    {std::nullopt, "No partition found for tabletType", "", kConfiguration,
     "Check the options keyspaces and tablet_type."},
    {std::nullopt, "is not present in the database", "", kConfiguration, kRefreshSchema},
    // Unknown: a database in the VSchema, a table, and a table in a keyspace.
    {std::nullopt, "VT05003", "", kConfiguration, kCheckKeyspaces},
    {std::nullopt, "VT05004", "", kConfiguration, kRefreshSchema},
    {std::nullopt, "VT05005", "", kConfiguration, kRefreshSchema},
    {StatusCode::kUnknown, "table ", " not found", kConfiguration, kRefreshSchema},
    {StatusCode::kNotFound, "table ", " not found", kConfiguration, kRefreshSchema},
    {std::nullopt, "essage larger than max", "", kConfiguration},  // ExplainMessageSize says more
    {std::nullopt, "ow count exceeded", "", kConfiguration,
     "Raise --queryserver-config-max-result-size of the tablets, or --max_memory_rows of VTGate."},

    // Of failures to connect, those that time does not mend.
    {StatusCode::kUnavailable, "Ssl handshake failed", "certificate verify failed", kConfiguration,
     kCheckEncryption},
    {StatusCode::kUnavailable, "Ssl handshake failed", "wrong version number", kConfiguration,
     kCheckEncryption},
    {StatusCode::kUnavailable, "is not in peer certificate", "", kConfiguration, kCheckEncryption},
    // What gRPC says when it cannot read a certificate or a key.
    {StatusCode::kUnavailable, "empty address list", "", kConfiguration, kCheckEncryption},

    // Requests that we ought not to send.
    {std::nullopt, "vgtid must have at least one value", "", kInternal},
    {std::nullopt, "for an empty keyspace, the Gtid value must be", "", kInternal},
    {std::nullopt, "if shards are unspecified, the Gtid value must be", "", kInternal},
    {std::nullopt, "stream needs a position or a table to copy", "", kInternal},
    {std::nullopt, "lastpk for table", "has no fields defined", kInternal},
    {std::nullopt, "Query was empty", "", kInternal},
    {std::nullopt, "syntax error at position", "", kInternal},
    {std::nullopt, "VT12001", "", kInternal},  // unsupported query

    // A proxy or a dying server broke the connection in the middle of a message.
    {StatusCode::kInternal, "RST_STREAM", "", kTransient},

    {StatusCode::kUnauthenticated, "", "", kConfiguration, "Check the option authentication."},
    {StatusCode::kPermissionDenied, "", "", kConfiguration,
     "Check the option authentication, and what the user may read."},
    {StatusCode::kUnimplemented, "", "", kConfiguration,
     "Check the options host and port, and Vitess's version."},
    {StatusCode::kInvalidArgument, "", "", kConfiguration,
     "Check the options; \"source-vitess doctor\" goes through them."},
    {StatusCode::kUnavailable, "", "", kTransient},
    {StatusCode::kDeadlineExceeded, "", "", kTransient},
    {StatusCode::kCancelled, "", "", kTransient},
    {StatusCode::kNotFound, "", "", kTransient},
    {StatusCode::kAborted, "", "", kTransient},
    {StatusCode::kFailedPrecondition, "", "", kTransient},
    {StatusCode::kResourceExhausted, "", "", kTransient},
    // Most of what a tablet reports, Vitess's codes that gRPC does not know among it: the budget of
    // retries tells the lasting from the passing.
    {StatusCode::kUnknown, "", "", kTransient},
};

bool Has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool Fits(const Rule& rule, StatusCode code, std::string_view message) {
  return (!rule.code.has_value() || *rule.code == code) && Has(message, rule.first) &&
         Has(message, rule.second);
}

// The first that fits, or null.
const Rule* RuleFor(const absl::Status& status) {
  const std::string_view message = text::StdView(status.message());
  const auto rule = std::find_if(std::begin(kRules), std::end(kRules), [&](const Rule& candidate) {
    return Fits(candidate, status.code(), message);
  });
  return rule == std::end(kRules) ? nullptr : rule;
}

std::optional<ErrorClass> AttachedClass(const absl::Status& status) {
  const absl::optional<absl::Cord> name = status.GetPayload(kClassPayload);
  if (!name.has_value()) return std::nullopt;
  const auto found = std::find_if(kClasses.begin(), kClasses.end(), [&](ErrorClass error_class) {
    return *name == AbslView(ErrorClassName(error_class));
  });
  if (found == kClasses.end()) return std::nullopt;
  return *found;
}

// `next` is a sentence, or nothing.
std::string Followed(std::string_view message, std::string_view next) {
  if (next.empty()) return std::string(message);
  return absl::StrCat(AbslView(message), message.ends_with('.') ? " " : ". ", AbslView(next));
}

absl::Status MakeError(StatusCode code, std::string_view message, ErrorClass error_class) {
  return WithClass(absl::Status(code, AbslView(message)), error_class);
}

}  // namespace

std::string_view ErrorClassName(ErrorClass error_class) {
  switch (error_class) {
    case kConfiguration:
      return "configuration";
    case kTransient:
      return "transient";
    case kLostPosition:
      return "lost position";
    case kEmptied:
      return "emptied";
    case kHost:
      return "host";
    case kInternal:
      return "internal";
  }
  return "internal";
}

ErrorClass Classify(const absl::Status& status) {
  if (const auto attached = AttachedClass(status)) return *attached;
  const Rule* rule = RuleFor(status);
  return rule == nullptr ? kInternal : rule->error_class;
}

absl::Status WithClass(absl::Status status, ErrorClass error_class) {
  if (!status.ok()) {
    status.SetPayload(kClassPayload, absl::Cord(AbslView(ErrorClassName(error_class))));
  }
  return status;
}

absl::Status Annotate(absl::Status status, std::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), absl::StrCat(AbslView(context), ": ", status.message()));
  status.ForEachPayload([&](absl::string_view key, const absl::Cord& payload) {
    annotated.SetPayload(key, payload);
  });
  return annotated;
}

absl::Status ConfigurationError(std::string_view message) {
  return MakeError(StatusCode::kInvalidArgument, message, kConfiguration);
}

absl::Status TransientError(std::string_view message) {
  return MakeError(StatusCode::kUnavailable, message, kTransient);
}

absl::Status LostPositionError(std::string_view message) {
  return MakeError(StatusCode::kOutOfRange, message, kLostPosition);
}

absl::Status EmptiedError(std::string_view message) {
  return MakeError(StatusCode::kOutOfRange, message, kEmptied);
}

absl::Status HostError(std::string_view message) {
  return MakeError(StatusCode::kCancelled, message, kHost);
}

absl::Status WithRemedy(const absl::Status& status) {
  if (status.ok() || AttachedClass(status).has_value()) return status;
  const Rule* rule = RuleFor(status);
  if (rule == nullptr || rule->remedy.empty()) return status;
  return MakeError(status.code(), Followed(text::StdView(status.message()), rule->remedy),
                   rule->error_class);
}

std::string MessageWithNextStep(const absl::Status& status) {
  const std::string_view message = text::StdView(status.message());
  switch (Classify(status)) {
    case kTransient:
      return Followed(message,
                      "It is safe to try again. If it ends the same way, \"source-vitess doctor\" "
                      "looks for what stands in the way.");
    case kInternal:
      return Followed(message,
                      "This should not happen: please report it, with the log. What was "
                      "checkpointed stays valid.");
    case kConfiguration:
      return std::string(WithRemedy(status).message());
    case kLostPosition:
    case kEmptied:
    case kHost:
      break;
  }
  return std::string(message);
}

std::string WithoutRowData(std::string_view message) {
  constexpr std::string_view kBeforeDump = "error sending event";
  const size_t begin = message.find(kBeforeDump);
  if (begin == std::string_view::npos) return std::string(message);
  std::string safe(message.substr(0, begin + kBeforeDump.size()));
  const size_t reason = message.rfind("trying to send message larger than max");
  if (reason != std::string_view::npos && reason > begin) {
    absl::StrAppend(&safe, ": ",
                    AbslView(message.substr(reason, message.find(')', reason) + 1 - reason)));
  }
  return safe;
}

}  // namespace source_vitess::vitess
