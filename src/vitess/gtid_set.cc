#include "vitess/gtid_set.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "text/absl_view.h"

namespace source_vitess::vitess {
namespace {

using Interval = GtidSet::Interval;
using Server = GtidSet::Server;
using text::AbslView;

constexpr std::string_view kFlavor = "MySQL56/";
constexpr size_t kUuidLength = 36;
// The largest number that MySQL gives to a transaction. One less than the largest int64_t, so that
// the number behind an interval's end can always be computed.
constexpr int64_t kLargestNumber = std::numeric_limits<int64_t>::max() - 1;

// An error shows this much of the text, which can be many kilobytes long.
constexpr size_t kQuoted = 60;

std::string Quote(std::string_view text) {
  return absl::StrCat("\"", absl::CHexEscape(AbslView(text.substr(0, kQuoted))),
                      text.size() > kQuoted ? "..." : "", "\"");
}

bool BeginsBefore(const Interval& a, const Interval& b) { return a.begin < b.begin; }

// Appends an interval that begins no earlier than the last one.
void Append(std::vector<Interval>& intervals, Interval interval) {
  if (!intervals.empty() && interval.begin <= intervals.back().end + 1) {
    intervals.back().end = std::max(intervals.back().end, interval.end);
  } else {
    intervals.push_back(interval);
  }
}

void Normalize(std::vector<Interval>& intervals) {
  std::sort(intervals.begin(), intervals.end(), BeginsBefore);
  std::vector<Interval> merged;
  merged.reserve(intervals.size());
  for (const Interval& interval : intervals) Append(merged, interval);
  intervals = std::move(merged);
}

// Puts servers into order, those that came more than once together, and drops those without
// transactions.
void Normalize(std::vector<Server>& servers) {
  std::sort(servers.begin(), servers.end(),
            [](const Server& a, const Server& b) { return a.uuid < b.uuid; });
  std::vector<Server> merged;
  merged.reserve(servers.size());
  for (Server& server : servers) {
    if (server.intervals.empty()) continue;
    if (merged.empty() || merged.back().uuid != server.uuid) {
      merged.push_back(std::move(server));
      continue;
    }
    std::vector<Interval>& intervals = merged.back().intervals;
    intervals.insert(intervals.end(), server.intervals.begin(), server.intervals.end());
    Normalize(intervals);
  }
  servers = std::move(merged);
}

// Reads the text once, from left to right.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), rest_(text) {}

  absl::StatusOr<std::vector<Server>> Parse() {
    std::vector<Server> servers;
    bool ordered = true;
    for (SkipSpace(); !rest_.empty(); SkipSpace()) {
      if (Take(',')) continue;
      Server server;
      if (absl::Status status = ParseServer(server); !status.ok()) return status;
      ordered = ordered && !server.intervals.empty() &&
                (servers.empty() || servers.back().uuid < server.uuid);
      servers.push_back(std::move(server));
    }
    if (!ordered) Normalize(servers);
    return servers;
  }

 private:
  absl::Status ParseServer(Server& server) {
    if (absl::Status status = ParseUuid(server.uuid); !status.ok()) return status;
    bool ordered = true;
    SkipSpace();
    if (!Take(':')) return Error("a colon and an interval are expected behind a server's UUID");
    do {
      SkipSpace();
      Interval interval;
      if (absl::Status status = ParseInterval(interval); !status.ok()) return status;
      if (interval.begin <= interval.end) {
        ordered = ordered &&
                  (server.intervals.empty() || server.intervals.back().begin <= interval.begin);
        if (ordered) {
          Append(server.intervals, interval);
        } else {
          server.intervals.push_back(interval);
        }
      }
      SkipSpace();
    } while (Take(':'));
    if (!rest_.empty() && rest_.front() != ',') {
      return Error("a colon or a comma is expected behind an interval");
    }
    if (!ordered) Normalize(server.intervals);
    return absl::OkStatus();
  }

  absl::Status ParseUuid(std::string& uuid) {
    constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    static_assert(kShape.size() == kUuidLength);
    const std::string_view found = rest_.substr(0, kUuidLength);
    const bool matches = std::equal(
        found.begin(), found.end(), kShape.begin(), kShape.end(),
        [](char c, char shape) { return shape == '-' ? c == '-' : absl::ascii_isxdigit(c); });
    if (!matches) return Error("a server's UUID is expected");
    uuid.resize(kUuidLength);
    std::transform(found.begin(), found.end(), uuid.begin(),
                   [](char c) { return absl::ascii_tolower(c); });
    rest_.remove_prefix(kUuidLength);
    return absl::OkStatus();
  }

  absl::Status ParseInterval(Interval& interval) {
    if (!rest_.empty() && (absl::ascii_isalpha(rest_.front()) || rest_.front() == '_')) {
      return Error("tagged GTIDs are not tracked by Vitess, and are not supported");
    }
    if (absl::Status status = ParseNumber(interval.begin); !status.ok()) return status;
    if (interval.begin < 1) return Error("an interval begins at 1 or later");
    SkipSpace();
    if (!Take('-')) {
      interval.end = interval.begin;
      return absl::OkStatus();
    }
    SkipSpace();
    return ParseNumber(interval.end);
  }

  absl::Status ParseNumber(int64_t& number) {
    if (rest_.empty() || !absl::ascii_isdigit(rest_.front())) {
      return Error("a transaction's number is expected");
    }
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (error != std::errc() || number > kLargestNumber) {
      return Error("a transaction's number is too large");
    }
    rest_.remove_prefix(end - rest_.data());
    return absl::OkStatus();
  }

  void SkipSpace() {
    while (!rest_.empty() && absl::ascii_isspace(rest_.front())) rest_.remove_prefix(1);
  }

  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  absl::Status Error(std::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat(
        "not a MySQL GTID set: ", AbslView(what), ", byte ", text_.size() - rest_.size(), " is ",
        rest_.empty() ? std::string("the end") : Quote(rest_)));
  }

  const std::string_view text_;
  std::string_view rest_;
};

// Calls `both(const Server&, const Server&)` for the servers of both sets, and `left` and `right`
// for those of one alone, in the order of their UUIDs.
template <typename Left, typename Right, typename Both>
void Merge(const std::vector<Server>& a, const std::vector<Server>& b, Left&& left, Right&& right,
           Both&& both) {
  auto i = a.begin();
  auto j = b.begin();
  while (i != a.end() || j != b.end()) {
    const int order = i == a.end() ? 1 : j == b.end() ? -1 : i->uuid.compare(j->uuid);
    if (order < 0) {
      left(*i++);
    } else if (order > 0) {
      right(*j++);
    } else {
      both(*i++, *j++);
    }
  }
}

// Calls `overlap(Interval)` for what both have, in ascending order.
template <typename Overlap>
void Intersect(const std::vector<Interval>& a, const std::vector<Interval>& b, Overlap&& overlap) {
  auto i = a.begin();
  auto j = b.begin();
  while (i != a.end() && j != b.end()) {
    const Interval common{std::max(i->begin, j->begin), std::min(i->end, j->end)};
    if (common.begin <= common.end) overlap(common);
    if (i->end < j->end) {
      ++i;
    } else {
      ++j;
    }
  }
}

// Calls `piece(Interval)` for what is in `a` and not in `b`, in ascending order.
template <typename Piece>
void Subtract(const std::vector<Interval>& a, const std::vector<Interval>& b, Piece&& piece) {
  auto j = b.begin();
  for (const Interval& interval : a) {
    int64_t begin = interval.begin;
    while (j != b.end() && j->end < begin) ++j;
    // An interval of `b` can reach into the next one of `a`, so `j` stays on the last that
    // overlaps.
    for (auto k = j; k != b.end() && k->begin <= interval.end; ++k) {
      if (begin < k->begin) piece(Interval{begin, k->begin - 1});
      begin = k->end + 1;
      j = k;
    }
    if (begin <= interval.end) piece(Interval{begin, interval.end});
  }
}

bool ContainsAll(const std::vector<Interval>& outer, const std::vector<Interval>& inner) {
  auto i = outer.begin();
  for (const Interval& interval : inner) {
    while (i != outer.end() && i->end < interval.end) ++i;
    if (i == outer.end() || i->begin > interval.begin) return false;
  }
  return true;
}

void AppendNumber(std::string& text, int64_t number) {
  char digits[20];
  const auto result = std::to_chars(std::begin(digits), std::end(digits), number);
  text.append(digits, result.ptr);
}

void AppendSet(std::string& text, const std::vector<Server>& servers) {
  bool first = true;
  for (const Server& server : servers) {
    if (!first) text.push_back(',');
    first = false;
    text.append(server.uuid);
    for (const Interval& interval : server.intervals) {
      text.push_back(':');
      AppendNumber(text, interval.begin);
      if (interval.end == interval.begin) continue;
      text.push_back('-');
      AppendNumber(text, interval.end);
    }
  }
}

const auto kPassOver = [](const Server&) {};

}  // namespace

absl::StatusOr<GtidSet> GtidSet::Parse(std::string_view text) {
  auto servers = Parser(text).Parse();
  if (!servers.ok()) return servers.status();
  GtidSet set;
  set.servers_ = *std::move(servers);
  return set;
}

absl::StatusOr<GtidSet> GtidSet::ParsePosition(std::string_view position) {
  if (position.substr(0, kFlavor.size()) == kFlavor) return Parse(position.substr(kFlavor.size()));
  const size_t slash = position.find('/');
  if (slash == std::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat("the position ", Quote(position),
                                                   " does not begin with its flavor, such as ",
                                                   AbslView(kFlavor)));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "positions of the flavor ", Quote(position.substr(0, slash)),
      " are not supported; MySQL's GTIDs are needed (positions of the flavor \"MySQL56\")"));
}

bool GtidSet::Contains(const GtidSet& other) const {
  auto mine = servers_.begin();
  for (const Server& theirs : other.servers_) {
    while (mine != servers_.end() && mine->uuid < theirs.uuid) ++mine;
    if (mine == servers_.end() || mine->uuid != theirs.uuid) return false;
    if (!ContainsAll(mine->intervals, theirs.intervals)) return false;
  }
  return true;
}

bool GtidSet::HasServer(std::string_view uuid) const {
  const auto found = std::lower_bound(
      servers_.begin(), servers_.end(), uuid,
      [](const Server& server, std::string_view wanted) { return server.uuid < wanted; });
  return found != servers_.end() && found->uuid == uuid;
}

int64_t GtidSet::CountNotIn(const GtidSet& other) const {
  int64_t count = 0;
  const auto add = [&count](const Interval& interval) {
    const int64_t length = interval.end - interval.begin + 1;
    if (__builtin_add_overflow(count, length, &count)) count = std::numeric_limits<int64_t>::max();
  };
  Merge(
      servers_, other.servers_,
      [&](const Server& mine) {
        for (const Interval& interval : mine.intervals) add(interval);
      },
      kPassOver,
      [&](const Server& mine, const Server& theirs) {
        Subtract(mine.intervals, theirs.intervals, add);
      });
  return count;
}

GtidSet GtidSet::Union(const GtidSet& other) const {
  GtidSet result;
  const auto copy = [&](const Server& server) { result.servers_.push_back(server); };
  Merge(servers_, other.servers_, copy, copy, [&](const Server& mine, const Server& theirs) {
    Server& server = result.servers_.emplace_back();
    server.uuid = mine.uuid;
    std::vector<Interval> both;
    both.reserve(mine.intervals.size() + theirs.intervals.size());
    std::merge(mine.intervals.begin(), mine.intervals.end(), theirs.intervals.begin(),
               theirs.intervals.end(), std::back_inserter(both), BeginsBefore);
    for (const Interval& interval : both) Append(server.intervals, interval);
  });
  return result;
}

GtidSet GtidSet::Intersection(const GtidSet& other) const {
  GtidSet result;
  Merge(servers_, other.servers_, kPassOver, kPassOver,
        [&](const Server& mine, const Server& theirs) {
          Server server{mine.uuid, {}};
          Intersect(mine.intervals, theirs.intervals,
                    [&](const Interval& common) { server.intervals.push_back(common); });
          if (!server.intervals.empty()) result.servers_.push_back(std::move(server));
        });
  return result;
}

GtidSet GtidSet::Difference(const GtidSet& other) const {
  GtidSet result;
  Merge(
      servers_, other.servers_, [&](const Server& mine) { result.servers_.push_back(mine); },
      kPassOver,
      [&](const Server& mine, const Server& theirs) {
        Server server{mine.uuid, {}};
        Subtract(mine.intervals, theirs.intervals,
                 [&](const Interval& piece) { server.intervals.push_back(piece); });
        if (!server.intervals.empty()) result.servers_.push_back(std::move(server));
      });
  return result;
}

std::string GtidSet::ToString() const {
  std::string text;
  AppendSet(text, servers_);
  return text;
}

std::string GtidSet::ToPosition() const {
  std::string text(kFlavor);
  AppendSet(text, servers_);
  return text;
}

}  // namespace source_vitess::vitess
