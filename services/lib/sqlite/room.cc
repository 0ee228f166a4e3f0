#include "services/lib/sqlite/room.h"

#include <sqlite3.h>

#include <cstdint>

#include "absl/status/statusor.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/sqlite/handle.h"
#include "services/lib/sqlite/sqlite_errors.h"

namespace skerry::sqlite {
namespace {

constexpr sqlite3_int64 kLogBytes = 1 << 20;
constexpr int kChunkBytes = 64 << 10;

// SQLite's unix files allocate by a size hint if they have a chunk size.
bool Allocate(sqlite3_file* file, sqlite3_int64 size) {
  return file == nullptr ||
         file->pMethods->xFileControl(file, SQLITE_FCNTL_SIZE_HINT, &size) == SQLITE_OK;
}

void AllocateLog(sqlite3* handle) {
  sqlite3_file* log = FileOf(handle, SQLITE_FCNTL_JOURNAL_POINTER);
  int chunk = kChunkBytes;
  if (log != nullptr) log->pMethods->xFileControl(log, SQLITE_FCNTL_CHUNK_SIZE, &chunk);
  Allocate(log, kLogBytes);
}

}  // namespace

absl::Status PrepareRoom(sqlite3* handle) {
  int chunk = kChunkBytes;
  int persist = 1;
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_CHUNK_SIZE, &chunk);
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
  // The first read opens the log.
  SKERRY_RETURN_IF_ERROR(
      Exec(handle, "PRAGMA wal_autocheckpoint=128; SELECT COUNT(*) FROM sqlite_schema"));
  AllocateLog(handle);
  AllocatePages(handle).IgnoreError();
  return absl::OkStatus();
}

absl::Status AllocatePages(sqlite3* handle) {
  SKERRY_ASSIGN_OR_RETURN(const int64_t pages, QueryInt(handle, "PRAGMA page_count"));
  SKERRY_ASSIGN_OR_RETURN(const int64_t page_size, QueryInt(handle, "PRAGMA page_size"));
  if (Allocate(FileOf(handle, SQLITE_FCNTL_FILE_POINTER), pages * page_size))
    return absl::OkStatus();
  return StatusFromSqlite(SQLITE_FULL, "the disk has no room for more pages");
}

void LeaveRoom(sqlite3* handle) {
  Exec(handle, "PRAGMA wal_checkpoint(TRUNCATE)").IgnoreError();
  AllocateLog(handle);
  Exec(handle, "PRAGMA journal_size_limit=-1").IgnoreError();
}

}  // namespace skerry::sqlite
