#include "services/edge-meta-svc/store/sqlite_meta_store.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/watch/resume_token.h"

namespace skerry::edgemeta {
namespace {

// revisions.object is the last state of a deleted object; that of an upserted one is in objects,
// unless a later change has replaced it.
constexpr const char* kMigrations[] = {
    R"sql(
CREATE TABLE store(
  one INTEGER PRIMARY KEY CHECK(one = 1), id TEXT NOT NULL, revision INTEGER NOT NULL, trimmed INTEGER NOT NULL);
INSERT INTO store VALUES(1, lower(hex(randomblob(8))), 0, 0);
CREATE TABLE objects(
  type TEXT NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL, revision INTEGER NOT NULL,
  sealed INTEGER NOT NULL, object BLOB NOT NULL, UNIQUE(type, key));
CREATE TABLE revisions(
  revision INTEGER PRIMARY KEY, type TEXT NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL,
  deleted INTEGER NOT NULL, sealed INTEGER NOT NULL, object BLOB NOT NULL, bytes INTEGER NOT NULL);
CREATE TABLE types(type TEXT PRIMARY KEY, synced_micros INTEGER NOT NULL);
CREATE TABLE reports(
  number INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, key TEXT NOT NULL, generation INTEGER NOT NULL,
  wall_micros INTEGER NOT NULL, logical INTEGER NOT NULL, value BLOB NOT NULL, UNIQUE(type, key));
)sql",
    // The time of the last report. Of those from before only some may be left.
    R"sql(
ALTER TABLE store ADD COLUMN report_micros INTEGER NOT NULL DEFAULT 0;
ALTER TABLE store ADD COLUMN report_logical INTEGER NOT NULL DEFAULT 0;
UPDATE store SET report_micros = coalesce((SELECT max(wall_micros) + 1 FROM reports), 0);
)sql",
    R"sql(
ALTER TABLE store ADD COLUMN checksum INTEGER NOT NULL DEFAULT -1;
ALTER TABLE objects ADD COLUMN checksum INTEGER NOT NULL DEFAULT -1;
ALTER TABLE reports ADD COLUMN checksum INTEGER NOT NULL DEFAULT -1;
)sql"};

constexpr char kSumStoreRow[] =
    "UPDATE store SET checksum = row_checksum(id, revision, trimmed, report_micros, "
    "report_logical)";

// Watchers can't be told what a repair changed, so their positions expire. Without all objects,
// from the file or the copy, nothing counts as named whole.
absl::Status AfterRepair(sqlite::Database& database, const sqlite::Repair& repair) {
  for (const char* table : {"objects", "types"}) {
    if (repair.incomplete.count(table) == 0 || repair.from_copy.count(table) > 0) continue;
    SKERRY_RETURN_IF_ERROR(database.Execute("DELETE FROM types"));
  }
  SKERRY_RETURN_IF_ERROR(database.Execute(
      "DELETE FROM revisions;"
      "UPDATE store SET id = lower(hex(randomblob(8))),"
      "  revision = max(revision, coalesce((SELECT max(revision) FROM objects), 0)),"
      "  report_micros = max(report_micros,"
      "    coalesce((SELECT max(wall_micros) + 1 FROM reports), 0));"
      "UPDATE store SET trimmed = revision"));
  return database.Execute(kSumStoreRow);
}

constexpr size_t kLogRowBytes = 128;  // What a row of the log is taken to cost beside its object.

std::string CipherName(absl::string_view type, absl::string_view key, absl::string_view version) {
  return absl::StrCat(type, "\n", key, "\n", version);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteMetaStore>> SqliteMetaStore::Open(
    const SqliteMetaStoreOptions& options) {
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<ObjectCipher> cipher,
                          ObjectCipher::OpenOrCreate(options.key_path));
  sqlite::DatabaseOptions database_options{.path = options.path,
                                           .size_bytes_max = options.size_bytes_max,
                                           .keep_room = true,
                                           .after_repair = AfterRepair,
                                           .copied_tables = {"objects", "types"},
                                           .environment = options.environment};
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<sqlite::Database> database,
                          sqlite::Database::Open(database_options, kMigrations));
  std::unique_ptr<SqliteMetaStore> store(
      new SqliteMetaStore(options, std::move(database), std::move(cipher)));
  SKERRY_RETURN_IF_ERROR(store->Load());
  return store;
}

SqliteMetaStore::SqliteMetaStore(const SqliteMetaStoreOptions& options,
                                 std::unique_ptr<sqlite::Database> database,
                                 std::unique_ptr<ObjectCipher> cipher)
    : options_(options), cipher_(std::move(cipher)), database_(std::move(database)) {}

absl::Status SqliteMetaStore::Load() {
  SKERRY_RETURN_IF_ERROR(DropUnreadable());
  absl::MutexLock lock(&mutex_);
  notes_.repair = database_->repair();
  notes_.key_created = cipher_->created();
  sqlite::Statement row = database_->Prepare(
      "SELECT id, revision, trimmed, (SELECT coalesce(sum(bytes), 0) FROM revisions), "
      "(SELECT coalesce(sum(length(value)), 0) FROM reports), report_micros, report_logical FROM "
      "store");
  SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
  if (!found) return absl::DataLossError("the store's own row is missing");
  id_ = row.Text(0);
  counters_ = {.revision = row.Int(1), .trimmed = row.Int(2), .log_bytes = row.Int(3)};
  report_bytes_ = row.Int(4);
  report_time_ = {row.Int(5), static_cast<uint32_t>(row.Int(6))};
  return absl::OkStatus();
}

// Encrypted rows that the key does not open are worth nothing. Watchers were not told of their end,
// so the store also takes a new id: every older position expires.
absl::Status SqliteMetaStore::DropUnreadable() {
  absl::MutexLock lock(&mutex_);
  std::vector<int64_t> lost;
  {
    sqlite::Statement row = database_->Prepare(
        "SELECT rowid, type, key, version, object FROM objects WHERE sealed = 1");
    while (true) {
      SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
      if (!found) break;
      std::string name = CipherName(row.Text(1), row.Text(2), row.Text(3));
      if (!cipher_->Open(name, row.Text(4)).ok()) lost.push_back(row.Int(0));
    }
  }
  if (lost.empty() && !cipher_->created()) return absl::OkStatus();
  notes_.dropped_objects = static_cast<int64_t>(lost.size());
  return database_->Transaction([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) -> absl::Status {
    for (int64_t rowid : lost) {
      SKERRY_RETURN_IF_ERROR(
          database_->Prepare("DELETE FROM objects WHERE rowid = ?1").Bind(1, rowid).Run());
    }
    SKERRY_RETURN_IF_ERROR(database_->Execute("DELETE FROM revisions"));
    SKERRY_RETURN_IF_ERROR(
        database_->Execute("UPDATE store SET id = lower(hex(randomblob(8))), trimmed = revision"));
    return SumStoreRow();
  });
}

absl::Status SqliteMetaStore::SumStoreRow() { return database_->Prepare(kSumStoreRow).Run(); }

absl::Status SqliteMetaStore::WriteCopy() {
  absl::MutexLock lock(&mutex_);
  if (copied_revision_ == counters_.revision) return absl::OkStatus();
  if (database_->SizeBytes() > options_.copy_bytes_max) return absl::OkStatus();
  SKERRY_RETURN_IF_ERROR(database_->WriteCopy());
  copied_revision_ = counters_.revision;
  return absl::OkStatus();
}

int64_t SqliteMetaStore::SizeBytes() {
  absl::MutexLock lock(&mutex_);
  return database_->SizeBytes();
}

absl::StatusOr<std::vector<watch::Change>> SqliteMetaStore::Apply(const Batch& batch,
                                                                  absl::Time now) {
  absl::MutexLock lock(&mutex_);
  std::vector<watch::Change> changes;
  Counters counters = counters_;
  SKERRY_RETURN_IF_ERROR(
      database_->Transaction([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) -> absl::Status {
        for (const Mutation& mutation : batch.mutations) {
          SKERRY_RETURN_IF_ERROR(ApplyOne(mutation, counters, changes));
        }
        SKERRY_RETURN_IF_ERROR(Trim(counters));
        for (const std::string& type : batch.synced) {
          SKERRY_RETURN_IF_ERROR(
              database_
                  ->Prepare("INSERT INTO types VALUES(?1, ?2) ON CONFLICT(type) DO UPDATE "
                            "SET synced_micros = excluded.synced_micros")
                  .Bind(1, absl::string_view(type))
                  .Bind(2, absl::ToUnixMicros(now))
                  .Run());
        }
        SKERRY_RETURN_IF_ERROR(database_->Prepare("UPDATE store SET revision = ?1, trimmed = ?2")
                                   .Bind(1, counters.revision)
                                   .Bind(2, counters.trimmed)
                                   .Run());
        return SumStoreRow();
      }));
  counters_ = counters;
  return changes;
}

absl::Status SqliteMetaStore::ApplyOne(const Mutation& mutation, Counters& counters,
                                       std::vector<watch::Change>& changes) {
  absl::string_view type = mutation.type;
  absl::string_view key = mutation.key;
  watch::Change change{mutation.type,         mutation.key, mutation.version,
                       counters.revision + 1, false,        ""};
  if (mutation.kind == Mutation::Kind::kDelete) {
    sqlite::Statement row = database_->Prepare(
        "SELECT key, version, revision, sealed, object FROM objects WHERE type = ?1 AND key = ?2");
    SKERRY_ASSIGN_OR_RETURN(bool found, row.Bind(1, type).Bind(2, key).Step());
    if (!found) return absl::OkStatus();
    SKERRY_ASSIGN_OR_RETURN(change, ReadRow(row, type));
    change.deleted = true;
    change.revision = counters.revision + 1;
    SKERRY_RETURN_IF_ERROR(database_->Prepare("DELETE FROM objects WHERE type = ?1 AND key = ?2")
                               .Bind(1, type)
                               .Bind(2, key)
                               .Run());
  } else {
    {
      sqlite::Statement row =
          database_->Prepare("SELECT version FROM objects WHERE type = ?1 AND key = ?2");
      SKERRY_ASSIGN_OR_RETURN(bool found, row.Bind(1, type).Bind(2, key).Step());
      if (found && row.Text(0) == mutation.version) return absl::OkStatus();
    }
    change.object = mutation.object;
    bool seal = options_.sealed_types.count(mutation.type) > 0;
    std::string sealed;
    if (seal) {
      SKERRY_ASSIGN_OR_RETURN(sealed,
                              cipher_->Seal(CipherName(type, key, change.version), change.object));
    }
    SKERRY_RETURN_IF_ERROR(database_
                               ->Prepare("INSERT INTO objects VALUES(?1, ?2, ?3, ?4, ?5, ?6, "
                                         "row_checksum(?1, ?2, ?3, ?4, ?5, ?6)) ON "
                                         "CONFLICT(type, key) DO UPDATE SET "
                                         "version = excluded.version, revision = "
                                         "excluded.revision, sealed = excluded.sealed, "
                                         "object = excluded.object, "
                                         "checksum = excluded.checksum")
                               .Bind(1, type)
                               .Bind(2, key)
                               .Bind(3, absl::string_view(change.version))
                               .Bind(4, change.revision)
                               .Bind(5, int64_t{seal})
                               .BindBlob(6, seal ? sealed : change.object)
                               .Run());
  }
  SKERRY_RETURN_IF_ERROR(Log(change, counters));
  changes.push_back(std::move(change));
  return absl::OkStatus();
}

absl::Status SqliteMetaStore::Log(const watch::Change& change, Counters& counters) {
  bool seal = change.deleted && options_.sealed_types.count(change.type) > 0;
  std::string object = change.deleted ? change.object : "";
  if (seal) {
    SKERRY_ASSIGN_OR_RETURN(
        object, cipher_->Seal(CipherName(change.type, change.key, change.version), object));
  }
  int64_t bytes = static_cast<int64_t>(object.size() + kLogRowBytes);
  counters.revision = change.revision;
  counters.log_bytes += bytes;
  return database_->Prepare("INSERT INTO revisions VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
      .Bind(1, change.revision)
      .Bind(2, absl::string_view(change.type))
      .Bind(3, absl::string_view(change.key))
      .Bind(4, absl::string_view(change.version))
      .Bind(5, int64_t{change.deleted})
      .Bind(6, int64_t{seal})
      .BindBlob(7, object)
      .Bind(8, bytes)
      .Run();
}

absl::Status SqliteMetaStore::Trim(Counters& counters) {
  while (counters.revision - counters.trimmed > options_.log_entries_max ||
         counters.log_bytes > options_.log_bytes_max) {
    int64_t bytes = 0;
    int64_t oldest = 0;
    {
      sqlite::Statement row =
          database_->Prepare("SELECT revision, bytes FROM revisions ORDER BY revision LIMIT 1");
      SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
      if (!found) {
        counters.trimmed = counters.revision;
        counters.log_bytes = 0;
        return absl::OkStatus();
      }
      oldest = row.Int(0);
      bytes = row.Int(1);
    }
    SKERRY_RETURN_IF_ERROR(
        database_->Prepare("DELETE FROM revisions WHERE revision = ?1").Bind(1, oldest).Run());
    counters.trimmed = oldest;
    counters.log_bytes -= bytes;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> SqliteMetaStore::Unseal(bool sealed, const watch::Change& change,
                                                    std::string bytes) const {
  if (!sealed) return bytes;
  return cipher_->Open(CipherName(change.type, change.key, change.version), bytes);
}

// Columns: key, version, revision, sealed, object.
absl::StatusOr<watch::Change> SqliteMetaStore::ReadRow(const sqlite::Statement& row,
                                                       absl::string_view type) const {
  watch::Change change{std::string(type), row.Text(0), row.Text(1), row.Int(2), false, ""};
  SKERRY_ASSIGN_OR_RETURN(change.object, Unseal(row.Int(3) != 0, change, row.Text(4)));
  return change;
}

absl::StatusOr<watch::Change> SqliteMetaStore::Get(absl::string_view type, absl::string_view key) {
  absl::MutexLock lock(&mutex_);
  sqlite::Statement row = database_->Prepare(
      "SELECT key, version, revision, sealed, object FROM objects WHERE type = ?1 AND key = ?2");
  SKERRY_ASSIGN_OR_RETURN(bool found, row.Bind(1, type).Bind(2, key).Step());
  if (!found) {
    return Error(absl::StatusCode::kNotFound, "the box holds no such object")
        .Reason("OBJECT_UNKNOWN")
        .Meta("type", type)
        .Meta("key", key);
  }
  return ReadRow(row, type);
}

absl::StatusOr<std::vector<watch::Change>> SqliteMetaStore::List(absl::string_view type,
                                                                 absl::string_view object_namespace,
                                                                 absl::string_view after_key,
                                                                 size_t limit, size_t bytes_max) {
  // Keys of a namespace are those from "namespace/" to before "namespace0", the next character.
  std::string from =
      std::max(std::string(after_key),
               object_namespace.empty() ? std::string() : absl::StrCat(object_namespace, "/"));
  std::string to = object_namespace.empty() ? "\x7f" : absl::StrCat(object_namespace, "0");
  absl::MutexLock lock(&mutex_);
  sqlite::Statement row = database_->Prepare(
      "SELECT key, version, revision, sealed, object FROM objects WHERE type = ?1 AND key > ?2 AND "
      "key < ?3 "
      "ORDER BY key");
  row.Bind(1, type).Bind(2, absl::string_view(from)).Bind(3, absl::string_view(to));
  std::vector<watch::Change> page;
  size_t bytes = 0;
  while (page.size() < limit) {
    SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
    if (!found) break;
    SKERRY_ASSIGN_OR_RETURN(watch::Change change, ReadRow(row, type));
    bytes += change.bytes();
    if (!page.empty() && bytes > bytes_max) break;
    page.push_back(std::move(change));
  }
  return page;
}

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> SqliteMetaStore::Holdings(
    absl::string_view type) {
  absl::MutexLock lock(&mutex_);
  sqlite::Statement row =
      database_->Prepare("SELECT key, version FROM objects WHERE type = ?1 ORDER BY key");
  row.Bind(1, type);
  std::vector<std::pair<std::string, std::string>> holdings;
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
    if (!found) return holdings;
    holdings.emplace_back(row.Text(0), row.Text(1));
  }
}

absl::StatusOr<TypeState> SqliteMetaStore::StateOf(absl::string_view type) {
  absl::MutexLock lock(&mutex_);
  sqlite::Statement row = database_->Prepare(
      "SELECT (SELECT count(*) FROM objects WHERE type = ?1), (SELECT synced_micros FROM types "
      "WHERE type = ?1)");
  SKERRY_ASSIGN_OR_RETURN(bool found, row.Bind(1, type).Step());
  TypeState state;
  if (found) state.objects = row.Int(0);
  if (found && !row.IsNull(1)) state.last_synced = absl::FromUnixMicros(row.Int(1));
  return state;
}

int64_t SqliteMetaStore::Revision() {
  absl::MutexLock lock(&mutex_);
  return counters_.revision;
}

absl::StatusOr<std::vector<watch::Change>> SqliteMetaStore::ReadObjects(
    const std::set<std::string>& types, const watch::Position& after, size_t bytes_max) {
  std::vector<watch::Change> page;
  for (auto it = types.lower_bound(after.first); it != types.end(); ++it) {
    const absl::string_view after_key =
        *it == after.first ? absl::string_view(after.second) : absl::string_view();
    SKERRY_ASSIGN_OR_RETURN(page, List(*it, "", after_key, 1000, bytes_max));
    if (!page.empty()) break;
  }
  return page;
}

absl::StatusOr<bool> SqliteMetaStore::Complete(const std::set<std::string>& types) {
  for (const std::string& type : options_.whole_types) {
    if (types.count(type) == 0) continue;
    SKERRY_ASSIGN_OR_RETURN(const TypeState state, StateOf(type));
    if (!state.last_synced.has_value()) return false;
  }
  return true;
}

absl::StatusOr<watch::LogPage> SqliteMetaStore::ReadLog(const std::set<std::string>& types,
                                                        int64_t revision, size_t bytes_max) {
  absl::MutexLock lock(&mutex_);
  if (revision < counters_.trimmed) return watch::ResumeTokenExpired();
  sqlite::Statement row = database_->Prepare(
      "SELECT r.key, r.version, r.revision, r.sealed, r.object, r.type, r.deleted, o.sealed, "
      "o.object "
      "FROM revisions r LEFT JOIN objects o ON o.type = r.type AND o.key = r.key AND o.revision = "
      "r.revision "
      "WHERE r.revision > ?1 ORDER BY r.revision");
  row.Bind(1, revision);
  watch::LogPage page{.changes = {}, .read_to = revision};
  size_t bytes = 0;
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
    if (!found) break;
    bool deleted = row.Int(6) != 0;
    bool wanted = types.count(row.Text(5)) > 0 && (deleted || !row.IsNull(8));
    if (wanted) {
      watch::Change change{row.Text(5), row.Text(0), row.Text(1), row.Int(2), deleted, ""};
      int first = deleted ? 3 : 7;
      SKERRY_ASSIGN_OR_RETURN(change.object,
                              Unseal(row.Int(first) != 0, change, row.Text(first + 1)));
      bytes += change.bytes();
      if (!page.changes.empty() && bytes > bytes_max) return page;
      page.changes.push_back(std::move(change));
    }
    page.read_to = row.Int(2);
  }
  page.read_to = counters_.revision;
  return page;
}

}  // namespace skerry::edgemeta
