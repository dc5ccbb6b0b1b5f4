// The schema of a configuration: what spec/spec.json says under "connectionSpecification".
#ifndef SOURCE_VITESS_CONFIG_SPECIFICATION_H_
#define SOURCE_VITESS_CONFIG_SPECIFICATION_H_

#include <rapidjson/document.h>

#include <string>

#include "absl/status/status.h"

namespace source_vitess::config {

// Makes `config` whole and checks it, by a schema that keeps to the rules of Airbyte's forms
// (reference 2.7): explicit nulls are dropped, defaults are filled in, of a one-of the branch that
// its discriminator names is the schema, and the result is validated. On failure `config` is left
// as far as it came, and the status, of the class kConfiguration, names the option as
// "encryption.client_key" or "keyspaces[0]", what it wants and what it got; of an option that is
// marked as a secret, or has such options in it, only the type of what it got.
absl::Status Complete(const rapidjson::Value& schema, rapidjson::Document& config);

// The connection's schema. Lives as long as the program.
const rapidjson::Value& ConnectionSchema();

}  // namespace source_vitess::config

#endif  // SOURCE_VITESS_CONFIG_SPECIFICATION_H_
