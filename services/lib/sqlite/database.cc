#include "services/lib/sqlite/database.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/lib/base/check.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/sqlite/sqlite_errors.h"

namespace skerry::sqlite {
namespace {

constexpr char kMemoryPath[] = ":memory:";
constexpr int kBusyTimeoutMs = 5000;

absl::Status LastError(sqlite3* handle) {
  return StatusFromSqlite(sqlite3_extended_errcode(handle), sqlite3_errmsg(handle));
}

absl::Status Exec(sqlite3* handle, const std::string& sql) {
  const int code = sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) return absl::OkStatus();
  return StatusFromSqlite(sqlite3_extended_errcode(handle), sqlite3_errmsg(handle));
}

// The first column of the first row of a query.
absl::StatusOr<std::string> QueryOne(sqlite3* handle, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle, sql, -1, &statement, nullptr) != SQLITE_OK) {
    return LastError(handle);
  }
  std::string value;
  const int code = sqlite3_step(statement);
  if (code == SQLITE_ROW) {
    const unsigned char* text = sqlite3_column_text(statement, 0);
    if (text != nullptr) value = reinterpret_cast<const char*>(text);
  }
  const absl::Status status =
      code == SQLITE_ROW || code == SQLITE_DONE ? absl::OkStatus() : LastError(handle);
  sqlite3_finalize(statement);
  if (!status.ok()) return status;
  return value;
}

absl::StatusOr<int64_t> QueryInt(sqlite3* handle, const char* sql) {
  SKERRY_ASSIGN_OR_RETURN(const std::string text, QueryOne(handle, sql));
  return std::strtoll(text.c_str(), nullptr, 10);
}

// Closes the handle unless released.
class HandleOwner {
 public:
  explicit HandleOwner(sqlite3* handle) : handle_(handle) {}
  ~HandleOwner() {
    if (handle_ == nullptr) return;
    // A file that failed its checks is kept as it was found, so nothing is folded into it on the
    // way out.
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_close_v2(handle_);
  }
  HandleOwner(const HandleOwner&) = delete;
  HandleOwner& operator=(const HandleOwner&) = delete;
  sqlite3* get() const { return handle_; }
  sqlite3* Release() { return std::exchange(handle_, nullptr); }

 private:
  sqlite3* handle_;
};

absl::Status Configure(sqlite3* handle, const DatabaseOptions& options) {
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  SKERRY_RETURN_IF_ERROR(Exec(handle, "PRAGMA journal_mode=WAL"));
  // Memory on the edge box is dear: a small page cache, no memory map; a WAL that grew is cut back.
  SKERRY_RETURN_IF_ERROR(
      Exec(handle, absl::StrCat("PRAGMA synchronous=", options.full_sync ? "FULL" : "NORMAL",
                                ";PRAGMA foreign_keys=ON;PRAGMA cache_size=-256;PRAGMA mmap_size=0;"
                                "PRAGMA journal_size_limit=1048576;PRAGMA cell_size_check=ON")));
  if (options.size_bytes_max > 0) {
    SKERRY_ASSIGN_OR_RETURN(const int64_t page_size, QueryInt(handle, "PRAGMA page_size"));
    const int64_t pages = page_size > 0 ? options.size_bytes_max / page_size : 0;
    // A file that is already larger keeps its size and grows no more (SQLite's rule).
    SKERRY_RETURN_IF_ERROR(
        Exec(handle, absl::StrCat("PRAGMA max_page_count=", pages > 1 ? pages : 1)));
  }
  return absl::OkStatus();
}

absl::Status Migrate(sqlite3* handle, absl::Span<const char* const> migrations) {
  SKERRY_ASSIGN_OR_RETURN(const int64_t version, QueryInt(handle, "PRAGMA user_version"));
  const int64_t newest = static_cast<int64_t>(migrations.size());
  if (version > newest || version < 0) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 absl::StrCat(
                     "the database was written by a newer version (schema ", version,
                     ", this one knows up to ", newest,
                     "): install that version again, or restore a copy made before the upgrade"))
        .Reason("DATABASE_TOO_NEW")
        .Meta("schema", absl::StrCat(version))
        .Meta("newest_known", absl::StrCat(newest));
  }
  for (int64_t i = version; i < newest; ++i) {
    const absl::Status status =
        Exec(handle, absl::StrCat("BEGIN IMMEDIATE;", migrations[static_cast<size_t>(i)],
                                  ";PRAGMA user_version=", i + 1, ";COMMIT"));
    if (!status.ok()) {
      if (sqlite3_get_autocommit(handle) == 0) Exec(handle, "ROLLBACK").IgnoreError();
      return Annotate(status, absl::StrCat("migration ", i + 1));
    }
  }
  return absl::OkStatus();
}

// Makes the file for its owner alone: stores hold secrets. SQLite gives -wal and -shm the same
// mode.
absl::Status CreateFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd < 0) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 absl::StrCat("cannot open ", path, ": ", std::strerror(errno)))
        .Reason("DATABASE_INACCESSIBLE")
        .Meta("path", path);
  }
  close(fd);
  return absl::OkStatus();
}

absl::StatusOr<sqlite3*> OpenChecked(const DatabaseOptions& options,
                                     absl::Span<const char* const> migrations) {
  if (options.path != kMemoryPath) SKERRY_RETURN_IF_ERROR(CreateFile(options.path));
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(options.path.c_str(), &raw,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  HandleOwner handle(raw);
  if (code != SQLITE_OK) {
    return StatusFromSqlite(raw != nullptr ? sqlite3_extended_errcode(raw) : code,
                            sqlite3_errstr(code));
  }
  SKERRY_RETURN_IF_ERROR(Configure(handle.get(), options));
  if (options.check_integrity) {
    SKERRY_ASSIGN_OR_RETURN(const std::string check,
                            QueryOne(handle.get(), "PRAGMA quick_check(1)"));
    if (check != "ok") return StatusFromSqlite(SQLITE_CORRUPT, check);
  }
  SKERRY_RETURN_IF_ERROR(Migrate(handle.get(), migrations));
  return handle.Release();
}

bool Exists(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0;
}

absl::StatusOr<std::string> SetAside(const std::string& path) {
  int64_t seconds = absl::ToUnixSeconds(absl::Now());
  while (Exists(absl::StrCat(path, ".damaged-", seconds))) ++seconds;
  const std::string target = absl::StrCat(path, ".damaged-", seconds);
  for (const char* suffix : {"", "-wal", "-shm"}) {
    const std::string from = absl::StrCat(path, suffix);
    if (rename(from.c_str(), absl::StrCat(target, suffix).c_str()) != 0 && errno != ENOENT) {
      return Error(absl::StatusCode::kFailedPrecondition,
                   absl::StrCat("cannot set aside the damaged ", from, ": ", std::strerror(errno)))
          .Reason("DATABASE_INACCESSIBLE")
          .Meta("path", from);
    }
  }
  return target;
}

}  // namespace

Statement::Statement(Database* database, std::string sql, sqlite3_stmt* statement)
    : database_(database), sql_(std::move(sql)), statement_(statement) {}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      sql_(std::move(other.sql_)),
      statement_(std::exchange(other.statement_, nullptr)),
      bind_error_(other.bind_error_) {}

Statement::~Statement() {
  if (statement_ != nullptr) database_->Recycle(std::move(sql_), statement_);
}

Statement& Statement::Bind(int index, int64_t value) {
  if (bind_error_ == SQLITE_OK) bind_error_ = sqlite3_bind_int64(statement_, index, value);
  return *this;
}

// A null pointer would bind NULL, so an empty view is given an address.
Statement& Statement::Bind(int index, absl::string_view text) {
  if (bind_error_ == SQLITE_OK) {
    bind_error_ = sqlite3_bind_text64(statement_, index, text.empty() ? "" : text.data(),
                                      text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  }
  return *this;
}

Statement& Statement::BindBlob(int index, absl::string_view bytes) {
  if (bind_error_ == SQLITE_OK) {
    bind_error_ = sqlite3_bind_blob64(statement_, index, bytes.empty() ? "" : bytes.data(),
                                      bytes.size(), SQLITE_TRANSIENT);
  }
  return *this;
}

Statement& Statement::BindNull(int index) {
  if (bind_error_ == SQLITE_OK) bind_error_ = sqlite3_bind_null(statement_, index);
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  if (bind_error_ != SQLITE_OK) return StatusFromSqlite(bind_error_, sqlite3_errstr(bind_error_));
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return LastError(database_->handle_);
}

absl::Status Statement::Run() {
  absl::StatusOr<bool> row = Step();
  // Reset at once: a statement left in the middle keeps its read lock and would block the commit.
  if (statement_ != nullptr) sqlite3_reset(statement_);
  return row.status();
}

int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Statement::Text(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data),
          static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const DatabaseOptions& options,
                                                         absl::Span<const char* const> migrations) {
  std::optional<std::string> set_aside;
  absl::StatusOr<sqlite3*> handle = OpenChecked(options, migrations);
  if (absl::IsDataLoss(handle.status()) && options.set_aside_damaged &&
      options.path != kMemoryPath) {
    SKERRY_ASSIGN_OR_RETURN(set_aside, SetAside(options.path));
    handle = OpenChecked(options, migrations);
  }
  if (!handle.ok()) return Annotate(handle.status(), absl::StrCat("database ", options.path));
  return std::unique_ptr<Database>(new Database(*handle, std::move(set_aside)));
}

Database::Database(sqlite3* handle, std::optional<std::string> set_aside)
    : handle_(handle), set_aside_(std::move(set_aside)) {}

Database::~Database() {
  for (auto& [sql, statement] : idle_) sqlite3_finalize(statement);
  sqlite3_close_v2(handle_);
}

Statement Database::Prepare(absl::string_view sql) {
  std::string text(sql);
  const auto found = idle_.find(text);
  if (found != idle_.end()) {
    sqlite3_stmt* statement = found->second;
    idle_.erase(found);
    return Statement(this, std::move(text), statement);
  }
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(handle_, text.data(), static_cast<int>(text.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  // Only wrong SQL is our bug; reading the schema may also meet a damaged or unreadable file, which
  // shows at the first Step.
  if ((code & 0xff) == SQLITE_ERROR || (code & 0xff) == SQLITE_MISUSE) {
    std::fprintf(stderr, "sqlite: %s in: %s\n", sqlite3_errmsg(handle_), text.c_str());
    SKERRY_CHECK(false && "SQL does not compile");
  }
  Statement statement(this, std::move(text), raw);
  statement.bind_error_ = code;
  return statement;
}

absl::Status Database::Execute(absl::string_view sql) { return Exec(handle_, std::string(sql)); }

absl::Status Database::Transaction(absl::FunctionRef<absl::Status()> body) {
  SKERRY_RETURN_IF_ERROR(Prepare("BEGIN IMMEDIATE").Run());
  absl::Status status = body();
  if (status.ok()) status = Prepare("COMMIT").Run();
  // Some errors (a full disk) have rolled back by themselves.
  if (!status.ok() && sqlite3_get_autocommit(handle_) == 0) Exec(handle_, "ROLLBACK").IgnoreError();
  return status;
}

int64_t Database::LastInsertRowId() const { return sqlite3_last_insert_rowid(handle_); }

int64_t Database::Changes() const { return sqlite3_changes64(handle_); }

int64_t Database::SizeBytes() {
  const absl::StatusOr<int64_t> pages = QueryInt(handle_, "PRAGMA page_count");
  const absl::StatusOr<int64_t> free_pages = QueryInt(handle_, "PRAGMA freelist_count");
  const absl::StatusOr<int64_t> page_size = QueryInt(handle_, "PRAGMA page_size");
  if (!pages.ok() || !free_pages.ok() || !page_size.ok()) return 0;
  return (*pages - *free_pages) * *page_size;
}

void Database::Recycle(std::string sql, sqlite3_stmt* statement) {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  idle_.emplace(std::move(sql), statement);
}

}  // namespace skerry::sqlite
