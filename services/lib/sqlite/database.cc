#include "services/lib/sqlite/database.h"

#include <sqlite3.h>
#include <zlib.h>

#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/check.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/sqlite/handle.h"
#include "services/lib/sqlite/integrity.h"
#include "services/lib/sqlite/room.h"
#include "services/lib/sqlite/sqlite_errors.h"

namespace skerry::sqlite {
namespace {

constexpr char kMemoryPath[] = ":memory:";
constexpr int64_t kCheckBytesMax = 64 << 20;  // About 0.1 s of a core, and what the disk takes.

// Says in application_id that version and schema are as they were written: our statements, and
// further migrations, would fail or do harm else.
absl::StatusOr<int64_t> SchemaMark(sqlite3* handle, int64_t version) {
  SKERRY_ASSIGN_OR_RETURN(
      std::string text,
      QueryOne(handle,
               "SELECT group_concat(name || char(10) || sql, char(10)) FROM (SELECT name, sql FROM"
               " sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
               " ORDER BY rowid)"));
  absl::StrAppend(&text, "\n", version);
  const uLong sum = crc32_z(0, reinterpret_cast<const Bytef*>(text.data()), text.size());
  return static_cast<int64_t>(sum & 0x7fffffff);
}

absl::Status CheckSchema(sqlite3* handle, int64_t version) {
  SKERRY_ASSIGN_OR_RETURN(const int64_t mark, QueryInt(handle, "PRAGMA application_id"));
  if (mark == 0) return absl::OkStatus();  // From before the mark.
  SKERRY_ASSIGN_OR_RETURN(const int64_t expected, SchemaMark(handle, version));
  return mark == expected ? absl::OkStatus()
                          : StatusFromSqlite(SQLITE_CORRUPT, "its schema is not as it was made");
}

absl::Status Configure(sqlite3* handle, const DatabaseOptions& options) {
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

absl::Status MigrateTo(sqlite3* handle, int64_t version, const char* migration) {
  SKERRY_RETURN_IF_ERROR(
      Exec(handle, absl::StrCat("BEGIN IMMEDIATE;", migration, ";PRAGMA user_version=", version)));
  SKERRY_ASSIGN_OR_RETURN(const int64_t mark, SchemaMark(handle, version));
  return Exec(handle, absl::StrCat("PRAGMA application_id=", mark, ";COMMIT"));
}

absl::Status Migrate(sqlite3* handle, absl::Span<const char* const> migrations) {
  SKERRY_ASSIGN_OR_RETURN(const int64_t version, QueryInt(handle, "PRAGMA user_version"));
  SKERRY_RETURN_IF_ERROR(CheckSchema(handle, version));
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
    const absl::Status status = MigrateTo(handle, i + 1, migrations[static_cast<size_t>(i)]);
    if (!status.ok()) {
      if (sqlite3_get_autocommit(handle) == 0) Exec(handle, "ROLLBACK").IgnoreError();
      return Annotate(status, absl::StrCat("migration ", i + 1));
    }
  }
  return absl::OkStatus();
}

std::string SuspectPath(const std::string& path) { return path + ".suspect"; }

absl::Status Check(sqlite3* handle, const DatabaseOptions& options) {
  const std::string suspect = SuspectPath(options.path);
  const bool suspected =
      options.path != kMemoryPath && options.environment.storage->Exists(suspect);
  if (!suspected) {
    SKERRY_ASSIGN_OR_RETURN(const int64_t pages, QueryInt(handle, "PRAGMA page_count"));
    SKERRY_ASSIGN_OR_RETURN(const int64_t page_size, QueryInt(handle, "PRAGMA page_size"));
    if (pages * page_size > kCheckBytesMax) return absl::OkStatus();
  }
  SKERRY_RETURN_IF_ERROR(CheckIntegrity(handle));
  return suspected ? options.environment.storage->Remove(suspect) : absl::OkStatus();
}

absl::StatusOr<sqlite3*> OpenChecked(const DatabaseOptions& options,
                                     absl::Span<const char* const> migrations) {
  if (options.path != kMemoryPath)
    SKERRY_RETURN_IF_ERROR(options.environment.storage->Create(options.path));
  SKERRY_ASSIGN_OR_RETURN(HandleOwner handle,
                          OpenHandle(options.path, *options.environment.storage));
  SKERRY_RETURN_IF_ERROR(Judge(handle.get(), Configure(handle.get(), options)));
  if (options.check_integrity) SKERRY_RETURN_IF_ERROR(Check(handle.get(), options));
  SKERRY_RETURN_IF_ERROR(Migrate(handle.get(), migrations));
  if (options.keep_room) SKERRY_RETURN_IF_ERROR(PrepareRoom(handle.get()));
  return handle.Release();
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
  return database_->Note(LastError(database_->handle_));
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
  const bool on_disk = options.path != kMemoryPath;
  if (on_disk) SKERRY_RETURN_IF_ERROR(FinishRepair(options));
  std::optional<Repair> repair;
  absl::StatusOr<sqlite3*> handle = OpenChecked(options, migrations);
  // Where the schema itself was hit, what was taken over can be wrong, which a second repair leaves
  // out.
  for (int repairs = 0; repairs < 2 && absl::IsDataLoss(handle.status()); ++repairs) {
    if (!options.set_aside_damaged || !on_disk) break;
    absl::StatusOr<Repair> repaired = RepairFile(options, migrations);
    if (!repaired.ok()) {
      return Annotate(repaired.status(), absl::StrCat("repair of the database ", options.path));
    }
    repair = *std::move(repaired);
    handle = OpenChecked(options, migrations);
  }
  if (!handle.ok()) return Annotate(handle.status(), absl::StrCat("database ", options.path));
  std::unique_ptr<Database> database(new Database(options, *handle, std::move(repair)));
  database->TellSize();
  return database;
}

Database::Database(const DatabaseOptions& options, sqlite3* handle, std::optional<Repair> repair)
    : path_(options.path),
      keep_room_(options.keep_room),
      environment_(options.environment),
      handle_(handle),
      repair_(std::move(repair)) {}

Database::~Database() {
  for (auto& [sql, statement] : idle_) sqlite3_finalize(statement);
  if (keep_room_) LeaveRoom(handle_);
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

absl::Status Database::Execute(absl::string_view sql) {
  return Note(Exec(handle_, std::string(sql)));
}

absl::Status Database::Transaction(absl::FunctionRef<absl::Status()> body) {
  SKERRY_RETURN_IF_ERROR(Prepare("BEGIN IMMEDIATE").Run());
  absl::Status status = body();
  if (status.ok() && keep_room_) status = Tell(AllocatePages(handle_));
  if (status.ok()) status = Prepare("COMMIT").Run();
  // Some errors (a full disk) have rolled back by themselves.
  if (!status.ok() && sqlite3_get_autocommit(handle_) == 0) Exec(handle_, "ROLLBACK").IgnoreError();
  // What is in the log makes room for what only deletes.
  if (keep_room_ && GetErrorInfo(status).reason == "DATABASE_FULL")
    Exec(handle_, "PRAGMA wal_checkpoint(RESTART)").IgnoreError();
  if (status.ok()) TellSize();
  return status;
}

absl::Status Database::Tell(absl::Status status) {
  if (status.ok() || environment_.on_failure == nullptr) return status;
  const std::string reason = GetErrorInfo(status).reason;
  if (reason == "DATABASE_FULL" || reason == "DATABASE_IO" || reason == "DATABASE_INACCESSIBLE" ||
      reason == "DATABASE_DAMAGED") {
    environment_.on_failure(status);
  }
  return status;
}

absl::Status Database::Note(absl::Status status) {
  status = Tell(std::move(status));
  if (!absl::IsDataLoss(status) || path_ == kMemoryPath) return status;
  environment_.storage->Create(SuspectPath(path_)).IgnoreError();
  if (environment_.on_damage != nullptr) environment_.on_damage(status);
  return status;
}

absl::Status Database::Damaged(absl::string_view what) {
  return Note(StatusFromSqlite(SQLITE_CORRUPT, what));
}

void Database::TellSize() {
  if (environment_.on_size == nullptr) return;
  const int64_t bytes = SizeBytes();
  if (bytes > 0) environment_.on_size(bytes);  // Else it can't be read now.
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
