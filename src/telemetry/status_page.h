// The files of the status page, which stand in src/telemetry/page.
#ifndef SOURCE_VITESS_TELEMETRY_STATUS_PAGE_H_
#define SOURCE_VITESS_TELEMETRY_STATUS_PAGE_H_

#include <string_view>

namespace source_vitess::telemetry {

extern const std::string_view kPageHtml;
extern const std::string_view kPageCss;
extern const std::string_view kPageScript;

}  // namespace source_vitess::telemetry

#endif  // SOURCE_VITESS_TELEMETRY_STATUS_PAGE_H_
