// Any text is a GTID set or an error, and what is parsed is a set: two inputs at a bar, to
// try the operations.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/invariant.h"
#include "vitess/gtid_set.h"

namespace source_vitess::fuzz {
namespace {

using vitess::GtidSet;

void CheckForm(const GtidSet& set) {
  for (size_t i = 0; i < set.servers().size(); ++i) {
    const GtidSet::Server& server = set.servers()[i];
    Invariant(server.uuid.size() == 36 && !server.intervals.empty() &&
                  (i == 0 || set.servers()[i - 1].uuid < server.uuid),
              "servers are ordered and have intervals", set.ToString());
    for (size_t k = 0; k < server.intervals.size(); ++k) {
      const GtidSet::Interval& interval = server.intervals[k];
      Invariant(1 <= interval.begin && interval.begin <= interval.end &&
                    (k == 0 || server.intervals[k - 1].end + 1 < interval.begin),
                "intervals are ascending, disjoint and not adjacent", set.ToString());
    }
  }
  const auto again = GtidSet::Parse(set.ToString());
  Invariant(again.ok() && *again == set, "what is printed is parsed to the same", set.ToString());
  const auto position = GtidSet::ParsePosition(set.ToPosition());
  Invariant(position.ok() && *position == set, "so is a position", set.ToPosition());
}

void CheckOperations(const GtidSet& a, const GtidSet& b) {
  const std::string shown = a.ToString() + "\n" + b.ToString();
  const GtidSet both = a.Union(b);
  const GtidSet common = a.Intersection(b);
  const GtidSet rest = a.Difference(b);
  for (const GtidSet& each : {both, common, rest}) CheckForm(each);
  Invariant(both == b.Union(a) && common == b.Intersection(a), "order does not matter", shown);
  Invariant(both.Contains(a) && both.Contains(b) && a.Contains(common) && b.Contains(common),
            "a union contains its sets, and they their intersection", shown);
  Invariant(a.Contains(b) == (both == a) && a.Contains(b) == (common == b),
            "a set contains what adds nothing to it", shown);
  Invariant(rest.Union(common) == a && rest.Intersection(b).empty(),
            "a difference is all but the intersection", shown);
  Invariant((a.CountNotIn(b) == 0) == b.Contains(a), "what is contained has nothing besides",
            shown);
}

}  // namespace
}  // namespace source_vitess::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using source_vitess::vitess::GtidSet;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t end = text.find('|');
  const auto first = GtidSet::Parse(text.substr(0, end));
  const auto second =
      end == std::string_view::npos ? GtidSet() : GtidSet::Parse(text.substr(end + 1));
  (void)GtidSet::ParsePosition(text);
  if (first.ok()) source_vitess::fuzz::CheckForm(*first);
  if (first.ok() && second.ok()) source_vitess::fuzz::CheckOperations(*first, *second);
  return 0;
}
