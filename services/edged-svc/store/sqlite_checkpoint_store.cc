#include "services/edged-svc/store/sqlite_checkpoint_store.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

constexpr const char* kMigrations[] = {
    "CREATE TABLE pod_checkpoint ("
    "  uid TEXT PRIMARY KEY,"
    "  name_space TEXT NOT NULL,"
    "  name TEXT NOT NULL,"
    "  status TEXT NOT NULL,"
    "  crashes TEXT NOT NULL"  // "<container> <delay ms> <last update, unix ms>" a line.
    ") WITHOUT ROWID",
    "ALTER TABLE pod_checkpoint ADD COLUMN grace_seconds INTEGER NOT NULL DEFAULT 30",
    "ALTER TABLE pod_checkpoint ADD COLUMN checksum INTEGER NOT NULL DEFAULT -1"};

std::string PackCrashes(const std::map<std::string, Backoff>& crashes) {
  std::string out;
  for (const auto& [container, backoff] : crashes)
    absl::StrAppend(&out, container, " ", absl::ToInt64Milliseconds(backoff.delay), " ",
                    absl::ToUnixMillis(backoff.last_update), "\n");
  return out;
}

std::map<std::string, Backoff> UnpackCrashes(const std::string& text) {
  std::map<std::string, Backoff> out;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> parts = absl::StrSplit(line, ' ');
    int64_t delay = 0, update = 0;
    if (parts.size() != 3 || !absl::SimpleAtoi(parts[1], &delay) ||
        !absl::SimpleAtoi(parts[2], &update))
      continue;
    out[std::string(parts[0])] = {absl::Milliseconds(delay), absl::FromUnixMillis(update)};
  }
  return out;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteCheckpointStore>> SqliteCheckpointStore::Open(
    const std::string& path, const sqlite::Environment& environment) {
  // Not synced at every commit: after a power cut the runtime's own records, which are, tell the
  // last of what happened, and a pod that starts does not wait for the disk.
  const sqlite::DatabaseOptions options{
      .path = path,
      .full_sync = false,
      .keep_room = true,
      // Each record stands for itself. One of the copy whose pod has gone meanwhile goes like any
      // pod that is not named.
      .after_repair = [](sqlite::Database&, const sqlite::Repair&) { return absl::OkStatus(); },
      .copied_tables = {"pod_checkpoint"},
      .environment = environment};
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<sqlite::Database> database,
                          sqlite::Database::Open(options, kMigrations));
  return std::unique_ptr<SqliteCheckpointStore>(new SqliteCheckpointStore(std::move(database)));
}

absl::Status SqliteCheckpointStore::Put(const PodCheckpoint& checkpoint) {
  absl::MutexLock lock(&mutex_);
  copied_ = false;
  return database_
      ->Prepare(
          "INSERT INTO pod_checkpoint (uid, name_space, name, status, crashes, grace_seconds, "
          "checksum) "
          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, row_checksum(?1, ?2, ?3, ?4, ?5, ?6)) "
          "ON CONFLICT (uid) DO UPDATE SET status = excluded.status, crashes = excluded.crashes, "
          "grace_seconds = excluded.grace_seconds, checksum = excluded.checksum, "
          "name_space = excluded.name_space, name = excluded.name")
      .Bind(1, checkpoint.uid)
      .Bind(2, checkpoint.name_space)
      .Bind(3, checkpoint.name)
      .Bind(4, checkpoint.status_json)
      .Bind(5, PackCrashes(checkpoint.crashes))
      .Bind(6, checkpoint.grace_seconds)
      .Run();
}

absl::Status SqliteCheckpointStore::Delete(absl::string_view uid) {
  absl::MutexLock lock(&mutex_);
  copied_ = false;
  return database_->Prepare("DELETE FROM pod_checkpoint WHERE uid = ?1").Bind(1, uid).Run();
}

absl::StatusOr<std::vector<PodCheckpoint>> SqliteCheckpointStore::Load() {
  absl::MutexLock lock(&mutex_);
  std::vector<PodCheckpoint> out;
  sqlite::Statement rows = database_->Prepare(
      "SELECT uid, name_space, name, status, crashes, grace_seconds FROM pod_checkpoint ORDER BY "
      "uid");
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) return out;
    out.push_back({rows.Text(0), rows.Text(1), rows.Text(2), rows.Text(3),
                   UnpackCrashes(rows.Text(4)), rows.Int(5)});
  }
}

absl::Status SqliteCheckpointStore::WriteCopy() {
  absl::MutexLock lock(&mutex_);
  if (copied_) return absl::OkStatus();
  SKERRY_RETURN_IF_ERROR(database_->WriteCopy());
  copied_ = true;
  return absl::OkStatus();
}

std::optional<sqlite::Repair> SqliteCheckpointStore::repair() const {
  absl::MutexLock lock(&mutex_);
  return database_->repair();
}

}  // namespace skerry::edged
