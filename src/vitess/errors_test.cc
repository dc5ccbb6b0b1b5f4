#include "vitess/errors.h"

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/cord.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace source_vitess::vitess {
namespace {

using absl::StatusCode;
using ::testing::EndsWith;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::Values;
using ::testing::ValuesIn;
using enum ErrorClass;

struct Failure {
  const char* name;
  StatusCode code;
  const char* message;
  ErrorClass error_class;
};

std::string TestName(const ::testing::TestParamInfo<Failure>& info) { return info.param.name; }
void PrintTo(const Failure& failure, std::ostream* out) { *out << failure.message; }

// Every situation of reference 8.3 and 8.2, and of docs/design.md, "Failures".
constexpr Failure kFailures[] = {
    {"NoPosition", StatusCode::kInvalidArgument,
     "failed to resolve vstream parameters: vgtid must have at least one value with a starting "
     "position in ShardGtids",
     kInternal},
    {"EmptyKeyspace", StatusCode::kInvalidArgument,
     "for an empty keyspace, the Gtid value must be 'current'", kInternal},
    {"PositionWithoutShard", StatusCode::kInvalidArgument,
     "if shards are unspecified, the Gtid value must be 'current' or empty", kInternal},
    {"LastPkWithoutFields", StatusCode::kUnknown, "lastpk for table t has no fields defined",
     kInternal},
    {"UnknownKeyspaceWithoutShard", StatusCode::kUnknown,
     "failed to get shards in keyspace nope: keyspace nope fetch error: node doesn't exist: "
     "/vitess/zone1/keyspaces/nope/SrvKeyspace",
     kConfiguration},
    {"UnknownKeyspaceWithShard", StatusCode::kUnknown,
     "failed to determine if keyspace nope has been resharded: FindAllShardsInKeyspace(nope): "
     "List: node doesn't exist: keyspaces/nope/shards",
     kConfiguration},
    {"TopologyServerDown", StatusCode::kUnknown,
     "failed to determine if keyspace shop has been resharded: FindAllShardsInKeyspace(shop): "
     "List: context deadline exceeded",
     kTransient},
    {"NoPartition", StatusCode::kInvalidArgument,
     "No partition found for tabletType replica in keyspace shop", kConfiguration},
    {"ShardGone", StatusCode::kFailedPrecondition,
     "shard provided in VGTID, 0, not found in the shop keyspace", kLostPosition},
    {"NoHealthyTablet", StatusCode::kCancelled,
     "failed to find a REPLICA tablet for VStream in shop/-80 within the zone1 cell(s): context "
     "has expired",
     kTransient},
    {"TabletUnknownToVtgate", StatusCode::kNotFound,
     "tablet: cell:\"zone1\" uid:101 is either down or nonexistent", kTransient},
    {"PositionAheadOfReplicas", StatusCode::kInvalidArgument,
     "GTIDSet Mismatch: requested source position:MySQL56/a, current target vrep position: "
     "MySQL56/b",
     kTransient},
    {"PurgedOnAllReplicas", StatusCode::kUnknown,
     "persistent error in vstream for shop/0 on tablet zone1-101; giving up: Cannot replicate "
     "because the source purged required binary logs (errno 1236) (sqlstate HY000)",
     kLostPosition},
    {"PurgedGtids", StatusCode::kUnknown,
     "The replica requires GTIDs that were purged (errno 1789) (sqlstate HY000)", kLostPosition},
    {"TransactionTooLargeForTheDump", StatusCode::kUnknown,
     "log event entry exceeded max_allowed_packet; Increase max_allowed_packet on source (errno "
     "1236) (sqlstate HY000)",
     kConfiguration},
    {"TableMissing", StatusCode::kUnknown, "table xyz is not present in the database",
     kConfiguration},
    {"NothingToCopy", StatusCode::kUnknown, "stream needs a position or a table to copy",
     kInternal},
    {"TableUnknownNow", StatusCode::kUnknown, "unknown table orders in schema", kLostPosition},
    {"FewerColumnsNow", StatusCode::kUnknown,
     "cannot determine table columns for orders: event has [8 15], schema has [name:\"id\"]",
     kLostPosition},
    {"EnumWithoutItsValues", StatusCode::kUnknown,
     "enum or set column @3 does not have valid string values: 1", kLostPosition},
    {"LabelOfAnEnumGone", StatusCode::kUnknown,
     "failed to perform ENUM column integer to string value mapping: no string value found for "
     "ENUM column e in table t -- with available values being: map[1:a] -- using the found integer "
     "value: 2",
     kLostPosition},
    {"LabelOfASetGone", StatusCode::kUnknown,
     "failed to perform SET column integer to string value mapping: no valid integer value found "
     "for SET column s in table t -- with available values being: map[1:a] -- using the found "
     "integer value: 2",
     kLostPosition},
    {"UnnamedColumnsInAFilter", StatusCode::kFailedPrecondition,
     "cannot use column names in vstream filter as the current table schema differs",
     kLostPosition},
    {"StatementInTheBinaryLog", StatusCode::kUnknown,
     "unexpected statement type INSERT in row-based replication: insert into t", kLostPosition},
    {"BadFilterOfAReplication", StatusCode::kUnknown, "syntax error at position 8 near 'selec'",
     kInternal},
    {"BadFilterOfACopy", StatusCode::kInvalidArgument, "syntax error at position 8 near 'selec'",
     kInternal},
    {"MinimalRowImage", StatusCode::kInternal,
     "minimal binlog_row_image is not supported by Vitess VReplication", kConfiguration},
    {"PartialRowImage", StatusCode::kUnknown,
     "partial row image encountered: ensure binlog_row_image is set to 'full'", kConfiguration},
    {"PositionWithoutFlavor", StatusCode::kInternal,
     "could not decode position: parse error: unknown GTIDSet flavor \"\"", kLostPosition},
    {"TaggedPosition", StatusCode::kUnknown, "invalid MySQL 5.6 GTID set (\"a:tag:1\")",
     kLostPosition},
    {"TabletsMessageTooLarge", StatusCode::kUnknown,
     "error sending event: rpc error: code = ResourceExhausted desc = trying to send message "
     "larger than max (20000000 vs. 16777216)",
     kConfiguration},
    {"VtgatesMessageTooLarge", StatusCode::kUnknown,
     "error sending events: trying to send message larger than max (20000000 vs. 16777216)",
     kConfiguration},
    {"MessageLargerThanOurLimit", StatusCode::kResourceExhausted,
     "Received message larger than max (20000000 vs. 16777216)", kConfiguration},
    {"TooManyRowsForOneQuery", StatusCode::kAborted,
     "Row count exceeded 10000 (errno 10001) (sqlstate HY000)", kConfiguration},
    {"TooManyRowsForVtgate", StatusCode::kResourceExhausted,
     "in-memory row count exceeded allowed limit of 300000", kConfiguration},
    {"PoolOfConnectionsExhausted", StatusCode::kResourceExhausted, "query pool wait count exceeded",
     kTransient},
    {"Hung", StatusCode::kUnavailable,
     "vstream is fully throttled or otherwise hung: vstream failed liveness checks", kTransient},
    {"TooOld", StatusCode::kUnavailable, "vstream exceeded maximum age of 1m0s (jitter: 2s)",
     kTransient},
    {"Skew", StatusCode::kCancelled, "timed out while waiting for skew to reduce", kTransient},
    {"PartOfAReshard", StatusCode::kInternal,
     "not all journaling participants are in the stream: journal: [], stream: []", kLostPosition},
    {"NoCredentials", StatusCode::kUnauthenticated, "username and password must be provided",
     kConfiguration},
    {"WrongCredentials", StatusCode::kPermissionDenied,
     "auth failure: caller \"u\" provided invalid credentials", kConfiguration},
    {"NoClientCertificate", StatusCode::kUnauthenticated, "not connected via TLS", kConfiguration},
    {"OtherClientCertificate", StatusCode::kUnauthenticated, "client certificate not authorized",
     kConfiguration},
    {"Deadline", StatusCode::kDeadlineExceeded, "context ended while sending events", kTransient},
    {"Shutdown", StatusCode::kUnavailable, "Socket closed", kTransient},
    {"BrokenByAProxy", StatusCode::kInternal, "Received RST_STREAM with error code 2", kTransient},
    {"TabletRestarting", StatusCode::kFailedPrecondition,
     "operation not allowed in state NOT_SERVING", kTransient},
    {"LockTimeout", StatusCode::kUnknown,
     "Lock wait timeout exceeded (errno 1205) (sqlstate HY000)", kTransient},
    {"TextCutBeforeItsErrno", StatusCode::kUnknown,
     "stream (at source tablet) error @ 83c0af68 [...] [remainder of the error is truncated "
     "because gRPC has a size limit on errors.]",
     kTransient},
    {"VitessCodeBeyondGrpc", StatusCode::kUnknown, "current keyspace is being resharded",
     kTransient},
    {"Demotion", StatusCode::kAborted, "vttablet: rpc error: code = Aborted", kTransient},
    {"NotAVtgate", StatusCode::kUnimplemented, "unknown service vtgateservice.Vitess",
     kConfiguration},
    {"UnsupportedQuery", StatusCode::kUnimplemented, "VT12001: unsupported: subquery", kInternal},
    {"UnknownDatabase", StatusCode::kNotFound, "VT05003: unknown database 'nope' in vschema",
     kConfiguration},
    {"UnknownTableOfAQuery", StatusCode::kNotFound, "VT05004: table 'nope' does not exist",
     kConfiguration},
    {"UnknownTableOfAKeyspace", StatusCode::kNotFound,
     "VT05005: table 'nope' does not exist in keyspace 'shop'", kConfiguration},
    {"TableOfAQueryGone", StatusCode::kUnknown, "table nope not found", kConfiguration},
    {"QueryOnAShardWithoutTablet", StatusCode::kUnavailable,
     "target: customer.-40.primary: no healthy tablet available for 'keyspace:\"customer\" "
     "shard:\"-40\" tablet_type:PRIMARY'",
     kTransient},
    {"NothingListens", StatusCode::kUnavailable,
     "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Failed to connect "
     "to remote host: Connection refused",
     kTransient},
    {"UntrustedCertificate", StatusCode::kUnavailable,
     "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Ssl handshake "
     "failed: SSL_ERROR_SSL: error:0A000086:SSL routines::certificate verify failed",
     kConfiguration},
    {"CertificateForAnotherName", StatusCode::kUnavailable,
     "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Peer name shop is "
     "not in peer certificate",
     kConfiguration},
    {"UnreadableCertificate", StatusCode::kUnavailable, "empty address list: ", kConfiguration},
    {"TlsToPlaintext", StatusCode::kUnavailable,
     "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Ssl handshake "
     "failed: SSL_ERROR_SSL: error:0A00010B:SSL routines::wrong version number",
     kConfiguration},
    {"OtherInvalidArgument", StatusCode::kInvalidArgument, "unexpected", kConfiguration},
    {"OtherInternal", StatusCode::kInternal, "unexpected", kInternal},
    {"DataLoss", StatusCode::kDataLoss, "unexpected", kInternal},
    {"OutOfRange", StatusCode::kOutOfRange, "unexpected", kInternal},
    {"AlreadyExists", StatusCode::kAlreadyExists, "unexpected", kInternal},
};

class ClassifyTest : public ::testing::TestWithParam<Failure> {};

TEST_P(ClassifyTest, TellsTheClass) {
  const Failure& failure = GetParam();

  EXPECT_EQ(Classify(absl::Status(failure.code, failure.message)), failure.error_class);
}

// Whoever reads what a server says of its configuration has nothing else to go by. Of the size of
// messages ExplainMessageSize says more.
TEST_P(ClassifyTest, SaysWhatToDoNextAndNotWhereThePositionIsLost) {
  const Failure& failure = GetParam();
  const std::string message = MessageWithNextStep(absl::Status(failure.code, failure.message));

  const bool is_said_elsewhere =
      failure.error_class == kLostPosition || message.find("larger than max") != std::string::npos;
  EXPECT_EQ(message == failure.message, is_said_elsewhere) << message;
}

INSTANTIATE_TEST_SUITE_P(Reference, ClassifyTest, ValuesIn(kFailures), TestName);

struct RecordedFailure {
  const char* recording;
  StatusCode code;
  ErrorClass error_class;
};

void PrintTo(const RecordedFailure& failure, std::ostream* out) { *out << failure.recording; }

// How the recorded stream ended: the code's name, then the text, which may have several lines.
std::string RecordedEnd(const std::string& recording) {
  std::ifstream file(SOURCE_VITESS_ROOT "/integration_tests/recordings/data/" + recording + ".txt");
  std::stringstream text;
  text << file.rdbuf();
  const std::string all = text.str();
  const std::string mark = "=== end: ";
  const size_t at = all.find(mark);
  return at == std::string::npos ? std::string() : all.substr(at + mark.size());
}

class ClassifyRecordingTest : public ::testing::TestWithParam<RecordedFailure> {};

TEST_P(ClassifyRecordingTest, TellsTheClassOfTheTextThatCame) {
  const RecordedFailure& failure = GetParam();
  const std::string end = RecordedEnd(failure.recording);
  const size_t space = end.find(' ');

  ASSERT_NE(space, std::string::npos);
  EXPECT_EQ(end.substr(0, space), absl::StatusCodeToString(failure.code));
  EXPECT_EQ(Classify(absl::Status(failure.code, end.substr(space + 1))), failure.error_class);
}

INSTANTIATE_TEST_SUITE_P(
    Recordings, ClassifyRecordingTest,
    Values(RecordedFailure{"error-bad-gtid", StatusCode::kInternal, kLostPosition},
           RecordedFailure{"error-empty-filter-on-table-name", StatusCode::kUnknown, kInternal},
           RecordedFailure{"error-minimal-row-image", StatusCode::kInternal, kConfiguration},
           RecordedFailure{"error-schema-changed-behind", StatusCode::kUnknown, kLostPosition},
           RecordedFailure{"error-shard-gone", StatusCode::kFailedPrecondition, kLostPosition},
           RecordedFailure{"error-unknown-keyspace", StatusCode::kUnknown, kConfiguration},
           RecordedFailure{"error-unknown-shard", StatusCode::kFailedPrecondition, kLostPosition},
           RecordedFailure{"error-unknown-table-copy", StatusCode::kUnknown, kConfiguration},
           RecordedFailure{"reshard-merge-one-participant", StatusCode::kInternal, kLostPosition},
           RecordedFailure{"reshard-merge-one-participant-journal", StatusCode::kInternal,
                           kLostPosition}));

TEST(ErrorsTest, ClassThatWasAttachedWinsOverCodeAndText) {
  const absl::Status status =
      WithClass(absl::UnavailableError("no healthy tablet available"), kConfiguration);

  EXPECT_EQ(Classify(status), kConfiguration);
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(Classify(WithClass(status, kHost)), kHost);
}

TEST(ErrorsTest, EveryClassCanBeAttached) {
  for (const ErrorClass error_class :
       {kConfiguration, kTransient, kLostPosition, kHost, kInternal}) {
    EXPECT_EQ(Classify(WithClass(absl::UnknownError("x"), error_class)), error_class)
        << ErrorClassName(error_class);
  }
}

TEST(ErrorsTest, SuccessStaysSuccess) {
  EXPECT_TRUE(WithClass(absl::OkStatus(), kInternal).ok());
  EXPECT_TRUE(Annotate(absl::OkStatus(), "reading").ok());
}

TEST(ErrorsTest, AnnotationKeepsCodeClassAndOtherPayloads) {
  absl::Status status = LostPositionError("purged");
  status.SetPayload("other", absl::Cord("kept"));

  const absl::Status annotated = Annotate(status, "shop.orders");

  EXPECT_EQ(annotated.message(), "shop.orders: purged");
  EXPECT_EQ(annotated.code(), status.code());
  EXPECT_EQ(Classify(annotated), kLostPosition);
  EXPECT_EQ(annotated.GetPayload("other"), absl::Cord("kept"));
}

TEST(ErrorsTest, AnnotationDoesNotChangeTheClassThatTheTextTells) {
  EXPECT_EQ(Classify(Annotate(absl::UnknownError("cannot determine table columns"), "orders")),
            kLostPosition);
}

TEST(ErrorsTest, MadeErrorsHaveTheirClass) {
  EXPECT_EQ(Classify(ConfigurationError("x")), kConfiguration);
  EXPECT_EQ(Classify(TransientError("x")), kTransient);
  EXPECT_EQ(Classify(LostPositionError("x")), kLostPosition);
  EXPECT_EQ(Classify(HostError("x")), kHost);
  EXPECT_EQ(HostError("stdout was closed").message(), "stdout was closed");
}

TEST(ErrorsTest, NamesAreStable) {
  EXPECT_EQ(ErrorClassName(kConfiguration), "configuration");
  EXPECT_EQ(ErrorClassName(kTransient), "transient");
  EXPECT_EQ(ErrorClassName(kLostPosition), "lost position");
  EXPECT_EQ(ErrorClassName(kHost), "host");
  EXPECT_EQ(ErrorClassName(kInternal), "internal");
}

TEST(ErrorsTest, WhatNamesNoRemedyEndsWithWhatToDoNext) {
  EXPECT_THAT(MessageWithNextStep(absl::UnavailableError("the connection broke")),
              StartsWith("the connection broke. It is safe to try again."));
  EXPECT_THAT(MessageWithNextStep(absl::InternalError("no plan.")),
              StartsWith("no plan. This should not happen: please report it"));
  EXPECT_EQ(MessageWithNextStep(absl::UnauthenticatedError("commerce: who is it?")),
            "commerce: who is it?. Check the option authentication.");
}

TEST(ErrorsTest, WhatNamesItsRemedyIsLeftAsItIs) {
  EXPECT_EQ(MessageWithNextStep(ConfigurationError("the option host is empty")),
            "the option host is empty");
  EXPECT_EQ(MessageWithNextStep(LostPositionError("purged; sync more often")),
            "purged; sync more often");
  EXPECT_EQ(MessageWithNextStep(HostError("stdout was closed")), "stdout was closed");
}

TEST(ErrorsTest, RowsAreCutFromMessages) {
  const std::string safe = WithoutRowData(
      "vttablet: error sending event: type:ROW row_event:{values:\"secret (errno 1236)\"}: rpc "
      "error: code = ResourceExhausted desc = trying to send message larger than max (20 vs. 16)");

  EXPECT_THAT(safe, StartsWith("vttablet: error sending event: trying to send"));
  EXPECT_THAT(safe, EndsWith("larger than max (20 vs. 16)"));
  EXPECT_THAT(safe, Not(HasSubstr("secret")));
  EXPECT_THAT(WithoutRowData("error sending event: type:ROW values:\"secret\""),
              Eq("error sending event"));
}

TEST(ErrorsTest, MessagesWithoutRowsStayWhole) {
  EXPECT_EQ(WithoutRowData("table nope not found"), "table nope not found");
  EXPECT_EQ(WithoutRowData(""), "");
}

}  // namespace
}  // namespace source_vitess::vitess
