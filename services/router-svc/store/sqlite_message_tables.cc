#include "services/router-svc/store/sqlite_message_tables.h"

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::router {
namespace {

constexpr const char* kMigrations[] = {
    "CREATE TABLE store (one INTEGER PRIMARY KEY CHECK (one = 1), next_id INTEGER NOT NULL,"
    "  checksum INTEGER NOT NULL DEFAULT -1) STRICT;"
    "INSERT INTO store VALUES (1, 1, row_checksum(1));"
    "CREATE TABLE place ("
    "  node TEXT NOT NULL,"
    "  stream TEXT NOT NULL,"
    "  store_id TEXT NOT NULL,"
    "  sequence INTEGER NOT NULL,"  // Of the last event that was accepted.
    "  checksum INTEGER NOT NULL DEFAULT -1,"
    "  UNIQUE (node, stream)) STRICT;"
    "CREATE TABLE message ("
    "  id INTEGER PRIMARY KEY,"
    "  dead INTEGER NOT NULL,"  // 0: it waits. 1: a dead letter.
    "  rule TEXT NOT NULL,"
    "  rule_uid TEXT NOT NULL,"
    "  key TEXT NOT NULL,"
    "  node TEXT NOT NULL,"
    "  source TEXT NOT NULL,"
    "  content_type TEXT NOT NULL,"
    "  payload BLOB NOT NULL,"
    "  receive_micros INTEGER NOT NULL,"
    "  error TEXT NOT NULL,"
    "  dead_micros INTEGER NOT NULL,"
    "  checksum INTEGER NOT NULL DEFAULT -1) STRICT;"
    "CREATE INDEX message_rule ON message (dead, rule, id);",
};

constexpr char kColumns[] =
    "SELECT id, rule, rule_uid, key, node, source, content_type, payload, receive_micros, error,"
    "  dead_micros FROM message";

// Ids that may have been given in the meantime are not given again.
absl::Status AfterRepair(sqlite::Database& database, const sqlite::Repair&) {
  return database.Execute(
      "INSERT INTO store VALUES (1, 1, -1) ON CONFLICT DO NOTHING;"
      "UPDATE store SET next_id = 4294967296 + max(next_id, coalesce((SELECT max(id) FROM "
      "message), 0));"
      "UPDATE store SET checksum = row_checksum(next_id)");
}

DeadLetter Read(const sqlite::Statement& row) {
  DeadLetter letter;
  letter.id = row.Int(0);
  letter.rule = row.Text(1);
  letter.rule_uid = row.Text(2);
  letter.key = row.Text(3);
  letter.node = row.Text(4);
  letter.source = row.Text(5);
  letter.content_type = row.Text(6);
  letter.payload = row.Text(7);
  letter.receive_time = absl::FromUnixMicros(row.Int(8));
  letter.error = row.Text(9);
  letter.dead_time = absl::FromUnixMicros(row.Int(10));
  return letter;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteMessageTables>> SqliteMessageTables::Open(
    const std::string& path, int64_t size_bytes_max, const sqlite::Environment& environment) {
  const sqlite::DatabaseOptions options{.path = path,
                                        .size_bytes_max = size_bytes_max,
                                        .keep_room = true,
                                        .after_repair = AfterRepair,
                                        .environment = environment};
  absl::StatusOr<std::unique_ptr<sqlite::Database>> database =
      sqlite::Database::Open(options, kMigrations);
  if (!database.ok()) return Annotate(database.status(), "message store");
  std::unique_ptr<SqliteMessageTables> tables(new SqliteMessageTables(*std::move(database)));
  if (absl::Status loaded = tables->Load(); !loaded.ok()) return Annotate(loaded, "message store");
  return tables;
}

absl::Status SqliteMessageTables::Load() {
  sqlite::Statement row = database_->Prepare("SELECT next_id FROM store");
  SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
  if (!found) return database_->Damaged("the message store's own row is missing");
  next_id_ = row.Int(0);
  return absl::OkStatus();
}

absl::Status SqliteMessageTables::Transact(absl::FunctionRef<absl::Status()> body) {
  const int64_t before = next_id_;
  absl::Status done = database_->Transaction([&]() -> absl::Status {
    SKERRY_RETURN_IF_ERROR(body());
    if (next_id_ == before) return absl::OkStatus();
    return database_->Prepare("UPDATE store SET next_id = ?1, checksum = row_checksum(?1)")
        .Bind(1, next_id_)
        .Run();
  });
  if (!done.ok()) next_id_ = before;
  return done;
}

absl::StatusOr<std::vector<MessageTables::Size>> SqliteMessageTables::Sizes() {
  sqlite::Statement row = database_->Prepare(
      "SELECT dead, rule, count(*), sum(length(payload) + length(CAST(key AS BLOB)) +"
      "  length(CAST(source AS BLOB)) + length(CAST(rule AS BLOB))) FROM message GROUP BY dead,"
      " rule");
  std::vector<Size> sizes;
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
    if (!found) return sizes;
    sizes.push_back(
        {.rule = row.Text(1), .dead = row.Int(0) != 0, .count = row.Int(2), .bytes = row.Int(3)});
  }
}

absl::StatusOr<uint64_t> SqliteMessageTables::LastSequence(const EventSource& source) {
  sqlite::Statement row =
      database_->Prepare("SELECT store_id, sequence FROM place WHERE node = ?1 AND stream = ?2");
  row.Bind(1, source.node).Bind(2, source.stream);
  SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
  if (!found || row.Text(0) != source.store_id) return 0;
  return static_cast<uint64_t>(row.Int(1));
}

absl::Status SqliteMessageTables::SetLast(const EventSource& source, uint64_t sequence) {
  return database_
      ->Prepare(
          "INSERT OR REPLACE INTO place VALUES (?1, ?2, ?3, ?4, row_checksum(?1, ?2, ?3, ?4))")
      .Bind(1, source.node)
      .Bind(2, source.stream)
      .Bind(3, source.store_id)
      .Bind(4, static_cast<int64_t>(sequence))
      .Run();
}

absl::Status SqliteMessageTables::Insert(const DeadLetter& m, bool dead) {
  return database_
      ->Prepare(
          "INSERT INTO message VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
          " row_checksum(?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12))")
      .Bind(1, m.id == 0 ? next_id_++ : m.id)
      .Bind(2, static_cast<int64_t>(dead))
      .Bind(3, m.rule)
      .Bind(4, m.rule_uid)
      .Bind(5, m.key)
      .Bind(6, m.node)
      .Bind(7, m.source)
      .Bind(8, m.content_type)
      .BindBlob(9, m.payload)
      .Bind(10, absl::ToUnixMicros(m.receive_time))
      .Bind(11, m.error)
      .Bind(12, dead ? absl::ToUnixMicros(m.dead_time) : 0)
      .Run();
}

absl::StatusOr<std::optional<DeadLetter>> SqliteMessageTables::Find(int64_t id, bool dead) {
  sqlite::Statement row =
      database_->Prepare(absl::StrCat(kColumns, " WHERE id = ?1 AND dead = ?2"));
  row.Bind(1, id).Bind(2, static_cast<int64_t>(dead));
  SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
  if (!found) return std::nullopt;
  return std::optional(Read(row));
}

absl::Status SqliteMessageTables::Delete(int64_t id) {
  return database_->Prepare("DELETE FROM message WHERE id = ?1").Bind(1, id).Run();
}

absl::StatusOr<std::vector<DeadLetter>> SqliteMessageTables::List(bool dead,
                                                                  const std::string& rule,
                                                                  int64_t after, size_t count_max) {
  sqlite::Statement row = database_->Prepare(absl::StrCat(kColumns, " WHERE dead = ?1 AND id > ?2",
                                                          rule.empty() ? "" : " AND rule = ?4",
                                                          " ORDER BY id LIMIT ?3"));
  row.Bind(1, static_cast<int64_t>(dead)).Bind(2, after).Bind(3, static_cast<int64_t>(count_max));
  if (!rule.empty()) row.Bind(4, rule);
  std::vector<DeadLetter> found;
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool more, row.Step());
    if (!more) return found;
    found.push_back(Read(row));
  }
}

}  // namespace skerry::router
