#include "services/router-svc/store/sqlite_message_store.h"

#include <algorithm>

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

constexpr int64_t kRowBytes = 256;

// Ids that may have been given in the meantime are not given again.
absl::Status AfterRepair(sqlite::Database& database, const sqlite::Repair&) {
  return database.Execute(
      "INSERT INTO store VALUES (1, 1, -1) ON CONFLICT DO NOTHING;"
      "UPDATE store SET next_id = 4294967296 + max(next_id, coalesce((SELECT max(id) FROM "
      "message), 0));"
      "UPDATE store SET checksum = row_checksum(next_id)");
}

int64_t SizeOf(const NewMessage& m) {
  return static_cast<int64_t>(m.payload.size() + m.key.size() + m.source.size() + m.rule.size()) +
         kRowBytes;
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

absl::Status Unknown(int64_t id) {
  return Error(absl::StatusCode::kNotFound, absl::StrCat("there is no dead letter ", id))
      .Reason("DEAD_LETTER_UNKNOWN");
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteMessageStore>> SqliteMessageStore::Open(
    const std::string& path, const Bounds& bounds, const sqlite::Environment& environment) {
  const sqlite::DatabaseOptions options{.path = path,
                                        .size_bytes_max = bounds.size_bytes_max,
                                        .keep_room = true,
                                        .after_repair = AfterRepair,
                                        .environment = environment};
  absl::StatusOr<std::unique_ptr<sqlite::Database>> database =
      sqlite::Database::Open(options, kMigrations);
  if (!database.ok()) return Annotate(database.status(), "message store");
  std::unique_ptr<SqliteMessageStore> store(new SqliteMessageStore(*std::move(database), bounds));
  absl::MutexLock lock(&store->mutex_);
  if (absl::Status loaded = store->Load(); !loaded.ok()) return Annotate(loaded, "message store");
  return store;
}

absl::Status SqliteMessageStore::Load() {
  {
    sqlite::Statement row = database_->Prepare("SELECT next_id FROM store");
    SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
    if (!found) return database_->Damaged("the message store's own row is missing");
    totals_.next_id = row.Int(0);
  }
  sqlite::Statement row = database_->Prepare(
      "SELECT dead, rule, count(*), sum(length(payload) + length(CAST(key AS BLOB)) +"
      "  length(CAST(source AS BLOB)) + length(CAST(rule AS BLOB))) FROM message GROUP BY dead, "
      "rule");
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
    if (!found) return absl::OkStatus();
    Totals::Size& size = row.Int(0) != 0 ? totals_.letters : totals_.waiting[row.Text(1)];
    size.count += row.Int(2);
    size.bytes += row.Int(3) + row.Int(2) * kRowBytes;
  }
}

absl::Status SqliteMessageStore::Change(absl::FunctionRef<absl::Status(Totals&)> body) {
  Totals totals;
  SKERRY_RETURN_IF_ERROR(
      database_->Transaction([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
        totals = totals_;
        SKERRY_RETURN_IF_ERROR(body(totals));
        if (totals.next_id == totals_.next_id) return absl::OkStatus();
        return database_->Prepare("UPDATE store SET next_id = ?1, checksum = row_checksum(?1)")
            .Bind(1, totals.next_id)
            .Run();
      }));
  totals_ = std::move(totals);
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> SqliteMessageStore::LastSequence(const EventSource& source) {
  sqlite::Statement row =
      database_->Prepare("SELECT store_id, sequence FROM place WHERE node = ?1 AND stream = ?2");
  row.Bind(1, source.node).Bind(2, source.stream);
  SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
  if (!found || row.Text(0) != source.store_id) return 0;
  return static_cast<uint64_t>(row.Int(1));
}

absl::Status SqliteMessageStore::SetLast(const EventSource& source, uint64_t sequence) {
  return database_
      ->Prepare(
          "INSERT OR REPLACE INTO place VALUES (?1, ?2, ?3, ?4, row_checksum(?1, ?2, ?3, ?4))")
      .Bind(1, source.node)
      .Bind(2, source.stream)
      .Bind(3, source.store_id)
      .Bind(4, static_cast<int64_t>(sequence))
      .Run();
}

absl::Status SqliteMessageStore::Insert(const DeadLetter& m, bool dead) {
  return database_
      ->Prepare(
          "INSERT INTO message VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
          " row_checksum(?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12))")
      .Bind(1, m.id)
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

absl::Status SqliteMessageStore::Put(NewMessage message, absl::Time now, Totals& totals,
                                     Accepted& accepted) {
  const int64_t size = SizeOf(message);
  Totals::Size& waiting = totals.waiting[message.rule];
  const bool dead = waiting.bytes + size > bounds_.rule_bytes_max;
  DeadLetter row;
  static_cast<NewMessage&>(row) = std::move(message);
  row.id = totals.next_id++;
  row.receive_time = row.dead_time = now;
  if (dead) {
    row.error = absl::StrCat("RULE_QUEUE_FULL: messages of ", bounds_.rule_bytes_max,
                             " bytes wait for this rule's target");
  }
  SKERRY_RETURN_IF_ERROR(Insert(row, dead));
  Totals::Size& total = dead ? totals.letters : waiting;
  ++total.count;
  total.bytes += size;
  ++(dead ? accepted.overflowed : accepted.waiting)[row.rule];
  return absl::OkStatus();
}

absl::StatusOr<Accepted> SqliteMessageStore::Accept(const EventSource& source,
                                                    const std::vector<NewEvent>& events,
                                                    absl::Time now) {
  absl::MutexLock lock(&mutex_);
  Accepted accepted;
  const absl::Status status =
      Change([&](Totals& totals) ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
        SKERRY_ASSIGN_OR_RETURN(const uint64_t before, LastSequence(source));
        uint64_t last = before;
        for (const NewEvent& event : events) {
          if (event.sequence <= last) {
            ++accepted.repeated;
            continue;
          }
          for (const NewMessage& message : event.messages)
            SKERRY_RETURN_IF_ERROR(Put(message, now, totals, accepted));
          last = event.sequence;
        }
        SKERRY_RETURN_IF_ERROR(MakeRoom(totals, accepted.letters_dropped));
        return last == before ? absl::OkStatus() : SetLast(source, last);
      });
  if (!status.ok()) return status;
  return accepted;
}

absl::StatusOr<std::vector<Message>> SqliteMessageStore::Waiting(const std::string& rule,
                                                                 size_t count_max) {
  absl::MutexLock lock(&mutex_);
  sqlite::Statement row = database_->Prepare(
      absl::StrCat(kColumns, " WHERE dead = 0 AND rule = ?1 ORDER BY id LIMIT ?2"));
  row.Bind(1, rule).Bind(2, static_cast<int64_t>(count_max));
  std::vector<Message> messages;
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
    if (!found) return messages;
    messages.push_back(Read(row));
  }
}

std::vector<std::string> SqliteMessageStore::RulesWaiting() {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> rules;
  for (const auto& [rule, size] : totals_.waiting) {
    if (size.count > 0) rules.push_back(rule);
  }
  return rules;
}

absl::StatusOr<DeadLetter> SqliteMessageStore::Find(int64_t id, bool dead) {
  sqlite::Statement row =
      database_->Prepare(absl::StrCat(kColumns, " WHERE id = ?1 AND dead = ?2"));
  row.Bind(1, id).Bind(2, static_cast<int64_t>(dead));
  SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
  if (!found) return Unknown(id);
  return Read(row);
}

absl::Status SqliteMessageStore::Delete(int64_t id) {
  return database_->Prepare("DELETE FROM message WHERE id = ?1").Bind(1, id).Run();
}

absl::Status SqliteMessageStore::Remove(const std::vector<int64_t>& ids) {
  if (ids.empty()) return absl::OkStatus();
  absl::MutexLock lock(&mutex_);
  return Change([&](Totals& totals) ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
    for (const int64_t id : ids) {
      const absl::StatusOr<DeadLetter> message = Find(id, false);
      if (absl::IsNotFound(message.status())) continue;
      SKERRY_RETURN_IF_ERROR(message.status());
      SKERRY_RETURN_IF_ERROR(Delete(id));
      Totals::Size& waiting = totals.waiting[message->rule];
      --waiting.count;
      waiting.bytes -= SizeOf(*message);
      if (waiting.count == 0) totals.waiting.erase(message->rule);
    }
    return absl::OkStatus();
  });
}

// The oldest letters go until the rest is within the bound.
absl::Status SqliteMessageStore::MakeRoom(Totals& totals, int64_t& dropped) {
  while (totals.letters.bytes > bounds_.letter_bytes_max) {
    DeadLetter oldest;
    {
      sqlite::Statement row =
          database_->Prepare(absl::StrCat(kColumns, " WHERE dead = 1 ORDER BY id LIMIT 1"));
      SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
      if (!found)
        return database_->Damaged("the message store counts dead letters that it has not");
      oldest = Read(row);
    }
    SKERRY_RETURN_IF_ERROR(Delete(oldest.id));
    --totals.letters.count;
    totals.letters.bytes -= SizeOf(oldest);
    ++dropped;
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> SqliteMessageStore::Bury(int64_t id, absl::string_view error,
                                                 absl::Time now) {
  absl::MutexLock lock(&mutex_);
  int64_t dropped = 0;
  const absl::Status status =
      Change([&](Totals& totals) ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
        SKERRY_ASSIGN_OR_RETURN(DeadLetter letter, Find(id, false));
        SKERRY_RETURN_IF_ERROR(Delete(id));
        letter.error = std::string(error);
        letter.dead_time = now;
        SKERRY_RETURN_IF_ERROR(Insert(letter, true));
        Totals::Size& waiting = totals.waiting[letter.rule];
        --waiting.count;
        waiting.bytes -= SizeOf(letter);
        if (waiting.count == 0) totals.waiting.erase(letter.rule);
        ++totals.letters.count;
        totals.letters.bytes += SizeOf(letter);
        return MakeRoom(totals, dropped);
      });
  if (!status.ok()) return status;
  return dropped;
}

absl::StatusOr<std::vector<DeadLetter>> SqliteMessageStore::Letters(const std::string& rule,
                                                                    int64_t after,
                                                                    size_t count_max) {
  absl::MutexLock lock(&mutex_);
  sqlite::Statement row = database_->Prepare(absl::StrCat(kColumns, " WHERE dead = 1 AND id > ?1",
                                                          rule.empty() ? "" : " AND rule = ?3",
                                                          " ORDER BY id LIMIT ?2"));
  row.Bind(1, after).Bind(2, static_cast<int64_t>(count_max));
  if (!rule.empty()) row.Bind(3, rule);
  std::vector<DeadLetter> letters;
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
    if (!found) return letters;
    letters.push_back(Read(row));
  }
}

absl::StatusOr<std::string> SqliteMessageStore::Replay(int64_t id, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  std::string rule;
  const absl::Status status =
      Change([&](Totals& totals) ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
        SKERRY_ASSIGN_OR_RETURN(DeadLetter letter, Find(id, true));
        rule = letter.rule;
        Totals::Size& waiting = totals.waiting[rule];
        if (waiting.bytes + SizeOf(letter) > bounds_.rule_bytes_max) {
          return Error(absl::StatusCode::kResourceExhausted,
                       absl::StrCat("too much waits for rule ", rule, ": try again later"))
              .Reason("RULE_QUEUE_FULL");
        }
        SKERRY_RETURN_IF_ERROR(Delete(id));
        letter.id = totals.next_id++;
        letter.receive_time = now;
        letter.error.clear();
        SKERRY_RETURN_IF_ERROR(Insert(letter, false));
        ++waiting.count;
        waiting.bytes += SizeOf(letter);
        --totals.letters.count;
        totals.letters.bytes -= SizeOf(letter);
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  return rule;
}

absl::Status SqliteMessageStore::Drop(int64_t id) {
  absl::MutexLock lock(&mutex_);
  return Change([&](Totals& totals) ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
    SKERRY_ASSIGN_OR_RETURN(const DeadLetter letter, Find(id, true));
    SKERRY_RETURN_IF_ERROR(Delete(id));
    --totals.letters.count;
    totals.letters.bytes -= SizeOf(letter);
    return absl::OkStatus();
  });
}

MessageStats SqliteMessageStore::stats() {
  absl::MutexLock lock(&mutex_);
  MessageStats stats{.letters = totals_.letters.count, .letter_bytes = totals_.letters.bytes};
  for (const auto& [rule, size] : totals_.waiting) {
    stats.waiting += size.count;
    stats.waiting_bytes += size.bytes;
  }
  return stats;
}

}  // namespace skerry::router
