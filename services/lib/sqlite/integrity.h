// Whether a file is still what was written to it.
#ifndef SKERRY_SERVICES_LIB_SQLITE_INTEGRITY_H_
#define SKERRY_SERVICES_LIB_SQLITE_INTEGRITY_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

struct sqlite3;

namespace skerry::sqlite {

// Reads the whole file: structure, indexes against their tables, checksums of rows. DATA_LOSS /
// DATABASE_DAMAGED; or UNAVAILABLE / DATABASE_IO where the disk does not give the file, which may
// then be whole.
absl::Status CheckIntegrity(sqlite3* handle);
// What an error of a query that is right says of the file: the same two.
absl::Status Judge(sqlite3* handle, const absl::Status& found);
// One table and its indexes.
absl::Status CheckTable(sqlite3* handle, absl::string_view table);

}  // namespace skerry::sqlite

#endif  // SKERRY_SERVICES_LIB_SQLITE_INTEGRITY_H_
