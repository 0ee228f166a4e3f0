#include "services/lib/sqlite/integrity.h"

#include <sqlite3.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/sqlite/handle.h"
#include "services/lib/sqlite/row_checksum.h"
#include "services/lib/sqlite/sqlite_errors.h"

namespace skerry::sqlite {
namespace {

constexpr int kReadBytes = 64 << 10;

absl::Status CheckStructure(sqlite3* handle, const std::string& argument) {
  SKERRY_ASSIGN_OR_RETURN(const std::string found,
                          QueryOne(handle, absl::StrCat("PRAGMA integrity_check(", argument, ")")));
  return found == "ok" ? absl::OkStatus() : StatusFromSqlite(SQLITE_CORRUPT, found);
}

absl::Status CheckRows(sqlite3* handle, absl::string_view table) {
  SKERRY_ASSIGN_OR_RETURN(const std::string good, RowIsGood(handle, table));
  if (good.empty()) return absl::OkStatus();
  SKERRY_ASSIGN_OR_RETURN(
      const int64_t bad,
      QueryInt(handle, absl::StrCat("SELECT COUNT(*) FROM ", table, " WHERE NOT ", good)));
  if (bad == 0) return absl::OkStatus();
  return StatusFromSqlite(SQLITE_CORRUPT,
                          absl::StrCat(bad, " rows of ", table, " have other checksums"));
}

// SQLite reports a page that it can't read like one that is damaged.
absl::Status CheckReadable(sqlite3_file* file) {
  if (file == nullptr) return absl::OkStatus();
  sqlite3_int64 size = 0;
  int code = file->pMethods->xFileSize(file, &size);
  std::vector<char> buffer(kReadBytes);
  for (sqlite3_int64 at = 0; code == SQLITE_OK && at < size; at += kReadBytes) {
    const auto count = static_cast<int>(std::min<sqlite3_int64>(kReadBytes, size - at));
    code = file->pMethods->xRead(file, buffer.data(), count, at);
  }
  return StatusFromSqlite(code, sqlite3_errstr(code));
}

// A file whose head asks for a newer SQLite is one that can't be written.
absl::Status CheckHead(sqlite3* handle) {
  constexpr int kVersions = 18;  // Of the format: one byte for writing, one for reading.
  sqlite3_file* file = FileOf(handle, SQLITE_FCNTL_FILE_POINTER);
  unsigned char versions[2] = {};
  if (file == nullptr || file->pMethods->xRead(file, versions, 2, kVersions) != SQLITE_OK)
    return absl::OkStatus();
  if (versions[0] <= 2 && versions[1] <= 2) return absl::OkStatus();
  return StatusFromSqlite(SQLITE_CORRUPT, "it has an unknown format");
}

}  // namespace

absl::Status Judge(sqlite3* handle, const absl::Status& found) {
  if (!absl::IsDataLoss(found) && !absl::IsInternal(found)) return found;
  for (const int pointer : {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER})
    SKERRY_RETURN_IF_ERROR(CheckReadable(FileOf(handle, pointer)));
  // One that SQLite does not understand met a damaged schema.
  return absl::IsDataLoss(found) ? found : StatusFromSqlite(SQLITE_CORRUPT, found.message());
}

absl::Status CheckTable(sqlite3* handle, absl::string_view table) {
  absl::Status found = CheckStructure(handle, absl::StrCat("'", table, "'"));
  if (found.ok()) found = CheckRows(handle, table);
  return Judge(handle, found);
}

absl::Status CheckIntegrity(sqlite3* handle) {
  absl::Status found = CheckHead(handle);
  if (found.ok()) found = CheckStructure(handle, "1");
  absl::StatusOr<std::vector<std::string>> tables = TablesOf(handle);
  if (found.ok()) found = tables.status();
  for (size_t i = 0; found.ok() && i < tables->size(); ++i) found = CheckRows(handle, (*tables)[i]);
  return Judge(handle, found);
}

}  // namespace skerry::sqlite
