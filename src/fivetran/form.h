// The options of a connection as Fivetran's form (reference 2.2), made from spec/spec.json, and
// back.
#ifndef SOURCE_VITESS_FIVETRAN_FORM_H_
#define SOURCE_VITESS_FIVETRAN_FORM_H_

#include <google/protobuf/map.h>

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "config/options.h"
#include "fivetran/common.pb.h"

namespace source_vitess::fivetran {

// The tests that the form names, in the order in which they are run: each needs those before it.
inline constexpr std::string_view kConnectionTest = "connection";
inline constexpr std::string_view kCredentialsTest = "credentials";
inline constexpr std::string_view kTablesTest = "keyspaces_and_tables";
inline constexpr std::string_view kBinaryLogsTest = "binary_logs";

// An option is a field of its name; a choice with options of its own (authentication, encryption)
// is a field like "authentication_method", and fields that are shown for one answer; a group of
// options is fields like "tables_include". Names never change: connections are saved by them.
fivetran_sdk::v2::ConfigurationFormResponse MakeForm();

// The options that the form's values say. All of them are text: an empty one is as good as none,
// lists have commas between their items, and a file is its content in Base64. Values of fields that
// the form does not have are passed over. A failure, of the class kConfiguration, names the field
// as the form labels it, and never a secret.
absl::StatusOr<config::Options> ParseConfiguration(
    const google::protobuf::Map<std::string, std::string>& configuration);

// The same failure in the form's words: an option that its text names in quotation marks is named
// as the field's label.
absl::Status InWordsOfTheForm(const absl::Status& status);

}  // namespace source_vitess::fivetran

#endif  // SOURCE_VITESS_FIVETRAN_FORM_H_
