// What the user has chosen to sync (reference 1.5, 2.5).
#ifndef SOURCE_VITESS_FIVETRAN_SELECTION_H_
#define SOURCE_VITESS_FIVETRAN_SELECTION_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "fivetran/connector_sdk.pb.h"

namespace source_vitess::fivetran {

// A value. What is not named in it follows its include_new_* flags.
class Selection {
 public:
  // Everything.
  Selection() = default;

  // Of the request; everything where it says nothing. Fails, with the class kConfiguration, when it
  // is one of tables without schemas, which Schema never offered.
  static absl::StatusOr<Selection> Of(const fivetran_sdk::v2::UpdateRequest& request);

  bool WantsTable(const std::string& keyspace, const std::string& table) const;

  // Whether the column of a table that is wanted goes to the destination, where it is not part of
  // the key, which always does.
  bool WantsColumn(const std::string& keyspace, const std::string& table,
                   const std::string& column) const;

 private:
  struct Table {
    bool included = true;
    std::map<std::string, bool> columns;
    bool other_columns = true;
  };
  struct Schema {
    bool included = true;
    std::map<std::string, Table> tables;
    bool other_tables = true;
  };

  std::map<std::string, Schema> schemas_;
  bool other_schemas_ = true;
};

}  // namespace source_vitess::fivetran

#endif  // SOURCE_VITESS_FIVETRAN_SELECTION_H_
