// Disk space that a database has before it needs it, so that a full disk can be drained.
#ifndef SKERRY_SERVICES_LIB_SQLITE_ROOM_H_
#define SKERRY_SERVICES_LIB_SQLITE_ROOM_H_

#include "absl/status/status.h"

struct sqlite3;

namespace skerry::sqlite {

// A commit that only deletes or replaces needs room in the log, and the log must be folded into the
// file from time to time, which needs room for the pages that the file has there only. So the log
// has 1 MiB from the start and is folded at half of it, and no commit goes in whose pages have no
// place in the file. An OK of PrepareRoom is no promise: the disk may be full already.
absl::Status PrepareRoom(sqlite3* handle);
// Inside a transaction, before its commit: RESOURCE_EXHAUSTED / DATABASE_FULL where there is no
// room.
absl::Status AllocatePages(sqlite3* handle);
// Before the close: the log stays, empty, for the next start.
void LeaveRoom(sqlite3* handle);

}  // namespace skerry::sqlite

#endif  // SKERRY_SERVICES_LIB_SQLITE_ROOM_H_
