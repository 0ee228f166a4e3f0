#include "services/lib/sqlite/handle.h"

#include <sqlite3.h>

#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/sqlite/row_checksum.h"
#include "services/lib/sqlite/sqlite_errors.h"

namespace skerry::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 5000;

std::string TextOf(sqlite3_stmt* statement, int column) {
  const unsigned char* text = sqlite3_column_text(statement, column);
  return text == nullptr ? "" : reinterpret_cast<const char*>(text);
}

}  // namespace

HandleOwner::~HandleOwner() {
  if (handle_ == nullptr) return;
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_close_v2(handle_);
}

absl::StatusOr<HandleOwner> OpenHandle(const std::string& path, Storage& storage) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                                   storage.vfs());
  HandleOwner handle(raw);
  if (code != SQLITE_OK) {
    return StatusFromSqlite(raw != nullptr ? sqlite3_extended_errcode(raw) : code,
                            sqlite3_errstr(code));
  }
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  SKERRY_RETURN_IF_ERROR(DefineRowChecksum(raw));
  return handle;
}

absl::Status LastError(sqlite3* handle) {
  return StatusFromSqlite(sqlite3_extended_errcode(handle), sqlite3_errmsg(handle));
}

absl::Status Exec(sqlite3* handle, const std::string& sql) {
  const int code = sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : LastError(handle);
}

absl::Status ForEachRow(sqlite3* handle, const std::string& sql,
                        absl::FunctionRef<absl::Status(sqlite3_stmt*)> row) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
    return LastError(handle);
  absl::Status status;
  int code = SQLITE_DONE;
  while (status.ok() && (code = sqlite3_step(statement)) == SQLITE_ROW) status = row(statement);
  if (status.ok() && code != SQLITE_DONE) status = LastError(handle);
  sqlite3_finalize(statement);
  return status;
}

absl::StatusOr<std::string> QueryOne(sqlite3* handle, const std::string& sql) {
  std::string value;
  bool found = false;
  SKERRY_RETURN_IF_ERROR(ForEachRow(handle, sql, [&](sqlite3_stmt* row) {
    if (!std::exchange(found, true)) value = TextOf(row, 0);
    return absl::OkStatus();
  }));
  return value;
}

absl::StatusOr<int64_t> QueryInt(sqlite3* handle, const std::string& sql) {
  SKERRY_ASSIGN_OR_RETURN(const std::string text, QueryOne(handle, sql));
  return std::strtoll(text.c_str(), nullptr, 10);
}

sqlite3_file* FileOf(sqlite3* handle, int operation) {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(handle, "main", operation, &file);
  return file != nullptr && file->pMethods != nullptr ? file : nullptr;
}

absl::StatusOr<std::vector<std::string>> TablesOf(sqlite3* handle) {
  std::vector<std::string> tables;
  SKERRY_RETURN_IF_ERROR(ForEachRow(handle,
                                    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name "
                                    "NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid",
                                    [&](sqlite3_stmt* row) {
                                      tables.push_back(TextOf(row, 0));
                                      return absl::OkStatus();
                                    }));
  return tables;
}

absl::StatusOr<std::vector<Column>> ColumnsOf(sqlite3* handle, absl::string_view table) {
  std::vector<Column> columns;
  std::vector<size_t> keys;
  std::string key_type;
  SKERRY_RETURN_IF_ERROR(ForEachRow(
      handle, absl::StrCat("SELECT name, pk, type FROM pragma_table_info('", table, "')"),
      [&](sqlite3_stmt* row) {
        columns.push_back({TextOf(row, 0), sqlite3_column_int(row, 1), false});
        if (columns.back().key_position > 0) {
          keys.push_back(columns.size() - 1);
          key_type = absl::AsciiStrToUpper(TextOf(row, 2));
        }
        return absl::OkStatus();
      }));
  if (keys.size() == 1 && key_type == "INTEGER") columns[keys[0]].is_rowid = true;
  return columns;
}

}  // namespace skerry::sqlite
