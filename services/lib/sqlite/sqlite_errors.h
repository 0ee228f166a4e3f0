// The one map from SQLite's result codes to statuses.
#ifndef SKERRY_SERVICES_LIB_SQLITE_SQLITE_ERRORS_H_
#define SKERRY_SERVICES_LIB_SQLITE_SQLITE_ERRORS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace skerry::sqlite {

// `code` is an extended result code; OK, ROW and DONE are OK.
//
// | SQLite                                   | status             | reason                |
// |------------------------------------------|--------------------|-----------------------|
// | CONSTRAINT_UNIQUE, _PRIMARYKEY, _ROWID   | ALREADY_EXISTS     |                       |
// | CONSTRAINT_FOREIGNKEY                    | FAILED_PRECONDITION|                       |
// | other CONSTRAINT_*                       | INTERNAL (our bug) |                       |
// | BUSY, LOCKED, PROTOCOL                   | UNAVAILABLE        | DATABASE_BUSY         |
// | BUSY_SNAPSHOT                            | ABORTED            | DATABASE_BUSY         |
// | FULL                                     | RESOURCE_EXHAUSTED | DATABASE_FULL         |
// | NOMEM, IOERR_NOMEM                       | RESOURCE_EXHAUSTED | OUT_OF_MEMORY         |
// | TOOBIG                                   | INVALID_ARGUMENT   | VALUE_TOO_BIG         |
// | CORRUPT, NOTADB, IOERR_CORRUPTFS, _DATA  | DATA_LOSS          | DATABASE_DAMAGED      |
// | other IOERR_*                            | UNAVAILABLE        | DATABASE_IO           |
// | CANTOPEN, READONLY                       | FAILED_PRECONDITION| DATABASE_INACCESSIBLE |
// | PERM, AUTH                               | PERMISSION_DENIED  | DATABASE_INACCESSIBLE |
// | INTERRUPT, ABORT                         | CANCELLED          |                       |
// | the rest                                 | INTERNAL           |                       |
//
// An I/O error is UNAVAILABLE and not DATA_LOSS: the file may be whole and the disk only away (a
// full or failing USB stick, a network disk), and setting a whole file aside would lose what was
// promised.
absl::Status StatusFromSqlite(int code, absl::string_view message);

}  // namespace skerry::sqlite

#endif  // SKERRY_SERVICES_LIB_SQLITE_SQLITE_ERRORS_H_
