// SQLite with the settings, migrations and error map that every store here uses.
#ifndef SKERRY_SERVICES_LIB_SQLITE_DATABASE_H_
#define SKERRY_SERVICES_LIB_SQLITE_DATABASE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

struct sqlite3;
struct sqlite3_stmt;

namespace skerry::sqlite {

class Database;

// A prepared statement in use: bind, step, read. Bound to the thread that uses the database.
// Returns to the database's cache (reset, bindings cleared) when destroyed.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // Parameters count from 1.
  Statement& Bind(int index, int64_t value);
  Statement& Bind(int index, absl::string_view text);
  Statement& BindBlob(int index, absl::string_view bytes);
  Statement& BindNull(int index);

  // True: a row is there. False: done. Errors as in sqlite_errors.h (a failed Bind shows here).
  absl::StatusOr<bool> Step();
  // Runs a statement that returns no rows.
  absl::Status Run();

  // Columns count from 0.
  int64_t Int(int column) const;
  std::string Text(int column) const;  // Also for blobs.
  bool IsNull(int column) const;

 private:
  friend class Database;
  Statement(Database* database, std::string sql, sqlite3_stmt* statement);
  Database* database_;
  std::string sql_;
  sqlite3_stmt* statement_;
  int bind_error_ = 0;
};

struct DatabaseOptions {
  std::string path;       // A file; its folder must exist. ":memory:" for tests.
  bool full_sync = true;  // synchronous=FULL: a commit survives power loss. False (NORMAL): only a
                          // crash of the process.
  int64_t size_bytes_max =
      0;  // 0: no bound. Else writes beyond it fail with RESOURCE_EXHAUSTED / DATABASE_FULL.
  // False: a damaged file is left where it is and Open fails with DATA_LOSS. For stores that are
  // the only copy.
  bool set_aside_damaged = true;
  // False: a further connection to a file that this process has just opened; no integrity check.
  bool check_integrity = true;
};

// One connection (WAL, foreign_keys, busy_timeout 5 s). One thread at a time uses it: a store owns
// a database and a mutex or an executor.
class Database {
 public:
  // Opens or creates, checks integrity (quick_check), applies the migrations that are missing:
  // migration i (from 1) is recorded in user_version. A damaged file is renamed to
  // "<path>.damaged-<unix seconds>" with its -wal and -shm, and a new one is created: `set_aside()`
  // then tells. DATA_LOSS is never fatal here. FAILED_PRECONDITION / DATABASE_TOO_NEW when the file
  // was written by a newer version.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const DatabaseOptions& options,
                                                        absl::Span<const char* const> migrations);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // From the cache where possible. The SQL is a constant of the program; its failure to compile
  // aborts.
  Statement Prepare(absl::string_view sql);
  absl::Status Execute(absl::string_view sql);

  // BEGIN IMMEDIATE, body, COMMIT; ROLLBACK if the body or the commit fails. Not nested.
  absl::Status Transaction(absl::FunctionRef<absl::Status()> body);

  int64_t LastInsertRowId() const;
  int64_t Changes() const;
  int64_t SizeBytes();  // Pages in use times the page size.
  // Where a damaged file was put at Open.
  const std::optional<std::string>& set_aside() const { return set_aside_; }

 private:
  friend class Statement;
  Database(sqlite3* handle, std::optional<std::string> set_aside);
  void Recycle(std::string sql, sqlite3_stmt* statement);

  sqlite3* handle_;
  std::optional<std::string> set_aside_;
  std::multimap<std::string, sqlite3_stmt*> idle_;
};

}  // namespace skerry::sqlite

#endif  // SKERRY_SERVICES_LIB_SQLITE_DATABASE_H_
