#include "services/edgehub-svc/store/sqlite_command_store.h"

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/security/x509.h"

namespace skerry::edgehub {
namespace {

using link::edge::CommandRecord;
using State = CommandRecord::State;

// In the column `state`.
constexpr int64_t kStarted = 0;
constexpr int64_t kDone = 1;
constexpr int64_t kKeyOnly = 2;  // It has ended; status and response are no longer kept.

constexpr const char* kMigrations[] = {
    "CREATE TABLE store (id INTEGER PRIMARY KEY CHECK (id = 1), open_micros INTEGER NOT NULL,"
    "  checksum INTEGER NOT NULL DEFAULT -1) STRICT;"
    "CREATE TABLE command ("
    "  key TEXT PRIMARY KEY,"
    "  digest TEXT NOT NULL,"  // Of type and payload.
    "  state INTEGER NOT NULL,"
    "  status BLOB NOT NULL,"  // google.rpc.Status.
    "  response BLOB,"         // NULL where it was dropped.
    "  open_micros INTEGER NOT NULL,"
    "  checksum INTEGER NOT NULL DEFAULT -1) STRICT;"
    "CREATE INDEX command_by_age ON command (open_micros);"
    "CREATE INDEX command_by_response ON command (open_micros) WHERE length(response) > 0;",
};

constexpr absl::string_view kIntact =
    "checksum IN (-1, row_checksum(key, digest, state, status, response, open_micros))";

std::string DigestOf(const link::Command& command) {
  return security::Sha256Hex(absl::StrCat(command.type, "\n", command.payload));
}

CommandRecord Refused(absl::Status why) { return {State::kRefused, std::move(why), ""}; }

std::string StatusBytes(const absl::Status& status) {
  return rpc::ToProto(status).SerializeAsString();
}

// What does not parse is an error, too.
absl::Status StatusFrom(const std::string& bytes) {
  google::rpc::Status proto;
  if (!proto.ParseFromString(bytes)) return absl::DataLossError("the status does not parse");
  return rpc::FromProto(proto);
}

absl::Status OutcomeNotKept() {
  return Error(absl::StatusCode::kAborted,
               "the command was executed and is not executed again; the node no longer keeps how "
               "it ended")
      .Reason("COMMAND_OUTCOME_UNKNOWN");
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteCommandStore>> SqliteCommandStore::Open(
    const std::string& path, const CommandBounds& bounds, Clock& clock,
    const sqlite::Environment& environment) {
  const sqlite::DatabaseOptions options{
      .path = path,
      .keep_room = true,
      // A record stands for itself.
      .after_repair = [](sqlite::Database&, const sqlite::Repair&) { return absl::OkStatus(); },
      .environment = environment};
  absl::StatusOr<std::unique_ptr<sqlite::Database>> database =
      sqlite::Database::Open(options, kMigrations);
  if (!database.ok()) return Annotate(database.status(), "command store");
  std::unique_ptr<SqliteCommandStore> store(
      new SqliteCommandStore(*std::move(database), bounds, clock));
  absl::Status loaded = store->Load();
  if (!loaded.ok()) return Annotate(loaded, "command store");
  return store;
}

absl::Status SqliteCommandStore::Load() {
  {
    sqlite::Statement insert = database_->Prepare(
        "INSERT INTO store (id, open_micros, checksum) VALUES (1, 0, row_checksum(0))"
        " ON CONFLICT DO NOTHING");
    SKERRY_RETURN_IF_ERROR(insert.Run());
  }
  {
    sqlite::Statement read = database_->Prepare(
        "SELECT max(open_micros, (SELECT COALESCE(MAX(open_micros), 0) FROM command))"
        " FROM store WHERE id = 1");
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (!found) return absl::DataLossError("the store's own row is missing");
    open_time_.Resume(read.Int(0));
  }
  SKERRY_ASSIGN_OR_RETURN(stats_, ReadStats());
  return absl::OkStatus();
}

absl::StatusOr<CommandStats> SqliteCommandStore::ReadStats() {
  sqlite::Statement read =
      database_->Prepare("SELECT COUNT(*), COALESCE(SUM(length(response)), 0) FROM command");
  SKERRY_RETURN_IF_ERROR(read.Step().status());
  return CommandStats{read.Int(0), read.Int(1)};
}

CommandRecord SqliteCommandStore::Begin(const link::Command& command, bool may_start) {
  absl::StatusOr<CommandRecord> record = CommandRecord{};
  bool fresh = false;
  absl::Status committed = database_->Transaction([&]() -> absl::Status {
    record = TryBegin(command, may_start, fresh);
    return record.status();
  });
  if (!committed.ok()) {
    // It may have been executed in an earlier session.
    return Refused(
        Error(absl::StatusCode::kAborted,
              absl::StrCat("the node's store fails, and whether the command was executed "
                           "is not known: ",
                           committed.message()))
            .Reason("COMMAND_OUTCOME_UNKNOWN"));
  }
  if (fresh) ++stats_.records;
  return *std::move(record);
}

absl::StatusOr<CommandRecord> SqliteCommandStore::TryBegin(const link::Command& command,
                                                           bool may_start, bool& fresh) {
  const std::string digest = DigestOf(command);
  bool known = false;
  {
    sqlite::Statement read = database_->Prepare(
        absl::StrCat("SELECT digest, state, ", kIntact, " FROM command WHERE key = ?1"));
    read.Bind(1, command.key);
    SKERRY_ASSIGN_OR_RETURN(known, read.Step());
    if (known && read.Int(2) == 0) return Damaged(command.key);
    if (known && read.Text(0) != digest) {
      return Refused(
          Error(absl::StatusCode::kInvalidArgument,
                "the node knows the key from a command with another type or payload: give each "
                "command a key of its own")
              .Reason("IDEMPOTENCY_KEY_REUSED"));
    }
    if (known && read.Int(1) != kStarted) return CommandRecord{State::kDone};
  }
  if (!may_start || (known && !command.reexecutable))
    return CommandRecord{known ? State::kStarted : State::kAbsent};
  if (known) {
    // It is at work for up to its deadline from now on.
    sqlite::Statement update = database_->Prepare(
        "UPDATE command SET open_micros = ?2,"
        " checksum = row_checksum(key, digest, state, status, response, ?2) WHERE key = ?1");
    update.Bind(1, command.key).Bind(2, open_time_.Micros());
    SKERRY_RETURN_IF_ERROR(update.Run());
    return CommandRecord{State::kBegun};
  }
  if (stats_.records >= bounds_.records_max) {
    return Refused(
        Error(absl::StatusCode::kResourceExhausted,
              absl::StrCat("the node remembers ", stats_.records,
                           " commands, which is all that it may; the oldest is forgotten ",
                           absl::FormatDuration(bounds_.key_retention), " after it ended"))
            .Reason("COMMAND_RECORDS_FULL"));
  }
  sqlite::Statement insert = database_->Prepare(
      "INSERT INTO command (key, digest, state, status, response, open_micros, checksum)"
      " VALUES (?1, ?2, ?3, x'', x'', ?4, row_checksum(?1, ?2, ?3, x'', x'', ?4))");
  insert.Bind(1, command.key).Bind(2, digest).Bind(3, kStarted).Bind(4, open_time_.Micros());
  SKERRY_RETURN_IF_ERROR(insert.Run());
  fresh = true;
  return CommandRecord{State::kBegun};
}

absl::Status SqliteCommandStore::Damaged(absl::string_view key) {
  return database_->Damaged(absl::StrCat("the record of command ", key, " has another checksum"));
}

absl::StatusOr<CommandStore::Finished> SqliteCommandStore::Finish(absl::string_view key,
                                                                  const absl::Status& status,
                                                                  absl::string_view response) {
  Finished finished;
  int64_t response_bytes = 0;
  SKERRY_RETURN_IF_ERROR(database_->Transaction([&]() -> absl::Status {
    response_bytes = stats_.response_bytes + static_cast<int64_t>(response.size());
    {
      sqlite::Statement update = database_->Prepare(
          "UPDATE command SET state = ?2, status = ?3, response = ?4, open_micros = ?5,"
          " checksum = row_checksum(key, digest, ?2, ?3, ?4, ?5)"
          " WHERE key = ?1 AND state = ?6");
      update.Bind(1, key).Bind(2, kDone).BindBlob(3, StatusBytes(status)).BindBlob(4, response);
      update.Bind(5, open_time_.Micros()).Bind(6, kStarted);
      SKERRY_RETURN_IF_ERROR(update.Run());
    }
    if (database_->Changes() == 0) return absl::NotFoundError("no such command is under way");
    SKERRY_ASSIGN_OR_RETURN(finished.responses_dropped, DropResponses(response_bytes));
    return absl::OkStatus();
  }));
  stats_.response_bytes = response_bytes;
  return finished;
}

absl::StatusOr<int64_t> SqliteCommandStore::DropResponses(int64_t& response_bytes) {
  int64_t dropped = 0;
  for (; response_bytes > bounds_.response_bytes_max; ++dropped) {
    std::string key;
    {
      sqlite::Statement read = database_->Prepare(
          "SELECT key, length(response) FROM command WHERE length(response) > 0"
          " ORDER BY open_micros LIMIT 1");
      SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
      if (!found) break;
      key = read.Text(0);
      response_bytes -= read.Int(1);
    }
    sqlite::Statement update = database_->Prepare(
        "UPDATE command SET response = NULL, checksum = row_checksum(key, digest, state,"
        " status, NULL, open_micros) WHERE key = ?1");
    update.Bind(1, key);
    SKERRY_RETURN_IF_ERROR(update.Run());
  }
  return dropped;
}

absl::Status SqliteCommandStore::Forget(absl::string_view key) {
  sqlite::Statement remove =
      database_->Prepare("DELETE FROM command WHERE key = ?1 AND state = ?2");
  remove.Bind(1, key).Bind(2, kStarted);
  SKERRY_RETURN_IF_ERROR(remove.Run());
  stats_.records -= database_->Changes();
  return absl::OkStatus();
}

CommandRecord SqliteCommandStore::Read(absl::string_view key) {
  absl::StatusOr<CommandRecord> record = TryRead(key);
  if (!record.ok()) return {State::kRefused, record.status(), ""};
  return *std::move(record);
}

absl::StatusOr<CommandRecord> SqliteCommandStore::TryRead(absl::string_view key) {
  sqlite::Statement read = database_->Prepare(
      absl::StrCat("SELECT state, status, response, ", kIntact, " FROM command WHERE key = ?1"));
  read.Bind(1, key);
  SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
  if (!found) return CommandRecord{};
  if (read.Int(3) == 0) return Damaged(key);
  if (read.Int(0) == kStarted) return CommandRecord{State::kStarted};
  if (read.Int(0) == kKeyOnly) return CommandRecord{State::kDone, OutcomeNotKept(), ""};
  absl::Status status = StatusFrom(read.Text(1));
  if (status.ok() && read.IsNull(2)) {
    status = Error(absl::StatusCode::kOutOfRange,
                   "the command was executed and ended well; the node has dropped its response")
                 .Reason("COMMAND_RESPONSE_DROPPED");
  }
  return CommandRecord{State::kDone, std::move(status), read.Text(2)};
}

absl::StatusOr<int64_t> SqliteCommandStore::DropExpired() {
  const int64_t open = open_time_.Micros();
  const int64_t outcome = open - absl::ToInt64Microseconds(bounds_.outcome_retention);
  const int64_t ended = open - absl::ToInt64Microseconds(bounds_.key_retention);
  // One that was started and did not end may be at work for as long as a deadline can be.
  const int64_t started = ended - absl::ToInt64Microseconds(link::kCommandDeadlineMax);
  int64_t dropped = 0;
  CommandStats stats;
  SKERRY_RETURN_IF_ERROR(database_->Transaction([&]() -> absl::Status {
    {
      sqlite::Statement remove = database_->Prepare(
          "DELETE FROM command WHERE open_micros < ?1 AND (state <> ?2 OR open_micros < ?3)");
      remove.Bind(1, ended).Bind(2, kStarted).Bind(3, started);
      SKERRY_RETURN_IF_ERROR(remove.Run());
    }
    dropped = database_->Changes();
    {
      sqlite::Statement update = database_->Prepare(
          "UPDATE command SET state = ?3, status = x'', response = NULL,"
          " checksum = row_checksum(key, digest, ?3, x'', NULL, open_micros)"
          " WHERE open_micros < ?1 AND state = ?2");
      update.Bind(1, outcome).Bind(2, kDone).Bind(3, kKeyOnly);
      SKERRY_RETURN_IF_ERROR(update.Run());
    }
    {
      sqlite::Statement update = database_->Prepare(
          "UPDATE store SET open_micros = ?1, checksum = row_checksum(?1) WHERE id = 1");
      update.Bind(1, open);
      SKERRY_RETURN_IF_ERROR(update.Run());
    }
    SKERRY_ASSIGN_OR_RETURN(stats, ReadStats());
    return absl::OkStatus();
  }));
  stats_ = stats;
  return dropped;
}

}  // namespace skerry::edgehub
