// Checksums of rows: SQLite's pages have none, and a bit that flips in a value stays unnoticed.
#ifndef SKERRY_SERVICES_LIB_SQLITE_ROW_CHECKSUM_H_
#define SKERRY_SERVICES_LIB_SQLITE_ROW_CHECKSUM_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct sqlite3;

namespace skerry::sqlite {

// Gives the connection the function row_checksum(column, ...). A table whose rows are checked has a
// column `checksum`, set by each statement that writes a row to the row_checksum() of all others in
// their order, but for one that is the rowid (its indexes say the same). -1, its default, is not
// checked: rows from before, and those that another tool wrote.
absl::Status DefineRowChecksum(sqlite3* handle);

// The SQL condition that a row of the table is as it was written; empty where it has no checksums.
absl::StatusOr<std::string> RowIsGood(sqlite3* handle, absl::string_view table);

}  // namespace skerry::sqlite

#endif  // SKERRY_SERVICES_LIB_SQLITE_ROW_CHECKSUM_H_
