#include "services/cloudhub-svc/store/postgres_command_store.h"

#include <pqxx/pqxx>
#include <string>
#include <utility>

#include "services/cloudhub-svc/store/command_rows.h"
#include "services/lib/base/status_macros.h"

namespace skerry::cloudhub {
namespace {

using command_rows::ReadStatus;
using command_rows::StatusBytes;
using link::CommandProgress;
using link::CommandStage;
using postgres::Pool;
using Transaction = pqxx::transaction_base;

// Of a Sweep, so that it is done within its time; the rest is the next one's.
constexpr int kSweptMax = 2000;

// In the order in which Row reads them. With the present time.
constexpr char kColumns[] =
    "node, key, type, reexecutable, deadline, create_time, expire_time, stage, at_box, started,"
    " status, hub_micros()";
constexpr int kColumnCount = 12;

pqxx::binarystring Bytes(absl::string_view bytes) { return {bytes.data(), bytes.size()}; }

std::string BytesOf(const pqxx::field& field) { return pqxx::binarystring(field).str(); }

int16_t NumberOf(CommandStage stage) { return static_cast<int16_t>(stage); }

// `now` is the reader's.
absl::StatusOr<StoredCommand> Row(const pqxx::row& row, absl::Time now) {
  // Clocks that agree within a second are taken for one: what is told does not tremble.
  const absl::Duration ahead =
      absl::Trunc(now - absl::FromUnixMicros(row[11].as<int64_t>()), absl::Seconds(1));
  StoredCommand command;
  command.node = row[0].as<std::string>();
  command.key = BytesOf(row[1]);
  command.type = row[2].as<std::string>();
  command.reexecutable = row[3].as<bool>();
  command.deadline = absl::Microseconds(row[4].as<int64_t>());
  command.create_time = absl::FromUnixMicros(row[5].as<int64_t>()) + ahead;
  command.expire_time = absl::FromUnixMicros(row[6].as<int64_t>()) + ahead;
  command.progress.stage = static_cast<CommandStage>(row[7].as<int>());
  command.progress.at_box = row[8].as<bool>();
  command.progress.started = row[9].as<bool>();
  SKERRY_RETURN_IF_ERROR(ReadStatus(BytesOf(row[10]), command.progress.status));
  return command;
}

absl::StatusOr<std::vector<StoredCommand>> Rows(const pqxx::result& result, absl::Time now) {
  std::vector<StoredCommand> commands;
  for (const pqxx::row& row : result) {
    SKERRY_ASSIGN_OR_RETURN(StoredCommand command, Row(row, now));
    commands.push_back(std::move(command));
  }
  return commands;
}

// Until the transaction ends nobody else queues commands of the node.
void LockQueue(Transaction& transaction, const std::string& node) {
  transaction.exec_params("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
                          "skerry hub commands " + node);
}

// Whether the node's newest session is that one. No newer one begins until the transaction ends.
bool HoldSession(Transaction& transaction, const std::string& node, uint64_t epoch) {
  return !transaction
              .exec_params(
                  "SELECT 1 FROM hub_nodes WHERE node = $1 AND session_epoch = $2 FOR SHARE", node,
                  static_cast<int64_t>(epoch))
              .empty();
}

int64_t EndDue(Transaction& transaction, bool at_box, int64_t now, absl::Duration grace) {
  const CommandProgress end = link::CommandTracker::EndOf(at_box);
  return static_cast<int64_t>(
      transaction
          .exec_params("UPDATE hub_commands SET stage = $1, status = $2, update_time = $3"
                       " WHERE sequence IN (SELECT sequence FROM hub_commands"
                       "  WHERE stage < 4 AND expire_time <= $4 AND at_box = $5"
                       "   AND expire_time + deadline * at_box::int <= $4"
                       "  LIMIT $6 FOR UPDATE SKIP LOCKED)",
                       NumberOf(end.stage), Bytes(StatusBytes(end.status)), now,
                       now - absl::ToInt64Microseconds(grace), at_box, kSweptMax)
          .affected_rows());
}

}  // namespace

absl::StatusOr<bool> PostgresCommandStore::Insert(const StoredCommand& command) {
  bool inserted = false;
  SKERRY_RETURN_IF_ERROR(pool_.Transact(
      "queue command", Pool::Mode::kWrite, [&](Transaction& transaction) -> absl::Status {
        inserted = false;
        LockQueue(transaction, command.node);
        const pqxx::result known =
            transaction.exec_params("SELECT 1 FROM hub_commands WHERE node = $1 AND key = $2",
                                    command.node, Bytes(command.key));
        if (!known.empty()) return absl::OkStatus();
        const pqxx::row queued = transaction.exec_params1(
            "SELECT count(*), COALESCE(sum(octet_length(payload)), 0) FROM hub_commands"
            " WHERE node = $1 AND stage < 4",
            command.node);
        SKERRY_RETURN_IF_ERROR(command_rows::CheckRoom(command, bounds_, queued[0].as<int64_t>(),
                                                       queued[1].as<int64_t>()));
        transaction.exec_params(
            "INSERT INTO hub_commands (node, key, type, payload, reexecutable, deadline,"
            " create_time, expire_time, update_time)"
            " SELECT $1, $2, $3, $4, $5, $6, now, now + $7, now FROM hub_micros() AS now",
            command.node, Bytes(command.key), command.type, Bytes(command.payload),
            command.reexecutable, absl::ToInt64Microseconds(command.deadline),
            absl::ToInt64Microseconds(command.expire_time - command.create_time));
        inserted = true;
        return absl::OkStatus();
      }));
  return inserted;
}

absl::StatusOr<std::optional<StoredCommand>> PostgresCommandStore::Find(absl::string_view node,
                                                                        absl::string_view key) {
  std::optional<StoredCommand> found;
  SKERRY_RETURN_IF_ERROR(pool_.Transact(
      "find command", Pool::Mode::kSnapshot, [&](Transaction& transaction) -> absl::Status {
        found.reset();
        const pqxx::result rows =
            transaction.exec_params(std::string("SELECT ") + kColumns +
                                        ", payload, response FROM hub_commands"
                                        " WHERE node = $1 AND key = $2",
                                    std::string(node), Bytes(key));
        if (rows.empty()) return absl::OkStatus();
        SKERRY_ASSIGN_OR_RETURN(found, Row(rows[0], clock_.Now()));
        found->payload = BytesOf(rows[0][kColumnCount]);
        found->progress.response = BytesOf(rows[0][kColumnCount + 1]);
        return absl::OkStatus();
      }));
  return found;
}

absl::StatusOr<std::vector<StoredCommand>> PostgresCommandStore::Unended(absl::string_view node) {
  std::vector<StoredCommand> commands;
  SKERRY_RETURN_IF_ERROR(pool_.Transact(
      "read queued commands", Pool::Mode::kSnapshot, [&](Transaction& transaction) -> absl::Status {
        SKERRY_ASSIGN_OR_RETURN(
            commands,
            Rows(transaction.exec_params(std::string("SELECT ") + kColumns +
                                             " FROM hub_commands WHERE node = $1 AND stage < 4"
                                             " ORDER BY sequence",
                                         std::string(node)),
                 clock_.Now()));
        return absl::OkStatus();
      }));
  return commands;
}

absl::StatusOr<std::vector<StoredCommand>> PostgresCommandStore::List(absl::string_view node,
                                                                      absl::string_view after,
                                                                      size_t count_max) {
  std::vector<StoredCommand> commands;
  SKERRY_RETURN_IF_ERROR(pool_.Transact(
      "list commands", Pool::Mode::kSnapshot, [&](Transaction& transaction) -> absl::Status {
        SKERRY_ASSIGN_OR_RETURN(
            commands, Rows(transaction.exec_params(std::string("SELECT ") + kColumns +
                                                       " FROM hub_commands WHERE node = $1"
                                                       " AND key > $2 ORDER BY key LIMIT $3",
                                                   std::string(node), Bytes(after),
                                                   static_cast<int64_t>(count_max)),
                           clock_.Now()));
        return absl::OkStatus();
      }));
  return commands;
}

absl::StatusOr<bool> PostgresCommandStore::Update(absl::string_view node, absl::string_view key,
                                                  const CommandProgress& progress, uint64_t epoch) {
  bool updated = false;
  SKERRY_RETURN_IF_ERROR(
      pool_.Transact("update command", Pool::Mode::kWrite, [&](Transaction& transaction) {
        updated = HoldSession(transaction, std::string(node), epoch) &&
                  transaction
                          .exec_params(
                              "UPDATE hub_commands SET stage = $3, at_box = $4, started = $5,"
                              " status = $6, response = $7, update_time = hub_micros()"
                              " WHERE node = $1 AND key = $2 AND stage < 4"
                              " AND ($3 >= 4 OR (started <= $5 AND ($3 = 0 OR stage <= $3)))",
                              std::string(node), Bytes(key), NumberOf(progress.stage),
                              progress.at_box, progress.started,
                              Bytes(StatusBytes(progress.status)), Bytes(progress.response))
                          .affected_rows() > 0;
        return absl::OkStatus();
      }));
  return updated;
}

absl::StatusOr<bool> PostgresCommandStore::Cancel(absl::string_view node, absl::string_view key,
                                                  const CommandProgress& end) {
  bool cancelled = false;
  SKERRY_RETURN_IF_ERROR(
      pool_.Transact("cancel command", Pool::Mode::kWrite, [&](Transaction& transaction) {
        cancelled = transaction
                        .exec_params(
                            "UPDATE hub_commands SET stage = $3, status = $4,"
                            " update_time = hub_micros()"
                            " WHERE node = $1 AND key = $2 AND stage < 4 AND NOT at_box",
                            std::string(node), Bytes(key), NumberOf(end.stage),
                            Bytes(StatusBytes(end.status)))
                        .affected_rows() > 0;
        return absl::OkStatus();
      }));
  return cancelled;
}

absl::StatusOr<int64_t> PostgresCommandStore::Sweep(absl::Duration grace,
                                                    absl::Duration retention) {
  int64_t ended = 0;
  SKERRY_RETURN_IF_ERROR(
      pool_.Transact("sweep commands", Pool::Mode::kWrite, [&](Transaction& transaction) {
        ended = 0;
        const pqxx::row lock = transaction.exec1(
            "SELECT pg_try_advisory_xact_lock(hashtext('skerry hub command sweep')), hub_micros()");
        if (!lock[0].as<bool>()) return absl::OkStatus();
        const auto now = lock[1].as<int64_t>();
        for (const bool at_box : {false, true}) ended += EndDue(transaction, at_box, now, grace);
        transaction.exec_params(
            "DELETE FROM hub_commands WHERE sequence IN (SELECT sequence FROM hub_commands"
            " WHERE stage >= 4 AND update_time < $1 LIMIT $2)",
            now - absl::ToInt64Microseconds(retention), kSweptMax);
        return absl::OkStatus();
      }));
  return ended;
}

}  // namespace skerry::cloudhub
