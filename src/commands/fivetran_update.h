#ifndef SOURCE_VITESS_COMMANDS_FIVETRAN_UPDATE_H_
#define SOURCE_VITESS_COMMANDS_FIVETRAN_UPDATE_H_

#include "absl/status/status.h"
#include "commands/environment.h"
#include "fivetran/connector_sdk.pb.h"
#include "fivetran/server.h"
#include "telemetry/progress.h"

namespace source_vitess::commands {

// Reads the tables that the request selects, from where its state says that they stand, to where
// the source stands now, and sends what there is to `out`.
//
// A table that cannot be read does not hold up the others: a Warning says why, and its position
// stays. What the user has to mend is a Task in the end, behind the last checkpoint, and the status
// is OK; what may be better by itself is a failed status, for the host to call again. A table whose
// position is lost, or that was emptied, is read again from nothing in the same Update.
//
// `environment.stop` ends it at once. `progress` is told how far the tables are.
absl::Status RunUpdate(const Environment& environment,
                       const fivetran_sdk::v2::UpdateRequest& request,
                       fivetran::ResponseStream& out, telemetry::Progress& progress);

}  // namespace source_vitess::commands

#endif  // SOURCE_VITESS_COMMANDS_FIVETRAN_UPDATE_H_
