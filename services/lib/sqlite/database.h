// SQLite with the settings, migrations and error map that every store here uses.
#ifndef SKERRY_SERVICES_LIB_SQLITE_DATABASE_H_
#define SKERRY_SERVICES_LIB_SQLITE_DATABASE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "services/lib/sqlite/storage.h"

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

// What became of a damaged file.
struct Repair {
  std::string set_aside;             // Where it was put.
  int64_t rows = 0;                  // That were taken over from it, and from the copy.
  std::set<std::string> incomplete;  // Tables of which rows may be missing.
  std::set<std::string> from_copy;   // Those of them that also have the rows of the copy.
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
  // True: what a commit needs is allocated before it, so that on a full disk commits that only
  // delete and replace still succeed. Costs 1 MiB of disk.
  bool keep_room = false;
  // Set: the rows of a damaged file that can be read go into the new one, by column names; then
  // this makes them a store again, in the same transaction. Null: the new file begins empty.
  std::function<absl::Status(Database& database, const Repair& repair)> after_repair;
  // Tables whose missing rows come from the last copy (WriteCopy), where there is one.
  std::vector<std::string> copied_tables;
  Environment environment;
};

// One connection (WAL, foreign_keys, busy_timeout 5 s). One thread at a time uses it: a store owns
// a database and a mutex or an executor.
class Database {
 public:
  // Opens or creates, checks the whole file (integrity_check, checksums of rows) if it is no larger
  // than 64 MiB or was found damaged while in use, and applies the migrations that are missing:
  // migration i (from 1) is recorded in user_version. A damaged file is renamed to
  // "<path>.damaged-<unix seconds>" with its -wal and -shm (the last three are kept), and a new one
  // takes its place: `repair()` then tells. DATA_LOSS is never fatal here. FAILED_PRECONDITION /
  // DATABASE_TOO_NEW when the file was written by a newer version.
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
  // A whole copy beside the file, "<path>.copy", in place of the former one. Checks the whole file
  // first: DATA_LOSS leaves the former copy.
  absl::Status WriteCopy();
  // A store found something that can't be: DATA_LOSS, and the next Open checks the file whatever
  // its size.
  absl::Status Damaged(absl::string_view what);
  // What was done at Open, where the file was damaged.
  const std::optional<Repair>& repair() const { return repair_; }
  std::optional<std::string> set_aside() const {
    return repair_.has_value() ? std::optional(repair_->set_aside) : std::nullopt;
  }

 private:
  friend class Statement;
  Database(const DatabaseOptions& options, sqlite3* handle, std::optional<Repair> repair);
  static absl::StatusOr<Repair> RepairFile(const DatabaseOptions& options,
                                           absl::Span<const char* const> migrations);
  static absl::Status FinishRepair(const DatabaseOptions& options);
  absl::Status TakeOver(const DatabaseOptions& options, Repair& repair);
  absl::Status TakeCopy(const DatabaseOptions& options, Repair& repair);
  void Recycle(std::string sql, sqlite3_stmt* statement);
  // Tells of what the disk did.
  absl::Status Tell(absl::Status status);
  // That, and remembers damage for the next Open.
  absl::Status Note(absl::Status status);
  void TellSize();

  const std::string path_;
  const bool keep_room_;
  const Environment environment_;
  sqlite3* const handle_;
  std::optional<Repair> repair_;
  std::multimap<std::string, sqlite3_stmt*> idle_;
};

}  // namespace skerry::sqlite

#endif  // SKERRY_SERVICES_LIB_SQLITE_DATABASE_H_
