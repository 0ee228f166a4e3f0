// What the parts of this folder do with SQLite's own handles.
#ifndef SKERRY_SERVICES_LIB_SQLITE_HANDLE_H_
#define SKERRY_SERVICES_LIB_SQLITE_HANDLE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/sqlite/storage.h"

struct sqlite3;
struct sqlite3_file;
struct sqlite3_stmt;

namespace skerry::sqlite {

// Closes the handle unless released. The file is kept as it is: nothing is folded into it.
class HandleOwner {
 public:
  HandleOwner() = default;
  explicit HandleOwner(sqlite3* handle) : handle_(handle) {}
  HandleOwner(HandleOwner&& other) noexcept : handle_(other.Release()) {}
  HandleOwner& operator=(HandleOwner&&) = delete;
  ~HandleOwner();
  sqlite3* get() const { return handle_; }
  sqlite3* Release() { return std::exchange(handle_, nullptr); }

 private:
  sqlite3* handle_ = nullptr;
};

// A connection with our settings for errors and row_checksum(); the file must be there.
absl::StatusOr<HandleOwner> OpenHandle(const std::string& path, Storage& storage);

absl::Status LastError(sqlite3* handle);
absl::Status Exec(sqlite3* handle, const std::string& sql);
// Calls `row` with each row of the query until it returns an error.
absl::Status ForEachRow(sqlite3* handle, const std::string& sql,
                        absl::FunctionRef<absl::Status(sqlite3_stmt*)> row);
// The first column of the first row of a query; empty, 0 where there is none.
absl::StatusOr<std::string> QueryOne(sqlite3* handle, const std::string& sql);
absl::StatusOr<int64_t> QueryInt(sqlite3* handle, const std::string& sql);

// SQLite's file of the database, or (SQLITE_FCNTL_JOURNAL_POINTER) of its log; null if there is
// none.
sqlite3_file* FileOf(sqlite3* handle, int operation);

// Our tables, in the order in which they were made.
absl::StatusOr<std::vector<std::string>> TablesOf(sqlite3* handle);

struct Column {
  std::string name;
  int key_position = 0;   // In the primary key, from 1; 0 outside of it.
  bool is_rowid = false;  // Another name of the rowid.
};
absl::StatusOr<std::vector<Column>> ColumnsOf(sqlite3* handle, absl::string_view table);

}  // namespace skerry::sqlite

#endif  // SKERRY_SERVICES_LIB_SQLITE_HANDLE_H_
