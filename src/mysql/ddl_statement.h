// What a DDL statement from the binary log does to one table.
#ifndef SOURCE_VITESS_MYSQL_DDL_STATEMENT_H_
#define SOURCE_VITESS_MYSQL_DDL_STATEMENT_H_

#include <string_view>

namespace source_vitess::mysql {

enum class TableEffect {
  kNone,           // the statement is about other tables, or cannot be read
  kAltered,        // the table's columns or indexes may be others than before
  kEmptied,        // all rows are gone, of which no row event tells: TRUNCATE
  kPartlyEmptied,  // likewise some rows: a partition is truncated, dropped, exchanged; of the table
                   // that it is exchanged with, all
  kGone,           // dropped, renamed to something else, or replaced by another table
};

// Reads as much of the statement as tells: comments, quoted and qualified names, lists of tables.
// A table whose place the shadow of an online schema change takes within one statement, as in
// Vitess's own cut-over (RENAME TABLE t TO _vt_.., _vt_.. TO t), is altered. Statements that Vitess
// itself cannot parse arrive as well (reference 6) and have no effect here.
TableEffect EffectOn(std::string_view statement, std::string_view table);

}  // namespace source_vitess::mysql

#endif  // SOURCE_VITESS_MYSQL_DDL_STATEMENT_H_
