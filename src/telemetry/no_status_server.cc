// In the place of status_server.cc, for a program that is linked without its libraries.
#include "telemetry/status_server.h"

namespace source_vitess::telemetry {

absl::StatusOr<std::unique_ptr<StatusServer>> StartStatusServer(const std::string&, int,
                                                                StatusSource) {
  return absl::UnimplementedError("this program was built without the status page");
}

}  // namespace source_vitess::telemetry
