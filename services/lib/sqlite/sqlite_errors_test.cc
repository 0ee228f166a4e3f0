#include "services/lib/sqlite/sqlite_errors.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "services/lib/base/error.h"

namespace skerry::sqlite {
namespace {

struct Row {
  int code;
  absl::StatusCode status;
  const char* reason;
};

TEST(StatusFromSqliteTest, MapsEveryRowOfTheTable) {
  using Code = absl::StatusCode;
  const Row rows[] = {
      {SQLITE_OK, Code::kOk, ""},
      {SQLITE_ROW, Code::kOk, ""},
      {SQLITE_DONE, Code::kOk, ""},
      {SQLITE_CONSTRAINT_UNIQUE, Code::kAlreadyExists, ""},
      {SQLITE_CONSTRAINT_PRIMARYKEY, Code::kAlreadyExists, ""},
      {SQLITE_CONSTRAINT_ROWID, Code::kAlreadyExists, ""},
      {SQLITE_CONSTRAINT_FOREIGNKEY, Code::kFailedPrecondition, ""},
      {SQLITE_CONSTRAINT_NOTNULL, Code::kInternal, ""},
      {SQLITE_CONSTRAINT_CHECK, Code::kInternal, ""},
      {SQLITE_CONSTRAINT, Code::kInternal, ""},
      {SQLITE_BUSY, Code::kUnavailable, "DATABASE_BUSY"},
      {SQLITE_BUSY_RECOVERY, Code::kUnavailable, "DATABASE_BUSY"},
      {SQLITE_BUSY_SNAPSHOT, Code::kAborted, "DATABASE_BUSY"},
      {SQLITE_LOCKED, Code::kUnavailable, "DATABASE_BUSY"},
      {SQLITE_LOCKED_SHAREDCACHE, Code::kUnavailable, "DATABASE_BUSY"},
      {SQLITE_PROTOCOL, Code::kUnavailable, "DATABASE_BUSY"},
      {SQLITE_FULL, Code::kResourceExhausted, "DATABASE_FULL"},
      {SQLITE_NOMEM, Code::kResourceExhausted, "OUT_OF_MEMORY"},
      {SQLITE_IOERR_NOMEM, Code::kResourceExhausted, "OUT_OF_MEMORY"},
      {SQLITE_TOOBIG, Code::kInvalidArgument, "VALUE_TOO_BIG"},
      {SQLITE_CORRUPT, Code::kDataLoss, "DATABASE_DAMAGED"},
      {SQLITE_CORRUPT_VTAB, Code::kDataLoss, "DATABASE_DAMAGED"},
      {SQLITE_NOTADB, Code::kDataLoss, "DATABASE_DAMAGED"},
      {SQLITE_IOERR_CORRUPTFS, Code::kDataLoss, "DATABASE_DAMAGED"},
      {SQLITE_IOERR_DATA, Code::kDataLoss, "DATABASE_DAMAGED"},
      {SQLITE_IOERR, Code::kUnavailable, "DATABASE_IO"},
      {SQLITE_IOERR_FSYNC, Code::kUnavailable, "DATABASE_IO"},
      {SQLITE_IOERR_SHORT_READ, Code::kUnavailable, "DATABASE_IO"},
      {SQLITE_CANTOPEN, Code::kFailedPrecondition, "DATABASE_INACCESSIBLE"},
      {SQLITE_CANTOPEN_ISDIR, Code::kFailedPrecondition, "DATABASE_INACCESSIBLE"},
      {SQLITE_READONLY, Code::kFailedPrecondition, "DATABASE_INACCESSIBLE"},
      {SQLITE_PERM, Code::kPermissionDenied, "DATABASE_INACCESSIBLE"},
      {SQLITE_AUTH, Code::kPermissionDenied, "DATABASE_INACCESSIBLE"},
      {SQLITE_INTERRUPT, Code::kCancelled, ""},
      {SQLITE_ABORT, Code::kCancelled, ""},
      {SQLITE_ERROR, Code::kInternal, ""},
      {SQLITE_MISUSE, Code::kInternal, ""},
      {SQLITE_RANGE, Code::kInternal, ""},
  };
  for (const Row& row : rows) {
    const absl::Status status = StatusFromSqlite(row.code, "text");
    EXPECT_EQ(status.code(), row.status) << row.code;
    EXPECT_EQ(GetErrorInfo(status).reason, row.reason) << row.code;
    if (!status.ok()) {
      EXPECT_NE(status.message().find("text"), absl::string_view::npos) << row.code;
    }
  }
}

TEST(StatusFromSqliteTest, SaysWhatHelpsWhereTheDiskIsFull) {
  EXPECT_NE(StatusFromSqlite(SQLITE_FULL, "full").message().find("make room"),
            absl::string_view::npos);
  EXPECT_EQ(StatusFromSqlite(SQLITE_BUSY, "busy").message(), "sqlite: busy (5)");
}

}  // namespace
}  // namespace skerry::sqlite
