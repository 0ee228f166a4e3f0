// The part of Database that takes over from a damaged file what can be read, and writes the copy.
#include <sqlite3.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/sqlite/database.h"
#include "services/lib/sqlite/handle.h"
#include "services/lib/sqlite/integrity.h"
#include "services/lib/sqlite/row_checksum.h"

namespace skerry::sqlite {
namespace {

constexpr size_t kSetAsideMax = 3;  // Damaged files that are kept, of each path.
constexpr const char* kSuffixes[] = {"", "-wal", "-shm"};

std::string NewPath(const std::string& path) { return path + ".new"; }
std::string CopyPath(const std::string& path) { return path + ".copy"; }

absl::Status RemoveDatabase(Storage& storage, const std::string& path) {
  for (const char* suffix : kSuffixes)
    SKERRY_RETURN_IF_ERROR(storage.Remove(absl::StrCat(path, suffix)));
  return absl::OkStatus();
}

// Makes `path` free: the file goes first, so that a log never lies beside a file that is not its
// own.
absl::StatusOr<std::string> SetAside(Storage& storage, const std::string& path) {
  int64_t seconds = absl::ToUnixSeconds(absl::Now());
  const std::string prefix = absl::StrCat(path, ".damaged-");
  while (storage.Exists(absl::StrCat(prefix, seconds))) ++seconds;
  const std::string target = absl::StrCat(prefix, seconds);
  for (const char* suffix : kSuffixes)
    SKERRY_RETURN_IF_ERROR(
        storage.Rename(absl::StrCat(path, suffix), absl::StrCat(target, suffix)));
  std::vector<std::string> kept;
  for (std::string& other : storage.List(prefix))
    if (other.find('-', prefix.size()) == std::string::npos) kept.push_back(std::move(other));
  for (size_t i = 0; i + kSetAsideMax < kept.size(); ++i)
    SKERRY_RETURN_IF_ERROR(RemoveDatabase(storage, kept[i]));
  return target;
}

std::vector<std::string> Common(const std::vector<Column>& a, const std::vector<Column>& b) {
  std::vector<std::string> names;
  for (const Column& column : a) {
    for (const Column& other : b)
      if (column.name == other.name) names.push_back(column.name);
  }
  return names;
}

// The order in which the table lies in the file.
std::string KeyOrder(const std::vector<Column>& columns, const char* direction) {
  std::vector<std::string> keys;
  for (size_t position = 1; position <= columns.size(); ++position) {
    for (const Column& column : columns)
      if (static_cast<size_t>(column.key_position) == position)
        keys.push_back(absl::StrCat(column.name, " ", direction));
  }
  return keys.empty() ? absl::StrCat("rowid ", direction) : absl::StrJoin(keys, ", ");
}

// Reads a table from both ends to where it is damaged, and writes the rows that are good. `whole`
// becomes false where one breaks a rule of the schema: it is not as it was written.
absl::Status TakeTable(sqlite3* from, sqlite3* to, const std::string& table, const char* conflict,
                       bool& whole) {
  SKERRY_ASSIGN_OR_RETURN(const std::vector<Column> source, ColumnsOf(from, table));
  SKERRY_ASSIGN_OR_RETURN(const std::vector<Column> target, ColumnsOf(to, table));
  SKERRY_ASSIGN_OR_RETURN(const std::string good, RowIsGood(from, table));
  const std::vector<std::string> names = Common(source, target);
  if (names.empty()) return absl::DataLossError("it has no columns that are known");
  const std::string list = absl::StrJoin(names, ", ");
  std::vector<std::string> marks(names.size(), "?");
  sqlite3_stmt* insert = nullptr;
  const std::string sql = absl::StrCat("INSERT OR ", conflict, " INTO ", table, " (", list,
                                       ") VALUES (", absl::StrJoin(marks, ", "), ")");
  if (sqlite3_prepare_v2(to, sql.c_str(), -1, &insert, nullptr) != SQLITE_OK) return LastError(to);
  absl::Status read, written;
  for (const char* direction : {"ASC", "DESC"}) {
    read = ForEachRow(from,
                      absl::StrCat("SELECT ", list, " FROM ", table,
                                   good.empty() ? "" : absl::StrCat(" WHERE ", good), " ORDER BY ",
                                   KeyOrder(source, direction)),
                      [&](sqlite3_stmt* row) {
                        for (int i = 0; i < static_cast<int>(names.size()); ++i)
                          sqlite3_bind_value(insert, i + 1, sqlite3_column_value(row, i));
                        const int code = sqlite3_step(insert) & 0xff;
                        if (code == SQLITE_CONSTRAINT || code == SQLITE_MISMATCH) {
                          whole = false;
                        } else if (code != SQLITE_DONE) {
                          written = LastError(to);
                        }
                        sqlite3_reset(insert);
                        return written;
                      });
    if (read.ok() || !written.ok()) break;
  }
  sqlite3_finalize(insert);
  return written;
}

}  // namespace

absl::Status Database::TakeOver(const DatabaseOptions& options, Repair& repair) {
  SKERRY_ASSIGN_OR_RETURN(const std::vector<std::string> tables, TablesOf(handle_));
  repair.incomplete = {tables.begin(), tables.end()};
  absl::StatusOr<HandleOwner> damaged = OpenHandle(options.path, *options.environment.storage);
  if (damaged.ok()) {
    for (const std::string& table : tables) {
      bool whole = CheckTable(damaged->get(), table).ok();
      const absl::Status taken = TakeTable(damaged->get(), handle_, table, "REPLACE", whole);
      if (absl::IsResourceExhausted(taken) || absl::IsUnavailable(taken)) return taken;
      if (whole && taken.ok()) repair.incomplete.erase(table);
    }
  }
  SKERRY_RETURN_IF_ERROR(TakeCopy(options, repair));
  for (const std::string& table : tables) {
    SKERRY_ASSIGN_OR_RETURN(const int64_t rows,
                            QueryInt(handle_, absl::StrCat("SELECT COUNT(*) FROM ", table)));
    repair.rows += rows;
  }
  return absl::OkStatus();
}

absl::Status Database::TakeCopy(const DatabaseOptions& options, Repair& repair) {
  const std::string copy = CopyPath(options.path);
  if (!options.environment.storage->Exists(copy)) return absl::OkStatus();
  absl::StatusOr<HandleOwner> good = OpenHandle(copy, *options.environment.storage);
  if (!good.ok() || !CheckIntegrity(good->get()).ok()) return absl::OkStatus();
  for (const std::string& table : options.copied_tables) {
    if (repair.incomplete.count(table) == 0) continue;
    bool whole = true;
    SKERRY_RETURN_IF_ERROR(TakeTable(good->get(), handle_, table, "IGNORE", whole));
    if (whole) repair.from_copy.insert(table);
  }
  return absl::OkStatus();
}

// The new file is whole before the damaged one makes room for it: a power cut in between leaves
// one of them, and FinishRepair() or the next start goes on from there.
absl::StatusOr<Repair> Database::RepairFile(const DatabaseOptions& options,
                                            absl::Span<const char* const> migrations) {
  Repair repair;
  Storage& storage = *options.environment.storage;
  const std::string fresh = NewPath(options.path);
  SKERRY_RETURN_IF_ERROR(RemoveDatabase(storage, fresh));
  if (options.after_repair != nullptr) {
    SKERRY_ASSIGN_OR_RETURN(
        std::unique_ptr<Database> database,
        Open({.path = fresh, .set_aside_damaged = false, .environment = options.environment},
             migrations));
    SKERRY_RETURN_IF_ERROR(database->Transaction([&]() -> absl::Status {
      SKERRY_RETURN_IF_ERROR(database->TakeOver(options, repair));
      return options.after_repair(*database, repair);
    }));
    SKERRY_RETURN_IF_ERROR(database->Execute("PRAGMA wal_checkpoint(TRUNCATE)"));
    database.reset();
    SKERRY_RETURN_IF_ERROR(storage.Remove(absl::StrCat(fresh, "-wal")));
  }
  SKERRY_ASSIGN_OR_RETURN(repair.set_aside, SetAside(storage, options.path));
  SKERRY_RETURN_IF_ERROR(storage.Rename(fresh, options.path));
  return repair;
}

absl::Status Database::FinishRepair(const DatabaseOptions& options) {
  Storage& storage = *options.environment.storage;
  if (storage.Exists(options.path)) return absl::OkStatus();
  // A log without its file, or of one that was being set aside.
  SKERRY_RETURN_IF_ERROR(RemoveDatabase(storage, options.path));
  return storage.Rename(NewPath(options.path), options.path);
}

absl::Status Database::WriteCopy() {
  // What went bad since the start would take the place of what is good in the former copy.
  SKERRY_RETURN_IF_ERROR(Note(CheckIntegrity(handle_)));
  const std::string copy = CopyPath(path_);
  const std::string fresh = NewPath(copy);
  SKERRY_RETURN_IF_ERROR(environment_.storage->Remove(fresh));
  SKERRY_RETURN_IF_ERROR(environment_.storage->Create(fresh));
  SKERRY_RETURN_IF_ERROR(
      Execute(absl::StrCat("VACUUM INTO '", absl::StrReplaceAll(fresh, {{"'", "''"}}), "'")));
  return environment_.storage->Rename(fresh, copy);
}

}  // namespace skerry::sqlite
