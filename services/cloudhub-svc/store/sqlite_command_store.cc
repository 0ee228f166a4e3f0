#include "services/cloudhub-svc/store/sqlite_command_store.h"

#include "absl/strings/str_cat.h"
#include "services/cloudhub-svc/store/command_rows.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::cloudhub {
namespace {

using command_rows::ReadStatus;
using command_rows::StatusBytes;
using link::CommandProgress;
using link::CommandStage;

// `stage` is a link::CommandStage; kDone and above have ended. Times are in microseconds.
constexpr const char* kMigrations[] = {
    "CREATE TABLE command ("
    "  sequence INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  node TEXT NOT NULL,"
    "  key TEXT NOT NULL,"
    "  type TEXT NOT NULL,"
    "  payload BLOB NOT NULL,"
    "  reexecutable INTEGER NOT NULL,"
    "  deadline_micros INTEGER NOT NULL,"
    "  create_micros INTEGER NOT NULL,"
    "  expire_micros INTEGER NOT NULL,"
    "  stage INTEGER NOT NULL,"
    "  at_box INTEGER NOT NULL,"
    "  started INTEGER NOT NULL,"
    "  status BLOB NOT NULL,"  // google.rpc.Status.
    "  response BLOB NOT NULL,"
    "  update_micros INTEGER NOT NULL,"
    "  UNIQUE (node, key)) STRICT;"
    "CREATE INDEX command_unended ON command (node, sequence) WHERE stage < 4;"
    "CREATE INDEX command_due ON command (expire_micros) WHERE stage < 4;"
    "CREATE INDEX command_ended ON command (update_micros) WHERE stage >= 4;",
};

// In the order in which Row reads them.
constexpr absl::string_view kColumns =
    "node, key, type, reexecutable, deadline_micros, create_micros, expire_micros, stage, at_box,"
    " started, status";

absl::StatusOr<StoredCommand> Row(const sqlite::Statement& read) {
  StoredCommand command;
  command.node = read.Text(0);
  command.key = read.Text(1);
  command.type = read.Text(2);
  command.reexecutable = read.Int(3) != 0;
  command.deadline = absl::Microseconds(read.Int(4));
  command.create_time = absl::FromUnixMicros(read.Int(5));
  command.expire_time = absl::FromUnixMicros(read.Int(6));
  command.progress.stage = static_cast<CommandStage>(read.Int(7));
  command.progress.at_box = read.Int(8) != 0;
  command.progress.started = read.Int(9) != 0;
  SKERRY_RETURN_IF_ERROR(ReadStatus(read.Text(10), command.progress.status));
  return command;
}

absl::StatusOr<std::vector<StoredCommand>> Rows(sqlite::Statement& read) {
  std::vector<StoredCommand> commands;
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (!found) return commands;
    SKERRY_ASSIGN_OR_RETURN(StoredCommand command, Row(read));
    commands.push_back(std::move(command));
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteCommandStore>> SqliteCommandStore::Open(
    const std::string& path, const CommandQueueBounds& bounds, int64_t size_bytes_max, Clock& clock,
    const sqlite::Environment& environment) {
  absl::StatusOr<std::unique_ptr<sqlite::Database>> database = sqlite::Database::Open(
      {.path = path, .size_bytes_max = size_bytes_max, .environment = environment}, kMigrations);
  if (!database.ok()) return Annotate(database.status(), "command store");
  return std::unique_ptr<SqliteCommandStore>(
      new SqliteCommandStore(*std::move(database), bounds, clock));
}

absl::StatusOr<bool> SqliteCommandStore::Insert(const StoredCommand& command) {
  absl::MutexLock lock(&mutex_);
  bool inserted = false;
  SKERRY_RETURN_IF_ERROR(database_->Transaction([&]() -> absl::Status {
    mutex_.AssertHeld();
    {
      sqlite::Statement read =
          database_->Prepare("SELECT 1 FROM command WHERE node = ?1 AND key = ?2");
      read.Bind(1, command.node).Bind(2, command.key);
      SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
      if (found) return absl::OkStatus();
    }
    SKERRY_RETURN_IF_ERROR(CheckRoom(command));
    sqlite::Statement insert = database_->Prepare(
        "INSERT INTO command (node, key, type, payload, reexecutable, deadline_micros,"
        "  create_micros, expire_micros, stage, at_box, started, status, response, update_micros)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 0, 0, x'', x'', ?7)");
    insert.Bind(1, command.node).Bind(2, command.key).Bind(3, command.type);
    insert.BindBlob(4, command.payload).Bind(5, int64_t{command.reexecutable});
    insert.Bind(6, absl::ToInt64Microseconds(command.deadline));
    insert.Bind(7, absl::ToUnixMicros(command.create_time));
    insert.Bind(8, absl::ToUnixMicros(command.expire_time));
    SKERRY_RETURN_IF_ERROR(insert.Run());
    inserted = true;
    return absl::OkStatus();
  }));
  return inserted;
}

absl::Status SqliteCommandStore::CheckRoom(const StoredCommand& command) {
  sqlite::Statement read = database_->Prepare(
      "SELECT COUNT(*), COALESCE(SUM(length(payload)), 0) FROM command"
      " WHERE node = ?1 AND stage < 4");
  read.Bind(1, command.node);
  SKERRY_RETURN_IF_ERROR(read.Step().status());
  return command_rows::CheckRoom(command, bounds_, read.Int(0), read.Int(1));
}

absl::StatusOr<std::optional<StoredCommand>> SqliteCommandStore::Find(absl::string_view node,
                                                                      absl::string_view key) {
  absl::MutexLock lock(&mutex_);
  sqlite::Statement read = database_->Prepare(absl::StrCat(
      "SELECT ", kColumns, ", payload, response FROM command WHERE node = ?1 AND key = ?2"));
  read.Bind(1, node).Bind(2, key);
  SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
  if (!found) return std::nullopt;
  SKERRY_ASSIGN_OR_RETURN(StoredCommand command, Row(read));
  command.payload = read.Text(11);
  command.progress.response = read.Text(12);
  return std::optional<StoredCommand>(std::move(command));
}

absl::StatusOr<std::vector<StoredCommand>> SqliteCommandStore::Unended(absl::string_view node) {
  absl::MutexLock lock(&mutex_);
  sqlite::Statement read = database_->Prepare(absl::StrCat(
      "SELECT ", kColumns, " FROM command WHERE node = ?1 AND stage < 4 ORDER BY sequence"));
  read.Bind(1, node);
  return Rows(read);
}

absl::StatusOr<std::vector<StoredCommand>> SqliteCommandStore::List(absl::string_view node,
                                                                    absl::string_view after,
                                                                    size_t count_max) {
  absl::MutexLock lock(&mutex_);
  sqlite::Statement read = database_->Prepare(absl::StrCat(
      "SELECT ", kColumns, " FROM command WHERE node = ?1 AND key > ?2 ORDER BY key LIMIT ?3"));
  read.Bind(1, node).Bind(2, after).Bind(3, static_cast<int64_t>(count_max));
  return Rows(read);
}

absl::StatusOr<bool> SqliteCommandStore::Update(absl::string_view node, absl::string_view key,
                                                const CommandProgress& progress, uint64_t) {
  absl::MutexLock lock(&mutex_);
  sqlite::Statement update = database_->Prepare(
      "UPDATE command SET stage = ?3, at_box = ?4, started = ?5, status = ?6, response = ?7,"
      "  update_micros = ?8"
      " WHERE node = ?1 AND key = ?2 AND stage < 4"
      "  AND (?3 >= 4 OR (started <= ?5 AND (?3 = 0 OR stage <= ?3)))");
  update.Bind(1, node).Bind(2, key).Bind(3, static_cast<int64_t>(progress.stage));
  update.Bind(4, int64_t{progress.at_box}).Bind(5, int64_t{progress.started});
  update.BindBlob(6, StatusBytes(progress.status)).BindBlob(7, progress.response);
  update.Bind(8, absl::ToUnixMicros(clock_.Now()));
  SKERRY_RETURN_IF_ERROR(update.Run());
  return database_->Changes() > 0;
}

absl::StatusOr<bool> SqliteCommandStore::Cancel(absl::string_view node, absl::string_view key,
                                                const CommandProgress& end) {
  absl::MutexLock lock(&mutex_);
  sqlite::Statement update = database_->Prepare(
      "UPDATE command SET stage = ?3, status = ?4, update_micros = ?5"
      " WHERE node = ?1 AND key = ?2 AND stage < 4 AND at_box = 0");
  update.Bind(1, node).Bind(2, key).Bind(3, static_cast<int64_t>(end.stage));
  update.BindBlob(4, StatusBytes(end.status)).Bind(5, absl::ToUnixMicros(clock_.Now()));
  SKERRY_RETURN_IF_ERROR(update.Run());
  return database_->Changes() > 0;
}

absl::StatusOr<int64_t> SqliteCommandStore::Sweep(absl::Duration grace, absl::Duration retention) {
  absl::MutexLock lock(&mutex_);
  const absl::Time now = clock_.Now();
  int64_t ended = 0;
  SKERRY_RETURN_IF_ERROR(database_->Transaction([&]() -> absl::Status {
    mutex_.AssertHeld();
    for (const bool at_box : {false, true}) {
      const CommandProgress end = link::CommandTracker::EndOf(at_box);
      sqlite::Statement update = database_->Prepare(
          "UPDATE command SET stage = ?1, status = ?2, update_micros = ?3"
          " WHERE stage < 4 AND expire_micros <= ?5 AND at_box = ?4"
          "  AND expire_micros + deadline_micros * at_box <= ?5");
      update.Bind(1, static_cast<int64_t>(end.stage)).BindBlob(2, StatusBytes(end.status));
      update.Bind(3, absl::ToUnixMicros(now)).Bind(4, int64_t{at_box});
      update.Bind(5, absl::ToUnixMicros(now - grace));
      SKERRY_RETURN_IF_ERROR(update.Run());
      ended += database_->Changes();
    }
    sqlite::Statement remove =
        database_->Prepare("DELETE FROM command WHERE stage >= 4 AND update_micros < ?1");
    remove.Bind(1, absl::ToUnixMicros(now - retention));
    return remove.Run();
  }));
  return ended;
}

}  // namespace skerry::cloudhub
