// Debian 12 builds Abseil with a string_view of its own, which does not convert from and to the
// standard one.
#ifndef SOURCE_VITESS_TEXT_ABSL_VIEW_H_
#define SOURCE_VITESS_TEXT_ABSL_VIEW_H_

#include <string_view>

#include "absl/strings/string_view.h"

namespace source_vitess::text {

// The same view, for Abseil's functions.
inline absl::string_view AbslView(std::string_view view) { return {view.data(), view.size()}; }

// The same view, from Abseil's functions.
inline std::string_view StdView(absl::string_view view) { return {view.data(), view.size()}; }

}  // namespace source_vitess::text

#endif  // SOURCE_VITESS_TEXT_ABSL_VIEW_H_
