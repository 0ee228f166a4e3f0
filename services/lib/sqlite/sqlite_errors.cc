#include "services/lib/sqlite/sqlite_errors.h"

#include <sqlite3.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::sqlite {
namespace {

struct Mapped {
  absl::StatusCode code;
  const char* reason;  // Null: none.
};

Mapped MapConstraint(int extended) {
  switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return {absl::StatusCode::kAlreadyExists, nullptr};
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return {absl::StatusCode::kFailedPrecondition, nullptr};
    default:
      return {absl::StatusCode::kInternal, nullptr};
  }
}

Mapped MapIoError(int extended) {
  switch (extended) {
    case SQLITE_IOERR_NOMEM:
      return {absl::StatusCode::kResourceExhausted, "OUT_OF_MEMORY"};
    case SQLITE_IOERR_CORRUPTFS:
    case SQLITE_IOERR_DATA:
      return {absl::StatusCode::kDataLoss, "DATABASE_DAMAGED"};
    default:
      return {absl::StatusCode::kUnavailable, "DATABASE_IO"};
  }
}

Mapped Map(int extended) {
  switch (extended & 0xff) {
    case SQLITE_CONSTRAINT:
      return MapConstraint(extended);
    case SQLITE_IOERR:
      return MapIoError(extended);
    case SQLITE_BUSY:
      if (extended == SQLITE_BUSY_SNAPSHOT) return {absl::StatusCode::kAborted, "DATABASE_BUSY"};
      return {absl::StatusCode::kUnavailable, "DATABASE_BUSY"};
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return {absl::StatusCode::kUnavailable, "DATABASE_BUSY"};
    case SQLITE_FULL:
      return {absl::StatusCode::kResourceExhausted, "DATABASE_FULL"};
    case SQLITE_NOMEM:
      return {absl::StatusCode::kResourceExhausted, "OUT_OF_MEMORY"};
    case SQLITE_TOOBIG:
      return {absl::StatusCode::kInvalidArgument, "VALUE_TOO_BIG"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {absl::StatusCode::kDataLoss, "DATABASE_DAMAGED"};
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      return {absl::StatusCode::kFailedPrecondition, "DATABASE_INACCESSIBLE"};
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {absl::StatusCode::kPermissionDenied, "DATABASE_INACCESSIBLE"};
    case SQLITE_INTERRUPT:
    case SQLITE_ABORT:
      return {absl::StatusCode::kCancelled, nullptr};
    default:
      return {absl::StatusCode::kInternal, nullptr};
  }
}

}  // namespace

absl::Status StatusFromSqlite(int code, absl::string_view message) {
  if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return absl::OkStatus();
  const Mapped mapped = Map(code);
  const std::string text = absl::StrCat(
      "sqlite: ", message, " (", code, ")",
      (code & 0xff) == SQLITE_FULL
          ? ": make room on the disk of this service's state; it goes on by itself then"
          : "");
  if (mapped.reason == nullptr) return absl::Status(mapped.code, text);
  return Error(mapped.code, text).Reason(mapped.reason);
}

}  // namespace skerry::sqlite
